"""TIFF of every kind a microscope or program writes, against tifffile's own reading of it."""

from __future__ import annotations

import itertools
import struct
import threading
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import pytest
import tifffile
from PIL import Image as Pillow

from lightmicroscopy.errors import LimitError, UnreadableError
from lightmicroscopy.image import Quantity, Region
from lightmicroscopy.readers import tiff_layout
from lightmicroscopy.readers.tiff_lzw import check_lzw

from .tiff_files import grey, hand_made, noise, opened, pixels, smooth

KINDS: list[Any] = [
    pytest.param(noise((37, 53)), {}, id="one strip"),
    pytest.param(noise((37, 53)), {"rowsperstrip": 5}, id="many strips"),
    pytest.param(noise((37, 53)), {"byteorder": ">"}, id="big-endian"),
    pytest.param(noise((37, 53), "float32"), {"byteorder": ">", "rowsperstrip": 4}, id="big-endian floating point strips"),
    pytest.param(noise((37, 53)), {"bigtiff": True}, id="BigTIFF"),
    pytest.param(noise((37, 53)), {"bigtiff": True, "byteorder": ">", "compression": "zlib"}, id="big-endian BigTIFF"),
    pytest.param(noise((70, 53)), {"tile": (16, 32)}, id="tiles not filling the image"),
    pytest.param(noise((70, 53)), {"tile": (16, 32), "byteorder": ">"}, id="big-endian tiles"),
    pytest.param(smooth((70, 53)), {"compression": "zlib", "predictor": True}, id="deflate with predictor"),
    pytest.param(smooth((70, 53)), {"compression": "zlib", "predictor": True, "byteorder": ">"}, id="big-endian deflate with predictor"),
    pytest.param(noise((70, 53), "float32"), {"compression": "zlib", "predictor": 3}, id="floating point predictor"),
    pytest.param(smooth((70, 53)), {"compression": "zstd", "tile": (32, 32)}, id="Zstandard tiles"),
    pytest.param(smooth((70, 53)), {"compression": "lzw", "rowsperstrip": 3}, id="LZW strips"),
    pytest.param(smooth((70, 53), "uint8"), {"compression": "packbits", "rowsperstrip": 7}, id="PackBits strips"),
    pytest.param(smooth((70, 53)), {"compression": "lzma"}, id="LZMA"),
    pytest.param(smooth((70, 53), "uint8"), {"compression": "jpeg2000", "tile": (32, 32)}, id="lossless JPEG 2000"),
    pytest.param(smooth((70, 53), "uint8"), {"compression": "png", "tile": (32, 32)}, id="PNG tiles"),
    pytest.param(
        smooth((70, 53, 3), "uint8"), {"photometric": "rgb", "compression": "webp", "compressionargs": {"lossless": True}}, id="lossless WebP"
    ),
    pytest.param(noise((37, 53, 3), "uint8"), {"photometric": "rgb"}, id="interleaved colour"),
    pytest.param(noise((37, 53, 4), "uint16"), {"photometric": "rgb", "extrasamples": ["unassalpha"], "tile": (16, 16)}, id="colour with alpha"),
    pytest.param(noise((37, 53, 3), "uint8"), {"photometric": "rgb", "rowsperstrip": 4, "compression": "lzw", "predictor": True}, id="LZW colour"),
    pytest.param(noise((37, 53), "int8"), {}, id="int8"),
    pytest.param(noise((37, 53), "int32"), {}, id="int32"),
    pytest.param(noise((37, 53), "uint64"), {}, id="uint64"),
    pytest.param(noise((37, 53), "int64"), {"compression": "zlib"}, id="int64"),
    pytest.param(noise((37, 53), "float16"), {}, id="float16"),
    pytest.param(noise((37, 53), "float64"), {"tile": (16, 16)}, id="float64"),
    pytest.param(noise((1, 1)), {}, id="a single pixel"),
]


