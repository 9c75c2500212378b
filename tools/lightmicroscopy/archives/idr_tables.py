"""Tables of what was met in the IDR: images and annotations."""

from __future__ import annotations

import json
from contextlib import ExitStack, closing
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final

from ..errors import MissingError
from ..metadata.ome_units import to_nanometres
from ..reports.tables import IMAGES, TableFile
from .scratch import scratch_database, told_of_a_full_disk

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from ..image import Quantity
    from .idr_plan import Planned

_PIXELS: Final = {"ome-zarr": "ome-zarr", "original": "originals"}
# By study, container, plate, well (B07 before AF48), field, number.
_IN_ORDER: Final = "SELECT row FROM rows ORDER BY study, container, plate, length(well), well, field, number"


class ImagesTable:
    """The images table. Its rows wait in a temporary database on disk, and are written in their order when it is closed without an exception."""

    def __init__(self, path: Path) -> None:
        with ExitStack() as stack:
            self._file = stack.enter_context(TableFile(path, IMAGES))
            self._database = stack.enter_context(closing(scratch_database()))
            self._database.execute("CREATE TABLE rows (study, container, plate, well, field, number, row)")
            self._stack = stack.pop_all()

    def add(self, row: Mapping[str, object]) -> None:
        """Take a row."""
        keys = (row["study"] or "", row["container_id"] or 0, row["plate"] or "", row["well"] or "", row["field"], row["image_id"])
        with told_of_a_full_disk():
            self._database.execute("INSERT INTO rows VALUES (?, ?, ?, ?, ?, ?, ?)", (*keys, json.dumps(row)))

    def __enter__(self) -> ImagesTable:
        return self

    def __exit__(self, kind: type[BaseException] | None, *error: Any) -> None:
        if kind is not None:
            self._stack.__exit__(kind, *error)
            return
        with self._stack, told_of_a_full_disk():
            for (row,) in self._database.execute(_IN_ORDER):
                self._file.add(json.loads(row))


def image_row(planned: Planned) -> Mapping[str, object]:
    """Row of the images table."""
    record, place, study = planned.record, planned.place, planned.study
    return {
        "image_id": record.id,
        "image_name": record.name,
        "study": study.name if study else None,
        "container_type": place.container_type if place else None,
        "container_id": place.container_id if place else None,
        "container_name": place.container_name if place else None,
        "plate": place.plate if place else None,
        "well": place.well if place else None,
        "field": place.field if place else None,
        "series": record.series,
        "size_x": record.size_x,
        "size_y": record.size_y,
        "size_z": record.size_z,
        "size_c": record.size_c,
        "size_t": record.size_t,
        "dtype": record.dtype,
        "pixel_size_x_um": micrometres(record.pixel_size_x),
        "pixel_size_y_um": micrometres(record.pixel_size_y),
        "pixel_size_z_um": micrometres(record.pixel_size_z),
        "channels": [channel.name or "" for channel in record.channels] if any(channel.name for channel in record.channels) else None,
        "licence": study.licence if study else None,
        "pixels_from": _pixels_from(planned),
        "url": record.url,
    }


def _pixels_from(planned: Planned) -> str:
    if planned.candidate is not None:
        return _PIXELS[planned.candidate.kind]
    # Neither a selection that does not fit nor a service that fails says anything about where the pixels are.
    return "none" if isinstance(planned.problem, MissingError) else "unknown"


def annotation_rows(planned: Planned) -> Iterator[Mapping[str, object]]:
    """Rows of the annotations table, repeats kept."""
    for annotation in planned.annotations:
        yield asdict(annotation)


def micrometres(size: Quantity | None) -> float | None:
    """Give a length in µm; None if it is unknown, or no length."""
    nanometres = to_nanometres(size) if size is not None else None
    return None if nanometres is None else nanometres / 1000
