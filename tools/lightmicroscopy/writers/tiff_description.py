"""A copy of a TIFF with another description; pixels and everything else stay where they are.

The new description takes the old one's place, with the room that files of this suite keep behind it; or it goes to the end
of the file, and the field of the first directory then points there. So no offset in the file has to change.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..errors import UnreadableError, UnwritableError
from ..readers.files import RandomFile
from ..readers.tiff_structure import DESCRIPTION, Entry, Ifd, Scanner
from .copies import copy_file
from .tiff_structure import ASCII, CLASSIC_LIMIT

if TYPE_CHECKING:
    from collections.abc import Sequence

_SOFTWARE = 305
_OURS = b"lightmicroscopy "
_ALIGN = 8
_LEVELS_DEEP = 3

Place = tuple[int, int]
"""First byte and number of bytes."""


@dataclass(frozen=True, slots=True)
class Written:
    """Where a description was written: to its old place, into the room behind it, or to the end of the file."""

    place: str
    size: int
    """Of the whole file."""


def write_described_copy(source: Path, target: Path, description: bytes, progress: Callable[[int], None] | None = None) -> Written:
    """Copy a TIFF and give the copy another description.

    Parameters
    ----------
    source
        A TIFF, classic or BigTIFF, of either byte order, whose first directory has an ImageDescription.
    target
        Must not exist.
    description
        Without a NUL at its end.
    progress
        Called with the bytes copied since the last call.

    Raises
    ------
    UnreadableError
        If the source is damaged or has no description.
    UnwritableError
        If the description finds no room: a classic TIFF ends at 4 GiB.
    OSError
        If it cannot be written.
    """
    file = RandomFile(source)
    try:
        structure = _Structure(file)
        plan = structure.plan(len(description) + 1)
        copy_file(source, target, progress)
        _write(target, structure, plan, description + b"\0")
        _check(target, structure, description)
    finally:
        file.close()
    return Written(plan.kind, target.stat().st_size)


@dataclass(frozen=True, slots=True)
class _Plan:
    """Where the new description goes, what of the old one is to be wiped, and how long the file will be."""

    kind: str
    at: int
    wiped: Place
    size: int


class _Structure:
    """A TIFF's directories, and where everything in it is."""

    def __init__(self, file: RandomFile) -> None:
        self.file = file
        self.scanner = Scanner(file)
        self.pages = self.scanner.scan()
        self.first = self.pages[0].offset
        entry = self.scanner.entries(self.first).get(DESCRIPTION)
        if entry is None:
            raise UnreadableError(f"{file.name} has no description that could be changed. Convert it to OME-TIFF first.")
        self.entry: Entry = entry
        self.inline = 8 if self.scanner.big else 4

    def all_directories(self) -> Iterator[Ifd]:
        """Every directory, those of smaller levels too."""
        pending = [(page, 0) for page in reversed(self.pages)]
        while pending:
            page, depth = pending.pop()
            yield page
            if depth < _LEVELS_DEEP:
                pending += [(self.scanner.at(offset, page.index), depth + 1) for offset in page.subifds]

    def used(self) -> Iterator[Place]:
        """Where anything is but the description of the first page."""
        for page in self.all_directories():
            entries = self.scanner.entries(page.offset, page.index)
            last = max((entry.at for entry in entries.values()), default=page.offset)
            yield page.offset, last - page.offset + (28 if self.scanner.big else 16)
            for code, entry in entries.items():
                if entry.bytes > self.inline and not (code == DESCRIPTION and page.offset == self.first):
                    yield entry.value_at, entry.bytes
            offsets, counts = np.asarray(page.offsets, np.int64), np.asarray(page.counts, np.int64)
            stored = offsets[: counts.size][counts[: offsets.size] > 0]
            behind = stored[stored >= self.entry.value_at]
            if behind.size:
                yield int(behind.min()), 1
            before = np.flatnonzero((offsets[: counts.size] < self.entry.value_at) & (counts[: offsets.size] > 0))
            if before.size:
                nearest = int(before[np.argmax((offsets[: counts.size] + counts[: offsets.size])[before])])
                yield int(offsets[nearest]), int(counts[nearest])

    @property
    def has_room(self) -> bool:
        """Whether the description is where this suite writes it, behind the first directory at the front, and so followed by room.

        Behind one that is elsewhere may be what another program has appended.
        """
        entries = self.scanner.entries(self.first)
        software, header = entries.get(_SOFTWARE), 16 if self.scanner.big else 8
        ends = max(entry.at for entry in entries.values()) + (28 if self.scanner.big else 16)
        at_front = self.first == header and ends <= self.entry.value_at < ends + _ALIGN
        return at_front and software is not None and self.file.read(software.value_at, len(_OURS)) == _OURS

    def plan(self, length: int) -> _Plan:
        """Find a place for a description of so many bytes, its NUL included."""
        at, count, size = self.entry.value_at, self.entry.bytes, self.file.size
        if count > self.inline:
            places = list(self.used())
            shared = any(start < at + count and start + bytes_ > at for start, bytes_ in places)
            room_ends = min((start for start, _ in places if start >= at + count), default=size)
            behind = self.file.read(at + count, _ALIGN)
            last = len(behind) < _ALIGN and not any(behind) and room_ends == size
            if not shared and last:
                return self._within(_Plan("end", at, (at, 0), at + length))
            if not shared and at + length <= (room_ends if self.has_room else at + count):
                return _Plan("room" if length > count else "place", at, (at, count), size)
            wiped = (at, 0) if shared else (at, count)
        else:
            wiped = (at, 0)
        end = -(-size // _ALIGN) * _ALIGN
        return self._within(_Plan("end", end, wiped, end + length))

    def _within(self, plan: _Plan) -> _Plan:
        if not self.scanner.big and plan.size >= CLASSIC_LIMIT:
            raise UnwritableError(
                f"{self.file.name} is a TIFF of the classic kind, which ends at 4 GiB, and has no room left for its new metadata. "
                "Convert it with Convert microscopy images, which makes a BigTIFF of it, and annotate that."
            )
        return plan


def _write(target: Path, structure: _Structure, plan: _Plan, value: bytes) -> None:
    scanner, entry = structure.scanner, structure.entry
    form = scanner.order + ("HHQQ" if scanner.big else "HHII")
    with target.open("r+b") as file:
        start, count = plan.wiped
        # What was said before is not left behind, since it may be what was to be corrected.
        _put(file.fileno(), start, bytes(count))
        _put(file.fileno(), plan.at, value)
        _put(file.fileno(), entry.at, struct.pack(form, DESCRIPTION, ASCII, len(value), plan.at))
        file.truncate(plan.size)


def _put(file: int, offset: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        written = os.pwrite(file, view, offset)
        view, offset = view[written:], offset + written


def _check(target: Path, structure: _Structure, description: bytes) -> None:
    """Read the copy's structure again: all pages are where they were, and the description is the new one."""
    copy = RandomFile(target)
    try:
        scanner = Scanner(copy)
        same = _alike(scanner.scan(), structure.pages) and scanner.description(structure.first).rstrip(b"\0") == description
    finally:
        copy.close()
    if not same:
        raise UnwritableError(f"The annotated copy of {structure.file.name} is not as it should be; it was removed. Please report this.")


def _alike(first: Sequence[Ifd], second: Sequence[Ifd]) -> bool:
    return len(first) == len(second) and all(
        one.offset == other.offset
        and one.signature == other.signature
        and one.subifds == other.subifds
        and np.array_equal(one.offsets, other.offsets)
        and np.array_equal(one.counts, other.counts)
        for one, other in zip(first, second, strict=True)
    )
