"""All files of a study: from its file lists, from its description, or from the table on its page; sorted, and out of memory."""

from __future__ import annotations

import heapq
import json
import sqlite3
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from ..errors import ArchiveError, DeniedError, MissingError, NotAllowedError, UnreadableError
from ..progress import counted
from ..reports.tables import FILES, TableFile
from .bia_lists import MOST_FILES, read_list
from .bia_pagetab import LONGEST_PATH, File, file_of, folded
from .idr_addresses import NoAddressError
from .scratch import scratch_database, told_of_a_full_disk
from .study import together
from .untrusted import line

if TYPE_CHECKING:
    from types import TracebackType

    from .bia_study import BiaStudy, Component
    from .biostudies import BioStudies, Info
    from .http import Client

LARGEST_LIST: Final = 8 * 1000**3
"""Bytes of a file list."""
MOST_ATTRIBUTES: Final = 1000
"""Names of attributes, each of which is a column."""
_KINDS: Final = (".json", ".tsv", ".xlsx", ".txt")
_SCHEMA: Final = "CREATE TABLE files (path TEXT PRIMARY KEY, bytes INTEGER, type TEXT, component TEXT, folder TEXT, attributes TEXT) WITHOUT ROWID"
_MORE: Final = "CREATE TABLE more (number INTEGER PRIMARY KEY, path TEXT, name TEXT, value TEXT, UNIQUE (path, name, value))"
"""What further lines say of a file that is listed more than once; without a name, a component."""
_KNOWN_COLUMNS: Final = frozenset({"name", "size", "section", "path", "type"})


@dataclass(frozen=True, slots=True)
class Listed:
    """A file of a study.

    Attributes
    ----------
    path
        As the study says; anything may be in it.
    bytes
        As the study says; None if it does not.
    type
        ``file`` or ``directory``.
    component
        Parts of the study that it belongs to, joined by ``; ``; empty for the study as a whole.
    folder
        The first of them.
    attributes
        Names and values, in their order; several values joined by ``; ``.
    """

    path: str
    bytes: int | None
    type: str
    component: str
    folder: str
    attributes: Mapping[str, str] = field(default_factory=dict)


Address = Callable[[Listed], str]


