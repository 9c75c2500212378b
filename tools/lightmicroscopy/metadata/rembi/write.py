"""Writing a sheet in one of its formats, so that nothing half-made has its name and nobody's work is written over."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Final

from ...errors import UnwritableError, UsageError
from ...reports.tables import temporary, write_text
from .fields import TABLES

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from .sheet import Format, Sheet

LONGEST_CELL: Final = 32_767
"""Characters a spreadsheet can hold in a cell."""


def write(sheet: Sheet, path: Path, kind: Format) -> None:
    """Write a sheet; see `sheet.write_sheet`."""
    from .tsv import sheet_text, table_text, zip_of

    refuse_filled(path)
    _refuse_long(sheet)
    if kind == "xlsx":
        from .xlsx_write import write_xlsx

        _whole(path, lambda made: write_xlsx(sheet, made))
    elif kind == "yaml":
        from .yaml_file import sheet_yaml

        write_text(path, sheet_yaml(sheet))
    elif path.suffix.lower() == ".zip":
        _whole(path, lambda made: zip_of(((f"{table}.tsv", "".join(table_text(sheet, table))) for table in TABLES), made))
    elif path.suffix:
        write_text(path, sheet_text(sheet))
    else:
        _write_folder(sheet, path)


def refuse_filled(path: Path) -> None:
    """Raise `UsageError` if there is something in that place already: it may be a sheet that somebody has filled in."""
    if path.exists() and (path.is_dir() or not path.is_file() or path.stat().st_size):
        raise UsageError(
            f"{path.name} is already there and is not overwritten: somebody may have filled it in. "
            "Give another name; --from-sheet takes its values along."
        )


def _refuse_long(sheet: Sheet) -> None:
    for table, row, one, cell in sheet.cells():
        if len(cell.text) > LONGEST_CELL:
            raise UnwritableError(
                f"{one.title!r} of {row.text('name') or row.text('image') or table!r} has {len(cell.text):,} characters, and a cell holds "
                f"{LONGEST_CELL:,}. Shorten it."
            )


def _whole(path: Path, write_to: Callable[[Path], None]) -> None:
    made = temporary(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_to(made)
        made.replace(path)
    except OSError as error:
        raise UnwritableError(
            f"{path.name} cannot be written: {error.strerror or error}. Check the free space and your rights on its folder."
        ) from error
    finally:
        with suppress(OSError):
            made.unlink(missing_ok=True)


def _write_folder(sheet: Sheet, folder: Path) -> None:
    from ...writers.atomic import new_output
    from .tsv import table_text

    folder.parent.mkdir(parents=True, exist_ok=True)
    with new_output(folder, most_bytes=1 << 20) as made:
        made.mkdir()
        for table in TABLES:
            write_text(made / f"{table}.tsv", table_text(sheet, table))
