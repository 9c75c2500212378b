"""Damaged, truncated and hostile Zeiss CZI: an error that says so, never a crash, a hang or other pixels in another shape."""

from __future__ import annotations

import os
import struct
import tracemalloc
import zlib
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest

from lightmicroscopy import readers
from lightmicroscopy.errors import LimitError, SuiteError, UnreadableError
from lightmicroscopy.image import Location, Region
from lightmicroscopy.readers import czi_listing, czi_series
from lightmicroscopy.readers.czi_container import CziFile
from lightmicroscopy.readers.czi_directory import Directory, joined
from lightmicroscopy.readers.czi_places import groups_of

from . import czi_files as czi
from .czi_files import Tile, czi_bytes, document, noise, stamps

HEADER, DIRECTORY, METADATA, ATTACHMENTS = 32, 84, 92, 104
"""Places of the header's contents and of the pointers in it."""

Planes = list[tuple[tuple[int, ...], int]]


def read(data: bytes, folder: Path) -> Planes:
    """Shape and CRC of every plane."""
    path = folder / "a.czi"
    path.write_bytes(data)
    found = []
    with readers.open(Location(path)) as dataset:
        for image in dataset.images:
            source = image.levels[0].pixels
            for number in range(source.shape.planes):
                t, rest = divmod(number, source.shape.c * source.shape.z)
                plane = source.read(Region.plane(source.shape, t, *divmod(rest, source.shape.z)))
                found.append((tuple(source.shape), zlib.crc32(plane.tobytes())))
    return found


def pointer(data: bytes, place: int) -> int:
    """Where a segment is."""
    return int(struct.unpack_from("<q", data, place)[0])


def changed(data: bytes, place: int, value: bytes) -> bytes:
    """The same with some bytes replaced."""
    return data[:place] + value + data[place + len(value) :]


@pytest.fixture(scope="module")
def whole() -> bytes:
    """A file with two scenes of two compressed tiles, a pyramid, XML and an attachment."""
    tiles = []
    for s in range(2):
        places = {"C": 0, "S": s}
        tiles += [Tile(noise(40, 40, seed=10 * s + m), {**places, "M": m, "X": 500 * s + 40 * m}, czi.ZSTD1) for m in range(2)]
        tiles.append(Tile(noise(20, 40, seed=s), {**places, "X": 500 * s}, scale=2))
    return czi_bytes(tiles, document("<Image><ComponentBitCount>12</ComponentBitCount></Image>"), {"TimeStamps": stamps(1.0)})


