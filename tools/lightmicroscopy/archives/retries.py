"""When a request is made again, and after how long."""

from __future__ import annotations

import email.utils
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC

RETRIED_STATUSES = frozenset({429, 500, 502, 503, 504})
LONGEST_PAUSE = 60.0
LONGEST_RETRY_AFTER = 120.0
SLOW_RETRIES = 2
"""A peer that does not answer, or only drips, costs minutes at each try."""


class Transient(Exception):
    """Something that may go well the next time. Its text completes "<URL> could not be fetched: …"."""

    def __init__(self, reason: str, *, after: float | None = None, slow: bool = False) -> None:
        super().__init__(reason)
        self.after = after
        self.slow = slow


@dataclass(frozen=True)
class Pauses:
    """How long to wait between tries.

    Parameters
    ----------
    first
        Seconds before the first repetition; every further one waits twice as long.
    jitter
        Gives numbers in 0…1, so that many clients that failed together do not come back together.
    """

    retries: int
    jitter: Callable[[], float]
    first: float = 1.0

    def most(self, failure: Transient) -> int:
        """How often a request that failed so is made again."""
        return min(self.retries, SLOW_RETRIES) if failure.slow else self.retries

    def before(self, repetition: int, failure: Transient) -> float | None:
        """Seconds to wait before a repetition (1, 2, …) after `failure`; ``None`` to give up."""
        if repetition > self.most(failure):
            return None
        pause: float = min(self.first * 2.0 ** (repetition - 1), LONGEST_PAUSE) * (0.5 + 0.5 * self.jitter())
        return pause if failure.after is None else max(pause, failure.after)


def retry_after(headers: Mapping[str, str], now: Callable[[], float] = time.time) -> float | None:
    """Seconds that a server asks to wait, as a number or a date; capped, and ``None`` if it says nothing that can be understood."""
    text = headers.get("Retry-After", "").strip()
    if text.isascii() and text.isdigit():
        return min(float(text[:9]), LONGEST_RETRY_AFTER)
    try:
        date = email.utils.parsedate_to_datetime(text)
        # Dates of HTTP are of Greenwich, whether they say so or not.
        moment = (date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp()
    except (ValueError, TypeError, OverflowError, IndexError):
        return None
    return min(max(moment - now(), 0.0), LONGEST_RETRY_AFTER)
