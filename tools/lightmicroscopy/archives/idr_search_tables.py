"""Tables of what a search in the IDR finds."""

from __future__ import annotations

import json
from contextlib import ExitStack, closing
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final

from ..reports.tables import ANNOTATIONS, TableFile
from .idr_record import page_of
from .idr_study import names_of
from .idr_tables import micrometres
from .scratch import scratch_database, told_of_a_full_disk
from .study import together

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from .idr import Annotation, ImageRecord
    from .idr_walk import Container, Found
    from .study import Study

SOURCE: Final = "idr"
_IN_ORDER: Final = "SELECT row FROM rows ORDER BY kind, number, position, serial"


class AnnotationsTable:
    """The annotations table. Its rows wait in a temporary database on disk, and are written in their order when it is closed without an exception.

    Attributes
    ----------
    count
        Rows.
    """

    def __init__(self, path: Path) -> None:
        self.count = 0
        with ExitStack() as stack:
            self._file = stack.enter_context(TableFile(path, ANNOTATIONS))
            self._database = stack.enter_context(closing(scratch_database()))
            self._database.execute("CREATE TABLE rows (serial INTEGER PRIMARY KEY, kind, number, position, row)")
            self._stack = stack.pop_all()

    def add(self, annotation: Annotation) -> None:
        """Take a row."""
        keys = (annotation.object_type, annotation.object_id, annotation.position)
        with told_of_a_full_disk():
            self._database.execute("INSERT INTO rows (kind, number, position, row) VALUES (?, ?, ?, ?)", (*keys, json.dumps(asdict(annotation))))
        self.count += 1

    def __enter__(self) -> AnnotationsTable:
        return self

    def __exit__(self, kind: type[BaseException] | None, *error: Any) -> None:
        if kind is not None:
            self._stack.__exit__(kind, *error)
            return
        with self._stack, told_of_a_full_disk():
            for (row,) in self._database.execute(_IN_ORDER):
                self._file.add(json.loads(row))


def image_row(found: Found, study: Study | None, record: ImageRecord | None, pixels_from: str = "unknown") -> Mapping[str, object]:
    """Row of the images table; sizes and channels only of an image that was looked at."""
    container = found.container
    row: dict[str, object] = {
        "image_id": found.image,
        "image_name": found.name,
        "study": study.name if study else names_of(container.name)[1] or container.accession or None,
        "container_type": container.kind or None,
        "container_id": container.id or None,
        "container_name": container.name,
        "plate": found.plate,
        "well": found.well,
        "field": found.field,
        "series": found.series,
        "licence": study.licence if study else None,
        "pixels_from": pixels_from,
        "url": page_of("image", found.image),
    }
    if record is not None:
        row |= {
            "image_name": record.name,
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
            "url": record.url,
        }
    return row


def study_rows(parts: Iterable[tuple[Container, Study | None, int | None]]) -> list[Mapping[str, object]]:
    """Rows of the studies table, one per accession: of several components each fact once, and their images together.

    Parameters
    ----------
    parts
        Projects and screens, what is known of each as a study, and how many images it has.
    """
    groups: dict[str, list[tuple[Container, Study | None, int | None]]] = {}
    for part in parts:
        groups.setdefault(part[0].accession or part[0].name, []).append(part)
    return [_study_row(accession, groups[accession]) for accession in sorted(groups)]


def _study_row(accession: str, parts: list[tuple[Container, Study | None, int | None]]) -> Mapping[str, object]:
    studies = [study for _, study, _ in parts if study is not None]
    counts = [count for _, _, count in parts]

    def joined(name: str) -> str:
        values = (value for study in studies for value in [getattr(study, name)])
        return together(values)

    return {
        "source": SOURCE,
        "accession": accession,
        "title": joined("title") or joined("publication_title"),
        "authors": joined("authors"),
        "doi": joined("data_doi"),
        "publication_doi": joined("publication_doi"),
        "licence": joined("licence"),
        "organism": joined("organism"),
        "imaging_method": joined("imaging_method"),
        "image_count": sum(count for count in counts if count is not None) if None not in counts else None,
        "release_date": joined("release_date"),
        "url": together(page_of(container.kind, container.id) for container, _, _ in parts),
    }
