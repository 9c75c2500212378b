"""Downloading images from the IDR: plan everything, hold it against the limits, then fetch one image after the other."""

from __future__ import annotations

import logging
import os
import shutil
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ..errors import ArchiveError, SuiteError, UnreadableError, UnwritableError, UsageError
from ..progress import size
from ..provenance import files_below, sha256_of
from ..writers.options import WriteOptions
from .idr_image import only, with_origin
from .idr_plan import Planned, Planner, Wanted, in_order
from .manifest import Earlier, Manifest, Row
from .originals import Originals, fetching_originals

if TYPE_CHECKING:
    from ..image import Dataset, Image
    from .http import Client
    from .idr import Idr
    from .idr_study import Study

KEPT_OPEN: Final = 16
"""Stores that stay open between plan and fetch; the others are opened again."""
MANIFEST_SHARE: Final = 20
"""The manifest is written again after this many times the time its last writing took: a small one after every image, a large one now and then."""
_SMALLEST_RATIO: Final = 10
"""Pixels shrink when they are written, hardly ever to less than this part; a disk with less room is refused at once."""

log = logging.getLogger("lightmicroscopy")


@dataclass(frozen=True, slots=True)
class Limits:
    """How much one call may fetch."""

    items: int = 1_000
    bytes: int = 100 * 1000**3


@dataclass(frozen=True, slots=True)
class Job:
    """What one call is to do.

    Attributes
    ----------
    parameters
        (flag, value) pairs to record in the outputs.
    plan_only
        Plan, and fetch no pixels.
    manifest
        File for the manifest, rewritten as the work goes on.
    earlier
        What an earlier call has left: not fetched again.
    planned
        Called with each image once it is planned, in the order of the numbers.
    progress
        Called with (bytes done, bytes in all).
    """

    wanted: Wanted
    output: Path
    limits: Limits = field(default_factory=Limits)
    options: WriteOptions = field(default_factory=WriteOptions)
    parameters: tuple[tuple[str, str], ...] = ()
    plan_only: bool = False
    manifest: Path | None = None
    earlier: Earlier = field(default_factory=Earlier)
    planned: Callable[[Planned], None] | None = None
    progress: Callable[[int, int], None] | None = None


@dataclass
class Result:
    """What became of it: images planned, done and failed, how many failed because the request fits no such image, and the studies met."""

    planned: int = 0
    done: int = 0
    failed: int = 0
    impossible: int = 0
    paths: list[Path] = field(default_factory=list)
    studies: dict[str, Study] = field(default_factory=dict)


def download(idr: Idr, client: Client, job: Job, numbers: Sequence[int], *, clock: Callable[[], float] = time.monotonic) -> Result:
    """Plan and fetch images.

    Parameters
    ----------
    numbers
        Image ids, each once, in ascending order.

    Raises
    ------
    UsageError
        If there are too many, or too much is to be fetched; no pixels were fetched then.
    UnwritableError
        If the disk is too small or becomes full, or the output folder cannot be written.
    """
    if job.wanted.format == "original" and not job.wanted.selection.wants_everything:
        raise UsageError("Original files are fetched whole. Leave the selection out, or choose OME-TIFF or OME-Zarr.")
    if len(numbers) > job.limits.items:
        raise UsageError(
            f"{len(numbers):,} images are asked for, and at most {job.limits.items:,} are allowed in one go. "
            "Ask for fewer, or raise --max-items (an administrator may have set a ceiling)."
        )
    with closing(Manifest()) as manifest:
        run = _Run(Planner(idr, client, job.wanted), job, manifest, clock)
        try:
            run.plan(numbers)
            run.save()
            if not job.plan_only:
                run.hold_against_limits()
                run.fetch(numbers)
        finally:
            run.close()
            run.save()
    return run.result


