"""Identifiers of publications, organisations and studies: read as people write them, written one way, and what is wrong with them.

Source: patterns as Bioregistry 0.15.6 has them (<https://bioregistry.io>); the mistakes are those that curators of the BioImage
Archive have met; the check digits of ROR identifiers are those of <https://ror.readme.io/docs/identifier>.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Literal

ReferenceKind = Literal["doi", "pubmed", "pmc", "ror", "biostudies", "idr", "empiar"]
LONGEST: Final = 500
_INVISIBLE: Final = re.compile(r"[\u200b-\u200f\u2028-\u202e\u2060\ufeff\u00ad]")
_DOI: Final = re.compile(r"10\.[0-9]{4,9}(?:\.[0-9]+)*/\S+", re.ASCII)
_DOI_PREFIX: Final = re.compile(r"^(?:(?:https?://)?(?:(?:dx|www)\.)?doi\.org/|doi\s*[:=]?\s*)+", re.IGNORECASE)
_ARXIV: Final = re.compile(r"(?:arxiv:?\s*)?[0-9]{4}\.[0-9]{4,5}(?:v[0-9]+)?", re.IGNORECASE)
_ROR: Final = re.compile(r"(?:https?://)?(?:www\.)?(?:ror\.org/|ror:)?(0[a-hj-km-np-tv-z0-9]{6}[0-9]{2})/?", re.IGNORECASE | re.ASCII)
_PUBMED: Final = re.compile(
    r"(?:pmid\s*:?\s*|pubmed(?:\s*id)?\s*:?\s*|https?://(?:www\.ncbi\.nlm\.nih\.gov/pubmed|pubmed\.ncbi\.nlm\.nih\.gov)/)?([1-9][0-9]{0,8})/?",
    re.IGNORECASE,
)
_PMC: Final = re.compile(
    r"(?:https?://(?:www\.ncbi\.nlm\.nih\.gov/pmc|pmc\.ncbi\.nlm\.nih\.gov)/articles/|pmcid\s*:?\s*)?(PMC[1-9][0-9]{0,8}(?:\.[0-9]+)?)/?",
    re.IGNORECASE,
)
_BIOSTUDIES: Final = re.compile(
    r"(?:https?://www\.ebi\.ac\.uk/(?:biostudies|bioimage-archive)/[\w/-]*?)?(S-[A-Z]{4}[-_A-Z0-9]{1,40})/?", re.IGNORECASE
)
_IDR: Final = re.compile(r"(?:idr\s*:?\s*)([0-9]{4})", re.IGNORECASE)
_EMPIAR: Final = re.compile(r"(?:https?://www\.ebi\.ac\.uk/(?:pdbe/emdb/)?empiar/(?:entry/)?)?(?:EMPIAR[-:]?)?([0-9]{5})/?", re.IGNORECASE)
_BASE32: Final = "0123456789abcdefghjkmnpqrstvwxyz"


@dataclass(frozen=True, slots=True)
class Reference:
    """An identifier as it should be written, and its address."""

    kind: ReferenceKind
    value: str
    url: str


def canonical(kind: ReferenceKind, text: str) -> Reference | None:
    """Read an identifier of a kind in any spelling; ``None`` if it is none. Whether there is such a thing is not known by that."""
    plain = _plain(text)
    value = _READERS[kind](plain) if plain and len(plain) <= LONGEST else None
    return Reference(kind, value, f"{_ADDRESSES[kind]}{value}") if value else None


def wrong(kind: ReferenceKind, text: str) -> str | None:
    """Say in a sentence what is wrong with an identifier; ``None`` if nothing is."""
    if canonical(kind, text) is not None:
        return None
    plain = _plain(text)
    shown = f"“{plain[:80]}”"
    if not plain:
        return f"There is no {_NAMES[kind]} here. Leave the field out rather than empty."
    if kind == "doi":
        return _wrong_doi(plain, shown)
    if kind == "ror" and _ROR.fullmatch(plain):
        return f"{shown} is no ROR identifier: its check digits are wrong, so that a character is mistyped. Copy it from ror.org."
    return f"{shown} is no {_NAMES[kind]}. It looks like {_EXAMPLES[kind]}."


def _wrong_doi(plain: str, shown: str) -> str:
    bare = _DOI_PREFIX.sub("", plain)
    if _ARXIV.fullmatch(bare):
        return f"{shown} is an arXiv identifier and no DOI. Its DOI is 10.48550/arXiv. followed by that number."
    if re.match(r"0\.[0-9]{4,9}/", bare):
        return f"{shown} is no DOI: its first 1 is missing. Write 1{bare}."
    if re.match(r"10\.[0-9]{4,9}/", bare) and re.search(r"\s", bare):
        return f"{shown} is no DOI: there is a blank in it. Give one DOI without blanks and without further words."
    if re.match(r"https?://", bare, re.IGNORECASE):
        return f"{shown} is an address and no DOI. A DOI begins with 10., such as {_EXAMPLES['doi']}; the publisher's page shows it."
    return f"{shown} is no DOI. One begins with 10., such as {_EXAMPLES['doi']}. Leave the field out while there is none."


def _plain(text: str) -> str:
    return _INVISIBLE.sub("", unicodedata.normalize("NFKC", text[: 2 * LONGEST])).strip()


def _doi(plain: str) -> str | None:
    bare = _DOI_PREFIX.sub("", plain).rstrip(".,;")
    # Brackets are allowed in a DOI, and are often those of the sentence around it.
    if bare.endswith(")") and bare.count(")") > bare.count("("):
        bare = bare[:-1]
    return bare if _DOI.fullmatch(bare) else None


def _ror(plain: str) -> str | None:
    match = _ROR.fullmatch(plain)
    if match is None:
        return None
    value = match[1].lower()
    number = 0
    for char in value[:-2]:
        number = number * 32 + _BASE32.index(char)
    return value if 98 - number * 100 % 97 == int(value[-2:]) else None


def _matched(pattern: re.Pattern[str], written: Callable[[str], str] = str) -> Callable[[str], str | None]:
    def read(plain: str) -> str | None:
        match = pattern.fullmatch(plain)
        return written(match[1]) if match else None

    return read


_READERS: Final[dict[ReferenceKind, Callable[[str], str | None]]] = {
    "doi": _doi,
    "pubmed": _matched(_PUBMED),
    "pmc": _matched(_PMC, str.upper),
    "ror": _ror,
    "biostudies": _matched(_BIOSTUDIES, str.upper),
    "idr": _matched(_IDR, lambda digits: f"idr{digits}"),
    "empiar": _matched(_EMPIAR, lambda digits: f"EMPIAR-{digits}"),
}
_ADDRESSES: Final[dict[ReferenceKind, str]] = {
    "doi": "https://doi.org/",
    "pubmed": "https://pubmed.ncbi.nlm.nih.gov/",
    "pmc": "https://www.ncbi.nlm.nih.gov/pmc/articles/",
    "ror": "https://ror.org/",
    "biostudies": "https://www.ebi.ac.uk/biostudies/studies/",
    "idr": "https://idr.openmicroscopy.org/search/?query=Name:",
    "empiar": "https://www.ebi.ac.uk/empiar/",
}
_NAMES: Final[dict[ReferenceKind, str]] = {
    "doi": "DOI",
    "pubmed": "PubMed identifier",
    "pmc": "PubMed Central identifier",
    "ror": "ROR identifier",
    "biostudies": "accession of BioStudies or the BioImage Archive",
    "idr": "accession of the IDR",
    "empiar": "accession of EMPIAR",
}
_EXAMPLES: Final[dict[ReferenceKind, str]] = {
    "doi": "10.1038/s41592-021-01166-8",
    "pubmed": "24943848, digits only",
    "pmc": "PMC8606015",
    "ror": "https://ror.org/01xtthb56",
    "biostudies": "S-BIAD582",
    "idr": "idr0062",
    "empiar": "EMPIAR-10310",
}
