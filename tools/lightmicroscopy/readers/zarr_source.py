"""Pixels of a Zarr array: of its own dimensions, and as the image model's T C Z Y X S."""

from __future__ import annotations

import math
from itertools import chain, groupby, pairwise, product
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from ..errors import SuiteError
from ..image import LARGE_UNIT, Region, Shape, Span
from .large_units import kept
from .zarr_chunks import StoredChunks
from .zarr_codecs import ChunkError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from numpy.typing import NDArray

    from .zarr_array import ArrayLayout
    from .zarr_store import Store

AXES: Final = "tczyx"
_FOLDED_AXES: Final = "tTcCzZyx"


class ZarrArray:
    """Reads boxes of one array; safe to use from several threads.

    Raises
    ------
    UnreadableError
        If its codecs are not known, here or to zarr-python.
    """

    def __init__(self, store: Store, layout: ArrayLayout) -> None:
        self.store = store
        self.layout = layout
        self._other: Any = None
        self.chunk_bytes = math.prod(layout.chunk) * layout.dtype.itemsize
        self._stored = StoredChunks(store, layout, layout.chain.bound(self.chunk_bytes) if layout.chain else self.chunk_bytes)
        if layout.chain is None:
            # Now, so that a codec nobody here knows is an error before anything is written.
            from .zarr_python import open_array

            self._other = open_array(store, layout)

    def read(self, box: Sequence[Span]) -> NDArray[Any]:
        """Read a box, given as half-open spans along the array's dimensions."""
        if self.layout.chain is None and self.chunk_bytes <= LARGE_UNIT:
            return self._read_by_zarr(box)
        chunk = self.layout.chunk
        ranges = self._chunks(box)
        if all(len(indices) == 1 for indices in ranges):
            index = tuple(indices[0] for indices in ranges)
            pixels = self._held(index)
            inside = tuple(slice(start - at * extent, stop - at * extent) for (start, stop), at, extent in zip(box, index, chunk, strict=True))
            return np.full([stop - start for start, stop in box], self.layout.fill, self.layout.dtype) if pixels is None else pixels[inside]
        if not self._stored.idle:
            return self._assembled(box, product(*ranges))
        self.will_read((box,))
        try:
            return self._assembled(box, product(*ranges))
        finally:
            self.will_read(())

    def _assembled(self, box: Sequence[Span], indexes: Iterable[tuple[int, ...]]) -> NDArray[Any]:
        result = np.empty([stop - start for start, stop in box], self.layout.dtype)
        for index in indexes:
            pixels = self._held(index)
            source, target = _overlap(box, index, self.layout.chunk)
            result[target] = self.layout.fill if pixels is None else pixels[source]
        return result

    def _held(self, index: tuple[int, ...]) -> NDArray[Any] | None:
        """Give a chunk; one that is large is kept until another is asked for."""
        if self.chunk_bytes <= LARGE_UNIT:
            return self.chunk(index)
        if self.layout.chain is not None:
            return kept(self, index, lambda: self.chunk(index))
        starts = [at * extent for at, extent in zip(index, self.layout.chunk, strict=True)]
        box = [(start, min(start + extent, full)) for start, extent, full in zip(starts, self.layout.chunk, self.layout.shape, strict=True)]
        return kept(self, index, lambda: self._read_by_zarr(box))

    def will_read(self, boxes: Iterable[Sequence[Span]]) -> None:
        """Fetch the chunks of these boxes ahead of reading them, in that order; for a store where that gains anything.

        It replaces what was announced before; no boxes withdraw it.
        """
        if not self._stored.far or self.layout.chain is None:
            return
        indexes: Iterator[tuple[int, ...]] = chain.from_iterable(product(*self._chunks(box)) for box in boxes)
        if self.chunk_bytes > LARGE_UNIT:
            # What is read of one in several parts is asked for once: see `_held`.
            indexes = (index for index, _ in groupby(indexes))
        self._stored.will_get(indexes)

    def _chunks(self, box: Sequence[Span]) -> list[range]:
        return [range(start // extent, -(-stop // extent)) for (start, stop), extent in zip(box, self.layout.chunk, strict=True)]

    def holds(self, box: Sequence[Span]) -> bool:
        """Whether anything of a box was ever stored; what was not is the fill value."""
        return any(self._stored.holds(index) for index in product(*self._chunks(box)))

    def chunk(self, index: tuple[int, ...]) -> NDArray[Any] | None:
        """Decode one chunk, whole (also where it hangs over the array's edge); ``None`` if it was never stored.

        Raises
        ------
        UnreadableError
            If it is damaged.
        """
        decoding = self.layout.chain
        if decoding is None:
            raise TypeError("decoded by zarr-python, not chunk by chunk")
        key, data = self._stored.get(index)
        if data is None:
            return None
        try:
            return decoding.decode(data, self.layout.chunk)
        except ChunkError as error:
            raise self._stored.damaged(key, str(error)) from error

    def _read_by_zarr(self, box: Sequence[Span]) -> NDArray[Any]:
        try:
            pixels = self._other[tuple(slice(start, stop) for start, stop in box)]
        except SuiteError:
            raise
        except Exception as error:  # whatever a codec of somebody else's raises
            raise self._stored.damaged(self.layout.path or "/", f"cannot be decoded ({type(error).__name__}: {error})") from error
        return np.asarray(pixels, self.layout.dtype)


def _overlap(box: Sequence[Span], index: Sequence[int], chunk: Sequence[int]) -> tuple[tuple[slice, ...], tuple[slice, ...]]:
    """Where a chunk and a box meet, counted in the chunk and in the box."""
    source, target = [], []
    for (start, stop), at, extent in zip(box, index, chunk, strict=True):
        first, last = max(start, at * extent), min(stop, (at + 1) * extent)
        source.append(slice(first - at * extent, last - at * extent))
        target.append(slice(first - start, last - start))
    return tuple(source), tuple(target)


class ZarrPixels:
    """A `PixelSource` over a Zarr array, its dimensions in any order.

    Parameters
    ----------
    array
        What to read.
    axes
        One letter per dimension: t c z y x; ``-`` for one of size 1 that is left out; T, C or Z for one that is folded into
        t, c or z, its own index counted fastest. Each may be there once, ``-`` more often.

    Attributes
    ----------
    folded
        Size of each dimension folded, under t, c or z.
    """

    def __init__(self, array: ZarrArray, axes: str) -> None:
        self.array = array
        self._axes = axes
        self._left_out = tuple(position for position, axis in enumerate(axes) if axis == "-")
        kept = axes.replace("-", "")
        # t T c C z Z y x: what is folded comes right behind what it is folded into.
        self._order = [kept.index(axis) for axis in _FOLDED_AXES if axis in kept]
        self.folded = {axis.lower(): size for axis, size in zip(axes, array.layout.shape, strict=True) if axis.isupper()}
        self.shape = self._extent(array.layout.shape)
        self.dtype = array.layout.dtype
        self.largest_unit = array.chunk_bytes
        # Beside the chunk: its stored bytes, or a copy in another byte order; zarr-python holds all of these.
        self.unit_memory = array.chunk_bytes * (2 if array.layout.chain else 3)

    @property
    def unit(self) -> Shape:
        """Extent of a chunk, within the image."""
        chunk = dict(zip(self._axes, self.array.layout.chunk, strict=True))
        sizes = dict(zip(AXES, self._extent(self.array.layout.chunk), strict=False))
        for axis, size in self.folded.items():
            outer, inner = min(chunk.get(axis, 1), self.shape[AXES.index(axis)] // size), chunk[axis.upper()]
            # Only where chunks follow one another along the folded dimension alone does one of them hold consecutive planes.
            sizes[axis] = inner if outer == 1 and size % inner == 0 else outer * size
        return Shape(*(min(sizes[axis], whole) for axis, whole in zip(AXES, self.shape, strict=False)))

    def read(self, region: Region) -> NDArray[Any]:
        """See `PixelSource`."""
        for (start, stop), size in zip(region, self.shape, strict=False):
            if not 0 <= start < stop <= size:
                raise ValueError(f"{region} is not inside {self.shape}")
        if not self.folded:
            return self._read(dict(zip(AXES, region, strict=True)), region.sizes)
        result = np.empty((*region.sizes, 1), self.dtype)
        for boxes, target in self._pieces(region):
            result[target] = self._read(boxes, [part.stop - part.start for part in target])
        return result

    def _read(self, boxes: Mapping[str, Span], sizes: Sequence[int]) -> NDArray[Any]:
        pixels = self.array.read(self._box(boxes))
        return pixels.squeeze(self._left_out).transpose(self._order).reshape(*sizes, 1)

    def holds(self, region: Region) -> bool:
        """Whether anything of a region was ever stored; what was not is the fill value."""
        return any(self.array.holds(self._box(boxes)) for boxes, _ in self._pieces(region))

    def _spans(self, axis: str, span: Span) -> list[_Piece]:
        """Cut a span of a folded axis into boxes of its two dimensions: the rest of the first, whole ones, the beginning of the last."""
        size = self.folded.get(axis)
        if size is None:
            return [_Piece({axis: span}, slice(0, span[1] - span[0]))]
        start, stop = span
        cuts = sorted({start, min(stop, -(-start // size) * size), max(start, stop // size * size), stop})
        return [
            _Piece(
                {axis: (first // size, -(-last // size)), axis.upper(): (first % size, (last - 1) % size + 1)},
                slice(first - start, last - start),
            )
            for first, last in pairwise(cuts)
        ]

    def will_read(self, regions: Iterable[Region]) -> None:
        """See `image.ReadsAhead`."""
        self.array.will_read(self._box(boxes) for region in regions for boxes, _ in self._pieces(region))

    def _pieces(self, region: Region) -> Iterator[tuple[dict[str, Span], tuple[slice, ...]]]:
        """Boxes of the array that a region is made of, and where they go in it."""
        spans = [self._spans(axis, span) for axis, span in zip(AXES, region, strict=True)]
        for pieces in product(*spans):
            yield {axis: span for piece in pieces for axis, span in piece.boxes.items()}, tuple(piece.target for piece in pieces)

    def _box(self, boxes: Mapping[str, Span]) -> list[Span]:
        return [boxes.get(axis, (0, 1)) for axis in self._axes]

    def _extent(self, sizes: Sequence[int]) -> Shape:
        known = dict(zip(self._axes, sizes, strict=True))
        return Shape(*(known.get(axis, 1) * (known.get(axis.upper(), 1) if axis.upper() in _FOLDED_AXES else 1) for axis in AXES))


class _Piece(NamedTuple):
    """Spans of the array's dimensions, and where they go in what is read."""

    boxes: Mapping[str, Span]
    target: slice
