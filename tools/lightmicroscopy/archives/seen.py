"""Numbers met before, in memory that hardly grows."""

from __future__ import annotations

from typing import Final

_BITS: Final = 512


class Seen:
    """A set of numbers. Neighbours share one integer's bits, so that 100,000 ids of a study take some kilobytes.

    Attributes
    ----------
    repeated
        How often a number came again.
    """

    def __init__(self) -> None:
        self._pages: dict[int, int] = {}
        self._count = 0
        self.repeated = 0

    def __len__(self) -> int:
        return self._count

    def __contains__(self, number: int) -> bool:
        return bool(self._pages.get(number // _BITS, 0) & 1 << number % _BITS)

    def is_new(self, number: int) -> bool:
        """Whether a number was not met before; then it is from now on."""
        page, bit = number // _BITS, 1 << number % _BITS
        bits = self._pages.get(page, 0)
        if bits & bit:
            self.repeated += 1
            return False
        self._pages[page] = bits | bit
        self._count += 1
        return True
