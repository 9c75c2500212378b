"""What can go wrong, switched on for chosen requests."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Iterable
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

KINDS = {
    "status": "the given status, with an HTML or JSON body, and Retry-After if given",
    "reset": "the connection is reset, before the answer or after `bytes` of its body",
    "truncate": "Content-Length says the whole, `bytes` of it come (default half), then the connection closes",
    "short-length": "Content-Length is `bytes` less than the body (default 1), and no more is sent",
    "delay": "the answer comes `seconds` later",
    "never": "no answer comes, until `seconds` have passed or the archive stops",
    "drip": "the body comes `bytes` at a time (default 1), every `seconds` (default 0.05)",
    "corrupt": "one bit of the body is flipped, at `offset` (default the middle)",
    "replace": "the body is `body`, with the type `content_type`",
    "html": "200 with a page for people",
    "redirect": "`status` (default 302) to `target`; `{base}`, `{elsewhere}` and `{self}` are filled in",
    "endless": "a chunked body that never ends (until `limit` bytes, default 1 GiB)",
    "gzip-bomb": "Content-Encoding: gzip, small on the wire, `limit` bytes when unpacked (default 1 GiB)",
    "huge-json": "valid JSON of about `limit` bytes (default 128 MiB)",
    "session": "every session is forgotten, and 403 Not logged in",
    "json-error": "500 with the message and stacktrace that OMERO.web gives",
    "lie": "`totalCount` and `size` of a list become `value` (default ten times as many), or `bookmark` always the first one's",
    "etag": "another ETag than the last time, and other bytes",
    "no-range": "a Range is ignored: 200 and the whole body",
    "wrong-range": "206, but of other bytes than asked for: they start `offset` later (default 1), and Content-Range says so",
}


@dataclass
class Fault:
    """One thing that goes wrong.

    Parameters
    ----------
    kind
        A key of `KINDS`.
    path
        Regular expression searched in the path with its query.
    service
        web, objects, originals or elsewhere; any if empty.
    method
        Any if empty.
    first
        The first matching request that it happens to, counted from 1.
    count
        How many requests it happens to; 0 for all from the first on.
    """

    kind: str
    path: str = ""
    service: str = ""
    method: str = ""
    first: int = 1
    count: int = 1
    status: int | None = None
    body: str = ""
    content_type: str = ""
    retry_after: str = ""
    seconds: float = 0.0
    bytes: int | None = None
    offset: int | None = None
    limit: int | None = None
    target: str = "{elsewhere}"
    what: str = "total"
    value: int | None = None
    seen: int = field(default=0, compare=False)
    happened: int = field(default=0, compare=False)

    def __post_init__(self) -> None:
        """Refuse a fault that could never happen."""
        if self.kind not in KINDS:
            raise ValueError(f"{self.kind!r} is no fault; there are: {', '.join(KINDS)}")
        re.compile(self.path)

    def matches(self, service: str, method: str, target: str) -> bool:
        """Whether a request is one that it may happen to."""
        return (not self.service or self.service == service) and (not self.method or self.method == method) and bool(re.search(self.path, target))


class Faults:
    """The faults that are switched on, counted thread-safely."""

    def __init__(self, file: Path | None = None) -> None:
        self._faults: list[Fault] = []
        self._lock = threading.Lock()
        self._file = file
        self._stamp: tuple[int, int] | None = None

    def add(self, kind: str | Fault, path: str = "", **options: Any) -> Fault:
        """Switch one on, and return it so that a test can ask how often it happened."""
        fault = kind if isinstance(kind, Fault) else Fault(kind, path, **options)
        with self._lock:
            self._faults.append(fault)
        return fault

    def clear(self) -> None:
        """Switch all off."""
        with self._lock:
            self._faults.clear()

    def of(self, service: str, method: str, target: str) -> list[Fault]:
        """Return the faults of one request, and count it."""
        if self._file is not None:
            self._reread(self._file)
        if not self._faults:
            return []
        with self._lock:
            found = [fault for fault in self._faults if fault.matches(service, method, target)]
            for fault in found:
                fault.seen += 1
            due = [fault for fault in found if fault.seen >= fault.first and (not fault.count or fault.seen < fault.first + fault.count)]
            for fault in due:
                fault.happened += 1
        return due

    def _reread(self, file: Path) -> None:
        """Take the file's faults again when it has changed, so that another process can switch them."""
        try:
            status = file.stat()
            stamp = (status.st_mtime_ns, status.st_size)
            if stamp == self._stamp:
                return
            faults = list(read_faults(json.loads(file.read_text(encoding="utf-8"))))
        except FileNotFoundError:
            stamp, faults = None, []
        with self._lock:
            self._stamp, self._faults = stamp, faults


def read_faults(items: Iterable[dict[str, Any]]) -> Iterable[Fault]:
    """Read a JSON list of faults."""
    known = {item.name for item in fields(Fault)} - {"seen", "happened"}
    for item in items:
        if unknown := set(item) - known:
            raise ValueError(f"a fault has no {', '.join(sorted(unknown))}; it has: {', '.join(sorted(known))}")
        yield Fault(**item)
