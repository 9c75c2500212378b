"""Rules on the resolution levels and chunks of OME-Zarr."""

from __future__ import annotations

import math
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from ...errors import SuiteError
from ...image import Region, Shape
from ..findings import Problem, Subject, rule
from ._pyramids import SAMPLE, SAMPLE_BYTES, Sample, decoded, differences, samples
from ._stores import SPECIFICATION, StoredImage, is_remote, is_store, sampled, stored_images

if TYPE_CHECKING:
    from collections.abc import Iterator

    from ...readers.zarr_store import Store

_MULTISCALES = f"{SPECIFICATION}#multiscale-md"
_RATIO = 0.02
_PIXEL = 1.0
_FILES = 200_000
_WHOLE = "If all must be looked at, copy or convert the store and check the copy."


def _has_levels(subject: Subject) -> bool:
    return is_store(subject) and any(len(stored.sources) > 1 for stored in stored_images(subject))


@rule(
    "ngff.pyramid-shapes",
    severity="error",
    title="Every resolution level is smaller than the one before, and of the same type and dimensions.",
    why="Viewers choose a level by its size; a wrong order shows the image blurred or very slowly, an odd type crashes them.",
    fix="Convert the store with this suite, which makes the levels anew.",
    source=_MULTISCALES,
    applies=_has_levels,
)
def _shapes(subject: Subject) -> Iterator[Problem]:
    for stored in stored_images(subject):
        for index, (before, level) in enumerate(zip(stored.layouts, stored.layouts[1:], strict=False), 1):
            where = stored.location(f"datasets.{index}")
            if level.dtype != before.dtype:
                yield Problem(f"{stored.called} has pixels of type {level.dtype} at level {index}, but {before.dtype} before.", where, stored.series)
            larger = any(after > previous for after, previous in zip(level.shape, before.shape, strict=True))
            if larger or level.shape == before.shape:
                yield Problem(
                    f"{stored.called} has level {index} of {_times(level.shape)}, not smaller than {_times(before.shape)} before.",
                    where,
                    stored.series,
                )


@rule(
    "ngff.pyramid-scales",
    severity="warning",
    title="Scales of the resolution levels follow from their sizes.",
    why="If they do not, measurements and overlays change with the zoom.",
    fix="Multiply the scale of each level by how much smaller it is; converting with this suite does so.",
    source=f"{SPECIFICATION}#trafo-md",
    applies=_has_levels,
)
def _scales(subject: Subject) -> Iterator[Problem]:
    for stored in stored_images(subject):
        for index in range(1, len(stored.sources)):
            yield from _scale_faults(stored, index)


def _scale_faults(stored: StoredImage, index: int) -> Iterator[Problem]:
    first, level = stored.multiscale.levels[0], stored.multiscale.levels[index]
    if first.scale is None or level.scale is None:
        return
    where = stored.location(f"datasets.{index}")
    for position, axis in enumerate(stored.multiscale.axes or ()):
        full, size = stored.layouts[0].shape[position], stored.layouts[index].shape[position]
        step, own = first.scale[position], level.scale[position]
        if step <= 0 or own <= 0 or full < size:
            continue
        # Sizes are rounded: 101 pixels halved are 50 or 51, and a factor of 2 is as right as 101 / 51.
        smallest, largest = (full / (size + 1), full / max(size - 1, 0.5)) if full != size else (1.0, 1.0)
        if not smallest * (1 - _RATIO) <= own / step <= largest * (1 + _RATIO):
            said = f"its scale along {axis.name} is {own / step:.3g} times that of level 0, but its size says {full / size:.3g}"
            sentence = f"{stored.called}, level {index}: {said}."
            yield Problem(sentence, where, stored.series)
        shift = (level.translation[position] if level.translation else 0.0) - (first.translation[position] if first.translation else 0.0)
        if abs(shift) > max(own, step) * (_PIXEL if full != size else _RATIO):
            plausible = "at most half a pixel" if full != size else "none"
            said = f"it is shifted by {shift / own:.3g} pixels along {axis.name}, where {plausible} is plausible"
            sentence = f"{stored.called}, level {index}: {said}."
            yield Problem(sentence, where, stored.series)


@rule(
    "ngff.pyramid-content",
    severity="warning",
    title="Smaller resolution levels show the same image (tested on samples).",
    why="What a viewer shows from afar would not be what is measured close up.",
    fix="Convert the store with this suite, which makes the levels anew.",
    source=_MULTISCALES,
    applies=_has_levels,
)
def _content(subject: Subject) -> Iterator[Problem]:
    for stored in sampled(subject):
        for level, unlike in differences(_samples_of(stored), lossy=stored.image.lossy).items():
            sentence = f"{stored.called} {unlike} at level {level} than at level {level - 1}, in a sample of {SAMPLE} × {SAMPLE} pixels."
            yield Problem(sentence, stored.location(f"datasets.{level}"), stored.series)


@rule(
    "ngff.label-averaged",
    severity="error",
    title="Smaller resolution levels of label maps hold only labels of the full one (tested on samples).",
    why="Averaging makes labels that belong to no object, or to another one: the mean of objects 2 and 8 is object 5.",
    fix="Make the levels anew by taking single pixels, as this suite does with --label.",
    source=f"{SPECIFICATION}#label-md",
    applies=lambda subject: _has_levels(subject) and any(stored.image.kind == "label" for stored in stored_images(subject)),
)
def _averaged(subject: Subject) -> Iterator[Problem]:
    for stored in sampled(subject):
        if stored.image.kind != "label":
            continue
        strange: dict[int, list[Any]] = {}
        for sample in _samples_of(stored):
            if sample.strange.size:
                strange.setdefault(sample.level, list(sample.strange[:3]))
        for level, labels in strange.items():
            shown = ", ".join(str(value) for value in labels)
            sentence = f"{stored.called} has labels at level {level} that are not there at level {level - 1} (such as {shown})."
            yield Problem(sentence, stored.location(f"datasets.{level}"), stored.series)


