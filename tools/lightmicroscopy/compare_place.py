"""Where on a plate a series was taken, as a copy of that one series can still say it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .compare_fields import values

if TYPE_CHECKING:
    from .image import Dataset, Image, Plate


def described_place(dataset: Dataset, image: Image) -> dict[str, Any]:
    """Say on which plate, in which well, field and run a series was taken; empty for one that is on no plate."""
    if image.kind == "label" and image.label_of is not None:
        return {}
    for plate in dataset.plates:
        for well in plate.wells:
            for number, field in zip(well.numbers, well.fields, strict=True):
                if field.series == image.series:
                    found = values("plate ", plate)
                    found["well"] = f"row {well.row}, column {well.column}"
                    found["field"] = f"number {number}"
                    found |= values("field ", field)
                    return found | _run(plate, field.acquisition)
    return {}


def _run(plate: Plate, wanted: int | None) -> dict[str, Any]:
    run = next((run for run in plate.acquisitions if run.id == wanted), None)
    return {} if run is None else values("run ", run)
