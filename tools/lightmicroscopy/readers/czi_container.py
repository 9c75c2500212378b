"""The container of Zeiss CZI: segments, the directory of subblocks, attachments, and the XML.

Structures follow Zeiss' published description of the file format (ZISRAW, version 1.2.2). All numbers are little-endian. A segment
is a name of 16 bytes, its allocated and its used size, and contents from byte 32 on.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from ..errors import LimitError, UnreadableError
from ..names import readable
from .czi_directory import LETTERS, Directory, Listed
from .czi_listing import DIMENSION, ENTRY_HEAD, MAX_BLOCKS, MAX_DIMENSIONS, read_listing
from .files import RandomFile

if TYPE_CHECKING:
    from pathlib import Path

MAGIC: Final = b"ZISRAWFILE"
SEGMENT: Final = 32
"""Bytes of a segment's header."""
_FIXED: Final = 256
"""Bytes before the metadata of a subblock, and before those of the file."""
_HEADER: Final = struct.Struct("<2i8x16s16siqqiq")
_DIRECTORY_HEAD: Final = 128
_ATTACHMENTS_HEAD: Final = 256
_ATTACHMENT: Final = 128
_MAX_ATTACHMENTS: Final = 10_000
_SUBBLOCK_HEAD: Final = SEGMENT + 16 + ENTRY_HEAD + MAX_DIMENSIONS * DIMENSION
_MAX_XML: Final = 128 << 20
_MAX_BLOCK_XML: Final = 1 << 16


@dataclass(frozen=True, slots=True)
class Header:
    """The file's first segment: which file of a set it is, and where the other segments are."""

    primary: bytes
    part: int
    directory: int
    metadata: int
    attachments: int


@dataclass(frozen=True, slots=True)
class Contents:
    """Where the parts of one subblock are in the file."""

    metadata: int
    metadata_size: int
    data: int
    data_size: int


