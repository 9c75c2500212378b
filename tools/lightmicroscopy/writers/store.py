"""Where the files of a Zarr store go: a folder, or one zip that is not compressed."""

from __future__ import annotations

import json
import os
import struct
import threading
import zipfile
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from ..errors import UnwritableError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from .options import NgffVersion

OME_XML = "OME/METADATA.ome.xml"
_METADATA_FILES = (".zarray", ".zattrs", ".zgroup", "zarr.json")

_CRC_AT = 14
_HEADER_BYTES = 30
_RESERVE = 1 << 12


class Store(Protocol):
    """A place for files; `put` may be called from several threads."""

    ordered: bool
    """Whether files lie in the order they are put in."""

    def put(self, key: str, data: bytes) -> None:
        """Write one file."""
        ...

    def reserve(self, key: str, likely: bytes) -> None:
        """Keep the place of a file whose content is known only at the end, when `put` gives it."""
        ...

    def finish(self) -> None:
        """Write what is still missing."""
        ...

    def close(self) -> None:
        """Close without finishing."""
        ...


class Folder:
    """A folder on disk; directories are made once."""

    ordered = False

    def __init__(self, root: Path) -> None:
        self.root = str(root)
        self.made: set[str] = set()
        root.mkdir()

    def put(self, key: str, data: bytes) -> None:
        """Write one file."""
        parent = key.rpartition("/")[0]
        if parent not in self.made:
            Path(self.root, parent).mkdir(parents=True, exist_ok=True)
            self.made.add(parent)
        # Path.write_bytes costs twice as much as the file itself where there are 100 000 of them.
        file = os.open(f"{self.root}/{key}", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666)
        try:
            view = memoryview(data)
            while view:
                view = view[os.write(file, view) :]
        finally:
            os.close(file)

    def reserve(self, key: str, likely: bytes) -> None:
        """Do nothing: a folder has no order."""

    def finish(self) -> None:
        """Do nothing: every file is written already."""

    def close(self) -> None:
        """Do nothing: no file is open."""


class Zip:
    """One zip file, its members stored as they are, in the order they come; ZIP64 where it is needed.

    A member whose content is known only at the end can still be the first: room for it is kept, and JSON filled up with spaces.
    """

    ordered = True

    def __init__(self, path: Path) -> None:
        self.path = path
        self.archive = zipfile.ZipFile(path, "x", zipfile.ZIP_STORED, allowZip64=True)
        self.lock = threading.Lock()
        self.reserved: dict[str, zipfile.ZipInfo] = {}
        self.late: dict[str, bytes] = {}

    def put(self, key: str, data: bytes) -> None:
        """Write one member."""
        with self.lock:
            if key in self.reserved and len(data) <= self.reserved[key].file_size:
                self.late[key] = data
                return
            if key in self.reserved:
                raise ValueError(f"{key} needs {len(data)} bytes, more than were reserved")
            self.archive.writestr(_info(key), data)

    def reserve(self, key: str, likely: bytes) -> None:
        """Write a member of spaces, with room for `likely` to grow."""
        info = _info(key)
        with self.lock:
            self.archive.writestr(info, b" " * (len(likely) * 2 + _RESERVE))
            self.reserved[key] = info

    def finish(self) -> None:
        """Fill in the reserved members and write the directory."""
        from imagecodecs import deflate_crc32

        filled = []
        for key, data in self.late.items():
            info = self.reserved[key]
            content = data.ljust(info.file_size, b" ")
            # The central directory, written by `close`, takes the sum from here.
            info.CRC = deflate_crc32(content)
            filled.append((info, content))
        self.archive.close()
        with self.path.open("r+b") as file:
            for info, content in filled:
                file.seek(info.header_offset + _CRC_AT)
                file.write(struct.pack("<I", info.CRC))
                file.seek(info.header_offset)
                header = file.read(_HEADER_BYTES)
                name, extra = struct.unpack("<HH", header[26:30])
                file.seek(info.header_offset + _HEADER_BYTES + name + extra)
                file.write(content)

    def close(self) -> None:
        """Close the file, whole or not."""
        self.archive.close()


def _info(key: str) -> zipfile.ZipInfo:
    """Header of a member: a fixed date, so that equal stores are equal files."""
    info = zipfile.ZipInfo(key, (1980, 1, 1, 0, 0, 0))
    info.external_attr = 0o644 << 16
    return info


def check_store(path: Path, expected: Mapping[str, Sequence[tuple[tuple[int, ...], int]]], version: NgffVersion) -> int:
    """List a finished store anew and check that every array is there with its shape and its number of chunks.

    Parameters
    ----------
    path
        Folder or zip.
    expected
        By path of an image group: of every level its shape and the number of chunks stored.
    version
        NGFF version.

    Returns
    -------
    int
        Size of all files, or of the zip.

    Raises
    ------
    UnwritableError
        If anything is missing, superfluous or unreadable.
    """
    if path.is_dir():
        sizes = {file.relative_to(path).as_posix(): file.stat().st_size for file in _files(path)}
        _check(sizes, lambda key: (path / key).read_bytes(), expected, version)
        return sum(sizes.values())
    with zipfile.ZipFile(path) as archive:
        _check({info.filename: info.file_size for info in archive.infolist()}, archive.read, expected, version)
    return path.stat().st_size


def _files(folder: Path) -> Iterator[Path]:
    for parent, _, names in os.walk(folder):
        yield from (Path(parent, name) for name in names)


def _check(
    keys: Iterable[str], read: Callable[[str], bytes], expected: Mapping[str, Sequence[tuple[tuple[int, ...], int]]], version: NgffVersion
) -> None:
    metadata, chunks = set(), Counter[str]()
    # A chunk's key is its array's, "c" in Zarr v3, and five indices.
    depth, name = (5, ".zarray") if version == "0.4" else (6, "zarr.json")
    for key in keys:
        if key.rpartition("/")[2] in _METADATA_FILES:
            metadata.add(key)
        elif key != OME_XML:
            chunks["/".join(key.split("/")[:-depth])] += 1
    try:
        contents = {key: json.loads(read(key)) for key in metadata}
    except ValueError as error:
        raise UnwritableError(f"The finished store's metadata cannot be read ({error}); it was removed. Please report this.") from error
    for group, levels in expected.items():
        for level, (shape, count) in enumerate(levels):
            array = f"{group}/{level}" if group else str(level)
            found = contents.get(f"{array}/{name}", {}).get("shape")
            if found != list(shape) or chunks.pop(array, 0) != count:
                raise UnwritableError(f"The finished store was checked and array {array} is not complete; it was removed. Please report this.")
    if chunks:
        raise UnwritableError(f"The finished store was checked and holds chunks of no array ({min(chunks)}); it was removed. Please report this.")
