"""Pictures encoded inside a strip or tile of a TIFF: of the right size they are read, of any other they are refused."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import pytest

from lightmicroscopy.errors import UnreadableError

from .tiff_files import grey, hand_made, noise, opened, pixels


def embedded(path: Path, code: int, data: bytes, *, tiled: bool, side: int = 64) -> Path:
    """Write a square 8-bit grey image whose only strip or tile is an encoded picture."""
    tags = grey(side, side, 200, len(data), compression=code)
    if tiled:
        for tag in (273, 278, 279):
            del tags[tag]
        tags |= {322: (4, 1, side), 323: (4, 1, side), 324: (4, 1, 200), 325: (4, 1, len(data))}
    at = 8 + 2 + 12 * len(tags) + 4
    return hand_made(path, tags, after=bytes(200 - at) + data)


ENCODERS: list[Any] = [
    pytest.param(7, imagecodecs.jpeg8_encode, id="JPEG"),
    pytest.param(7, imagecodecs.ljpeg_encode, id="lossless JPEG"),
    pytest.param(34712, imagecodecs.jpeg2k_encode, id="JPEG 2000"),
    pytest.param(50002, imagecodecs.jpegxl_encode, id="JPEG XL"),
    pytest.param(34887, imagecodecs.lerc_encode, id="LERC"),
    pytest.param(34933, imagecodecs.png_encode, id="PNG"),
]


@pytest.mark.parametrize("tiled", [False, True])
@pytest.mark.parametrize("size", [(32, 128), (128, 32), (32, 64), (64, 128), (8, 512), (1, 1)])
@pytest.mark.parametrize(("code", "encode"), ENCODERS)
def test_a_picture_of_another_size_than_its_strip_or_tile_is_refused(
    tmp_path: Path, code: int, encode: Any, size: tuple[int, int], tiled: bool
) -> None:
    path = embedded(tmp_path / "odd.tif", code, encode(noise(size, "uint8")), tiled=tiled)
    with opened(path) as dataset, pytest.raises(UnreadableError, match=rf"odd\.tif.* page 0 .*{size[1]} × {size[0]} pixels where 64 × 64"):
        pixels(dataset.images[0])


@pytest.mark.parametrize("tiled", [False, True])
@pytest.mark.parametrize(("code", "encode"), ENCODERS)
def test_a_picture_of_the_size_of_its_strip_or_tile_is_read(tmp_path: Path, code: int, encode: Any, tiled: bool) -> None:
    values = np.full((64, 64), 77, "uint8")
    path = embedded(tmp_path / "fits.tif", code, encode(values), tiled=tiled)
    with opened(path) as dataset:
        np.testing.assert_array_equal(pixels(dataset.images[0]).squeeze(), values)


@pytest.mark.parametrize(("code", "encode"), [param for param in ENCODERS if param.id in ("JPEG 2000", "JPEG XL", "LERC", "PNG")])
def test_a_colour_picture_in_a_grey_page_is_refused(tmp_path: Path, code: int, encode: Any) -> None:
    path = embedded(tmp_path / "colour.tif", code, encode(noise((64, 64, 3), "uint8")), tiled=False)
    with opened(path) as dataset, pytest.raises(UnreadableError, match=r"colour\.tif"):
        pixels(dataset.images[0])


def test_a_lossless_jpeg_may_pair_neighbouring_pixels(tmp_path: Path) -> None:
    values = noise((64, 64), "uint8")
    path = embedded(tmp_path / "pairs.tif", 7, imagecodecs.jpeg8_encode(values.reshape(64, 32, 2), lossless=True), tiled=False)
    with opened(path) as dataset:
        np.testing.assert_array_equal(pixels(dataset.images[0]).squeeze(), values)


@pytest.mark.parametrize("shape", [(64, 64, 2), (64, 21, 3), (32, 64, 2)])
def test_a_lossless_jpeg_of_other_rows_is_refused(tmp_path: Path, shape: tuple[int, ...]) -> None:
    path = embedded(tmp_path / "pairs.tif", 7, imagecodecs.jpeg8_encode(noise(shape, "uint8"), lossless=True), tiled=False)
    with opened(path) as dataset, pytest.raises(UnreadableError, match=r"pairs\.tif"):
        pixels(dataset.images[0])


def test_a_deep_picture_in_a_page_of_bytes_is_refused(tmp_path: Path) -> None:
    path = embedded(tmp_path / "deep.tif", 34933, imagecodecs.png_encode(noise((64, 64), "uint16")), tiled=False)
    with opened(path) as dataset, pytest.raises(UnreadableError, match="uint16 where uint8 is declared"):
        pixels(dataset.images[0])


def two_strips(path: Path, first: bytes, second: bytes) -> Path:
    """Write a 64 × 40 grey image in JPEG strips of 32 and 8 rows."""
    tags = grey(64, 40, 0, 0, compression=7, rows=32) | {273: (4, 2, 200), 279: (4, 2, 208)}
    at = 8 + 2 + 12 * len(tags) + 4
    numbers = struct.pack("<4I", 300, 300 + len(first), len(first), len(second))
    return hand_made(path, tags, after=bytes(200 - at) + numbers.ljust(100, b"\0") + first + second)


@pytest.mark.parametrize("rows", [8, 32])
def test_a_last_strip_of_full_height_is_cropped(tmp_path: Path, rows: int) -> None:
    first, second = np.full((32, 64), 10, "uint8"), np.full((rows, 64), 20, "uint8")
    path = two_strips(tmp_path / "strips.tif", imagecodecs.jpeg8_encode(first), imagecodecs.jpeg8_encode(second))
    with opened(path) as dataset:
        np.testing.assert_array_equal(pixels(dataset.images[0]).squeeze(), np.concatenate([first, second[:8]]))


@pytest.mark.parametrize(("rows", "last"), [(40, 8), (16, 8), (32, 4)])
def test_other_strips_have_exactly_their_rows(tmp_path: Path, rows: int, last: int) -> None:
    strips = [imagecodecs.jpeg8_encode(np.full((height, 64), 10, "uint8")) for height in (rows, last)]
    with opened(two_strips(tmp_path / "strips.tif", *strips)) as dataset, pytest.raises(UnreadableError, match=r"strip [01] of page 0"):
        pixels(dataset.images[0])


def test_tiles_that_end_at_the_border_are_read(tmp_path: Path) -> None:
    values = np.full((40, 40), 77, "uint8")
    tags = grey(40, 40, 0, 0, compression=34933)
    data = imagecodecs.png_encode(values)
    for tag in (273, 278, 279):
        del tags[tag]
    tags |= {322: (4, 1, 64), 323: (4, 1, 64), 324: (4, 1, 200), 325: (4, 1, len(data))}
    path = hand_made(tmp_path / "border.tif", tags, after=bytes(200 - 8 - 2 - 12 * len(tags) - 4) + data)
    with opened(path) as dataset:
        np.testing.assert_array_equal(pixels(dataset.images[0]).squeeze(), values)
