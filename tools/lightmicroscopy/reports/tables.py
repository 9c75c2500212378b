"""The one writer of the suite's tables.

Tab-separated, UTF-8, LF, one header line, nothing quoted. Tabs and line ends inside values become spaces, several values
are joined by ``; ``, an empty cell is an unknown value. Tables that name files by their paths are read again, so that there a path
stays exactly what it is: see `path_cell`.
"""

from __future__ import annotations

import re
import secrets
from contextlib import suppress
from typing import TYPE_CHECKING

from ..errors import UnwritableError
from ..names import readable
from .words import plural

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

FINDINGS = ("input", "series", "profile", "rule", "severity", "location", "message", "fix", "source")
CONVERSION = (
    "input",
    "series",
    "series_name",
    "status",
    "reason",
    "output",
    "format",
    "size_x",
    "size_y",
    "size_z",
    "size_c",
    "size_t",
    "dtype",
    "levels",
    "compression",
    "bytes",
    "sha256",
    "selection",
    "losses",
    "warnings",
)

IMAGES = (
    "image_id",
    "image_name",
    "study",
    "container_type",
    "container_id",
    "container_name",
    "plate",
    "well",
    "field",
    "series",
    "size_x",
    "size_y",
    "size_z",
    "size_c",
    "size_t",
    "dtype",
    "pixel_size_x_um",
    "pixel_size_y_um",
    "pixel_size_z_um",
    "channels",
    "licence",
    "pixels_from",
    "url",
)
ANNOTATIONS = ("object_type", "object_id", "namespace", "key", "value", "position")
FILES = ("accession", "path", "bytes", "component", "type", "url")
"""Then a column ``attr:NAME`` for each attribute."""
STUDIES = (
    "source",
    "accession",
    "title",
    "authors",
    "doi",
    "publication_doi",
    "licence",
    "organism",
    "imaging_method",
    "image_count",
    "size_bytes",
    "release_date",
    "url",
)
REMBI = ("accession", "module", "item", "field", "value", "term", "stated_as", "required_by")
MANIFEST = ("item", "status", "reason", "source_url", "path", "bytes", "sha256", "server_checksum", "study", "licence", "selection", "attempts")

INSPECT = (
    "input",
    "series",
    "series_name",
    "kind",
    "axes",
    "size_x",
    "size_y",
    "size_z",
    "size_c",
    "size_t",
    "dtype",
    "significant_bits",
    "levels",
    "pixel_size_x_um",
    "pixel_size_y_um",
    "pixel_size_z_um",
    "time_increment_s",
    "channels",
    "acquisition_date",
    "objective",
    "instrument",
    "format",
    "compression",
    "lossy",
    "bytes",
    "warnings",
)
ANNOTATED = ("input", "series", "series_name", "status", "reason", "output", "bytes", "changed", "warnings")
"""What became of each series of images into which a sheet was written."""
COMPARISON = ("original", "copy", "series", "what", "original_value", "copy_value", "equal")

NAMING = ("item", "path")
"""Columns that name a file, in tables that have a column ``path``."""

_ESCAPED = re.compile(r"[\\\x00-\x1f\x7f-\x9f\u2028\u2029]")
_ESCAPE = re.compile(r"\\(\\|u[0-9a-f]{4})")
_UNSAFE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")


def cell(value: object) -> str:
    """One value as it stands in a table."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return f"{value:.10g}"
    if isinstance(value, list | tuple):
        return "; ".join(cell(part) for part in value)
    return _UNSAFE.sub(" ", str(value)).strip()


def path_cell(path: str) -> str:
    r"""Write a path so that `path_of` gives it back: spaces at its ends are kept.

    Only a path with control characters, or one that begins with a backslash, is escaped, and then begins with a backslash.

    >>> path_cell(" a.tif "), path_cell("a\tb.tif")
    (' a.tif ', '\\a\\u0009b.tif')
    """
    if not path.startswith("\\") and not _UNSAFE.search(path):
        return path
    return "\\" + _ESCAPED.sub(lambda found: "\\\\" if found[0] == "\\" else f"\\u{ord(found[0]):04x}", path)


def path_of(written: str) -> str:
    """Read what `path_cell` wrote."""
    if not written.startswith("\\"):
        return written
    return _ESCAPE.sub(lambda found: "\\" if found[1] == "\\" else chr(int(found[1][1:], 16)), written[1:])


def write_table(path: Path, columns: tuple[str, ...], rows: Iterable[Mapping[str, object]]) -> None:
    """Write a table; it appears under its name only when whole.

    Parameters
    ----------
    path
        The file to make or replace.
    columns
        Header, in order. Values a row lacks are empty.
    rows
        By column name, already in their order.

    Raises
    ------
    UnwritableError
        If it cannot be written.
    ValueError
        If a row has a column that is not of this table.
    """
    write_text(path, _lines(columns, rows))


def temporary(path: Path) -> Path:
    """Make a hidden name beside a file, unlike that of any other file being written; whole, it takes the file's name."""
    return path.with_name(f".{secrets.token_hex(8)}.part")


