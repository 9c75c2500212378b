"""Asking the process that holds the HDF5 library; see `hdf5_worker`."""

from __future__ import annotations

import atexit
import json
import os
import signal
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from ..errors import LimitError, UnreadableError
from .hdf5_worker import HEADER

if TYPE_CHECKING:
    from collections.abc import Callable

_START: Final = "import sys; sys.path.insert(0, sys.argv[1]); from lightmicroscopy.readers.hdf5_worker import main; main(int(sys.argv[2]))"
_FOLDER: Final = str(Path(__file__).resolve().parent.parent.parent)
_LONGEST: Final = 1 << 30
"""Bytes of JSON in an answer; the worker's own limits keep it far below."""


class _EndedError(Exception):
    """The process is no more."""


class _Process:
    """One process, started when it is first asked, and again after a file was too much for it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: subprocess.Popen[bytes] | None = None
        self._owner = 0
        self._life = -1
        """Writing end of the pipe by which the process knows that this one is there."""

    def ask(self, request: dict[str, Any], name: str, take: Callable[[list[Any]], None]) -> bytearray:
        line = json.dumps(request).encode("ascii") + b"\n"
        with self._lock:
            try:
                answer, data = self._exchange(line, take)
            except (_EndedError, OSError, ValueError) as error:
                raise self._post_mortem(name) from error
            except BaseException:
                # Interrupted between a question and its answer, it would answer the next one with this one's.
                self._end(kill=True)
                raise
        if "too_many" in answer:
            raise LimitError(f"{name} asks for too much: {answer['too_many']}. Check where it comes from, or split it.")
        if "error" in answer:
            raise UnreadableError(f"{name} is damaged or is no HDF5 file after all ({answer['error']}). Check that the upload or copy was completed.")
        return data

    def start(self) -> None:
        """Start the process, if it is not there."""
        with self._lock, suppress(OSError):
            self._process()

    def forget(self, path: str) -> None:
        """Let the process close a file, if there is a process."""
        with self._lock:
            if self._running is None or self._owner != os.getpid() or self._running.poll() is not None:
                return
            try:
                self._exchange(json.dumps({"do": "close", "file": path}).encode("ascii") + b"\n", _nothing)
            except (_EndedError, OSError, ValueError):
                self._end(kill=True)

    def _exchange(self, line: bytes, take: Callable[[list[Any]], None]) -> tuple[dict[str, Any], bytearray]:
        process = self._process()
        if process.stdin is None or process.stdout is None:
            raise _EndedError
        process.stdin.write(line)
        process.stdin.flush()
        while True:
            text, size = HEADER.unpack(self._read(process, HEADER.size))
            if text > _LONGEST or size > _LONGEST * 4:
                raise _EndedError
            answer = json.loads(self._read(process, text))
            if "nodes" not in answer:
                return answer, self._read(process, size)
            take(answer["nodes"])

    def _read(self, process: subprocess.Popen[bytes], count: int) -> bytearray:
        data = bytearray(count)
        view, done = memoryview(data), 0
        while done < count:
            got = process.stdout.readinto(view[done:]) if process.stdout else 0  # type: ignore[attr-defined]
            if not got:
                raise _EndedError
            done += got
        return data

    def _process(self) -> subprocess.Popen[bytes]:
        # A forked copy of this process must not share the pipes.
        if self._running is not None and self._owner == os.getpid() and self._running.poll() is None:
            return self._running
        self._end()
        self._owner = os.getpid()
        theirs, self._life = os.pipe()
        command = [sys.executable, "-X", "utf8", "-c", _START, _FOLDER, str(theirs)]
        try:
            self._running = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, pass_fds=(theirs,))
        finally:
            os.close(theirs)
        return self._running

    def _post_mortem(self, name: str) -> UnreadableError:
        code = self._end(kill=True)
        if code == -signal.SIGPROF:
            what = "leads the HDF5 library in circles"
        elif code == -signal.SIGKILL:
            return UnreadableError(
                f"{name} cannot be read: the system ended the HDF5 library, for want of memory perhaps. Try again with more of it."
            )
        elif code is not None and code < 0 and code != -signal.SIGIO:
            what = "crashes the HDF5 library"
        elif code is not None and code > 0:
            return UnreadableError(f"{name} cannot be read: the HDF5 library did not start. Check that h5py is installed and works.")
        else:
            what = "cannot be read, since the process that holds the HDF5 library ended"
        return UnreadableError(f"{name} {what}. It is damaged: check that the upload or copy was completed.")

    def _end(self, *, kill: bool = False) -> int | None:
        process, self._running = self._running, None
        life, self._life = self._life, -1
        if life >= 0:
            os.close(life)
        if process is None:
            return None
        if self._owner != os.getpid():
            return None
        for pipe in (process.stdin, process.stdout):
            with suppress(OSError):
                if pipe:
                    pipe.close()
        try:
            return process.wait(0.5 if kill else 2)
        except subprocess.TimeoutExpired:
            process.kill()
            return process.wait()

    def close(self) -> None:
        with self._lock:
            self._end()


_PROCESS: Final = _Process()
atexit.register(_PROCESS.close)


def _nothing(_: list[Any]) -> None:
    pass


def ask(request: dict[str, Any], name: str, take: Callable[[list[Any]], None] = _nothing) -> bytearray:
    """Ask something of the HDF5 library, and give the data it answers; one thread at a time.

    Parameters
    ----------
    request
        As `hdf5_worker` understands it.
    name
        The name by which errors call the file.
    take
        Called with the descriptions of some objects, as often as some are told; it may ask nothing itself.

    Raises
    ------
    UnreadableError
        If the library finds the file damaged, crashes on it, or does not come to an end.
    LimitError
        If the file holds more than is accepted.
    """
    return _PROCESS.ask(request, name, take)


def start() -> None:
    """Let the HDF5 library load, while something else is done."""
    _PROCESS.start()


def forget(path: str) -> None:
    """Tell the HDF5 library to close a file."""
    _PROCESS.forget(path)
