"""TIFF of every kind a microscope or program writes, against tifffile's own reading of it."""

from __future__ import annotations

import itertools
import threading
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from PIL import Image as Pillow

from lightmicroscopy.image import Quantity, Region

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


@pytest.mark.parametrize(("error", "lossy"), [(0, False), (0.5, False), (1, True)])
def test_lerc_of_whole_numbers_is_lossy_where_an_error_may_reach_the_next_number(tmp_path: Path, error: float, lossy: bool) -> None:
    path, values = tmp_path / "lerc.tif", noise((64, 64))
    tifffile.imwrite(path, values, compression="lerc", compressionargs={"level": error}, metadata=None)
    assert np.array_equal(tifffile.imread(path), values) is not lossy
    with opened(path) as dataset:
        assert dataset.images[0].lossy is lossy


@pytest.mark.parametrize("level", [1.0, 0.5])
def test_jpeg_xr_is_lossy_where_values_were_changed(tmp_path: Path, level: float) -> None:
    path, values = tmp_path / "xr.tif", noise((64, 64))
    tifffile.imwrite(path, values, compression="jpegxr", compressionargs={"level": level}, metadata=None)
    with opened(path) as dataset:
        assert dataset.images[0].lossy is not np.array_equal(tifffile.imread(path), values)


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


@pytest.mark.parametrize(("count", "told"), [(100, True), (4095, True), (4096, False), (5000, False)])
def test_a_strip_that_states_too_few_bytes_is_read_and_told(tmp_path: Path, count: int, told: bool) -> None:
    values = noise((64, 64), "uint8")
    tags = grey(64, 64, 200, count)
    path = hand_made(tmp_path / "few.tif", tags, after=bytes(200 - 8 - 2 - 12 * len(tags) - 4) + values.tobytes() + bytes(1000))
    with opened(path) as dataset:
        (image,) = dataset.images
        assert any("states fewer bytes" in warning for warning in image.warnings) is told
        np.testing.assert_array_equal(pixels(image).squeeze(), values)
