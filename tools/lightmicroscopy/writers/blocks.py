"""How an image is cut into blocks of work: what is read at once, in which order, and how much memory that takes."""

from __future__ import annotations

import math
import os
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING

from ..errors import LimitError
from ..image import LARGE_UNIT, Region, Shape

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ..image import Image, PixelSource
    from .pyramid import Method

Box = tuple[int, int, int]
"""Extent or origin along z y x."""

Extent = tuple[int, int, int, int, int]
"""Extent along T C Z Y X."""

PIXEL_MEMORY = 160 << 20
"""Bytes of pixels in flight, all threads together, if nobody says otherwise."""
LARGEST_BLOCK = 16 << 20
"""What a block grows to, in bytes; larger ones gain nothing."""
ALONE = 0.8
"""Share of the pixel memory that one block may have if it goes alone."""
MOST_BLOCK = int(PIXEL_MEMORY * ALONE)
BESIDE_A_BLOCK = 2.5
"""What a block costs over its own size: what the reader decodes from, conversions, smaller levels, the tile being encoded."""
BESIDE_UNITS = 350 << 20
"""Bytes a run takes beside its largest unit: pixels in flight, the program, threads."""
COPIES = 5
"""How many times a unit is held that is read as one block: unpacked, read, reduced."""
_MB = 1 << 20


