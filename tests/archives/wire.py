"""What comes in, what goes out, and what is remembered of both."""

from __future__ import annotations

import email.utils
import hashlib
import html
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

JSON = "application/json"
HTML = "text/html; charset=utf-8"
MODIFIED = 1_650_000_000  # 2022-04-15, for everything that is served as a file; invented

Body = bytes


@dataclass(frozen=True)
class Blob:
    """Bytes that are made when they are asked for, so that a huge file costs no memory."""

    size: int
    read: Callable[[int, int], bytes]
    etag: str


@dataclass(frozen=True)
class Request:
    """One request, its path percent-decoded and its query in order."""

    service: str
    base: str
    method: str
    path: str
    query: Mapping[str, tuple[str, ...]]
    headers: Mapping[str, str]
    body: bytes = b""
    target: str = ""

    def first(self, name: str, default: str | None = None) -> str | None:
        """Return the first value of a query parameter."""
        return self.query.get(name, (default,))[0]

    @property
    def cookies(self) -> dict[str, str]:
        """The cookies that were sent."""
        pairs = (pair.split("=", 1) for pair in self.headers.get("cookie", "").split(";") if "=" in pair)
        return {name.strip(): value.strip() for name, value in pairs}


@dataclass
class Response:
    """One answer, before a fault is made of it."""

    status: int = 200
    body: bytes | Blob = b""
    headers: dict[str, str] = field(default_factory=dict)

    @property
    def length(self) -> int:
        """Number of bytes of the whole body."""
        return self.body.size if isinstance(self.body, Blob) else len(self.body)


@dataclass
class Exchange:
    """One line of the log: what was asked, and how many bytes of a body were sent.

    It is there before the client has the answer, so that a test finds it; `sent` grows while a body is sent in pieces.
    """

    service: str
    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    status: int
    sent: int
    fault: str | None = None


def json_response(value: object, status: int = 200, **headers: str) -> Response:
    """Answer with JSON as Django's JsonResponse does."""
    named = {name.replace("_", "-"): text for name, text in headers.items()}
    return Response(status, json.dumps(value).encode(), {"Content-Type": JSON, **named})


def html_response(title: str, status: int = 200, text: str = "") -> Response:
    """Answer with a page for people."""
    page = f"<!DOCTYPE html>\n<html><head><title>{html.escape(title)}</title></head><body><h1>{html.escape(title)}</h1>\n{text}</body></html>\n"
    return Response(status, page.encode(), {"Content-Type": HTML})


def error_page(status: int, server: str = "nginx") -> Response:
    """Answer with the page of a proxy."""
    phrase = HTTPStatus(status).phrase
    return html_response(f"{status} {phrase}", status, f"<hr><center>{server}</center>")


def xml_error(status: int, code: str, message: str, resource: str) -> Response:
    """Answer as object stores with the S3 protocol do."""
    parts = f"<Code>{code}</Code><Message>{html.escape(message)}</Message><Resource>{html.escape(resource)}</Resource>"
    text = f'<?xml version="1.0" encoding="UTF-8"?><Error>{parts}</Error>'
    return Response(status, text.encode(), {"Content-Type": "application/xml"})


def redirect(location: str, status: int = 302) -> Response:
    """Send the client elsewhere, with the empty HTML body Django gives."""
    return Response(status, b"", {"Content-Type": HTML, "Location": location})


def md5_tag(data: bytes) -> str:
    """Return the ETag of a small object, which is the MD5 of its bytes."""
    return f'"{hashlib.md5(data, usedforsecurity=False).hexdigest()}"'


def http_date(seconds: float = MODIFIED) -> str:
    """Return a date as HTTP writes it."""
    return email.utils.formatdate(seconds, usegmt=True)


def file_response(request: Request, content: bytes | Blob, content_type: str, etag: str, extra: Mapping[str, str] | None = None) -> Response:
    """Serve bytes as a static server does: whole, a range, or a refusal of an impossible range."""
    size = content.size if isinstance(content, Blob) else len(content)
    headers = {"Content-Type": content_type, "Accept-Ranges": "bytes", "ETag": etag, "Last-Modified": http_date(), **(extra or {})}
    if etag in request.headers.get("if-none-match", ""):
        return Response(304, b"", headers)
    asked = request.headers.get("range")
    if not asked or request.headers.get("if-range", etag) not in (etag, headers["Last-Modified"]):
        return Response(200, content, headers)
    span = parse_range(asked, size)
    if span is None:
        return Response(200, content, headers)
    start, stop = span
    if start >= stop:
        return Response(416, b"", {**headers, "Content-Range": f"bytes */{size}"})
    headers["Content-Range"] = f"bytes {start}-{stop - 1}/{size}"
    return Response(206, cut(content, start, stop), headers)


def parse_range(text: str, size: int) -> tuple[int, int] | None:
    """Return one byte range as (start, stop), (0, 0) if it cannot be satisfied, None if it is to be ignored."""
    match = re.fullmatch(r"bytes=(\d*)-(\d*)", text.strip())
    if match is None or match.groups() == ("", ""):
        return None
    first, last = match.groups()
    if not first:
        return (max(size - int(last), 0), size) if int(last) else (0, 0)
    start = int(first)
    stop = min(int(last) + 1, size) if last else size
    if last and int(last) < start:
        return None
    return (start, stop) if start < size else (0, 0)


def cut(content: bytes | Blob, start: int, stop: int) -> bytes | Blob:
    """Return a part of a body, still unread if the body is."""
    if isinstance(content, bytes):
        return content[start:stop]
    whole = content
    return Blob(stop - start, lambda offset, length: whole.read(start + offset, min(length, stop - start - offset)), whole.etag)


def integer(text: Any) -> int:
    """Read a number the way the real server does, with Python's own message when it is none."""
    return int(text)
