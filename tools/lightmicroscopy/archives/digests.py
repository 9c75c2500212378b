"""Checksums of a file that is being fetched, made beside the fetching where it is long: one core hashes hardly faster than a good line sends."""

from __future__ import annotations

import hashlib
from queue import Queue
from threading import Thread
from typing import Final

ALONE_FROM: Final = 8_000_000
"""Bytes from which on a thread of its own pays."""
_WAITING: Final = 8
"""Pieces that wait to be hashed; then the fetching waits, too."""


class Digests:
    """SHA-256 and MD5 of bytes that are given one piece after the other, by one thread."""

    def __init__(self) -> None:
        self._sha256 = hashlib.sha256()
        self._md5 = hashlib.md5(usedforsecurity=False)
        self._size = 0
        self._queue: Queue[tuple[bytes, bool] | None] = Queue(_WAITING)
        self._thread: Thread | None = None

    def update(self, data: bytes, *, md5: bool) -> None:
        """Take the next piece; for the MD5, too, if anybody promised one."""
        self._size += len(data)
        if self._thread is None and self._size < ALONE_FROM:
            self._hash(data, md5=md5)
            return
        if self._thread is None:
            self._thread = Thread(target=self._work, name="digests", daemon=True)
            self._thread.start()
        self._queue.put((data, md5))

    def sha256(self) -> str:
        """Of all that was given, in hexadecimal."""
        self.close()
        return self._sha256.hexdigest()

    def md5(self) -> str:
        """As `sha256`."""
        self.close()
        return self._md5.hexdigest()

    def close(self) -> None:
        """End the thread, when it has hashed what it was given."""
        if self._thread is not None:
            self._queue.put(None)
            self._thread.join()
            self._thread = None

    def _hash(self, data: bytes, *, md5: bool) -> None:
        self._sha256.update(data)
        if md5:
            self._md5.update(data)

    def _work(self) -> None:
        while (piece := self._queue.get()) is not None:
            self._hash(piece[0], md5=piece[1])
