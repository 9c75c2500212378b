"""Sessions of OMERO.web: made silently for the public user, or only at the front door."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable
from typing import Literal

from .wire import Request

COOKIE = "sessionid_idr"
Mode = Literal["silent", "strict"]


class Sessions:
    """What cookies are good for, and for how long.

    Parameters
    ----------
    mode
        ``silent``: whoever comes without a session gets one, as on the IDR. ``strict``: only `/webclient/` gives one, and the API
        answers 403 without.
    age
        Seconds that a session lives after it was last used.
    """

    def __init__(self, mode: Mode = "silent", age: float = 3600.0, clock: Callable[[], float] = time.monotonic) -> None:
        self.mode = mode
        self.age = age
        self._clock = clock
        self._until: dict[str, float] = {}
        self._numbers = itertools.count(1)
        self._lock = threading.Lock()

    def valid(self, request: Request) -> bool:
        """Whether a request brings a session that still lives."""
        key = request.cookies.get(COOKIE, "")
        with self._lock:
            alive = self._until.get(key, 0.0) > self._clock()
            if alive:
                self._until[key] = self._clock() + self.age
        return alive

    def open(self) -> str:
        """Make a session and return the header that gives it to the client."""
        with self._lock:
            key = f"public{next(self._numbers):026d}"
            self._until[key] = self._clock() + self.age
        return f"{COOKIE}={key}; HttpOnly; Max-Age=3600; Path=/; SameSite=Lax"

    def forget(self) -> None:
        """End every session."""
        with self._lock:
            self._until.clear()
