"""REMBI sheets among the documents of a check."""

from __future__ import annotations

import zipfile
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_TABLES: Final = ("study", "study_component", "biosample", "specimen", "acquisition", "image")


@cache
def reader() -> Callable[[Path], Any] | None:
    """Return what reads a sheet; None where this version of the suite cannot."""
    try:
        found: Callable[[Path], Any] = import_module("..rembi.sheet", __package__).read_sheet
    except ModuleNotFoundError as error:
        if not (error.name or "").endswith((".rembi", ".rembi.sheet")):
            raise
        return None
    return found


def looks_like_sheet(path: Path, head: str) -> bool:
    """Whether a file or folder means to be a REMBI sheet: a workbook, or tables or a mapping of the names of one."""
    if path.is_dir():
        return any((path / f"{table}.tsv").is_file() for table in _TABLES)
    if zipfile.is_zipfile(path):
        try:
            with zipfile.ZipFile(path) as archive:
                names = set(archive.namelist())
        except (OSError, zipfile.BadZipFile, NotImplementedError):
            return False
        return "xl/workbook.xml" in names or any(f"{table}.tsv" in names for table in _TABLES)
    keys = {line.split(":")[0] for line in head.splitlines() if ":" in line and not line.startswith((" ", "-", "#", "{", "["))}
    return len(keys & set(_TABLES)) >= 2


def read(path: Path, head: str) -> Any | None:
    """Read a sheet; None for what is none, or where this version cannot read any.

    Raises
    ------
    SuiteError
        If it is a sheet that cannot be read.
    """
    read_sheet = reader()
    if read_sheet is None or not looks_like_sheet(path, head):
        return None
    found: Any = read_sheet(path)
    return found
