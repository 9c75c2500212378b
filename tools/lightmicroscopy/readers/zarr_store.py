"""The files of a Zarr store, by key: a folder, or a zip read where it lies.

Nothing is ever unpacked to disk, and no key leads outside the store: a folder's symbolic links may point anywhere inside it,
a zip's members must have plain relative names.
"""

from __future__ import annotations

import errno
import os
import stat
from typing import TYPE_CHECKING, Protocol

from ..errors import UnreadableError
from ..names import readable
from .zip_members import ZipMembers

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

METADATA_FILES = ("zarr.json", ".zgroup", ".zattrs", ".zarray")
METADATA_LIMIT = 64 * 1024 * 1024
"""Bytes of one JSON or XML metadata file accepted."""
LEADS_OUT = "leads out of the store"
LEADS_IN_A_CIRCLE = "leads back to itself"
LINK_FAULTS = {errno.ELOOP: LEADS_IN_A_CIRCLE, errno.ENOENT: "leads nowhere", errno.ENOTDIR: "leads nowhere"}


class Store(Protocol):
    """Read-only files by key (``0/.zarray``); safe to use from several threads."""

    name: str

    def get(self, key: str, limit: int) -> bytes | None:
        """Whole content; ``None`` if there is no such file. Raises `UnreadableError` if it is longer than `limit` bytes."""
        ...

    def get_range(self, key: str, offset: int, length: int) -> bytes | None:
        """Part of the content; `offset` may count from the end (negative)."""
        ...

    def size(self, key: str) -> int | None:
        """Length in bytes; ``None`` if there is no such file."""
        ...

    def children(self, folder: str) -> Iterator[tuple[str, bool]]:
        """Names directly below a folder, and whether each is itself a folder; without links to folders, which may lead in a circle."""
        ...

    def close(self) -> None:
        """Close what is open."""
        ...


def open_store(path: Path) -> Store:
    """Open a folder or zip as a store.

    The store may also lie in the one folder that a zip or folder holds.

    Raises
    ------
    UnreadableError
        If it is a damaged zip, one with members that lead outside it, or holds no Zarr.
    LimitError
        If the zip has too many members.
    """
    if path.is_dir():
        inner = folder_root(path)
        return FolderStore(inner or path, readable(path.name))
    members = ZipMembers(path)
    try:
        return ZipStore(members, _zip_root(members))
    except BaseException:
        members.close()
        raise


def folder_root(path: Path) -> Path | None:
    """Where the store is: the folder itself, or its only sub-folder; ``None`` if neither holds Zarr metadata."""
    # A link that leads nowhere is no file, and must be told of as what it is.
    if any((path / name).is_file() or (path / name).is_symlink() for name in METADATA_FILES):
        return path
    try:
        below = [entry for entry in path.iterdir() if not entry.name.startswith((".", "__MACOSX"))]
    except OSError:
        return None
    if len(below) == 1 and below[0].is_dir() and any((below[0] / name).is_file() for name in METADATA_FILES):
        return below[0]
    return None


def _zip_root(members: ZipMembers) -> str:
    if any(name in members for name in METADATA_FILES):
        return ""
    tops = {name.split("/", 1)[0] for name in members.names()} - {"__MACOSX"}
    roots = [top for top in tops if any(f"{top}/{name}" in members for name in METADATA_FILES)]
    if len(roots) == 1:
        return roots[0] + "/"
    if roots:
        found = ", ".join(sorted(roots)[:3])
        raise UnreadableError(f"{members.name} holds {len(roots)} Zarr stores ({found} …). Zip each one by itself.")
    raise UnreadableError(
        f"{members.name} is a zip but not an OME-Zarr: it has no zarr.json, .zgroup or .zattrs at its top or in its only folder. "
        "Zip the folder that holds one, or unpack the zip and give its images."
    )


