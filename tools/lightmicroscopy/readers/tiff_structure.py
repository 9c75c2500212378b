"""The directories (IFDs) of a TIFF file, checked against the size of the file before anything trusts them.

tifffile parses the tags of one page of each kind; this module walks the chain itself, because nobody vouches for a file:
chains that loop, tags that claim more bytes than the file has, and directories outside it must end in a sentence
rather than in memory. It also makes sets of 100,000 equal planes quick to open.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, Literal

import numpy as np

from ..errors import LimitError, UnreadableError
from ..metadata.safe_xml import LARGEST

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .files import RandomFile

    Numbers = tuple[int, ...] | NDArray[np.int64]

MAX_IFDS = 2_000_000
MAX_TAGS = 4096
MAX_SUBIFDS = 64
_READ_AHEAD = 1024

_TYPE_SIZE = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8}
_INTEGER = {1: "u1", 3: "u2", 4: "u4", 13: "u4", 16: "u8", 18: "u8"}

_WHOLE = frozenset((*_INTEGER, 6, 8, 9))
"""Types of whole numbers, signed ones among them, which some writers use."""
_HEADER = 8

SUBFILE, WIDTH, HEIGHT, COMPRESSION, DESCRIPTION, SUBIFDS = 254, 256, 257, 259, 270, 330
OFFSETS = (324, 273)
COUNTS = (325, 279)
OLD_JPEG = 6

_LAYOUT = frozenset(
    (
        *(256, 257, 258, 259, 262, 266, 277, 278, 284, 292, 293, 317, 320, 322, 323, 338, 339, 347),
        *(512, 513, 514, 515, 517, 518, 519, 520, 521, 529, 530, 531, 532),
        *(32997, 32998, 42113, 50674, 65000, 65001, 65002, 65007, 65008, 65009),
    )
)
"""Tags on which decoding depends: pages alike in all of them are decoded alike."""
_COUNTED = frozenset((256, 257, 258, 259, 262, 266, 277, 278, 284, 317, 322, 323, 338, 339, *OFFSETS, *COUNTS))
"""Those of them that are whole numbers, and where the pixels are: taken for absent, they would be read as their defaults."""


@dataclass(frozen=True, slots=True)
class Ifd:
    """One directory: where it is, how its pixels are stored, where they are."""

    index: int
    offset: int
    subfile: int
    signature: tuple[tuple[int, int, bytes], ...]
    offsets: Numbers
    counts: Numbers
    subifds: tuple[int, ...] = ()
    ordered: bool = True
    """Whether its tags rise, as TIFF demands: one whose number was damaged is no longer found."""
    typed: bool = True
    """Whether its tags are of known types."""

    @property
    def reduced(self) -> bool:
        """Whether the file calls it a smaller version of another page."""
        return bool(self.subfile & 1)


@dataclass(frozen=True, slots=True)
class Entry:
    """One field of a directory: where the entry itself is, its type, and where its value is."""

    at: int
    kind: int
    count: int
    value_at: int
    bytes: int
    """Length of the value."""


@dataclass(slots=True)
class _Raw:
    offset: int
    tags: dict[int, tuple[int, int, bytes]] = field(default_factory=dict)
    next: int = 0
    count: int = 0
    """Of its fields, with those that it has twice."""


class Scanner:
    """Walks the directories of one file.

    Parameters
    ----------
    file
        A file that begins with a TIFF header.

    Raises
    ------
    UnreadableError
        If the header is no TIFF header.
    """

    def __init__(self, file: RandomFile) -> None:
        self.file = file
        head = file.read(0, 16)
        order = {b"II": "<", b"MM": ">"}.get(head[:2])
        version = struct.unpack(f"{order}H", head[2:4])[0] if order and len(head) >= 8 else 0
        if order is None or version not in (42, 43):
            raise UnreadableError(f"{file.name} is not a TIFF file. Check that it is the file you meant.")
        self.order = order
        self.endian: Literal["little", "big"] = "little" if order == "<" else "big"
        self.big = version == 43
        if self.big:
            if len(head) < 16:
                raise self._damaged("it ends inside its header")
            self.first = struct.unpack(f"{order}Q", head[8:16])[0]
        else:
            self.first = struct.unpack(f"{order}I", head[4:8])[0]
        self._entry = struct.Struct(order + ("HHQ8s" if self.big else "HHI4s"))

    def scan(self) -> list[Ifd]:
        """Directories of the main chain, in order.

        Raises
        ------
        UnreadableError
            If the chain loops or leaves the file, or a directory is damaged.
        LimitError
            If there are more than `MAX_IFDS`.
        """
        found: list[Ifd] = []
        seen: set[int] = set()
        offset = self.first
        while offset:
            if offset in seen:
                raise self._damaged(f"its list of pages runs in a circle after page {len(found)}")
            if len(found) >= MAX_IFDS:
                raise LimitError(f"{self.file.name} holds more than {MAX_IFDS:,} pages. Split it before converting it.")
            seen.add(offset)
            raw = self._read(offset, len(found))
            found.append(self._ifd(raw, len(found)))
            offset = raw.next
        if not found:
            raise self._damaged("it lists no page")
        return found

    def at(self, offset: int, index: int) -> Ifd:
        """The directory at `offset`, named in errors as page `index`."""
        return self._ifd(self._read(offset, index), index)

    def description(self, offset: int, index: int = 0) -> bytes:
        """The raw ImageDescription of the directory at `offset`, empty where there is none."""
        entry = self._read(offset, index).tags.get(DESCRIPTION)
        if entry is None:
            return b""
        kind, number, _ = entry
        if number * _TYPE_SIZE.get(kind, 0) > LARGEST:
            raise LimitError(
                f"The description in {self.file.name} is {number:,} bytes long; at most {LARGEST:,} are accepted. Check where the file comes from."
            )
        return self._value(entry, index, DESCRIPTION)

    def entries(self, offset: int, index: int = 0) -> dict[int, Entry]:
        """Fields of the directory at `offset` by their numbers, with their places; values of an unknown type have none.

        Raises
        ------
        UnreadableError
            If one is there twice: readers differ in which of them they take.
        """
        raw = self._read(offset, index)
        first = offset + (8 if self.big else 2)
        if raw.count > len(raw.tags):
            raise self._damaged(f"page {index} has one of its tags twice")
        found = {}
        for number, (code, (kind, count, value)) in enumerate(raw.tags.items()):
            at, size = first + number * self._entry.size, count * _TYPE_SIZE.get(kind, 0)
            inside = size <= len(value)
            found[code] = Entry(at, kind, count, at + self._entry.size - len(value) if inside else int.from_bytes(value, self.endian), size)
        return found

    def _read(self, offset: int, index: int) -> _Raw:
        count_size, next_size = (8, 8) if self.big else (2, 4)
        data = self.file.read(offset, _READ_AHEAD)
        if offset < 8 or len(data) < count_size:
            raise self._truncated(f"page {index} should be listed at byte {offset:,}")
        count = int.from_bytes(data[:count_size], self.endian)
        if not 0 < count <= MAX_TAGS:
            raise self._damaged(f"page {index} claims to have {count:,} tags")
        length = count_size + count * self._entry.size
        if len(data) < length + next_size:
            data = self.file.read(offset, length + next_size)
        if len(data) < length:
            raise self._truncated(f"the tags of page {index} should end at byte {offset + length:,}")
        raw = _Raw(offset, count=count)
        for code, kind, number, value in self._entry.iter_unpack(data[count_size:length]):
            if number * _TYPE_SIZE.get(kind, 0) > self.file.size:
                raise self._damaged(f"tag {code} of page {index} claims {number:,} values, more than the file has bytes")
            raw.tags[code] = (kind, number, value)
        # A file cut right after its last tags has no next-page field; that is its end.
        tail = data[length : length + next_size]
        raw.next = int.from_bytes(tail, self.endian) if len(tail) == next_size else 0
        return raw

    def _ifd(self, raw: _Raw, index: int) -> Ifd:
        tags = raw.tags
        for code in sorted(_COUNTED & tags.keys()):
            self._check_number(tags[code], index, code)
        signature = tuple((code, tags[code][0], self._value(tags[code], index, code)) for code in sorted(_LAYOUT & tags.keys()))
        subfile = self._numbers(tags, SUBFILE, index)
        subifds = self._numbers(tags, SUBIFDS, index)
        if len(subifds) > MAX_SUBIFDS:
            subifds = subifds[:0]
        return Ifd(
            index=index,
            offset=raw.offset,
            subfile=int(subfile[0]) if len(subfile) else 0,
            signature=signature,
            offsets=next((self._numbers(tags, code, index) for code in OFFSETS if code in tags), ()),
            counts=next((self._numbers(tags, code, index) for code in COUNTS if code in tags), ()),
            subifds=tuple(int(value) for value in subifds if value),
            ordered=raw.count == len(tags) and all(first < second for first, second in pairwise(tags)),
            typed=all(kind in _TYPE_SIZE for kind, _, _ in tags.values()),
        )

    def _check_number(self, entry: tuple[int, int, bytes], index: int, code: int) -> None:
        kind, number, value = entry
        outside = number * _TYPE_SIZE.get(kind, 0) > len(value) and int.from_bytes(value, self.endian) < _HEADER
        if kind not in _WHOLE or not number or outside:
            raise self._damaged(f"tag {code} of page {index} is no number")

    def _value(self, entry: tuple[int, int, bytes], index: int, code: int) -> bytes:
        kind, number, value = entry
        size = number * _TYPE_SIZE.get(kind, 0)
        if size <= len(value):
            return value[:size]
        start = int.from_bytes(value, self.endian)
        data = self.file.read(start, size)
        if len(data) < size:
            raise self._truncated(f"tag {code} of page {index} should end at byte {start + size:,}")
        return data

    def _numbers(self, tags: dict[int, tuple[int, int, bytes]], code: int, index: int) -> Numbers:
        entry = tags.get(code)
        if entry is None or entry[0] not in _INTEGER:
            return ()
        data = self._value(entry, index, code)
        values = np.frombuffer(data, self.order + _INTEGER[entry[0]])
        if values.size and values.dtype.itemsize == 8 and int(values.max()) > self.file.size:
            raise self._truncated(f"tag {code} of page {index} points to byte {int(values.max()):,}")
        return (int(values[0]),) if values.size == 1 else values.astype(np.int64)

    def _truncated(self, what: str) -> UnreadableError:
        return UnreadableError(
            f"{self.file.name} is truncated or damaged: {what}, but the file ends at byte {self.file.size:,}. Copy or upload it again."
        )

    def _damaged(self, what: str) -> UnreadableError:
        return UnreadableError(f"{self.file.name} is a damaged TIFF: {what}. Copy or upload it again.")
