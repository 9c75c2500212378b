"""Locks that the operating system releases when their last holder is gone."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path


class FileLock:
    """An advisory lock on a file, shared with the processes that inherit its descriptor.

    The lock ends when every process holding the descriptor has closed it, so a
    supervisor that inherits it keeps an instance locked until it has cleaned up,
    even if the program that took the lock was killed.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._descriptor: int | None = None

    @property
    def descriptor(self) -> int:
        """The open descriptor, to be passed to a child; only while held."""
        if self._descriptor is None:
            raise ValueError(f"the lock {self.path} is not held")
        return self._descriptor

    def acquire(self, *, wait: bool) -> bool:
        """Take the lock; with ``wait=False`` return whether it could be had at once."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            os.close(descriptor)
            return False
        except BaseException:
            os.close(descriptor)
            raise
        self._descriptor = descriptor
        return True

    def release(self) -> None:
        """Give up this process's hold."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
