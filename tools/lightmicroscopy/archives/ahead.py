"""Things that take long to open: kept open where there is room, else opened again while those before them are worked on."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable
from threading import Lock
from typing import TYPE_CHECKING, Final, Generic, Protocol, TypeVar

from .ordered import in_order

if TYPE_CHECKING:
    from ..errors import SuiteError

KEPT_OPEN: Final = 100
"""Stores of images that are kept open; one takes about 0.2 MB."""
AT_ONCE: Final = 4
"""How many are being opened at a time; at most twice as many are open and waiting."""


class Closable(Protocol):
    """What is opened."""

    def close(self) -> None:
        """Close it."""


_Opened = TypeVar("_Opened", bound=Closable)


class Ahead(Generic[_Opened]):
    """Numbered things that are opened once to look at them and taken later, one after the other.

    Parameters
    ----------
    opening
        Opens one; called in other threads too.
    room
        How many of those that were looked at are kept open; `KEPT_OPEN` by default.
    """

    def __init__(self, opening: Callable[[int], _Opened], *, room: int | None = None) -> None:
        self._opening = opening
        self._room = KEPT_OPEN if room is None else room
        self._kept: dict[int, _Opened] = {}
        self._coming: Generator[tuple[int, SuiteError | None], None, None] | None = None
        self._lock = Lock()
        self._ahead: dict[int, _Opened] | None = {}
        """Opened in other threads and not taken yet; none any more once all is closed."""

    def keep(self, number: int, opened: _Opened) -> None:
        """Keep one that is open, or close it where there is no room."""
        if len(self._kept) < self._room:
            self._kept[number] = opened
        else:
            opened.close()

    def drop(self, number: int) -> None:
        """Close one that was kept and that nobody will take."""
        if (opened := self._kept.pop(number, None)) is not None:
            opened.close()

    def expect(self, numbers: Iterable[int]) -> None:
        """Open what is not kept of those that will be taken, in this order, a few ahead."""
        kept = frozenset(self._kept)
        self._coming = in_order((number for number in numbers if number not in kept), self._open, AT_ONCE)

    def take(self, number: int) -> _Opened:
        """Give one, which the caller closes then. Those expected before it and not taken are closed.

        Raises
        ------
        SuiteError
            As opening it did.
        """
        if (kept := self._kept.pop(number, None)) is not None:
            return kept
        for found, error in self._coming or ():
            if found == number and error is not None:
                raise error
            with self._lock:
                opened = (self._ahead or {}).pop(found, None)
            if opened is None:
                continue
            if found == number:
                return opened
            opened.close()
        return self._opening(number)

    def close(self) -> None:
        """Close all that nobody took, also what is only being opened."""
        with self._lock:
            ahead, self._ahead = self._ahead or {}, None
        for opened in (*self._kept.values(), *ahead.values()):
            opened.close()
        self._kept.clear()
        if self._coming is not None:
            self._coming.close()

    def _open(self, number: int) -> None:
        opened = self._opening(number)
        with self._lock:
            if self._ahead is not None:
                self._ahead[number] = opened
                return
        opened.close()
