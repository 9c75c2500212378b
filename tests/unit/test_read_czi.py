"""Zeiss CZI: every scene, plane and tile where it belongs, whatever way the pixels are stored."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import pytest
from numpy.typing import NDArray

from lightmicroscopy import readers
from lightmicroscopy.errors import LimitError, UnreadableError
from lightmicroscopy.image import Dataset, Image, Location, Region, TilePosition

from . import czi_files as czi
from .czi_files import Tile, noise, write_czi


def opened(path: Path, **more: Any) -> Dataset:
    """Open it as a tool would, from its content."""
    return readers.open(Location(path, **more))


def pixels(image: Image, level: int = 0) -> NDArray[Any]:
    """All of a level, (T, C, Z, Y, X, S)."""
    source = image.levels[level].pixels
    return source.read(Region.whole(source.shape))


def mosaic(*, reverse: bool = False, compression: int = czi.RAW) -> tuple[list[Tile], NDArray[Any]]:
    """Six overlapping tiles, and what they make in the order of their numbers."""
    tiles = [Tile(noise(20, 30, seed=m), {"C": 0, "S": 0, "M": m, "X": m % 3 * 25 - 500, "Y": m // 3 * 18 + 70}, compression) for m in range(6)]
    whole = np.zeros((38, 80), np.uint16)
    for tile in tiles:
        y, x = tile.at["Y"] - 70, tile.at["X"] + 500
        whole[y : y + 20, x : x + 30] = tile.pixels
    return tiles[::-1] if reverse else tiles, whole


COMPRESSIONS = {"raw": czi.RAW, "LZW": czi.LZW, "JPEG XR": czi.JPEGXR, "Zstandard": czi.ZSTD0, "Zstandard with a header": czi.ZSTD1}
TYPES = [("uint8", 0), ("uint16", 0), ("float32", 0), ("uint32", 0), ("float64", 0), ("uint8", 3), ("uint16", 3), ("uint8", 4)]


@pytest.mark.parametrize(
    ("compression", "dtype", "samples"),
    [
        (name, *kind)
        for name in COMPRESSIONS
        for kind in TYPES
        if name != "JPEG XR" or (kind[0][:4] == "uint" and kind[0] != "uint32" and kind[1] < 4)
    ],
)
def test_every_pixel_type_and_lossless_compression_gives_the_values_in_rgb_order(tmp_path: Path, compression: str, dtype: str, samples: int) -> None:
    shape = (20, 31, samples) if samples else (20, 31)
    planes = [noise(*shape, dtype=dtype, seed=z) for z in range(2)]
    write_czi(tmp_path / "a.czi", [Tile(plane, {"C": 0, "Z": z}, COMPRESSIONS[compression]) for z, plane in enumerate(planes)])
    with opened(tmp_path / "a.czi") as dataset:
        (image,) = dataset.images
        assert (image.dtype, image.kind, image.lossy) == (np.dtype(dtype), "rgb" if samples else "intensity", False)
        assert image.compression == (None if compression == "raw" else compression.partition(" with")[0])
        for z, plane in enumerate(planes):
            assert np.array_equal(pixels(image)[0, 0, z], plane.reshape(20, 31, -1))


@pytest.mark.parametrize("lossless", [True, False])
def test_a_jpeg_xr_is_lossy_only_if_it_is(tmp_path: Path, lossless: bool) -> None:
    plane = noise(40, 50)
    data = imagecodecs.jpegxr_encode(plane, level=1.0 if lossless else 0.8)
    write_czi(tmp_path / "a.czi", [Tile(plane, {"C": 0}, czi.JPEGXR, data=data)])
    with opened(tmp_path / "a.czi") as dataset:
        assert dataset.images[0].lossy is not lossless
        assert np.array_equal(pixels(dataset.images[0])[0, 0, 0, ..., 0], plane) is lossless


def test_pixels_that_zen_left_uncompressed_but_calls_jpeg_xr_are_read(tmp_path: Path) -> None:
    plane = noise(20, 30)
    write_czi(tmp_path / "a.czi", [Tile(plane, {"C": 0}, czi.JPEGXR, data=plane.tobytes())])
    with opened(tmp_path / "a.czi") as dataset:
        assert np.array_equal(pixels(dataset.images[0])[0, 0, 0, ..., 0], plane)
        assert not dataset.images[0].lossy


def test_a_jpeg_is_lossy_and_says_so(tmp_path: Path) -> None:
    write_czi(tmp_path / "a.czi", [Tile(noise(20, 30, dtype="uint8"), {"C": 0}, czi.JPEG)])
    with opened(tmp_path / "a.czi") as dataset:
        assert (dataset.images[0].lossy, dataset.images[0].compression) == (True, "JPEG")


def test_packed_camera_pixels_are_unpacked(tmp_path: Path) -> None:
    data = bytes([0xAB, 0xDE, 0xCF])
    write_czi(tmp_path / "a.czi", [Tile(np.zeros((1, 2), np.uint16), {"C": 0}, czi.CAMERA, data=data)])
    with opened(tmp_path / "a.czi") as dataset:
        assert pixels(dataset.images[0]).ravel().tolist() == [0xABC, 0xDEF]


def test_a_file_is_known_by_its_content_whatever_it_is_called(tmp_path: Path) -> None:
    write_czi(tmp_path / "dataset_1.dat", [Tile(noise(4, 5), {"C": 0})])
    with opened(tmp_path / "dataset_1.dat") as dataset:
        assert (dataset.format, dataset.images[0].name) == ("Zeiss CZI", "dataset_1")


def test_planes_lie_where_their_coordinates_say_in_whatever_order_they_are_stored(tmp_path: Path) -> None:
    planes = {(t, c, z): noise(4, 5, seed=100 * t + 10 * c + z) for t in range(3) for c in range(2) for z in range(4)}
    tiles = [Tile(plane, {"Z": z, "C": c, "T": t}) for (t, c, z), plane in planes.items()]
    order = np.random.default_rng(1).permutation(len(tiles))
    write_czi(tmp_path / "a.czi", [tiles[at] for at in order])
    with opened(tmp_path / "a.czi") as dataset:
        found = pixels(dataset.images[0])
        assert found.shape == (3, 2, 4, 4, 5, 1)
        assert dataset.images[0].axes == "TCZYX"
        assert all(np.array_equal(found[t, c, z, ..., 0], plane) for (t, c, z), plane in planes.items())


def test_time_points_that_do_not_start_at_zero_are_counted_in_their_order(tmp_path: Path) -> None:
    write_czi(tmp_path / "a.czi", [Tile(np.full((3, 3), t, np.uint16), {"C": 0, "T": t}) for t in (9, 5, 6)])
    with opened(tmp_path / "a.czi") as dataset:
        assert pixels(dataset.images[0])[:, 0, 0, 0, 0, 0].tolist() == [5, 6, 9]


def test_planes_that_were_never_acquired_are_black_and_told(tmp_path: Path) -> None:
    tiles = [Tile(noise(4, 5, seed=c + 2 * z), {"C": c, "Z": z}) for z in range(2) for c in range(2)]
    write_czi(tmp_path / "a.czi", tiles[:-1])
    with opened(tmp_path / "a.czi") as dataset:
        (image,) = dataset.images
        assert not pixels(image)[0, 1, 1].any()
        assert image.fill_value == 0
        assert "1 of 4 planes of a are not in the file; they are filled with 0 (1 of 2 of channel 1)." in image.warnings[0]


@pytest.mark.parametrize(
    ("letter", "kind", "called", "along"), [("H", "phase", None, "T"), ("I", "other", "illumination", "C"), ("R", "angle", "rotation", "Z")]
)
def test_phases_illuminations_and_rotations_are_folded_slowest_and_recorded(
    tmp_path: Path, letter: str, kind: str, called: str | None, along: str
) -> None:
    tiles = [
        Tile(np.full((2, 3), 100 * fold + 10 * t + 4 * z + c, np.uint16), {"C": c, "Z": z, "T": t, letter: fold})
        for fold in range(3)
        for t in range(2)
        for z in range(2)
        for c in range(2)
    ]
    write_czi(tmp_path / "a.czi", tiles)
    with opened(tmp_path / "a.czi") as dataset:
        (image,) = dataset.images
        (modulo,) = image.metadata.modulo
        assert (modulo.along, modulo.type, modulo.description, modulo.start, modulo.end, modulo.step) == (along, kind, called, 0, 4, 2)
        (told,) = image.warnings
        assert told.startswith(f"Its dimension '{called or kind}' of 3 was folded into {along} (of 6 in all)")
        axis = "TCZ".index(along)
        found = np.moveaxis(pixels(image)[..., 0, 0, 0], axis, 0)[:, 0, 0].tolist()
        step = {"T": 10, "C": 1, "Z": 4}[along]
        assert found == [100 * fold + step * inner for fold in range(3) for inner in range(2)]


def test_scenes_views_and_acquisition_blocks_are_series_of_their_own(tmp_path: Path) -> None:
    tiles = [Tile(np.full((2, 3), 10 * s + v, np.uint16), {"C": 0, "S": s, "V": v, "X": 1000 * s}) for s in range(2) for v in range(3)]
    write_czi(tmp_path / "a.czi", tiles)
    with opened(tmp_path / "a.czi") as dataset:
        assert [int(pixels(image).max()) for image in dataset.images] == [0, 1, 2, 10, 11, 12]
        assert dataset.images[4].name == "Scene #2 View #2"
        assert {tuple(image.shape) for image in dataset.images} == {(1, 1, 1, 2, 3, 1)}


def test_channels_of_another_pixel_type_are_a_series_of_their_own(tmp_path: Path) -> None:
    types = ("uint16", "uint8", "uint16")
    write_czi(tmp_path / "a.czi", [Tile(noise(4, 5, dtype=dtype, seed=c), {"C": c}) for c, dtype in enumerate(types)])
    with opened(tmp_path / "a.czi") as dataset:
        assert [(image.shape.c, str(image.dtype), image.name) for image in dataset.images] == [(2, "uint16", "Gray16"), (1, "uint8", "Gray8")]
        assert np.array_equal(pixels(dataset.images[0])[0, 1, 0, ..., 0], noise(4, 5, seed=2))


def test_several_colour_channels_stay_channels_of_three_samples(tmp_path: Path) -> None:
    write_czi(tmp_path / "a.czi", [Tile(noise(4, 5, 3, dtype="uint8", seed=c), {"C": c}) for c in range(2)])
    with opened(tmp_path / "a.czi") as dataset:
        (image,) = dataset.images
        assert tuple(image.shape) == (1, 2, 1, 4, 5, 3)
        assert np.array_equal(pixels(image)[0, 1, 0], noise(4, 5, 3, dtype="uint8", seed=1))


@pytest.mark.parametrize("compression", [czi.RAW, czi.ZSTD1])
def test_a_mosaic_is_put_together_from_its_corner_with_its_tiles_on_record(tmp_path: Path, compression: int) -> None:
    tiles, whole = mosaic(compression=compression)
    write_czi(tmp_path / "a.czi", tiles)
    with opened(tmp_path / "a.czi") as dataset:
        (image,) = dataset.images
        assert np.array_equal(pixels(image)[0, 0, 0, ..., 0], whole)
        assert image.metadata.tiles[4] == TilePosition(25, 18, 30, 20, 4)
        notes = dict(image.metadata.annotations[0].pairs)
        assert notes["unscanned area"] == "0"
        assert "later tiles" in notes["overlap"]


@pytest.mark.parametrize("way", ["as-stored", "fuse"])
def test_tiles_stored_in_another_order_overlap_as_stored_or_as_numbered(tmp_path: Path, way: str) -> None:
    tiles, whole = mosaic(reverse=True)
    write_czi(tmp_path / "a.czi", tiles)
    with opened(tmp_path / "a.czi", mosaic=way) as dataset:
        found = pixels(dataset.images[0])[0, 0, 0, ..., 0]
        assert np.array_equal(found, whole) is (way == "fuse")
        assert np.array_equal(found[:20, :25], whole[:20, :25]) is False or way == "fuse"


def test_tiles_can_be_had_one_by_one_without_the_pyramid(tmp_path: Path) -> None:
    tiles, _ = mosaic()
    reduced = Tile(noise(19, 40), {"C": 0, "S": 0, "X": -500, "Y": 70}, scale=2)
    write_czi(tmp_path / "a.czi", [*tiles, reduced])
    with opened(tmp_path / "a.czi", mosaic="tiles") as dataset:
        assert [image.name for image in dataset.images] == [f"tile {m}" for m in range(6)]
        for image, tile in zip(dataset.images, tiles, strict=True):
            assert np.array_equal(pixels(image)[0, 0, 0, ..., 0], tile.pixels)
            assert len(image.levels) == 1
            assert not image.metadata.tiles


def test_what_no_tile_covers_is_zero(tmp_path: Path) -> None:
    places = [(0, 0), (0, 60), (50, 0)]
    write_czi(tmp_path / "a.czi", [Tile(noise(20, 30, seed=m) + 1, {"C": 0, "M": m, "Y": y, "X": x}) for m, (y, x) in enumerate(places)])
    with opened(tmp_path / "a.czi") as dataset:
        found = pixels(dataset.images[0])[0, 0, 0, ..., 0]
        assert found.shape == (70, 90)
        assert int((found > 0).sum()) == 3 * 600


@pytest.mark.parametrize("factor", [2, 3])
def test_the_pyramid_of_the_file_is_offered_with_its_true_factors(tmp_path: Path, factor: int) -> None:
    reduced = noise(96 // factor, 192 // factor, seed=9)
    tiles = [Tile(noise(96, 96, seed=m), {"C": 0, "M": m, "X": 96 * m}) for m in range(2)]
    write_czi(tmp_path / "a.czi", [Tile(reduced, {"C": 0}, scale=factor), *tiles])
    with opened(tmp_path / "a.czi") as dataset:
        (image,) = dataset.images
        assert [level.factor for level in image.levels] == [(1.0, 1.0, 1.0), (1.0, factor, factor)]
        assert np.array_equal(pixels(image, 1)[0, 0, 0, ..., 0], reduced)
        assert len(image.metadata.tiles) == 2


def test_a_pyramid_with_holes_is_left_out_and_told(tmp_path: Path) -> None:
    tiles = [Tile(noise(96, 96, seed=m), {"C": 0, "M": m, "X": 96 * m}) for m in range(2)]
    write_czi(tmp_path / "a.czi", [*tiles, Tile(noise(48, 48), {"C": 0}, scale=2)])
    with opened(tmp_path / "a.czi") as dataset:
        assert len(dataset.images[0].levels) == 1
        assert any("incomplete" in warning for warning in dataset.images[0].warnings)


def test_label_and_overview_of_a_slide_come_last(tmp_path: Path) -> None:
    label = czi.czi_bytes([Tile(noise(12, 16, 3, dtype="uint8", seed=5), {"C": 0})])
    overview = czi.czi_bytes([Tile(noise(22, 36, 3, dtype="uint16", seed=6), {"C": 0})])
    write_czi(tmp_path / "a.czi", [Tile(noise(4, 5), {"C": 0})], "", {"SlidePreview": overview, "Label": label})
    with opened(tmp_path / "a.czi") as dataset:
        assert [(image.series, image.name) for image in dataset.images] == [(0, "a"), (1, "label image"), (2, "macro image")]
        assert np.array_equal(pixels(dataset.images[1])[0, 0, 0], noise(12, 16, 3, dtype="uint8", seed=5))


def test_a_damaged_label_costs_only_itself(tmp_path: Path) -> None:
    label = czi.czi_bytes([Tile(noise(12, 16, 3, dtype="uint8"), {"C": 0})])[:-200]
    write_czi(tmp_path / "a.czi", [Tile(noise(4, 5), {"C": 0})], "", {"Label": label})
    with opened(tmp_path / "a.czi") as dataset:
        assert len(dataset.images) == 1
        assert "label image" in dataset.warnings[0]


def parts(folder: Path) -> tuple[Path, Path]:
    """A set of two files, each with one time point."""
    first, second = (Tile(noise(4, 5, seed=t), {"C": 0, "T": t}, part=t) for t in range(2))
    write_czi(folder / "b.czi", [second], part=1)
    position = (folder / "b.czi").read_bytes().find(b"ZISRAWSUBBLOCK")
    write_czi(folder / "a.czi", [first], elsewhere=[(second, position)])
    return folder / "a.czi", folder / "b.czi"


@pytest.mark.parametrize("given", [0, 1])
def test_a_set_of_files_is_one_image_whichever_of_them_is_given(tmp_path: Path, given: int) -> None:
    paths = parts(tmp_path)
    with opened(paths[given], files=paths) as dataset:
        assert dataset.images[0].shape.t == 2
        assert np.array_equal(pixels(dataset.images[0])[1, 0, 0, ..., 0], noise(4, 5, seed=1))
        assert dataset.files == paths


@pytest.mark.parametrize("given", [0, 1])
def test_a_set_of_which_files_are_missing_is_refused(tmp_path: Path, given: int) -> None:
    with pytest.raises(UnreadableError, match="all files of the set"):
        opened(parts(tmp_path)[given])


def test_files_given_along_that_are_no_part_of_it_are_left_alone(tmp_path: Path) -> None:
    write_czi(tmp_path / "a.czi", [Tile(noise(4, 5), {"C": 0})])
    write_czi(tmp_path / "b.czi", [Tile(noise(4, 5, seed=1), {"C": 0, "T": 1})], part=1, primary=b"another identity")
    (tmp_path / "c.txt").write_text("a note")
    with opened(tmp_path / "a.czi", files=(tmp_path / "a.czi", tmp_path / "b.czi", tmp_path / "c.txt")) as dataset:
        assert dataset.files == (tmp_path / "a.czi",)


@pytest.mark.parametrize("compression", [czi.RAW, czi.ZSTD1])
def test_threads_read_parts_of_a_mosaic_like_the_whole(tmp_path: Path, compression: int) -> None:
    tiles, whole = mosaic(compression=compression)
    write_czi(tmp_path / "a.czi", tiles)
    boxes = [((y, min(y + 7, 38)), (x, min(x + 11, 80))) for y in range(0, 38, 7) for x in range(0, 80, 11)]
    with opened(tmp_path / "a.czi") as dataset, ThreadPoolExecutor(4) as pool:
        source = dataset.images[0].levels[0].pixels
        found = pool.map(lambda box: source.read(Region((0, 1), (0, 1), (0, 1), *box)), boxes * 4)
        for (y, x), part in zip(boxes * 4, found, strict=True):
            assert np.array_equal(part[0, 0, 0, ..., 0], whole[slice(*y), slice(*x)])


def test_a_region_outside_is_refused(tmp_path: Path) -> None:
    write_czi(tmp_path / "a.czi", [Tile(noise(4, 5), {"C": 0})])
    with opened(tmp_path / "a.czi") as dataset, pytest.raises(ValueError, match="outside"):
        dataset.images[0].levels[0].pixels.read(Region((0, 1), (0, 1), (0, 1), (0, 5), (0, 5)))


@pytest.mark.parametrize(
    ("tile", "match"),
    [
        (Tile(noise(4, 5), {"C": 0}, pixel_type=czi.COMPLEX), "complex"),
        (Tile(noise(4, 5), {"C": 0}, pixel_type=77), "type 77"),
        (Tile(noise(4, 5), {"C": 0}, compression=1234), "1234"),
        (Tile(noise(4, 5, dtype="uint8"), {"C": 0}, compression=czi.CAMERA), "camera"),
    ],
)
def test_pixels_of_a_kind_that_is_not_read_are_refused_by_name(tmp_path: Path, tile: Tile, match: str) -> None:
    write_czi(tmp_path / "a.czi", [tile])
    with pytest.raises(UnreadableError, match=match):
        opened(tmp_path / "a.czi")


def test_a_file_without_any_pixels_is_refused(tmp_path: Path) -> None:
    write_czi(tmp_path / "a.czi", [])
    with pytest.raises(UnreadableError, match="no pixels"):
        opened(tmp_path / "a.czi")


def test_tiles_a_world_apart_are_not_fused_but_can_be_had_as_tiles(tmp_path: Path) -> None:
    write_czi(tmp_path / "a.czi", [Tile(noise(4, 5), {"C": 0, "M": m, "X": m * 500_000, "Y": m * 500_000}) for m in range(2)])
    with pytest.raises(LimitError, match="--mosaic tiles"):
        opened(tmp_path / "a.czi")
    with opened(tmp_path / "a.czi", mosaic="tiles") as dataset:
        assert [tuple(image.shape) for image in dataset.images] == [(1, 1, 1, 4, 5, 1)] * 2


def test_real_files_are_read_and_their_directories_agree_with_their_subblocks(realfiles: Path) -> None:
    paths = sorted((realfiles / "czi").glob("*.czi"))
    assert paths
    for path in paths:
        with opened(path) as dataset:
            assert dataset.format == "Zeiss CZI"
            assert all(image.metadata.original for image in dataset.images)
            for image in dataset.images:
                source = image.levels[-1].pixels
                assert source.read(Region.plane(source.shape, 0, 0, 0)).any()
