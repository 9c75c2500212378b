"""Time stamps of a Leica image: one for each plane in the order of its memory, or one for all channels of a plane."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING

from .lif_xml import first, integer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lxml import etree

    from ..readers.lif_layout import Dimension, Layout

_HEX = re.compile(r"[0-9a-fA-F]{1,16}")
_TICKS = 10_000_000
"""A FILETIME counts 100 ns."""
_EPOCH = datetime(1601, 1, 1, tzinfo=UTC)
_LATEST = 3_000_000_000 * _TICKS * 10
_MOST = 50_000_000


class Stamps:
    """The time stamps of one image, and which belongs to which plane.

    LAS X from 3.1 on writes them as one list of hexadecimal numbers, older software as one element each. There are as many as
    planes of all tiles, or as planes without their channels. An acquisition that was stopped has fewer: those there are belong
    to the first planes.
    """

    def __init__(self, image: etree._Element, layout: Layout) -> None:
        self._layout = layout
        self._ticks = _read(image)
        shape = layout.shape
        frames = shape.t * shape.z * layout.tile_count
        self._with_channels = len(self._ticks) > frames or shape.c == 1

    @property
    def date(self) -> str | None:
        """When the first plane was taken, in UTC; None if nobody noted it."""
        start = self._ticks[0] if self._ticks else 0
        if not 0 < start < _LATEST:
            return None
        moment = _EPOCH + timedelta(microseconds=start // 10)
        whole = moment.strftime("%Y-%m-%dT%H:%M:%S") if moment.year >= 1900 else None
        return f"{whole}.{moment.microsecond // 1000:03d}Z" if whole else None

    def of(self, tile: int, t: int, c: int, z: int) -> float | None:
        """Seconds from the image's first stamp to that of a plane."""
        if not self._ticks:
            return None
        at = self._place(tile, t, c, z)
        if at >= len(self._ticks) or not self._ticks[at]:
            return None
        return (self._ticks[at] - self._ticks[0]) / _TICKS

    def of_time_points(self, tile: int) -> list[float] | None:
        """The stamp of the first plane of each time point, if all have one."""
        found = [self.of(tile, t, 0, 0) for t in range(self._layout.shape.t)]
        return [stamp for stamp in found if stamp is not None] if found and None not in found else None

    @cached_property
    def _weights(self) -> list[tuple[str, Dimension | None, int]]:
        """For each outer dimension its weight in the list: the product of the sizes of those that lie closer together."""
        layout, shape = self._layout, self._layout.shape
        outer: list[tuple[str, Dimension | None, int, int]] = []
        for axis, folded in (("t", layout.t), ("z", layout.z), ("tile", layout.tiles)):
            outer += [(axis, dimension, dimension.stride, dimension.size) for dimension in folded]
        if self._with_channels and shape.c > 1:
            offsets = sorted(group[0].offset for group in layout.channels)
            outer.append(("c", None, offsets[1] - offsets[0], shape.c))
        weights, weight = [], 1
        for axis, dimension, _, size in sorted(outer, key=lambda each: each[2]):
            weights.append((axis, dimension, weight))
            weight *= size
        return weights

    def _place(self, tile: int, t: int, c: int, z: int) -> int:
        rest = {"t": t, "z": z, "tile": tile}
        place = 0
        for axis, dimension, weight in self._weights:
            if dimension is None:
                place += c * weight
            else:
                rest[axis], index = divmod(rest[axis], dimension.size)
                place += index * weight
        return place


def _read(image: etree._Element) -> Sequence[int]:
    stamps = first(image, "TimeStampList")
    if stamps is None:
        return ()
    if stamps.get("NumberOfTimeStamps"):
        words = (stamps.text or "").split()[:_MOST]
        return [int(word, 16) for word in words] if all(_HEX.fullmatch(word) for word in words) else ()
    found = []
    for each in stamps.iterfind("TimeStamp"):
        high, low = integer(each.get("HighInteger")), integer(each.get("LowInteger"))
        if high is None or low is None or not 0 <= high < 1 << 32 or not 0 <= low < 1 << 32:
            return ()
        found.append(high << 32 | low)
    return found
