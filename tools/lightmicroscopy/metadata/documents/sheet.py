"""REMBI sheets among the documents of a check."""

from __future__ import annotations

import zipfile
from typing import TYPE_CHECKING

from ..rembi.fields import TABLES, table_named
from ..rembi.sheet import Sheet, read_sheet
from ..rembi.tsv import is_separated

if TYPE_CHECKING:
    from pathlib import Path

_WORKBOOK = "xl/workbook.xml"
_HEADINGS = 4


def is_workbook(path: Path) -> bool:
    """Whether a file is an XLSX, by its members."""
    return path.is_file() and zipfile.is_zipfile(path) and _WORKBOOK in _members(path)


def _members(path: Path) -> frozenset[str]:
    try:
        with zipfile.ZipFile(path) as archive:
            return frozenset(archive.namelist())
    except (OSError, zipfile.BadZipFile, NotImplementedError):
        return frozenset()


def looks_like_sheet(path: Path, head: str) -> bool:
    """Whether a file or folder means to be a REMBI sheet: a workbook, or tables or a mapping of the names of one."""
    if path.is_dir():
        return any((path / f"{table}.tsv").is_file() for table in TABLES)
    if zipfile.is_zipfile(path):
        names = _members(path)
        return _WORKBOOK in names or any(f"{table}.tsv" in names for table in TABLES)
    lines = head.splitlines()
    first = next((line for line in lines if line.strip() and not line.startswith("#")), "")
    # CSV is no sheet, which is told by what reads it; so that a table of others is not taken for one, it has to have more of its headings.
    if _begins_table(first) or is_separated(head, _HEADINGS):
        return True
    keys = {line.split(":")[0] for line in lines if ":" in line and not line.startswith((" ", "-", "#", "{", "["))}
    return len(keys & set(TABLES)) >= 2


def _begins_table(line: str) -> bool:
    """Whether a line is the heading of a table in a single TSV: ``[study]``, maybe with the tabs that a spreadsheet adds."""
    stripped = line.strip().strip('"')
    return stripped.startswith("[") and stripped.endswith("]") and table_named(stripped[1:-1]) is not None


def read(path: Path, head: str) -> Sheet | None:
    """Read a sheet; None for what is none.

    Raises
    ------
    SuiteError
        If it is a sheet that cannot be read.
    """
    return read_sheet(path) if looks_like_sheet(path, head) else None
