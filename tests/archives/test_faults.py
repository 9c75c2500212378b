"""Everything that the stand-in can do wrong, seen by a client that trusts it."""

from __future__ import annotations

import gzip
import http.client
import json
import time
from pathlib import Path

import pytest

from . import Archive
from .asking import ask
from .faults import KINDS, Fault

IMAGE = "/api/v0/m/images/6001240/"
CHUNK = "/idr/zarr/v0.4/idr0062A/6001240.zarr/0/0/118/0/0"


def test_a_status_with_a_page_of_the_proxy(archive: Archive) -> None:
    archive.faults.add("status", "/images/6001240", status=502, count=2)
    answers = [ask(archive.base("web") + IMAGE) for _ in range(3)]
    assert [answer.status for answer in answers] == [502, 502, 200]
    assert b"502 Bad Gateway" in answers[0].body


def test_a_status_with_json_and_a_time_to_wait(archive: Archive) -> None:
    archive.faults.add("status", status=429, body='{"message": "slow down"}', retry_after="7")
    answer = ask(archive.base("web") + IMAGE)
    assert (answer.status, answer.json, answer.headers["Retry-After"]) == (429, {"message": "slow down"}, "7")


def test_only_the_requests_that_are_meant(archive: Archive) -> None:
    fault = archive.faults.add("status", "/projects/", status=500, first=2, count=1, method="GET", service="web")
    url = f"{archive.base('web')}/api/v0/m/projects/?limit=0"
    assert [ask(archive.base("web") + IMAGE).status, *(ask(url).status for _ in range(3))] == [200, 200, 500, 200]
    assert (fault.seen, fault.happened) == (3, 1)


def test_a_connection_that_is_reset_at_once_or_within_the_body(archive: Archive) -> None:
    archive.faults.add("reset", "images")
    with pytest.raises(ConnectionResetError):
        ask(archive.base("web") + IMAGE)
    archive.faults.add("reset", "118/0/0", bytes=100)
    with pytest.raises((ConnectionResetError, http.client.IncompleteRead)):
        ask(archive.base("objects") + CHUNK)


def test_a_body_that_ends_too_early(archive: Archive) -> None:
    archive.faults.add("truncate", "118/0/0", bytes=100)
    with pytest.raises(http.client.IncompleteRead) as caught:
        ask(archive.base("objects") + CHUNK)
    assert len(caught.value.partial) == 100


def test_a_length_that_is_too_short(archive: Archive) -> None:
    whole = ask(archive.base("objects") + CHUNK).body
    archive.faults.add("short-length", "118/0/0", bytes=9)
    assert ask(archive.base("objects") + CHUNK).body == whole[:-9]


def test_an_answer_that_never_comes(archive: Archive) -> None:
    archive.faults.add("never", "images")
    with pytest.raises(TimeoutError):
        ask(archive.base("web") + IMAGE, timeout=0.1)


def test_an_answer_that_comes_late_and_one_that_drips(archive: Archive) -> None:
    archive.faults.add("delay", "images", seconds=0.1)
    archive.faults.add("drip", ".zgroup", seconds=0.01, bytes=2)
    started = time.monotonic()
    assert ask(archive.base("web") + IMAGE).status == 200
    assert time.monotonic() - started >= 0.1
    started = time.monotonic()
    assert len(ask(f"{archive.base('objects')}/idr/zarr/v0.4/idr0062A/6001240.zarr/.zgroup").body) == 24
    assert time.monotonic() - started >= 0.1


def test_one_wrong_bit(archive: Archive) -> None:
    whole = ask(archive.base("objects") + CHUNK)
    archive.faults.add("corrupt", "118/0/0", offset=50)
    bad = ask(archive.base("objects") + CHUNK)
    assert [place for place, (a, b) in enumerate(zip(whole.body, bad.body, strict=True)) if a != b] == [50]
    assert bad.headers["ETag"] == whole.headers["ETag"]


def test_a_page_where_json_is_meant(archive: Archive) -> None:
    archive.faults.add("html", "images")
    answer = ask(archive.base("web") + IMAGE)
    assert (answer.status, answer.headers["Content-Type"]) == (200, "text/html; charset=utf-8")


