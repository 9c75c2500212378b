"""Bodies of answers, read in bounded memory and bounded time."""

from __future__ import annotations

import json
import re
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..errors import ArchiveError, SuiteError, TooLongError
from .endpoints import shown
from .meter import METER
from .retries import Transient

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from .transport import Response

PIECE = 256 * 1024
MESSAGE_LIMIT = 64 * 1024
_FRAMING = 256 * 1024
_SPOKEN = 200
_PATIENCE = 5.0
"""Seconds for what nobody waits for: the rest of an answer, or the words of an error."""
_PLAIN = frozenset({"", "identity"})
_GZIP = frozenset({"gzip", "x-gzip"})
_MD5 = re.compile(r'"([0-9a-f]{32})"', re.IGNORECASE)
_PAGE = re.compile(rb"\s*(?:<!--.{0,512}?-->\s*)?<(?:!doctype html|html[\s>])", re.IGNORECASE | re.DOTALL)


@dataclass(frozen=True)
class Pace:
    """How slowly a body may come: it has `grace` seconds left at first, gains one with every `rate` bytes, and never has more than `grace`."""

    grace: float
    rate: float
    clock: Callable[[], float]


@dataclass(frozen=True)
class Answer:
    """What came back, its body not yet read.

    Parameters
    ----------
    url
        Where it came from, after redirects.
    redirected
        Whether that is another address than was asked.
    received
        Told how many bytes of the body came.
    """

    response: Response
    url: str
    redirected: bool
    pace: Pace
    received: Callable[[int], None]

    @property
    def status(self) -> int:
        """The status code."""
        return self.response.status

    def header(self, name: str) -> str:
        """Return the value of a header, empty if there is none."""
        return str(self.response.headers.get(name, "")).strip()

    @property
    def length(self) -> int | None:
        """Declared length of the body, as it comes over the wire; ``None`` if none is declared.

        Raises
        ------
        Transient
            If what is declared is no number, or several, or the body is wrapped otherwise than in chunks: the wrapping would pass for content.
        """
        wrapping = self.header("Transfer-Encoding").lower()
        if wrapping not in {"", "identity", "chunked"}:
            raise Transient(f"its body is wrapped in a way that was not asked for (Transfer-Encoding: {wrapping[:40]!a})")
        if wrapping == "chunked":
            return None
        declared = {text.strip() for text in self.header("Content-Length").split(",")}
        if declared == {""}:
            return None
        text = declared.pop()
        if declared or not re.fullmatch(r"[0-9]{1,18}", text):
            raise Transient("its declared length is not one number")
        return int(text)

    @property
    def promised_md5(self) -> str:
        """MD5 of the body in lower-case hexadecimal, where the ETag has that shape (S3 and its kin); empty if nothing is promised."""
        match = _MD5.fullmatch(self.header("ETag"))
        return match[1].lower() if match and not self.encoding else ""

    @property
    def encoding(self) -> str:
        """The Content-Encoding, empty for none."""
        encoding = self.header("Content-Encoding").lower()
        return "" if encoding in _PLAIN else encoding

    def pieces(self, size: int = PIECE, grace: float | None = None) -> Iterator[bytes]:
        """Read the body, still encoded as it came, at most `size` bytes at a time.

        Raises
        ------
        Transient
            If it ends before its declared length, or comes too slowly.
        """
        from .transport import explained

        clock = self.pace.clock
        most = left = self.pace.grace if grace is None else min(grace, self.pace.grace)
        while True:
            began = clock()
            METER.start(self.url, clock, left, 8 * size + _FRAMING)
            with explained(self.url):
                # What is there, without waiting for a full piece: nothing that came is lost when the connection breaks.
                data = self.response.read1(size, decode_content=False)
            if not data:
                return
            # Only waiting for the server counts, not what is done with the data meanwhile.
            left = min(most, left - (clock() - began) + len(data) / self.pace.rate)
            self.received(len(data))
            yield data

    def finish(self) -> None:
        """Read what little is left, so that the connection can be used again; a longer rest is not read."""
        try:
            left = MESSAGE_LIMIT
            for piece in self.pieces(MESSAGE_LIMIT, _PATIENCE):
                left -= len(piece)
                if left < 0:
                    return
        except (Transient, SuiteError):
            return

    def read(self, limit: int, grace: float | None = None) -> bytes:
        """Read and unpack the whole body.

        Raises
        ------
        TooLongError
            If it is longer than `limit` bytes, on the wire or unpacked.
        ArchiveError
            If it is compressed in a way that was not asked for.
        """
        encoding = self.encoding
        if encoding and encoding not in _GZIP:
            raise ArchiveError(
                f"{shown(self.url)} answered in the encoding {encoding[:40]!r}, which was not asked for. Try later, or tell the service."
            )
        if (self.length or 0) > limit + (_FRAMING if encoding else 0):
            raise too_long(self.url, limit, self.length)
        return self._unpack(limit, grace) if encoding else self._plain(limit, grace)

    def _plain(self, limit: int, grace: float | None) -> bytes:
        parts, total = [], 0
        for piece in self.pieces(grace=grace):
            total += len(piece)
            if total > limit:
                raise too_long(self.url, limit)
            parts.append(piece)
        return b"".join(parts)

    def _unpack(self, limit: int, grace: float | None) -> bytes:
        parts, total, received = [], 0, 0
        decoder, fresh = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16), True
        try:
            for piece in self.pieces(grace=grace):
                received += len(piece)
                rest = piece
                while rest:
                    if decoder.eof:
                        decoder, fresh = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16), True
                    parts.append(decoder.decompress(rest, limit + 1 - total))
                    fresh = False
                    total += len(parts[-1])
                    if total > limit or received > limit + _FRAMING:
                        raise too_long(self.url, limit)
                    rest = decoder.unused_data if decoder.eof else decoder.unconsumed_tail
        except zlib.error as error:
            raise Transient(f"its compressed answer is damaged ({error})") from error
        if not (decoder.eof or fresh):
            raise Transient("its compressed answer ended too early")
        return b"".join(parts)

    @property
    def is_page(self) -> bool:
        """Whether the headers say that this is a page for people."""
        return self.header("Content-Type").partition(";")[0].strip().lower() in {"text/html", "application/xhtml+xml"}

    def message(self) -> str:
        """Say in a few words what the service said about an error: one line, empty if that is a page or nothing."""
        if self.is_page:
            self.finish()
            return ""
        try:
            body = self.read(MESSAGE_LIMIT, _PATIENCE)
        except (Transient, SuiteError):
            return ""
        return _spoken(body)


def too_long(url: str, limit: int, declared: int | None = None) -> TooLongError:
    """Say that an answer is longer than allowed."""
    what = f"announces {declared:,} bytes" if declared else "went on and on"
    return TooLongError(
        f"{shown(url)} {what}, where at most {limit:,} are allowed. Nothing of it was kept. Try again; if it stays so, tell the service."
    )


def looks_like_page(start: bytes) -> bool:
    """Whether a body starts as a page for people does."""
    return _PAGE.match(start[:1024]) is not None


def _spoken(body: bytes) -> str:
    if looks_like_page(body):
        return ""
    text = body.decode("utf-8", "replace")
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        value = text
    if isinstance(value, dict):
        value = next((value[key] for key in ("message", "errorMessage", "Error", "error", "detail") if isinstance(value.get(key), str)), "")
    if not isinstance(value, str) or value.lstrip().startswith("<"):
        return ""
    line = " ".join("".join(char if char.isprintable() else " " for char in value).split())
    return line if len(line) <= _SPOKEN else line[:_SPOKEN] + "…"
