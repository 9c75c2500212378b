"""Conversion: open, select, write, and say exactly what came of it."""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass, field, replace
from threading import Thread
from typing import TYPE_CHECKING, Any, Literal

from . import readers
from .errors import SuiteError, UnreadableError, UnwritableError, UsageError
from .metadata.sources import came_from, changed, preview, unsaid
from .names import sanitise, unique, without_extension
from .provenance import Provenance, checksum_of_source, checksums, now
from .selection import Selection, select, select_series
from .writers.options import SeriesWritten, WriteOptions, Written

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from .image import Dataset, Image, Location, Plate, Shape
    from .report_paths import ReportPaths

Format = Literal["ome-tiff", "ome-zarr"]

log = logging.getLogger("lightmicroscopy")
_SOME_CHECKSUM = "0" * 64
"""As long as a SHA-256 is written."""
_LABELS = re.compile("(?:^|[/_ -])(?:labels?|segmentations?|segmented|masks?|instances?|ground_?truth|gt)(?:_?[0-9]+)?$", re.IGNORECASE)
"""Last words in the paths of arrays that often hold label maps."""


@dataclass(frozen=True, slots=True)
class Request:
    """What is wanted of a conversion.

    Attributes
    ----------
    format
        ``ome-tiff``: one file per series; ``ome-zarr``: one store for all.
    label
        The pixels are label maps: pyramids by nearest neighbour.
    options
        Choices of the writer. Progress and provenance are set here for each output.
    parameters
        (flag, value) pairs to record in the outputs.
    name
        Name of the outputs without extension; the input's if empty.
    """

    format: Format
    selection: Selection = field(default_factory=Selection)
    label: bool = False
    options: WriteOptions = field(default_factory=WriteOptions)
    parameters: tuple[tuple[str, str], ...] = ()
    name: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one series: written somewhere, or failed for a reason."""

    image: Image
    name: str
    written: SeriesWritten | None = None
    path: Path | None = None
    bytes: int | None = None
    losses: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    reason: str = ""


@dataclass(frozen=True)
class Conversion:
    """A finished conversion, one outcome per series.

    Attributes
    ----------
    complete
        Adds to an image's metadata where it came from, as it was added to the output.
    """

    dataset: Dataset
    request: Request
    outcomes: tuple[Outcome, ...]
    complete: Callable[[Image], Image] = field(default=lambda image: image, repr=False, compare=False)
    _sums: dict[Path, tuple[tuple[str, str], ...]] = field(default_factory=dict, init=False, repr=False, compare=False)

    @property
    def failed(self) -> tuple[Outcome, ...]:
        """Outcomes that produced nothing."""
        return tuple(outcome for outcome in self.outcomes if outcome.written is None)

    def rows(self) -> Iterator[dict[str, Any]]:
        """Rows of the conversion table, one per series."""
        sums = {path: self._sums_of(path)[0][0] if path.is_file() else "" for path in self.paths}
        for outcome in self.outcomes:
            shape, image, written = outcome.image.shape, outcome.image, outcome.written
            yield {
                "input": self.dataset.location.name,
                "series": image.series,
                "series_name": image.name,
                "status": "done" if written else "failed",
                "reason": outcome.reason,
                "output": outcome.path.name if outcome.path else None,
                "format": self.request.format if written else None,
                "size_x": shape.x,
                "size_y": shape.y,
                "size_z": shape.z,
                "size_c": shape.c,
                "size_t": shape.t,
                "dtype": written.dtype if written else str(image.dtype),
                "levels": len(written.levels) if written else None,
                "compression": written.compression if written else None,
                "bytes": outcome.bytes,
                "sha256": sums.get(outcome.path) if outcome.path else None,
                "selection": self.request.selection.describe(),
                "losses": outcome.losses,
                "warnings": outcome.warnings,
            }

    @property
    def paths(self) -> tuple[Path, ...]:
        """Files and stores written, each once."""
        return tuple(dict.fromkeys(outcome.path for outcome in self.outcomes if outcome.path))

    def checksums(self) -> Iterator[tuple[str, str]]:
        """SHA-256 and path of every file written, relative to the output folder."""
        for path in self.paths:
            yield from self._sums_of(path)

    def _sums_of(self, path: Path) -> tuple[tuple[str, str], ...]:
        """SHA-256 and path of every file of one output, read once whatever they are asked for."""
        if path not in self._sums:
            self._sums[path] = tuple(checksums([path], path.parent))
        return self._sums[path]


def convert(
    location: Location,
    output: Path,
    request: Request,
    *,
    progress: Callable[[int, int], None] | None = None,
    reports: ReportPaths | None = None,
) -> Conversion:
    """Convert one image file, set or store.

    Parameters
    ----------
    location
        What to read.
    output
        Folder for the results; made if it is not there.
    progress
        Called with (bytes of pixels done, bytes in all).
    reports
        What will be written afterwards, and so must not be a file of the input.

    Returns
    -------
    One outcome per series. Its dataset stays open; close it when the previews are made.

    Raises
    ------
    UsageError
        If the selection does not fit, or a report would replace a file of the input, before anything is written.
    UnreadableError, UnwritableError
        If the input cannot be opened, or a store cannot be completed.
    """
    dataset = readers.open(location)
    try:
        _refuse_strangers(location, dataset)
        if reports is not None:
            reports.refuse(dataset.files)
        return convert_dataset(dataset, output, request, progress=progress)
    except BaseException:
        dataset.close()
        raise


def convert_dataset(dataset: Dataset, output: Path, request: Request, *, progress: Callable[[int, int], None] | None = None) -> Conversion:
    """Convert what is already open, named after its location; see `convert`. It stays open whatever happens."""
    images = _selected(dataset, request)
    labels = selected_labels(dataset, images, request)
    _make(output)
    total = sum(image.shape.pixels * image.dtype.itemsize for image in (*images, *labels))
    write = _write_files if request.format == "ome-tiff" else _write_store
    checksum, date = _Checksum(dataset), now()
    stem = request.name or without_extension(dataset.location.name)

    def recorded(image: Image, sum_of_source: str) -> Image:
        place, selected = dataset.location, request.selection.describe()
        source = Provenance(place.name, sum_of_source, selected, request.parameters, date, dataset.format, place.url or "")
        lossy = image.lossy or any(lost for _, _, lost in came_from(image))
        annotation = source.annotation(image.series, image.name, lossy=lossy)
        return replace(image, metadata=replace(image.metadata, annotations=(*image.metadata.annotations, annotation)))

    def complete(image: Image) -> Image:
        return recorded(image, checksum.result())

    options = replace(
        request.options,
        progress=_Sum(progress, total) if progress else None,
        foresee=lambda image: recorded(image, _SOME_CHECKSUM),
        complete=complete,
    )
    return Conversion(dataset, request, tuple(write(dataset, images, labels, output / sanitise(stem), options)), complete)


def _selected(dataset: Dataset, request: Request) -> list[Image]:
    if not dataset.images:
        raise UnreadableError(f"{dataset.location.name} holds no image.")
    mistaken = preview(dataset)
    if mistaken:
        raise UnreadableError(mistaken)
    chosen = select_series(dataset.images, request.selection.series)
    images = [select(image, request.selection) for image in chosen]
    return [replace(image, kind="label") for image in images] if request.label else images


def selected_labels(dataset: Dataset, images: Sequence[Image], request: Request) -> list[Image]:
    """Label maps of the chosen series, cut as those are; channels do not apply to them."""
    wanted = {image.series for image in images}
    selection = replace(request.selection, channels=(), series="all", project="")
    found = [label for label in dataset.labels if label.label_of in wanted]
    if not found:
        return []
    if request.selection.project:
        log.warning("The label maps of %s are left out: they are not projected together with the image.", dataset.location.name)
        return []
    kept = []
    parents: dict[int | None, Image] = {image.series: image for image in dataset.images}
    for label in found:
        parent = parents[label.label_of]
        if not replace(selection, level=0).wants_everything and not _same_grid(label.shape, parent.shape):
            log.warning("The label map %r is left out: it has other pixels than its image, so the selection does not apply to it.", label.name)
            continue
        if not _same_reduction(label, parent, selection.level):
            log.warning("The label map %r is left out: its level %d, if it has one, is not that of its image.", label.name, selection.level)
            continue
        try:
            kept.append(select(label, selection))
        except UsageError as error:
            log.warning("The label map %r is left out: %s", label.name, error)
    return kept


def _same_grid(label: Shape, image: Shape) -> bool:
    return (label.t, label.z, label.y, label.x) == (image.t, image.z, image.y, image.x)


def _same_reduction(label: Image, image: Image, level: int) -> bool:
    """Whether a level of a label map is smaller by exactly as much as that of its image; then it lies on the same pixels."""
    return level == 0 or (level < len(label.levels) and label.levels[level].factor == image.levels[level].factor)


def _refuse_strangers(location: Location, dataset: Dataset) -> None:
    """Refuse files given with an image that are no part of it: they would be left out without a word."""
    own = {path.resolve() for path in (location.path, *dataset.files)}
    strangers = [path.name for path in location.files if path.resolve() not in own]
    if strangers:
        raise UsageError(
            f"{strangers[0]} is no part of {location.name}{f', nor are {len(strangers) - 1} more' if len(strangers) > 1 else ''}. "
            "Convert one image at a time; several files are given only where they make up one image."
        )


class _Checksum:
    """The source's SHA-256, which takes about a second per GB and is made while the pixels are written.

    Its thread is a daemon: a conversion that fails or is cancelled does not wait for it.
    """

    def __init__(self, dataset: Dataset) -> None:
        self.dataset = dataset
        self.made = ""
        self.error: OSError | None = None
        self.thread = Thread(target=self._make, daemon=True)
        self.thread.start()

    def _make(self) -> None:
        try:
            self.made = checksum_of_source(self.dataset)
        except OSError as error:
            self.error = error

    def result(self) -> str:
        """Wait for it."""
        self.thread.join()
        if self.error is not None:
            name = self.dataset.location.name
            raise UnreadableError(f"{name} cannot be read any more: {self.error.strerror}. Was it changed or removed meanwhile?") from self.error
        return self.made


def _make(output: Path) -> None:
    try:
        output.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UnwritableError(f"The folder {output} cannot be made: {error.strerror}. Choose one you may write to.") from error


class _Sum:
    """Progress over several outputs, each of which counts from zero."""

    def __init__(self, tell: Callable[[int, int], None], total: int) -> None:
        self.tell, self.total = tell, total
        self.before = self.last = 0

    def __call__(self, done: int, _: int) -> None:
        self.last = self.before + done
        self.tell(self.last, self.total)

    def next_output(self) -> None:
        self.before = self.last


def _write_files(dataset: Dataset, images: Sequence[Image], labels: Sequence[Image], target: Path, options: WriteOptions) -> Iterator[Outcome]:
    from .writers.atomic import refuse_existing
    from .writers.ome_tiff import write_ome_tiff

    stem = without_extension(dataset.location.name)
    everything = [*images, *labels]
    # Named among all series, chosen or not: so two of them, converted one after the other, do not get one name.
    known = [*dataset.images, *dataset.labels]
    names = [
        target.name if len(dataset.images) == 1 and image.label_of is None else sanitise(f"{target.name}__{_series_name(image, stem)}")
        for image in known
    ]
    called = dict(zip(map(_which, known), unique(names), strict=True))
    paths = [target.with_name(f"{called[_which(image)]}.ome.tiff") for image in everything]
    for path in paths:
        refuse_existing(path)
    begun = False
    for image, path in zip(everything, paths, strict=True):
        name = path.name.removesuffix(".ome.tiff")
        try:
            written = write_ome_tiff(image, path, dataset, options)
        except SuiteError as error:
            # A request that is wrong is wrong for every series; what was written of others before is reported, though.
            if len(everything) == 1 or (isinstance(error, UsageError) and not begun):
                raise
            yield Outcome(image, name, reason=str(error))
            continue
        begun = True
        yield _outcome(dataset, image, name, written, written.series[0])
        if isinstance(options.progress, _Sum):
            options.progress.next_output()


def _which(image: Image) -> tuple[int, int | None]:
    """Tell which of a dataset's series or label maps it is, whatever was selected of it."""
    return image.series, image.label_of


