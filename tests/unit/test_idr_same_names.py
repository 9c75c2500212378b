"""Files, wells, plates and folders of one name: none takes the place of another, in a first call or a later one."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.archives import Archive

from .idr_downloads import Downloads, Run

SKET = 13441308
MIFISH = "idr0123-mota-mifish"
FOLDER = ("--format", "original", "--originals-from", "folder")
UPLOAD = "/uod/idr/filesets/idr0117-croce-marimba/20210812-ftp/"
LONG = "x" * 120
PAIRS = [("a b.tif", "a_b.tif"), (f"{LONG}1.tif", f"{LONG}2.tif")]


def given_back(run: Run) -> Path:
    return (run.folder / "manifest.tsv").rename(run.folder / "first.tsv")


def listing(*links: str) -> str:
    title = "Index of /pub/databases/IDR/x"
    return f"<html><head><title>{title}</title></head><body><pre>{''.join(f'<a href={link!r}>x</a>' for link in links)}</pre></body></html>"


def contents(run: Run) -> set[bytes]:
    return {(run.folder / "out" / row["path"]).read_bytes() for row in run.manifest}


def serve(archive: Archive, names: tuple[str, ...]) -> None:
    for index, name in enumerate(names):
        body = f"file number {index}".ljust(100)
        archive.faults.add("replace", f"/{name.replace(' ', '%20')}$", body=body, content_type="image/tiff", count=0, service="originals")


@pytest.mark.parametrize("names", PAIRS)
def test_two_files_of_an_image_whose_safe_names_are_one_are_both_kept(download: Downloads, archive: Archive, names: tuple[str, ...]) -> None:
    serve(archive, names)
    answer = json.dumps({"repo": [], "client": [UPLOAD + name for name in names], "fileset": {"id": 1}})
    archive.faults.add("replace", f"/original_file_paths/{SKET}/", body=answer, content_type="application/json", count=0)
    run = download(SKET, "--format", "original")
    assert run.code == 0, run.stderr
    assert [row["status"] for row in run.manifest] == ["done", "done"]
    assert len(run.made) == len(contents(run)) == 2
    again = download("--table", given_back(run), "--format", "original", "--strict")
    assert (again.code, again.made) == (0, run.made), again.stderr
    assert {row["sha256"] for row in again.manifest} == {row["sha256"] for row in run.manifest}


@pytest.mark.parametrize("names", PAIRS)
def test_two_files_of_a_folder_whose_safe_names_are_one_are_both_kept(download: Downloads, archive: Archive, names: tuple[str, ...]) -> None:
    serve(archive, names)
    pages = listing(*(name.replace(" ", "%20") for name in names))
    archive.faults.add("replace", f"/{MIFISH}/$", body=pages, content_type="text/html", count=0)
    first = download("idr0123", *FOLDER)
    assert [row["status"] for row in first.manifest] == ["done", "done"]
    (first.folder / "out" / first.manifest[0]["path"]).unlink()
    run = download("--table", given_back(first), *FOLDER)
    assert run.code == 0, run.stderr
    assert [row["status"] for row in run.manifest] == ["done", "done"]
    assert len(run.made) == len(contents(run)) == 2


def test_what_could_not_be_listed_at_first_is_no_second_file_later(download: Downloads, archive: Archive) -> None:
    archive.faults.add("status", f"/{MIFISH}/20211026-ftp/.*/$", status=500, count=0)
    page = listing("20211026-ftp/", "b.tif")
    serve(archive, ("b.tif",))
    archive.faults.add("replace", f"/{MIFISH}/$", body=page, content_type="text/html", count=0)
    archive.faults.add("status", f"/{MIFISH}/20211026-ftp/$", status=500, count=2)
    first = download("idr0123", *FOLDER)
    assert [row["status"] for row in first.manifest] == ["done", "failed"], first.stderr
    archive.faults.clear()
    archive.faults.add("replace", f"/{MIFISH}/$", body=page, content_type="text/html", count=0)
    serve(archive, ("b.tif",))
    again = download("--table", given_back(first), *FOLDER, "--checksums", download.folder / "sums.txt")
    assert again.code == 0, again.stderr
    assert len(again.manifest) == len(again.made) == 5
    sums = (download.folder / "sums.txt").read_text(encoding="utf-8").splitlines()
    assert len(sums) == 5


def test_a_folder_without_a_file_is_told(download: Downloads, archive: Archive) -> None:
    archive.faults.add("replace", f"/{MIFISH}/$", body=listing("../"), content_type="text/html", count=0)
    alone = download("idr0123", *FOLDER)
    assert alone.code == 1
    assert "holds no file" in alone.stderr
    beside = download("idr0123 idr0117", *FOLDER)
    assert [row["status"] for row in beside.manifest] == ["failed", "done"]


FIRST_PLATE, SPARSE_PLATE, NAME = 2551, 2559, "JL_120731_S6A"
F06, A01 = 1230059, 1229669


def second_well_at_f06(archive: Archive) -> None:
    well = {"data": {"@id": 590000, "Row": 5, "Column": 5, "WellSamples": [{"Image": {"@id": A01}}]}}
    archive.faults.add("replace", "/m/wells/590000/", body=json.dumps(well), content_type="application/json", count=0)


def test_two_wells_at_one_place_of_a_plate_have_folders_of_their_own(download: Downloads, archive: Archive) -> None:
    second_well_at_f06(archive)
    run = download(F06, A01, "--format", "metadata", "--arrange", "plate")
    assert run.code == 0
    assert [row["path"] for row in run.manifest] == [f"{NAME}/F06/field_0.ome.xml", f"{NAME}/F06~590065/field_0.ome.xml"]
    assert len(contents(run)) == 2
    pairs = download(F06, A01, "--format", "metadata", "--arrange", "dataset")
    assert [row["path"] for row in pairs.manifest] == [f"{NAME}/F06_field_0.ome.xml", f"{NAME}/F06~590065_field_0.ome.xml"]


def test_of_two_wells_at_one_place_a_store_takes_the_first_and_says_so(download: Downloads, archive: Archive) -> None:
    second_well_at_f06(archive)
    run = download(F06, A01, "--format", "ome-zarr", "--arrange", "plate-store", "--z", "3", "--region", "0,0,64,32")
    assert run.code == 0, run.stderr
    assert [row["status"] for row in run.manifest] == ["done", "failed"]
    assert "another image" in run.manifest[1]["reason"]
    assert run.made == [f"{NAME}.ome.zarr"]


@pytest.mark.parametrize("later", [1239577, 1239777])
@pytest.mark.parametrize("arrangement", ["plate", "dataset"])
def test_a_plate_of_the_name_of_one_that_is_there_has_its_own_folder(download: Downloads, archive: Archive, later: int, arrangement: str) -> None:
    plate = {"data": {"@id": SPARSE_PLATE, "Name": NAME}}
    archive.faults.add("replace", f"/m/plates/{SPARSE_PLATE}/", body=json.dumps(plate), content_type="application/json", count=0)
    how = ("--format", "metadata", "--arrange", arrangement)
    first = download(later, *how)
    assert [row["path"].partition("/")[0] for row in first.manifest] == [NAME]
    again = download("--table", given_back(first), F06, A01, *how)
    assert again.code == 0, again.stderr
    assert [row["path"].partition("/")[0] for row in again.manifest] == [f"{NAME}~{FIRST_PLATE}"] * 2 + [NAME]
