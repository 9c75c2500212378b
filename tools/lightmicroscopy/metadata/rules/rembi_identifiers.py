"""Rules on what a REMBI sheet refers to outside itself: people, publications, licences and days."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from ...archives.licences import ZERO, licence_of
from ..bia_template import BACK_END, CURATORS, POLICIES, SHORTEST_TITLE
from ..documents.content import shorten
from ..findings import REMBI, Problem, Subject, rule
from ..ontologies import orcid
from ..ontologies.references import is_not_yet, problem
from ..vocabulary import is_year, mail_problem, release_date_problem
from .bia_references import link_problem
from .rembi_sheet import SOURCE, place, sheet_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from ..rembi.sheet import Cell

_ORCID_SOURCE: Final = "https://support.orcid.org/hc/en-us/articles/360006897674"
_ROR_SOURCE: Final = "https://ror.readme.io/docs/identifier"


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
        wrong, fix = orcid.problem(text)
        if wrong:
            yield Problem(f"“{shorten(text)}” {wrong}.", _where(cell), fix=fix)


@rule(
    "rembi.ror",
    severity="error",
    title="ROR identifiers of organisations in the sheet are complete, and their check digits right.",
    why="A mistyped ROR identifier is no organisation's, or another's.",
    fix="Copy it from the organisation's page at ror.org.",
    source=_ROR_SOURCE,
    profiles=(REMBI,),
    needs="sheet",
    applies=_there("author_organisation_ror"),
)
def _ror(subject: Subject) -> Iterator[Problem]:
    for row in sheet_of(subject).rows("study"):
        for text in row.values("author_organisation_ror"):
            wrong, fix = problem("ror", text)
            if text and wrong:
                yield Problem(f"“{shorten(text)}” {wrong}.", _where(row.cells["author_organisation_ror"]), fix=fix)


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
        wrong, fix = problem("doi", text)
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
        wrong, fix = problem("pubmed", text)
        if wrong:
            yield Problem(f"The PubMed ID “{shorten(text)}” {wrong}.", _where(cell), fix=fix)


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
    fix="Choose a day from today to two years ahead, as YYYY-MM-DD. If the study has been released already, nothing is wrong.",
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
    "rembi.too-short",
    severity="warning",
    title=f"Title and description of the study have at least {SHORTEST_TITLE} characters.",
    why="The BioImage Archive's model of REMBI asks for that many, and its form refuses a shorter title.",
    fix="Say what was imaged, in which sample, and how.",
    source=SOURCE,
    profiles=(REMBI,),
    needs="sheet",
    applies=_there("title", "description"),
)
def _too_short(subject: Subject) -> Iterator[Problem]:
    for field, called in (("title", "title"), ("description", "description")):
        for cell, text in _said(subject, field):
            length = len(" ".join(text.split()))
            if length < SHORTEST_TITLE:
                message = (
                    f"The {called} of the study, “{shorten(text)}”, has {length} characters; the BioImage Archive's model asks for {SHORTEST_TITLE}."
                )
                yield Problem(message, _where(cell))


@rule(
    "rembi.link",
    severity="error",
    title="A link in the sheet goes somewhere.",
    why="What is neither an address nor the accession of a named database leads nowhere when it is clicked on.",
    fix="Write the whole address with https://, or an accession with its database as the link's type.",
    source=CURATORS,
    profiles=(REMBI,),
    needs="sheet",
    applies=_there("link_url"),
)
def _link(subject: Subject) -> Iterator[Problem]:
    for row in sheet_of(subject).rows("study"):
        if row.text("link_url"):
            wrong = link_problem(row.text("link_url"), row.text("link_type"))
            if wrong is not None:
                yield Problem(wrong.message, _where(row.cells["link_url"]), severity=wrong.severity, fix=wrong.fix)
