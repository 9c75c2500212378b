"""Fetching answers into memory from services that behave, and from those that do not."""

from __future__ import annotations

import gzip
import hashlib
import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from lightmicroscopy.errors import ArchiveError, LimitError, MissingError, TooLongError

from .http_servers import Naps, Request, Server, client_for, reply, reply_json, serving

PAGE = reply(b"<!DOCTYPE html><html><body>Sign in</body></html>", kind="text/html; charset=utf-8")


def test_json_is_fetched_with_its_parameters() -> None:
    with serving(lambda request: reply_json({"target": request.target})) as server, client_for(server) as client:
        answer = client.get_json(f"{server.url}/search?offset=0", params={"value": "GFP µ/&", "id": [1, 2]})
        assert answer == {"target": "/search?offset=0&value=GFP+%C2%B5%2F%26&id=1&id=2"}
        assert client.requests == 1
        assert client.bytes_received == len(json.dumps(answer))
        assert server.requests[0].headers["user-agent"].startswith("light-microscopy-suite/")


def test_headers_and_body_of_an_answer_are_given() -> None:
    with serving(reply(b"\x00\x01", X_Thing="a")) as server, client_for(server) as client:
        response = client.get(f"{server.url}/chunk#part", limit=2)
        assert (response.status, response.body, response.headers["x-THING"], response.url) == (200, b"\x00\x01", "a", f"{server.url}/chunk")
        assert server.requests[0].target == "/chunk"


def test_a_path_that_is_not_ascii_arrives_quoted() -> None:
    with serving(reply(b"x")) as server, client_for(server) as client:
        assert client.get(f"{server.url}/fjør/µ.tif?q=æ", limit=9).body == b"x"
        assert server.requests[0].target == "/fj%C3%B8r/%C2%B5.tif?q=%C3%A6"


def test_connections_are_kept_and_limited_per_host() -> None:
    together, most, lock = 0, 0, threading.Lock()
    barrier = threading.Barrier(3)

    def handler(request: Request) -> bytes:
        nonlocal together, most
        with lock:
            together += 1
            most = max(most, together)
        if request.target == "/meet":
            barrier.wait(5)
        with lock:
            together -= 1
        return reply(b"x" * 1000)

    with serving(handler) as server, client_for(server, connections=3) as client, ThreadPoolExecutor(12) as pool:
        urls = [f"{server.url}/meet"] * 3 + [f"{server.url}/{n}" for n in range(60)]
        bodies = list(pool.map(lambda url: client.get(url, limit=1000).body, urls))
        assert all(body == b"x" * 1000 for body in bodies)
        assert most == 3
        assert server.connections == client.connections_opened == 3


def test_missing_objects_are_cheap_and_keep_their_connection() -> None:
    with serving(reply(b"<Error>NoSuchKey</Error>", 404, kind="application/xml")) as server, client_for(server) as client:
        for _ in range(20):
            assert client.get(f"{server.url}/0/0/0", limit=10, ok_missing=True).status == 404
        assert server.connections == 1
        with pytest.raises(MissingError, match=r"/0/0/0 does not exist \(404 Not Found\)"):
            client.get(f"{server.url}/0/0/0", limit=10)


def test_what_the_service_says_is_passed_on_in_one_line() -> None:
    with serving(reply_json({"message": "Image 999\n\x1b[31m not   found"}, 404)) as server, client_for(server) as client:
        with pytest.raises(MissingError, match=r"Image 999 \[31m not found\)"):
            client.get_json(f"{server.url}/api/v0/m/images/999/")
        assert len(server.requests) == 1


def test_a_blocked_program_is_told_how_it_may_introduce_itself() -> None:
    text = "403 Forbidden – User-Agent blocked".encode()
    with serving(reply(text, 403, kind="text/plain")) as server, client_for(server) as client:
        with pytest.raises(
            ArchiveError, match=r"was refused \(403 Forbidden: 403 Forbidden – User-Agent blocked\).*user_agent in LIGHTMICROSCOPY_ENDPOINTS"
        ):
            client.get_json(f"{server.url}/biostudies")
        assert len(server.requests) == 1


