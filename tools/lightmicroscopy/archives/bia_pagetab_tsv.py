"""PageTab as a table of text: blocks between blank lines, read into the same objects as its JSON.

Source: EBIBioStudies/page-tab-specification; the rules of the parser in EBIBioStudies/biostudies-backend-services (commons-serialization).
"""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from ..errors import UnreadableError
from .bia_pagetab import Submission, folded, parse_pagetab

if TYPE_CHECKING:
    from collections.abc import Iterator

MOST_CELLS: Final = 2_000_000
ASK_AGAIN: Final = "Try again later, or tell the service."
LINE: Final = "line"
"""Key under which an object of the table keeps the number of its line; names of this service's own members are never that."""
_END: Final = "\n\nEnd of the table\n"
_TABLE: Final = re.compile(r"(?P<type>[^\[\]]+)\[(?P<parent>[^\[\]]*)\]")
_REFERENCE: Final = re.compile(r"<(?P<name>[^<>]+)>")
_OF_NAME: Final = re.compile(r"\((?P<name>[^()]+)\)")
_OF_VALUE: Final = re.compile(r"\[(?P<name>[^\[\]]+)\]")

_Object = dict[str, Any]
_Row = tuple[int, list[str]]


@dataclass(frozen=True, slots=True)
class TableFault:
    """Something in a table that its parser at the BioImage Archive refuses.

    Attributes
    ----------
    line
        Number of the line, from 1.
    message
        What is wrong, as a sentence without its full stop and subject.
    fatal
        Whether the rest of the table cannot be understood without it.
    """

    line: int
    message: str
    fatal: bool = False


def parse_pagetab_tsv(data: bytes, source: str) -> Submission:
    """Read PageTab from its table of text.

    Raises
    ------
    UnreadableError
        If it is no such table.
    """
    document, faults = read_table(data, source)
    if fatal := next((fault for fault in faults if fault.fatal), None):
        raise UnreadableError(f"{source}: {fatal.message}. Tell the service.")
    return parse_pagetab(document, source)


def read_table(data: bytes, source: str, advice: str = ASK_AGAIN) -> tuple[_Object, tuple[TableFault, ...]]:
    """Read a table of text into what its JSON would be, each object with its `LINE`, and list what its parser refuses.

    Parameters
    ----------
    advice
        What errors tell to do.

    Raises
    ------
    UnreadableError
        If it is no such table.
    """
    try:
        blocks = list(_blocks(data.decode("utf-8-sig")))
    except (UnicodeDecodeError, csv.Error) as error:
        raise UnreadableError(f"{source} is no table of text in UTF-8 ({error}). {advice}") from error
    if not blocks or folded(_cell(blocks[0][0][1], 0)) != "submission":
        raise UnreadableError(f"{source} is no description of a study (PageTab): it does not begin with Submission. Check the accession.")
    tree = _Tree(blocks[0])
    for block in blocks[1:]:
        tree.add(block)
    return tree.document(), tuple(tree.faults)


def _blocks(text: str) -> Iterator[list[_Row]]:
    block: list[_Row] = []
    count = 0
    cells: list[str] = []
    reader = csv.reader(io.StringIO(text + _END, newline=""), delimiter="\t")
    line = 1
    for cells in reader:
        count += len(cells) + 1
        if count > MOST_CELLS:
            raise csv.Error(f"it has more than {MOST_CELLS:,} cells")
        if any(cell.strip() for cell in cells):
            block.append((line, cells))
        elif block:
            yield block
            block = []
        line = reader.line_num + 1
    # A quote that never ends swallows all that follows it.
    if cells != [_END.strip()]:
        raise csv.Error("a quotation mark in it has no end")


