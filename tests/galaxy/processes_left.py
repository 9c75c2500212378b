"""Looking for processes, and waiting for something to become true."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import psutil


def eventually(condition: Callable[[], object], seconds: float = 20.0) -> bool:
    """Return whether the condition becomes true in time."""
    pause, deadline = threading.Event(), time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        pause.wait(0.05)
    return True


def processes_with(word: str) -> list[psutil.Process]:
    """Return every living process with the word in its command line or as its working folder."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.status() != psutil.STATUS_ZOMBIE and (any(word in part for part in process.cmdline()) or word in process.cwd()):
                found.append(process)
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
    return found
