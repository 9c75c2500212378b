"""The pipeline both writers share: threads that read blocks, cut them into chunks, halve them and halve them again.

Every thread takes one block through all of it: read, encode, verify, write, halve. A smaller level whose chunks need
several blocks is put together in memory until a chunk is complete, so nothing is read, decoded or averaged twice and
memory does not grow with the image.
"""

from __future__ import annotations

import math
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from ..errors import SuiteError, UnreadableError, UnwritableError
from ..image import announce
from .blocks import ALONE, BESIDE_A_BLOCK, Box, Extent, Plan, block_count, block_extent, blocks, parts, pixel_memory
from .codecs import scratch
from .pyramid import halve
from .turns import Turns

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ..image import PixelSource, Region
    from .codecs import Codec

Progress = Callable[[int, int], None]

BLOCKS_AHEAD = 1
"""Blocks that may wait encoded beside one for each thread, while the first of them is not stored yet."""
LEAST_BOUND = 64
THREADS_PER_CORE = 4


class Sink(Protocol):
    """Takes chunks; called from several threads at once, in any order, once for every chunk."""

    def put(self, level: int, t: int, c: int, index: Box, pixels: NDArray[Any]) -> Callable[[], None] | None:
        """Take one chunk: `index` counts chunks along z y x; pixels (z, y, x, s) end where the level ends.

        What is returned is called in the chunk's turn, by one thread at a time, in an order that does not depend on threads.
        """
        ...


@dataclass
class Extremes:
    """Smallest and largest finite value of every channel of the full level."""

    channels: dict[int, tuple[float, float]] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def see(self, c: int, pixels: NDArray[Any]) -> None:
        """Take in some pixels of channel `c`."""
        low, high = pixels.min(), pixels.max()
        if not (np.isfinite(low) and np.isfinite(high)):
            finite = pixels[np.isfinite(pixels)]
            if finite.size == 0:
                return
            low, high = finite.min(), finite.max()
        with self.lock:
            before = self.channels.get(c, (low.item(), high.item()))
            self.channels[c] = (min(before[0], low.item()), max(before[1], high.item()))


@dataclass(frozen=True, slots=True)
class Task:
    """One image on its way to one sink."""

    plan: Plan
    sink: Sink
    extremes: Extremes | None = None


class Stopped(Exception):
    """Raised inside worker threads when the work is given up."""


def encode(codec: Codec, pixels: NDArray[Any], chunk: tuple[int, ...], *, fill: float = 0, verify: bool = True) -> bytes:
    """Encode one chunk, padding it to its full extent, and compare what it decodes to with the pixels.

    Raises
    ------
    UnwritableError
        If it decodes to anything else, bit for bit.
    """
    whole, part = pixels, tuple(slice(size) for size in pixels.shape)
    if pixels.shape != chunk or not pixels.flags.c_contiguous:
        whole = np.frombuffer(scratch("chunk", math.prod(chunk) * pixels.itemsize), pixels.dtype).reshape(chunk)
        if pixels.shape != chunk:
            whole.fill(fill)
        whole[part] = pixels
    data = codec.encode(whole)
    if verify:
        back = codec.decode(data, chunk, pixels.dtype)[part]
        bits = np.dtype(f"u{pixels.dtype.itemsize}")
        if not np.array_equal(back.view(bits), pixels.view(bits)):
            raise UnwritableError(
                f"A {codec.name} chunk did not decode to the pixels it was made from. The output was removed. Memory of this machine may be faulty: "
                "try again elsewhere, or with another compression."
            )
    return data


