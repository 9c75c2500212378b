"""Pixels of a Zarr array: of its own dimensions, and as the image model's T C Z Y X S."""

from __future__ import annotations

import math
import threading
from collections import OrderedDict
from collections.abc import Sequence
from itertools import product
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from ..errors import SuiteError, UnreadableError
from ..image import Region, Shape, Span
from .zarr_codecs import ChunkError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .zarr_array import ArrayLayout
    from .zarr_store import Store

AXES: Final = "tczyx"
_ABSENT: Final = 2**64 - 1
_INDEXES: Final = 32
_ENTRY: Final = 16


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
        self._lock = threading.Lock()
        self._indexes: OrderedDict[tuple[int, ...], NDArray[Any] | None] = OrderedDict()
        self._other: Any = None
        if layout.chain is None:
            # Now, so that a codec nobody here knows is an error before anything is written.
            from .zarr_python import open_array

            self._other = open_array(store, layout)

    def read(self, box: Sequence[Span]) -> NDArray[Any]:
        """Read a box, given as half-open spans along the array's dimensions."""
        if self.layout.chain is None:
            return self._read_by_zarr(box)
        chunk = self.layout.chunk
        ranges = [range(start // extent, -(-stop // extent)) for (start, stop), extent in zip(box, chunk, strict=True)]
        if all(len(indices) == 1 for indices in ranges):
            index = tuple(indices[0] for indices in ranges)
            pixels = self.chunk(index)
            inside = tuple(slice(start - at * extent, stop - at * extent) for (start, stop), at, extent in zip(box, index, chunk, strict=True))
            return np.full([stop - start for start, stop in box], self.layout.fill, self.layout.dtype) if pixels is None else pixels[inside]
        result = np.empty([stop - start for start, stop in box], self.layout.dtype)
        for index in product(*ranges):
            pixels = self.chunk(index)
            source, target = _overlap(box, index, chunk)
            result[target] = self.layout.fill if pixels is None else pixels[source]
        return result

    def chunk(self, index: tuple[int, ...]) -> NDArray[Any] | None:
        """Decode one chunk, whole (also where it hangs over the array's edge); ``None`` if it was never stored.

        Raises
        ------
        UnreadableError
            If it is damaged.
        """
        chain = self.layout.chain
        if chain is None:
            raise TypeError("decoded by zarr-python, not chunk by chunk")
        key, data = self._stored(index)
        if data is None:
            return None
        try:
            return chain.decode(data, self.layout.chunk)
        except ChunkError as error:
            raise self._damaged(key, str(error)) from error

    def _stored(self, index: tuple[int, ...]) -> tuple[str, bytes | None]:
        chain, sharding = self.layout.chain, self.layout.sharding
        size = math.prod(self.layout.chunk) * self.layout.dtype.itemsize
        bound = chain.bound(size) if chain else size
        if sharding is None:
            key = self.layout.key(index)
            return key, self.store.get(key, bound)
        per_shard = [whole // part for whole, part in zip(sharding.shape, self.layout.chunk, strict=True)]
        shard = tuple(at // count for at, count in zip(index, per_shard, strict=True))
        key = self.layout.key(shard)
        entries = self._shard_index(key, shard, per_shard)
        if entries is None:
            return key, None
        offset, length = (int(value) for value in entries[tuple(at % count for at, count in zip(index, per_shard, strict=True))])
        if offset == length == _ABSENT:
            return key, None
        if length > bound or offset > _ABSENT // 2:
            raise self._damaged(key, f"has an index that promises a chunk of {length:,} bytes")
        data = self.store.get_range(key, offset, length)
        if data is None or len(data) != length:
            raise self._damaged(key, "is shorter than its index says")
        return key, data

    def _shard_index(self, key: str, shard: tuple[int, ...], per_shard: Sequence[int]) -> NDArray[Any] | None:
        with self._lock:
            if shard in self._indexes:
                self._indexes.move_to_end(shard)
                return self._indexes[shard]
        entries = self._read_shard_index(key, per_shard)
        with self._lock:
            self._indexes[shard] = entries
            if len(self._indexes) > _INDEXES:
                self._indexes.popitem(last=False)
        return entries

    def _read_shard_index(self, key: str, per_shard: Sequence[int]) -> NDArray[Any] | None:
        sharding = self.layout.sharding
        if sharding is None:
            return None
        length = sharding.index.bound(math.prod(per_shard) * _ENTRY)
        data = self.store.get_range(key, -length if sharding.index_at_end else 0, length)
        if data is None:
            return None
        try:
            return sharding.index.decode(data, (*per_shard, 2))
        except ChunkError as error:
            raise self._damaged(key, f"has an index that {error}") from error

    def _read_by_zarr(self, box: Sequence[Span]) -> NDArray[Any]:
        try:
            pixels = self._other[tuple(slice(start, stop) for start, stop in box)]
        except SuiteError:
            raise
        except Exception as error:  # whatever a codec of somebody else's raises
            raise self._damaged(self.layout.path or "/", f"cannot be decoded ({type(error).__name__}: {error})") from error
        return np.asarray(pixels, self.layout.dtype)

    def _damaged(self, key: str, what: str) -> UnreadableError:
        return UnreadableError(f"{self.store.name}: the chunk {key} {what}. The store is damaged; ask for it again, or leave that part out.")


def _overlap(box: Sequence[Span], index: Sequence[int], chunk: Sequence[int]) -> tuple[tuple[slice, ...], tuple[slice, ...]]:
    """Where a chunk and a box meet, counted in the chunk and in the box."""
    source, target = [], []
    for (start, stop), at, extent in zip(box, index, chunk, strict=True):
        first, last = max(start, at * extent), min(stop, (at + 1) * extent)
        source.append(slice(first - at * extent, last - at * extent))
        target.append(slice(first - start, last - start))
    return tuple(source), tuple(target)


class ZarrPixels:
    """A `PixelSource` over a Zarr array whose dimensions are some of t c z y x, in any order; ``-`` is one of size 1 left out."""

    def __init__(self, array: ZarrArray, axes: str) -> None:
        self.array = array
        self._axes = axes
        self._left_out = tuple(position for position, axis in enumerate(axes) if axis == "-")
        kept = axes.replace("-", "")
        self._order = [kept.index(axis) for axis in AXES if axis in kept]
        self._missing = tuple(position for position, axis in enumerate((*AXES, "s")) if axis not in axes)
        self.shape = self._extent(array.layout.shape)
        self.dtype = array.layout.dtype

    @property
    def unit(self) -> Shape:
        """Extent of a chunk, within the image."""
        chunk = self._extent(self.array.layout.chunk)
        return Shape(*(min(part, whole) for part, whole in zip(chunk, self.shape, strict=True)))

    def read(self, region: Region) -> NDArray[Any]:
        """See `PixelSource`."""
        for (start, stop), size in zip(region, self.shape, strict=False):
            if not 0 <= start < stop <= size:
                raise ValueError(f"{region} is not inside {self.shape}")
        pixels = self.array.read([(0, 1) if axis == "-" else region[AXES.index(axis)] for axis in self._axes])
        return np.expand_dims(pixels.squeeze(self._left_out).transpose(self._order), self._missing)

    def _extent(self, sizes: Sequence[int]) -> Shape:
        known = dict(zip(self._axes, sizes, strict=True))
        return Shape(*(known.get(axis, 1) for axis in AXES))