@dataclass
class _Tree:
    head: list[_Row]
    root: _Object | None = None
    current: _Object | None = None
    by_accno: dict[str, _Object] = field(default_factory=dict)
    faults: list[TableFault] = field(default_factory=list)

    def document(self) -> _Object:
        """Return what the JSON would be."""
        line, cells = self.head[0]
        return {"accno": _cell(cells, 1), "type": "submission", "attributes": self._attributes(self.head[1:]), "section": self.root, LINE: line}

    def add(self, block: list[_Row]) -> None:
        """Read one block."""
        (line, header), rest = block[0], block[1:]
        kind = _cell(header, 0)
        table = _TABLE.fullmatch(kind)
        is_table = table is not None or folded(kind) in ("files", "links")
        if is_table and not rest:
            self.faults.append(TableFault(line, f"the table {kind!r} has no row"))
        if folded(kind) in ("file", "link"):
            self._member(kind, {_key(kind): _cell(header, 1), "attributes": self._attributes(rest), LINE: line})
        elif folded(kind) in ("files", "links"):
            for number, cells in rest:
                self._member(kind[:-1], {_key(kind[:-1]): _cell(cells, 0), "attributes": self._row(header, number, cells), LINE: number})
        elif table is not None:
            for number, cells in rest:
                self._section(number, table["type"], _cell(cells, 0), table["parent"].strip(), self._row(header, number, cells))
        else:
            self.current = self._section(line, kind, _cell(header, 1), _cell(header, 2), self._attributes(rest))

    def _section(self, line: int, kind: str, accno: str, parent: str, attributes: list[_Object]) -> _Object:
        section: _Object = {"type": kind.strip(), "accno": accno, "attributes": attributes, "links": [], "files": [], "subsections": [], LINE: line}
        if not section["type"]:
            self.faults.append(TableFault(line, "a section has no type: the first cell of its first line is empty"))
        if self.root is None:
            self.root = section
        else:
            above = self.by_accno.get(parent, None) if parent else self.root
            if above is None:
                self.faults.append(TableFault(line, f"the section {kind!r} belongs to {parent!r}, which is not there before it", fatal=True))
                above = self.root
            above["subsections"].append(section)
        if accno:
            self.by_accno.setdefault(accno, section)
        return section

    def _member(self, kind: str, member: _Object) -> None:
        holder = self.current or self.root
        if not member[_key(kind)]:
            what = "a file has no path" if folded(kind) == "file" else "a link has no address"
            self.faults.append(TableFault(member[LINE], what))
        if holder is None:
            self.faults.append(TableFault(member[LINE], f"a {kind.lower()} comes before the first section", fatal=True))
        else:
            holder[f"{folded(kind)}s"].append(member)

    def _attributes(self, lines: list[_Row]) -> list[_Object]:
        found: list[_Object] = []
        for number, cells in lines:
            self._add(found, number, _cell(cells, 0), cells[1] if len(cells) > 1 else "")
        return found

    def _row(self, header: list[str], line: int, cells: list[str]) -> list[_Object]:
        """Attributes of one row of a table; cells beyond the header say nothing."""
        found: list[_Object] = []
        if any(cell.strip() for cell in cells[len(header) :]):
            self.faults.append(TableFault(line, f"a row has {len(cells)} cells, but the head of its table has {len(header)}"))
        for number, name in enumerate(header[1:], 1):
            value = cells[number] if number < len(cells) else ""
            if name.strip() or value.strip():
                self._add(found, line, name.strip(), value)
        return found

    def _add(self, found: list[_Object], line: int, name: str, value: str) -> None:
        if match := _OF_VALUE.fullmatch(name):
            self._qualify(found, line, "valqual", match["name"], value)
        elif match := _OF_NAME.fullmatch(name):
            self._qualify(found, line, "nmqual", match["name"], value)
        elif match := _REFERENCE.fullmatch(name):
            found.append({"name": match["name"], "value": value, "reference": True, LINE: line})
        elif name:
            found.append({"name": name, "value": value, LINE: line})
        else:
            self.faults.append(TableFault(line, "an attribute has no name"))

    def _qualify(self, found: list[_Object], line: int, key: str, name: str, value: str) -> None:
        if found:
            found[-1].setdefault(key, []).append({"name": name, "value": value, LINE: line})
        else:
            bracketed = f"[{name}]" if key == "valqual" else f"({name})"
            self.faults.append(TableFault(line, f"{bracketed} says more of an attribute, but none stands before it"))


def _key(kind: str) -> str:
    return "path" if folded(kind) == "file" else "url"


def _cell(cells: list[str], number: int) -> str:
    return cells[number].strip() if number < len(cells) else ""
