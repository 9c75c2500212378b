"""Files fetched to disk: whole, resumed, checked, or not at all."""

from __future__ import annotations

import fcntl
import gzip
import hashlib
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from lightmicroscopy.archives.http import Client
from lightmicroscopy.errors import ArchiveError, MissingError, TooLongError, UnwritableError, UsageError

from .http_servers import RESET, Naps, Request, client_for, reply, reply_file, serving

DATA = bytes(range(256)) * 12_000
SHA256 = hashlib.sha256(DATA).hexdigest()
LIMIT = 10_000_000


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_file_arrives_whole_under_its_name_with_its_checksum(tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    with serving(lambda request: reply_file(DATA, request)) as server, client_for(server) as client:
        fetched = client.download(f"{server.url}/a.tif", tmp_path / "a.tif", limit=LIMIT, expected=len(DATA), progress=lambda *now: told.append(now))
    assert (tmp_path / "a.tif").read_bytes() == DATA
    assert (fetched.bytes, fetched.sha256, fetched.server_checksum, fetched.attempts) == (len(DATA), SHA256, "", 1)
    assert (fetched.url, fetched.path) == (f"{server.url}/a.tif", tmp_path / "a.tif")
    assert names(tmp_path) == ["a.tif"]
    assert told[-1] == (len(DATA), len(DATA))
    assert told == sorted(told)


def test_an_empty_file_is_a_file(tmp_path: Path) -> None:
    with serving(reply(b"")) as server, client_for(server) as client:
        assert client.download(f"{server.url}/a", tmp_path / "a", limit=0, expected=0).bytes == 0
    assert names(tmp_path) == ["a"]


def test_a_file_without_a_declared_length(tmp_path: Path) -> None:
    chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"
    with serving(chunked) as server, client_for(server) as client:
        client.download(f"{server.url}/a", tmp_path / "a", limit=5)
        with pytest.raises(TooLongError):
            client.download(f"{server.url}/a", tmp_path / "b", limit=4)
        with pytest.raises(ArchiveError, match="has 5 bytes, where 7 were expected"):
            client.download(f"{server.url}/a", tmp_path / "c", limit=10, expected=7)
    assert names(tmp_path) == ["a"]


def test_what_breaks_off_is_continued_where_it_stopped(tmp_path: Path) -> None:
    naps = Naps()
    with serving(lambda request: reply_file(DATA, request, most=700_000)) as server, client_for(server, naps=naps) as client:
        fetched = client.download(f"{server.url}/a", tmp_path / "a", limit=LIMIT)
        assert client.bytes_received == len(DATA)
    assert (fetched.sha256, fetched.attempts) == (SHA256, 5)
    assert naps == [1] * 4
    assert [request.headers.get("range") for request in server.requests[:3]] == [None, "bytes=700000-", "bytes=1400000-"]
    assert server.requests[1].headers["if-range"] == '"v1"'
    assert names(tmp_path) == ["a"]


def test_a_download_that_gets_nowhere_ends_and_is_continued_by_the_next_call(tmp_path: Path) -> None:
    reachable = 1_000_000

    def handler(request: Request) -> bytes:
        return reply_file(DATA, request, most=max(0, reachable - int(request.headers.get("range", "bytes=0-")[6:-1])))

    with serving(handler) as server, client_for(server) as client:
        with pytest.raises(ArchiveError, match=r"ended after 0 of 2,072,000 bytes, after 6 tries"):
            client.download(f"{server.url}/a", tmp_path / "a", limit=LIMIT)
        assert names(tmp_path) == [".a.part", ".a.part.json"]
        assert (tmp_path / ".a.part").read_bytes() == DATA[:1_000_000]
        assert server.url not in (tmp_path / ".a.part.json").read_text()
        reachable = 1 << 60
        before = client.bytes_received
        assert client.download(f"{server.url}/a", tmp_path / "a", limit=LIMIT).sha256 == SHA256
        assert client.bytes_received - before == len(DATA) - 1_000_000
    assert names(tmp_path) == ["a"]


def interrupted(client: Client, url: str, path: Path) -> None:
    """Leave behind what a killed process leaves: a part of at least a megabyte."""

    def stop(done: int, _: int) -> None:
        if done > 1_000_000:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        client.download(url, path, limit=LIMIT, progress=stop)
    assert names(path.parent) == [f".{path.name}.part", f".{path.name}.part.json"]


def test_a_part_of_another_version_of_the_file_is_thrown_away(tmp_path: Path) -> None:
    version = ['"v1"', DATA]

    def handler(request: Request) -> bytes:
        return reply_file(bytes(version[1]), request, str(version[0]))  # type: ignore[arg-type]

    with serving(handler) as server, client_for(server) as client:
        interrupted(client, f"{server.url}/a", tmp_path / "a")
        version[:] = ['"v2"', DATA[::-1]]
        fetched = client.download(f"{server.url}/a", tmp_path / "a", limit=LIMIT)
    assert fetched.sha256 == hashlib.sha256(DATA[::-1]).hexdigest()
    assert names(tmp_path) == ["a"]


def test_a_part_of_another_url_is_thrown_away(tmp_path: Path) -> None:
    with serving(lambda request: reply_file(DATA, request)) as server, client_for(server) as client:
        interrupted(client, f"{server.url}/a?v=1", tmp_path / "a")
        client.download(f"{server.url}/a?v=2", tmp_path / "a", limit=LIMIT)
        assert "range" not in server.requests[-1].headers
    assert (tmp_path / "a").read_bytes() == DATA


@pytest.mark.parametrize("note", [b"", b"{}", b"[]", b"\xff", b'{"url": 1}', b"[" * 5000, None])
def test_a_damaged_note_only_costs_the_part(tmp_path: Path, note: bytes | None) -> None:
    with serving(lambda request: reply_file(DATA, request)) as server, client_for(server) as client:
        interrupted(client, f"{server.url}/a", tmp_path / "a")
        if note is None:
            (tmp_path / ".a.part.json").unlink()
        else:
            (tmp_path / ".a.part.json").write_bytes(note)
        assert client.download(f"{server.url}/a", tmp_path / "a", limit=LIMIT).sha256 == SHA256
    assert names(tmp_path) == ["a"]


def test_a_part_that_is_already_whole_or_too_long_is_finished(tmp_path: Path) -> None:
    for number, there in enumerate((DATA, DATA + b"more", DATA[:-1])):
        with serving(lambda request: reply_file(DATA, request)) as server, client_for(server) as client:
            folder = tmp_path / str(number)
            folder.mkdir()
            interrupted(client, f"{server.url}/a", folder / "a")
            (folder / ".a.part").write_bytes(there)
            assert client.download(f"{server.url}/a", folder / "a", limit=LIMIT).sha256 == SHA256
            assert server.requests[-1].headers["range"] == f"bytes={len(DATA) - 1}-"


def test_a_file_that_changes_while_it_is_fetched_starts_anew(tmp_path: Path) -> None:
    new = DATA[::-1]
    liar = {'"v1"': DATA, '"v2"': new}

    def ignores_if_range(request: Request) -> bytes:
        tag = '"v1"' if len(server.requests) == 1 else '"v2"'
        # Such a server compares nothing, and gives the end of another file than it gave the beginning of.
        request.headers.pop("if-range", None)
        return reply_file(liar[tag], request, tag, most=1_000_000 if len(server.requests) == 1 else 1 << 60)

    with serving(ignores_if_range) as server, client_for(server) as client:
        assert client.download(f"{server.url}/a", tmp_path / "a", limit=LIMIT).sha256 == hashlib.sha256(new).hexdigest()
    assert len(server.requests) == 3


BROKEN = reply(DATA[:300_000], length=len(DATA), ETag='"v1"', Connection="close")


@pytest.mark.parametrize(
    "resumed",
    [
        reply(DATA[300_001:], 206, ETag='"v1"', Content_Range=f"bytes 300001-{len(DATA) - 1}/{len(DATA)}"),
        reply(DATA[300_000:], 206, ETag='"v1"', Content_Range=f"bytes 300000-{len(DATA)}/{len(DATA) + 1}"),
        reply(DATA[300_000:], 206, ETag='"v1"'),
        reply(b"", 416, Content_Range=f"bytes */{len(DATA)}"),
        reply(DATA, 200, ETag='"v1"'),
    ],
    ids=["another part", "of another length", "no Content-Range", "unsatisfiable", "whole"],
)
def test_a_wrong_continuation_never_ends_up_in_the_file(tmp_path: Path, resumed: bytes) -> None:
    answers = iter([BROKEN, resumed])
    with serving(lambda request: next(answers, reply_file(DATA, request))) as server, client_for(server) as client:
        assert client.download(f"{server.url}/a", tmp_path / "a", limit=LIMIT).sha256 == SHA256


@pytest.mark.parametrize("tag", ["", 'W/"v1"', "v1", '"a"b"'])
def test_without_a_reliable_tag_nothing_is_continued(tmp_path: Path, tag: str) -> None:
    broken = reply(DATA[:300_000], length=len(DATA), Connection="close", **({"ETag": tag} if tag else {}))
    answers = iter([broken, reply(DATA)])
    with serving(lambda _: next(answers)) as server, client_for(server) as client:
        assert client.download(f"{server.url}/a", tmp_path / "a", limit=LIMIT).sha256 == SHA256
    assert "range" not in server.requests[1].headers


def test_a_date_serves_as_well_as_a_tag(tmp_path: Path) -> None:
    date = "Tue, 03 Mar 2026 10:00:00 GMT"
    broken = reply(DATA[:300_000], length=len(DATA), Connection="close", Last_Modified=date)
    answers = iter([broken, reply(DATA[300_000:], 206, Content_Range=f"bytes 300000-{len(DATA) - 1}/{len(DATA)}", Last_Modified=date)])
    with serving(lambda _: next(answers)) as server, client_for(server) as client:
        assert client.download(f"{server.url}/a", tmp_path / "a", limit=LIMIT).sha256 == SHA256
    assert server.requests[1].headers["if-range"] == date


def test_a_part_of_a_newer_file_of_the_same_length_is_told_by_its_date(tmp_path: Path) -> None:
    """From a server without tags that takes no notice of If-Range."""
    old, new = "Tue, 03 Mar 2026 10:00:00 GMT", "Wed, 04 Mar 2026 10:00:00 GMT"
    broken = reply(DATA[::-1][:300_000], length=len(DATA), Connection="close", Last_Modified=old)
    rest = reply(DATA[300_000:], 206, Content_Range=f"bytes 300000-{len(DATA) - 1}/{len(DATA)}", Last_Modified=new)
    answers = iter([broken, rest, reply(DATA, Last_Modified=new)])
    with serving(lambda _: next(answers)) as server, client_for(server) as client:
        assert client.download(f"{server.url}/a", tmp_path / "a", limit=LIMIT).sha256 == SHA256


def test_a_rest_of_what_nobody_knows_the_length_of_is_not_taken_for_all_of_it(tmp_path: Path) -> None:
    head = b'HTTP/1.1 200 X\r\nTransfer-Encoding: chunked\r\nETag: "v1"\r\nConnection: close\r\n\r\n'
    broken = head + b"493e0\r\n" + DATA[:300_000] + b"\r\n"
    rest = reply(DATA[300_000:400_000], 206, ETag='"v1"', Content_Range="bytes 300000-399999/*")
    answers = iter([broken, rest, reply(DATA, ETag='"v1"')])
    with serving(lambda _: next(answers)) as server, client_for(server) as client:
        assert client.download(f"{server.url}/a", tmp_path / "a", limit=LIMIT).sha256 == SHA256
    assert len(server.requests) == 3


# Checks


def md5_tag(data: bytes) -> str:
    return f'"{hashlib.md5(data, usedforsecurity=False).hexdigest()}"'


def test_the_servers_checksum_is_compared_over_all_parts(tmp_path: Path) -> None:
    tag = md5_tag(DATA).upper()
    promised = f"md5:{tag.lower()[1:-1]}"
    with serving(lambda request: reply_file(DATA, request, tag, most=1_500_000)) as server, client_for(server) as client:
        fetched = client.download(f"{server.url}/a", tmp_path / "a", limit=LIMIT)
        assert (fetched.server_checksum, fetched.attempts) == (promised, 3)
        (tmp_path / "b").mkdir()
        interrupted(client, f"{server.url}/a", tmp_path / "b" / "a")
        assert client.download(f"{server.url}/a", tmp_path / "b" / "a", limit=LIMIT).server_checksum == promised


def test_a_part_damaged_on_disk_is_noticed_by_the_checksum(tmp_path: Path) -> None:
    with serving(lambda request: reply_file(DATA, request, md5_tag(DATA))) as server, client_for(server) as client:
        interrupted(client, f"{server.url}/a", tmp_path / "a")
        with (tmp_path / ".a.part").open("r+b") as part:
            part.write(b"damaged")
        assert client.download(f"{server.url}/a", tmp_path / "a", limit=LIMIT).sha256 == SHA256


def test_a_corrupted_byte_is_noticed_and_fetched_again(tmp_path: Path) -> None:
    damaged = bytearray(DATA)
    damaged[1_234_567] ^= 1
    answers = iter([reply(bytes(damaged), ETag=md5_tag(DATA)), reply(DATA, ETag=md5_tag(DATA))])
    with serving(lambda _: next(answers)) as server, client_for(server) as client:
        assert client.download(f"{server.url}/a", tmp_path / "a", limit=LIMIT).sha256 == SHA256


def test_a_file_that_never_agrees_with_its_checksum_is_not_kept(tmp_path: Path) -> None:
    with serving(reply(DATA[:5000], ETag=md5_tag(DATA))) as server, client_for(server) as client:
        with pytest.raises(ArchiveError, match="arrived twice with other bytes than the server's own checksum says"):
            client.download(f"{server.url}/a", tmp_path / "a", limit=LIMIT)
        assert len(server.requests) == 2
    assert names(tmp_path) == []


def test_a_size_that_was_listed_otherwise_stops_before_the_first_byte(tmp_path: Path) -> None:
    with serving(lambda request: reply_file(DATA, request)) as server, client_for(server) as client:
        with pytest.raises(ArchiveError, match=r"has 3,072,000 bytes, where 7 were expected\. It has changed since it was listed"):
            client.download(f"{server.url}/a", tmp_path / "a", limit=LIMIT, expected=7)
        assert client.bytes_received < 2_000_000
    assert names(tmp_path) == []


# Limits


def test_no_more_than_the_limit_is_ever_on_disk(tmp_path: Path) -> None:
    largest = 0

    def endless(_: Request) -> Iterator[bytes]:
        nonlocal largest
        yield b"HTTP/1.1 200 OK\r\n\r\n"
        while True:
            largest = max([largest, *(path.stat().st_size for path in tmp_path.iterdir())])
            yield b"x" * 50_000

    with serving(endless) as server, client_for(server) as client, pytest.raises(TooLongError, match="at most 1,000,000"):
        client.download(f"{server.url}/a", tmp_path / "a", limit=1_000_000)
    assert largest <= 1_000_000
    assert names(tmp_path) == []


def test_a_declared_length_beyond_the_limit_or_the_disk_stops_before_the_first_byte(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(lambda request: reply_file(DATA, request)) as server, client_for(server) as client:
        with pytest.raises(TooLongError, match="announces 3,072,000 bytes"):
            client.download(f"{server.url}/a", tmp_path / "a", limit=3_071_999)
        free = shutil.disk_usage(tmp_path)
        monkeypatch.setattr(shutil, "disk_usage", lambda _: free._replace(free=1_000_000))
        with pytest.raises(UnwritableError, match=r"a needs 3\.1 MB more, and its folder has 1\.0 MB left"):
            client.download(f"{server.url}/a", tmp_path / "a", limit=LIMIT)
    assert names(tmp_path) == []


def test_the_administrators_ceiling_holds_for_every_file(tmp_path: Path) -> None:
    with (
        serving(reply(DATA)) as server,
        client_for(server, settings={"max_bytes": 1000}) as client,
        pytest.raises(TooLongError, match="at most 1,000"),
    ):
        client.download(f"{server.url}/a", tmp_path / "a", limit=LIMIT)


# What is there, and what must not be taken for a file


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"mine")
    (tmp_path / "link").symlink_to("nowhere")
    with serving(reply(DATA)) as server, client_for(server) as client:
        for name in ("a", "link"):
            with pytest.raises(UsageError, match="already there and is not overwritten"):
                client.download(f"{server.url}/a", tmp_path / name, limit=LIMIT)
        assert server.requests == []
    assert (tmp_path / "a").read_bytes() == b"mine"


def test_a_planted_link_in_place_of_the_part_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "precious").write_bytes(b"mine")
    (tmp_path / ".a.part").symlink_to("precious")
    with serving(reply(DATA)) as server, client_for(server) as client, pytest.raises(UnwritableError):
        client.download(f"{server.url}/a", tmp_path / "a", limit=LIMIT)
    assert (tmp_path / "precious").read_bytes() == b"mine"


