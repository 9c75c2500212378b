"""The sheet as tab-separated text: six files in a folder or a zip, or one file with a line such as ``[biosample]`` before each table.

Unlike the suite's other tables these are quoted as spreadsheets do it where a text has a tab, a quote or a line end, so that nothing is lost.
A text that a spreadsheet would take for a formula has an apostrophe before it, which is not part of it.
"""

from __future__ import annotations

import csv
import io
import re
import zipfile
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ...errors import LimitError, UnreadableError
from ...names import readable
from ...readers.zip_members import ZipMembers
from .fields import TABLES, fields_of, find_field, table_named
from .layout import Line, Taken, cells_of, study_lines, table_twice, take_table, title_of
from .sheet import Row, Sheet, SheetProblem

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

LONGEST_CELL: Final = 1 << 20
MOST_CELLS: Final = 4_000_000
_BLOCK: Final = re.compile(r"\[\s*([A-Za-z_ -]{3,40})\s*\]")
_GUARDED: Final = re.compile(r"'*(?:[=+\-@]|\[\s*[A-Za-z_ -]{3,40}\s*\]\s*\Z)")
"""What would be a formula, or the beginning of a table."""
_NUMBER: Final = re.compile(r"-?\d+(?:[.,]\d+)?(?:[eE][+-]?\d+)?")
_ENDINGS: Final = (".tsv", ".tabular", ".txt")
_HEAD: Final = 1 << 16


def guarded(text: str) -> str:
    """Write a text so that no spreadsheet takes it for a formula, and nothing for the beginning of a table."""
    return f"'{text}" if _GUARDED.match(text) and not _NUMBER.fullmatch(text) else text


def unguarded(text: str) -> str:
    """Take the apostrophe away again."""
    return text[1:] if text.startswith("'") and _GUARDED.match(text) else text


