"""Which files of a study are wanted, and under which names they are kept."""

from __future__ import annotations

import fnmatch
import itertools
import re
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Final, Literal

from ..errors import UsageError
from ..names import LONGEST, sanitise
from .bia_pagetab import folded
from .manifest import read_rows
from .scratch import scratch_database, told_of_a_full_disk
from .untrusted import line

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from .bia_files import FileIndex, Listed
    from .bia_study import Component

NO_COMPONENT: Final = "files"
"""Folder of the files that belong to the study as a whole."""
_STORES: Final = (".ome.zarr", ".ome.zarr.zip")
_NO_NAME: Final = re.compile(r'[\x00-\x1f\x7f<>:"/\\|?*]')
_WINDOWS: Final = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9])(\..*)?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Choice:
    """Which files are wanted: those that meet every condition.

    Attributes
    ----------
    match
        Patterns of the path, or of the name where a pattern has no slash; one must fit.
    components
        Names of components; one must fit.
    attributes
        (name, pattern) pairs; of each name one pattern must fit.
    largest
        Most bytes of a single file; `fits` knows only what the study states.
    first
        How many files, in the order of their paths.
    """

    match: tuple[str, ...] = ()
    components: tuple[str, ...] = ()
    attributes: tuple[tuple[str, str], ...] = ()
    largest: int | None = None
    first: int | None = None

    def of(self, index: FileIndex) -> Iterator[Listed]:
        """Files of a study that are wanted, in the order of their paths."""
        count = 0
        for file in index.files():
            if self.first is not None and count >= self.first:
                return
            if self.fits(file):
                count += 1
                yield file

    def fits(self, file: Listed) -> bool:
        """Whether a file meets every condition but the number of files."""
        if self.match and not any(_matches(file.path, glob) for glob in self.match):
            return False
        named = {folded(part) for part in (file.component, *file.component.split("; "))}
        if self.components and not named & {folded(name) for name in self.components}:
            return False
        if self.is_too_large(None if file.type == "directory" else file.bytes):
            return False
        values = {folded(name): value for name, value in file.attributes.items()} if self.attributes else {}
        return all(any(_says(values.get(name), glob) for glob in globs) for name, globs in self._by_name().items())

    def is_too_large(self, size: int | None) -> bool:
        """Whether a size is over the limit; one that is not known yet is not: it is asked for when the file is planned."""
        return self.largest is not None and size is not None and size > self.largest

    def _by_name(self) -> Mapping[str, Sequence[str]]:
        found: dict[str, list[str]] = {}
        for name, glob in self.attributes:
            found.setdefault(folded(name), []).append(glob)
        return found

    def refuse_unknown(self, index: FileIndex, components: Sequence[Component]) -> None:
        """Raise `UsageError` if a component or an attribute is asked for that the study does not have."""
        accession = index.accession
        names = {folded(name): name for name in (*index.components, *(component.name for component in components if component.name))}
        for name in self.components:
            if folded(name) not in names:
                raise UsageError(f"{accession} has no component {name!r}. {_known('Its components are', names.values())}")
        for name, _ in self.attributes:
            if folded(name) not in index.names:
                raise UsageError(f"The files of {accession} have no attribute {name!r}. {_known('They have', index.names.values())}")


def _matches(path: str, glob: str) -> bool:
    """Whether a pattern fits, in any case: cameras write .TIF, people .tif."""
    return fnmatch.fnmatchcase((path if "/" in glob else path.rpartition("/")[2]).casefold(), glob.casefold())


def _says(stated: str | None, glob: str) -> bool:
    """Whether a pattern fits a value, or one of several that are joined; only the empty one fits where there is none."""
    if stated is None:
        return not glob
    return any(fnmatch.fnmatchcase(value.casefold(), glob.casefold()) for value in (stated, *stated.split("; ")))


def attribute_of(text: str) -> tuple[str, str]:
    """Read ``NAME=VALUE``.

    Raises
    ------
    UsageError
        If there is no name or no ``=``.
    """
    name, equals, value = text.partition("=")
    if not equals or not name.strip():
        raise UsageError(f"{line(text, 80)!r} is no attribute. Write it as NAME=VALUE, such as 'Gene=TP53'; * stands for any text.")
    return name.strip(), value.strip()


def _known(start: str, names: Iterable[str]) -> str:
    found = [repr(name) for name in names]
    return f"{start} {', '.join(found[:20])}{' and more' if len(found) > 20 else ''}." if found else "It names none."


class Places:
    """Gives each file its place in the output folder: below its component, under its own name as far as that is safe everywhere."""

    def __init__(self) -> None:
        self._database = scratch_database()
        self._database.execute("CREATE TABLE taken (path TEXT PRIMARY KEY, folder INTEGER) WITHOUT ROWID")
        self._database.execute("BEGIN")
        self._last: tuple[tuple[str, ...], PurePosixPath] = ((), PurePosixPath())

    def __enter__(self) -> Places:
        return self

    def __exit__(self, *_: object) -> None:
        self._database.close()

    def take(self, path: str) -> bool:
        """Take a place; false if it is taken, also where a file system ignores case."""
        with told_of_a_full_disk():
            return self._database.execute("INSERT OR IGNORE INTO taken VALUES (?, 0)", (path.casefold(),)).rowcount == 1

    def of(self, folder: str, path: str) -> PurePosixPath:
        """Place of a file, none twice: the second ``a.tif`` becomes ``a~2.tif``."""
        *above, name = (safe_name(part) for part in path.split("/") if part)
        parent = self._parent((folder, *above))
        return next(candidate for candidate in _numbered(parent, name) if self.take(str(candidate)))

    def _parent(self, parts: tuple[str, ...]) -> PurePosixPath:
        """Folder for files; where a file is in the way, or the name in another case, its name gets a number too."""
        if parts != self._last[0]:
            found = PurePosixPath()
            for part in parts:
                found = next(candidate for candidate in _numbered(found, part) if self._is_folder(str(candidate)))
            self._last = (parts, found)
        return self._last[1]

    def _is_folder(self, path: str) -> bool:
        with told_of_a_full_disk():
            self._database.execute("INSERT OR IGNORE INTO taken VALUES (?, 1)", (path.casefold(),))
            found: tuple[int] = self._database.execute("SELECT folder FROM taken WHERE path = ?", (path.casefold(),)).fetchone()
        return found == (1,)


