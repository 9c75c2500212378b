"""What the operating system knows about processes and their descendants."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
from collections import defaultdict
from pathlib import Path
from typing import NamedTuple

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36


class Process(NamedTuple):
    """One row of the process table."""

    pid: int
    parent: int
    group: int
    state: str


def _prctl(option: int, value: int) -> bool:
    if not sys.platform.startswith("linux"):
        return False
    return bool(ctypes.CDLL(None, use_errno=True).prctl(option, value, 0, 0, 0) == 0)


def adopt_orphans() -> bool:
    """Become the parent of every descendant whose own parent ends; False where unsupported."""
    return _prctl(PR_SET_CHILD_SUBREAPER, 1)


def die_with_parent() -> None:
    """Ask for SIGTERM when the parent ends; for use between fork and exec."""
    _prctl(PR_SET_PDEATHSIG, signal.SIGTERM)


def process_table() -> list[Process]:
    """List every process that can be seen, zombies included."""
    if Path("/proc/self/stat").exists():
        return list(_from_proc())
    rows = subprocess.run(["ps", "-A", "-o", "pid=,ppid=,pgid=,state="], check=True, capture_output=True, text=True).stdout
    return [Process(int(pid), int(parent), int(group), state[:1]) for pid, parent, group, state in map(str.split, rows.splitlines())]


def _from_proc() -> list[Process]:
    found = []
    for entry in os.scandir("/proc"):
        if not entry.name.isdigit():
            continue
        with contextlib.suppress(OSError):
            # The command name is in parentheses and may itself hold spaces and parentheses.
            fields = Path(entry.path, "stat").read_text(errors="replace").rpartition(")")[2].split()
            found.append(Process(int(entry.name), int(fields[1]), int(fields[2]), fields[0]))
    return found


class Family:
    """The descendants of one process, wherever they have moved.

    Where orphans can be adopted, parentage tells all. Elsewhere (macOS) an orphan
    passes to the first process of the system, so the process groups seen among the
    descendants are remembered and their members count too.
    """

    def __init__(self, root: int, *, remember_groups: bool) -> None:
        self.root = root
        self._remember_groups = remember_groups
        self._groups: set[int] = set()

    def members(self) -> set[int]:
        """Return the process ids of all living descendants, without the root."""
        table = [process for process in process_table() if process.state != "Z"]
        children = defaultdict(list)
        for process in table:
            children[process.parent].append(process)
        found: set[int] = set()
        unvisited = [self.root]
        while unvisited:
            for process in children[unvisited.pop()]:
                if process.pid not in found:
                    found.add(process.pid)
                    unvisited.append(process.pid)
        if self._remember_groups:
            own_group = os.getpgid(self.root)
            self._groups |= {process.group for process in table if process.pid in found} - {own_group}
            found |= {process.pid for process in table if process.group in self._groups}
        return found - {self.root}

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to every member."""
        for pid in self.members():
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, number)