class _Assembler:
    """Cells of smaller levels that wait for more of their pixels."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.lock = threading.Lock()
        self.waiting: dict[tuple[int, ...], tuple[NDArray[Any], list[int]]] = {}

    def add(self, level: int, t: int, c: int, origin: Box, pixels: NDArray[Any], block: int) -> Iterator[tuple[Box, NDArray[Any], int]]:
        """Put pixels of a block in place; yields origin and pixels of every cell that is now complete, and the last block in it."""
        cell, full = self.plan.cell(level), self.plan.shapes[level][2:5]
        spans = [range(at // size, -(-(at + length) // size)) for at, length, size in zip(origin, pixels.shape, cell, strict=False)]
        for index in product(*spans):
            start = (index[0] * cell[0], index[1] * cell[1], index[2] * cell[2])
            shape = tuple(min(size, total - at) for at, size, total in zip(start, cell, full, strict=True))
            low = tuple(max(a, b) for a, b in zip(origin, start, strict=True))
            high = tuple(min(a + n, b + m) for a, n, b, m in zip(origin, pixels.shape, start, shape, strict=False))
            key = (level, t, c, *index)
            with self.lock:
                if key not in self.waiting:
                    self.waiting[key] = np.empty((*shape, pixels.shape[3]), pixels.dtype), [int(np.prod(shape)), block]
                held, state = self.waiting[key]
            # Threads fill boxes that do not overlap, so copying needs no lock.
            held[_within(low, high, start)] = pixels[_within(low, high, origin)]
            with self.lock:
                state[0] -= int(np.prod([b - a for a, b in zip(low, high, strict=True)]))
                state[1] = max(state[1], block)
                complete = state[0] == 0
                if complete:
                    del self.waiting[key]
            if complete:
                yield start, held, state[1]


def _within(low: tuple[int, ...], high: tuple[int, ...], start: tuple[int, ...]) -> tuple[slice, ...]:
    return tuple(slice(a - s, b - s) for a, b, s in zip(low, high, start, strict=True))


class _Budget:
    """Bytes in flight. A block larger than all of it waits until it is alone."""

    def __init__(self, total: int) -> None:
        self.total = total
        self.free = total
        self.changed = threading.Condition()

    @contextmanager
    def hold(self, cost: int, stopped: threading.Event) -> Iterator[None]:
        cost = min(cost, self.total)
        with self.changed:
            self.changed.wait_for(lambda: self.free >= cost or stopped.is_set())
            self.free -= cost
        try:
            yield
        finally:
            with self.changed:
                self.free += cost
                self.changed.notify_all()


class _Run:
    """State that the threads of one run share."""

    def __init__(self, tasks: Sequence[Task], threads: int, memory: int | None, progress: Progress | None) -> None:
        self.tasks = tasks
        budget = pixel_memory(memory, threads)
        self.budget = _Budget(budget)
        limit, most = int(budget / threads / BESIDE_A_BLOCK), int(budget * ALONE)
        extents = [block_extent(task.plan, limit, most) for task in tasks]
        cut = [(task, extent, parts(task.plan, extent, limit)) for task, extent in zip(tasks, extents, strict=True)]
        self.blocks = sum(block_count(task.plan, extent, part) for task, extent, part in cut)
        self.work = enumerate(self._work(cut))
        self.turns = Turns(threads + BLOCKS_AHEAD)
        for task, extent, part in cut:
            announce(task.plan.source, blocks(task.plan, extent, part))
        self.total = sum(task.plan.bytes for task in tasks)
        self.progress = progress
        self.done = 0
        self.stopped = threading.Event()
        self.lock = threading.Lock()
        self.failure: BaseException | None = None

    @staticmethod
    def _work(cut: Sequence[tuple[Task, Extent, Extent]]) -> Iterator[tuple[int, _Assembler, Region]]:
        for number, (task, extent, part) in enumerate(cut):
            assembler = _Assembler(task.plan)
            for region in blocks(task.plan, extent, part):
                yield number, assembler, region

    def labour(self) -> None:
        """Do blocks until none is left, one has failed, or the run is stopped."""
        try:
            while True:
                with self.lock:
                    job = next(self.work, None)
                if job is None or self.stopped.is_set():
                    return
                block, (number, assembler, region) = job
                self.turns.begin(block, self.stopped)
                self._block(block, number, assembler, region)
                self.turns.end(block)
        except Stopped:
            return
        except BaseException as error:
            with self.lock:
                self.failure = self.failure or error
            self.stop()

    def stop(self) -> None:
        """Make every thread give up at its next chunk."""
        self.stopped.set()
        with self.budget.changed:
            self.budget.changed.notify_all()
        self.turns.wake()

    def _block(self, block: int, number: int, assembler: _Assembler, region: Region) -> None:
        task = self.tasks[number]
        shape = task.plan.shapes[0]
        cost = int(np.prod(region.sizes)) * shape.s * task.plan.source.dtype.itemsize
        with self.budget.hold(int(cost * BESIDE_A_BLOCK), self.stopped):
            if self.stopped.is_set():
                raise Stopped
            pixels = _read(task.plan.source, region)
            _check(pixels, (*region.sizes, shape.s), task.plan)
            for t, c in product(range(*region.t), range(*region.c)):
                part = pixels[t - region.t[0], c - region.c[0]]
                if task.extremes is not None:
                    task.extremes.see(c, part)
                self._descend(number, assembler, block, 0, (t, c), (region.z[0], region.y[0], region.x[0]), part)
        if self.progress is not None:
            with self.lock:
                self.done += cost
                self.progress(self.done, self.total)

    def _descend(self, number: int, assembler: _Assembler, block: int, level: int, plane: tuple[int, int], origin: Box, pixels: NDArray[Any]) -> None:
        """Hand over the chunks of a box of whole cells, then the same of the next level; they are stored in a block's turn."""
        task = self.tasks[number]
        plan = task.plan
        for index, chunk in _chunks(plan.chunks[level], origin, pixels):
            if self.stopped.is_set():
                raise Stopped
            store = task.sink.put(level, *plane, index, chunk)
            if store is not None:
                self.turns.add(block, (number, level, *plane, *index), store)
        below = level + 1
        if below == len(plan.shapes):
            return
        smaller = halve(pixels, plan.method, z=plan.halve_z)
        at = (origin[0] // 2 if plan.halve_z else origin[0], origin[1] // 2, origin[2] // 2)
        if _whole(plan, below, at, smaller.shape):
            self._descend(number, assembler, block, below, plane, at, smaller)
            return
        for start, cell, last in assembler.add(below, *plane, at, smaller, block):
            self._descend(number, assembler, last, below, plane, start, cell)


def _read(source: PixelSource, region: Region) -> NDArray[Any]:
    """Read a block; an error of the input's disk must not pass for one of the output's."""
    try:
        return source.read(region)
    except OSError as error:
        named = isinstance(error.filename, str | bytes | os.PathLike)
        name = Path(os.fsdecode(error.filename)).name if named else "The input"
        raise UnreadableError(f"{name} cannot be read: {error.strerror or error}. Check that it is still there, and its disk.") from error


def _check(pixels: NDArray[Any], shape: tuple[int, ...], plan: Plan) -> None:
    if pixels.shape != shape or pixels.dtype != plan.source.dtype:
        wanted = f"{shape}, {plan.source.dtype}"
        raise SuiteError(f"A reader gave pixels of {pixels.shape}, {pixels.dtype} where {wanted} were asked for. Please report this.")


def _chunks(chunk: Box, origin: Box, pixels: NDArray[Any]) -> Iterator[tuple[Box, NDArray[Any]]]:
    depth, height, width = chunk
    for z, y, x in product(range(0, pixels.shape[0], depth), range(0, pixels.shape[1], height), range(0, pixels.shape[2], width)):
        index = ((origin[0] + z) // depth, (origin[1] + y) // height, (origin[2] + x) // width)
        yield index, pixels[z : z + depth, y : y + height, x : x + width]


def _whole(plan: Plan, level: int, origin: Box, shape: tuple[int, ...]) -> bool:
    """Whether a box is made of whole cells."""
    return all(
        at % cell == 0 and ((at + length) % cell == 0 or at + length == full)
        for at, length, cell, full in zip(origin, shape[:3], plan.cell(level), plan.shapes[level][2:5], strict=True)
    )


def most_threads() -> int:
    """Threads beyond which more gain nothing on this machine, whatever is asked for."""
    return max(LEAST_BOUND, THREADS_PER_CORE * (os.cpu_count() or 1))


def run(tasks: Sequence[Task], *, threads: int = 1, memory: int | None = None, progress: Progress | None = None) -> None:
    """Take every block of every task through the pipeline.

    Parameters
    ----------
    tasks
        What to write; their sinks see chunks of several tasks at once.
    threads
        Threads that read, encode and write, at most; with 1 everything happens in the calling thread. No more are started
        than there are blocks, nor than the machine has use for (see `most_threads`).
    memory
        Bytes this process may use; see `blocks.pixel_memory`.
    progress
        Called with (bytes done, bytes in all) of level-0 pixels.

    Raises
    ------
    Exception
        The first failure of any thread, after all threads have ended; KeyboardInterrupt likewise.
    """
    threads = max(1, min(threads, most_threads()))
    state = _Run(tasks, threads, memory, progress)
    threads = min(threads, state.blocks)
    try:
        if threads <= 1:
            state.labour()
        else:
            _labour_together(state, threads)
    finally:
        for task in tasks:
            announce(task.plan.source, ())
    if state.failure is not None:
        raise state.failure


def _labour_together(state: _Run, threads: int) -> None:
    """Do all work in threads; returns, or raises what interrupted it, when all of them have ended."""
    started: list[tuple[threading.Thread, threading.Event]] = []
    try:
        for number in range(threads):
            ended = threading.Event()
            worker = threading.Thread(target=_labour_once, args=(state, ended), name=f"write-{number}")
            worker.start()
            started.append((worker, ended))
        for _, ended in started:
            ended.wait()
    except BaseException:
        state.stop()
        raise
    finally:
        # An interrupted `Thread.join` takes a running thread for one that has ended (CPython issue 90882), so events are waited for first.
        for worker, ended in started:
            ended.wait()
            worker.join()


def _labour_once(state: _Run, ended: threading.Event) -> None:
    try:
        state.labour()
    finally:
        ended.set()
