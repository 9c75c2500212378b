"""File lists of the BioImage Archive: one file a line, with attributes in further columns.

Source: EBIBioStudies/biostudies-backend-services, FileListTsvStreamDeserializer.kt and FileListValidator.kt;
<https://www.ebi.ac.uk/bioimage-archive/help-file-list>.
"""

from __future__ import annotations

import csv
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

from ...archives.bia_pagetab import folded
from ...errors import LimitError
from ..rembi.xlsx_read import first_table
from .content import Fault, Text, text_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

MOST_CELLS: Final = 5_000_000
HEADER: Final = "Files"
_SPELLINGS: Final = frozenset({"files", "file", "file path", "filepath", "path", "file name", "filename", "filenames", "file names", "paths"})


@dataclass(frozen=True, slots=True)
class Entry:
    """One file of a list.

    Attributes
    ----------
    path
        As it stands, with its blanks.
    where
        Its line, or its place in the JSON.
    values
        Of the columns that the list has, in their order.
    """

    path: str
    where: str
    values: tuple[str, ...] = ()
    size: int | None = None
    is_directory: bool = False


@dataclass(frozen=True, slots=True)
class FileList:
    """A list of files.

    Attributes
    ----------
    columns
        Names of the attributes, as they stand.
    faults
        What its parser refuses.
    notes
        What its parser skips and the help page forbids.
    """

    form: Literal["JSON", "TSV", "XLSX"]
    header: str
    columns: tuple[str, ...]
    entries: tuple[Entry, ...]
    faults: tuple[Fault, ...] = ()
    notes: tuple[Fault, ...] = ()
    text_faults: tuple[Fault, ...] = ()

    def column(self, *names: str) -> int | None:
        """Index of the first column of these names, in any case; None if there is none."""
        wanted = {folded(name) for name in names}
        return next((number for number, name in enumerate(self.columns) if folded(name) in wanted), None)


@dataclass(frozen=True, slots=True)
class FileListFacts:
    """What rules over all inputs need of a list: paths with their places, and the source images it names."""

    paths: tuple[tuple[str, str], ...]
    sources: tuple[tuple[str, str], ...]
    has_sources: bool


def looks_like_json(value: Any) -> bool:
    """Whether parsed JSON means to be a list of files."""
    return isinstance(value, list) and all(isinstance(each, dict) for each in value[:10]) and (not value or "path" in value[0])


def looks_like_table(head: str) -> bool:
    """Whether a text means to be a list of files: the first cell of its first line says so."""
    first = next((line for line in head.splitlines() if line.strip()), "")
    return folded(first.split("\t")[0].strip('"')) in _SPELLINGS


def from_value(value: Any, lines: Mapping[str, int] | None = None) -> FileList:
    """Read a list out of parsed JSON; see `pagetab.from_value`."""
    at = lines or {}
    columns: dict[str, int] = {}
    rows: list[tuple[str, str, dict[str, str], int | None, bool]] = []
    faults: list[Fault] = []
    for number, each in enumerate(value):
        place = f"[{number}]"
        where = f"line {at[place]}, {place}" if place in at else place
        if not isinstance(each, dict):
            faults.append(Fault(where, f"What stands at {place} is no file: it is not an object with a path."))
            continue
        path = each.get("path")
        if not isinstance(path, str) or not path.strip():
            faults.append(Fault(where, f"The file at {place} has no path."))
            continue
        said = {}
        attributes = each.get("attributes")
        for attribute in attributes if isinstance(attributes, list) else ():
            if isinstance(attribute, dict) and isinstance(attribute.get("name"), str) and attribute["name"].strip():
                columns.setdefault(attribute["name"], len(columns))
                said[attribute["name"]] = str(attribute.get("value", ""))
        size = each.get("size")
        known = size if isinstance(size, int) and not isinstance(size, bool) else None
        rows.append((path, where, said, known, str(each.get("type")).casefold() == "directory"))
    names = tuple(columns)
    entries = tuple(Entry(path, where, tuple(said.get(name, "") for name in names), size, directory) for path, where, said, size, directory in rows)
    return FileList("JSON", HEADER, names, entries, tuple(faults))