def _numbered(parent: PurePosixPath, name: str) -> Iterator[PurePosixPath]:
    stem, dot, suffix = name.partition(".")
    yield parent / name
    yield from (parent / f"{stem}~{number}{dot}{suffix}" for number in itertools.count(2))


def folder_of(component: str, accession: str) -> str:
    """Folder of a component's files.

    Parameters
    ----------
    accession
        Put before it where files of several studies are fetched; empty otherwise.
    """
    name = sanitise(component, otherwise=NO_COMPONENT)
    return safe_name(f"{accession}_{name}" if accession else name)


def safe_name(name: str) -> str:
    """Keep a name as it is wherever that is safe on every system, since files of one set name each other; otherwise sanitise it."""
    safe = (
        name.isprintable()
        and not name.startswith((".", "-", " "))
        and not name.endswith((".", " "))
        and not _NO_NAME.search(name)
        and len(name.encode("utf-8", "replace")) <= LONGEST
    )
    kept = name if safe else _shortened(name)
    return f"_{kept}" if _WINDOWS.fullmatch(kept) else kept


def _shortened(name: str) -> str:
    """Sanitise a name, and keep the extension of one that is too long."""
    stem, dot, suffix = name.rpartition(".")
    ending = sanitise(suffix, 10, otherwise="")
    if dot and stem.strip(". ") and ending and len(suffix) <= 10:
        return f"{sanitise(stem, LONGEST - 11, otherwise='file')}.{ending}"
    return sanitise(name, otherwise="file")


class Named:
    """Files that a table names: the files table, edited or not, or a manifest. Memory does not grow with it."""

    def __init__(self, table: Path) -> None:
        self._database = scratch_database()
        self._database.execute("CREATE TABLE named (accession TEXT, path TEXT, place TEXT, PRIMARY KEY (accession, path)) WITHOUT ROWID")
        self._database.execute("BEGIN")
        self.is_manifest = False
        self._table = table.name
        self._formats: set[Literal["original", "ome-zarr"]] = set()
        try:
            self._read(table)
        except BaseException:
            self._database.close()
            raise

    def __enter__(self) -> Named:
        return self

    def __exit__(self, *_: object) -> None:
        self._database.close()

    def _read(self, table: Path) -> None:
        from .biostudies import accession_of
        from .idr_request import is_manifest

        self.is_manifest = is_manifest(table)
        for number, row in enumerate(read_rows(table, ("item", "status") if self.is_manifest else ("accession", "path")), 2):
            accession, path = row["item"].partition("/")[::2] if self.is_manifest else (row["accession"], row["path"])
            if not path and not self.is_manifest:
                raise UsageError(f"{table.name}, line {number}: it names no file of {line(accession, 80)!r}. Mend or remove that line.")
            try:
                accession = accession_of(accession)
            except UsageError as error:
                raise UsageError(f"{table.name}, line {number}: {error}") from error
            # In a manifest a study that could not be listed stands for all its files.
            with told_of_a_full_disk():
                place = row.get("path", "") if self.is_manifest else ""
                self._database.execute("INSERT OR IGNORE INTO named VALUES (?, ?, ?)", (accession, path, place))
            # A file that was submitted as OME-Zarr tells nothing.
            if place and row["status"] in ("planned", "done") and not path.lower().endswith(_STORES):
                self._formats.add("ome-zarr" if place.endswith(_STORES) else "original")

    def refuse_other_format(self, asked: str) -> None:
        """Raise `UsageError` if it is the manifest of a call with another format: that would fetch other files than it lists."""
        for made in sorted(self._formats - {asked}):
            planned = "as OME-Zarr" if made == "ome-zarr" else "as original files"
            raise UsageError(f"{self._table} was planned {planned}. Give --format {made} again, or another table.")

    @property
    def accessions(self) -> tuple[str, ...]:
        """Studies it names, sorted."""
        return tuple(accession for (accession,) in self._database.execute("SELECT DISTINCT accession FROM named ORDER BY accession"))

    def has(self, accession: str, path: str) -> bool:
        """Whether it names a file, or the whole study."""
        return self._database.execute("SELECT 1 FROM named WHERE accession = ? AND path IN (?, '')", (accession, path)).fetchone() is not None

    def place(self, accession: str, path: str) -> str:
        """Where an earlier call meant to keep a file; empty if that is not known."""
        found = self._database.execute("SELECT place FROM named WHERE accession = ? AND path = ?", (accession, path)).fetchone()
        return found[0] if found else ""

    def paths(self, accession: str) -> Iterator[str]:
        """Files it names of a study, sorted."""
        for (path,) in self._database.execute("SELECT path FROM named WHERE accession = ? AND path <> '' ORDER BY path", (accession,)):
            yield path
