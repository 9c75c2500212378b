"""Whether a smaller resolution level was made from the one before it, told from small samples of both.

However a level was made (mean, median, single pixels, Gauss), each of its pixels lies in the range of the pixels around its
place in the level before. In noise, where everything lies in that range, it still goes up and down with them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from ...image import Region, Shape

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ...image import PixelSource

    Array = NDArray[Any]

SAMPLE = 64
"""Pixels along each side of a sample."""
SAMPLE_BYTES = 64 << 20
"""Units that take more memory when unpacked are not looked at."""
_UNALIKE = 0.1
"""Part of a sample that may lie outside: at edges of stitched or masked images a few do."""
_LARGEST_FACTOR = 8
_DEVIATIONS = 3
_PLACES = ((0.5, 0.5), (0.25, 0.25), (0.75, 0.75))


@dataclass(frozen=True, slots=True)
class Place:
    """Where a sample lies along one axis: its first pixel in the level, the first of its surroundings in the level before."""

    start: int
    before: int
    factor: float
    length: int
    """Pixels of the surroundings."""

    def block(self, index: int, wider: int = 0) -> tuple[int, int]:
        """Pixels of the surroundings that a pixel of the level stands for, and those of `wider` blocks on either side."""
        first = math.floor((self.start + index - wider) * self.factor) - self.before
        last = math.ceil((self.start + index + 1 + wider) * self.factor) - self.before
        first = min(max(first, 0), self.length - 1)
        return first, max(first + 1, min(last, self.length))


@dataclass(frozen=True, slots=True)
class Sample:
    """Pixels (z, y, x) of a level, and those of the level before it with a margin of one pixel of the level around."""

    level: int
    below: Array
    above: Array
    places: tuple[Place, Place, Place]
    """Along z, y and x."""

    @property
    def strange(self) -> Array:
        """Values of the level that are nowhere in the level before."""
        return np.setdiff1d(self.below, self.above)

    def is_unlike(self, *, lossy: bool = False) -> bool:
        """Whether the level shows something else; lossy storage changes noise, so that only the range is looked at."""
        return self._outside() > _UNALIKE or (not lossy and self._is_unrelated())

    def _outside(self) -> float:
        """Fraction of pixels outside of the range of all pixels around their place."""
        low, high = self.above.astype(np.float64), self.above.astype(np.float64)
        for axis, (count, place) in enumerate(zip(self.below.shape, self.places, strict=True)):
            blocks = [place.block(index, 1) for index in range(count)]
            low, high = _reduced(low, blocks, axis, np.min), _reduced(high, blocks, axis, np.max)
        margin = np.maximum(1.0 if self.above.dtype.kind in "iu" else 0.0, 0.02 * (high - low))
        pixels = self.below.astype(np.float64)
        known = np.isfinite(pixels) & np.isfinite(low) & np.isfinite(high)
        if not known.any():
            return 0.0
        return float(np.mean(((pixels < low - margin) | (pixels > high + margin))[known]))

    def _is_unrelated(self) -> bool:
        """Whether brighter places of the level before are not brighter in the level, at no shift of up to one pixel.

        A level of single pixels out of pure noise still correlates with the means around them by one over the root of the
        pixels in a block; two unrelated samples of n pixels do by one over the root of n.
        """
        pixels = self.below.astype(np.float64)
        noise = _DEVIATIONS / math.sqrt(pixels.size)
        if (
            1 / math.sqrt(math.prod(place.factor for place in self.places)) < 2 * noise
            or not np.isfinite(pixels).all()
            or not np.isfinite(self.above).all()
        ):
            return False
        means = self.above.astype(np.float64)
        for axis, (count, place) in enumerate(zip(pixels.shape, self.places, strict=True)):
            means = _reduced(means, [place.block(index) for index in range(-1, count + 1)], axis, np.mean)
        height, width = pixels.shape[1:]
        shifted = [means[1:-1, y : y + height, x : x + width] for y in range(3) for x in range(3)]
        found = [_correlation(pixels, each) for each in shifted]
        return all(value is not None and value < noise for value in found)


def samples(sources: Sequence[PixelSource], most: int = len(_PLACES)) -> Iterator[Sample]:
    """Samples of every level but the first, each with the level before; none of what cannot be had cheaply.

    Parameters
    ----------
    sources
        Pixels of the levels, the largest first.
    most
        Places looked at in each level: the middle, a quarter and three quarters along both sides, in the first, a middle
        and the last time point and channel.
    """
    for level, (full, small) in enumerate(pairwise(sources), 1):
        factors = tuple(whole / part for whole, part in zip(full.shape[2:5], small.shape[2:5], strict=True))
        if full.shape[:2] != small.shape[:2] or any(not 1 <= factor <= _LARGEST_FACTOR for factor in factors):
            continue
        if max(decoded(source.unit, source.dtype) for source in (full, small)) > SAMPLE_BYTES:
            continue
        regions = dict.fromkeys(_regions(full.shape, small.shape, factors, number, most) for number in range(most))
        for inner, outer in regions:
            z, y, x = (
                Place(below[0], above[0], factor, above[1] - above[0]) for below, above, factor in zip(inner[2:], outer[2:], factors, strict=True)
            )
            yield Sample(level, small.read(inner)[0, 0, ..., 0], full.read(outer)[0, 0, ..., 0], (z, y, x))


def _regions(full: Shape, small: Shape, factors: Sequence[float], number: int, most: int) -> tuple[Region, Region]:
    share = number / max(1, most - 1)
    t, c = ((size - 1) * number // max(1, most - 1) for size in small[:2])
    spans, wide = [], []
    places = (0.5 if number == 0 else share, *_PLACES[number])
    for size, whole, factor, pixels, place in zip(small[2:5], full[2:5], factors, (1, SAMPLE, SAMPLE), places, strict=True):
        start = min(max(0, math.floor(size * place) - pixels // 2), max(0, size - pixels))
        stop = min(size, start + pixels)
        spans.append((start, stop))
        wide.append((max(0, math.floor((start - 1) * factor)), min(whole, math.ceil((stop + 1) * factor))))
    first = ((t, t + 1), (c, c + 1))
    return Region(*first, spans[0], spans[1], spans[2]), Region(*first, wide[0], wide[1], wide[2])


def decoded(unit: Shape, dtype: np.dtype[Any]) -> int:
    """Bytes of a unit of storage, unpacked."""
    return math.prod(unit) * dtype.itemsize


def _reduced(pixels: Array, blocks: Sequence[tuple[int, int]], axis: int, method: Callable[..., Array]) -> Array:
    """One value for each block along one axis."""
    moved = np.moveaxis(pixels, axis, 0)
    return np.moveaxis(np.stack([method(moved[start:stop], axis=0) for start, stop in blocks]), 0, axis)


def _correlation(first: Array, second: Array) -> float | None:
    """How far two samples go up and down together; ``None`` if one of them is of one value."""
    one, other = first - first.mean(), second - second.mean()
    length = math.sqrt(float((one**2).sum()) * float((other**2).sum()))
    return float((one * other).sum()) / length if length > 0 else None
