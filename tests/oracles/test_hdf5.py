"""HDF5 as programs that are not ours read it: Bio-Formats (Imaris, BigDataViewer), h5py, and the filters' own plugins."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
import tifffile

from lightmicroscopy.convert import Request, convert
from lightmicroscopy.image import Location
from lightmicroscopy.writers.options import WriteOptions

from ..needs import library_of
from ..unit.hdf5_files import noise, open_hdf5, pixels, write_bdv, write_ims
from . import bioformats
from .bioformats import Seen
from .real import Expected, by_h5py, decided
from .truth import compare
from .workshop import crcs

TIMES = ("2024-03-05 14:07:09.250", "2024-03-05 14:07:19.250", "2024-03-05 14:07:29.250")


def _made(folder: Path) -> dict[str, Location]:
    """Files of both layouts, as old and new libraries write them."""
    values = noise(3, 2, 5, 37, 50)
    values[0, 0, 0, 0, :2] = 65000, 40000
    made = [write_ims(folder / f"{libver}.ims", values, libver=libver, times=TIMES) for libver in ("earliest", "v108")]
    made += [write_ims(folder / f"{dtype}.ims", noise(1, 2, 3, 40, 30, dtype=dtype), libver="earliest", shuffle=True) for dtype in ("u1", "u4", "f4")]
    locations = {path.name: Location(path, (path,)) for path in made}
    for dtype in ("u1", "u2"):
        path = write_bdv(folder / f"{dtype}.h5", values.astype(dtype), libver="earliest")
        locations[path.name] = Location(path, (path, path.with_suffix(".xml")))
    return locations


FILES = ("earliest.ims", "v108.ims", "u1.ims", "u4.ims", "f4.ims", "u1.h5", "u2.h5")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Location]:
    """Where the files are."""
    return _made(tmp_path_factory.mktemp("hdf5"))


def _shown(location: Location) -> Path:
    """What Bio-Formats is given: of BigDataViewer the XML."""
    return location.files[-1]


@pytest.fixture(scope="module")
def seen(made: dict[str, Location]) -> Mapping[Path, Seen]:
    """Those files as Bio-Formats sees them."""
    return bioformats.look(_shown(location) for location in made.values())


@pytest.fixture(scope="module")
def copies(made: dict[str, Location], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Seen]:
    """Those files converted to OME-TIFF, as Bio-Formats sees them."""
    folder = tmp_path_factory.mktemp("tiff")
    written = {}
    for name, location in made.items():
        with convert(location, folder / name, Request("ome-tiff", options=WriteOptions(levels=1))).dataset:
            (written[name],) = (folder / name).iterdir()
    found = bioformats.look(written.values())
    return {name: found[path.resolve()] for name, path in written.items()}


@pytest.mark.parametrize("name", FILES)
def test_every_plane_of_every_level_is_what_bio_formats_reads(name: str, made: dict[str, Location], seen: Mapping[Path, Seen]) -> None:
    location = made[name]
    theirs = seen[_shown(location).resolve()]
    assert theirs.error is None
    with open_hdf5(location.path, *location.files[1:]) as dataset:
        (series,), (image,) = theirs.series, dataset.images
        assert (tuple(image.shape), len(image.levels)) == (series.shape, len(series.levels))
        assert [crcs(image, level) for level in range(len(image.levels))] == [level.crc for level in series.levels]


@pytest.mark.parametrize("name", FILES)
def test_every_plane_and_field_that_bio_formats_finds_is_in_the_copy(
    name: str, made: dict[str, Location], seen: Mapping[Path, Seen], copies: dict[str, Seen]
) -> None:
    theirs = seen[_shown(made[name]).resolve()]
    (before,), (after,) = theirs.series, copies[name].series
    assert (after.shape, after.type, after.levels[0].crc) == (before.shape, before.type, before.levels[0].crc)
    found = compare(_shown(made[name]), theirs.format, theirs.ome, [tifffile.tiffcomment(copies[name].path).encode()])
    unexplained = [one for one in found if one.verdict in ("missing", "different") and one.row is None]
    assert {one.field: (one.theirs, one.ours) for one in unexplained} == {}


def test_arrays_whose_attributes_name_their_axes_are_proved_along_them_and_no_others(tmp_path: Path) -> None:
    paths = [tmp_path / "a.h5", tmp_path / "b.h5"]
    for seed, path in enumerate(paths):
        with h5py.File(path, "w") as file:
            dataset = file.create_dataset("data", data=np.random.default_rng(seed).integers(0, 255, (5, 7, 3), dtype="u1"))
            for axis, label in enumerate("xyz"):
                dataset.dims[axis].label = label
    (plain,) = by_h5py(paths[0])
    with open_hdf5(paths[0]) as dataset:
        (image,) = dataset.images
        assert tuple(image.shape) == (1, 1, 3, 7, 5, 1)
        assert decided(paths[0], image, plain) == Expected.of_ours(image) != plain
        assert decided(paths[1], image, plain) == plain


FILTERS: dict[str, dict[str, Any]] = {
    "LZ4": {},
    "LZ4 small": {"nbytes": 1024},
    "Zstd": {},
    "Blosc": {},
    "Blosc zstd": {"cname": "zstd", "shuffle": 2},
    "Bitshuffle": {},
    "Bitshuffle none": {"cname": "none"},
    "Bitshuffle zstd": {"cname": "zstd"},
    "Bitshuffle small": {"nelems": 64},
    "BZip2": {},
}


@pytest.mark.parametrize("name", FILTERS)
@pytest.mark.parametrize("dtype", ["u1", "<u2", ">i4", "<f8"])
def test_what_the_filters_own_plugins_write_is_read(name: str, dtype: str, tmp_path: Path) -> None:
    plugins = library_of("hdf5plugin")
    values = noise(13, 70, 91, dtype=dtype)
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.create_dataset("data", data=values, chunks=(4, 32, 33), **getattr(plugins, name.split(maxsplit=1)[0])(**FILTERS[name]))
    with open_hdf5(tmp_path / "a.h5") as dataset:
        assert (pixels(dataset.images[0])[0, 0, ..., 0] == values).all()
