"""An archive that means harm: it cannot write outside the output, fill the disk, lead the client away or make it loop."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from lightmicroscopy.archives import ahead
from tests.archives import Archive
from tests.archives.asking import ask

from .idr_downloads import Downloads, Run, listing

SKET, MOVED, SLASHED, NO_PIXELS = 13441308, 4007821, 99000004, 99000001
JSON = "application/json"


@pytest.fixture(autouse=True)
def _nothing_is_asked_or_written_elsewhere(archive: Archive, tmp_path: Path) -> Iterator[None]:
    (tmp_path.parent / "canary").write_text("alive")
    before = set(tmp_path.parent.iterdir())
    yield
    assert archive.asked("elsewhere") == []
    assert set(tmp_path.parent.iterdir()) == before
    allowed = {"out", "manifest.tsv", "images.tsv", "annotations.tsv"}
    assert {path.name for path in tmp_path.iterdir()} <= allowed
    assert not any(path.is_symlink() for path in tmp_path.rglob("*"))


def says(archive: Archive, path: str, change: Callable[[Any], object], **fault: Any) -> None:
    """Let the archive answer what it does, changed."""
    value = ask(archive.base("web") + path).json
    change(value)
    pattern = path.partition("?")[0]
    archive.faults.add("replace", pattern, service="web", count=0, body=json.dumps(value), content_type=JSON, **fault)


def called(archive: Archive, number: int, name: str) -> None:
    says(archive, f"/api/v0/m/images/{number}/", lambda value: value["data"].__setitem__("Name", name))


@pytest.mark.parametrize(
    ("name", "stem"),
    [
        ("../../../etc/cron.d/x", "etc_cron.d_x"),
        ("/etc/passwd", "etc_passwd"),
        ("..", "image"),
        ("a\\b\\..\\c", "a_b_.._c"),
        ("Zelle ø 🔬 µm.tif", "Zelle_ø_µm"),
        ("x" * 300, "x" * 100),
        ("é" * 200, "é" * 50),
        ("CON\x00\x1b[2J\u202egnp", None),
        ("--output=/", "output"),
        ("a.ome.tiff", "a"),
        ("line\nbreak\ttab", "line_break_tab"),
        ("$(reboot);`x`|y", None),
    ],
)
def test_a_name_becomes_a_file_name_and_nothing_else(name: str, stem: str | None, archive: Archive, download: Downloads) -> None:
    called(archive, NO_PIXELS, name)
    run = download(NO_PIXELS, "--format", "metadata")
    assert run.code == 0
    (made,) = run.made
    assert made.startswith(f"{NO_PIXELS}_")
    assert len(made.encode()) < 150
    assert stem is None or made == f"{NO_PIXELS}_{stem}.ome.xml"
    assert not set(made) & set("/\\$;|`\x1b\u202e\0\n ")
    assert [row["path"] for row in run.manifest] == [made]
    assert len(run.images) == 1


def test_names_that_differ_only_in_what_is_dropped_do_not_meet(archive: Archive, download: Downloads) -> None:
    called(archive, NO_PIXELS, "a/b")
    called(archive, SLASHED, "a:b")
    assert download(NO_PIXELS, SLASHED, "--format", "metadata").made == ["99000001_a_b.ome.xml", "99000004_a_b.ome.xml"]


def client_path(archive: Archive, download: Downloads, *paths: str, wanted: str = "original") -> Run:
    """Download an image that the archive says was imported from there."""
    says(archive, f"/webgateway/original_file_paths/{SKET}/", lambda value: value.__setitem__("client", list(paths)))
    return download(SKET, "--format", wanted)


@pytest.mark.parametrize(
    "path",
    [
        "uod/idr/filesets/../../../../etc/passwd",
        "uod/idr/filesets/idr0117-croce-marimba/../../x.tif",
        "/etc/passwd",
        "file:///etc/passwd",
        "\\\\host\\share\\x.tif",
        "http://169.254.169.254/latest/meta-data/x.tif",
        "https://user:password@livingobjects.ebi.ac.uk/x.zarr/.zattrs",
        "s3://evil.example/x.zarr/.zattrs",
        "gopher://evil.example/x.tif",
        "C:\\data\\x.tif",
        "uod/idr/filesets/idr0117-croce-marimba/\x00.tif",
    ],
)
@pytest.mark.parametrize("wanted", ["original", "ome-tiff"])
def test_a_client_path_that_leads_away_leads_nowhere(path: str, wanted: str, archive: Archive, download: Downloads) -> None:
    run = client_path(archive, download, path, wanted=wanted)
    assert (run.code, run.made) == (1, [])
    assert "are nowhere to be had" in run.lines[0]
    assert archive.asked("originals") == archive.asked("objects") == []


@pytest.mark.parametrize(
    "target", ["{elsewhere}/x", "//127.0.0.1:1/x", "http://127.0.0.1:22/", "http://[::1]/x", "file:///etc/passwd", "ftp://127.0.0.1/x"]
)
@pytest.mark.parametrize(("service", "path"), [("web", "/api/v0/m/images/"), ("originals", "SkeT"), ("web", "/webclient/")])
def test_a_redirect_away_is_not_followed(target: str, service: str, path: str, archive: Archive, download: Downloads) -> None:
    archive.faults.add("redirect", path, service=service, count=0, target=target)
    run = download(SKET)
    assert (run.code, run.made) == (1, [])
    assert len(run.lines) == 1


def test_cookies_of_the_session_go_to_the_web_service_only(archive: Archive, download: Downloads) -> None:
    assert download(SKET, MOVED, "--z", 0).code == 0
    with_cookie = {one.service for one in archive.asked() if "cookie" in one.headers}
    assert with_cookie == {"web"}


def test_a_file_that_is_longer_than_planned_is_given_up_at_its_planned_length(archive: Archive, download: Downloads) -> None:
    archive.faults.add("endless", "SkeT", service="originals", method="GET", count=0, limit=1 << 30)
    run = download(SKET, "--format", "original")
    assert (run.code, run.made) == (1, [])
    assert "went on and on, where at most 57,792 are allowed" in run.lines[0]
    assert sum(one.sent for one in archive.asked("originals")) < 5_000_000


def test_an_image_that_has_grown_since_it_was_planned_is_not_fetched(archive: Archive, download: Downloads, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of many images the first stay open; the others are planned again when it is their turn."""
    monkeypatch.setattr(ahead, "KEPT_OPEN", 16)
    crowd = range(99000100, 99000117)
    body = ask(f"{archive.base('web')}/api/v0/m/images/{SKET}/").json
    says(archive, f"/webgateway/original_file_paths/{SKET}/", lambda value: None)
    assert body["data"]["@id"] == SKET
    paths = ask(f"{archive.base('web')}/webgateway/original_file_paths/{SKET}/").body.decode()
    archive.faults.add("replace", "/webgateway/original_file_paths/990001", service="web", count=0, body=paths, content_type=JSON)
    big = json.dumps({"client": ["uod/idr/filesets/idr9999-invented-oddities/64MiB.bin"], "fileset": {"id": 1}})
    run = None
    archive.faults.add("replace", f"/original_file_paths/{crowd[-1]}/", service="web", first=2, count=0, body=big, content_type=JSON)
    archive.faults._faults.reverse()
    run = download(*crowd)
    assert run.statuses[-1] == (f"image-{crowd[-1]}", "failed")
    assert "was planned with 57.8 kB and is larger now: 67.1 MB. Plan it anew." in run.manifest[-1]["reason"]
    assert {one.method for one in archive.asked("originals", "64MiB")} == {"HEAD"}


