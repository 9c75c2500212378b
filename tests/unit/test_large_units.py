"""Images stored in units too large for a block: single strips, whole tiles, one chunk for everything."""

from __future__ import annotations

import gc
import io
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import pytest
import tifffile
import zarr
from numpy.typing import NDArray
from PIL import Image as Pillow

from lightmicroscopy import readers
from lightmicroscopy.errors import LimitError, SuiteError, UnreadableError
from lightmicroscopy.image import LARGE_UNIT, Location, Region, Shape
from lightmicroscopy.readers.jpeg_scan import is_cut
from lightmicroscopy.readers.large_units import kept, kept_picture
from lightmicroscopy.readers.tiff_jpeg_kin import jpeg2000_frame, jpegxl_frame, jpegxr_frame
from lightmicroscopy.selection import Selection, select
from lightmicroscopy.writers.blocks import Plan, block_count, block_extent, blocks, parts, refuse_large_units
from lightmicroscopy.writers.ome_zarr import write_ome_zarr
from lightmicroscopy.writers.options import WriteOptions

from .memory_image import MemoryPixels, memory_image

MB = 1 << 20
PLENTY = 2048 * MB


class Owner:
    """Something units belong to."""


class Keeping(MemoryPixels):
    """Pixels whose source keeps its units."""

    unit_memory = 1


@pytest.fixture(scope="module")
def plane() -> NDArray[np.uint8]:
    """70 MB, no row like another."""
    rows, columns = np.arange(7001, dtype=np.uint32), np.arange(10_007, dtype=np.uint32)
    return np.asarray((rows[:, None] * 31 + columns * 7) >> 3, np.uint8)


def ask(owner: object, key: object, asked: list[object]) -> NDArray[Any] | None:
    def decode() -> NDArray[Any]:
        asked.append(key)
        return np.zeros(3)

    return kept(owner, key, decode)


def test_a_kept_unit_is_decoded_once_until_another_is_asked_for() -> None:
    owner, asked = Owner(), []
    for key in ("a", "a", "b", "b", "a"):
        ask(owner, key, asked)
    assert asked == ["a", "b", "a"]


def test_units_of_two_owners_are_not_confused() -> None:
    owners, asked = (Owner(), Owner()), []
    for owner in (owners[0], owners[1], owners[1], owners[0]):
        ask(owner, 0, asked)
    assert asked == [0, 0, 0]


def test_a_unit_that_was_never_stored_is_remembered_as_such() -> None:
    owner, asked = Owner(), []
    for _ in range(3):
        assert kept(owner, 0, lambda: asked.append(1)) is None
    assert asked == [1]


def test_a_unit_that_failed_is_tried_again() -> None:
    owner, asked = Owner(), []
    with pytest.raises(UnreadableError):
        kept(owner, 0, lambda: (_ for _ in ()).throw(UnreadableError("damaged")))
    assert ask(owner, 0, asked) is not None
    assert asked == [0]


def test_a_unit_that_needs_another_is_an_error_and_no_endless_wait() -> None:
    owner, asked = Owner(), []
    with pytest.raises(SuiteError, match="in the middle of decoding another"):
        kept(owner, "outer", lambda: ask(owner, "inner", asked))
    assert ask(owner, "outer", asked) is not None
    assert asked == ["outer"]


def test_a_picture_may_need_a_unit() -> None:
    owner, asked = Owner(), []
    for _ in range(2):
        assert kept_picture(owner, "picture", lambda: ask(owner, "unit", asked)) is not None
    assert asked == ["unit"]


def test_a_unit_goes_with_its_owner() -> None:
    import weakref

    owner = Owner()
    pixels: list[NDArray[Any]] = [np.zeros(3)]
    seen = weakref.ref(pixels[0])
    kept(owner, 0, pixels.pop)
    del owner
    gc.collect()
    assert seen() is None


