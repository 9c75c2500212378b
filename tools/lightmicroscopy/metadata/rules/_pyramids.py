"""Whether a smaller resolution level was made from the one before it, told from small samples of both.

However a level was made (mean, median, single pixels, Gauss), each of its pixels lies in the range of the pixels around its
place in the level before. In noise, where everything lies in that range, it still goes up and down with them: most so at its own
place and not at the next one. And on average it is between the least and the greatest pixels that it was made of.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from ...image import Region, Shape

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ...image import PixelSource

    Array = NDArray[Any]
    Method = np.ufunc | float

SAMPLE = 64
"""Pixels along each side of a sample."""
SAMPLE_BYTES = 64 << 20
"""Units that take more memory when unpacked are not looked at."""
_UNALIKE = 0.1
"""Part of a sample that may lie outside: at edges of stitched or masked images a few do."""
_LARGEST_FACTOR = 8
_DEVIATIONS = 3
_LEAST_MOVED = 256
"""Pixels from which on a shift is looked for."""
_BETTER = 0.5
"""Part of what a place does not explain that the next place must leave unexplained to be the right one."""
_LEAST_UNEXPLAINED = 1e-5
"""Below, the level fits where it is."""
_BRIGHTNESS = 0.01
"""Part of the range of a sample by which its mean may be off."""
_SINGLE: Final = (0.0, 0.5, 1.0, np.minimum, np.maximum)
"""How levels are made of one pixel of each block: the first, middle or last one along each axis, the least or greatest."""
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

    def difference(self, *, lossy: bool = False) -> str:
        """Say what the level shows otherwise than the one before; empty if nothing.

        Lossy storage changes noise, so that only the range is looked at.
        """
        if self._outside() > _UNALIKE or (not lossy and self._is_unrelated()):
            return "shows something else"
        if lossy or self.below.size < _LEAST_MOVED or not (np.isfinite(self.below).all() and np.isfinite(self.above).all()):
            return ""
        return self._moved() or self._otherwise_bright()

    def _moved(self) -> str:
        """Say along which axes the level fits better one pixel further on."""
        pixels = self.below.astype(np.float64)
        # Levels of single pixels lie off the middle of their blocks by less than half of one.
        unexplained = {(0, 0): min(_unexplained(pixels, self._reduced_to(pick, whole=whole)) for pick in _SINGLE for whole in (False, True))}
        # Of 101 pixels halved, 50 or 51 are left: the factor is 2, or what the sizes say, and whoever made the level knows which.
        for whole in (False, True):
            for shift, means in self._around(whole=whole).items():
                unexplained[shift] = min(unexplained.get(shift, 1.0), _unexplained(pixels, means))
        here = unexplained[0, 0]
        best = min(unexplained, key=lambda shift: unexplained[shift])
        rounding = 1.0 if self.above.dtype.kind in "iu" else 0.0
        if unexplained[best] > _BETTER * min(here, 1.0) or here < _LEAST_UNEXPLAINED or math.sqrt(here) * float(pixels.std()) < rounding:
            return ""
        return f"lies about a pixel further along {' and '.join(axis for axis, step in zip('yx', best, strict=True) if step)}"

    def _otherwise_bright(self) -> str:
        """Say that the level is brighter or darker on average than even the least or greatest pixels of its blocks."""
        low, high = (float(self._reduced_to(method).mean()) for method in (np.minimum, np.maximum))
        margin = _BRIGHTNESS * float(np.ptp(self.above.astype(np.float64))) + (1.0 if self.above.dtype.kind in "iu" else 0.0)
        mean = float(self.below.astype(np.float64).mean())
        return "is brighter" if mean > high + margin else "is darker" if mean < low - margin else ""

    def _reduced_to(self, method: Method, *, whole: bool = False, wider: int = 0) -> Array:
        """Reduce the level before to the pixels of this one, and to `wider` pixels on either side."""
        reduced = self.above.astype(np.float64)
        for axis, (count, place) in enumerate(zip(self.below.shape, self.places, strict=True)):
            there = replace(place, factor=float(round(place.factor))) if whole else place
            reduced = _reduced(reduced, [there.block(index) for index in range(-wider, count + wider)], axis, method)
        return reduced

    def _around(self, *, whole: bool = False) -> dict[tuple[int, int], Array]:
        """Means of the level before at the places of this one's pixels, and of those one further along y and x."""
        means = self._reduced_to(np.add, whole=whole, wider=1)
        height, width = self.below.shape[1:]
        return {(y - 1, x - 1): means[1:-1, y : y + height, x : x + width] for y in range(3) for x in range(3)}

    def _outside(self) -> float:
        """Fraction of pixels outside of the range of all pixels around their place."""
        low, high = self.above.astype(np.float64), self.above.astype(np.float64)
        for axis, (count, place) in enumerate(zip(self.below.shape, self.places, strict=True)):
            blocks = [place.block(index, 1) for index in range(count)]
            low, high = _reduced(low, blocks, axis, np.minimum), _reduced(high, blocks, axis, np.maximum)
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
        found = [_correlation(pixels, each) for each in self._around().values()]
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


def differences(found: Iterable[Sample], *, lossy: bool) -> dict[int, str]:
    """Say of each level that is not like the one before what differs first."""
    said: dict[int, str] = {}
    for sample in found:
        if sample.level not in said and (unlike := sample.difference(lossy=lossy)):
            said[sample.level] = unlike
    return said


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


def _reduced(pixels: Array, blocks: Sequence[tuple[int, int]], axis: int, method: Method) -> Array:
    """One value for each block along one axis: its least, its greatest, with `np.add` its mean, or the pixel at a part of its length."""
    if isinstance(method, float):
        return np.take(pixels, [start + int(method * (stop - start - 1)) for start, stop in blocks], axis=axis)
    # Of each pair of bounds the first value is that of the block; what lies between blocks is made too, and left.
    bounds = [bound for block in blocks for bound in block]
    # Bounds must lie within, also those behind the last pixel.
    longer = np.concatenate((pixels, np.take(pixels, [-1], axis=axis)), axis=axis)
    found: Array = np.take(method.reduceat(longer, bounds, axis=axis), range(0, 2 * len(blocks), 2), axis=axis)
    if method is np.add:
        lengths = np.array([stop - start for start, stop in blocks], np.float64)
        found /= lengths.reshape([-1 if number == axis else 1 for number in range(pixels.ndim)])
    return found


def _unexplained(pixels: Array, others: Array) -> float:
    """Part of the variance of a sample that another one does not explain; all of it where they go against each other."""
    found = _correlation(pixels, others)
    return 1.0 if found is None or found <= 0 else max(0.0, 1 - found**2)


def _correlation(first: Array, second: Array) -> float | None:
    """How far two samples go up and down together; ``None`` if one of them is of one value."""
    one, other = first - first.mean(), second - second.mean()
    length = math.sqrt(float((one**2).sum()) * float((other**2).sum()))
    return float((one * other).sum()) / length if length > 0 else None
