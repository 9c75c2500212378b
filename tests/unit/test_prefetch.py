"""What is fetched ahead: no more than memory allows, nothing twice, and a failure told to whoever needs it."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from lightmicroscopy.errors import ArchiveError
from lightmicroscopy.readers import prefetch


class Parts:
    """Parts of a thousand bytes, and a record of which were asked for."""

    def __init__(self) -> None:
        self.asked: list[int] = []
        self.lock = threading.Lock()

    def job(self, number: int) -> prefetch.Job:
        def fetch(_: object) -> list[prefetch.Part]:
            with self.lock:
                self.asked.append(number)
            return [(str(number), bytes(1000))]

        return prefetch.Job((("", (number,)),), 2000, fetch)

    def jobs(self, *numbers: int) -> Iterator[prefetch.Job]:
        return map(self.job, numbers)


def test_no_more_is_fetched_ahead_than_memory_allows() -> None:
    parts, most = Parts(), []
    fetches = prefetch.Fetches(4, memory=5000)
    fetches.announce("all", parts.jobs(*range(60)))
    for number in range(60):
        assert fetches.get(parts.job(number)) == (str(number), bytes(1000))
        with parts.lock:
            most.append(len(parts.asked) - number)
    fetches.close()
    assert sorted(parts.asked) == list(range(60))
    assert max(most) <= 6


def test_a_part_that_is_needed_again_soon_is_fetched_once() -> None:
    parts = Parts()
    fetches = prefetch.Fetches(2, memory=4000)
    order = [number for start in range(0, 40, 2) for number in (start, start + 1, start + 2)]
    fetches.announce("all", parts.jobs(*order))
    for number in order:
        fetches.get(parts.job(number))
    fetches.close()
    assert sorted(parts.asked) == sorted(set(order))


def test_what_was_taken_before_its_turn_is_not_fetched_again() -> None:
    parts = Parts()
    fetches = prefetch.Fetches(1, memory=1000)
    fetches.announce("all", parts.jobs(*range(10)))
    for number in reversed(range(10)):
        fetches.get(parts.job(number))
    fetches.announce("all", iter(()))
    assert not fetches.busy
    fetches.close()
    assert sorted(parts.asked) == list(range(10))


def test_a_part_that_fails_is_told_to_whoever_needs_it_and_nothing_more_is_asked_for() -> None:
    fetches = prefetch.Fetches(1)
    asked: list[int] = []
    begun = threading.Event()

    def fail(_: object) -> list[prefetch.Part]:
        asked.append(0)
        begun.set()
        raise ArchiveError("The server is gone.")

    def count(_: object) -> list[prefetch.Part]:
        asked.append(1)
        return [("", b"")]

    fetches.announce("all", iter([prefetch.Job((("", (0,)),), 1, fail), *(prefetch.Job((("", (number,)),), 1, count) for number in range(1, 9))]))
    assert begun.wait(10)
    with pytest.raises(ArchiveError, match="gone"):
        fetches.get(prefetch.Job((("", (0,)),), 1, fail))
    assert asked == [0]
    assert fetches.get(prefetch.Job((("", (5,)),), 1, count)) == ("", b"")
    fetches.close()
