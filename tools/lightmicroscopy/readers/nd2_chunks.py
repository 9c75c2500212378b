"""The chunks an ND2 file is made of, found through the map at its end and read by position.

A chunk is a header of 16 bytes (magic number, length of the name field, length of the data; little-endian), its name, which
ends with ``!`` and is padded with NULs, and its data. The last 40 bytes of a file say where the map is, which lists name,
offset and length of every chunk. Nothing is mapped into memory, and no length is believed before it was compared with the
file's. Structure after Laboratory Imaging's limnd2 and the nd2 package of T. Lambert.
"""

from __future__ import annotations

import re
import struct
from typing import TYPE_CHECKING, Final, NamedTuple

from ..errors import LimitError, UnreadableError

if TYPE_CHECKING:
    from .files import RandomFile

MAGIC: Final = b"\xda\xce\xbe\x0a"
SIGNATURE: Final = b"ND2 FILE SIGNATURE CHUNK NAME01!"
_MAP: Final = b"ND2 FILEMAP SIGNATURE NAME 0001!"
_MAP_END: Final = b"ND2 CHUNK MAP SIGNATURE 0000001!"
_HEADER: Final = struct.Struct("<4sIQ")
_PLACE: Final = struct.Struct("<QQ")
_TAIL: Final = struct.Struct("<32sQ")
_MAP_TAIL: Final = _TAIL.size
"""Bytes of the map that are no entry: its end mark, and where it began."""
_FRAME: Final = re.compile(rb"ImageDataSeq\|(\d{1,18})!")
MOST_CHUNKS: Final = 4_000_000
"""Chunks of one file: each frame has one, and often another one of metadata."""
LARGEST_METADATA: Final = 64 << 20
"""Bytes of a chunk that is read as metadata."""
_LONGEST_NAME: Final = 1 << 16
_LONGEST_ENTRY: Final = _LONGEST_NAME + _PLACE.size
_PIECE: Final = 4 << 20
"""Bytes of the map that are read at once."""


class Place(NamedTuple):
    """Where the data of a chunk are."""

    offset: int
    length: int


class Chunks:
    """The chunks of one file.

    Raises
    ------
    UnreadableError
        If the file is truncated, or its map is damaged.
    LimitError
        If it lists more than `MOST_CHUNKS`.
    """

    def __init__(self, file: RandomFile) -> None:
        self.file = file
        self.version = self._version()
        self.starts: dict[bytes, int] = {}
        """Name (with its ``!``) of every chunk but those of the frames to the offset of its header."""
        self.frames: dict[int, int] = {}
        """Number of each stored frame to the offset of its chunk's header."""
        self._read_map()

    def names(self, start: bytes) -> list[bytes]:
        """Names that begin so."""
        return sorted(name for name in self.starts if name.startswith(start))

    def read(self, name: bytes) -> bytes | None:
        """Read a chunk of metadata; None if the file has none of that name.

        Raises
        ------
        UnreadableError
            If there is another chunk in its place, or it is cut off.
        LimitError
            If it is larger than `LARGEST_METADATA`.
        """
        if name not in self.starts:
            return None
        place = self.place(self.starts[name], name)
        if place.length > LARGEST_METADATA:
            raise LimitError(
                f"{self.file.name} has a chunk of metadata of {place.length:,} bytes ({_text(name)}); at most {LARGEST_METADATA:,} are read. "
                "Check where the file comes from."
            )
        return self.file.read(place.offset, place.length)

    def place(self, start: int, name: bytes) -> Place:
        """Where the data of the chunk at `start` are, having made sure that it is the one named."""
        head = self.file.read(start, _HEADER.size + len(name))
        magic, width, length = _HEADER.unpack_from(head) if len(head) == _HEADER.size + len(name) else (b"", 0, 0)
        offset = start + _HEADER.size + width
        if magic != MAGIC or head[_HEADER.size :] != name or width > _LONGEST_NAME:
            raise self.damaged(f"the chunk {_text(name)} is not at byte {start:,}, where its table of contents has it")
        if offset + length > self.file.size:
            short = offset + length - self.file.size
            raise UnreadableError(f"{self.file.name} is truncated: its chunk {_text(name)} needs {short:,} more bytes. Copy or upload it again.")
        return Place(offset, length)

    def damaged(self, what: str) -> UnreadableError:
        """Make an error that says what is wrong with the file."""
        return UnreadableError(f"{self.file.name} is damaged: {what}. Copy or upload it again, or save it anew with NIS-Elements.")

    def _version(self) -> tuple[int, int]:
        head = self.file.read(0, _HEADER.size + len(SIGNATURE) + 6)
        digits = head[_HEADER.size + len(SIGNATURE) :]
        match = re.fullmatch(rb"Ver(\d)\.(\d)", digits)
        if head[:4] != MAGIC or match is None:
            raise self.damaged(f"its header does not tell its version ({digits!r})")
        return int(match[1]), int(match[2])

    def _read_map(self) -> None:
        tail = self.file.read(self.file.size - _TAIL.size, _TAIL.size)
        signature, start = _TAIL.unpack(tail) if len(tail) == _TAIL.size else (b"", 0)
        if signature != _MAP_END:
            raise UnreadableError(
                f"{self.file.name} is truncated: an ND2 file ends with its table of contents, which is missing. "
                "Copy or upload it again; if the acquisition was interrupted, open and save it with NIS-Elements."
            )
        place = self.place(start, _MAP)
        # Each entry is a name and 16 bytes; so is at least the chunk that it stands for, which lies elsewhere.
        if place.length - _MAP_TAIL > self.file.size - place.length:
            raise self.damaged(f"its table of contents of {place.length:,} bytes lists more than the file has room for")
        self._read_entries(place)

    def _read_entries(self, place: Place) -> None:
        """Read the map piece by piece, up to its end mark: its length may be gigabytes of nothing."""
        table, at, offset, end = b"", 0, place.offset, place.offset + place.length
        last = self.file.size - _HEADER.size
        for count in range(MOST_CHUNKS + 1):
            while len(table) - at < _LONGEST_ENTRY and offset < end:
                more = self.file.read(offset, min(_PIECE, end - offset))
                # The file became shorter while it was read.
                offset = offset + len(more) if more else end
                table, at = table[at:] + more, 0
            stop = table.find(b"!", at, at + _LONGEST_NAME) + 1
            if not stop:
                raise self.damaged("its table of contents has no end")
            name = table[at:stop]
            if name == _MAP_END:
                return
            if stop + _PLACE.size > len(table):
                raise self.damaged("its table of contents is cut off")
            start, _ = _PLACE.unpack_from(table, stop)
            if start > last:
                raise self.damaged(f"its table of contents has {_text(name)} at byte {start:,} of {self.file.size:,}")
            if count == MOST_CHUNKS:
                break
            if match := _FRAME.fullmatch(name):
                self.frames[int(match[1])] = start
            else:
                self.starts[name] = start
            at = stop + _PLACE.size
        raise LimitError(f"{self.file.name} lists more than {MOST_CHUNKS:,} chunks. Split it with NIS-Elements before converting it.")


def _text(name: bytes) -> str:
    return repr(name[:80].rstrip(b"!").decode("ascii", "replace"))