@pytest.mark.parametrize("status", [400, 401, 402, 405, 408, 418, 451, 501, 505, 204, 206, 304, 299, 777])
def test_other_statuses_are_errors_at_once(status: int) -> None:
    naps = Naps()
    with serving(reply(b"", status)) as server, client_for(server, naps=naps) as client, pytest.raises(ArchiveError, match=str(status)):
        client.get(f"{server.url}/", limit=10)
    assert naps == []


def test_gzip_is_unpacked_and_asked_for() -> None:
    body = json.dumps(list(range(5000))).encode()
    packed = gzip.compress(body[:7000]) + gzip.compress(body[7000:])
    with serving(reply(packed, Content_Encoding="GZip")) as server, client_for(server) as client:
        assert client.get_json(f"{server.url}/x", limit=len(body)) == list(range(5000))
        assert server.requests[0].headers["accept-encoding"] == "gzip"
        assert client.bytes_received == len(packed)


def test_an_empty_body_may_be_gzip() -> None:
    for packed in (b"", gzip.compress(b"")):
        with serving(reply(packed, Content_Encoding="gzip")) as server, client_for(server) as client:
            assert client.get(f"{server.url}/x", limit=5).body == b""


def test_a_gzip_bomb_is_given_up_at_the_limit() -> None:
    bomb = gzip.compress(bytes(50_000_000))
    with serving(reply(bomb, Content_Encoding="gzip")) as server, client_for(server) as client:
        with pytest.raises(TooLongError, match="at most 100,000 are allowed") as error:
            client.get(f"{server.url}/x", limit=100_000)
        assert isinstance(error.value, LimitError)
        assert len(server.requests) == 1


def test_gzip_without_content_is_given_up_too() -> None:
    nothing = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nConnection: close\r\n\r\n" + gzip.compress(b"") * 100_000
    with serving(nothing) as server, client_for(server) as client, pytest.raises(TooLongError):
        client.get(f"{server.url}/x", limit=1000)


@pytest.mark.parametrize("packed", [gzip.compress(b"a" * 999, mtime=0)[:-9], b"no gzip at all", gzip.compress(b"a" * 99, mtime=0)[:-8] + bytes(8)])
def test_damaged_gzip_is_fetched_again(packed: bytes) -> None:
    naps = Naps()
    answers = iter([reply(packed, Content_Encoding="gzip"), reply(gzip.compress(b"fine"), Content_Encoding="gzip")])
    with serving(lambda _: next(answers)) as server, client_for(server, naps=naps) as client:
        assert client.get(f"{server.url}/x", limit=5000).body == b"fine"
    assert naps == [1.0]


@pytest.mark.parametrize("encoding", ["br", "zstd", "gzip, gzip", "deflate"])
def test_an_encoding_nobody_asked_for_is_refused(encoding: str) -> None:
    with serving(reply(b"x", Content_Encoding=encoding)) as server, client_for(server) as client, pytest.raises(ArchiveError, match="not asked for"):
        client.get(f"{server.url}/x", limit=5000)


@pytest.mark.parametrize("wrapping", ["chunked, gzip", "xchunked", "identity\r\nTransfer-Encoding: chunked"])
def test_a_body_wrapped_otherwise_than_asked_for_is_not_taken_with_its_wrapping(wrapping: str, tmp_path: Path) -> None:
    answer = f"HTTP/1.1 200 OK\r\nTransfer-Encoding: {wrapping}\r\nConnection: close\r\n\r\n5\r\nhello\r\n0\r\n\r\n".encode()
    with serving(answer) as server, client_for(server) as client:
        with pytest.raises(ArchiveError, match="wrapped"):
            client.get(f"{server.url}/x", limit=100)
        with pytest.raises(ArchiveError, match="wrapped"):
            client.download(f"{server.url}/x", tmp_path / "x", limit=100)
    assert list(tmp_path.iterdir()) == []