def test_files_that_are_kept_as_they_are_are_those_that_were_planned(archive: Archive, download: Downloads) -> None:
    """The IDR is not asked again when it is their turn, however many there are."""
    crowd = range(99000100, 99000117)
    paths = ask(f"{archive.base('web')}/webgateway/original_file_paths/{SKET}/").body.decode()
    archive.faults.add("replace", "/webgateway/original_file_paths/990001", service="web", count=0, body=paths, content_type=JSON)
    run = download(*crowd, "--format", "original")
    assert run.code == 0
    assert [status for _, status in run.statuses] == ["done"] * 17
    assert len(archive.asked("web", "/webgateway/original_file_paths/990001")) == 17
    assert len([one for one in archive.asked("originals", "SkeT") if one.method == "GET"]) == 1, "a file of several images is fetched once"


def test_an_archive_of_other_sizes_than_it_says_is_another_image(archive: Archive, download: Downloads) -> None:
    says(archive, f"/api/v0/m/images/{MOVED}/", lambda value: value["data"]["Pixels"].__setitem__("SizeZ", 11))
    run = download(MOVED, "--z", 0)
    assert (run.code, run.made) == (1, [])
    assert "is another image: it is 108 × 116 × 12 × 1 × 3 in x, y, z, c, t" in run.lines[0]


