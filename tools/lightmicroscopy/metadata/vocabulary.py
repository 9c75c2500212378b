"""Identifiers that documents carry: of terms, of people, of publications.

The one place where the checks of documents ask what a term is. Shapes of identifiers: facts of <https://bioregistry.io>.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from types import ModuleType

_LOCAL: Final = {"ncbitaxon": r"\d{1,9}", "fbbi": r"\d{8}", "efo": r"\d{7}", "cmpo": r"\d{7}", "uo": r"\d{7}", "chebi": r"\d{1,9}", "obi": r"\d{7}"}
_CANONICAL: Final = {"ncbitaxon": "NCBITaxon", "fbbi": "FBbi", "efo": "EFO", "cmpo": "CMPO", "uo": "UO", "chebi": "CHEBI", "obi": "OBI"}
_SPELLED: Final = re.compile(r"(?:https?://\S*/)?(?:(?P<prefix>[A-Za-z]+)[_:])?(?P<local>[A-Za-z]?\d+)")
_ORCID: Final = re.compile(r"(?:https?://(?:www\.)?orcid\.org/)?(?P<digits>\d{4}-\d{4}-\d{4}-\d{3}[\dXx])")


@dataclass(frozen=True, slots=True)
class Doubt:
    """What is doubtful about a term, and how to mend it.

    Attributes
    ----------
    certain
        Whether it is certainly wrong, and not only unlikely.
    """

    message: str
    fix: str
    certain: bool = True


@cache
def _ontologies() -> tuple[ModuleType, ModuleType] | None:
    """Modules `identifiers` and `lookup` of this suite's ontologies; None in a version without them."""
    try:
        return import_module(".ontologies.identifiers", __package__), import_module(".ontologies.lookup", __package__)
    except ModuleNotFoundError as error:
        if not (error.name or "").startswith(f"{__package__}.ontologies"):
            raise
        return None


def canonical_source(name: str) -> str:
    """How an ontology writes its own name; as it was for one that is not known here."""
    return _CANONICAL.get(name.strip().casefold(), name.strip())


def doubt_of(label: str, accession: str, source: str) -> Doubt | None:
    """Say what is doubtful about a term as a document has it; None where nothing is.

    Parameters
    ----------
    label
        The term in words.
    accession
        Its identifier in any spelling; empty where there is none.
    source
        The ontology that the document names beside it.
    """
    ontology = canonical_source(source)
    if accession:
        return _of_shape(accession, ontology) or _of_term(label, accession, ontology)
    suggested = _suggested(label, ontology)
    if not suggested:
        return None
    return Doubt(f"“{label}” has no identifier of {ontology or 'an ontology'}.", f"Choose one of: {suggested}.", certain=False)


def _of_shape(accession: str, ontology: str) -> Doubt | None:
    known = _ontologies()
    match = _SPELLED.fullmatch(accession.strip())
    prefix = (match["prefix"] or ontology).casefold() if match else ontology.casefold()
    pattern = _LOCAL.get(prefix)
    if pattern is None:
        return None
    canonical = _CANONICAL[prefix]
    if match is None or not re.fullmatch(pattern, match["local"]) or (known and known[0].canonical(accession, ontology or None) is None):
        return Doubt(f"“{accession}” is no identifier of {canonical}.", f"Look the term up in {canonical} and copy its identifier.")
    if ontology and ontology.casefold() in _LOCAL and prefix != ontology.casefold():
        return Doubt(f"“{accession}” is of {canonical}, but the ontology named beside it is {ontology}.", "Let both name the same ontology.")
    return None


