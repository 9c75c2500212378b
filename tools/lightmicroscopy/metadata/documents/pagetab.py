"""PageTab as it was written: every value as it stands, with its place, and what in it is no PageTab.

What a study of an archive says is read by `archives.bia_pagetab`, which forgives; a check must see what there was to forgive.

Source: EBIBioStudies/page-tab-specification; EBIBioStudies/submission-tool, pageTabStructureValidator.ts; the parser in
EBIBioStudies/biostudies-backend-services (commons-serialization).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal

from ...archives.bia_pagetab import DEEPEST, MOST_SECTIONS, folded
from ...archives.bia_pagetab_tsv import LINE, read_table
from ...errors import UnreadableError
from .content import Fault, shorten, text_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

MOST_FAULTS: Final = 1000


@dataclass(frozen=True, slots=True)
class Said:
    """An attribute as it stands.

    Attributes
    ----------
    value
        With its blanks; empty where there is none.
    reference
        Whether it is marked as the accession of another section.
    qualifiers
        (name, value) pairs that say more of the value.
    where
        Its place in the document.
    """

    name: str
    value: str
    reference: bool = False
    qualifiers: tuple[tuple[str, str], ...] = ()
    where: str = ""

    def qualifier(self, name: str) -> str:
        """Value of its qualifier of that name, without outer blanks; empty if there is none."""
        return next((value.strip() for key, value in self.qualifiers if folded(key) == folded(name)), "")


class Has:
    """What has attributes."""

    __slots__ = ()
    attributes: tuple[Said, ...]

    def all(self, *names: str) -> tuple[Said, ...]:
        """Attributes of these names in any case, those without a value too."""
        wanted = {folded(name) for name in names}
        return tuple(said for said in self.attributes if folded(said.name) in wanted)

    def said(self, *names: str) -> tuple[Said, ...]:
        """Attributes of these names that have a value."""
        return tuple(said for said in self.all(*names) if said.value.strip())

    def first(self, *names: str) -> str:
        """First value of these names, without outer blanks; empty if there is none."""
        return next((said.value.strip() for said in self.said(*names)), "")


@dataclass(frozen=True, slots=True)
class Listed(Has):
    """A file or a link, by its path or address."""

    target: str
    where: str
    size: int | None = None
    type: str = "file"
    attributes: tuple[Said, ...] = ()


@dataclass(frozen=True, slots=True)
class Part(Has):
    """A section with everything below it."""

    type: str
    accno: str
    where: str
    attributes: tuple[Said, ...] = ()
    links: tuple[Listed, ...] = ()
    files: tuple[Listed, ...] = ()
    parts: tuple[Part, ...] = ()

    def of_type(self, *types: str) -> tuple[Part, ...]:
        """Sections directly below of these types, in any case."""
        wanted = {folded(kind) for kind in types}
        return tuple(part for part in self.parts if folded(part.type) in wanted)

    def everything(self) -> Iterator[Part]:
        """Give this section and all below it, in their order."""
        yield self
        for part in self.parts:
            yield from part.everything()

    @property
    def label(self) -> str:
        """How a sentence calls it: ``Biosample “HeLa”``."""
        name = self.first("Title", "Name") or self.accno
        return f"{shorten(self.type) or 'the section'} “{shorten(name, 60)}”" if name else f"{shorten(self.type) or 'the section'} at {self.where}"


@dataclass(frozen=True, slots=True)
class PageTab(Has):
    """A submission.

    Attributes
    ----------
    form
        ``JSON`` or ``TSV``.
    study
        The root section; an empty one where there is none.
    faults
        What is no PageTab in it.
    """

    form: Literal["JSON", "TSV"]
    accno: str
    attributes: tuple[Said, ...]
    study: Part
    faults: tuple[Fault, ...] = ()

    @property
    def template(self) -> str:
        """Name of its template; empty if it says none."""
        return self.first("Template")

    @property
    def is_older(self) -> bool:
        """Whether it says that it keeps to version 4 of the template."""
        return self.template.casefold() == "bioimages.v4"

    def components(self) -> tuple[Part, ...]:
        """Its study components, wherever they are."""
        return tuple(part for part in self.study.everything() if folded(part.type) in ("study component", "study_component"))

    def annotations(self) -> tuple[Part, ...]:
        """Its annotation sections, wherever they are."""
        return tuple(part for part in self.study.everything() if folded(part.type) in ("annotation", "annotations"))


def looks_like_json(value: Any) -> bool:
    """Whether parsed JSON means to be a submission."""
    return isinstance(value, dict) and (isinstance(value.get("section"), dict | list) or str(value.get("type")).casefold() == "submission")


def looks_like_table(head: str) -> bool:
    """Whether a text means to be a submission: its first word is Submission, or it has a section line of one."""
    first = next((line for line in head.splitlines() if line.strip()), "")
    return folded(first.split("\t")[0].strip('"')) == "submission"


def from_value(value: Any, name: str, lines: Mapping[str, int] | None = None) -> PageTab:
    """Read a submission out of parsed JSON.

    Parameters
    ----------
    lines
        Lines of its objects, where they are known; see `json_lines`.

    Raises
    ------
    UnreadableError
        If it is nested deeper or has more sections than any study.
    """
    return _Reader(name, "JSON", lines or {}).submission(value)


def from_table(path: Path) -> PageTab:
    """Read a submission in a table of text.

    Raises
    ------
    UnreadableError
        If it is no table of text, or has more in it than any study.
    """
    text = text_of(path)
    value, faults = read_table(text.whole.encode("utf-8", "replace"), path.name, "Save it again as text with tabs between the cells.")
    found = _Reader(path.name, "TSV").submission(value)
    told = tuple(Fault(f"line {fault.line}", f"{fault.message[0].upper()}{fault.message[1:]}.") for fault in faults[:MOST_FAULTS])
    return PageTab("TSV", found.accno, found.attributes, found.study, (*text.faults, *told, *found.faults))


@dataclass
class _Reader:
    """Reads parsed JSON; places are paths in it, and are told with their lines."""

    name: str
    form: Literal["JSON", "TSV"]
    lines: Mapping[str, int] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    count: int = 0

    def submission(self, value: Any) -> PageTab:
        root = value if isinstance(value, dict) else {}
        if not isinstance(root.get("type"), str):
            self._fault("type", "The submission has no type; the form for direct upload wants “submission” there.")
        section = root.get("section")
        if not isinstance(section, dict):
            self._fault("section", "The submission has no section: nothing describes the study.")
            section = {"type": "Study"}
        attributes = self._attributes(root.get("attributes"), "attributes")
        return PageTab(self.form, _text(root.get("accno")), attributes, self._part(section, "section", 0), tuple(self.faults))

    def _part(self, value: dict[str, Any], place: str, depth: int) -> Part:
        self.count += 1
        if depth > DEEPEST or self.count > MOST_SECTIONS:
            what = f"sections nested more than {DEEPEST} deep" if depth > DEEPEST else f"more than {MOST_SECTIONS:,} sections"
            raise UnreadableError(f"{self.name} has {what}, which no study has. Check where it comes from.")
        if not isinstance(value.get("type"), str) or not value["type"].strip():
            self._fault(place, f"The section at {place} has no type.", value)
        return Part(
            _text(value.get("type")),
            _text(value.get("accno") or value.get("accNo")),
            self._where(place, value),
            self._attributes(value.get("attributes"), f"{place}.attributes"),
            tuple(self._listed(value.get("links"), f"{place}.links", "url", "link")),
            tuple(self._listed(value.get("files"), f"{place}.files", "path", "file")),
            tuple(self._part(each, below, depth + 1) for each, below in self._members(value.get("subsections"), f"{place}.subsections", "section")),
        )

    def _listed(self, value: Any, place: str, key: str, what: str) -> Iterator[Listed]:
        for each, below in self._members(value, place, what):
            target = each.get(key)
            if not isinstance(target, str) or not target.strip():
                if each:
                    self._fault(below, f"The {what} at {below} has no {key}.", each)
                continue
            size = each.get("size")
            size = int(size) if isinstance(size, str) and size.isascii() and size.isdigit() and len(size) < 19 else size
            known = size if isinstance(size, int) and not isinstance(size, bool) else None
            attributes = self._attributes(each.get("attributes"), f"{below}.attributes")
            yield Listed(target, self._where(below, each), known, _text(each.get("type")).casefold() or "file", attributes)

    def _members(self, value: Any, place: str, what: str) -> Iterator[tuple[dict[str, Any], str]]:
        """Objects of an array that may hold arrays of objects, each with its place."""
        if value is None or value == "":
            return
        if not isinstance(value, list):
            self._fault(place, f"{place} is no list of {what}s.")
            return
        for number, each in enumerate(value):
            inner = each if isinstance(each, list) else [each]
            for row, member in enumerate(inner):
                below = f"{place}[{number}][{row}]" if isinstance(each, list) else f"{place}[{number}]"
                if isinstance(member, dict):
                    yield member, below
                else:
                    self._fault(below, f"What stands at {below} is no {what}.")

    def _attributes(self, value: Any, place: str) -> tuple[Said, ...]:
        # An empty object in the place of a list is found in what the service itself writes.
        if value == {}:
            return ()
        return tuple(said for each, below in self._members(value, place, "attribute") if (said := self._said(each, below)))

    def _said(self, value: dict[str, Any], place: str) -> Said | None:
        if not value:
            return None
        name = value.get("name")
        if not isinstance(name, str) or not name.strip():
            if value != {"value": "null"}:
                self._fault(place, f"The attribute at {place} has no name.", value)
            return None
        said = value.get("value")
        if isinstance(said, dict | list):
            self._fault(place, f"The value of “{shorten(name)}” at {place} is no text.", value)
        qualifiers = tuple(
            (_text(each.get("name")), _text(each.get("value"))) for each, _ in self._members(value.get("valqual"), f"{place}.valqual", "qualifier")
        )
        reference = any(str(value.get(key)).casefold() == "true" for key in ("reference", "isReference"))
        text = said if isinstance(said, str) else _text(said)
        where = f"{self._where(place, value)}, {shorten(name, 60)}"
        return Said(name, "" if text.strip().casefold() == "null" else text, reference, qualifiers, where)

    def _where(self, place: str, value: dict[str, Any] | None = None) -> str:
        line = value.get(LINE) if value else None
        if self.form == "TSV":
            return f"line {line}" if isinstance(line, int) else place
        # What is no object is told with the line of the object it stands in.
        around = place
        while around and around not in self.lines:
            around = around[: max(around.rfind("."), around.rfind("["), 0)]
        return f"line {self.lines[around]}, {place}" if around in self.lines else place

    def _fault(self, place: str, message: str, value: dict[str, Any] | None = None) -> None:
        if len(self.faults) < MOST_FAULTS:
            self.faults.append(Fault(self._where(place, value), message))


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, str | int | float) else ""
