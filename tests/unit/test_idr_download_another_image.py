"""Where the pixels of an image are missing on the server, those of its neighbour are never taken for them; nor is a result put elsewhere."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.archives import Archive

from .http_servers import serving
from .idr_downloads import Downloads

IN_A_PLATE, STORE = 3407079, "171961d7-6cca-4201-87e4-449ff3880d48"


@pytest.mark.parametrize("gone", ["/B/7/0/", "/B/7/"])
def test_a_field_that_is_missing_in_its_plate_is_not_the_next_field(gone: str, download: Downloads, archive: Archive) -> None:
    archive.faults.add("status", f"{STORE}.zarr{gone}", service="objects", status=404, count=0)
    run = download(IN_A_PLATE)
    assert (run.code, run.made, run.statuses) == (1, [], [(f"image-{IN_A_PLATE}", "failed")])
    assert "no image is known by a number alone" in run.manifest[0]["reason"]


def test_files_that_claim_more_than_any_number_can_hold_are_refused_by_the_limit(download: Downloads, archive: Archive) -> None:
    folder = "uod/idr/filesets/idr0117-croce-marimba/20210812-ftp"
    files = json.dumps({"repo": [], "client": [f"{folder}/{number}.tif" for number in range(12)]})
    archive.faults.add("replace", "/webgateway/original_file_paths/", service="web", count=0, body=files, content_type="application/json")
    with serving(b"HTTP/1.1 200 OK\r\nContent-Length: 999999999999999999\r\n\r\n") as server:
        run = download(13441308, idr_originals=f"{server.url}/pub/databases/IDR")
    assert (run.code, run.made) == (2, [])
    assert "--max-size" in run.lines[-1]


def test_a_link_planted_in_the_output_folder_leads_nowhere(download: Downloads, tmp_path: Path) -> None:
    elsewhere, out = tmp_path / "elsewhere", tmp_path / "out"
    elsewhere.mkdir()
    out.mkdir()
    (out / "idr0117-croce-marimba").symlink_to(elsewhere)
    run = download(13441308, "--format", "original")
    assert run.code != 0
    assert "leads out of it" in run.stderr
    assert list(elsewhere.iterdir()) == []
