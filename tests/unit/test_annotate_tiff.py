"""Annotated copies of OME-TIFF: the pixels where they were, the description where there is room for it."""

from __future__ import annotations

import hashlib
import shutil
import struct
from pathlib import Path

import numpy as np
import pytest
import tifffile
from lxml import etree

from lightmicroscopy.convert import Request, convert
from lightmicroscopy.errors import UnreadableError
from lightmicroscopy.image import Location
from lightmicroscopy.metadata.changes import SeriesChanges
from lightmicroscopy.metadata.check import check
from lightmicroscopy.readers.files import RandomFile
from lightmicroscopy.readers.tiff_structure import Scanner
from lightmicroscopy.writers.tiff_description import write_described_copy

from ..needs import small_disk
from .annotations import MEDIUM, PIXEL_SIZE, PIXEL_SIZE_FIELDS, annotated, differences, document, everything, made
from .ome_tiff_files import NAMESPACE, PAGES, ome, sizes, written
from .test_read_ome_tiff_sets import UUIDS, full_set

OURS = ["big_endian.ome.tiff", "cells.ome.tiff", "float.ome.tiff", "pyramid.ome.tiff", "rgb.ome.tiff", "stack_copy.ome.tiff", "two_series.ome.tiff"]
LONG = "x" * 50_000


def description(path: Path) -> bytes:
    with tifffile.TiffFile(path) as tiff:
        return str(tiff.pages.first.tags[270].value).encode()


def sums(folder: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir() if path.is_file()}


def converted(source: Path, folder: Path) -> Path:
    with convert(Location(source), folder, Request("ome-tiff")).dataset:
        return next(folder.iterdir())


def pages_of(path: Path) -> list[bytes]:
    with tifffile.TiffFile(path) as tiff:
        return [page.asarray().tobytes() for page in tiff.pages for page in (page, *(page.pages or ()))]


@pytest.mark.parametrize("name", OURS)
def test_only_the_pixel_size_differs_where_only_it_was_to_be_set(test_data: Path, tmp_path: Path, name: str) -> None:
    copy = made(tmp_path / "out", test_data / name, changes=PIXEL_SIZE)
    assert differences(test_data / name, copy) <= PIXEL_SIZE_FIELDS
    assert document(copy).find("{*}Image/{*}Pixels").get("PhysicalSizeX") == "0.5"


@pytest.mark.parametrize("name", OURS)
def test_everything_is_set_and_nothing_else_differs(test_data: Path, tmp_path: Path, name: str) -> None:
    copy = made(tmp_path / "out", test_data / name)
    found = differences(test_data / name, copy)
    meant = ("name", "description", "pixel size", "time increment", "channel ", "objective ", *MEDIUM, "annotation openmicroscopy.org/mapr/organism")
    assert [what for what in found if not what.startswith(meant)] == []
    assert {"name", "pixel size x", "channel 0 name", "channel 0 emission (nm)", "objective 0 model"} <= found
    document(copy)


@pytest.mark.parametrize("name", OURS)
def test_the_same_sheet_a_second_time_gives_the_same_bytes(test_data: Path, tmp_path: Path, name: str) -> None:
    first = made(tmp_path / "first", test_data / name)
    (outcome, *_) = annotated(tmp_path / "second", first)
    assert (outcome.status, outcome.changed) == ("unchanged", ())
    assert (tmp_path / "second" / name).read_bytes() == first.read_bytes()


@pytest.mark.parametrize("names", [*([name] for name in OURS), ["multifile.companion.ome", *(f"multifile_z{z}.ome.tiff" for z in range(3))]])
def test_a_check_finds_no_error_that_was_not_there(test_data: Path, tmp_path: Path, names: list[str]) -> None:
    def errors(folder: Path) -> list[tuple[str, str]]:
        findings = check([folder / name for name in names]).findings
        return [(finding.rule, finding.message) for finding in findings if finding.severity == "error"]

    made(tmp_path, *(test_data / name for name in names))
    assert errors(tmp_path) == errors(test_data)


def resolutions(path: Path) -> list[tuple[float, ...]]:
    """Pixel size along x and y that TIFF's own fields give, of each page and its smaller levels, in micrometres."""
    with tifffile.TiffFile(path) as tiff:
        pages = [level for page in tiff.pages for level in (page, *(page.pages or ()))]
        return [tuple(1e4 * page.tags[code].value[1] / page.tags[code].value[0] for code in (282, 283)) for page in pages]


