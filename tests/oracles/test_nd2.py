"""Nikon ND2 of several arrangements beside Bio-Formats, and beside the nd2 package.

Real files beside Bio-Formats are in test_real_files and test_metadata_truth. Bio-Formats guesses the type of the pixels of files with
several positions from the distance of their frames, so the files made here have frames large enough for it to guess right.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lightmicroscopy import readers
from lightmicroscopy.image import Location, Region

from ..conftest import REALFILES
from ..needs import library_of
from ..unit import nd2_files
from . import bioformats
from .bioformats import plane_crcs
from .real import each
from .workshop import crcs, open_image

FILES = sorted((REALFILES / "nd2").glob("*.nd2"))
EACH = each(FILES)
PLACES = [(1.0, 2.0, "here"), (3.0, 4.0, ""), (5.0, 6.0, "there")]


def in_order(array: np.ndarray[Any, Any], axes: list[str]) -> np.ndarray[Any, Any]:
    """An array along P T Z C Y X S, from one with some of these axes in an order of its own."""
    absent = [axis for axis in "PTZCYXS" if axis not in axes]
    names = [*absent, *axes]
    return array.reshape((1,) * len(absent) + array.shape).transpose([names.index(axis) for axis in "PTZCYXS"])


@pytest.mark.parametrize("path", EACH)
def test_a_real_file_has_the_pixels_that_the_nd2_package_reads(path: Path) -> None:
    nd2 = library_of("nd2")
    with nd2.ND2File(path) as theirs, open_image(path) as dataset:
        expected = in_order(np.asarray(theirs.asarray()), list(theirs.sizes))
        assert len(dataset.images) == len(expected)
        for image, pixels in zip(dataset.images, expected, strict=True):
            source = image.levels[0].pixels
            assert np.array_equal(source.read(Region.whole(source.shape)), pixels.swapaxes(1, 2))


@pytest.mark.parametrize("path", EACH)
def test_a_real_file_has_the_times_and_channels_that_the_nd2_package_reads(path: Path) -> None:
    nd2 = library_of("nd2")
    with nd2.ND2File(path) as theirs, open_image(path) as dataset:
        frames = [theirs.frame_metadata(frame).channels[0].time.relativeTimeMs / 1000 for frame in range(len(theirs.loop_indices))]
        times = {tuple(index.get(axis, 0) for axis in "PTZ"): time for index, time in zip(theirs.loop_indices, frames, strict=True)}
        for place, image in enumerate(dataset.images):
            ours = {(place, plane.t, plane.z): plane.delta_t_s for plane in image.metadata.planes if plane.c == 0}
            assert ours == pytest.approx({key: time for key, time in times.items() if key[0] == place})
            assert [channel.name for channel in image.metadata.channels] == [channel.channel.name for channel in theirs.metadata.channels]
            assert [channel.emission_nm for channel in image.metadata.channels] == [
                channel.channel.emissionLambdaNm for channel in theirs.metadata.channels
            ]


def arrangements() -> dict[str, nd2_files.Nd2]:
    """Files with several positions, and others the real ones lack."""
    from ..unit.nd2_files import Nd2, phases, points, stack, time_loop

    def values(count: int, **more: Any) -> np.ndarray:
        return nd2_files.values(count, 256, 256, **more)

    return {
        "positions around a stack": Nd2(values(6), points(PLACES, inner=stack(2))),
        "time around positions around stacks": Nd2(values(12), time_loop(2, inner=points(PLACES, inner=stack(2)))),
        "positions around time": Nd2(values(6), points(PLACES, inner=time_loop(2))),
        "all of it with two channels": Nd2(values(12, components=2), time_loop(2, inner=points(PLACES, inner=stack(2)))),
        "phases": Nd2(values(5), phases([2, 3])),
        "packed": Nd2(values(4, components=2), time_loop(4), compressed=True),
        "8 bit": Nd2(values(3, dtype="uint8"), stack(3)),
        "odd width": Nd2(nd2_files.values(2, 255, 255, dtype="uint8"), stack(2)),
        "floating point": Nd2(values(2, dtype="float32"), stack(2)),
    }


def test_files_made_for_the_purpose_read_as_bio_formats_reads_them(tmp_path: Path) -> None:
    made = {name: file.write(tmp_path / f"{name.replace(' ', '_')}.nd2") for name, file in arrangements().items()}
    found = bioformats.look(made.values())
    for name, path in made.items():
        series = found[path.resolve()].series
        with readers.open(Location(path)) as dataset:
            assert [tuple(image.shape) for image in dataset.images] == [one.shape for one in series], name
            assert [crcs(image) for image in dataset.images] == [one.levels[0].crc for one in series], name


def test_bio_formats_shows_blue_first_where_we_show_red(tmp_path: Path) -> None:
    """Bio-Formats issue 3761: it takes the stored order for red, green, blue, and each for a channel."""
    stored = nd2_files.values(1, 256, 256, components=3, dtype="uint8")
    path = nd2_files.Nd2(stored, planes=[nd2_files.plane("Colour", components=3)]).write(tmp_path / "colour.nd2")
    (series,) = bioformats.look([path])[path.resolve()].series
    with readers.open(Location(path)) as dataset:
        source = dataset.images[0].levels[0].pixels
        pixels = source.read(Region.whole(source.shape))
        assert series.shape == (1, 3, 1, 256, 256, 1)
        assert plane_crcs(np.moveaxis(pixels[..., ::-1], -1, 1).reshape(1, 3, 1, 256, 256, 1)) == series.levels[0].crc
