"""Copies of a part are compared with that part of the original, as they record it, and the report never calls them the whole."""

from __future__ import annotations

from pathlib import Path

import pytest

import lm_compare
import lm_convert
from lightmicroscopy import readers
from lightmicroscopy.compare import compare
from lightmicroscopy.compare_many import compare_many
from lightmicroscopy.compare_part import LONGEST, part_of, read_selection
from lightmicroscopy.errors import UsageError
from lightmicroscopy.image import Location
from lightmicroscopy.reports.comparison import page, summary, verdict
from lightmicroscopy.selection import Selection

from .annotations import PIXEL_SIZE, made
from .test_compare import converted, different, edited
from .test_findings_report import shown

PARTS = [
    (Selection(z="0:2"), "z 0:2"),
    (Selection(channels=("GFP",)), "channel GFP"),
    (Selection(channels=("index:1", "index:0")), "channel 1, channel 0"),
    (Selection(region="4,8,20,16"), "region 4,8,20,16"),
    (Selection(center="32,32,20,16", z="1"), "z 1, region around the centre 32,32,20,16"),
    (Selection(project="max"), "projected over z"),
]


@pytest.mark.parametrize("format_", ["ome-tiff", "ome-zarr"])
@pytest.mark.parametrize(("selection", "told"), PARTS, ids=[told for _, told in PARTS])
def test_a_part_is_the_same_as_that_part_and_never_as_the_whole(
    test_data: Path, tmp_path: Path, format_: str, selection: Selection, told: str
) -> None:
    source = test_data / "cells.ome.tiff"
    comparison = compare(Location(source), converted(source, tmp_path, format_, selection=selection), threads=2)
    assert different(comparison) == []
    assert [(row.original_value, row.copy_value, row.equal) for row in comparison.rows if row.what == "selection"] == [
        ("everything", told, "accepted")
    ]
    assert any(row.what == "pixels" and row.equal == "true" for row in comparison.rows)
    assert verdict(comparison) == (
        f"1 series of the original was compared in part ({told}), as the copy records. "
        "The copy is true to that part: every pixel and every field of it is the same. It does not hold the whole of the original."
    )
    assert f"(compared with the part {told}, as the copy records): pixels identical" in next(summary(comparison))
    assert f"Compared with a part of the original: {told}" in shown("".join(page(comparison)))


def test_a_lower_level_and_its_label_maps_are_compared_with_that_level(test_data: Path, tmp_path: Path) -> None:
    source = test_data / "cells_04.ome.zarr.zip"
    comparison = compare(Location(source), converted(source, tmp_path, "ome-zarr", selection=Selection(level=1, region="0,0,32,32")))
    assert different(comparison) == []
    assert [row.copy_value for row in comparison.rows if row.what == "selection"] == ["region 0,0,32,32, resolution level 1"] * 2
    assert verdict(comparison).startswith(
        "1 series of the original was compared in part (region 0,0,32,32, resolution level 1), as the copy records."
    )


def test_a_part_of_a_part_is_compared_with_what_is_left(test_data: Path, tmp_path: Path) -> None:
    source = test_data / "cells.ome.tiff"
    (first,) = converted(source, tmp_path / "first", selection=Selection(z="1:3"))
    (second,) = converted(first, tmp_path / "second", "ome-zarr", selection=Selection(z="1", channels=("GFP",)))
    for original, told in ((source, "z 1:3; of that channel GFP, z 1"), (first, "channel GFP, z 1")):
        comparison = compare(Location(original), [second])
        assert different(comparison) == []
        assert [row.copy_value for row in comparison.rows if row.what == "selection"] == [told]


def test_another_part_than_the_copy_records_is_found_out(test_data: Path, tmp_path: Path) -> None:
    source = test_data / "cells.ome.tiff"
    (copy,) = converted(source, tmp_path / "copy", selection=Selection(z="0:2"))
    comparison = compare(Location(source), [edited(copy, tmp_path / "claims.ome.tiff", text=("--z 0:2", "--z 1:3"))])
    assert next(row for row in comparison.rows if row.what == "pixels").equal == "false"
    assert verdict(comparison).startswith("1 series does not have the original's pixels. 1 series of the original was compared in part (z 1:3)")
    assert "true" not in verdict(comparison)


