"""What is said of items that failed, without a thousand lines that are alike."""

from __future__ import annotations

import logging
import re

from ..errors import SuiteError, UsageError
from ..names import readable
from ..progress import counted

MOST_NAMES = 3
"""Items that are named of those whose sentence is not told."""

_PARTICULARS = re.compile(r"\([^)]*\)|'[^']*'|\"[^\"]*\"|\S*[/0-9]\S*")

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
        How many different sentences of one kind are told, where a manifest names them all; None for each. Of sentences that differ in
        numbers, names and addresses alone, only the first is told.
    """

    def __init__(self, most: int | None = None) -> None:
        self._most = most
        self._told: dict[type[SuiteError], set[str]] = {}
        self._names: list[str] = []
        self._more = 0
        self._sentence = self._thing = ""
        self._count = 0

    def tell(self, sentence: str, error: SuiteError, item: str = "") -> None:
        """Tell of a failed item, now or in the end."""
        if isinstance(error, AlreadyThereError):
            self._count += 1
            self._sentence, self._thing = sentence, error.thing
            return
        told = self._told.setdefault(type(error), set())
        likeness = _PARTICULARS.sub("", sentence)
        if self._most is not None and (likeness in told or len(told) >= self._most):
            self._more += 1
            if len(self._names) < MOST_NAMES:
                self._names.append(item)
            return
        if self._most is not None:
            told.add(likeness)
        log.warning("%s", sentence)

    def close(self) -> None:
        """Tell of those that were kept back."""
        if self._more:
            names = ", ".join(readable(name) for name in self._names if name)
            log.warning("And %s more like these, in the manifest: %s%s.", f"{self._more:,}", names, " and others" if self._more > MOST_NAMES else "")
        if self._count == 1:
            log.warning("%s", self._sentence)
        elif self._count:
            log.warning(
                "%s are in the output folder already and were not fetched again, since no manifest says that they are whole. "
                "Give the manifest of the call that fetched them as --table, remove them, or choose another folder.",
                counted(self._count, self._thing),
            )
        self._count = 0
        self._more = 0
        self._names.clear()
        self._told.clear()
