"""Nikon ND2 beside Bio-Formats and the nd2 package: every plane, and every field that Bio-Formats finds.

Bio-Formats guesses the type of the pixels of files with several positions from the distance of their frames, so the files made
here have frames large enough for it to guess right.
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
from ..unit import nd2_files
from . import bioformats, stores
from .accepted import Accepted
from .bioformats import OME, Seen, plane_crcs
from .workshop import Made, copies, crcs, differences, make, open_image

FILES = sorted((REALFILES / "nd2").glob("*.nd2"))
EACH = [pytest.param(path, id=path.name) for path in FILES] or [
    pytest.param(Path("absent"), marks=pytest.mark.skip(reason="the real microscope files are not part of this repository"))
]
PLACES = [(1.0, 2.0, "here"), (3.0, 4.0, ""), (5.0, 6.0, "there")]

ACCEPTED: tuple[Accepted, ...] = (
    Accepted("*", "name", "The file names no image. Bio-Formats shows its name and '(series 1)', we show it without its extension."),
    Accepted("*", "date", "The Julian day in the file is in UTC, the text beside it in local time; Bio-Formats reads neither."),
    Accepted("*", "magnification", "It is in the objective's settings or name; Bio-Formats calls it the calibrated magnification, or leaves it out."),
    Accepted("*", "channel_modes", "They are bits of the modality of each channel; Bio-Formats reads only the words of older files."),
    Accepted("*", "channel_excitations", "It is the laser line that was on, or the light path's; Bio-Formats reads neither in newer files."),
    Accepted(
        "example-timelapse.nd2", "time_increment_s", "The times are regular within 1 % (decision of science 9); Bio-Formats gives only the times."
    ),
    Accepted("cluster.nd2", "time_increment_s", "The times are regular within 1 % (decision of science 9); Bio-Formats gives only the times."),
    Accepted("example-multichannel.nd2", "channel_colours", "White is a default, not information (decision of science 10)."),
    Accepted(
        "cluster.nd2", "times_s", "Bio-Formats counts z, t and channels otherwise than its table of times has them: it shifts some and lacks others."
    ),
    Accepted("cluster.nd2", "positions_z", "Bio-Formats gives the stage's height, which stood still while a piezo drive took the stack."),
    Accepted("example-multichannel.nd2", "positions_x", "The columns were not recorded and hold zeros, which Bio-Formats takes for positions."),
    Accepted("example-multichannel.nd2", "positions_y", "The columns were not recorded and hold zeros, which Bio-Formats takes for positions."),
    Accepted("example-multichannel.nd2", "positions_z", "The columns were not recorded and hold zeros, which Bio-Formats takes for positions."),
    Accepted("*", "immersion", "Bio-Formats says 'Other' where it finds no word; we name the medium that has the refractive index."),
    Accepted("*", "detector", "Bio-Formats reads the camera's name in one of three places, and may show an empty one."),
    Accepted("*", "detector_type", "Bio-Formats says 'Other' for every detector; we say PMT where the modality does."),
    Accepted("cluster.nd2", "pinholes", "The pinhole is each channel's; Bio-Formats reads only the words of older files."),
    Accepted("example-*.nd2", "binnings", "It is in the camera's settings; Bio-Formats reads only the words of older files."),
    Accepted("*", "contrasts", "They are bits of the modality of each channel; Bio-Formats gives none."),
    Accepted("*", "microscope", "Bio-Formats does not read it."),
)
"""Fields in which we differ from Bio-Formats on purpose. Colours of RGB images are a row of their own test below."""


def accepted(name: str, field: str) -> Accepted | None:
    """The row that excuses a field of a file, if there is one."""
    return next((row for row in ACCEPTED if row.field == field and fnmatch(name, row.files)), None)


@pytest.fixture(scope="module")
def seen() -> Mapping[Path, Seen]:
    """All real files as Bio-Formats sees them."""
    return bioformats.look(FILES)


@pytest.fixture(scope="module")
def as_tiff(tmp_path_factory: pytest.TempPathFactory) -> Mapping[Path, Made]:
    """All real files as OME-TIFF."""
    return make(FILES, tmp_path_factory.mktemp("tiff"), "ome-tiff")


@pytest.fixture(scope="module")
def tiffs_seen(as_tiff: Mapping[Path, Made]) -> Mapping[Path, Seen]:
    """Those OME-TIFFs as Bio-Formats sees them."""
    return bioformats.look(path for made in as_tiff.values() for path in made.series)


@pytest.mark.parametrize("path", EACH)
def test_a_real_file_reads_as_bio_formats_reads_it(path: Path, seen: Mapping[Path, Seen]) -> None:
    theirs = seen[path.resolve()]
    assert theirs.error is None
    with open_image(path) as dataset:
        assert [tuple(image.shape) for image in dataset.images] == [series.shape for series in theirs.series]
        assert [image.dtype.name for image in dataset.images] == [series.type for series in theirs.series]
        assert [image.significant_bits for image in dataset.images] == [series.significant_bits for series in theirs.series]
        assert [crcs(image) for image in dataset.images] == [series.levels[0].crc for series in theirs.series]


@pytest.mark.parametrize("path", EACH)
def test_a_real_file_reads_as_the_nd2_package_reads_it(path: Path) -> None:
    nd2 = pytest.importorskip("nd2", reason="the nd2 package is a second oracle and not installed here")
    with nd2.ND2File(path) as theirs, open_image(path) as dataset:
        (image,) = dataset.images
        expected = np.asarray(theirs.asarray())
        for axis in "TZC":
            if axis not in theirs.sizes:
                expected = np.expand_dims(expected, "TZC".index(axis))
        source = image.levels[0].pixels
        assert np.array_equal(source.read(Region.whole(source.shape))[..., 0], expected.swapaxes(1, 2))
        times = [theirs.frame_metadata(frame).channels[0].time.relativeTimeMs for frame in range(image.shape.t * image.shape.z)]
        assert [plane.delta_t_s for plane in image.metadata.planes if plane.c == 0] == pytest.approx([time / 1000 for time in times])
        assert [channel.name for channel in image.metadata.channels] == [channel.channel.name for channel in theirs.metadata.channels]
        assert [channel.emission_nm for channel in image.metadata.channels] == [
            channel.channel.emissionLambdaNm for channel in theirs.metadata.channels
        ]


@pytest.mark.parametrize("path", EACH)
def test_a_real_file_keeps_every_plane_and_field_as_ome_tiff(
    path: Path, seen: Mapping[Path, Seen], as_tiff: Mapping[Path, Made], tiffs_seen: Mapping[Path, Seen]
) -> None:
    before, after = seen[path.resolve()].series, copies(as_tiff[path], tiffs_seen)
    assert [series.levels[0].crc for series in after] == [series.levels[0].crc for series in before]
    for old, new in zip(before, after, strict=True):
        unexcused = {field for field in differences(old.metadata, new.metadata) if accepted(path.name, field) is None}
        assert {field: (old.metadata[field], new.metadata[field]) for field in unexcused} == {}


@pytest.mark.parametrize("version", ["0.4", "0.5"])
@pytest.mark.parametrize("path", EACH)
def test_a_real_file_keeps_every_plane_as_ome_zarr(path: Path, version: str, seen: Mapping[Path, Seen], tmp_path: Path) -> None:
    (store,) = make([path], tmp_path, "ome-zarr", ngff_version=version)[path].whole().paths
    stores.assert_valid(store)
    root = stores.open_group(store)
    for image, series in zip(stores.image_paths(root), seen[path.resolve()].series, strict=True):
        array = stores.by_zarr_python(root, stores.level_paths(root, image)[0])
        assert plane_crcs(stores.to_planes(array, stores.axes(root, image), 1)) == series.levels[0].crc


def in_micrometres(quantity: Quantity | None) -> float | None:
    """A length, which ND2 gives in micrometres."""
    if quantity is None:
        return None
    assert quantity.unit == "µm"
    return round(quantity.value, 6)


def ours(image: Image) -> dict[str, Any]:
    """The fields the writers' test does not compare, as our reader gives them."""
    metadata = image.metadata
    instrument = metadata.instrument
    assert instrument is not None
    planes = sorted(metadata.planes, key=lambda plane: (plane.t, plane.c, plane.z))
    found: dict[str, Any] = {f"positions_{axis}": [in_micrometres(getattr(plane, f"position_{axis}")) for plane in planes] for axis in "xyz"}
    found |= {"pinholes": [in_micrometres(channel.pinhole) for channel in metadata.channels]}
    found |= {"binnings": [channel.detector_binning for channel in metadata.channels]}
    found |= {"contrasts": [channel.contrast_method for channel in metadata.channels], "refractive_index": metadata.refractive_index}
    found |= {"objective": instrument.objectives[0].model, "immersion": instrument.objectives[0].immersion}
    found |= {"detector": instrument.detectors[0].model, "detector_type": instrument.detectors[0].type, "microscope": instrument.microscope_model}
    return found | {"rois": len(metadata.rois)}


