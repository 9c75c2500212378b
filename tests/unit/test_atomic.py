"""Outputs appear whole or not at all."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from lightmicroscopy.errors import SuiteError, UnreadableError, UnwritableError, UsageError
from lightmicroscopy.image import Dataset, Location, Region, Shape
from lightmicroscopy.writers.atomic import new_output, new_outputs
from lightmicroscopy.writers.ome_tiff import write_ome_tiff
from lightmicroscopy.writers.ome_zarr import write_ome_zarr
from lightmicroscopy.writers.options import WriteOptions

from ..needs import small_disk
from .memory_image import MemoryPixels, memory_image

FORMATS = ("ome-tiff", "ome-zarr", "ome-zarr-zip")


def noise(side: int = 1024) -> NDArray[np.uint16]:
    return np.random.default_rng(0).integers(0, 65535, (1, 1, 2, side, side, 1), dtype=np.uint16)


def write(wanted: str, image: Any, folder: Path, **options: Any) -> Path:
    if wanted == "ome-tiff":
        path = folder / "cells.ome.tiff"
        write_ome_tiff(image, path, None, WriteOptions(threads=2, **options))
    else:
        path = folder / ("cells.ome.zarr.zip" if wanted.endswith("zip") else "cells.ome.zarr")
        dataset = Dataset(Location(Path("cells.tif")), "memory", (image,))
        write_ome_zarr(dataset, path, WriteOptions(threads=2, zip=wanted.endswith("zip"), **options))
    return path


@pytest.fixture
def full_soon(tmp_path: Path) -> Iterator[Path]:
    """A real file system of 1 MB."""
    with small_disk(tmp_path / "disk", "1m"):
        yield tmp_path / "disk"


@pytest.mark.parametrize("wanted", FORMATS)
def test_a_finished_output_has_its_name_and_nothing_lies_beside_it(tmp_path: Path, wanted: str) -> None:
    path = write(wanted, memory_image(noise(64)), tmp_path)
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("wanted", FORMATS)
def test_a_full_disk_says_what_was_needed_and_leaves_nothing(full_soon: Path, wanted: str) -> None:
    with pytest.raises(UnwritableError, match=r"disk is full: cells\.ome.* needs up to \d+\.\d MB"):
        write(wanted, memory_image(noise()), full_soon)
    assert list(full_soon.iterdir()) == []


def test_a_disk_that_is_certainly_too_small_is_refused_before_anything_is_written(full_soon: Path) -> None:
    with pytest.raises(UnwritableError, match=r"needs at least 5\.\d MB.*Nothing was written"):
        write("ome-tiff", memory_image(noise()), full_soon, compression="none")
    assert list(full_soon.iterdir()) == []


@pytest.mark.parametrize("wanted", FORMATS)
def test_an_output_that_is_there_is_not_overwritten(tmp_path: Path, wanted: str) -> None:
    path = write(wanted, memory_image(noise(64)), tmp_path)
    before = {file: file.stat().st_mtime_ns for file in [path, *path.rglob("*")]}
    with pytest.raises(UsageError, match="already in the output folder"):
        write(wanted, memory_image(noise(64)), tmp_path)
    assert {file: file.stat().st_mtime_ns for file in [path, *path.rglob("*")]} == before


@pytest.mark.parametrize("wanted", FORMATS)
def test_a_folder_that_is_not_there_is_named(tmp_path: Path, wanted: str) -> None:
    with pytest.raises(UnwritableError, match=r"cells\.ome.* cannot be written: No such file or directory"):
        write(wanted, memory_image(noise(64)), tmp_path / "nowhere")


@pytest.mark.parametrize("wanted", FORMATS)
@pytest.mark.parametrize("error", [SuiteError("damaged"), KeyboardInterrupt(), MemoryError()], ids=lambda error: type(error).__name__)
def test_whatever_goes_wrong_half_way_nothing_is_left(tmp_path: Path, wanted: str, error: BaseException) -> None:
    class Failing(MemoryPixels):
        def read(self, region: Region) -> NDArray[Any]:
            if region.z[0] == 1:
                raise error
            return super().read(region)

    image = memory_image(noise(64))
    failing = Failing(noise(64), Shape(1, 1, 1, 64, 64))
    broken = memory_image(noise(64))
    object.__setattr__(broken.levels[0], "pixels", failing)
    with pytest.raises(type(error)):
        write(wanted, broken, tmp_path)
    assert list(tmp_path.iterdir()) == []
    assert write(wanted, image, tmp_path).exists()


@pytest.mark.parametrize("wanted", FORMATS)
@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (OSError(5, "Input/output error", "/share/raw/cells.raw"), r"^cells\.raw cannot be read: Input/output error"),
        (OSError(116, "Stale file handle"), r"^The input cannot be read: Stale file handle"),
        (OSError(28, "No space left on device"), r"^The input cannot be read: No space left on device"),
    ],
    ids=["of a file", "of no file", "full"],
)
def test_a_failing_disk_of_the_input_is_not_taken_for_that_of_the_output(tmp_path: Path, wanted: str, error: OSError, sentence: str) -> None:
    class Failing(MemoryPixels):
        def read(self, region: Region) -> NDArray[Any]:
            raise error

    image = memory_image(noise(64))
    object.__setattr__(image.levels[0], "pixels", Failing(noise(64), Shape(1, 1, 1, 64, 64)))
    with pytest.raises(UnreadableError, match=sentence):
        write(wanted, image, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_the_temporary_is_hidden_and_in_the_same_folder(tmp_path: Path) -> None:
    with new_output(tmp_path / "a.ome.tiff", most_bytes=1) as temporary:
        temporary.write_bytes(b"1")
        assert temporary.parent == tmp_path
        assert temporary.name.startswith(".")
    assert (tmp_path / "a.ome.tiff").read_bytes() == b"1"


def test_something_that_appears_meanwhile_is_not_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "a.ome.tiff"
    with pytest.raises(UsageError), new_output(path, most_bytes=1) as temporary:
        temporary.write_bytes(b"mine")
        path.write_bytes(b"theirs")
    assert path.read_bytes() == b"theirs"
    assert list(tmp_path.iterdir()) == [path]


@pytest.fixture
def interrupted_after(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Presses Ctrl-C just after the n-th file got its final name."""

    def arm(count: int) -> None:
        real, named = Path.rename, list[Path]()

        def rename(path: Path, target: Path) -> Path:
            result = real(path, target)
            named.append(target)
            if len(named) == count:
                os.kill(os.getpid(), signal.SIGINT)
            return result

        monkeypatch.setattr(Path, "rename", rename)

    return arm