def _samples_of(stored: StoredImage) -> Iterator[Sample]:
    return samples(stored.sources, 1) if is_remote(stored) else samples(stored.sources)


@rule(
    "ngff.chunk-damaged",
    severity="error",
    title="Chunks can be decoded (tested on the first, middle and last of each level).",
    why="A damaged chunk is a hole in the image, or stops the software that comes upon it.",
    fix="Copy or convert the original again, and compare checksums after copying.",
    source=SPECIFICATION,
    applies=is_store,
)
def _damaged(subject: Subject) -> Iterator[Problem]:
    chosen = sampled(subject)
    for stored in chosen:
        for index, source in enumerate(stored.sources):
            if is_remote(stored) and decoded(source.unit, source.dtype) > SAMPLE_BYTES:
                sentence = f"{stored.called}, level {index}: its chunks are too large to be fetched for a look."
                yield Problem(sentence, stored.location(f"datasets.{index}"), stored.series, "info")
                continue
            try:
                for region in _samples(source.shape, source.unit):
                    source.read(region)
            except SuiteError as error:
                yield Problem(str(error), stored.location(f"datasets.{index}"), stored.series)
    count = len(stored_images(subject))
    if len(chosen) < count:
        yield Problem(f"Of {count:,} images and label maps on the server, the pixels of {len(chosen)} were looked at.", severity="info", fix=_WHOLE)


def _samples(shape: Shape, unit: Shape) -> list[Region]:
    """First, middle and last chunk."""
    found = []
    for pick in (0.0, 0.5, 1.0):
        spans = []
        for size, extent in zip(shape[:5], unit[:5], strict=True):
            start = int((-(-size // extent) - 1) * pick) * extent
            spans.append((start, min(size, start + extent)))
        found.append(Region(*spans))
    return list(dict.fromkeys(found))


@rule(
    "ngff.chunks-missing",
    severity="info",
    title="Every chunk is stored.",
    why="Zarr defines the pixels of a chunk that is not there as the fill value, and programs, this suite too, store no chunk that holds nothing "
    "else: that is no loss. A copy or download that was cut short looks just the same, though.",
    fix="Nothing, if the image is empty there (look at a picture of it). If not, compare the number of files with the original's and copy it again.",
    source="https://zarr-specs.readthedocs.io/en/latest/v2/v2.0.html",
    applies=is_store,
)
def _chunks_missing(subject: Subject) -> Iterator[Problem]:
    if is_remote(stored_images(subject)[0]):
        yield from _missing_on_the_server(subject)
        return
    for stored in stored_images(subject):
        layout = stored.layouts[0]
        grid = layout.sharding.shape if layout.sharding else layout.chunk
        wanted = math.prod(-(-size // extent) for size, extent in zip(layout.shape, grid, strict=True))
        if wanted > _FILES or (layout.chain is None and layout.zarr_format == 3):
            continue
        there = _count(stored.sources[0].array.store, layout.path)
        if there == 0:
            sentence = (
                f"{stored.called} has none of its {wanted} chunk{'s' if wanted > 1 else ''} stored, so that every pixel is the fill value "
                f"{layout.fill}: either the whole image is that, or the copy is not complete."
            )
            yield Problem(sentence, layout.path, stored.series, "warning")
        elif there < wanted:
            missing = wanted - there
            sentence = (
                f"{stored.called} has {missing} of its {wanted} chunks ({missing / wanted:.0%}) not stored, which Zarr defines as pixels of the fill "
                f"value {layout.fill}: nothing is lost if the image is empty there."
            )
            yield Problem(sentence, layout.path, stored.series)


def _missing_on_the_server(subject: Subject) -> Iterator[Problem]:
    """What of the first, middle and last chunks is not there; a server does not list the others."""
    from ...readers.remote_store import RemoteStore

    for stored in sampled(subject):
        source = stored.sources[0]
        if decoded(source.unit, source.dtype) > SAMPLE_BYTES:
            continue
        for region in _samples(source.shape, source.unit):
            # What cannot be read is told by the rule on damaged chunks.
            with suppress(SuiteError):
                source.read(region)
    store = stored_images(subject)[0].sources[0].array.store
    if isinstance(store, RemoteStore) and store.absent:
        absent = sorted(store.absent)
        shown = ", ".join(absent[:3])
        said = f"{len(absent)} of the chunks that were asked for as a sample are not on the server and are read as the fill value (such as {shown})."
        yield Problem(said, absent[0], severity=None if store.has_pixels else "warning")
    yield Problem("Chunks were asked for as a sample only, since a web server does not list what it has.", severity="info", fix=_WHOLE)


def _count(store: Store, folder: str) -> int:
    """Chunk files below an array."""
    total = 0
    for name, is_folder in store.children(folder):
        if is_folder:
            total += _count(store, f"{folder}/{name}" if folder else name)
        else:
            total += not name.startswith(".") and name != "zarr.json"
    return total


def _times(shape: tuple[int, ...]) -> str:
    return " × ".join(map(str, shape))