def _of_term(label: str, accession: str, ontology: str) -> Doubt | None:
    known = _ontologies()
    identifier = known[0].canonical(accession, ontology or None) if known else None
    term = known[1].find(identifier.curie) if known and identifier is not None else None
    if term is None:
        return None
    if term.obsolete:
        fix = f"Use {term.replaced_by} instead." if term.replaced_by else "Look up what has taken its place."
        return Doubt(f"{term.curie} ({term.label}) is obsolete.", fix, certain=False)
    names = {name.casefold() for name in (term.label, *(str(synonym) for synonym in term.synonyms))}
    if label and label.casefold() not in names and not any(name in label.casefold() for name in names):
        suggested = _suggested(label, ontology)
        fix = f"Use {suggested} for “{label}”." if suggested else "Let the words and the identifier mean the same."
        return Doubt(f"{term.curie} is “{term.label}”, and not “{label}”.", fix, certain=False)
    return None


def _suggested(label: str, ontology: str) -> str:
    known = _ontologies()
    if known is None or not label:
        return ""
    terms = [getattr(each, "term", each) for each in known[1].suggest(label, ontology=ontology or None, limit=3)]
    return ", ".join(f"{term.curie} ({term.label})" for term in terms)


def orcid_problem(text: str) -> str:
    """Say what is wrong with an ORCID iD, as the end of a sentence; empty where nothing is.

    The last character is a check digit: ISO/IEC 7064, MOD 11-2.
    """
    match = _ORCID.fullmatch(text.strip())
    if match is None:
        return "is no ORCID iD, which is four groups of four digits with hyphens between"
    digits = match["digits"].replace("-", "").upper()
    total = 0
    for digit in digits[:-1]:
        total = (total + int(digit)) * 2
    check = (12 - total % 11) % 11
    expected = "X" if check == 10 else str(check)
    return "" if digits[-1] == expected else "cannot be an ORCID iD: its last character does not fit the others, so that at least one is mistyped"


_DOI: Final = re.compile(r"10\.\d{4,9}/\S+")
_DOI_ADDRESS: Final = re.compile(r"https?://(?:dx\.|www\.)?doi\.org/(?P<doi>.*)", re.IGNORECASE)
_ARXIV: Final = re.compile(r"(?:arxiv:\s*)?(?:\d{4}\.\d{4,5}|[a-z-]+/\d{7})(?:v\d+)?", re.IGNORECASE)
_NOT_YET: Final = re.compile(
    r"(?:tbd|tba|tbc|n/?a|none|null|pending|unknown|-+|\?+|to be (?:determined|added|announced|confirmed|assigned)|not (?:yet )?available"
    r"|in (?:revision|review|press|preparation|submission)|under (?:review|revision)|submitted|forthcoming|not yet.*)\.?",
    re.IGNORECASE,
)


def doi_problem(text: str) -> tuple[str, str]:
    """Say what is wrong with a DOI: the end of a sentence, and how to mend it; both empty where nothing is.

    The cases are those that curators of the BioImage Archive had to mend by hand (BioImage-Archive/bia-integrator, api.py).
    """
    return next(_doi_cases(text.strip()), ("", ""))


def _doi_cases(said: str) -> Iterator[tuple[str, str]]:
    plain = "Write it as 10.1234/abcd, as the publisher gives it, or leave the field out until there is one."
    if is_not_yet(said):
        yield "says that there is none yet", "Leave the field out until there is a DOI."
    address = _DOI_ADDRESS.fullmatch(said)
    bare = address["doi"] if address else said
    if re.match(r"doi\s*:", bare, re.IGNORECASE):
        yield "has the word DOI in it", f"Write only {re.sub(r'(?i)^doi:', '', bare).strip() or 'the DOI'}."
    if _ARXIV.fullmatch(said) or "arxiv.org" in said.casefold():
        yield "is an arXiv identifier and no DOI", "Give the DOI that arXiv has for it, 10.48550/arXiv.<identifier>."
    if not address and re.match(r"https?://|www\.", said, re.IGNORECASE):
        yield "is an address and no DOI", plain
    if re.match(r"0\.\d{4,9}/", bare):
        yield "lacks its first digit", f"Write 1{bare}."
    if re.fullmatch(r"10\.\d{4,9}/\S+[.,;]", bare):
        yield "ends with a punctuation mark", f"Write {bare.rstrip('.,;')}."
    if re.search(r"\s", bare):
        joined = re.sub(r"\s+", "", bare)
        fix = f"If there is a blank too many, write {joined}; if words follow, leave them out." if re.match(r"10\.\d{4,9}", joined) else plain
        yield "has a blank in it, or words behind it", fix
    if not _DOI.fullmatch(bare):
        yield "is no DOI", plain


