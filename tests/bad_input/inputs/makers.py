"""The makers of bad input by the name of their row in docs/bad-input.md, and the sound files they start from."""

import shutil
from collections.abc import Callable
from pathlib import Path

DATA = Path(__file__).resolve().parents[3] / "test-data"
CELLS = DATA / "cells.ome.tiff"
STORE = DATA / "cells_04.ome.zarr"
TO_TIFF = ["--format", "ome-tiff"]
TO_ZARR = ["--format", "ome-zarr"]
GIGABYTE = 1 << 30
NAMESPACE = "http://www.openmicroscopy.org/Schemas/OME/2016-06"

Maker = Callable[[Path], list[str]]
MAKERS: dict[str, Maker] = {}


def row(name: str) -> Callable[[Maker], Maker]:
    """Register a maker under the name of its row."""

    def register(maker: Maker) -> Maker:
        assert name not in MAKERS
        MAKERS[name] = maker
        return maker

    return register


def of_cells(folder: Path, *arguments: str) -> list[str]:
    """The well-formed image, asked for what it does not have."""
    shutil.copy(CELLS, folder)
    return [str(folder / CELLS.name), *TO_TIFF, *arguments]