def test_a_file_cut_anywhere_is_refused(whole: bytes, tmp_path: Path) -> None:
    for end in range(0, len(whole) - 32, len(whole) // 40):
        with pytest.raises(UnreadableError):
            read(whole[:end], tmp_path)


def test_damage_to_headers_never_gives_another_shape(whole: bytes, tmp_path: Path) -> None:
    expected = read(whole, tmp_path)
    chance = np.random.default_rng(4)
    directory, metadata = pointer(whole, DIRECTORY), pointer(whole, METADATA)
    first = whole.find(b"ZISRAWSUBBLOCK")
    zones = [(0, 150), (directory, len(whole) - directory), (metadata, 300), (first, 200)]
    refused = 0
    for run in range(160):
        start, length = zones[run % len(zones)]
        place = min(start + int(chance.integers(length)), len(whole) - 1)
        try:
            found = read(changed(whole, place, bytes([int(chance.choice([0, 255, whole[place] ^ 1 << int(chance.integers(8))]))])), tmp_path)
        except SuiteError:
            refused += 1
        else:
            assert [shape for shape, _ in found] == [shape for shape, _ in expected], place
            assert found == expected, place
    assert refused > 40


def test_damage_to_compressed_pixels_is_seen_or_stays_within_its_tile(whole: bytes, tmp_path: Path) -> None:
    expected = read(whole, tmp_path)
    chance = np.random.default_rng(5)
    position = whole.find(b"ZISRAWSUBBLOCK")
    size = struct.unpack_from("<q", whole, position + 40)[0]
    for _ in range(40):
        place = position + 288 + int(chance.integers(size))
        try:
            found = read(changed(whole, place, bytes([whole[place] ^ 255])), tmp_path)
        except UnreadableError as error:
            assert "cannot be decoded" in str(error)
        else:
            assert found[1] == expected[1]


@pytest.mark.parametrize(
    ("place", "value", "match"),
    [
        (DIRECTORY, struct.pack("<q", 1 << 40), "truncated"),
        (DIRECTORY, struct.pack("<q", -5), "before the file"),
        (DIRECTORY, struct.pack("<q", 0), "directory"),
        (METADATA, struct.pack("<q", 32), "metadata"),
        (ATTACHMENTS, struct.pack("<q", 64), "attachments"),
    ],
)
def test_pointers_to_nowhere_are_refused(whole: bytes, tmp_path: Path, place: int, value: bytes, match: str) -> None:
    with pytest.raises(UnreadableError, match=match):
        read(changed(whole, place, value), tmp_path)


@pytest.mark.parametrize(("count", "match"), [(-1, "lists"), (1 << 30, "lists"), (5, "more than the 5"), (7, "not one|ends early")])
def test_a_directory_that_counts_wrongly_is_refused(whole: bytes, tmp_path: Path, count: int, match: str) -> None:
    with pytest.raises(UnreadableError, match=match):
        read(changed(whole, pointer(whole, DIRECTORY) + 32, struct.pack("<i", count)), tmp_path)


def test_metadata_of_an_unreasonable_size_are_refused(whole: bytes, tmp_path: Path) -> None:
    with pytest.raises(LimitError, match="metadata"):
        read(changed(whole, pointer(whole, METADATA) + 32, struct.pack("<i", 2**31 - 1)), tmp_path)


@pytest.mark.parametrize("at", [{"Z": 1 << 30}, {"C": -1}, {"T": 0, "H": 100_000_000}, {"Z": 60_000, "C": 60_000}])
def test_coordinates_that_no_image_has_are_refused_before_memory_is_taken(tmp_path: Path, at: dict[str, int]) -> None:
    with pytest.raises(UnreadableError, match="damaged"):
        read(czi_bytes([Tile(noise(4, 5), {"C": 0}), Tile(noise(4, 5), {"C": 0, **at})]), tmp_path)


@pytest.mark.parametrize("size", [(0, 5), (-4, 5), (4, 1 << 30)])
def test_impossible_sizes_are_refused(tmp_path: Path, size: tuple[int, int]) -> None:
    with pytest.raises(SuiteError):
        read(czi_bytes([Tile(noise(4, 5), {"C": 0}, size=size)]), tmp_path)


@pytest.mark.parametrize("compression", [czi.RAW, czi.ZSTD0, czi.ZSTD1, czi.LZW, czi.JPEGXR, czi.JPEG, czi.CAMERA])
@pytest.mark.parametrize("data", [b"", b"\0", b"\xff" * 40, b"II\xbc\x01" + bytes(30)])
def test_pixels_that_are_none_are_refused(tmp_path: Path, compression: int, data: bytes) -> None:
    with pytest.raises(UnreadableError):
        read(czi_bytes([Tile(np.zeros((20, 30), np.uint16), {"C": 0}, compression, data=data)]), tmp_path)


@pytest.mark.parametrize("compression", [czi.ZSTD0, czi.ZSTD1, czi.LZW, czi.JPEGXR])
def test_pixels_of_another_size_than_stated_are_refused(tmp_path: Path, compression: int) -> None:
    small = czi.encode(Tile(noise(10, 10), compression=compression))
    with pytest.raises(UnreadableError, match="cannot be decoded"):
        read(czi_bytes([Tile(np.zeros((20, 30), np.uint16), {"C": 0}, compression, data=small)]), tmp_path)


def test_of_a_picture_larger_than_its_tile_the_rest_is_left_out(tmp_path: Path) -> None:
    larger = noise(21, 31)
    data = czi.encode(Tile(larger, compression=czi.JPEGXR))
    ((_, found),) = read(czi_bytes([Tile(np.zeros((20, 30), np.uint16), {"C": 0}, czi.JPEGXR, data=data)]), tmp_path)
    ((_, expected),) = read(czi_bytes([Tile(larger[:20, :30], {"C": 0})]), tmp_path)
    assert found == expected


def test_where_no_subblock_agrees_with_the_directory_the_directory_is_right(tmp_path: Path) -> None:
    tiles = [Tile(noise(20, 30, seed=t), {"C": 0, "T": t, "M": 0}) for t in range(3)]
    data = bytearray(czi_bytes(tiles))
    expected = read(bytes(data), tmp_path)
    at = -1
    for tile in range(3):
        at = data.find(b"M\0\0\0", at + 1)
        data[at + 4] = 5 + tile
    path = tmp_path / "a.czi"
    path.write_bytes(data)
    with readers.open(Location(path)) as dataset:
        assert any("the directory was believed" in warning for warning in dataset.warnings)
    assert read(bytes(data), tmp_path) == expected


def test_a_tiny_subblock_that_claims_gigabytes_is_refused(tmp_path: Path) -> None:
    wide = np.broadcast_to(np.uint16(0), (20_000, 60_000))
    with pytest.raises((LimitError, UnreadableError), match=r"decoded at once|far too small"):
        path = tmp_path / "a.czi"
        path.write_bytes(czi_bytes([Tile(wide, {"C": 0}, czi.ZSTD0, data=bytes(60))]))
        with readers.open(Location(path)) as dataset:
            source = dataset.images[0].levels[0].pixels
            source.read(Region((0, 1), (0, 1), (0, 1), (0, 10), (0, 10)))


def test_an_uncompressed_subblock_that_is_too_short_is_refused_and_not_filled_with_its_neighbour(tmp_path: Path) -> None:
    tiles = [Tile(noise(20, 30), {"C": 0}, data=noise(10, 30).tobytes()), Tile(noise(20, 30), {"C": 1})]
    with pytest.raises(UnreadableError, match=r"holds 600 bytes where its pixels need 1,200"):
        read(czi_bytes(tiles), tmp_path)


def test_a_directory_and_a_subblock_that_contradict_each_other_are_refused(tmp_path: Path) -> None:
    data = czi_bytes([Tile(noise(20, 30), {"C": 0, "T": t}) for t in range(2)])
    entry = data.find(b"X\0\0\0", pointer(data, DIRECTORY))
    for offset in (4, 8, 16):
        with pytest.raises(UnreadableError, match=r"contradict|damaged"):
            read(changed(data, entry + offset, struct.pack("<i", 29)), tmp_path)


@pytest.mark.parametrize("size", [2, 12, 0xFFFF])
def test_pixels_moved_by_the_size_of_the_metadata_before_them_are_refused(tmp_path: Path, size: int) -> None:
    data = czi_bytes([Tile(noise(200, 300), {"C": 0, "T": t}) for t in range(2)])
    first = data.find(b"ZISRAWSUBBLOCK")
    with pytest.raises(UnreadableError, match="its parts are longer"):
        read(changed(data, first + 32, struct.pack("<i", size)), tmp_path)


def test_time_stamps_that_lie_about_their_number_are_left_out(tmp_path: Path) -> None:
    path = tmp_path / "a.czi"
    path.write_bytes(czi_bytes([Tile(noise(4, 5), {"C": 0})], "", {"TimeStamps": struct.pack("<ii", 8, 1 << 30)}))
    with readers.open(Location(path)) as dataset:
        assert dataset.images[0].metadata.planes == ()


def test_a_label_that_holds_itself_is_no_endless_loop(tmp_path: Path) -> None:
    inner = czi_bytes([Tile(noise(4, 5), {"C": 0})])
    for _ in range(5):
        inner = czi_bytes([Tile(noise(4, 5), {"C": 0})], "", {"Label": inner})
    assert len(read(inner, tmp_path)) == 2


def test_a_directory_that_claims_gigabytes_takes_no_memory(tmp_path: Path) -> None:
    data = czi_bytes([Tile(noise(4, 5), {"C": 0})])
    path = tmp_path / "a.czi"
    path.write_bytes(changed(data, pointer(data, DIRECTORY) + 16, struct.pack("<qq", 6 << 30, 6 << 30)))
    os.truncate(path, 200 << 20)
    tracemalloc.start()
    try:
        with readers.open(Location(path)) as dataset:
            assert len(dataset.images) == 1
        assert tracemalloc.get_traced_memory()[1] < 32 << 20
    finally:
        tracemalloc.stop()


def test_millions_of_attachments_are_a_limit(tmp_path: Path) -> None:
    data = czi_bytes([Tile(noise(4, 5), {"C": 0})], "", {"TimeStamps": stamps(1.0)})
    path = tmp_path / "a.czi"
    path.write_bytes(changed(data, pointer(data, ATTACHMENTS) + 32, struct.pack("<i", 1_500_000)))
    os.truncate(path, 200 << 20)
    with pytest.raises(LimitError, match="lists 1,500,000 attachments"):
        readers.open(Location(path))


def test_a_directory_read_in_pieces_is_the_same(whole: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = read(whole, tmp_path)
    monkeypatch.setattr(czi_listing, "_PIECE", czi_listing.ENTRY_HEAD + czi_listing.MAX_DIMENSIONS * czi_listing.DIMENSION)
    several = czi_bytes([Tile(noise(4, 5, seed=t), {"T": t, "C": 0} if t % 3 else {"T": t}) for t in range(40)])
    assert read(whole, tmp_path) == expected
    assert read(several, tmp_path) == [((40, 1, 1, 4, 5, 1), zlib.crc32(noise(4, 5, seed=t).tobytes())) for t in range(40)]


def test_a_directory_of_equal_tiles_takes_little_memory(tmp_path: Path) -> None:
    path = tmp_path / "a.czi"
    path.write_bytes(czi_bytes([Tile(noise(4, 5), {"C": 0, "M": m, "X": 5 * (m % 10), "Y": 4 * (m // 10)}) for m in range(100)]))
    file = CziFile(path)
    directory = joined([file.directory({0: 0})])
    file.close()
    columns = [getattr(directory, field.name) for field in fields(directory)]
    flat = [column for each in columns for column in (each.values() if isinstance(each, dict) else [each])]
    assert sum(column.nbytes for column in flat if column.strides != (0,)) == 4 * 8 * len(directory)
    assert directory.row(99).spans == {"X": (45, 5, 5), "Y": (36, 4, 4), "C": (0, 0, 0), "M": (99, 0, 0)}


def test_the_whole_directory_is_not_gone_over_for_each_series(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows: list[int] = []
    ratios = czi_series._ratios

    def counted(directory: Directory) -> np.ndarray:
        rows.append(len(directory))
        return ratios(directory)

    monkeypatch.setattr(czi_series, "_ratios", counted)
    path = tmp_path / "a.czi"
    path.write_bytes(czi_bytes([Tile(noise(4, 5), {"C": s % 2, "S": s, "X": 5 * s}) for s in range(50)]))
    with readers.open(Location(path)) as dataset:
        assert len(dataset.images) == 50
    assert rows == [50]


def test_rows_are_grouped_by_their_values_in_order() -> None:
    columns = np.random.default_rng(5).integers(-2, 3, (4, 500))
    columns[2] = 7
    unique, inverse = np.unique(columns.T, axis=0, return_inverse=True)
    expected = [np.flatnonzero(inverse.reshape(-1) == number).tolist() for number in range(len(unique))]
    assert [rows.tolist() for rows in groups_of(list(columns))] == expected
    assert [rows.tolist() for rows in groups_of([np.zeros(3, np.int64)])] == [[0, 1, 2]]
