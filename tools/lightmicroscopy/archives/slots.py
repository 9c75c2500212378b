"""Places at each host: so many requests at a time, shared by all jobs of one user on one machine."""

from __future__ import annotations

import fcntl
import hashlib
import logging
import os
import random
import stat
import threading
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

FOLDER: Final = "light-microscopy-suite"
PATIENCE: Final = 60.0
"""Seconds after which a job goes on with one connection beyond the limit, so that none waits for ever."""
SAID_AFTER: Final = 5.0
_POLL: Final = 0.025

log = logging.getLogger("lightmicroscopy")


class Slots:
    """Gives places to requests; safe to use from several threads.

    Between jobs a place is a file that is locked: the system frees it when its process ends, however it ends. Where such files cannot be
    had, the limit holds within this job only.

    Parameters
    ----------
    connections
        Places at each host.
    folder
        Where the files lie, of this user alone; ``None`` for the usual place.
    """

    def __init__(
        self,
        connections: int,
        *,
        folder: Path | None = None,
        sleep: Callable[[float], object] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._connections = connections
        self._folder = folder
        self._sleep = sleep
        self._clock = clock
        self._lock = threading.Lock()
        self._here: dict[str, threading.BoundedSemaphore] = {}
        self._beyond: dict[str, threading.Lock] = {}
        self._shared = True
        self._made = False

    @contextmanager
    def at(self, host: str, port: int) -> Iterator[None]:
        """Hold a place, waiting for it first."""
        with self._semaphore(host):
            release = self._place(f"{host}:{port}")
            try:
                yield
            finally:
                release()

    def _semaphore(self, host: str) -> threading.BoundedSemaphore:
        with self._lock:
            return self._here.setdefault(host, threading.BoundedSemaphore(self._connections))

    def _place(self, name: str) -> Callable[[], None]:
        """Take a place among all jobs, and give what frees it."""
        began, said, new = self._clock(), False, True
        stem, waiting = hashlib.sha256(name.encode()).hexdigest()[:16], -1
        try:
            while (folder := self._usable_folder()) is not None:
                # Who has to wait is let in before those who have just had a place.
                if new and _is_locked(folder / f"{stem}.waiting"):
                    self._sleep(2 * _POLL)
                new = False
                for number in random.sample(range(self._connections), self._connections):
                    if (held := _lock(folder / f"{stem}.{number}", fcntl.LOCK_EX)) >= 0:
                        return lambda: os.close(held)
                if waiting < 0:
                    # One of those who wait holds it for all; the next takes it over.
                    waiting = _lock(folder / f"{stem}.waiting", fcntl.LOCK_EX)
                waited = self._clock() - began
                if waited >= PATIENCE and (beyond := self._one_beyond(name)) is not None:
                    return beyond
                if waited >= SAID_AFTER and not said:
                    said = True
                    log.info("Other jobs on this machine use all %d connections to %s; waiting for one.", self._connections, name)
                self._sleep(_POLL)
        except OSError as error:
            self._give_up(error.strerror or str(error))
        finally:
            if waiting >= 0:
                os.close(waiting)
        return _nothing

    def _one_beyond(self, name: str) -> Callable[[], None] | None:
        with self._lock:
            beyond = self._beyond.setdefault(name, threading.Lock())
        return beyond.release if beyond.acquire(blocking=False) else None

    def _usable_folder(self) -> Path | None:
        with self._lock:
            if not self._shared or self._made:
                return self._folder if self._shared else None
            self._folder = self._folder or runtime_folder()
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            found = self._folder.lstat()
            self._made = stat.S_ISDIR(found.st_mode) and found.st_uid == os.getuid() and not found.st_mode & 0o077
        if not self._made:
            self._give_up(f"{self._folder} is not a folder of this user alone")
        return self._folder if self._made else None

    def _give_up(self, reason: str) -> None:
        with self._lock:
            known, self._shared = not self._shared, False
        if not known:
            log.debug("The limit of connections holds for this job only: %s.", reason)


def runtime_folder() -> Path:
    """Where a user's programs find each other; not below TMPDIR, which Galaxy sets to another folder in each job."""
    given = os.environ.get("XDG_RUNTIME_DIR", "")
    if given and os.access(given, os.W_OK):
        return Path(given) / FOLDER
    return Path(f"/tmp/{FOLDER}-{os.getuid()}")  # noqa: S108 - its owner and its rights are looked at before it is used


def _lock(path: Path, kind: int) -> int:
    """Open and lock a file, and give its descriptor; -1 if another holds it."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return -1
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def _is_locked(path: Path) -> bool:
    # Mostly nobody ever waited, and then there is no such file.
    with suppress(FileNotFoundError):
        descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
        try:
            # Shared, so that those who look do not take each other for one who waits.
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(descriptor)
    return False


def _nothing() -> None:
    pass
