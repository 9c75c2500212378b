"""Services that stumble, lie, dawdle, or mean harm."""

from __future__ import annotations

import email.utils
import itertools
import logging
import socket
import threading
import time
from collections.abc import Callable, Iterable, Iterator

import pytest

from lightmicroscopy.archives.endpoints import Endpoints
from lightmicroscopy.archives.http import Client
from lightmicroscopy.archives.retries import Pauses, Transient, retry_after
from lightmicroscopy.errors import ArchiveError, NotAllowedError, UsageError

from .http_servers import RESET, Naps, Request, client_for, endpoints_for, reply, serving

HTML_ERROR = reply(b"<html><h1>502 Bad Gateway</h1></html>", 502, kind="text/html")
OK = b"HTTP/1.1 200 OK\r\n"


@pytest.mark.parametrize(
    ("stumble", "naps"),
    [
        (reply(b"", 429), [1]),
        (reply(b"", 500), [1]),
        (HTML_ERROR, [1]),
        (reply(b"", 503, Retry_After="7"), [7]),
        (reply(b"", 503, Retry_After="86400"), [120]),
        (reply(b"", 503, Retry_After="-5"), [1]),
        (reply(b"", 503, Retry_After="soon"), [1]),
        (reply(b"", 504), [1]),
        ([RESET], [1]),
        ([OK + b"Content-Length: 10\r\n\r\nabc", RESET], [1]),
        (reply(b"abc", length=10, Connection="close"), [1]),
        (b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabc", [1]),
        (OK + b"Connection: close\r\nContent-Length: three\r\n\r\nabc", [1]),
        (OK + b"Connection: close\r\nContent-Length: -3\r\n\r\nabc", [1]),
        (OK + b"Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab", [1]),
        (OK + b"Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n", [1]),
        (OK + b"Connection: close\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nab\r\n", [1]),
        (b"what?\r\nConnection: close\r\n\r\n", [1]),
        (b"HTTP/1.1 200 OK\r\nConnection: close\r\n" + b"X: y\r\n" * 200 + b"\r\n", [1]),
        (b"HTTP/1.1 200 OK\r\nConnection: close\r\nX: " + b"y" * 70_000 + b"\r\n\r\n", [1]),
    ],
)  # fmt: skip
def test_what_may_pass_is_asked_again(stumble: bytes | list[bytes], naps: list[int]) -> None:
    waited = Naps()
    answers = iter([stumble, reply(b"fine")])
    with serving(lambda _: next(answers)) as server, client_for(server, naps=waited) as client:
        assert client.get(f"{server.url}/x", limit=1000).body == b"fine"
        assert client.requests == 2
    assert waited == naps


def test_pauses_grow_and_end_in_a_sentence() -> None:
    naps = Naps()
    with serving(HTML_ERROR) as server, client_for(server, naps=naps) as client:
        with pytest.raises(
            ArchiveError, match=r"/x could not be fetched: the service answered 502 Bad Gateway, after 6 tries\. .*try again later\.$"
        ):
            client.get(f"{server.url}/x", limit=1000)
        assert client.requests == 6
        assert server.connections == 1
    assert naps == [1, 2, 4, 8, 16]


def test_a_long_pause_is_told_of_once_for_all_that_wait_together(caplog: pytest.LogCaptureFixture) -> None:
    now = [0.0]

    def nap(seconds: float) -> None:
        now[0] += seconds

    with serving(HTML_ERROR) as server, Client(endpoints_for(server), sleep=nap, clock=lambda: now[0], jitter=lambda: 1.0) as client:
        with caplog.at_level(logging.INFO, "lightmicroscopy"), pytest.raises(ArchiveError):
            client.get(f"{server.url}/x", limit=1000)
        with caplog.at_level(logging.INFO, "lightmicroscopy"), pytest.raises(ArchiveError):
            now[0] -= 31
            client.get(f"{server.url}/y", limit=1000)
    said = [record.message.removeprefix(server.url) for record in caplog.records]
    assert said[:3] == [
        f"/x: the service answered 502 Bad Gateway; trying again in {pause} s ({often} of 5)." for pause, often in ((4, 3), (8, 4), (16, 5))
    ]
    assert said[3:] == [], "nothing is said while another request to that host waits"


def test_jitter_halves_a_pause_at_most_and_none_is_endless() -> None:
    pauses = Pauses(20, lambda: 0.0)
    assert [pauses.before(n, Transient("x")) for n in (1, 2, 12, 20, 21)] == [0.5, 1, 30, 30, None]
    assert pauses.before(1, Transient("x", after=9)) == 9
    assert [pauses.before(n, Transient("x", slow=True)) for n in (2, 3)] == [1, None]


def test_retry_after_may_be_a_date() -> None:
    now = 1_800_000_000.0
    for seconds, expected in ((30, 30), (-30, 0), (10**6, 120)):
        assert retry_after({"Retry-After": email.utils.formatdate(now + seconds, usegmt=True)}, lambda: now) == expected
    for text in ("", "Mon, 99 Foo", "1e9", "٣", "9" * 400):
        assert retry_after({"Retry-After": text}, lambda: now) in (None, 120)


@pytest.mark.parametrize("zone", ["UTC", "Asia/Tokyo"])
@pytest.mark.parametrize("end", ["", " GMT", " -0000"])
def test_a_date_without_a_zone_is_of_greenwich(end: str, zone: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        assert retry_after({"Retry-After": f"Fri, 15 Jan 2027 08:00:30{end}"}, lambda: 1_800_000_000.0) == 30
    finally:
        monkeypatch.undo()
        time.tzset()


def test_nobody_there() -> None:
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    naps = Naps()
    with client_for(f"http://127.0.0.1:{port}", naps=naps) as client:
        with pytest.raises(ArchiveError, match=r"no connection \(Connection refused\), after 6 tries"):
            client.get(f"http://127.0.0.1:{port}/x", limit=10)
        assert client.connections_opened == 0


def test_a_name_that_does_not_exist(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with client_for("http://store.invalid") as client, pytest.raises(ArchiveError, match=r"the name store\.invalid is not known to the network"):
        client.get("http://store.invalid/x", limit=10)


def test_a_kept_connection_that_the_service_closed_meanwhile_is_replaced() -> None:
    def handler(request: Request) -> list[bytes]:
        return [reply(b"x")] if request.target == "/first" else [reply(b"x"), RESET]

    with serving(handler) as server, client_for(server) as client:
        for _ in range(3):
            assert client.get(f"{server.url}/x", limit=5).body == b"x"


def test_bytes_after_the_end_of_an_answer_do_not_become_the_next_answer() -> None:
    smuggled = reply(b"evil")
    with serving(lambda request: reply(b"good") + (smuggled if request.target == "/first" else b"")) as server, client_for(server) as client:
        assert client.get(f"{server.url}/first", limit=5).body == b"good"
        assert client.get(f"{server.url}/second", limit=5).body == b"good"


# Who never comes to an end


def endless(part: bytes, first: bytes = b"") -> Iterator[bytes]:
    yield first
    while True:
        yield part


CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize(
    ("first", "part"),
    [
        (OK + b"\r\n", b"x" * 65536),
        (CHUNKED, b"400\r\n" + b"x" * 1024 + b"\r\n"),
        (CHUNKED + b"-1\r\n", b"x" * 65536),
        (CHUNKED + b"7fffffffffffffff\r\n", b"x" * 65536),
        (CHUNKED, b"1" * 65536),
        (CHUNKED + b"1;", b"x" * 65536),
        (CHUNKED + b"0\r\n", b"X-Trailer: " + b"x" * 60_000 + b"\r\n"),
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 1000),
        (b"", b"x" * 65536),
        (OK, b"X-Header: " + b"x" * 60_000 + b"\r\n"),
        (OK + b"X-Header: ", b"x" * 65536),
    ],
    ids=["body", "chunks", "negative chunk", "vast chunk", "chunk length", "extension", "trailers", "100 Continue", "status", "headers", "header"],
)  # fmt: skip
def test_an_answer_without_end_is_given_up_early(first: bytes, part: bytes) -> None:
    sent = 0

    def count() -> Iterator[bytes]:
        nonlocal sent
        for piece in endless(part, first):
            sent += len(piece)
            yield piece

    with serving(lambda _: count()) as server, client_for(server, retries=0) as client:
        with pytest.raises(ArchiveError):
            client.get(f"{server.url}/x", limit=1_000_000)
        assert client.bytes_received < 2_000_000
    # What is under way in the buffers of the two sockets is beside the point.
    assert sent < 40_000_000


class Clock:
    """Time that passes by a step at every look, so that patience ends at once."""

    def __init__(self, step: float) -> None:
        self.steps = itertools.count(0, step)

    def __call__(self) -> float:
        return next(self.steps)


@pytest.mark.parametrize(
    ("first", "part"),
    [
        (OK + b"Content-Length: 1000000\r\n\r\n", b"x"),
        (CHUNKED, b"1\r\nx\r\n"),
        (CHUNKED + b"2;", b"x"),
        (CHUNKED + b"0\r\n", b"x"),
        (OK, b"X"),
        (b"", b"H"),
    ],
    ids=["body", "chunks", "chunk extension", "trailer", "headers", "status"],
)
def test_a_drip_is_given_up_after_few_tries(first: bytes, part: bytes) -> None:
    naps = Naps()
    patience = {"clock": Clock(0.25), "grace": 10, "answer_seconds": 10}

    def dripping(_: Request) -> Iterator[bytes]:
        for piece in endless(part, first):
            yield piece
            # On a busy machine so much would come together otherwise that it is too long before it is too slow.
            threading.Event().wait(0.0005)

    with serving(dripping) as server, client_for(server, naps=naps, **patience) as client:
        with pytest.raises(ArchiveError, match="its answer came too slowly, after 3 tries"):
            client.get(f"{server.url}/x", limit=10_000_000)
        assert client.requests == 3
    assert naps == [1, 2]


def one_by_one(parts: Iterable[bytes], received: Callable[[], int]) -> Iterator[bytes]:
    """Send a body whose parts cannot be taken together: each only when the client has all before it."""
    parts = list(parts)
    yield OK + b"Content-Length: %d\r\n\r\n" % sum(map(len, parts))
    sent = 0
    for part in parts:
        while received() < sent:
            threading.Event().wait(0.0005)
        sent += len(part)
        yield part


@pytest.mark.parametrize(
    ("parts", "complaint"),
    [([b"x" * 4096] * 60, ""), ([b"x"] * 300, "too slowly"), ([b"x" * 65536] * 30 + [b"x"] * 300, "too slowly")],
    ids=["slow but steady", "too slow", "too slow after a quick start"],
)
def test_how_slowly_a_body_may_come(parts: list[bytes], complaint: str) -> None:
    patience = {"retries": 0, "clock": Clock(0.1), "grace": 10, "answer_seconds": 10, "minimum_rate": 4096.0}
    with serving(lambda _: one_by_one(parts, lambda: client.bytes_received)) as server, client_for(server, **patience) as client:
        if complaint:
            with pytest.raises(ArchiveError, match=complaint):
                client.get(f"{server.url}/x", limit=10_000_000)
        else:
            assert client.get(f"{server.url}/x", limit=10_000_000).body == b"".join(parts)


def test_no_answer_at_all_is_tried_three_times() -> None:
    naps, gate = Naps(), threading.Event()

    def silent(_: Request) -> Iterator[bytes]:
        gate.wait(10)
        yield b""

    with serving(silent) as server, client_for(server, naps=naps, read_timeout=0.05) as client:
        with pytest.raises(ArchiveError, match="it did not answer in time, after 3 tries"):
            client.get(f"{server.url}/x", limit=10)
        gate.set()
    assert naps == [1, 2]


def test_the_words_of_an_error_are_not_read_without_end() -> None:
    with serving(lambda _: endless(b"x" * 65536, b"HTTP/1.1 404 X\r\n\r\n")) as server, client_for(server) as client:
        with pytest.raises(ArchiveError, match=r"does not exist \(404 Not Found\)"):
            client.get(f"{server.url}/x", limit=10)
        assert client.bytes_received < 1_000_000


# Where names really lead


def lead_to(monkeypatch: pytest.MonkeyPatch, port: int, address: str = "127.0.0.1") -> None:
    """Let every name lead to an address: that of a server of the test."""
    true = socket.getaddrinfo

    def lie(host: str, *arguments: object, **keywords: object) -> object:
        return true(host, *arguments, **keywords) if host == "127.0.0.1" else [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))]  # type: ignore[arg-type]

    monkeypatch.setattr(socket, "getaddrinfo", lie)


