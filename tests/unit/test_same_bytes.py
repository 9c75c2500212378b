"""Equal inputs give equal files, whichever thread was faster."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from lightmicroscopy.errors import UnreadableError
from lightmicroscopy.image import Dataset, Image, Level, Location, Region, Shape
from lightmicroscopy.writers.ome_tiff import write_ome_tiff
from lightmicroscopy.writers.ome_zarr import write_ome_zarr
from lightmicroscopy.writers.options import WriteOptions
from lightmicroscopy.writers.turns import Turns

from .memory_image import MemoryPixels, memory_image

PATIENCE = 30


@dataclass(frozen=True)
class LatePixels(MemoryPixels):
    """The first block is given only when the third is asked for, by when another thread is through with the second."""

    order: list[Region] = field(default_factory=list)
    third: threading.Event = field(default_factory=threading.Event)

    def read(self, region: Region) -> NDArray[Any]:
        self.order.append(region)
        if len(self.order) == 3:
            self.third.set()
        if region is self.order[0]:
            assert self.third.wait(PATIENCE)
        return super().read(region)


def noise() -> NDArray[np.uint16]:
    return np.random.default_rng(5).integers(0, 60000, (1, 2, 2, 300, 333, 1)).astype(np.uint16)


def with_pixels(pixels: MemoryPixels) -> Image:
    image = memory_image(pixels.array)
    object.__setattr__(image, "levels", (Level(pixels),))
    return image


def write(wanted: str, image: Image, folder: Path, **options: Any) -> bytes:
    folder.mkdir()
    if wanted == "ome-tiff":
        return write_ome_tiff(image, folder / "cells.ome.tiff", None, WriteOptions(chunk=(64, 64), **options)).path.read_bytes()
    dataset = Dataset(Location(Path("cells.tif")), "memory", (image,))
    return write_ome_zarr(dataset, folder / "cells.ome.zarr.zip", WriteOptions(chunk=(64, 64), zip=True, **options)).path.read_bytes()


@pytest.mark.parametrize("compression", ["auto", "zstd", "none"])
@pytest.mark.parametrize("wanted", ["ome-tiff", "ome-zarr-zip"])
def test_the_order_of_threads_does_not_show(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, wanted: str, compression: Any) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "0")
    # Blocks of one tile, so that tiles of lower levels are made of several.
    monkeypatch.setattr("lightmicroscopy.writers.pipeline.pixel_memory", lambda memory, threads: 25_000 * threads)
    array, unit = noise(), Shape(1, 1, 1, 64, 64)
    once = write(wanted, with_pixels(MemoryPixels(array, unit)), tmp_path / "one", threads=1, compression=compression)
    late = LatePixels(array, unit)
    assert write(wanted, with_pixels(late), tmp_path / "late", threads=2, compression=compression) == once
    assert len(late.order) > 20
    for number in range(3):
        assert write(wanted, with_pixels(MemoryPixels(array, unit)), tmp_path / str(number), threads=4, compression=compression) == once


def test_no_block_begins_far_ahead_of_one_that_takes_long() -> None:
    turns, stopped, begun = Turns(ahead=2), threading.Event(), threading.Event()
    turns.begin(0, stopped)
    turns.begin(1, stopped)

    def third() -> None:
        turns.begin(2, stopped)
        begun.set()

    thread = threading.Thread(target=third)
    thread.start()
    stored: list[int] = []
    for block in (1, 0):
        turns.add(block, (0,), lambda block=block: stored.append(block))
    turns.end(1)
    assert stored == []
    assert not begun.is_set()
    turns.end(0)
    assert stored == [0, 1]
    assert begun.wait(PATIENCE)
    thread.join()


def test_who_waits_for_a_turn_goes_on_when_the_run_is_stopped() -> None:
    turns, stopped = Turns(ahead=1), threading.Event()
    thread = threading.Thread(target=turns.begin, args=(1, stopped))
    thread.start()
    stopped.set()
    turns.wake()
    thread.join(PATIENCE)
    assert not thread.is_alive()


def test_a_block_that_fails_does_not_leave_the_others_waiting_for_their_turn(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lightmicroscopy.writers.pipeline.pixel_memory", lambda memory, threads: 25_000 * threads)

    class Failing(MemoryPixels):
        def read(self, region: Region) -> NDArray[Any]:
            if region.x[0] == region.y[0] == region.c[0] == 0:
                raise UnreadableError("damaged")
            return super().read(region)

    with pytest.raises(UnreadableError, match="damaged"):
        write("ome-tiff", with_pixels(Failing(noise(), Shape(1, 1, 1, 64, 64))), tmp_path / "new", threads=4)
    assert list((tmp_path / "new").iterdir()) == []