@pytest.mark.parametrize("target", ["{elsewhere}/x", "http://169.254.169.254/latest/meta-data/", "file:///etc/passwd", "{self}", "{base}/api/"])
def test_redirects_that_lead_away_or_in_a_circle(archive: Archive, target: str) -> None:
    archive.faults.add("redirect", "images", target=target, status=307)
    answer = ask(archive.base("web") + IMAGE)
    own = archive.base("web")
    expected = target.replace("{elsewhere}", archive.elsewhere).replace("{self}", own + IMAGE).replace("{base}", own)
    assert (answer.status, answer.headers["Location"]) == (307, expected)
    assert not archive.asked("elsewhere")


def test_a_body_without_end(archive: Archive) -> None:
    archive.faults.add("endless", "118/0/0", limit=300_000)
    with pytest.raises(http.client.IncompleteRead) as caught:
        ask(archive.base("objects") + CHUNK)
    assert len(caught.value.partial) > 250_000


def test_a_small_body_that_is_big_when_unpacked(archive: Archive) -> None:
    archive.faults.add("gzip-bomb", "images", limit=20_000_000)
    answer = ask(archive.base("web") + IMAGE)
    assert answer.headers["Content-Encoding"] == "gzip"
    assert len(answer.body) < 100_000
    assert len(gzip.decompress(answer.body)) == 20_000_000


@pytest.mark.parametrize("limit", [100, 1_000, 300_007])
def test_huge_json_is_json(archive: Archive, limit: int) -> None:
    archive.faults.add("huge-json", "images", limit=limit)
    answer = ask(archive.base("web") + IMAGE)
    assert limit - 12 < len(answer.body) <= limit
    assert set(json.loads(answer.body)) == {"invented", ""}


def test_a_session_that_ended(archive: Archive) -> None:
    cookie = ask(f"{archive.base('web')}/webclient/?experimenter=-1").headers["Set-Cookie"].partition(";")[0]
    archive.faults.add("session", "images")
    assert ask(archive.base("web") + IMAGE, Cookie=cookie).json == {"message": "Not logged in"}
    assert ask(archive.base("web") + IMAGE, Cookie=cookie).headers["Set-Cookie"] is not None


def test_an_error_of_the_server_itself(archive: Archive) -> None:
    archive.faults.add("json-error", "images")
    answer = ask(archive.base("web") + IMAGE)
    assert (answer.status, sorted(answer.json)) == (500, ["message", "stacktrace"])


def test_lists_that_lie(archive: Archive) -> None:
    lists = f"{archive.base('web')}/api/v0/m/projects/"
    archive.faults.add("lie", "/projects/", value=7)
    assert ask(lists).json["meta"]["totalCount"] == 7
    search = f"{archive.endpoints['idr_search']}/image/search/?key=Organism&value=multitudo+inventa"
    archive.faults.add("lie", "/search/", count=0, what="bookmark", value=99000100)
    assert [ask(search).json["results"]["bookmark"] for _ in range(2)] == [[99000100], [99000100]]


def test_an_object_that_changes_between_two_ranges(archive: Archive) -> None:
    url = archive.base("objects") + CHUNK
    before = ask(url, Range="bytes=0-99")
    archive.faults.add("etag", "118/0/0")
    after = ask(url, Range="bytes=100-199")
    assert before.headers["ETag"] != after.headers["ETag"]


def test_a_range_that_is_ignored_and_one_that_is_another(archive: Archive) -> None:
    url = archive.base("objects") + CHUNK
    archive.faults.add("no-range", "118/0/0")
    assert ask(url, Range="bytes=0-99").status == 200
    archive.faults.add("wrong-range", "118/0/0", offset=5)
    assert ask(url, Range="bytes=0-99").headers["Content-Range"].startswith("bytes 5-104/")


def test_another_body(archive: Archive) -> None:
    archive.faults.add("replace", "images", body="[1, 2", content_type="application/json")
    assert ask(archive.base("web") + IMAGE).body == b"[1, 2"


def test_faults_of_a_file_are_taken_when_it_changes(tmp_path: Path) -> None:
    file = tmp_path / "faults.json"
    with Archive(faults=file) as archive:
        url = archive.base("web") + IMAGE
        assert ask(url).status == 200
        file.write_text(json.dumps([{"kind": "status", "status": 503, "count": 0}]))
        assert ask(url).status == 503
        file.unlink()
        assert ask(url).status == 200


def test_a_fault_that_is_none() -> None:
    with pytest.raises(ValueError, match="'explode' is no fault"):
        Fault("explode")


def test_every_fault_is_described_for_people() -> None:
    text = (Path(__file__).parent / "README.md").read_text(encoding="utf-8")
    assert [kind for kind in KINDS if f"`{kind}`" not in text] == []
