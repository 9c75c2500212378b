"""Original files of a study straight from the IDR's tree, whose listings are pages nobody vouches for."""

from __future__ import annotations

from pathlib import Path

import pytest

from lightmicroscopy.archives.idr_tree import names_in
from tests.archives import Archive

from .idr_downloads import Downloads, asked

FOLDER = ("--format", "original", "--originals-from", "folder")
MIFISH = "idr0123-mota-mifish"


def page(*links: str, title: str = "Index of /pub/databases/IDR/x") -> str:
    rows = "\n".join(f'<a href="{link}">{link}</a> 2022-04-15' for link in links)
    return f"<!DOCTYPE html><html><head><title>{title}</title></head><body><h1>{title}</h1><pre>{rows}</pre></body></html>"


def first_manifest(download: Downloads) -> Path:
    return (download.folder / "manifest.tsv").rename(download.folder / "first.tsv")


@pytest.mark.parametrize("spec", ["idr0123", MIFISH, f"{MIFISH}/20211026-ftp", "https://idr.openmicroscopy.org/study/idr0123/"])
def test_every_file_of_the_study_is_fetched_with_its_licence(download: Downloads, archive: Archive, spec: str) -> None:
    with asked(archive) as paths:
        run = download(spec, *FOLDER)
    assert run.code == 0, run.stderr
    assert len(run.made) == 4
    assert all(path.startswith(f"{MIFISH}/20211026-ftp/") for path in run.made)
    assert [row["path"] for row in run.manifest] == run.made
    assert {(row["status"], row["item"], row["licence"]) for row in run.manifest} == {("done", MIFISH, "CC BY 4.0")}
    assert all(row["sha256"] and row["bytes"] for row in run.manifest)
    assert not [path for path in paths if "/images/" in path], "no image is asked about"


def test_only_a_plan_fetches_no_file_and_says_how_much_it_is(download: Downloads) -> None:
    run = download("idr9999", *FOLDER, "--plan-only")
    assert run.code == 0
    assert {row["path"]: row["bytes"] for row in run.manifest}["idr9999-invented-oddities/100GiB.bin"] == str(100 * 2**30)
    assert run.made == []


def test_more_than_is_allowed_is_refused_before_a_byte_is_fetched(download: Downloads) -> None:
    run = download("idr9999", *FOLDER, "--max-size", "1G")
    assert (run.code, run.made) == (2, [])
    many = download("idr0123", *FOLDER, "--max-items", "3")
    assert many.code == 2
    assert "3 that are allowed" in many.stderr


def test_a_manifest_fed_back_fetches_only_what_is_missing_and_lists_nothing(download: Downloads, archive: Archive) -> None:
    archive.faults.add("status", r"Dataset1\.companion\.ome", method="GET", service="originals", status=500, count=0)
    first = download("idr0123", *FOLDER)
    assert sorted(row["status"] for row in first.manifest) == ["done"] * 3 + ["failed"]
    archive.faults.clear()
    with asked(archive) as paths:
        again = download("--table", first_manifest(download), *FOLDER)
    assert again.code == 0
    assert [row["status"] for row in again.manifest] == ["done"] * 4
    fetched = {path for path in paths if path.startswith("originals")}
    assert fetched == {f"originals /pub/databases/IDR/{MIFISH}/20211026-ftp/Dataset1.companion.ome"}


def test_a_file_with_a_blank_in_its_name_is_fetched(download: Downloads) -> None:
    run = download("idr0117", *FOLDER)
    assert run.made == ["idr0117-croce-marimba/20210812-ftp/SkeT_16c.tif"]


def test_a_study_without_a_folder_is_told_and_costs_no_other(download: Downloads) -> None:
    run = download("idr0008 idr0117", *FOLDER)
    assert run.code == 0
    assert [row["status"] for row in run.manifest] == ["failed", "done"]
    assert "no folder" in run.manifest[0]["reason"]
    assert "--originals-from" in run.manifest[0]["reason"]
    assert download("idr0008", *FOLDER).code == 1


@pytest.mark.parametrize("spec", ["6001240", "plate:2551", "project:801"])
def test_only_studies_have_folders(download: Downloads, spec: str) -> None:
    run = download(spec, *FOLDER)
    assert run.code == 2
    assert "only studies" in run.stderr


@pytest.mark.parametrize("flags", [("--format", "ome-tiff"), ("--format", "original", "--z", "3")])
def test_files_of_a_folder_are_only_had_as_they_are(download: Downloads, flags: tuple[str, ...]) -> None:
    assert download("idr0123", "--originals-from", "folder", *flags).code == 2


@pytest.mark.parametrize("spec", ["idr0123/%2e%2e/x", "idr0123/%2e%2e/idr0117-croce-marimba", "idr0123/a%2Fb"])
def test_a_folder_is_never_left_by_what_the_user_names(download: Downloads, archive: Archive, spec: str) -> None:
    run = download(spec, *FOLDER)
    assert run.code == 2
    assert not [one for one in archive.asked("originals") if MIFISH not in one.path]


