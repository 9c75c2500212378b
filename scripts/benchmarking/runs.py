"""One run of one program: what it took, as the kernel counted it."""

from __future__ import annotations

import os
import resource
import signal
import subprocess
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from .images import remove

SAMPLE_SECONDS = 0.1
READ_BYTES = 1 << 24


@dataclass(frozen=True)
class Run:
    """One finished run.

    Attributes
    ----------
    wall, cpu
        Seconds of wall clock; seconds of user and system time of the process and all its children.
    memory, tree_memory
        Bytes: largest resident set of one process, as the kernel counted it; largest sum of the resident sets of all processes
        at one moment, sampled every tenth of a second (pages that two of them share count twice).
    output, files
        Bytes and number of files written.
    code
        Exit code; negative the signal that ended it.
    problem
        What was wrong with it, or None.
    levels, pixel_size
        What the output holds: resolution levels, and what became of the pixel size.
    """

    wall: float
    cpu: float
    memory: int
    tree_memory: int
    output: int
    files: int
    code: int
    problem: str | None = None
    levels: int = 0
    pixel_size: str = ""


@dataclass(frozen=True)
class Patience:
    """Seconds and bytes of memory that a run may take."""

    seconds: float
    memory: int


def run(command: Sequence[str | Path], folder: Path, log: Path, *, limits: Patience, inputs: Sequence[Path] = ()) -> Run:
    """Run a command that writes into a folder, which is emptied before; the inputs are read first, so that the cache holds them.

    A command that takes more time or memory than there is patience for is ended.
    """
    remove(folder)
    folder.mkdir(parents=True)
    for path in inputs:
        _warm(path)
    os.sync()
    with log.open("ab") as messages:
        messages.write(f"\n$ {' '.join(map(str, command))}\n".encode())
        messages.flush()
        began = time.perf_counter()
        child = subprocess.Popen(command, stdout=messages, stderr=messages, stdin=subprocess.DEVNULL, start_new_session=True)
        late = threading.Timer(limits.seconds, _end, [child.pid])
        watch = _Watch(child.pid, limits.memory)
        try:
            late.start()
            watch.start()
            _, status, used = os.wait4(child.pid, 0)
            wall = time.perf_counter() - began
        except BaseException:
            _end(child.pid)
            raise
        finally:
            late.cancel()
            watch.stop()
    child.returncode = os.waitstatus_to_exitcode(status)
    sizes = [path.stat().st_size for path in folder.rglob("*") if path.is_file()]
    # What this process held before `exec` counts as its child's there: below that only the samples tell.
    exact = used.ru_maxrss > resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    memory = used.ru_maxrss * 1024 if exact else watch.highest
    problem = None if child.returncode == 0 else f"exit code {child.returncode}, see {log.name}"
    if child.returncode and wall >= limits.seconds:
        problem = f"ended after {limits.seconds:g} s"
    elif child.returncode and watch.most > limits.memory:
        problem = f"ended at {watch.most / 1e9:.1f} GB of memory"
    return Run(wall, used.ru_utime + used.ru_stime, memory, max(memory, watch.most), sum(sizes), len(sizes), child.returncode, problem)


def _end(group: int) -> None:
    with suppress(ProcessLookupError):
        os.killpg(group, signal.SIGKILL)


def _warm(path: Path) -> None:
    with path.open("rb", buffering=0) as file:
        while file.read(READ_BYTES):
            pass


class _Watch(threading.Thread):
    """Looks now and then at how much memory a process and all its descendants hold."""

    def __init__(self, root: int, ceiling: int) -> None:
        super().__init__(name="memory-watch", daemon=True)
        self.root = root
        self.ceiling = ceiling
        self.most = 0
        self.highest = 0
        self.ended = threading.Event()

    def run(self) -> None:
        """Sample until told to stop; end the processes when they hold too much."""
        while True:
            held = [_memory(process) for process in _descendants(self.root)]
            self.most = max(self.most, sum(now for now, _ in held))
            self.highest = max(self.highest, *(peak for _, peak in held))
            if self.most > self.ceiling:
                _end(self.root)
            if self.ended.wait(SAMPLE_SECONDS):
                return

    def stop(self) -> None:
        """Stop sampling."""
        self.ended.set()
        if self.ident is not None:
            self.join()


def _descendants(process: int) -> Iterator[int]:
    """A process and all that it and its children have started."""
    yield process
    with suppress(OSError):
        for task in Path(f"/proc/{process}/task").iterdir():
            for child in (task / "children").read_text().split():
                yield from _descendants(int(child))


def _memory(process: int) -> tuple[int, int]:
    """Bytes that a process holds now, and held at most since it began its program; zeros if it is gone."""
    try:
        lines = Path(f"/proc/{process}/status").read_text().splitlines()
    except OSError:
        return 0, 0
    told = {words[0]: int(words[1]) * 1024 for line in lines if len(words := line.split()) == 3 and words[2] == "kB"}
    return told.get("VmRSS:", 0), told.get("VmHWM:", 0)
