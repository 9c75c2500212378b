"""What one request may take from its socket: so many bytes, until such a time.

The standard library's HTTP parser trusts the server in ways that a timeout per read does not bound: it skips any number of 100 Continue
answers and trailers, reads a chunk of negative length to the end of the stream, and fills a buffer from a peer that sends a byte a minute.
So the socket itself counts. A request runs in one thread from its first byte to its last, which is why the account is the thread's.
"""

from __future__ import annotations

import socket
import ssl
import threading
import time
from typing import TYPE_CHECKING, Any

from ..errors import ArchiveError
from .endpoints import shown
from .retries import Transient

if TYPE_CHECKING:
    from collections.abc import Callable


class Meter(threading.local):
    """The account of the request that this thread is making."""

    def __init__(self) -> None:
        self.url = ""
        self.clock: Callable[[], float] = time.monotonic
        self.deadline: float | None = None
        self.allowance: int | None = None

    def start(self, url: str, clock: Callable[[], float], seconds: float, allowance: int) -> None:
        """Open an account: `allowance` bytes within `seconds`."""
        self.url, self.clock = url, clock
        self.deadline, self.allowance = clock() + seconds, allowance

    def stop(self) -> None:
        """Close the account: nothing is counted until the next `start`."""
        self.deadline = self.allowance = None

    def left(self) -> float | None:
        """Seconds left; raises `Transient` if there are none."""
        if self.deadline is None:
            return None
        seconds = self.deadline - self.clock()
        if seconds <= 0:
            raise Transient("its answer came too slowly", slow=True)
        return seconds

    def took(self, count: int) -> None:
        """Note that `count` bytes came; raises `ArchiveError` if they are more than a truthful answer needs."""
        if self.allowance is None:
            return
        self.allowance -= count
        if self.allowance < 0:
            raise ArchiveError(
                f"{shown(self.url)} was given up: its answer has far more headers or framing than any honest one. Try later, or tell the service."
            )


METER = Meter()


class MeteredSocket(socket.socket):
    """A socket whose reads are put on the account of the thread that reads."""

    def recv_into(self, buffer: Any, nbytes: int | None = 0, flags: int = 0) -> int:
        """See `socket.socket`."""
        left, timeout = METER.left(), self.gettimeout()
        hurry = left is not None and (timeout is None or left < timeout)
        if hurry:
            self.settimeout(left)
        try:
            count = super().recv_into(buffer, nbytes or 0, flags)
        except TimeoutError:
            METER.left()
            raise
        finally:
            if hurry:
                self.settimeout(timeout)
        METER.took(count)
        return count


class MeteredTlsSocket(MeteredSocket, ssl.SSLSocket):
    """The same above TLS: counted is what came out of the encryption."""
