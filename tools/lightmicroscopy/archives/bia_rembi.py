"""A study of the BioImage Archive in the shape of REMBI, and as JSON.

Modules and fields are those of REMBI (Sarkans et al., Nature Methods 18, 1418-1422, 2021, doi 10.1038/s41592-021-01166-8). Which fields must be
there is not REMBI's word but that of the BioImage Archive's model of it (BioImage-Archive/BIA-astro, REMBI 1.5), and is marked so.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final

from .bia_pagetab import Attributed, Section, folded
from .bia_study import ANNOTATIONS, COMPONENTS, FILE_LIST, Term, imaging_methods_of, organisms_of, title_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from .bia_study import Association, BiaStudy, Component

REQUIRED_BY: Final = "BioImage Archive"
_OTHER: Final = "Further information"
_TOLD_OF_COMPONENTS: Final = frozenset(map(folded, ("Title", "Name", "Description", FILE_LIST, "FileList")))
_TOLD_OF_STUDIES: Final = _TOLD_OF_COMPONENTS | frozenset(
    map(
        folded,
        (
            *("Abstract", "Study description", "Study type", "Experiment type", "Keywords", "Keyword", "License", "Licence", "Data license"),
            *("Licence type", "DOI", "Data DOI", "ReleaseDate", "Release Date", "Funding statement", "Acknowledgements"),
        ),
    )
)
"""Attributes that have rows of their own."""
_Row = dict[str, object]

_FIELDS: Final[Mapping[str, tuple[str, tuple[str, ...], Mapping[str, str], frozenset[str]]]] = {
    "biosample": (
        "Biosample",
        ("biosample",),
        {
            "Title": "Identity",
            "Biological entity": "Biological entity",
            "Intrinsic variable": "Intrinsic variable",
            "Extrinsic variable": "Extrinsic variable",
            "Experimental variable": "Experimental variables",
        },
        frozenset({"Organism", "Biological entity"}),
    ),
    "specimen": (
        "Specimen",
        ("specimen",),
        {
            "Experimental status": "Experimental status",
            "Location within biosample": "Location within Biosample",
            "Sample preparation protocol": "Preparation method",
            "Growth protocol": "Preparation method",
            "Signal/contrast mechanism": "Signal/contrast mechanism",
            "Channel - content": "Channel - content",
            "Channel - biological entity": "Channel - biological entity",
        },
        frozenset({"Preparation method"}),
    ),
    "image acquisition": (
        "Image acquisition",
        ("image acquisition",),
        {"Imaging instrument": "Instrument attributes", "Image acquisition parameters": "Image acquisition parameters"},
        frozenset({"Imaging method", "Instrument attributes", "Image acquisition parameters"}),
    ),
    "image correlation": (
        "Image correlation",
        ("image correlation",),
        {
            "Spatial and temporal alignment": "Spatial and temporal alignment",
            "Fiducials used": "Fiducials used",
            "Transformation matrix": "Transformation matrix/other info",
        },
        frozenset({"Spatial and temporal alignment", "Fiducials used", "Transformation matrix/other info"}),
    ),
    "image analysis": (
        "Analyzed data",
        ("image analysis",),
        {"Image analysis overview": "Analysis method and details"},
        frozenset({"Analysis method and details"}),
    ),
    "annotation": (
        "Analyzed data",
        ANNOTATIONS,
        {
            "Annotation Type": "Analysis result type",
            "Annotation Method": "Analysis method and details",
            "Annotation Overview": "Analysis method and details",
        },
        frozenset(),
    ),
}
"""For each kind of section: REMBI's module, the section's types, REMBI's field for each attribute, and the fields that the archive requires."""


def rembi_rows(study: BiaStudy) -> Iterator[Mapping[str, object]]:
    """Rows of the REMBI table of one study, in the order of REMBI's modules; a required field that is not there has an empty value."""
    yield from _study(study)
    for component in study.components:
        if folded(component.kind) in COMPONENTS:
            yield from _component(study, component)
    for module, types, fields, required in _FIELDS.values():
        for section in study.sections(*types):
            yield from _section(study, section, module, fields, required)


def _row(
    study: BiaStudy, module: str, item: str, field: str, value: object, stated: str, *, term: Term | None = None, required: bool = False
) -> _Row:
    return {
        "accession": study.accession,
        "module": module,
        "item": item,
        "field": field,
        "value": value,
        "term": " ".join(part for part in (term.ontology, term.identifier) if part) if term else "",
        "stated_as": stated,
        "required_by": REQUIRED_BY if required else "",
    }


