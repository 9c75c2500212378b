"""A damaged TIFF whose pixels would be looked for in the wrong places, or not at all: told, never silently black or shifted."""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tifffile

from lightmicroscopy import readers
from lightmicroscopy.errors import UnreadableError
from lightmicroscopy.image import Dataset, Location

from .tiff_files import noise, pixels

OFFSETS, COUNTS = "StripOffsets", "StripByteCounts"
Change = Callable[[bytearray, tifffile.TiffPage], None]


def opened(path: Path) -> Dataset:
    return readers.open(Location(path))


def changed(path: Path, change: Change, **how: object) -> Path:
    """Write an image of 16 strips or more, and damage it."""
    tifffile.imwrite(path, noise((64, 40), "uint8"), **({"rowsperstrip": 4, "metadata": None} | how))
    data = bytearray(path.read_bytes())
    with tifffile.TiffFile(path) as parsed:
        change(data, parsed.pages.first)
    path.write_bytes(data)
    return path


def number(name: str, strip: int, value: int) -> Change:
    def change(data: bytearray, page: tifffile.TiffPage) -> None:
        tag = page.tags[name]
        size = tag.valuebytecount // tag.count
        data[tag.valueoffset + strip * size : tag.valueoffset + (strip + 1) * size] = value.to_bytes(size, "little")

    return change


def moved(by: int) -> Change:
    def change(data: bytearray, page: tifffile.TiffPage) -> None:
        number(OFFSETS, 5, page.dataoffsets[5] + by)(data, page)

    return change


def recoded(name: str, code: int | None = None, kind: int | None = None) -> Change:
    """Give a tag another number or type."""

    def change(data: bytearray, page: tifffile.TiffPage) -> None:
        tag = page.tags[name]
        if code is not None:
            struct.pack_into("<H", data, tag.offset, code)
        if kind is not None:
            struct.pack_into("<H", data, tag.offset + 2, kind)

    return change


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (number(OFFSETS, 5, 0), "strip or tile 5 of page 0 is at byte 0 and has 160 bytes"),
        (number(COUNTS, 5, 0), "strip or tile 5 of page 0 is at byte .* and has 0 bytes"),
        (moved(80), "strip 6 of page 0 lies partly in another one"),
        (moved(-80), "strip 5 of page 0 lies partly in another one"),
        (recoded("BitsPerSample", kind=0x103), "tag 258 of page 0 is no number"),
        (recoded("Compression", kind=2), "tag 259 of page 0 is no number"),
    ],
)
def test_strips_in_impossible_places_are_refused(change: Change, message: str, tmp_path: Path) -> None:
    with pytest.raises(UnreadableError, match=rf"a\.tif .*damaged.*{message}"):
        opened(changed(tmp_path / "a.tif", change))


@pytest.mark.parametrize("name", ["TileOffsets", "TileByteCounts"])
def test_a_compressed_tile_with_half_a_place_is_told(name: str, tmp_path: Path) -> None:
    path = changed(tmp_path / "a.tif", number(name, 3, 0), tile=(16, 16), compression="zlib", rowsperstrip=None)
    if name == "TileOffsets":
        with pytest.raises(UnreadableError, match="strip or tile 3 of page 0 is at byte 0"):
            opened(path)
        return
    with opened(path) as dataset:
        assert any("1 strips or tiles of page 0 of a.tif have a place but no bytes" in warning for warning in dataset.images[0].warnings)
        assert not pixels(dataset.images[0]).squeeze()[16:32, :16].any()


def test_compressed_strips_that_overlap_are_told(tmp_path: Path) -> None:
    path = changed(tmp_path / "a.tif", number(COUNTS, 5, 250), compression="lzw")
    with opened(path) as dataset:
        assert any("Strip or tile 6 of page 0 of a.tif lies partly in another one" in warning for warning in dataset.images[0].warnings)


@pytest.mark.parametrize(("strip", "said"), [(0, 0), (7, 7), (15, 15)])
def test_a_strip_away_from_its_neighbours_is_told(strip: int, said: int, tmp_path: Path) -> None:
    def change(data: bytearray, page: tifffile.TiffPage) -> None:
        number(OFFSETS, strip, len(data))(data, page)
        data += bytes(160)

    with opened(changed(tmp_path / "a.tif", change)) as dataset:
        assert any(f"Strip or tile {said} of page 0 of a.tif does not lie where its neighbours do" in text for text in dataset.images[0].warnings)