@pytest.mark.parametrize("kind", ["deflate", "predictor", "big-endian", "plain tile", "zarr", "zarr big-endian", "png"])
def test_a_large_unit_is_converted_in_parts_and_whole(kind: str, plane: NDArray[np.uint8], tmp_path: Path) -> None:
    pixels = plane if kind in ("deflate", "plain tile", "zarr", "png") else plane[:3600].astype(np.uint16) * 3
    assert pixels.nbytes > LARGE_UNIT
    path = tmp_path / {"png": "whole.png"}.get(kind, "whole.ome.zarr" if "zarr" in kind else "whole.tif")
    strip: dict[str, Any] = {"rowsperstrip": len(pixels), "compression": "zlib", "compressionargs": {"level": 1}}
    if kind == "png":
        path.write_bytes(imagecodecs.png_encode(pixels, level=1))
    elif "zarr" in kind:
        group = zarr.open_group(path, mode="w", zarr_format=2)
        stored = pixels.astype(">u2") if "big" in kind else pixels
        group.create_array("0", data=stored, chunks=pixels.shape)
        levels = [{"path": "0", "coordinateTransformations": [{"type": "scale", "scale": [1.0, 1.0]}]}]
        group.attrs["multiscales"] = [{"version": "0.4", "axes": [{"name": axis, "type": "space"} for axis in "yx"], "datasets": levels}]
    elif kind == "plain tile":
        tifffile.imwrite(path, pixels, tile=(7008, 10_016), metadata=None)
    else:
        tifffile.imwrite(path, pixels, predictor=kind == "predictor", byteorder=">" if kind == "big-endian" else "<", metadata=None, **strip)
    with readers.open(Location(path)) as dataset:
        source = dataset.images[0].levels[0].pixels
        plan = Plan(source, (source.shape,), ((1, 512, 512),), "mean")
        extent = block_extent(plan, 16 * MB)
        assert max(np.prod(region.sizes) for region in blocks(plan, extent, parts(plan, extent, 16 * MB))) * pixels.itemsize <= 16 * MB
        write_ome_zarr(dataset, tmp_path / "out.ome.zarr", WriteOptions(threads=3, memory=PLENTY, levels=2))
    assert np.array_equal(zarr.open_array(tmp_path / "out.ome.zarr" / "0", mode="r")[0, 0, 0], pixels)


