"""Colour tables of indexed images."""

from __future__ import annotations

Table = tuple[tuple[int, ...], ...]
Color = tuple[int, int, int]
_EIGHT_BITS = 255
_TOLERANCE = 3
_SMALLEST_RAMP = 16


def eight_bits(table: Table) -> list[Color]:
    """Red, green and blue of each entry from 0 to 255; TIFF stores them from 0 to 65535."""
    wide = any(part > _EIGHT_BITS for entry in table for part in entry[:3])
    return [(entry[0] // 256, entry[1] // 256, entry[2] // 256) if wide else (entry[0], entry[1], entry[2]) for entry in table]


def ramp_color(table: Table) -> Color | None:
    """Colour of a table that only tints: black at 0 and evenly brighter from there, as microscope software shows intensities.

    ``None`` for any other table, whose indices are no intensities.
    """
    colors = eight_bits(table)
    if len(colors) < _SMALLEST_RAMP:
        return None
    top = colors[-1]
    even = all(
        abs(part - bright * index / (len(colors) - 1)) <= _TOLERANCE
        for index, color in enumerate(colors)
        for part, bright in zip(color, top, strict=True)
    )
    return top if even and max(top) > _EIGHT_BITS // 2 else None
