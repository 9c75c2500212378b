"""Writing the workbook that people fill in: headings with help, choices, marks on what is asked for, and prefilled cells.

XlsxWriter writes it row by row, so that memory does not grow with the number of images. Every text is written as a text, whatever it begins with.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from ... import __version__
from ...provenance import now
from .fields import MODEL, TABLES, Field, all_fields, fields_of, number, suggestions
from .layout import study_lines, title_of
from .sheet import Sheet, letters
from .xlsx_numbers import plain

if TYPE_CHECKING:
    from xlsxwriter.workbook import Workbook
    from xlsxwriter.worksheet import Worksheet

ROOM: Final = 500
"""Empty rows after the last that have choices and marks too."""
COLUMNS: Final = 6
"""Columns of *study* for authors and the like, at least."""
_LIST: Final = 255
"""Characters that a list of choices may have within a cell's own rule."""
_WIDTHS: Final = {"number": 12, "date": 14, "choice": 16, "reference": 24, "term": 34, "text": 24}
_OWN_WIDTHS: Final = {"image": 36, "series": 8, "acquisition_date": 22, "format_compression": 32, "dimension_extents": 34, "size_description": 30}
_WELCOME: Final = (
    ("title", "Describe your images"),
    ("line", "This workbook has what REMBI asks for, the Recommended Metadata for Biological Images. What your images know is filled in already."),
    ("line", ""),
    ("line", "1.  Fill in the sheets from left to right. A row is one sample, one way of imaging, one image; in “study” it is one statement."),
    ("line", "2.  Point at a heading, or click a cell, to read what belongs there. An arrow beside the cell has choices. “field help” has it all."),
    ("asked", f"3.  Orange, with *: asked for by {MODEL}, its template, or this workbook. It stays until filled."),
    ("known", "4.  Green: images can know it. What they do not know is empty, and yours to add."),
    ("grey", "5.  Grey: “Image” and “Series” say which image a row is about. Leave them as they are."),
    ("line", "6.  Rows belong together by name: an image names its study component, specimen and acquisition, a specimen its biosample."),
    ("line", "7.  Several values in one cell: semicolons between them, such as  DAPI; EGFP  for two channels."),
    ("line", "8.  Save as .xlsx. “Describe a dataset (REMBI)”, or lm_describe --read-sheet, says what is wrong or missing, cell by cell."),
    ("line", ""),
    ("small", "REMBI: Sarkans et al., Nature Methods 18, 1418 (2021), https://doi.org/10.1038/s41592-021-01166-8. It requires nothing by itself."),
)


def write_xlsx(sheet: Sheet, path: Path) -> None:
    """Write the workbook.

    Raises
    ------
    OSError
        If it cannot be written.
    """
    import xlsxwriter
    from xlsxwriter.exceptions import XlsxFileError

    options = {"constant_memory": True, "strings_to_formulas": False, "strings_to_numbers": False, "strings_to_urls": False}
    workbook = xlsxwriter.Workbook(str(path), {**options, "tmpdir": str(path.parent)})
    try:
        _Writer(workbook, sheet).write()
        workbook.close()
    except XlsxFileError as error:
        raise error.__cause__ if isinstance(error.__cause__, OSError) else OSError(str(error)) from error
    finally:
        _remove_rows(workbook)


def _remove_rows(workbook: Workbook) -> None:
    """Remove the files of rows that a writer which was stopped leaves behind."""
    for worksheet in workbook.worksheets():
        name = getattr(worksheet, "row_data_filename", None)
        if name:
            Path(str(name)).unlink(missing_ok=True)


