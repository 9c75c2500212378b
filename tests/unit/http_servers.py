"""Small servers on the loopback interface that say exactly the bytes a test wants, right or wrong."""

from __future__ import annotations

import json
import re
import shutil
import socket
import ssl
import struct
import subprocess
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lightmicroscopy.archives.endpoints import Endpoints
from lightmicroscopy.archives.http import Client

RESET = b"<reset>"


@dataclass(frozen=True)
class Request:
    """What arrived."""

    method: str
    target: str
    headers: dict[str, str]
    connection: int
    """Number of the connection, counted from 1."""


Handler = Callable[[Request], "bytes | Iterable[bytes]"]


@dataclass
class Server:
    """Answers with raw bytes; a connection stays open unless the answer says ``Connection: close`` or is `RESET`."""

    handler: Handler
    context: ssl.SSLContext | None = None
    host: str = "127.0.0.1"
    requests: list[Request] = field(default_factory=list)
    connections: int = 0

    def __post_init__(self) -> None:
        self.listener = socket.create_server((self.host, 0), backlog=64)
        self.port = self.listener.getsockname()[1]
        self.url = f"{'https' if self.context else 'http'}://{self.host}:{self.port}"
        self.open: list[socket.socket] = []
        self.thread = threading.Thread(target=self.accept, daemon=True)
        self.thread.start()

    def accept(self) -> None:
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            self.connections += 1
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.open.append(connection)
            threading.Thread(target=self.serve, args=(connection, self.connections), daemon=True).start()

    def serve(self, connection: socket.socket, number: int) -> None:
        try:
            if self.context:
                connection = self.context.wrap_socket(connection, server_side=True)
                self.open.append(connection)
            with connection, connection.makefile("rb") as incoming:
                while (request := read_request(incoming, number)) is not None:
                    self.requests.append(request)
                    if not self.send(connection, self.handler(request)):
                        return
        except (OSError, ValueError):
            return

    def send(self, connection: socket.socket, answer: bytes | Iterable[bytes]) -> bool:
        closes = False
        for part in [answer] if isinstance(answer, bytes) else answer:
            if part == RESET:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                return False
            connection.sendall(part)
            closes = closes or b"Connection: close" in part[:2000]
        return not closes

    def close(self) -> None:
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        for connection in self.open:
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue
        self.thread.join(5)

    def asked(self, target: str) -> list[Request]:
        return [request for request in self.requests if request.target == target]


def read_request(incoming: Any, number: int) -> Request | None:
    line = incoming.readline(65536).decode("latin-1")
    if not line.strip():
        return None
    method, target, _ = line.split(" ", 2)
    headers = {}
    while line := incoming.readline(65536).decode("latin-1").rstrip("\r\n"):
        name, _, value = line.partition(":")
        headers[name.lower()] = value.strip()
    return Request(method, target, headers, number)


def reply(body: bytes = b"", status: int = 200, *, kind: str = "application/octet-stream", length: int | None = None, **headers: str) -> bytes:
    """Compose an honest answer, unless `length` makes it none; underscores in names of headers become hyphens."""
    lines = [f"HTTP/1.1 {status} X", f"Content-Type: {kind}", f"Content-Length: {len(body) if length is None else length}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join(lines).encode("utf-8") + b"\r\n\r\n" + body


def reply_json(value: object, status: int = 200, **headers: str) -> bytes:
    return reply(json.dumps(value).encode(), status, kind="application/json", **headers)


def reply_file(data: bytes, request: Request, etag: str = '"v1"', *, most: int = 1 << 62) -> bytes:
    """Serve a file with ranges and If-Range; the connection closes after `most` bytes of a body."""
    wanted = re.fullmatch(r"bytes=(\d*)-(\d*)", request.headers.get("range", ""))
    status, part, headers = 200, data, {"ETag": etag}
    if wanted is not None and request.headers.get("if-range", etag) == etag:
        start = int(wanted[1]) if wanted[1] else max(0, len(data) - int(wanted[2]))
        end = min(int(wanted[2]) + 1 if wanted[1] and wanted[2] else len(data), len(data))
        if start >= len(data):
            return reply(b"", 416, Content_Range=f"bytes */{len(data)}")
        status, part, headers = 206, data[start:end], {"ETag": etag, "Content-Range": f"bytes {start}-{end - 1}/{len(data)}"}
    if len(part) > most:
        headers["Connection"] = "close"
    return reply(b"" if request.method == "HEAD" else part[:most], status, length=len(part), **headers)


@contextmanager
def serving(handler: Handler | bytes, *, context: ssl.SSLContext | None = None, host: str = "127.0.0.1") -> Iterator[Server]:
    """Run a server; bytes are answered to whatever is asked."""
    answer: Handler = (lambda _: handler) if isinstance(handler, bytes) else handler
    server = Server(answer, context, host)
    try:
        yield server
    finally:
        server.close()


def endpoints_for(*servers: Server | str, **settings: Any) -> Endpoints:
    """Configure the first server as the IDR and the object store, all as allowed hosts."""
    urls = [server if isinstance(server, str) else server.url for server in servers]
    values = {"idr_web": urls[0], "object_store": urls[0], "allowed_hosts": urls, **settings}
    return Endpoints.from_environment({"LIGHTMICROSCOPY_ENDPOINTS": json.dumps(values)})


class Naps(list[float]):
    """A `sleep` that only remembers."""

    def __call__(self, seconds: float) -> None:
        self.append(seconds)


@contextmanager
def client_for(*servers: Server | str, naps: Naps | None = None, settings: dict[str, Any] | None = None, **parameters: Any) -> Iterator[Client]:
    """Give a client of these servers that never sleeps between tries."""
    quick: dict[str, Any] = {"sleep": Naps() if naps is None else naps, "jitter": lambda: 1.0}
    with Client(endpoints_for(*servers, **(settings or {})), **{**quick, **parameters}) as client:
        yield client


def make_authority(folder: Path, name: str = "127.0.0.1") -> tuple[Path, ssl.SSLContext]:
    """Make a certificate authority and a server that has its certificate for `name`; return the authority's file and the server's context."""
    openssl = shutil.which("openssl")
    assert openssl, "the openssl program makes the certificates of this test"
    authority, key, request, certificate = (folder / name for name in ("ca.pem", "key.pem", "request.pem", "certificate.pem"))
    kind = "IP" if re.fullmatch(r"[\d.]+", name) else "DNS"
    new_key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    signed = ["-CA", authority, "-CAkey", folder / "ca.key", "-extfile", folder / "extensions"]
    # Python 3.13 asks of certificates what RFC 5280 demands.
    (folder / "extensions").write_text(f"subjectAltName={kind}:{name}\nauthorityKeyIdentifier=keyid\nkeyUsage=critical,digitalSignature\n")
    signing = ["-addext", "keyUsage=critical,keyCertSign,cRLSign"]
    for command in (
        ["req", "-x509", *new_key, "-keyout", folder / "ca.key", "-out", authority, "-subj", "/CN=Test authority", "-days", "2", *signing],
        ["req", *new_key, "-keyout", key, "-out", request, "-subj", f"/CN={name}"],
        ["x509", "-req", "-in", request, "-out", certificate, "-days", "2", *signed],
    ):
        subprocess.run([openssl, *command], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return authority, context