def test_a_body_exactly_at_the_limit_is_fine_and_one_byte_more_is_not() -> None:
    with serving(reply(b"x" * 1000)) as server, client_for(server) as client:
        assert len(client.get(f"{server.url}/x", limit=1000).body) == 1000
        with pytest.raises(TooLongError, match="announces 1,000 bytes, where at most 999 are allowed"):
            client.get(f"{server.url}/x", limit=999)


def test_a_declared_length_is_not_believed_before_it_comes() -> None:
    with serving(reply(b"x", length=10**15, Connection="close")) as server, client_for(server, retries=0) as client:
        with pytest.raises(TooLongError):
            client.get(f"{server.url}/x", limit=1000)
        with pytest.raises(ArchiveError, match="ended after 1 of 1,000,000,000,000,000 bytes"):
            client.get(f"{server.url}/x", limit=10**16)


@pytest.mark.parametrize(
    "page",
    [
        PAGE,
        reply(b"<html></html>", kind="application/xhtml+xml"),
        reply(b"\n <!-- x --> <HTML lang='en'>"),
        reply(b"<!doctype HTML>", kind="application/json"),
    ],
)
def test_a_page_where_data_is_meant_is_an_error_that_says_so(page: bytes) -> None:
    with serving(page) as server, client_for(server) as client:
        for fetch in (client.get_json, lambda url: client.get(url, limit=10_000)):
            with pytest.raises(ArchiveError, match=r"answered with a web page \(HTML\) instead of data"):
                fetch(f"{server.url}/x")
        assert client.get(f"{server.url}/x", limit=10_000, html=True).status == 200


@pytest.mark.parametrize("body", [b"", b"{", b'{"a": 1', b"[1, 2", b"\xff\xfe", b"[" * 200_000, b"plain"])
def test_what_is_not_json_is_said_after_a_few_tries(body: bytes) -> None:
    naps = Naps()
    with serving(reply(body)) as server, client_for(server, naps=naps) as client:
        with pytest.raises(ArchiveError, match=r"should answer with JSON, and answers with .*, after 3 tries") as error:
            client.get_json(f"{server.url}/x?secret=hush")
        assert "hush" not in str(error.value)
        assert str(error.value).isprintable()
    assert len(naps) == 2


@pytest.mark.parametrize("headers", [{"X-A": "1\r\nX-B: 2"}, {"X-A\r\nX-B": "1"}, {"X-A": "\n"}, {"X-A": "æ"}, {"": "1"}, {"X A": "1"}])
def test_a_header_cannot_be_split(headers: dict[str, str]) -> None:
    with serving(reply(b"x")) as server, client_for(server) as client, pytest.raises(ArchiveError, match="cannot be put on one line"):
        client.get(f"{server.url}/x", limit=5, headers=headers)
    assert server.requests == []


def test_bytes_that_do_not_agree_with_the_servers_checksum_are_fetched_again() -> None:
    tag = f'"{hashlib.md5(b"chunk", usedforsecurity=False).hexdigest().upper()}"'
    answers = iter([reply(b"chunx", ETag=tag), reply(b"chunk", ETag=tag), *[reply(b"chunx", ETag=tag)] * 3])
    with serving(lambda _: next(answers)) as server, client_for(server) as client:
        assert client.get(f"{server.url}/0/0", limit=5).body == b"chunk"
        with pytest.raises(ArchiveError, match=r"its bytes do not agree with the server's checksum \(MD5\), after 3 tries"):
            client.get(f"{server.url}/0/0", limit=5)


@pytest.mark.parametrize("tag", [f'W/"{"0" * 32}"', f'"{"0" * 31}"', f'"{"0" * 32}-3"', "0" * 32, f'"{"g" * 32}"'])
def test_other_tags_are_no_checksums(tag: str) -> None:
    with serving(reply(b"chunk", ETag=tag)) as server, client_for(server) as client:
        assert client.get(f"{server.url}/0/0", limit=5).body == b"chunk"


# Sessions


