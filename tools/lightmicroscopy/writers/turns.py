"""Storing what several threads have encoded in one order, so that equal inputs give equal files whichever thread was faster."""

from __future__ import annotations

import threading
from collections.abc import Callable

Key = tuple[int, ...]
Store = Callable[[], None]


class Turns:
    """Stores the chunks of block after block, by whichever thread has ended the block whose turn it is.

    Chunks wait, encoded, until those of all blocks before theirs are stored.

    Parameters
    ----------
    ahead
        How many blocks may be begun before the first of them is stored: memory stays bounded when one takes long.
    """

    def __init__(self, ahead: int) -> None:
        self.ahead = ahead
        self.turn = 0
        self.storing = False
        self.ended: set[int] = set()
        self.chunks: dict[int, list[tuple[Key, Store]]] = {}
        self.changed = threading.Condition()

    def begin(self, block: int, stopped: threading.Event) -> None:
        """Wait until a block may begin."""
        with self.changed:
            self.changed.wait_for(lambda: block < self.turn + self.ahead or stopped.is_set())

    def add(self, block: int, key: Key, store: Store) -> None:
        """Have something stored in the turn of a block that has not ended; within a turn the order is that of the keys."""
        with self.changed:
            self.chunks.setdefault(block, []).append((key, store))

    def end(self, block: int) -> None:
        """Say that a block has nothing more to add, and store what may be by now."""
        with self.changed:
            self.ended.add(block)
            if self.storing:
                return
            self.storing = True
        # If storing fails, so does the run, and nobody waits for a turn any more.
        while (chunks := self._next()) is not None:
            chunks.sort(key=lambda chunk: chunk[0], reverse=True)
            while chunks:
                # What is stored is let go of at once.
                chunks.pop()[1]()

    def _next(self) -> list[tuple[Key, Store]] | None:
        with self.changed:
            if self.turn not in self.ended:
                self.storing = False
                return None
            self.ended.remove(self.turn)
            chunks = self.chunks.pop(self.turn, [])
            self.turn += 1
            self.changed.notify_all()
            return chunks

    def wake(self) -> None:
        """Have those who wait look whether the run was stopped."""
        with self.changed:
            self.changed.notify_all()
