"""Conversions for the oracles: many files at once, since Java takes a second to start, and failures kept for their own test."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lightmicroscopy import readers
from lightmicroscopy.convert import Request, convert
from lightmicroscopy.image import Location, Region
from lightmicroscopy.writers.options import WriteOptions

from . import stores
from .bioformats import plane_crcs

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from lightmicroscopy.convert import Format
    from lightmicroscopy.image import Dataset, Image

    from .bioformats import Seen, SeenSeries

NO_IMAGES = {".md", ".txt", ".tsv", ".json", ".yaml", ".xlsx"}


@dataclass(frozen=True, slots=True)
class Made:
    """What became of one conversion: outputs, one per series, or the error."""

    source: Path
    series: tuple[Path, ...] = ()
    paths: tuple[Path, ...] = ()
    losses: tuple[str, ...] = ()
    error: str | None = None

    def whole(self) -> Made:
        """Fail with the conversion's own error if it had one."""
        assert self.error is None, self.error
        return self


def files_in(folder: Path) -> list[Path]:
    """Image files of a folder that are no OME-Zarr."""
    return sorted(path for path in folder.glob("*") if path.is_file() and path.suffix not in NO_IMAGES and ".zarr" not in path.name)


def stores_in(folder: Path) -> list[Path]:
    """OME-Zarr folders and zips of a folder."""
    return sorted(path for path in folder.glob("*") if ".zarr" in path.name)


def location(path: Path) -> Location:
    """Where to open a file, given along with those of its neighbours that are members of its set."""
    neighbours = [] if path.is_dir() else files_in(path.parent)
    with readers.open(Location(path, (path, *neighbours))) as dataset:
        return Location(path, tuple(dict.fromkeys((path, *dataset.files))))


def open_image(path: Path) -> Dataset:
    """Open with our readers."""
    return readers.open(location(path))


def make(sources: Iterable[Path], output: Path, wanted: Format, **options: Any) -> dict[Path, Made]:
    """Convert files, each into a folder of its own."""
    return {source: _make(source, output / f"{number}", Request(wanted, options=WriteOptions(**options))) for number, source in enumerate(sources)}


def _make(source: Path, folder: Path, request: Request) -> Made:
    try:
        done = convert(location(source), folder, request)
    except Exception as error:  # reported by this file's own test; it must not stop those of the others
        return Made(source, error=f"{type(error).__name__}: {error}")
    with done.dataset:
        failed = [outcome.reason for outcome in done.outcomes if outcome.path is None]
        kept = tuple(outcome.path for outcome in done.outcomes if outcome.path is not None and outcome.image.label_of is None)
        losses = tuple(loss for outcome in done.outcomes for loss in outcome.losses)
        return Made(source, kept, done.paths, losses, "; ".join(failed) or None)


def crcs(image: Image, level: int = 0) -> tuple[int, ...]:
    """CRC-32 of every plane as our reader gives it, z fastest, then c, then t."""
    pixels = image.levels[level].pixels
    shape = pixels.shape
    places = ((t, c, z) for t in range(shape.t) for c in range(shape.c) for z in range(shape.z))
    return tuple(crc for place in places for crc in plane_crcs(pixels.read(Region.plane(shape, *place))))


def names(paths: Iterable[Path]) -> list[str]:
    """Ids of parametrised tests."""
    return [path.name for path in paths]


def copies(made: Made, seen: Mapping[Path, Seen]) -> list[SeenSeries]:
    """The series of the OME-TIFFs made of one source, each of which must hold exactly one."""
    found = [seen[path.resolve()] for path in made.whole().series]
    assert [(file.error, len(file.series)) for file in found] == [(None, 1)] * len(found)
    return [file.series[0] for file in found]


def reference(path: Path) -> list[tuple[int, ...]]:
    """The planes of a store by zarr-python, which shares no code with our reader of chunks."""
    root = stores.open_group(path)
    arrays = [stores.by_zarr_python(root, stores.level_paths(root, image)[0]) for image in stores.image_paths(root)]
    return [plane_crcs(stores.to_planes(array, stores.axes(root, image))) for array, image in zip(arrays, stores.image_paths(root), strict=True)]


def known(value: Any) -> bool:
    """Whether Bio-Formats says anything in a field."""
    return any(known(part) for part in value) if isinstance(value, list) else value not in (None, "")


def differences(before: dict[str, Any], after: dict[str, Any]) -> set[str]:
    """Fields that a conversion has lost, changed or invented."""
    same = {field for field, value in before.items() if value == after[field]}
    silent = {field for field, value in before.items() if not known(value) and not known(after[field])}
    return set(before) - same - silent
