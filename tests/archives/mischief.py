"""How each fault looks on the wire."""

from __future__ import annotations

import contextlib
import json
import socket
import struct
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from .faults import Fault
from .wire import HTML, JSON, Blob, Exchange, Request, Response, error_page, html_response, json_response, redirect

if TYPE_CHECKING:
    from .server import Archive

GIB = 1 << 30
SENDING = {"reset", "truncate", "short-length", "drip", "endless", "gzip-bomb"}


class ConnectionEndsError(Exception):
    """The connection must be closed now; with a reset if asked for."""

    def __init__(self, reset: bool = False) -> None:
        super().__init__()
        self.reset = reset


def instead(fault: Fault, request: Request, archive: Archive) -> Response | None:
    """Return the answer that a fault gives in place of the true one, if it does."""
    makers: dict[str, Callable[[], Response]] = {
        "status": lambda: _status(fault),
        "html": lambda: html_response("OMERO.web - Login", 200, "<form action='/webclient/login/'></form>"),
        "redirect": lambda: _redirect(fault, request, archive),
        "session": lambda: _signed_out(archive),
        "json-error": lambda: json_response(
            {"message": "omero.InternalException", "stacktrace": "Traceback (most recent call last):\n  invented"}, 500
        ),
        "replace": lambda: Response(fault.status or 200, fault.body.encode(), {"Content-Type": fault.content_type or HTML}),
        "huge-json": lambda: _huge_json(fault.limit or 128 << 20),
    }
    return makers[fault.kind]() if fault.kind in makers else None


def _redirect(fault: Fault, request: Request, archive: Archive) -> Response:
    own = request.base + request.target
    target = fault.target.replace("{base}", request.base).replace("{elsewhere}", archive.elsewhere).replace("{self}", own)
    return redirect(target, fault.status or 302)


def _signed_out(archive: Archive) -> Response:
    archive.sessions.forget()
    return json_response({"message": "Not logged in"}, 403)


def _status(fault: Fault) -> Response:
    status = fault.status or 503
    if fault.content_type == JSON or fault.body.startswith("{"):
        answer = Response(status, (fault.body or '{"message": "invented"}').encode(), {"Content-Type": JSON})
    elif fault.body:
        answer = Response(status, fault.body.encode(), {"Content-Type": fault.content_type or "text/plain"})
    else:
        answer = error_page(status)
    if fault.retry_after:
        answer.headers["Retry-After"] = fault.retry_after
    return answer


