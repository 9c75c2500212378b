"""The smaller resolution levels of a copy: a viewer shows them before anything else, so they must show what full resolution does.

A few blocks of each level are compared with what the rule of this suite makes of full resolution (CONTRACTS, decision 5). What
another program made by another rule is no difference as long as its pixels lie among those around their place. Of a Zarr it is
further looked whether chunks are missing that lie over stored ones.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from math import ceil, floor, prod
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from .errors import SuiteError
from .image import LARGE_UNIT, Region
from .readers.zarr_source import ZarrPixels
from .writers.pyramid import Method, halve

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from .image import Image, Level, Shape, Span

LEVEL: Final = "level "
FROM_FULL: Final = "made of full resolution"
OTHER_RULE: Final = "made by another rule"
NOT_JUDGED: Final = "not judged"
_BLOCKS: Final = 6
_PLACES: Final = 16
"""Places that are looked at in search of blocks in which there is something to see."""
_PATCH: Final = 64
_PIXELS: Final = 4 << 20
"""Of full resolution that one block is made of, at most; of a level of single pixels it may be `_MOST`."""
_MOST: Final = 64 << 20
_SIDE: Final = 128
_CHUNKS: Final = 20_000
_MISSING: Final = 8
_UNALIKE: Final = 0.1
"""Part of a block's pixels that may lie outside of what is around their place: an odd filter, or a shift of a pixel."""
_LOSSY: Final = 0.15
"""Part of the range of values by which a lossy compression may miss a pixel."""
_ULPS: Final = 1e-6


@dataclass(frozen=True, slots=True)
class Judged:
    """One thing found out about a level."""

    what: str
    expected: str
    found: str
    fine: bool


class _Place(NamedTuple):
    """A plane, and where in it as parts of its height and width."""

    t: int
    c: int
    z: float
    y: float
    x: float


@dataclass(frozen=True, slots=True)
class _Block:
    """How a block of a level looks beside what is at its place at a finer level."""

    where: str
    rules: frozenset[Method] = frozenset()
    """That make exactly this of it."""
    near: bool = False
    """Whether one makes nearly this of it: others round otherwise, or treat edges otherwise."""
    plain: bool = False
    """Whether every rule makes the same of it, since there is nothing to see."""
    fault: str = ""


def judged_levels(copy: Image, *, pixels: bool = True) -> Iterator[Judged]:
    """Judge every level of an image but the full one.

    Parameters
    ----------
    pixels
        Whether blocks of pixels are compared; else only the sizes.
    """
    for number, warning in enumerate((warning for warning in copy.warnings if _is_about_level(warning)), len(copy.levels)):
        yield Judged(f"{LEVEL}{number} size", "", warning, fine=False)
    places = _places(copy) if pixels and len(copy.levels) > 1 else []
    for number in range(1, len(copy.levels)):
        before, own = copy.levels[number - 1].pixels.shape, copy.levels[number].pixels.shape
        fits = (own.t, own.c, own.s) == (before.t, before.c, before.s) and own != before and all(a <= b for a, b in zip(own, before, strict=True))
        size = f"{own.z} × {own.y} × {own.x}"
        yield Judged(f"{LEVEL}{number} size", size if fits else f"less than {before.z} × {before.y} × {before.x}", size, fits)
        if not pixels:
            continue
        what = f"{LEVEL}{number} pixels"
        try:
            yield _judged(what, copy, number, places) if fits else Judged(what, FROM_FULL, f"{NOT_JUDGED}, since the sizes do not fit", fine=True)
        except (SuiteError, OSError) as error:
            yield Judged(what, FROM_FULL, str(error), fine=False)


def _is_about_level(warning: str) -> bool:
    return warning.startswith("Its resolution level ") and warning.endswith("left out.")


