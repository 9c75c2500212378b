"""Real files of the microscope vendors, converted as a user converts them and proved by the comparison a user would ask for."""

from __future__ import annotations

from pathlib import Path

import pytest

import lm_compare
import lm_convert

from ..conftest import REALFILES
from .real import each

SUFFIXES = {".czi", ".lif", ".lof", ".nd2", ".ims", ".h5", ".hdf5"}
FILES = sorted(path for path in REALFILES.rglob("*") if path.is_file() and path.suffix.lower() in SUFFIXES)
EACH = each(FILES)
MOSAICS = each([path for path in FILES if path.name.startswith(("mosaic_test", "PR2729"))])


def proved(path: Path, folder: Path, form: str, *reading: str) -> None:
    """Convert and compare, any difference that was not decided on being a failure."""
    out = folder / "out"
    assert lm_convert.main([str(path), "--format", form, "--output", str(out), "--quiet", *reading]) == 0
    copies = [str(copy) for copy in sorted(out.iterdir())]
    table = folder / "table.tsv"
    code = lm_compare.main([str(path), *copies, "--fail-on", "difference", "--table", str(table), "--quiet", *reading])
    different = [line for line in table.read_text(encoding="utf-8").splitlines()[1:] if not line.endswith(("\ttrue", "\taccepted"))]
    assert (code, different) == (0, [])


@pytest.mark.parametrize("form", ["ome-tiff", "ome-zarr"])
@pytest.mark.parametrize("path", EACH)
def test_a_copy_has_every_pixel_and_field_of_its_original(path: Path, form: str, tmp_path: Path) -> None:
    proved(path, tmp_path, form)


@pytest.mark.parametrize("mosaic", ["fuse", "tiles"])
@pytest.mark.parametrize("path", MOSAICS)
def test_a_mosaic_read_otherwise_is_copied_as_truly(path: Path, mosaic: str, tmp_path: Path) -> None:
    proved(path, tmp_path, "ome-tiff", "--mosaic", mosaic)