def table_text(sheet: Sheet, table: str) -> Iterator[str]:
    """Write one table, a piece at a time."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, delimiter="\t", lineterminator="\n")
    for line in _rows(table, sheet.rows(table)):
        writer.writerow([guarded(text) for text in line])
        yield buffer.getvalue()
        buffer.seek(0)
        buffer.truncate()


def sheet_text(sheet: Sheet) -> Iterator[str]:
    """Write all tables into one text."""
    for number, table in enumerate(TABLES):
        yield f"{'' if number == 0 else chr(10)}[{table}]\n"
        yield from table_text(sheet, table)


def _rows(table: str, rows: Sequence[Row]) -> Iterator[list[str]]:
    if table == "study":
        yield from (texts for _, texts in study_lines(rows))
        return
    columns = fields_of(table)
    yield [title_of(one) for one in columns]
    for row in rows:
        yield [row.cells[one.id].text if one.id in row.cells else "" for one in columns]


def read_text(text: str, name: str) -> dict[str, Taken]:
    """Read one file: all tables, each after a line such as ``[biosample]``, or one table, known by its headings.

    Raises
    ------
    UnreadableError
        If it is no table of a sheet.
    LimitError
        If it has too many cells.
    """
    if is_separated(text):
        raise UnreadableError(
            f"{name} has semicolons or commas where a sheet has tabs between its columns, as spreadsheet programs write CSV. Save it as XLSX, or as "
            "text with tabs."
        )
    blocks: dict[str, list[Line]] = {}
    twice: list[SheetProblem] = []
    current: list[Line] | None = None
    for number, row in _rows_of(text, name):
        line = Line(number, _cells(row))
        found = _BLOCK.fullmatch(row[0].strip()) if row and not any(row[1:]) else None
        if not line.cells:
            continue
        if found is not None:
            table = table_named(found[1])
            current = []
            if table is not None and table in blocks:
                twice.append(table_twice(table, line.number, "A"))
            elif table is None:
                message = f"{found[0]} names none of the tables {', '.join(TABLES)}. It is not read."
                twice.append(SheetProblem(found[1], line.number, "A", message, "Give it the name it should have.", "sheet.unknown-sheet", "warning"))
            else:
                blocks[table] = current
        elif current is None:
            table = _table_by_headings(line)
            if table is None:
                raise UnreadableError(
                    f"{name} has no headings of a sheet. Give TSV with the headings that lm_describe writes, or a line such as [image] before each "
                    "table."
                )
            current = blocks.setdefault(table, [])
            current.append(line)
        else:
            current.append(line)
    tables = {table: take_table(table, lines) for table, lines in blocks.items()}
    if not tables:
        raise UnreadableError(f"{name} has none of the tables {', '.join(TABLES)}. Start from a sheet that lm_describe has made.")
    next(iter(tables.values())).problems.extend(twice)
    return tables


def is_separated(text: str, least: int = 1) -> bool:
    """Whether a text is CSV: marks between headings of one of our tables, at least so many, or behind its name, and no tab anywhere."""
    if "\t" in text:
        return False
    lines = [line for line in text[:_HEAD].splitlines() if line.strip()]
    for mark in ";,":
        first = next((line.split(mark) for line in lines if line.count(mark) > 1), None)
        known = first is not None and _table_by_headings(Line(1, dict(enumerate(cell.strip().strip('"') for cell in first))), least) is not None
        if known or (lines and _BLOCK.fullmatch(lines[0].rstrip(mark).strip()) and first is not None):
            return True
    return False


def _table_by_headings(line: Line, least: int = 1) -> str | None:
    """Which table a row of headings belongs to: the one that knows most of them, and no fewer than `least`."""
    texts = [text for text in line.cells.values() if text.strip()]
    counts = {table: sum(find_field(table, text) is not None for text in texts) for table in TABLES}
    best = max(counts, key=lambda table: counts[table])
    if "What the study says" in texts[:1]:
        return "study"
    return best if counts[best] >= least and counts[best] * 2 >= len(texts) else None


def read_files(folder: Path, name: str) -> dict[str, Taken]:
    """Read a folder of files called after their tables.

    Raises
    ------
    UnreadableError
        If there is none, or one is no text.
    """
    from .read import text_of

    found = {file.name: file for file in sorted(folder.iterdir()) if file.is_file() and file.suffix.lower() in _ENDINGS}
    return _several({file: text_of(path, f"{name}/{readable(file)}") for file, path in found.items() if table_named(Path(file).stem)}, name)


def read_zip(path: Path, name: str) -> dict[str, Taken]:
    """Read a zip of such files.

    Raises
    ------
    UnreadableError
        If it is damaged, or none of its files is a table of a sheet.
    LimitError
        If one is too long.
    """
    from .read import LARGEST_TEXT, decoded

    texts: dict[str, str] = {}
    with closing(ZipMembers(path)) as members:
        for member in members.names():
            place = Path(member)
            if place.suffix.lower() not in _ENDINGS or table_named(place.stem) is None or "__MACOSX" in place.parts:
                continue
            size = members.size(member) or 0
            if size > LARGEST_TEXT:
                raise LimitError(
                    f"{name}: {readable(member)} unpacks to {size:,} bytes; a sheet may be {LARGEST_TEXT:,}. Check that it is the right file."
                )
            if place.name in texts:
                raise UnreadableError(f"{name} holds {readable(place.name)} in two folders. Keep one of them.")
            texts[place.name] = decoded(members.read(member), f"{readable(member)} in {name}")
    return _several(texts, name)


def _several(texts: dict[str, str], name: str) -> dict[str, Taken]:
    tables: dict[str, Taken] = {}
    for file, text in texts.items():
        table = table_named(Path(file).stem)
        if table is None:
            continue
        if table in tables:
            raise UnreadableError(f"{name} holds two files of the table {table}. Keep one of them.")
        tables[table] = take_table(table, _lines(text, f"{readable(file)} in {name}"))
    if not tables:
        wanted = ", ".join(f"{table}.tsv" for table in TABLES)
        raise UnreadableError(f"{name} holds none of {wanted}. Give a sheet as XLSX, YAML or TSV.")
    first = next(iter(tables.values()))
    for table in TABLES:
        if table not in tables:
            first.problems.append(SheetProblem(table, 0, "", f"The file {table}.tsv is missing.", "Add it, with the others.", "sheet.sheet-missing"))
    return tables


def _lines(text: str, name: str) -> Iterator[Line]:
    """Rows that hold something."""
    return (Line(number, found) for number, row in _rows_of(text, name) if (found := _cells(row)))


def _cells(row: Sequence[str]) -> dict[int, str]:
    return cells_of(unguarded(one) for one in row)


def _rows_of(text: str, name: str) -> Iterator[tuple[int, list[str]]]:
    """Rows as they are written, and the numbers that a spreadsheet gives them."""
    before = csv.field_size_limit(LONGEST_CELL)
    cells = 0
    try:
        for number, row in enumerate(csv.reader(io.StringIO(text, newline=""), delimiter="\t", strict=True), 1):
            cells += len(row)
            if cells > MOST_CELLS:
                raise LimitError(f"{name} has more than {MOST_CELLS:,} cells. Check that it is the right file, and take out what is empty.")
            yield number, row
    except csv.Error as error:
        raise UnreadableError(f"{name} cannot be read as TSV ({error}). Check its quotes, or save it again from a spreadsheet program.") from error
    finally:
        csv.field_size_limit(before)


def zip_of(files: Iterable[tuple[str, str]], path: Path) -> None:
    """Write texts into a zip, with dates that do not change."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as made:
        for name, text in files:
            made.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), text.encode(), zipfile.ZIP_DEFLATED)