def from_table(path: Path) -> FileList:
    """Read a list in a table of text.

    Raises
    ------
    LimitError
        If it has more cells than any study's list.
    """
    return from_text(text_of(path), path.name)


def from_workbook(path: Path) -> FileList | None:
    """Read a list in the first sheet of a workbook; None where the first cell there does not say that it is one.

    Raises
    ------
    UnreadableError, LimitError
        If the workbook is damaged, or larger than any list.
    """
    _, lines, problems = first_table(path, path.name)
    if not lines or folded(lines[0].cells.get(0, "")) not in _SPELLINGS:
        return None
    width = max(lines[0].cells) + 1
    header = [lines[0].cells.get(column, "") for column in range(width)]
    entries, faults = [], []
    notes = [Fault(f"row {problem.row}, column {problem.column}", problem.message, problem.fix) for problem in problems]
    for line in lines[1:]:
        where = f"row {line.number}"
        if not line.cells.get(0, "").strip():
            faults.append(Fault(where, f"Row {line.number} has no path in its first cell."))
            continue
        if max(line.cells) >= width:
            message = f"Row {line.number} has {max(line.cells) + 1} cells, but the first row names {width} columns: what is beyond them is dropped."
            notes.append(Fault(where, message, "Name every column in the first row."))
        entries.append(Entry(line.cells[0], where, tuple(line.cells.get(column, "") for column in range(1, width))))
    return FileList("XLSX", header[0], tuple(header[1:]), tuple(entries), tuple(faults), tuple(notes))


def from_text(text: Text, name: str) -> FileList:
    """Read a list out of text; see `from_table`."""
    header: Sequence[str] | None = None
    entries: list[Entry] = []
    faults: list[Fault] = []
    notes: list[Fault] = []
    for line, cells in rows_of(text, name, "\t"):
        where = f"line {line}"
        if not any(cell.strip() for cell in cells):
            notes.append(Fault(where, f"Line {line} is empty; a list has one file on every line."))
        elif header is None:
            header = cells
        elif not cells[0].strip():
            faults.append(Fault(where, f"Line {line} has no path in its first cell."))
        else:
            if any(cell.strip() for cell in cells[len(header) :]):
                message = f"Line {line} has {len(cells)} cells, but the first line names {len(header)} columns: what is beyond them is dropped."
                notes.append(Fault(where, message, "Name every column in the first line."))
            entries.append(Entry(cells[0], where, tuple(cells[1 : len(header)])))
    head = header or [""]
    return FileList("TSV", head[0], tuple(head[1:]), tuple(entries), tuple(faults), tuple(notes), text.faults)


def rows_of(text: Text, name: str, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """Rows of a table of text, each with the number of its first line. Equal cells are one object in memory.

    Raises
    ------
    LimitError
        If it has more than `MOST_CELLS` cells.
    """
    known: dict[str, str] = {}
    count = 0
    line = 1
    reader = csv.reader((each + "\n" for each in text.lines), delimiter=delimiter)
    while True:
        try:
            cells = next(reader, None)
        except csv.Error:
            # A quotation mark without an end swallows lines until a cell is longer than any text.
            cells = [""]
        if cells is None:
            return
        count += len(cells) + 1
        if count > MOST_CELLS:
            raise LimitError(f"{name} has more than {MOST_CELLS:,} cells; no more are read. Split it, or check where it comes from.")
        yield line, [known.setdefault(cell, cell) for cell in cells] or [""]
        line = reader.line_num + 1


def facts(listed: FileList) -> FileListFacts:
    """Return what rules over all inputs need of it."""
    source = listed.column("Source Image")
    sources = () if source is None else tuple((entry.values[source], entry.where) for entry in listed.entries if source < len(entry.values))
    return FileListFacts(tuple((entry.path, entry.where) for entry in listed.entries), sources, source is not None)
