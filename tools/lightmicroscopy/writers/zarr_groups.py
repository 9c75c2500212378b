"""One image in a store: its arrays, their chunks and its attributes."""

from __future__ import annotations

import logging
import math
import threading
from collections import Counter
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import UsageError
from ..metadata import ngff, zarr_json
from .blocks import Box, Plan
from .codecs import LEVEL, Codec, zarr_codec
from .pipeline import Extremes, encode
from .pyramid import level_shapes, method_for
from .sources import SamplesAsChannels

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from ..image import Image, Shape
    from .options import NgffVersion, WriteOptions
    from .store import Store

log = logging.getLogger("lightmicroscopy")

CHUNK = 512
LARGE_CHUNK = 1024
LARGE_PLANE = 16384
"""From this side length on chunks are 1024 × 1024, so that a store has a quarter of the files."""
MOST_CHUNK_BYTES = 1 << 30
"""Blosc's own limit is 2 GiB less its overhead."""
_DECLARED: dict[str, zarr_json.Compression] = {"auto": "zstd", "zstd": "zstd", "lz4": "lz4", "zlib": "zlib", "none": "none"}


@dataclass
class ArrayGroup:
    """An image group to be written.

    Attributes
    ----------
    path
        Place in the store, empty at its root.
    fill
        Value of chunks that are not stored.
    stored
        Chunks stored so far, by level.
    """

    image: Image
    path: str
    plan: Plan
    codec: Codec
    compression: zarr_json.Compression
    fill: float
    extremes: Extremes | None
    stored: Counter[int] = field(default_factory=Counter)

    @property
    def most_bytes(self) -> int:
        """Largest size of all its chunks."""
        pixels = sum(shape.t * shape.c * math.prod(_padded(shape, chunk)) for shape, chunk in zip(self.plan.shapes, self.plan.chunks, strict=True))
        return int(pixels * self.plan.source.dtype.itemsize * self.codec.worst)

    def array(self, level: int, version: NgffVersion) -> dict[str, Any]:
        """Metadata of the array of one level."""
        return zarr_json.array_metadata(
            self.plan.shapes[level][:5],
            (1, 1, *self.plan.chunks[level]),
            self.plan.source.dtype,
            version,
            compression=self.compression,
            level=LEVEL,
            fill_value=self.fill,
        )

    def files(self, version: NgffVersion) -> dict[str, bytes]:
        """Files of the group itself, with the display windows known by now."""
        shape = self.image.shape
        windows = [self.extremes.channels.get(c) if self.extremes else None for c in range(shape.c * shape.s)]
        # `image_attributes` counts levels of the image as it was given, its samples apart.
        shapes = [level._replace(c=shape.c, s=shape.s) for level in self.plan.shapes]
        return zarr_json.group_files(ngff.image_attributes(self.image, shapes, version, method=self.plan.method, windows=windows), version)

    def expected(self) -> list[tuple[tuple[int, ...], int]]:
        """Of every level: shape, and number of chunks stored."""
        return [(tuple(shape[:5]), self.stored[level]) for level, shape in enumerate(self.plan.shapes)]

    def sink(self, store: Store, version: NgffVersion, *, verify: bool) -> _Chunks:
        """Make what encodes this image's chunks and puts them into a store."""
        prefixes = tuple(f"{self.path}/{level}/" if self.path else f"{level}/" for level in range(len(self.plan.shapes)))
        return _Chunks(self, store, version, prefixes, verify)


