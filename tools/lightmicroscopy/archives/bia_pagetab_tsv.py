"""PageTab as a table of text: blocks between blank lines, read into the same objects as its JSON.

Source: EBIBioStudies/page-tab-specification; the rules of the parser in EBIBioStudies/biostudies-backend-services (commons-serialization).
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from ..errors import UnreadableError
from .bia_pagetab import Submission, folded, parse_pagetab

MOST_CELLS: Final = 2_000_000
_END: Final = "\n\nEnd of the table\n"
_TABLE: Final = re.compile(r"(?P<type>[^\[\]]+)\[(?P<parent>[^\[\]]*)\]")
_REFERENCE: Final = re.compile(r"<(?P<name>[^<>]+)>")
_OF_NAME: Final = re.compile(r"\((?P<name>[^()]+)\)")
_OF_VALUE: Final = re.compile(r"\[(?P<name>[^\[\]]+)\]")

_Object = dict[str, Any]


def parse_pagetab_tsv(data: bytes, source: str) -> Submission:
    """Read PageTab from its table of text.

    Raises
    ------
    UnreadableError
        If it is no such table.
    """
    try:
        blocks = list(_blocks(data.decode("utf-8-sig")))
    except (UnicodeDecodeError, csv.Error) as error:
        raise UnreadableError(f"{source} is no table of text in UTF-8 ({error}). Try again later, or tell the service.") from error
    if not blocks or folded(blocks[0][0][0]) != "submission":
        raise UnreadableError(f"{source} is no description of a study (PageTab): it does not begin with Submission. Check the accession.")
    tree = _Tree(source, blocks[0])
    for block in blocks[1:]:
        tree.add(block)
    return parse_pagetab(tree.document(), source)


def _blocks(text: str) -> Iterator[list[list[str]]]:
    block: list[list[str]] = []
    count = 0
    cells: list[str] = []
    for cells in csv.reader(io.StringIO(text + _END, newline=""), delimiter="\t"):
        count += len(cells) + 1
        if count > MOST_CELLS:
            raise csv.Error(f"it has more than {MOST_CELLS:,} cells")
        if any(cell.strip() for cell in cells):
            block.append(cells)
        elif block:
            yield block
            block = []
    # A quote that never ends swallows all that follows it.
    if cells != [_END.strip()]:
        raise csv.Error("a quotation mark in it has no end")


@dataclass
class _Tree:
    source: str
    head: list[list[str]]
    root: _Object | None = None
    current: _Object | None = None
    by_accno: dict[str, _Object] = field(default_factory=dict)

    def document(self) -> _Object:
        """Return what the JSON would be."""
        return {"accno": _cell(self.head[0], 1), "type": "submission", "attributes": _attributes(self.head[1:]), "section": self.root}

    def add(self, block: list[list[str]]) -> None:
        """Read one block."""
        kind, rest = _cell(block[0], 0), block[1:]
        table = _TABLE.fullmatch(kind)
        if folded(kind) in ("file", "link"):
            self._member(kind, {_key(kind): _cell(block[0], 1), "attributes": _attributes(rest)})
        elif folded(kind) in ("files", "links"):
            for cells in rest:
                self._member(kind[:-1], {_key(kind[:-1]): _cell(cells, 0), "attributes": _row(block[0], cells)})
        elif table is not None:
            for cells in rest:
                self._section(table["type"], _cell(cells, 0), table["parent"].strip(), _row(block[0], cells))
        else:
            self.current = self._section(kind, _cell(block[0], 1), _cell(block[0], 2), _attributes(rest))

    def _section(self, kind: str, accno: str, parent: str, attributes: list[_Object]) -> _Object:
        section: _Object = {"type": kind.strip(), "accno": accno, "attributes": attributes, "links": [], "files": [], "subsections": []}
        if self.root is None:
            self.root = section
        else:
            above = self.by_accno.get(parent, None) if parent else self.root
            if above is None:
                raise UnreadableError(f"{self.source}: the section {kind!r} belongs to {parent!r}, which is not there before it. Tell the service.")
            above["subsections"].append(section)
        if accno:
            self.by_accno.setdefault(accno, section)
        return section

    def _member(self, kind: str, member: _Object) -> None:
        holder = self.current or self.root
        if holder is None:
            raise UnreadableError(f"{self.source}: a {kind.lower()} comes before the first section. Tell the service.")
        holder[f"{folded(kind)}s"].append(member)


def _key(kind: str) -> str:
    return "path" if folded(kind) == "file" else "url"


def _cell(cells: list[str], number: int) -> str:
    return cells[number].strip() if number < len(cells) else ""


def _attributes(lines: list[list[str]]) -> list[_Object]:
    found: list[_Object] = []
    for cells in lines:
        name, value = _cell(cells, 0), _cell(cells, 1)
        _add(found, name, value)
    return found


def _row(header: list[str], cells: list[str]) -> list[_Object]:
    """Attributes of one row of a table; cells beyond the header say nothing."""
    found: list[_Object] = []
    for number, name in enumerate(header[1:], 1):
        _add(found, name.strip(), _cell(cells, number))
    return found


def _add(found: list[_Object], name: str, value: str) -> None:
    if found and (match := _OF_VALUE.fullmatch(name)):
        found[-1].setdefault("valqual", []).append({"name": match["name"], "value": value})
    elif found and (match := _OF_NAME.fullmatch(name)):
        found[-1].setdefault("nmqual", []).append({"name": match["name"], "value": value})
    elif match := _REFERENCE.fullmatch(name):
        found.append({"name": match["name"], "value": value, "reference": True})
    elif name:
        found.append({"name": name, "value": value})
