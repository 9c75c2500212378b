"""Annotation: write what is known of images into copies of them, without touching a pixel."""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from .annotate_ome import CONVERT
from .annotate_tiff import Copied, annotate_tiff, why_ome_is_unused
from .annotate_zarr import annotate_zarr
from .errors import SuiteError, UnwritableError, UsageError
from .inspection import UNEXPECTED, Input, inspect
from .metadata.changes import refuse_wrong
from .names import readable

if TYPE_CHECKING:
    from .annotate_ome import Record
    from .image import Dataset, Image
    from .inputs import Given
    from .metadata.changes import SeriesChanges

Wanted = Callable[[str, "Image"], "SeriesChanges | None"]
"""What to set for a series of an input of that name; ``None`` if nothing is known of it."""
Status = Literal["done", "unchanged", "failed"]
NO_ROW = "The sheet has no row for it. Add one, or leave the image out."


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one series.

    Attributes
    ----------
    status
        ``unchanged`` where everything was so already, or nothing was known of this series of a file that was written.
    changed
        What was not so already: ``pixel_size_x_um``, ``channel 0 name``, ``annotation … Organism``.
    """

    input: str
    series: int | None
    name: str
    status: Status
    reason: str = ""
    outputs: tuple[Path, ...] = ()
    """The copy that has the metadata, and the other files of its set."""
    bytes: int | None = None
    changed: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    def row(self) -> dict[str, object]:
        """Row of the table of annotations."""
        return {
            "input": self.input,
            "series": self.series,
            "series_name": self.name,
            "status": self.status,
            "reason": self.reason,
            "output": self.outputs[0].name if self.outputs else None,
            "bytes": self.bytes,
            "changed": self.changed,
            "warnings": self.warnings,
        }


def annotate(
    paths: Sequence[Given],
    wanted: Wanted,
    output: Path,
    record: Record,
    *,
    link: bool = True,
    progress: Callable[[int], None] | None = None,
) -> Iterator[Outcome]:
    """Write annotated copies of images, one input after another.

    An input that cannot be annotated costs the others nothing; nothing of it is written.

    Parameters
    ----------
    paths
        Files, sets of files, folders and zips of OME-Zarr.
    wanted
        What to set.
    output
        Folder for the copies, which have the names of their inputs; made if it is not there.
    record
        Where the values come from, for the copies.
    link
        Whether files of a store may be hard links to those of the input.
    progress
        Called with the bytes copied since the last call.

    Yields
    ------
    Outcome
        One for each series; one for an input that cannot be opened.

    Raises
    ------
    UsageError
        If the output folder lies inside an input.
    UnwritableError
        If it cannot be made.
    """
    for path in paths:
        if isinstance(path, Path) and path.is_dir() and output.resolve().is_relative_to(path.resolve()):
            raise UsageError(f"The output folder lies inside {readable(path.name)}, which stays as it is. Choose another folder.")
    try:
        output.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UnwritableError(f"The output folder {output.name} cannot be made: {error.strerror}. Check that you may write there.") from error
    for item in inspect(paths):
        if item.part_of:
            continue
        if item.dataset is None or not item.dataset.images:
            yield Outcome(item.name, None, "", "failed", item.unreadable or f"{item.name} holds no image.")
            continue
        yield from _annotated(item, item.dataset, wanted, output, record, link=link, progress=progress)


def _annotated(
    item: Input, dataset: Dataset, wanted: Wanted, output: Path, record: Record, *, link: bool, progress: Callable[[int], None] | None
) -> Iterator[Outcome]:
    try:
        if unused := _unusable(dataset):
            raise UnwritableError(unused)
        asked = {image.series: changes for image in dataset.images if (changes := wanted(item.name, image)) is not None}
        for image in dataset.images:
            if image.series in asked:
                refuse_wrong(asked[image.series], f"{item.name}, series {image.series}", image.shape.c)
        copied = _copied(dataset, asked, output, record, link=link, progress=progress) if asked else None
    except (SuiteError, *UNEXPECTED) as error:
        reason = str(error) if isinstance(error, SuiteError) else _unforeseen(item.name, error)
        yield from (Outcome(item.name, image.series, image.name, "failed", reason) for image in dataset.images)
        return
    if copied is None:
        yield from (Outcome(item.name, image.series, image.name, "failed", NO_ROW) for image in dataset.images)
        return
    for image in dataset.images:
        changed = tuple(copied.changed.get(image.series, ()))
        reason = "" if image.series in asked else NO_ROW
        status: Status = "done" if changed else "unchanged"
        yield Outcome(item.name, image.series, image.name, status, reason, copied.paths, copied.bytes, changed, copied.losses)


def _copied(
    dataset: Dataset,
    asked: dict[int, SeriesChanges],
    output: Path,
    record: Record,
    *,
    link: bool,
    progress: Callable[[int], None] | None,
) -> Copied:
    if dataset.location.store is not None:
        raise UnwritableError(f"{dataset.location.name} is on the web. Fetch it first; copies are made of files that are here.")
    if dataset.format.startswith("OME-Zarr"):
        return annotate_zarr(dataset, asked, output, record, link=link, progress=progress)
    if dataset.format == "OME-TIFF":
        return annotate_tiff(dataset, asked, output, record, progress)
    raise UnwritableError(f"{dataset.location.name} is {dataset.format}, into which nothing is written. {CONVERT}")


def _unusable(dataset: Dataset) -> str:
    """Say why the OME-XML of a file is not used, before its channels are counted without it."""
    written_to = dataset.format == "OME-TIFF" or dataset.format.startswith("OME-Zarr")
    return "" if written_to or dataset.location.store is not None else why_ome_is_unused(dataset)


def _unforeseen(name: str, error: BaseException) -> str:
    if isinstance(error, OSError) and error.errno == errno.EROFS:
        return f"The copy of {name} cannot be written: {error.strerror}. Choose an output folder that can be written to."
    if isinstance(error, OSError):
        return f"{name} cannot be copied: {error.strerror or error}. Check its disk, and that you may read it."
    return f"{name} was not annotated ({type(error).__name__}: {error}). It is damaged, or this suite has a fault: please report it."