@pytest.mark.parametrize("halve_z", [False, True])
@pytest.mark.parametrize("unit", [Shape(1, 3, 1, 3000, 3000), Shape(1, 1, 9, 700, 5000), Shape(2, 3, 9, 5000, 5000)])
def test_parts_of_blocks_cover_every_pixel_once(unit: Shape, halve_z: bool) -> None:
    shape = Shape(2, 3, 9, 5000, 5000, 1)
    source = Keeping(np.broadcast_to(np.zeros((), np.uint32), shape), unit)
    plan = Plan(source, (shape,), ((2, 300, 300),), "mean", halve_z)
    extent = block_extent(plan, 4 * MB)
    part = parts(plan, extent, 4 * MB)
    seen = np.zeros((*shape[:3], 50, 50), np.uint8)
    regions = list(blocks(plan, extent, part))
    for region in regions:
        assert all(at % 300 == 0 for at in (region.y[0], region.x[0]))
        assert np.prod(region.sizes) * 4 <= 4 * MB
        (t, c, z, y, x) = (slice(*span) for span in region)
        seen[t, c, z, slice(-(-y.start // 100), -(-y.stop // 100)), slice(-(-x.start // 100), -(-x.stop // 100))] += 1
    assert (seen == 1).all()
    assert block_count(plan, extent, part) >= len(regions)


def test_small_units_and_sources_that_keep_none_are_read_as_before() -> None:
    array = np.broadcast_to(np.zeros((), np.uint16), (1, 1, 1, 20_000, 20_000, 1))
    for source in (Keeping(array, Shape(1, 1, 1, 512, 512)), MemoryPixels(array, Shape(1, 1, 1, 20_000, 20_000))):
        plan = Plan(source, (source.shape,), ((1, 512, 512),), "mean")
        extent = block_extent(plan, 16 * MB)
        assert parts(plan, extent, 16 * MB) == extent


def test_a_unit_beyond_the_memory_is_refused_by_name_and_numbers(plane: NDArray[np.uint8], tmp_path: Path) -> None:
    path = tmp_path / "large.tif"
    tifffile.imwrite(path, plane, rowsperstrip=len(plane), compression="zlib", compressionargs={"level": 1}, metadata=None)
    with readers.open(Location(path)) as dataset:
        with pytest.raises(
            LimitError, match=rf"^large\.tif, series 0 \('large'\).* {plane.nbytes:,} bytes.* 484 MB of memory.*483 MB are granted.*--memory"
        ):
            write_ome_zarr(dataset, tmp_path / "out.ome.zarr", WriteOptions(memory=483 * MB))
        refuse_large_units(dataset.images[0], 484 * MB, "large.tif")
        # A part of it takes as much: it has to be unpacked all the same.
        cut = select(dataset.images[0], Selection(region="0,0,64,64"))
        with pytest.raises(LimitError, match="484 MB"):
            refuse_large_units(cut, 483 * MB, "large.tif")
    assert [found.name for found in tmp_path.iterdir()] == ["large.tif"]


def test_plain_strips_and_small_tiles_need_no_memory_of_their_own(tmp_path: Path) -> None:
    path = tmp_path / "plain.tif"
    with path.open("wb") as file:
        tifffile.imwrite(file, shape=(40_000, 40_000), dtype="uint8", rowsperstrip=40_000, metadata=None, photometric="minisblack")
    with readers.open(Location(path)) as dataset:
        refuse_large_units(dataset.images[0], MB, "plain.tif")
        assert not dataset.images[0].levels[0].pixels.read(Region((0, 1), (0, 1), (0, 1), (39_990, 40_000), (39_990, 40_000))).any()


def test_what_is_read_as_one_block_needs_more() -> None:
    image = memory_image(np.broadcast_to(np.zeros((), np.uint8), (1, 1, 1, 10_000, 10_000, 1)))
    refuse_large_units(image, 900 * MB, "file")
    with pytest.raises(LimitError, match="827 MB"):
        refuse_large_units(image, 800 * MB, "file")


@pytest.mark.parametrize(("height", "width"), [(1, 1), (8, 8), (256, 256), (64, 48), (100, 130), (513, 1000), (9000, 5), (5, 9000), (37, 40)])
@pytest.mark.parametrize("samples", [1, 2, 3, 4])
def test_headers_of_pictures_tell_their_size(height: int, width: int, samples: int) -> None:
    pixels = np.random.default_rng(1).integers(0, 255, (height, width, samples)[: 2 + (samples > 1)], np.uint8)
    for lossless in (True, False):
        for container in (True, False):
            found = jpegxl_frame(imagecodecs.jpegxl_encode(pixels, effort=1, lossless=lossless, usecontainer=container))
            assert found is not None
            assert found[:4] == (height, width, samples, 8)
    for form in ("jp2", "j2k"):
        found = jpeg2000_frame(imagecodecs.jpeg2k_encode(pixels, codecformat=form))
        assert found is not None
        assert found[:3] == (height, width, samples)
    if samples != 2:
        found = jpegxr_frame(imagecodecs.jpegxr_encode(pixels))
        assert found is not None
        assert found[:2] == (height, width)


def test_a_jpeg_2000_is_not_taken_by_what_another_box_holds() -> None:
    pixels = np.random.default_rng(1).integers(0, 255, (90, 80), np.uint8)
    whole = imagecodecs.jpeg2k_encode(pixels, codecformat="jp2")
    decoy = imagecodecs.jpeg2k_encode(pixels[:8, :8], codecformat="j2k")
    box = (len(decoy) + 8).to_bytes(4, "big") + b"xml " + decoy
    found = jpeg2000_frame(whole[:12] + box + whole[12:])
    assert found is not None
    assert found[:2] == (90, 80)


@pytest.mark.parametrize("data", [b"", b"\xff\x0a", b"\xff\x0a\xff", b"II\xbc\x01\x08\0\0\0", b"\0\0\0\x0cJXL \r\n\x87\n", b"\xff\x4f\xff\x51"])
def test_broken_headers_tell_no_size(data: bytes) -> None:
    from lightmicroscopy.readers.tiff_codecs import picture_frame

    assert [picture_frame(code, data) for code in (50002, 22610, 33003)] == [None] * 3


def decoded(data: bytes) -> NDArray[Any]:
    pixels: NDArray[Any] = imagecodecs.jpeg_decode(data)
    return pixels.reshape(*pixels.shape[:2], -1)


@pytest.mark.parametrize("how", [{}, {"subsampling": 2}, {"optimize": True}, {"restart_marker_blocks": 4}, {"progressive": True}], ids=str)
@pytest.mark.parametrize("value", [None, 128, 200])
def test_whole_jpegs_are_never_taken_for_cut(how: dict[str, Any], value: int | None) -> None:
    for size in ((64, 64), (100, 75)):
        pixels = np.random.default_rng(2).integers(0, 256, (*size, 3), np.uint8)
        pixels[size[0] // 2 :] = 128
        if value is not None:
            pixels[...] = value
        stream = io.BytesIO()
        Pillow.fromarray(pixels).save(stream, "JPEG", quality=85, **how)
        assert not is_cut(stream.getvalue(), decoded(stream.getvalue()), 8, decoded)


@pytest.mark.parametrize("how", [{}, {"subsampling": 2}, {"optimize": True}, {"restart_marker_blocks": 4}], ids=str)
@pytest.mark.parametrize("end", [b"\xff\xd9", b""])
def test_jpegs_that_end_early_are_found(how: dict[str, Any], end: bytes) -> None:
    pixels = np.random.default_rng(2).integers(0, 256, (128, 128, 3), np.uint8)
    stream = io.BytesIO()
    Pillow.fromarray(pixels).save(stream, "JPEG", quality=85, **how)
    whole = stream.getvalue()
    for part in (0.2, 0.5, 0.9):
        data = whole[: int(len(whole) * part)] + end
        assert is_cut(data, decoded(data), 8, decoded)