@pytest.mark.parametrize("big", [False, True])
@pytest.mark.parametrize("order", ["<", ">"])
def test_the_resolution_in_the_words_of_tiff_goes_along(tmp_path: Path, big: bool, order: str) -> None:
    source = tmp_path / "scan.ome.tif"
    text = ome(f'{sizes(z=2)} PhysicalSizeX="0.1" PhysicalSizeY="0.2"', '<TiffData IFD="0" PlaneCount="2"/>').encode()
    with tifffile.TiffWriter(source, bigtiff=big, byteorder=order) as tiff:
        options = {"metadata": None, "photometric": "minisblack", "resolutionunit": "CENTIMETER"}
        for number in range(2):
            tiff.write(PAGES[number], subifds=1, description=text if number == 0 else None, resolution=(1e5, 5e4), **options)
            tiff.write(PAGES[number][::2, ::2], subfiletype=1, resolution=(5e4, 2.5e4), **options)
    assert resolutions(source) == [pytest.approx((0.1, 0.2)), pytest.approx((0.2, 0.4))] * 2
    copy = made(tmp_path / "out", source, changes=PIXEL_SIZE)
    assert resolutions(copy) == [pytest.approx((0.5, 0.25)), pytest.approx((1, 0.5))] * 2
    assert pages_of(copy) == pages_of(source)


def test_a_resolution_that_never_was_the_pixel_size_stays(tmp_path: Path) -> None:
    text = ome(f'{sizes()} PhysicalSizeX="0.1" PhysicalSizeY="0.2"', '<TiffData IFD="0" PlaneCount="1"/>')
    source = written(tmp_path / "scan.ome.tif", PAGES[:1], text, resolution=(72, 72), resolutionunit="INCH")
    assert resolutions(made(tmp_path / "out", source, changes=PIXEL_SIZE)) == resolutions(source)


def test_series_of_different_pixel_sizes_keep_the_resolution_of_their_pages(tmp_path: Path, test_data: Path) -> None:
    source = test_data / "two_series.ome.tiff"
    copy = made(tmp_path, source, changes={0: PIXEL_SIZE})
    with tifffile.TiffFile(source) as before, tifffile.TiffFile(copy) as after:
        assert [page.tags.get(282) and page.tags[282].value for page in before.pages] == [
            page.tags.get(282) and page.tags[282].value for page in after.pages
        ]


def test_the_input_stays_as_it_was(test_data: Path, tmp_path: Path) -> None:
    source = Path(shutil.copy2(test_data / "cells.ome.tiff", tmp_path))
    before, modified = source.read_bytes(), source.stat().st_mtime_ns
    made(tmp_path / "out", source)
    assert (source.read_bytes(), source.stat().st_mtime_ns) == (before, modified)


def test_a_file_of_this_suite_takes_the_description_into_its_reserved_room(test_data: Path, tmp_path: Path) -> None:
    source = converted(test_data / "cells.ome.tiff", tmp_path / "source")
    copy = made(tmp_path / "out", source)
    assert copy.stat().st_size == source.stat().st_size
    with tifffile.TiffFile(copy) as tiff:
        assert tiff.pages.first.tags[270].valueoffset < 4096
    assert pages_of(copy) == pages_of(source)
    assert len(description(copy)) > len(description(source))


def test_what_the_room_cannot_hold_goes_to_the_end(test_data: Path, tmp_path: Path) -> None:
    source = converted(test_data / "cells.ome.tiff", tmp_path / "source")
    copy = made(tmp_path / "out", source, changes=SeriesChanges(description=LONG))
    with tifffile.TiffFile(copy) as tiff:
        assert tiff.pages.first.tags[270].valueoffset >= source.stat().st_size
    assert LONG.encode() in description(copy)
    assert pages_of(copy) == pages_of(source)
    # What was said before is not left in the middle of the file.
    assert copy.read_bytes().count(b"<OME") == 1


def test_a_description_at_the_end_is_replaced_there_and_may_shrink_again(test_data: Path, tmp_path: Path) -> None:
    source = test_data / "cells.ome.tiff"
    long = made(tmp_path / "long", source, changes=SeriesChanges(description=LONG))
    short = made(tmp_path / "short", long, changes=SeriesChanges(description="short"))
    assert short.stat().st_size < long.stat().st_size - 40_000
    assert pages_of(short) == pages_of(source)
    assert differences(source, short) == {"description"}