def _series_name(image: Image, stem: str) -> str:
    """Name one of several: by its own name, less the file's name where that only repeats."""
    name = image.name.removeprefix(stem).strip(" _-#:")
    own = sanitise(name, otherwise=f"series_{image.series}")
    return f"label_{own}" if image.label_of is not None else own


def _write_store(dataset: Dataset, images: Sequence[Image], labels: Sequence[Image], target: Path, options: WriteOptions) -> Iterator[Outcome]:
    from .writers.ome_zarr import write_ome_zarr

    path = target.with_name(f"{target.name}.ome.zarr{'.zip' if options.zip else ''}")
    plates = _plates(dataset.plates, images)
    part = replace(dataset, images=tuple(images), labels=tuple(labels), plates=plates, close_files=None)
    written = write_ome_zarr(part, path, options)
    for image, series in zip((*images, *labels), written.series, strict=True):
        yield _outcome(dataset, image, target.name, written, series)


def _plates(plates: Sequence[Plate], images: Sequence[Image]) -> tuple[Plate, ...]:
    """Keep the wells that still have a field."""
    chosen = {image.series for image in images}
    kept = []
    for plate in plates:
        wells = [replace(well, fields=tuple(view for view in well.fields if view.series in chosen)) for well in plate.wells]
        kept.append(replace(plate, wells=tuple(well for well in wells if well.fields)))
    return tuple(plate for plate in kept if plate.wells)


def _outcome(dataset: Dataset, image: Image, name: str, written: Written, series: SeriesWritten) -> Outcome:
    # Where metadata were there and could not be used, the reader has said so already.
    said = (None if dataset.warnings else unsaid(dataset.format), changed(image), _maybe_labels(image))
    remarks = tuple(sentence for sentence in said if sentence)
    return Outcome(image, name, series, written.path, written.bytes, written.losses, (*remarks, *image.warnings, *written.warnings))


def _maybe_labels(image: Image) -> str | None:
    """Hint at label maps: only the name of an array tells, and that is no proof."""
    if image.kind != "intensity" or image.dtype.kind not in "iu" or not _LABELS.search(image.path or ""):
        return None
    return (
        f"By its name it may be a label map. If it is, convert it with --label and --series name:{image.name}, "
        "so that lower resolutions pick values instead of averaging them."
    )
