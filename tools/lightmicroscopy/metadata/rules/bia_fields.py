"""Rules on the fields of each section of a submission to the BioImage Archive: which must be there, and which should."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ...archives.bia_pagetab import folded
from ..bia_template import ANNOTATION_TYPES, CURATORS, FUNDING, PUBLICATION, ROLES, SECTIONS, SOURCE, TemplateField, TemplateSection, section_of
from ..documents.content import shorten
from ..findings import BIA, Problem, Severity, Subject, rule
from ..vocabulary import canonical_source, doubt_of
from ._documents import listed, submission

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..documents.pagetab import PageTab, Part

# Version 4 had these as sections below, version 5 has them as attributes with an identifier.
_ONCE_SECTIONS = {"organism": "Organism", "imaging method": "Imaging Method"}
# The archive itself stores contacts and organisations in another shape than its template describes.
_WRITTEN_OTHERWISE = frozenset({"Author", "Organisation"})
_STUDY_ONLY = frozenset({"accno", "rootpath", "doi"})


@rule(
    "bia.sections-missing",
    severity="error",
    title="Contact, biosample, specimen, image acquisition and study component are each described.",
    why="Without one of them the archive refuses the submission.",
    fix="Add a section of that type.",
    source=SOURCE,
    profiles=(BIA,),
    needs="pagetab",
)
def _sections_missing(subject: Subject) -> Iterator[Problem]:
    found = submission(subject)
    there = {section.name for part in found.study.everything() if (section := section_of(part.type))}
    for section in SECTIONS:
        if section.at_least_one and section.name not in there:
            what = "of the type Study at its root" if section.name == "Study" else f"of the type {section.name}"
            yield Problem(f"The submission has no section {what}.", found.study.where)


@rule(
    "bia.field-missing",
    severity="error",
    title="Every required field of every section has a value.",
    why="The archive refuses a submission in which a required field is missing or empty.",
    fix="Fill the field in.",
    source=SOURCE,
    profiles=(BIA,),
    needs="pagetab",
)
def _field_missing(subject: Subject) -> Iterator[Problem]:
    found = submission(subject)
    for part, section in _known(found):
        for field in section.fields:
            if field.need_in(found.is_older) == "required" and not _has(part, field) and not _elsewhere(found, part, field):
                empty = "is empty" if part.all(field.name, *field.spellings) else "is missing"
                yield Problem(f"“{field.name}” {empty} in {part.label}.", f"{part.where}, {field.name}")


@rule(
    "bia.field-desirable",
    severity="info",
    title="Fields that the archive wishes for are filled in.",
    why="They are not required, but they are what lets others understand and reuse the images.",
    fix="Fill in what is known.",
    source=SOURCE,
    profiles=(BIA,),
    needs="pagetab",
)
def _field_desirable(subject: Subject) -> Iterator[Problem]:
    found = submission(subject)
    for part, section in _known(found):
        missing = [field.name for field in section.fields if field.need_in(found.is_older) == "desirable" and not _has(part, field)]
        if missing:
            yield Problem(f"{part.label} does not say {listed(missing)}.", part.where)
    there = {section.name for _, section in _known(found)}
    for section in (PUBLICATION, FUNDING):
        if section.name not in there:
            yield Problem(f"The submission has no section {section.name}.", found.study.where)


@rule(
    "bia.unknown-attribute",
    severity="error",
    title="Sections have only attributes that the template knows.",
    why="The template allows no others in the study and its components, and sections below inherit that: the archive's page for direct upload "
    "of JSON refuses them.",
    fix="Correct the name, or move the text into the description. Attributes of single files belong into the file list.",
    source=SOURCE,
    profiles=(BIA,),
    needs="pagetab",
)
def _unknown_attribute(subject: Subject) -> Iterator[Problem]:
    from difflib import get_close_matches

    found = submission(subject)
    for part, section in _known(found):
        names = {folded(name): field.name for field in section.fields for name in (field.name, *field.spellings)}
        if section.name == "Study":
            names["licence"] = "License"
        for said in part.attributes:
            name = folded(said.name)
            if name in names and said.name != names[name]:
                message = f"“{shorten(said.name)}” in {part.label} is written “{names[name]}” in the template."
                yield Problem(message, said.where, severity="info" if name == folded(names[name]) else "warning", fix=f"Write {names[name]}.")
            elif found.form == "TSV" and name not in names and section_of(said.name) and not said.reference:
                message = f"“{shorten(said.name)}” is an attribute of {part.label}, but looks like the beginning of a section."
                yield Problem(message, said.where, fix="Put an empty line before it, if a section begins there.")
            elif name not in names and name not in _STUDY_ONLY and section.name not in _WRITTEN_OTHERWISE:
                if section.open and found.is_older:
                    continue
                close = get_close_matches(name, list(names), 1)
                fix = f"If “{names[close[0]]}” is meant, write that." if close else None
                severity: Severity | None = "warning" if section.open else None
                yield Problem(f"The attribute “{shorten(said.name)}” of {part.label} is not in the template.", said.where, severity=severity, fix=fix)


@rule(
    "bia.unknown-section",
    severity="error",
    title="Every section is of a type that the template knows.",
    why="The template allows no others; what stands in them is neither shown nor found.",
    fix="Correct the type, or move the text into a section that the template has.",
    source=SOURCE,
    profiles=(BIA,),
    needs="pagetab",
)
def _unknown_section(subject: Subject) -> Iterator[Problem]:
    from difflib import get_close_matches

    types = {folded(kind): kind for section in SECTIONS for kind in section.types}
    study = submission(subject).study
    if folded(study.type) != "study" and study.type.strip():
        yield Problem(f"The root section is of the type “{shorten(study.type)}” and not Study.", study.where, fix="Call it Study.")
    for part in study.everything():
        kind = folded(part.type)
        if part is study or not kind or kind in types or kind in _ONCE_SECTIONS:
            continue
        close = get_close_matches(kind, list(types), 1)
        fix = f"If {types[close[0]]} is meant, write that." if close else None
        yield Problem(f"The template knows no section of the type “{shorten(part.type)}”.", part.where, fix=fix)


@rule(
    "bia.repeated-field",
    severity="error",
    title="A field that has one value is there once.",
    why="Text that was split at its commas by a table program becomes several fields; the archive shows, or takes, only the first.",
    fix="Put the parts together into one field again.",
    source=CURATORS,
    profiles=(BIA,),
    needs="pagetab",
)
def _repeated_field(subject: Subject) -> Iterator[Problem]:
    for part, section in _known(submission(subject)):
        if section.name == "Associations":
            continue
        for field in section.fields:
            said = part.said(field.name, *field.spellings)
            if not field.several and len(said) > 1:
                parts = listed([shorten(each.value, 40) for each in said], 3)
                yield Problem(f"“{field.name}” is there {len(said)} times in {part.label}: {parts}.", said[1].where)


@rule(
    "bia.keywords",
    severity="info",
    title="Each keyword stands by itself.",
    why="Several keywords in one field are one keyword for the archive's search, which nobody will look for.",
    fix="Write one attribute Keywords for each.",
    source=SOURCE,
    profiles=(BIA,),
    needs="pagetab",
    applies=lambda subject: bool(submission(subject).study.said("Keywords")),
)
def _keywords(subject: Subject) -> Iterator[Problem]:
    for said in submission(subject).study.said("Keywords"):
        if "," in said.value or ";" in said.value:
            yield Problem(f"“{shorten(said.value)}” are several keywords in one.", said.where)


@rule(
    "bia.choice",
    severity="error",
    title="A field with a list to choose from has a value of that list.",
    why="Others find annotations by their type, so that it must be one of those that everybody uses.",
    fix="Choose one of the list.",
    source=SOURCE,
    profiles=(BIA,),
    needs="pagetab",
    applies=lambda subject: any(part.said("Annotation Type", "Role") for part in submission(subject).study.everything()),
)
def _choice(subject: Subject) -> Iterator[Problem]:
    for part, section in _known(submission(subject)):
        for said in part.said("Annotation Type") if section.name == "Annotation" else ():
            fix = f"Choose one of: {', '.join(ANNOTATION_TYPES)}."
            if said.value.strip() in ANNOTATION_TYPES:
                continue
            if all(piece.strip() in ANNOTATION_TYPES for piece in said.value.split(",")):
                message = f"“{shorten(said.value)}” of {part.label} are several annotation types in one value."
                yield Problem(message, said.where, severity="warning", fix="Write one attribute Annotation Type for each.")
            else:
                yield Problem(f"The annotation type “{shorten(said.value)}” of {part.label} is not one of the list.", said.where, fix=fix)
        for said in part.said("Role") if section.name == "Author" else ():
            if said.value.strip() not in ROLES:
                fix = f"Choose one of: {', '.join(ROLES)}. Other roles are taken too, but not found."
                yield Problem(f"The role “{shorten(said.value)}” of {part.label} is not one of the list.", said.where, severity="info", fix=fix)


@rule(
    "bia.term",
    severity="warning",
    title="Organisms and imaging methods are terms of NCBITaxon and FBbi, with their identifiers.",
    why="By the identifiers of terms others find studies across archives; free text is found only by who writes it the same way.",
    fix="Choose the term in the archive's form, or add the qualifiers Ontology and TermId.",
    source=SOURCE,
    profiles=(BIA,),
    needs="pagetab",
)
def _term(subject: Subject) -> Iterator[Problem]:
    found = submission(subject)
    for part, section in _known(found):
        for name, ontology in (("Organism", "NCBITaxon"), ("Imaging method", "FBbi")):
            if name in {field.name for field in section.fields}:
                yield from _of_attributes(found, part, name, ontology)
                yield from _of_sections(part, name, ontology)


def _of_attributes(found: PageTab, part: Part, name: str, ontology: str) -> Iterator[Problem]:
    for said in part.said(name):
        label, accession, source = said.value.strip(), said.qualifier("TermId"), said.qualifier("Ontology")
        if not accession:
            doubt = doubt_of(label, "", ontology)
            message = f"“{shorten(label)}” ({name} of {part.label}) has no identifier of {ontology}."
            yield Problem(message, said.where, severity="info" if found.is_older else None, fix=doubt.fix if doubt else None)
            continue
        if source and canonical_source(source) != ontology:
            message = f"“{shorten(label)}” ({name} of {part.label}) is of the ontology {shorten(source)}; the template asks for {ontology}."
            yield Problem(message, said.where)
        doubt = doubt_of(label, accession, ontology)
        if doubt:
            yield Problem(f"{name} of {part.label}: {doubt.message}", said.where, severity=doubt.gravity, fix=doubt.fix)


def _of_sections(part: Part, name: str, ontology: str) -> Iterator[Problem]:
    for below in part.of_type(_ONCE_SECTIONS[folded(name)]):
        label = below.first("Scientific name", "Ontology Value")
        accession = below.first("NCBI taxon ID", "Ontology Term ID")
        if not label:
            yield Problem(f"{name} of {part.label} has no name.", below.where, severity="error")
        elif not accession:
            yield Problem(f"“{shorten(label)}” ({name} of {part.label}) has no identifier of {ontology}.", below.where, severity="info")
        elif doubt := doubt_of(label, accession, ontology):
            yield Problem(f"{name} of {part.label}: {doubt.message}", below.where, severity=doubt.gravity, fix=doubt.fix)


@rule(
    "bia.older-spelling",
    severity="info",
    title="Sections and fields are spelled as in the present template.",
    why="The archive still reads the spellings of older templates, but its form no longer writes them.",
    fix="A submission that is there already may stay as it is. In a new one, write them as the present template does.",
    source=SOURCE,
    profiles=(BIA,),
    needs="pagetab",
)
def _older_spelling(subject: Subject) -> Iterator[Problem]:
    for part in submission(subject).study.everything():
        kind = folded(part.type)
        if kind == "annotations":
            yield Problem(f"{part.label} has the type {part.type}, which is Annotation now.", part.where)
        elif kind in _ONCE_SECTIONS:
            message = f"{part.label} is a section; {_ONCE_SECTIONS[kind].capitalize()} is an attribute with the qualifiers Ontology and TermId now."
            yield Problem(message, part.where)


def _known(found: PageTab) -> Iterator[tuple[Part, TemplateSection]]:
    """Sections that the template knows; the root is the study, whatever type it says."""
    for part in found.study.everything():
        section = section_of("Study") if part is found.study else section_of(part.type)
        if section is not None:
            yield part, section


def _has(part: Part, field: TemplateField) -> bool:
    return bool(part.said(field.name, *field.spellings)) or bool(
        folded(field.name) in _ONCE_SECTIONS and part.of_type(_ONCE_SECTIONS[folded(field.name)])
    )


def _elsewhere(found: PageTab, part: Part, field: TemplateField) -> bool:
    """Whether a field of the study stands among the attributes of the submission, as title and release date may."""
    return part is found.study and bool(found.said(field.name))
