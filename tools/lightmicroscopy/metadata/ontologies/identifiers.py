"""Identifiers of ontology terms: read in every spelling found in the wild, written in one."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote

from .registry import ONTOLOGIES, Ontology, named

LONGEST: Final = 500
"""Characters of the longest text that is looked at as an identifier; addresses of lookup services are the longest ones found."""

_JOINT: Final = re.compile(r"\s*[:_#]\s*|\s+|-|/")
_EDAM_LOCAL: Final = re.compile(r"(?:data|topic|operation|format)_[\w.~-]{1,200}")
_HOST: Final = re.compile(r"[a-z][a-z0-9-]*(?:\.[a-z0-9-]+)+/", re.IGNORECASE)
_TAXID: Final = re.compile(r"(?:ncbi)?[:_ -]?(?:txid|taxid|taxon)[:_ ]?([0-9]{1,9})", re.IGNORECASE)
_EMBEDDED: Final = re.compile(
    r"[(\[<]?\b(?P<id>https?://[^\s()\[\]<>]+|[A-Za-z][A-Za-z-]{1,20}\s?[:_]\s?(?:[A-Za-z]{3,9}_)?[0-9A-Za-z]{3,20})[)\]>]?"
)
_NAMESPACE: Final = re.compile(r"^(?:obo|efo|cmpo|ols):(?=[A-Za-z]+_)", re.IGNORECASE)
_WRAPPING: Final = " \t\r\n<>[](){}\"'“”‘’.,;"


@dataclass(frozen=True, slots=True)
class Identifier:
    """An identifier as it should be written.

    Parameters
    ----------
    ontology
        Name of the ontology, as in `registry.ONTOLOGIES`.
    local
        What stands behind the colon.
    curie
        Name and local part, such as ``FBbi:00000246``.
    iri
        The address that stands for the term; empty where the ontology has none.
    stated
        How it was spelled.
    """

    ontology: str
    local: str
    curie: str
    iri: str
    stated: str = ""

    @property
    def short(self) -> str:
        """With an underscore, as the IDR and the BioImage Archive's forms have it: ``FBbi_00000246``."""
        return f"{self.ontology}_{self.local}"

    @property
    def as_it_should_be(self) -> bool:
        """Whether it was spelled as `curie`, `short` or `iri`."""
        return self.stated in (self.curie, self.short, self.iri)

    @property
    def has_all_digits(self) -> bool:
        """Whether no leading zero was put back: programs that compare letter for letter do not find it without."""
        return self.local.casefold() in self.stated.casefold()


def canonical(text: str, ontology_hint: str | None = None) -> Identifier | None:
    """Read an identifier.

    Parameters
    ----------
    text
        ``FBbi:00000246``, ``FBbi_00000246``, ``Fbbi_246``, an address (http or https, of a lookup service too), or only the number.
    ontology_hint
        The ontology that a column or field beside it names, in any spelling; needed where `text` is only a number. An
        ontology that `text` names itself counts more.

    Returns
    -------
    Identifier | None
        ``None`` if it is no identifier of a known ontology. Whether there is such a term is another question: see `lookup.find`.

    Notes
    -----
    Leading zeros that a spreadsheet dropped are put back where the ontology's numbers all have one length.
    """
    stated = text.strip() if isinstance(text, str) else ""
    if not stated or len(stated) > LONGEST:
        return None
    plain = unicodedata.normalize("NFKC", stated).strip(_WRAPPING)
    # Lookup services put whole addresses into theirs, encoded once or twice.
    for _ in range(2):
        plain = unquote(plain) if "%" in plain else plain
    plain = _NAMESPACE.sub("", plain)
    hinted = named(ontology_hint)
    is_address = re.match(r"https?://", plain, re.IGNORECASE) or _HOST.match(plain)
    found = _from_address(plain) if is_address else _from_words(plain) or _bare(plain, hinted)
    if found is None:
        return None
    ontology, local = found
    return Identifier(ontology.name, local, f"{ontology.name}{ontology.joint}{local}", f"{ontology.iri}{local}" if ontology.iri else "", stated)


