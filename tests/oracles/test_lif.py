"""Leica files beside Bio-Formats and liffile: every plane, and every field that Bio-Formats finds.

Fields and what is made of them before they are compared: names, descriptions, fluorophores and colours as they are; dates to the
second and without their zone (Bio-Formats drops fractions, and the zone of FILETIME, which is UTC); sizes, positions and
pinholes in micrometres and times in seconds, to a thousandth of a pixel or second (Bio-Formats counts milliseconds in doubles
of seconds since 1601); objectives, detectors and lasers by model and number. An empty text is no text.
"""

from __future__ import annotations

from collections.abc import Mapping
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lightmicroscopy import readers
from lightmicroscopy.image import Image, Location, Quantity, Region

from ..conftest import REALFILES
from ..unit.lif_files import Made, lof, write_lif, write_project
from . import bioformats, stores
from .accepted import Accepted
from .bioformats import LENGTHS, OME, Seen, plane_crcs
from .workshop import Made as Converted
from .workshop import copies, crcs, known, make, open_image

FILES = sorted((REALFILES / "lif").glob("*.l*f"))
EACH = [pytest.param(path, id=path.name) for path in FILES] or [
    pytest.param(Path("absent"), marks=pytest.mark.skip(reason="the real microscope files are not part of this repository"))
]
X, Y, Z, T, EMISSION, ROTATION, EXCITATION, TILE, LOOP = 1, 2, 3, 4, 5, 6, 9, 10, 11
XY = [(X, 8), (Y, 6)]
TWO = ("Red", "Green")
BGR = {"luts": ("Blue", "Green", "Red"), "samples": 3, "tags": (3, 2, 1)}

ACCEPTED: tuple[Accepted, ...] = (
    Accepted("*", "magnification", "Bio-Formats 7.3 reads it only in the records of LAS AF, not in the settings of LAS X."),
    Accepted("*", "numerical_aperture", "Bio-Formats 7.3 reads it only in the records of LAS AF, not in the settings of LAS X."),
    Accepted("*", "channel_modes", "The settings are those of a confocal scanner; Bio-Formats gives no mode."),
    Accepted("LeicaLASX_*", "channel_excitations", "One laser line was lit; Bio-Formats looks for lines by numbers that LAS X no longer writes."),
    Accepted("LeicaLASX_xz*", "channel_fluors", "The dye of the band is the fluorophore; Bio-Formats shows it as the name only."),
    Accepted("LeicaLASX_xz*", "channel_colours", "Glow is a table of several colours; Bio-Formats says white, a default (decision of science 10)."),
    Accepted("LeicaLASX_xz*", "time_increment_s", "The stamps are regular within 1 % (decision of science 9); Bio-Formats gives only the stamps."),
    Accepted("PR2729*", "time_increment_s", "Two time points, as the length of the series says; Bio-Formats gives only the stamps."),
    Accepted(
        "PR2729*", "times_s", "The stamps are those of all tiles in the order of the memory; Bio-Formats gives the first of them to every tile."
    ),
    Accepted("*", "immersion", "It is in the settings of LAS X; Bio-Formats says 'Other'."),
    Accepted("*", "correction", "It is engraved on the objective; Bio-Formats says 'Other'."),
    Accepted("*", "refractive_index", "It is in the settings of LAS X, which Bio-Formats 7.3 does not read."),
    Accepted("*", "microscope", "It is in the settings of LAS X, which Bio-Formats 7.3 does not read."),
    Accepted("*", "microscope_type", "The stand is inverted, or unknown; Bio-Formats says 'Other'."),
    Accepted("*", "detectors", "They are in the settings of LAS X, which Bio-Formats 7.3 does not read."),
    Accepted("*", "gains", "They are in the settings of LAS X, which Bio-Formats 7.3 does not read."),
    Accepted("*", "lasers", "They are in the settings of LAS X, which Bio-Formats 7.3 does not read."),
    Accepted("LeicaLASX_wave*", "positions_z", "Origin and length of the stack give each plane's height; Bio-Formats gives none."),
    Accepted("PR2729*", "positions_z", "Origin and length of the stack give each plane's height; Bio-Formats gives none."),
    Accepted("LeicaLASX_*", "modulo", "Wavelengths are folded into T as Bio-Formats does, which does not say so."),
)
"""Fields in which we differ from Bio-Formats on purpose."""