def test_a_folder_that_is_missing_or_closed_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with serving(reply(DATA)) as server, client_for(server) as client:
        for path in (tmp_path / "none" / "a", tmp_path / "file" / "a"):
            with pytest.raises(UnwritableError, match=r"^a cannot be written: .+\. Check the folder"):
                client.download(f"{server.url}/a", path, limit=LIMIT)


def test_two_processes_do_not_write_one_file(tmp_path: Path) -> None:
    with serving(reply(DATA)) as server, client_for(server) as client, (tmp_path / ".a.part").open("wb") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        with pytest.raises(ArchiveError, match="being fetched by another process"):
            client.download(f"{server.url}/a", tmp_path / "a", limit=LIMIT)
    assert names(tmp_path) == [".a.part"]


@pytest.mark.parametrize("answer", [reply(b"<html>no</html>", kind="text/html"), reply(b"<!DOCTYPE html>\n<p>no", kind="image/tiff")])
def test_a_page_is_not_taken_for_a_file_unless_it_is_one(tmp_path: Path, answer: bytes) -> None:
    with serving(answer) as server, client_for(server) as client:
        with pytest.raises(ArchiveError, match="web page"):
            client.download(f"{server.url}/a.tif", tmp_path / "a.tif", limit=LIMIT)
        assert names(tmp_path) == []
        client.download(f"{server.url}/readme.html?x=1", tmp_path / "b", limit=LIMIT)
    assert names(tmp_path) == ["b"]


