"""Boxes of pixels of one HDF5 dataset, of its own dimensions; decoded by as many threads as ask for them."""

from __future__ import annotations

import math
from itertools import product
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from ..errors import SuiteError
from ..image import LARGE_UNIT, Span
from .hdf5_file import HdfFile, Node, is_empty
from .hdf5_filters import SCALE_OFFSET, Pipeline
from .large_units import kept
from .zarr_codecs import ChunkError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

_RUN: Final = 1 << 16
"""Bytes side by side in the file that are worth a read of their own."""
_PIECE: Final = 1 << 20
"""Bytes that are read at once of a dataset that is stored in one piece."""


class _Stored(NamedTuple):
    """One chunk in the file."""

    at: tuple[int, ...]
    offset: int
    length: int
    mask: int


class HdfArray:
    """Reads boxes of one dataset; safe to use from several threads.

    Parameters
    ----------
    dtype
        What the stored numbers mean, where the file's own type does not say it; of the same size.

    Raises
    ------
    UnreadableError
        If a dataset that is stored in one piece is not all there.
    LimitError
        If it merely claims its size.
    """

    def __init__(self, file: HdfFile, node: Node, dtype: np.dtype[Any] | None = None) -> None:
        if node.dtype is None:
            raise TypeError("a dataset of numbers is needed")
        self.file = file
        self.node = node
        self.shape = node.shape
        self._as_stored = dtype.newbyteorder(node.dtype.byteorder) if dtype else node.dtype
        self.dtype = self._as_stored.newbyteorder("=")
        self.pipeline = Pipeline(node.filters)
        self.fill = _fill(node.fill, node.dtype).view(self.dtype)[()]
        self.chunk = node.chunk or _pieces(node.shape, node.dtype.itemsize)
        self.chunk_bytes = math.prod(self.chunk) * node.dtype.itemsize
        # Boolean values are made of bytes that may be anything.
        self._raw = np.dtype(np.uint8) if self._as_stored.kind == "b" else self._as_stored
        if node.layout == "contiguous":
            if node.offset is not None and node.stored != node.bytes:
                raise file.damaged(node, f"is {node.bytes:,} bytes by its shape, and {node.stored or 0:,} by its storage")
            if node.offset is not None and node.offset + node.bytes > file.bytes.size:
                raise file.damaged(node, "reaches beyond the end of the file, which is truncated")
            if is_empty(node.bytes, 0 if node.offset is None else node.bytes):
                raise file.empty(node)
        elif node.stored is not None and is_empty(node.bytes, node.stored):
            raise file.empty(node)

    def read(self, box: Sequence[Span]) -> NDArray[Any]:
        """Read a box, given as half-open spans along the dataset's dimensions."""
        if (direct := self._runs(box)) is not None:
            return direct
        ranges = [range(start // extent, -(-stop // extent)) for (start, stop), extent in zip(box, self.chunk, strict=True)]
        sizes = [stop - start for start, stop in box]
        if all(len(axis) == 1 for axis in ranges):
            found = next(self._stored(ranges), None)
            if found is None:
                return np.full(sizes, self.fill, self.dtype)
            inside = (
                slice(start - number * extent, stop - number * extent)
                for (start, stop), number, extent in zip(box, found.at, self.chunk, strict=True)
            )
            return self._held(found)[tuple(inside)]
        there = list(self._stored(ranges))
        complete = len(there) == math.prod(map(len, ranges))
        result = np.empty(sizes, self.dtype) if complete else np.full(sizes, self.fill, self.dtype)
        for found in there:
            source, target = [], []
            for (start, stop), number, extent in zip(box, found.at, self.chunk, strict=True):
                first, last = max(start, number * extent), min(stop, (number + 1) * extent)
                source.append(slice(first - number * extent, last - number * extent))
                target.append(slice(first - start, last - start))
            result[tuple(target)] = self._held(found)[tuple(source)]
        return result

    def _runs(self, box: Sequence[Span]) -> NDArray[Any] | None:
        """Read a box of a dataset in one piece straight into place, if it is made of long enough runs of bytes."""
        node, sizes = self.node, [stop - start for start, stop in box]
        if node.layout != "contiguous" or node.offset is None:
            return None
        # From this axis on, what is wanted of each of the axes before it is one run.
        axis = next((number for number in reversed(range(len(sizes))) if sizes[number] < self.shape[number]), 0)
        run = math.prod(sizes[axis:]) * self._raw.itemsize
        if run < _RUN:
            return None
        result = np.empty(sizes, self._raw)
        rows = result.reshape(-1).view(np.uint8).reshape(-1, run)
        strides = [math.prod(self.shape[number + 1 :]) * self._raw.itemsize for number in range(len(sizes))]
        last = sum(start * stride for (start, _), stride in zip(box[axis:], strides[axis:], strict=True))
        for row, at in zip(rows, product(*(range(*span) for span in box[:axis])), strict=True):
            offset = node.offset + last + sum(number * stride for number, stride in zip(at, strides, strict=False))
            if self.file.bytes.read_into(offset, row.data) != run:
                raise self.file.damaged(node, "is cut off at the end of the file")
        return self._native(result)

    def _stored(self, ranges: Sequence[range]) -> Iterator[_Stored]:
        if self.node.layout == "chunked":
            yield from (_Stored(*entry) for entry in self.file.table(self.node).within(ranges))
        elif self.node.layout == "compact":
            yield from (_Stored(index, 0, 0, 0) for index in product(*ranges))
        elif self.node.offset is not None:
            strides = [math.prod(self.shape[axis + 1 :]) * self._raw.itemsize for axis in range(len(self.shape))]
            for index in product(*ranges):
                start = sum(at * extent * stride for at, extent, stride in zip(index, self.chunk, strides, strict=True))
                yield _Stored(index, self.node.offset + start, math.prod(self._extent(index)) * self._raw.itemsize, 0)

    def _extent(self, index: Sequence[int]) -> list[int]:
        """Size of a chunk within the dataset."""
        return [min(extent, full - at * extent) for at, extent, full in zip(index, self.chunk, self.shape, strict=True)]

    def _held(self, found: _Stored) -> NDArray[Any]:
        """Give a chunk; one that is large is kept until another is asked for."""
        if self.chunk_bytes <= LARGE_UNIT:
            return self._decoded(found)
        pixels = kept(self, found.at, lambda: self._decoded(found))
        if pixels is None:
            raise TypeError("a stored chunk has pixels")
        return pixels

    def _decoded(self, found: _Stored) -> NDArray[Any]:
        try:
            return self._decode(found)
        except ChunkError as error:
            raise self.file.damaged(self.node, f"has a chunk, {'.'.join(map(str, found.at))}, that {error}") from error

    def _decode(self, found: _Stored) -> NDArray[Any]:
        whole = self.node.layout == "chunked"
        if self.node.layout == "compact" or self.pipeline.by_library:
            return self._by_library(found)
        data = self.file.bytes.read(found.offset, found.length)
        if len(data) != found.length:
            raise ChunkError("is cut off at the end of the file")
        shape = list(self.chunk) if whole else self._extent(found.at)
        size = math.prod(shape) * self._raw.itemsize
        try:
            flat = np.frombuffer(self.pipeline.decode(data, found.mask, size) if whole else data, self._raw)
        except ChunkError:
            # Chunks at the edge may have been left unfiltered, which the file says in a place h5py does not show.
            if found.length == size and self._extent(found.at) != shape:
                return self._by_library(found)
            raise
        return self._native(flat.reshape(shape))

    def _by_library(self, found: _Stored) -> NDArray[Any]:
        extent = self._extent(found.at)
        start = [at * size for at, size in zip(found.at, self.chunk, strict=True)]
        try:
            data = self.file.read_by_library(self.node, start, extent)
        except SuiteError as error:
            raise ChunkError(f"cannot be decoded ({error})") from error
        return self._native(np.frombuffer(data, self._raw).reshape(extent))

    def _native(self, pixels: NDArray[Any]) -> NDArray[Any]:
        if self._as_stored.kind == "b":
            return pixels.astype(bool)
        return pixels if self._raw.isnative else pixels.byteswap().view(self.dtype)

    @property
    def lossy(self) -> bool:
        """Whether the storage has changed the values: floating point numbers cut to so many decimals."""
        return self.dtype.kind == "f" and any(step.code == SCALE_OFFSET for step in self.node.filters)


def _fill(value: Any, dtype: np.dtype[Any]) -> NDArray[Any]:
    with np.errstate(over="ignore"):
        return np.array(value, dtype.newbyteorder("="))


def _pieces(shape: Sequence[int], itemsize: int) -> tuple[int, ...]:
    """Extent of the pieces in which a dataset in one piece is read: whole trailing dimensions, and a part of the one before."""
    extent = [1] * len(shape)
    room = max(1, _PIECE // itemsize)
    for axis in reversed(range(len(shape))):
        extent[axis] = min(shape[axis], room)
        room = max(1, room // extent[axis])
        if extent[axis] < shape[axis]:
            break
    return tuple(extent)
