"""Tables of an earlier call given back: plans carried out, what is there kept, what is missing fetched."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from .idr_downloads import Downloads, Run, asked, read_table

SKET, MIFISH, FIRST, SECOND, BLASTOCYST, MOVED, NO_PIXELS, ODD = 13441308, 13965882, 15160018, 15160019, 6001240, 4007821, 99000001, 99000007
PLANE = ("--z", 0)


def given_back(run: Run, name: str = "manifest") -> Path:
    """Return a copy of a table of that call, since no call reads and writes the same file."""
    copy = run.folder / f"earlier_{name}.tsv"
    shutil.copy(run.folder / f"{name}.tsv", copy)
    return copy


def pixel_requests(paths: list[str]) -> list[str]:
    return [path for path in paths if path.startswith("originals") or "/c/" in path or path.split("/")[-1].isdigit()]


def test_a_plan_is_carried_out_by_giving_its_manifest_back(download: Downloads) -> None:
    plan = download(SKET, MOVED, *PLANE, "--plan-only")
    assert (plan.code, plan.made) == (0, [])
    assert plan.statuses == [(f"image-{MOVED}", "planned"), (f"image-{SKET}", "planned")]
    assert not (plan.folder / "out").exists()
    run = download("--table", given_back(plan), *PLANE)
    assert run.code == 0
    assert run.statuses == [(f"image-{MOVED}", "done"), (f"image-{SKET}", "done")]
    assert [row["path"] for row in run.manifest] == [row["path"] for row in plan.manifest]


def test_a_plan_has_no_preview_to_make_and_no_disk_to_need(download: Downloads) -> None:
    run = download(SKET, "--plan-only", "--preview", download.folder / "preview.png", "--checksums", download.folder / "sums.txt")
    assert run.code == 0
    assert (download.folder / "sums.txt").read_text() == ""


def test_what_is_there_is_kept_and_nothing_of_it_is_fetched(download: Downloads) -> None:
    first = download(SKET, MIFISH, BLASTOCYST, *PLANE)
    before = {path: path.stat().st_mtime_ns for path in (first.folder / "out").iterdir()}
    rows = first.manifest
    with asked(download.archive) as paths:
        again = download("--table", given_back(first), *PLANE, "--strict")
    assert (again.code, again.lines) == (0, [])
    assert again.manifest == rows
    assert {one.method for one in download.archive.asked("originals")[-5:]} == {"HEAD"}
    assert not [path for path in pixel_requests(paths) if path.startswith("objects")]
    assert {path: path.stat().st_mtime_ns for path in (first.folder / "out").iterdir()} == before
    assert len(again.images) == 3


def test_only_what_is_missing_is_fetched(download: Downloads) -> None:
    first = download(SKET, MIFISH)
    rows = first.manifest
    (first.folder / "out" / rows[1]["path"]).unlink()
    with asked(download.archive) as paths:
        again = download("--table", given_back(first))
    assert again.code == 0
    assert [row["path"] for row in again.manifest] == [row["path"] for row in rows]
    assert not [one for one in download.archive.asked("originals", "SkeT")[-1:] if one.method == "GET"]
    assert any("idr0123" in path for path in paths)
    assert len(again.made) == 2


def test_what_was_altered_is_not_taken_for_what_was_fetched_nor_thrown_away(download: Downloads) -> None:
    first = download(SKET)
    altered = first.folder / "out" / first.manifest[0]["path"]
    altered.write_bytes(b"mine now")
    again = download("--table", given_back(first))
    assert again.code == 2
    assert "is already in the output folder and is not overwritten. Remove it" in again.lines[-1]
    assert again.statuses == [(f"image-{SKET}", "failed")]
    assert altered.read_bytes() == b"mine now"
    altered.unlink()
    assert download("--table", given_back(first)).code == 0


def test_what_failed_is_tried_again(download: Downloads) -> None:
    fault = download.archive.faults.add("status", "SkeT", status=404, count=0)
    first = download(SKET, MIFISH)
    assert [status for _, status in first.statuses] == ["failed", "done"]
    fault.count = 1
    again = download("--table", given_back(first))
    assert [status for _, status in again.statuses] == ["done", "done"]


def test_another_part_of_an_image_is_not_taken_for_the_one_that_is_there(download: Downloads) -> None:
    first = download(MOVED, "--z", 0)
    again = download("--table", given_back(first), "--z", 1)
    assert again.code == 2
    assert "is already in the output folder" in again.lines[-1]
    assert "name another --output, since the name does not tell the selection" in again.lines[-1]


def test_another_format_is_made_beside_the_one_that_is_there(download: Downloads) -> None:
    first = download(MOVED, "--z", 0)
    again = download("--table", given_back(first), "--z", 0, "--format", "ome-zarr")
    assert again.code == 0
    assert len(again.made) == 2
    assert [row["path"].rpartition(".")[2] for row in again.manifest] == ["zarr"]


def test_what_is_there_stays_done_when_the_archive_is_away(download: Downloads) -> None:
    first = download(SKET, MIFISH)
    rows = first.manifest
    download.archive.faults.add("status", "/api/v0/m/images/", status=503, count=0)
    again = download("--table", given_back(first))
    assert again.code == 0
    assert again.manifest == rows
    assert all(line.endswith("What is there of it already is kept.") for line in again.lines)


def test_of_a_set_of_files_only_the_missing_one_is_fetched(download: Downloads) -> None:
    download.archive.faults.add("reset", r"idr0123.*\.tif", method="GET", service="originals", first=2, count=0, bytes=100)
    first = download(MIFISH, "--format", "original")
    done = [row for row in first.manifest if row["status"] == "done"]
    assert first.code == 1
    assert [status for _, status in first.statuses].count("failed") == 1
    assert {row["path"] for row in done} == set(first.made) - {name for name in first.made if "/." in name}
    assert len(done) >= 1
    download.archive.faults.clear()
    before = len(download.archive.log)
    again = download("--table", given_back(first), "--format", "original")
    assert again.code == 0
    assert len(again.made) == len(again.manifest) == 4
    gets = [one.path for one in download.archive.log[before:] if one.service == "originals" and one.method == "GET"]
    assert len(gets) == 4 - len(done)


def test_a_file_kept_for_one_image_serves_the_next_of_the_same_file(download: Downloads) -> None:
    first = download(FIRST, "--format", "original")
    again = download("--table", given_back(first), SECOND, "--format", "original")
    assert again.code == 0
    assert again.statuses == [(f"image-{FIRST}", "done"), (f"image-{SECOND}", "done")]
    assert len({row["sha256"] for row in again.manifest}) == 1


@pytest.mark.parametrize(
    "path",
    ["/etc/passwd", "../manifest.tsv", "..", ".", "", "a\0b", "13441308_SkeT_16c.ome.tiff/x"],
    ids=["absolute", "up", "dots", "dot", "none", "nul", "below"],
)
def test_a_manifest_that_names_another_place_is_not_believed(path: str, download: Downloads) -> None:
    first = download(SKET, "--format", "metadata")
    table = given_back(first)
    row = first.manifest[0]
    table.write_text(table.read_text().replace(row["path"], path))
    again = download("--table", table, "--format", "metadata")
    assert "is already in the output folder" in again.lines[-1]
    assert again.code == 2


def test_an_images_table_is_read_back_whatever_the_archive_called_things(download: Downloads) -> None:
    first = download(NO_PIXELS, 99000003, 99000004, ODD, 1230059, "--format", "metadata")
    assert len(first.images) == 5
    again = download("--table", given_back(first, "images"), "--plan-only", "--format", "metadata")
    assert (again.code, again.lines) == (0, [])
    assert again.images == first.images
    assert len(again.statuses) == 5


def test_the_annotations_table_is_not_a_table_of_images(download: Downloads) -> None:
    first = download(ODD, "--format", "metadata")
    again = download("--table", first.folder / "annotations.tsv", tables=False)
    assert again.code == 1
    assert again.lines == ["annotations.tsv is not such a table: it has no column image_id. Its first line must name the columns, separated by tabs."]


@pytest.mark.parametrize(
    ("content", "code", "sentence"),
    [
        (b"", 1, "has no column image_id"),
        (b"image_id\n", 1, "names no image: below its header there is no row"),
        (b"image_id\nproject-801\n", 2, "is no id of an image"),
        (b"image_id\n-1\n", 2, "is no id of an image"),
        (b"image_id\n99999999999999999999999\n", 2, "is no id of an image"),
        (b"item\tstatus\n", 2, "No image is asked for"),
        (b"item\tstatus\tpath\tsha256\n", 2, "No image is asked for"),
        (b"item\tstatus\tpath\tsha256\nplate-1\tplanned\t\t\n", 1, "The IDR has no plate 1"),
        (b"item\tstatus\tpath\tsha256\nroi-1\tplanned\t\t\n", 2, "is roi 1; images are needed"),
        (b"item\tstatus\tpath\tsha256\nimage-1\tplanned\t\t\t\t\n", 1, "line 2: 6 values where the header names 4 columns"),
        (b"\x89PNG\r\n\x1a\n", 1, "is no table of text in UTF-8"),
        ("image_id\n1\n".encode("utf-16"), 1, "UTF-8"),
    ],
)
def test_a_table_that_is_none_is_refused_by_name(content: bytes, code: int, sentence: str, download: Downloads) -> None:
    table = download.folder / "given.tsv"
    table.write_bytes(content)
    run = download("--table", table)
    assert run.code == code
    assert len(run.lines) == 1
    assert sentence in run.lines[0]
    assert run.made == []


def test_a_table_from_a_spreadsheet_is_read(download: Downloads) -> None:
    table = download.folder / "given.tsv"
    table.write_bytes("\ufeffnote\timage_id\r\nfirst\t13441308\r\n\t\r\nsecond\timage-13441308\r\n".encode())
    run = download("--table", table, "--format", "metadata")
    assert run.code == 0
    assert [row["image_id"] for row in run.images] == ["13441308"]


def test_ids_and_a_table_together(download: Downloads) -> None:
    table = download.folder / "given.tsv"
    table.write_text("image_id\n13441308\n")
    run = download(SKET, NO_PIXELS, "--table", table, "--format", "metadata")
    assert [item for item, _ in run.statuses] == [f"image-{SKET}", f"image-{NO_PIXELS}"]


def test_every_table_of_a_download_is_read_by_every_tool_that_takes_one(download: Downloads) -> None:
    """CONTRACTS: images and manifest go back into the download; the others are for people, and still tables."""
    run = download(SKET, 77, *PLANE)
    for name in ("images", "manifest", "annotations"):
        assert read_table(run.folder / f"{name}.tsv")
    assert download("--table", given_back(run, "images"), "--plan-only").statuses == [(f"image-{SKET}", "planned")]
    assert download("--table", given_back(run, "manifest"), "--plan-only").statuses == [(f"image-{SKET}", "planned")]


@pytest.mark.parametrize(
    ("made", "now", "sentence"),
    [
        (("--level", 2), (), "was made with --level 2. Give the same choice again (--level 2), or give the images themselves with --images."),
        ((), ("--z", 0), "was made without --z 0. Leave that out, or give the images themselves with --images."),
        (("--format", "metadata"), (), "was made with --format metadata. Give the same choice again (--format metadata), or give the images"),
        (("--format", "original"), (), "was made with --format original. Give the same choice again (--format original), or give the images"),
        (("--format", "ome-zarr", "--z", 0), (), "was made with --format ome-zarr --z 0. Give the same choice again (--format ome-zarr --z 0)"),
    ],
)
def test_a_plan_is_not_carried_out_with_other_choices(made: tuple[object, ...], now: tuple[object, ...], sentence: str, download: Downloads) -> None:
    plan = download(BLASTOCYST if "--level" in made else SKET, *made, "--plan-only")
    assert plan.code == 0
    with asked(download.archive) as paths:
        run = download("--table", given_back(plan), *now)
    assert (run.code, run.made, paths) == (2, [], [])
    assert sentence in run.lines[0]


def test_what_is_done_otherwise_is_told_once_and_made_as_asked(download: Downloads) -> None:
    first = download(SKET, MIFISH, "--format", "metadata")
    again = download("--table", given_back(first))
    assert again.code == 0
    assert [line for line in again.lines if "was made with --format metadata" in line] == again.lines[:1]
    assert len(again.made) == 4
