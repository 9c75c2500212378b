"""A sign of life now and then from work whose length nobody knows."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

SECONDS: Final = 30.0

log = logging.getLogger("lightmicroscopy")


class Pulse:
    """Lets a message through if none was for a while."""

    def __init__(self, seconds: float = SECONDS, clock: Callable[[], float] = time.monotonic) -> None:
        self._seconds = seconds
        self._clock = clock
        self._next = clock() + seconds

    def tell(self, sentence: str, *values: object) -> None:
        """Log a sentence, made of its values as logging does, if it is time to."""
        if self._clock() >= self._next:
            self._next = self._clock() + self._seconds
            log.info(sentence, *values)
