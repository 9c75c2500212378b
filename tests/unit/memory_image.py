"""An image in memory, for tests that need pixels but no file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lightmicroscopy.image import Channel, Image, ImageMetadata, Level, Quantity, Region, Shape


@dataclass(frozen=True)
class MemoryPixels:
    """A `PixelSource` over an array of shape (T, C, Z, Y, X, S)."""

    array: NDArray[Any]
    unit: Shape

    @property
    def shape(self) -> Shape:
        """Sizes along T C Z Y X S."""
        return Shape(*self.array.shape)

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the values."""
        return self.array.dtype

    def read(self, region: Region) -> NDArray[Any]:
        """Read one box."""
        return self.array[tuple(slice(*span) for span in region)]


def memory_image(array: NDArray[Any], *, names: tuple[str, ...] = (), unit: Shape | None = None, series: int = 0, **fields: Any) -> Image:
    """Wrap an array of shape (T, C, Z, Y, X, S), with channel names and a pixel size of 0.5 µm."""
    pixels = MemoryPixels(array, unit or Shape(1, 1, 1, *array.shape[3:]))
    metadata = ImageMetadata(
        pixel_size_x=Quantity(0.5, "µm"),
        pixel_size_y=Quantity(0.5, "µm"),
        pixel_size_z=Quantity(2.0, "µm"),
        channels=tuple(Channel(name=name) for name in names),
    )
    fields.setdefault("metadata", metadata)
    fields.setdefault("name", "cells")
    return Image(series=series, levels=(Level(pixels),), axes="TCZYX", **fields)
