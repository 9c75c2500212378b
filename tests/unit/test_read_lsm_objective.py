"""The objective of a Zeiss LSM, which the file has only as the words engraved on it."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from lightmicroscopy.image import ImageMetadata, Objective
from lightmicroscopy.readers.tiff_lsm import metadata


def objective(engraved: str | None) -> Objective | None:
    """The objective of a file that says this of it."""
    found, _ = metadata(SimpleNamespace(lsm_metadata={"ScanInformation": {"Objective": engraved}}), ImageMetadata(), (1, 1, 1))
    return found.instrument.objectives[0] if found.instrument else None


@pytest.mark.parametrize(
    ("engraved", "expected"),
    [
        ("Plan-Apochromat 63x/1.4 Oil DIC", (63, 1.4, "Oil", "PlanApo")),
        ("EC Plan-Neofluar 10x/0.30 M27", (10, 0.3, None, "PlanNeofluar")),
        ("C-Apochromat 40x/1,2 W Korr", (40, 1.2, "Water", "Apo")),
        ("LD Achroplan 40x/0.6", (40, 0.6, None, "Achro")),
        ("Fluar 5x/0.25", (5, 0.25, None, "Fluar")),
        ("Simulated 100x", (100, None, None, None)),
        ("no numbers at all", (None, None, None, None)),
    ],
)
def test_what_is_engraved_is_told_and_nothing_else(engraved: str, expected: tuple[object, ...]) -> None:
    found = objective(engraved)
    assert found is not None
    assert found.model == engraved
    assert (found.magnification, found.numerical_aperture, found.immersion, found.correction) == expected


@pytest.mark.parametrize("engraved", [None, "", "   "])
def test_a_file_that_names_no_objective_has_none(engraved: str | None) -> None:
    assert objective(engraved) is None
