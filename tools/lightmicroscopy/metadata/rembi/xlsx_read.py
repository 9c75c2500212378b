"""Reading a workbook: texts, numbers and dates as people see them, formulas named, in memory that does not grow with its rows.

Only the parts that hold cells are looked at; links to other files are neither followed nor fetched, and macros, pictures and charts left alone.
Source: ISO/IEC 29500-1 (Office Open XML), 18.2 to 18.4 and 18.8.
"""

from __future__ import annotations

import posixpath
import re
from contextlib import closing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from ...errors import LimitError, UnreadableError
from ...readers.zip_members import ZipMembers
from ..safe_xml import parse_xml, stream_xml
from .fields import TABLES, folded, table_named
from .layout import MOST_VALUES, Line, Taken, take_table
from .sheet import SheetProblem, clean, letters
from .xlsx_numbers import Shown, shown_as, text_of_number

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from lxml import etree

LARGEST_PART: Final = 96 << 20
"""Bytes of one part of a workbook, unpacked; a sheet of 20,000 images takes about 40 MB."""
MOST_PARTS: Final = 10_000
MOST_CELLS: Final = 4_000_000
OWN_SHEETS: Final = ("start here", "field help", "lists")
"""Sheets of ours that hold no metadata."""
_RELATION: Final = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
_STRICT_RELATION: Final = "{http://purl.oclc.org/ooxml/officeDocument/relationships}id"
_PLACE: Final = re.compile(r"([A-Z]{1,3})([0-9]{1,7})")
_ESCAPE: Final = re.compile(r"_x([0-9A-Fa-f]{4})_")
_WORKBOOKS: Final = ("spreadsheetml.sheet.main", "ms-excel.sheet.macroenabled.main", "spreadsheetml.template.main")


def is_xlsx(path: Path, name: str) -> bool:
    """Whether a zip is a workbook.

    Raises
    ------
    UnreadableError
        If it is damaged, or a document of another kind that spreadsheets write.
    """
    with closing(ZipMembers(path)) as parts:
        if "mimetype" in parts and b"opendocument" in _part(parts, "mimetype", name)[:100]:
            raise UnreadableError(f"{name} is an OpenDocument file. Save it as Excel 2007-365 (.xlsx).")
        return "[Content_Types].xml" in parts


def _part(parts: ZipMembers, part: str, name: str) -> bytes:
    size = parts.size(part)
    if size is None:
        raise UnreadableError(f"{name} is damaged: its part {part} is missing. Open it in a spreadsheet program and save it again.")
    if size > LARGEST_PART:
        raise LimitError(
            f"{name}: its part {part} unpacks to {size:,} bytes, and at most {LARGEST_PART:,} are accepted. Check where the file comes from."
        )
    return parts.read(part)


@dataclass(slots=True)
class _Book:
    """What cells need of the whole workbook."""

    name: str
    parts: ZipMembers
    texts: list[str] = field(default_factory=list)
    styles: list[tuple[Shown, int]] = field(default_factory=list)
    since_1904: bool = False
    cells: int = 0
    problems: list[SheetProblem] = field(default_factory=list)


def read_xlsx(path: Path, name: str) -> dict[str, Taken]:
    """Read the tables of a workbook.

    Raises
    ------
    UnreadableError
        If it is damaged or no workbook.
    LimitError
        If it is larger than any sheet needs to be.
    """
    with closing(ZipMembers(path)) as parts:
        return _tables(*_opened(parts, name))


def first_table(path: Path, name: str) -> tuple[str, list[Line], list[SheetProblem]]:
    """Read the first sheet of a workbook that need not be one of ours.

    Returns
    -------
    Its title, its rows that hold something, and what is wrong with cells.

    Raises
    ------
    UnreadableError, LimitError
        As `read_xlsx`.
    """
    with closing(ZipMembers(path)) as parts:
        book, workbook, related = _opened(parts, name)
        for one in workbook.iterfind("{*}sheets/{*}sheet"):
            kind, place = related.get(one.get(_RELATION) or one.get(_STRICT_RELATION) or "", ("", ""))
            if kind == "worksheet":
                title = one.get("name") or ""
                return title, list(_lines(book, title, place)), book.problems
    return "", [], []


