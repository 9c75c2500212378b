"""Fetching one image of the IDR, as it was planned, and writing it anew."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import UnreadableError, UnwritableError, UsageError
from ..provenance import files_below, sha256_of
from .idr_image import only, with_origin, with_regions

if TYPE_CHECKING:
    from ..convert import Conversion, Request
    from ..image import Dataset, Image
    from .engine import Engine
    from .idr_download import Job
    from .idr_plan import Planned
    from .manifest import Row
    from .originals import Originals

log = logging.getLogger("lightmicroscopy")


@dataclass(frozen=True, slots=True)
class Fetch:
    """Fetching one image, to be written anew."""

    job: Job
    engine: Engine
    number: int
    planned: Planned
    originals: Originals

    def rows(self) -> list[Row]:
        """Fetch it, and give its rows of the manifest."""
        planned, wanted = self.planned, self.job.wanted
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
        self.engine.tell(self.number, done)

    def _refuse_existing(self, name: str) -> None:
        """Refuse before anything is fetched, not only when it is written."""
        if os.path.lexists(self.job.output / name):
            raise UsageError(
                f"{name} is already in the output folder and is not overwritten. Remove it, give the earlier manifest as the table, or name another "
                "--output, since the name does not tell the selection."
            )

    def _metadata(self) -> Row:
        from ..metadata.ome_write import build_ome
        from ..writers.atomic import new_output

        row = self.planned.rows(self.job.wanted)[0]
        path = self.job.output / row.path
        image = self._with_origin(self.planned.image)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UnwritableError(f"The folder {path.parent.name} cannot be made: {error.strerror}. Choose one you may write to.") from error
        xml = build_ome((image,), storage="ome-zarr", source=None, original=self.job.options.original)
        with new_output(path, most_bytes=len(xml)) as temporary:
            temporary.write_bytes(xml)
        return _finished(row, path)

    def _with_origin(self, image: Image) -> Image:
        return with_origin(image, self.planned.record, self.planned.annotations, self.planned.study)

    def _convert(self, dataset: Dataset) -> list[Row]:
        job, target = self.job, self.planned.target
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
        from ..convert import convert_dataset
        from ..writers.atomic import remove

        job, planned = self.job, self.planned
        image = with_regions(self._with_origin(dataset.images[0]), planned.rois)
        whole = request_of(job, name)
        request = replace(whole, options=replace(job.options, zip=job.options.zip and pack))
        maps = dataset.labels if job.labels is None or request.format == "ome-zarr" else ()
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
            job.labels.write(planned, dataset, image, whole)
        return conversion, " ".join(note for note in (*planned.notes, _never_stored(planned.item, dataset)) if note)


def request_of(job: Job, name: str = "") -> Request:
    """Say how an image is written anew."""
    from ..convert import Request

    # An image of the IDR is its own only series, whatever number it has in a file.
    selection = replace(job.wanted.selection, series="all")
    return Request(
        "ome-zarr" if job.wanted.format == "ome-zarr" else "ome-tiff", selection, options=job.options, parameters=job.parameters, name=name
    )


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
