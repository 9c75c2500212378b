"""Comparing the pixels of two images of one size, box by box: exactly, and without holding more than a few boxes."""

from __future__ import annotations

from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import product
from math import lcm
from typing import TYPE_CHECKING, Any, Final

from .image import LARGE_UNIT, Region

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import numpy as np
    from numpy.typing import NDArray

    from .image import Image, Span

PIXELS: Final = "pixels"
BOX_BYTES: Final = 8 << 20
"""Of each image that are compared at once, unless what its storage decodes at once is larger."""

Place = tuple[int, int, int]
"""A plane: t, channel (samples counted as channels), z."""
Box = tuple["Span", "Span", "Span", "Span", "Span"]


@dataclass
class Difference:
    """Between pixels; NaN equals NaN, integers differ exactly."""

    count: int = 0
    differing: int = 0
    largest: int | float = 0
    total: int | float = 0

    def merge(self, other: Difference) -> None:
        """Add another's counts."""
        self.count += other.count
        self.differing += other.differing
        self.largest = max(self.largest, other.largest)
        self.total += other.total

    def __str__(self) -> str:
        """Tell it in a sentence."""
        if not self.differing:
            return f"{self.count} pixels"
        largest = str(self.largest) if isinstance(self.largest, int) else f"{self.largest:.6g}"
        mean = f" and {self.total / self.count:.6g} on average" if self.largest != float("inf") else ""
        return f"{self.differing} of {self.count} pixels differ, by {largest} at most{mean}"


def planar(image: Image) -> tuple[int, int, int, int, int]:
    """Sizes along T C Z Y X, samples counted as channels: some formats know no samples."""
    shape = image.shape
    return shape.t, shape.c * shape.s, shape.z, shape.y, shape.x


def unlike_planes(
    original: Image, copy: Image, *, threads: int = 1, progress: Callable[[int], None] | None = None
) -> Iterator[tuple[Place | None, Difference]]:
    """Compare all pixels of two images of the same planar sizes.

    Parameters
    ----------
    progress
        Called with the bytes of the original that are done.

    Yields
    ------
    Each plane that differs and how, in order; last None and the difference of the whole.
    """
    whole = _Planes()
    done = 0
    with ThreadPoolExecutor(max(1, threads)) as pool:
        waiting: deque[Future[tuple[Box, int, dict[Place, Difference]]]] = deque()
        supply = _boxes(original, copy)
        try:
            while True:
                while len(waiting) <= max(1, threads) and (box := next(supply, None)) is not None:
                    waiting.append(pool.submit(_compare, original, copy, box))
                if not waiting:
                    break
                _, size, planes = waiting.popleft().result()
                whole.add(size, planes)
                done += size * original.dtype.itemsize
                if progress is not None:
                    progress(done)
        finally:
            for future in waiting:
                future.cancel()
    area = original.shape.y * original.shape.x
    for place in sorted(whole.planes):
        whole.planes[place].count = area
        yield place, whole.planes[place]
    yield None, whole.sum()


@dataclass
class _Planes:
    """Planes that differ; most often none."""

    count: int = 0
    planes: dict[Place, Difference] = field(default_factory=dict)

    def add(self, count: int, planes: dict[Place, Difference]) -> None:
        self.count += count
        for place, difference in planes.items():
            self.planes.setdefault(place, Difference()).merge(difference)

    def sum(self) -> Difference:
        whole = Difference()
        for difference in self.planes.values():
            whole.merge(difference)
        whole.count = self.count
        return whole


def _boxes(original: Image, copy: Image) -> Iterator[Box]:
    """Cut the image along the units of both, so that neither decodes much twice."""
    sizes = planar(original)
    units = [image.levels[0].pixels.unit for image in (original, copy)]
    samples = [image.shape.s for image in (original, copy)]
    channels = min(sizes[1], lcm(*(unit.c * number for unit, number in zip(units, samples, strict=True))))
    steps = [
        min(size, max(unit, other))
        for size, unit, other in zip(
            (sizes[0], sizes[2], sizes[3], sizes[4]),
            (units[0].t, units[0].z, units[0].y, units[0].x),
            (units[1].t, units[1].z, units[1].y, units[1].x),
            strict=True,
        )
    ]
    width = max(original.dtype.itemsize, copy.dtype.itemsize) * channels
    _fit(steps, (sizes[0], sizes[2], sizes[3], sizes[4]), width)
    spans = [
        list(_spans(size, step))
        for size, step in zip((sizes[0], sizes[1], sizes[2], sizes[3], sizes[4]), (steps[0], channels, *steps[1:]), strict=True)
    ]
    yield from product(*spans)


