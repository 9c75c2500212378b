"""Asking the process that holds RDKit; see `inchi_worker`."""

from __future__ import annotations

import atexit
import json
import os
import select
import signal
import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from .inchi_worker import SECONDS

_START: Final = "import sys; sys.path.insert(0, sys.argv[1]); from lightmicroscopy.metadata.ontologies.inchi_worker import main; main()"
_FOLDER: Final = str(Path(__file__).resolve().parents[3])
_PATIENCE: Final = 60.0
"""Seconds of waiting, on a machine that has much else to do, for what may take `SECONDS` of its own and RDKit's loading before it."""


class EndedError(Exception):
    """There was no answer; its text completes "it could not be recomputed, since …"."""


class _Process:
    """One process, started when it is first asked, and again after a text was too much for it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: subprocess.Popen[bytes] | None = None
        self._owner = 0

    def ask(self, inchi: str) -> dict[str, Any]:
        with self._lock:
            try:
                return self._exchange(json.dumps(inchi).encode("ascii") + b"\n")
            except (OSError, ValueError) as error:
                self.end()
                raise EndedError(f"RDKit could not be asked ({type(error).__name__})") from error
            except BaseException:
                # Interrupted between a question and its answer, it would answer the next one with this one's.
                self.end()
                raise

    def end(self) -> int | None:
        process, self._running = self._running, None
        if process is None or self._owner != os.getpid():
            return None
        for pipe in (process.stdin, process.stdout):
            with suppress(OSError):
                if pipe:
                    pipe.close()
        try:
            return process.wait(0.2)
        except subprocess.TimeoutExpired:
            process.kill()
            return process.wait()

    def _exchange(self, line: bytes) -> dict[str, Any]:
        process = self._process()
        if process.stdin is None or process.stdout is None:
            raise EndedError("RDKit could not be asked")
        with suppress(BrokenPipeError):
            process.stdin.write(line)
            process.stdin.flush()
        if not select.select([process.stdout], [], [], _PATIENCE)[0]:
            self.end()
            raise EndedError(f"RDKit gave no answer within {_PATIENCE:.0f} seconds")
        answer = process.stdout.readline()
        if not answer:
            raise EndedError(_why(self.end()))
        found: dict[str, Any] = json.loads(answer)
        if "missing" in found:
            self.end()
            raise EndedError("RDKit is not installed here")
        return found

    def _process(self) -> subprocess.Popen[bytes]:
        # A forked copy of this process must not share the pipes.
        if self._running is None or self._owner != os.getpid() or self._running.poll() is not None:
            self.end()
            self._owner = os.getpid()
            command = [sys.executable, "-X", "utf8", "-c", _START, _FOLDER]
            self._running = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        return self._running


def _why(code: int | None) -> str:
    if code == -signal.SIGPROF:
        return f"RDKit did not come to an end within {SECONDS:.0f} seconds"
    return "RDKit crashed on it"


_PROCESS: Final = _Process()
atexit.register(_PROCESS.end)


def ask(inchi: str) -> dict[str, Any]:
    """Ask RDKit about an InChI; one thread at a time.

    Raises
    ------
    EndedError
        If it crashes, takes too long or is not installed.
    """
    return _PROCESS.ask(inchi)
