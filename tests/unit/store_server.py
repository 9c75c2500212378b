"""A folder of stores on a loopback web server that counts and misbehaves, and a bare client for it."""

from __future__ import annotations

import http.client
import re
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from lightmicroscopy.errors import DeniedError, UnreadableError

CHUNK = re.compile(r"/\d+$")
Answer = tuple[int, str, bytes]
"""Status, content type, body."""
PAGE = b"<!DOCTYPE html><html><body>Welcome. " + b"Please sign in. " * 40 + b"</body></html>"


@dataclass
class StoreServer:
    """What is served, and what was asked for.

    Attributes
    ----------
    faults
        For each path (regular expression) how its answer is changed.
    gate
        Where requests for chunks wait for one another: as many as it says have to be under way at once.
    """

    root: Path
    url: str = ""
    gate: threading.Barrier | None = None
    faults: dict[str, Callable[[Answer], Answer]] = field(default_factory=dict)
    asked: list[tuple[str, str]] = field(default_factory=list)
    sent: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def paths(self) -> Counter[str]:
        """How often each path was asked for."""
        return Counter(path for _, path in self.asked)

    @property
    def chunks(self) -> Counter[str]:
        """The same of chunks."""
        return Counter(path for _, path in self.asked if CHUNK.search(path))

    def forget(self) -> None:
        """Begin to count anew."""
        self.asked.clear()
        self.sent = 0

    def answer(self, path: str, asked_range: str | None) -> Answer:
        """Answer one request."""
        file = self.root / unquote(urlsplit(path).path).lstrip("/")
        found: Answer = (200, "application/octet-stream", file.read_bytes()) if file.is_file() else (404, "application/xml", b"<Error/>")
        if asked_range and found[0] == 200:
            found = (206, found[1], _cut(found[2], asked_range))
        for pattern, change in self.faults.items():
            if re.search(pattern, path):
                found = change(found)
        return found


def _cut(data: bytes, asked: str) -> bytes:
    first, _, last = asked.removeprefix("bytes=").partition("-")
    return data[-int(last) :] if not first else data[int(first) : int(last) + 1]


@contextmanager
def serving(root: Path) -> Iterator[StoreServer]:
    """Serve a folder."""
    state = StoreServer(root)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            with state.lock:
                state.asked.append((self.headers.get("Range") or "", self.path))
            if state.gate is not None and CHUNK.search(self.path):
                state.gate.wait(10)
            status, kind, body = state.answer(self.path, self.headers.get("Range"))
            with state.lock:
                state.sent += len(body)
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *args: Any) -> None:
            """Say nothing."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        # With the usual 5 some of many connections made at once would wait a second or more.
        request_queue_size = 128

    server = Server(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    state.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield state
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@dataclass(frozen=True)
class Response:
    status: int
    headers: Mapping[str, str]
    body: bytes


class BareClient:
    """The least that `RemoteStore` asks of a client: one connection a thread, no retries."""

    def __init__(self) -> None:
        self._local = threading.local()
        self._open: list[http.client.HTTPConnection] = []

    def get(self, url: str, *, limit: int, ok_missing: bool = False) -> Response:
        response = self._ask(url, {})
        if response.status == 403:
            raise DeniedError(f"{url} was answered with 403.")
        if response.status != 200 and not (ok_missing and response.status == 404):
            raise UnreadableError(f"{url} was answered with {response.status}. Try again later.")
        if len(response.body) > limit:
            raise UnreadableError(f"{url} has more than {limit:,} bytes.")
        return response

    def get_range(self, url: str, start: int, length: int) -> bytes | None:
        response = self._ask(url, {"Range": f"bytes=-{-start}" if start < 0 else f"bytes={start}-{start + length - 1}"})
        if response.status not in {206, 404}:
            raise UnreadableError(f"{url} was answered with {response.status}. Try again later.")
        return response.body if response.status == 206 else None

    def size(self, url: str) -> int | None:
        response = self._ask(url, {})
        return None if response.status == 404 else len(response.body)

    def close(self) -> None:
        for connection in self._open:
            connection.close()

    def _ask(self, url: str, headers: dict[str, str]) -> Response:
        parts = urlsplit(url)
        connection = getattr(self._local, "connection", None)
        if connection is None:
            connection = self._local.connection = http.client.HTTPConnection(parts.hostname or "", parts.port)
            self._open.append(connection)
        connection.request("GET", parts.path, headers=headers)
        answer = connection.getresponse()
        return Response(answer.status, dict(answer.getheaders()), answer.read())
