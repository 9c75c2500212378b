"""Rules on what a REMBI sheet refers to outside itself: people, publications, licences, days and terms of ontologies."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Final

from ...archives.licences import ZERO, licence_of
from ..bia_template import BACK_END, CURATORS, POLICIES
from ..documents.content import shorten
from ..findings import REMBI, Problem, Subject, rule
from ..rembi.fields import split, split_term
from ..rembi.sheet import Cell, SheetProblem
from ..rembi.sheet import Severity as CellSeverity
from ..vocabulary import doi_problem, doubt_of, is_not_yet, is_pubmed_id, is_year, mail_problem, orcid_problem, release_date_problem
from .rembi_sheet import SOURCE, grouped, place, sheet_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_ORCID_SOURCE: Final = "https://support.orcid.org/hc/en-us/articles/360006897674"
_ASKED_FOR: Final = ("organism", "imaging_method")
"""Fields in which the archive asks for terms of one ontology, and not only usually finds them there."""


def _said(subject: Subject, *fields: str) -> Iterator[tuple[Cell, str]]:
    """Values of these fields of the study, each with its cell."""
    for row in sheet_of(subject).rows("study"):
        for name in fields:
            if row.text(name):
                yield row.cells[name], row.text(name)


def _there(*fields: str) -> Callable[[Subject], bool]:
    return lambda subject: any(True for _ in _said(subject, *fields))


def _where(cell: Cell) -> str:
    return place(cell.sheet or "study", [cell.row], cell.column)


@rule(
    "rembi.orcid",
    severity="error",
    title="ORCID iDs in the sheet are complete, and their check digits right.",
    why="A mistyped ORCID iD is nobody's, or somebody else's.",
    fix="Copy the iD from the person's page at orcid.org.",
    source=_ORCID_SOURCE,
    profiles=(REMBI,),
    needs="sheet",
    applies=_there("author_orcid"),
)
def _orcid(subject: Subject) -> Iterator[Problem]:
    for cell, text in _said(subject, "author_orcid"):
        if wrong := orcid_problem(text):
            yield Problem(f"“{shorten(text)}” {wrong}.", _where(cell))


@rule(
    "rembi.e-mail",
    severity="error",
    title="E-mail addresses in the sheet are addresses.",
    why="Curators and readers of the data write to them, and an address with a mistake reaches nobody.",
    fix="Give one address, such as ola@example.org.",
    source=CURATORS,
    profiles=(REMBI,),
    needs="sheet",
    applies=_there("author_email"),
)
def _e_mail(subject: Subject) -> Iterator[Problem]:
    for cell, text in _said(subject, "author_email"):
        wrong, fix = mail_problem(text)
        if wrong:
            yield Problem(f"The e-mail address “{shorten(text)}” {wrong}.", _where(cell), fix=fix)


@rule(
    "rembi.doi",
    severity="error",
    title="DOIs in the sheet are DOIs.",
    why="By its DOI a publication is found; one with a mistake leads nowhere.",
    fix="Write it as 10.1234/abcd, as the publisher gives it, or leave the cell empty until there is one.",
    source=CURATORS,
    profiles=(REMBI,),
    needs="sheet",
    applies=_there("publication_doi"),
)
def _doi(subject: Subject) -> Iterator[Problem]:
    for cell, text in _said(subject, "publication_doi"):
        wrong, fix = doi_problem(text)
        if wrong:
            yield Problem(f"The DOI “{shorten(text)}” {wrong}.", _where(cell), severity="warning" if is_not_yet(text) else None, fix=fix)


@rule(
    "rembi.publication",
    severity="warning",
    title="Years of publications are years, and PubMed IDs numbers.",
    why="A publication with a wrong year or number is not found.",
    fix="Write the year in four digits, and of the PubMed ID the number alone.",
    source=CURATORS,
    profiles=(REMBI,),
    needs="sheet",
    applies=_there("publication_year", "publication_pubmed_id"),
)
def _publication(subject: Subject) -> Iterator[Problem]:
    for cell, text in _said(subject, "publication_year"):
        if not is_year(text):
            yield Problem(f"“{shorten(text)}” is no year.", _where(cell))
    for cell, text in _said(subject, "publication_pubmed_id"):
        if not is_pubmed_id(text):
            yield Problem(f"“{shorten(text)}” is no PubMed ID, which is a number.", _where(cell))


@rule(
    "rembi.licence",
    severity="error",
    title="The licence in the sheet is one that the BioImage Archive takes: CC0 or CC BY 4.0.",
    why="Data under another licence are not accepted; once published, the licence cannot be changed.",
    fix="Choose CC0, which the archive recommends for new data, or CC BY 4.0.",
    source=POLICIES,
    profiles=(REMBI,),
    needs="sheet",
    applies=_there("licence"),
)
def _licence(subject: Subject) -> Iterator[Problem]:
    for cell, text in _said(subject, "licence"):
        found = licence_of(text)
        if found.name not in (ZERO, "CC BY 4.0"):
            yield Problem(f"The licence “{shorten(text)}” is none that the BioImage Archive takes.", _where(cell), about=(_where(cell),), precision=1)


@rule(
    "rembi.release-date",
    severity="error",
    title="The release date in the sheet is a day between today and two years from now.",
    why="The BioImage Archive refuses a date in the past for a new study, and one more than two years ahead.",
    fix="Write the day as YYYY-MM-DD. If the study has been released already, nothing is wrong.",
    source=BACK_END,
    profiles=(REMBI,),
    needs="sheet",
    applies=_there("release_date"),
)
def _release_date(subject: Subject) -> Iterator[Problem]:
    for cell, text in _said(subject, "release_date"):
        wrong, is_day = release_date_problem(text, subject.today)
        # What is no day at all is told by the rule for dates in any cell; a sheet may be kept after the study was released.
        if wrong and is_day:
            yield Problem(f"The release date {shorten(text)} {wrong}.", _where(cell), severity="warning")


@rule(
    "rembi.term",
    severity="warning",
    title="Terms and their identifiers belong together.",
    why="By the identifier programs find what people call by many names; a wrong one makes a mouse of a fly.",
    fix="Look the term up in the ontology that the field names, and write it as label (identifier).",
    source=SOURCE,
    profiles=(REMBI,),
    needs="sheet",
)
def _term(subject: Subject) -> Iterator[Problem]:
    sheet = sheet_of(subject)
    places: dict[tuple[str, str, str], list[Cell]] = defaultdict(list)
    for table, _, one, cell in sheet.cells():
        if one.kind == "term":
            for value in split(cell.text) if one.several else (cell.text.strip(),):
                if value:
                    places[table, one.id, value].append(cell)
    ontologies = {(table, one.id): one.ontology for table, _, one, _ in sheet.cells() if one.kind == "term"}
    problems: list[SheetProblem] = []
    notes: dict[tuple[str, str], list[tuple[str, Cell]]] = defaultdict(list)
    for (table, name, value), cells in places.items():
        label, identifier = split_term(value)
        ontology = ontologies[table, name]
        own = identifier[:1].isalpha()
        doubt = doubt_of(label, identifier, ontology if name in _ASKED_FOR or not own else "")
        if doubt is not None and (identifier or doubt.certain):
            level: CellSeverity = "error" if doubt.certain else "warning"
            problems += [SheetProblem(table, one.row, one.column, doubt.message, doubt.fix, "rembi.term", level) for one in cells]
        elif not identifier:
            notes[table, doubt.fix if doubt else ""] += [(value, one) for one in cells]
    yield from grouped(problems)
    for (table, fix), lacking in notes.items():
        names = ", ".join(f"“{shorten(value)}”" for value in list(dict.fromkeys(value for value, _ in lacking))[:6])
        have = "has" if len({value for value, _ in lacking}) == 1 else "have"
        yield Problem(
            f"{names} {have} no identifier of an ontology.", place(table, [one.row for _, one in lacking]), severity="info", fix=fix or None
        )