@pytest.mark.parametrize("claim", ["--z 2:9", "--z 0:2 --output /tmp", "metadata only", "--level x"])
def test_a_part_that_cannot_be_taken_is_told_with_what_to_do(test_data: Path, tmp_path: Path, claim: str) -> None:
    source = test_data / "cells.ome.tiff"
    (copy,) = converted(source, tmp_path / "copy", selection=Selection(z="0:2"))
    comparison = compare(Location(source), [edited(copy, tmp_path / "claims.ome.tiff", text=("--z 0:2", claim))])
    (note,) = comparison.notes
    assert note.startswith(f"claims.ome.tiff holds {claim}: this part cannot be taken of the original here (")
    assert note.endswith("Give the file that the copy was made from.")
    found = {what: equal for what, _, _, equal in different(comparison)}
    assert found["selection"] == found["size Z"] == found["pixels"] == "false"


@pytest.mark.parametrize(
    "text",
    ["--z", "--help", "--params secret.json", "--level " + "9" * 5000, "--project min", "z 0:2", "--channel " + "x" * LONGEST],
)
def test_what_is_no_selection_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        read_selection(text)


@pytest.mark.parametrize(
    "selection",
    [
        Selection("name:Position 1, --odd - name", ("DAPI  405", "a=b", "-x"), "1:", ":3", "1,2,3,4"),
        Selection("0,2,5:8", (), "", "4", "", "9,9,4,4", 2, "max"),
    ],
)
def test_a_recorded_selection_is_read_as_it_was_meant(selection: Selection) -> None:
    assert read_selection(selection.describe()) == selection


def test_a_series_chosen_by_a_name_that_is_all_there_is_counts_as_everything(test_data: Path, tmp_path: Path) -> None:
    source = test_data / "confocal.lsm"
    with readers.open(Location(source)) as dataset:
        name = dataset.images[0].name
    comparison = compare(Location(source), converted(source, tmp_path, selection=Selection(series=f"name:{name}")))
    assert different(comparison) == []
    assert verdict(comparison) == "The copy is true: every pixel and every field is the same."


@pytest.mark.parametrize("many", [False, True])
def test_series_that_were_not_chosen_are_told_and_are_no_difference(test_data: Path, tmp_path: Path, many: bool) -> None:
    source = test_data / "two_series.ome.tiff"
    copies = converted(source, tmp_path, selection=Selection(series="1"))
    comparison = compare_many([source], copies) if many else compare(Location(source), copies)
    assert different(comparison) == []
    assert [(row.series, row.equal) for row in comparison.rows if row.what == "series"] == [("0", "accepted")]
    assert verdict(comparison) == (
        "1 of 2 series of the original was chosen, as the copy records. "
        "The copy is true to that part: every pixel and every field of it is the same. It does not hold the whole of the original."
    )
    assert "not chosen for the copies, as they record" in shown("".join(page(comparison)))


def test_a_chosen_series_whose_copy_was_lost_is_missed(test_data: Path, tmp_path: Path) -> None:
    source = test_data / "two_series.ome.tiff"
    first, _ = converted(source, tmp_path, selection=Selection(series="0,1"))
    comparison = compare(Location(source), [first])
    assert [(what, equal) for what, _, _, equal in different(comparison)] == [("series", "only-original")]
    assert verdict(comparison).startswith("1 series of the original is in no copy.")


def test_a_whole_copy_beside_one_of_a_part_holds_the_whole(test_data: Path, tmp_path: Path) -> None:
    source = test_data / "cells.ome.tiff"
    copies = [*converted(source, tmp_path / "a"), *converted(source, tmp_path / "b", "ome-zarr", selection=Selection(z="0"))]
    assert "hold the whole" not in verdict(compare(Location(source), copies))


