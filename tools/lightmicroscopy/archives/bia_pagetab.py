"""PageTab, the form in which BioStudies keeps a study: sections of attributes, links, files and sections below them.

Source: EBIBioStudies/page-tab-specification, EBIBioStudies/biostudies-backend-services (commons-serialization).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from ..errors import UnreadableError
from .untrusted import LARGEST_ID, LONGEST_TEXT, line, mapping, sequence, text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

DEEPEST: Final = 24
"""Sections within sections; real studies have three."""
MOST_SECTIONS: Final = 200_000
LONGEST_PATH: Final = 4096
_NULLS: Final = frozenset({"null"})


@dataclass(frozen=True, slots=True)
class Attribute:
    """A named value; the same name repeats for lists.

    Attributes
    ----------
    reference
        Whether the value is the accession of another section.
    qualifiers
        (name, value) pairs that say more of the value, such as the address of a licence.
    name_qualifiers
        Such pairs that say more of the name.
    """

    name: str
    value: str
    reference: bool = False
    qualifiers: tuple[tuple[str, str], ...] = ()
    name_qualifiers: tuple[tuple[str, str], ...] = ()


class Attributed:
    """What has attributes; their names are compared without regard to case and outer blanks."""

    __slots__ = ()
    attributes: tuple[Attribute, ...]

    def all(self, *names: str) -> tuple[Attribute, ...]:
        """Attributes of these names, in their order, without empty ones."""
        wanted = {folded(name) for name in names}
        return tuple(attribute for attribute in self.attributes if folded(attribute.name) in wanted and attribute.value)

    def values(self, *names: str) -> tuple[str, ...]:
        """Values of these names."""
        return tuple(attribute.value for attribute in self.all(*names))

    def first(self, *names: str) -> str:
        """First value of the first of these names that has one; empty if none has."""
        return next((value for name in names for value in self.values(name)), "")


@dataclass(frozen=True, slots=True)
class File(Attributed):
    """A file as a study lists it: its path is the study's own and may be anything.

    Attributes
    ----------
    size
        In bytes; None where it is not stated.
    type
        ``file`` or ``directory``.
    whole
        False where only the beginning of a path is kept, since it is longer than `LONGEST_PATH`.
    """

    path: str
    size: int | None
    type: str
    attributes: tuple[Attribute, ...] = ()
    whole: bool = True


@dataclass(frozen=True, slots=True)
class Link(Attributed):
    """A link to somewhere else, or the accession of a record in another database."""

    url: str
    attributes: tuple[Attribute, ...] = ()


@dataclass(frozen=True, slots=True)
class Section(Attributed):
    """A section with everything below it; lists within lists are laid out flat."""

    type: str
    accno: str
    attributes: tuple[Attribute, ...] = ()
    links: tuple[Link, ...] = ()
    files: tuple[File, ...] = ()
    sections: tuple[Section, ...] = ()

    def of_type(self, *types: str) -> tuple[Section, ...]:
        """Sections directly below, of these types in any case."""
        wanted = {folded(kind) for kind in types}
        return tuple(section for section in self.sections if folded(section.type) in wanted)

    def everything(self) -> Iterator[Section]:
        """Give this section and all below it, in their order."""
        yield self
        for section in self.sections:
            yield from section.everything()


@dataclass(frozen=True, slots=True)
class Submission(Attributed):
    """A study as it is kept: its own attributes and its root section."""

    accession: str
    attributes: tuple[Attribute, ...]
    section: Section


def folded(name: str) -> str:
    """Return a name as names are compared: without case, outer blanks and repeated ones."""
    return line(name).casefold()


def parse_pagetab(document: Any, source: str) -> Submission:
    """Read PageTab from parsed JSON. Members of the wrong type count as absent.

    Raises
    ------
    UnreadableError
        If it is no submission, or is nested deeper or larger than any study.
    """
    if not isinstance(document, dict) or not isinstance(document.get("section"), dict):
        raise UnreadableError(f"{source} is no description of a study (PageTab): it has no section. Check the accession, or try again later.")
    builder = _Builder(source)
    return Submission(line(document.get("accno")), _attributes(document.get("attributes")), builder.section(document["section"], 0))


class _Builder:
    def __init__(self, source: str) -> None:
        self.source = source
        self.count = 0

    def section(self, value: dict[str, Any], depth: int) -> Section:
        self.count += 1
        if depth > DEEPEST or self.count > MOST_SECTIONS:
            what = f"sections nested more than {DEEPEST} deep" if depth > DEEPEST else f"more than {MOST_SECTIONS:,} sections"
            raise UnreadableError(f"{self.source} has {what}, which no study has. Tell the service.")
        return Section(
            line(value.get("type")),
            # Both spellings are found.
            line(value.get("accno") or value.get("accNo")),
            _attributes(value.get("attributes")),
            tuple(link for each in flat(value.get("links")) if (link := _link(each))),
            tuple(file for each in flat(value.get("files")) if (file := file_of(each))),
            tuple(self.section(each, depth + 1) for each in flat(value.get("subsections"))),
        )


def flat(value: Any) -> Iterator[dict[str, Any]]:
    """Objects of an array that may hold arrays of objects ("tables"); whatever else is in it is left out."""
    for each in sequence(value):
        for inner in each if isinstance(each, list) else (each,):
            if isinstance(inner, dict) and inner:
                yield inner


def file_of(value: dict[str, Any]) -> File | None:
    """Read one file of a list; None if it has no path."""
    path = value.get("path")
    if not isinstance(path, str) or not path.strip():
        return None
    if len(path) > LONGEST_PATH:
        return File(path[:LONGEST_PATH].encode("utf-8", "backslashreplace").decode(), None, "file", whole=False)
    # What is no text stays to be seen, and is no address.
    path = path.encode("utf-8", "backslashreplace").decode()
    return File(
        path, _size(value.get("size")), "directory" if folded(str(value.get("type"))) == "directory" else "file", _attributes(value.get("attributes"))
    )


def _link(value: dict[str, Any]) -> Link | None:
    url = line(value.get("url"), LONGEST_PATH)
    return Link(url, _attributes(value.get("attributes"))) if url else None


def _size(value: Any) -> int | None:
    if isinstance(value, str) and re.fullmatch(r"[0-9]{1,18}", value):
        value = int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= LARGEST_ID else None


def _attributes(value: Any) -> tuple[Attribute, ...]:
    return tuple(attribute for each in flat(value) if (attribute := _attribute(each)))


def _attribute(value: dict[str, Any]) -> Attribute | None:
    name, said = line(value.get("name")), _value(value.get("value"))
    if not name or not said:
        return None
    of_value, of_name = (
        tuple((line(each.get("name")), _value(each.get("value"))) for each in map(mapping, sequence(value.get(key))) if line(each.get("name")))
        for key in ("valqual", "nmqual")
    )
    # The specification writes "isReference": "true", the service "reference": true.
    reference = any(str(value.get(key)).lower() == "true" for key in ("reference", "isReference"))
    return Attribute(name, said, reference, of_value, of_name)


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    said = text(value, LONGEST_TEXT)
    return "" if said.casefold() in _NULLS else said


def qualifier(attributes: Sequence[Attribute], *names: str) -> str:
    """First value of a qualifier of these names among some attributes."""
    wanted = {folded(name) for name in names}
    return next((value for attribute in attributes for name, value in attribute.qualifiers if folded(name) in wanted and value), "")
