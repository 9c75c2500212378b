"""No report of a download takes the place of what the call fetches, or of what an earlier call has fetched."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

import lm_bia_download
import lm_bia_search
import lm_idr_download
import lm_idr_search

from .bia_calls import Calls
from .idr_downloads import Downloads

SKET = 13441308
MINE = "S-BIAD634/dataset/rawimages/Neuroblastoma_1.tif"
PLACE = "Raw_images/dataset/rawimages/Neuroblastoma_1.tif"
IN_THE_WAY = "A report is to be written where {place} of the download belongs. Nothing was fetched"


@pytest.mark.parametrize("report", ["manifest", "citation", "checksums"])
@pytest.mark.parametrize("place", [PLACE, "Raw_images"])
def test_no_report_is_written_over_a_file_of_a_study(bia: Calls, report: str, place: str) -> None:
    run = bia.plain(lm_bia_download, "--accession", "S-BIAD634", "--output", bia.folder / "out", f"--{report}", bia.folder / "out" / place)
    assert run.code == 2
    assert "A report is to be written where Raw_images/" in run.stderr
    assert not (bia.folder / "out").exists()
    assert not [request for request in bia.archive.asked("files") if request.method == "GET" and request.target.endswith(".tif")]


@pytest.mark.parametrize("report", ["manifest", "citation", "checksums"])
@pytest.mark.parametrize("again", [True, False])
def test_what_an_earlier_call_has_fetched_is_not_replaced(bia: Calls, report: str, again: bool) -> None:
    first = bia.download("--accession", "S-BIAD634")
    assert first.code == 0
    (bia.folder / "manifest.tsv").rename(bia.folder / "earlier.tsv")
    before = (bia.folder / "out" / PLACE).read_bytes()
    asked = ["--table", bia.folder / "earlier.tsv"] if again else ["--accession", "S-BIAD634"]
    run = bia.plain(lm_bia_download, *asked, "--output", bia.folder / "out", f"--{report}", bia.folder / "out" / PLACE)
    assert run.code == 2
    assert IN_THE_WAY.format(place=PLACE) in run.stderr
    assert (bia.folder / "out" / PLACE).read_bytes() == before


@pytest.mark.parametrize("report", ["manifest", "image-table", "annotations", "rois", "citation", "checksums", "preview"])
@pytest.mark.parametrize(
    ("flags", "place"),
    [
        (("--format", "ome-tiff"), "13441308_SkeT_16c.ome.tiff"),
        (("--format", "ome-zarr"), "13441308_SkeT_16c.ome.zarr/report"),
        (("--format", "metadata"), "13441308_SkeT_16c.ome.xml"),
        (("--format", "original"), "idr0117-croce-marimba/20210812-ftp/SkeT_16c.tif"),
        (("--format", "original"), "idr0117-croce-marimba/20210812-ftp"),
    ],
)
def test_no_report_is_written_over_an_image(download: Downloads, report: str, flags: tuple[str, ...], place: str) -> None:
    run = download(SKET, *flags, f"--{report}", download.folder / "out" / place, tables=False)
    assert run.code == 2
    assert "A report is to be written where " in run.stderr
    assert not [path for path in (download.folder / "out").rglob("*") if path.is_file()]


def test_no_label_map_is_written_over_a_report(download: Downloads) -> None:
    folder = download.folder / "labels"
    first = download(6001247, "--z", 0, "--labels", folder)
    assert first.code == 0
    (name,) = (path.name for path in folder.iterdir())
    report = download.folder / "more" / name
    shutil.rmtree(download.folder / "out")
    run = download(6001247, "--z", 0, "--labels", report.parent, "--citation", report, tables=False)
    assert run.code == 0
    assert "A report is to be written where it belongs" in run.stderr
    assert "Licence" in report.read_text(encoding="utf-8")


@pytest.mark.parametrize("tool", [lm_bia_search, lm_idr_search])
def test_two_tables_of_a_search_are_not_written_to_one_place(bia: Calls, tmp_path: Path, tool: object) -> None:
    flags = ["--accession", "S-BIAD634", "--files"] if tool is lm_bia_search else ["--study", "idr0062", "--images"]
    run = bia.plain(tool, *flags, tmp_path / "one.tsv", "--studies", tmp_path / "one.tsv")
    assert run.code == 2
    assert "Two reports are to be written to one.tsv." in run.stderr
    assert not (tmp_path / "one.tsv").exists()


@pytest.mark.parametrize("tool", [lm_bia_download, lm_idr_download])
def test_no_report_is_written_over_the_table_that_was_given(bia: Calls, tmp_path: Path, tool: object) -> None:
    table = tmp_path / "table.tsv"
    table.write_text("mine")
    run = bia.plain(tool, "--table", table, "--output", tmp_path / "out", "--citation", table)
    assert run.code == 2
    assert "table.tsv cannot be written over an input." in run.stderr
    assert table.read_text() == "mine"
