"""What is said of items that failed, without a thousand lines that are alike."""

from __future__ import annotations

import logging
from collections import Counter

from ..errors import SuiteError, UsageError
from ..progress import counted

log = logging.getLogger("lightmicroscopy")


class AlreadyThereError(UsageError):
    """Something is where a result was to go, and no manifest says that it is that result.

    Parameters
    ----------
    thing
        What such a result is called.
    """

    def __init__(self, path: str, thing: str = "file") -> None:
        super().__init__(f"{path} is already in the output folder and is not overwritten. Remove it, or give the earlier manifest as the table.")
        self.thing = thing


class Failures:
    """Tells of each item that failed; of those whose result is there already all at once.

    Parameters
    ----------
    most
        How many sentences of one kind are told, where a manifest names them all; None for each.
    """

    def __init__(self, most: int | None = None) -> None:
        self._most = most
        self._of_a_kind: Counter[type[SuiteError]] = Counter()
        self._sentence = self._thing = ""
        self._count = 0

    def tell(self, sentence: str, error: SuiteError) -> None:
        """Tell of a failed item, now or in the end."""
        if isinstance(error, AlreadyThereError):
            self._count += 1
            self._sentence, self._thing = sentence, error.thing
            return
        self._of_a_kind[type(error)] += 1
        if self._most is None or self._of_a_kind[type(error)] <= self._most:
            log.warning("%s", sentence)

    def close(self) -> None:
        """Tell of those that were kept back."""
        if self._most is not None and (more := sum(max(0, count - self._most) for count in self._of_a_kind.values())):
            log.warning("And %s more, in the manifest.", f"{more:,}")
        if self._count == 1:
            log.warning("%s", self._sentence)
        elif self._count:
            log.warning(
                "%s are in the output folder already and were not fetched again, since no manifest says that they are whole. "
                "Give the manifest of the call that fetched them as --table, remove them, or choose another folder.",
                counted(self._count, self._thing),
            )
        self._count = 0
        self._of_a_kind.clear()