def accepted(name: str, field: str) -> Accepted | None:
    """The row that excuses a field of a file, if there is one."""
    return next((row for row in ACCEPTED if row.field == field and fnmatch(name, row.files)), None)


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
def seen() -> Mapping[Path, Seen]:
    """All real files as Bio-Formats sees them."""
    return bioformats.look(FILES)


@pytest.fixture(scope="module")
def as_tiff(tmp_path_factory: pytest.TempPathFactory) -> Mapping[Path, Converted]:
    """All real files as OME-TIFF."""
    return make(FILES, tmp_path_factory.mktemp("tiff"), "ome-tiff")


@pytest.fixture(scope="module")
def tiffs_seen(as_tiff: Mapping[Path, Converted]) -> Mapping[Path, Seen]:
    """Those OME-TIFFs as Bio-Formats sees them."""
    return bioformats.look(path for made in as_tiff.values() for path in made.series)


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
def test_a_real_file_reads_as_bio_formats_reads_it(path: Path, seen: Mapping[Path, Seen]) -> None:
    theirs = seen[path.resolve()]
    assert theirs.error is None
    with open_image(path) as dataset:
        assert [tuple(image.shape) for image in dataset.images] == [series.shape for series in theirs.series]
        assert [image.dtype.name for image in dataset.images] == [series.type for series in theirs.series]
        assert [crcs(image) for image in dataset.images] == [series.levels[0].crc for series in theirs.series]


@pytest.mark.parametrize("path", EACH)
def test_a_real_file_reads_as_liffile_reads_it(path: Path) -> None:
    liffile = pytest.importorskip("liffile", reason="liffile is a second oracle and not installed here")
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


@pytest.mark.parametrize("path", EACH)
def test_a_real_file_keeps_every_plane_and_field_as_ome_tiff(
    path: Path, seen: Mapping[Path, Seen], as_tiff: Mapping[Path, Converted], tiffs_seen: Mapping[Path, Seen]
) -> None:
    before, after = seen[path.resolve()].series, copies(as_tiff[path], tiffs_seen)
    assert [(series.shape, series.type) for series in after] == [(series.shape, series.type) for series in before]
    assert [series.levels[0].crc for series in after] == [series.levels[0].crc for series in before]
    for old, new in zip(before, after, strict=True):
        unexcused = {field for field in changed(old.metadata, new.metadata) if accepted(path.name, field) is None}
        assert {field: (old.metadata[field], new.metadata[field]) for field in unexcused} == {}


@pytest.mark.parametrize("version", ["0.4", "0.5"])
@pytest.mark.parametrize("path", EACH)
def test_a_real_file_keeps_every_plane_as_ome_zarr(path: Path, version: str, seen: Mapping[Path, Seen], tmp_path: Path) -> None:
    (store,) = make([path], tmp_path, "ome-zarr", ngff_version=version)[path].whole().paths
    stores.assert_valid(store)
    root = stores.open_group(store)
    series = seen[path.resolve()].series
    assert len(stores.image_paths(root)) == len(series)
    for image, theirs in zip(stores.image_paths(root), series, strict=True):
        array = stores.by_zarr_python(root, stores.level_paths(root, image)[0])
        assert plane_crcs(stores.to_planes(array, stores.axes(root, image), 1)) == theirs.levels[0].crc


def normal(field: str, value: Any) -> Any:
    """A field's value as it is compared."""
    if field == "date" and isinstance(value, str):
        return value[:19]
    if isinstance(value, list):
        return [normal(field, part) for part in value]
    return round(value, 3) if field == "times_s" and isinstance(value, float) else value or None


def changed(before: dict[str, Any], after: dict[str, Any]) -> set[str]:
    """Fields in which two descriptions differ."""
    return {
        field for field in before if normal(field, before[field]) != normal(field, after[field]) and (known(before[field]) or known(after[field]))
    }


def in_micrometres(quantity: Quantity | None) -> float | None:
    """A length in micrometres, to a nanometre."""
    return None if quantity is None else round(quantity.value * LENGTHS[quantity.unit], 3)


