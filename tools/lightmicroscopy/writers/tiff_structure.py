"""The structure of a TIFF file: header, directories and the data they point to.

The first directory and the description lie at the front, with room for the description to grow in place; tiles follow in
whatever order they are appended; all other directories come last. Source: TIFF 6.0, its Technical Note 1 (SubIFDs) and BigTIFF.
"""

from __future__ import annotations

import os
import struct
import threading
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import numpy as np
    from numpy.typing import NDArray

CLASSIC_LIMIT = 2**32
DESCRIPTION = 270
SUB_DIRECTORIES = 330
ASCII, SHORT, LONG, RATIONAL, IFD, LONG8, IFD8 = 2, 3, 4, 5, 13, 16, 18
_LEAST_ROOM = 4096
_ROOM_SHARE = 4
_ALIGN = 8


@dataclass(frozen=True, slots=True)
class Tag:
    """One field of a directory: its number, type, count and little-endian value."""

    code: int
    kind: int
    count: int
    value: bytes


@dataclass(frozen=True, slots=True)
class Directory:
    """One image file directory, and those of its smaller levels."""

    tags: tuple[Tag, ...]
    smaller: tuple[Directory, ...] = ()


def short(code: int, *values: int) -> Tag:
    """Field of 16-bit numbers."""
    return Tag(code, SHORT, len(values), struct.pack(f"<{len(values)}H", *values))


def long(code: int, *values: int) -> Tag:
    """Field of 32-bit numbers."""
    return Tag(code, LONG, len(values), struct.pack(f"<{len(values)}I", *values))


def shorts(code: int, values: NDArray[np.uint16]) -> Tag:
    """Field of many 16-bit numbers."""
    return Tag(code, SHORT, values.size, values.astype("<u2").tobytes())


def ascii_text(code: int, text: str) -> Tag:
    """Field of text."""
    data = text.encode("ascii", "replace") + b"\0"
    return Tag(code, ASCII, len(data), data)


def rational(code: int, value: float) -> Tag:
    """Field of one fraction of two 32-bit numbers, as close to `value` as they come."""
    top = 2**32 - 1
    fraction = Fraction(value).limit_denominator(max(1, min(top, int(top / max(value, 1e-9)))))
    return Tag(code, RATIONAL, 1, struct.pack("<II", min(fraction.numerator, top), fraction.denominator))


def room_for(description: int) -> int:
    """Bytes kept free behind a description of so many bytes."""
    return max(_LEAST_ROOM, description // _ROOM_SHARE)


class TiffStructure:
    """A TIFF file being written. `append` and `write` may be called from several threads; `finish` once, after all of them.

    Parameters
    ----------
    path
        File to make.
    description
        ImageDescription of the first directory, without NUL.
    big
        Whether offsets have 64 bits (BigTIFF).
    tags
        Number of fields the first directory will have, the description included.
    """

    def __init__(self, path: Path, description: bytes, *, big: bool, tags: int) -> None:
        self.big = big
        self.word = "<Q" if big else "<I"
        self.inline = 8 if big else 4
        self.entry = 20 if big else 12
        self.first = 16 if big else 8
        self.description = description + b"\0"
        self.description_at = _aligned(self.first + self._directory_size(tags))
        self.end = _aligned(self.description_at + len(self.description) + room_for(len(description)))
        self.description_end = self.description_at + len(self.description)
        self.lock = threading.Lock()
        self.file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0), 0o666)

    def describe(self, description: bytes) -> bool:
        """Replace the description by one that is no longer than the first; tells whether it was, and so was taken."""
        if self.description_at + len(description) + 1 > self.description_end:
            return False
        self.description = description + b"\0"
        return True

    def close(self) -> None:
        """Close the file as it is."""
        if self.file >= 0:
            os.close(self.file)
            self.file = -1

    def append(self, data: bytes) -> int:
        """Write one tile; returns its offset."""
        offset = self.reserve(len(data))
        self.write(offset, data)
        return offset

    def reserve(self, count: int) -> int:
        """Keep so many bytes for `write`; returns their offset."""
        with self.lock:
            offset = self.end
            self.end = offset + count + count % 2
        return offset

    def finish(self, directories: Sequence[Directory]) -> int:
        """Write all directories, the first to its place at the front.

        Returns
        -------
        int
            Size of the file.
        """
        start = _aligned(self.end)
        tail = bytearray()
        following = 0
        # From last to first, since a directory holds the place of the next.
        for directory in reversed(directories[1:]):
            following = self._place(directory, following, tail, start)
        head = self._with_smaller(directories[0], tail, start)
        front = self._encode(head, following, tail, start, at=self.first)
        self.write(start, bytes(tail))
        self.write(self.first, front)
        self.write(self.description_at, self.description)
        self.write(0, self._header())
        size = start + len(tail)
        # Keeps the size right where the last tile ends on the padding byte.
        os.ftruncate(self.file, size)
        self.close()
        return size

    def _header(self) -> bytes:
        if self.big:
            return struct.pack("<2sHHHQ", b"II", 43, 8, 0, self.first)
        return struct.pack("<2sHI", b"II", 42, self.first)

    def _directory_size(self, tags: int) -> int:
        return (8 if self.big else 2) + tags * self.entry + self.inline

    def _with_smaller(self, directory: Directory, tail: bytearray, start: int) -> tuple[Tag, ...]:
        if not directory.smaller:
            return directory.tags
        places = [self._place(level, 0, tail, start) for level in directory.smaller]
        value = b"".join(struct.pack(self.word, place) for place in places)
        tag = Tag(SUB_DIRECTORIES, IFD8 if self.big else IFD, len(places), value)
        return tuple(sorted((*directory.tags, tag), key=lambda item: item.code))

    def _place(self, directory: Directory, following: int, tail: bytearray, start: int) -> int:
        """Append a directory, its levels and its values to the tail; returns where the directory begins."""
        tags = self._with_smaller(directory, tail, start)
        _pad(tail)
        at = start + len(tail)
        tail.extend(bytes(self._directory_size(len(tags))))
        data = self._encode(tags, following, tail, start, at=at)
        tail[at - start : at - start + len(data)] = data
        return at

    def _encode(self, tags: tuple[Tag, ...], following: int, tail: bytearray, start: int, *, at: int) -> bytes:
        out = bytearray(struct.pack("<Q" if self.big else "<H", len(tags)))
        for tag in tags:
            value = tag.value
            if tag.code == DESCRIPTION and at == self.first:
                value = struct.pack(self.word, self.description_at)
            elif len(value) > self.inline:
                _pad(tail)
                place = start + len(tail)
                tail.extend(value)
                value = struct.pack(self.word, place)
            out += struct.pack("<HH" + self.word[1:], tag.code, tag.kind, tag.count) + value.ljust(self.inline, b"\0")
        return bytes(out + struct.pack(self.word, following))

    def write(self, offset: int, data: bytes) -> None:
        """Write bytes to their place."""
        view = memoryview(data)
        while view:
            written = os.pwrite(self.file, view, offset)
            view, offset = view[written:], offset + written


def _aligned(offset: int) -> int:
    return -(-offset // _ALIGN) * _ALIGN


def _pad(data: bytearray) -> None:
    data.extend(bytes(-len(data) % _ALIGN))
