"""Whole studies, projects, datasets, screens, plates, wells and fields, and how their images lie in the output."""

from __future__ import annotations

import json
import tracemalloc
from array import array
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lightmicroscopy.archives.idr_arrange import Folders
from lightmicroscopy.archives.idr_request import requested
from lightmicroscopy.archives.idr_spec import Named
from lightmicroscopy.archives.idr_study import Place
from lightmicroscopy.archives.idr_walk import Found
from lightmicroscopy.errors import ArchiveError, MissingError, UsageError
from lightmicroscopy.galaxy import describe_stores
from tests.archives import Archive

from .idr_downloads import Downloads, asked

WEB = "https://idr.openmicroscopy.org"
F6 = [f"image-{1230059 + field}" for field in range(6)]
METADATA = ("--format", "metadata")
PART = ("--z", "3", "--channel", "GFP", "--region", "0,0,64,32")


# --- what is downloaded


@pytest.mark.parametrize(
    ("text", "items"),
    [
        ("plate:2551/F06", F6),
        ("well:590065", F6),
        (f"{WEB}/webclient/?show=well-590065", F6),
        ("plate:2551/F06/0 plate:2551/F06/5", [F6[0], F6[5]]),
        ("well:590065/2", [F6[2]]),
        ("plate:2559", [f"image-{number}" for number in (1239577, 1239578, 1239579, 1239777, 1239778, 1239779)]),
        ("dataset:11620", ["image-6001237", "image-6001238", "image-6001239"]),
        ("idr0062/Acini", ["image-6001237", "image-6001238", "image-6001239"]),
        ("idr0062/Acini/Tcf_Het_d2.tif 6001240", ["image-6001239", "image-6001240"]),
        ("project:801", [f"image-{number}" for number in range(6001237, 6001259)]),
        ("idr0062 dataset:11620 6001240", [f"image-{number}" for number in range(6001237, 6001259)]),
        (f"{WEB}/webclient/?show=screen-206", ["image-122770"]),
        (f"{WEB}/webclient/?show=dataset-5101|image-6001240", ["image-4007817", "image-4007821", "image-6001240"]),
        (f"{WEB}/study/idr0008/", ["image-122770"]),
    ],
)
def test_what_is_named_is_planned_each_image_once_and_in_order(download: Downloads, text: str, items: list[str]) -> None:
    run = download(text, *METADATA, "--plan-only")
    assert run.code == 0, run.stderr
    assert run.statuses == [(item, "planned") for item in items]


def test_the_fields_of_a_well_are_fetched_with_their_label_maps_and_lie_as_in_the_plate(download: Downloads) -> None:
    run = download("plate:2551/F06/0 plate:2551/F06/5", *PART, "--arrange", "plate")
    assert run.code == 0
    assert run.made == [f"JL_120731_S6A/F06/field_{field}{label}.ome.tiff" for field in (0, 5) for label in ("", "__label_0")]
    assert [row["path"] for row in run.manifest] == run.made
    assert [(row["well"], row["field"]) for row in run.images] == [("F06", "0"), ("F06", "5")]


def test_images_of_datasets_lie_in_a_folder_per_dataset(download: Downloads) -> None:
    run = download("idr0062", *METADATA, "--arrange", "dataset")
    assert run.code == 0
    assert len(run.made) == 22
    assert {path.partition("/")[0] for path in run.made} == {"Acini", "Blastocysts", "E75", "E875", "Neural"}
    assert "Blastocysts/6001240_B1_C1.ome.xml" in run.made


def test_fields_of_plates_lie_in_a_folder_per_plate_if_that_is_wanted(download: Downloads) -> None:
    run = download("plate:2559/A01 6001240 99000008", *METADATA, "--arrange", "dataset")
    assert run.made == [
        "Blastocysts/6001240_B1_C1.ome.xml",
        "JL_120809_S14B/A01_field_0.ome.xml",
        "JL_120809_S14B/A01_field_1.ome.xml",
        "in_nothing/99000008_in_nothing.ome.xml",
    ]


def test_what_is_in_no_plate_still_has_its_place_among_plates(download: Downloads) -> None:
    run = download("6001240 99000008 plate:2559/C03", *METADATA, "--arrange", "plate")
    assert run.made == [
        "Blastocysts/no_well/6001240_B1_C1.ome.xml",
        "JL_120809_S14B/C03/field_0.ome.xml",
        "in_nothing/no_well/99000008_in_nothing.ome.xml",
    ]


def test_plain_ids_lie_flat_as_ever(download: Downloads) -> None:
    assert download("6001240 1230059", *METADATA).made == ["1230059_JL_120731_S6A_Well_F6_Field_1.ome.xml", "6001240_B1_C1.ome.xml"]


