"""Progress: a bar on a terminal, a plain line now and then in a job log, JSON lines for programs; always on stderr."""

from __future__ import annotations

import json
import logging
import sys
import time
from typing import TYPE_CHECKING, Any, TextIO

if TYPE_CHECKING:
    from collections.abc import Callable

    from tqdm import tqdm

LINE_SECONDS = 30.0
LONGEST = 4000
"""Characters of a message; of a longer one the middle is left out."""
_SHOWN: set[Progress] = set()
"""Those whose bars are on the terminal."""


def one_line(message: str) -> str:
    """Keep a message on one line that can be read, whatever names it quotes."""
    if len(message) > LONGEST:
        message = f"{message[: LONGEST // 2]} … {message[-LONGEST // 2 :]}"
    return " ".join("".join(character if character.isprintable() else " " for character in message).split())


class LineFormatter(logging.Formatter):
    """One line a message: a name out of a file cannot look like a message of its own."""

    def format(self, record: logging.LogRecord) -> str:
        """Render a record as text."""
        return one_line(super().format(record))


class JsonFormatter(logging.Formatter):
    """One JSON object a line."""

    def format(self, record: logging.LogRecord) -> str:
        """Render a record as JSON: time, level, message."""
        return json.dumps(
            {"time": self.formatTime(record), "level": record.levelname.lower(), "message": one_line(record.getMessage())}, ensure_ascii=False
        )


class _BesideBars(logging.StreamHandler[TextIO]):
    """Takes bars off the terminal while a message is written, so that both keep lines of their own."""

    def emit(self, record: logging.LogRecord) -> None:
        """Write a message."""
        bars = [progress.bar for progress in tuple(_SHOWN) if progress.bar is not None and progress.stream is self.stream]
        for bar in bars:
            bar.clear()
        super().emit(record)
        for bar in bars:
            bar.refresh()


def set_up_messages(program: str, *, quiet: bool, log_json: bool) -> logging.Logger:
    """Send the suite's messages to stderr.

    Parameters
    ----------
    program
        Name put before each message, e.g. ``lm_convert``.
    quiet
        Only warnings and errors.
    log_json
        JSON lines instead of text.
    """
    logger = logging.getLogger("lightmicroscopy")
    handler = _BesideBars(sys.stderr)
    handler.setFormatter(JsonFormatter() if log_json else LineFormatter(f"{program}: %(message)s"))
    logger.handlers[:] = [handler]
    logger.propagate = False
    logger.setLevel(logging.WARNING if quiet else logging.INFO)
    return logger


class Progress:
    """Tells how far a piece of work has come.

    Call it with (done, total) in bytes as often as you like, from any one thread at a time.
    """

    def __init__(
        self, label: str, *, quiet: bool = False, log_json: bool = False, stream: TextIO | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.label = label
        self.stream = stream or sys.stderr
        self.clock = clock
        self.silent = quiet
        self.bar: tqdm[Any] | None = None
        self.wants_bar = not quiet and not log_json and self.stream.isatty()
        self.began = self.said = clock()
        self._first: int | None = None

    def __call__(self, done: int, total: int) -> None:
        """Note that `done` of `total` bytes are finished."""
        if self.silent:
            return
        if self._first is None:
            # What went before, such as planning, says nothing about the rate, nor does what is there from an earlier call.
            self.began, self._first = self.clock(), done
        if self.wants_bar:
            self._move_bar(done, total)
        elif self.clock() - self.said >= LINE_SECONDS:
            self.said = self.clock()
            rate = max(done - self._first, 0) / max(self.said - self.began, 1e-9)
            left = f"about {duration((total - done) / rate)} left" if rate else "time left unknown"
            logging.getLogger("lightmicroscopy").info(
                "%s: %d %% (%s of %s, %s/s, %s)", self.label, 100 * done // max(total, 1), size(done), size(total), size(rate), left
            )

    def _move_bar(self, done: int, total: int) -> None:
        if self.bar is None:
            from tqdm import tqdm

            self.bar = tqdm(total=total, desc=self.label, unit="B", unit_scale=True, file=self.stream, leave=False)
            _SHOWN.add(self)
        self.bar.total = total
        self.bar.update(done - self.bar.n)

    def close(self) -> None:
        """Take the bar off the terminal."""
        _SHOWN.discard(self)
        if self.bar is not None:
            self.bar.close()


def duration(seconds: float) -> str:
    """Write a time for people: ``70 s``, ``5 min``, ``30 h``."""
    for unit, length in (("s", 1), ("min", 60)):
        if seconds < 120 * length:
            return f"{seconds / length:.0f} {unit}"
    return f"{seconds / 3600:.0f} h"


def size(count: float) -> str:
    """Write a number of bytes for people: ``1.5 GB``."""
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} TB"


def counted(count: int, one: str, several: str = "") -> str:
    """Write a number of things for people: ``1 image``, ``1,200 images``, ``2 studies``."""
    return f"{count:,} {one if count == 1 else several or f'{one}s'}"
