"""Label maps of an image's OME-Zarr, written beside the image, and a table of them."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from .. import readers
from ..convert import Request, convert_dataset, selected_labels
from ..errors import SuiteError, UnwritableError
from ..image import Location, Region
from ..names import sanitise, unique
from ..provenance import files_below, sha256_of
from ..selection import Selection

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from ..image import Dataset, Image
    from ..report_paths import ReportPaths
    from .idr_plan import Planned

LABELS: Final = (
    "image_id",
    "image_name",
    "label_map",
    "file",
    "size_x",
    "size_y",
    "size_z",
    "size_t",
    "dtype",
    "labels",
    "largest_label",
    "bytes",
    "sha256",
    "loss",
)
"""Columns of the table of label maps."""
MOST_VALUES: Final = 10_000_000
"""Labels of one map that are counted."""

log = logging.getLogger("lightmicroscopy")


@dataclass(frozen=True, slots=True)
class LabelMaps:
    """Writes label maps into a folder.

    Attributes
    ----------
    add
        Told of each map's row of the table.
    zip
        Pack stores, whatever the images' are.
    paths
        What was written.
    reports
        Files that the call writes besides: no map takes their place.
    """

    folder: Path
    add: Callable[[Mapping[str, object]], None] | None = None
    zip: bool = False
    paths: list[Path] = field(default_factory=list)
    reports: ReportPaths | None = None

    def write(self, planned: Planned, dataset: Dataset, image: Image, request: Request) -> None:
        """Write the label maps of one image; one that cannot be read costs no other, and is a row that says so.

        Raises
        ------
        UnwritableError
            If the disk is full, or the folder cannot be written.
        """
        options = replace(request.options, zip=request.options.zip or self.zip)
        for label, name in self._named(planned, dataset, image, request):
            if self._is_taken(self._path(name, request)):
                self._tell(planned, label, loss="A report is to be written where it belongs. Give the report another name.")
                continue
            alone = replace(dataset, images=(replace(label, series=0, label_of=None),), labels=(), plates=())
            try:
                conversion = convert_dataset(alone, self.folder, replace(request, selection=Selection(), label=True, name=name, options=options))
                if conversion.failed:
                    self._tell(planned, label, loss=conversion.failed[0].reason)
                self.paths.extend(conversion.paths)
                for path in conversion.paths:
                    self._tell(planned, label, path)
            except UnwritableError:
                raise
            except SuiteError as error:
                self._tell(planned, label, loss=str(error))

    def keep(self, planned: Planned, dataset: Dataset, request: Request) -> None:
        """Take over the label maps of an image that is kept from an earlier call; of one that is not there, say so."""
        for label, name in self._named(planned, dataset, dataset.images[0], request):
            path = self._path(name, request)
            if not self._is_taken(path) and _holds(path, label):
                self.paths.append(path)
                self._tell(planned, label, path)
            else:
                self._tell(
                    planned, label, loss="Its image is kept from an earlier call, and it is not there. Remove the image to have both made anew."
                )

    def _path(self, name: str, request: Request) -> Path:
        ending = ".ome.tiff" if request.format == "ome-tiff" else ".ome.zarr.zip" if request.options.zip or self.zip else ".ome.zarr"
        return self.folder / f"{name}{ending}"

    def _is_taken(self, path: Path) -> bool:
        return self.reports is not None and self.reports.is_in_the_way_of(path.parent.resolve() / path.name)

    def _named(self, planned: Planned, dataset: Dataset, image: Image, request: Request) -> Iterator[tuple[Image, str]]:
        """Give the label maps of an image as they are selected, and what each is called."""
        labels = selected_labels(replace(dataset, images=(image,)), [image], request)
        # What does not fit the selection has been told, and is a row too.
        left_out = [label for label in dataset.labels if label.label_of == image.series and label.path not in {one.path for one in labels}]
        for label in left_out:
            self._tell(planned, label, loss="It does not fit the selection.")
        names = unique([f"{planned.stem}__label_{sanitise((label.path or label.name).rpartition('/')[2])}" for label in labels])
        yield from zip(labels, names, strict=True)

    def _tell(self, planned: Planned, label: Image, path: Path | None = None, loss: str = "") -> None:
        if loss:
            log.warning("%s: its label map %r is left out: %s", planned.item, label.name, loss)
        if self.add is None:
            return
        shape = label.shape
        row: dict[str, object] = {
            "image_id": planned.record.id,
            "image_name": planned.record.name,
            "label_map": label.name,
            "size_x": shape.x,
            "size_y": shape.y,
            "size_z": shape.z,
            "size_t": shape.t,
            "dtype": label.dtype.name,
            "loss": loss,
        }
        if path is not None:
            files = files_below(path)
            count, largest = counted(path)
            row |= {"file": path.name, "bytes": sum(file.stat().st_size for file in files.values()), "sha256": sha256_of(files)}
            row |= {"labels": count, "largest_label": largest}
        self.add(row)


def _holds(path: Path, label: Image) -> bool:
    """Whether a label map is there, of the sizes it must have."""
    if not path.exists():
        return False
    try:
        with readers.open(Location(path)) as dataset:
            return len(dataset.images) == 1 and dataset.images[0].shape == label.shape
    except SuiteError:
        return False


def counted(path: Path) -> tuple[int | None, int]:
    """Count the different labels in a written map, plane by plane; 0 is none. Also the largest; the count is None if there are too many to hold."""
    import numpy as np

    found = np.zeros(0, np.uint64)
    largest, too_many = 0, False
    with readers.open(Location(path)) as dataset:
        pixels = dataset.images[0].levels[0].pixels
        for region in _planes(dataset.images[0]):
            values = np.unique(pixels.read(region))
            largest = max(largest, int(values[-1]))
            if not too_many:
                found = np.union1d(found, values[values > 0].astype(np.uint64))
                too_many = found.size > MOST_VALUES
    return (None if too_many else int(found.size)), largest


def _planes(image: Image) -> Iterator[Region]:
    """Parts of planes of at most 4096 × 4096 pixels."""
    shape, side = image.shape, 4096
    for t in range(shape.t):
        for z in range(shape.z):
            for y in range(0, shape.y, side):
                for x in range(0, shape.x, side):
                    yield Region((t, t + 1), (0, shape.c), (z, z + 1), (y, min(y + side, shape.y)), (x, min(x + side, shape.x)))
