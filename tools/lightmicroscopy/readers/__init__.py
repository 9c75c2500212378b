"""Readers: one module per format, chosen by what the file contains and never by its name.

A reader module has two functions:

``sniff(path, head) -> bool``
    Whether this module can read it; `head` is the file's first 4096 bytes, empty for a folder.
``open_dataset(location) -> Dataset``
    Reads metadata only. Raises `UnreadableError` naming the file and what is wrong with it.

A new format is one new module and one line in `READERS`.
"""

from __future__ import annotations

import stat
from importlib import import_module
from typing import TYPE_CHECKING, Protocol, cast

from ..errors import UnreadableError
from ..names import readable
from .user_knowledge import with_user_knowledge

if TYPE_CHECKING:
    from pathlib import Path

    from ..image import Dataset, Location

READERS = (
    "ome_zarr",
    "czi",
    "lif",
    "nd2",
    "hdf5",
    "tiff",
    "raster",
)
HEAD = 4096
_NOT_READ = {
    b"\xd0\xcf\x11\xe0": "Olympus OIB, Zeiss ZVI or other OLE2",
    b"OLYMPUSRAWFORMAT": "Olympus OIR",
}
"""First bytes of microscope formats that no reader here knows, so that the message can name them."""


class Reader(Protocol):
    """What a reader module offers."""

    def sniff(self, path: Path, head: bytes) -> bool:
        """Whether this module can read it."""
        ...

    def open_dataset(self, location: Location) -> Dataset:
        """Open it, reading metadata only."""
        ...


def open(location: Location) -> Dataset:  # noqa: A001 - reads as `readers.open(...)`
    """Open whatever is at a location.

    Raises
    ------
    UnreadableError
        If there is nothing, no reader knows it, or it is damaged.
    """
    path = location.path
    if location.store is not None:
        return with_user_knowledge(cast("Reader", import_module(".ome_zarr", __name__)).open_dataset(location))
    try:
        head = _head(path)
    except OSError as error:
        raise UnreadableError(f"{location.name} cannot be read: {error.strerror}. Check that the file is there and that you may read it.") from error
    reader = _reader(path, head)
    if reader is None:
        raise UnreadableError(_unknown(location, head))
    return with_user_knowledge(reader.open_dataset(location))


def is_recognised(path: Path) -> bool:
    """Whether the content of a file or folder begins like a microscope format known here, be it one that is not read yet."""
    try:
        head = _head(path)
        return _reader(path, head) is not None or any(head.startswith(start) for start in _NOT_READ)
    except (OSError, UnreadableError):
        return False


def _reader(path: Path, head: bytes) -> Reader | None:
    readers = (cast("Reader", import_module(f".{name}", __name__)) for name in READERS)
    return next((reader for reader in readers if reader.sniff(path, head)), None)


def _head(path: Path) -> bytes:
    kind = path.stat().st_mode
    if stat.S_ISDIR(kind):
        return b""
    if not stat.S_ISREG(kind):
        # Reading a pipe or a device would wait, or go on, for ever.
        raise UnreadableError(f"{path.name} is neither a file nor a folder. Give an image file, or the folder of an OME-Zarr.")
    with path.open("rb") as file:
        return file.read(HEAD)


def _folders(path: Path) -> list[str]:
    """Folders in one that is not meant to be an OME-Zarr; in such a one they are levels and chunks."""
    if path.suffix.lower() == ".zarr":
        return []
    try:
        found = sorted(entry.name for entry in path.iterdir() if entry.is_dir() and not entry.name.startswith("."))
    except OSError:
        return []
    return [] if any(name.isdecimal() for name in found) else found


def _unknown(location: Location, head: bytes) -> str:
    if location.path.is_dir():
        below = _folders(location.path)
        if below:
            holds = f"{location.name} holds no image itself but folders, which are not searched"
            return f"{holds}. Give those that hold images, such as {location.name}/{readable(below[0])}."
        sentence = f"{location.name} is a folder but not an OME-Zarr: it has no zarr.json, .zgroup or .zattrs at its top."
        return f"{sentence} Give the folder that holds one, or the image files themselves."
    if not head:
        return f"{location.name} is empty. Check that the upload or copy was completed."
    known = next((name for start, name in _NOT_READ.items() if head.startswith(start)), None)
    if known:
        return f"{location.name} is a {known} file, which is not read yet. Export it as OME-TIFF with the microscope's software or Bio-Formats."
    return (
        f"{location.name} is of no format this tool reads (it begins with the bytes {head[:8].hex(' ')}). "
        "It reads CZI, LIF (and LOF, XLIF), ND2, Imaris and other HDF5, TIFF, OME-TIFF, ImageJ and LSM stacks, "
        "OME-Zarr (folder or zip), PNG and JPEG."
    )