def _opened(parts: ZipMembers, name: str) -> tuple[_Book, etree._Element, dict[str, tuple[str, str]]]:
    """Read what all sheets of a workbook share; give that, its list of sheets, and what it refers to."""
    if sum(1 for _ in parts.names()) > MOST_PARTS:
        raise LimitError(f"{name} has more than {MOST_PARTS:,} parts, which no sheet needs. Check where the file comes from.")
    place = _workbook(parts, name)
    workbook = parse_xml(_part(parts, place, name), f"{place} in {name}")
    book = _Book(name, parts)
    book.since_1904 = any(one.get("date1904") in ("1", "true") for one in workbook.iterfind("{*}workbookPr"))
    related = _relations(parts, place, name)
    book.texts = _shared_texts(book, next((target for kind, target in related.values() if kind == "sharedStrings"), ""))
    book.styles = _styles(book, next((target for kind, target in related.values() if kind == "styles"), ""))
    return book, workbook, related


def _tables(book: _Book, workbook: etree._Element, related: dict[str, tuple[str, str]]) -> dict[str, Taken]:
    tables: dict[str, Taken] = {}
    strange: list[str] = []
    for one in workbook.iterfind("{*}sheets/{*}sheet"):
        title = one.get("name") or ""
        table = table_named(title)
        kind, place = related.get(one.get(_RELATION) or one.get(_STRICT_RELATION) or "", ("", ""))
        if kind != "worksheet":
            continue
        if table is None or table in tables:
            if folded(title) not in {folded(own) for own in OWN_SHEETS}:
                strange.append(title)
            continue
        tables[table] = take_table(table, _lines(book, table, place))
    if not tables:
        raise UnreadableError(f"{book.name} has none of the sheets {', '.join(TABLES)}. Start from a sheet that lm_describe has made.")
    first = tables[next(iter(tables))]
    first.problems[:0] = book.problems
    for title in strange[:MOST_VALUES]:
        told = " ".join(title.split())[:60]
        message = f"The sheet {told!r} is none of {', '.join(TABLES)}, or is there twice, and is not read."
        fix = "Give it its name back, or take it out if it is not needed."
        first.problems.append(SheetProblem(told, 0, "", message, fix, "sheet.unknown-sheet", "warning"))
    for table in TABLES:
        if table not in tables:
            fix = "Give a sheet that was renamed its name back, or take the sheet from the workbook as lm_describe made it."
            first.problems.append(SheetProblem(table, 0, "", f"The sheet {table!r} is missing.", fix, "sheet.sheet-missing"))
    return tables


def _workbook(parts: ZipMembers, name: str) -> str:
    types = parse_xml(_part(parts, "[Content_Types].xml", name), f"[Content_Types].xml in {name}")
    for override in types.iterfind("{*}Override"):
        if any(kind in (override.get("ContentType") or "").lower() for kind in _WORKBOOKS):
            return (override.get("PartName") or "").lstrip("/")
    raise UnreadableError(f"{name} is no workbook (.xlsx) but another kind of document. Give a sheet as XLSX, TSV or YAML.")


def _relations(parts: ZipMembers, place: str, name: str) -> dict[str, tuple[str, str]]:
    """Kind and place of what a part refers to within the file, by id. What lies outside it is left out."""
    folder, _, base = place.rpartition("/")
    listed = f"{folder}/_rels/{base}.rels" if folder else f"_rels/{base}.rels"
    found = {}
    for one in parse_xml(_part(parts, listed, name), f"{listed} in {name}").iterfind("{*}Relationship"):
        if one.get("TargetMode") == "External":
            continue
        target = one.get("Target") or ""
        inside = target.lstrip("/") if target.startswith("/") else posixpath.normpath(posixpath.join(folder, target))
        found[one.get("Id") or ""] = ((one.get("Type") or "").rpartition("/")[2], inside)
    return found


def _shared_texts(book: _Book, place: str) -> list[str]:
    if not place:
        return []
    return [_text(one) for one in stream_xml(_part(book.parts, place, book.name), f"{place} in {book.name}", "si")]


def _text(element: etree._Element) -> str:
    """Text of a string with all its runs, but not the reading aids of Japanese; ``_x000D_`` and its like are characters."""
    runs = (
        one.text or ""
        for one in element.iterfind(".//{*}t")
        if (parent := one.getparent()) is None or not isinstance(parent.tag, str) or not parent.tag.endswith("}rPh")
    )
    return clean(_ESCAPE.sub(lambda found: chr(int(found[1], 16)), "".join(runs)))