@dataclass(frozen=True, slots=True)
class Plan:
    """One image to be written: where its pixels come from and how its levels are cut.

    Attributes
    ----------
    shapes
        Every level, the full one first.
    chunks
        (z, y, x) of the tiles or chunks of every level.
    """

    source: PixelSource
    shapes: tuple[Shape, ...]
    chunks: tuple[Box, ...]
    method: Method
    halve_z: bool = False

    @property
    def bytes(self) -> int:
        """Size of the full level, uncompressed."""
        return self.shapes[0].pixels * self.source.dtype.itemsize

    def cell(self, level: int) -> Box:
        """Extent of the smallest box of whole chunks that can be halved by itself: even, or the whole level."""
        shape, chunk = self.shapes[level], self.chunks[level]
        halved = (self.halve_z, True, True)
        sizes = (_even(size) if half else size for size, half in zip(chunk, halved, strict=True))
        z, y, x = (min(size, full) for size, full in zip(sizes, shape[2:5], strict=True))
        return z, y, x

    def chunk_count(self) -> int:
        """Chunks of all levels."""
        return sum(
            shape.t * shape.c * math.prod(-(-full // size) for full, size in zip(shape[2:5], chunk, strict=True))
            for shape, chunk in zip(self.shapes, self.chunks, strict=True)
        )


def _even(size: int) -> int:
    return size + size * (size % 2)


def pixel_memory(memory: int | None, threads: int) -> int:
    """Bytes of pixels that may be in flight: half of what the process may have, and no more than is of use."""
    if memory is None:
        return PIXEL_MEMORY
    return max(LARGEST_BLOCK, min(memory // 2, int(LARGEST_BLOCK * BESIDE_A_BLOCK) * threads))


def block_extent(plan: Plan, limit: int, most: int = MOST_BLOCK) -> Extent:
    """Extent along T C Z Y X of the blocks an image is read in.

    A block is made of whole cells and of whole storage units, so that nothing is decoded twice. It grows to a whole plane
    if that is small enough: its levels then need no other block.

    Parameters
    ----------
    plan
        What is written.
    limit
        Bytes of a block, several of which are in flight. Larger blocks, which storage units can demand, go alone.
    most
        Bytes a block may have if it goes alone. If storage units would need more, they are read several times; except
        that a single unit is always read at once, since its reader must hold it anyway.
    """
    shape, unit, cell = plan.shapes[0], plan.source.unit, (1, 1, *plan.cell(0))
    itemsize = plan.source.dtype.itemsize * shape.s
    axes = list(zip(shape[:5], unit[:5], cell, strict=True))
    extent = [min(full, math.lcm(max(1, held), whole)) for full, held, whole in axes]
    covering = [min(full, whole * -(-min(held, full) // whole)) for full, held, whole in axes]
    for axis in range(5):
        if math.prod(extent) * itemsize > limit:
            extent[axis] = covering[axis]
    bound = max(most, math.prod(min(full, held) for full, held, _ in axes) * itemsize)
    for axis, (full, _, whole) in enumerate(axes):
        if math.prod(extent) * itemsize > bound:
            others = math.prod(extent) // extent[axis] * itemsize
            extent[axis] = min(full, max(whole, bound // others // whole * whole))
    return _grown(extent, shape, min(limit, LARGEST_BLOCK) // itemsize)


def _grown(extent: list[int], shape: Shape, pixels: int) -> Extent:
    """Double y and x in turn while a block has at most so many pixels."""
    while growing := [axis for axis in (3, 4) if extent[axis] < shape[axis]]:
        if math.prod(extent) * 2 > pixels:
            break
        axis = min(growing, key=lambda axis: extent[axis])
        extent[axis] = min(extent[axis] * 2, shape[axis])
    t, c, z, y, x = extent
    return t, c, z, y, x


def parts(plan: Plan, extent: Extent, limit: int) -> Extent:
    """Extent of the parts that such a block is read in: itself, unless it holds a large unit whose source keeps it.

    Parts are made of whole cells; they are small enough for several to be in flight.
    """
    source, shape = plan.source, plan.shapes[0]
    if not unit_memory(source) or unit_bytes(source) <= LARGE_UNIT:
        return extent
    cell = (1, 1, *plan.cell(0))
    part = tuple(min(size, whole) for size, whole in zip(extent, cell, strict=True))
    room = min(limit, LARGEST_BLOCK) // (source.dtype.itemsize * shape.s)
    # Samples that stand as channels are read together.
    together = min(extent[1], source.unit.c)
    if math.prod(part) * together <= room:
        part = (part[0], together, *part[2:])
    return _grown(list(part), Shape(*extent), room)


def unit_bytes(source: PixelSource) -> int:
    """Bytes of the largest unit a source has to unpack at once."""
    unit = math.prod(source.unit) * source.dtype.itemsize
    return int(getattr(source, "largest_unit", unit))


def unit_memory(source: PixelSource) -> int:
    """Bytes that unpacking its largest unit takes; 0 for a source that does not keep large units."""
    return int(getattr(source, "unit_memory", 0))


def refuse_large_units(image: Image, memory: int | None, file: str) -> None:
    """Refuse an image stored in units that do not fit into the memory there is.

    Parameters
    ----------
    memory
        Bytes granted; None takes what the machine has.
    file
        Name of the input, for the error.

    Raises
    ------
    LimitError
        Naming the unit's size, the memory it needs, and what to do.
    """
    source = image.levels[0].pixels
    unit = unit_bytes(source)
    if unit <= LARGE_UNIT:
        return
    needed = BESIDE_UNITS + (unit_memory(source) or unit * COPIES)
    there = memory or _machine_memory()
    if needed > there:
        given = f"{there // _MB:,} MB are granted" if memory else f"this machine has {there // _MB:,} MB"
        raise LimitError(
            f"{file}, series {image.series} ({image.name!r}), is stored in strips, tiles or chunks of up to {unit:,} bytes, each unpacked as a "
            f"whole: that takes {-(-needed // _MB):,} MB of memory, and {given}. Give the job more (--memory in MB, or the job's GALAXY_MEMORY_MB), "
            "or save the image in smaller tiles first."
        )


def _machine_memory() -> int:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def blocks(plan: Plan, extent: Extent, part: Extent | None = None) -> Iterator[Region]:
    """Every block of an image, channels and times in order; or their parts, block after block.

    Within a plane blocks come along a Z-order curve, so that the tiles of lower levels that are still incomplete stay few
    however large the plane is; the curve takes in z where z is halved too.
    """
    shape = plan.shapes[0]
    counts = [-(-full // size) for full, size in zip(shape[:5], extent, strict=True)]
    for t, c in product(range(counts[0]), range(counts[1])):
        for z, y, x in _z_order((counts[2], counts[3], counts[4]), with_z=plan.halve_z):
            index = (t, c, z, y, x)
            block = Region(*((at * size, min((at + 1) * size, full)) for at, size, full in zip(index, extent, shape[:5], strict=True)))
            if part is None or part == extent:
                yield block
            else:
                yield from _cut(block, part, with_z=plan.halve_z)


def _cut(block: Region, part: Extent, *, with_z: bool) -> Iterator[Region]:
    counts = [-(-full // size) for full, size in zip(block.sizes, part, strict=True)]
    for t, c in product(range(counts[0]), range(counts[1])):
        for index in _z_order((counts[2], counts[3], counts[4]), with_z=with_z):
            starts = [span[0] + at * size for span, at, size in zip(block, (t, c, *index), part, strict=True)]
            yield Region(*((start, min(start + size, span[1])) for start, size, span in zip(starts, part, block, strict=True)))


def block_count(plan: Plan, extent: Extent, part: Extent | None = None) -> int:
    """Blocks of an image, or at least as many as there are parts of them."""
    whole = math.prod(-(-full // size) for full, size in zip(plan.shapes[0][:5], extent, strict=True))
    return whole * math.prod(-(-full // size) for full, size in zip(extent, part or extent, strict=True))


def _z_order(counts: Box, *, with_z: bool) -> Iterator[Box]:
    depth, height, width = counts
    if with_z:
        yield from _curve(counts)
        return
    for z in range(depth):
        yield from ((z, y, x) for _, y, x in _curve((1, height, width)))


def _curve(counts: Box) -> Iterator[Box]:
    """Every index along a Z-order curve, as one would get by sorting them by the bits of z, y and x taken in turn.

    Boxes whose sides are powers of two are halved again and again, and those outside left out, so that memory is flat.
    """
    waiting = [((0, 0, 0), (max(counts) - 1).bit_length())]
    while waiting:
        low, bits = waiting.pop()
        if bits == 0:
            yield low
            continue
        half = 1 << (bits - 1)
        # What is pushed last comes first.
        for step in product((half, 0), repeat=3):
            corner = (low[0] + step[0], low[1] + step[1], low[2] + step[2])
            if all(at < count for at, count in zip(corner, counts, strict=True)):
                waiting.append((corner, bits - 1))
