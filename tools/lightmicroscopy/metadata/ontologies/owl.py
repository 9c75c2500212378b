"""Reading ontologies in OWL (RDF/XML), class by class, without keeping what was read.

Source: OWL 2 mapping to RDF graphs, <https://www.w3.org/TR/owl2-mapping-to-rdf/>; annotation properties of the OBO Foundry,
<https://github.com/information-artifact-ontology/ontology-metadata>.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from typing import IO, TYPE_CHECKING, Final, Literal

from lxml import etree

from ...errors import LimitError, UnreadableError
from ..safe_xml import refuse_disguised
from .obo import release
from .records import MOST_SYNONYMS, Header, Record, any_curies, label_of, name, own_curie, refuse_too_many

if TYPE_CHECKING:
    from .registry import Ontology

HEAD: Final = 1 << 20
"""Bytes within which the document's root element must begin."""
MOST_PARTS: Final = 200_000
"""Elements that one class may have in it; real ones have some hundred."""
_ABBREVIATIONS: Final = re.compile(
    rb"\A((?:\xef\xbb\xbf)?\s*(?:<\?xml[^>]{0,200}\?>)?\s*)<!DOCTYPE\s+rdf:RDF\s*\["
    rb"(?:\s{0,100}<!ENTITY\s{1,100}[A-Za-z0-9._-]{1,60}\s{1,100}(?:\"[^\"<&%]{0,300}\"|'[^'<&%]{0,300}')\s{0,100}>){0,200}\s{0,100}\]\s{0,100}>"
)
"""A document type that does no more than to abbreviate the beginnings of addresses, as Protégé writes it."""
_RDF: Final = "{http://www.w3.org/1999/02/22-rdf-syntax-ns#}"
_RDFS: Final = "{http://www.w3.org/2000/01/rdf-schema#}"
_OWL: Final = "{http://www.w3.org/2002/07/owl#}"
_OBO: Final = "{http://purl.obolibrary.org/obo/}"
_OIO: Final = "{http://www.geneontology.org/formats/oboInOwl#}"
_DC: Final = ("{http://purl.org/dc/terms/}", "{http://purl.org/dc/elements/1.1/}")
_LANGUAGE: Final = "{http://www.w3.org/XML/1998/namespace}lang"
_SYNONYMS: Final = (
    f"{_OIO}hasExactSynonym",
    f"{_OIO}hasRelatedSynonym",
    f"{_OBO}IAO_0000118",
    "{http://www.w3.org/2004/02/skos/core#}altLabel",
    "{http://www.ebi.ac.uk/efo/}alternative_term",
)
_REPLACED: Final = (f"{_OBO}IAO_0100001", f"{_OIO}replacedBy")


def read_owl(stream: IO[bytes], ontology: Ontology, source: str) -> Iterator[Header | Record]:
    """Read an ontology; as `obo.read_obo`, but that the header comes when it is met.

    Raises
    ------
    UnreadableError
        If it is not well-formed, is no RDF/XML, or has a document type that does more than to abbreviate the beginnings of addresses.
    LimitError
        If one class has more in it than any real one.
    """
    head = stream.read(HEAD)
    plain = _ABBREVIATIONS.sub(b"\\1", head, count=1)
    refuse_disguised(plain, source)
    # Entities that stand for no other ones cannot grow without bounds.
    entities: Literal["internal", False] = "internal" if plain != head else False
    parser = etree.iterparse(
        _Joined(head, stream), events=("start", "end"), resolve_entities=entities, no_network=True, load_dtd=False, huge_tree=False
    )
    try:
        yield from _records(parser, ontology, source)
    except etree.XMLSyntaxError as error:
        raise UnreadableError(f"{source} is not well-formed XML ({name(str(error))}). Ask for the file again; perhaps it was cut off.") from error


class _Joined:
    """What was read already, and the rest."""

    def __init__(self, head: bytes, rest: IO[bytes]) -> None:
        self._head, self._rest = head, rest

    def read(self, size: int = -1) -> bytes:
        if self._head:
            part, self._head = self._head[:size], self._head[size:]
            return part
        return self._rest.read(size)


def _records(parser: etree.iterparse, ontology: Ontology, source: str) -> Iterator[Header | Record]:
    depth = parts = count = 0
    root = None
    for event, element in parser:
        if event == "start":
            depth += 1
            parts += 1
            if depth == 1:
                root = element
                if element.tag != f"{_RDF}RDF":
                    raise UnreadableError(f"{source} is XML, but no OWL in RDF/XML. Use the .owl or .obo file that the ontology publishes.")
            if parts > MOST_PARTS:
                raise LimitError(f"{source} has a class with more than {MOST_PARTS:,} parts, which no ontology has. Check where it comes from.")
            continue
        depth -= 1
        if depth != 1 or root is None:
            continue
        if element.tag == f"{_OWL}Ontology":
            yield _header(element)
        elif element.tag == f"{_OWL}Class" or (element.tag == f"{_RDF}Description" and _is_class(element)):
            count += 1
            refuse_too_many(count, source)
            if record := _record(element, ontology):
                yield record
        parts = 0
        element.clear()
        while element.getprevious() is not None:
            del root[0]


def _is_class(element: etree._Element) -> bool:
    return any(child.get(f"{_RDF}resource") == f"{_OWL[1:-1]}Class" for child in element.iterchildren(f"{_RDF}type"))


def _header(element: etree._Element) -> Header:
    facts: dict[str, str] = {}
    for child in element.iterchildren(tag=etree.Element):
        value = name(child.get(f"{_RDF}resource") or child.text)
        if value:
            facts.setdefault(child.tag, value)
    version = facts.get(f"{_OWL}versionInfo") or release(facts.get(f"{_OWL}versionIRI", ""))
    return Header(version, *(next((facts[f"{space}{fact}"] for space in _DC if f"{space}{fact}" in facts), "") for fact in ("license", "title")))


def _defined_by(element: etree._Element) -> Iterator[str]:
    """Give the more general terms in definitions: "light microscopy is microscopy with lenses and visible light"."""
    for whole in element.iterfind(f"{_OWL}equivalentClass/{_OWL}Class/{_OWL}intersectionOf"):
        yield from (part.get(f"{_RDF}about") or "" for part in whole.iterchildren(tag=etree.Element))


def _record(element: etree._Element, ontology: Ontology) -> Record | None:
    curie = own_curie(ontology, element.get(f"{_RDF}about") or "")
    if curie is None:
        return None
    texts: dict[str, list[str]] = defaultdict(list)
    label, foreign = "", ""
    for child in element.iterchildren(tag=etree.Element):
        if child.tag == f"{_RDFS}label":
            if child.get(_LANGUAGE, "en").startswith("en"):
                label = label or name(child.text)
            else:
                foreign = foreign or name(child.text)
        elif len(texts[child.tag]) < MOST_SYNONYMS:
            texts[child.tag].append(child.get(f"{_RDF}resource") or child.text or "")
    label = label or foreign
    if not label:
        return None
    return Record(
        curie,
        label_of(label),
        tuple(dict.fromkeys(filter(None, (name(text) for tag in _SYNONYMS for text in texts.get(tag, ()))))),
        any_curies([*texts.get(f"{_RDFS}subClassOf", ()), *_defined_by(element)]),
        any(text.strip() == "true" for text in texts.get(f"{_OWL}deprecated", ())),
        any_curies(text for tag in _REPLACED for text in texts.get(tag, ())),
    )
