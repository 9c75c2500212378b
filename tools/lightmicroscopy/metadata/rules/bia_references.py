"""Rules on what a submission to the BioImage Archive refers to elsewhere: publications, links, grants."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from ..bia_template import CURATORS
from ..documents.content import shorten
from ..findings import BIA, Problem, Subject, rule
from ..ontologies.references import is_not_yet, problem
from ..vocabulary import is_year
from ._documents import submission

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..documents.pagetab import PageTab, Part, Said

_ADDRESS: Final = re.compile(r"(?:https?|ftp)://[^\s/.]+(?:\.[^\s/.]+)+(?:[/?#]\S*)?")
_DOI_LINK: Final = re.compile(r"(?:https?://(?:dx\.)?doi\.org/)?10\.\d{4,9}/\S+", re.IGNORECASE)


@rule(
    "bia.doi",
    severity="error",
    title="A DOI is a DOI, and nothing else stands in its field.",
    why="The archive makes a link of it; with anything else there, the publication is not found.",
    fix="Write it as 10.1234/abcd, or leave the field out until there is one.",
    source=CURATORS,
    profiles=(BIA,),
    needs="pagetab",
    applies=lambda subject: any(True for _ in _dois(submission(subject))),
)
def _doi(subject: Subject) -> Iterator[Problem]:
    for said, label in _dois(submission(subject)):
        wrong, fix = problem("doi", said.value)
        if wrong:
            yield Problem(f"The DOI “{shorten(said.value)}” of {label} {wrong}.", said.where, fix=fix)


@rule(
    "bia.pubmed-id",
    severity="error",
    title="A PubMed ID is a number.",
    why="The archive makes a link of it.",
    fix="Write the number alone, such as 38381674, or leave the field out until there is one.",
    source=CURATORS,
    profiles=(BIA,),
    needs="pagetab",
    applies=lambda subject: any(part.said("Pubmed ID", "PMID") for part in _publications(submission(subject))),
)
def _pubmed_id(subject: Subject) -> Iterator[Problem]:
    for part in _publications(submission(subject)):
        for said in part.said("Pubmed ID", "PMID"):
            wrong, fix = problem("pubmed", said.value)
            if wrong:
                yield Problem(f"The PubMed ID “{shorten(said.value.strip())}” of {part.label} {wrong}.", said.where, fix=fix)


@rule(
    "bia.publication-year",
    severity="warning",
    title="The year of a publication is a year.",
    why="Anything else there is neither shown nor found.",
    fix="Write four digits, such as 2026, or leave the field out until it is published.",
    source=CURATORS,
    profiles=(BIA,),
    needs="pagetab",
    applies=lambda subject: any(part.said("Year") for part in _publications(submission(subject))),
)
def _publication_year(subject: Subject) -> Iterator[Problem]:
    for part in _publications(submission(subject)):
        for said in part.said("Year"):
            value = said.value.strip()
            if not is_year(value):
                yield Problem(f"“{shorten(value)}” is no year of {part.label}.", said.where)


@rule(
    "bia.link",
    severity="error",
    title="A link goes somewhere.",
    why="What is neither an address nor the accession of a named database leads nowhere when it is clicked on.",
    fix="Write the whole address with https://, or an accession with the attribute Type naming its database.",
    source=CURATORS,
    profiles=(BIA,),
    needs="pagetab",
    applies=lambda subject: any(part.links for part in submission(subject).study.everything()),
)
def _link(subject: Subject) -> Iterator[Problem]:
    for part in submission(subject).study.everything():
        for link in part.links:
            wrong = link_problem(link.target, link.first("Type"))
            if wrong is not None:
                yield Problem(wrong.message, link.where, severity=wrong.severity, fix=wrong.fix)


def link_problem(target: str, kind: str) -> Problem | None:
    """Say what is wrong with a link of a study; ``None`` where nothing is.

    Parameters
    ----------
    target
        An address or an accession.
    kind
        What it is of: the name of a database, ``DOI``, or empty.
    """
    url = target.strip()
    if is_not_yet(url) or not re.search(r"\w", url):
        return Problem(f"The link “{shorten(url)}” says nothing.", fix="Leave it out until there is something to link to.")
    if _DOI_LINK.fullmatch(url) and kind.casefold() != "doi":
        message = f"The link “{shorten(url)}” is a DOI, but its Type does not say so."
        return Problem(message, severity="warning", fix="Add the attribute Type with the value DOI.")
    if not _ADDRESS.fullmatch(url) and not kind:
        return Problem(f"The link “{shorten(url)}” is no address, and no Type says which database it is of.")
    return None


def _publications(found: PageTab) -> Iterator[Part]:
    return (part for part in found.study.everything() if part.type.strip().casefold() == "publication")


def _dois(found: PageTab) -> Iterator[tuple[Said, str]]:
    """Attributes that should be a DOI, each with what it is of; “true” asks the archive for one."""
    for said in found.said("DOI"):
        if said.value.strip().casefold() not in ("true", "false"):
            yield said, "the submission"
    for part in _publications(found):
        yield from ((said, part.label) for said in part.said("DOI"))