def find_in(text: str, ontology_hint: str | None = None) -> tuple[Identifier | None, str]:
    """Find an identifier within a text, and give what else the text says: ``HeLa (EFO_0001185)``, ``9606``, ``FBbi:00000251 | confocal``.

    Returns
    -------
    tuple
        The identifier, or ``None``; and the rest, which is most often the label.
    """
    whole = canonical(text, ontology_hint)
    if whole is not None:
        return whole, ""
    for match in _EMBEDDED.finditer(text[: 4 * LONGEST]):
        found = canonical(match["id"], None)
        if found is not None:
            rest = f"{text[: match.start()]} {text[match.end() :]}"
            return found, " ".join(rest.split()).strip(" |;,:-–—/()[]")
    return None, " ".join(text.split())


def _from_address(address: str) -> tuple[Ontology, str] | None:
    """Take the last thing in an address that looks like a term; what it lies on does not matter, since there are many mirrors."""
    tail = re.split(r"https?://", address, flags=re.IGNORECASE)[-1].rstrip("/")
    last = re.split(r"[/#?&=]", tail)[-1].strip(_WRAPPING)
    if re.match(r"(?:www\.)?edamontology\.org/", tail, re.IGNORECASE) and _EDAM_LOCAL.fullmatch(last):
        return _edam(last)
    if last.isdigit() and re.search(r"\btaxonomy\b|taxid|ncbitaxon", tail, re.IGNORECASE):
        return _fitting(ONTOLOGIES["NCBITaxon"], last)
    return _from_words(last)


def _from_words(text: str) -> tuple[Ontology, str] | None:
    if _EDAM_LOCAL.fullmatch(text):
        # An EDAM identifier needs no name before it, being like no other; of EDAM-bioimaging's that is not so.
        ontology, local = _edam(text)
        return (ontology, local) if ontology.stable else None
    if tax := _TAXID.fullmatch(text):
        return _fitting(ONTOLOGIES["NCBITaxon"], tax[1])
    for joint in _JOINT.finditer(text):
        known, local = named(text[: joint.start()]), text[joint.end() :]
        if known is None or (known.name == "OME" and joint[0] != ":"):
            continue
        if known.name == "NCBITaxon" and (tax := _TAXID.fullmatch(local)):
            local = tax[1]
        # Words with a blank between them can be anything, so that only a number of full length is believed there.
        if found := _fitting(known, local, padded=joint[0].strip() in {":", "_", "#"}):
            return found
    return None


def _bare(text: str, hinted: Ontology | None) -> tuple[Ontology, str] | None:
    if hinted is None or not any(map(str.isdigit, text)) or hinted.name == "OME":
        return None
    # A spreadsheet may have made a number with decimals of it.
    return _fitting(hinted, re.sub(r"^([0-9]+)\.0+$", r"\1", text))


def _edam(local: str) -> tuple[Ontology, str]:
    stable = ONTOLOGIES["EDAM"]
    return (stable if re.fullmatch(stable.local, local) else ONTOLOGIES["EDAM-BIOIMAGING"]), local


def _fitting(ontology: Ontology, local: str, *, padded: bool = True) -> tuple[Ontology, str] | None:
    if ontology.name.startswith("EDAM"):
        local = re.sub(r"^(data|topic|operation|format):", r"\1_", local)
        return _edam(local) if _EDAM_LOCAL.fullmatch(local) else None
    if ontology.name == "CVCL":
        local = local.upper()
    if not local.isascii() and ontology.name != "OME":
        return None
    if padded and ontology.digits and local.isdigit():
        local = local.zfill(ontology.digits)
    return (ontology, local) if re.fullmatch(ontology.local, local) else None