class FolderStore:
    """A store in a folder. The folder itself may be a symbolic link, as Galaxy stages it; links inside must stay inside."""

    def __init__(self, root: Path, name: str) -> None:
        self.name = name
        self._root = os.path.realpath(root)
        self._safe: set[str] = set()

    def get(self, key: str, limit: int) -> bytes | None:
        """See `Store`."""
        return self._read(key, 0, None, limit)

    def get_range(self, key: str, offset: int, length: int) -> bytes | None:
        """See `Store`."""
        return self._read(key, offset, length, length)

    def size(self, key: str) -> int | None:
        """See `Store`."""
        descriptor = self._open(key)
        if descriptor is None:
            return None
        try:
            return os.fstat(descriptor).st_size
        finally:
            os.close(descriptor)

    def children(self, folder: str) -> Iterator[tuple[str, bool]]:
        """See `Store`."""
        path = os.path.join(self._root, folder)  # noqa: PTH118 - string paths: called for every chunk folder
        self._check(path, folder)
        try:
            with os.scandir(path) as entries:
                for entry in entries:
                    if not (entry.is_symlink() and os.path.isdir(entry.path)):  # noqa: PTH112 - DirEntry.is_dir raises at a link to itself
                        yield entry.name, entry.is_dir(follow_symlinks=False)
        except (FileNotFoundError, NotADirectoryError):
            return
        except OSError as error:
            raise self._unreadable(folder, error) from error

    def close(self) -> None:
        """Nothing stays open."""

    def _read(self, key: str, offset: int, length: int | None, limit: int) -> bytes | None:
        descriptor = self._open(key)
        if descriptor is None:
            return None
        try:
            size = os.fstat(descriptor).st_size
            start = max(0, size + offset) if offset < 0 else offset
            count = min(size - start, size if length is None else length)
            if count > limit:
                raise too_long(self.name, key, count, limit)
            return _pread(descriptor, start, count)
        except OSError as error:
            raise self._unreadable(key, error) from error
        finally:
            os.close(descriptor)

    def _open(self, key: str) -> int | None:
        check_key(self.name, key)
        path = os.path.join(self._root, key)  # noqa: PTH118
        self._check(os.path.dirname(path), key)  # noqa: PTH120
        try:
            descriptor = _open_file(path)
        except OSError as error:
            if error.errno in {errno.ENOENT, errno.ENOTDIR}:
                return None
            if error.errno not in {errno.ELOOP, errno.EMLINK}:
                raise self._unreadable(key, error) from error
            descriptor = self._open_link(path, key)
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.close(descriptor)
            raise UnreadableError(f"{self.name}: {key} should be a file and is not one. The store is damaged; ask for it again.")
        return descriptor

    def _open_link(self, path: str, key: str) -> int:
        target = os.path.realpath(path)
        if not self._inside(target):
            raise self._leads_out(key)
        try:
            return _open_file(target)
        except OSError as error:
            raise self._unreadable(key, error) from error

    def _check(self, folder: str, key: str) -> None:
        """Follow links of a folder once; chunks lie many to a folder."""
        if folder in self._safe:
            return
        if not self._inside(os.path.realpath(folder)):
            raise self._leads_out(key)
        self._safe.add(folder)

    def _inside(self, path: str) -> bool:
        return path == self._root or path.startswith(self._root.rstrip(os.sep) + os.sep)

    def _leads_out(self, key: str) -> UnreadableError:
        return refused_link(self.name, key, LEADS_OUT)

    def _unreadable(self, key: str, error: OSError) -> UnreadableError:
        if error.errno in LINK_FAULTS:
            return refused_link(self.name, key, LINK_FAULTS[error.errno])
        return UnreadableError(f"{self.name}: {key} cannot be read: {error.strerror}. Check that you may read it, and its disk.")


def refused_link(name: str, key: str, where: str) -> UnreadableError:
    """Make the error for a symbolic link in a store that is not followed because of where it leads.

    Parameters
    ----------
    name
        What errors call the store.
    key
        What was looked for.
    where
        ``leads out of the store``.
    """
    return UnreadableError(
        f"{name}: {readable(key)} is reached through a symbolic link that {where}, which is not followed. Put the file itself in place of the link."
    )


def _open_file(path: str) -> int:
    # Without O_NONBLOCK a named pipe put in place of a chunk would wait for ever.
    return os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK)


def _pread(descriptor: int, start: int, count: int) -> bytes:
    data = os.pread(descriptor, max(0, count), start)
    while len(data) < count and (more := os.pread(descriptor, count - len(data), start + len(data))):
        data += more
    return data


class ZipStore:
    """A store in a zip, below `root` (empty, or ending in a slash)."""

    def __init__(self, members: ZipMembers, root: str) -> None:
        self.name = members.name
        self.prefix = root
        """What the names of its members begin with."""
        self._members = members
        self._root = root
        self._tree: dict[str, dict[str, bool]] | None = None

    def get(self, key: str, limit: int) -> bytes | None:
        """See `Store`."""
        size = self.size(key)
        if size is None:
            return None
        if size > limit:
            raise too_long(self.name, key, size, limit)
        return self._members.read(self._root + key)

    def get_range(self, key: str, offset: int, length: int) -> bytes | None:
        """See `Store`."""
        size = self.size(key)
        if size is None:
            return None
        return self._members.read_range(self._root + key, max(0, size + offset) if offset < 0 else offset, length)

    def size(self, key: str) -> int | None:
        """See `Store`."""
        check_key(self.name, key)
        return self._members.size(self._root + key)

    def children(self, folder: str) -> Iterator[tuple[str, bool]]:
        """See `Store`."""
        if self._tree is None:
            self._tree = self._make_tree()
        yield from self._tree.get(folder.strip("/"), {}).items()

    def _make_tree(self) -> dict[str, dict[str, bool]]:
        tree: dict[str, dict[str, bool]] = {}
        for name in self._members.names():
            if not name.startswith(self._root):
                continue
            path, is_folder = name[len(self._root) :], False
            while path:
                parent, _, last = path.rpartition("/")
                known = tree.setdefault(parent, {})
                if known.get(last) is is_folder:
                    break
                known[last] = is_folder
                path, is_folder = parent, True
        return tree

    def close(self) -> None:
        """Close the zip."""
        self._members.close()


def check_key(store: str, key: str) -> None:
    """Refuse a key, taken from metadata, that is no plain relative path."""
    if not is_plain(key):
        raise UnreadableError(f"{store}: its metadata name the path {key!r}, which does not lie inside the store. Ask for the store again.")


def is_plain(key: str) -> bool:
    """Whether a key is a plain relative path."""
    return not (any(part in {"", ".", ".."} for part in key.split("/")) or "\\" in key or "\0" in key)


def too_long(store: str, key: str, size: int, limit: int) -> UnreadableError:
    """Say that a file is longer than its content can be."""
    return UnreadableError(f"{store}: {key} is {size:,} bytes long, where at most {limit:,} are plausible. The store is damaged; ask for it again.")
