"""Copies compared with their original: which series belongs to which, what is the same, and what is not."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile

from lightmicroscopy import readers
from lightmicroscopy.compare import Comparison, compare
from lightmicroscopy.compare_fields import described, described_alike, same, shown
from lightmicroscopy.convert import Request, convert
from lightmicroscopy.errors import UnreadableError
from lightmicroscopy.image import (
    Channel,
    Detector,
    Image,
    ImageMetadata,
    Instrument,
    LightSource,
    Location,
    MapAnnotation,
    Modulo,
    Plane,
    Quantity,
    Roi,
    RoiShape,
)

from .memory_image import memory_image

SOURCES = [
    "big_endian.ome.tiff",
    "cells.ome.tiff",
    "cells_04.ome.zarr.zip",
    "cells_05.ome.zarr.zip",
    "confocal.lsm",
    "float.ome.tiff",
    "grey16.png",
    "imagej_stack.tif",
    "photo.jpg",
    "plain.tif",
    "plate_04.ome.zarr.zip",
    "pyramid.ome.tiff",
    "two_series.ome.tiff",
    "white_is_zero.tif",
]


def converted(source: Path, folder: Path, format_: Any = "ome-tiff", *members: Path, **request: Any) -> list[Path]:
    made = convert(Location(source, (source, *members)), folder, Request(format_, **request))
    made.dataset.close()
    return list(made.paths)


def different(comparison: Comparison) -> list[tuple[str, str, str, str]]:
    return [(row.what, row.original_value, row.copy_value, row.equal) for row in comparison.rows if row.differs]


def edited(path: Path, target: Path, *, pixel: bool = False, text: tuple[str, str] = ("", "")) -> Path:
    """Write an OME-TIFF once more, with one pixel or one piece of its metadata changed."""
    with tifffile.TiffFile(path) as tiff:
        pages = np.stack([page.asarray() for page in tiff.pages])
        description = str(tiff.pages[0].description)
    if pixel:
        pages[-1, 3, 5] += 1
    assert text[0] in description
    changed = description.replace(*text).encode("ascii", "xmlcharrefreplace")
    tifffile.imwrite(target, pages, description=changed, metadata=None, photometric="minisblack")
    return target


@pytest.mark.parametrize("format_", ["ome-tiff", "ome-zarr"])
@pytest.mark.parametrize("name", SOURCES)
def test_a_conversion_of_this_suite_is_true(test_data: Path, tmp_path: Path, name: str, format_: str) -> None:
    source = test_data / name
    comparison = compare(Location(source), converted(source, tmp_path, format_), threads=2)
    assert different(comparison) == []
    with readers.open(Location(source)) as dataset:
        assert sum(row.what == "pixels" for row in comparison.rows) == len(dataset.images) + len(dataset.labels)


def test_a_set_of_files_is_compared_with_the_one_made_of_it(test_data: Path, tmp_path: Path) -> None:
    companion, *members = (test_data / f"multifile{end}" for end in (".companion.ome", "_z0.ome.tiff", "_z1.ome.tiff", "_z2.ome.tiff"))
    copies = converted(companion, tmp_path, "ome-tiff", *members)
    assert different(compare(Location(companion, (companion, *members)), copies)) == []
    # The other way round, the members of the copy are not copies by themselves.
    comparison = compare(Location(copies[0]), [companion, *members])
    assert [row.copy for row in comparison.rows if row.what == "pixels"] == ["multifile.companion.ome"]
    assert comparison.unreadable == []


def test_one_changed_pixel_is_told_with_its_plane_and_nothing_else_differs(test_data: Path, tmp_path: Path) -> None:
    source = test_data / "cells.ome.tiff"
    (copy,) = converted(source, tmp_path / "copy")
    comparison = compare(Location(source), [edited(copy, tmp_path / "changed.ome.tiff", pixel=True)])
    assert [(what, equal) for what, _, _, equal in different(comparison)] == [("pixels t=0 c=1 z=2", "false"), ("pixels", "false")]
    assert different(comparison)[0][2].startswith("1 of 12288 pixels differ, by 1 at most")


@pytest.mark.parametrize(
    ("text", "what", "values"),
    [
        (('PhysicalSizeX="0.325"', 'PhysicalSizeX="0.326"'), "pixel size x", ("0.325 µm", "0.326 µm", "false")),
        (('PhysicalSizeX="0.325"', ""), "pixel size x", ("0.325 µm", "", "only-original")),
        (('Name="GFP"', 'Name="YFP"'), "channel 1 name", ("GFP", "YFP", "false")),
        (('LensNA="0.8"', 'LensNA="0.75"'), "objective 0 numerical aperture", ("0.8", "0.75", "false")),
        (('ExposureTime="0.05"', 'ExposureTime="0.06"'), "planes exposure (s)", None),
        (("<AcquisitionDate>2026-03-02T10:15:00", "<AcquisitionDate>2026-03-02T10:15:01"), "acquisition date", None),
        (('Color="65535"', 'Color="-16776961"'), "channel 0 color", ("#0000ff", "#ff0000", "false")),
    ],
)
def test_one_changed_field_is_the_only_difference(test_data: Path, tmp_path: Path, text: Any, what: str, values: Any) -> None:
    source = test_data / "cells.ome.tiff"
    (copy,) = converted(source, tmp_path / "copy")
    found = different(compare(Location(source), [edited(copy, tmp_path / "changed.ome.tiff", text=text)]))
    assert [row[0] for row in found] == [what]
    assert values is None or found[0][1:] == values


def test_copies_in_any_order_and_several_of_each_find_their_series(test_data: Path, tmp_path: Path) -> None:
    source = test_data / "two_series.ome.tiff"
    files, (store,) = converted(source, tmp_path), converted(source, tmp_path, "ome-zarr")
    comparison = compare(Location(source), [*reversed(files), store])
    assert different(comparison) == []
    assert [(row.series, row.copy) for row in comparison.rows if row.what == "pixels"] == [
        ("0", files[0].name),
        ("0", store.name),
        ("1", files[1].name),
        ("1", store.name),
    ]


def test_a_series_that_is_in_no_copy_is_a_difference(test_data: Path, tmp_path: Path) -> None:
    source = test_data / "two_series.ome.tiff"
    files = converted(source, tmp_path)
    (row,) = (row for row in compare(Location(source), files[:1]).rows if row.differs)
    assert (row.what, row.equal, row.series) == ("series", "only-original", "1")
    assert row.is_grave


def test_a_copy_that_cannot_be_read_costs_only_its_row(test_data: Path, tmp_path: Path) -> None:
    source = test_data / "cells.ome.tiff"
    copies = converted(source, tmp_path)
    comparison = compare(Location(source), [test_data / "truncated.tif", tmp_path / "none.tif", *copies])
    assert [row.what for row in comparison.rows if row.differs] == ["file", "file"]
    assert len(comparison.unreadable) == 2
    assert comparison.compared


def test_an_original_that_cannot_be_read_is_an_error(test_data: Path) -> None:
    with pytest.raises(UnreadableError, match="truncated"):
        compare(Location(test_data / "truncated.tif"), [test_data / "cells.ome.tiff"])


def test_pixels_that_turn_out_to_be_damaged_are_a_difference(test_data: Path, tmp_path: Path) -> None:
    source = test_data / "cells.ome.tiff"
    (store,) = converted(source, tmp_path, "ome-zarr")
    chunk = next(path for path in sorted(store.rglob("*")) if path.is_file() and path.name.isdigit())
    chunk.write_bytes(b"nonsense")
    (row,) = (row for row in compare(Location(source), [store]).rows if row.differs)
    assert row.what == "pixels"
    assert "cells.ome.zarr" in row.copy_value


def test_without_pixels_only_sizes_and_fields_are_compared(test_data: Path, tmp_path: Path) -> None:
    source = test_data / "cells.ome.tiff"
    (copy,) = converted(source, tmp_path / "copy")
    comparison = compare(Location(source), [edited(copy, tmp_path / "changed.ome.tiff", pixel=True)], pixels=False)
    assert different(comparison) == []
    assert not any(row.what.startswith("pixels") for row in comparison.rows)


def test_a_copy_beside_its_original_and_of_its_name_is_not_taken_for_it(test_data: Path, tmp_path: Path) -> None:
    source = tmp_path / "cells.ome.tiff"
    shutil.copy(test_data / "cells.ome.tiff", source)
    (copy,) = converted(source, tmp_path / "copy")
    beside = edited(copy, tmp_path / "copy.ome.tiff", pixel=True)
    assert [row.what for row in compare(Location(source), [beside]).rows if row.is_grave] == ["pixels t=0 c=1 z=2", "pixels"]


def test_half_floats_labels_and_bits_are_converted_and_accepted(tmp_path: Path) -> None:
    values = np.arange(12, dtype=np.float16).reshape(3, 4)
    tifffile.imwrite(tmp_path / "half.tif", values, metadata=None)
    (copy,) = converted(tmp_path / "half.tif", tmp_path / "out")
    rows = compare(Location(tmp_path / "half.tif"), [copy]).rows
    assert [(row.what, row.original_value, row.copy_value) for row in rows if row.accepted] == [("pixel type", "float16", "float32")]
    assert not any(row.differs for row in rows)


def test_the_table_is_sorted_by_what_was_compared(test_data: Path, tmp_path: Path) -> None:
    source = test_data / "two_series.ome.tiff"
    rows = list(compare(Location(source), converted(source, tmp_path)).table())
    assert [row["what"] for row in rows] == sorted(str(row["what"]) for row in rows)
    assert list(rows[0]) == ["original", "copy", "series", "what", "original_value", "copy_value", "equal"]


def test_a_thousand_copies_are_not_open_at_once(test_data: Path, tmp_path: Path) -> None:
    import resource

    source = test_data / "cells.ome.tiff"
    (copy,) = converted(source, tmp_path)
    copies = [tmp_path / f"copy_{number}.ome.tiff" for number in range(120)]
    for path in copies:
        path.symlink_to(copy)
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (100, before[1]))
    try:
        comparison = compare(Location(source), copies, pixels=False)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
    assert comparison.unreadable == []
    assert len({row.copy for row in comparison.rows}) == 120


def test_every_real_file_is_true_after_conversion(realfiles: Path, tmp_path: Path) -> None:
    for name in ("ometiff/gia_multiseries.ome.tiff", "ometiff/mini-flim-moduloC.ome.tiff", "omezarr/blobs_image_v04.ome.zarr"):
        source = realfiles / name
        for format_ in ("ome-tiff", "ome-zarr"):
            comparison = compare(Location(source), converted(source, tmp_path / format_ / source.name, format_), threads=2)
            assert different(comparison) == []


def test_parts_of_the_instrument_in_another_order_are_the_same() -> None:
    parts = (LightSource("LightSource:0", "Laser", model="488"), LightSource("LightSource:1", "Arc", model="Hg"))
    swapped = tuple(replace(part, id=f"Other:{number}") for number, part in enumerate(reversed(parts)))
    channels = (Channel("GFP", light_source_id="LightSource:0"),), (Channel("GFP", light_source_id="Other:1"),)
    images = [
        memory_image(np.zeros((1, 1, 1, 2, 2, 1)), metadata=ImageMetadata(channels=own, instrument=Instrument("I", light_sources=lights)))
        for own, lights in zip(channels, (parts, swapped), strict=True)
    ]
    ours, theirs = map(described, images)
    assert ours == theirs
    assert ours["channel 0 light source"] == "488"


def test_the_place_on_a_plate_is_compared(test_data: Path, tmp_path: Path) -> None:
    source = test_data / "plate_04.ome.zarr.zip"
    copies = converted(source, tmp_path)
    rows = compare(Location(source), copies).rows
    assert {row.original_value for row in rows if row.what == "well"} == {f"row {row}, column {column}" for row in (0, 1) for column in (0, 1)}
    with readers.open(Location(source)) as dataset:
        moved = replace(
            dataset, plates=(replace(dataset.plates[0], wells=tuple(replace(well, row=1 - well.row) for well in dataset.plates[0].wells)),)
        )
    from lightmicroscopy.compare_place import described_place

    assert described_place(moved, moved.images[0])["well"] == "row 1, column 0"


def planes_of(*planes: Plane, sizes: tuple[int, int, int] = (4, 1, 1), **fields: Any) -> Image:
    samples = fields.pop("samples", 1)
    return memory_image(np.zeros((*sizes, 2, 2, samples), np.uint8), metadata=ImageMetadata(planes=planes, **fields))


def unlike(original: Image, copy: Image) -> dict[str, tuple[str, str]]:
    """Fields that differ, with what is shown of them."""
    ours, theirs = described_alike(original, copy)
    names = dict.fromkeys([*ours, *theirs])
    return {name: (shown(ours.get(name)), shown(theirs.get(name))) for name in names if not same(ours.get(name), theirs.get(name))}


def test_times_of_other_planes_are_a_difference(tmp_path: Path) -> None:
    def written(name: str, first: int) -> Path:
        planes = "".join(f'<Plane TheZ="0" TheC="0" TheT="{first + number}" DeltaT="{number + 1.5}"/>' for number in range(2))
        description = (
            '<?xml version="1.0" encoding="UTF-8"?><OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06"><Image ID="Image:0" Name="im">'
            '<Pixels ID="Pixels:0" DimensionOrder="XYZCT" Type="uint8" SizeX="8" SizeY="8" SizeZ="1" SizeC="1" SizeT="4">'
            f'<Channel ID="Channel:0:0" SamplesPerPixel="1"/><TiffData IFD="0" PlaneCount="4"/>{planes}</Pixels></Image></OME>'
        )
        tifffile.imwrite(tmp_path / name, np.zeros((4, 8, 8), np.uint8), description=description, metadata=None, photometric="minisblack")
        return tmp_path / name

    comparison = compare(Location(written("a.ome.tiff", 0)), [written("b.ome.tiff", 2)])
    assert different(comparison) == [
        ("planes delta t (s)", "t=0 c=0 z=0: 1.5; t=1 c=0 z=0: 2.5", "t=2 c=0 z=0: 1.5; t=3 c=0 z=0: 2.5", "false"),
    ]


@pytest.mark.parametrize(
    "fact", [{"delta_t_s": 0.5}, {"exposure_s": 0.01}, {"position_x": Quantity(3, "µm")}, {"position_z": Quantity(0, "reference frame")}]
)
def test_facts_of_planes_belong_to_their_planes(fact: dict[str, Any]) -> None:
    here = planes_of(Plane(1, 0, 0, **fact))
    assert unlike(here, planes_of(Plane(1, 0, 0, **fact), Plane(2, 0, 0))) == {}
    assert len(unlike(here, planes_of(Plane(2, 0, 0, **fact)))) == 1
    assert len(unlike(here, planes_of(Plane(1, 0, 0, **fact), Plane(2, 0, 0, **fact)))) == 1


def test_facts_of_all_planes_are_shown_without_their_places_and_in_any_order_the_same() -> None:
    planes = [Plane(t, 0, 0, delta_t_s=t / 2) for t in range(4)]
    assert unlike(planes_of(*planes), planes_of(*reversed(planes))) == {}
    assert shown(described(planes_of(*planes))["planes delta t (s)"]) == "0; 0.5; 1; 1.5"


def test_a_colour_plane_has_the_time_of_its_three_channels() -> None:
    colour = planes_of(Plane(0, 0, 0, delta_t_s=1.0), sizes=(1, 1, 1), samples=3)
    channels = planes_of(*(Plane(0, c, 0, delta_t_s=1.0) for c in range(3)), sizes=(1, 3, 1))
    assert "planes delta t (s)" not in unlike(colour, channels)


def test_nothing_is_not_the_same_as_zero() -> None:
    def seen(**facts: Any) -> Image:
        instrument = Instrument("I", detectors=(Detector("D", model="X", **facts.pop("detector", {})),))
        return planes_of(instrument=instrument, channels=(Channel(**facts.pop("channel", {})),), **facts)

    zero = seen(time_increment_s=0.0, detector={"gain": 0.0, "offset": 0.0}, channel={"detector_gain": 0.0})
    assert unlike(zero, seen()) == {
        "time increment (s)": ("0", ""),
        "detector 0 gain": ("0", ""),
        "detector 0 offset": ("0", ""),
        "channel 0 detector gain": ("0", ""),
    }
    assert unlike(zero, zero) == {}
    assert unlike(seen(description=""), seen()) == {}


def test_folded_dimensions_are_known_by_their_axis_and_type_and_not_by_their_order() -> None:
    first, second = Modulo("T", "lifetime", 0, 3, 1, "ps"), Modulo("C", "lambda", 500, 520, 10, "nm")
    assert unlike(planes_of(modulo=(first, second)), planes_of(modulo=(second, first))) == {}
    assert unlike(planes_of(modulo=(first, second)), planes_of(modulo=(replace(second, step=5), first))) == {
        "folded dimension C lambda step": ("10", "5")
    }


def test_regions_and_annotations_in_another_order_are_the_same() -> None:
    rois = tuple(Roi((RoiShape("Point", {"X": str(x), "Y": "1"}),)) for x in (1, 2, 2, 3))
    notes = tuple(MapAnnotation(space, (("k", value),)) for space, value in (("a", "1"), ("a", "2"), ("b", "1")))
    original = planes_of(rois=rois, annotations=notes)
    assert unlike(original, planes_of(rois=rois[::-1], annotations=notes[::-1])) == {}
    moved = replace(rois[1], shapes=(replace(rois[1].shapes[0], geometry={"X": "9", "Y": "1"}),))
    assert unlike(original, planes_of(rois=(rois[3], moved, rois[2], rois[0]), annotations=notes[1:])) == {
        "region of interest 2": ("Point X=2 Y=1", "Point X=9 Y=1"),
        "annotation a": ("k: 1", ""),
    }
    assert unlike(original, planes_of(rois=(*rois, moved), annotations=(*notes, notes[0]))) == {
        "region of interest 4": ("", "Point X=9 Y=1"),
        "annotation a 3": ("", "k: 1"),
    }
