"""Parts of a slow store, fetched by several threads ahead of the one that needs them, in bounded memory."""

from __future__ import annotations

import threading
from collections import Counter, OrderedDict
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import TYPE_CHECKING, Final, Protocol, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterator, Sequence

MEMORY: Final = 64 << 20
"""Bytes held, fetched ahead or kept for another use, if nobody says otherwise."""
_LEAST: Final = 8 << 20
_SHARE: Final = 16
_MOST_PARTS: Final = 1024
"""Parts fetched ahead, and parts kept, however small: those that were never stored take no bytes."""
_PROMISED: Final = 4
"""How many times the memory the parts being fetched might take if each were as large as it can be."""
_AHEAD: Final = 0.75
"""Share of the memory that parts fetched ahead may fill; the rest is for those that may be needed again."""
_FADING: Final = 0.9
"""How fast the size that is expected of a part follows that of smaller ones."""


def share_of(memory: int | None) -> int:
    """Return how much of the memory of a run, ``None`` for any, is for parts that are held."""
    return MEMORY if memory is None else max(_LEAST, min(MEMORY, memory // _SHARE))


Part = tuple[str, bytes | None]
"""Where something is stored, and its content; ``None`` if it was never stored."""


Name = tuple[str, tuple[int, ...]]
"""Path of an array, and index of a chunk of it."""


@dataclass(frozen=True, slots=True)
class Job:
    """Parts to be fetched together, mostly one: what they are called, the most bytes they can have, and how to get some of them."""

    names: tuple[Name, ...]
    bound: int
    fetch: Callable[[Sequence[Name]], Sequence[Part]]


@runtime_checkable
class FetchesAhead(Protocol):
    """A store whose parts are better asked for before they are needed."""

    fetches: Fetches

    def place(self, key: str) -> str:
        """Where a file lies, for errors."""
        ...


@dataclass(slots=True)
class _Entry:
    """A part that is held or on its way. `wanted` is how often it was announced and not yet taken."""

    wanted: int = 0
    part: Part = ("", None)
    error: BaseException | None = None
    done: threading.Event = field(default_factory=threading.Event)

    @property
    def size(self) -> int:
        return len(self.part[1] or b"")


class Fetches:
    """Keeps several requests in flight for what was announced, and hands each part out when it is asked for.

    Parts are fetched in the order in which they were announced. A part is fetched once, however many threads ask for it at
    a time; one announced twice is kept until it was taken twice, and the others as long as there is room.

    Parameters
    ----------
    connections
        Threads that fetch; they start with the first announcement.
    memory
        Bytes of parts held. The parts being fetched come on top, as does one part that is larger than all of it.
    """

    def __init__(self, connections: int, memory: int = MEMORY) -> None:
        self.connections = max(1, connections)
        self.memory = memory
        self._changed = threading.Condition()
        self._entries: dict[Name, _Entry] = {}
        self._idle: OrderedDict[Name, None] = OrderedDict()
        self._announced: dict[Hashable, Iterator[Job]] = {}
        self._next: Job | None = None
        self._taken_early: Counter[Name] = Counter()
        self._threads: list[threading.Thread] = []
        self._flying = self._promised = self._waiting = self._ahead = self._held = 0
        self._expected = 0.0
        self._closed = False

    def announce(self, owner: Hashable, jobs: Iterator[Job]) -> None:
        """Say what will be asked for, in that order, after what others have announced.

        It replaces what the same owner announced before; an empty iterator withdraws it.
        """
        with self._changed:
            first = next(jobs, None)
            self._announced.pop(owner, None)
            if first is None or self._closed:
                if not self._announced:
                    self._forget()
                return
            self._announced[owner] = chain((first,), jobs)
            while len(self._threads) < self.connections:
                # Daemons, so that a cancelled job does not wait for a slow server.
                self._threads.append(threading.Thread(target=self._work, name=f"fetch-{len(self._threads)}", daemon=True))
                self._threads[-1].start()
            self._changed.notify_all()

    @property
    def busy(self) -> bool:
        """Whether something announced is not yet taken."""
        return bool(self._announced) or self._next is not None or self._waiting > 0

    def get(self, job: Job) -> Part:
        """Take a part, the one a job is for, announced or not; waits for it where need be.

        Raises
        ------
        Exception
            Whatever fetching it raised.
        """
        (name,) = job.names
        with self._changed:
            entry = self._entries.get(name)
            mine = entry is None
            if entry is None:
                entry = self._entries[name] = _Entry()
                self._take_over(name, entry)
        if mine:
            self._fetch(job, [entry])
        entry.done.wait()
        with self._changed:
            self._take(name, entry)
        if entry.error is not None:
            raise entry.error
        return entry.part

    def _take_over(self, name: Name, entry: _Entry) -> None:
        """Take a part out of the next job, if it is there: it is being fetched without it."""
        if self._next is not None and name in self._next.names:
            rest = tuple(other for other in self._next.names if other != name)
            self._next = replace(self._next, names=rest) if rest else None
            self._want(name, entry)

    def close(self) -> None:
        """Fetch nothing more. Requests that are on their way end by themselves."""
        with self._changed:
            self._closed = True
            self._announced.clear()
            self._entries.clear()
            self._forget()
            self._idle.clear()
            self._held = 0
            self._changed.notify_all()

    def _forget(self) -> None:
        """Withdraw everything: what was fetched ahead may go when room is needed."""
        for name, entry in self._entries.items():
            if entry.wanted and entry.done.is_set():
                self._idle[name] = None
            entry.wanted = 0
        self._taken_early.clear()
        self._next, self._waiting, self._ahead = None, 0, 0

    def _work(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(self._may_start)
                if self._closed:
                    return
                job, self._next = self._next, None
                if job is None:
                    continue
                entries = [_Entry(wanted=1) for _ in job.names]
                self._entries.update(zip(job.names, entries, strict=True))
                self._waiting += len(entries)
                self._flying += len(entries)
                self._promised += job.bound
            self._fetch(job, entries)
            with self._changed:
                self._flying -= len(entries)
                self._promised -= job.bound
                self._changed.notify_all()

    def _may_start(self) -> bool:
        """Whether a thread has something to do: a next job, and room for what it will bring."""
        if self._closed:
            return True
        if self._next is None:
            self._next = self._next_job()
        if self._next is None:
            return False
        if not self._waiting:
            return True
        if self._waiting >= _MOST_PARTS or self._promised + self._next.bound > _PROMISED * self.memory:
            return False
        count = len(self._next.names)
        coming = (self._flying + count) * (self._expected or self._next.bound / count)
        return self._ahead + coming <= _AHEAD * self.memory

    def _next_job(self) -> Job | None:
        """Advance to what was announced next and is not there yet; counts what is."""
        while self._announced:
            owner = next(iter(self._announced))
            for job in self._announced[owner]:
                if names := tuple(name for name in job.names if self._lacks(name)):
                    return job if len(names) == len(job.names) else replace(job, names=names)
            del self._announced[owner]
        self._taken_early.clear()
        return None

    def _lacks(self, name: Name) -> bool:
        if name in self._taken_early:
            self._taken_early[name] -= 1
            if not self._taken_early[name]:
                del self._taken_early[name]
            return False
        entry = self._entries.get(name)
        if entry is not None:
            self._want(name, entry)
        return entry is None

    def _want(self, name: Name, entry: _Entry) -> None:
        if not entry.wanted:
            self._waiting += 1
            self._ahead += entry.size
        entry.wanted += 1
        self._idle.pop(name, None)

    def _take(self, name: Name, entry: _Entry) -> None:
        if entry.wanted:
            entry.wanted -= 1
            if not entry.wanted:
                self._waiting -= 1
                self._ahead -= entry.size
        elif self._announced:
            # When its turn comes it is not to be fetched again.
            self._taken_early[name] += 1
        if self._entries.get(name) is not entry:
            return
        if entry.error is not None and not entry.wanted:
            del self._entries[name]
            self._idle.pop(name, None)
        elif not entry.wanted:
            self._idle[name] = None
            self._idle.move_to_end(name)
            self._make_room()
        self._changed.notify_all()

    def _fetch(self, job: Job, entries: Sequence[_Entry]) -> None:
        error: BaseException | None = None
        parts: Sequence[Part] = [("", None)] * len(entries)
        try:
            parts = job.fetch(job.names)
        except BaseException as caught:
            error = caught
        with self._changed:
            if error is not None:
                # Whoever needs the part is told; nothing more is asked ahead of a server that has failed.
                self._announced.clear()
                self._next = None
            for name, entry, part in zip(job.names, entries, parts, strict=True):
                self._arrive(name, entry, part, error)
            self._make_room()
            self._changed.notify_all()

    def _arrive(self, name: Name, entry: _Entry, part: Part, error: BaseException | None) -> None:
        entry.part, entry.error = part, error
        if self._entries.get(name) is entry:
            self._held += entry.size
            self._ahead += entry.size if entry.wanted else 0
            self._expected = max(entry.size, self._expected * _FADING)
            if error is not None and not entry.wanted:
                del self._entries[name]
            elif not entry.wanted:
                self._idle[name] = None
        entry.done.set()

    def _make_room(self) -> None:
        """Let go of what was taken longest ago."""
        while self._idle and (self._held > self.memory or len(self._idle) > _MOST_PARTS):
            name, _ = self._idle.popitem(last=False)
            self._held -= self._entries.pop(name).size