def test_strips_in_two_places_are_as_good_as_in_one(tmp_path: Path) -> None:
    def change(data: bytearray, page: tifffile.TiffPage) -> None:
        start, size = page.dataoffsets[8], sum(page.databytecounts[8:])
        data += bytes(10)
        for strip in range(8, 16):
            number(OFFSETS, strip, len(data) + 160 * (strip - 8))(data, page)
        data += data[start : start + size]

    with opened(changed(tmp_path / "a.tif", change)) as dataset:
        np.testing.assert_array_equal(pixels(dataset.images[0]).squeeze(), noise((64, 40), "uint8"))
        assert not any("damaged" in warning for warning in dataset.images[0].warnings)


def test_strips_that_share_their_bytes_are_no_damage(tmp_path: Path) -> None:
    def change(data: bytearray, page: tifffile.TiffPage) -> None:
        for strip in range(1, 16):
            number(OFFSETS, strip, page.dataoffsets[0])(data, page)

    with opened(changed(tmp_path / "a.tif", change)) as dataset:
        assert not any("damaged" in warning for warning in dataset.images[0].warnings)


def test_a_page_of_which_nothing_is_stored_is_told(tmp_path: Path) -> None:
    def change(data: bytearray, page: tifffile.TiffPage) -> None:
        for name in (OFFSETS, COUNTS):
            for strip in range(16):
                number(name, strip, 0)(data, page)

    with opened(changed(tmp_path / "a.tif", change)) as dataset:
        assert any("No pixels of page 0 of a.tif are stored" in warning for warning in dataset.images[0].warnings)


@pytest.mark.parametrize("compression", [None, "zlib"])
def test_a_page_that_lies_in_another_is_told(compression: str | None, tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, noise((3, 64, 40), "uint8"), photometric="minisblack", compression=compression, metadata=None)
    data = bytearray(path.read_bytes())
    with tifffile.TiffFile(path) as parsed:
        tag = parsed.pages[1].tags[OFFSETS]
        struct.pack_into("<I", data, tag.offset + 8, parsed.pages[2].dataoffsets[0] + 100)
        data += bytes(2560)
    path.write_bytes(data)
    with opened(path) as dataset:
        told = [warning for warning in dataset.images[0].warnings if "lie partly in those of another page" in warning]
        assert [warning.startswith("Pixels of page 1 of a.tif") for warning in told] == [True]


def test_tags_out_of_order_are_told(tmp_path: Path) -> None:
    with opened(changed(tmp_path / "a.tif", recoded("Predictor", code=2), compression="zlib", predictor=True)) as dataset:
        assert any("tags of page 0 of a.tif are not in their order" in warning for warning in dataset.images[0].warnings)


def test_tags_in_order_are_not_remarked_on(tmp_path: Path) -> None:
    with opened(changed(tmp_path / "a.tif", lambda *_: None, compression="zlib", predictor=True)) as dataset:
        assert not any("tags" in warning or "damaged" in warning for warning in dataset.images[0].warnings)


def test_an_imagej_stack_that_lost_a_size_is_told(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    tifffile.imwrite(path, noise((2, 3, 4, 30, 20)), imagej=True, metadata={"axes": "TZCYX"})
    path.write_bytes(path.read_bytes().replace(b"frames=", b"fra\x16es="))
    with opened(path) as dataset:
        assert any("speaks of 24 images, but of 12 planes" in warning for warning in dataset.warnings)


def test_an_ome_tiff_that_lost_its_bits_is_told(tmp_path: Path) -> None:
    path = tmp_path / "a.ome.tif"
    tifffile.imwrite(path, noise((64, 40), "uint8"), photometric="minisblack", metadata={"axes": "YX"})
    data = bytearray(path.read_bytes())
    with tifffile.TiffFile(path) as parsed:
        struct.pack_into("<H", data, parsed.pages.first.tags["BitsPerSample"].valueoffset, 1)
    path.write_bytes(data)
    with opened(path) as dataset:
        assert any("its pages have one bit per pixel" in text for text in (*dataset.warnings, *dataset.images[0].warnings))