class _Writer:
    """Writes one workbook."""

    def __init__(self, workbook: Workbook, sheet: Sheet) -> None:
        self.workbook, self.sheet = workbook, sheet
        self.formats = {name: workbook.add_format(look) for name, look in _LOOKS.items()}
        self.lists: list[tuple[str, tuple[str, ...]]] = []

    def write(self) -> None:
        about = {"title": "Metadata of a set of images (REMBI)", "comments": f"Galaxy light microscopy suite {__version__}"}
        self.workbook.set_properties(about | {"created": datetime.fromisoformat(now()).replace(tzinfo=None)})
        self._welcome()
        self._study()
        for table in TABLES[1:]:
            self._table(table)
        self._help()
        self._choices()

    def _welcome(self) -> None:
        page = self.workbook.add_worksheet("start here")
        page.hide_gridlines(2)
        page.set_column(0, 0, 130)
        made = ("small", f"Made on {now()[:10]} by the Galaxy light microscopy suite {__version__}.")
        for line, (look, text) in enumerate((*_WELCOME, made)):
            page.set_row(line, 34 if look == "title" else 20)
            page.write_string(line, 0, text, self.formats[look])
        _for_paper(page)

    def _study(self) -> None:
        page = self.workbook.add_worksheet("study")
        rows = self.sheet.rows("study")
        last = max(COLUMNS, len(rows))
        page.set_column(0, 0, 34, self.formats["text"])
        page.set_column(1, 1, 60, self.formats["text"])
        page.set_column(2, last, 28, self.formats["text"])
        page.freeze_panes(1, 1)
        page.ignore_errors({"number_stored_as_text": f"A1:{letters(last)}100"})
        _for_paper(page)
        for line, (one, texts) in enumerate(study_lines(rows)):
            if one is None:
                look = self.formats["section" if line else "heading"]
                for column in range(last + 1):
                    if column < len(texts):
                        page.write_string(line, column, texts[column], look)
                    elif line:
                        page.write_blank(line, column, None, look)
                continue
            _make_room(page, line, [(texts[1] if len(texts) > 1 else "", 60), *((text, 28) for text in texts[2:])])
            page.write_string(line, 0, texts[0], self.formats[_heading(one)])
            page.write_comment(line, 0, note_of(one), _NOTE)
            for column, text in enumerate(texts[1:], 1):
                self._put(page, line, column, one, text)
            to = last if one.group else 1
            self._rule(page, one, (line, 1, line, to))
            if one.marked:
                empty = f"LEN(TRIM(B{line + 1}))=0"
                # Of further authors only where there is one.
                members = [number_of for number_of, (other, _) in enumerate(study_lines(rows)) if other and other.group == one.group]
                used = f"COUNTA(B${members[0] + 1}:B${members[-1] + 1})>0" if one.group else "TRUE"
                asked = f"=AND({empty},OR(COLUMN(B{line + 1})=2,{used}))"
                page.conditional_format(line, 1, line, to, {"type": "formula", "criteria": asked, "format": self.formats["asked"]})

    def _table(self, table: str) -> None:
        page = self.workbook.add_worksheet(table)
        columns, rows = fields_of(table), self.sheet.rows(table)
        last = len(rows) + ROOM
        for column, one in enumerate(columns):
            look = "key" if one.id in ("image", "series") else "number" if _is_number(one) else "text"
            page.set_column(column, column, _width(one), self.formats[look])
            page.write_string(0, column, title_of(one), self.formats[_heading(one)])
            page.write_comment(0, column, note_of(one), _NOTE)
            self._rule(page, one, (1, column, last, column))
            if one.marked:
                name = letters(column)
                asked = f"=AND(COUNTA($A2:${letters(len(columns) - 1)}2)>0,LEN(TRIM({name}2))=0)"
                page.conditional_format(1, column, last, column, {"type": "formula", "criteria": asked, "format": self.formats["asked"]})
        # A year or an image called 007 is a text on purpose, and needs no green corner.
        page.ignore_errors({"number_stored_as_text": f"A1:{letters(len(columns) - 1)}{last + 1}"})
        page.set_row(0, 32)
        _for_paper(page, wide=table == "image")
        page.freeze_panes(1, 2 if table == "image" else 1)
        for line, row in enumerate(rows, 1):
            _make_room(page, line, [(row.cells[one.id].text, _width(one)) for one in columns if one.id in row.cells])
            for column, one in enumerate(columns):
                cell = row.cells.get(one.id)
                if cell is not None:
                    self._put(page, line, column, one, cell.text)
        if table == "image" and rows:
            page.autofilter(0, 0, len(rows), len(columns) - 1)

    def _put(self, page: Worksheet, line: int, column: int, one: Field, text: str) -> None:
        look = self.formats["key" if one.id in ("image", "series") else "number" if _is_number(one) else "text"]
        value = number(text) if _is_number(one) else None
        # As a number only where it is shown as it was written.
        if value is not None and plain(value) == text:
            page.write_number(line, column, value, look)
        else:
            page.write_string(line, column, text, look)

    def _rule(self, page: Worksheet, one: Field, area: tuple[int, int, int, int]) -> None:
        """Give cells their choices, what they accept, and the message that shows when one is chosen."""
        rule: dict[str, Any] = {"validate": "any", "input_title": one.title[:32], "input_message": _message(one)}
        source = self._source(one)
        if source:
            rule |= {"validate": "list", "source": source}
            strict = one.kind in ("choice", "reference") and not one.several
            rule |= (
                {"error_type": "warning", "error_title": "Not in the list", "error_message": "Write it anyway?"} if strict else {"show_error": False}
            )
        elif one.kind == "number" and not one.several:
            rule |= {"validate": "decimal", "criteria": ">=" if one.id == "series" else ">", "value": 0}
            rule |= {"error_type": "warning", "error_title": "Not a number", "error_message": "A number above 0 is expected. Write it anyway?"}
        page.data_validation(*area, rule)

    def _source(self, one: Field) -> list[str] | str:
        if one.kind == "reference":
            # As long as there are names, and no empty choices after them.
            names = f"{one.target}!$A$2:$A${len(self.sheet.rows(one.target)) + ROOM + 1}"
            return f"=OFFSET({one.target}!$A$2,0,0,MAX(1,COUNTA({names})),1)"
        choices = one.choices or suggestions(one.sheet, one.id)
        if not choices:
            return []
        if len(",".join(choices)) <= _LIST and not any("," in choice for choice in choices):
            return list(choices)
        column = letters(len(self.lists))
        self.lists.append((one.title, choices))
        return f"=lists!${column}$2:${column}${len(choices) + 1}"

    def _help(self) -> None:
        page = self.workbook.add_worksheet("field help")
        page.set_column(0, 0, 18, self.formats["text"])
        page.set_column(1, 1, 34, self.formats["text"])
        page.set_column(2, 3, 52, self.formats["text"])
        page.set_column(4, 4, 34, self.formats["text"])
        page.set_column(5, 5, 40, self.formats["text"])
        page.freeze_panes(1, 2)
        _for_paper(page)
        for column, text in enumerate(("Sheet", "Field", "What belongs there", "Example", "REMBI module: field", "Required by")):
            page.write_string(0, column, text, self.formats["heading"])
        for line, one in enumerate(all_fields(), 1):
            told = (one.sheet, title_of(one), one.help, one.example, f"{one.module}: {one.rembi}" if one.rembi else "", _required(one))
            _make_room(page, line, list(zip(told, (18, 34, 52, 52, 34, 40), strict=True)))
            for column, text in enumerate(told):
                page.write_string(line, column, text, self.formats["text"])

    def _choices(self) -> None:
        page = self.workbook.add_worksheet("lists")
        page.hide()
        longest = max((len(choices) for _, choices in self.lists), default=0)
        for line in range(longest + 1):
            for column, (title, choices) in enumerate(self.lists):
                if line <= len(choices):
                    page.write_string(line, column, title if line == 0 else choices[line - 1])