def test_stores_lie_in_folders_too_and_galaxy_is_told_the_levels(download: Downloads, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(download.folder)
    flags = ("--format", "ome-zarr", "--arrange", "plate", "--galaxy-collection", "stores", "--z", "0", "--region", "0,0,64,32")
    run = download("plate:2551/F06/1 plate:2551/A01/0", *flags)
    assert run.code == 0, run.stderr
    (plate,) = json.loads((run.folder / "galaxy.json").read_text(encoding="utf-8"))["stores"]["elements"]
    assert plate["name"] == "JL_120731_S6A"
    assert [(well["name"], [field["name"] for field in well["elements"]]) for well in plate["elements"]] == [
        ("A01", ["field_0"]),
        ("F06", ["field_1"]),
    ]
    (field,) = plate["elements"][1]["elements"]
    assert [path.name for path in Path(field["extra_files"]).iterdir()] == ["field_1.ome.zarr"]


def test_originals_lie_as_in_the_archive_whatever_is_wanted(download: Downloads) -> None:
    run = download("dataset:11620", "13441308", "--format", "original", "--arrange", "plate")
    assert "idr0117-croce-marimba/20210812-ftp/SkeT_16c.tif" in run.made


# --- again


def first_manifest(download: Downloads) -> Path:
    """Put the manifest where the next call does not write its own."""
    return (download.folder / "manifest.tsv").rename(download.folder / "first.tsv")


def test_a_manifest_fed_back_keeps_what_lies_in_folders(download: Downloads, archive: Archive) -> None:
    flags = ("--arrange", "dataset", *METADATA)
    first = download("idr0062/Acini dataset:77777", *flags)
    assert first.statuses[0] == ("dataset-77777", "failed")
    statuses = first.statuses
    with asked(archive) as paths:
        again = download("--table", first_manifest(download), *flags)
    assert again.code == 0, again.stderr
    assert again.statuses == statuses
    assert any("/datasets/77777/" in path for path in paths), "what could not be listed is tried again"


def test_a_manifest_is_not_taken_for_done_if_things_are_to_lie_otherwise(download: Downloads) -> None:
    download("idr0062/Acini", *METADATA)
    again = download("--table", first_manifest(download), *METADATA, "--arrange", "dataset")
    assert again.code == 0
    assert [path for path in again.made if "/" in path] == [row["path"] for row in again.manifest]


# --- what is wrong


def test_one_container_that_is_not_there_is_a_row_and_costs_the_others_nothing(download: Downloads) -> None:
    run = download("6001240 plate:1 idr0062/Acini/nosuch dataset:99002", *METADATA)
    assert run.code == 0
    assert run.statuses == [("plate-1", "failed"), ("idr0062/Acini/nosuch", "failed"), ("dataset-99002", "failed"), ("image-6001240", "done")]
    assert [row["reason"] for row in run.manifest[:3]] == [
        "The IDR has no plate 1, or it is not public. Check the number at the IDR's page.",
        "Dataset 11620 has no image nosuch. It has E14tg2a_d2.tif, Tcf15_KO_d2.tif, Tcf_Het_d2.tif.",
        "dataset-99002 holds no images. Check it at the IDR's page.",
    ]
    assert len(run.lines) == 3
    assert download("6001241 plate:1", *METADATA, "--strict").code == 3


@pytest.mark.parametrize(
    ("text", "code", "sentence"),
    [
        ("plate:1", 1, "The IDR has no plate 1"),
        ("idr0063", 1, "Near ones are idr0062"),
        ("dataset:99002", 1, "holds no images"),
        ("plate:2551/Q99", 1, "has no well Q99"),
        ("plate:2551/F06/9", 1, "has no field 9"),
        ("plate:2551/F06/x", 2, "is no field of a well"),
        ("plate:2551/well", 2, "is no well"),
        ("project:99000000", 2, "project-99000000 holds more images than the 1,000 that are allowed in one go"),
        ("well:45217/0/0", 2, "names too much"),
    ],
)
def test_what_cannot_be_walked_through_is_told(download: Downloads, text: str, code: int, sentence: str) -> None:
    run = download(text, *METADATA)
    assert (run.code, sentence in run.stderr) == (code, True)
    assert run.made == []


def test_a_container_is_walked_no_further_than_is_allowed(download: Downloads, archive: Archive) -> None:
    run = download("dataset:99000 project:99000000", *METADATA, max_items=5)
    assert run.code == 2
    assert "dataset-99000 holds more images than the 5 that are allowed" in run.stderr
    assert not archive.asked("web", "/datasets/99001/")


def test_a_plate_whose_list_is_cut_is_not_taken_for_a_small_one(download: Downloads, archive: Archive) -> None:
    archive.faults.add("lie", "/plates/2559/wells/", count=0, value=96)
    run = download("plate:2559 6001240", *METADATA)
    assert run.statuses[0] == ("plate-2559", "failed")
    assert len(run.statuses) == 1 + 6 + 1, "what was listed is not lost"
    assert "says that there are 96" in run.manifest[0]["reason"]


# --- 100,000 images


class _Walk:
    """Walks through as many images as it is told, which no server has to give."""

    def __init__(self, count: int, error: Exception | None = None) -> None:
        self.count, self.error = count, error

    def images(self, named: Named) -> Iterator[Found]:
        for number in range(self.count):
            yield Found(named.number + number, f"an image {number}")
        if self.error is not None:
            raise self.error


def ask(walk: Any, *texts: str, most: int = 10**6) -> Any:
    return requested(texts, None, WEB, walk, most)


def test_memory_stays_flat_however_many_images_a_container_holds() -> None:
    tracemalloc.start()
    found = ask(_Walk(100_000), "plate:1000").numbers
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert found == array("q", range(1000, 101_000))
    assert peak < 100_000 * 60


def test_overlapping_containers_give_each_image_once() -> None:
    assert ask(_Walk(10), "plate:1 plate:5 plate:1 7").numbers == array("q", range(1, 15))


def test_the_limit_is_held_by_images_and_not_by_how_often_they_are_named() -> None:
    assert len(ask(_Walk(10), "plate:1 well:1 dataset:1", most=10).numbers) == 10
    with pytest.raises(UsageError, match="plate-2 holds more images than the 10"):
        ask(_Walk(10), "plate:1 plate:2", most=10)


def test_what_was_listed_before_a_walk_broke_off_is_not_lost() -> None:
    found = ask(_Walk(3, ArchiveError("The list ended.")), "plate:1")
    assert list(found.numbers) == [1, 2, 3]
    assert [(item, str(error)) for item, error in found.missing] == [("plate-1", "The list ended.")]


def test_nothing_at_all_is_the_first_error() -> None:
    with pytest.raises(MissingError, match="plate-1 holds no images"):
        ask(_Walk(0), "plate:1 plate:2")


# --- names of folders


def place(plate: str = "", number: int = 1, well: str = "B07", field: int | None = 0) -> Place:
    return Place("idr1", "", "screen", 1, "s", plate_id=number, plate=plate, well=well, field=field)


def test_two_plates_of_one_name_get_two_folders_and_keep_them() -> None:
    folders = Folders("plate")
    paths = [str(folders.path("x", place("Plate 1", number))) for number in (5, 6, 5, 6)]
    assert paths == ["Plate_1/B07/field_0", "Plate_1~6/B07/field_0"] * 2
    assert str(folders.path("x", place("PLATE 1", 7))) == "PLATE_1~7/B07/field_0"


@pytest.mark.parametrize("name", ["../../etc", "/etc/passwd", "..", ".", "", "\0", "a/b", "-rf", ".hidden", "\u202eevil", "x" * 5000, "CON\n"])
@pytest.mark.parametrize("arrangement", ["dataset", "plate"])
def test_no_name_leads_out_of_the_folder(name: str, arrangement: Any) -> None:
    path = Folders(arrangement).path("1_x", place(name))
    assert not path.is_absolute()
    assert ".." not in path.parts
    assert len(path.parts) == {"dataset": 2, "plate": 3}[arrangement]
    assert all(len(part.encode()) <= 120 and part[0] not in ".-" and "\n" not in part for part in path.parts)


def test_a_field_that_is_not_known_leaves_the_images_own_name() -> None:
    assert str(Folders("plate").path("7_x", place("P", field=None))) == "P/no_well/7_x"
    assert str(Folders("dataset").path("7_x", place("P", well=""))) == "P/7_x"


def test_galaxy_is_told_of_a_flat_list_as_ever(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "out" / "a.ome.zarr").mkdir(parents=True)
    describe_stores([tmp_path / "out" / "a.ome.zarr"], "stores")
    (element,) = json.loads((tmp_path / "galaxy.json").read_text(encoding="utf-8"))["stores"]["elements"]
    assert element["name"] == "a"


def test_images_named_twice_are_taken_once_and_told_once(caplog: pytest.LogCaptureFixture) -> None:
    found = ask(_Walk(0), "5 6 5", "image-6", f"{WEB}/webclient/?show=image-5|image-7")
    assert list(found.numbers) == [5, 6, 7]
    assert [record.message for record in caplog.records] == ["An image that was named already is named again 3 times; each image is taken once."]