def theirs(ome: bytes) -> dict[str, Any]:
    """The same fields of the first image, as Bio-Formats gives them."""
    from lxml import etree

    root = etree.fromstring(ome)
    image = root.find(f"{OME}Image")
    assert image is not None
    planes = sorted(image.iter(f"{OME}Plane"), key=lambda plane: tuple(int(plane.get(name, "")) for name in ("TheT", "TheC", "TheZ")))

    def number(element: Any, name: str) -> float | None:
        return None if element is None or element.get(name) is None else round(float(element.get(name)), 6)

    channels = list(image.iter(f"{OME}Channel"))
    lens, detector, scope = (root.find(f".//{OME}{name}") for name in ("Objective", "Detector", "Microscope"))
    found: dict[str, Any] = {f"positions_{axis}": [number(plane, f"Position{axis.upper()}") for plane in planes] for axis in "xyz"}
    found |= {"pinholes": [number(channel, "PinholeSize") for channel in channels]}
    found |= {"binnings": [getattr(channel.find(f"{OME}DetectorSettings"), "attrib", {}).get("Binning") for channel in channels]}
    found |= {"contrasts": [channel.get("ContrastMethod") for channel in channels]}
    found |= {"refractive_index": number(image.find(f"{OME}ObjectiveSettings"), "RefractiveIndex")}
    found |= {"objective": None if lens is None else lens.get("Model"), "immersion": None if lens is None else lens.get("Immersion")}
    found |= {"detector": None if detector is None else detector.get("Model"), "detector_type": None if detector is None else detector.get("Type")}
    return found | {"microscope": None if scope is None else scope.get("Model"), "rois": len(root.findall(f"{OME}ROI"))}


@pytest.mark.parametrize("path", EACH)
def test_nothing_that_bio_formats_finds_is_missing(path: Path, seen: Mapping[Path, Seen]) -> None:
    with open_image(path) as dataset:
        unexcused = {field for field in differences(theirs(seen[path.resolve()].ome), ours(dataset.images[0])) if accepted(path.name, field) is None}
    assert unexcused == set()


@pytest.mark.parametrize("row", ACCEPTED, ids=lambda row: f"{row.files} {row.field}")
def test_an_accepted_difference_is_really_there(
    row: Accepted, realfiles: Path, seen: Mapping[Path, Seen], as_tiff: Mapping[Path, Made], tiffs_seen: Mapping[Path, Seen]
) -> None:
    found = set()
    for path in FILES:
        if accepted(path.name, row.field) is row:
            pairs = zip(seen[path.resolve()].series, copies(as_tiff[path], tiffs_seen), strict=True)
            found |= {field for before, after in pairs for field in differences(before.metadata, after.metadata)}
            with open_image(path) as dataset:
                found |= differences(theirs(seen[path.resolve()].ome), ours(dataset.images[0]))
    assert row.field in found, f"no file in {realfiles.name} differs so"


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
