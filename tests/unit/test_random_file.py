"""Reading parts of a file: what is there, and nothing once it is closed."""

from __future__ import annotations

from pathlib import Path

import pytest

from lightmicroscopy import readers
from lightmicroscopy.errors import SuiteError
from lightmicroscopy.image import Location, Region
from lightmicroscopy.readers.files import RandomFile


def open_files() -> list[str]:
    found = []
    for entry in Path("/proc/self/fd").iterdir():
        try:
            found.append(str(entry.readlink()))
        except FileNotFoundError:
            continue
    return found


@pytest.mark.parametrize("hold", [True, False])
def test_a_part_is_read_until_the_end_of_the_file_and_no_further(tmp_path: Path, hold: bool) -> None:
    (tmp_path / "a").write_bytes(bytes(range(10)))
    file = RandomFile(tmp_path / "a", hold=hold)
    buffer = bytearray(4)
    assert file.read(8, 5) == bytes((8, 9))
    assert (file.read_into(8, memoryview(buffer)), bytes(buffer)) == (2, bytes((8, 9, 0, 0)))
    assert file.read(10, 5) == b""
    file.close()


@pytest.mark.parametrize("hold", [True, False])
def test_a_closed_file_is_not_opened_again(tmp_path: Path, hold: bool) -> None:
    (tmp_path / "a").write_bytes(bytes(10))
    file = RandomFile(tmp_path / "a", hold=hold)
    file.read(0, 1)
    file.close()
    with pytest.raises(SuiteError, match="after it had been closed"):
        file.read(0, 1)
    with pytest.raises(SuiteError, match="after it had been closed"):
        file.read_into(0, memoryview(bytearray(1)))
    assert str(tmp_path / "a") not in open_files()
    file.close()


@pytest.mark.parametrize("name", ["cells.ome.tiff", "plain.tif", "rgb.png", "photo.jpg", "cells_04.ome.zarr.zip"])
def test_pixels_of_a_closed_dataset_are_refused_and_leave_nothing_open(test_data: Path, name: str) -> None:
    path = test_data / name
    dataset = readers.open(Location(path))
    source = dataset.images[0].levels[0].pixels
    dataset.close()
    with pytest.raises(SuiteError, match="after it had been closed"):
        source.read(Region.plane(source.shape, 0, 0, 0))
    assert str(path) not in open_files()
