"""The real files as Bio-Formats sees them and as we convert them, once for all tests."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import pytest

from ..needs import missing
from . import bioformats
from .bioformats import Seen
from .real import EVERYTHING, FILES, look_at
from .truth import documented
from .workshop import Made, make

VERSIONS: Final = ("0.4", "0.5")


@pytest.fixture(scope="session")
def known_files(realfiles: Path) -> Path:
    """Return the folder of real files, if it holds those of docs/metadata-truth.md, of which more can be said than of any file."""
    absent = [name for name in documented() if not (realfiles / name).exists()]
    if absent:
        missing(f"{len(absent)} of the documented real files are not here, such as {absent[0]}")
    return realfiles


@pytest.fixture(scope="session")
def real_seen() -> Mapping[Path, Seen]:
    """All real files as Bio-Formats sees them."""
    return look_at(FILES)


@pytest.fixture(scope="session")
def real_tiffs(tmp_path_factory: pytest.TempPathFactory) -> Mapping[Path, Made]:
    """All real files and stores as OME-TIFF."""
    return make(EVERYTHING, tmp_path_factory.mktemp("tiff"), "ome-tiff")


@pytest.fixture(scope="session")
def real_tiffs_seen(real_tiffs: Mapping[Path, Made]) -> Mapping[Path, Seen]:
    """Those OME-TIFFs as Bio-Formats sees them."""
    return bioformats.look(path for made in real_tiffs.values() for path in made.series)


@pytest.fixture(scope="session")
def real_zarrs(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Mapping[Path, Made]]:
    """All real files and stores as OME-Zarr of each version."""
    return {version: make(EVERYTHING, tmp_path_factory.mktemp("zarr"), "ome-zarr", ngff_version=version) for version in VERSIONS}