class FileIndex:
    """Files of one study by their paths, each once; memory does not grow with them. For one thread."""

    def __init__(self, accession: str) -> None:
        self.accession = accession
        self.names: dict[str, str] = {}
        """Names of all attributes, as first spelled, by how they are compared."""
        self.count = 0
        self.entries = 0
        """Lines of lists; a file that is listed twice counts twice."""
        self.conflicts: list[str] = []
        """Paths that are listed with different sizes, the first few."""
        self.too_long: list[str] = []
        """Beginnings of paths that are too long, the first few."""
        self.left_out = 0
        """How many such paths there are."""
        self._database = scratch_database()
        self._database.execute(_SCHEMA)
        self._database.execute(_MORE)
        self._database.execute("BEGIN")

    def __enter__(self) -> FileIndex:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._database.close()

    def add(self, file: File, component: str) -> None:
        """Add a file; one that is there already belongs to this component too. One with too long a path is only noted."""
        if not file.whole:
            self.left_out += 1
            if len(self.too_long) < 3:
                self.too_long.append(line(file.path, 80))
            return
        self.entries += 1
        values: dict[str, str] = {}
        for attribute in file.attributes:
            name = self.names.setdefault(folded(attribute.name), attribute.name) if len(self.names) < MOST_ATTRIBUTES else attribute.name
            if folded(name) not in self.names:
                continue
            value = line(attribute.value, 10_000)
            values[name] = f"{values[name]}; {value}" if name in values else value
        with told_of_a_full_disk():
            try:
                row = (file.path, file.size, file.type, component, component, json.dumps(values, ensure_ascii=False) if values else "")
                self._database.execute("INSERT INTO files VALUES (?, ?, ?, ?, ?, ?)", row)
                self.count += 1
            except sqlite3.IntegrityError:
                self._merge(file, component, values)

    def say_left_out(self) -> str:
        """Say which files cannot be fetched for the length of their paths."""
        names = ", ".join(f"'{path}…'" for path in self.too_long)
        return (
            f"{counted(self.left_out, 'file')} of {self.accession} left out, since a path has at most {LONGEST_PATH:,} characters here: "
            f"{names}{' and more' if self.left_out > len(self.too_long) else ''}. Tell the archive's curators."
        )

    def _merge(self, file: File, component: str, values: Mapping[str, str]) -> None:
        """Note what another line says of a file; it is joined when the file is read, since a list may name one thousands of times."""
        (size,) = self._database.execute("SELECT bytes FROM files WHERE path = ?", (file.path,)).fetchone()
        if file.size is not None and size is not None and file.size != size and len(self.conflicts) < 10:
            self.conflicts.append(file.path)
        self._database.execute(
            "UPDATE files SET bytes = coalesce(bytes, ?), folder = CASE folder WHEN '' THEN ? ELSE folder END WHERE path = ?",
            (file.size, component, file.path),
        )
        # A component has no name of an attribute.
        said = [("", component)] if component else []
        self._database.executemany(
            "INSERT OR IGNORE INTO more (path, name, value) VALUES (?, ?, ?)", ((file.path, *each) for each in (*said, *values.items()))
        )

    def _joined(self, path: str, component: str, attributes: dict[str, str]) -> str:
        """Join what all lines say of a file: gives its components, and puts the values of attributes where they belong."""
        found: dict[str, list[str]] = {}
        for name, value in self._database.execute("SELECT name, value FROM more WHERE path = ? ORDER BY number", (path,)):
            found.setdefault(name, []).append(value)
        components = dict.fromkeys([*(part for part in component.split("; ") if part), *found.pop("", [])])
        for name, values in found.items():
            first = attributes.get(name, values[0])
            alike = all(value == first for value in values)
            attributes[name] = first if alike else together(part for value in (first, *values) for part in value.split("; "))
        return "; ".join(components)

    def files(self) -> Iterator[Listed]:
        """All files, sorted by path."""
        with told_of_a_full_disk():
            for path, size, kind, component, folder, attributes in self._database.execute("SELECT * FROM files ORDER BY path"):
                values: dict[str, str] = json.loads(attributes) if attributes else {}
                joined = self._joined(path, component, values) if self.entries > self.count else component
                yield Listed(path, size, kind, joined, folder, values)

    def has(self, path: str) -> bool:
        """Whether a file is listed."""
        return self._database.execute("SELECT 1 FROM files WHERE path = ?", (path,)).fetchone() is not None

    @property
    def components(self) -> tuple[str, ...]:
        """Names of components that have files, sorted."""
        found = self._database.execute("SELECT component FROM files UNION SELECT value FROM more WHERE name = '' ORDER BY 1")
        return tuple(dict.fromkeys(name for (joined,) in found for name in joined.split("; ") if name))

    @property
    def bytes(self) -> int:
        """Bytes of all files whose size is stated."""
        return int(self._database.execute("SELECT total(bytes) FROM files").fetchone()[0])

    @property
    def sizes_known(self) -> bool:
        """Whether the size of every file is stated."""
        return not self._database.execute("SELECT 1 FROM files WHERE bytes IS NULL LIMIT 1").fetchone()