class CziFile:
    """One file of a CZI, or a CZI that lies as an attachment inside another.

    Parameters
    ----------
    path
        The file.
    base, size
        Where it begins inside `path`, and its length; the whole file if not given.
    """

    def __init__(self, path: Path, base: int = 0, size: int | None = None) -> None:
        self.file = RandomFile(path)
        self.name = readable(path.name)
        self._base = base
        self.size = self.file.size if size is None else size
        self.header = self._read_header()
        self.directory_decides = False
        """Whether subblocks may say of themselves something else than the directory does."""

    def read(self, offset: int, count: int) -> bytes:
        """Read up to `count` bytes at `offset`; fewer only at the end."""
        return self.file.read(self._base + offset, max(0, min(count, self.size - offset)))

    def read_into(self, offset: int, buffer: memoryview) -> int:
        """Fill `buffer` (contiguous) from `offset`; returns how many bytes there were."""
        room = max(0, self.size - offset)
        return self.file.read_into(self._base + offset, buffer if buffer.nbytes <= room else buffer.cast("B")[:room])

    def close(self) -> None:
        """Give the file back to the operating system."""
        self.file.close()

    def inner(self, offset: int, size: int) -> CziFile:
        """A CZI stored at `offset` inside this one."""
        return CziFile(self.file.path, self._base + offset, size)

    def damaged(self, what: str) -> UnreadableError:
        """An error about this file."""
        return UnreadableError(f"{self.name} is damaged: {what}. Copy or upload it again.")

    def truncated(self, what: str) -> UnreadableError:
        """An error about the missing end of this file."""
        return UnreadableError(f"{self.name} is truncated: {what} lies beyond its end at byte {self.size:,}. Copy or upload it again.")

    def metadata_xml(self) -> bytes:
        """The metadata of the whole file; empty if there are none."""
        at = self.header.metadata
        if not at:
            return b""
        head = self._contents(at, b"ZISRAWMETADATA", "its metadata")
        size = struct.unpack("<i", self._exactly(head, 4, "its metadata"))[0]
        if size < 0 or size > _MAX_XML:
            raise LimitError(f"The metadata of {self.name} are said to be {size:,} bytes long; at most {_MAX_XML:,} are read. It may be damaged.")
        return self._exactly(head + _FIXED, size, "its metadata")

    def attachments(self) -> dict[str, tuple[int, int]]:
        """Offset and size of each attachment by its name; of several of one name, the first."""
        at = self.header.attachments
        if not at:
            return {}
        head = self._contents(at, b"ZISRAWATTDIR", "its list of attachments")
        count = struct.unpack("<i", self._exactly(head, 4, "its list of attachments"))[0]
        if not 0 <= count <= self.size // _ATTACHMENT:
            raise self.damaged(f"it lists {count:,} attachments")
        if count > _MAX_ATTACHMENTS:
            raise LimitError(f"{self.name} lists {count:,} attachments; at most {_MAX_ATTACHMENTS:,} are read. It may be damaged.")
        table = self._exactly(head + _ATTACHMENTS_HEAD, count * _ATTACHMENT, "its list of attachments")
        found: dict[str, tuple[int, int]] = {}
        for number in range(count):
            entry = table[number * _ATTACHMENT : (number + 1) * _ATTACHMENT]
            position = struct.unpack_from("<q", entry, 12)[0]
            name = entry[48:].split(b"\0")[0].decode("latin-1")
            if name not in found and self.read(position, 12) == b"ZISRAWATTACH":
                size = struct.unpack("<q", self._exactly(position + SEGMENT, 8, f"the attachment {name}"))[0]
                found[name] = position + SEGMENT + _FIXED, size
        return {name: (offset, size) for name, (offset, size) in found.items() if 0 <= size <= self.size - offset}

    def directory(self, files: dict[int, int]) -> Directory:
        """All subblocks that the directory lists.

        Parameters
        ----------
        files
            Index of each file of the set by its number as a part.
        """
        head = self._contents(self.header.directory, b"ZISRAWDIRECTORY", "its directory")
        count = struct.unpack("<i", self._exactly(head, 4, "its directory"))[0]
        allocated, used = struct.unpack("<qq", self._exactly(head - 16, 16, "its directory"))
        room = min(used or allocated, self.size - head)
        if count < 0 or count * ENTRY_HEAD > room:
            raise self.damaged(f"its directory lists {count:,} subblocks, more than it has room for")
        if count > MAX_BLOCKS:
            raise LimitError(f"{self.name} lists {count:,} subblocks; at most {MAX_BLOCKS:,} are read. Split the file in ZEN before converting it.")
        return read_listing(self, head + _DIRECTORY_HEAD, head + room, count, files)

    def contents(self, position: int, listed: Listed | None = None) -> Contents:
        """Where the metadata and the pixels of the subblock at `position` are; they are all there.

        Parameters
        ----------
        listed
            What the directory says of it. A subblock says the same once more, so that damage to either is seen.
        """
        head = self.read(position, _SUBBLOCK_HEAD)
        if len(head) < SEGMENT + _FIXED:
            raise self.truncated(f"the subblock at byte {position:,}")
        if not head.startswith(b"ZISRAWSUBBLOCK"):
            raise self.damaged(f"there is no subblock at byte {position:,}, where its directory says so")
        metadata, attachment, data = struct.unpack_from("<iiq", head, SEGMENT)
        dimensions = struct.unpack_from("<i", head, SEGMENT + 16 + 28)[0]
        if min(metadata, attachment, data) < 0 or not 0 <= dimensions <= MAX_DIMENSIONS:
            raise self.damaged(f"the subblock at byte {position:,} has impossible sizes")
        if listed is not None and not self.directory_decides and listed != _listed_in(head, dimensions):
            raise self.damaged(f"its directory and the subblock at byte {position:,} contradict each other")
        room = max(struct.unpack_from("<qq", head, 16))
        first = position + SEGMENT + max(_FIXED, 16 + ENTRY_HEAD + dimensions * DIMENSION)
        if first + metadata + data > position + SEGMENT + room and room:
            raise self.damaged(f"the subblock at byte {position:,} says it has {room:,} bytes, and that its parts are longer")
        if first + metadata + data > self.size:
            raise self.truncated(f"the subblock at byte {position:,}")
        return Contents(first, metadata, first + metadata, data)

    def agrees(self, position: int, listed: Listed) -> bool:
        """Whether the subblock at `position` says of itself what the directory does."""
        head = self.read(position, _SUBBLOCK_HEAD)
        dimensions = struct.unpack_from("<i", head, SEGMENT + 16 + 28)[0] if len(head) >= SEGMENT + _FIXED else -1
        return not 0 <= dimensions <= MAX_DIMENSIONS or listed == _listed_in(head, dimensions)

    def extent(self, position: int, letter: str) -> int:
        """How far the subblock at `position` itself says that it goes along a dimension."""
        head = self.read(position, _SUBBLOCK_HEAD)
        dimensions = struct.unpack_from("<i", head, SEGMENT + 16 + 28)[0]
        first = SEGMENT + 16 + ENTRY_HEAD
        spans = [struct.unpack_from("<4siifi", head, first + number * DIMENSION) for number in range(dimensions)]
        return next((size for name, _, size, *_ in spans if name.decode("latin-1").strip("\0 ") == letter), 1)

    def block_xml(self, position: int) -> bytes:
        """The metadata of one subblock, no more than its first 64 KiB."""
        place = self.contents(position)
        return self.read(place.metadata, min(place.metadata_size, _MAX_BLOCK_XML))

    def _read_header(self) -> Header:
        head = self.read(0, SEGMENT + _HEADER.size)
        if len(head) < SEGMENT + _HEADER.size:
            raise self.truncated("its header")
        _, _, primary, _, part, directory, metadata, _, attachments = _HEADER.unpack_from(head, SEGMENT)
        if min(directory, metadata, attachments) < 0:
            raise self.damaged("its header points to before the file")
        return Header(primary, part, directory, metadata, attachments)

    def _contents(self, at: int, name: bytes, what: str) -> int:
        """Offset of the contents of the segment at `at`, which must be of that name."""
        if at + SEGMENT > self.size:
            raise self.truncated(what)
        if not at or self.read(at, 16).rstrip(b"\0") != name:
            raise self.damaged(f"{what} is not at byte {at:,}, where its header says so. Saving it was perhaps interrupted")
        return at + SEGMENT

    def _exactly(self, offset: int, count: int, what: str) -> bytes:
        if offset + count > self.size:
            raise self.truncated(what)
        return self.read(offset, count)

    def check_last(self, position: int) -> None:
        """Make sure that the last subblock is whole: they lie one behind the other, so it tells of a truncated file."""
        if position + SEGMENT + _FIXED > self.size:
            raise self.truncated(f"the subblock at byte {position:,}")
        self.contents(position)


def _listed_in(head: bytes, dimensions: int) -> Listed:
    """What the head of a subblock says of itself."""
    entry = SEGMENT + 16
    pixel_type, compression = struct.unpack_from("<i", head, entry + 2)[0], struct.unpack_from("<i", head, entry + 18)[0]
    spans = {}
    for number in range(dimensions):
        name, start, size, _, stored = struct.unpack_from("<4siifi", head, entry + ENTRY_HEAD + number * DIMENSION)
        letter = name.decode("latin-1").strip("\0 ")
        if letter in LETTERS:
            spans[letter] = (start, size, stored or size) if letter in "XY" else (start, 0, 0)
    return Listed(pixel_type, compression, spans)
