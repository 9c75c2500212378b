"""Resolution levels: their shapes, and how a block of pixels is halved.

Sizes are rounded up, so that the last row or column of an odd size is averaged from what exists. Integer means are exact
sums rounded to the nearest integer, ties to the even one: where values vary by more than a step or two, neither the loss of
a floor (3/8 a level) nor the gain of rounding half up (1/8) adds up over the levels.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from ..errors import UsageError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..image import Image, Shape

Method = Literal["mean", "nearest"]

SMALLEST = 256
"""Levels are added until both sides are at most this many pixels."""
MOST_LEVELS = 32
_STRIPE_BYTES = 1 << 18
_WIDE = {"u1": "u2", "i1": "i2", "u2": "u4", "i2": "i4", "u4": "u8", "i4": "i8", "f2": "f4", "f4": "f8", "f8": "f8"}


def method_for(image: Image) -> Method:
    """How an image may be made smaller: means of intensities; never a mean of labels, palette indices or bits."""
    return "nearest" if image.kind in ("label", "indexed") or image.dtype.kind == "b" or image.significant_bits == 1 else "mean"


def level_shapes(shape: Shape, count: int | None, *, downsample_z: bool = False) -> tuple[Shape, ...]:
    """Shapes of all levels, the full one first.

    Parameters
    ----------
    shape
        Level 0.
    count
        Number of levels; None for as many as it takes until y and x are at most `SMALLEST`.
    downsample_z
        Whether z is halved too.

    Raises
    ------
    UsageError
        If so many levels are asked for that the last ones would be equal.
    """
    if count is not None and count < 1:
        raise UsageError(f"The number of resolution levels must be at least 1, not {count}.")
    shapes = [shape]
    while len(shapes) < (count or MOST_LEVELS):
        last = shapes[-1]
        if count is None and max(last.y, last.x) <= SMALLEST:
            break
        if max(last.y, last.x) == 1:
            raise UsageError(
                f"{count} resolution levels cannot be made of an image of {shape.x} × {shape.y} pixels: level {len(shapes) - 1} is 1 × 1. "
                f"Ask for at most {len(shapes)}."
            )
        shapes.append(last._replace(y=-(-last.y // 2), x=-(-last.x // 2), z=-(-last.z // 2) if downsample_z else last.z))
    return tuple(shapes)


def halve(block: NDArray[Any], method: Method, *, z: bool = False) -> NDArray[Any]:
    """Halve a block of pixels in y and x, and in z if asked.

    Parameters
    ----------
    block
        Shape (z, y, x, s); any whole or floating point type, or bool with ``nearest``.
    method
        ``nearest`` takes the first pixel of every 2 × 2 (× 2); ``mean`` averages them, leaving NaN out.
    z
        Whether z is halved too.

    Returns
    -------
    NDArray
        Of the same type; every halved size is rounded up.
    """
    if method == "nearest":
        return np.ascontiguousarray(block[:: 2 if z else 1, ::2, ::2])
    depth, height, width, samples = block.shape
    out = np.empty((-(-depth // 2) if z else depth, -(-height // 2), -(-width // 2), samples), block.dtype)
    rows = max(2, _STRIPE_BYTES // max(1, width * samples * block.itemsize) // 2 * 2)
    for index in range(out.shape[0]):
        planes = block[2 * index : 2 * index + 2] if z else block[index : index + 1]
        for start in range(0, height, rows):
            _mean(planes[:, start : start + rows], out[index, start // 2 : (start + rows) // 2])
    return out


def _mean(planes: NDArray[Any], out: NDArray[Any]) -> None:
    """Average one or two stripes, shape (1 or 2, y, x, s), into `out`, shape (y / 2, x / 2, s)."""
    odd_y, odd_x = planes.shape[1] % 2, planes.shape[2] % 2
    if odd_y or odd_x:
        # A repeated edge weighs every pixel that exists the same, and leaves the rounding as it is.
        planes = np.pad(planes, ((0, 0), (0, odd_y), (0, odd_x), (0, 0)), mode="edge")
    if out.dtype.kind == "f":
        _float_mean(planes, out)
    elif out.dtype.itemsize == 8:
        _long_mean(planes, out)
    else:
        total = _sum(planes, np.dtype(_WIDE[out.dtype.str[1:]]))
        _round_half_even(total, 3 if len(planes) == 2 else 2)
        out[...] = total


def _sum(planes: NDArray[Any], wide: np.dtype[Any]) -> NDArray[Any]:
    """Sum every 2 × 2 (× 2); rows first, since those sums run over contiguous memory."""
    rows: NDArray[Any] = np.add(planes[0, 0::2], planes[0, 1::2], dtype=wide)
    if len(planes) == 2:
        rows += planes[1, 0::2]
        rows += planes[1, 1::2]
    if rows.shape[2] == 1:
        total: NDArray[Any] = rows[:, 0::2] + rows[:, 1::2]
        return total
    total = np.empty((rows.shape[0], rows.shape[1] // 2, rows.shape[2]), wide)
    for sample in range(rows.shape[2]):
        np.add(rows[:, 0::2, sample], rows[:, 1::2, sample], out=total[:, :, sample])
    return total


def _round_half_even(total: NDArray[Any], bits: int) -> None:
    """Divide sums by 2 ** bits in place, to the nearest integer, ties to even. Right shifts floor, so signs need no care."""
    odd = total >> bits
    odd &= 1
    total += (1 << bits - 1) - 1
    total += odd
    total >>= bits


def _long_mean(planes: NDArray[Any], out: NDArray[Any]) -> None:
    """64-bit means: quotients and remainders are summed apart, since the sum itself may not fit."""
    bits = 3 if len(planes) == 2 else 2
    quotient = _sum(planes >> bits, out.dtype)
    rest = _sum(planes & ((1 << bits) - 1), out.dtype)
    quotient += rest >> bits
    rest &= (1 << bits) - 1
    rest += quotient & 1
    rest += (1 << bits - 1) - 1
    rest >>= bits
    out[...] = quotient + rest


def _float_mean(planes: NDArray[Any], out: NDArray[Any]) -> None:
    wide = np.dtype(_WIDE[out.dtype.str[1:]])
    count = 4 * len(planes)
    with np.errstate(all="ignore"):
        # Of the largest type the parts are scaled before they are summed, so that the sum cannot overflow.
        total = _sum(planes * (1 / count) if wide == out.dtype else planes, wide)
        if wide != out.dtype:
            total *= 1 / count
        holes = np.isnan(total)
        if holes.any():
            present = ~np.isnan(planes)
            filled = _sum(np.where(present, planes, 0) / (count if wide == out.dtype else 1), wide)
            weight = _sum(present, np.dtype("u2"))
            scale = count / weight if wide == out.dtype else 1 / weight
            total = np.where(holes, np.where(weight == 0, np.nan, filled * scale), total)
        out[...] = total