def ours(image: Image) -> dict[str, Any]:
    """The fields the writers' test does not compare, as our reader gives them."""
    metadata, instrument = image.metadata, image.metadata.instrument
    assert instrument is not None
    (lens,) = instrument.objectives
    planes = sorted(metadata.planes, key=lambda plane: (plane.t, plane.c, plane.z))
    found: dict[str, Any] = {f"positions_{axis}": [in_micrometres(getattr(plane, f"position_{axis}")) for plane in planes] for axis in "xyz"}
    found |= {"pinholes": [in_micrometres(channel.pinhole) for channel in metadata.channels]}
    found |= {"gains": [channel.detector_gain for channel in metadata.channels], "rois": len(metadata.rois)}
    found |= {"objective": lens.model, "immersion": lens.immersion, "correction": lens.correction}
    found |= {"refractive_index": metadata.refractive_index, "microscope": instrument.microscope_model}
    found |= {"microscope_type": instrument.microscope_type, "detectors": [part.model for part in instrument.detectors]}
    return found | {"lasers": [part.wavelength_nm for part in instrument.light_sources], "modulo": [modulo.type for modulo in metadata.modulo]}


def theirs(ome: bytes, series: int) -> dict[str, Any]:
    """The same fields as Bio-Formats gives them."""
    from lxml import etree

    root = etree.fromstring(ome)
    image = root.findall(f"{OME}Image")[series]
    instrument = root.findall(f"{OME}Instrument")[series]
    planes = sorted(image.iter(f"{OME}Plane"), key=lambda plane: tuple(int(plane.get(name, "")) for name in ("TheT", "TheC", "TheZ")))

    def number(element: Any, name: str) -> float | None:
        value = None if element is None else element.get(name)
        return None if value is None else round(float(value) * LENGTHS.get(element.get(f"{name}Unit", "µm"), 1), 3)

    lens, scope = instrument.find(f"{OME}Objective"), instrument.find(f"{OME}Microscope")
    channels = list(image.iter(f"{OME}Channel"))
    found: dict[str, Any] = {f"positions_{axis}": [number(plane, f"Position{axis.upper()}") for plane in planes] for axis in "xyz"}
    found |= {"pinholes": [number(channel, "PinholeSize") for channel in channels], "rois": len(image.findall(f"{OME}ROIRef"))}
    found |= {"gains": [number(channel.find(f"{OME}DetectorSettings"), "Gain") for channel in channels]}
    found |= {"objective": lens.get("Model"), "immersion": lens.get("Immersion"), "correction": lens.get("Correction")}
    found |= {"refractive_index": number(image.find(f"{OME}ObjectiveSettings"), "RefractiveIndex"), "microscope": scope.get("Model")}
    found |= {"microscope_type": scope.get("Type"), "detectors": [part.get("Model") for part in instrument.iter(f"{OME}Detector")]}
    return found | {"lasers": [number(part, "Wavelength") for part in instrument.iter(f"{OME}Laser")], "modulo": []}


@pytest.mark.parametrize("path", EACH)
def test_nothing_that_bio_formats_finds_is_missing(path: Path, seen: Mapping[Path, Seen]) -> None:
    with open_image(path) as dataset:
        for number, image in enumerate(dataset.images):
            before, after = theirs(seen[path.resolve()].ome, number), ours(image)
            unexcused = {field for field in changed(before, after) if accepted(path.name, field) is None}
            assert {field: (before[field], after[field]) for field in unexcused} == {}


@pytest.mark.parametrize("row", ACCEPTED, ids=lambda row: f"{row.files} {row.field}")
def test_an_accepted_difference_is_really_there(
    row: Accepted, realfiles: Path, seen: Mapping[Path, Seen], as_tiff: Mapping[Path, Converted], tiffs_seen: Mapping[Path, Seen]
) -> None:
    found = set()
    for path in FILES:
        if accepted(path.name, row.field) is row:
            pairs = zip(seen[path.resolve()].series, copies(as_tiff[path], tiffs_seen), strict=True)
            found |= {field for before, after in pairs for field in changed(before.metadata, after.metadata)}
            with open_image(path) as dataset:
                for number, image in enumerate(dataset.images):
                    found |= changed(theirs(seen[path.resolve()].ome, number), ours(image))
    assert row.field in found, f"no file in {realfiles.name} differs so"
