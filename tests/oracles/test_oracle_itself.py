"""The oracle can say no: it sees one changed pixel, names a file it cannot read, and is never silently left out of CI."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tifffile

from ..needs import missing
from . import bioformats
from .bioformats import plane_crcs


def test_one_changed_bit_changes_the_crc_of_its_plane_alone(tmp_path: Path) -> None:
    pixels = np.arange(2 * 3 * 8 * 8, dtype=np.uint16).reshape(1, 2, 3, 8, 8, 1)
    changed = pixels.copy()
    changed[0, 1, 2, 7, 7, 0] ^= 1
    for name, array in (("before", pixels), ("after", changed)):
        tifffile.imwrite(tmp_path / f"{name}.ome.tiff", array[0, ..., 0], metadata={"axes": "CZYX"})
    before, after = (bioformats.look([tmp_path / f"{name}.ome.tiff"])[tmp_path / f"{name}.ome.tiff"].series[0] for name in ("before", "after"))
    assert before.levels[0].crc == plane_crcs(pixels)
    assert after.levels[0].crc == plane_crcs(changed)
    assert [old == new for old, new in zip(before.levels[0].crc, after.levels[0].crc, strict=True)] == [True] * 5 + [False]


@pytest.mark.parametrize("dtype", ["<u2", ">u2", "<f4", ">f4"])
def test_the_crc_does_not_depend_on_byte_order(dtype: str) -> None:
    array = np.arange(64).reshape(1, 1, 1, 8, 8, 1)
    assert plane_crcs(array.astype(dtype)) == plane_crcs(array.astype(np.dtype(dtype).newbyteorder("<")))


def test_samples_of_a_colour_are_compared_side_by_side_however_they_are_stored(tmp_path: Path) -> None:
    pixels = np.arange(8 * 8 * 3, dtype=np.uint8).reshape(8, 8, 3)
    tifffile.imwrite(tmp_path / "contig.tif", pixels, photometric="rgb", planarconfig="contig")
    tifffile.imwrite(tmp_path / "separate.tif", np.moveaxis(pixels, -1, 0), photometric="rgb", planarconfig="separate")
    for seen in bioformats.look([tmp_path / "contig.tif", tmp_path / "separate.tif"]).values():
        assert seen.series[0].levels[0].crc == plane_crcs(pixels[np.newaxis, np.newaxis, np.newaxis])


def test_a_file_bio_formats_cannot_read_is_named_with_its_error(test_data: Path) -> None:
    seen = bioformats.look([test_data / "not_an_image.txt", test_data / "rgb.png"])
    assert [(file.path.name, file.error is None) for file in seen.values()] == [("not_an_image.txt", False), ("rgb.png", True)]


@pytest.mark.parametrize(("environment", "outcome"), [("true", pytest.fail.Exception), ("1", pytest.fail.Exception), ("", pytest.skip.Exception)])
def test_a_missing_oracle_fails_in_ci_and_skips_elsewhere(environment: str, outcome: type[BaseException], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", environment)
    with pytest.raises(outcome, match="no Java"):
        missing("there is no Java")
