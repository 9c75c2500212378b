"""A plate of the IDR as one OME-Zarr: the wells and fields asked for, and what is said of those that cannot be had."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from lightmicroscopy import readers
from lightmicroscopy.image import Location
from tests.archives import Archive

from .idr_downloads import Downloads, asked

STORE = ("--format", "ome-zarr", "--arrange", "plate-store")
PART = ("--z", "3", "--region", "0,0,64,32")
PLATE = "JL_120731_S6A"


def fields(path: Path) -> dict[str, np.ndarray]:
    """Pixels of every field by its path."""
    with readers.open(Location(path)) as dataset:
        found = {}
        for image in dataset.images:
            shape = image.shape
            from lightmicroscopy.image import Region

            assert image.path is not None
            found[image.path] = image.levels[0].pixels.read(Region(*((0, size) for size in shape[:5])))
        return found


def first_manifest(download: Downloads) -> Path:
    return (download.folder / "manifest.tsv").rename(download.folder / "first.tsv")


@pytest.mark.parametrize("version", ["0.4", "0.5"])
def test_the_fields_asked_for_lie_in_one_store_by_well_and_number(download: Downloads, version: str) -> None:
    run = download("plate:2551/F06/0 plate:2551/F06/5 plate:2551/A01/2", *STORE, *PART, "--ngff-version", version)
    assert run.code == 0, run.stderr
    assert run.made == [f"{PLATE}.ome.zarr"]
    assert {row["path"] for row in run.manifest} == {f"{PLATE}.ome.zarr"}
    assert len({row["sha256"] for row in run.manifest}) == 1
    with readers.open(Location(run.folder / "out" / f"{PLATE}.ome.zarr")) as dataset:
        assert not dataset.warnings
        (plate,) = dataset.plates
        assert (plate.name, plate.rows, plate.columns) == (PLATE, 8, 12)
        assert [(well.row, well.column, well.numbers) for well in plate.wells] == [(0, 0, (2,)), (5, 5, (0, 5))]
        assert [channel.name for channel in dataset.images[0].metadata.channels] == ["GFP", "Cascade blue"]
        assert {label.label_of for label in dataset.labels} == {0, 1, 2}
        notes = {key: value for found in dataset.images[0].metadata.annotations for key, value in found.pairs}
        assert notes["Licence"].startswith("CC BY 4.0")


def test_its_pixels_are_those_of_the_fields_fetched_by_themselves(download: Downloads) -> None:
    download("plate:2551/F06/0 plate:2551/A01/2", *STORE, *PART)
    run = download("plate:2551/F06/0 plate:2551/A01/2", "--format", "ome-zarr", *PART)
    together = fields(run.folder / "out" / f"{PLATE}.ome.zarr")
    assert set(together) == {"F/6/0", "A/1/2"}
    for row, path in zip(run.manifest, ("A/1/2", "F/6/0"), strict=True):
        (alone,) = fields(run.folder / "out" / row["path"]).values()
        assert np.array_equal(together[path], alone)
        assert alone.any()


def test_it_conforms_to_ngff(download: Downloads) -> None:
    from lightmicroscopy.metadata.check import check

    run = download("plate:2551/F06/0 plate:2551/A01/2", *STORE, *PART)
    findings = check([run.folder / "out" / f"{PLATE}.ome.zarr"]).findings
    assert [finding for finding in findings if finding.severity == "error"] == []


def test_a_field_that_cannot_be_read_costs_no_other_and_the_store_says_so(download: Downloads, archive: Archive) -> None:
    archive.faults.add("status", r"/F/6/1/0/", service="objects", status=500, count=0)
    run = download("plate:2551/F06/0 plate:2551/F06/1 plate:2551/F06/2", *STORE, *PART)
    assert run.code == 0
    assert [row["status"] for row in run.manifest] == ["done", "failed", "done"]
    assert "F06/1" in run.manifest[0]["reason"]
    store = run.folder / "out" / f"{PLATE}.ome.zarr"
    missing = json.loads((store / ".zattrs").read_text(encoding="utf-8"))["lightmicroscopy/plate"]["missing"]
    assert [(one["path"], one["image"]) for one in missing] == [("F/6/1", 1230060)]
    assert "Missing field" in (store / "OME" / "METADATA.ome.xml").read_text(encoding="utf-8")
    assert set(fields(store)) == {"F/6/0", "F/6/2"}
    assert not (store / "F" / "6" / "1").exists()


def test_a_plate_of_which_nothing_can_be_read_leaves_nothing(download: Downloads, archive: Archive) -> None:
    archive.faults.add("status", r"/F/6/\d/0/", service="objects", status=500, count=0)
    run = download("plate:2551/F06/0 plate:2551/F06/1", *STORE, *PART)
    assert run.code == 1
    assert run.made == []
    assert [row["status"] for row in run.manifest] == ["failed", "failed"]


def test_an_image_in_no_plate_becomes_a_store_of_its_own(download: Downloads) -> None:
    run = download("6001240 plate:2551/F06/0", *STORE, "--z", "0", "--region", "0,0,64,32")
    assert run.made == ["6001240_B1_C1.ome.zarr", f"{PLATE}.ome.zarr"]


def test_as_a_zip_it_is_one_file_whose_root_comes_first(download: Downloads) -> None:
    import zipfile

    run = download("plate:2551/F06/0 plate:2551/F06/1", *STORE, *PART, "--zip")
    assert run.made == [f"{PLATE}.ome.zarr.zip"]
    path = run.folder / "out" / run.made[0]
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        assert archive.namelist()[0] in (".zattrs", ".zgroup")
    assert set(fields(path)) == {"F/6/0", "F/6/1"}


def test_the_plan_counts_every_field_though_all_have_one_path(download: Downloads) -> None:
    each = 64 * 32 * 2 * 2
    run = download("plate:2551/F06", *STORE, *PART, "--max-size", str(6 * each - 1))
    assert run.code == 2
    assert run.made == []
    assert download("plate:2551/F06", *STORE, *PART, "--max-size", str(6 * each)).code == 0


def test_a_store_that_is_there_is_not_fetched_again_and_nothing_is_added_to_it(download: Downloads, archive: Archive) -> None:
    download("plate:2551/F06/0 plate:2551/F06/1", *STORE, *PART)
    table = first_manifest(download)
    with asked(archive) as paths:
        again = download("--table", table, *STORE, *PART)
    assert again.code == 0
    assert [row["status"] for row in again.manifest] == ["done", "done"]
    assert not [path for path in paths if path.startswith("objects") and path.endswith("/3/0/0")]
    more = download("plate:2551/F06/2", "--table", table, *STORE, *PART)
    assert [row["status"] for row in more.manifest] == ["done", "done", "failed"]
    assert "nothing is added" in more.manifest[2]["reason"]


def test_a_plate_store_is_not_taken_for_the_images_by_themselves(download: Downloads) -> None:
    download("plate:2551/F06/0", *STORE, *PART)
    again = download("--table", first_manifest(download), "--format", "ome-zarr", *PART)
    assert again.code == 0
    assert again.manifest[0]["path"].startswith("1230059_")


@pytest.mark.parametrize("form", ["ome-tiff", "original", "metadata"])
def test_only_ome_zarr_holds_a_plate(download: Downloads, form: str) -> None:
    run = download("plate:2551/F06/0", "--arrange", "plate-store", "--format", form)
    assert run.code == 2
    assert "OME-Zarr" in run.stderr


def test_something_in_the_way_is_told_before_anything_is_fetched(download: Downloads, archive: Archive) -> None:
    (download.folder / "out" / f"{PLATE}.ome.zarr").mkdir(parents=True)
    with asked(archive) as paths:
        run = download("plate:2551/F06/0", *STORE, *PART)
    assert run.code == 2
    assert run.manifest[0]["status"] == "failed"
    assert "already in the output folder" in run.manifest[0]["reason"]
    assert not [path for path in paths if path.startswith("objects") and path.endswith("/0/0/0")]


def test_one_field_is_held_at_a_time(download: Downloads, archive: Archive) -> None:
    """The fields come one after the other: the second's chunks are asked for when the first is written."""
    with asked(archive) as paths:
        download("plate:2551/F06/0 plate:2551/F06/1", *STORE, *PART)
    chunks = [path for path in paths if path.startswith("objects") and path.endswith("/3/0/0")]
    order = [path.partition("/F/6/")[2][0] for path in chunks]
    assert order == sorted(order)
    assert set(order) == {"0", "1"}
