"""A sheet of metadata in memory: six tables of texts, each with the place it was read from.

It is the same whether it came from XLSX, TSV or YAML. A text is what a person sees in the cell. In the table *study* the first row has
everything there is once, and each further row the next author, publication, grant or link: the columns of its sheet, from left to right.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, Literal

from ...errors import UsageError
from ...names import readable
from .fields import TABLES, Field, fields_of, number, split
from .fields import field as field_named

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from ..findings import Severity

Format = Literal["xlsx", "tsv", "yaml"]
_ENDINGS: Final[Mapping[str, Format]] = MappingProxyType(
    {".xlsx": "xlsx", ".tsv": "tsv", ".tabular": "tsv", ".txt": "tsv", ".zip": "tsv", ".yaml": "yaml", ".yml": "yaml"}
)
_NO_TEXT: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


@dataclass(frozen=True, slots=True)
class Cell:
    """A text, and where it stands: its sheet, the row counted from 1, and the column by its letter (in YAML, by the name of its field)."""

    text: str
    sheet: str = ""
    row: int = 0
    column: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """One row: its cells that are not empty, by the id of their field; `number` is the row of the sheet it stands in (0: none yet)."""

    cells: Mapping[str, Cell]
    number: int = 0

    def text(self, field_id: str) -> str:
        """Text of a cell without blanks around it; empty if there is none."""
        cell = self.cells.get(field_id)
        return cell.text.strip() if cell else ""

    def values(self, field_id: str) -> tuple[str, ...]:
        """Values of a cell that holds several; see `fields.split`."""
        return split(self.text(field_id))

    def number_of(self, field_id: str) -> float | None:
        """Number in a cell; ``None`` if there is none."""
        return number(self.text(field_id))


@dataclass(frozen=True, slots=True)
class SheetProblem:
    """One mistake, with the place where it is: a person finds it by sheet, row and column."""

    sheet: str
    row: int
    column: str
    message: str
    fix: str
    rule: str = "sheet.unreadable-cell"
    severity: Severity = "error"
    image: str = ""
    """Element identifier of the image it is about, where it is about one that was given."""
    series: int | None = None

    @property
    def location(self) -> str:
        """The place in words: ``sheet biosample, row 3, column B``."""
        # In YAML there are lines and names.
        spread = self.column.isupper() or not self.column
        place = ("row", "column") if spread else ("line", "field")
        parts = (
            f"sheet {self.sheet}" if self.sheet else "",
            f"{place[0]} {self.row}" if self.row else "",
            f"{place[1]} {self.column}" if self.column else "",
        )
        return ", ".join(part for part in parts if part)


@dataclass(frozen=True)
class Sheet:
    """A whole sheet; `name` is that of its file."""

    name: str
    tables: Mapping[str, tuple[Row, ...]] = field(default_factory=dict)
    problems: tuple[SheetProblem, ...] = ()

    def rows(self, table: str) -> tuple[Row, ...]:
        """Rows of a table; none if it is not there."""
        return self.tables.get(table, ())

    def named(self, table: str) -> Mapping[str, Row]:
        """Rows of a table by their name; of two with one name the first."""
        found: dict[str, Row] = {}
        for row in self.rows(table):
            if row.text("name"):
                found.setdefault(row.text("name"), row)
        return found

    def study(self, field_id: str) -> str:
        """What the study says once: its title, its licence."""
        rows = self.rows("study")
        return rows[0].text(field_id) if rows else ""

    def group(self, group: str) -> tuple[Row, ...]:
        """Rows of the study that have something of a group (``author``, ``publication``, ``grant``, ``link``)."""
        ids = [one.id for one in fields_of("study") if one.group == group]
        return tuple(row for row in self.rows("study") if any(row.text(name) for name in ids))

    def cells(self) -> Iterator[tuple[str, Row, Field, Cell]]:
        """Every cell with its table, row and field."""
        for table in TABLES:
            for row in self.rows(table):
                for name, cell in row.cells.items():
                    yield table, row, field_named(table, name), cell


def clean(text: str) -> str:
    """Bring a text into the form that a sheet keeps exactly: line ends as LF, what no document can hold as U+FFFD."""
    if not text.isprintable():
        text = _NO_TEXT.sub("\N{REPLACEMENT CHARACTER}", text.replace("\r\n", "\n").replace("\r", "\n"))
    return text


def row_of(values: Mapping[str, str]) -> Row:
    """Make a row that stands nowhere yet, of its texts by field; empty ones are left out."""
    return Row({name: Cell(clean(text)) for name, text in values.items() if text})


def letters(column: int) -> str:
    """Name a column as spreadsheets do: 0 is A, 26 is AA."""
    name = ""
    column += 1
    while column:
        column, digit = divmod(column - 1, 26)
        name = chr(ord("A") + digit) + name
    return name


def format_of(path: Path) -> Format:
    """Format that a file's name asks for; a name without an ending is a folder of TSV.

    Raises
    ------
    UsageError
        If it asks for none.
    """
    found = _ENDINGS.get(path.suffix.lower()) if path.suffix else "tsv"
    if found is None:
        raise UsageError(f"{path.name}: the ending {path.suffix} names no format of a sheet. Use .xlsx, .tsv or .yaml, or say --format.")
    return found


def read_sheet(path: Path, *, name: str | None = None) -> Sheet:
    """Read a sheet: XLSX, YAML, one TSV, or a folder or zip of TSV. What it is is seen in its content.

    Parameters
    ----------
    name
        What to call it, where it is not the name of its file.

    Raises
    ------
    UnreadableError
        If it is none of these, or damaged. What is wrong in single cells is in the sheet's `problems`.
    LimitError
        If it is larger than any sheet needs to be.
    """
    from .read import read

    return read(path, name or readable(path.name))


def write_sheet(sheet: Sheet, path: Path, kind: Format | None = None) -> None:
    """Write a sheet in the format of the path's ending, or the one given; it appears under its name only when whole.

    TSV is one file, a zip of six (``.zip``), or a folder of six (a name without ending).

    Raises
    ------
    UsageError
        If the ending says no format, or a sheet is there already, which somebody may have filled in.
    UnwritableError
        If it cannot be written, or a text is longer than a cell may be.
    """
    from .write import write

    write(sheet, path, kind or format_of(path))


def values_of(rows: Sequence[Row]) -> list[dict[str, str]]:
    """Texts of rows by field, without their places."""
    return [{name: cell.text for name, cell in row.cells.items()} for row in rows]


__all__ = [
    "Cell",
    "Format",
    "Row",
    "Sheet",
    "SheetProblem",
    "clean",
    "format_of",
    "letters",
    "read_sheet",
    "row_of",
    "values_of",
    "write_sheet",
]
