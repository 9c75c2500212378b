"""PNG and JPEG: the stored values, and no more than what is there."""

from __future__ import annotations

import struct
import zlib
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import pytest
from PIL import Image as Pillow

from lightmicroscopy.errors import LimitError, UnreadableError
from lightmicroscopy.image import Dataset, Location, Region
from lightmicroscopy.readers import raster

from .tiff_files import noise, pixels, smooth

SIGNATURE = b"\x89PNG\r\n\x1a\n"


def opened(path: Path) -> Dataset:
    """Open it as a tool would, from its content."""
    assert raster.sniff(path, path.read_bytes()[:4096])
    return raster.open_dataset(Location(path))


def chunk(kind: bytes, body: bytes) -> bytes:
    """Return one PNG chunk."""
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png(width: int, height: int, bits: int, colour: int, rows: bytes, *extra: bytes, interlaced: int = 0) -> bytes:
    """Return a PNG of unfiltered rows (each with its filter byte)."""
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, interlaced))
    return SIGNATURE + head + b"".join(extra) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


@pytest.mark.parametrize(
    ("shape", "dtype", "kind"),
    [
        ((20, 31), "uint8", "intensity"),
        ((20, 31), "uint16", "intensity"),
        ((20, 31, 2), "uint8", "intensity"),
        ((20, 31, 2), "uint16", "intensity"),
        ((20, 31, 3), "uint8", "rgb"),
        ((20, 31, 3), "uint16", "rgb"),
        ((20, 31, 4), "uint8", "rgb"),
        ((20, 31, 4), "uint16", "rgb"),
    ],
)
def test_every_png_gives_its_stored_values(tmp_path: Path, shape: tuple[int, ...], dtype: str, kind: str) -> None:
    values = noise(shape, dtype)
    path = tmp_path / "picture.png"
    path.write_bytes(imagecodecs.png_encode(values))
    with opened(path) as dataset:
        (image,) = dataset.images
        assert (dataset.format, image.kind, image.lossy, image.name) == ("PNG", kind, False, "picture")
        np.testing.assert_array_equal(pixels(image).reshape(shape), values)


@pytest.mark.parametrize("bits", [1, 2, 4, 8])
def test_a_palette_keeps_its_indices_and_its_table(tmp_path: Path, bits: int) -> None:
    values = noise((20, 31), "uint8") & ((1 << bits) - 1)
    table = noise((1 << bits, 3), "uint8")
    picture = Pillow.new("P", (31, 20))
    picture.putdata(values.ravel().tolist())
    picture.putpalette(table.tobytes())
    path = tmp_path / "palette.png"
    picture.save(path, bits=bits)
    with opened(path) as dataset:
        (image,) = dataset.images
        assert (image.kind, image.significant_bits) == ("indexed", bits)
        assert image.metadata.channels[0].lut[: 1 << bits] == tuple(map(tuple, table.tolist()))
        np.testing.assert_array_equal(pixels(image)[0, 0, 0, ..., 0], values)


@pytest.mark.parametrize("bits", [1, 2, 4])
def test_few_grey_levels_stay_the_numbers_they_are(tmp_path: Path, bits: int) -> None:
    values = noise((5, 16), "uint8") % (1 << bits)
    per_byte = 8 // bits
    packed = sum(values[:, number::per_byte].astype(int) << (8 - bits * (number + 1)) for number in range(per_byte)).astype("uint8")
    path = tmp_path / "grey.png"
    path.write_bytes(png(16, 5, bits, 0, b"".join(b"\0" + row.tobytes() for row in packed)))
    with opened(path) as dataset:
        assert dataset.images[0].significant_bits == bits
        np.testing.assert_array_equal(pixels(dataset.images[0])[0, 0, 0, ..., 0], values)


