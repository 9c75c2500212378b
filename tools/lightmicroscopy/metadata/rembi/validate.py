"""What in a sheet cannot be understood, or contradicts itself; and what is still missing in it."""

from __future__ import annotations

import datetime
import difflib
import re
from collections import defaultdict
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from ..documents.content import shorten
from .fields import GROUPS, TABLES, Field, fields_of, number, split
from .sheet import Cell, Row, Sheet, SheetProblem, letters

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

_DATE: Final = re.compile(r"\d{4}-\d{2}-\d{2}")
_NUMBERS: Final = re.compile(r"(\d{1,2})[./ -](\d{1,2})[./ -](\d{4})", re.ASCII)
_OPTIONAL_GROUPS: Final = frozenset(("publication", "grant", "link", "correlation", "analysis"))
_LISTED: Final = 6
_COMPARED, _LONGEST = 200, 200
"""Names, and characters of a name, among which the one that was meant is looked for: that takes long."""


def validate(sheet: Sheet) -> Iterator[SheetProblem]:
    """Find cells that say what they cannot say, names that are there twice, and references to nothing."""
    names = {table: set(sheet.named(table)) for table in TABLES}
    lost = {problem.sheet for problem in sheet.problems if problem.rule == "sheet.sheet-missing"}
    advice: dict[tuple[str, str], str] = {}
    for table in ("study_component", "biosample", "specimen", "acquisition"):
        yield from _names(sheet, table)
    yield from _images(sheet)
    for _, _, one, cell in sheet.cells():
        if not cell.text.strip():
            continue
        if one.kind == "reference":
            # Of a sheet that is not there that is said once.
            if one.target in lost:
                continue
            yield from _reference(one, cell, names[one.target], advice)
        elif one.kind in ("number", "date", "choice"):
            yield from _value(one, cell)


def _names(sheet: Sheet, table: str) -> Iterator[SheetProblem]:
    first: dict[str, int] = {}
    for row in sheet.rows(table):
        name = row.text("name")
        if not name:
            fix = "Give it a name of its own, or clear the whole row."
            yield SheetProblem(
                table, row.number, _column(table, "name"), "The row has no name that others could refer to.", fix, "sheet.name-missing"
            )
        elif name in first:
            message = f"{_told(name)} is the name of row {first[name]} already."
            fix = "Give each row a name of its own."
            yield SheetProblem(table, row.number, _place(row, table, "name"), message, fix, "sheet.name-twice")
        else:
            first[name] = row.number


def _images(sheet: Sheet) -> Iterator[SheetProblem]:
    """Two rows must not speak of one image; a row without a series speaks of all series of its image."""
    seen: dict[str, dict[str, int]] = defaultdict(dict)
    for row in sheet.rows("image"):
        image, series = row.text("image"), series_of(row)
        if not image:
            fix = "Write the image's name as the inspect table has it, or clear the whole row."
            yield SheetProblem(
                "image", row.number, _column("image", "image"), "The row does not say which image it is about.", fix, "sheet.image-missing"
            )
            continue
        others = seen[image]
        other = others.get(series) or others.get("") or (next(iter(others.values()), 0) if not series else 0)
        if other:
            which = f"series {shorten(series)} of {_told(image)}" if series else _told(image)
            message = f"Row {other} is about {which} already."
            fix = "Keep one row for each series of an image."
            yield SheetProblem("image", row.number, _place(row, "image", "image"), message, fix, "sheet.image-twice")
        others.setdefault(series, row.number)


def series_of(row: Row) -> str:
    """Series that a row of the table *image* is about, written in one way; empty for all of them."""
    text = row.text("series")
    value = number(text)
    return str(int(value)) if value is not None and value >= 0 and value == int(value) else text


def _reference(one: Field, cell: Cell, names: set[str], advice: dict[tuple[str, str], str]) -> Iterator[SheetProblem]:
    for value in split(cell.text) if one.several else (cell.text.strip(),):
        # A name with a semicolon in it may be written as it is, if it is the only one.
        if value in names or cell.text.strip() in names:
            continue
        key = (one.target, value)
        if key not in advice:
            close = (
                difflib.get_close_matches(value, names, 1) if len(names) <= _COMPARED and len(value) <= _LONGEST and len(advice) <= _COMPARED else []
            )
            there = f"Names there: {_listed(names)}." if names else "There is no row with a name yet."
            advice[key] = f"Did you mean {_told(close[0])}?" if close else there
        message = f"The sheet {one.target} has no row called {_told(value)}." if value else f"{one.title!r} has an empty value between semicolons."
        yield SheetProblem(
            cell.sheet or one.sheet, cell.row, cell.column, message, f"{advice[key]} Write the name as it is there.", "sheet.unknown-reference"
        )


def _meant(text: str) -> str:
    """The day that ``31.12.2027`` can only mean; empty where day and month could be exchanged, or it is none."""
    found = _NUMBERS.fullmatch(text)
    if found is None:
        return ""
    one, other, year = (int(part) for part in found.groups())
    days = set()
    for day, month in ((one, other), (other, one)):
        with suppress(ValueError):
            days.add(datetime.date(year, month, day).isoformat())
    return days.pop() if len(days) == 1 else ""


