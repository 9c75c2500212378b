"""The cookies of the one service that wants a session."""

from __future__ import annotations

import re
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .endpoints import Origin

_COOKIE = re.compile(
    r"([!#$%&'*+.^_`|~0-9A-Za-z-]{1,256})=([\x21\x23-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e]{0,4096}|\"[\x21\x23-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e]{0,4094}\")"
)
_MOST_COOKIES = 20


class Session:
    """Cookies that one origin sets and that only this origin gets back, whatever domain they ask for; safe to use from several threads."""

    def __init__(self, origin: Origin) -> None:
        self._origin = origin
        self._cookies: dict[str, str] = {}
        self._lock = threading.Lock()
        self.opening = threading.Lock()
        self.opened = 0
        """How often the session was opened: who waited for `opening` sees by it whether another thread did it."""

    def header(self, origin: Origin) -> dict[str, str]:
        """Give the Cookie header for a request to `origin`: empty for any but its own."""
        with self._lock:
            if origin != self._origin or not self._cookies:
                return {}
            return {"Cookie": "; ".join(f"{name}={value}" for name, value in self._cookies.items())}

    def keep(self, origin: Origin, cookies: Iterable[str]) -> None:
        """Keep what an answer of `origin` sets with these Set-Cookie headers; malformed ones are ignored."""
        if origin != self._origin:
            return
        with self._lock:
            for cookie in cookies:
                pair, _, attributes = cookie.partition(";")
                match = _COOKIE.fullmatch(pair.strip())
                if match is None:
                    continue
                name, value = match.groups()
                if not value or re.search(r"max-age\s*=\s*(0|-)", attributes, re.IGNORECASE):
                    self._cookies.pop(name, None)
                elif name in self._cookies or len(self._cookies) < _MOST_COOKIES:
                    self._cookies[name] = value

    def forget(self) -> None:
        """Drop every cookie."""
        with self._lock:
            self._cookies.clear()
