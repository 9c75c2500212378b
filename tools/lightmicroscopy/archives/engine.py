"""The run of a download, whatever the archive: plan, hold the plan against the limits, fetch, and keep the manifest true all along."""

from __future__ import annotations

import os
import shutil
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ..errors import SuiteError, UnwritableError, UsageError
from ..names import readable
from ..progress import counted, size
from .failures import AlreadyThereError, Failures
from .manifest import Manifest, Row
from .ordered import in_order
from .pulse import Pulse

if TYPE_CHECKING:
    from types import TracebackType

    from ..report_paths import ReportPaths

MANIFEST_SHARE: Final = 20
"""The manifest is written again after this many times the time its last writing took: a small one after every item, a large one now and then."""

MOST_ALIKE: Final = 5
"""Different sentences on failures of one kind that are told where `Engine` is asked to be brief; the manifest has them all."""

Task = tuple[int, Sequence[Row]]
"""Number of an item, and its planned rows."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How much one call may fetch."""

    items: int = 1_000
    bytes: int = 100 * 1000**3

    def refuse_too_many(self, count: int, things: str) -> None:
        """Raise `UsageError` if more items are asked for than are allowed; `things` is what they are called."""
        if count > self.items:
            raise UsageError(
                f"{count:,} {things} are asked for, and at most {self.items:,} are allowed in one go. "
                "Ask for fewer, or raise --max-items (an administrator may have set a ceiling)."
            )


@dataclass
class Tally:
    """What became of it: items planned, done and failed, and how many failed because the request fits no such item.

    Attributes
    ----------
    bytes
        Most that would have to be fetched of what is still only planned in the end.
    there
        How many of those that failed are in the output folder already.
    """

    planned: int = 0
    done: int = 0
    failed: int = 0
    impossible: int = 0
    bytes: int = 0
    there: int = 0

    def summary(self, thing: str, output: Path, *, plan_only: bool) -> str:
        """Say in a line what became of it; `thing` is what one item is called."""
        failed = f", {self.failed - self.there:,} failed" if self.failed > self.there else ""
        if not plan_only:
            there = f", {self.there:,} there already and not fetched" if self.there else ""
            return f"Done: {counted(self.done, thing)} in {readable(str(output))}{there}{failed}."
        kept = f", {self.done:,} there already" if self.done else ""
        return f"Planned: {counted(self.planned, thing)}, up to {size(self.bytes)}{kept}{failed}; nothing was fetched."


