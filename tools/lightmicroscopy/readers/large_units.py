"""The storage unit decoded last, where it is large: kept, so that it can be read in parts without being decoded anew."""

from __future__ import annotations

import threading
import weakref
from typing import TYPE_CHECKING, Any, Final

from ..errors import SuiteError

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from numpy.typing import NDArray


class _Slot:
    """One unit, of whichever source asked last: two of 2 GiB each would be more than most jobs have."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._inside: int | None = None
        self._owner: Callable[[], object] | None = None
        self._key: Hashable = None
        self._pixels: NDArray[Any] | None = None

    def get(self, owner: object, key: Hashable, decode: Callable[[], NDArray[Any] | None]) -> NDArray[Any] | None:
        if self._inside == threading.get_ident():
            # It would wait for itself for ever.
            raise SuiteError("A large unit was asked for in the middle of decoding another. Please report this.")
        # Threads that need the same unit wait here for the one that decodes it; others, so that only one is unpacked at a time.
        with self._lock:
            if self._owner is None or self._owner() is not owner or self._key != key:
                self._forget()
                self._inside = threading.get_ident()
                try:
                    self._pixels = decode()
                finally:
                    self._inside = None
                self._owner, self._key = weakref.ref(owner, self._gone), key
            return self._pixels

    def _forget(self) -> None:
        self._owner = self._key = self._pixels = None

    def _gone(self, owner: object) -> None:
        # May run in the middle of `get`, in any thread: it only lets go of what belongs to the owner that is no more.
        if self._owner is owner:
            self._pixels = None


_UNITS: Final = _Slot()
_PICTURES: Final = _Slot()


def kept(owner: object, key: Hashable, decode: Callable[[], NDArray[Any] | None]) -> NDArray[Any] | None:
    """Give a large unit, decoded now or kept from before.

    One unit is kept in the whole process, until another is asked for or its owner is no more.

    Parameters
    ----------
    owner
        The open file or array it is stored in; held weakly.
    key
        Which of the owner's units.
    decode
        Unpacks it; ``None`` for a unit that was never stored. Called by one thread at a time; it must not ask for a kept unit.

    Raises
    ------
    SuiteError
        If `decode` itself asks for a kept unit.
    """
    return _UNITS.get(owner, key, decode)


def kept_picture(owner: object, key: Hashable, decode: Callable[[], NDArray[Any] | None]) -> NDArray[Any] | None:
    """Give a large picture that is a file of its own, decoded now or kept from before.

    As `kept`, beside which it keeps one: decoding a picture may well ask for a kept unit, which never asks for a picture.
    """
    return _PICTURES.get(owner, key, decode)
