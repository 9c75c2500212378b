"""Files that are not what they should be."""

import shutil
from pathlib import Path

import numpy as np
import tifffile

from .makers import CELLS, DATA, TO_TIFF, TO_ZARR, row


@row("no such file")
def _(folder: Path) -> list[str]:
    return [str(folder / "gone.tif"), *TO_TIFF]


@row("empty file")
def _(folder: Path) -> list[str]:
    (folder / "empty.tif").touch()
    return [str(folder / "empty.tif"), *TO_TIFF]


@row("words")
def _(folder: Path) -> list[str]:
    shutil.copy(DATA / "not_an_image.txt", folder)
    return [str(folder / "not_an_image.txt"), *TO_TIFF]


@row("truncated TIFF")
def _(folder: Path) -> list[str]:
    shutil.copy(DATA / "truncated.tif", folder)
    return [str(folder / "truncated.tif"), *TO_TIFF]


@row("truncated OME-TIFF")
def _(folder: Path) -> list[str]:
    (folder / "cut.ome.tiff").write_bytes(CELLS.read_bytes()[:60_000])
    return [str(folder / "cut.ome.tiff"), *TO_TIFF]


@row("TIFF cut in its last plane")
def _(folder: Path) -> list[str]:
    (folder / "cut.tif").write_bytes((DATA / "plain.tif").read_bytes()[:-100])
    return [str(folder / "cut.tif"), *TO_ZARR]


@row("TIFF cut in its header")
def _(folder: Path) -> list[str]:
    (folder / "cut.tif").write_bytes(CELLS.read_bytes()[:6])
    return [str(folder / "cut.tif"), *TO_TIFF]


@row("damaged pixels in a TIFF")
def _(folder: Path) -> list[str]:
    content = bytearray(CELLS.read_bytes())
    with tifffile.TiffFile(CELLS) as tiff:
        start = tiff.pages[4].dataoffsets[0]  # type: ignore[union-attr]
    content[start : start + 64] = b"\xff" * 64
    (folder / "damaged.ome.tiff").write_bytes(content)
    return [str(folder / "damaged.ome.tiff"), *TO_ZARR]


@row("truncated PNG")
def _(folder: Path) -> list[str]:
    (folder / "cut.png").write_bytes((DATA / "rgb.png").read_bytes()[:3000])
    return [str(folder / "cut.png"), *TO_TIFF]


@row("truncated JPEG")
def _(folder: Path) -> list[str]:
    (folder / "cut.jpg").write_bytes((DATA / "photo.jpg").read_bytes()[:1500])
    return [str(folder / "cut.jpg"), *TO_TIFF]


@row("CMYK JPEG")
def _(folder: Path) -> list[str]:
    from PIL import Image

    Image.new("CMYK", (16, 16), (10, 20, 30, 40)).save(folder / "print.jpg")
    return [str(folder / "print.jpg"), *TO_TIFF]


@row("complex numbers")
def _(folder: Path) -> list[str]:
    tifffile.imwrite(folder / "fourier.tif", np.ones((8, 8), np.complex64))
    return [str(folder / "fourier.tif"), *TO_TIFF]


@row("64-bit integers as OME-TIFF")
def _(folder: Path) -> list[str]:
    tifffile.imwrite(folder / "counts.tif", np.full((8, 8), 1 << 40, np.uint64))
    return [str(folder / "counts.tif"), *TO_TIFF]