def test_an_interlaced_png_is_put_together(tmp_path: Path) -> None:
    values = noise((16, 24), "uint8")
    passes = [(0, 8, 0, 8), (0, 8, 4, 8), (4, 8, 0, 4), (0, 4, 2, 4), (2, 4, 0, 2), (0, 2, 1, 2), (1, 2, 0, 1)]
    rows = b"".join(b"\0" + row.tobytes() for y, dy, x, dx in passes for row in values[y::dy, x::dx])
    path = tmp_path / "interlaced.png"
    path.write_bytes(png(24, 16, 8, 0, rows, interlaced=1))
    with opened(path) as dataset:
        np.testing.assert_array_equal(pixels(dataset.images[0])[0, 0, 0, ..., 0], values)


def test_transparency_and_gamma_change_no_value(tmp_path: Path) -> None:
    values = noise((6, 7, 3), "uint8")
    rows = b"".join(b"\0" + row.tobytes() for row in values)
    extra = chunk(b"gAMA", struct.pack(">I", 220_000)) + chunk(b"tRNS", struct.pack(">HHH", *values[0, 0].tolist()))
    path = tmp_path / "gamma.png"
    path.write_bytes(png(7, 6, 8, 2, rows, extra))
    with opened(path) as dataset:
        (image,) = dataset.images
        assert image.shape.s == 3
        assert any("transparent" in warning for warning in image.warnings)
        np.testing.assert_array_equal(pixels(image)[0, 0, 0], values)


def test_texts_and_density_are_metadata_and_no_pixel_size(tmp_path: Path) -> None:
    extra = chunk(b"tEXt", b"Title\0cells") + chunk(b"zTXt", b"Notes\0\0" + zlib.compress(b"long"))
    extra += chunk(b"iTXt", b"Author\0\1\0en\0\0" + zlib.compress("Åse".encode())) + chunk(b"pHYs", struct.pack(">IIB", 2835, 2835, 1))
    path = tmp_path / "text.png"
    path.write_bytes(png(1, 1, 8, 0, b"\0\7", extra))
    with opened(path) as dataset:
        metadata = dataset.images[0].metadata
        assert {("Title", "cells"), ("Notes", "long"), ("Author", "Åse"), ("pHYs", "2835 2835 1")} <= set(metadata.original)
        assert metadata.pixel_size_x is None


def test_a_text_that_unpacks_to_gigabytes_is_cut(tmp_path: Path) -> None:
    bomb = zlib.compress(bytes(64 << 20), 9)
    path = tmp_path / "bomb.png"
    path.write_bytes(png(1, 1, 8, 0, b"\0\7", chunk(b"zTXt", b"Bomb\0\0" + bomb)))
    with opened(path) as dataset:
        assert len(dict(dataset.images[0].metadata.original)["Bomb"]) <= 1 << 20


@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"quality": 30, "subsampling": 2}])
@pytest.mark.parametrize("shape", [(40, 50), (40, 50, 3)])
def test_a_jpeg_is_read_and_called_lossy(tmp_path: Path, shape: tuple[int, ...], options: dict[str, Any]) -> None:
    path = tmp_path / "picture.jpg"
    Pillow.fromarray(smooth(shape, "uint8")).save(path, **options)
    with opened(path) as dataset, Pillow.open(path) as reference:
        (image,) = dataset.images
        assert (dataset.format, image.lossy, image.compression) == ("JPEG", True, "JPEG")
        np.testing.assert_array_equal(pixels(image).reshape(shape), np.asarray(reference))


def test_a_turned_photograph_is_left_as_stored(tmp_path: Path) -> None:
    exif = Pillow.Exif()
    exif[274], exif[271] = 6, "Maker"
    path = tmp_path / "turned.jpg"
    Pillow.fromarray(smooth((20, 30, 3), "uint8")).save(path, exif=exif, dpi=(300, 300))
    with opened(path) as dataset:
        (image,) = dataset.images
        assert (image.shape.y, image.shape.x) == (20, 30)
        assert any("orientation 6" in warning for warning in image.warnings)
        assert ("EXIF Make", "Maker") in image.metadata.original
        assert image.metadata.pixel_size_x is None


