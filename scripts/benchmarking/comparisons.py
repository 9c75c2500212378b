"""Conversions to be compared, what their runs gave, and the ratios of runs that saw the same machine."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from .programs import OURS, Form, Program

if TYPE_CHECKING:
    from .limit import Limit
    from .runs import Run


@dataclass
class Comparison:
    """One conversion and the programs that do it.

    Attributes
    ----------
    source, form
        Kind of image, and what is written.
    gigabytes
        Size of the pixels.
    threads
        Threads this suite may use; the others take what they take.
    programs
        Who takes part, this suite first.
    unable
        Names of those that are here but cannot read the image.
    runs
        By program, one for each round; None where it did not take part.
    limits
        One for each round.
    """

    source: str
    form: Form
    gigabytes: float
    threads: int
    programs: list[Program]
    unable: list[str] = field(default_factory=list)
    runs: dict[str, list[Run | None]] = field(default_factory=dict)
    limits: list[Limit] = field(default_factory=list)

    def good(self, name: str) -> list[Run]:
        """Return the runs of a program that gave what they should."""
        return [run for run in self.runs.get(name, []) if run is not None and run.problem is None]

    def problem(self, name: str) -> str | None:
        """Return what was wrong with a program's runs, if anything was."""
        return next((run.problem for run in self.runs.get(name, []) if run is not None and run.problem), None)

    def ratios(self, name: str) -> list[float]:
        """How many times as long as ours a program took, for every round in which both gave what they should."""
        pairs = zip(self.runs.get(name, []), self.runs.get(OURS, []), strict=False)
        return [theirs.wall / own.wall for theirs, own in pairs if theirs and own and theirs.problem is None and own.problem is None]

    def times_the_limit(self) -> list[float]:
        """How many times as long as the limit of the same round this suite took."""
        pairs = zip(self.runs.get(OURS, []), self.limits, strict=False)
        return [own.wall / max(limit) for own, limit in pairs if own and own.problem is None]


class Spread(NamedTuple):
    """Median and range."""

    median: float
    least: float
    most: float


def spread(values: Sequence[float]) -> Spread | None:
    """Return median and range of values, or None where there are none."""
    return Spread(statistics.median(values), min(values), max(values)) if values else None


def compare(source: str, form: Form, gigabytes: float, threads: int, programs: Sequence[Program]) -> Comparison:
    """Return a comparison of the programs that write a form and read a kind of image."""
    writing = [program for program in programs if program.writes == form]
    able = [program for program in writing if source in program.reads]
    return Comparison(source, form, gigabytes, threads, able, [program.name for program in writing if program not in able])
