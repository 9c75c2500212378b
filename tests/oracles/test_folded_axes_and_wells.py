"""Bio-Formats finds the planes of folded axes in our order, and the well of a single field."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from lightmicroscopy.convert import Request, convert
from lightmicroscopy.image import Location
from lightmicroscopy.selection import Selection

from ..unit.test_folded_axes import CASES, expected, store
from ..unit.zarr_stores import folder
from .bioformats import look, plane_crcs


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory, test_data: Path) -> dict[str, Path]:
    """OME-TIFFs of stores with folded axes, and of one field of a plate."""
    made = {}
    for axes, _ in CASES:
        name = "_".join(axes)
        path = folder(store(axes)[0], tmp_path_factory.mktemp("in") / f"{name}.ome.zarr")
        made[name] = one(path, tmp_path_factory.mktemp("out"))
    return made | {"field": one(test_data / "plate_04.ome.zarr.zip", tmp_path_factory.mktemp("out"), Selection(series="7"))}


def one(path: Path, output: Path, selection: Selection | None = None) -> Path:
    """Convert to one OME-TIFF."""
    conversion = convert(Location(path), output, Request("ome-tiff", selection or Selection()))
    conversion.dataset.close()
    (made,) = conversion.paths
    return made


def test_bio_formats_finds_every_plane_where_numpy_puts_it(files: dict[str, Path]) -> None:
    seen = look(files.values())
    for axes, folded in CASES:
        (series,) = seen[files["_".join(axes)]].series
        whole = expected(store(axes)[1], axes, **folded)
        assert series.shape == (*whole.shape, 1)
        assert series.levels[0].crc == plane_crcs(whole[..., np.newaxis]), axes
    field = seen[files["field"]]
    assert field.error is None
    assert len(field.series) == 1
