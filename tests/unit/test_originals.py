"""Where original files are kept, whatever an archive calls them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path, PurePosixPath

import pytest

from lightmicroscopy.archives.endpoints import Endpoints
from lightmicroscopy.archives.http import Client
from lightmicroscopy.archives.original_paths import original_path
from lightmicroscopy.archives.originals import Originals, fetching_originals
from lightmicroscopy.errors import ArchiveError, MissingError, UnreadableError, UsageError
from tests.archives import Archive

BASE = "https://example.org/pub/databases/IDR"
BIG = "/pub/databases/IDR/idr9999-invented-oddities/64MiB.bin"


def quiet(done: int, total: int) -> None:
    """Tell nobody."""


@pytest.fixture
def client(archive: Archive) -> Iterator[Client]:
    with Client(Endpoints(**archive.endpoints, configured=frozenset({"127.0.0.1"})), retries=0, sleep=lambda seconds: None) as client:
        yield client


@pytest.mark.parametrize(
    ("url", "path"),
    [
        (f"{BASE}/idr0001-graml/2015/a%20b.flex", "idr0001-graml/2015/a_b.flex"),
        (f"{BASE}/x/idr0001-graml/a.tif", "idr0001-graml/a.tif"),
        ("https://example.org/a/b/c.tif", "b/c.tif"),
        ("https://example.org/c.tif", "c.tif"),
        ("https://example.org/", "."),
        (f"{BASE}/idr0001-a/../../etc/passwd", "idr0001-a/file/file/etc/passwd"),
        (f"{BASE}/idr0001-a/%2e%2e/%2E%2e%2fpasswd", "idr0001-a/file/passwd"),
        (f"{BASE}/idr0001-a/%2Fetc%2Fpasswd", "idr0001-a/etc_passwd"),
        (f"{BASE}/idr0001-a/..%5C..%5Cx.tif", "idr0001-a/x.tif"),
        (f"{BASE}/idr0001-a/.hidden", "idr0001-a/hidden"),
        (f"{BASE}/idr0001-a/-rf", "idr0001-a/rf"),
        (f"{BASE}/idr0001-a/%00%0a%F0%9F%94%AC", "idr0001-a/_"),
        (f"{BASE}/idr0001-a/Zelle%C3%B8.tif", "idr0001-a/Zelleø.tif"),
        (f"{BASE}/idr0001-a/{'x' * 300}.tif", f"idr0001-a/{'x' * 120}"),
    ],
)
def test_a_kept_file_lies_below_its_study_under_a_safe_name(url: str, path: str) -> None:
    assert original_path(url) == PurePosixPath(path)


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("a%20b.tif", "a b.tif"),
        ("(1).tif", "(1).tif"),
        ("..", "file"),
        ("%2e", "file"),
        ("a%2Fb", "a_b"),
        ("a%5Cb", "a_b"),
        ("a%0Ab", "a_b"),
        (".x", "x"),
        ("y" * 121, "y" * 120),
    ],
)
def test_a_file_that_is_read_keeps_its_name_where_that_is_safe(name: str, kept: str) -> None:
    """Files of one set name each other."""
    assert original_path(f"{BASE}/idr0001-a/{name}", exact=True).name == kept


def test_the_scratch_folder_is_hidden_and_goes_whatever_happens(client: Client, tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt), fetching_originals(client, tmp_path, 1000, {}):
        (scratch,) = tmp_path.iterdir()
        assert scratch.name.startswith(".")
        (scratch / "half").write_text("x")
        raise KeyboardInterrupt
    assert list(tmp_path.iterdir()) == []


def test_no_file_grows_beyond_what_was_planned(client: Client, archive: Archive, tmp_path: Path) -> None:
    """The archive said 1,000 bytes when it was asked, and now sends without end."""
    archive.faults.add("endless", "64MiB", count=0)
    url = archive.base("originals") + BIG
    with fetching_originals(client, tmp_path, 10**9, {}) as originals:
        with pytest.raises(ArchiveError, match="at most 1,000 are allowed"):
            originals.keep(url, tmp_path / "a.bin", 1000, quiet)
        with pytest.raises(ArchiveError, match="at most 1,000 are allowed"):
            originals.open([url], [1000], quiet)
        assert sum(path.stat().st_size for path in tmp_path.rglob("*") if path.is_file()) <= 2000
    assert [path.name for path in tmp_path.iterdir() if not path.name.startswith(".")] == []


def test_a_missing_file_leaves_no_folder_behind(client: Client, archive: Archive, tmp_path: Path) -> None:
    with fetching_originals(client, tmp_path, 1000, {}) as originals, pytest.raises(MissingError):
        originals.keep(f"{archive.endpoints['idr_originals']}/idr0001-a/b/c.tif", tmp_path / "idr0001-a" / "b" / "c.tif", None, quiet)
    assert list(tmp_path.iterdir()) == []


def test_a_file_below_a_file_is_told(client: Client, archive: Archive, tmp_path: Path) -> None:
    (tmp_path / "idr0001-a").write_text("a file")
    with fetching_originals(client, tmp_path, 1000, {}) as originals, pytest.raises(ArchiveError, match="lies below another file"):
        originals.keep(f"{archive.endpoints['idr_originals']}/idr0001-a/c.tif", tmp_path / "idr0001-a" / "c.tif", None, quiet)


def test_a_dangling_link_in_the_output_folder_is_not_followed(client: Client, archive: Archive, tmp_path: Path) -> None:
    (tmp_path / "a.bin").symlink_to(tmp_path / "elsewhere")
    with fetching_originals(client, tmp_path, 1 << 30, {}) as originals, pytest.raises(UsageError, match=r"a\.bin is already in the output folder"):
        originals.keep(archive.base("originals") + BIG, tmp_path / "a.bin", None, quiet)
    assert not (tmp_path / "elsewhere").exists()


def test_what_no_reader_knows_is_forgotten_before_the_next(client: Client, archive: Archive, tmp_path: Path) -> None:
    base = archive.endpoints["idr_originals"]
    melanoma, sket = f"{base}/idr0109-zaritsky-melanoma/20210319-ftp/140605_A375.nd2", f"{base}/idr0117-croce-marimba/20210812-ftp/SkeT%2016c.tif"
    with fetching_originals(client, tmp_path, 1 << 30, {}) as originals:
        with pytest.raises(UnreadableError, match=r"A375\.nd2 is of no format .* with the format original\.$"):
            originals.open([melanoma], [None], quiet)
        with originals.open([sket], [None], quiet) as dataset:
            assert dataset.location.name == "SkeT 16c.tif"
        (scratch,) = tmp_path.iterdir()
        assert [path.name for path in scratch.rglob("*") if path.is_file()] == ["SkeT 16c.tif"]


def test_the_same_files_are_opened_again_without_a_request(client: Client, archive: Archive, tmp_path: Path) -> None:
    url = f"{archive.endpoints['idr_originals']}/idr0165-duinkerken-hyperspectraledx/Figure1_Multichannel.ome.tif"
    with fetching_originals(client, tmp_path, 1 << 30, {}) as originals:
        for _ in range(3):
            with originals.open([url], [None], quiet) as dataset:
                assert len(dataset.images) == 2
    assert len(archive.asked("originals")) == 1


def test_a_fetcher_is_its_callers_alone(client: Client, tmp_path: Path) -> None:
    """Two calls into one folder do not meet."""
    with fetching_originals(client, tmp_path, 1, {}) as one, fetching_originals(client, tmp_path, 1, {}) as other:
        assert isinstance(one, Originals)
        assert one is not other
        assert len(list(tmp_path.iterdir())) == 2
