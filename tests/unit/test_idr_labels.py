"""Label maps of the IDR's OME-Zarr, beside the images and as a table."""

from __future__ import annotations

import numpy as np
import pytest

from lightmicroscopy import readers
from lightmicroscopy.image import Location, Region
from lightmicroscopy.provenance import files_below, sha256_of
from tests.archives import Archive

from .idr_downloads import Downloads, Row, Run, listing, read_table

PART = ("--z", "118", "--level", "1")


def labelled(download: Downloads, *arguments: object) -> tuple[Run, list[str], list[Row]]:
    """Download with label maps; gives their files and table too."""
    folder, table = download.folder / "maps", download.folder / "maps.tsv"
    run = download(*arguments, "--labels", folder, "--label-table", table)
    assert run.code == 0, run.stderr
    return run, listing(folder), read_table(table)


@pytest.mark.parametrize(("form", "extension"), [("ome-tiff", "ome.tiff"), ("ome-zarr", "ome.zarr")])
def test_label_maps_are_files_of_their_own(download: Downloads, form: str, extension: str) -> None:
    run, maps, table = labelled(download, 6001240, *PART, "--format", form)
    assert run.made == [f"6001240_B1_C1.{extension}"]
    assert maps == [f"6001240_B1_C1__label_0.{extension}"]
    (row,) = table
    assert (row["image_id"], row["file"], row["loss"]) == ("6001240", maps[0], "")
    path = download.folder / "maps" / maps[0]
    assert row["sha256"] == sha256_of(files_below(path))
    with readers.open(Location(path)) as dataset:
        (image,) = dataset.images
        pixels = image.levels[0].pixels.read(Region(*((0, size) for size in image.shape[:5])))
    found = np.unique(pixels)
    assert (int(row["labels"]), int(row["largest_label"])) == (np.count_nonzero(found), found.max())
    assert found.size > 1
    assert (row["size_x"], row["size_y"], row["size_z"]) == (str(image.shape.x), str(image.shape.y), "1")


def test_an_image_without_label_maps_has_no_row(download: Downloads) -> None:
    _, maps, table = labelled(download, 99000002, "--z", "0", "--region", "0,0,64,64")
    assert (maps, table) == ([], [])


def test_a_label_map_that_cannot_be_read_is_a_row_that_says_so_and_costs_no_image(download: Downloads, archive: Archive) -> None:
    archive.faults.add("status", r"/labels/0/1/c/|/labels/0/1/0/", service="objects", status=500, count=0)
    run, maps, table = labelled(download, 6001240, *PART)
    assert run.statuses == [("image-6001240", "done")]
    assert maps == []
    assert table[0]["loss"]
    assert "label map" in run.stderr


def test_a_projection_has_no_label_maps_and_says_so(download: Downloads) -> None:
    run, maps, table = labelled(download, 6001240, "--z", "0:2", "--project", "max", "--level", "2")
    assert maps == []
    assert "not projected" in run.stderr
    assert [row["loss"] for row in table] == ["It does not fit the selection."]


def test_in_galaxy_stores_of_label_maps_are_packed(download: Downloads, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(download.folder)
    flags = ("--format", "ome-zarr", "--galaxy-collection", "stores")
    _, maps, table = labelled(download, 6001240, "--z", "118", "--level", "2", *flags)
    assert maps == ["6001240_B1_C1__label_0.ome.zarr.zip"]
    assert table[0]["file"] == maps[0]


def test_checksums_have_the_label_maps_too(download: Downloads) -> None:
    sums, folder = download.folder / "sums.txt", download.folder / "maps"
    run = download(6001247, "--z", 0, "--labels", folder, "--checksums", sums)
    assert run.code == 0
    named = {line.split("  ", 1)[1] for line in sums.read_text().splitlines()}
    assert named == {*run.made, *(f"../maps/{path.name}" for path in folder.iterdir())}
    assert len(named) == 2


def test_the_background_of_a_label_map_is_not_told_as_missing_pixels(download: Downloads, archive: Archive) -> None:
    archive.faults.add("status", r"/labels/0/\d+/(c/)?\d.*", service="objects", status=404, count=0)
    run = download(6001247, "--z", 0)
    assert (run.code, [line for line in run.lines if "not on the server" in line]) == (0, [])


@pytest.mark.parametrize("form", ["ome-tiff", "ome-zarr"])
def test_label_maps_of_an_image_that_is_kept_are_kept_with_it(download: Downloads, form: str) -> None:
    how = (*PART, "--format", form, "--checksums", download.folder / "sums.txt")
    run, maps, table = labelled(download, 6001240, *how)
    sums = (download.folder / "sums.txt").read_text(encoding="utf-8")
    first = (run.folder / "manifest.tsv").rename(run.folder / "first.tsv")
    again, *kept = labelled(download, "--table", first, *how)
    assert [maps, table] == kept
    assert again.lines == []
    assert (download.folder / "sums.txt").read_text(encoding="utf-8") == sums


def test_label_maps_that_are_not_there_with_an_image_that_is_are_told(download: Downloads) -> None:
    run = download(6001240, *PART)
    first = (run.folder / "manifest.tsv").rename(run.folder / "first.tsv")
    again, maps, table = labelled(download, "--table", first, *PART)
    assert maps == []
    assert "it is not there" in table[0]["loss"]
    assert "it is not there" in again.stderr
