"""Parts of objects, and how long objects are."""

from __future__ import annotations

import pytest

from lightmicroscopy.errors import ArchiveError, MissingError

from .http_servers import Naps, Request, client_for, reply, reply_file, serving

DATA = bytes(range(256)) * 4


@pytest.mark.parametrize(
    ("start", "length", "expected"),
    [
        (0, 10, DATA[:10]),
        (100, 24, DATA[100:124]),
        (1020, 10, DATA[1020:]),
        (1023, 1, DATA[1023:]),
        (1024, 10, b""),
        (5000, 10, b""),
        (-10, 10, DATA[-10:]),
        (-10, 4, DATA[-10:-6]),
        (-5000, 5000, DATA),
        (0, 1024, DATA),
        (3, 0, b""),
    ],
)
@pytest.mark.parametrize("ranges", [True, False], ids=["with ranges", "without"])
def test_a_part_is_what_was_asked_for(start: int, length: int, expected: bytes, ranges: bool) -> None:
    with serving(lambda request: reply_file(DATA, request) if ranges else reply(DATA)) as server, client_for(server) as client:
        assert client.get_range(f"{server.url}/x", start, length) == expected


def test_a_missing_object_has_no_part() -> None:
    with serving(reply(b"", 404)) as server, client_for(server) as client:
        assert client.get_range(f"{server.url}/x", 0, 10) is None
        assert client.size(f"{server.url}/x") is None


def test_what_was_there_and_is_gone_is_no_part_that_never_was() -> None:
    with serving(reply(b"", 410)) as server, client_for(server) as client:
        for fetch in (lambda url: client.get_range(url, 0, 10), client.size, lambda url: client.get(url, limit=10, ok_missing=True)):
            with pytest.raises(MissingError, match="410"):
                fetch(f"{server.url}/x")


@pytest.mark.parametrize("status", [403, 400, 500, 503])
def test_what_is_refused_or_broken_is_never_taken_for_missing(status: int) -> None:
    with serving(reply(b"", status)) as server, client_for(server) as client:
        for fetch in (lambda url: client.get_range(url, 0, 10), client.size):
            with pytest.raises(ArchiveError) as error:
                fetch(f"{server.url}/x")
            assert not isinstance(error.value, MissingError)


def test_the_rest_of_a_whole_is_not_read() -> None:
    with serving(reply(DATA * 20_000)) as server, client_for(server) as client:
        assert client.get_range(f"{server.url}/x", 1024, 10) == DATA[:10]
        assert client.bytes_received < 2_000_000


def test_a_far_part_of_a_server_without_ranges_is_refused() -> None:
    with serving(reply(b"", length=10**12)) as server, client_for(server) as client, pytest.raises(ArchiveError, match="only sends it whole"):
        client.get_range(f"{server.url}/x", 10**11, 10)


@pytest.mark.parametrize(
    "answer",
    [
        reply(DATA[:10], 206),
        reply(DATA[:10], 206, Content_Range="bytes 1-10/1024"),
        reply(DATA[:10], 206, Content_Range="bytes 0-8/1024"),
        reply(DATA[:10], 206, Content_Range="bytes 0-9/5"),
        reply(DATA[:9], 206, Content_Range="bytes 0-9/1024"),
        reply(DATA[:4], 206, Content_Range="bytes 0-3/1024"),
        reply(DATA[:10], 206, Content_Range="pages 0-9/1024"),
        reply(DATA[:10], 206, Content_Range="bytes */1024"),
        reply(DATA[:10], 206, Content_Range="bytes 9-0/1024"),
        reply(DATA[:10], 206, kind="multipart/byteranges; boundary=x"),
    ],
)
def test_another_part_than_asked_for_is_asked_again_and_then_refused(answer: bytes) -> None:
    naps = Naps()
    with serving(answer) as server, client_for(server, naps=naps, retries=1) as client, pytest.raises(ArchiveError, match="after 2 tries"):
        client.get_range(f"{server.url}/x", 0, 10)
    assert naps == [1]


def test_more_than_the_part_is_refused() -> None:
    with (
        serving(reply(DATA, 206, Content_Range="bytes 0-9/1024")) as server,
        client_for(server) as client,
        pytest.raises(ArchiveError, match="1,024 bytes"),
    ):
        client.get_range(f"{server.url}/x", 0, 10)


def test_a_part_that_is_compressed_or_a_page_is_refused() -> None:
    for answer in (
        reply(DATA[:10], 206, Content_Range="bytes 0-9/1024", Content_Encoding="gzip"),
        reply(b"<html>", kind="text/html"),
        reply(b"<html>", 206, kind="text/html", Content_Range="bytes 0-9/1024"),
    ):
        with serving(answer) as server, client_for(server) as client, pytest.raises(ArchiveError, match=r"compresses|web page"):
            client.get_range(f"{server.url}/x", 0, 10)


def test_the_size_comes_from_one_question() -> None:
    with serving(lambda request: reply_file(DATA, request)) as server, client_for(server) as client:
        assert client.size(f"{server.url}/x") == 1024
        assert [request.method for request in server.requests] == ["HEAD"]
        assert client.get(f"{server.url}/x", limit=1024).body == DATA
        assert server.connections == 1


@pytest.mark.parametrize("head", [reply(b"", 405), reply(b"", 403), reply(b"", 501), b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"])
def test_the_size_comes_from_a_range_where_head_does_not_say(head: bytes) -> None:
    def handler(request: Request) -> bytes:
        return head if request.method == "HEAD" else reply_file(DATA, request)

    with serving(handler) as server, client_for(server) as client:
        assert client.size(f"{server.url}/x") == 1024
        assert server.requests[-1].headers["range"] == "bytes=0-0"


def test_an_empty_object_has_size_nought() -> None:
    def handler(request: Request) -> bytes:
        return reply(b"", 405) if request.method == "HEAD" else reply_file(b"", request)

    with serving(handler) as server, client_for(server) as client:
        assert client.size(f"{server.url}/x") == 0


def test_a_server_that_does_not_say_how_long_is_a_sentence() -> None:
    endless = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    with serving(lambda request: endless if request.method == "HEAD" else endless + b"1\r\nx\r\n0\r\n\r\n") as server, client_for(server) as client:
        url = f"{server.url}/x"
        with pytest.raises(ArchiveError, match="does not say how long"):
            client.size(url)