def test_a_folder_is_never_left_by_what_a_listing_says(download: Downloads, archive: Archive) -> None:
    odd = (
        "../",
        "/pub/databases/IDR/idr0117-croce-marimba/",
        "../idr0117-croce-marimba/",
        "%2e%2e/",
        "%2E%2E%2Fidr0117-croce-marimba/",
        "..%5cx",
        f"{archive.elsewhere}/",
        "//169.254.169.254/",
        "javascript:alert(1)",
        "file:///etc/passwd",
        "?C=N;O=D",
        "./",
        "a%00b",
        "x" * 300,
        "%E2%80%AEgnp.exe",
        "real.tif",
    )
    archive.faults.add("replace", f"/{MIFISH}/$", body=page(*odd), content_type="text/html", count=0)
    run = download("idr0123", *FOLDER, "--plan-only")
    assert run.code == 1, "the only plain name is not there"
    assert [row["source_url"].rpartition("/")[2] for row in run.manifest] == ["real.tif"]
    assert {one.path for one in archive.asked("originals")} <= {f"/pub/databases/IDR/{MIFISH}/", f"/pub/databases/IDR/{MIFISH}/real.tif"}
    assert not archive.asked("elsewhere")


def test_a_redirect_out_of_the_folder_is_not_followed(download: Downloads, archive: Archive) -> None:
    archive.faults.add("redirect", f"/{MIFISH}/$", target="/pub/databases/IDR/idr0117-croce-marimba/", count=0)
    run = download("idr0123", *FOLDER)
    assert run.code == 1
    assert "another place" in run.stderr


def test_folders_without_end_are_no_loop(download: Downloads, archive: Archive) -> None:
    archive.faults.add("replace", f"/{MIFISH}/.*/$|/{MIFISH}/$", body=page("again/"), content_type="text/html", count=0)
    run = download("idr0123", *FOLDER)
    assert run.code == 1
    assert "30 deep" in run.stderr


@pytest.mark.parametrize("text", [page("a.tif", title="Not Found"), "<html>", "", "a.tif", '{"a": 1}', "<a href='a.tif'>Index of</a>"])
def test_what_is_no_listing_is_none(text: str) -> None:
    assert names_in(text) is None


def test_a_server_that_lists_nothing_is_told_with_what_to_do(download: Downloads, archive: Archive) -> None:
    archive.faults.add("replace", f"/{MIFISH}/$", body=page("a.tif", title="Welcome"), content_type="text/html", count=0)
    run = download("idr0123", *FOLDER)
    assert run.code == 1
    assert "does not list" in run.stderr


def test_a_listing_is_read_whatever_its_order_and_icons() -> None:
    links = '<a href="?C=N;O=D">Name</a><a href="/x/">Parent Directory</a><img src="a"><a href="b%20c.tif">b c.tif</a><A HREF="d/">d/</A>'
    text = f"<title>Index of /x</title>{links}"
    assert names_in(text) == (["d"], ["b c.tif"])


def test_a_name_with_a_colon_is_a_name_as_apache_writes_it() -> None:
    assert names_in(page("./a:b.tif", "./T%3a1/", "c%3Ad.tif", "http:x.tif")) == (["T:1"], ["a:b.tif", "c:d.tif"])


def test_what_is_left_out_of_a_folder_for_its_name_is_told(download: Downloads, archive: Archive) -> None:
    odd = page("../", "/pub/", "?C=N;O=D", "20211026-ftp/", "a%5cb.tif", "c%0Ad.tif")
    archive.faults.add("replace", f"/{MIFISH}/$", body=odd, content_type="text/html", count=0)
    run = download("idr0123", *FOLDER, "--plan-only")
    assert len(run.manifest) == 4
    assert "2 names that no file here can have" in run.lines[0]
    assert "a%5cb.tif" in run.lines[0]


@pytest.mark.parametrize("url", ["http://169.254.169.254/x", "{base}/../x", "{base}/idr0123-mota-mifish/%2e%2e/x", "{base}/a?b"])
def test_a_manifest_that_names_files_elsewhere_is_refused(download: Downloads, archive: Archive, url: str) -> None:
    table = download.folder / "table.tsv"
    base = archive.endpoints["idr_originals"]
    table.write_text(f"item\tstatus\tsource_url\tpath\tsha256\n{MIFISH}\tplanned\t{url.format(base=base)}\n", encoding="utf-8")
    run = download("--table", table, *FOLDER)
    assert run.code == 2
    assert run.made == []


def test_what_a_folder_has_not_is_told(download: Downloads) -> None:
    run = download("idr0117", *FOLDER, "--plan-only", "--rois", download.folder / "rois.tsv", "--labels", download.folder / "maps")
    assert run.code == 0
    assert "belong to images" in run.stderr
    assert "Label maps are written with" in run.stderr


@pytest.mark.parametrize(("flag", "other"), [("--label-table", "--labels"), ("--bulk-columns", "--bulk-annotations")])
def test_a_table_of_what_is_not_asked_for_is_refused(download: Downloads, flag: str, other: str) -> None:
    run = download(6001240, "--format", "metadata", flag, download.folder / "x.tsv")
    assert run.code == 2
    assert other in run.stderr
