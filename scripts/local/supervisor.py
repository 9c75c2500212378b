"""Run one command and leave nothing behind, however the end comes.

``python supervisor.py [--log FILE] [--grace SECONDS] -- COMMAND…`` starts the command and
stops it, and every process that descends from it, when any of these happens: standard
input reaches its end (the program that started the supervisor is gone, or asks for the
end by closing its side), the supervisor gets SIGTERM, or the command itself ends. The
exit status is the command's.

It runs in a session of its own, so that Ctrl-C reaches only the program at the terminal,
and it needs nothing beyond the standard library, so that it starts in no time.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import selectors
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import IO, TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from local.processes import Family, adopt_orphans, die_with_parent

if TYPE_CHECKING:
    from collections.abc import Callable

POLL_SECONDS = 0.05
TERM_SECONDS = 3.0
KILL_SECONDS = 10.0


class Supervisor:
    """Watches one command from its start until its last descendant is gone."""

    def __init__(self, command: list[str], log: IO[bytes] | None, grace: float, keep: tuple[int, ...] = ()) -> None:
        self.grace = grace
        self.status: int | None = None
        self._adopts = adopt_orphans()
        self._wake_read, self._wake_write = os.pipe()
        os.set_blocking(self._wake_write, False)
        os.set_blocking(self._wake_read, False)
        self.asked_to_stop = False
        signal.signal(signal.SIGTERM, self._on_term)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        # Without these a closing terminal, or an interrupt meant for others, would end the one process that cleans up.
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.set_wakeup_fd(self._wake_write, warn_on_full_buffer=False)
        self.family = Family(os.getpid(), remember_groups=not self._adopts)
        # The child must not inherit ignored signals: they survive exec.
        self.child = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT if log else None,
            preexec_fn=_prepare_child,  # noqa: PLW1509 (this process has one thread)
            pass_fds=keep,
        )
        for descriptor in keep:
            os.close(descriptor)

    def _on_term(self, *_: object) -> None:
        self.asked_to_stop = True

    def reap(self) -> None:
        """Collect every ended child, our own and the adopted."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            if pid == self.child.pid:
                self.status = os.waitstatus_to_exitcode(status)
                self.child.returncode = self.status

    def watch(self, lifeline: int) -> None:
        """Wait until the command ends, the lifeline closes, or a stop is asked for."""
        with selectors.DefaultSelector() as selector:
            selector.register(lifeline, selectors.EVENT_READ)
            selector.register(self._wake_read, selectors.EVENT_READ)
            while self.status is None and not self.asked_to_stop:
                # The timeout only serves systems where groups must be remembered while they exist.
                for key, _ in selector.select(None if self._adopts else 1.0):
                    if key.fd == lifeline and not os.read(lifeline, 4096):
                        return
                    if key.fd == self._wake_read:
                        with contextlib.suppress(BlockingIOError):
                            os.read(self._wake_read, 4096)
                if not self._adopts:
                    self.family.members()
                self.reap()

    def stop(self) -> None:
        """End the command, then whatever it left, with growing insistence."""
        if self.status is None:
            with contextlib.suppress(ProcessLookupError):
                self.child.terminate()
            self._wait(self.grace, lambda: self.status is not None)
        if self.family.members():
            self.family.signal(signal.SIGTERM)
            self._wait(TERM_SECONDS, lambda: not self.family.members())
        deadline = time.monotonic() + KILL_SECONDS
        # A process may start another between the listing and the signal, hence again and again.
        while self.family.members() and time.monotonic() < deadline:
            self.family.signal(signal.SIGKILL)
            self._wait(POLL_SECONDS, lambda: not self.family.members())
        self.reap()

    def _wait(self, seconds: float, done: Callable[[], bool]) -> None:
        deadline = time.monotonic() + seconds
        while True:
            self.reap()
            if done() or time.monotonic() >= deadline:
                return
            time.sleep(POLL_SECONDS)


def _prepare_child() -> None:
    for number in (signal.SIGHUP, signal.SIGINT):
        signal.signal(number, signal.SIG_DFL)
    die_with_parent()


def main(arguments: list[str] | None = None) -> int:
    """Run the command given after ``--`` and return its exit status, 128 + n for signal n."""
    parser = argparse.ArgumentParser(description="Run one command and leave nothing behind.")
    parser.add_argument("--log", type=Path, help="append the command's output to this file")
    parser.add_argument("--grace", type=float, default=10.0, help="seconds the command is given to end by itself")
    parser.add_argument("--keep", type=int, action="append", default=[], help="descriptor that only the command keeps open")
    parser.add_argument("command", nargs=argparse.REMAINDER)
    options = parser.parse_args(arguments)
    command = options.command[1:] if options.command[:1] == ["--"] else options.command
    with contextlib.ExitStack() as stack:
        log = stack.enter_context(options.log.open("ab", buffering=0)) if options.log else None
        try:
            supervisor = Supervisor(command, log, options.grace, tuple(options.keep))
        except OSError as error:
            print(f"{command[0]} could not be started: {error.strerror}.", file=sys.stderr)
            return 127
        try:
            supervisor.watch(sys.stdin.fileno())
        finally:
            supervisor.stop()
    status = supervisor.status
    if status is None:
        return 1
    return status if status >= 0 else 128 - status


if __name__ == "__main__":
    sys.exit(main())
