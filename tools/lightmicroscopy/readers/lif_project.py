"""Leica projects: an XLEF names XLCF and XLIF files, and each XLIF the files that hold the pixels of one image.

The names in a project are paths on the microscope's computer. Only their last part is used, and it is looked for among the
files given and in the folder of the project and those beneath it; nothing else is ever opened.
Source: Leica Microsystems, "Leica Image File Formats", version 3.2 of 2016 (Reference, Frame, Block).
"""

from __future__ import annotations

import os
import re
from bisect import bisect_right
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import numpy as np

from ..errors import LimitError, UnreadableError
from ..image import LARGE_UNIT, Dataset, Location, Region
from ..metadata.lif_xml import integer
from .files import RandomFile
from .large_units import kept_picture
from .lif_source import BlockMemory, Memory
from .lif_structure import Block, Structure, looks_like, read_structure

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lxml import etree
    from numpy.typing import NDArray

_MOST_FILES = 100_000
_DEEPEST = 16
_HELD = 200
_METADATA = "metadata"
_LOSSY = (".jpg", ".jpeg")
Member = tuple["etree._Element", Memory, int]
"""An ``Image`` element, its memory, and the bytes that has."""


@dataclass(frozen=True, slots=True)
class Frame:
    """A part of an image's memory that lies in a file of its own."""

    offset: int
    size: int
    path: Path


class Project:
    """The files of a project, found and opened as they are needed."""

    def __init__(self, location: Location) -> None:
        self._location = location
        self.warnings: tuple[str, ...] = ()
        self.format = "Leica XLEF"
        self._used: dict[Path, None] = {location.path: None}
        self._files: list[RandomFile] = []
        self._datasets: list[Dataset] = []
        self._names: dict[str, list[Path]] | None = None

    def images(self, structure: Structure, path: Path | None = None, depth: int = 0) -> Iterator[Member]:
        """Every image of the project, in the order of its references."""
        from .lif import image_elements

        path = path or self._location.path
        elements = image_elements(structure.root)
        if depth == 0 and elements:
            self.format = "Leica XLIF"
        for element in elements:
            holder = element.getparent().getparent()  # type: ignore[union-attr]
            memory = None if holder is None else holder.find("Memory")
            if memory is not None:
                yield element, *self._memory(memory, path)
        for reference in structure.root.iterfind(".//Children/Reference"):
            yield from self._referred(reference.get("File") or "", path, depth)

    def _referred(self, name: str, path: Path, depth: int) -> Iterator[Member]:
        from .lif import image_elements

        if depth >= _DEEPEST or len(self._used) > _MOST_FILES:
            raise LimitError(f"{self._location.name} refers to files that refer to files without an end. Check where it comes from.")
        if not name.lower().endswith((".xlif", ".xlcf", ".xlef", ".lof")):
            return
        found = self._find(name, path)
        if found is None:
            raise UnreadableError(
                f"{self._location.name} is a project, and its file {_bare(name)!r} is not there. Give all files of the project together."
            )
        if found in self._used:
            return
        self._used[found] = None
        file = self._open(found)
        structure = read_structure(file)
        if structure.kind == "XML":
            file.close()
            yield from self.images(structure, found, depth + 1)
            return
        block = structure.only_block
        for element in image_elements(structure.root):
            if block is not None:
                yield element, BlockMemory(file, block, found.name), block.size

    def used(self) -> tuple[Path, ...]:
        """Every file the project is made of."""
        return tuple(self._used)

    def close(self) -> None:
        """Close everything."""
        for file in self._files:
            file.close()
        for dataset in self._datasets:
            dataset.close()

    def _memory(self, memory: etree._Element, path: Path) -> tuple[Memory, int]:
        frames = []
        for part in memory.iterchildren():
            name = part.get("File") if isinstance(part.tag, str) else None
            if not name:
                continue
            found = self._find(name, path)
            if found is None:
                raise UnreadableError(
                    f"{self._location.name} is part of a project, and its file {_bare(name)!r} is not there. Give all files of the project together."
                )
            self._used[found] = None
            frames.append(Frame(integer(part.get("Offset")) or 0, integer(part.get("Size")) or 0, found))
            if len(frames) > _MOST_FILES:
                raise LimitError(f"{path.name} names more than {_MOST_FILES:,} files. Check where it comes from.")
        size = integer(memory.get("Size")) or 0
        if len(frames) == 1 and frames[0].path.suffix.lower() == ".lof":
            file = self._open(frames[0].path)
            block = read_structure(file).only_block or Block(0, 0)
            return BlockMemory(file, block, frames[0].path.name), block.size
        return FrameMemory(tuple(sorted(frames, key=lambda frame: frame.offset)), path.name), size

    def _open(self, path: Path) -> RandomFile:
        file = RandomFile(path, hold=len(self._files) < _HELD)
        self._files.append(file)
        return file

    def _find(self, name: str, beside: Path) -> Path | None:
        bare = _bare(name)
        if not bare:
            return None
        candidates = self._by_name().get(bare.lower(), [])
        # Of several with one name, that in the folder the project says, as far as it can be told.
        wanted = _folder(name)
        return max(candidates, key=lambda path: (path.parent.name.lower() == wanted, path.parent == beside.parent), default=None)

    def _by_name(self) -> dict[str, list[Path]]:
        """Files that may be members, by their names in small letters: Windows does not tell them from capitals."""
        if self._names is None:
            given = list(self._location.files)
            if len(given) < 2:
                folder = self._location.path.resolve().parent
                # LAS X keeps XLIF files in a folder of their own, beside those of the pixels.
                given += _beneath(folder.parent if folder.name.lower() == _METADATA else folder)
            self._names = {}
            for path in dict.fromkeys(given):
                self._names.setdefault(path.name.lower(), []).append(path)
        return self._names


