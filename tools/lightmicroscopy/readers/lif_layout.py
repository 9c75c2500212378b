"""How the pixels of one Leica image lie in its memory, and which of its dimensions become T, C, Z, Y and X.

Every dimension has its distance in bytes (BytesInc), in whatever order. Those OME does not have are folded as Bio-Formats'
LIFReader does: a scan without y has its second dimension (z or t) in Y; a y that comes after goes to Z, or to T; all others
go to T, or to Z in an xz scan that has no t; positions of a tile scan become series. Of the dimensions folded into one the one
that lies closest together counts fastest.

Source: Leica Microsystems, "Leica Image File Formats", version 3.2 of 2016 (DimensionDescription, ChannelDescription).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import UnreadableError
from ..image import Shape
from ..metadata.lif_xml import integer, number

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lxml import etree

X, Y, Z, T, TILE = 1, 2, 3, 4, 10
EMISSION, ROTATION, XT_SLICES, T_SLICES, EXCITATION, LOOP = 5, 6, 7, 8, 9, 11
LETTERS = {X: "X", Y: "Y", Z: "Z", T: "T", EMISSION: "E", ROTATION: "A", XT_SLICES: "N", T_SLICES: "Q", EXCITATION: "E", TILE: "M", LOOP: "L"}
"""One letter for each kind of dimension, as `Image.axes` shows them."""
NAMES = {
    X: "x",
    Y: "y",
    Z: "z",
    T: "time",
    EMISSION: "emission wavelength",
    ROTATION: "rotation",
    XT_SLICES: "xt slice",
    T_SLICES: "t slice",
    EXCITATION: "excitation wavelength",
    TILE: "tile",
    LOOP: "loop",
}
_MOST_DIMENSIONS = 32
_MOST_CHANNELS = 10_000
_LARGEST = 1 << 31
_RGB = 3
_MOST_PADDING = 15
"""Bytes after each row: rows begin at multiples of 4, of 16 at most."""
_TAG_ORDER = {1: 0, 2: 1, 3: 2}
"""ChannelTag: 0 gray, 1 red, 2 green, 3 blue."""
_LUT_ORDER = {"red": 0, "green": 1, "blue": 2}


@dataclass(frozen=True, slots=True)
class Dimension:
    """One dimension: its kind (DimID), size, distance between elements in bytes, and where it begins and how long it is."""

    id: int
    size: int
    stride: int
    origin: float = 0.0
    length: float = 0.0
    unit: str = ""

    @property
    def step(self) -> float | None:
        """Distance between two elements, signed; None where there is only one or the file gives no length."""
        return self.length / (self.size - 1) if self.size > 1 and self.length and math.isfinite(self.length) else None

    @property
    def name(self) -> str:
        """What it is, in words."""
        return NAMES.get(self.id, f"dimension {self.id}")


@dataclass(frozen=True, slots=True)
class StoredChannel:
    """One channel as stored: its distance from the first in bytes, bits, and its XML element."""

    offset: int
    bits: int
    is_float: bool
    tag: int
    lut: str
    element: etree._Element


@dataclass(frozen=True, slots=True)
class Layout:
    """Where each pixel lies.

    `t` and `z` hold the dimensions folded into T and Z, the fastest first; `channels` are groups of as many stored channels
    as a pixel has samples, in the order of the samples.
    """

    x: Dimension
    y: Dimension
    z: tuple[Dimension, ...]
    t: tuple[Dimension, ...]
    tiles: tuple[Dimension, ...]
    channels: tuple[tuple[StoredChannel, ...], ...]
    dtype: np.dtype[Any]
    axes: str

    @property
    def shape(self) -> Shape:
        """Sizes of one series."""
        t, z = (math.prod(dimension.size for dimension in folded) for folded in (self.t, self.z))
        return Shape(t, len(self.channels), z, self.y.size, self.x.size, len(self.channels[0]))

    @property
    def tile_count(self) -> int:
        """Series that a tile scan is."""
        return math.prod(dimension.size for dimension in self.tiles)

    @property
    def significant_bits(self) -> int | None:
        """Bits in use, where the file says so."""
        bits = max(channel.bits for group in self.channels for channel in group)
        return bits if self.dtype.kind == "u" and 0 < bits <= 8 * self.dtype.itemsize else None

    @property
    def extent(self) -> int:
        """Bytes from the first to past the last, all tiles included."""
        outer = (self.x, self.y, *self.z, *self.t, *self.tiles)
        last = max(channel.offset for group in self.channels for channel in group)
        return sum((dimension.size - 1) * dimension.stride for dimension in outer) + last + self.dtype.itemsize

    def doubts(self, memory: int) -> tuple[str, ...]:
        """What makes one doubt the header: sentences, for a memory of so many bytes."""
        said = []
        shape = self.shape
        if self.x.id != X or not self.x.stride:
            said.append("Its header names no dimension x.")
        if not self.y.stride and shape.planes > shape.c:
            said.append("Its header names no dimension y, z or time.")
        ids = [dimension.id for dimension in (self.x, self.y, *self.z, *self.t, *self.tiles) if dimension.size > 1]
        if len(set(ids)) < len(ids):
            said.append("Its header names a dimension twice.")
        padding = max(0, self.y.stride - self.x.size * self.x.stride) if self.y.size > 1 else 0
        expected = (shape.pixels * self.dtype.itemsize + shape.planes * shape.y * padding) * self.tile_count
        if memory not in (expected, self.extent) or padding > _MOST_PADDING:
            said.append(f"Its header describes {expected:,} bytes of pixels, but {memory:,} are stored: sizes may be wrong.")
        return tuple(said)

    def offset_of_tile(self, tile: int) -> int:
        """Where a tile's first byte lies in the memory."""
        return offset_along(self.tiles, tile)


