"""TIFF's own resolution fields of a file whose pixel size was corrected, so that they do not contradict its OME-XML."""

from __future__ import annotations

import math
import os
import struct
from pathlib import Path
from typing import Final

from ..readers.files import RandomFile
from ..readers.tiff_structure import Entry, Scanner
from .tiff_structure import RATIONAL, rational

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
        Whether that was done: not where the file has no such fields, or they do not say the size it had.
    """
    file = RandomFile(path)
    try:
        scanner = Scanner(file)
        pages = scanner.scan()
        if not _says(file, scanner, pages[0].offset, before):
            return False
        changed: dict[int, bytes] = {}
        for page in pages:
            for offset in (page.offset, *page.subifds):
                entries = scanner.entries(offset, page.index)
                for code, old, new in zip((X, Y), before, after, strict=True):
                    value = _value(file, scanner, entries.get(code))
                    if value is None:
                        continue
                    data = _packed(scanner, value * old / new)
                    # Values may be kept once for several fields.
                    if changed.setdefault(entries[code].value_at, data) != data:
                        return False
    finally:
        file.close()
    with path.open("r+b") as stream:
        for at, data in changed.items():
            os.pwrite(stream.fileno(), data, at)
    return True


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