class TableFile:
    """A table written row by row, for tables of any length; it gets its name when closed without an exception."""

    def __init__(self, path: Path, columns: tuple[str, ...]) -> None:
        self.path = path
        self.columns = columns
        self._temporary = temporary(path)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._stream = self._temporary.open("w", encoding="utf-8", newline="\n", errors="replace")
            self._stream.writelines(_lines(columns, ()))
        except OSError as error:
            raise _unwritable(path, error) from error

    def add(self, row: Mapping[str, object]) -> None:
        """Write one row."""
        try:
            self._stream.write(_line(self.columns, row))
        except OSError as error:
            raise _unwritable(self.path, error) from error

    def __enter__(self) -> TableFile:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            self._stream.close()
            if kind is None:
                self._temporary.replace(self.path)
        except OSError as error:
            raise _unwritable(self.path, error) from error
        finally:
            with suppress(OSError):
                self._temporary.unlink(missing_ok=True)


def write_checksums(path: Path, sums: Iterable[tuple[str, str]]) -> None:
    """Write (SHA-256, path) pairs as ``sha256sum -c`` reads them, sorted by path.

    A backslash or line end in a path is escaped, and its line begins with a backslash, as GNU coreutils does.
    """
    write_text(path, (_checksum(digest, name) for digest, name in sorted(sums, key=lambda pair: pair[1])))


def files_written(files: Iterable[Path | None], documents: int = 0, folder: Path | None = None) -> str:
    """Say for the end of a run which files there are now; empty if none was wanted."""
    said = [readable(str(file)) for file in files if file is not None]
    if folder is not None and documents:
        said.append(f"{plural(documents, 'OME-XML document')} in {readable(str(folder))}")
    return f"Written: {', '.join(said)}" if said else ""


def write_text(path: Path, parts: Iterable[str]) -> None:
    """Write text as UTF-8 with LF line ends under a temporary name, then give it its own.

    Characters that are no text (a file name in bytes of another encoding) become question marks. What is no regular file
    (``/dev/stdout``) is written to directly.
    """
    special = path.exists() and not path.is_file()
    made = path if special else temporary(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with made.open("w", encoding="utf-8", newline="\n", errors="replace") as stream:
            stream.writelines(parts)
        if not special:
            made.replace(path)
    except OSError as error:
        raise _unwritable(path, error) from error
    finally:
        if not special:
            with suppress(OSError):
                made.unlink(missing_ok=True)


class TextFiles:
    """Many small text files; they get their names together, when this is closed without an exception."""

    def __init__(self) -> None:
        self._written: list[tuple[Path, Path]] = []

    def add(self, path: Path, text: str) -> None:
        """Write one under a temporary name."""
        made = temporary(path)
        self._written.append((made, path))
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            made.write_text(text, encoding="utf-8", newline="\n", errors="replace")
        except OSError as error:
            raise _unwritable(path, error) from error

    def __enter__(self) -> TextFiles:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        try:
            for made, path in self._written if kind is None else ():
                try:
                    made.replace(path)
                except OSError as error:
                    raise _unwritable(path, error) from error
        finally:
            for made, _path in self._written:
                with suppress(OSError):
                    made.unlink(missing_ok=True)


def _lines(columns: tuple[str, ...], rows: Iterable[Mapping[str, object]]) -> Iterable[str]:
    yield "\t".join(columns) + "\n"
    for row in rows:
        yield _line(columns, row)


def _line(columns: tuple[str, ...], row: Mapping[str, object]) -> str:
    if strange := set(row).difference(columns):
        raise ValueError(f"not columns of this table: {', '.join(sorted(strange))}")
    naming = NAMING if "path" in columns else ()
    values = ((column, row.get(column)) for column in columns)
    return "\t".join(path_cell(value) if column in naming and isinstance(value, str) else cell(value) for column, value in values) + "\n"


def _unwritable(path: Path, error: OSError) -> UnwritableError:
    return UnwritableError(f"{path.name} cannot be written: {error.strerror}. Check the free space and your rights on its folder.")


def _checksum(digest: str, name: str) -> str:
    escaped = name.replace("\\", "\\\\").replace("\n", "\\n").replace("\r", "\\r")
    mark = "\\" if escaped != name else ""
    return f"{mark}{digest}  {escaped}\n"