def test_cmyk_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "print.jpg"
    Pillow.new("CMYK", (8, 8)).save(path)
    with pytest.raises(UnreadableError, match=r"print\.jpg is a CMYK picture"):
        opened(path)


def encoded(kind: str) -> bytes:
    """Return a picture; the JPEGs carry a preview, whose end must not pass for theirs."""
    buffer, preview = BytesIO(), BytesIO()
    picture = Pillow.fromarray(noise((40, 50, 3), "uint8"))
    if kind == "PNG":
        picture.save(buffer, "PNG")
        return buffer.getvalue()
    picture.resize((8, 8)).save(preview, "JPEG")
    picture.save(buffer, "JPEG", progressive=kind == "progressive", comment=preview.getvalue())
    return buffer.getvalue()


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "progressive"])
def test_a_truncated_picture_is_refused_at_opening(tmp_path: Path, kind: str) -> None:
    whole = encoded(kind)
    path = tmp_path / "cut.dat"
    for keep in range(20, len(whole) - 1, len(whole) // 25):
        path.write_bytes(whole[:keep])
        with pytest.raises(UnreadableError, match=r"cut\.dat"):
            opened(path)


def test_a_damaged_png_is_refused_when_read(tmp_path: Path) -> None:
    whole = bytearray(encoded("PNG"))
    whole[len(whole) // 2] ^= 0x55
    path = tmp_path / "damaged.png"
    path.write_bytes(whole)
    with opened(path) as dataset, pytest.raises(UnreadableError, match=r"damaged\.png is damaged"):
        pixels(dataset.images[0])


@pytest.mark.parametrize(
    ("width", "height", "error"),
    [(1_000_000, 1_000_000, LimitError), (2**31 - 1, 2**31 - 1, LimitError), (60_000, 60_000, UnreadableError), (0, 5, UnreadableError)],
)
def test_a_png_that_promises_what_is_not_there(tmp_path: Path, width: int, height: int, error: type[Exception]) -> None:
    path = tmp_path / "hostile.png"
    path.write_bytes(png(width, height, 8, 0, b"\0" * 100))
    with pytest.raises(error, match=r"hostile\.png"):
        opened(path)


@pytest.mark.parametrize(("bits", "colour"), [(3, 0), (8, 1), (8, 7), (8, 3)])
def test_a_png_of_no_valid_kind_is_refused(tmp_path: Path, bits: int, colour: int) -> None:
    path = tmp_path / "odd.png"
    path.write_bytes(png(1, 1, bits, colour, b"\0\0"))
    with pytest.raises(UnreadableError, match=r"odd\.png"):
        opened(path)


def test_a_jpeg_header_that_promises_too_much_is_refused(tmp_path: Path) -> None:
    data = encoded("JPEG")
    at = data.rindex(b"\xff\xc0")
    path = tmp_path / "hostile.jpg"
    path.write_bytes(data[: at + 5] + b"\xff\xff\xff\xff" + data[at + 9 :])
    with pytest.raises((LimitError, UnreadableError), match="65,535 × 65,535"):
        opened(path)


def test_it_is_decoded_once_for_all_threads(tmp_path: Path) -> None:
    path = tmp_path / "shared.png"
    values = noise((64, 64), "uint8")
    path.write_bytes(imagecodecs.png_encode(values))
    with opened(path) as dataset, ThreadPoolExecutor(4) as pool:
        source = dataset.images[0].levels[0].pixels
        parts = list(pool.map(lambda y: source.read(Region((0, 1), (0, 1), (0, 1), (y, y + 8), (3, 9))), range(0, 64, 8)))
        np.testing.assert_array_equal(np.concatenate(parts, 3)[0, 0, 0, ..., 0], values[:, 3:9])
        assert all(np.shares_memory(part, parts[0].base) for part in parts)


@pytest.mark.parametrize("head", [b"", b"\x89PN", b"\xff\xd8", b"GIF89a", b"BM"])
def test_what_is_no_picture_is_left_to_others(tmp_path: Path, head: bytes) -> None:
    assert not raster.sniff(tmp_path / "x", head)
