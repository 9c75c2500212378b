"""Leica images read plane by plane as numpy lays out their memory, whatever the order of their dimensions."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from lightmicroscopy import readers
from lightmicroscopy.convert import Request, convert
from lightmicroscopy.image import Dataset, Image, Location, Region, TilePosition

from .lif_files import Made, lof, write_lif, write_project

X, Y, Z, T, EMISSION, ROTATION, EXCITATION, TILE, LOOP = 1, 2, 3, 4, 5, 6, 9, 10, 11
XY = [(X, 8), (Y, 6)]
TILES = (
    '<Attachment Name="TileScanInfo" FlipX="{x}" FlipY="{y}" SwapXY="{swap}"><Tile FieldX="0" FieldY="0" PosX="0.001" PosY="0.002"/>'
    '<Tile FieldX="1" FieldY="0" PosX="0.001005" PosY="0.002"/><Tile FieldX="0" FieldY="1" PosX="0.001" PosY="0.002004"/></Attachment>'
)
LENGTHS = {X: 7e-6, Y: 5e-6}
"""Pixels of one micrometre."""


def opened(path: Path, **options: Any) -> Dataset:
    return readers.open(Location(path, (path,), **options))


def pixels(image: Image) -> NDArray[Any]:
    source = image.levels[0].pixels
    return source.read(Region.whole(source.shape))


def memory(made: Made) -> NDArray[Any]:
    """The memory by numpy: axes are the dimensions in reverse, channels before those of a plane, samples last."""
    sizes = [size for _, size in made.dims]
    planes = len(made.luts) // made.samples
    rows = made.values().reshape(-1, sizes[0] * made.samples * made.itemsize + made.padding)
    values = np.ascontiguousarray(rows[:, : sizes[0] * made.samples * made.itemsize]).view(np.dtype(made.dtype).newbyteorder("<"))
    return values.reshape(*sizes[:1:-1], planes, sizes[1], sizes[0], made.samples)


def expected(made: Made, order: str) -> NDArray[Any]:
    """The planes as T C Z Y X S, where `order` names each dimension beyond the first two, the fastest first."""
    array = memory(made)
    names = [*reversed(order), "c", "y", "x", "s"]
    outer = [[index for index, name in enumerate(names) if name == axis] for axis in "tczyxs"]
    shape = [int(np.prod([array.shape[index] for index in indices], dtype=int)) for indices in outer]
    return array.transpose([index for indices in outer for index in indices]).reshape(shape)


CASES: list[tuple[Sequence[tuple[int, int]], str, str]] = [
    ([*XY], "", "YX"),
    ([*XY, (Z, 3)], "z", "ZYX"),
    ([*XY, (Z, 3), (T, 2)], "zt", "TZYX"),
    ([*XY, (T, 2), (Z, 3)], "tz", "ZTYX"),
    ([*XY, (EMISSION, 4)], "t", "EYX"),
    ([*XY, (Z, 3), (EMISSION, 4), (T, 2)], "ztt", "TEZYX"),
    ([*XY, (EMISSION, 4), (Z, 3)], "tz", "ZEYX"),
    ([*XY, (EXCITATION, 3), (EMISSION, 4)], "tt", "EEYX"),
    ([*XY, (Z, 2), (ROTATION, 4)], "zt", "AZYX"),
    ([*XY, (T, 2), (LOOP, 3)], "tt", "LTYX"),
    ([(X, 8), (Z, 6)], "", "ZX"),
    ([(X, 8), (Z, 6), (T, 3)], "t", "TZX"),
    ([(X, 8), (Z, 6), (Y, 3)], "z", "YZX"),
    ([(X, 8), (Z, 6), (T, 2), (Y, 3)], "tz", "YTZX"),
    ([(X, 8), (Z, 6), (EMISSION, 3)], "z", "EZX"),
    ([(X, 8), (T, 6)], "", "TX"),
    ([(X, 8), (T, 6), (Z, 3)], "z", "ZTX"),
]


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize(("dims", "order", "axes"), CASES, ids=[axes for _, _, axes in CASES])
def test_every_plane_is_where_numpy_says(tmp_path: Path, dims: Sequence[tuple[int, int]], order: str, axes: str, channels: int) -> None:
    made = Made("scan", dims, luts=("Red", "Green")[:channels], dtype="uint16")
    with opened(write_lif(tmp_path / "a.lif", made)) as dataset:
        (image,) = dataset.images
        assert image.axes == (axes if channels == 1 else f"{axes[:-2]}C{axes[-2:]}")
        assert np.array_equal(pixels(image), expected(made, order))


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "uint32", "float16", "float32", "float64"])
def test_every_type_of_pixel_is_read_as_it_was_written(tmp_path: Path, dtype: str) -> None:
    made = Made("a", [*XY, (Z, 2)], dtype=dtype)
    with opened(write_lif(tmp_path / "a.lif", made)) as dataset:
        (image,) = dataset.images
        assert image.dtype == np.dtype(dtype)
        assert pixels(image).tobytes() == expected(made, "z").tobytes()


def test_twelve_of_sixteen_bits_are_said_to_be_significant(tmp_path: Path) -> None:
    with opened(write_lif(tmp_path / "a.lif", Made("a", XY, dtype="uint16", bits=12))) as dataset:
        assert dataset.images[0].significant_bits == 12


@pytest.mark.parametrize(("tags", "luts"), [((3, 2, 1), ("",) * 3), ((0, 0, 0), ("Blue", "Green", "Red")), ((0, 0, 0), ("Gray",) * 3)])
def test_samples_that_lie_blue_green_red_are_read_red_green_blue(tmp_path: Path, tags: tuple[int, ...], luts: tuple[str, ...]) -> None:
    made = Made("rgb", [*XY, (T, 2)], luts=luts, samples=3, tags=tags)
    with opened(write_lif(tmp_path / "a.lif", made)) as dataset:
        (image,) = dataset.images
        assert (image.kind, image.axes) == ("rgb", "TYXS")
        assert np.array_equal(pixels(image), expected(made, "t")[..., ::-1])


def test_samples_that_the_file_calls_red_green_blue_keep_their_order(tmp_path: Path) -> None:
    made = Made("rgb", XY, luts=("Red", "Green", "Blue"), samples=3, tags=(1, 2, 3), dtype="uint16")
    with opened(write_lif(tmp_path / "a.lif", made)) as dataset:
        assert np.array_equal(pixels(dataset.images[0]), expected(made, ""))


@pytest.mark.parametrize(
    "made", [Made("a", [(X, 7), (Y, 6), (Z, 2)], padding=1), Made("a", [(X, 7), (Y, 6), (Z, 2)], luts=("",) * 3, samples=3, padding=3)]
)
def test_bytes_that_fill_up_a_row_are_no_pixels(tmp_path: Path, made: Made) -> None:
    with opened(write_lif(tmp_path / "a.lif", made)) as dataset:
        found = pixels(dataset.images[0])
        assert np.array_equal(found, expected(made, "z")[..., ::-1])
        assert not dataset.images[0].warnings


@pytest.mark.parametrize("dims", [[(X, 70), (Y, 60), (Z, 3), (T, 2)], [(X, 70), (Z, 60), (T, 2), (Y, 3)]])
@pytest.mark.parametrize("samples", [1, 3])
def test_any_box_is_the_same_box_of_the_whole(tmp_path: Path, dims: list[tuple[int, int]], samples: int) -> None:
    made = Made("a", dims, luts=("",) * 3, samples=samples, padding=2 * samples, dtype="uint16")
    with opened(write_lif(tmp_path / "a.lif", made)) as dataset:
        source = dataset.images[0].levels[0].pixels
        whole = pixels(dataset.images[0])
        for y, x in (((0, 60), (0, 70)), ((7, 8), (0, 70)), ((3, 59), (69, 70)), ((0, 60), (1, 3)), ((11, 30), (20, 61))):
            box = Region((1, 2), (0, source.shape.c), (1, 3), y, x)
            assert np.array_equal(source.read(box), whole[1:2, :, 1:3, y[0] : y[1], x[0] : x[1]])
        for wrong in ((0, 61), (5, 5), (-1, 3)):
            with pytest.raises(ValueError, match="lies outside"):
                source.read(Region((0, 1), (0, 1), (0, 1), wrong, (0, 70)))


def test_the_first_version_of_the_format_has_shorter_numbers(tmp_path: Path) -> None:
    first, second = Made("a", XY), Made("b", [*XY, (Z, 3)])
    with opened(write_lif(tmp_path / "old.lif", first, second, version=1)) as dataset:
        assert [
            np.array_equal(pixels(image), expected(made, order))
            for image, made, order in zip(dataset.images, (first, second), ("", "z"), strict=True)
        ] == [True, True]


def test_images_of_one_name_in_two_folders_are_told_apart(tmp_path: Path) -> None:
    made = [Made("Søyle 1", XY, folder="Prøve/1"), Made("Søyle 1", XY, folder="Prøve 2", memory="other"), Made("Søyle 1", XY, memory="third")]
    path = write_lif(tmp_path / "a.lif", *made)
    with opened(path) as dataset:
        assert [image.name for image in dataset.images] == ["Prøve/1/Søyle 1", "Prøve 2/Søyle 1", "Søyle 1"]
        assert [image.series for image in dataset.images] == [0, 1, 2]


def test_two_images_of_one_name_in_one_folder_are_both_there(tmp_path: Path) -> None:
    first, second = Made("a", XY), Made("a", [(X, 5), (Y, 4)], memory="other")
    with opened(write_lif(tmp_path / "a.lif", first, second)) as dataset:
        assert [tuple(image.shape) for image in dataset.images] == [(1, 1, 1, 6, 8, 1), (1, 1, 1, 4, 5, 1)]


def test_blocks_are_found_by_their_names_not_by_their_order(tmp_path: Path) -> None:
    from .lif_files import block, header, text_part

    first, second = Made("a", XY), Made("b", XY)
    path = tmp_path / "a.lif"
    blocks = [block(made.memory_id, made.values().tobytes()) for made in (second, first)]
    path.write_bytes(text_part(header([first, second])) + b"".join(blocks))
    with opened(path) as dataset:
        assert [np.array_equal(pixels(image), expected(made, "")) for image, made in zip(dataset.images, (first, second), strict=True)] == [
            True,
            True,
        ]


def test_a_file_called_dat_is_recognised(tmp_path: Path) -> None:
    with opened(write_lif(tmp_path / "dataset_1.dat", Made("a", XY))) as dataset:
        assert dataset.format == "Leica LIF"


def test_zeros_after_the_last_block_are_nothing(tmp_path: Path) -> None:
    path = write_lif(tmp_path / "a.lif", Made("a", XY))
    path.write_bytes(path.read_bytes() + bytes(1000))
    with opened(path) as dataset:
        assert (len(dataset.images), dataset.warnings) == (1, ())


def test_a_lof_holds_one_image(tmp_path: Path) -> None:
    made = Made("a", [*XY, (Z, 3)], luts=("Red", "Green"))
    path = tmp_path / "a.lof"
    path.write_bytes(lof(made))
    with opened(path) as dataset:
        assert (dataset.format, dataset.images[0].name) == ("Leica LOF", "a")
        assert np.array_equal(pixels(dataset.images[0]), expected(made, "z"))


SCAN = Made("scan", [*XY, (Z, 3), (TILE, 3), (T, 2)], luts=("Red", "Green"), extra=TILES.format(x=0, y=0, swap=0), lengths=LENGTHS)


@pytest.mark.parametrize("mosaic", ["as-stored", "tiles"])
def test_each_position_of_a_tile_scan_is_a_series(tmp_path: Path, mosaic: str) -> None:
    with opened(write_lif(tmp_path / "a.lif", SCAN, Made("after", XY)), mosaic=mosaic) as dataset:
        assert [(image.name, image.series) for image in dataset.images] == [("scan", 0), ("scan", 1), ("scan", 2), ("after", 3)]
        whole = memory(SCAN)
        for tile in range(3):
            assert np.array_equal(pixels(dataset.images[tile]), whole[:, tile].swapaxes(1, 2))


def test_a_fused_tile_scan_has_the_later_tile_on_top_and_zero_where_there_is_none(tmp_path: Path) -> None:
    with opened(write_lif(tmp_path / "a.lif", SCAN), mosaic="fuse") as dataset:
        (image,) = dataset.images
        assert image.metadata.tiles == (TilePosition(0, 0, 8, 6, 0), TilePosition(5, 0, 8, 6, 1), TilePosition(0, 4, 8, 6, 2))
        parts = memory(SCAN)
        whole = np.zeros((2, 2, 3, 10, 13, 1), "uint8")
        for tile, (x, y) in enumerate(((0, 0), (5, 0), (0, 4))):
            whole[:, :, :, y : y + 6, x : x + 8] = parts[:, tile].swapaxes(1, 2)
        assert np.array_equal(pixels(image), whole)
        source = image.levels[0].pixels
        assert np.array_equal(source.read(Region((1, 2), (0, 2), (0, 1), (3, 9), (2, 13))), whole[1:2, :, :1, 3:9, 2:13])


@pytest.mark.parametrize(
    ("turned", "places"), [((1, 0, 0), [(5, 0), (0, 0), (5, 4)]), ((0, 1, 0), [(0, 4), (5, 4), (0, 0)]), ((0, 0, 1), [(0, 0), (0, 5), (4, 0)])]
)
def test_a_turned_stage_turns_the_places_of_the_tiles(tmp_path: Path, turned: tuple[int, int, int], places: list[tuple[int, int]]) -> None:
    made = Made("scan", [*XY, (TILE, 3)], extra=TILES.format(x=turned[0], y=turned[1], swap=turned[2]), lengths=LENGTHS)
    with opened(write_lif(tmp_path / "a.lif", made), mosaic="fuse") as dataset:
        assert [(tile.x, tile.y) for tile in dataset.images[0].metadata.tiles] == places


def test_tiles_without_places_stay_apart_and_it_is_said(tmp_path: Path) -> None:
    with opened(write_lif(tmp_path / "a.lif", Made("scan", [*XY, (TILE, 3)])), mosaic="fuse") as dataset:
        assert len(dataset.images) == 3
        assert any("does not say where its tiles lie" in warning for warning in dataset.images[0].warnings)


@pytest.mark.parametrize("kind", ["lof", "tif"])
def test_a_project_is_read_from_the_files_it_names(tmp_path: Path, kind: str) -> None:
    first, second = Made("a", [*XY, (Z, 3), (T, 2)], luts=("Red", "Green")), Made("b", [(X, 8), (Y, 8)], dtype="uint16")
    path = write_project(tmp_path / "project", first, second, kind=kind)
    with opened(path) as dataset:
        assert (dataset.format, [image.name for image in dataset.images]) == ("Leica XLEF", ["a", "b"])
        assert np.array_equal(pixels(dataset.images[0]), expected(first, "zt"))
        assert np.array_equal(pixels(dataset.images[1]), expected(second, ""))
        assert len(dataset.files) == (5 if kind == "lof" else 16)
    with opened(path.parent / "Metadata" / "a.xlif") as dataset:
        assert (dataset.format, len(dataset.images)) == ("Leica XLIF", 1)
        assert np.array_equal(pixels(dataset.images[0]), expected(first, "zt"))


def test_a_project_whose_files_lie_side_by_side_is_read_from_those_given(tmp_path: Path) -> None:
    made = Made("a", [*XY, (Z, 3)])
    path = write_project(tmp_path / "project", made, kind="tif")
    staged = tmp_path / "staged"
    staged.mkdir()
    files = [staged / each.name.upper() for each in sorted(path.parent.rglob("*")) if each.is_file()]
    for source, copy in zip((each for each in sorted(path.parent.rglob("*")) if each.is_file()), files, strict=True):
        copy.write_bytes(source.read_bytes())
    with readers.open(Location(staged / "PROJECT.XLEF", tuple(files))) as dataset:
        assert np.array_equal(pixels(dataset.images[0]), expected(made, "z"))


def test_pictures_of_a_project_are_red_green_blue(tmp_path: Path) -> None:
    made = Made("rgb", XY, luts=("Blue", "Green", "Red"), samples=3, tags=(3, 2, 1))
    with opened(write_project(tmp_path / "project", made, kind="tif")) as dataset:
        assert np.array_equal(pixels(dataset.images[0]), expected(made, ""))


def test_all_of_it_becomes_ome_zarr(tmp_path: Path) -> None:
    made = [Made("a", [*XY, (EMISSION, 4), (T, 2)]), Made("rgb", XY, luts=("",) * 3, samples=3), SCAN]
    done = convert(Location(write_lif(tmp_path / "a.lif", *made)), tmp_path / "out", Request("ome-zarr"))
    with done.dataset:
        assert [outcome.reason for outcome in done.outcomes if outcome.path is None] == []
    with readers.open(Location(done.paths[0])) as copy:
        assert len(copy.images) == 5
        assert np.array_equal(pixels(copy.images[0])[..., 0], expected(made[0], "tt")[..., 0])
