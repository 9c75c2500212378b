"""Identifiers of publications, organisations and studies: read as people write them, written one way, and what is wrong with them.

Source: patterns as Bioregistry 0.15.6 has them (<https://bioregistry.io>); the mistakes are those that curators of the BioImage
Archive have had to mend by hand (BioImage-Archive/bia-integrator, api.py); the check digits of ROR identifiers are those of <https://ror.readme.io/docs/identifier>.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final, Literal

ReferenceKind = Literal["doi", "pubmed", "pmc", "ror", "biostudies", "idr", "empiar"]
LONGEST: Final = 500
_INVISIBLE: Final = re.compile(r"[\u200b-\u200f\u2028-\u202e\u2060\ufeff\u00ad]")
_DOI: Final = re.compile(r"10\.[0-9]{4,9}(?:\.[0-9]+)*/\S+", re.ASCII)
_DOI_PREFIX: Final = re.compile(r"^(?:(?:https?://)?(?:(?:dx|www)\.)?doi\.org/|doi\s*[:=]?\s*)+", re.IGNORECASE)
_DOI_ADDRESS: Final = re.compile(r"https?://(?:dx\.|www\.)?doi\.org/(?P<doi>.*)", re.IGNORECASE)
_ARXIV: Final = re.compile(r"(?:arxiv:?\s*)?(?:[0-9]{4}\.[0-9]{4,5}|[a-z-]+/[0-9]{7})(?:v[0-9]+)?", re.IGNORECASE)
_NOT_YET: Final = re.compile(
    r"(?:tbd|tba|tbc|n/?a|none|null|pending|unknown|-+|\?+|to be (?:determined|added|announced|confirmed|assigned)|not (?:yet )?available"
    r"|in (?:revision|review|press|preparation|submission)|under (?:review|revision)|submitted|forthcoming|not yet.*)\.?",
    re.IGNORECASE,
)
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


def problem(kind: ReferenceKind, text: str) -> tuple[str, str]:
    """Say what is wrong with an identifier as it stands in a document: the end of a sentence, and how to mend it; both empty where nothing is.

    It is stricter than `canonical`: what can be understood and is not written as archives link it is told too, with how to write it.
    """
    return next(_cases(kind, text), ("", ""))


def is_not_yet(text: str) -> bool:
    """Whether a value only says that there is none, or none yet."""
    return _NOT_YET.fullmatch(text.strip()) is not None


def _cases(kind: ReferenceKind, text: str) -> Iterator[tuple[str, str]]:
    said, found = text.strip(), canonical(kind, text)
    if found is not None and said in (found.value, found.url):
        return
    if not said:
        yield "is empty", f"Leave the field out until there is a {_NAMES[kind]}."
    if is_not_yet(said):
        yield "says that there is none yet", f"Leave the field out until there is a {_NAMES[kind]}."
    if len(said) > LONGEST:
        yield f"is no {_NAMES[kind]}: it is far too long", f"Write it such as {_EXAMPLES[kind]}."
    if _INVISIBLE.search(text):
        yield "has an invisible character in it", f"Write {found.value}." if found else "Type it anew."
    if kind == "doi":
        yield from _doi_cases(said)
        if _DOI_ADDRESS.fullmatch(said) and found is not None:
            return
    if kind == "ror" and _ROR.fullmatch(said) and found is None:
        yield "is no ROR identifier: its check digits are wrong, so that a character is mistyped", "Copy it from ror.org."
    if found is not None:
        yield "is not written as it should be", f"Write {found.value}."
    yield f"is no {_NAMES[kind]}", f"Write it such as {_EXAMPLES[kind]}, or leave the field out until there is one."


def _doi_cases(said: str) -> Iterator[tuple[str, str]]:
    plain = f"Write it such as {_EXAMPLES['doi']}, as the publisher gives it, or leave the field out until there is one."
    address = _DOI_ADDRESS.fullmatch(said)
    bare = address["doi"] if address else said
    without = re.sub(r"(?i)^doi\s*:", "", bare)
    if without != bare:
        yield "has the word DOI in it", f"Write only {without.strip() or 'the DOI'}."
    if _ARXIV.fullmatch(said) or "arxiv.org" in said.casefold():
        yield "is an arXiv identifier and no DOI", "Give the DOI that arXiv has for it, 10.48550/arXiv.<identifier>."
    if not address and re.match(r"https?://|www\.", said, re.IGNORECASE):
        yield "is an address and no DOI", plain
    if re.match(r"0\.[0-9]{4,9}/", bare):
        yield "lacks its first digit", f"Write 1{bare}."
    if re.fullmatch(r"10\.[0-9]{4,9}/\S+[.,;]", bare):
        yield "ends with a punctuation mark", f"Write {bare.rstrip('.,;')}."
    if re.search(r"\s", bare):
        joined = re.sub(r"\s+", "", bare)
        fix = f"If there is a blank too many, write {joined}; if words follow, leave them out." if _DOI.fullmatch(joined) else plain
        yield "has a blank in it, or words behind it", fix


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
    "pubmed": "24943848",
    "pmc": "PMC8606015",
    "ror": "https://ror.org/01xtthb56",
    "biostudies": "S-BIAD582",
    "idr": "idr0062",
    "empiar": "EMPIAR-10310",
}