class _Run:
    """The state of one call."""

    def __init__(self, planner: Planner, job: Job, manifest: Manifest, clock: Callable[[], float]) -> None:
        self.planner = planner
        self.job = job
        self.manifest = manifest
        self.clock = clock
        self.result = Result()
        self._kept: dict[int, Planned] = {}
        self._next_save = clock()
        self._shared: tuple[str, ...] = ()
        self._twice = self._total = self._finished = 0

    def plan(self, numbers: Sequence[int]) -> None:
        """Plan every image; a failed one is a row."""
        for number, planned in in_order(numbers, self.planner.plan):
            item = f"image-{number}"
            problem = planned if isinstance(planned, SuiteError) else planned.problem
            if isinstance(planned, Planned):
                self._note(planned)
            if self._keep(number, item):
                if problem is not None:
                    log.warning("%s What is there of it already is kept.", problem)
                if isinstance(planned, Planned):
                    planned.close()
                continue
            if isinstance(planned, SuiteError):
                self._fail(number, Row(item, "failed", selection=self.job.wanted.selection.describe()), planned)
                continue
            if problem is not None:
                self._fail(number, planned.rows(self.job.wanted)[0], problem)
                continue
            self.manifest.put(number, *self._told_if_shared(planned))
            self.result.planned += 1
            if len(self._kept) < KEPT_OPEN and not self.job.plan_only:
                self._kept[number] = planned
            else:
                planned.close()
            self._save_now_and_then()

    def _note(self, planned: Planned) -> None:
        if self.job.planned is not None:
            self.job.planned(planned)
        if planned.study is not None:
            self.result.studies.setdefault(planned.study.name, planned.study)

    def _keep(self, number: int, item: str) -> bool:
        """Take over what an earlier call made of an item, if it is what is wanted now."""
        rows = self.job.earlier.items.get(item, ())
        if not rows or not all(self.job.wanted.fits(row) for row in rows):
            return False
        self.manifest.put(number, *rows)
        self.result.done += 1
        self.result.paths += [self.job.output / row.path for row in rows]
        return True

    def _told_if_shared(self, planned: Planned) -> list[Row]:
        """Rows of a plan; files that the image before is read from too are not counted again, since they are still there then."""
        rows = planned.rows(self.job.wanted)
        candidate = planned.candidate
        if candidate is None or candidate.kind != "original" or self.job.wanted.format == "original":
            return rows
        if candidate.urls == self._shared:
            self._twice += planned.bytes
            return [replace(row, reason=f"{row.reason} Fetched together with the image before, which is in the same file.".strip()) for row in rows]
        self._shared = candidate.urls
        return rows

    def hold_against_limits(self) -> None:
        """Refuse what is more than is allowed, or than the disk can hold."""
        self._total = self.manifest.planned_bytes() - self._twice
        if self._total > self.job.limits.bytes:
            raise UsageError(
                f"Up to {size(self._total)} would be fetched, and at most {size(self.job.limits.bytes)} are allowed in one go. Nothing was fetched; "
                "the manifest says what is how large. Choose less, or raise --max-size (an administrator may have set a ceiling)."
            )
        try:
            self.job.output.mkdir(parents=True, exist_ok=True)
            free = shutil.disk_usage(self.job.output).free
        except OSError as error:
            raise UnwritableError(f"The folder {self.job.output} cannot be made: {error.strerror}. Choose one you may write to.") from error
        if self._total // (1 if self.job.wanted.format == "original" else _SMALLEST_RATIO) > free:
            raise UnwritableError(f"{size(self._total)} are to be fetched and the output folder has {size(free)} left. Nothing was fetched.")

    def fetch(self, numbers: Sequence[int]) -> None:
        """Fetch what is planned; what fails is a row, unless the next could not do better."""
        job = self.job
        with fetching_originals(self.planner.client, job.output, job.limits.bytes, job.earlier.files) as originals:
            for number in numbers:
                rows = self.manifest.of(number)
                if not rows or rows[0].status != "planned":
                    continue
                done: list[Row] = []
                try:
                    with self._planned(number, rows) as planned:
                        done += _Fetch(self, planned, originals, done).rows()
                except SuiteError as error:
                    self._fail(number, rows[0], error, done)
                    if isinstance(error, UnwritableError):
                        raise
                else:
                    self.manifest.put(number, *done)
                    self.result.done += 1
                self.result.paths += [job.output / row.path for row in done]
                self._finished += sum(row.bytes or 0 for row in rows)
                self._save_now_and_then()

    def _planned(self, number: int, rows: Sequence[Row]) -> Planned:
        """Give the plan of an image, made again where it was not kept."""
        kept = self._kept.pop(number, None)
        if kept is not None:
            return kept
        planned = self.planner.plan(number)
        if planned.problem is not None:
            raise planned.problem
        allowed = sum(row.bytes or 0 for row in rows)
        if planned.bytes > allowed:
            planned.close()
            raise ArchiveError(f"{planned.item} was planned with {size(allowed)} and is larger now: {size(planned.bytes)}. Plan it anew.")
        return planned

    def tell(self, done: int, _: int = 0) -> None:
        """Tell the progress within one image."""
        if self.job.progress is not None:
            self.job.progress(min(self._finished + done, self._total), self._total)

    def save(self) -> None:
        """Write the manifest."""
        began = self.clock()
        if self.job.manifest is not None:
            self.manifest.write(self.job.manifest)
        self._next_save = self.clock() + MANIFEST_SHARE * (self.clock() - began)

    def close(self) -> None:
        """Close the stores that were kept open."""
        for planned in self._kept.values():
            planned.close()
        self._kept.clear()

    def _save_now_and_then(self) -> None:
        if self.clock() >= self._next_save:
            self.save()

    def _fail(self, number: int, row: Row, error: SuiteError, done: Sequence[Row] = ()) -> None:
        self.manifest.put(number, replace(row, status="failed", reason=str(error), path="", bytes=None), *done)
        self.result.failed += 1
        self.result.impossible += isinstance(error, UsageError)
        log.warning("%s", error if str(number) in str(error) else f"{row.item}: {error}")


