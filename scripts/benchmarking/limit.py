"""What the machine allows: how long reading, encoding with verifying, and writing take, each by itself."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import product
from pathlib import Path
from typing import Any, NamedTuple

from .images import remove

SAMPLE_PLANES = 8
TILE = 512


class Limit(NamedTuple):
    """Seconds of wall clock; no conversion can take less than the longest of the three."""

    reading: float
    encoding: float
    writing: float


def limit(image: str, scratch: str, form: str, threads: int) -> Limit:
    """Measure the three parts for one input and one output.

    Encoding is measured on some planes held in memory, all their levels, and scaled to the whole; tiles and codecs are the
    writers' own, readers (which decode what is compressed) this suite's.
    """
    from lightmicroscopy import readers
    from lightmicroscopy.image import Location, Region
    from lightmicroscopy.writers.codecs import tiff_codec, zarr_codec
    from lightmicroscopy.writers.pipeline import encode
    from lightmicroscopy.writers.pyramid import halve, level_shapes

    with readers.open(Location(Path(image))) as dataset:
        pixels = dataset.images[0].levels[0].pixels
        shape, dtype = pixels.shape, pixels.dtype
        planes = [Region.plane(shape, *index) for index in product(range(shape.t), range(shape.c), range(shape.z))]
        reading = parallel(threads, pixels.read, planes)
        sample = [pixels.read(region)[0, 0] for region in planes[:: max(1, len(planes) // SAMPLE_PLANES)]]
    codec = tiff_codec("auto", dtype) if form == "ome-tiff" else zarr_codec("auto", "0.5", dtype)
    chunks = []
    for level in sample:
        for _ in level_shapes(shape, None):
            chunks += [level[:, y : y + TILE, x : x + TILE] for y, x in product(range(0, level.shape[1], TILE), range(0, level.shape[2], TILE))]
            level = halve(level, "mean")  # noqa: PLW2901 - each level is made of the one before
    encoded: list[bytes] = []
    encoding = parallel(threads, lambda chunk: encoded.append(encode(codec, chunk, chunk.shape)), chunks)
    scale = len(planes) / len(sample)
    return Limit(reading, encoding * scale, _write_all(Path(scratch, "limit"), encoded, scale, form, threads))


def parallel(threads: int, work: Callable[[Any], object], items: Sequence[Any]) -> float:
    """Seconds it takes to do all items on so many threads."""
    began = time.perf_counter()
    with ThreadPoolExecutor(threads) as pool:
        for _ in pool.map(work, items):
            pass
    return time.perf_counter() - began


def _write_all(target: Path, encoded: Sequence[bytes], scale: float, form: str, threads: int) -> float:
    """Seconds to write `scale` times every piece: one file, or a file each."""
    remove(target)
    os.sync()
    jobs = [number % len(encoded) for number in range(round(scale * len(encoded)))]
    try:
        if form == "ome-tiff":
            with target.open("wb", buffering=0) as file:
                return parallel(1, lambda piece: file.write(encoded[piece]), jobs)
        target.mkdir()
        return parallel(threads, lambda job: (target / str(job[0])).write_bytes(encoded[job[1]]), list(enumerate(jobs)))
    finally:
        remove(target)
