"""Leica files of every layout beside Bio-Formats, and beside liffile.

Real files beside Bio-Formats are in test_real_files and test_metadata_truth.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest

from lightmicroscopy import readers
from lightmicroscopy.image import Location, Region

from ..conftest import REALFILES
from ..needs import library_of
from ..unit.lif_files import Made, lof, write_lif, write_project
from . import bioformats
from .bioformats import Seen
from .real import each
from .workshop import crcs, open_image

FILES = sorted((REALFILES / "lif").glob("*.l*f"))
EACH = each(FILES)
X, Y, Z, T, EMISSION, ROTATION, EXCITATION, TILE, LOOP = 1, 2, 3, 4, 5, 6, 9, 10, 11
XY = [(X, 8), (Y, 6)]
TWO = ("Red", "Green")
BGR = {"luts": ("Blue", "Green", "Red"), "samples": 3, "tags": (3, 2, 1)}

MADE: dict[str, list[Made]] = {
    "xyczt": [Made("a", [*XY, (Z, 3), (T, 2)], luts=TWO)],
    "xyctz": [Made("a", [*XY, (T, 3), (Z, 2)], luts=TWO)],
    "16 bits": [Made("a", XY, luts=("Red", "Green", "Blue"), dtype="uint16", bits=12)],
    "z and wavelength": [Made("a", [*XY, (Z, 3), (EMISSION, 4)])],
    "time and wavelength": [Made("a", [*XY, (T, 3), (EMISSION, 4)])],
    "wavelength and time": [Made("a", [*XY, (EMISSION, 4), (T, 3)])],
    "two wavelengths": [Made("a", [*XY, (EMISSION, 4), (EXCITATION, 3)])],
    "rotation": [Made("a", [*XY, (Z, 2), (ROTATION, 4)])],
    "loop": [Made("a", [*XY, (T, 2), (LOOP, 4)])],
    "one z and wavelength": [Made("a", [*XY, (Z, 1), (EMISSION, 3)])],
    "xzt": [Made("a", [(X, 8), (Z, 6), (T, 3)], luts=TWO)],
    "xzy": [Made("a", [(X, 8), (Z, 6), (Y, 3)])],
    "xzty": [Made("a", [(X, 8), (Z, 6), (T, 2), (Y, 3)])],
    "xz and wavelength": [Made("a", [(X, 8), (Z, 6), (EMISSION, 3)])],
    "xzt and wavelength": [Made("a", [(X, 8), (Z, 6), (T, 2), (EMISSION, 3)])],
    "xt": [Made("a", [(X, 8), (T, 6)])],
    "xtz": [Made("a", [(X, 8), (T, 6), (Z, 3)])],
    "xty": [Made("a", [(X, 8), (T, 6), (Y, 3)])],
    "tiles before time": [Made("a", [*XY, (Z, 3), (TILE, 4), (T, 2)], luts=TWO), Made("b", [(X, 8), (Y, 8)])],
    "tiles last": [Made("a", [*XY, (Z, 3), (T, 2), (TILE, 4)], luts=TWO)],
    "rgb": [Made("a", [*XY, (T, 2)], **BGR)],
    "rgb of 16 bits": [Made("a", XY, dtype="uint16", **BGR)],
    "float": [Made("a", XY, dtype="float32")],
    "double": [Made("a", XY, dtype="float64")],
    "filled rows": [Made("a", [(X, 7), (Y, 100)], padding=1), Made("b", [(X, 8), (Y, 8)])],
    "filled rgb rows": [Made("a", [(X, 7), (Y, 100)], padding=3, **BGR)],
    "folders": [Made("a", XY, folder="F 1"), Made("a", XY, folder="F 2", memory="other"), Made("ø", XY)],
}


@pytest.fixture(scope="module")
def made_files(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Path], Mapping[Path, Seen]]:
    """The files made here, and how Bio-Formats sees them."""
    folder = tmp_path_factory.mktemp("made")
    paths = {name: write_lif(folder / f"{number}.lif", *made) for number, (name, made) in enumerate(MADE.items())}
    paths["version 1"] = write_lif(folder / "old.lif", *MADE["filled rows"], version=1)
    paths["lof"] = folder / "xyczt.lof"
    paths["lof"].write_bytes(lof(MADE["xyczt"][0]))
    paths["project of lof"] = write_project(folder / "lofs", *MADE["tiles last"])
    paths["project of tif"] = write_project(folder / "tifs", *MADE["xyczt"], kind="tif")
    paths["project of rgb lof"] = write_project(folder / "rgb lofs", *MADE["rgb"])
    return paths, bioformats.look(paths.values())


@pytest.mark.parametrize("name", [*MADE, "version 1", "lof", "project of lof", "project of tif", "project of rgb lof"])
def test_a_file_of_any_layout_reads_as_bio_formats_reads_it(name: str, made_files: tuple[dict[str, Path], Mapping[Path, Seen]]) -> None:
    path = made_files[0][name]
    theirs = made_files[1][path.resolve()]
    assert theirs.error is None
    with readers.open(Location(path)) as dataset:
        assert [tuple(image.shape) for image in dataset.images] == [series.shape for series in theirs.series]
        assert [crcs(image) for image in dataset.images] == [series.levels[0].crc for series in theirs.series]
        if name != "lof":
            assert [image.name for image in dataset.images] == [series.metadata["name"] for series in theirs.series]


DIFFERENT: dict[str, tuple[Made, str]] = {
    "wavelength before z": (
        Made("a", [*XY, (EMISSION, 4), (Z, 3)]),
        "Bio-Formats takes z for the faster of the two, whatever their distances, and so shows planes in each other's place.",
    ),
    "red first": (
        Made("a", XY, luts=("Red", "Green", "Blue"), samples=3, tags=(1, 2, 3)),
        "The file says that red lies first; Bio-Formats 7.3 always turns samples round.",
    ),
}
"""Layouts where we differ from Bio-Formats on purpose, with the reason."""


@pytest.mark.parametrize("name", DIFFERENT)
def test_a_layout_that_bio_formats_reads_otherwise_is_really_read_otherwise(name: str, tmp_path: Path) -> None:
    path = write_lif(tmp_path / "a.lif", DIFFERENT[name][0])
    (theirs,) = bioformats.look([path]).values()
    with readers.open(Location(path)) as dataset:
        assert tuple(dataset.images[0].shape) == theirs.series[0].shape
        assert crcs(dataset.images[0]) != theirs.series[0].levels[0].crc


@pytest.mark.parametrize(("dtype", "theirs"), [("uint32", "float"), ("float16", "uint16")])
def test_types_that_bio_formats_guesses_from_their_bytes_are_those_the_file_names(dtype: str, theirs: str, tmp_path: Path) -> None:
    path = write_lif(tmp_path / "a.lif", Made("a", XY, dtype=dtype))
    (seen,) = bioformats.look([path]).values()
    with readers.open(Location(path)) as dataset:
        assert (dataset.images[0].dtype, seen.series[0].type) == (np.dtype(dtype), theirs)
        assert crcs(dataset.images[0]) == seen.series[0].levels[0].crc


@pytest.mark.parametrize("path", EACH)
def test_a_real_file_reads_as_liffile_reads_it(path: Path) -> None:
    liffile = library_of("liffile")
    with liffile.LifFile(path) as theirs, open_image(path) as dataset:
        ours = iter(dataset.images)
        for image in theirs.images:
            tiles = image.sizes.get("M", 1)
            expected = np.moveaxis(image.asarray(), image.dims.index("M"), 0) if tiles > 1 else image.asarray()[None]
            for tile in range(tiles):
                source = next(ours).levels[0].pixels
                found = source.read(Region.whole(source.shape))
                # Leica's own order is time, z, channel.
                assert found.swapaxes(1, 2).tobytes() == expected[tile].tobytes()
        assert next(ours, None) is None
