"""Pixels on their way to a format that cannot hold them as they are: converted types, samples as channels."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import UnwritableError
from ..image import Level, Region, Shape, announce
from .blocks import LARGEST_BLOCK, Plan, block_extent, blocks, parts, unit_bytes, unit_memory

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from ..image import Image, PixelSource

_LONG = 8


@dataclass(frozen=True, slots=True)
class _Made:
    """Pixels made of another source's, whose units they are read by."""

    source: PixelSource

    @property
    def largest_unit(self) -> int:
        """Bytes of the largest unit unpacked."""
        return unit_bytes(self.source)

    @property
    def unit_memory(self) -> int:
        """Bytes that unpacking it takes, if the source keeps it."""
        return unit_memory(self.source)


@dataclass(frozen=True, slots=True)
class Converted(_Made):
    """Another source's pixels, as another type that holds every one of them."""

    dtype: np.dtype[Any]

    @property
    def shape(self) -> Shape:
        """Sizes along T C Z Y X S."""
        return self.source.shape

    @property
    def unit(self) -> Shape:
        """Extent of what the storage decodes at once."""
        return self.source.unit

    def will_read(self, regions: Iterable[Region]) -> None:
        """See `image.ReadsAhead`."""
        announce(self.source, regions)

    def read(self, region: Region) -> NDArray[Any]:
        """Read one box of pixels and convert it."""
        return self.source.read(region).astype(self.dtype)


@dataclass(frozen=True, slots=True)
class SamplesAsChannels(_Made):
    """An RGB source whose samples stand as channels of their own, channel 0's samples first."""

    @property
    def shape(self) -> Shape:
        """Sizes along T C Z Y X S; S is 1."""
        inner = self.source.shape
        return inner._replace(c=inner.c * inner.s, s=1)

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the stored values."""
        return self.source.dtype

    @property
    def unit(self) -> Shape:
        """Extent of what the storage decodes at once: all samples of a channel."""
        unit, samples = self.source.unit, self.source.shape.s
        return unit._replace(c=unit.c * samples, s=1)

    def will_read(self, regions: Iterable[Region]) -> None:
        """See `image.ReadsAhead`."""
        announce(self.source, map(self._inner, regions))

    def _inner(self, region: Region) -> Region:
        samples = self.source.shape.s
        return region._replace(c=(region.c[0] // samples, -(-region.c[1] // samples)))

    def read(self, region: Region) -> NDArray[Any]:
        """Read one box of pixels; the source's channels it touches are read once."""
        inner = self._inner(region)
        first, samples = inner.c[0], self.source.shape.s
        pixels = np.moveaxis(self.source.read(inner), -1, 2)
        folded = pixels.reshape(pixels.shape[0], -1, *pixels.shape[3:])
        return folded[:, region.c[0] - first * samples : region.c[1] - first * samples, ..., np.newaxis]


def with_pixels(image: Image, source: PixelSource, *, significant_bits: int | None) -> Image:
    """Copy an image with other pixels in place of its own."""
    return replace(image, levels=(Level(source),), significant_bits=significant_bits)


def for_ome_tiff(image: Image) -> tuple[Image, tuple[str, ...]]:
    """Make the pixels of a type that OME-TIFF has.

    Returns
    -------
    tuple
        The image, and what became of its type, in sentences.

    Raises
    ------
    UnwritableError
        If OME-TIFF has no type that holds every value: complex numbers, 64-bit integers that are no labels, labels beyond 32 bits.
    """
    dtype, pixels = image.dtype, image.levels[0].pixels
    refuse_complex(image)
    if dtype.kind == "b":
        sentence = (
            f"{image.name}: yes/no pixels are written as 8-bit integers 0 and 1, of 1 significant bit; OME-TIFF readers share no form of single bits."
        )
        return with_pixels(image, Converted(pixels, np.dtype(np.uint8)), significant_bits=1), (sentence,)
    if dtype == np.float16:
        sentence = f"{image.name}: 16-bit floating point pixels are written as 32-bit, which holds every value; OME has no 16-bit type."
        return with_pixels(image, Converted(pixels, np.dtype(np.float32)), significant_bits=None), (sentence,)
    if dtype.kind in "iu" and dtype.itemsize == _LONG:
        return _narrowed(image)
    return with_pixels(image, pixels, significant_bits=image.significant_bits), ()


def refuse_complex(image: Image) -> None:
    """Raise `UnwritableError` for pixels that are no real numbers."""
    if image.dtype.kind not in "buif" or image.dtype.itemsize > _LONG:
        raise UnwritableError(
            f"{image.name} has pixels of type {image.dtype}, which cannot be written: only whole and floating point numbers of at most 64 bits can. "
            "Write real and imaginary parts, or amplitude and phase, as channels first."
        )


def _narrowed(image: Image) -> tuple[Image, tuple[str, ...]]:
    if image.kind != "label":
        raise UnwritableError(
            f"{image.name} has 64-bit integer pixels, a type OME-TIFF does not have. Write OME-Zarr instead, which keeps it; "
            "or, if the pixels are labels, say so."
        )
    pixels = image.levels[0].pixels
    low, high = value_range(pixels)
    for dtype in (np.dtype(np.uint32), np.dtype(np.int32)):
        span = np.iinfo(dtype)
        if span.min <= low and high <= span.max:
            sentence = (
                f"{image.name}: 64-bit labels ({low} to {high}) are written as {dtype.name}, which holds them all; OME-TIFF has no 64-bit integers."
            )
            return with_pixels(image, Converted(pixels, dtype), significant_bits=None), (sentence,)
    raise UnwritableError(
        f"{image.name} has labels from {low} to {high}, more than OME-TIFF's 32-bit integers hold. Write OME-Zarr instead, which keeps 64 bits."
    )


def value_range(source: PixelSource) -> tuple[int, int]:
    """Smallest and largest value of an integer source; reads all of it, block by block."""
    plan = Plan(source, (source.shape,), ((1, 512, 512),), "nearest")
    extent = block_extent(plan, LARGEST_BLOCK)
    regions = blocks(plan, extent, parts(plan, extent, LARGEST_BLOCK))
    seen = [(int(pixels.min()), int(pixels.max())) for pixels in map(source.read, regions)]
    return min(low for low, _ in seen), max(high for _, high in seen)