@pytest.mark.parametrize("big", [False, True])
@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("subifds", [0, 2])
def test_files_of_other_writers_of_every_kind(tmp_path: Path, big: bool, order: str, subifds: int) -> None:
    source = tmp_path / "scan.ome.tif"
    with tifffile.TiffWriter(source, bigtiff=big, byteorder=order) as tiff:
        for number in range(3):
            text = ome(sizes(z=3), '<TiffData IFD="0" PlaneCount="3"/>').encode() if number == 0 else None
            tiff.write(PAGES[number], subifds=subifds, description=text, metadata=None, photometric="minisblack", tile=(16, 16))
            for level in range(subifds):
                tiff.write(PAGES[number][:: 2 << level, :: 2 << level], subfiletype=1, metadata=None, photometric="minisblack")
    copy = made(tmp_path / "out", source)
    with tifffile.TiffFile(copy) as tiff:
        assert (tiff.is_bigtiff, tiff.byteorder) == (big, order)
        assert len(tiff.pages) == 3
    assert pages_of(copy) == pages_of(source)
    assert differences(source, copy) >= {"name", "pixel size x"}
    assert "pixels" not in differences(source, copy)
    document(copy)


def test_two_pages_that_share_one_description_do_not_get_the_new_one_in_its_place(tmp_path: Path) -> None:
    text, source = ome(sizes(z=2), '<TiffData IFD="0" PlaneCount="2"/>'), tmp_path / "shared.ome.tif"
    with tifffile.TiffWriter(source) as tiff:
        for number, said in enumerate((text, "the second page")):
            tiff.write(PAGES[number], description=said.encode(), metadata=None, photometric="minisblack")
    data = bytearray(source.read_bytes())
    with tifffile.TiffFile(source) as tiff:
        struct.pack_into("<HHII", data, tiff.pages[1].tags[270].offset, 270, 2, len(text) + 1, tiff.pages.first.tags[270].valueoffset)
    source.write_bytes(data)
    copy = made(tmp_path / "out", source, changes=PIXEL_SIZE)
    with tifffile.TiffFile(copy) as tiff:
        assert tiff.pages[1].tags[270].value == text
        assert "PhysicalSizeX" in tiff.pages.first.description


def test_a_classic_tiff_of_4_gb_says_that_it_has_no_room(tmp_path: Path) -> None:
    source = written(tmp_path / "large.ome.tif", PAGES[:1], ome(sizes(), '<TiffData IFD="0" PlaneCount="1"/>'))
    with source.open("r+b") as file:
        file.truncate(2**32 - 100)
    (outcome,) = annotated(tmp_path / "out", source)
    assert outcome.status == "failed"
    assert "ends at 4 GiB, and has no room left" in outcome.reason
    assert list((tmp_path / "out").iterdir()) == []


def test_a_bigtiff_beyond_4_gb_takes_it_at_its_end(tmp_path: Path) -> None:
    source = written(tmp_path / "large.ome.tif", PAGES[:1], ome(sizes(), '<TiffData IFD="0" PlaneCount="1"/>'), bigtiff=True)
    plan = _plan(source, 2**32 + 4096)
    assert plan == 2**32 + 4096


def _plan(source: Path, size: int) -> int:
    """Where the description of a file of that size would go, which need not be copied to know that."""
    from lightmicroscopy.writers.tiff_description import _Structure

    with source.open("r+b") as file:
        file.truncate(size)
    opened = RandomFile(source)
    try:
        return _Structure(opened).plan(10_000).at
    finally:
        opened.close()


def test_a_set_with_a_companion_file_stays_a_set(test_data: Path, tmp_path: Path) -> None:
    names = ["multifile.companion.ome", *(f"multifile_z{z}.ome.tiff" for z in range(3))]
    copy = made(tmp_path / "out", *(test_data / name for name in names))
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == sorted(names)
    assert "pixels" not in differences(test_data / names[0], copy)
    own = document(copy).get("UUID")
    before = etree.parse(test_data / names[0]).getroot().get("UUID")
    assert own != before
    for name in names[1:]:
        member = etree.fromstring(description(tmp_path / "out" / name))
        only = member.find("{*}BinaryOnly")
        assert (only.get("MetadataFile"), only.get("UUID")) == (names[0], own)
        assert before.encode() not in (tmp_path / "out" / name).read_bytes()


def test_every_file_of_a_set_that_has_all_metadata_gets_them(tmp_path: Path) -> None:
    paths = full_set(tmp_path / "set")
    made(tmp_path / "out", *paths)
    roots = [etree.fromstring(description(tmp_path / "out" / path.name)) for path in paths]
    uuids = [root.get("UUID") for root in roots]
    assert len(set(uuids)) == 3
    assert not set(uuids) & set(UUIDS)
    for root in roots:
        assert [item.text for item in root.iter("{*}UUID")] == uuids
        assert root.find("{*}Image/{*}Pixels").get("PhysicalSizeX") == "0.5"
    assert "pixels" not in differences(paths[0], tmp_path / "out" / paths[0].name)