def _huge_json(limit: int) -> Response:
    """Return an array of `limit` bytes that is never held whole."""

    unit, head, tail = b'"invented",', b"[", b'""]'
    count = (limit - len(head) - len(tail)) // len(unit)
    size = len(head) + count * len(unit) + len(tail)

    def read(start: int, length: int) -> bytes:
        stop = min(start + length, size)
        made = bytearray(head[start:stop])
        while (at := start + len(made)) < min(stop, size - len(tail)):
            phase = (at - len(head)) % len(unit)
            made += (unit * ((stop - at) // len(unit) + 2))[phase : phase + min(stop, size - len(tail)) - at]
        return bytes(made) + tail[max(start + len(made) - (size - len(tail)), 0) : max(stop - (size - len(tail)), 0)]

    return Response(200, Blob(size, read, '"huge"'), {"Content-Type": JSON})


def afterwards(fault: Fault, request: Request, answer: Response) -> Response:
    """Return the true answer with something wrong in it."""
    if fault.kind == "lie":
        return _lie(fault, answer)
    if fault.kind == "etag":
        return replace(answer, body=_flipped(_whole(answer), fault), headers={**answer.headers, "ETag": f'"changed-{fault.happened}"'})
    if fault.kind == "corrupt":
        return replace(answer, body=_flipped(_whole(answer), fault))
    if fault.kind == "wrong-range" and answer.status == 206:
        start, rest = answer.headers["Content-Range"].removeprefix("bytes ").split("-", 1)
        stop, size = rest.split("/")
        by = fault.offset or 1
        return replace(answer, headers={**answer.headers, "Content-Range": f"bytes {int(start) + by}-{int(stop) + by}/{size}"})
    return answer


def _whole(answer: Response) -> bytes:
    return answer.body if isinstance(answer.body, bytes) else answer.body.read(0, answer.body.size)


def _flipped(data: bytes, fault: Fault) -> bytes:
    if not data:
        return data
    at = (len(data) // 2 if fault.offset is None else fault.offset) % len(data)
    return data[:at] + bytes([data[at] ^ 0x10]) + data[at + 1 :]


def _lie(fault: Fault, answer: Response) -> Response:
    """Change what a list says of itself: its total, or the bookmark of its next page."""
    value: Any = json.loads(_whole(answer))
    results = value.get("results") if isinstance(value, dict) else None
    if fault.what == "bookmark" and isinstance(results, dict):
        results["bookmark"] = [results["results"][0]["id"]] if fault.value is None else [fault.value]
    elif isinstance(results, dict):
        results["size"] = results["size"] * 10 if fault.value is None else fault.value
    elif isinstance(value, dict) and "meta" in value:
        meta = value["meta"]
        meta["totalCount"] = meta["totalCount"] * 10 if fault.value is None else fault.value
    return replace(answer, body=json.dumps(value).encode())


@dataclass
class Wire:
    """The socket of one answer, counting what was sent of the body."""

    socket: socket.socket
    archive: Archive
    log: Exchange

    @property
    def sent(self) -> int:
        """How much of the body is sent."""
        return self.log.sent

    def send(self, data: bytes, head: bytes = b"") -> None:
        """Send a part of the body, with what comes before it."""
        self.log.sent += len(data)
        self.socket.sendall(head + data)

    def pause(self, seconds: float) -> None:
        """Wait, but no longer than the archive serves."""
        if self.archive.stopping.wait(seconds):
            raise ConnectionEndsError


def parts(answer: Response, size: int) -> Iterator[bytes]:
    """Yield a body in pieces."""
    body = answer.body
    for start in range(0, answer.length, size):
        yield body[start : start + size] if isinstance(body, bytes) else body.read(start, min(size, body.size - start))


def misbehave(fault: Fault, answer: Response, head: bytes, wire: Wire) -> None:
    """Send an answer in a wrong way; `head` says the true length, and ends with its blank line."""
    sender = {"reset": _reset, "truncate": _truncate, "short-length": _short, "drip": _drip, "endless": _endless, "gzip-bomb": _bomb}
    sender[fault.kind](fault, answer, head, wire)


def _reset(fault: Fault, answer: Response, head: bytes, wire: Wire) -> None:
    if fault.bytes is not None:
        wire.socket.sendall(head)
        wire.send(_whole(answer)[: fault.bytes])
    raise ConnectionEndsError(reset=True)


def _truncate(fault: Fault, answer: Response, head: bytes, wire: Wire) -> None:
    body = _whole(answer)
    wire.socket.sendall(head)
    wire.send(body[: len(body) // 2 if fault.bytes is None else fault.bytes])
    raise ConnectionEndsError


def _short(fault: Fault, answer: Response, head: bytes, wire: Wire) -> None:
    body = _whole(answer)
    length = max(len(body) - (1 if fault.bytes is None else fault.bytes), 0)
    wire.socket.sendall(head.replace(b"Content-Length: %d\r\n" % len(body), b"Content-Length: %d\r\n" % length))
    wire.send(body[:length])


def _drip(fault: Fault, answer: Response, head: bytes, wire: Wire) -> None:
    wire.socket.sendall(head)
    for part in parts(answer, fault.bytes or 1):
        wire.send(part)
        wire.pause(fault.seconds or 0.05)


def _endless(fault: Fault, answer: Response, head: bytes, wire: Wire) -> None:
    length = b"Content-Length: %d\r\n" % answer.length
    wire.socket.sendall(head.replace(length, b"Transfer-Encoding: chunked\r\n"))
    block = b"10000\r\n" + b"\0" * 0x10000 + b"\r\n"
    while wire.sent < (fault.limit or GIB) and not wire.archive.stopping.is_set():
        wire.send(block)
    raise ConnectionEndsError


def _bomb(fault: Fault, answer: Response, head: bytes, wire: Wire) -> None:
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    block, left, packed = b" " * (1 << 20), fault.limit or GIB, []
    while left > 0:
        packed.append(packer.compress(block[:left]))
        left -= len(block)
    body = b"".join([*packed, packer.flush()])
    length = b"Content-Length: %d\r\n" % answer.length
    wire.socket.sendall(head.replace(length, b"Content-Encoding: gzip\r\nContent-Length: %d\r\n" % len(body)))
    wire.send(body)


def reset(connection: socket.socket) -> None:
    """Close a connection with RST in place of FIN."""
    with contextlib.suppress(OSError):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
