"""The manifest: what a download means to fetch, and what became of each part.

Kept in a temporary SQLite database, which stays out of memory however many rows there are, and written out as a table whenever
asked, so that a job that is killed has still said what it has.
"""

from __future__ import annotations

import csv
import os
from dataclasses import dataclass, field, fields
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

from ..errors import UnreadableError
from ..provenance import files_below, sha256_of
from ..reports.tables import MANIFEST, NAMING, path_of, write_table
from .scratch import scratch_database, told_of_a_full_disk

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

Status = Literal["planned", "done", "failed", "skipped"]
STATUSES: Final = ("planned", "done", "failed", "skipped")
LONGEST_LINE: Final = 1_000_000
"""Characters of one line of a table that are read."""
_PLANNED_BYTES: Final = "SELECT total(bytes) FROM (SELECT max(bytes) AS bytes FROM rows WHERE status = 'planned' GROUP BY path, source_url)"


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a manifest.

    Attributes
    ----------
    item
        What was asked for, such as ``image-6001240``.
    path
        Of the result, relative to the output folder.
    bytes
        Of a row that is done, the size of the result (of a store: of all its files); of a planned one, what has to be fetched, or
        the most it can be, which `reason` then says.
    sha256
        Of the file; of a store, that of the checksum list of its files.
    server_checksum
        What the server says of its file, such as ``md5:…``; it is compared while fetching.
    """

    item: str
    status: Status
    reason: str = ""
    source_url: str = ""
    path: str = ""
    bytes: int | None = None
    sha256: str = ""
    server_checksum: str = ""
    study: str = ""
    licence: str = ""
    selection: str = ""
    attempts: int | None = None


@dataclass(frozen=True, slots=True)
class Earlier:
    """What an earlier call has left, as far as it is still there unchanged.

    Attributes
    ----------
    items
        Rows of the items that are complete, by item.
    files
        Rows of single results by the address they came from, of incomplete items too.
    begun
        Paths of what was planned: a call that was killed may have finished it, and not come to note that.
    """

    items: Mapping[str, Sequence[Row]] = field(default_factory=dict)
    files: Mapping[str, Row] = field(default_factory=dict)
    begun: frozenset[str] = frozenset()


_NAMES: Final = tuple(each.name for each in fields(Row))
_VALUES: Final = attrgetter(*_NAMES)
_INSERT: Final = "INSERT OR REPLACE INTO rows VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"


class Manifest:
    """Rows by item number and path; memory does not grow with them. For one thread."""

    def __init__(self) -> None:
        self._database = scratch_database(undo=True)
        columns = ", ".join(f'"{name}"' for name in _NAMES)
        self._database.execute(f"CREATE TABLE rows (number INTEGER, {columns}, PRIMARY KEY (number, path)) WITHOUT ROWID")

    def put(self, number: int, *rows: Row) -> None:
        """Replace all that is said of an item."""
        self._undo_interrupted()
        with told_of_a_full_disk():
            self._database.execute("BEGIN")
            self._database.execute("DELETE FROM rows WHERE number = ?", (number,))
            for row in rows:
                self._database.execute(_INSERT, (number, *_VALUES(row)))
            self._database.execute("COMMIT")

    def _undo_interrupted(self) -> None:
        # A signal between two statements of `put` leaves an item without its rows, and this connection would see it so.
        if self._database.in_transaction:
            self._database.execute("ROLLBACK")

    def rows(self) -> Iterator[Row]:
        """Rows by item number, then path."""
        self._undo_interrupted()
        for _, *values in self._database.execute("SELECT * FROM rows ORDER BY number, path"):
            yield Row(*values)

    def of(self, number: int) -> list[Row]:
        """Rows of one item."""
        return [Row(*values) for _, *values in self._database.execute("SELECT * FROM rows WHERE number = ? ORDER BY path", (number,))]

    def planned_bytes(self) -> int:
        """Sum of what is planned, as far as known; a file that several items need counts once, and each image that goes into one plate by itself."""
        return int(self._database.execute(_PLANNED_BYTES).fetchone()[0])

    def write(self, path: Path) -> None:
        """Write the table; it replaces an earlier one only when whole."""
        write_table(path, MANIFEST, (dict(zip(_NAMES, _VALUES(row), strict=True)) for row in self.rows()))

    def close(self) -> None:
        """Remove the database."""
        self._database.close()


def read_rows(path: Path, needed: tuple[str, ...]) -> Iterator[dict[str, str]]:
    """Read a table of the suite, line by line.

    Parameters
    ----------
    needed
        Columns it must have; it may have others.

    Raises
    ------
    UnreadableError
        If it is no such table, or a line does not fit its header; the message names the line.
    """
    try:
        with path.open(encoding="utf-8-sig", errors="strict", newline="") as stream:
            lines = iter(lambda: stream.readline(LONGEST_LINE), "")
            header = next(lines, "").rstrip("\r\n").split("\t")
            missing = [column for column in needed if column not in header]
            if missing:
                other = next((name for mark, name in ((",", "commas"), (";", "semicolons")) if len(header) == 1 and mark in header[0]), "")
                raise UnreadableError(
                    f"{path.name} is not such a table: it has no column {missing[0]}. "
                    + (
                        f"It is separated by {other}: save it as tab-separated text."
                        if other
                        else "Its first line must name the columns, separated by tabs."
                    )
                )
            twice = next((column for column in needed if header.count(column) > 1), "")
            if twice:
                raise UnreadableError(f"{path.name} has two columns {twice}. Remove one of them.")
            reader = csv.reader(lines, delimiter="\t", quoting=csv.QUOTE_NONE)
            for number, cells in enumerate(reader, 2):
                if not any(cell.strip() for cell in cells):
                    continue
                if len(cells) > len(header):
                    raise UnreadableError(
                        f"{path.name}, line {number}: {len(cells)} values where the header names {len(header)} columns. Mend that line."
                    )
                values = dict(zip(header, (*cells, *[""] * (len(header) - len(cells))), strict=True))
                if "path" in values:
                    values |= {name: path_of(values[name]) for name in NAMING if name in values}
                yield values
    except (UnicodeDecodeError, csv.Error) as error:
        raise UnreadableError(f"{path.name} is no table of text in UTF-8 ({error}). Save it as tab-separated text.") from error
    except OSError as error:
        raise UnreadableError(f"{path.name} cannot be read: {error.strerror}. Check that it is there and that you may read it.") from error


def manifest_rows(path: Path) -> Iterator[Row]:
    """Read a manifest; raises as `read_rows`."""
    return map(row_of, read_rows(path, ("item", "status", "path", "source_url")))


def finished(path: Path, folder: Path) -> Earlier:
    """Find out what an earlier manifest lists that need not be fetched again.

    Parameters
    ----------
    path
        The manifest.
    folder
        Where its results lie. An item counts only if each of its rows is ``done`` and each file is there with its SHA-256.
    """
    complete: dict[str, list[Row]] = {}
    broken: set[str] = set()
    files: dict[str, Row] = {}
    begun: set[str] = set()
    sums: dict[str, str] = {}
    for cells in read_rows(path, ("item", "status", "path", "sha256")):
        row = row_of(cells)
        if row.status != "done" or not row.sha256 or _sum_of(row.path, folder, sums) != row.sha256:
            broken.add(row.item)
            if row.status == "planned":
                begun.add(row.path)
            continue
        complete.setdefault(row.item, []).append(row)
        files[row.source_url] = row
    return Earlier({item: rows for item, rows in complete.items() if item not in broken}, files, frozenset(begun))


def row_of(cells: dict[str, str]) -> Row:
    """Make a row of the cells of a table."""
    size, attempts = (
        int(text[:18]) if (text := cells.get(name, "").strip()).isascii() and text.isdigit() else None for name in ("bytes", "attempts")
    )
    status: Status = next((known for known in STATUSES if known == cells.get("status")), "failed")
    texts = {name: cells.get(name, "") for name in _NAMES if name not in ("bytes", "attempts", "status")}
    return Row(status=status, bytes=size, attempts=attempts, **texts)


def _inside(path: str, folder: Path) -> Path | None:
    """Where a path of a table lies; ``None`` if that is elsewhere, since the table may come from anybody."""
    if not path or "\0" in path or Path(path).is_absolute():
        return None
    file, root = Path(os.path.realpath(folder / path)), Path(os.path.realpath(folder))
    return folder / path if file.is_relative_to(root) and file != root else None


def _sum_of(path: str, folder: Path, sums: dict[str, str]) -> str:
    """SHA-256 of what is at a path, made once for all rows that name it; empty if nothing is."""
    if path not in sums:
        try:
            file = _inside(path, folder)
            # A pipe has no end.
            sums[path] = sha256_of(files_below(file)) if file is not None and (file.is_file() or file.is_dir()) else ""
        except OSError:
            sums[path] = ""
    return sums[path]
