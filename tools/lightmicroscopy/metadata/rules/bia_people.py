"""Rules on the people and organisations of a submission to the BioImage Archive."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from ...archives.bia_pagetab import folded
from ..bia_template import CONTACT, CURATORS, ORGANISATION
from ..documents.content import shorten
from ..findings import BIA, Problem, Subject, rule
from ..ontologies import orcid
from ..ontologies.references import problem
from ..vocabulary import mail_problem
from ._documents import submission

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..documents.pagetab import PageTab, Part, Said

_ORCID_SOURCE = "https://support.orcid.org/hc/en-us/articles/360006897674"
_ROR_SOURCE = "https://ror.readme.io/docs/identifier"


@rule(
    "bia.affiliation",
    severity="error",
    title="The affiliation of each contact refers to an organisation of the submission.",
    why="The archive links people to organisations by that reference alone; where it is broken, the person has none.",
    fix="Give the organisation an accession (accno, such as o1) and let the affiliation be that, marked as a reference.",
    source=CURATORS,
    profiles=(BIA,),
    needs="pagetab",
    applies=lambda subject: any(True for _ in _contacts(submission(subject))),
)
def _affiliation(subject: Subject) -> Iterator[Problem]:
    found = submission(subject)
    organisations = {part.accno for part in _organisations(found) if part.accno}
    for contact in _contacts(found):
        for said in contact.said("affiliation", "Organisation", "Organization"):
            yield from _one_affiliation(contact, said, organisations)


def _one_affiliation(contact: Part, said: Said, organisations: set[str]) -> Iterator[Problem]:
    value = said.value.strip()
    names = [name.strip() for name in value.split(",")] if said.reference or value in organisations else [value]
    if not said.reference:
        known = value in organisations
        message = f"The affiliation “{shorten(value)}” of {contact.label} is not marked as a reference."
        fix = "Mark it: “reference”: true in JSON, <affiliation> in TSV." if known else None
        yield Problem(message, said.where, fix=fix)
        return
    if len(names) > 1:
        message = f"The affiliation “{shorten(value)}” of {contact.label} names several organisations in one value."
        yield Problem(message, said.where, severity="warning", fix="Write one affiliation for each organisation.")
    for name in names:
        if name not in organisations:
            yield Problem(f"The affiliation “{shorten(name)}” of {contact.label} is the accession of no organisation here.", said.where)


@rule(
    "bia.organisation",
    severity="error",
    title="Each organisation has a name and an accession, and somebody who belongs to it.",
    why="An organisation without an accession cannot be referred to, and one that nobody refers to is not shown.",
    fix="Give it a name and an accno of its own, and let the affiliations of its people refer to that.",
    source=CURATORS,
    profiles=(BIA,),
    needs="pagetab",
    applies=lambda subject: any(True for _ in _organisations(submission(subject))),
)
def _organisation(subject: Subject) -> Iterator[Problem]:
    found = submission(subject)
    referred = {
        name.strip() for contact in _contacts(found) for said in contact.said("affiliation", "Organisation") for name in said.value.split(",")
    }
    for part in _organisations(found):
        if not part.accno:
            yield Problem(f"{part.label} has no accession (accno).", part.where)
        elif part.accno not in referred:
            yield Problem(f"Nobody is affiliated with {part.label} ({shorten(part.accno)}).", part.where, severity="warning")


@rule(
    "bia.accession-repeated",
    severity="error",
    title="Each section has an accession of its own.",
    why="A reference to an accession that two sections have goes to the first of them.",
    fix="Give each section another accno.",
    source=CURATORS,
    profiles=(BIA,),
    needs="pagetab",
    applies=lambda subject: any(part.accno for part in submission(subject).study.everything()),
)
def _accession_repeated(subject: Subject) -> Iterator[Problem]:
    parts = [part for part in submission(subject).study.everything() if part.accno]
    known = Counter(part.accno for part in parts)
    for accno, number in known.items():
        if number > 1:
            second = [part for part in parts if part.accno == accno][1]
            yield Problem(f"{number} sections have the accession “{shorten(accno)}”; {second.label} is one of them.", second.where)


@rule(
    "bia.e-mail",
    severity="error",
    title="E-mail addresses are addresses.",
    why="Curators and readers of the data write to them, and an address with a mistake reaches nobody.",
    fix="Give one address, such as ola@example.org.",
    source=CURATORS,
    profiles=(BIA,),
    needs="pagetab",
    applies=lambda subject: any(part.said("E-mail", "Email") for part in _contacts(submission(subject))),
)
def _e_mail(subject: Subject) -> Iterator[Problem]:
    for contact in _contacts(submission(subject)):
        for said in contact.said("E-mail", "Email"):
            wrong, fix = mail_problem(said.value)
            if wrong:
                yield Problem(f"The e-mail address “{shorten(said.value)}” of {contact.label} {wrong}.", said.where, fix=fix)


@rule(
    "bia.orcid",
    severity="error",
    title="ORCID iDs are complete, and their check digits right.",
    why="A mistyped ORCID iD is nobody's, or somebody else's.",
    fix="Copy the iD from the person's page at orcid.org.",
    source=_ORCID_SOURCE,
    profiles=(BIA,),
    needs="pagetab",
    applies=lambda subject: any(part.said("ORCID") for part in _contacts(submission(subject))),
)
def _orcid(subject: Subject) -> Iterator[Problem]:
    for contact in _contacts(submission(subject)):
        for said in contact.said("ORCID"):
            wrong, fix = orcid.problem(said.value)
            if wrong:
                yield Problem(f"“{shorten(said.value)}”, the ORCID of {contact.label}, {wrong}.", said.where, fix=fix)


@rule(
    "bia.ror",
    severity="error",
    title="ROR identifiers of organisations are complete, and their check digits right.",
    why="A mistyped ROR identifier is no organisation's, or another's.",
    fix="Copy it from the organisation's page at ror.org.",
    source=_ROR_SOURCE,
    profiles=(BIA,),
    needs="pagetab",
    applies=lambda subject: any(part.said("RORID") for part in _organisations(submission(subject))),
)
def _ror(subject: Subject) -> Iterator[Problem]:
    for part in _organisations(submission(subject)):
        for said in part.said("RORID"):
            wrong, fix = problem("ror", said.value)
            if wrong:
                yield Problem(f"“{shorten(said.value)}”, the RORID of {part.label}, {wrong}.", said.where, fix=fix)


def _contacts(found: PageTab) -> Iterator[Part]:
    kinds = {folded(kind) for kind in CONTACT.types}
    return (part for part in found.study.everything() if folded(part.type) in kinds)


def _organisations(found: PageTab) -> Iterator[Part]:
    kinds = {folded(kind) for kind in ORGANISATION.types}
    return (part for part in found.study.everything() if folded(part.type) in kinds)