def test_a_packed_file_stays_packed_and_any_other_must_not_come_packed(tmp_path: Path) -> None:
    packed = gzip.compress(DATA)
    with serving(reply(packed, Content_Encoding="x-gzip")) as server, client_for(server) as client:
        client.download(f"{server.url}/a.tar.gz", tmp_path / "a.tar.gz", limit=LIMIT)
        assert (tmp_path / "a.tar.gz").read_bytes() == packed
        assert server.requests[0].headers["accept-encoding"] == "identity"
        with pytest.raises(ArchiveError, match="sent compressed although that was not asked for"):
            client.download(f"{server.url}/a.tif", tmp_path / "a.tif", limit=LIMIT)
    assert names(tmp_path) == ["a.tar.gz"]


def test_a_missing_or_refused_file_leaves_nothing(tmp_path: Path) -> None:
    for status, kind in ((404, MissingError), (403, ArchiveError), (503, ArchiveError)):
        with serving(reply(b"", status)) as server, client_for(server) as client, pytest.raises(kind):
            client.download(f"{server.url}/a", tmp_path / "a", limit=LIMIT)
    assert names(tmp_path) == []


def test_resets_before_the_first_byte_leave_nothing(tmp_path: Path) -> None:
    with serving(lambda _: [RESET]) as server, client_for(server) as client, pytest.raises(ArchiveError, match="connection broke"):
        client.download(f"{server.url}/a", tmp_path / "a", limit=LIMIT)
    assert names(tmp_path) == []


def test_several_files_at_once(tmp_path: Path) -> None:
    with serving(lambda request: reply_file(DATA, request)) as server, client_for(server) as client:
        threads = [
            threading.Thread(target=client.download, args=(f"{server.url}/{name}", tmp_path / name), kwargs={"limit": LIMIT}) for name in "abcdef"
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(20)
    assert {hashlib.sha256(path.read_bytes()).hexdigest() for path in tmp_path.iterdir()} == {SHA256}
    assert names(tmp_path) == list("abcdef")
