"""Many requests at a time whose answers are given in the order they were asked for."""

from __future__ import annotations

from collections import deque
from concurrent.futures import Future
from queue import SimpleQueue
from threading import Thread
from typing import TYPE_CHECKING, TypeVar

from ..errors import SuiteError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

AT_ONCE = 8
"""How many are under way at the same time."""

_Task = TypeVar("_Task")
_Found = TypeVar("_Found")


def in_order(tasks: Iterable[_Task], work: Callable[[_Task], _Found], at_once: int = AT_ONCE) -> Iterator[tuple[_Task, _Found | SuiteError]]:
    """Work on many things, several at a time, and give the results in the order of the tasks; a failed one is its error."""
    queue: SimpleQueue[tuple[_Task, Future[_Found]] | None] = SimpleQueue()
    waiting: deque[tuple[_Task, Future[_Found]]] = deque()
    workers: list[Thread] = []
    try:
        for task in tasks:
            waiting.append((task, Future()))
            queue.put(waiting[-1])
            if len(workers) < at_once:
                # Daemons, so that a cancelled job does not wait for a slow server.
                workers.append(Thread(target=_work, args=(queue, work), name=f"ordered-{len(workers)}", daemon=True))
                workers[-1].start()
            if len(waiting) >= 2 * at_once:
                found = _next(waiting)
                yield found
        while waiting:
            last = _next(waiting)
            yield last
    finally:
        for _, future in waiting:
            future.cancel()
        for _ in workers:
            queue.put(None)


def _work(queue: SimpleQueue[tuple[_Task, Future[_Found]] | None], work: Callable[[_Task], _Found]) -> None:
    while (task := queue.get()) is not None:
        asked, future = task
        if future.set_running_or_notify_cancel():
            try:
                future.set_result(work(asked))
            except BaseException as error:
                future.set_exception(error)


def _next(waiting: deque[tuple[_Task, Future[_Found]]]) -> tuple[_Task, _Found | SuiteError]:
    task, future = waiting.popleft()
    try:
        return task, future.result()
    except SuiteError as error:
        return task, error
