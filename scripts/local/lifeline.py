"""End when asked to, or when the caller is gone, and always through ``finally``."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

if TYPE_CHECKING:
    import socket
    from collections.abc import Mapping, Sequence

    from .locks import FileLock

CALLER_POLL_SECONDS = 0.5


class Stop(BaseException):
    """A signal asks this program to end; not an Exception, so that no handler of errors swallows it."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


_stopping = threading.Event()
_alive: set[Supervised] = set()


def _raise_stop(number: int, _: object) -> None:
    # Only the first signal interrupts; the end it starts must not itself be interrupted.
    if not _stopping.is_set():
        _stopping.set()
        raise Stop(number)


def end_with_caller() -> None:
    """Turn interrupt, termination and hang-up into :class:`Stop`, and a vanished caller into termination.

    Started under ``nohup`` (hang-ups ignored) the program is meant to outlive its caller, and does.
    The parent is polled rather than left to Linux's parent-death signal, which a caller's ending
    *thread* would set off as well, and which macOS lacks.
    """
    detached = signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _raise_stop)
    if detached:
        return
    signal.signal(signal.SIGHUP, _raise_stop)
    caller = os.getppid()

    def watch() -> None:
        pause = threading.Event()
        while os.getppid() == caller:
            pause.wait(CALLER_POLL_SECONDS)
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, name="caller-watch", daemon=True).start()


class Supervised:
    """A command under a supervisor that ends it as soon as this program is gone.

    Parameters
    ----------
    command
        Program and arguments.
    log
        File that gets the command's output; without it the command shares ours.
    grace
        Seconds the command is given to end by itself.
    listen
        Socket that only the command keeps open.
    lock
        Lock that is held until the supervisor has finished cleaning up.
    """

    def __init__(
        self,
        command: Sequence[str | Path],
        *,
        log: Path | None = None,
        grace: float = 10.0,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        listen: socket.socket | None = None,
        lock: FileLock | None = None,
        stdout: int | IO[Any] | None = None,
    ) -> None:
        arguments: list[str | Path] = [sys.executable, "-S", Path(__file__).with_name("supervisor.py"), "--grace", str(grace)]
        inherited = [lock.descriptor] if lock else []
        if log:
            arguments += ["--log", log]
        if listen:
            arguments += ["--keep", str(listen.fileno())]
            inherited.append(listen.fileno())
        self._process = subprocess.Popen(
            [*arguments, "--", *command],
            stdin=subprocess.PIPE,
            stdout=stdout,
            env=env,
            cwd=cwd,
            pass_fds=inherited,
            start_new_session=True,
        )
        _alive.add(self)

    def ended(self) -> int | None:
        """Return the exit status, or None while the command runs."""
        return self._process.poll()

    def wait(self) -> int:
        """Wait for the command's own end and return its exit status."""
        return self._process.wait()

    def close(self) -> None:
        """Ask for the end without waiting for it."""
        if self._process.stdin:
            self._process.stdin.close()

    def stop(self) -> int:
        """End the command and everything it started; return its exit status."""
        self.close()
        while True:
            try:
                status = self._process.wait()
            except Stop:
                continue
            _alive.discard(self)
            return status

    def __enter__(self) -> Supervised:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def run(command: Sequence[str | Path], **options: Any) -> int:
    """Run a command to its end under supervision and return its exit status."""
    with Supervised(command, **options) as supervised:
        return supervised.wait()


def stop_all() -> None:
    """End whatever other threads are running, so that they can be waited for."""
    for supervised in list(_alive):
        supervised.close()


def environ_with(**values: str | None) -> dict[str, str]:
    """Return this process's environment with some values set, or left as they are where None."""
    return dict(os.environ) | {name: value for name, value in values.items() if value is not None}