def _value(one: Field, cell: Cell) -> Iterator[SheetProblem]:
    text = cell.text.strip()
    told = _told(text)
    if one.kind == "date" and not _is_date(text):
        meant = _meant(text)
        message = f"{told} is no date written as year-month-day." if meant else f"{told} is no date that can be read in one way only."
        fix = f"Write it as {meant}." if meant else "Write it as year-month-day, such as 2027-06-30."
        yield _wrong(one, cell, message, fix, "sheet.not-a-date")
    elif one.kind == "choice" and text.casefold() not in {choice.casefold() for choice in one.choices}:
        yield _wrong(one, cell, f"{told} is not one of the choices.", f"Choose {' or '.join(one.choices)}.", "sheet.not-a-choice")
    elif one.kind == "number":
        values = split(text) if one.several else (text,)
        for value in values:
            if not value and one.several:
                continue
            read = number(value)
            if read is None:
                what = "can be read in two ways" if re.fullmatch(r"\d+,\d{3}", value) else "is no number"
                fix = "Write a number with a decimal point and without a unit, such as 0.325" + (
                    ", and a semicolon between several." if one.several else "."
                )
                yield _wrong(one, cell, f"{_told(value)} {what}.", fix, "sheet.not-a-number")
            elif one.id == "series" and (read < 0 or read != int(read)):
                yield _wrong(one, cell, f"{told} is no number of a series.", "Series are counted from 0.", "sheet.number-out-of-range")
            elif one.id != "series" and read <= 0:
                fix = "Write what was measured, or clear the cell if it is not known."
                yield _wrong(one, cell, f"{one.title} is {_told(value)}, and must be more than 0.", fix, "sheet.number-out-of-range")


def _wrong(one: Field, cell: Cell, message: str, fix: str, rule: str) -> SheetProblem:
    return SheetProblem(cell.sheet or one.sheet, cell.row, cell.column, message, fix, rule)


def _is_date(text: str) -> bool:
    if not _DATE.fullmatch(text):
        return False
    try:
        datetime.date.fromisoformat(text)
    except ValueError:
        return False
    return True


def missing(sheet: Sheet, *, finished: bool = False) -> Iterator[SheetProblem]:
    """Find cells that ought to be filled and are empty, each column once; who asks for them is said.

    Parameters
    ----------
    finished
        Whether the sheet is meant to be complete.

    Yields
    ------
    Warnings: a sheet on its way is incomplete, and not wrong. Of a finished one they are errors, unless only the archive's template asks.
    """
    for problem in _missing(sheet):
        yield problem if finished else replace(problem, severity="warning")


def _missing(sheet: Sheet) -> Iterator[SheetProblem]:
    for table in TABLES:
        rows = [row for row in sheet.rows(table) if row.cells]
        if table == "study":
            yield from _missing_in_study(sheet)
        elif not rows:
            asked = ", ".join(one.title for one in fields_of(table) if one.marked)
            message = f"The sheet {table} has no row yet."
            yield SheetProblem(table, 0, "", message, f"Fill in at least one; asked for are: {asked}.", "sheet.required-empty")
        else:
            yield from _missing_in(table, rows)


def _missing_in_study(sheet: Sheet) -> Iterator[SheetProblem]:
    for one in fields_of("study"):
        if not one.required_by:
            continue
        if not one.group:
            lacking = [] if sheet.study(one.id) else [1]
        else:
            members = sheet.group(one.group)
            everybody = sheet.rows("study")
            lacking = [number for number, row in enumerate(everybody, 1) if row in members and not row.text(one.id)]
            if one.id == "author_email" and len(lacking) < len(members):
                # One author who can be asked is enough.
                lacking = []
            if not members and one.group not in _OPTIONAL_GROUPS:
                lacking = [1]
        if lacking:
            count = f" of {len(lacking)} of the {GROUPS[one.group]}" if one.group and len(lacking) > 1 else ""
            row = next((cell.row for study in sheet.rows("study") for name, cell in study.cells.items() if name == one.id), 0)
            column = one.id if _in_yaml(sheet.rows("study")) else letters(lacking[0])
            yield _empty(one, row, column, f"{one.title!r}{count} is empty")


def _missing_in(table: str, rows: list[Row]) -> Iterator[SheetProblem]:
    for one in fields_of(table):
        if not one.required_by:
            continue
        of_group = [other.id for other in fields_of(table) if other.group == one.group] if one.group else []
        asked = [row for row in rows if not of_group or any(row.text(name) for name in of_group)]
        lacking = [row.number for row in asked if not row.text(one.id)]
        if lacking:
            more = f", and in {len(lacking) - 1} more rows" if len(lacking) > 1 else ""
            yield _empty(one, lacking[0], _column_in(rows, one), f"{one.title!r} is empty{more}")


def _in_yaml(rows: Sequence[Row]) -> bool:
    return any(not cell.column.isupper() for row in rows[:1] for cell in row.cells.values() if cell.column)


def _column_in(rows: Sequence[Row], one: Field) -> str:
    """Column of a field in these rows; empty where they do not show it, because columns were moved."""
    there = next((cell.column for row in rows for name, cell in row.cells.items() if name == one.id), "")
    if there or _in_yaml(rows):
        return there or one.id
    unmoved = all(cell.column in ("", _column(one.sheet, name)) for row in rows for name, cell in row.cells.items())
    return _column(one.sheet, one.id) if unmoved else ""


def _empty(one: Field, row: int, column: str, what: str) -> SheetProblem:
    who = one.required_by
    fix = one.help or f"Fill it in{f', such as {one.example}' if one.example else ''}."
    return SheetProblem(
        one.sheet, row, column, f"{what}; required by {who}.", fix, "sheet.required-empty", "error" if one.required or one.needed else "warning"
    )


def _column(table: str, field_id: str) -> str:
    return letters([one.id for one in fields_of(table)].index(field_id))


def _place(row: Row, table: str, field_id: str) -> str:
    cell = row.cells.get(field_id)
    return (cell.column if cell else "") or _column(table, field_id)


def _told(text: str) -> str:
    return f"“{shorten(text)}”"


def _listed(names: Iterable[str]) -> str:
    known = sorted(names)
    return ", ".join(_told(name) for name in known[:_LISTED]) + (" …" if len(known) > _LISTED else "")
