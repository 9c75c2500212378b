"""The tiles of a Leica tile scan as one image, laid out by the positions the file gives them.

The positions are those of the stage. They are taken as they are, rounded to whole pixels: nothing is registered and nothing
blended. Where tiles overlap the one acquired last is on top; what no tile covers is 0.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import LimitError
from ..image import Region, Shape, TilePosition

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from ..image import PixelSource
    from ..metadata.lif_mapping import TileField

_MOST_SPREAD = 64
"""How many times larger than all tiles together a fused image may be: one stray position would make it absurd."""
_FREE = 1 << 30


def place_tiles(fields: Sequence[TileField], pixel_m: tuple[float | None, float | None], shape: Shape, name: str) -> tuple[TilePosition, ...] | None:
    """Positions of the tiles in pixels of the whole, from its top left; None where the file does not give them.

    Raises
    ------
    LimitError
        If they lie so far apart that the whole would be almost empty.
    """
    if not pixel_m[0] or not pixel_m[1]:
        return None
    places = []
    for field in fields:
        if field.x is None or field.y is None:
            return None
        places.append((round(field.x / pixel_m[0]), round(field.y / pixel_m[1])))
    if not places:
        return None
    left, top = min(x for x, _ in places), min(y for _, y in places)
    tiles = tuple(TilePosition(x - left, y - top, shape.x, shape.y, order) for order, (x, y) in enumerate(places))
    width, height = extent(tiles)
    if width * height > _MOST_SPREAD * shape.x * shape.y * len(tiles) and width * height > _FREE:
        raise LimitError(
            f"{name}: its {len(tiles)} tiles lie so far apart that one image of them would have {width:,} × {height:,} pixels. "
            "Leave the tiles as they are."
        )
    return tiles


def extent(tiles: Sequence[TilePosition]) -> tuple[int, int]:
    """Width and height of the whole."""
    return max(tile.x + tile.width for tile in tiles), max(tile.y + tile.height for tile in tiles)


class MosaicSource:
    """Pixels of all tiles as one image."""

    def __init__(self, sources: Sequence[PixelSource], tiles: Sequence[TilePosition]) -> None:
        self._sources = sources
        self._tiles = tiles
        width, height = extent(tiles)
        self._shape = sources[0].shape._replace(x=width, y=height)
        unit = sources[0].unit
        self._unit = Shape(1, 1, 1, min(unit.y, height), min(unit.x, width), unit.s)

    @property
    def shape(self) -> Shape:
        """Sizes along T C Z Y X S."""
        return self._shape

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the values, in native byte order."""
        return self._sources[0].dtype

    @property
    def unit(self) -> Shape:
        """Extent read at once: that of a tile."""
        return self._unit

    def read(self, region: Region) -> NDArray[Any]:
        """Read one box; see `PixelSource`."""
        for (start, stop), size in zip(region, self._shape, strict=False):
            if not 0 <= start < stop <= size:
                raise ValueError(f"{region} lies outside {self._shape}")
        out = np.zeros((*region.sizes, self._shape.s), self.dtype)
        for source, tile in zip(self._sources, self._tiles, strict=True):
            y, x = _overlap(region.y, tile.y, tile.height), _overlap(region.x, tile.x, tile.width)
            if y is None or x is None:
                continue
            part = source.read(region._replace(y=(y[0] - tile.y, y[1] - tile.y), x=(x[0] - tile.x, x[1] - tile.x)))
            out[:, :, :, y[0] - region.y[0] : y[1] - region.y[0], x[0] - region.x[0] : x[1] - region.x[0]] = part
        return out


def _overlap(span: tuple[int, int], start: int, size: int) -> tuple[int, int] | None:
    low, high = max(span[0], start), min(span[1], start + size)
    return (low, high) if low < high else None
