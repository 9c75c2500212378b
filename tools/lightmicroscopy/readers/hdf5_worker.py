"""The HDF5 library, in a process of its own: it can crash and loop on damaged files, and then only this process ends.

Asked over a pipe, it tells what a file holds and where the bytes of each dataset lie. The suite reads and decodes those bytes
itself, in as many threads as it likes, which the library does not allow. A request is one line of JSON. An answer is one or more
of: a header of two numbers (bytes of JSON, bytes of data), the JSON, and the data; all but the last hold some ``nodes``.
"""

from __future__ import annotations

import fcntl
import json
import os
import resource
import select
import signal
import struct
from itertools import islice
from typing import TYPE_CHECKING, Any, BinaryIO, Final

if TYPE_CHECKING:
    from .hdf5_library import Library

HEADER: Final = struct.Struct("<QQ")
_SECONDS: Final = 60.0
"""Processor time after which a request has lost its way; time spent waiting for the disk does not count."""
_STEP_SECONDS: Final = 5.0
"""The same, between one sign of progress and the next."""
_MEMORY: Final = 6 << 30
"""Bytes that the process may ever take beside what it has when the library is loaded; each request is allowed less."""
_BATCH: Final = 1000


class _Pipes:
    """The pipes to and from the asker, without whom there is nothing to do.

    Parameters
    ----------
    life
        The end of a third pipe, of which the asker holds the other end and never says anything: when that is closed, the asker is no
        more, and the system ends this process. Nothing else could: within the library no signal handler and no other thread of
        Python's gets to run. The pipe of the requests is not fit for it, since a request may send its signal after it was read.
    """

    def __init__(self, life: int) -> None:
        self.requests, self._answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
        fcntl.fcntl(life, fcntl.F_SETOWN, os.getpid())
        fcntl.fcntl(life, fcntl.F_SETFL, fcntl.fcntl(life, fcntl.F_GETFL) | os.O_ASYNC)
        ended = select.poll()
        ended.register(life, 0)
        if ended.poll(0):
            os._exit(0)

    def answer(self, answer: dict[str, Any], data: Any = b"") -> None:
        """Send an answer, or a part of one."""
        text = json.dumps(answer).encode("ascii")
        _write(self._answers, HEADER.pack(len(text), len(data)), text, data)


def _write(file: BinaryIO, *parts: Any) -> None:
    for part in parts:
        file.write(part)
    file.flush()


def _progress() -> None:
    signal.setitimer(signal.ITIMER_PROF, _STEP_SECONDS)


def _answer(library: Library, request: dict[str, Any], pipes: _Pipes) -> Any:
    path = request["file"]
    match request["do"]:
        case "walk":
            nodes = library.walk(path)
            while batch := list(islice(nodes, _BATCH)):
                pipes.answer({"nodes": batch})
            return b""
        case "index":
            return memoryview(library.index(path, request["path"])).cast("B")
        case "part":
            return library.part(path, request["path"], request["start"], request["extent"], request["unit"])
        case "close":
            if path == library.path:
                library.close()
            return b""
    raise ValueError(f"{request['do']} is nothing it can do")


def _serve(library: Library, pipes: _Pipes) -> None:
    from .hdf5_library import TooManyError

    for line in pipes.requests:
        signal.setitimer(signal.ITIMER_PROF, _SECONDS)
        data: Any = b""
        answer: dict[str, Any] = {}
        try:
            data = _answer(library, json.loads(line), pipes)
        except TooManyError as error:
            answer = {"too_many": str(error)}
        except MemoryError:
            answer = {"too_many": "it needs more memory than is allowed"}
        except Exception as error:  # whatever the library finds wrong is told to the asker
            answer = {"error": f"{type(error).__name__}: {error}"}
        signal.setitimer(signal.ITIMER_PROF, 0)
        pipes.answer(answer, data)


def main(life: int) -> None:
    """Serve until the asker is no more; see `_Pipes`."""
    pipes = _Pipes(life)
    # The library prints its errors; they would get between the answers.
    silence = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(silence, descriptor)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # Before the limit is set, it takes the memory that it needs to be there.
    from .hdf5_library import Library

    with open("/proc/self/statm", "rb") as status:  # noqa: PTH123 - pathlib is one more module to load
        most = int(status.read().split()[0]) * resource.getpagesize()

    def allow(memory: int) -> None:
        resource.setrlimit(resource.RLIMIT_AS, (min(most + memory, most + _MEMORY), most + _MEMORY))

    library = Library(_progress, allow)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    _serve(library, pipes)