@dataclass
class Listing:
    """Finds all files of a study.

    Attributes
    ----------
    problems
        Sentences on what could not be listed.
    complete
        Whether every file is listed, as far as can be known.
    """

    service: BioStudies
    client: Client
    problems: list[str] = field(default_factory=list)
    complete: bool = True

    def fill(self, index: FileIndex, study: BiaStudy, info: Info) -> None:
        """Put every file of a study into an index.

        Lists that cannot be had are told of in `problems`; then the table of files on the study's page fills the gap.

        Raises
        ------
        NotAllowedError, DeniedError
            If the service does not let this program in, or lies elsewhere.
        """
        gaps: list[str] = []
        for component in study.components:
            for file in component.files:
                index.add(file, component.name)
            for name in component.lists:
                try:
                    self._add_list(index, info, component, name)
                except (NotAllowedError, DeniedError):
                    raise
                except (ArchiveError, UnreadableError, NoAddressError) as error:
                    gaps.append(f"The file list {name!r} of {component.name or study.accession!r} cannot be used: {error}")
        named = index.entries
        if whole_page := bool(gaps or (not index.count and info.files != 0)):
            entries = self._add_from_page(index, study, info, gaps)
            # The page repeats what the lists name.
            whole_page, named = entries is not None, max(named, index.count) if entries is None else entries
        self.problems += gaps
        if index.conflicts:
            self.problems.append(
                f"{len(index.conflicts)} or more files are listed twice with different sizes, such as {index.conflicts[0]!r}; the first counts."
            )
        if index.left_out:
            self.problems.append(index.say_left_out())
        self.complete = not index.left_out and (named >= info.files if info.files is not None else whole_page or not gaps)
        if info.files is not None and named < info.files:
            self.problems.append(f"BioStudies counts {info.files:,} files in {study.accession}, and its lists name {named:,}.")
        if len(index.names) >= MOST_ATTRIBUTES:
            self.problems.append(f"Only the first {MOST_ATTRIBUTES:,} attributes of the files have a column.")

    def _add_list(self, index: FileIndex, info: Info, component: Component, name: str) -> None:
        with tempfile.TemporaryDirectory(prefix="lm-list-") as folder:
            path = Path(folder) / "list"
            source = self._fetch(info, name, path)
            for file in read_list(path, source):
                index.add(file, component.name)

    def _fetch(self, info: Info, name: str, path: Path) -> str:
        """Fetch a list: the service keeps each as JSON and as a table, whichever was submitted."""
        stem = next((name[: -len(kind)] for kind in _KINDS if name.lower().endswith(kind)), name)
        tried = dict.fromkeys((f"{stem}.json", f"{stem}.tsv", name))
        for last, candidate in enumerate(tried, 1):
            address = info.file(candidate)
            try:
                self.client.download(address, path, limit=LARGEST_LIST)
            except MissingError:
                if last == len(tried):
                    raise MissingError(f"It is not there, neither as {' nor as '.join(tried)}.") from None
            else:
                return f"The file list {candidate} of {info.accession}"
        raise AssertionError

    def _add_from_page(self, index: FileIndex, study: BiaStudy, info: Info, gaps: list[str]) -> int | None:
        """Add what the table on the study's page names, and give how many lines that is; None if it cannot be had to its end."""
        names = {_section_key(component.accno): component.name for component in study.components if component.accno}
        before, entries = index.count, 0
        try:
            for row in self.service.listed_files(study.accession, most=MOST_FILES):
                file = file_of(
                    {"path": row.get("path"), "size": row.get("size"), "type": row.get("type"), "attributes": list(_attributes(row, info))}
                )
                if file is not None:
                    entries += 1
                    index.add(file, names.get(_section_key(line(row.get("Section"))), line(row.get("Section"))))
        except (ArchiveError, UnreadableError) as error:
            gaps.append(f"The table of files on the page of {study.accession} cannot be had either: {error}")
            return None
        if gaps and index.count > before:
            gaps.append(f"{index.count - before:,} files were found in the table on the study's page instead.")
        return entries


def _section_key(name: str) -> str:
    """The page writes ``Study_Component-1`` for ``Study Component-1``."""
    return folded(name.replace("_", " "))


def _attributes(row: Mapping[str, Any], info: Info) -> Iterator[dict[str, Any]]:
    """Attributes of a row; the page writes ``Source_image`` for ``Source image``."""
    for name, value in row.items():
        if folded(name) not in _KNOWN_COLUMNS and isinstance(value, str):
            yield {"name": info.columns.get(line(name), name), "value": value}


def write_files(path: Path, indexes: Iterable[tuple[FileIndex, Address]]) -> None:
    """Write the files table of some studies.

    Parameters
    ----------
    indexes
        For each study its files, and the address of a file (empty where there is none).
    """
    found = list(indexes)
    names: dict[str, str] = {}
    for index, _ in found:
        for key, name in index.names.items():
            names.setdefault(key, name)
    columns = (*FILES, *(f"attr:{name}" for name in names.values()))
    with TableFile(path, columns) as table:
        for file, index, address in heapq.merge(*(_with(index, address) for index, address in found), key=lambda each: each[0].path):
            row: dict[str, object] = {
                "accession": index.accession,
                "path": file.path,
                "bytes": file.bytes,
                "component": file.component,
                "type": file.type,
                "url": address(file),
            }
            table.add(row | {f"attr:{names[folded(name)]}": value for name, value in file.attributes.items()})


def _with(index: FileIndex, address: Address) -> Iterator[tuple[Listed, FileIndex, Address]]:
    return ((file, index, address) for file in index.files())