def _judged(what: str, copy: Image, number: int, places: Sequence[_Place]) -> Judged:
    regions = dict.fromkeys(region for place in places if (region := _region(copy, number, place)) is not None)
    blocks = [_compared(copy, 0, number, region) for region in regions]
    blocks += [_compared(copy, number - 1, number, region) for region in _unstored(copy, number)]
    fault = next((block for block in blocks if block.fault), None)
    if fault is not None:
        return Judged(what, FROM_FULL, f"{fault.fault} at {fault.where}", fine=False)
    if not blocks:
        return Judged(what, FROM_FULL, NOT_JUDGED, fine=True)
    rules: tuple[Method, ...] = ("mean", "nearest")
    for rule in rules:
        others = [block for block in blocks if rule not in block.rules]
        if not others:
            return Judged(what, FROM_FULL, FROM_FULL, fine=True)
        other = next((block for block in others if not (block.rules or block.near)), None)
        if other and sum(rule in block.rules and not block.plain for block in blocks) > len(blocks) // 2:
            return Judged(what, FROM_FULL, f"is not made of full resolution at {other.where}, though it is elsewhere", fine=False)
    return Judged(what, FROM_FULL, OTHER_RULE, fine=True)


def _places(copy: Image) -> list[_Place]:
    """Places for blocks: the two ends, and where most is to be seen."""
    full = copy.levels[0].pixels
    shape = full.shape
    large = prod(full.unit) * full.dtype.itemsize > LARGE_UNIT
    found = []
    for number in range(_PLACES):
        part = 0.5 if large else number / (_PLACES - 1)
        row, column = divmod(number, 4)
        place = _Place(round(part * (shape.t - 1)), (number if not large else 0) % shape.c, part, row / 3, column / 3)
        z = min(shape.z - 1, int(place.z * shape.z))
        spans = [_span(share, size, min(size, _PATCH)) for share, size in ((place.y, shape.y), (place.x, shape.x))]
        try:
            patch = full.read(Region((place.t, place.t + 1), (place.c, place.c + 1), (z, z + 1), *spans)).astype(np.float64)
        except (SuiteError, OSError):
            continue
        known = patch[np.isfinite(patch)]
        found.append((float(known.max() - known.min()) if known.size else 0.0, place))
    if large:
        return [max(found)[1]] if found else []
    ends = [place for _, place in (found[:1] + found[1:][-1:])]
    best = [place for _, place in sorted(found, key=lambda item: -item[0]) if place not in ends]
    return ends + best[: _BLOCKS - len(ends)]


def _span(share: float, size: int, width: int) -> Span:
    start = round(share * (size - width))
    return start, start + width


def _region(copy: Image, number: int, place: _Place) -> Region | None:
    """Choose a block of a level; ``None`` if much would have to be read for one pixel of it."""
    level = copy.levels[number]
    factors = _factors(copy.levels[0], level)
    own = level.pixels.shape
    area = factors[1] * factors[2]
    side = int(min(_SIDE, max(1, (_PIXELS / (factors[0] * area)) ** 0.5)))
    if factors[0] * area * side * side > _MOST:
        return None
    z = min(own.z - 1, int(place.z * own.z))
    spans = (z, z + 1), *(_span(share, size, min(size, side)) for share, size in ((place.y, own.y), (place.x, own.x)))
    return Region((place.t, place.t + 1), (place.c, place.c + 1), *spans)


def _unstored(copy: Image, number: int) -> list[Region]:
    """Where a chunk is missing that lies over stored ones of the level before."""
    pixels, before = copy.levels[number].pixels, copy.levels[number - 1].pixels
    if not isinstance(pixels, ZarrPixels) or not isinstance(before, ZarrPixels):
        return []
    factors = _factors(copy.levels[number - 1], copy.levels[number])
    suspected = (
        region
        for region in _units(pixels.shape, pixels.unit)
        if not pixels.holds(region) and before.holds(Region(region.t, region.c, *_enlarged(region, factors, before.shape, 0)))
    )
    return [_cropped(region) for region in islice(suspected, _MISSING)]