def _study(study: BiaStudy) -> Iterator[_Row]:
    facts: tuple[tuple[str, Iterable[str], bool], ...] = (
        ("Title", (study.title,), True),
        ("Keywords", study.keywords, True),
        ("Authors", (author.name for author in study.authors), True),
        ("Organisations", dict.fromkeys(name for author in study.authors for name in author.organisations), False),
        ("Licence", (study.licence.name,), False),
        ("Licence address", (study.licence.url,), False),
        ("Data DOI", (study.doi,), False),
        ("Publications", (paper.doi or paper.title for paper in study.publications), False),
        ("Funding", (" ".join(filter(None, map(section.first, ("Agency", "grant_id")))) for section in study.sections("funding")), False),
        ("Funding statement", study.root.values("Funding statement"), False),
        ("Acknowledgements", study.root.values("Acknowledgements"), False),
        ("Release date", (study.release_date,), False),
    )
    if kind := study.root.first("Study type", "Experiment type"):
        yield _row(study, "Study", study.accession, "Study type", kind, "Study: Study type")
    yield _row(study, "Study", study.accession, "Study description", study.description, "Study: Description", required=True)
    for name, values in ((name, [value for value in found if value]) for name, found, _ in facts):
        required = any(name == fact and must for fact, _, must in facts)
        if values or required:
            yield _row(study, "Study", study.accession, "General dataset info", values, f"Study: {name}", required=required)
    yield from _further(study, "Study", study.accession, study.root, "Study", _TOLD_OF_STUDIES)


def _component(study: BiaStudy, component: Component) -> Iterator[_Row]:
    methods = dict.fromkeys(
        term
        for association in component.associations
        for section in association.sections("image acquisition")
        for term in imaging_methods_of(section)
    )
    for method in methods:
        yield _row(study, "Study component", component.name, "Imaging method", method.label, "Image acquisition: Imaging method", term=method)
    yield _row(
        study, "Study component", component.name, "Study component description", component.description, "Study Component: Description", required=True
    )
    for number, association in enumerate(component.associations, 1):
        named = [f"{kind}: {title}" for kind, title, _ in association.named]
        yield _row(study, "Study component", component.name, _OTHER, named, f"Associations {number}")
    yield from _further(study, "Study component", component.name, component, component.kind, _TOLD_OF_COMPONENTS)


def _further(study: BiaStudy, module: str, item: str, holder: Attributed, kind: str, told: frozenset[str]) -> Iterator[_Row]:
    """What else is said, for which REMBI has no field."""
    for attribute in holder.attributes:
        if folded(attribute.name) not in told:
            yield _row(study, module, item, _OTHER, attribute.value, f"{kind}: {attribute.name}")


def _section(study: BiaStudy, section: Section, module: str, fields: Mapping[str, str], required: frozenset[str]) -> Iterator[_Row]:
    item, met = title_of(section) or section.accno, set[str]()
    terms = [("Organism", term) for term in organisms_of(section)] if module == "Biosample" else []
    terms += [("Imaging method", term) for term in imaging_methods_of(section)] if module == "Image acquisition" else []
    for field, term in terms:
        met.add(field)
        yield _row(study, module, item, field, term.label, f"{section.type}: {field}", term=term, required=field in required)
    by_name = {folded(name): field for name, field in fields.items()}
    shown = {folded("Title"), folded("Name"), folded(FILE_LIST), *(folded(field) for field, _ in terms)} - set(by_name)
    for attribute in section.attributes:
        if folded(attribute.name) in shown:
            continue
        field = by_name.get(folded(attribute.name), _OTHER)
        met.add(field)
        yield _row(study, module, item, field, attribute.value, f"{section.type}: {attribute.name}", required=field in required)
    for below in section.sections:
        if folded(below.type) not in ("organism", "imaging method"):
            yield from _further(study, module, item, below, f"{section.type}: {below.type}", frozenset())
    for field in sorted(required - met):
        yield _row(study, module, item, field, "", section.type, required=True)


def as_json(study: BiaStudy) -> dict[str, Any]:
    """Everything known of a study, for programs: what was understood, and under ``sections`` all that was said."""
    return {
        "accession": study.accession,
        "url": study.url,
        "title": study.title,
        "description": study.description,
        "keywords": list(study.keywords),
        "licence": asdict(study.licence),
        "doi": study.doi,
        "release_date": study.release_date,
        "collections": list(study.collections),
        "authors": [asdict(author) for author in study.authors],
        "publications": [asdict(paper) for paper in study.publications],
        "organisms": [asdict(term) for term in study.organisms],
        "imaging_methods": [asdict(term) for term in study.imaging_methods],
        "links": [{"url": link.url, "attributes": [[each.name, each.value] for each in link.attributes]} for link in study.links],
        "components": [
            {
                "name": component.name,
                "type": component.kind,
                "description": component.description,
                "file_lists": list(component.lists),
                "files_named": len(component.files),
                "associations": [_association(association) for association in component.associations],
            }
            for component in study.components
        ],
        "attributes": [[each.name, each.value] for each in study.submission.attributes],
        "sections": _tree(study.root),
    }


def _association(association: Association) -> list[dict[str, Any]]:
    return [{"kind": kind, "title": title, "found": section is not None} for kind, title, section in association.named]


def _tree(section: Section) -> dict[str, Any]:
    return {
        "type": section.type,
        "accno": section.accno,
        "attributes": [
            {"name": each.name, "value": each.value}
            | ({"reference": True} if each.reference else {})
            | ({"qualifiers": [list(pair) for pair in each.qualifiers]} if each.qualifiers else {})
            | ({"name_qualifiers": [list(pair) for pair in each.name_qualifiers]} if each.name_qualifiers else {})
            for each in section.attributes
        ],
        "sections": [_tree(below) for below in section.sections],
    }
