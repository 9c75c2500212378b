"""Annotated copies of TIFFs that are legal and that nobody would write: nothing of theirs is overwritten."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest
import tifffile

from lightmicroscopy.metadata.changes import SeriesChanges
from lightmicroscopy.writers.tiff_resolution import rescale_resolution

from .annotations import PIXEL_SIZE, annotated, made
from .ome_tiff_files import PAGES, ome, sizes, written
from .test_annotate_tiff import converted, pages_of

CLASSIC = "<HHII"
EXIF, SOFTWARE, DESCRIPTION = 34665, 305, 270
OURS = b"lightmicroscopy 0.1.0\0"


def odd(path: Path, **options: object) -> Path:
    text = ome(f'{sizes(z=2)} PhysicalSizeX="1" PhysicalSizeY="1"', '<TiffData IFD="0" PlaneCount="2"/>')
    return written(path, PAGES[:2], text, **options)


def rewritten(path: Path, *, less: set[int], more: list[bytes], end: bytes) -> None:
    """Put the first directory behind the file's end, with some fields less and some more, and then `end`."""
    data = bytearray(path.read_bytes())
    with tifffile.TiffFile(path) as tiff:
        at, count = tiff.pages.first.offset, len(tiff.pages.first.tags)
    fields = [bytes(data[at + 2 + 12 * number : at + 14 + 12 * number]) for number in range(count)]
    fields = sorted([one for one in fields if struct.unpack_from("<H", one)[0] not in less] + more, key=lambda one: struct.unpack_from("<H", one)[0])
    following = bytes(data[at + 2 + 12 * count : at + 6 + 12 * count])
    data += bytes(len(data) % 2)
    struct.pack_into("<I", data, 4, len(data))
    path.write_bytes(bytes(data) + struct.pack("<H", len(fields)) + b"".join(fields) + following + end)


def test_a_resolution_that_lies_in_pixels_is_left_and_so_are_the_pixels(tmp_path: Path) -> None:
    source = odd(tmp_path / "shared.ome.tif", resolution=(10_000, 10_000), resolutionunit="CENTIMETER")
    data = bytearray(source.read_bytes())
    with tifffile.TiffFile(source) as tiff:
        strip = tiff.pages[1].dataoffsets[0]
        fields = [page.tags[code].offset for page in tiff.pages for code in (282, 283)]
    struct.pack_into("<II", data, strip, 10_000, 1)
    for field in fields:
        struct.pack_into("<I", data, field + 8, strip)
    source.write_bytes(data)
    assert pages_of(made(tmp_path / "out", source, changes=PIXEL_SIZE)) == pages_of(source)
    assert not rescale_resolution(source, (1, 1), (2, 2))


@pytest.mark.parametrize("inside", [0, 4])
def test_a_resolution_that_lies_in_a_directory_is_left(tmp_path: Path, inside: int) -> None:
    source = odd(tmp_path / "shared.ome.tif", resolution=(10_000, 10_000), resolutionunit="CENTIMETER")
    data = bytearray(source.read_bytes())
    with tifffile.TiffFile(source) as tiff:
        field, width = (tiff.pages[1].tags[code].offset for code in (282, 256))
    struct.pack_into("<I", data, field + 8, width + inside)
    source.write_bytes(data)
    assert not rescale_resolution(source, (1, 1), (2, 2))
    assert source.read_bytes() == data


def test_a_directory_that_another_program_put_behind_the_description_stays(tmp_path: Path) -> None:
    source = odd(tmp_path / "exif.ome.tif")
    with tifffile.TiffFile(source) as tiff:
        said = tiff.pages.first.description.encode() + b"\0"
        kept = sum(tag.code not in (DESCRIPTION, SOFTWARE) for tag in tiff.pages.first.tags)
    software = source.stat().st_size + source.stat().st_size % 2 + 2 + 12 * (kept + 3) + 4
    text = software + len(OURS)
    exif = text + len(said) + (text + len(said)) % 2
    taken = struct.pack("<H", 1) + struct.pack(CLASSIC, 36867, 2, 20, exif + 18) + bytes(4) + b"2020:01:01 00:00:00\0"
    more = [struct.pack(CLASSIC, DESCRIPTION, 2, len(said), text), struct.pack(CLASSIC, SOFTWARE, 2, len(OURS), software)]
    more.append(struct.pack(CLASSIC, EXIF, 4, 1, exif))
    end = OURS + said + bytes(exif - text - len(said)) + taken + b"more of it" * 400
    rewritten(source, less={DESCRIPTION, SOFTWARE}, more=more, end=end)
    copy = made(tmp_path / "out", source, changes=SeriesChanges(image_name="a longer name than it was"))
    with tifffile.TiffFile(copy) as tiff:
        assert tiff.pages.first.tags[SOFTWARE].value.encode() == OURS[:-1]
        assert tiff.pages.first.tags[EXIF].value["DateTimeOriginal"] == "2020:01:01 00:00:00"
    assert taken in copy.read_bytes()


def test_bytes_behind_a_description_at_the_end_stay(test_data: Path, tmp_path: Path) -> None:
    source = converted(test_data / "cells.ome.tiff", tmp_path / "source")
    at_end = made(tmp_path / "end", source, changes=SeriesChanges(description="x" * 50_000))
    at_end.write_bytes(at_end.read_bytes() + b"tail")
    assert b"tail" in made(tmp_path / "out", at_end, changes=SeriesChanges(description="short")).read_bytes()


def test_a_page_with_one_tag_twice_is_a_sentence(tmp_path: Path) -> None:
    source = odd(tmp_path / "twice.ome.tif")
    rewritten(source, less=set(), more=[struct.pack("<HHII", 256, 4, 1, 64)], end=b"")
    (outcome,) = annotated(tmp_path / "out", source, changes=PIXEL_SIZE)
    assert outcome.reason.startswith("twice.ome.tif is a damaged TIFF: page 0 has one of its tags twice.")
    assert not list((tmp_path / "out").glob("*"))