def _units(shape: Shape, unit: Shape) -> Iterator[Region]:
    """Units of storage, all or, of a great many, some that lie evenly."""
    counts = [-(-size // extent) for size, extent in zip(shape[:5], unit[:5], strict=True)]
    total = prod(counts)
    for position in range(0, total, max(1, total // _CHUNKS)):
        index = map(int, np.unravel_index(position, counts))
        yield Region(*((at * extent, min((at + 1) * extent, size)) for at, extent, size in zip(index, unit, shape, strict=False)))


def _cropped(region: Region) -> Region:
    """As much of a chunk as is compared at a time."""
    t, c, z, y, x = region
    y, x = (y[0], min(y[1], y[0] + 8 * _SIDE)), (x[0], min(x[1], x[0] + 8 * _SIDE))
    depth = max(1, _PIXELS // ((y[1] - y[0]) * (x[1] - x[0])))
    return Region((t[0], t[0] + 1), (c[0], c[0] + 1), (z[0], min(z[1], z[0] + depth)), y, x)


def _factors(finer: Level, coarser: Level) -> tuple[float, float, float]:
    z, y, x = (whole / size for whole, size in zip(finer.pixels.shape[2:5], coarser.pixels.shape[2:5], strict=True))
    return z, y, x


def _enlarged(region: Region, factors: Sequence[float], shape: Shape, margin: int) -> tuple[Span, Span, Span]:
    """Where a region of a coarser level lies in a finer one, with some of the coarser pixels around it."""
    spans = []
    for (start, stop), factor, size in zip(region[2:], factors, shape[2:5], strict=True):
        around = margin if factor > 1 else 0
        spans.append((max(0, floor((start - around) * factor)), min(size, ceil((stop + around) * factor))))
    return spans[0], spans[1], spans[2]


def _compared(copy: Image, finer: int, coarser: int, region: Region) -> _Block:
    """Compare a block of a level with its place at a finer one; the region is of one time and channel."""
    above, below = copy.levels[finer], copy.levels[coarser]
    block = below.pixels.read(region)[0, 0]
    spans = _enlarged(region, _factors(above, below), above.pixels.shape, 1)
    times, in_z = _halvings(above, below)
    # What is halved begins at a multiple of 2 ** times, beside which true ratios at odd sizes may lie.
    wanted = _multiplied(region, times, in_z, above.pixels.shape) if times else spans
    outer = [(min(one[0], other[0]), max(one[1], other[1])) for one, other in zip(spans, wanted, strict=True)]
    box = above.pixels.read(Region(region.t, region.c, *outer))[0, 0]
    where = f"t={region.t[0]} c={region.c[0]} z={region.z[0]} y={region.y[0]} x={region.x[0]}"
    starts = [start for start, _ in outer]
    inside = box[tuple(slice(start - begin, stop - begin) for (start, stop), begin in zip(wanted, starts, strict=True))]
    made = {rule: _halved(inside, rule, times, z=in_z) for rule in _rules(copy)} if times else {}
    rules = frozenset(rule for rule, pixels in made.items() if _alike(pixels, block))
    if rules:
        return _Block(where, rules, plain=bool((inside == inside.flat[0]).all()))
    near = any(_near(pixels, block, times) for pixels in made.values())
    return _Block(where, near=near, fault=_fault(copy, block, box, region, starts, (above, below)))


def _rules(copy: Image) -> tuple[Method, ...]:
    return ("nearest",) if copy.dtype.kind == "b" or copy.kind in ("label", "indexed") else ("mean", "nearest")


def _halvings(finer: Level, coarser: Level) -> tuple[int | None, bool]:
    """How many halvings lead from one level to the other, and whether z was halved too; ``None`` if none do."""
    (z, y, x), (own_z, own_y, own_x) = finer.pixels.shape[2:5], coarser.pixels.shape[2:5]
    for times in range(1, 33):
        if _is_halved(y, own_y, times) and _is_halved(x, own_x, times):
            if z == own_z:
                return times, False
            return (times, True) if _is_halved(z, own_z, times) else (None, False)
    return None, False


def _is_halved(size: int, own: int, times: int) -> bool:
    """Whether it is a size halved so often, rounded up as here or down as others do."""
    return own in (-(-size >> times), max(1, size >> times))


def _multiplied(region: Region, times: int, in_z: bool, shape: Shape) -> tuple[Span, Span, Span]:
    z, y, x = (
        (min(size - 1, start << often), min(size, stop << often))
        for (start, stop), size, often in zip(region[2:], shape[2:5], (times if in_z else 0, times, times), strict=True)
    )
    return z, y, x


def _halved(box: NDArray[Any], rule: Method, times: int, *, z: bool) -> NDArray[Any]:
    for _ in range(times):
        box = halve(box, rule, z=z)
    return box


def _alike(made: NDArray[Any], block: NDArray[Any]) -> bool:
    if made.shape != block.shape:
        return False
    if block.dtype.kind == "f":
        return bool(np.allclose(made, block, rtol=_ULPS, atol=0, equal_nan=True))
    return bool(np.array_equal(made, block))


def _near(made: NDArray[Any], block: NDArray[Any], times: int | None) -> bool:
    """Whether nearly all pixels are what a rule makes, give or take its rounding; an empty block is near to nothing."""
    if made.shape != block.shape or (block == block.flat[0]).all() or made.dtype.kind == "b":
        return False
    step = (times or 1) + 1 if block.dtype.kind in "iu" else 1e-3 * float(np.nanmax(np.abs(made), initial=0))
    return bool((np.abs(made.astype(np.float64) - block.astype(np.float64)) > step).mean() <= _UNALIKE)


def _fault(copy: Image, block: NDArray[Any], box: NDArray[Any], region: Region, starts: Sequence[int], levels: tuple[Level, Level]) -> str:
    """What is wrong with a block that no rule of ours makes; empty if another rule may have made it."""
    if copy.kind in ("label", "indexed"):
        strange = np.setdiff1d(block, box)
        if strange.size:
            return f"has values that full resolution does not have there, such as {strange[0]},"
    factors = _factors(*levels)
    low, high = _extremes(box, region, starts, factors, 0)
    noise = 1.0 if block.dtype.kind in "iu" else 0.0
    if copy.lossy:
        # Each level was compressed by itself.
        noise = float(np.nanmax(high) - np.nanmin(low)) * _LOSSY if np.isfinite(high).any() else 0.0
    if block.dtype.kind == "f":
        block = np.where(np.isfinite(block), block, np.nan)
    same = bool((block == block.flat[0]).all())
    if same and _outside(block, low, high, noise).any():
        return f"is {block.flat[0]} throughout, unlike full resolution,"
    if copy.kind in ("label", "indexed"):
        return ""
    low, high = _extremes(box, region, starts, factors, 1)
    return "shows something else than full resolution" if _outside(block, low, high, noise).mean() > _UNALIKE else ""


def _extremes(box: NDArray[Any], region: Region, starts: Sequence[int], factors: Sequence[float], margin: int) -> tuple[NDArray[Any], NDArray[Any]]:
    """Smallest and largest of the finer pixels under each of a block's, and under those around it."""
    low = high = box
    for axis, ((first, last), begin, factor) in enumerate(zip(region[2:], starts, factors, strict=True)):
        around = margin if factor > 1 else 0
        windows = []
        for index in range(first, last):
            start = max(0, floor((index - around) * factor) - begin)
            stop = min(box.shape[axis], max(start + 1, ceil((index + 1 + around) * factor) - begin))
            windows.append(slice(min(start, box.shape[axis] - 1), stop))
        low, high = (
            np.stack([extreme.reduce(pixels[(slice(None),) * axis + (window,)], axis=axis) for window in windows], axis)
            for extreme, pixels in ((np.fmin, low), (np.fmax, high))
        )
    return low, high


def _outside(block: NDArray[Any], low: NDArray[Any], high: NDArray[Any], noise: float) -> NDArray[Any]:
    """Which pixels of a block lie outside of a range by more than noise."""
    pixels, low, high = (values.astype(np.float64) for values in (block, low, high))
    margin = np.maximum(noise, 0.02 * (high - low))
    # Not a number where there are numbers is as wrong as any other value.
    strange = (pixels < low - margin) | (pixels > high + margin) | (np.isnan(pixels) & np.isfinite(low) & np.isfinite(high))
    return np.asarray(strange & ~np.isnan(low))