_PLAIN: Final = {"font_name": "Calibri", "font_size": 11, "valign": "top"}
_HEAD: Final = {**_PLAIN, "bold": True, "text_wrap": True, "border": 1, "border_color": "#BFBFBF"}
_LOOKS: Final[dict[str, dict[str, Any]]] = {
    "title": {**_PLAIN, "font_size": 18, "bold": True},
    "line": {**_PLAIN, "valign": "vcenter"},
    "grey": {**_PLAIN, "valign": "vcenter", "bg_color": "#EDEDED"},
    "known": {**_PLAIN, "valign": "vcenter", "bg_color": "#D5EBD5"},
    "small": {**_PLAIN, "font_size": 9, "font_color": "#595959"},
    "heading": {**_HEAD, "bg_color": "#E3E9F0"},
    "heading_asked": {**_HEAD, "bg_color": "#FFD699"},
    "heading_known": {**_HEAD, "bg_color": "#D5EBD5"},
    "section": {**_PLAIN, "bold": True, "bg_color": "#E3E9F0"},
    "text": {**_PLAIN, "num_format": "@", "text_wrap": True},
    "number": {**_PLAIN, "align": "left"},
    "key": {**_PLAIN, "bg_color": "#EDEDED", "num_format": "@", "text_wrap": True, "align": "left"},
    "asked": {"bg_color": "#FFE8C7"},
}
_A4: Final = 9
_MOST_LINES: Final = 12
_NOTE: Final = {"x_scale": 2.2, "y_scale": 1.6, "font_size": 9, "author": ""}


def _make_room(page: Worksheet, line: int, texts: list[tuple[str, int]]) -> None:
    """Make a row as high as its longest text needs, up to some lines: spreadsheet programs do so only while somebody types."""
    lines = max((sum(1 + len(part) // width for part in text.split("\n")) for text, width in texts), default=1)
    if lines > 1:
        page.set_row(line, 15.0 * min(lines, _MOST_LINES) + 2)


def _for_paper(page: Worksheet, *, wide: bool = False) -> None:
    """Print all columns on one page, or, of a table with very many, what says which row it is on each; the headings on each page."""
    page.set_landscape()
    page.set_paper(_A4)
    page.repeat_rows(0)
    if wide:
        page.set_print_scale(70)
        page.repeat_columns(0, 1)
    else:
        page.fit_to_pages(1, 0)


def _is_number(one: Field) -> bool:
    return one.kind == "number" and not one.several


def _heading(one: Field) -> str:
    return "heading_asked" if one.marked else "heading_known" if one.known else "heading"


def _width(one: Field) -> int:
    if one.id in _OWN_WIDTHS:
        return _OWN_WIDTHS[one.id]
    return 44 if one.long else max(_WIDTHS[one.kind], min(24, len(one.title) + 2))


def _required(one: Field) -> str:
    if not one.required_by:
        return ""
    return f"{one.required_by}{f', if any {one.group} is told of' if one.group and not one.marked else ''}"


def note_of(one: Field) -> str:
    """Help of a field as the note at its heading."""
    asked = _required(one)
    lines = (
        one.help,
        f"Example: {one.example}" if one.example else "",
        f"REMBI: {one.module}, {one.rembi}" if one.rembi else "",
        f"Required by {asked}." if asked else "",
        f"Term of {one.ontology}, with its identifier." if one.ontology else "",
    )
    return "\n".join(line for line in lines if line) or one.title


def _message(one: Field) -> str:
    text = " ".join(part for part in (one.help, f"Example: {one.example}" if one.example else "") if part) or one.title
    return text if len(text) <= _LIST else f"{text[: _LIST - 1]}…"
