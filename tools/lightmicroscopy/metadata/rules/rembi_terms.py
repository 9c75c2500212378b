"""Rules on the terms and compounds of REMBI sheets: that identifiers are those of what is written beside them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from ..documents.content import shorten
from ..findings import REMBI, Problem, Subject, rule
from ..vocabulary import doubt_of

if TYPE_CHECKING:
    from collections.abc import Iterator

_REMBI: Final = "https://doi.org/10.1038/s41592-021-01166-8"
_WORDS: Final = frozenset(
    (
        *("biological_entity", "intrinsic_variable", "extrinsic_variable", "experimental_variables", "experimental_status"),
        *("location_within_biosample", "preparation_method", "growth_protocol", "signal_contrast_mechanism", "channel_content"),
        *("channel_biological_entity", "channel_contents", "channel_biological_entities", "instrument", "parameters"),
        *("analysis_result_type", "analysis_method", "image_processing_method", "type"),
    )
)
"""Fields for words, in which a term may stand."""
_INCHI: Final = "https://www.inchi-trust.org/downloads/"


@rule(
    "rembi.term",
    severity="warning",
    title="Organism, imaging method, cell line and study type are terms of ontologies; of any term, name and identifier mean the same.",
    why="By the identifiers of terms others find images across archives; a wrong one files them under another organism or method.",
    fix="Write the term as label and identifier, such as Homo sapiens (NCBITaxon:9606).",
    source=_REMBI,
    profiles=(REMBI,),
    needs="sheet",
    applies=lambda subject: any(True for _ in (*_terms(subject), *_mentioned(subject))),
)
def _term(subject: Subject) -> Iterator[Problem]:
    from ..ontologies.identifiers import canonical
    from ..rembi.fields import split_term

    for field, values, where in _terms(subject):
        for value in values:
            label, identifier = split_term(value)
            found = canonical(identifier)
            ontology = found.ontology if found and found.ontology in field.also else field.ontology
            doubt = doubt_of(label, identifier, ontology)
            if doubt and identifier:
                yield Problem(f"{field.title}: {doubt.message}", where, severity=doubt.gravity, fix=doubt.fix)
            elif not identifier:
                message = f"{field.title}: “{shorten(label)}” has no identifier of {field.ontology}."
                # A cell line of one's own is in no ontology, and a kind of study need not be.
                yield Problem(message, where, severity=None if field.required else "info", fix=doubt.fix if doubt else None)
    for field, value, where in _mentioned(subject):
        label, identifier = split_term(value)
        doubt = doubt_of(label, identifier, "")
        if doubt:
            yield Problem(f"{field.title}: {doubt.message}", where, severity=doubt.gravity, fix=doubt.fix)


@rule(
    "rembi.compound",
    severity="error",
    title="InChI and InChIKey are of one compound, and can be recomputed.",
    why="By them others find what was done with the same compound; with a letter wrong it is nobody's compound, or another.",
    fix="Copy both from the compound's entry in a database, such as PubChem or ChEBI.",
    source=_INCHI,
    profiles=(REMBI,),
    needs="sheet",
    applies=lambda subject: any(True for _ in _compounds(subject)),
)
def _compound(subject: Subject) -> Iterator[Problem]:
    from ..ontologies.inchi import check

    for inchi, keys, where in _compounds(subject):
        found = check(inchi, keys[0] if len(keys) == 1 else "")
        results = [found] if inchi else []
        if len(keys) > 1 or not inchi:
            results += [check("", key) for key in keys]
        for result in results:
            if result.status in ("wrong", "doubtful"):
                yield Problem(result.message, where, severity="warning" if result.status == "doubtful" else None)
            elif result.status == "not-checked" and result.inchi and inchi:
                yield Problem(result.message, where, severity="info")
        if inchi and len(keys) > 1 and found.key and found.key not in keys:
            message = f"None of the {len(keys)} InChIKeys is that of the InChI beside them, which is {found.key}."
            yield Problem(message, where)


def _rows(subject: Subject, table: str) -> Iterator[Any]:
    sheet = subject.document.content if subject.document else None
    if sheet is not None:
        yield from sheet.rows(table)


def _terms(subject: Subject) -> Iterator[tuple[Any, tuple[str, ...], str]]:
    """Fields that ask for a term, with the values in one cell and where that is."""
    from ..rembi.fields import all_fields

    for field in all_fields():
        if field.kind == "term" and field.ontology:
            for row in _rows(subject, field.sheet):
                text = row.text(field.id)
                values = tuple(value for value in row.values(field.id) if value) if field.several else (text,)
                if text and values:
                    yield field, values, _place(row, field.id)


def _mentioned(subject: Subject) -> Iterator[tuple[Any, str, str]]:
    """Terms that somebody has written with an identifier where words would do: field, text, and where that is."""
    from ..ontologies.identifiers import canonical
    from ..rembi.fields import all_fields, split_term

    for field in all_fields():
        if field.id in _WORDS:
            for row in _rows(subject, field.sheet):
                for value in row.values(field.id) if field.several else (row.text(field.id),):
                    if value and canonical(split_term(value)[1]) is not None:
                        yield field, value, _place(row, field.id)


def _compounds(subject: Subject) -> Iterator[tuple[str, tuple[str, ...], str]]:
    """InChI and InChIKeys of each biosample, and where they are."""
    for row in _rows(subject, "biosample"):
        inchi, keys = row.text("compound_inchi"), tuple(key for key in row.values("compound_inchikey") if key)
        if inchi or keys:
            yield inchi, keys, _place(row, "compound_inchi" if inchi else "compound_inchikey")


def _place(row: Any, field_id: str) -> str:
    from ..rembi.sheet import SheetProblem

    cell = row.cells[field_id]
    return SheetProblem(cell.sheet, cell.row, cell.column, "", "").location
