"""Whether a program wrote the pixels it was given: shape and CRC of every plane, read by tifffile and zarr, not by this suite."""

from __future__ import annotations

import json
import math
import zlib
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from itertools import product
from pathlib import Path
from typing import Any, Literal

from .images import PIXEL_UM, record

Place = tuple[int, int, int]
PixelSize = Literal["kept", "no unit", "lost"]
SHOWN = 3


class Wrong(Exception):
    """What was written is not what was given; the text says how."""


@dataclass(frozen=True)
class Checked:
    """What a finished output holds.

    Attributes
    ----------
    problem
        What is wrong with its pixels, or None.
    levels
        Resolution levels, the full one included.
    pixel_size
        What became of the size of a pixel along x: ``kept``, ``no unit`` or ``lost``.
    """

    problem: str | None
    levels: int = 0
    pixel_size: PixelSize = "lost"


def check(folder: str, image: str) -> dict[str, Any]:
    """Compare the one output in a folder with the record of the image that was converted; the fields of a `Checked`."""
    wanted = json.loads(record(Path(image)).read_text(encoding="utf-8"))
    try:
        path = _only_output(Path(folder))
        found = (_check_zarr if path.is_dir() else _check_tiff)(path, wanted["shape"], wanted["crcs"])
    except Wrong as wrong:
        found = Checked(str(wrong))
    return asdict(found)


def _only_output(folder: Path) -> Path:
    found = sorted(path for path in folder.iterdir() if path.name.endswith((".zarr", ".tiff", ".tif")))
    if len(found) != 1:
        raise Wrong(f"{len(found)} images instead of 1" if found else "no image")
    return found[0]


def _compare(shape: list[int], crcs: list[int], planes: Iterator[tuple[Place, Any]]) -> None:
    """Raise `Wrong` unless every plane has the CRC it was made with."""
    places = list(product(*map(range, shape[:3])))
    expected = dict(zip(places, crcs, strict=True))
    different = [place for place, pixels in planes if zlib.crc32(pixels.astype("<u2").tobytes()) != expected.pop(place)]
    if different or expected:
        some = [*different, *expected][:SHOWN]
        raise Wrong(f"{len(different) + len(expected)} of {len(places)} planes differ, for instance at (t, c, z) = {some[0]}")


def _same_shape(axes: str, sizes: tuple[int, ...], shape: list[int], dtype: Any) -> None:
    found = {axis: size for axis, size in zip(axes, sizes, strict=True) if size > 1}
    wanted = {axis: size for axis, size in zip("TCZYX", shape, strict=True) if size > 1}
    if found != wanted or axes[-2:] != "YX" or str(dtype) != "uint16":
        raise Wrong(f"{axes} {sizes} {dtype} instead of TCZYX {tuple(shape)} uint16")


def _check_tiff(path: Path, shape: list[int], crcs: list[int]) -> Checked:
    import tifffile

    with tifffile.TiffFile(path) as tiff:
        if len(tiff.series) != 1:
            raise Wrong(f"{len(tiff.series)} series instead of 1")
        series = tiff.series[0]
        _same_shape(series.axes, series.shape, shape, series.dtype)
        order, sizes = series.axes[:-2], series.shape[:-2]
        pages = list(series.pages)
        if len(pages) != math.prod(sizes):
            raise Wrong(f"{len(pages)} planes instead of {math.prod(sizes)}")

        def planes() -> Iterator[tuple[Place, Any]]:
            for page, index in zip(pages, product(*map(range, sizes)), strict=True):
                at = dict(zip(order, index, strict=True))
                yield (at.get("T", 0), at.get("C", 0), at.get("Z", 0)), page.asarray()

        _compare(shape, crcs, planes())
        told = tifffile.xml2dict(tiff.ome_metadata)["OME"]["Image"]["Pixels"] if tiff.ome_metadata else {}
        # OME's own default is the micrometre.
        size = _fate(float(told.get("PhysicalSizeX", math.nan)), is_um=told.get("PhysicalSizeXUnit", "µm") == "µm")
        return Checked(None, len(series.levels), size)


def _check_zarr(path: Path, shape: list[int], crcs: list[int]) -> Checked:
    import zarr

    attributes = zarr.open_group(path, mode="r").attrs.asdict()
    described: Any = attributes.get("ome", attributes)
    if "multiscales" not in described:
        raise Wrong("no image at the root of the store")
    multiscales = described["multiscales"][0]
    axes = "".join(axis["name"] for axis in multiscales["axes"]).upper()
    array: Any = zarr.open_array(path / multiscales["datasets"][0]["path"], mode="r")
    _same_shape(axes, array.shape, shape, array.dtype)

    def planes() -> Iterator[tuple[Place, Any]]:
        depth = array.chunks[axes.index("Z")] if "Z" in axes else 1
        for t, c, start in product(range(shape[0]), range(shape[1]), range(0, shape[2], depth)):
            at = {"T": slice(t, t + 1), "C": slice(c, c + 1), "Z": slice(start, start + depth), "Y": slice(None), "X": slice(None)}
            block = array[tuple(at[axis] for axis in axes)].reshape(-1, *shape[3:])
            yield from (((t, c, start + number), pixels) for number, pixels in enumerate(block))

    _compare(shape, crcs, planes())
    return Checked(None, len(multiscales["datasets"]), _size_in_zarr(multiscales, axes.index("X")))


def _size_in_zarr(multiscales: dict[str, Any], x: int) -> PixelSize:
    steps = [step for step in multiscales["datasets"][0].get("coordinateTransformations", ()) if step.get("type") == "scale"]
    scale = math.prod(step["scale"][x] for step in steps) if steps else math.nan
    return _fate(scale, is_um=multiscales["axes"][x].get("unit") == "micrometer")


def _fate(value: float, *, is_um: bool) -> PixelSize:
    if not math.isclose(value, PIXEL_UM, rel_tol=1e-6):
        return "lost"
    return "kept" if is_um else "no unit"
