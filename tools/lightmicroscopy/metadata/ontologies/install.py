"""Installing a full ontology: from its published file to one that is looked things up in."""

from __future__ import annotations

import gzip
import hashlib
import sqlite3
import zlib
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import IO, Final, cast

from ...errors import LimitError, UnreadableError, UnwritableError, UsageError
from ...writers.atomic import new_output
from .installed import FORMAT, INDEX, SCHEMA, SEPARATOR
from .obo import read_obo
from .owl import read_owl
from .records import Header, Record, name
from .registry import ONTOLOGIES, Ontology
from .sources import names_of
from .spelling import squashed
from .terms import About, Term

LARGEST: Final = 16 << 30
"""Bytes of a published file, unpacked; NCBITaxon as OWL has about 2 GB."""
_BATCH: Final = 5000
_OWN_WORDS: Final = {
    b"{": "JSON",
    b"Prefix(": "OWL in functional syntax",
    b"Ontology(": "OWL in functional syntax",
    b"@prefix": "Turtle",
    b"@base": "Turtle",
    b"PK": "a zip",
    b"<!DOCTYPE html": "a web page",
    b"<html": "a web page",
}


class _Counted:
    """A stream that counts and sums up what is read, and ends it where it is too much."""

    def __init__(self, stream: IO[bytes], source: str) -> None:
        self._stream, self._source = stream, source
        self._digest = hashlib.sha256()
        self.bytes = 0

    def peek(self) -> bytes:
        return self._stream.peek(64)  # type: ignore[attr-defined, no-any-return]

    def read(self, size: int = -1) -> bytes:
        return self._take(self._stream.read(size if size >= 0 else 1 << 20))

    def readline(self, size: int = -1) -> bytes:
        return self._take(self._stream.readline(size))

    @property
    def sha256(self) -> str:
        return self._digest.hexdigest()

    def _take(self, data: bytes) -> bytes:
        self.bytes += len(data)
        if self.bytes > LARGEST:
            raise LimitError(f"{self._source} is longer than {LARGEST:,} bytes unpacked, more than any known ontology. Check where it comes from.")
        self._digest.update(data)
        return data


def install(
    source: Path,
    destination: Path,
    ontology: str,
    *,
    origin: str = "",
    version: str = "",
    licence: str = "",
    progress: Callable[[int], None] | None = None,
) -> About:
    """Make a file for looking things up from an ontology's published one.

    Parameters
    ----------
    source
        OBO or OWL (RDF/XML), also packed with gzip; recognised by content.
    destination
        The file to make; it appears when whole.
    ontology
        Name of the ontology, as in `registry.ONTOLOGIES`. Terms that it takes over from others are left out.
    origin
        Where the file came from, for the record; its name otherwise.
    version, licence
        Taken in place of those the file states. A file without a version is called by its checksum.
    progress
        Called with the number of terms so far.

    Returns
    -------
    About
        What was installed.

    Raises
    ------
    UsageError
        If the ontology is none that is known, or something is at `destination`.
    UnreadableError, LimitError
        If the file is not in one of these formats, is damaged, or has no term of that ontology.
    UnwritableError
        If the disk is too small.
    """
    known = ONTOLOGIES.get(ontology)
    if known is None or not known.iri:
        names = ", ".join(one.name for one in ONTOLOGIES.values() if one.iri)
        raise UsageError(f"{ontology} is no ontology that can be installed. These can: {names}.")
    with _opened(source) as stream, new_output(destination, most_bytes=4 * source.stat().st_size) as temporary:
        counted = _Counted(stream, source.name)
        about = About(ontology, known.title, name(version), name(licence), name(origin or source.name), complete=True)
        try:
            records = _records(counted, known, source.name)
            with closing(sqlite3.connect(temporary)) as base:
                about, count = _fill(base, about, records, progress)
                if not count:
                    raise UnreadableError(f"{source.name} has no term of {ontology}. Check that it is the file of that ontology.")
                about = replace(about, version=about.version or f"sha256:{counted.sha256[:12]}")
                _finish(base, about, counted.sha256, count)
        except (OSError, EOFError, zlib.error) as error:
            raise _unpacked(source, error) from error
        except sqlite3.Error as error:
            raise UnwritableError(f"{destination.name} cannot be written: {error}. Check the free space and your rights on its folder.") from error
    return about


