"""Storage units that unpack to more than there is memory for, that are not what they are declared as, or that end early."""

import json
import zlib
from pathlib import Path

import imagecodecs
import numpy as np
import tifffile

from .makers import TO_TIFF, TO_ZARR, row

SIDE = 12_000
SCARCE = ["--memory", "200"]
TILE = (64, 64)


def picture() -> np.ndarray:
    """Pixels that no codec takes for constant."""
    return np.random.default_rng(7).integers(0, 256, (*TILE, 3), np.uint8)


def in_a_tile(path: Path, encoded: bytes, compression: str, bands: int = 1) -> list[str]:
    """Write a TIFF of one tile that holds these bytes."""
    shape = TILE if bands == 1 else (*TILE, bands)
    tifffile.imwrite(
        path, iter([encoded]), shape=shape, dtype="uint8", tile=TILE, compression=compression, photometric="rgb" if bands == 3 else "minisblack",
        metadata=None,
    )  # fmt: skip
    return [str(path), *TO_TIFF]


@row("TIFF strip beyond the memory")
def _(folder: Path) -> list[str]:
    strip = zlib.compress(bytes(SIDE * SIDE))
    tifffile.imwrite(
        folder / "strip.tif", iter([strip]), shape=(SIDE, SIDE), dtype="uint8", rowsperstrip=SIDE, compression="zlib", photometric="minisblack",
        metadata=None,
    )  # fmt: skip
    return [str(folder / "strip.tif"), *TO_TIFF, *SCARCE]


@row("Zarr chunk beyond the memory")
def _(folder: Path) -> list[str]:
    store = folder / "whole.ome.zarr"
    (store / "0").mkdir(parents=True)
    axes = [{"name": axis, "type": "space"} for axis in "yx"]
    levels = [{"path": "0", "coordinateTransformations": [{"type": "scale", "scale": [1.0, 1.0]}]}]
    array = {"zarr_format": 2, "shape": [SIDE, SIDE], "chunks": [SIDE, SIDE], "dtype": "|u1", "order": "C", "fill_value": 0, "filters": None}
    (store / ".zgroup").write_text('{"zarr_format": 2}')
    (store / ".zattrs").write_text(json.dumps({"multiscales": [{"version": "0.4", "axes": axes, "datasets": levels}]}))
    (store / "0" / ".zarray").write_text(json.dumps({**array, "compressor": {"id": "zlib", "level": 1}}))
    (store / "0" / "0.0").write_bytes(zlib.compress(bytes(SIDE * SIDE)))
    return [str(store), *TO_ZARR, *SCARCE]


@row("PNG beyond the memory")
def _(folder: Path) -> list[str]:
    (folder / "large.png").write_bytes(imagecodecs.png_encode(np.zeros((SIDE, SIDE), np.uint8), level=1))
    return [str(folder / "large.png"), *TO_TIFF, *SCARCE]


@row("JPEG XL that hides a larger picture")
def _(folder: Path) -> list[str]:
    return in_a_tile(folder / "hidden.tif", imagecodecs.jpegxl_encode(np.full((SIDE, SIDE), 9, np.uint8), effort=1), "jpegxl")


@row("JPEG XL of many frames")
def _(folder: Path) -> list[str]:
    return in_a_tile(folder / "film.tif", imagecodecs.jpegxl_encode(np.zeros((500, *TILE), np.uint8), effort=1), "jpegxl")


@row("JPEG XR that hides a larger picture")
def _(folder: Path) -> list[str]:
    return in_a_tile(folder / "hidden.tif", imagecodecs.jpegxr_encode(np.full((SIDE, SIDE), 9, np.uint8)), "jpegxr")


@row("LERC of many bands")
def _(folder: Path) -> list[str]:
    return in_a_tile(folder / "bands.tif", imagecodecs.lerc_encode(np.zeros(TILE, np.uint8)) * 2000, "lerc")


@row("JPEG tile cut in its scan")
def _(folder: Path) -> list[str]:
    whole = imagecodecs.jpeg8_encode(picture(), level=90, colorspace="rgb", outcolorspace="ycbcr")
    return in_a_tile(folder / "cut.tif", whole[: len(whole) // 2] + b"\xff\xd9", "jpeg", 3)


@row("JPEG cut in its scan")
def _(folder: Path) -> list[str]:
    whole = imagecodecs.jpeg8_encode(picture(), level=90)
    (folder / "grey.jpg").write_bytes(whole[: len(whole) // 2] + b"\xff\xd9")
    return [str(folder / "grey.jpg"), *TO_TIFF]