@pytest.mark.parametrize("choice", ["pixels", "difference"])
@pytest.mark.parametrize(("selection", "code"), [(Selection(z="0"), 4), (Selection(), 0)])
def test_who_asks_for_everything_is_not_content_with_a_part(test_data: Path, tmp_path: Path, selection: Selection, code: int, choice: str) -> None:
    source = test_data / "cells.ome.tiff"
    copies = converted(source, tmp_path, selection=selection)
    assert lm_compare.main([str(source), *map(str, copies), "--fail-on", choice, "--quiet"]) == code
    whole = converted(source, tmp_path / "whole")
    assert lm_compare.main([str(source), *map(str, (*copies, *whole)), "--fail-on", choice, "--quiet"]) == 0


@pytest.mark.parametrize("choice", ["pixels", "difference"])
def test_series_that_were_not_chosen_are_missed_by_who_asks_for_everything(test_data: Path, tmp_path: Path, choice: str) -> None:
    source = test_data / "two_series.ome.tiff"
    copies = converted(source, tmp_path, selection=Selection(series="1"))
    assert lm_compare.main([str(source), *map(str, copies), "--fail-on", choice, "--quiet"]) == 4


def test_another_way_to_read_a_mosaic_is_told(test_data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source = test_data / "mosaic.czi"
    copies = converted_tiles(source, tmp_path)
    words = [str(source), *map(str, copies), "--fail-on", "difference"]
    assert lm_compare.main(words) == 4
    assert "made with --mosaic tiles, but here the original is read with --mosaic as-stored. Compare with --mosaic tiles." in capsys.readouterr().err
    assert lm_compare.main([*words, "--mosaic", "tiles"]) == 0
    assert "--mosaic" not in capsys.readouterr().err


def converted_tiles(source: Path, folder: Path) -> list[Path]:
    assert lm_convert.main([str(source), "--output", str(folder), "--format", "ome-tiff", "--mosaic", "tiles", "--quiet"]) == 0
    return sorted(folder.glob("*.ome.tiff"))


def test_a_part_taken_of_a_label_map_ignores_channels_and_projection(test_data: Path) -> None:
    with readers.open(Location(test_data / "cells_04.ome.zarr.zip")) as dataset:
        label = dataset.labels[0]
        assert part_of(label, ["--channel GFP --project max"], is_label=True).image is label
        assert part_of(label, ["--z 0"], is_label=True).image.shape.z == 1


def test_a_copy_of_another_original_is_compared_and_that_is_told(test_data: Path, tmp_path: Path) -> None:
    mine, changed = tmp_path / "cells.ome.tiff", tmp_path / "changed" / "cells.ome.tiff"
    mine.write_bytes((test_data / "cells.ome.tiff").read_bytes())
    changed.parent.mkdir()
    changed.write_bytes(mine.read_bytes() + b" ")
    copies = converted(mine, tmp_path / "copies")
    assert compare(Location(mine), copies).notes == []
    comparison = compare(Location(changed), copies)
    assert different(comparison) == []
    (note,) = comparison.notes
    assert note.startswith("cells.ome.tiff records another original: that had other bytes (SHA-256) than cells.ome.tiff.")
    (again,) = converted(copies[0], tmp_path / "again", "ome-zarr")
    assert compare(Location(mine), [again]).notes == compare(Location(copies[0]), [again]).notes == []


@pytest.mark.parametrize("format_", ["ome-tiff", "ome-zarr"])
def test_an_annotated_copy_of_a_converted_image_is_of_that_image_and_of_what_that_was_made_from(
    test_data: Path, tmp_path: Path, format_: str
) -> None:
    source = test_data / "stack.czi"
    (image,) = converted(source, tmp_path / "converted", format_)
    copy = made(tmp_path / "annotated", image, changes=PIXEL_SIZE)
    for original in (source, image):
        comparison = compare(Location(original), [copy])
        assert comparison.notes == []
        assert different(comparison) == [row for row in different(comparison) if row[0].startswith("pixel size")] != []
    (other,) = converted(test_data / "cells.ome.tiff", tmp_path / "other", format_)
    (note,) = compare(Location(other), [copy]).notes
    assert "records another original" in note