def is_not_yet(text: str) -> bool:
    """Whether a value only says that there is none, or none yet."""
    return _NOT_YET.fullmatch(text.strip()) is not None


_INVISIBLE: Final = re.compile("[\u00a0\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff]")
_MAIL: Final = re.compile(r"[^\s@<>\"(),:;\[\]]+@(?P<domain>[^\s@<>\"(),:;\[\]]+)")


def mail_problem(text: str) -> tuple[str, str]:
    """Say what is wrong with an e-mail address: the end of a sentence, and how to mend it; both empty where nothing is."""
    return next(_mail_cases(text), ("", ""))


def _mail_cases(text: str) -> Iterator[tuple[str, str]]:
    said = text.strip()
    if _INVISIBLE.search(text):
        yield "has an invisible character in it", f"Type it anew: {_INVISIBLE.sub('', said)}."
    inside = re.search(r"<\s*([^<>\s]+@[^<>\s]+)\s*>", said)
    if inside:
        yield "has a name around it", f"Write only {inside[1]}."
    if said.count("@") > 1:
        yield "has more than one @: two addresses, or the domain twice", "Give one address, such as ola@example.org."
    match = _MAIL.fullmatch(said)
    if match is None:
        yield "is no e-mail address", "Give one address, such as ola@example.org."
        return
    domain = match["domain"]
    if not re.fullmatch(r"(?:[^.]+\.)+[^\W\d_]{2,}", domain):
        yield "has no complete domain behind its @", "Write the domain with its ending, such as uio.no."
    labels = domain.casefold().split(".")
    half = len(labels) // 2
    if len(labels) >= 4 and len(labels) % 2 == 0 and labels[:half] == labels[half:]:
        yield "has its domain twice", f"Write {said.split('@')[0]}@{'.'.join(labels[:half])}."


_DAY: Final = re.compile(r"(\d{4}-\d{2}-\d{2})(?:T[\d:.]+Z?)?")


def day_of(text: str) -> date | None:
    """Read a day written as YYYY-MM-DD, maybe with a time behind it; ``None`` for anything else."""
    match = _DAY.fullmatch(text.strip())
    try:
        return date.fromisoformat(match[1]) if match else None
    except ValueError:
        return None


def release_date_problem(text: str, today: date, *, is_released: bool = False) -> tuple[str, bool]:
    """Say what is wrong with the day on which a study becomes public, and whether it is a day at all.

    Parameters
    ----------
    is_released
        Whether the study is there already, so that the day may have passed.

    Returns
    -------
    The end of a sentence, empty where nothing is wrong; and whether the text is a day.
    """
    day = day_of(text)
    if day is None:
        return "is no day written as YYYY-MM-DD", False
    if day < today and not is_released:
        return f"is in the past (today is {today})", True
    try:
        latest = today.replace(year=today.year + 2)
    except ValueError:
        latest = today.replace(year=today.year + 2, day=28)
    return (f"is more than two years ahead (today is {today})", True) if day > latest else ("", True)


def is_pubmed_id(text: str) -> bool:
    """Whether a text is the number by which PubMed knows a publication."""
    return re.fullmatch(r"[1-9]\d{0,8}", text.strip(), re.ASCII) is not None


def is_year(text: str) -> bool:
    """Whether a text is a year in which something with images can have been published."""
    return re.fullmatch(r"(?:19|20)\d\d", text.strip(), re.ASCII) is not None
