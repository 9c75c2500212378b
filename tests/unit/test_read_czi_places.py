"""Zeiss CZI whose subblocks are not each one tile of one plane in one place: stages that move, lines, molecules, blocks of time."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from lightmicroscopy import readers
from lightmicroscopy.errors import LimitError, UnreadableError
from lightmicroscopy.image import Location, Region

from .czi_files import LZW, RAW, ZSTD0, ZSTD1, Tile, czi_bytes, encode, noise, write_czi


def _wandering(*, tiles: int) -> list[Tile]:
    return [
        Tile(noise(6, 7, seed=10 * t + m), {"C": 0, "T": t, "X": 50 + 3 * t + 7 * m, "Y": 9 - 2 * t} | ({"M": m} if tiles > 1 else {}))
        for t in range(3)
        for m in range(tiles)
    ]


@pytest.mark.parametrize("tiles", [1, 2])
def test_planes_that_follow_the_stage_are_shown_one_on_another_or_in_their_places(tmp_path: Path, tiles: int) -> None:
    stored = _wandering(tiles=tiles)
    path = write_czi(tmp_path / "a.czi", stored)
    with readers.open(Location(path)) as dataset:
        (image,) = dataset.images
        assert (image.shape.y, image.shape.x) == ((6, 7) if tiles == 1 else (10, 20))
        assert any("in different places" in warning for warning in image.warnings)
        for t in range(3):
            plane = image.levels[0].pixels.read(Region.plane(image.shape, t, 0, 0))[0, 0, 0, ..., 0]
            assert np.array_equal(plane[:6, : 7 * tiles], np.hstack([tile.pixels for tile in stored[tiles * t : tiles * (t + 1)]]))
    with readers.open(Location(path, mosaic="fuse")) as dataset:
        (image,) = dataset.images
        assert (image.shape.y, image.shape.x) == (10, 13 + 7 * (tiles - 1))
        assert image.warnings == ()
        plane = image.levels[0].pixels.read(Region.plane(image.shape, 2, 0, 0))[0, 0, 0, ..., 0]
        assert np.array_equal(plane[:6, 6:13], stored[tiles * 2].pixels)
        assert not plane[6:].any()


def test_a_channel_that_lacks_the_first_tile_keeps_its_place(tmp_path: Path) -> None:
    tiles = [Tile(noise(6, 7, seed=2 * c + m), {"C": c, "M": m, "X": 7 * m}) for c in range(2) for m in range(2)]
    with readers.open(Location(write_czi(tmp_path / "a.czi", [tiles[0], tiles[1], tiles[3]]))) as dataset:
        (image,) = dataset.images
        plane = image.levels[0].pixels.read(Region.plane(image.shape, 0, 1, 0))[0, 0, 0, ..., 0]
    assert np.array_equal(plane[:, 7:], tiles[3].pixels)
    assert not plane[:, :7].any()


def test_time_that_goes_on_in_the_next_block_is_one_image(tmp_path: Path) -> None:
    tiles = [Tile(noise(6, 7, seed=t), {"C": 0, "T": t, "B": b}) for t, b in ((0, 0), (1, 0), (2, 1), (3, 1))]
    with readers.open(Location(write_czi(tmp_path / "a.czi", tiles))) as dataset:
        (image,) = dataset.images
        assert image.shape.t == 4
        assert np.array_equal(image.levels[0].pixels.read(Region.whole(image.shape))[:, 0, 0, ..., 0], np.stack([tile.pixels for tile in tiles]))
    # Where a block is cut short, it cannot be known whether time goes on.
    with readers.open(Location(write_czi(tmp_path / "b.czi", [*tiles[1:], Tile(noise(6, 7), {"C": 0, "T": 1, "B": 1})]))) as dataset:
        assert len(dataset.images) == 2


def test_localised_molecules_on_a_finer_grid_are_a_series_of_their_own_channel(tmp_path: Path) -> None:
    wide, fine = noise(6, 7), noise(60, 70, seed=1)
    tiles = [Tile(wide, {"C": 0}), Tile(fine, {"C": 1}, size=(6, 7))]
    with readers.open(Location(write_czi(tmp_path / "a.czi", tiles))) as dataset:
        assert [tuple(image.shape) for image in dataset.images] == [(1, 1, 1, 6, 7, 1), (1, 1, 1, 60, 70, 1)]
        assert [len(image.metadata.channels) for image in dataset.images] == [1, 1]
        assert all(not image.warnings for image in dataset.images)
        assert np.array_equal(dataset.images[1].levels[0].pixels.read(Region.plane(dataset.images[1].shape, 0, 0, 0))[0, 0, 0, ..., 0], fine)


def _scans(letter: str, compression: int = RAW, *, rows: int = 1, dtype: str = "uint16", samples: int = 0) -> tuple[list[Tile], NDArray[Any]]:
    """Two subblocks, of one channel each, that hold nine planes along a dimension; and these, C × planes × Y × X × S."""
    shape = (9, rows, 11, samples) if samples else (9, rows, 11)
    values = np.stack([noise(*shape, dtype=dtype, seed=c) for c in range(2)])
    tiles = []
    for c in range(2):
        column = Tile(values[c].reshape(9 * rows, *shape[2:]), compression=compression)
        tiles.append(Tile(values[c][0], {"C": c, "Z": 0, "T": 0}, compression, data=encode(column), extent={letter: 9}))
    return tiles, values.reshape(2, 9, rows, 11, samples or 1)


@pytest.mark.parametrize("compression", [RAW, ZSTD0, ZSTD1, LZW])
@pytest.mark.parametrize(("rows", "dtype", "samples"), [(1, "uint16", 0), (1, "uint8", 0), (4, "uint16", 0), (1, "uint8", 3)])
def test_lines_scanned_again_and_again_lie_in_one_subblock_and_are_a_plane_each(
    tmp_path: Path, compression: int, rows: int, dtype: str, samples: int
) -> None:
    for letter, order in (("T", (2, 1, 0, 3, 4, 5)), ("Z", (0, 1, 2, 3, 4, 5))):
        tiles, values = _scans(letter, compression, rows=rows, dtype=dtype, samples=samples)
        with readers.open(Location(write_czi(tmp_path / "a.czi", tiles))) as dataset:
            (image,) = dataset.images
            assert not image.warnings
            assert np.array_equal(image.levels[0].pixels.read(Region.whole(image.shape)), values[np.newaxis].transpose(order))


def test_a_subblock_that_claims_more_planes_than_it_has_room_for_holds_one(tmp_path: Path) -> None:
    pixels = noise(1, 11)
    path = write_czi(tmp_path / "a.czi", [Tile(pixels, {"C": 0, "T": 0}, extent={"T": 9})])
    with readers.open(Location(path)) as dataset:
        assert dataset.images[0].shape.t == 1
        assert np.array_equal(dataset.images[0].levels[0].pixels.read(Region.whole(dataset.images[0].shape)).reshape(1, 11), pixels)


def test_subblocks_of_several_planes_are_refused_where_they_make_no_sense(tmp_path: Path) -> None:
    tiles, _ = _scans("T")
    both = Tile(tiles[0].pixels, tiles[0].at, data=tiles[0].data, extent={"T": 3, "Z": 3})
    with pytest.raises(UnreadableError, match=r"several planes along (Z and T|T and Z) at once"):
        readers.open(Location(write_czi(tmp_path / "both.czi", [both])))
    with pytest.raises(LimitError, match="claims"):
        readers.open(Location(write_czi(tmp_path / "many.czi", [Tile(noise(1, 11), {"C": 0, "T": 0}, extent={"T": 1 << 30})])))
    data = bytearray(czi_bytes(tiles))
    # The directory comes last, and so does what it says of T.
    data[data.rfind(b"T\0\0\0") + 8] = 8
    (tmp_path / "other.czi").write_bytes(data)
    with pytest.raises(UnreadableError, match="contradict"):
        readers.open(Location(tmp_path / "other.czi"))