def offset_along(folded: Sequence[Dimension], index: int) -> int:
    """Offset of an index into dimensions folded together, the first of them counted fastest."""
    offset = 0
    for dimension in folded:
        index, rest = divmod(index, dimension.size)
        offset += rest * dimension.stride
    return offset


def read_layout(description: etree._Element, name: str, memory: int, *, pictures: bool = False) -> Layout:
    """Read the layout of one image.

    Parameters
    ----------
    description
        Its ``ImageDescription``.
    name
        What errors call it.
    memory
        Bytes that its memory has, or should have in a file that is cut.
    pictures
        Whether its planes are pictures in files of their own, whose samples are red, green and blue in that order.

    Raises
    ------
    UnreadableError
        If the layout is missing, makes no sense or does not fit into the memory.
    """
    dimensions = _dimensions(description, name)
    channels = _channels(description, name)
    x, y, z, t, tiles = _assign(dimensions)
    groups, dtype = _samples(channels, x, name, pictures)
    axes = "".join(LETTERS.get(dimension.id, "Q") for dimension in sorted(dimensions, key=lambda each: -each.stride) if dimension.id != TILE)
    if len(groups) > 1:
        # Channels lie where the distances leave room for them.
        slower = sum(dimension.stride > max(group[0].offset for group in groups) for dimension in dimensions if dimension.id != TILE)
        axes = f"{axes[:slower]}C{axes[slower:]}"
    layout = Layout(x, y, z, t, tiles, groups, dtype, axes + ("S" if len(groups[0]) > 1 else ""))
    _check(layout, dimensions, name, memory)
    return layout


def _dimensions(description: etree._Element, name: str) -> list[Dimension]:
    found = []
    for element in description.iterfind("Dimensions/DimensionDescription"):
        found.append(
            Dimension(
                id=integer(element.get("DimID")) or 0,
                size=integer(element.get("NumberOfElements")) or 0,
                stride=integer(element.get("BytesInc")) or 0,
                origin=number(element.get("Origin")) or 0.0,
                length=number(element.get("Length")) or 0.0,
                unit=(element.get("Unit") or "").strip(),
            )
        )
    if not found or len(found) > _MOST_DIMENSIONS:
        raise UnreadableError(f"{name} has {len(found)} dimensions. Copy or upload the file again; if that does not help, export it as OME-TIFF.")
    return found


def _channels(description: etree._Element, name: str) -> list[StoredChannel]:
    found = []
    for element in description.iterfind("Channels/ChannelDescription"):
        found.append(
            StoredChannel(
                offset=integer(element.get("BytesInc")) or 0,
                bits=integer(element.get("Resolution")) or 0,
                is_float=integer(element.get("DataType")) == 1,
                tag=integer(element.get("ChannelTag")) or 0,
                lut=(element.get("LUTName") or "").strip(),
                element=element,
            )
        )
    if not found or len(found) > _MOST_CHANNELS:
        raise UnreadableError(f"{name} has {len(found)} channels. Copy or upload the file again; if that does not help, export it as OME-TIFF.")
    return found


_Assigned = tuple[Dimension, Dimension, tuple[Dimension, ...], tuple[Dimension, ...], tuple[Dimension, ...]]