@pytest.mark.parametrize(("values", "options"), KINDS)
def test_every_storage_gives_the_stored_values(tmp_path: Path, values: np.ndarray, options: dict[str, Any]) -> None:
    path = tmp_path / "image.tif"
    tifffile.imwrite(path, values, metadata=None, **options)
    with opened(path) as dataset:
        (image,) = dataset.images
        got = pixels(image)
        assert got.dtype == values.dtype
        assert got.dtype.isnative
        assert not image.lossy
        np.testing.assert_array_equal(got.reshape(values.shape), values)


@pytest.mark.parametrize(("values", "options"), KINDS)
def test_any_box_is_what_the_whole_holds_there(tmp_path: Path, values: np.ndarray, options: dict[str, Any]) -> None:
    path = tmp_path / "image.tif"
    tifffile.imwrite(path, values, metadata=None, **options)
    with opened(path) as dataset:
        (image,) = dataset.images
        whole = pixels(image)
        shape = image.shape
        spans_y = sorted({(0, 1), (shape.y // 3, shape.y // 2 + 1), (shape.y - 1, shape.y)})
        spans_x = sorted({(0, 1), (shape.x // 3, shape.x // 2 + 1), (0, shape.x)})
        for y, x in itertools.product(spans_y, spans_x):
            box = image.levels[0].pixels.read(Region((0, 1), (0, 1), (0, 1), y, x))
            np.testing.assert_array_equal(box, whole[:, :, :, slice(*y), slice(*x)])


def test_planar_colour_becomes_samples(tmp_path: Path) -> None:
    values = noise((3, 37, 53), "uint8")
    for number, options in enumerate(({}, {"tile": (16, 16)}, {"compression": "zlib", "rowsperstrip": 5}, {"rowsperstrip": 5})):
        path = tmp_path / f"{number}.tif"
        tifffile.imwrite(path, values, photometric="rgb", planarconfig="separate", metadata=None, **options)
        with opened(path) as dataset:
            (image,) = dataset.images
            assert image.kind == "rgb"
            assert image.axes == "YXS"
            np.testing.assert_array_equal(pixels(image)[0, 0, 0], np.moveaxis(values, 0, -1))


@pytest.mark.parametrize("bits", [2, 4, 6, 10, 12, 14])
def test_packed_integers_say_how_many_bits_are_meant(tmp_path: Path, bits: int) -> None:
    path = tmp_path / "packed.tif"
    values = (noise((21, 33)) % (1 << bits)).astype("uint8" if bits <= 8 else "uint16")
    tifffile.imwrite(path, values, bitspersample=bits, metadata=None)
    with opened(path) as dataset:
        (image,) = dataset.images
        assert image.significant_bits == bits
        np.testing.assert_array_equal(pixels(image)[0, 0, 0, ..., 0], values)


@pytest.mark.parametrize("options", [{}, {"compression": "packbits"}, {"compression": "zlib", "tile": (16, 16)}, {"rowsperstrip": 5}])
def test_black_and_white_images_are_zeros_and_ones(tmp_path: Path, options: dict[str, Any]) -> None:
    path = tmp_path / "bits.tif"
    values = noise((21, 33), "bool")
    tifffile.imwrite(path, values, metadata=None, **options)
    with opened(path) as dataset:
        (image,) = dataset.images
        assert image.significant_bits == 1
        assert image.dtype == np.uint8
        np.testing.assert_array_equal(pixels(image)[0, 0, 0, ..., 0], values)


def test_a_fax_scan_is_zeros_and_ones(tmp_path: Path) -> None:
    path = tmp_path / "fax.tif"
    values = noise((21, 33), "bool")
    Pillow.fromarray(values).save(path, compression="group4")
    with opened(path) as dataset:
        (image,) = dataset.images
        got = pixels(image)[0, 0, 0, ..., 0]
        assert set(np.unique(got)) == {0, 1}
        np.testing.assert_array_equal(got != image.white_is_zero, values)


def test_white_is_zero_is_kept_raw_and_said(tmp_path: Path) -> None:
    path = tmp_path / "white.tif"
    values = noise((9, 11), "uint8")
    tifffile.imwrite(path, values, photometric="miniswhite", metadata=None)
    with opened(path) as dataset:
        (image,) = dataset.images
        assert image.white_is_zero
        assert any("white" in warning for warning in image.warnings)
        np.testing.assert_array_equal(pixels(image)[0, 0, 0, ..., 0], values)


def test_a_palette_keeps_its_indices_and_its_table(tmp_path: Path) -> None:
    path = tmp_path / "palette.tif"
    values, table = noise((9, 11), "uint8"), noise((3, 256), "uint16")
    tifffile.imwrite(path, values, photometric="palette", colormap=table, metadata=None)
    with opened(path) as dataset:
        (image,) = dataset.images
        assert image.kind == "indexed"
        assert image.metadata.channels[0].lut == tuple(map(tuple, table.T.tolist()))
        np.testing.assert_array_equal(pixels(image)[0, 0, 0, ..., 0], values)


def test_a_palette_that_is_only_a_display_colour_leaves_intensities(tmp_path: Path) -> None:
    path = tmp_path / "green.tif"
    table = np.zeros((3, 256), "uint16")
    table[1] = np.arange(256) * 257
    tifffile.imwrite(path, noise((9, 11), "uint8"), photometric="palette", colormap=table, metadata=None)
    with opened(path) as dataset:
        assert dataset.images[0].kind == "intensity"


def test_jpeg_tiles_are_decoded_and_called_lossy(tmp_path: Path) -> None:
    path = tmp_path / "jpeg.tif"
    values = np.repeat(np.repeat(noise((8, 8, 3), "uint8"), 8, 0), 8, 1)
    tifffile.imwrite(path, values, photometric="rgb", compression="jpeg", tile=(32, 32), metadata=None)
    with opened(path) as dataset:
        (image,) = dataset.images
        assert (image.lossy, image.compression, image.kind) == (True, "JPEG", "rgb")
        np.testing.assert_array_equal(pixels(image)[0, 0, 0], tifffile.imread(path))


def test_lossy_jpeg2000_is_called_lossy(tmp_path: Path) -> None:
    path = tmp_path / "j2k.tif"
    tifffile.imwrite(path, smooth((64, 64), "uint8"), compression="jpeg2000", compressionargs={"level": 30, "reversible": False}, metadata=None)
    with opened(path) as dataset:
        assert dataset.images[0].lossy


@pytest.mark.parametrize(("error", "lossy"), [(0, False), (2, True)])
def test_lerc_is_lossy_where_it_allowed_an_error(tmp_path: Path, error: int, lossy: bool) -> None:
    path = tmp_path / "lerc.tif"
    tifffile.imwrite(path, smooth((64, 64), "float32"), compression="lerc", compressionargs={"level": error}, metadata=None)
    with opened(path) as dataset:
        assert dataset.images[0].lossy is lossy


def test_pages_of_one_shape_are_time_points_and_the_doubt_is_told(tmp_path: Path) -> None:
    path = tmp_path / "stack.tif"
    values = noise((7, 20, 30))
    tifffile.imwrite(path, values, photometric="minisblack", metadata=None)
    with opened(path) as dataset:
        (image,) = dataset.images
        assert (image.axes, image.shape.t) == ("TYX", 7)
        assert any("does not say" in warning for warning in image.warnings)
        np.testing.assert_array_equal(pixels(image)[:, 0, 0, ..., 0], values)


def test_declared_axes_of_a_shaped_stack_are_followed(tmp_path: Path) -> None:
    path = tmp_path / "shaped.tif"
    values = noise((2, 3, 4, 20, 30))
    tifffile.imwrite(path, values, photometric="minisblack", metadata={"axes": "ZTCYX"})
    with opened(path) as dataset:
        (image,) = dataset.images
        assert image.axes == "ZTCYX"
        np.testing.assert_array_equal(pixels(image)[..., 0], values.transpose(1, 2, 0, 3, 4))


def test_an_axis_ome_does_not_have_is_folded_and_recorded(tmp_path: Path) -> None:
    path = tmp_path / "angles.tif"
    values = noise((2, 3, 2, 2, 8, 9))
    tifffile.imwrite(path, values, photometric="minisblack", metadata={"axes": "TCZAYX"})
    with opened(path) as dataset:
        (image,) = dataset.images
        assert image.shape[:3] == (4, 3, 2)
        assert (image.metadata.modulo[0].along, image.metadata.modulo[0].type) == ("T", "angle")
        np.testing.assert_array_equal(pixels(image)[..., 0], values.transpose(0, 3, 1, 2, 4, 5).reshape(4, 3, 2, 8, 9))


def test_pages_of_unlike_shapes_are_several_series(tmp_path: Path) -> None:
    path = tmp_path / "mixed.tif"
    first, second = noise((20, 30)), noise((10, 40), "uint8")
    with tifffile.TiffWriter(path) as writer:
        for values in (first, second, first):
            writer.write(values, metadata=None)
    with opened(path) as dataset:
        assert [image.shape[:5] for image in dataset.images] == [(2, 1, 1, 20, 30), (1, 1, 1, 10, 40)]
        assert [image.name for image in dataset.images] == ["mixed 1", "mixed 2"]
        np.testing.assert_array_equal(pixels(dataset.images[1]).squeeze(), second)


@pytest.mark.parametrize("where", ["SubIFDs", "following pages"])
def test_a_plain_pyramid_becomes_levels_with_true_factors(tmp_path: Path, where: str) -> None:
    path = tmp_path / "pyramid.tif"
    full, half = noise((101, 77)), noise((50, 38))
    with tifffile.TiffWriter(path) as writer:
        writer.write(full, tile=(32, 32), subifds=1 if where == "SubIFDs" else 0, metadata=None)
        writer.write(half, tile=(32, 32), subfiletype=1, metadata=None)
    with opened(path) as dataset:
        (image,) = dataset.images
        assert [level.factor for level in image.levels] == [(1, 1, 1), (1, 101 / 50, 77 / 38)]
        np.testing.assert_array_equal(pixels(image, 1).squeeze(), half)


def test_a_thumbnail_of_other_proportions_is_no_level(tmp_path: Path) -> None:
    path = tmp_path / "thumb.tif"
    with tifffile.TiffWriter(path) as writer:
        writer.write(noise((100, 80)), subifds=1, metadata=None)
        writer.write(noise((16, 16)), subfiletype=1, metadata=None)
    with opened(path) as dataset:
        (image,) = dataset.images
        assert len(image.levels) == 1
        assert any("16 × 16" in warning for warning in image.warnings)


@pytest.mark.parametrize(
    ("resolution", "unit", "expected"),
    [
        pytest.param((72, 72), 2, None, id="a screen's 72 dpi"),
        pytest.param((118.11, 118.11), 3, None, id="300 dpi in centimetres"),
        pytest.param((1, 1), 1, None, id="no unit"),
        pytest.param((40000, 20000), 3, (0.25, 0.5), id="a microscope's"),
    ],
)
def test_print_resolutions_are_no_pixel_size(
    tmp_path: Path, resolution: tuple[float, float], unit: int, expected: tuple[float, float] | None
) -> None:
    path = tmp_path / "resolution.tif"
    tifffile.imwrite(path, noise((5, 5)), resolution=resolution, resolutionunit=unit, metadata=None)
    with opened(path) as dataset:
        metadata = dataset.images[0].metadata
        assert dict(metadata.original)["ResolutionUnit"] == str(unit)
        if expected is None:
            assert metadata.pixel_size_x is metadata.pixel_size_y is None
        else:
            assert (metadata.pixel_size_x, metadata.pixel_size_y) == tuple(Quantity(pytest.approx(value), "µm") for value in expected)


def test_orientation_is_told_and_not_applied(tmp_path: Path) -> None:
    path = tmp_path / "turned.tif"
    values = noise((5, 9))
    tifffile.imwrite(path, values, extratags=[(274, 3, 1, 6, True)], metadata=None)
    with opened(path) as dataset:
        (image,) = dataset.images
        assert any("orientation 6" in warning for warning in image.warnings)
        np.testing.assert_array_equal(pixels(image).squeeze(), values)


def test_tiles_never_written_are_the_fill_value(tmp_path: Path) -> None:
    path = tmp_path / "sparse.tif"
    values = np.zeros((64, 64), "uint16")
    values[:32, :32] = noise((32, 32))
    tifffile.imwrite(path, iter((values[:32, :32], None, None, None)), shape=values.shape, dtype=values.dtype, tile=(32, 32), metadata=None)
    with opened(path) as dataset:
        np.testing.assert_array_equal(pixels(dataset.images[0]).squeeze(), values)


def test_many_threads_read_the_same_pixels(tmp_path: Path) -> None:
    path = tmp_path / "threads.tif"
    values = smooth((6, 200, 300))
    tifffile.imwrite(path, values, tile=(64, 64), compression="zlib", photometric="minisblack", metadata=None)
    barrier = threading.Barrier(4)
    with opened(path) as dataset, ThreadPoolExecutor(4) as pool:
        source = dataset.images[0].levels[0].pixels

        def read(number: int) -> int:
            if number < 4:
                barrier.wait(10)
            return zlib.crc32(source.read(Region.plane(source.shape, number % 6, 0, 0)))

        expected = [zlib.crc32(values[number % 6]) for number in range(24)]
        assert list(pool.map(read, range(24))) == expected


def test_units_cover_small_strips_together(tmp_path: Path) -> None:
    path = tmp_path / "rows.tif"
    tifffile.imwrite(path, smooth((3000, 1000)), rowsperstrip=1, compression="zlib", metadata=None)
    with opened(path) as dataset:
        unit = dataset.images[0].levels[0].pixels.unit
        assert unit.x == 1000
        assert 1 << 20 <= unit.y * unit.x * 2 <= 1 << 21


def test_a_box_outside_the_image_is_a_mistake_of_the_caller(tmp_path: Path) -> None:
    path = tmp_path / "small.tif"
    tifffile.imwrite(path, noise((5, 5)), metadata=None)
    with opened(path) as dataset, pytest.raises(ValueError, match="outside"):
        dataset.images[0].levels[0].pixels.read(Region((0, 1), (0, 1), (0, 1), (0, 6), (0, 5)))


def test_an_empty_directory_list_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "none.tif"
    path.write_bytes(b"II*\0\0\0\0\0")
    with pytest.raises(UnreadableError, match=r"none\.tif .*no page"):
        opened(path)


@pytest.mark.parametrize("options", [{}, {"compression": "zlib"}, {"tile": (32, 32)}, {"bigtiff": True}, {"rowsperstrip": 9}])
def test_a_truncated_file_is_refused_at_opening(tmp_path: Path, options: dict[str, Any]) -> None:
    path = tmp_path / "cut.tif"
    tifffile.imwrite(path, noise((4, 90, 80)), photometric="minisblack", metadata=None, **options)
    whole = path.read_bytes()
    for keep in (9, 30, 300, len(whole) // 2, len(whole) - 100):
        path.write_bytes(whole[:keep])
        with pytest.raises(UnreadableError, match=r"cut\.tif"):
            opened(path)


def test_bytes_that_do_not_decode_name_the_plane(tmp_path: Path) -> None:
    path = tmp_path / "damaged.tif"
    tifffile.imwrite(path, smooth((3, 90, 80)), photometric="minisblack", compression="zlib", metadata=None)
    with tifffile.TiffFile(path) as parsed:
        offset, count = parsed.pages[1].dataoffsets[0], parsed.pages[1].databytecounts[0]
    data = bytearray(path.read_bytes())
    data[offset + 2 : offset + count] = b"\xff" * (count - 2)
    path.write_bytes(data)
    with opened(path) as dataset:
        source = dataset.images[0].levels[0].pixels
        source.read(Region.plane(source.shape, 0, 0, 0))
        with pytest.raises(UnreadableError, match=r"damaged\.tif is damaged: the plane t=1 c=0 z=0 \(page 1\)"):
            source.read(Region.plane(source.shape, 1, 0, 0))


def test_a_file_that_shrinks_after_opening_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "shrunk.tif"
    tifffile.imwrite(path, noise((90, 80)), metadata=None)
    with opened(path) as dataset:
        path.write_bytes(path.read_bytes()[:-50])
        with pytest.raises(UnreadableError, match=r"shrunk\.tif is truncated"):
            pixels(dataset.images[0])


MILLION = 1_000_000


@pytest.mark.parametrize(
    ("tags", "error", "message"),
    [
        pytest.param(grey(MILLION, MILLION, 8, 100), UnreadableError, "is truncated", id="10^12 pixels in one strip of nothing"),
        pytest.param(grey(MILLION, MILLION, 8, 50, compression=8), LimitError, "unpacks to", id="10^12 pixels in one deflated strip"),
        pytest.param(grey(MILLION, MILLION, 8, 50, rows=1), UnreadableError, "strips or tiles", id="10^12 pixels and one strip of a million"),
        pytest.param(grey(40_000, 40_000, 8, 50, compression=8), UnreadableError, "promises", id="far too small for its pixels"),
        pytest.param(grey(40_000, 40_000, 0, 0, compression=8), UnreadableError, "promises", id="huge and never written"),
        pytest.param(grey(10, 10, 10**9, 100), UnreadableError, "truncated", id="pixels beyond the end"),
        pytest.param(grey(10, 10, 8, 100, photometric=5), UnreadableError, "CMYK", id="CMYK"),
        pytest.param(grey(10, 10, 8, 100, photometric=8), UnreadableError, "L\\*a\\*b", id="CIELAB"),
        pytest.param(grey(10, 10, 8, 100, compression=34661), UnreadableError, "34661", id="unknown compression"),
        pytest.param(grey(0, 10, 8, 100), UnreadableError, "no pixels", id="no width"),
        pytest.param(grey(10, 10, 8, 100) | {258: (3, 1, 77)}, UnreadableError, "77 bits", id="77 bits"),
        pytest.param(grey(10, 10, 8, 100) | {339: (3, 1, 6), 258: (3, 1, 64)}, UnreadableError, "complex", id="complex numbers"),
        pytest.param(grey(10, 10, 8, 100) | {273: (4, 4_000_000_000, 8)}, UnreadableError, "claims", id="four billion strips"),
        pytest.param(grey(10, 10, 8, 100) | {270: (2, 4_000_000_000, 8)}, UnreadableError, "claims", id="a description of 4 GB"),
        pytest.param(grey(10, 10, 8, 100) | {322: (4, 1, 0), 323: (4, 1, 16)}, UnreadableError, "hostile", id="tiles of no width"),
    ],
)
def test_headers_that_promise_what_is_not_there(tmp_path: Path, tags: dict[int, tuple[int, int, int]], error: type[Exception], message: str) -> None:
    path = hand_made(tmp_path / "hostile.tif", tags, after=b"\0" * 200)
    with pytest.raises(error, match=message) as caught:
        opened(path)
    assert "hostile.tif" in str(caught.value)


def test_huge_sparse_rows_in_a_big_tiff_are_refused(tmp_path: Path) -> None:
    tags = grey(MILLION, MILLION, 16, 50, rows=1)
    with pytest.raises(UnreadableError, match="strips or tiles"):
        opened(hand_made(tmp_path / "hostile.tif", tags, after=b"\0" * 200, big=True))


@pytest.mark.parametrize("following", [8, 100_000, 3])
def test_page_lists_that_loop_or_leave_the_file_are_refused(tmp_path: Path, following: int) -> None:
    path = hand_made(tmp_path / "loop.tif", grey(10, 10, 130, 100), after=b"\0" * 200, following=following)
    with pytest.raises(UnreadableError, match=r"loop\.tif"):
        opened(path)


def test_a_picture_hidden_in_a_tile_cannot_grow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "hidden.tif"
    tifffile.imwrite(path, noise((64, 64), "uint8"), compression="jpeg", tile=(64, 64), metadata=None)
    data = path.read_bytes()
    at = data.index(b"\xff\xc0")
    path.write_bytes(data[: at + 5] + b"\xff\xff\xff\xff" + data[at + 9 :])
    assert tiff_layout.MAX_SEGMENT < 65535 * 65535
    with opened(path) as dataset, pytest.raises(LimitError, match="65,535"):
        pixels(dataset.images[0])


def test_damaged_lzw_that_would_kill_the_decoder_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "lzw.tif"
    tifffile.imwrite(path, smooth((40, 50)), compression="lzw", metadata=None)
    with tifffile.TiffFile(path) as parsed:
        offset = parsed.pages[0].dataoffsets[0]
    data = bytearray(path.read_bytes())
    data[offset + 1] = 0x7F  # the first code after Clear becomes 508, which no table holds yet
    path.write_bytes(data)
    with opened(path) as dataset, pytest.raises(UnreadableError, match="code 508"):
        pixels(dataset.images[0])


@pytest.mark.parametrize("size", [1, 2, 250, 300, 1000, 5000, 200_000])
@pytest.mark.parametrize("kind", ["noise", "smooth", "constant"])
def test_honest_lzw_passes_the_look_at_it(kind: str, size: int) -> None:
    values = {"noise": noise((size,), "uint8"), "smooth": smooth((size,), "uint8"), "constant": np.zeros(size, "uint8")}[kind]
    check_lzw(imagecodecs.lzw_encode(values.tobytes()))


@pytest.mark.parametrize("plain", [0, 1, 7, 200])
def test_a_bad_code_is_found_behind_every_clear(plain: int) -> None:
    codes = [256, *([1] * plain), 256, 300, 257]
    bits = "".join(f"{code:09b}" for code in codes)
    data = int(bits.ljust(-(-len(bits) // 8) * 8, "0"), 2).to_bytes(-(-len(bits) // 8), "big")
    with pytest.raises(ValueError, match="code 300"):
        check_lzw(data)


@pytest.mark.parametrize("head", [b"", b"II", b"PK\3\4", b"<html>", b"MM\0+"[:3], b"<?xml version='1.0'?><svg/>"])
def test_what_is_no_tiff_is_left_to_others(tmp_path: Path, head: bytes) -> None:
    from lightmicroscopy.readers import tiff

    assert not tiff.sniff(tmp_path / "x", head)


def test_random_damage_never_escapes_as_a_traceback(tmp_path: Path) -> None:
    path = tmp_path / "fuzz.tif"
    tifffile.imwrite(path, smooth((3, 40, 50)), photometric="minisblack", compression="zlib", rowsperstrip=9, metadata=None)
    whole = path.read_bytes()
    generator = np.random.default_rng(7)
    outcomes = set()
    for _ in range(300):
        data = bytearray(whole)
        for at in generator.integers(4, len(data), 3):
            data[at] = generator.integers(256)
        path.write_bytes(data)
        try:
            with opened(path) as dataset:
                for image in dataset.images:
                    pixels(image)
            outcomes.add("read")
        except (UnreadableError, LimitError):
            outcomes.add("refused")
    assert outcomes == {"read", "refused"}


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


@pytest.mark.parametrize(("count", "told"), [(100, True), (4095, True), (4096, False), (5000, False)])
def test_a_strip_that_states_too_few_bytes_is_read_and_told(tmp_path: Path, count: int, told: bool) -> None:
    values = noise((64, 64), "uint8")
    tags = grey(64, 64, 200, count)
    path = hand_made(tmp_path / "few.tif", tags, after=bytes(200 - 8 - 2 - 12 * len(tags) - 4) + values.tobytes() + bytes(1000))
    with opened(path) as dataset:
        (image,) = dataset.images
        assert any("states fewer bytes" in warning for warning in image.warnings) is told
        np.testing.assert_array_equal(pixels(image).squeeze(), values)
