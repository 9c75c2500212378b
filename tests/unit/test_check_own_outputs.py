"""What this suite writes keeps to the specifications by its own check: nothing is found in structure, levels or references."""

from __future__ import annotations

from pathlib import Path

import pytest

from lightmicroscopy.convert import Format, Request, convert
from lightmicroscopy.image import Location
from lightmicroscopy.metadata.check import check
from lightmicroscopy.writers.options import WriteOptions

SAMPLES = ("stack.czi", "positions.nd2", "project.lif", "two_series.ome.tiff", "cells_04.ome.zarr.zip", "plate_04.ome.zarr.zip", "rgb.png")
KINDS: tuple[tuple[Format, str], ...] = (("ome-tiff", "0.4"), ("ome-zarr", "0.4"), ("ome-zarr", "0.5"))
MISSING = ("-missing", "source.lossy-origin")
"""What no conversion can add: the objective, say, of an image whose source does not name it."""


@pytest.mark.parametrize("name", SAMPLES)
@pytest.mark.parametrize(("wanted", "version"), KINDS, ids=[f"{wanted} {version}" for wanted, version in KINDS])
def test_what_is_written_is_not_complained_of(test_data: Path, tmp_path: Path, name: str, wanted: Format, version: str) -> None:
    request = Request(wanted, options=WriteOptions(threads=1, ngff_version=version))  # type: ignore[arg-type]
    conversion = convert(Location(test_data / name), tmp_path / "out", request)
    conversion.dataset.close()
    found = check(conversion.paths).findings
    assert [(finding.rule, finding.message) for finding in found if not finding.rule.endswith(MISSING)] == []