@pytest.mark.parametrize("count", [1, 2, 3])
def test_of_several_outputs_all_have_their_names_or_none(tmp_path: Path, interrupted_after: Callable[[int], None], count: int) -> None:
    interrupted_after(count)
    paths = [tmp_path / name for name in "abc"]
    with pytest.raises(KeyboardInterrupt), new_outputs(paths, most_bytes=3) as temporaries:
        for temporary in temporaries:
            temporary.write_bytes(b"1")
    assert list(tmp_path.iterdir()) == []


def test_of_several_outputs_none_is_named_where_somebody_elses_file_appears(tmp_path: Path) -> None:
    paths = [tmp_path / name for name in "abc"]
    with pytest.raises(UsageError, match=r"^b is already in the output folder"), new_outputs(paths, most_bytes=3) as temporaries:
        for temporary in temporaries:
            temporary.mkdir()
        paths[1].write_bytes(b"theirs")
    assert list(tmp_path.iterdir()) == [paths[1]]
    assert paths[1].read_bytes() == b"theirs"


TERMINATED = """
import os, signal, sys
from pathlib import Path
sys.path[:0] = {paths!r}
import numpy as np
from tests.unit.memory_image import memory_image
from tests.unit.test_atomic import write

def stop(done, total):
    print(len(os.listdir({folder!r})), flush=True)
    os.kill(os.getpid(), {signal})

write({wanted!r}, memory_image(np.ones((1, 1, 64, 256, 256, 1), np.uint8)), Path({folder!r}), progress=stop)
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("wanted", FORMATS)
def test_a_signal_half_way_leaves_nothing(tmp_path: Path, tools: Path, root: Path, wanted: str, number: signal.Signals) -> None:
    program = TERMINATED.format(paths=[str(tools), str(root)], folder=str(tmp_path), signal=int(number), wanted=wanted)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=60)
    assert done.stdout.startswith("1\n"), done.stderr
    assert done.returncode != 0
    assert list(tmp_path.iterdir()) == []


def test_a_signal_the_program_takes_for_a_mere_request_does_not_stop_the_writing(tmp_path: Path) -> None:
    asked: list[int] = []
    before = signal.signal(signal.SIGTERM, lambda number, frame: asked.append(number))
    try:
        with new_output(tmp_path / "a.ome.tiff", most_bytes=1) as temporary:
            os.kill(os.getpid(), signal.SIGTERM)
            os.kill(os.getpid(), signal.SIGTERM)
            temporary.write_bytes(b"1")
    finally:
        signal.signal(signal.SIGTERM, before)
    assert asked == [signal.SIGTERM] * 2
    assert (tmp_path / "a.ome.tiff").exists()


def test_a_killed_run_leaves_nothing_under_the_final_name(tmp_path: Path, tools: Path, root: Path) -> None:
    program = TERMINATED.format(paths=[str(tools), str(root)], folder=str(tmp_path), signal=int(signal.SIGKILL), wanted="ome-tiff")
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == -signal.SIGKILL
    assert all(path.name.startswith(".") for path in tmp_path.iterdir())
