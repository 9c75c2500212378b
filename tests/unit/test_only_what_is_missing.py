"""A download that goes on from a manifest alone, without what the earlier call made, as in a Galaxy."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from lightmicroscopy.archives.missing import missing_of
from lightmicroscopy.errors import UnreadableError
from lightmicroscopy.reports.tables import MANIFEST, write_table

from .bia_calls import Calls
from .idr_downloads import Downloads, asked, read_table

SKET, MIFISH, NO_PIXELS = 13441308, 13965882, 99000001
PLANE = ("--z", 0)
MASK = "otherspecimen_3.tif"


def elsewhere(folder: Path) -> Path:
    """Move the manifest away, and what was made: the next job starts with an empty folder."""
    shutil.rmtree(folder / "out", ignore_errors=True)
    return (folder / "manifest.tsv").rename(folder / "earlier.tsv")


def manifest(path: Path, *rows: tuple[str, str, str]) -> Path:
    write_table(path, MANIFEST, [{"item": item, "status": status, "path": name} for item, status, name in rows])
    return path


def test_images_that_are_done_elsewhere_are_not_fetched_again(download: Downloads) -> None:
    download.archive.faults.add("status", "mifish|MiFish|13965882", service="originals", status=404, count=0)
    first = download(SKET, MIFISH, NO_PIXELS, *PLANE)
    failed = [item for item, status in first.statuses if status == "failed"]
    assert f"image-{SKET}" not in failed
    assert failed
    with asked(download.archive) as paths:
        again = download("--table", elsewhere(first.folder), "--only-missing", *PLANE)
    assert [item for item, _ in again.statuses] == failed
    assert not any(str(SKET) in path for path in paths)
    assert "those it lists as done are left out" in again.stderr


def test_nothing_is_fetched_where_nothing_is_missing(download: Downloads) -> None:
    first = download(SKET, *PLANE)
    with asked(download.archive) as paths:
        again = download("--table", elsewhere(first.folder), "--only-missing", *PLANE)
    assert (again.code, again.made, again.manifest, paths) == (0, [], [], [])
    assert again.lines == ["earlier.tsv lists nothing that is not done. Nothing was fetched."]


def test_without_being_asked_to_what_is_not_in_the_folder_is_fetched(download: Downloads) -> None:
    first = download(SKET, *PLANE)
    again = download("--table", elsewhere(first.folder), *PLANE)
    assert (again.code, again.statuses) == (0, [(f"image-{SKET}", "done")])


def test_an_images_table_is_fetched_whole(download: Downloads) -> None:
    first = download(SKET, *PLANE)
    shutil.rmtree(first.folder / "out")
    table = (first.folder / "images.tsv").rename(first.folder / "earlier.tsv")
    again = download("--table", table, "--only-missing", *PLANE)
    assert (again.code, again.statuses) == (0, [(f"image-{SKET}", "done")])


def test_files_of_a_study_that_are_done_elsewhere_are_not_fetched_again(bia: Calls) -> None:
    bia.archive.faults.add("status", MASK, service="originals", status=404, count=0)
    first = bia.download("--accession", "S-BIAD634")
    failed = {row["item"] for row in first.manifest if row["status"] == "failed"}
    assert 0 < len(failed) < len(first.manifest)
    bia.archive.faults.clear()
    again = bia.download("--table", elsewhere(first.folder), "--only-missing")
    assert again.code == 0
    assert {row["item"]: row["status"] for row in again.manifest} == dict.fromkeys(failed, "done")
    assert len(again.made) == len(failed)


def test_an_item_of_several_files_is_fetched_whole_again(tmp_path: Path) -> None:
    table = manifest(tmp_path / "m.tsv", ("image-1", "done", "a"), ("image-1", "failed", ""), ("image-2", "done", "b"), ("image-3", "skipped", ""))
    found = missing_of(table, tmp_path / "missing.tsv")
    assert found is not None
    assert [row["item"] for row in read_table(found)] == ["image-1", "image-1", "image-3"]


def test_what_becomes_one_store_is_made_from_all_its_images(tmp_path: Path) -> None:
    table = manifest(tmp_path / "m.tsv", ("image-1", "done", "plate.ome.zarr"), ("image-2", "failed", ""))
    assert missing_of(table, tmp_path / "missing.tsv", together=True) == table
    done = manifest(tmp_path / "d.tsv", ("image-1", "done", "plate.ome.zarr"))
    assert missing_of(done, tmp_path / "missing.tsv", together=True) is None


def test_of_a_call_that_was_stopped_all_is_fetched(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Galaxy throws the files of a killed job away."""
    table = manifest(tmp_path / "m.tsv", ("image-1", "done", "a"), ("image-2", "planned", "b"))
    assert missing_of(table, tmp_path / "missing.tsv") == table
    assert "may have been lost" in caplog.text


@pytest.mark.parametrize("content", [b"", b"item\tstatus\n"])
def test_an_empty_table_is_for_the_download_to_refuse(tmp_path: Path, content: bytes) -> None:
    table = tmp_path / "m.tsv"
    table.write_bytes(content)
    assert missing_of(table, tmp_path / "missing.tsv") == table


def test_a_broken_manifest_is_refused_by_its_line(tmp_path: Path) -> None:
    table = tmp_path / "m.tsv"
    table.write_text("item\tstatus\nimage-1\tdone\textra\n")
    with pytest.raises(UnreadableError, match=r"m\.tsv, line 2"):
        missing_of(table, tmp_path / "missing.tsv")
