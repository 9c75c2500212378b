"""TIFF's own resolution fields of a file whose pixel size was corrected, so that they do not contradict its OME-XML."""

from __future__ import annotations

import math
import os
import struct
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np

from ..readers.files import RandomFile
from ..readers.tiff_structure import Entry, Ifd, Scanner
from .tiff_structure import RATIONAL, rational

if TYPE_CHECKING:
    from numpy.typing import NDArray

    _Places = tuple[NDArray[np.int64], NDArray[np.int64]]

X, Y, UNIT = 282, 283, 296
_MICROMETRES: Final = {2: 25_400.0, 3: 10_000.0}
"""Of ResolutionUnit: inch, centimetre."""
_NEAR: Final = 0.01
"""Relative difference below which the fields are taken to say the pixel size: many programs write 72 or 96 per inch for none."""


def rescale_resolution(path: Path, before: tuple[float, float], after: tuple[float, float]) -> bool:
    """Bring the resolution of all pages and their smaller levels from one pixel size to another.

    Parameters
    ----------
    path
        A TIFF, which is changed in place: eight bytes for each field.
    before, after
        Pixel size along x and y of the full resolution, in micrometres.

    Returns
    -------
    bool
        Whether that was done: not where the file has no such fields, they do not say the size it had, or their values are part of
        something else, such as pixels.
    """
    file = RandomFile(path)
    try:
        scanner = Scanner(file)
        pages = scanner.scan()
        if not _says(file, scanner, pages[0].offset, before):
            return False
        changed: dict[int, bytes] = {}
        used: list[_Places] = []
        for page in pages:
            for directory in (page, *(scanner.at(offset, page.index) for offset in page.subifds)):
                entries = scanner.entries(directory.offset, page.index)
                used += _used(directory, entries)
                for code, old, new in zip((X, Y), before, after, strict=True):
                    value = _value(file, scanner, entries.get(code))
                    if value is None:
                        continue
                    data = _packed(scanner, value * old / new)
                    # Values may be kept once for several fields.
                    if changed.setdefault(entries[code].value_at, data) != data:
                        return False
        # Those of a BigTIFF lie in its directories, where nothing else can be.
        if not scanner.big and _overlap(sorted(changed), used):
            return False
    finally:
        file.close()
    with path.open("r+b") as stream:
        for at, data in changed.items():
            os.pwrite(stream.fileno(), data, at)
    return True


def _used(directory: Ifd, entries: Mapping[int, Entry]) -> Iterator[_Places]:
    """Where a directory, its values but for the resolution, and its pixels are: first bytes and lengths."""
    values = [(entry.value_at, entry.bytes) for code, entry in entries.items() if code not in (X, Y) and entry.bytes > 8]
    starts = [directory.offset, *(at for at, _ in values)]
    lengths = [max(entry.at for entry in entries.values()) + 16 - directory.offset, *(count for _, count in values)]
    yield np.asarray(starts, np.int64), np.asarray(lengths, np.int64)
    offsets, counts = np.asarray(directory.offsets, np.int64), np.asarray(directory.counts, np.int64)
    yield offsets[: counts.size], counts[: offsets.size]


def _overlap(changed: Sequence[int], used: Iterable[_Places]) -> bool:
    """Whether one of the values of eight bytes at the rising places `changed` lies in anything else."""
    ends = np.asarray(changed, np.int64) + 8
    for starts, lengths in used:
        first = np.searchsorted(ends, starts, side="right")
        held = (first < ends.size) & (lengths > 0)
        if np.any(ends[first[held]] - 8 < (starts + lengths)[held]):
            return True
    return False


def _says(file: RandomFile, scanner: Scanner, offset: int, sizes: tuple[float, float]) -> bool:
    entries = scanner.entries(offset)
    unit = entries.get(UNIT)
    stored = 2 if unit is None else int.from_bytes(file.read(unit.value_at, 2), scanner.endian)
    per_unit = [_value(file, scanner, entries.get(code)) for code in (X, Y)]
    length = _MICROMETRES.get(stored)
    if length is None or None in per_unit:
        return False
    return all(value and math.isclose(length / value, size, rel_tol=_NEAR) for value, size in zip(per_unit, sizes, strict=True))


def _value(file: RandomFile, scanner: Scanner, entry: Entry | None) -> float | None:
    if entry is None or entry.kind != RATIONAL or entry.count != 1:
        return None
    data = file.read(entry.value_at, 8)
    top, bottom = struct.unpack(f"{scanner.order}II", data) if len(data) == 8 else (0, 0)
    return top / bottom if top and bottom else None


def _packed(scanner: Scanner, value: float) -> bytes:
    top, bottom = struct.unpack("<II", rational(X, value).value)
    return struct.pack(f"{scanner.order}II", top, bottom)
