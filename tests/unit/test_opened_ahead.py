"""Stores that are opened while those before them are worked on."""

from __future__ import annotations

from threading import Event, Lock

import pytest

from lightmicroscopy.archives.ahead import AT_ONCE, Ahead
from lightmicroscopy.errors import ArchiveError


class Store:
    """Something open."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.closed = 0

    def close(self) -> None:
        self.closed += 1


class Shelf:
    """Opens stores, and knows all that it opened."""

    def __init__(self, *, broken: frozenset[int] = frozenset()) -> None:
        self.opened: list[Store] = []
        self.broken = broken
        self._lock = Lock()

    def __call__(self, number: int) -> Store:
        if number in self.broken:
            raise ArchiveError(f"{number} cannot be opened.")
        store = Store(number)
        with self._lock:
            self.opened.append(store)
        return store

    def numbers(self) -> list[int]:
        return sorted(store.number for store in self.opened)


def test_what_was_kept_is_not_opened_again() -> None:
    shelf = Shelf()
    ahead = Ahead(shelf, room=2)
    looked_at = [Store(number) for number in range(4)]
    for store in looked_at:
        ahead.keep(store.number, store)
    assert [store.closed for store in looked_at] == [0, 0, 1, 1]
    ahead.expect(range(4))
    assert [ahead.take(number) for number in (0, 1)] == looked_at[:2]
    assert [ahead.take(number).number for number in (2, 3)] == [2, 3]
    assert shelf.numbers() == [2, 3]
    ahead.close()


def test_each_is_opened_once_and_only_a_few_ahead() -> None:
    shelf = Shelf()
    ahead = Ahead(shelf)
    ahead.expect(range(100))
    for number in range(50):
        assert ahead.take(number).number == number
        assert len(shelf.opened) <= number + 1 + 2 * AT_ONCE
    ahead.close()
    assert shelf.numbers() == sorted(set(shelf.numbers()))


def test_one_that_cannot_be_opened_costs_no_other() -> None:
    ahead = Ahead(Shelf(broken=frozenset({1})))
    ahead.expect(range(3))
    assert ahead.take(0).number == 0
    with pytest.raises(ArchiveError, match="1 cannot be opened"):
        ahead.take(1)
    assert ahead.take(2).number == 2
    ahead.close()


def test_those_passed_over_and_those_left_are_closed() -> None:
    shelf = Shelf()
    ahead = Ahead(shelf)
    dropped = Store(100)
    ahead.keep(100, dropped)
    ahead.drop(100)
    ahead.expect(range(6))
    taken = ahead.take(3)
    ahead.close()
    assert dropped.closed == 1
    assert taken.closed == 0
    # Those that were opened before the end; one that opens after it is closed by its thread.
    assert all(store.closed == 1 for store in shelf.opened if store.number < 3)


def test_one_that_opens_after_the_end_is_closed() -> None:
    begun, go_on, done = Event(), Event(), Event()

    class Late(Store):
        def close(self) -> None:
            super().close()
            done.set()

    late = Late(1)

    def opening(number: int) -> Store:
        if number == 1:
            begun.set()
            go_on.wait(10)
            return late
        return Store(number)

    ahead = Ahead(opening)
    ahead.expect(range(2))
    ahead.take(0)
    assert begun.wait(10)
    ahead.close()
    go_on.set()
    assert done.wait(10)
    assert late.closed == 1


def test_one_that_nobody_expected_is_opened_when_it_is_asked_for() -> None:
    ahead = Ahead(Shelf())
    assert ahead.take(7).number == 7
    ahead.close()