@pytest.mark.parametrize(
    "sizes",
    [
        {"SizeX": 10**9, "SizeY": 10**9},
        {"SizeX": 0},
        {"SizeX": -5},
        {"SizeX": "many"},
        {"SizeX": 2**80},
        {"SizeC": 10**6},
        {"Type": {"value": "complex"}},
    ],
    ids=str,
)
def test_sizes_no_image_has_cost_no_memory(sizes: dict[str, Any], archive: Archive, download: Downloads) -> None:
    says(archive, f"/api/v0/m/images/{MOVED}/", lambda value: value["data"]["Pixels"].update(sizes))
    run = download(MOVED, "--format", "ome-tiff")
    assert (run.code, run.made) == (1, [])
    assert len(run.lines) == 1


def test_pages_that_never_end_end(archive: Archive, download: Downloads) -> None:
    """Every page of annotations is the first one, and full."""
    one = {"id": 1, "ns": "x", "class": "MapAnnotationI", "values": [["a", "b"]], "link": {"id": 1, "parent": {"class": "ImageI", "id": NO_PIXELS}}}
    body = json.dumps(
        {"annotations": [{**one, "id": number, "link": {**one["link"], "id": number}} for number in range(1, 501)], "experimenters": []}
    )
    archive.faults.add("replace", rf"/webclient/api/annotations/\?type=map&image={NO_PIXELS}", count=0, body=body, content_type=JSON)
    run = download(NO_PIXELS, "--format", "metadata")
    assert run.code == 0
    assert len(run.annotations) == 500
    assert len(archive.asked("web", "/webclient/api/annotations/")) < 6


def test_annotations_with_tabs_and_newlines_stay_in_their_cells(archive: Archive, download: Downloads) -> None:
    evil = "a\tb\nimage-1\tdone\t\r\n\0\x1b[31m\u2028</td><script>"
    says(
        archive,
        f"/webclient/api/annotations/?type=map&image={99000007}&page=1&limit=500",
        lambda value: value["annotations"][0]["values"].__setitem__(0, [evil, evil]),
    )
    run = download(99000007, "--format", "metadata")
    assert run.code == 0
    row = next(row for row in run.annotations if row["key"].startswith("a b"))
    assert row["key"] == row["value"] == "a b image-1 done [31m </td><script>"
    assert {row["object_id"] for row in run.annotations} == {"99000007"}


def test_a_link_that_waits_in_the_output_folder_is_not_written_through(archive: Archive, download: Downloads, tmp_path: Path) -> None:
    target = tmp_path.parent / "canary"
    (tmp_path / "out").mkdir()
    link = tmp_path / "out" / f"{NO_PIXELS}_metadata_only.ome.xml"
    link.symlink_to(target)
    run = download(NO_PIXELS, "--format", "metadata")
    assert run.code == 2
    assert target.read_text() == "alive"
    link.unlink()
    assert listing(tmp_path / "out") == []


def test_a_store_of_another_pixel_type_is_another_image(archive: Archive, download: Downloads) -> None:
    says(archive, "/api/v0/m/images/4007821/", lambda value: value["data"]["Pixels"]["Type"].__setitem__("value", "float"))
    run = download(4007821)
    assert (run.code, run.made) == (1, [])
    assert "its pixels are uint16, where the IDR has float32" in run.manifest[0]["reason"]


def test_pixels_that_are_only_the_fill_value_are_said_to_be(archive: Archive, download: Downloads) -> None:
    archive.faults.add("status", r"b2633930.*\.zarr/0/0/[0-9]", service="objects", status=404, count=0)
    run = download(4007821)
    assert run.code == 0
    assert "no chunk at all is there" in run.manifest[0]["reason"]
