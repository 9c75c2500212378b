"""Reading ontologies in the OBO format, line by line.

Source: OBO flat file format 1.4, <https://owlcollab.github.io/oboformat/doc/obo-syntax.html>. A library that keeps the whole
ontology in memory (pronto 2.7 takes 470 MB for 100,000 terms) would need some 12 GB for NCBITaxon; this needs 32 MB for any, and none of
the tags that matter here is hard to read.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from typing import IO, TYPE_CHECKING, Final

from ...errors import UnreadableError
from .records import MOST_SYNONYMS, Header, Record, any_curies, label_of, name, own_curie, refuse_too_many

if TYPE_CHECKING:
    from .registry import Ontology

LONGEST_LINE: Final = 1 << 20
_SYNONYM: Final = re.compile(r'"((?:[^"\\]|\\.)*)"\s*(EXACT|RELATED|NARROW|BROAD)?')
_ESCAPE: Final = re.compile(r"\\(.)")
_ESCAPED: Final = {"n": " ", "t": " ", "W": " "}
_MODIFIER: Final = re.compile(r"\s*(?:\{[^{}]*\})?\s*(?:!.*)?$")
_LICENCE: Final = re.compile(r"(?:http://purl\.org/dc/(?:terms|elements/1\.1)/|dcterms[:-]|dc[:-]|terms:)license\s+(?P<value>\"[^\"]*\"|\S+)")
_TITLE: Final = re.compile(r"(?:http://purl\.org/dc/(?:terms|elements/1\.1)/|dcterms[:-]|dc[:-]|terms:)title\s+\"(?P<value>[^\"]*)\"")
_KEPT: Final = frozenset({"id", "name", "synonym", "is_a", "intersection_of", "is_obsolete", "replaced_by"})


def read_obo(stream: IO[bytes], ontology: Ontology, source: str) -> Iterator[Header | Record]:
    """Read an ontology.

    Parameters
    ----------
    stream
        The file.
    ontology
        Whose terms are wanted; those taken over from others are left out.
    source
        The name by which errors call the file.

    Yields
    ------
    Header | Record
        The header first, then each term.

    Raises
    ------
    UnreadableError, LimitError
        If it is not in this format, or longer than any ontology.
    """
    header: dict[str, list[str]] = defaultdict(list)
    stanza: dict[str, list[str]] | None = header
    kind, count = "", 0
    for line in _lines(stream, source):
        if line.startswith("["):
            if kind == "" and stanza is header:
                yield _header(header)
            elif stanza and (record := _record(stanza, ontology)):
                yield record
            kind = line
            stanza = defaultdict(list) if kind == "[Term]" else None
            count += 1
            refuse_too_many(count, source)
        elif stanza is not None and ":" in line:
            tag, _, value = line.partition(":")
            if (stanza is header or tag in _KEPT) and len(stanza[tag]) < MOST_SYNONYMS:
                stanza[tag].append(value.strip())
    if not kind:
        raise UnreadableError(f"{source} has no terms in the OBO format. Check that it is the ontology's published file and is whole.")
    if stanza and (record := _record(stanza, ontology)):
        yield record


def _lines(stream: IO[bytes], source: str) -> Iterator[str]:
    number = 0
    while raw := stream.readline(LONGEST_LINE + 1):
        number += 1
        if len(raw) > LONGEST_LINE:
            raise UnreadableError(
                f"{source} has a line of more than {LONGEST_LINE:,} bytes (line {number}), which no ontology has. Ask for it again."
            )
        try:
            yield raw.decode("utf-8").rstrip("\r\n")
        except UnicodeDecodeError as error:
            raise UnreadableError(f"{source} is not UTF-8 text (line {number}). Ask for it again.") from error


def _header(tags: dict[str, list[str]]) -> Header:
    version = next(iter(tags.get("data-version", ())), "")
    values = tags.get("property_value", ())
    licence = next((match["value"].strip('"') for text in values if (match := _LICENCE.match(text))), "")
    title = next((match["value"] for text in values if (match := _TITLE.match(text))), "")
    return Header(release(version), name(licence), name(title))


def release(version: str) -> str:
    """Take the date or number out of ``uo/releases/2026-01-16/uo.owl`` and the like."""
    match = re.search(r"releases/([^/]+)", version)
    return name(match[1] if match else version)


def _record(tags: dict[str, list[str]], ontology: Ontology) -> Record | None:
    curie = own_curie(ontology, _plain(next(iter(tags.get("id", ())), "")))
    label = name(_unescaped(_MODIFIER.sub("", next(iter(tags.get("name", ())), ""))))
    if curie is None or not label:
        return None
    synonyms = [match for text in tags.get("synonym", ()) if (match := _SYNONYM.match(text)) and match[2] not in {"NARROW", "BROAD"}]
    # A definition's other parts have a relation before the identifier.
    defined_by = [text for text in tags.get("intersection_of", ()) if len(_MODIFIER.sub("", text).split()) == 1]
    return Record(
        curie,
        label_of(label),
        tuple(dict.fromkeys(name(_unescaped(match[1])) for match in synonyms)),
        any_curies(map(_plain, [*tags.get("is_a", ()), *defined_by])),
        any(text.startswith("true") for text in tags.get("is_obsolete", ())),
        any_curies(map(_plain, tags.get("replaced_by", ()))),
    )


def _plain(value: str) -> str:
    return value.split(" ", 1)[0].strip()


def _unescaped(text: str) -> str:
    return _ESCAPE.sub(lambda match: _ESCAPED.get(match[1], match[1]), text)