class Engine:
    """The state of one call; leaving its context writes the manifest a last time. For one thread, but `tell` for any.

    Parameters
    ----------
    manifest
        File for the manifest, rewritten as the work goes on.
    progress
        Called with (bytes done, bytes in all).
    shrink
        By how much results may be smaller than what is fetched; a disk with less room than that is refused at once.
    brief
        Tell of failures that are alike once, and of at most `MOST_ALIKE` of one kind, where there is a manifest for the others.
    reports
        Files that the call writes beside what it fetches, the manifest among them.
    asked_by
        What a manifest stands in the place of when the call is repeated, such as the accessions: told if it is interrupted.
    """

    def __init__(
        self,
        output: Path,
        limits: Limits,
        *,
        manifest: Path | None = None,
        progress: Callable[[int, int], None] | None = None,
        tally: Tally | None = None,
        shrink: int = 1,
        brief: bool = False,
        asked_by: str = "",
        reports: ReportPaths | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.output = output
        self.limits = limits
        self.manifest = Manifest()
        self.tally = tally or Tally()
        self.shrink = shrink
        self.clock = clock
        self._pulse = Pulse(clock=clock)
        self._file = manifest
        self._failures = Failures(MOST_ALIKE if brief and manifest is not None else None)
        self._asked_by = asked_by
        self._fetching = False
        self._reports = reports
        self._real_output = Path(os.path.realpath(output))
        # A manifest in the output folder may stand where something planned later has to be.
        self._may_collide = manifest is not None and Path(os.path.realpath(manifest)).is_relative_to(self._real_output)
        self._collides = False
        self._progress = progress
        self._lock = threading.Lock()
        self._running: dict[int, int] = {}
        self._next_save = clock()
        self._total = self._finished = 0

    def __enter__(self) -> Engine:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        try:
            if isinstance(error, KeyboardInterrupt) and self._asked_by:
                error.add_note(self._how_to_go_on())
            self._failures.close()
            if not self._collides:
                self.save()
            self.tally.bytes = self.manifest.planned_bytes()
        finally:
            self.manifest.close()

    def _how_to_go_on(self) -> str:
        """Say it after an interruption. A plan that was not finished is no table of all that was asked for."""
        if not self._fetching:
            return "Nothing was fetched; to begin again, give the same command."
        if self._file is None:
            return (
                "The same command fetches what is not there yet; what is there it can check and count only with a manifest, which was not written: "
                "give --manifest the next time."
            )
        name = readable(str(self._file))
        return f"To go on, give the same flags with --table {name} in the place of {self._asked_by}, and another name for --manifest."

    def plan(self, number: int, rows: Sequence[Row]) -> None:
        """Note what is planned for an item.

        Raises
        ------
        UsageError
            If a report of this call is in its place.
        """
        self._refuse_reports_in_place_of(rows)
        self.manifest.put(number, *rows)
        self.tally.planned += 1
        self._pulse.tell("%d items are planned so far.", self.tally.planned)
        self.save_now_and_then()

    def keep(self, number: int, rows: Sequence[Row]) -> None:
        """Take over what an earlier call made of an item; see `plan` for what is refused."""
        self._refuse_reports_in_place_of(rows)
        self.manifest.put(number, *rows)
        self.tally.done += 1

    def _refuse_reports_in_place_of(self, rows: Sequence[Row]) -> None:
        for row in rows:
            if row.path and self._reports is not None and self._reports.is_in_the_way_of(self._real_output / row.path):
                self._collides = True
                raise UsageError(
                    f"A report is to be written where {readable(row.path)} of the download belongs. Nothing was fetched; give the report "
                    "another name or folder."
                )

    def fail(self, number: int, row: Row, error: SuiteError, done: Sequence[Row] = ()) -> None:
        """Note that an item failed, whatever of it is done."""
        self.manifest.put(number, replace(row, status="failed", reason=str(error), path="", bytes=None), *done)
        self.tally.failed += 1
        self.tally.impossible += isinstance(error, UsageError)
        self.tally.there += isinstance(error, AlreadyThereError)
        self._failures.tell(str(error) if str(number) in str(error) or row.item in str(error) else f"{row.item}: {error}", error, row.item)

    def hold_against_limits(self, twice: int = 0) -> None:
        """Refuse what is more than is allowed, or than the disk can hold.

        Parameters
        ----------
        twice
            Bytes that are planned twice and fetched once.

        Raises
        ------
        UsageError, UnwritableError
            See above; nothing was fetched.
        """
        self._total = self.manifest.planned_bytes() - twice
        if self._total > self.limits.bytes:
            raise UsageError(
                f"Up to {size(self._total)} would be fetched, and at most {size(self.limits.bytes)} are allowed in one go. Nothing was fetched; "
                "the manifest says what is how large. Choose less, or raise --max-size (an administrator may have set a ceiling)."
            )
        try:
            self.output.mkdir(parents=True, exist_ok=True)
            free = shutil.disk_usage(self.output).free
        except OSError as error:
            raise UnwritableError(f"The folder {self.output} cannot be made: {error.strerror}. Choose one you may write to.") from error
        if self._total // self.shrink > free:
            raise UnwritableError(f"{size(self._total)} are to be fetched and the output folder has {size(free)} left. Nothing was fetched.")

    def fetch(
        self,
        numbers: Iterable[int],
        work: Callable[[int, Sequence[Row], list[Row]], Sequence[Row]],
        *,
        at_once: int = 1,
        done: Callable[[Sequence[Row]], object] = lambda rows: None,
    ) -> None:
        """Fetch what is planned; what fails is a row, unless the next could not do better.

        Parameters
        ----------
        work
            Fetches an item: given its number and planned rows, it gives those that are done. What it has put into the third argument
            is done even if it fails.
        at_once
            How many items are fetched at a time; from 2 on, `work` is called in other threads.
        done
            Told of the rows of each item that are done, in this thread.

        Raises
        ------
        UnwritableError
            As soon as one item meets it.
        """

        def attempt(task: Task) -> tuple[Sequence[Row], SuiteError | None]:
            finished: list[Row] = []
            try:
                finished += work(*task, finished)
            except SuiteError as error:
                return finished, error
            return finished, None

        self._fetching = True
        tasks = self._tasks(numbers)
        results = in_order(tasks, attempt, at_once) if at_once > 1 else ((task, attempt(task)) for task in tasks)
        for (number, rows), outcome in results:
            # The attempt gives its error back itself, with what was done before it.
            finished, error = ((), outcome) if isinstance(outcome, SuiteError) else outcome
            self.settle(number, rows, finished, error)
            done(finished)
            if isinstance(error, UnwritableError):
                raise error

    def settle(self, number: int, rows: Sequence[Row], finished: Sequence[Row], error: SuiteError | None = None) -> None:
        """Note what became of a planned item.

        Parameters
        ----------
        rows
            What was planned.
        finished
            What of it is done.
        error
            Why it is not all done.
        """
        if error is None:
            self.manifest.put(number, *finished)
            self.tally.done += 1
        else:
            self.fail(number, rows[0], error, finished)
        with self._lock:
            self._running.pop(number, None)
            self._finished += sum(row.bytes or 0 for row in rows)
        self.save_now_and_then()

    def still_planned(self, numbers: Iterable[int]) -> Iterator[int]:
        """Those of some items that are neither done nor failed."""
        return (number for number, _ in self._tasks(numbers))

    def _tasks(self, numbers: Iterable[int]) -> Iterator[Task]:
        for number in numbers:
            rows = self.manifest.of(number)
            if rows and rows[0].status == "planned":
                yield number, rows

    def tell(self, number: int, done: int) -> None:
        """Tell the progress within one item."""
        if self._progress is not None:
            with self._lock:
                self._running[number] = done
                self._progress(min(self._finished + sum(self._running.values()), self._total), self._total)

    def save(self) -> None:
        """Write the manifest."""
        began = self.clock()
        if self._file is not None:
            self.manifest.write(self._file)
        self._next_save = self.clock() + MANIFEST_SHARE * (self.clock() - began)

    def save_now_and_then(self) -> None:
        """Write the manifest if it is time to."""
        if self._may_collide and not self._fetching:
            return
        if self.clock() >= self._next_save:
            self.save()
