"""Annotating in tests: what is set, and what a comparison finds different afterwards."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lxml import etree

from lightmicroscopy import readers
from lightmicroscopy.annotate import Outcome, annotate
from lightmicroscopy.annotate_ome import Record
from lightmicroscopy.compare import compare
from lightmicroscopy.image import Image, Location, MapAnnotation
from lightmicroscopy.metadata.changes import ChannelChanges, ObjectiveChanges, SeriesChanges
from lightmicroscopy.metadata.ome_schema import schema_errors

RECORD = Record("sheet.xlsx", "0" * 64, "2027-03-01T12:00:00Z")
ORGANISM = MapAnnotation("openmicroscopy.org/mapr/organism", (("Organism", "Homo sapiens"),))
PIXEL_SIZE = SeriesChanges(pixel_size_x_um=0.5, pixel_size_y_um=0.25, pixel_size_z_um=2)
PIXEL_SIZE_FIELDS = {"pixel size x", "pixel size y", "pixel size z"}
MEDIUM = ("immersion medium", "refractive index")
"""What goes with the immersion of the objective that it was."""
LENS = ObjectiveChanges("Plan 40x/1.2", 40, 1.2, "Water")


def everything(channels: int) -> SeriesChanges:
    """All that can be set."""
    return SeriesChanges(
        image_name="Æ 1",
        description="HeLa cells, 37 °C",
        pixel_size_x_um=0.5,
        pixel_size_y_um=0.25,
        pixel_size_z_um=2,
        time_increment_s=3,
        channels=tuple(ChannelChanges(f"channel {number}", "FF8000", 488 + number, 525.5 + number) for number in range(channels)),
        objective=LENS,
        annotations=(ORGANISM,),
    )


def annotated(folder: Path, *paths: Path, changes: SeriesChanges | Mapping[int, SeriesChanges] | None = None, **options: Any) -> list[Outcome]:
    """Annotate every series alike, or each by its number; with everything where nothing else is said."""

    def wanted(_: str, image: Image) -> SeriesChanges | None:
        if isinstance(changes, Mapping):
            return changes.get(image.series)
        return everything(image.shape.c) if changes is None else changes

    return list(annotate(paths, wanted, folder, RECORD, **options))


def made(folder: Path, *paths: Path, **options: Any) -> Path:
    """Annotate inputs that can be, and give the copy of the first."""
    outcomes = annotated(folder, *paths, **options)
    assert [outcome.reason for outcome in outcomes if outcome.status == "failed"] == []
    return folder / paths[0].name


def differences(original: Path, copy: Path) -> set[str]:
    """What a comparison of all pixels and fields finds."""
    with readers.open(Location(copy, tuple(copy.parent.iterdir()))) as dataset:
        members = [path for path in dataset.files if path != copy]
    comparison = compare(Location(original, tuple(original.parent.iterdir())), [copy, *members])
    assert comparison.rows
    return {row.what for row in comparison.rows if row.differs}


def document(path: Path) -> etree._Element:
    """The OME-XML of a file or store; asserts that it is valid."""
    with readers.open(Location(path, tuple(path.parent.iterdir()))) as dataset:
        assert dataset.ome is not None
        assert dataset.ome_source is not None
        assert schema_errors(dataset.ome_source.rstrip(b"\0")) == []
        return dataset.ome
