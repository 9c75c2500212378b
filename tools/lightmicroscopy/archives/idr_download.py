"""Downloading images from the IDR: plan everything, hold it against the limits, then fetch one image after the other."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from ..errors import ArchiveError, SuiteError, UsageError
from ..progress import size
from ..writers.options import WriteOptions
from .ahead import Ahead
from .engine import Engine, Limits, Tally
from .idr_arrange import Folders, is_field
from .idr_fetch import Fetch, request_of
from .idr_plan import Planned, Planner, Wanted
from .idr_plates import Plates, fetch_plate
from .idr_spec import number_of
from .manifest import Earlier, Row
from .ordered import in_order
from .original_paths import OriginalPaths
from .originals import after, fetching_originals

if TYPE_CHECKING:
    from ..report_paths import ReportPaths
    from .http import Client
    from .idr import Idr
    from .idr_labels import LabelMaps
    from .idr_plate_store import PlateStore
    from .study import Study

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
    reports
        All files that are written beside what is fetched: none may be in its place.
    earlier
        What an earlier call has left: not fetched again.
    planned
        Called with each image once it is planned, in the order of the numbers.
    progress
        Called with (bytes done, bytes in all).
    labels
        Where label maps are written, instead of beside each OME-TIFF; with OME-Zarr, besides in each store.
    asked_by
        What was asked for in the words of the call, in whose place the manifest stands after an interruption.
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
    labels: LabelMaps | None = None
    asked_by: str = "what is asked for"
    reports: ReportPaths | None = None


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
    if job.wanted.arrangement == "plate-store" and job.wanted.format != "ome-zarr":
        raise UsageError("Only OME-Zarr holds a whole plate in one store. Choose OME-Zarr as the format, or give the images otherwise.")
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
        brief=True,
        asked_by=job.asked_by,
        reports=job.reports,
        clock=clock,
    )
    with engine, _Run(Planner(idr, client, job.wanted, job.options.memory), job, engine, result) as run:
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
        self._ahead = Ahead(planner.plan)
        self._shared: tuple[str, ...] = ()
        self._folders = Folders(job.wanted.arrangement)
        self._paths: set[Path] = set()
        self._originals = OriginalPaths(job.earlier.files)
        self._plates = Plates(wanted=job.wanted.arrangement == "plate-store")

    def __enter__(self) -> _Run:
        return self

    def __exit__(self, *_: object) -> None:
        self._ahead.close()

    def plan(self, numbers: Sequence[int]) -> None:
        """Plan every image; a failed one is a row."""
        self._claim_folders()
        for number, outcome in in_order(numbers, self.planner.plan):
            planned = self._arranged(outcome) if isinstance(outcome, Planned) else outcome
            item = f"image-{number}"
            problem = planned if isinstance(planned, SuiteError) else planned.problem
            if isinstance(planned, Planned):
                self._note(planned)
            if self._keep(number, item, planned):
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
                self._plates.lack(number, planned.place, problem)
                continue
            self._plates.want(number, planned.place)
            self.engine.plan(number, self._told_if_shared(planned))
            if self.job.plan_only:
                planned.close()
            else:
                self._ahead.keep(number, planned)
        for number in self._plates.refuse_to_add(self.engine):
            self._ahead.drop(number)

    def _claim_folders(self) -> None:
        """Find out whose the folders of an earlier call are, so that nothing else of their names is put into them."""
        wanted, folders = self.job.wanted, dict[str, int]()
        if wanted.arrangement == "flat" or wanted.format == "original":
            return
        for item, rows in self.job.earlier.items.items():
            number = number_of(item.removeprefix("image-"))
            if number is not None and wanted.fits(rows[0]):
                folder = rows[0].path.partition("/")[0]
                folders.setdefault(folder.removesuffix(wanted.extension) if folder == rows[0].path else folder, number)
        for (folder, _), place in in_order(folders.items(), lambda found: self.planner.idr.place(found[1])):
            if not isinstance(place, SuiteError):
                self._folders.claim(folder, place)

    def _arranged(self, planned: Planned) -> Planned:
        return replace(planned, path=self._folders.path(planned.stem, planned.place))

    def _note(self, planned: Planned) -> None:
        if self.job.planned is not None:
            self.job.planned(planned)
        if planned.study is not None:
            self.result.studies.setdefault(planned.study.name, planned.study)

    def _keep(self, number: int, item: str, planned: Planned | SuiteError) -> bool:
        """Take over what an earlier call made of an item, if it is what is wanted now."""
        rows = self.job.earlier.items.get(item, ())
        if not rows or not all(self.job.wanted.fits(row) for row in rows):
            return False
        if isinstance(planned, Planned) and (plate := self._plates.of(planned.place)) is not None:
            if rows[0].path != f"{planned.target}{self.job.wanted.extension}":
                return False
            plate.kept = True
        self.engine.keep(number, rows)
        self._made(rows)
        if self.job.labels is not None and isinstance(planned, Planned) and planned.dataset is not None:
            self.job.labels.keep(planned, planned.dataset, request_of(self.job))
        return True

    def _made(self, rows: Sequence[Row]) -> None:
        for row in rows:
            self._give(self.job.output / row.path)

    def _give(self, path: Path) -> None:
        if path not in self._paths:
            self._paths.add(path)
            self.result.paths.append(path)

    def _told_if_shared(self, planned: Planned) -> list[Row]:
        """Rows of a plan; files that the image before is read from too are not counted again, since they are still there then."""
        rows = planned.rows(self.job.wanted, self._originals.of)
        candidate = planned.candidate
        if candidate is None or candidate.kind != "original" or self.job.wanted.format == "original":
            return rows
        if candidate.urls == self._shared:
            # In one store they are counted once already, since both address and path are the same.
            self.twice += 0 if self._plates.of(planned.place) else planned.bytes
            return [replace(row, reason=f"{row.reason} Fetched together with the image before, which is in the same file.".strip()) for row in rows]
        self._shared = candidate.urls
        return rows

    def fetch(self, numbers: Sequence[int]) -> None:
        """Fetch what is planned: files that are kept as they are several at a time, else one image after the other, whose parts are."""
        job = self.job
        with fetching_originals(self.planner.client, job.output, job.limits.bytes, job.earlier.files, job.earlier.begun) as originals:

            def keep(number: int, rows: Sequence[Row], done: list[Row]) -> Sequence[Row]:
                for row in rows:
                    progress = after(sum(kept.bytes or 0 for kept in done), lambda count, _: self.engine.tell(number, count))
                    done.append(originals.row(row, job.output, progress))
                return []

            def work(number: int, rows: Sequence[Row], done: list[Row]) -> Sequence[Row]:
                if job.wanted.format == "original":
                    return keep(number, rows, done)
                with self._planned(number, rows) as planned:
                    return Fetch(job, self.engine, number, planned, originals).rows()

            def into(number: int, rows: Sequence[Row], store: PlateStore) -> str:
                with self._planned(number, rows) as planned, (fetch := Fetch(job, self.engine, number, planned, originals)).opened() as dataset:
                    if planned.place is None or not is_field(planned.place):
                        raise ArchiveError(f"{planned.item} has no place in its plate any more. Plan it anew.")
                    conversion, notes = fetch.converted(dataset, store.root, str(number), pack=False)
                    store.add(conversion, dataset, planned.place)
                    return notes

            original = job.wanted.format == "original"
            if not original:
                single = (number for number in numbers if number not in self._plates)
                in_plates = (number for plate in self._plates for number in plate.places)
                self._ahead.expect(self.engine.still_planned((*single, *in_plates)))
            at_once = self.planner.client.files_at_once if original else 1
            self.engine.fetch((number for number in numbers if number not in self._plates), work, at_once=at_once, done=self._made)
            for plate in self._plates:
                if plate.places and (path := fetch_plate(plate, self.engine, job.options, self.planner.idr, into)) is not None:
                    self._give(path)

    def _planned(self, number: int, rows: Sequence[Row]) -> Planned:
        """Give the plan of an image, made again where it was not kept."""
        planned = self._arranged(self._ahead.take(number))
        if planned.problem is not None:
            raise planned.problem
        allowed = sum(row.bytes or 0 for row in rows)
        if planned.bytes > allowed:
            planned.close()
            raise ArchiveError(f"{planned.item} was planned with {size(allowed)} and is larger now: {size(planned.bytes)}. Plan it anew.")
        return planned