class FrameMemory:
    """The memory of an image whose planes are pictures of their own."""

    def __init__(self, frames: tuple[Frame, ...], name: str) -> None:
        self._frames = frames
        self._name = name
        self._starts = [frame.offset for frame in frames]
        self.lossy = any(frame.path.suffix.lower() in _LOSSY for frame in frames)
        self.frame = max((frame.size for frame in frames), default=1)

    def read_into(self, offset: int, buffer: memoryview) -> None:
        """Fill a buffer of bytes."""
        done = 0
        while done < len(buffer):
            at = offset + done
            index = bisect_right(self._starts, at) - 1
            frame = self._frames[index] if index >= 0 else None
            if frame is None or at >= frame.offset + frame.size:
                raise UnreadableError(f"{self._name} does not say in which file its byte {at:,} is. Copy or upload the project again.")
            part = self._decode(index, frame)[at - frame.offset : offset + len(buffer) - frame.offset]
            buffer[done : done + len(part)] = part
            done += len(part)

    def _decode(self, index: int, frame: Frame) -> memoryview:
        found = _pixels(frame) if frame.size <= LARGE_UNIT else kept_picture(self, index, lambda: _pixels(frame))
        return memoryview(b"") if found is None else found.data


def _open_picture(path: Path) -> Dataset:
    """Open a frame, which cannot be a project itself: such could name each other without an end."""
    from . import HEAD, Reader, lif, raster, tiff

    readers: tuple[Reader, ...] = (tiff, raster, lif)
    file = RandomFile(path, hold=False)
    head = file.read(0, HEAD)
    for reader in readers:
        if reader.sniff(path, head) and looks_like(head) in (None, "LOF"):
            return reader.open_dataset(Location(path, (path,)))
    raise UnreadableError(
        f"{path.name} is named by a project as the picture of a plane, but is no TIFF, PNG, JPEG or LOF. Copy or upload the project again."
    )


def _pixels(frame: Frame) -> NDArray[Any]:
    """The values of one frame's picture, as they would lie in memory."""
    with _open_picture(frame.path) as dataset:
        pixels = dataset.images[0].levels[0].pixels
        size, samples = pixels.shape.pixels * pixels.dtype.itemsize, pixels.shape.s
        # Single channels are sometimes saved as gray RGB pictures.
        gray = samples == 3 and size == 3 * frame.size
        if size != frame.size and not gray:
            raise UnreadableError(
                f"{frame.path.name} holds {size:,} bytes of pixels, but its project says {frame.size:,}. Copy or upload the project again."
            )
        values = pixels.read(Region.whole(pixels.shape))
        if gray:
            if not all(np.array_equal(values[..., 0], values[..., sample]) for sample in (1, 2)):
                raise UnreadableError(
                    f"{frame.path.name} is a picture in colour, but its project says that it is of one channel. "
                    "Export the image as OME-TIFF with the microscope's software."
                )
            values = values[..., :1]
        return np.ascontiguousarray(values, values.dtype.newbyteorder("<")).reshape(-1).view(np.uint8)


def _bare(name: str) -> str:
    """The last part of a path from a project, empty if it is no name of a file."""
    last = re.split(r"[\\/]", unquote(name))[-1]
    return "" if last in ("", ".", "..") or "\0" in last else last


def _folder(name: str) -> str:
    parts = re.split(r"[\\/]", unquote(name))
    return parts[-2].lower() if len(parts) > 1 else ""


def _beneath(folder: Path) -> list[Path]:
    """Files in a folder and those beneath it, two deep, as LAS X lays its projects out; links are not followed."""
    found: list[Path] = []
    for place, folders, names in os.walk(folder):
        if len(Path(place).relative_to(folder).parts) >= 2:
            folders.clear()
        found += [Path(place, name) for name in sorted(names)]
        if len(found) > _MOST_FILES:
            break
    return found
