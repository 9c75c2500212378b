"""Pixels of one level of a CZI series, painted from its subblocks."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from ..image import LARGE_UNIT, Region, Shape
from .czi_blocks import RAW, Block
from .large_units import kept

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from .czi_blocks import PixelType
    from .czi_container import CziFile
    from .czi_directory import Directory
    from .czi_series import LevelBlocks

_KEPT: Final = 24 << 20
"""Bytes of decoded tiles kept for the neighbouring blocks that need them too."""
_RAW_UNIT: Final = 8 << 20


class CziSource:
    """Pixels of one resolution level; later tiles cover earlier ones, and what no tile covers is 0.

    Parameters
    ----------
    files
        The files of the set.
    directory
        All subblocks.
    blocks
        Those of this level.
    """

    def __init__(self, files: Sequence[CziFile], directory: Directory, blocks: LevelBlocks, kind: PixelType, cache: TileCache) -> None:
        self._files = files
        self._directory = directory
        self._blocks = blocks
        self._kind = kind
        self._cache = cache
        self._dtype = np.dtype(kind.dtype)
        compressed = directory.compression[blocks.rows] != RAW
        units = blocks.width * blocks.height * directory.depth[blocks.rows]
        largest = int(units[compressed].max()) if compressed.any() else 0
        self.largest_unit = largest * kind.nbytes
        self.unit_memory = 2 * self.largest_unit
        self._unit = self._shape_of_unit(bool(compressed.any()))

    @property
    def shape(self) -> Shape:
        """Sizes along T C Z Y X S."""
        return self._blocks.shape

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the values, in native byte order."""
        return self._dtype

    @property
    def unit(self) -> Shape:
        """A tile where tiles are compressed; else rows, any of which can be read by itself."""
        return self._unit

    def _shape_of_unit(self, compressed: bool) -> Shape:
        shape, blocks = self.shape, self._blocks
        width, height = (min(int(np.median(extent)), full) for extent, full in ((blocks.width, shape.x), (blocks.height, shape.y)))
        if compressed:
            return Shape(1, 1, 1, height, width, shape.s)
        rows = 64
        while rows < shape.y and rows * 2 * width * self._kind.nbytes <= _RAW_UNIT:
            rows *= 2
        return Shape(1, 1, 1, min(rows, shape.y), width, shape.s)

    def read(self, region: Region) -> NDArray[Any]:
        """Read one box; see `PixelSource`."""
        shape = self.shape
        for (start, stop), size in zip(region, shape, strict=False):
            if not 0 <= start < stop <= size:
                raise ValueError(f"{region} lies outside {shape}")
        out = np.empty((*region.sizes, shape.s), self._dtype)
        for ti, t in enumerate(range(*region.t)):
            for ci, c in enumerate(range(*region.c)):
                for zi, z in enumerate(range(*region.z)):
                    self._paint((t * shape.c + c) * shape.z + z, region.y, region.x, out[ti, ci, zi])
        return out

    def _paint(self, plane: int, y: tuple[int, int], x: tuple[int, int], into: NDArray[Any]) -> None:
        blocks, here = self._blocks, self._blocks.of_plane(plane)
        left, top = blocks.x[here], blocks.y[here]
        right, bottom = left + blocks.width[here], top + blocks.height[here]
        meeting = np.flatnonzero((left < x[1]) & (right > x[0]) & (top < y[1]) & (bottom > y[0]))
        whole = (left[meeting] <= x[0]) & (right[meeting] >= x[1]) & (top[meeting] <= y[0]) & (bottom[meeting] >= y[1])
        if whole.any():
            # What lies below a tile that covers the whole box is not seen.
            meeting = meeting[int(np.flatnonzero(whole)[-1]) :]
        else:
            into[...] = 0
        for at in meeting:
            y0, y1 = max(y[0], int(top[at])), min(y[1], int(bottom[at]))
            x0, x1 = max(x[0], int(left[at])), min(x[1], int(right[at]))
            target = into[y0 - y[0] : y1 - y[0], x0 - x[0] : x1 - x[0]]
            self._block(here.start + int(at), (y0 - int(top[at]), y1 - int(top[at])), (x0 - int(left[at]), x1 - int(left[at])), target)

    def _block(self, number: int, y: tuple[int, int], x: tuple[int, int], into: NDArray[Any]) -> None:
        row = int(self._blocks.rows[number])
        directory = self._directory
        block = Block(self._files[int(directory.file[row])], directory, row, self._kind)
        if block.compression == RAW:
            block.rows(y, x, into)
            return
        if block.nbytes > LARGE_UNIT:
            pixels = kept(block.file, block.position, block.decode)
            if pixels is None:
                raise ValueError("a subblock decodes to nothing")
        elif block.depth == 1 and y == (0, block.height) and x == (0, block.width):
            pixels = block.decode()
        else:
            # All planes of one subblock are decoded together, and kept under the first.
            pixels = self._cache.get(row - block.inner, block)
        top = block.inner * block.height
        into[...] = pixels[top + y[0] : top + y[1], slice(*x)]


class TileCache:
    """The tiles decoded last, of all series of one file: neighbouring blocks of work share those at their border."""

    def __init__(self, total: int = _KEPT) -> None:
        self._total = total
        self._lock = threading.Lock()
        self._held = 0
        self._tiles: OrderedDict[int, _Tile] = OrderedDict()

    def get(self, row: int, block: Block) -> NDArray[Any]:
        """Give a tile, decoded now or before; of several threads that ask for it, one decodes it and the others wait."""
        with self._lock:
            tile = self._tiles.get(row)
            if tile is None:
                tile = self._tiles[row] = _Tile(block.nbytes)
                self._held += tile.bytes
                while self._held > self._total and len(self._tiles) > 1:
                    _, gone = self._tiles.popitem(last=False)
                    self._held -= gone.bytes
            else:
                self._tiles.move_to_end(row)
        return tile.pixels(block)


class _Tile:
    def __init__(self, size: int) -> None:
        self.bytes = size
        self._lock = threading.Lock()
        self._pixels: NDArray[Any] | None = None

    def pixels(self, block: Block) -> NDArray[Any]:
        with self._lock:
            if self._pixels is None:
                self._pixels = block.decode()
            return self._pixels
