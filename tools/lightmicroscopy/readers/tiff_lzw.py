"""A look at LZW data before they are decoded.

imagecodecs (2026.3.6 and before) takes any code after a Clear as the first of a string. Where damage has made it one
that is not in the table yet, it follows a pointer that was never set, and the whole program dies without a word. This
module finds such data first. Between two Clear codes the width of every code depends on its number alone, so that
thousands are looked at in one step.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_CLEAR, _END, _FIRST = 256, 257, 258
_LONGEST = 4096
"""Codes between two Clears: no table of 12-bit codes holds more."""
_FEWEST_BYTES = 64
"""No encoder clears its table more often than this; data that do would take forever."""


def check_lzw(data: bytes) -> None:
    """Make sure that each Clear is followed by a plain value, a Clear or the end.

    Parameters
    ----------
    data
        One strip or tile, packed from the high bits (TIFF 6.0, section 13) or from the low ones (before TIFF 5).

    Raises
    ------
    ValueError
        If it is not.
    """
    if len(data) < 2:
        raise ValueError("the LZW data are too short")
    low_first = data[0] == 0 and bool(data[1] & 1)
    packed = np.frombuffer(data, np.uint8)
    at, bits, runs = 0, len(data) * 8, 0
    while at + 9 <= bits:
        runs += 1
        if runs > 1000 + len(data) // _FEWEST_BYTES:
            raise ValueError("the LZW data clear their table too often")
        places, shifts, masks, ends = _run(low_first, at & 7)
        window = packed[at >> 3 : (at >> 3) + int(places[-1]) + 3].astype(np.uint32)
        if len(window) < int(places[-1]) + 3:
            window = np.concatenate((window, np.zeros(3, np.uint32)))
            count = int(np.searchsorted(ends, bits - at, "right"))
            places, shifts, masks = places[:count], shifts[:count], masks[:count]
        words = window[:-2] | window[1:-1] << 8 | window[2:] << 16 if low_first else window[:-2] << 16 | window[1:-1] << 8 | window[2:]
        codes = words[places] >> shifts & masks
        if codes[0] >= _FIRST or (at == 0 and codes[0] != _CLEAR):
            raise ValueError(f"the LZW data have the code {int(codes[0])} where a string begins")
        stops = np.flatnonzero((codes == _CLEAR) | (codes == _END))
        if not len(stops) or codes[stops[0]] == _END:
            return
        at += int(ends[stops[0]])


@cache
def _run(low_first: bool, phase: int) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any], NDArray[Any]]:
    """Of each code after a Clear at bit `phase` of a byte: its first byte, how far to shift three bytes, mask, end in bits."""
    entries = _FIRST - 1 + np.maximum(np.arange(_LONGEST), 1)
    # Packed from the high bits, codes grow one entry before the table needs it.
    early = 0 if low_first else 1
    widths = 9 + sum((entries >= size - early).astype(np.int64) for size in (512, 1024, 2048))
    ends = np.cumsum(widths)
    starts = ends - widths + phase
    shifts = starts & 7 if low_first else 24 - (starts & 7) - widths
    return starts >> 3, shifts.astype(np.uint32), ((1 << widths) - 1).astype(np.uint32), ends