@pytest.fixture
def idr() -> Iterator[tuple[Server, set[str]]]:
    """Give a service that answers only within a session, and the cookies it knows."""
    valid: set[str] = set()

    def handler(request: Request) -> bytes:
        if request.target == "/webclient/?experimenter=-1":
            valid.clear()
            valid.add(f"sessionid_idr=s{len(server.requests)}")
            return reply(b"<html>", kind="text/html", Set_Cookie=f"{next(iter(valid))}; Path=/; Domain=example.org; HttpOnly")
        return reply_json({"data": []}) if request.headers.get("cookie") in valid else reply_json({"message": "Not logged in"}, 403)

    server: Server
    with serving(handler) as server:
        yield server, valid


def test_a_session_is_opened_when_the_service_wants_one_and_again_when_it_forgot(idr: tuple[Server, set[str]]) -> None:
    server, valid = idr
    with client_for(server) as client:
        assert client.get_json(f"{server.url}/api/v0/") == {"data": []}
        assert client.get_json(f"{server.url}/api/v0/") == {"data": []}
        assert len(server.asked("/webclient/?experimenter=-1")) == 1
        valid.clear()
        assert client.get_json(f"{server.url}/api/v0/") == {"data": []}
        assert len(server.asked("/webclient/?experimenter=-1")) == 2


def test_many_threads_open_one_session(idr: tuple[Server, set[str]]) -> None:
    server, _ = idr
    with client_for(server, connections=8) as client, ThreadPoolExecutor(8) as pool:
        assert list(pool.map(lambda _: client.get_json(f"{server.url}/api/v0/"), range(32))) == [{"data": []}] * 32
    assert len(server.asked("/webclient/?experimenter=-1")) == 1


def test_a_service_that_never_lets_anybody_in_is_asked_for_one_session_only() -> None:
    with serving(reply_json({"message": "Not logged in"}, 403)) as server, client_for(server) as client:
        with pytest.raises(ArchiveError, match="403"):
            client.get_json(f"{server.url}/api/v0/")
        assert len(server.requests) == 2


def test_cookies_go_to_no_other_service(idr: tuple[Server, set[str]]) -> None:
    server, _ = idr
    with serving(reply(b"x", Set_Cookie="evil=1")) as other, client_for(server, other) as client:
        client.open_session()
        client.get(f"{other.url}/x", limit=5)
        client.get(f"{other.url}/x", limit=5)
        client.get(f"{server.url}/x", limit=50)
        assert ["cookie" in request.headers for request in other.requests] == [False, False]
        assert server.requests[-1].headers["cookie"].startswith("sessionid_idr=")
        assert "evil" not in str(server.requests)


def test_malformed_and_too_many_cookies_are_ignored() -> None:
    cookies = "\r\n".join(["Set-Cookie: a=b\x01c", "Set-Cookie: =x", "Set-Cookie: " + "b=" + "x" * 9000, *(f"Set-Cookie: c{n}=1" for n in range(60))])
    answer = f"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n{cookies}\r\n\r\nok".encode()
    with serving(answer) as server, client_for(server) as client:
        client.open_session()
        client.get(f"{server.url}/x", limit=5)
        assert server.requests[-1].headers["cookie"] == "; ".join(f"c{n}=1" for n in range(20))


def test_a_cookie_that_is_taken_back_is_dropped() -> None:
    answers = iter([reply(b"<html>", Set_Cookie="a=1"), reply(b"x", Set_Cookie="a=1; Max-Age=0"), reply(b"x")])
    with serving(lambda _: next(answers)) as server, client_for(server) as client:
        client.open_session()
        for _ in range(2):
            client.get(f"{server.url}/x", limit=5)
        assert [request.headers.get("cookie") for request in server.requests] == [None, "a=1", None]


def test_the_client_is_imported_without_urllib3(tools: Path) -> None:
    code = "import sys; sys.path.insert(0, sys.argv[1]); import lightmicroscopy.archives.http; assert 'urllib3' not in sys.modules"
    subprocess.run([sys.executable, "-c", code, str(tools)], check=True)