def test_a_set_of_which_one_file_is_missing_is_not_written(tmp_path: Path) -> None:
    paths = full_set(tmp_path / "set")
    paths[1].unlink()
    (first, *_) = annotated(tmp_path / "out", paths[0], paths[2])
    assert first.status == "failed"
    assert "'scan_1.ome.tif' is not there" in first.reason
    assert list((tmp_path / "out").iterdir()) == []


def test_a_new_uuid_is_the_same_each_time(test_data: Path, tmp_path: Path) -> None:
    uuids = [document(made(tmp_path / folder, test_data / "two_series.ome.tiff")).get("UUID") for folder in ("one", "two")]
    assert uuids[0] == uuids[1] != document(test_data / "two_series.ome.tiff").get("UUID")


@pytest.mark.parametrize("year", ["2013-06", "2015-01"])
def test_metadata_of_an_older_schema_are_brought_to_that_of_2016(tmp_path: Path, year: str) -> None:
    text = ome(sizes(), '<TiffData IFD="0" PlaneCount="1"/>').replace("2016-06", year)
    source = written(tmp_path / "old.ome.tif", PAGES[:1], text)
    assert document(made(tmp_path / "out", source)).tag == "{http://www.openmicroscopy.org/Schemas/OME/2016-06}OME"


def test_what_the_schema_does_not_allow_is_taken_out_and_said(tmp_path: Path) -> None:
    text = ome(sizes(), '<TiffData IFD="0" PlaneCount="1"/>').replace("<Pixels ", '<Pixels Mood="good" ')
    source = written(tmp_path / "odd.ome.tif", PAGES[:1], text)
    (outcome,) = annotated(tmp_path / "out", source)
    assert (outcome.status, outcome.warnings) == ("done", ("Pixels Mood 'good' of the source is not allowed in OME-XML 2016-06 and was left out.",))
    document(tmp_path / "out" / "odd.ome.tif")


def test_what_stands_around_the_metadata_stays(tmp_path: Path) -> None:
    text = ome(sizes(), '<TiffData IFD="0" PlaneCount="1"/><!-- kept -->').replace("<OME", "<!-- Warning: do not edit --><OME", 1)
    source = written(tmp_path / "comment.ome.tif", PAGES[:1], text)
    after = description(made(tmp_path / "out", source, changes=PIXEL_SIZE)).decode()
    assert after.index("<!-- Warning: do not edit -->") < after.index("<OME")
    assert "<!-- kept -->" in after


@pytest.mark.parametrize("name", ["plain.tif", "imagej_stack.tif", "stack.czi", "grey16.png", "cells_01.ome.zarr.zip", "not_an_image.txt"])
def test_what_cannot_hold_metadata_is_a_sentence_and_costs_the_others_nothing(test_data: Path, tmp_path: Path, name: str) -> None:
    outcomes = annotated(tmp_path / "out", test_data / name, test_data / "cells.ome.tiff")
    reasons = {outcome.input: outcome.reason for outcome in outcomes}
    assert reasons["cells.ome.tiff"] == ""
    assert name in reasons[name]
    assert reasons[name].endswith((".", ")"))
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["cells.ome.tiff"]


def test_a_copy_that_is_there_already_is_not_overwritten(test_data: Path, tmp_path: Path) -> None:
    (tmp_path / "cells.ome.tiff").write_bytes(b"mine")
    (outcome,) = annotated(tmp_path, test_data / "cells.ome.tiff")
    assert "is already in the output folder and is not overwritten" in outcome.reason
    assert (tmp_path / "cells.ome.tiff").read_bytes() == b"mine"


def test_a_copy_is_not_written_over_its_own_input(test_data: Path, tmp_path: Path) -> None:
    source = Path(shutil.copy(test_data / "cells.ome.tiff", tmp_path))
    before = source.read_bytes()
    (outcome,) = annotated(tmp_path, source)
    assert outcome.status == "failed"
    assert source.read_bytes() == before


