"""Parts of objects: what a server says it sends, and whether that is what was asked for."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ..errors import ArchiveError
from .bodies import Answer, too_long
from .endpoints import shown
from .retries import Transient

_SKIP_LIMIT = 64 * 1024 * 1024
"""Bytes read in vain to reach a range of a server that has no ranges."""
_CONTENT_RANGE = re.compile(r"bytes\s+(?:([0-9]{1,18})-([0-9]{1,18})|\*)/([0-9]{1,18}|\*)", re.IGNORECASE)


@dataclass(frozen=True)
class ContentRange:
    """What a Content-Range says: first and last byte, length of the whole (``None``: unknown)."""

    first: int
    last: int
    total: int | None


def content_range(answer: Answer) -> ContentRange:
    """Read which part an answer is; raises `Transient` if it does not say."""
    match = _CONTENT_RANGE.fullmatch(answer.header("Content-Range"))
    if match is None:
        raise Transient("it sent a part without saying which (Content-Range)")
    first, last, total = match.groups()
    return ContentRange(int(first or 0), int(last or -1), None if total == "*" else int(total))


def partial(answer: Answer, start: int, length: int) -> bytes:
    """Read the body of a 206, which must be the part asked for.

    A part may be shorter than asked for only where the object ends, or where the server does not know its length.

    Raises
    ------
    Transient
        If it is another part, or its body is not as long.
    """
    part = content_range(answer)
    total = part.total
    if start < 0:
        if total is None:
            raise Transient("it sent an end without saying of what (Content-Range)")
        start = max(0, total + start)
        last = total - 1
    else:
        last = start + length - 1 if total is None else min(start + length, total) - 1
    if (part.first, part.last) != (start, last) and not (total is None and part.first == start and start <= part.last < last):
        raise Transient(f"it sent bytes {part.first}-{part.last} where {start}-{last} were asked for")
    count = part.last - part.first + 1
    if count > length and count > _SKIP_LIMIT:
        raise too_long(answer.url, length, count)
    data = answer.read(count)
    if len(data) != count:
        raise Transient(f"it sent {len(data):,} of {count:,} bytes")
    return data[:length]


def cut(answer: Answer, start: int, length: int) -> bytes:
    """Take a part out of a whole, which is what a server without ranges sends, and leave the rest unread."""
    if start < 0:
        if answer.length is None:
            raise ArchiveError(f"{shown(answer.url)} cannot be read from its end: the server sends no parts and no length. Fetch it whole.")
        start = max(0, answer.length + start)
    if start > _SKIP_LIMIT:
        raise ArchiveError(f"{shown(answer.url)} cannot be read in parts: the server only sends it whole. Fetch it whole, or tell the service.")
    data, skip = bytearray(), start
    for piece in answer.pieces():
        data += piece[skip : skip + length - len(data)]
        skip = max(0, skip - len(piece))
        if len(data) >= length:
            break
    return bytes(data)