@dataclass(frozen=True, slots=True)
class _Fetch:
    """Fetching one image; of several original files those that are there are put in `kept`, so that they are known of when one fails."""

    run: _Run
    planned: Planned
    originals: Originals
    kept: list[Row]

    def rows(self) -> list[Row]:
        """Fetch it, and give its rows of the manifest."""
        planned, wanted = self.planned, self.run.job.wanted
        if wanted.format != "original":
            self._refuse_existing(planned.rows(wanted)[0].path)
        if planned.candidate is None:
            return [self._metadata()]
        if wanted.format == "original":
            for row in planned.rows(wanted):
                self.kept.append(self._original(row))
            return []
        if planned.dataset is not None:
            return self._convert(planned.dataset)
        with self.originals.open(planned.candidate.urls, planned.sizes, self.run.tell) as dataset:
            return self._convert(only(dataset, planned.record, planned.candidate.series))

    def _refuse_existing(self, name: str) -> None:
        """Refuse before anything is fetched, not only when it is written."""
        if os.path.lexists(self.run.job.output / name):
            raise UsageError(f"{name} is already in the output folder and is not overwritten. Remove it, or give the earlier manifest as the table.")

    def _metadata(self) -> Row:
        from ..metadata.ome_write import build_ome
        from ..writers.atomic import new_output

        row = self.planned.rows(self.run.job.wanted)[0]
        path = self.run.job.output / row.path
        image = self._with_origin(self.planned.image)
        xml = build_ome((image,), storage="ome-zarr", source=None, original=self.run.job.options.original)
        with new_output(path, most_bytes=len(xml)) as temporary:
            temporary.write_bytes(xml)
        return _finished(row, path)

    def _with_origin(self, image: Image) -> Image:
        return with_origin(image, self.planned.record, self.planned.annotations, self.planned.study)

    def _original(self, row: Row) -> Row:
        fetched = self.originals.keep(row.source_url, self.run.job.output / row.path, row.bytes, self.run.tell)
        return replace(
            row, status="done", bytes=fetched.bytes, sha256=fetched.sha256, server_checksum=fetched.server_checksum or "", attempts=fetched.attempts
        )

    def _convert(self, dataset: Dataset) -> list[Row]:
        from ..convert import Format, Request, convert_dataset
        from ..writers.atomic import remove

        job, planned = self.run.job, self.planned
        image = self._with_origin(dataset.images[0])
        target: Format = "ome-zarr" if job.wanted.format == "ome-zarr" else "ome-tiff"
        # An image of the IDR is its own only series, whatever number it has in a file.
        request = Request(target, replace(job.wanted.selection, series="all"), options=job.options, parameters=job.parameters, name=planned.stem)
        conversion = convert_dataset(replace(dataset, images=(image,)), job.output, request, progress=self.run.tell)
        for outcome in conversion.outcomes:
            for sentence in (*outcome.losses, *outcome.warnings):
                log.warning("%s: %s", planned.item, sentence)
        lost = next((outcome for outcome in conversion.failed if outcome.image.label_of is None), None)
        if lost is not None:
            for path in conversion.paths:
                remove(path)
            raise UnreadableError(lost.reason)
        for outcome in conversion.failed:
            log.warning("%s: its label map %r is left out: %s", planned.item, outcome.image.name, outcome.reason)
        row = planned.rows(job.wanted)[0]
        notes = " ".join(note for note in (*planned.notes, _never_stored(dataset)) if note)
        return [_finished(replace(row, path=path.name, reason=notes), path) for path in conversion.paths]


def _never_stored(dataset: Dataset) -> str:
    """Say which part of a store is only its fill value, for that is what Zarr makes of chunks that are lost, too."""
    from ..readers.remote_store import RemoteStore

    store = dataset.location.store
    if not isinstance(store, RemoteStore) or not store.absent:
        return ""
    count = "1 chunk is" if len(store.absent) == 1 else f"{len(store.absent):,} chunks are"
    sentence = f"{count} not on the server, and the pixels there are the fill value"
    sentence += "." if store.has_pixels else ": no chunk at all is there, so look at the image before you use it."
    log.warning("%s: %s", dataset.location.name, sentence)
    return sentence


def _finished(row: Row, path: Path) -> Row:
    files = files_below(path)
    return replace(row, status="done", bytes=sum(file.stat().st_size for file in files.values()), sha256=sha256_of(files), attempts=1)
