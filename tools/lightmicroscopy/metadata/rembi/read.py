"""Reading a sheet, whatever it is kept in, and checking that what it says can be understood."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from ...errors import LimitError, UnreadableError
from .sheet import Sheet
from .validate import validate

if TYPE_CHECKING:
    from pathlib import Path

    from .layout import Taken

LARGEST_TEXT: Final = 64 << 20
"""Bytes of a sheet that is text."""
_LINE_END: Final = re.compile(r"\r\n|\n|\r")
_MARKS: Final = re.compile(r"(?:\A|(?<=[\r\n]))\ufeff+")
"""Byte order marks, also where files have been put one behind another."""
_LOOKED_AT: Final = 16
_KINDS: Final = "XLSX, YAML, or TSV (one file, a folder or a zip of them)"


def read(path: Path, name: str) -> Sheet:
    """Read a sheet; see `sheet.read_sheet`."""
    tables = _tables(path, name)
    problems = [problem for taken in tables.values() for problem in taken.problems]
    sheet = Sheet(name, {table: tuple(taken.rows) for table, taken in tables.items()}, tuple(problems))
    return Sheet(name, sheet.tables, (*sheet.problems, *validate(sheet)))


def _tables(path: Path, name: str) -> dict[str, Taken]:
    from .tsv import read_files, read_text, read_zip
    from .xlsx_read import is_xlsx, read_xlsx
    from .yaml_file import read_yaml

    if path.is_dir():
        return read_files(path, name)
    try:
        with path.open("rb") as stream:
            head = stream.read(8)
    except OSError as error:
        raise UnreadableError(f"{name} cannot be opened ({error.strerror}). Check its name and your rights.") from error
    if head.startswith(b"PK"):
        return read_xlsx(path, name) if is_xlsx(path, name) else read_zip(path, name)
    if head.startswith(b"\xd0\xcf\x11\xe0"):
        raise UnreadableError(f"{name} is an old Excel file (.xls), or one with a password. Save it as .xlsx without a password.")
    text = text_of(path, name)
    if not text.strip():
        raise UnreadableError(f"{name} is empty. Give a sheet as {_KINDS}.")
    return read_text(text, name) if _is_tabular(text) else read_yaml(text, name)


def _is_tabular(text: str) -> bool:
    """Whether the first line that says something looks like that of a table: YAML has no tab there, and a colon."""
    from .tsv import is_separated

    first = next((line for line in text.splitlines() if line.strip() and not line.startswith("#")), "")
    return "\t" in first or is_separated(text) or (first.startswith("[") and first.rstrip().endswith("]"))


def _is_unmarked_utf_16(data: bytes) -> bool:
    """Whether every other byte at the beginning is nought, as in UTF-16 of letters that ASCII has."""
    head = data[:_LOOKED_AT]
    return any(len(half) > 1 and not any(half) and all(other) for half, other in ((head[::2], head[1::2]), (head[1::2], head[::2])))


def lines_of(text: str) -> list[str]:
    """Lines of a text, whichever of the three ends they have."""
    return _LINE_END.split(text)


def text_of(path: Path, name: str) -> str:
    """Read a text, in UTF-8 or in the UTF-16 that spreadsheets write.

    Raises
    ------
    UnreadableError
        If it is no text.
    LimitError
        If it is too long.
    """
    size = path.stat().st_size
    if size > LARGEST_TEXT:
        raise LimitError(f"{name} is {size:,} bytes long; a sheet may be {LARGEST_TEXT:,}. Check that it is the right file.")
    return decoded(path.read_bytes(), name)


def decoded(data: bytes, name: str) -> str:
    """Decode a text; see `text_of`."""
    if _is_unmarked_utf_16(data):
        raise UnreadableError(f"{name} is text in UTF-16 without the byte order mark that says so. Save it as text in UTF-8, or as XLSX.")
    encoding = "utf-16" if data.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8"
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        raise UnreadableError(
            f"{name} is neither {_KINDS}, nor text in UTF-8. Save it as one of these; spreadsheet programs call such text Unicode text."
        ) from error
    text = _MARKS.sub("", text)
    if "\0" in text:
        raise UnreadableError(f"{name} holds bytes that are no text. Give a sheet as {_KINDS}.")
    return text