def _assign(dimensions: Sequence[Dimension]) -> _Assigned:
    """Which dimension is what, taking them in the order of the file as Bio-Formats does."""
    x = next((dimension for dimension in dimensions if dimension.id == X), None)
    y: Dimension | None = None
    z: list[Dimension] = []
    t: list[Dimension] = []
    tiles: list[Dimension] = []
    others: list[Dimension] = []
    for dimension in dimensions:
        if dimension is x:
            continue
        if dimension.id == TILE:
            tiles.append(dimension)
        elif dimension.id in (Y, Z, T) and y is None:
            y = dimension
        elif dimension.id == Z or (dimension.id == Y and y is not None and y.id == Z and not z):
            z.append(dimension)
        elif dimension.id in (Y, T):
            t.append(dimension)
        elif dimension.size > 1:
            others.append(dimension)
    declared = z or (y is not None and y.id == Z)
    (z if declared and math.prod(dimension.size for dimension in z) == 1 else t).extend(others)
    none = Dimension(0, 1, 0)
    first, second, third = (tuple(sorted(each, key=lambda dimension: dimension.stride)) for each in (z, t, tiles))
    return x or replace(none, id=X), y or replace(none, id=Y), first, second, third


def _samples(
    channels: Sequence[StoredChannel], x: Dimension, name: str, pictures: bool
) -> tuple[tuple[tuple[StoredChannel, ...], ...], np.dtype[Any]]:
    """Group the channels that lie side by side in each pixel, and tell the type of their values."""
    ordered = sorted(channels, key=lambda channel: channel.offset)
    itemsize = _itemsize(ordered, x)
    kind = "f" if ordered[0].is_float else "u"
    if any(channel.is_float != ordered[0].is_float for channel in ordered) or (kind == "f" and itemsize == 1) or itemsize not in (1, 2, 4, 8):
        raise UnreadableError(f"{name} has channels of several types, or of one that is not read. Export it as OME-TIFF.")
    if x.stride == _RGB * itemsize and len(ordered) % _RGB == 0:
        groups = [ordered[index : index + _RGB] for index in range(0, len(ordered), _RGB)]
        if all([channel.offset - group[0].offset for channel in group] == [0, itemsize, 2 * itemsize] for group in groups):
            return tuple(tuple(group if pictures else _red_first(group)) for group in groups), np.dtype(f"{kind}{itemsize}")
    # Channels are shown in the order of the file, whatever their order in memory.
    return tuple((channel,) for channel in channels), np.dtype(f"{kind}{itemsize}")


def _itemsize(ordered: Sequence[StoredChannel], x: Dimension) -> int:
    """Bytes of a value: the distance along x, unless several channels share it."""
    bits = max(channel.bits for channel in ordered)
    nominal = next((size for size in (1, 2, 4, 8) if bits <= 8 * size), 8)
    if x.stride and x.stride != nominal and x.stride in (1, 2, 4, 8) and not any(0 < channel.offset < x.stride for channel in ordered):
        return x.stride
    return nominal


def _red_first(group: Sequence[StoredChannel]) -> list[StoredChannel]:
    """Order three samples red, green, blue by what the file calls them; without a word, they lie blue, green, red."""
    for order in ([_TAG_ORDER.get(channel.tag) for channel in group], [_LUT_ORDER.get(channel.lut.lower()) for channel in group]):
        if sorted(place for place in order if place is not None) == [0, 1, 2]:
            return [channel for _, channel in sorted(zip(order, group, strict=True), key=lambda pair: pair[0] or 0)]
    return list(reversed(group))


def _check(layout: Layout, dimensions: Sequence[Dimension], name: str, memory: int) -> None:
    every = (*dimensions, layout.x, layout.y)
    wrong = next((each for each in every if not 0 < each.size < _LARGEST or each.stride < 0 or (each.size > 1 and not each.stride)), None)
    if wrong is not None:
        raise UnreadableError(
            f"{name} is damaged: its {wrong.name} has {wrong.size:,} elements that lie {wrong.stride:,} bytes apart. Copy or upload it again."
        )
    offsets = sorted(channel.offset for group in layout.channels for channel in group)
    total = layout.shape.pixels * layout.tile_count * layout.dtype.itemsize
    if total > memory or layout.extent > memory or offsets[0] < 0:
        raise UnreadableError(
            f"{name} is damaged: it declares {max(total, layout.extent):,} bytes of pixels, but its memory has {memory:,}. Copy or upload it again."
        )
    if _overlap(layout, dimensions):
        raise UnreadableError(f"{name} is damaged: by its header some of its pixels lie in one place. Copy or upload it again.")


def _overlap(layout: Layout, dimensions: Sequence[Dimension]) -> bool:
    """Whether elements of one dimension reach into those of another."""
    starts = sorted(min(channel.offset for channel in group) for group in layout.channels)
    spans = [(dimension.stride, dimension.size) for dimension in dimensions if dimension.size > 1]
    if len(starts) > 1:
        between = min(later - earlier for earlier, later in pairwise(starts))
        spans.append((between, (starts[-1] - starts[0]) // between + 1 if between else 2))
    reach = layout.dtype.itemsize * layout.shape.s
    for stride, size in sorted(spans):
        if stride < reach:
            return True
        reach += (size - 1) * stride
    return False
