"""Pixels of a part of an image, read from its source when they are asked for."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from .errors import UsageError
from .image import PixelSource, Region, Shape, Span, announce

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    import numpy as np
    from numpy.typing import NDArray


class View:
    """A part of another source: some channels, and a box of the rest."""

    def __init__(self, source: PixelSource, channels: Sequence[int], t: Span, z: Span, y: Span, x: Span) -> None:
        self.source = source
        self.channels = list(channels)
        self.offsets = (t[0], z[0], y[0], x[0])
        self.shape = Shape(t[1] - t[0], len(self.channels), z[1] - z[0], y[1] - y[0], x[1] - x[0], source.shape.s)
        self.dtype = source.dtype
        unit = math.prod(source.unit) * self.dtype.itemsize
        self.largest_unit: int = getattr(source, "largest_unit", unit)
        self.unit_memory: int = getattr(source, "unit_memory", 0)
        self.consecutive = self.channels == list(range(self.channels[0], self.channels[0] + len(self.channels)))

    @property
    def unit(self) -> Shape:
        """Extent of what is decoded at once; it may start within the view's first unit."""
        unit = self.source.unit
        sizes = [min(have, size) for have, size in zip(unit, self.shape, strict=True)]
        return Shape(*sizes) if self.consecutive else Shape(*sizes)._replace(c=1)

    def will_read(self, regions: Iterable[Region]) -> None:
        """See `image.ReadsAhead`."""
        announce(self.source, (part for region in regions for part in self._parts(region)))

    def read(self, region: Region) -> NDArray[Any]:
        """Read one box, channels in the order they were asked for."""
        import numpy as np

        pixels = [self.source.read(part) for part in self._parts(region)]
        return pixels[0] if len(pixels) == 1 else np.concatenate(pixels, axis=1)

    def _parts(self, region: Region) -> Iterator[Region]:
        """The boxes of the source that a box is made of: one, or one for each channel."""
        t0, z0, y0, x0 = self.offsets
        wanted = self.channels[region.c[0] : region.c[1]]
        for first, last in [(wanted[0], wanted[-1] + 1)] if self.consecutive else [(channel, channel + 1) for channel in wanted]:
            yield Region(
                (region.t[0] + t0, region.t[1] + t0),
                (first, last),
                (region.z[0] + z0, region.z[1] + z0),
                (region.y[0] + y0, region.y[1] + y0),
                (region.x[0] + x0, region.x[1] + x0),
            )


class MaximumProjection:
    """The largest value over z; NaN only where every value is NaN."""

    def __init__(self, source: PixelSource) -> None:
        self.source = source
        self.shape = source.shape._replace(z=1)
        self.dtype: np.dtype[Any] = source.dtype
        self.largest_unit: int = getattr(source, "largest_unit", math.prod(source.unit) * self.dtype.itemsize)

    @property
    def unit(self) -> Shape:
        """Extent of what is decoded at once, z collapsed."""
        return self.source.unit._replace(z=1)

    def will_read(self, regions: Iterable[Region]) -> None:
        """See `image.ReadsAhead`."""
        announce(self.source, (slab for region in regions for slab in self._slabs(region)))

    def _slabs(self, region: Region) -> Iterator[Region]:
        depth, step = self.source.shape.z, max(1, self.source.unit.z)
        for start in range(0, depth, step):
            yield region._replace(z=(start, min(start + step, depth)))

    def read(self, region: Region) -> NDArray[Any]:
        """Read one box, holding one z unit of it at a time."""
        import numpy as np

        result: NDArray[Any] | None = None
        for slab in self._slabs(region):
            block = self.source.read(slab)
            top = np.fmax.reduce(block, axis=2, keepdims=True)
            result = top if result is None else np.fmax(result, top)
        if result is None:
            raise UsageError("There is nothing to project: the image has no z planes.")
        return result
