"""Write one series as a tiled, pyramidal OME-TIFF."""

from __future__ import annotations

import hashlib
import math
import os
import uuid
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from .. import __version__
from ..errors import UnwritableError, UsageError
from ..metadata.ngff_units import micrometres
from .atomic import new_output
from .blocks import Box, Plan, refuse_large_units
from .codecs import HORIZONTAL, NONE, Codec, tiff_codec
from .options import SeriesWritten, WriteOptions, Written
from .pipeline import Task, encode, run
from .pyramid import level_shapes, method_for
from .sources import for_ome_tiff
from .tiff_structure import (
    CLASSIC_LIMIT,
    DESCRIPTION,
    LONG,
    LONG8,
    Directory,
    Tag,
    TiffStructure,
    ascii_text,
    long,
    rational,
    room_for,
    short,
    shorts,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from ..image import Alpha, Dataset, Image, Shape

TILE = 512
TILE_STEP = 16
MARGIN = 64 << 20
"""How far below 4 GiB the predicted size must stay for a classic TIFF."""
_UUIDS = uuid.UUID("6f0c2c5e-94a7-4a0b-8d51-3b7e0d1f62c9")
"""Namespace of reproducible UUIDs."""
_DIRECTORY_BYTES = 1024
_TILE_BYTES = 64
_MOST_CHECKED = 512
_MINISBLACK, _RGB, _PALETTE = 1, 2, 3
_EXTRA: dict[Alpha, int] = {"unspecified": 0, "associated": 1, "unassociated": 2}
"""ExtraSamples."""
_CENTIMETRE = 3
_SAMPLE_FORMATS = {"u": 1, "i": 2, "f": 3}


def write_ome_tiff(image: Image, path: Path, source: Dataset | None, options: WriteOptions) -> Written:
    """Write one image as an OME-TIFF.

    Parameters
    ----------
    image
        What to write; its first level is read, smaller ones are made anew.
    path
        The final name, which must not exist yet; it appears when the file is whole and checked.
    source
        Where the image comes from: its OME-XML supplies what the image model does not hold.
    options
        See `WriteOptions`. `ngff_version` and `zip` do not apply.

    Returns
    -------
    Written
        With one series.

    Raises
    ------
    UsageError
        If something is at `path`, or the options do not suit TIFF.
    UnwritableError
        If OME-TIFF has no type for the pixels, or the file cannot be written.
    """
    from ..metadata.ome_write import build_ome_with_losses

    if options.downsample_z:
        raise UsageError("The levels of an OME-TIFF all have the same z planes. Leave out --downsample-z, or write OME-Zarr.")
    refuse_large_units(image, options.memory, source.location.name if source else path.name)
    ready, losses = for_ome_tiff(image)
    shapes = level_shapes(ready.shape, options.levels)
    tiles = tuple(_tile(shape, options.chunk) for shape in shapes)
    codec = tiff_codec(options.compression, ready.dtype)
    plan = Plan(ready.levels[0].pixels, shapes, tiles, method_for(ready))
    describe = partial(
        build_ome_with_losses,
        storage="ome-tiff",
        source=source,
        original=options.original,
        provenance=options.provenance,
        file_name=path.name,
    )
    describe = partial(describe, uuid=_urn(path.name, describe, ready))
    description, unsaid = describe([options.foresee(ready) if options.foresee else ready])
    most = predicted_bytes(plan, codec, len(description), palette=_palette_bytes(ready))
    least = sum(_padded_bytes(plan, level) for level in range(len(shapes))) if codec.worst == 1.0 else 0
    with new_output(path, most_bytes=most, least_bytes=least) as temporary:
        layout = _Layout(ready, plan, codec)
        structure = TiffStructure(temporary, description, big=is_big(most), tags=layout.first_tags())
        sink = _Tiles(layout, structure, verify=options.verify)
        try:
            run([Task(plan, sink)], threads=options.threads, memory=options.memory, progress=options.progress)
            if options.complete:
                description, unsaid = describe([options.complete(ready)])
                if not structure.describe(description):
                    raise UnwritableError(
                        f"{path.name} cannot be written: its metadata have become longer than was foreseen. "
                        "This suite has a fault: please report it, with the file if you can."
                    )
            size = structure.finish(layout.directories(sink, description, big=structure.big))
        finally:
            structure.close()
        check_file(temporary, plan, description)
    chunks = plan.chunk_count()
    series = SeriesWritten(ready.name, shapes, ready.dtype.name, codec.name, chunks, chunks if options.verify else 0)
    return Written(path, size, (series,), (*losses, *unsaid))


def _urn(name: str, describe: Callable[[Sequence[Image]], tuple[bytes, tuple[str, ...]]], image: Image) -> str:
    """The file's UUID: random; or, where outputs must be reproducible, made from the file's name and description."""
    if not os.environ.get("SOURCE_DATE_EPOCH"):
        return uuid.uuid4().urn
    content = hashlib.sha256(describe([image])[0]).hexdigest()
    return uuid.uuid5(_UUIDS, f"{name}\n{content}").urn


def _tile(shape: Shape, chunk: tuple[int, ...] | None) -> Box:
    """Extent of a level's tiles: multiples of 16, as TIFF demands, and no larger than the level needs."""
    z, y, x = (1, *chunk)[-3:] if chunk else (1, TILE, TILE)
    if z != 1 or min(y, x) < 1 or y % TILE_STEP or x % TILE_STEP:
        sides = " × ".join(map(str, chunk or ()))
        raise UsageError(f"OME-TIFF tiles are one plane deep and their sides are multiples of {TILE_STEP}: {sides} is not possible.")
    return 1, min(y, _rounded(shape.y)), min(x, _rounded(shape.x))


def _rounded(size: int) -> int:
    return -(-size // TILE_STEP) * TILE_STEP


def _tiles(plan: Plan, level: int) -> tuple[int, int]:
    """Rows and columns of tiles in one plane of a level."""
    shape, (_, y, x) = plan.shapes[level], plan.chunks[level]
    return -(-shape.y // y), -(-shape.x // x)


def _padded_bytes(plan: Plan, level: int) -> int:
    rows, columns = _tiles(plan, level)
    shape, (_, y, x) = plan.shapes[level], plan.chunks[level]
    return shape.planes * rows * columns * y * x * shape.s * plan.source.dtype.itemsize


def predicted_bytes(plan: Plan, codec: Codec, description: int, *, palette: int = 0) -> int:
    """Largest size the file can have: every tile of every level incompressible, and all directories.

    Parameters
    ----------
    plan, codec
        What is written, and how.
    description
        Bytes of OME-XML.
    palette
        Bytes of the largest colour table, which every directory repeats.
    """
    pixels = sum(_padded_bytes(plan, level) for level in range(len(plan.shapes)))
    tables = plan.chunk_count() * _TILE_BYTES + plan.shapes[0].planes * len(plan.shapes) * (_DIRECTORY_BYTES + palette)
    return int(pixels * codec.worst) + tables + description + room_for(description)


def is_big(most_bytes: int) -> bool:
    """Whether a file of at most so many bytes must be a BigTIFF."""
    return most_bytes > CLASSIC_LIMIT - MARGIN


@dataclass(frozen=True)
class _Layout:
    """What the directories of one image say."""

    image: Image
    plan: Plan
    codec: Codec

    def first_tags(self) -> int:
        """Fields of the first directory: its plane's, the description and, with smaller levels, where they are."""
        return len(self._tags(0, 0, [0], [0], big=False)) + 1 + (len(self.plan.shapes) > 1)

    def directories(self, sink: _Tiles, description: bytes, *, big: bool) -> list[Directory]:
        """All directories, one per plane, each with those of its smaller levels."""
        shape = self.plan.shapes[0]
        out = []
        for plane in range(shape.planes):
            levels = [
                self._tags(level, plane // shape.z % shape.c, offsets[plane], counts[plane], big=big)
                for level, (offsets, counts) in enumerate(zip(sink.offsets, sink.counts, strict=True))
            ]
            if plane == 0:
                text = Tag(DESCRIPTION, 2, len(description) + 1, description + b"\0")
                levels[0] = tuple(sorted((*levels[0], text), key=lambda tag: tag.code))
            out.append(Directory(levels[0], tuple(Directory(tags) for tags in levels[1:])))
        return out

    def _tags(self, level: int, channel: int, offsets: Any, counts: Any, *, big: bool) -> tuple[Tag, ...]:
        shape, (_, tile_y, tile_x), dtype = self.plan.shapes[level], self.plan.chunks[level], self.plan.source.dtype
        photometric, extra = _photometric(self.image)
        tags = [
            long(254, int(level > 0)),
            long(256, shape.x),
            long(257, shape.y),
            short(258, *[dtype.itemsize * 8] * shape.s),
            short(259, self.codec.tag),
            short(277, shape.s),
            short(284, 1),
            *_resolution(self.image, self.plan.shapes[0], shape),
            ascii_text(305, f"lightmicroscopy {__version__}"),
            long(322, tile_x),
            long(323, tile_y),
            _offsets(324, offsets, big=big),
            _offsets(325, counts, big=big),
            short(339, *[_SAMPLE_FORMATS[dtype.kind]] * shape.s),
        ]
        if self.codec.predictor == HORIZONTAL:
            tags.append(short(317, HORIZONTAL))
        if extra:
            tags.append(short(338, *extra))
        palette = _palette(self.image, channel)
        tags.append(short(262, photometric if palette is None else _PALETTE))
        if palette is not None:
            tags.append(shorts(320, palette))
        return tuple(sorted(tags, key=lambda tag: tag.code))


def _offsets(code: int, values: Any, *, big: bool) -> Tag:
    array = np.asarray(values, dtype="<u8" if big else "<u4")
    return Tag(code, LONG8 if big else LONG, array.size, array.tobytes())


def _photometric(image: Image) -> tuple[int, tuple[int, ...]]:
    """PhotometricInterpretation and ExtraSamples, of which the last is what the source says it is."""
    is_rgb = image.kind == "rgb" and image.shape.s >= len("rgb")
    extra = image.shape.s - (len("rgb") if is_rgb else 1)
    return (_RGB if is_rgb else _MINISBLACK), (_EXTRA["unspecified"],) * (extra - 1) + (_EXTRA[image.alpha],) * (extra > 0)


def _palette(image: Image, channel: int) -> NDArray[np.uint16] | None:
    """ColorMap of an indexed channel: all reds, all greens, all blues, of 16 bits; None where TIFF cannot hold one."""
    channels = image.metadata.channels
    lut = channels[channel].lut if image.kind == "indexed" and channel < len(channels) else None
    if lut is None or not lut or image.dtype.kind != "u" or image.dtype.itemsize > np.dtype(np.uint16).itemsize or image.shape.s > 1:
        return None
    table = np.zeros((2 ** (8 * image.dtype.itemsize), 3), np.int64)
    entries = np.asarray([entry[:3] for entry in lut[: len(table)]], np.int64)
    table[: len(entries)] = entries
    if table.max() <= np.iinfo(np.uint8).max:
        table *= np.iinfo(np.uint16).max // np.iinfo(np.uint8).max
    return np.ascontiguousarray(table.T.clip(0, np.iinfo(np.uint16).max).astype(np.uint16)).ravel()


def _palette_bytes(image: Image) -> int:
    tables = (_palette(image, channel) for channel in range(len(image.metadata.channels)))
    return max((table.nbytes for table in tables if table is not None), default=0)


def _resolution(image: Image, full: Shape, shape: Shape) -> tuple[Tag, ...]:
    """Pixels per centimetre of a level; nothing where the pixel size is not a known length."""
    x, y = (None if size is None else micrometres(size) for size in (image.metadata.pixel_size_x, image.metadata.pixel_size_y))
    if x is None or y is None or x <= 0 or y <= 0:
        return ()
    per_cm = (1e4 / (x * full.x / shape.x), 1e4 / (y * full.y / shape.y))
    if not all(1e-6 < value < CLASSIC_LIMIT - 1 for value in per_cm):
        return ()
    return rational(282, per_cm[0]), rational(283, per_cm[1]), short(296, _CENTIMETRE)


@dataclass
class _Tiles:
    """Encodes tiles, appends them, and remembers where each is."""

    layout: _Layout
    structure: TiffStructure
    verify: bool
    placed: bool = field(init=False)
    offsets: list[NDArray[np.uint64]] = field(init=False)
    counts: list[NDArray[np.uint64]] = field(init=False)

    def __post_init__(self) -> None:
        plan = self.layout.plan
        sizes = [(shape.planes, math.prod(_tiles(plan, level))) for level, shape in enumerate(plan.shapes)]
        self.offsets = [np.zeros(size, np.uint64) for size in sizes]
        self.counts = [np.zeros(size, np.uint64) for size in sizes]

        self.placed = self.layout.codec.tag == NONE
        if self.placed:
            # Every place is known beforehand, so that no tile has to wait for its turn.
            for level, (offsets, counts) in enumerate(zip(self.offsets, self.counts, strict=True)):
                counts[...] = _padded_bytes(plan, level) // offsets.size
                begin = self.structure.reserve(_padded_bytes(plan, level))
                offsets[...] = begin + np.arange(offsets.size, dtype=np.uint64).reshape(offsets.shape) * counts

    def put(self, level: int, t: int, c: int, index: Box, pixels: NDArray[Any]) -> Callable[[], None] | None:
        """Encode one tile; returns what writes it, unless it is written already."""
        plan, (z, row, column) = self.layout.plan, index
        shape, (_, y, x) = plan.shapes[level], plan.chunks[level]
        data = encode(self.layout.codec, pixels, (1, y, x, shape.s), verify=self.verify)
        plane, tile = (t * shape.c + c) * shape.z + z, row * _tiles(plan, level)[1] + column
        if self.placed:
            self.structure.write(int(self.offsets[level][plane, tile]), data)
            return None
        return partial(self._append, level, plane, tile, data)

    def _append(self, level: int, plane: int, tile: int, data: bytes) -> None:
        self.offsets[level][plane, tile] = self.structure.append(data)
        self.counts[level][plane, tile] = len(data)


def check_file(path: Path, plan: Plan, description: bytes) -> None:
    """Open a finished file with another library and check that its structure is what was meant.

    Raises
    ------
    UnwritableError
        If anything is missing, of another size, or lies outside the file.
    """
    from tifffile import TiffFile

    with TiffFile(path) as file:
        pages = file.pages
        _expect(len(pages) == plan.shapes[0].planes, "the number of planes")
        _expect(file.pages.first.tags[DESCRIPTION].value.encode() == description, "the description")
        size = path.stat().st_size
        step = max(1, len(pages) // _MOST_CHECKED)
        for number in range(0, len(pages), step):
            page = pages.get(number)
            levels = [page, *(page.pages or ())] if len(plan.shapes) > 1 else [page]
            _expect(len(levels) == len(plan.shapes), "the number of levels")
            for level, found in enumerate(levels):
                _check_page(found, plan, level, size)


def _check_page(page: Any, plan: Plan, level: int, size: int) -> None:
    shape, (_, y, x) = plan.shapes[level], plan.chunks[level]
    found = (page.imagelength, page.imagewidth, page.samplesperpixel, page.tilelength, page.tilewidth)
    _expect(found == (shape.y, shape.x, shape.s, y, x), "the size of a level")
    _expect(page.dtype == plan.source.dtype, "the type of the pixels")
    rows, columns = _tiles(plan, level)
    offsets, counts = np.asarray(page.dataoffsets, np.int64), np.asarray(page.databytecounts, np.int64)
    _expect(len(offsets) == len(counts) == rows * columns, "the number of tiles")
    _expect(bool((offsets > 0).all() and (counts > 0).all() and (offsets + counts <= size).all()), "the place of a tile")


def _expect(holds: bool, what: str) -> None:
    if not holds:
        raise UnwritableError(f"The finished OME-TIFF was checked and {what} is wrong; it was removed. Please report this.")