def test_a_full_disk_leaves_nothing_of_a_set(tmp_path: Path) -> None:
    paths = full_set(tmp_path / "set")
    with paths[2].open("r+b") as file:
        file.seek(2 << 20)
        file.write(b"end")
    with small_disk(tmp_path / "disk", "1m"):
        (outcome, *_) = annotated(tmp_path / "disk", *paths)
        assert outcome.status == "failed"
        assert "The disk is full" in outcome.reason
        assert list((tmp_path / "disk").iterdir()) == []


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (SeriesChanges(pixel_size_x_um=1e-320), "which cannot be; is it in another unit"),
        (SeriesChanges(pixel_size_x_um=-0.1), "pixel_size_x_um is -0.1, and must be above 0"),
        (SeriesChanges(pixel_size_x_um=float("nan")), "pixel_size_x_um is nan, which is no number"),
        (SeriesChanges(time_increment_s=float("inf")), "time_increment_s is inf, which is no number"),
        (SeriesChanges(pixel_size_z_um=1e13), "is it in another unit"),
        (everything(3), "it has 2 channels, and the sheet has values for 3"),
    ],
)
def test_a_value_no_image_has_is_refused_before_anything_is_written(test_data: Path, tmp_path: Path, changes: SeriesChanges, said: str) -> None:
    (outcome,) = annotated(tmp_path / "out", test_data / "cells.ome.tiff", changes=changes)
    assert said in outcome.reason
    assert outcome.reason.startswith("cells.ome.tiff, series 0 was not annotated: ")
    assert list((tmp_path / "out").iterdir()) == []


def test_a_series_without_a_row_is_left_as_it_is(test_data: Path, tmp_path: Path) -> None:
    one, two = annotated(tmp_path, test_data / "two_series.ome.tiff", changes={1: PIXEL_SIZE})
    assert (one.status, two.status) == ("unchanged", "done")
    assert "The sheet has no row for it" in one.reason
    assert differences(test_data / "two_series.ome.tiff", tmp_path / "two_series.ome.tiff") <= PIXEL_SIZE_FIELDS


def test_an_image_without_a_row_is_not_copied(test_data: Path, tmp_path: Path) -> None:
    (outcome,) = annotated(tmp_path, test_data / "cells.ome.tiff", changes={})
    assert (outcome.status, outcome.outputs) == ("failed", ())
    assert list(tmp_path.iterdir()) == []


def test_the_copy_says_what_was_set_and_from_which_sheet(test_data: Path, tmp_path: Path) -> None:
    root = document(made(tmp_path, test_data / "cells.ome.tiff", changes=SeriesChanges(pixel_size_x_um=0.5)))
    (note,) = [item for item in root.iter("{*}MapAnnotation") if item.get("Namespace") == "lightmicroscopy/annotated"]
    said = [(item.get("K"), item.text) for item in note.iter("{*}M")]
    assert ("Sheet", "sheet.xlsx") in said
    assert ("Changed", "pixel_size_x_um") in said
    assert ("Source", "cells.ome.tiff") in said


def test_a_description_that_is_hostile_is_refused(tmp_path: Path) -> None:
    text = f'<?xml version="1.0"?><!DOCTYPE OME [<!ENTITY a "b">]><OME {NAMESPACE}/>'
    source = written(tmp_path / "hostile.ome.tif", PAGES[:1], text)
    (outcome,) = annotated(tmp_path / "out", source)
    assert outcome.status == "failed"
    assert "document type" in outcome.reason


def test_a_tiff_without_a_description_cannot_get_one(tmp_path: Path) -> None:
    source = tmp_path / "bare.tif"
    tifffile.imwrite(source, np.zeros((8, 8), np.uint8), metadata=None)
    with pytest.raises(UnreadableError, match=r"bare\.tif has no description"):
        write_described_copy(source, tmp_path / "copy.tif", b"<OME/>")
    assert not (tmp_path / "copy.tif").exists()


def test_the_pages_of_a_copy_are_where_they_were(test_data: Path, tmp_path: Path) -> None:
    source = test_data / "pyramid.ome.tiff"
    copy = made(tmp_path, source, changes=SeriesChanges(description=LONG))
    files = [RandomFile(source), RandomFile(copy)]
    try:
        before, after = (Scanner(file).scan() for file in files)
    finally:
        for file in files:
            file.close()
    for one, other in zip(before, after, strict=True):
        assert np.array_equal(one.offsets, other.offsets)
        assert one.subifds == other.subifds


def test_no_input_of_the_test_data_was_written_to(test_data: Path, tmp_path: Path) -> None:
    before = sums(test_data)
    annotated(tmp_path / "out", *(path for path in test_data.iterdir() if path.name.endswith((".tiff", ".tif", ".zip", ".ome"))))
    assert sums(test_data) == before