def published(source: Path, ontology: str) -> tuple[Header, list[Record]]:
    """Read a published ontology into memory: for small ones. Raises as `install`."""
    header, records = Header(), []
    with _opened(source) as stream:
        for record in _records(_Counted(stream, source.name), ONTOLOGIES[ontology], source.name):
            if isinstance(record, Header):
                header = record
            else:
                records.append(record)
    return header, records


def _records(counted: _Counted, ontology: Ontology, source: str) -> Iterator[Header | Record]:
    read = read_owl if _is_xml(counted.peek(), source) else read_obo
    return read(cast("IO[bytes]", counted), ontology, source)


def _opened(source: Path) -> IO[bytes]:
    try:
        with source.open("rb") as stream:
            packed = stream.read(2) == b"\x1f\x8b"
        return cast("IO[bytes]", gzip.open(source, "rb")) if packed else source.open("rb")
    except OSError as error:
        raise UnreadableError(f"{source.name} cannot be read: {error.strerror}. Check that it is there and that you may read it.") from error


def _unpacked(source: Path, error: Exception) -> UnreadableError:
    return UnreadableError(f"{source.name} cannot be read to its end ({error}). Ask for it again; perhaps it was cut off.")


def _is_xml(first: bytes, source: str) -> bool:
    start = first.removeprefix(b"\xef\xbb\xbf").lstrip()
    for words, what in _OWN_WORDS.items():
        if start[: len(words)].lower() == words.lower():
            raise UnreadableError(f"{source} is {what}, which is not read. Use the ontology's .owl file in RDF/XML, or its .obo file.")
    return start.startswith(b"<") or b"\0" in start


def _fill(base: sqlite3.Connection, about: About, records: Iterator[Header | Record], progress: Callable[[int], None] | None) -> tuple[About, int]:
    base.execute("PRAGMA journal_mode = OFF")
    base.execute("PRAGMA synchronous = OFF")
    try:
        base.executescript(SCHEMA)
    except sqlite3.OperationalError as error:
        raise UnwritableError(f"This Python's SQLite cannot index words ({error}). Use one with FTS5, as conda-forge's has.") from error
    number = names = 0
    for record in records:
        if isinstance(record, Header):
            title = about.title if about.title else record.title
            about = replace(about, version=about.version or record.version, licence=about.licence or record.licence, title=title)
            continue
        added = base.execute(
            "INSERT OR IGNORE INTO terms VALUES (?, ?, ?, ?, ?, ?, ?)",
            (
                number + 1,
                record.curie,
                record.label,
                _joined(record.synonyms),
                _joined(record.parents),
                record.obsolete,
                _joined(record.replaced_by),
            ),
        )
        if not added.rowcount:
            continue
        number += 1
        for key in _keys(record, about.ontology):
            names += 1
            base.execute("INSERT INTO names VALUES (?, ?, ?)", (names, squashed(key), number))
            if not record.obsolete:
                base.execute("INSERT INTO words (rowid, name) VALUES (?, ?)", (names, key))
        if progress and number % _BATCH == 0:
            progress(number)
    return about, number


def _keys(record: Record, ontology: str) -> Iterable[str]:
    term = Term(record.curie, "", record.label, ontology, record.synonyms, record.obsolete, record.replaced_by, "")
    return [known.key for known in names_of(term)]


def _joined(values: tuple[str, ...]) -> str | None:
    return SEPARATOR.join(values) or None


def _finish(base: sqlite3.Connection, about: About, sha256: str, count: int) -> None:
    base.execute(INDEX)
    base.execute("INSERT INTO words (words) VALUES ('optimize')")
    facts = {
        "format": FORMAT,
        "ontology": about.ontology,
        "title": about.title,
        "version": about.version,
        "licence": about.licence,
        "source": about.source,
        "sha256": sha256,
        "terms": str(count),
    }
    base.executemany("INSERT INTO about VALUES (?, ?)", [(fact, name(value)) for fact, value in facts.items()])
    base.commit()
    base.execute("VACUUM")
