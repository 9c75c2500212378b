"""What lm_idr_download refuses, and what one image that fails costs the others: nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.needs import small_disk

from .idr_downloads import Downloads, asked

SKET, MIFISH, FIRST, BLASTOCYST, MOVED = 13441308, 13965882, 15160018, 6001240, 4007821
NO_PIXELS, BIG, PATTERN, POINTER, FOREIGN, CROWD = 99000001, 99000002, 11576514, 179693, 99000010, 99000100


def no_pixels_were_fetched(paths: list[str]) -> bool:
    """Whether nothing but metadata was asked for: of stores no chunk, of files no byte."""
    return not any("/c/" in path or path.split("/")[-1].isdigit() or path.startswith("originals") for path in paths)


# --- what is asked for


@pytest.mark.parametrize(
    ("asked_for", "sentence"),
    [
        (["cells"], "“cells” is no image."),
        (["12.5"], "“12.5” is no image."),
        (["-7"], None),
        (["roi-801"], "“roi-801” is roi 801; images are needed."),
        (["https://idr.openmicroscopy.org/webclient/?show=tag-801"], "is a link to tag 801; images are needed."),
        (["https://example.org/image/1"], "which is not the IDR."),
        (["image-6001240/0"], "“image-6001240/0” is no image."),
        ([""], "No image is asked for. Give ids, links to images, or a table of images."),
        ([], "No image is asked for. Give ids, links to images, or a table of images."),
        (["# 6001240"], "No image is asked for."),
    ],
)
def test_what_is_no_image_is_refused_before_anything_is_asked(asked_for: list[str], sentence: str | None, download: Downloads) -> None:
    run = download(*asked_for)
    assert run.code == 2
    assert run.made == []
    assert sentence is None or (sentence in run.lines[0] and len(run.lines) == 1)
    assert download.archive.asked() == []


def test_an_image_named_twice_is_taken_once_and_that_is_said(download: Downloads) -> None:
    run = download(f"{SKET} image-{SKET}", "--images", SKET, "--format", "metadata")
    assert run.code == 0
    assert run.lines == ["An image that was named already is named again 2 times; each image is taken once."]
    assert run.statuses == [(f"image-{SKET}", "done")]


def test_too_many_are_refused_before_anything_is_asked(download: Downloads) -> None:
    run = download(*range(CROWD, CROWD + 4), "--max-items", 3)
    assert run.code == 2
    assert run.lines[0].startswith("4 images are asked for, and at most 3 are allowed in one go. Ask for fewer, or raise --max-items")
    assert download.archive.asked() == []


def test_an_administrators_ceilings_hold_whatever_the_user_asks_for(download: Downloads) -> None:
    assert download(*range(CROWD, CROWD + 3), "--max-items", 100, max_items=2).code == 2
    run = download(MOVED, "--max-size", "1T", max_bytes=1000)
    assert (run.code, run.made) == (2, [])
    assert "at most 1.0 kB are allowed" in run.lines[-1]
    assert download(MOVED, "--t", 0, "--z", 0, max_bytes=10**9, max_items=1).code == 0


def test_too_much_is_refused_and_nothing_is_fetched_but_the_plan_is_told(download: Downloads) -> None:
    with asked(download.archive) as paths:
        run = download(BIG, SKET, "--max-size", "100M")
    assert (run.code, run.made) == (2, [])
    assert run.lines[0].startswith("Up to 1.1 GB would be fetched, and at most 100.0 MB are allowed in one go. Nothing was fetched;")
    assert no_pixels_were_fetched([path for path in paths if "SkeT" not in path])
    assert {one.method for one in download.archive.asked("originals")} == {"HEAD"}
    assert [(row["item"], row["status"], int(row["bytes"]) > 0) for row in run.manifest] == [
        (f"image-{SKET}", "planned", True),
        (f"image-{BIG}", "planned", True),
    ]


def test_one_file_of_many_images_is_counted_once(download: Downloads) -> None:
    size = int(download(FIRST, "--plan-only").manifest[0]["bytes"])
    for wanted in ("ome-tiff", "original"):
        run = download(FIRST, FIRST + 1, "--format", wanted, "--max-size", size + 1)
        assert run.code == 0, run.stderr


@pytest.mark.parametrize(
    ("flags", "sentence"),
    [
        (("--z", "236"), "--z 236 reaches outside"),
        (("--t", "1"), "--t 1 reaches outside"),
        (("--channel", "Cy5"), "There is no channel 'Cy5' in 'B1_C1.tif'. Its channels are LaminB1 (index:0), Dapi (index:1)."),
        (("--region", "200,0,100,10"), "x must stay within 0 to 271"),
        (("--level", "3"), "There is no level 3"),
        (("--series", "1"), "There is no series 1"),
    ],
)
def test_an_impossible_selection_is_wrong_usage_and_fetches_nothing(flags: tuple[str, ...], sentence: str, download: Downloads) -> None:
    with asked(download.archive) as paths:
        run = download(BLASTOCYST, *flags)
    assert (run.code, run.made) == (2, [])
    assert sentence in run.lines[0]
    assert no_pixels_were_fetched(paths)
    assert run.statuses == [("image-6001240", "failed")]
    assert run.images[0]["pixels_from"] == "unknown"


def test_a_level_that_an_original_file_lacks_is_wrong_usage_too(download: Downloads) -> None:
    run = download(SKET, "--level", 4)
    assert (run.code, run.made) == (2, [])
    assert "There is no level 4" in run.lines[0]


def test_a_selection_that_fits_one_image_and_not_another_costs_only_that_one(download: Downloads) -> None:
    run = download(MOVED, SKET, "--t", 2)
    assert run.code == 0
    assert run.statuses == [(f"image-{MOVED}", "done"), (f"image-{SKET}", "failed")]
    assert len(run.lines) == 1


def test_no_part_of_an_original_file_can_be_had(download: Downloads) -> None:
    run = download(SKET, "--format", "original", "--z", 0)
    assert run.code == 2
    assert run.lines == ["Original files are fetched whole. Leave the selection out, or choose OME-TIFF or OME-Zarr."]


# --- what is not there


def test_an_id_that_does_not_exist(download: Downloads) -> None:
    run = download(77)
    assert (run.code, run.made) == (1, [])
    assert run.lines == ["The IDR has no image 77, or it is not public. Check the number at the IDR's page."]
    assert run.statuses == [("image-77", "failed")]
    assert run.images == []


@pytest.mark.parametrize(
    ("number", "reasons"),
    [
        (NO_PIXELS, ["registered no OME-Zarr", "not imported from an OME-Zarr", "not among the IDR's samples", "knows no files"]),
        (PATTERN, ["Sample1.pattern, names others for Bio-Formats"]),
        (POINTER, ["plate1_1_013.screen, names others"]),
        (FOREIGN, ["169.254.169.254 is not among the services this program may contact"]),
        (6001258, ["Neural_Rosettes.tif: The file is not on the server"]),
    ],
)
def test_pixels_that_are_nowhere_are_an_error_that_names_all_that_was_tried(number: int, reasons: list[str], download: Downloads) -> None:
    run = download(number)
    assert (run.code, run.made) == (1, [])
    (line,) = run.lines
    assert "its pixels are nowhere to be had. Tried: (1) " in line
    assert line.endswith("Metadata can still be had with the format metadata.")
    assert all(reason in line for reason in reasons), line
    assert "(4) " in line
    assert [row["pixels_from"] for row in run.images] == ["none"]
    (row,) = run.manifest
    assert (row["status"], row["reason"], row["path"], row["sha256"]) == ("failed", line, "", "")


def test_a_service_that_fails_says_nothing_about_where_pixels_are(download: Downloads) -> None:
    download.archive.faults.add("status", r"Neural|SkeT", service="originals", status=503, count=0)
    run = download(SKET)
    assert run.code == 1
    assert [row["pixels_from"] for row in run.images] == ["unknown"]


def test_one_failed_image_never_costs_the_others(download: Downloads) -> None:
    run = download(77, NO_PIXELS, MOVED, SKET, "--z", 0)
    assert run.code == 0
    assert run.statuses == [("image-77", "failed"), (f"image-{MOVED}", "done"), (f"image-{SKET}", "done"), (f"image-{NO_PIXELS}", "failed")]
    assert len(run.made) == 2
    assert len(run.lines) == 3, "one warning each, and that a plain TIFF says little"


def test_a_label_map_that_fails_is_told_and_does_not_cost_its_image(download: Downloads) -> None:
    download.archive.faults.add("status", r"/labels/0/0/", service="objects", status=403, count=0, first=2)
    run = download(BLASTOCYST, "--z", 118)
    assert (run.code, run.made) == (0, ["6001240_B1_C1.ome.tiff"])
    assert run.statuses == [(f"image-{BLASTOCYST}", "done")]
    assert any(line.startswith("image-6001240: its label map '0' is left out: ") and "403" in line for line in run.lines), run.stderr


def test_an_image_that_fails_leaves_no_label_map_alone(download: Downloads) -> None:
    download.archive.faults.add("status", r"_labels\.zarr/0/c/", service="objects", status=403, count=0)
    run = download(BLASTOCYST, "--z", 118)
    assert (run.code, run.made) == (1, [])
    assert run.statuses == [(f"image-{BLASTOCYST}", "failed")]


@pytest.mark.parametrize("flags", [(), ("--plan-only",)])
def test_strict_turns_a_failed_image_into_an_exit_code(flags: tuple[str, ...], download: Downloads) -> None:
    assert download(77, MOVED, "--z", 0, "--strict", *flags).code == 3
    assert download(78, "--strict", *flags).code == 1


# --- what is there already, and where nothing can be written


@pytest.mark.parametrize(
    ("flags", "name"),
    [
        (("--format", "ome-tiff"), "13441308_SkeT_16c.ome.tiff"),
        (("--format", "ome-zarr"), "13441308_SkeT_16c.ome.zarr"),
        (("--format", "metadata"), "13441308_SkeT_16c.ome.xml"),
        (("--format", "original"), "idr0117-croce-marimba/20210812-ftp/SkeT_16c.tif"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_an_output_that_is_there_is_not_overwritten_and_nothing_is_fetched_for_it(flags: tuple[str, ...], name: str, download: Downloads) -> None:
    mine = download.folder / "out" / name
    mine.parent.mkdir(parents=True)
    mine.write_text("a week of work")
    run = download(SKET, *flags)
    assert run.code == 2
    assert run.lines[0].removeprefix(f"image-{SKET}: ").startswith(f"{mine.name} is already in the output folder and is not overwritten.")
    assert run.made == [name]
    assert mine.read_text() == "a week of work"
    assert {one.method for one in download.archive.asked("originals")} <= {"HEAD"}


def test_an_output_folder_that_is_a_file(download: Downloads) -> None:
    (download.folder / "out").write_text("mine")
    run = download(SKET)
    assert run.code == 1
    assert run.lines[-1].startswith("The folder ")
    assert (download.folder / "out").read_text() == "mine"


@pytest.mark.parametrize("wanted", ["ome-tiff", "ome-zarr", "original"])
def test_a_disk_that_becomes_full_is_told_once_and_left_clean(wanted: str, download: Downloads) -> None:
    with small_disk(download.folder / "out", "16k"):
        run = download(SKET, MIFISH, "--format", wanted)
        assert (run.code, run.made) == (1, [])
        assert len(run.lines) <= 2, run.stderr
        assert "full" in run.lines[-1] or "left" in run.lines[-1], run.stderr
        assert [status for _, status in run.statuses if status == "done"] == []


def test_far_too_small_a_disk_is_noticed_before_anything_is_fetched(download: Downloads) -> None:
    with small_disk(download.folder / "out", "1m"), asked(download.archive) as paths:
        run = download(BIG)
    assert run.code == 1
    assert run.lines == ["1.1 GB are to be fetched and the output folder has 1.0 MB left. Nothing was fetched."]
    assert no_pixels_were_fetched(paths)


@pytest.mark.parametrize("flag", ["--manifest", "--image-table", "--annotations", "--citation", "--checksums"])
def test_a_report_that_cannot_be_written_is_told(flag: str, download: Downloads, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    run = download(SKET, "--format", "metadata", flag, tmp_path / "file" / "table.tsv", tables=False)
    assert run.code == 1
    assert run.lines[-1].startswith("table.tsv cannot be written: ")


def test_a_report_never_replaces_the_table_that_was_given(download: Downloads, tmp_path: Path) -> None:
    table = tmp_path / "ids.tsv"
    table.write_text("image_id\n13441308\n")
    run = download("--table", table, "--manifest", table, tables=False)
    assert run.code == 2
    assert table.read_text() == "image_id\n13441308\n"
    assert [path.name for path in tmp_path.iterdir()] == ["ids.tsv"]


def test_images_that_are_missing_alike_are_told_of_once_with_their_count(download: Downloads) -> None:
    run = download(*range(70, 80))
    assert [status for _, status in run.statuses] == ["failed"] * 10
    assert len(run.lines) == 2
    assert run.lines[-1] == "And 9 more like these, in the manifest: image-71, image-72, image-73 and others."
