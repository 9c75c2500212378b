"""Pixels of a Leica image, read by position: they are stored as they are, at distances that the header gives."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from ..errors import UnreadableError
from ..image import Region, Shape
from .lif_layout import Layout, offset_along

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from .files import RandomFile
    from .lif_structure import Block

_UNIT = 1 << 20
_BAND = 8 << 20
_WASTE = 4
"""Whole spans of rows are read, and cropped, where at most this many times the wanted bytes are read."""


class Memory(Protocol):
    """The memory of an image, wherever it is stored."""

    @property
    def frame(self) -> int:
        """Bytes that are decoded at once, where each plane is a picture; 0 where any part can be read by itself."""
        ...

    @property
    def lossy(self) -> bool:
        """Whether the storage has changed the values."""
        ...

    def read_into(self, offset: int, buffer: memoryview) -> None:
        """Fill a buffer of bytes. Raises `UnreadableError` if they are not all there."""
        ...


class BlockMemory:
    """The memory of an image in one block of a file."""

    frame = 0
    lossy = False

    def __init__(self, file: RandomFile, block: Block, name: str) -> None:
        self._file = file
        self._block = block
        self._name = name

    def read_into(self, offset: int, buffer: memoryview) -> None:
        """Fill a buffer of bytes."""
        inside = offset + len(buffer) <= self._block.size
        if not inside or self._file.read_into(self._block.offset + offset, buffer) < len(buffer):
            raise UnreadableError(f"{self._file.name} is truncated: pixels of {self._name} are missing. Copy or upload it again.")


class LifSource:
    """Pixels of one series.

    Parameters
    ----------
    memory
        Where they are.
    layout
        Where each of them lies there.
    tile
        Which tile of a tile scan this is.
    """

    def __init__(self, memory: Memory, layout: Layout, tile: int = 0) -> None:
        self._memory = memory
        self._layout = layout
        self._base = layout.offset_of_tile(tile)
        self._stored = layout.dtype.newbyteorder("<")
        self._shape = layout.shape
        self._unit = _unit(layout, self._shape, memory.frame)
        if memory.frame:
            self.largest_unit = memory.frame

    @property
    def shape(self) -> Shape:
        """Sizes along T C Z Y X S."""
        return self._shape

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the values, in native byte order."""
        return self._layout.dtype

    @property
    def unit(self) -> Shape:
        """Extent read at once: some whole rows."""
        return self._unit

    def read(self, region: Region) -> NDArray[Any]:
        """Read one box; see `PixelSource`."""
        for (start, stop), size in zip(region, self._shape, strict=False):
            if not 0 <= start < stop <= size:
                raise ValueError(f"{region} lies outside {self._shape}")
        layout = self._layout
        out = np.empty((*region.sizes, self._shape.s), layout.dtype)
        for ti, t in enumerate(range(*region.t)):
            for zi, z in enumerate(range(*region.z)):
                plane = self._base + offset_along(layout.t, t) + offset_along(layout.z, z)
                for ci, c in enumerate(range(*region.c)):
                    self._read_plane(plane, [channel.offset for channel in layout.channels[c]], region, out[ti, ci, zi])
        return out

    def _read_plane(self, at: int, samples: list[int], region: Region, into: NDArray[Any]) -> None:
        """Read one plane's rows in bands, so that memory stays small however far apart they lie."""
        x, y = self._layout.x, self._layout.y
        first, past = min(samples), max(samples) + self._stored.itemsize
        across = (region.x[1] - region.x[0] - 1) * x.stride + past - first
        for start, stop in self._bands(region, across):
            begin = at + region.x[0] * x.stride + start * y.stride + first
            rows = into[start - region.y[0] : stop - region.y[0]]
            span = (stop - start - 1) * y.stride + across
            if span == rows.nbytes and len(samples) == 1 and rows.dtype == self._stored:
                # They lie as they are wanted.
                self._memory.read_into(begin, rows.reshape(-1).view(np.uint8).data)
                continue
            data = np.empty(span, np.uint8)
            self._memory.read_into(begin, data.data)
            for number, sample in enumerate(samples):
                part = rows[:, :, number]
                part[...] = np.ndarray(part.shape, self._stored, data.data, sample - first, (y.stride, x.stride))

    def _bands(self, region: Region, across: int) -> Iterator[tuple[int, int]]:
        stride = self._layout.y.stride
        rows = max(1, _BAND // max(stride, 1)) if stride <= _WASTE * across else 1
        for start in range(region.y[0], region.y[1], rows):
            yield start, min(start + rows, region.y[1])


def _unit(layout: Layout, shape: Shape, frame: int) -> Shape:
    if frame:
        return Shape(1, 1, 1, shape.y, shape.x, shape.s)
    row = max(1, shape.x * shape.s * layout.dtype.itemsize)
    return Shape(1, 1, 1, max(1, min(shape.y, _UNIT // row)), shape.x, shape.s)