@pytest.mark.parametrize("address", ["127.0.0.1", "10.1.2.3", "169.254.169.254", "100.64.1.1", "0.0.0.0", "224.0.0.1", "192.168.0.1"])  # noqa: S104
def test_a_public_service_whose_name_leads_inside_is_not_contacted(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    naps = Naps()
    with serving(reply(b"inside")) as server, Client(Endpoints(), sleep=naps) as client:
        lead_to(monkeypatch, server.port, address)
        with pytest.raises(NotAllowedError, match=rf"livingobjects\.ebi\.ac\.uk is not contacted: its name leads to {address}"):
            client.get("https://livingobjects.ebi.ac.uk/idr/x", limit=100)
        assert server.connections == client.connections_opened == 0
    assert naps == []


def test_a_host_that_the_environment_names_may_lie_inside(monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(reply(b"inside")) as server:
        lead_to(monkeypatch, server.port)
        with client_for("http://store.example") as client:
            assert client.get("http://store.example/x", limit=100).body == b"inside"
        assert server.requests[0].headers["host"] == "store.example"


def test_a_user_cannot_name_an_address_inside() -> None:
    with serving(reply(b"inside")) as server, Client(Endpoints()) as client:
        for url in (
            f"{server.url}/x",
            "http://169.254.169.254/latest/meta-data/",
            f"http://[::1]:{server.port}/",
            f"http://[::ffff:127.0.0.1]:{server.port}/",
        ):
            with pytest.raises(NotAllowedError, match="is not among the services"):
                client.get(url, limit=100)
        assert server.connections == 0


@pytest.mark.parametrize("url", ["file:///etc/hostname", "ftp://127.0.0.1/x", "data:,x", "/etc/hostname", "unix:///run/x.sock"])
def test_nothing_but_http_is_fetched(url: str) -> None:
    with Client(Endpoints()) as client:
        for fetch in (lambda: client.get(url, limit=10), lambda: client.get_range(url, 0, 1), lambda: client.size(url)):
            with pytest.raises(NotAllowedError):
                fetch()
        assert client.requests == 0


def test_a_proxy_of_an_unknown_kind_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "socks5://me:hush@proxy.example:1080")
    monkeypatch.setenv("no_proxy", "")
    with Client(endpoints_for("http://store.example")) as client, pytest.raises(UsageError, match=r"socks5://proxy\.example:1080.*SOCKS") as error:
        client.get("http://store.example/x", limit=10)
    assert "hush" not in str(error.value)
