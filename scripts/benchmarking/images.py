"""The images that are converted: the same pixels as OME-TIFF and as CZI, and the CRC of every plane as it was made."""

from __future__ import annotations

import json
import os
import shutil
import zlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache, partial
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

SIDE, STACK, CHANNELS, LEAST = 2048, 20, 3, 2
"""Pixels along y and x; most planes in a stack; channels; fewest planes and times, since some programs take an axis of one for none."""
SMALLEST_SIDE = 256
GRID = 32
DARK, BRIGHT = 100, 500
PIXEL_UM, STEP_UM = 0.1, 0.3

SUFFIXES = {"ome-tiff": ".ome.tiff", "czi": ".czi", "czi-zstd": ".czi"}
"""Kinds of image that can be made, and how their names end."""
CZI_COMPRESSION = {"czi": "uncompressed:", "czi-zstd": "zstd1:ExplicitLevel=1;PreProcess=HiLoByteUnpack"}
"""What pylibCZIrw is asked for; the second is what ZEN writes when asked for lossless compression."""


class Extent(NamedTuple):
    """Sizes along T C Z Y X."""

    t: int
    c: int
    z: int
    y: int
    x: int

    @property
    def bytes(self) -> int:
        """Bytes of the pixels."""
        return self.t * self.c * self.z * self.y * self.x * 2


def extent(gigabytes: float) -> Extent:
    """Sizes of an image of about so many gigabytes: three channels, stacks of up to 20 planes, as many times as that needs."""
    least = LEAST * CHANNELS * LEAST
    side = SIDE
    # Smaller planes only where the fewest of the usual size would be twice as much as asked for.
    while side > SMALLEST_SIDE and least * side * side * 2 > 2 * gigabytes * 1e9:
        side //= 2
    planes = gigabytes * 1e9 / (side * side * 2)
    times = max(LEAST, round(planes / (STACK * CHANNELS)))
    return Extent(times, CHANNELS, max(LEAST, round(planes / (times * CHANNELS))), side, side)


@lru_cache(4)
def smooth_field(seed: int, side: int) -> NDArray[np.float64]:
    """Bilinear interpolation of a coarse random grid, values in 0..1, shape (y, x)."""
    import numpy as np

    knots = np.random.default_rng(seed).random((side // GRID + 2, side // GRID + 2)) ** 3
    place = np.arange(side) / GRID
    low = place.astype(int)
    share = place - low
    rows = knots[low] * (1 - share)[:, None] + knots[low + 1] * share[:, None]
    interpolated: NDArray[np.float64] = rows[:, low] * (1 - share) + rows[:, low + 1] * share
    return interpolated


def plane(side: int, place: tuple[int, int, int]) -> NDArray[np.uint16]:
    """One plane at (t, c, z), shape (y, x): a smooth field, one for every time and channel, with shot noise."""
    import numpy as np

    t, c, _ = place
    expected = DARK + BRIGHT * smooth_field(t * CHANNELS + c, side)
    return np.random.default_rng(place).poisson(expected).astype(np.uint16)


def make(path: str, kind: str, gigabytes: float) -> None:
    """Write an image, and beside it a record of its shape and planes; nothing is left of one that was interrupted."""
    target, size = Path(path), extent(gigabytes)
    partial_file = target.with_name(f"partial-{target.name}")
    crcs: list[int] = []

    def planes() -> Iterator[NDArray[Any]]:
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            for pixels in pool.map(partial(plane, size.y), product(range(size.t), range(size.c), range(size.z))):
                crcs.append(zlib.crc32(pixels.tobytes()))
                yield pixels

    write = _write_ome_tiff if kind == "ome-tiff" else partial(_write_czi, CZI_COMPRESSION[kind])
    try:
        write(partial_file, size, planes())
        record(target).write_text(json.dumps({"shape": size, "crcs": crcs}), encoding="utf-8")
        partial_file.rename(target)
    finally:
        partial_file.unlink(missing_ok=True)


def record(image: Path) -> Path:
    """Where the shape and the CRC of every plane of an image are written."""
    return image.with_name(f"{image.name}.json")


def _write_ome_tiff(path: Path, size: Extent, planes: Iterator[NDArray[Any]]) -> None:
    """Stripped and uncompressed, as microscopes' software exports it."""
    import tifffile

    sizes = {f"PhysicalSize{axis}": value for axis, value in zip("XYZ", (PIXEL_UM, PIXEL_UM, STEP_UM), strict=True)}
    units = {f"{name}Unit": "µm" for name in sizes}
    metadata = {"axes": "TCZYX", **sizes, **units}
    tifffile.imwrite(path, planes, shape=size, dtype="uint16", rowsperstrip=64, photometric="minisblack", ome=True, metadata=metadata)


def _write_czi(compression: str, path: Path, size: Extent, planes: Iterator[NDArray[Any]]) -> None:
    """One subblock to a plane."""
    from pylibCZIrw import czi

    with czi.create_czi(str(path), compression_options=compression) as out:
        for (t, c, z), pixels in zip(product(range(size.t), range(size.c), range(size.z)), planes, strict=True):
            out.write(pixels[..., None], plane={"T": t, "C": c, "Z": z})
        out.write_metadata(document_name="benchmark", scale_x=PIXEL_UM / 1e6, scale_y=PIXEL_UM / 1e6, scale_z=STEP_UM / 1e6)


def make_small(path: str) -> None:
    """Write one plane of 256 × 256."""
    import numpy as np
    import tifffile

    tifffile.imwrite(path, smooth_field(1, 256).astype(np.float32), ome=True)


def remove(path: Path) -> None:
    """Remove a file or folder, if it is there."""
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
