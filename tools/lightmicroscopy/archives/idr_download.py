"""Downloading images from the IDR: plan everything, hold it against the limits, then fetch one image after the other."""

from __future__ import annotations

import logging
import os
import time
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from ..errors import ArchiveError, SuiteError, UnreadableError, UnwritableError, UsageError
from ..progress import size
from ..provenance import files_below, sha256_of
from ..writers.options import WriteOptions
from .engine import Engine, Limits, Tally
from .idr_arrange import Folders, is_field
from .idr_image import only, with_origin, with_regions
from .idr_plan import Planned, Planner, Wanted
from .idr_plates import Plates, fetch_plate
from .manifest import Earlier, Row
from .ordered import in_order
from .originals import Originals, after, fetching_originals

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from ..convert import Conversion
    from ..image import Dataset, Image
    from .http import Client
    from .idr import Idr
    from .idr_labels import LabelMaps
    from .idr_plate_store import PlateStore
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
    labels
        Where label maps are written, instead of beside each OME-TIFF; with OME-Zarr, besides in each store.
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
        self._kept: dict[int, Planned] = {}
        self._shared: tuple[str, ...] = ()
        self._folders = Folders(job.wanted.arrangement)
        self._paths: set[Path] = set()
        self._plates = Plates(wanted=job.wanted.arrangement == "plate-store")

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
            if len(self._kept) < KEPT_OPEN and not self.job.plan_only:
                self._kept[number] = planned
            else:
                planned.close()
            self.engine.plan(number, self._told_if_shared(planned))
        for number in self._plates.refuse_to_add(self.engine):
            if (kept := self._kept.pop(number, None)) is not None:
                kept.close()

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
        rows = planned.rows(self.job.wanted)
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
                    return _Fetch(self, number, planned, originals).rows()

            def into(number: int, rows: Sequence[Row], store: PlateStore) -> str:
                with self._planned(number, rows) as planned, (fetch := _Fetch(self, number, planned, originals)).opened() as dataset:
                    if planned.place is None or not is_field(planned.place):
                        raise ArchiveError(f"{planned.item} has no place in its plate any more. Plan it anew.")
                    conversion, notes = fetch.converted(dataset, store.root, str(number), pack=False)
                    store.add(conversion, dataset, planned.place)
                    return notes

            at_once = self.planner.client.files_at_once if job.wanted.format == "original" else 1
            self.engine.fetch((number for number in numbers if number not in self._plates), work, at_once=at_once, done=self._made)
            for plate in self._plates:
                if plate.places and (path := fetch_plate(plate, self.engine, job.options, self.planner.idr, into)) is not None:
                    self._give(path)

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
    """Fetching one image, to be written anew."""

    run: _Run
    number: int
    planned: Planned
    originals: Originals

    def rows(self) -> list[Row]:
        """Fetch it, and give its rows of the manifest."""
        planned, wanted = self.planned, self.run.job.wanted
        self._refuse_existing(planned.rows(wanted)[0].path)
        if planned.candidate is None:
            return [self._metadata()]
        with self.opened() as dataset:
            return self._convert(dataset)

    @contextmanager
    def opened(self) -> Iterator[Dataset]:
        """Give the image, open and narrowed to itself; files are fetched first."""
        candidate = self.planned.candidate
        if self.planned.dataset is not None or candidate is None:
            yield self.planned.dataset or _no_pixels(self.planned)
            return
        with self.originals.open(candidate.urls, self.planned.sizes, self._tell) as dataset:
            yield only(dataset, self.planned.record, candidate.series)

    def _tell(self, done: int, _: int = 0) -> None:
        self.run.engine.tell(self.number, done)

    def _refuse_existing(self, name: str) -> None:
        """Refuse before anything is fetched, not only when it is written."""
        if os.path.lexists(self.run.job.output / name):
            raise UsageError(
                f"{name} is already in the output folder and is not overwritten. Remove it, give the earlier manifest as the table, or name another "
                "--output, since the name does not tell the selection."
            )

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

    def _convert(self, dataset: Dataset) -> list[Row]:
        job, target = self.run.job, self.planned.target
        conversion, notes = self.converted(dataset, job.output / target.parent, target.name)
        row = replace(self.planned.rows(job.wanted)[0], reason=notes)
        return [_finished(replace(row, path=str(target.parent / path.name)), path) for path in conversion.paths]

    def converted(self, dataset: Dataset, folder: Path, name: str, *, pack: bool = True) -> tuple[Conversion, str]:
        """Write what is open into a folder; gives notes for the manifest too. With `pack` a store is a zip if that is wanted.

        Raises
        ------
        UnreadableError
            If its pixels cannot be read or written; then nothing of it is left.
        """
        from ..convert import Format, Request, convert_dataset
        from ..writers.atomic import remove

        job, planned = self.run.job, self.planned
        image = with_regions(self._with_origin(dataset.images[0]), planned.rois)
        target: Format = "ome-zarr" if job.wanted.format == "ome-zarr" else "ome-tiff"
        options = replace(job.options, zip=job.options.zip and pack)
        # An image of the IDR is its own only series, whatever number it has in a file.
        request = Request(target, replace(job.wanted.selection, series="all"), options=options, parameters=job.parameters, name=name)
        maps = dataset.labels if job.labels is None or target == "ome-zarr" else ()
        conversion = convert_dataset(replace(dataset, images=(image,), labels=maps), folder, request, progress=self._tell)
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
        if job.labels is not None:
            job.labels.write(planned, dataset, image, replace(request, options=job.options))
        return conversion, " ".join(note for note in (*planned.notes, _never_stored(planned.item, dataset)) if note)


def _no_pixels(planned: Planned) -> Dataset:
    raise UnreadableError(f"{planned.item} was planned without pixels. Plan it anew.")


def _never_stored(item: str, dataset: Dataset) -> str:
    """Say which part of a store is only its fill value, for that is what Zarr makes of chunks that are lost, too."""
    from ..readers.remote_store import RemoteStore

    store = dataset.location.store
    if not isinstance(store, RemoteStore) or not store.absent:
        return ""
    count = "1 chunk is" if len(store.absent) == 1 else f"{len(store.absent):,} chunks are"
    sentence = f"{count} not on the server, and the pixels there are the fill value"
    sentence += "." if store.has_pixels else ": no chunk at all is there, so look at the image before you use it."
    log.warning("%s: %s", item, sentence)
    return sentence


def _finished(row: Row, path: Path) -> Row:
    files = files_below(path)
    return replace(row, status="done", bytes=sum(file.stat().st_size for file in files.values()), sha256=sha256_of(files), attempts=1)
