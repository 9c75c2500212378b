"""Rules on how the sections of a submission to the BioImage Archive hang together."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from ...archives.bia_pagetab import folded
from ..bia_template import CURATORS, FILE_LIST_HELP, LARGEST_FILE, REFERRED, SOURCE
from ..documents.content import shorten
from ..findings import BIA, Problem, Subject, rule
from ._documents import submission
from ._paths import list_name_problem, path_problem

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..documents.pagetab import PageTab, Part, Said


@rule(
    "bia.associations",
    severity="error",
    title="Each study component says which biosample, specimen and image acquisition its images come from.",
    why="Without its associations nobody can tell which of the samples an image shows, and how it was taken.",
    fix="Add the section Associations to the component, with Biosample, Specimen and Image acquisition.",
    source=CURATORS,
    profiles=(BIA,),
    needs="pagetab",
    applies=lambda subject: bool(submission(subject).components()),
)
def _associations(subject: Subject) -> Iterator[Problem]:
    for component in submission(subject).components():
        if not component.of_type("Associations"):
            yield Problem(f"{component.label} has no associations.", component.where)


@rule(
    "bia.association-target",
    severity="error",
    title="Each association names a section by its title, letter for letter.",
    why="The archive finds the section by comparing the texts; a blank or a capital letter too many, and the image belongs to no sample.",
    fix="Copy the title of the section into the association.",
    source=CURATORS,
    profiles=(BIA,),
    needs="pagetab",
    applies=lambda subject: any(True for _ in _named(submission(subject))),
)
def _association_target(subject: Subject) -> Iterator[Problem]:
    found = submission(subject)
    for section in REFERRED:
        titles = [said.value for part in _of_type(found, section.name) for said in part.said("Title")]
        for component, kind, value, where in _named(found):
            if folded(kind) != folded(section.name) or value in titles:
                continue
            close = next((title for title in titles if folded(title) == folded(value)), None)
            if close is not None:
                message = (
                    f"{component.label} is associated with the {section.name} “{value[:80]}”, whose title differs in blanks or case: “{close[:80]}”."
                )
                yield Problem(message, where)
            elif value.count(",") and all(folded(piece) in map(folded, titles) for piece in value.split(",")):
                message = f"{component.label} is associated with several sections in one value: “{shorten(value)}”."
                yield Problem(message, where, fix="Write one Associations section for each.")
            else:
                yield Problem(f"{component.label} is associated with the {section.name} “{shorten(value)}”, but no section has that title.", where)


@rule(
    "bia.reference",
    severity="error",
    title="Each reference is the accession of a section.",
    why="The archive refuses a reference that goes nowhere.",
    fix="Write the accession (accno) of the section that is meant.",
    source=SOURCE,
    profiles=(BIA,),
    needs="pagetab",
    applies=lambda subject: any(True for _ in _references(submission(subject))),
)
def _reference(subject: Subject) -> Iterator[Problem]:
    found = submission(subject)
    known = {part.accno for part in found.study.everything() if part.accno}
    for part, said in _references(found):
        if said.value.strip() not in known:
            message = f"“{shorten(said.name)}” of {part.label} refers to “{shorten(said.value)}”, which is the accession of no section."
            yield Problem(message, said.where)


@rule(
    "bia.title-repeated",
    severity="error",
    title="Sections of one type have titles of their own.",
    why="Associations name a section by its title, and cannot tell two of the same title apart.",
    fix="Give each section a title that says what is different about it.",
    source=SOURCE,
    profiles=(BIA,),
    needs="pagetab",
)
def _title_repeated(subject: Subject) -> Iterator[Problem]:
    found = submission(subject)
    for section in REFERRED:
        parts = _of_type(found, section.name)
        for title, number in Counter(folded(part.first("Title")) for part in parts).items():
            if title and number > 1:
                second = [part for part in parts if folded(part.first("Title")) == title][1]
                yield Problem(f"{number} sections of the type {section.name} have the title “{shorten(second.first('Title'))}”.", second.where)


@rule(
    "bia.unreferenced",
    severity="warning",
    title="Every biosample, specimen, acquisition, correlation and analysis belongs to a study component.",
    why="A section that no association names describes no image: either it is left over, or an association is missing.",
    fix="Name it in the associations of the components it belongs to, or take it out.",
    source=CURATORS,
    profiles=(BIA,),
    needs="pagetab",
    applies=lambda subject: bool(submission(subject).components()),
)
def _unreferenced(subject: Subject) -> Iterator[Problem]:
    found = submission(subject)
    named = {(folded(kind), folded(value)) for _, kind, value, _ in _named(found)}
    for section in REFERRED:
        for part in _of_type(found, section.name):
            title = part.first("Title")
            if title and (folded(section.name), folded(title)) not in named:
                yield Problem(f"No study component is associated with {part.label}.", part.where)


@rule(
    "bia.list-named",
    severity="error",
    title="Each study component and annotation names a file list of its own: a JSON, TSV or XLSX file.",
    why="The archive reads no other formats, and takes a directory for no list. Files in two lists belong to both components.",
    fix="Name one file with the ending .json, .tsv or .xlsx, by its path in the upload area.",
    source=FILE_LIST_HELP,
    profiles=(BIA,),
    needs="pagetab",
    applies=lambda subject: any(True for _ in _lists(submission(subject))),
)
def _list_named(subject: Subject) -> Iterator[Problem]:
    seen: dict[str, str] = {}
    for part, name, where in _lists(submission(subject)):
        wrong = list_name_problem(name)
        if wrong:
            yield Problem(f"The file list “{shorten(name)}” of {part.label} {wrong}.", where)
        elif name in seen:
            yield Problem(f"The file list “{shorten(name)}” of {part.label} is that of {seen[name]} too.", where, severity="warning")
        seen.setdefault(name, part.label)


@rule(
    "bia.listed-file",
    severity="error",
    title="Files that the submission lists itself have paths and sizes that the archive can store.",
    why="A path with other characters than the archive allows is refused, and a file above two terabytes cannot be stored.",
    fix="Rename the file, and list it under its new name.",
    source=FILE_LIST_HELP,
    profiles=(BIA,),
    needs="pagetab",
    applies=lambda subject: any(part.files for part in submission(subject).study.everything()),
)
def _listed_file(subject: Subject) -> Iterator[Problem]:
    for part in submission(subject).study.everything():
        for file in part.files:
            wrong, fix = path_problem(file.target)
            if wrong:
                yield Problem(f"The path “{shorten(file.target)}” {wrong}.", file.where, fix=fix)
            if file.size is not None and file.size > LARGEST_FILE:
                message = f"{shorten(file.target)} has {file.size:,} bytes; the archive stores files of up to {LARGEST_FILE:,}."
                yield Problem(message, file.where, fix="Split it into several files.")


def _references(found: PageTab) -> Iterator[tuple[Part, Said]]:
    """Attributes that are marked as references, apart from affiliations, which have a rule of their own."""
    for part in found.study.everything():
        for said in part.attributes:
            if said.reference and said.value.strip() and folded(said.name) not in ("affiliation", "organisation", "organization"):
                yield part, said


def _of_type(found: PageTab, kind: str) -> list[Part]:
    return [part for part in found.study.everything() if folded(part.type) == folded(kind)]


def _named(found: PageTab) -> Iterator[tuple[Part, str, str, str]]:
    """(component, type, title, place) of each association."""
    kinds = {folded(section.name) for section in REFERRED}
    for component in found.components():
        for below in component.of_type("Associations"):
            for said in below.attributes:
                if folded(said.name) in kinds and said.value.strip():
                    yield component, said.name, said.value, said.where


def _lists(found: PageTab) -> Iterator[tuple[Part, str, str]]:
    for part in (*found.components(), *found.annotations()):
        yield from ((part, said.value, said.where) for said in part.said("File List"))