def _fit(steps: list[int], sizes: tuple[int, int, int, int], width: int) -> None:
    """Grow a box over x, then y, up to `BOX_BYTES`; shrink one that units of unlike shape have made too large to hold."""

    def held() -> int:
        return steps[0] * steps[1] * steps[2] * steps[3] * width

    for axis in (0, 1, 2, 3):
        if held() > LARGE_UNIT:
            steps[axis] = max(1, steps[axis] * LARGE_UNIT // held())
    for axis in (3, 2):
        times = BOX_BYTES // max(1, held())
        if times > 1:
            steps[axis] = min(sizes[axis], steps[axis] * times)


def _spans(size: int, step: int) -> Iterator[Span]:
    for start in range(0, size, step):
        yield start, min(start + step, size)


def _compare(original: Image, copy: Image, box: Box) -> tuple[Box, int, dict[Place, Difference]]:
    import numpy as np

    ours, theirs = _read(original, box), _read(copy, box)
    unlike = ours != theirs
    if ours.dtype.kind == "f" or theirs.dtype.kind == "f":
        unlike &= ~(np.isnan(ours) & np.isnan(theirs))
    found: dict[Place, Difference] = {}
    if unlike.any():
        for t, c, z in zip(*(axis.tolist() for axis in np.nonzero(unlike.any(axis=(3, 4)))), strict=True):
            plane = unlike[t, c, z]
            place = (box[0][0] + t, box[1][0] + c, box[2][0] + z)
            found[place] = _difference(ours[t, c, z][plane], theirs[t, c, z][plane])
    return box, ours.size, found


def _read(image: Image, box: Box) -> NDArray[Any]:
    """A box of pixels as (t, c, z, y, x), samples as channels."""
    t, c, z, y, x = box
    samples = image.shape.s
    found = image.levels[0].pixels.read(Region(t, (c[0] // samples, c[1] // samples), z, y, x))
    if samples == 1:
        return found[..., 0]
    moved = found.transpose(0, 1, 5, 2, 3, 4)
    return moved.reshape(moved.shape[0], moved.shape[1] * samples, *moved.shape[3:])


def _difference(ours: NDArray[Any], theirs: NDArray[Any]) -> Difference:
    """How far apart values are, all of which differ."""
    import numpy as np

    if ours.dtype.kind in "biu" and theirs.dtype.kind in "biu":
        return _whole_numbers(ours, theirs)
    gaps = np.abs(ours.astype(np.float64) - theirs.astype(np.float64))
    if not np.isfinite(gaps).all():
        return Difference(0, len(gaps), float("inf"), float("inf"))
    return Difference(0, len(gaps), float(gaps.max()), float(gaps.sum()))


def _whole_numbers(ours: NDArray[Any], theirs: NDArray[Any]) -> Difference:
    """Exactly: the distance of two 64-bit integers needs all 64 bits, of an unsigned and a negative one even more."""
    import numpy as np

    if {ours.dtype, theirs.dtype} == {np.dtype(np.uint64), np.dtype(np.int64)} or (
        np.dtype(np.uint64) in (ours.dtype, theirs.dtype) and "i" in (ours.dtype.kind, theirs.dtype.kind)
    ):
        gaps = [abs(mine - other) for mine, other in zip(ours.tolist(), theirs.tolist(), strict=True)]
        return Difference(0, len(gaps), max(gaps), sum(gaps))
    common: np.dtype[Any] = np.dtype(np.uint64 if "i" not in (ours.dtype.kind, theirs.dtype.kind) else np.int64)
    mine, other = ours.astype(common), theirs.astype(common)
    # Wrapping round is what makes the distance of two signed numbers right as an unsigned one.
    apart = np.maximum(mine, other).view(np.uint64) - np.minimum(mine, other).view(np.uint64)
    low, high = apart & np.uint64(0xFFFFFFFF), apart >> np.uint64(32)
    return Difference(0, len(apart), int(apart.max()), int(low.sum()) + (int(high.sum()) << 32))
