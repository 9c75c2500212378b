"""Whether a JPEG XR picture is lossless, by its headers (ITU-T T.832, clauses 8.3 and 8.4)."""

from __future__ import annotations

import struct
from typing import Final

_SIGNATURE: Final = b"WMPHOTO\0"
_TAG_OFFSET: Final = 0xBCC0
_TAG_ALPHA: Final = 0xBCC2
_ENTRIES: Final = 64
_SUBSAMPLED: Final = (1, 2)
"""Colour formats 4:2:0 and 4:2:2."""


class _Bits:
    def __init__(self, data: bytes) -> None:
        self.value = int.from_bytes(data, "big")
        self.left = 8 * len(data)

    def __call__(self, count: int = 1) -> int:
        if count > self.left:
            raise IndexError("the header ends early")
        self.left -= count
        return self.value >> self.left & ((1 << count) - 1)


def is_lossless(data: bytes) -> bool:
    """Whether it was coded without scaled arithmetic, which encoders use for all but lossless pictures, and nothing was cut off.

    False where the headers cannot be read, or there is a separate alpha picture.
    """
    try:
        return _is_lossless(data)
    except (IndexError, struct.error):
        return False


def _is_lossless(data: bytes) -> bool:
    at = struct.unpack_from("<I", data, 4)[0]
    count = min(struct.unpack_from("<H", data, at)[0], _ENTRIES)
    tags = dict(struct.unpack_from("<H6xI", data, at + 2 + 12 * number) for number in range(count))
    start = tags.get(_TAG_OFFSET, len(data))
    if _TAG_ALPHA in tags or data[start : start + 8] != _SIGNATURE:
        return False
    bits = _Bits(data[start + 8 : start + 8 + 4096])
    bits(8)
    tiled, _, _, _, _ = bits(1), bits(1), bits(3), bits(1), bits(2)
    short, _, windowed, trimmed = bits(1), bits(1), bits(1), bits(1)
    bits(4 + 8)
    bits(2 * (16 if short else 32))
    if tiled:
        columns, rows = bits(12), bits(12)
        for _ in range(columns + rows):
            bits(8 if short else 16)
    if windowed:
        bits(24)
    colours, scaled, bands = bits(3), bits(1), bits(4)
    return not (scaled or trimmed or bands or colours in _SUBSAMPLED)
