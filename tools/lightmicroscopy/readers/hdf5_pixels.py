"""HDF5 datasets, one or many, as the image model's T C Z Y X S."""

from __future__ import annotations

import math
from functools import lru_cache
from itertools import product
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from ..image import Region, Shape, Span

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from .hdf5_array import HdfArray

_AXES: Final = "tczyxs"
LETTERS: Final = "tTcCzZyxs"
"""Letters of a dataset's dimensions; T C Z are folded into t c z, their own index counted fastest."""


class HdfPixels:
    """A `PixelSource` over datasets.

    Parameters
    ----------
    grid
        One dataset for each time point and channel, ``None`` where there is none; or a single one that holds them all.
    axes
        A letter for each dimension of the datasets: t c z y x s, ``-`` for one of size 1 that is left out, and any number of
        T, C and Z.
    extent
        True extent along z, y and x, where the datasets are padded.
    """

    def __init__(self, grid: Sequence[Sequence[HdfArray | None]], axes: str, extent: tuple[int, int, int] | None = None) -> None:
        self.grid = [list(row) for row in grid]
        self._axes = axes
        self.first = next(array for row in self.grid for array in row if array is not None)
        self._dims = _dims(axes)
        self._order = [at for axis in _AXES for at in self._dims[axis]]
        own = {axis: math.prod(self.first.shape[at] for at in dims) for axis, dims in self._dims.items()}
        own["t"], own["c"] = own["t"] * len(self.grid), own["c"] * len(self.grid[0])
        if extent:
            own["z"], own["y"], own["x"] = extent
        self.shape = Shape(*(own[axis] for axis in _AXES))
        self.dtype = self.first.dtype
        arrays = [array for row in self.grid for array in row if array is not None]
        self.largest_unit = max(array.chunk_bytes for array in arrays)
        # Beside the chunk: its stored bytes, and what one filter leaves to the next.
        self.unit_memory = self.largest_unit * 3

    @property
    def unit(self) -> Shape:
        """Extent of a chunk, within the image."""
        chunk, sizes = self.first.chunk, []
        for axis, whole in zip(_AXES, self.shape, strict=True):
            held = 1
            for at in reversed(self._dims[axis]):
                held *= chunk[at]
                if chunk[at] < self.first.shape[at]:
                    break
            sizes.append(min(held, whole))
        return Shape(*sizes)._replace(s=self.shape.s)

    def read(self, region: Region) -> NDArray[Any]:
        """See `PixelSource`."""
        for (start, stop), size in zip(region, self.shape, strict=False):
            if not 0 <= start < stop <= size:
                raise ValueError(f"{region} is not inside {self.shape}")
        spans = dict(zip("tczyx", region, strict=True)) | {"s": (0, self.shape.s)}
        if len(self.grid) == len(self.grid[0]) == 1:
            return self._read(self.grid[0][0], spans)
        # Each dataset holds one time point and channel.
        inner = {**spans, "t": (0, 1), "c": (0, 1)}
        (t0, t1), (c0, c1) = region.t, region.c
        if t1 - t0 == c1 - c0 == 1:
            return self._read(self.grid[t0][c0], inner)
        result = np.empty((*region.sizes, self.shape.s), self.dtype)
        for t, c in product(range(t0, t1), range(c0, c1)):
            result[t - t0 : t - t0 + 1, c - c0 : c - c0 + 1] = self._read(self.grid[t][c], inner)
        return result

    def _read(self, array: HdfArray | None, spans: Mapping[str, Span]) -> NDArray[Any]:
        sizes = [stop - start for start, stop in (spans[axis] for axis in _AXES)]
        if array is None:
            return np.full(sizes, self.first.fill, self.dtype)
        pieces = [list(_pieces(spans[axis], [array.shape[at] for at in self._dims[axis]])) for axis in _AXES]
        if all(len(parts) == 1 for parts in pieces):
            return self._box(array, [parts[0] for parts in pieces]).reshape(sizes)
        result = np.empty(sizes, self.dtype)
        for choice in product(*(list(enumerate(parts)) for parts in pieces)):
            block = self._box(array, [part for _, part in choice])
            target = []
            for parts, (number, part) in zip(pieces, choice, strict=True):
                start = sum(map(_count, parts[:number]))
                target.append(slice(start, start + _count(part)))
            result[tuple(target)] = block.reshape([part.stop - part.start for part in target])
        return result

    def _box(self, array: HdfArray, parts: Sequence[tuple[Span, ...]]) -> NDArray[Any]:
        box: list[Span] = [(0, 1)] * len(self._axes)
        for axis, part in zip(_AXES, parts, strict=True):
            for at, span in zip(self._dims[axis], part, strict=True):
                box[at] = span
        left_out = tuple(at for at in range(len(box)) if at not in self._order)
        pixels = array.read(box).squeeze(left_out)
        place = {at: number for number, at in enumerate(at for at in range(len(box)) if at in self._order)}
        return pixels.transpose([place[at] for at in self._order])


@lru_cache(maxsize=100)
def _dims(axes: str) -> Mapping[str, tuple[int, ...]]:
    """Dimensions that make up each axis; shared by all images alike, of which a file may have very many."""
    return {axis: tuple(at for letter in (axis, axis.upper()) for at, own in enumerate(axes) if own == letter) for axis in _AXES}


def _count(part: Sequence[Span]) -> int:
    return math.prod(stop - start for start, stop in part)


def _pieces(span: Span, sizes: Sequence[int]) -> Iterator[tuple[Span, ...]]:
    """Boxes of several dimensions that make up a span of all their indexes, the last dimension counted fastest."""
    if len(sizes) < 2:
        yield (span,) if sizes else ()
        return
    inner = math.prod(sizes[1:])
    start, stop = span
    while start < stop:
        outer, offset = divmod(start, inner)
        if offset or stop - start < inner:
            end = min(stop, (outer + 1) * inner)
            for rest in _pieces((offset, end - outer * inner), sizes[1:]):
                yield ((outer, outer + 1), *rest)
        else:
            end = stop // inner * inner
            yield ((outer, end // inner), *((0, size) for size in sizes[1:]))
        start = end
