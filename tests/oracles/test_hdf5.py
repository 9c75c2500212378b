"""HDF5 as programs that are not ours read it: Bio-Formats (Imaris, BigDataViewer), h5py, and the filters' own plugins."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest

from lightmicroscopy.convert import Request, convert
from lightmicroscopy.image import Location
from lightmicroscopy.writers.options import WriteOptions

from ..conftest import REALFILES
from ..unit.hdf5_files import noise, open_hdf5, pixels, write_bdv, write_ims
from . import bioformats, stores
from .accepted import Accepted
from .bioformats import Seen, SeenSeries, plane_crcs
from .workshop import crcs, differences

NAME = "Bio-Formats gives the file's name and the number of the resolution level; we give the name Imaris kept."
VIEW = "Bio-Formats makes a name of the numbers of time point and setup; we give the setup's own."
UNREAD = "The file says it; Bio-Formats does not read it."
UNSAID = "'(name not specified)' is what Imaris writes for nothing; Bio-Formats passes it on as a name."
ACCEPTED: tuple[Accepted, ...] = (
    Accepted("*.ims", "name", NAME),
    Accepted("*.ims", "description", UNREAD),
    Accepted("*.ims", "date", UNREAD),
    Accepted("*.ims", "time_increment_s", UNREAD),
    Accepted("*.ims", "times_s", UNREAD),
    Accepted("*.ims", "channel_names", UNSAID),
    Accepted("*.ims", "channel_modes", UNREAD),
    Accepted("*.ims", "channel_excitations", UNREAD),
    Accepted("*.ims", "channel_emissions", UNREAD),
    Accepted("*.ims", "magnification", UNREAD),
    Accepted("*.ims", "numerical_aperture", UNREAD),
    Accepted("*.h5", "name", VIEW),
    Accepted("*.h5", "channel_names", UNREAD),
)
"""Where our metadata differ from Bio-Formats': fields in which we have more, and names. Pixels and sizes differ nowhere."""
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
def copies(made: dict[str, Location], tmp_path_factory: pytest.TempPathFactory) -> dict[str, SeenSeries]:
    """Those files converted to OME-TIFF, as Bio-Formats sees them."""
    folder = tmp_path_factory.mktemp("tiff")
    written = {}
    for name, location in made.items():
        with convert(location, folder / name, Request("ome-tiff", options=WriteOptions(levels=1))).dataset:
            (written[name],) = (folder / name).iterdir()
    found = bioformats.look(written.values())
    return {name: found[path.resolve()].series[0] for name, path in written.items()}


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
    name: str, made: dict[str, Location], seen: Mapping[Path, Seen], copies: dict[str, SeenSeries]
) -> None:
    (before,) = seen[_shown(made[name]).resolve()].series
    after = copies[name]
    assert (after.shape, after.type, after.levels[0].crc) == (before.shape, before.type, before.levels[0].crc)
    excused = {row.field for row in ACCEPTED if Path(name).match(row.files)}
    assert {field: (before.metadata[field], after.metadata[field]) for field in differences(before.metadata, after.metadata) - excused} == {}


@pytest.mark.parametrize("row", ACCEPTED, ids=lambda row: f"{row.files} {row.field}")
def test_an_accepted_difference_is_really_there(
    row: Accepted, made: dict[str, Location], seen: Mapping[Path, Seen], copies: dict[str, SeenSeries]
) -> None:
    concerned = [name for name in FILES if Path(name).match(row.files)]
    assert any(row.field in differences(seen[_shown(made[name]).resolve()].series[0].metadata, copies[name].metadata) for name in concerned)


def test_bio_formats_still_cannot_read_the_vendor_s_example(realfiles: Path) -> None:
    path = realfiles / "ims" / "Minimal_IMS_File.ims"
    assert "superblock" in str(bioformats.look([path])[path.resolve()].error)


ABSENT = [pytest.param(Path("absent"), marks=pytest.mark.skip(reason="the real microscope files are not part of this repository"))]
REAL = sorted(path for folder in ("ims", "hdf5") for path in (REALFILES / folder).glob("*") if path.suffix in {".ims", ".h5", ".hdf5"})


def _by_h5py(path: Path, place: str) -> np.ndarray[Any, Any]:
    """A dataset by h5py; of Imaris its first stack without padding."""
    with h5py.File(path) as file:
        if place != "/DataSet":
            return np.asarray(file[place][()])
        channel = file["DataSet/ResolutionLevel 0/TimePoint 0/Channel 0"]
        z, y, x = (int(b"".join(channel.attrs[f"ImageSize{axis}"].tolist())) for axis in "ZYX")
        return np.asarray(channel["Data"][:z, :y, :x])


@pytest.mark.parametrize("path", [pytest.param(path, id=path.name) for path in REAL] or ABSENT)
@pytest.mark.parametrize("form", ["ome-tiff", "ome-zarr"])
def test_a_real_file_keeps_every_pixel_that_h5py_reads(path: Path, form: Any, tmp_path: Path) -> None:
    expected = []
    with open_hdf5(path) as dataset:
        for image in dataset.images:
            expected.append(_by_h5py(path, image.path or ""))
            assert (pixels(image).squeeze() == expected[-1].squeeze()).all()
    with convert(Location(path, (path,)), tmp_path, Request(form)).dataset:
        written = sorted(tmp_path.iterdir())
    if form == "ome-tiff":
        seen = bioformats.look(written)
        assert [seen[made.resolve()].series[0].levels[0].crc for made in written] == [plane_crcs(array[None, None, ..., None]) for array in expected]
        return
    root = stores.open_group(written[0])
    arrays = [stores.by_zarr_python(root, stores.level_paths(root, image)[0]) for image in stores.image_paths(root)]
    assert [(array.squeeze() == own.squeeze()).all() for array, own in zip(arrays, expected, strict=True)] == [True] * len(expected)


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
    plugins = pytest.importorskip("hdf5plugin", reason="hdf5plugin is not installed")
    values = noise(13, 70, 91, dtype=dtype)
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.create_dataset("data", data=values, chunks=(4, 32, 33), **getattr(plugins, name.split(maxsplit=1)[0])(**FILTERS[name]))
    with open_hdf5(tmp_path / "a.h5") as dataset:
        assert (pixels(dataset.images[0])[0, 0, ..., 0] == values).all()
