"""How tables lie in rows and columns, in XLSX and TSV alike.

Every sheet but *study* has a field in each column and an image, a specimen … in each row. *study* has a field in each row: its title in
column A, its value in B, and further authors, publications, grants and links in C, D …
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from ..documents.content import shorten
from .fields import Field, fields_of, find_field, folded
from .sheet import Cell, Row, SheetProblem, clean, letters

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

MARK: Final = " *"
"""After the titles of fields that ought to be filled."""
HEADING: Final = "What the study says"
"""Cell A1 of *study*."""
SECTIONS: Final[Mapping[str, str]] = {
    "author": "Authors: a column for each",
    "publication": "Publications: a column for each",
    "grant": "Grants: a column for each",
    "link": "Links: a column for each",
}
"""Lines between the groups of *study*."""
MOST_VALUES: Final = 1000
"""Columns of *study*, and columns of any sheet, that are looked at."""
_SHOWN: Final = 60
"""Characters of a heading that a message repeats."""


@dataclass(slots=True)
class Line:
    """One row of a sheet as read: its number, its cells that are not empty by column (0 is A), and what was wrong while reading them."""

    number: int
    cells: Mapping[int, str]


@dataclass(slots=True)
class Taken:
    """Rows of one table, and what was wrong on the way."""

    rows: list[Row] = field(default_factory=list)
    problems: list[SheetProblem] = field(default_factory=list)


def title_of(one: Field) -> str:
    """Heading of a field, with a mark if it ought to be filled."""
    return f"{one.title}{MARK if one.marked else ''}"


def study_lines(rows: Sequence[Row]) -> Iterator[tuple[Field | None, list[str]]]:
    """Lines of *study*: each field with heading and values, and a line without a field before each group."""
    count = max(1, len(rows))
    group = ""
    yield None, [HEADING, "Value", *(str(number) for number in range(2, count + 1))]
    for one in fields_of("study"):
        if one.group != group:
            group = one.group
            yield None, [SECTIONS[group]]
        texts = [row.cells[one.id].text if one.id in row.cells else "" for row in rows]
        while texts and not texts[-1]:
            texts.pop()
        yield one, [title_of(one), *texts]


def table_twice(table: str, row: int = 0, column: str = "") -> SheetProblem:
    """Tell that a table is there once more, at this place."""
    message = f"The table {table} is there twice; only the first is read."
    return SheetProblem(table, row, column, message, "Put the rows of both into one, or take one of the two out.", "sheet.unknown-sheet")


def take_table(table: str, lines: Iterable[Line]) -> Taken:
    """Make a table of the lines of a sheet."""
    taken = Taken()
    remaining = iter(lines)
    if table != "study":
        _take_columns(table, remaining, taken)
        return taken
    first = next(remaining, None)
    if first is not None:
        known = [find_field("study", text) for text in first.cells.values()]
        # Whoever lays the study out like the other sheets is understood.
        if sum(one is not None for one in known) > 1:
            _take_columns(table, _again(first, remaining), taken)
        else:
            _take_study(_again(first, remaining), taken)
    return taken


def _again(first: Line, others: Iterator[Line]) -> Iterator[Line]:
    yield first
    yield from others


def _take_columns(table: str, lines: Iterator[Line], taken: Taken) -> None:
    header = next((line for line in lines if line.cells), None)
    if header is None:
        return
    columns = _columns(table, header, taken)
    strange: dict[int, int] = {}
    for line in lines:
        cells: dict[str, Cell] = {}
        for column, text in line.cells.items():
            one = columns.get(column)
            if one is not None:
                cells[one.id] = Cell(text, table, line.number, letters(column))
            elif column not in header.cells and text.strip():
                strange.setdefault(column, line.number)
        if cells:
            taken.rows.append(Row(cells, line.number))
    for column, row in strange.items():
        message = "There is a value in a column without a heading."
        taken.problems.append(_problem(table, row, column, message, "Give the column its heading, or clear the cell.", "sheet.unknown-column"))


def _columns(table: str, header: Line, taken: Taken) -> dict[int, Field]:
    columns: dict[int, Field] = {}
    for column, text in header.cells.items():
        if column >= MOST_VALUES or not text.strip():
            continue
        one = find_field(table, text)
        shown = shorten(text, _SHOWN)
        if one is None:
            message = f"No field of this sheet is called {shown!r}, so that this column is not read."
            fix = "Use the headings of a new sheet, or take the column out."
            taken.problems.append(_problem(table, header.number, column, message, fix, "sheet.unknown-column", warning=True))
        elif one in columns.values():
            message = f"The column {shown!r} is there twice; only the first is read."
            taken.problems.append(_problem(table, header.number, column, message, "Keep one of the two.", "sheet.column-twice"))
        else:
            columns[column] = one
    for one in fields_of(table):
        if one.needed and one not in columns.values():
            message = f"There is no column {one.title!r}."
            fix = "Add it; a new sheet has all columns."
            taken.problems.append(SheetProblem(table, header.number, "", message, fix, "sheet.column-missing"))
    return columns


def _take_study(lines: Iterable[Line], taken: Taken) -> None:
    rows: list[dict[str, Cell]] = []
    seen: set[str] = set()
    headings = {folded(text) for text in (HEADING, "field", *SECTIONS.values())}
    for line in lines:
        title = line.cells.get(0, "")
        values = {column: text for column, text in line.cells.items() if 0 < column <= MOST_VALUES}
        if folded(title) in headings or not values:
            continue
        one = find_field("study", title)
        if one is None:
            message = (
                f"No field of the study is called {shorten(title, _SHOWN)!r}." if title.strip() else "There is a value in a line without a title."
            )
            fix = "Use the titles of a new sheet, or take the line out."
            taken.problems.append(_problem("study", line.number, 0, message, fix, "sheet.unknown-column", warning=bool(title.strip())))
            continue
        if one.id in seen:
            message = f"{one.title!r} is there twice; only the first is read."
            taken.problems.append(_problem("study", line.number, 0, message, "Keep one of the two.", "sheet.column-twice"))
            continue
        seen.add(one.id)
        for column, text in values.items():
            if column > 1 and not one.group:
                if text.strip():
                    message = f"{one.title!r} can have one value only."
                    fix = "Put it into column B" + (", with semicolons between several." if one.several else ", and clear this cell.")
                    taken.problems.append(_problem("study", line.number, column, message, fix, "sheet.too-many-values"))
                continue
            while len(rows) < column:
                rows.append({})
            rows[column - 1][one.id] = Cell(text, "study", line.number, letters(column))
    while rows and not rows[-1]:
        rows.pop()
    taken.rows.extend(Row(cells) for cells in rows)


def cells_of(texts: Iterable[str]) -> dict[int, str]:
    """Cells of a row by column, empty ones left out."""
    return {column: clean(text) for column, text in enumerate(texts) if text}


def _problem(table: str, row: int, column: int, message: str, fix: str, rule: str, *, warning: bool = False) -> SheetProblem:
    return SheetProblem(table, row, letters(column), message, fix, rule, "warning" if warning else "error")
