"""Rounds: in each, every program of every comparison runs once, in an order drawn anew from a seed."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from local.paths import say

from . import jobs
from .images import SUFFIXES, extent, record, remove
from .limit import Limit
from .programs import Program, Task
from .runs import Patience, Run, run

if TYPE_CHECKING:
    from .comparisons import Comparison

LEVELS = 4
"""Of 2048 × 2048: down to 256 × 256. Programs that cannot be told make what they make."""


@dataclass(frozen=True)
class Bench:
    """Where and with what is measured.

    Attributes
    ----------
    scratch
        Folder for images and outputs.
    helper
        Interpreter with the test requirements: makes images, checks outputs, measures the limit.
    order
        The source of every order.
    patience
        What a run may take before it is ended.
    slow, slow_pairs
        A program that took longer than `slow` seconds takes part in the first `slow_pairs` rounds only.
    """

    scratch: Path
    helper: Path
    order: random.Random
    patience: Patience
    slow: float
    slow_pairs: int

    @property
    def log(self) -> Path:
        """What the programs said."""
        return self.scratch / "benchmark.log"

    def image(self, kind: str, gigabytes: float) -> Path:
        """Return an image, made if it is not there."""
        path = self.scratch / f"{kind}-{gigabytes:g}-GB{SUFFIXES[kind]}"
        if not (path.exists() and record(path).exists()):
            say(f"Making {path.name} ({extent(gigabytes).bytes / 1e9:.2f} GB of pixels) …")
            jobs.call(self.helper, "make", path=str(path), kind=kind, gigabytes=gigabytes)
        return path

    def discard(self, kind: str, gigabytes: float) -> None:
        """Remove an image."""
        path = self.scratch / f"{kind}-{gigabytes:g}-GB{SUFFIXES[kind]}"
        remove(path)
        remove(record(path))

    def measure(self, comparisons: Sequence[Comparison], pairs: int, *, limits: bool) -> None:
        """Run so many rounds of some comparisons, filling in their runs."""
        for number in range(pairs):
            for comparison in self.order.sample(comparisons, len(comparisons)):
                contestants: list[Program | None] = [*comparison.programs, *([None] if limits else [])]
                self.order.shuffle(contestants)
                say(f"Round {number + 1} of {pairs}: {describe(comparison)}")
                for program in contestants:
                    if program is None:
                        comparison.limits.append(self._limit(comparison))
                    else:
                        comparison.runs.setdefault(program.name, []).append(self._run(comparison, program, number))

    def _limit(self, comparison: Comparison) -> Limit:
        image = self.image(comparison.source, comparison.gigabytes)
        found = jobs.call(self.helper, "limit", image=str(image), scratch=str(self.scratch), form=comparison.form, threads=comparison.threads)
        return Limit(*found)

    def _run(self, comparison: Comparison, program: Program, number: int) -> Run | None:
        first = next(iter(comparison.runs.get(program.name, [])), None)
        if first is not None and number >= self.slow_pairs and first.wall > self.slow:
            return None
        image, folder = self.image(comparison.source, comparison.gigabytes), self.scratch / "out"
        command = program.command(Task(image, folder, comparison.threads, LEVELS))
        done = run(command, folder, self.log, limits=self.patience, inputs=[image])
        if done.problem is None:
            done = replace(done, **jobs.call(self.helper, "check", folder=str(folder), image=str(image)))
        remove(folder)
        say(f"  {program.name:18}{done.wall:8.1f} s  {done.problem or ''}")
        return done


def describe(comparison: Comparison) -> str:
    """Return a comparison in words."""
    names = {"ome-tiff": "OME-TIFF", "ome-zarr": "OME-Zarr", "czi": "CZI", "czi-zstd": "CZI (zstd)"}
    threads = f"{comparison.threads} thread{'s' if comparison.threads > 1 else ''}"
    return f"{names[comparison.source]} → {names[comparison.form]}, {comparison.gigabytes:g} GB, {threads}"