def _padded(shape: Shape, chunk: Box) -> tuple[int, ...]:
    return tuple(-(-full // size) * size for full, size in zip(shape[2:5], chunk, strict=True))


@dataclass
class _Chunks:
    """Encodes chunks and stores all but those that are nothing but fill."""

    group: ArrayGroup
    store: Store
    version: NgffVersion
    prefixes: tuple[str, ...]
    verify: bool
    lock: threading.Lock = field(default_factory=threading.Lock)

    def put(self, level: int, t: int, c: int, index: Box, pixels: NDArray[Any]) -> Callable[[], None] | None:
        """Encode one chunk; returns what writes it where the order counts, and else has written it."""
        group = self.group
        volume = pixels[..., 0]
        if _is_only(volume, group.fill):
            return None
        data = encode(group.codec, volume, group.plan.chunks[level], fill=group.fill, verify=self.verify)
        write = partial(self.store.put, self.prefixes[level] + zarr_json.chunk_key((t, c, *index), self.version), data)
        with self.lock:
            group.stored[level] += 1
        if self.store.ordered:
            return write
        write()
        return None


def _is_only(pixels: NDArray[Any], value: float) -> bool:
    """Whether every pixel is that value, bit for bit (−0.0 is not 0.0)."""
    fill = np.array(value, pixels.dtype)
    bits = np.dtype(f"u{pixels.dtype.itemsize}")
    seen = pixels.view(bits)
    return bool(seen[0, 0, 0] == fill.view(bits)) and bool((seen == fill.view(bits)).all())


def plan_group(image: Image, path: str, options: WriteOptions, *, parent: ArrayGroup | None = None) -> ArrayGroup:
    """Decide levels, chunks and compression of one image.

    Parameters
    ----------
    image
        What to write.
    path
        Where in the store.
    options
        See `WriteOptions`.
    parent
        The image a label map belongs to; the map gets as many levels if it is large enough.

    Raises
    ------
    UsageError
        If the options do not suit Zarr.
    """
    source = image.levels[0].pixels if image.shape.s == 1 else SamplesAsChannels(image.levels[0].pixels)
    count = options.levels
    if parent is not None and max(image.shape.y, image.shape.x) >= 2 ** (len(parent.plan.shapes) - 1):
        count = len(parent.plan.shapes)
    halve_z = options.downsample_z
    if halve_z and any(modulo.along == "Z" for modulo in image.metadata.modulo):
        log.warning("Z of %r is not halved: another dimension is folded into it, whose planes would be mixed.", image.name)
        halve_z = False
    shapes = level_shapes(source.shape, count, downsample_z=halve_z)
    chunks = tuple(_chunk(shape, options.chunk, shapes[0], source.dtype.itemsize) for shape in shapes)
    plan = Plan(source, shapes, chunks, method_for(image), halve_z=halve_z)
    codec = zarr_codec(options.compression, options.ngff_version, source.dtype)
    wanted = image.kind not in ("label", "rgb")
    return ArrayGroup(image, path, plan, codec, _DECLARED[options.compression], _fill(image), Extremes() if wanted else None)


def _chunk(shape: Shape, chunk: tuple[int, ...] | None, full: Shape, itemsize: int) -> Box:
    side = LARGE_CHUNK if max(full.y, full.x) >= LARGE_PLANE else CHUNK
    z, y, x = (1, *chunk)[-3:] if chunk else (1, side, side)
    if min(z, y, x) < 1:
        raise UsageError(f"A chunk must be at least 1 pixel along every axis, not {' × '.join(map(str, chunk or ()))}.")
    box = min(z, shape.z), min(y, shape.y), min(x, shape.x)
    if math.prod(box) * itemsize > MOST_CHUNK_BYTES:
        raise UsageError(f"A chunk of {box[0]} × {box[1]} × {box[2]} pixels is larger than 1 GiB. Choose a smaller one.")
    return box


def _fill(image: Image) -> float:
    """The image's fill value where its type holds it, else 0."""
    if image.dtype.kind == "f":
        return image.fill_value
    if not math.isfinite(image.fill_value) or image.fill_value != int(image.fill_value):
        return 0
    low, high = (0, 1) if image.dtype.kind == "b" else (np.iinfo(image.dtype).min, np.iinfo(image.dtype).max)
    return int(image.fill_value) if low <= image.fill_value <= high else 0
