"""Downloading images from the IDR: plan everything, hold it against the limits, then fetch one image after the other."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ..errors import ArchiveError, SuiteError, UnreadableError, UnwritableError, UsageError
from ..progress import size
from ..provenance import files_below, sha256_of
from ..writers.options import WriteOptions
from .engine import Engine, Limits, Tally
from .idr_arrange import Folders
from .idr_image import only, with_origin
from .idr_plan import Planned, Planner, Wanted
from .manifest import Earlier, Row
from .ordered import in_order
from .originals import Originals, fetching_originals

if TYPE_CHECKING:
    from ..image import Dataset, Image
    from .http import Client
    from .idr import Idr
    from .study import Study

KEPT_OPEN: Final = 16
"""Stores that stay open between plan and fetch; the others are opened again."""
_SMALLEST_RATIO: Final = 10
"""Pixels shrink when they are written, hardly ever to less than this part; a disk with less room is refused at once."""

log = logging.getLogger("lightmicroscopy")


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
class Result(Tally):
    """What became of it, where the results are, and the studies met."""

    paths: list[Path] = field(default_factory=list)
    studies: dict[str, Study] = field(default_factory=dict)


def download(
    idr: Idr,
    client: Client,
    job: Job,
    numbers: Sequence[int],
    *,
    missing: Sequence[tuple[str, SuiteError]] = (),
    clock: Callable[[], float] = time.monotonic,
) -> Result:
    """Plan and fetch images.

    Parameters
    ----------
    numbers
        Image ids, each once, in ascending order.
    missing
        What else was asked for and holds no images that could be listed, and why: rows of the manifest, too.

    Raises
    ------
    UsageError
        If there are too many, or too much is to be fetched; no pixels were fetched then.
    UnwritableError
        If the disk is too small or becomes full, or the output folder cannot be written.
    """
    if job.wanted.format == "original" and not job.wanted.selection.wants_everything:
        raise UsageError("Original files are fetched whole. Leave the selection out, or choose OME-TIFF or OME-Zarr.")
    job.limits.refuse_too_many(len(numbers), "images")
    result = Result()
    engine = Engine(
        job.output,
        job.limits,
        manifest=job.manifest,
        progress=job.progress,
        tally=result,
        shrink=1 if job.wanted.format == "original" else _SMALLEST_RATIO,
        clock=clock,
    )
    with engine, _Run(Planner(idr, client, job.wanted), job, engine, result) as run:
        for index, (item, error) in enumerate(missing):
            # Images have numbers above 0, so that these stand before them.
            engine.fail(index - len(missing), Row(item, "failed", selection=job.wanted.selection.describe()), error)
        run.plan(numbers)
        engine.save()
        if not job.plan_only:
            engine.hold_against_limits(run.twice)
            run.fetch(numbers)
    return result


class _Run:
    """The state of one call, beside the engine's; leaving its context closes the stores that were kept open."""

    def __init__(self, planner: Planner, job: Job, engine: Engine, result: Result) -> None:
        self.planner = planner
        self.job = job
        self.engine = engine
        self.result = result
        self.twice = 0
        """Bytes planned for more than one image and fetched once."""
        self._kept: dict[int, Planned] = {}
        self._shared: tuple[str, ...] = ()
        self._folders = Folders(job.wanted.arrangement)

    def __enter__(self) -> _Run:
        return self

    def __exit__(self, *_: object) -> None:
        for planned in self._kept.values():
            planned.close()
        self._kept.clear()

    def plan(self, numbers: Sequence[int]) -> None:
        """Plan every image; a failed one is a row."""
        for number, outcome in in_order(numbers, self.planner.plan):
            planned = self._arranged(outcome) if isinstance(outcome, Planned) else outcome
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
                self.engine.fail(number, Row(item, "failed", selection=self.job.wanted.selection.describe()), planned)
                continue
            if problem is not None:
                self.engine.fail(number, planned.rows(self.job.wanted)[0], problem)
                continue
            if len(self._kept) < KEPT_OPEN and not self.job.plan_only:
                self._kept[number] = planned
            else:
                planned.close()
            self.engine.plan(number, self._told_if_shared(planned))

    def _arranged(self, planned: Planned) -> Planned:
        return replace(planned, path=self._folders.path(planned.stem, planned.place))

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
        self.engine.keep(number, rows)
        self._made(rows)
        return True

    def _made(self, rows: Sequence[Row]) -> None:
        self.result.paths += [self.job.output / row.path for row in rows]

    def _told_if_shared(self, planned: Planned) -> list[Row]:
        """Rows of a plan; files that the image before is read from too are not counted again, since they are still there then."""
        rows = planned.rows(self.job.wanted)
        candidate = planned.candidate
        if candidate is None or candidate.kind != "original" or self.job.wanted.format == "original":
            return rows
        if candidate.urls == self._shared:
            self.twice += planned.bytes
            return [replace(row, reason=f"{row.reason} Fetched together with the image before, which is in the same file.".strip()) for row in rows]
        self._shared = candidate.urls
        return rows

    def fetch(self, numbers: Sequence[int]) -> None:
        """Fetch what is planned, one image after the other."""
        job = self.job
        with fetching_originals(self.planner.client, job.output, job.limits.bytes, job.earlier.files) as originals:

            def work(number: int, rows: Sequence[Row], done: list[Row]) -> Sequence[Row]:
                with self._planned(number, rows) as planned:
                    return _Fetch(self, number, planned, originals, done).rows()

            self.engine.fetch(numbers, work, done=self._made)

    def _planned(self, number: int, rows: Sequence[Row]) -> Planned:
        """Give the plan of an image, made again where it was not kept."""
        kept = self._kept.pop(number, None)
        if kept is not None:
            return kept
        planned = self._arranged(self.planner.plan(number))
        if planned.problem is not None:
            raise planned.problem
        allowed = sum(row.bytes or 0 for row in rows)
        if planned.bytes > allowed:
            planned.close()
            raise ArchiveError(f"{planned.item} was planned with {size(allowed)} and is larger now: {size(planned.bytes)}. Plan it anew.")
        return planned


@dataclass(frozen=True, slots=True)
class _Fetch:
    """Fetching one image; of several original files those that are there are put in `kept`, so that they are known of when one fails."""

    run: _Run
    number: int
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
        with self.originals.open(planned.candidate.urls, planned.sizes, self._tell) as dataset:
            return self._convert(only(dataset, planned.record, planned.candidate.series))

    def _tell(self, done: int, _: int = 0) -> None:
        self.run.engine.tell(self.number, done)

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
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UnwritableError(f"The folder {path.parent.name} cannot be made: {error.strerror}. Choose one you may write to.") from error
        xml = build_ome((image,), storage="ome-zarr", source=None, original=self.run.job.options.original)
        with new_output(path, most_bytes=len(xml)) as temporary:
            temporary.write_bytes(xml)
        return _finished(row, path)

    def _with_origin(self, image: Image) -> Image:
        return with_origin(image, self.planned.record, self.planned.annotations, self.planned.study)

    def _original(self, row: Row) -> Row:
        fetched = self.originals.keep(row.source_url, self.run.job.output / row.path, row.bytes, self._tell)
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
        request = Request(
            target, replace(job.wanted.selection, series="all"), options=job.options, parameters=job.parameters, name=planned.target.name
        )
        folder = planned.target.parent
        conversion = convert_dataset(replace(dataset, images=(image,)), job.output / folder, request, progress=self._tell)
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
        return [_finished(replace(row, path=str(folder / path.name), reason=notes), path) for path in conversion.paths]


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