def _styles(book: _Book, place: str) -> list[tuple[Shown, int]]:
    """What each style makes of a number, and how many digits it fills up with zeros."""
    if not place:
        return []
    root = parse_xml(_part(book.parts, place, book.name), f"{place} in {book.name}")
    codes = {one.get("numFmtId") or "": one.get("formatCode") or "" for one in root.iterfind("{*}numFmts/{*}numFmt")}
    found = []
    for one in root.iterfind("{*}cellXfs/{*}xf"):
        number = one.get("numFmtId") or "0"
        code = codes.get(number, "")
        found.append((shown_as(max(_index(number), 0), code), code.count("0")))
    return found


def _lines(book: _Book, table: str, place: str) -> Iterator[Line]:
    """Rows of a sheet that hold something; rows and columns without end cost nothing."""
    cells: dict[int, str] = {}
    before, row, column = 0, 0, -1
    for element in stream_xml(_part(book.parts, place, book.name), f"{place} in {book.name}", "c", "row"):
        if element.tag.endswith("}row"):
            before = row or _stated(element) or before + 1
            if cells:
                yield Line(before, cells)
            cells, row, column = {}, 0, -1
            continue
        book.cells += 1
        if book.cells > MOST_CELLS:
            raise LimitError(f"{book.name} has more than {MOST_CELLS:,} cells. Check that it is the right file, and take out what is empty.")
        found = _PLACE.fullmatch(element.get("r") or "")
        column = _column(found[1]) if found else column + 1
        # A row need not say its number: it is the one after the last then.
        row = row or (int(found[2]) if found else 0) or _stated(element.getparent()) or before + 1
        text = _cell(book, element, table, row, column) if column <= MOST_VALUES else ""
        if text:
            cells[column] = text


def _stated(element: etree._Element | None) -> int:
    return max(_index(element.get("r") or ""), 0) if element is not None else 0


def _index(text: str) -> int:
    """A number that says a place; -1 if it is none, or too long for one."""
    return int(text) if text.isdecimal() and len(text) < 9 else -1


def _column(name: str) -> int:
    number = 0
    for letter in name:
        number = number * 26 + ord(letter) - ord("A") + 1
    return number - 1


def _cell(book: _Book, element: etree._Element, table: str, row: int, column: int) -> str:
    """Text of a cell as a person sees it; formulas and errors are noted as problems."""
    kind = element.get("t") or "n"
    formula = element.find("{*}f")
    value = element.findtext("{*}v") or ""
    text = ""
    if kind == "inlineStr":
        text = _text(element)
    elif kind == "s":
        known = 0 <= _index(value) < len(book.texts)
        text = book.texts[_index(value)] if known else ""
        if value != "" and not known:
            _note(book, table, row, column, "The cell refers to a text that is not in the file.", "Write it again.", "sheet.unreadable-cell")
    elif kind == "b":
        text = "TRUE" if value.strip() in ("1", "true") else "FALSE"
    elif kind == "e":
        message = f"The cell shows the error {value[:20]}."
        _note(book, table, row, column, message, "Write the value itself.", "sheet.unreadable-cell")
    elif kind in ("str", "d"):
        text = clean(_ESCAPE.sub(lambda found: chr(int(found[1], 16)), value))
    elif value:
        shown, zeros = _style(book, element)
        text = clean(text_of_number(value.strip(), shown, zeros=zeros, since_1904=book.since_1904))
    if formula is not None:
        _note_formula(book, table, row, column, text)
    return text


def _style(book: _Book, element: etree._Element) -> tuple[Shown, int]:
    style = _index(element.get("s") or "0")
    return book.styles[style] if 0 <= style < len(book.styles) else ("number", 0)


def _note_formula(book: _Book, table: str, row: int, column: int, text: str) -> None:
    if text:
        message = f"The cell holds a formula. What it last gave was taken: {' '.join(text.split())[:60]!r}."
        _note(book, table, row, column, message, "Write the value itself, so that it cannot change.", "sheet.formula", warning=True)
    else:
        message = "The cell holds a formula that was never computed."
        _note(book, table, row, column, message, "Write the value itself.", "sheet.formula")


def _note(book: _Book, table: str, row: int, column: int, message: str, fix: str, rule: str, *, warning: bool = False) -> None:
    if len(book.problems) < MOST_VALUES:
        book.problems.append(SheetProblem(table, row, letters(column), message, fix, rule, "warning" if warning else "error"))
