"""Zeiss CZI beside Bio-Formats and libCZI: every plane and level, and every field that Bio-Formats finds.

Normalisations: dates are compared to the millisecond and without their zone, which Bio-Formats drops; times to a millisecond,
which is what it reads of them; other numbers to nine digits.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from lxml import etree

from lightmicroscopy import readers
from lightmicroscopy.image import Image, Location, Quantity, Region

from ..conftest import REALFILES
from ..unit import czi_files as czi
from ..unit.czi_files import Tile, czi_bytes, noise
from . import bioformats, stores
from .accepted import Accepted
from .bioformats import OME, Seen, plane_crcs, series_metadata
from .workshop import Made, copies, crcs, known, make, open_image

FILES = sorted((REALFILES / "czi").glob("*.czi"))
EACH = [pytest.param(path, id=path.name) for path in FILES] or [
    pytest.param(Path("absent"), marks=pytest.mark.skip(reason="the real microscope files are not part of this repository"))
]
NO_STAGE = "The file has no stage position. Bio-Formats shows where the pixels begin in the document, as 'reference frame'."
EXPOSURE = "Bio-Formats takes the experiment's number, of whichever block, for seconds; we take each channel's own, in nanoseconds."
ORIGIN = "ZEN black counts from when its electronics were switched on; we count from the first time, as nothing dates that."
WHITE = "White is a default, not information (decision of science 10)."
GAIN = "Bio-Formats gives the experiment's EM gain for every channel; we give each channel's own."

ACCEPTED: tuple[Accepted, ...] = (
    Accepted("*", "name", "Bio-Formats leaves a single image nameless and takes names of scenes from the regions of the experiment, in their order."),
    Accepted("CellDivision_T3_Z5_CH2_X240_Y170.czi", "exposures_s", EXPOSURE),
    Accepted("S3_*", "exposures_s", EXPOSURE),
    Accepted("WellD6*", "exposures_s", EXPOSURE),
    Accepted("mosaic_test.czi", "exposures_s", EXPOSURE),
    Accepted("s_1_t_1_c_1_z_1.czi", "exposures_s", EXPOSURE),
    Accepted("LSM880*", "times_s", ORIGIN),
    Accepted("tiles*.czi", "times_s", ORIGIN),
    Accepted("xyz__*", "times_s", ORIGIN),
    Accepted("CellDivision_T3_Z5_CH2_X240_Y170.czi", "time_increment_s", "The file lists regular times (decision of science 9)."),
    Accepted("s_1_t_1_c_1_z_1.czi", "channel_colours", WHITE),
    Accepted("tiles*.czi", "channel_colours", WHITE),
    Accepted("xyz__*", "channel_colours", WHITE),
    Accepted("CellDivision_T3_Z5_CH2_X240_Y170.czi", "gains", GAIN),
    Accepted("mosaic_test.czi", "gains", GAIN),
    Accepted("s_1_t_1_c_1_z_1.czi", "gains", GAIN),
    Accepted("S3_*", "cameras", "The first model inside the detector is that of its adapter, which Bio-Formats takes for the camera's."),
    Accepted("100x100.czi", "positions", NO_STAGE),
    Accepted("Al2O3*", "positions", NO_STAGE),
    Accepted("CellDivision*_comp1.czi", "positions", NO_STAGE),
    Accepted("FOV7*", "positions", NO_STAGE),
    Accepted("RGB*", "positions", NO_STAGE),
    Accepted("nuc_*", "positions", NO_STAGE),
    Accepted(
        "CellDivision_T3_Z5_CH2_X240_Y170.czi",
        "wells",
        "The file does not say its well; Bio-Formats takes the first that the experiment was set up for.",
    ),
)
"""Where we differ from what Bio-Formats finds. What it does not find at all is not listed: microscope names, contrast methods, lasers,
light sources, names of filters, filter sets of ZEN black, gains of its detectors."""


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
def test_a_real_file_reads_as_bio_formats_reads_it_on_every_level(path: Path, seen: Mapping[Path, Seen]) -> None:
    theirs = seen[path.resolve()]
    assert theirs.error is None
    with open_image(path) as dataset:
        assert [tuple(image.shape) for image in dataset.images] == [series.shape for series in theirs.series]
        assert [image.dtype.name for image in dataset.images] == [series.type for series in theirs.series]
        for image, series in zip(dataset.images, theirs.series, strict=True):
            assert [crcs(image, level) for level in range(len(image.levels))] == [level.crc for level in series.levels]


@pytest.mark.parametrize("path", EACH)
def test_a_real_file_reads_as_libczi_reads_it_where_tiles_are_fused_in_their_order(path: Path) -> None:
    library = pytest.importorskip("pylibCZIrw.czi", reason="libCZI is a second oracle and not installed here")
    with library.open_czi(str(path)) as theirs, readers.open(Location(path, mosaic="fuse")) as dataset:
        scenes = list(theirs.scenes_bounding_rectangle_no_pyramid) or [None]
        whole = theirs.total_bounding_rectangle_no_pyramid
        assert len(scenes) == len(dataset.images)
        for image, scene in zip(dataset.images, scenes, strict=True):
            box = theirs.scenes_bounding_rectangle_no_pyramid[scene] if scene is not None else whole
            found = theirs.read(
                roi=tuple(box), plane={"C": 0, "T": 0, "Z": image.shape.z - 1} | ({"H": 0} if image.metadata.modulo else {}), scene=scene
            )
            ours = image.levels[0].pixels.read(Region.plane(image.shape, 0, 0, image.shape.z - 1))[0, 0, 0]
            assert np.array_equal(ours, found[..., ::-1])


@pytest.mark.parametrize("path", EACH)
def test_a_real_file_keeps_every_plane_and_field_as_ome_tiff(
    path: Path, seen: Mapping[Path, Seen], as_tiff: Mapping[Path, Made], tiffs_seen: Mapping[Path, Seen]
) -> None:
    before, after = seen[path.resolve()].series, copies(as_tiff[path], tiffs_seen)
    assert [series.levels[0].crc for series in after] == [series.levels[0].crc for series in before]
    for old, new in zip(before, after, strict=True):
        unexcused = [
            field for field in old.metadata if not same(field, old.metadata[field], new.metadata[field]) and accepted(path.name, field) is None
        ]
        assert {field: (old.metadata[field], new.metadata[field]) for field in unexcused} == {}


@pytest.mark.parametrize("version", ["0.4", "0.5"])
@pytest.mark.parametrize("path", EACH)
def test_a_real_file_keeps_every_plane_as_ome_zarr(path: Path, version: str, seen: Mapping[Path, Seen], tmp_path: Path) -> None:
    (store,) = make([path], tmp_path, "ome-zarr", ngff_version=version)[path].whole().paths
    stores.assert_valid(store)
    root = stores.open_group(store)
    series = seen[path.resolve()].series
    assert len(stores.image_paths(root)) == len(series)
    for image, one in zip(stores.image_paths(root), series, strict=True):
        array = stores.by_zarr_python(root, stores.level_paths(root, image)[0])
        assert plane_crcs(stores.to_planes(array, stores.axes(root, image), one.samples)) == one.levels[0].crc


def same(field: str, before: Any, after: Any) -> bool:
    """Whether two values say the same; see the normalisations above."""
    if not (known(before) or known(after)):
        return True
    if isinstance(before, (list, tuple)) and isinstance(after, (list, tuple)):
        return len(before) == len(after) and all(same(field, *pair) for pair in zip(before, after, strict=True))
    if isinstance(before, float) and isinstance(after, (int, float)):
        return math.isclose(before, after, rel_tol=1e-9, abs_tol=1.1e-3 if field == "times_s" else 1e-9)
    if field == "date" and before and after:
        return str(before).rstrip("Z")[:23] == str(after).rstrip("Z")[:23]
    return bool(before == after)


def _micrometres(quantity: Quantity | None) -> float | None:
    return None if quantity is None else quantity.value


def ours(image: Image, wells: list[tuple[int, int]]) -> dict[str, Any]:
    """Fields of one series that the oracle's own list does not have."""
    metadata, instrument = image.metadata, image.metadata.instrument
    lens = next((lens for lens in instrument.objectives if lens.id == metadata.objective_id), None) if instrument else None
    cameras = {part.id.replace(" ", ""): part for part in instrument.detectors} if instrument else {}
    used = [cameras.get((channel.detector_id or "").replace(" ", "")) for channel in metadata.channels]
    planes = {(plane.t, plane.c, plane.z): plane for plane in metadata.planes}
    return {
        "microscope_type": instrument.microscope_type if instrument else None,
        "objective": lens.model if lens else None,
        "immersion": lens.immersion if lens else None,
        "working_distance": _micrometres(lens.working_distance) if lens else None,
        "medium": metadata.immersion_medium,
        "refractive_index": metadata.refractive_index,
        "cameras": [part.model if part else None for part in used],
        "binnings": [channel.detector_binning for channel in metadata.channels],
        "gains": [channel.detector_gain for channel in metadata.channels],
        "illuminations": [channel.illumination_type for channel in metadata.channels],
        "pinholes": [_micrometres(channel.pinhole) for channel in metadata.channels],
        "filters": [(part.cut_in_nm, part.cut_out_nm) for part in instrument.filters] if instrument else [],
        "positions": {
            key: tuple(_micrometres(length) for length in (plane.position_x, plane.position_y, plane.position_z)) for key, plane in planes.items()
        },
        "modulo": [(one.along, one.type, one.start, one.end, one.step) for one in metadata.modulo],
        "wells": wells,
    }


def theirs(ome: bytes, series: int) -> dict[str, Any]:
    """The same of what Bio-Formats shows."""
    root = etree.fromstring(ome)
    image = root.findall(f"{OME}Image")[series]
    pixels = image.find(f"{OME}Pixels")
    parts = {part.get("ID"): part for part in root.find(f"{OME}Instrument")}
    settings = image.find(f"{OME}ObjectiveSettings")
    lens = parts[settings.get("ID")] if settings is not None else {}
    channels = pixels.findall(f"{OME}Channel")
    detection = [channel.find(f"{OME}DetectorSettings") for channel in channels]
    used = [parts.get(one.get("ID")) if one is not None else None for one in detection]
    planes = {tuple(int(plane.get(name)) for name in ("TheT", "TheC", "TheZ")): plane for plane in pixels.findall(f"{OME}Plane")}

    def number(element: Any, name: str) -> float | None:
        return None if element is None or element.get(name) is None else float(element.get(name))

    ranges = [part.find(f"{OME}TransmittanceRange") for part in root.iter(f"{OME}Filter")]
    folded = list(root.iter("{*}ModuloAlongZ", "{*}ModuloAlongC", "{*}ModuloAlongT"))
    return {
        "microscope_type": next((part.get("Type") for part in root.iter(f"{OME}Microscope")), None),
        "objective": lens.get("Model"),
        "immersion": lens.get("Immersion"),
        "working_distance": number(lens, "WorkingDistance"),
        "medium": settings.get("Medium") if settings is not None else None,
        "refractive_index": number(settings, "RefractiveIndex"),
        "cameras": [part.get("Model") or None if part is not None else None for part in used],
        "binnings": [one.get("Binning") if one is not None else None for one in detection],
        "gains": [number(one, "Gain") for one in detection],
        "illuminations": [channel.get("IlluminationType") for channel in channels],
        "pinholes": [number(channel, "PinholeSize") for channel in channels],
        "filters": [(number(one, "CutIn"), number(one, "CutOut")) for one in ranges],
        "positions": {key: tuple(number(plane, f"Position{axis}") for axis in "XYZ") for key, plane in planes.items()},
        "modulo": [(one.tag[-1], one.get("Type"), *(number(one, name) for name in ("Start", "End", "Step"))) for one in folded],
        "wells": [(int(well.get("Row")), int(well.get("Column"))) for well in root.iter(f"{OME}Well")],
    }


def missing(path: Path, found: Seen) -> set[str]:
    """Fields in which Bio-Formats finds something that we do not have."""
    fields: set[str] = set()
    with open_image(path) as dataset:
        wells = [(well.row, well.column) for plate in dataset.plates for well in plate.wells]
        for number, image in enumerate(dataset.images):
            mine, other = ours(image, wells), theirs(found.ome, number)
            here, there = mine.pop("positions"), other.pop("positions")
            if any(known(list(place)) and not same("positions", list(place), list(here.get(key, ()))) for key, place in there.items()):
                fields.add("positions")
            fields |= {field for field, value in other.items() if _says(value) and not _agrees(field, value, mine[field])}
    return fields


def _says(value: Any) -> bool:
    return any(_says(part) for part in value) if isinstance(value, (list, tuple)) else value not in (None, "")


def _agrees(field: str, before: Any, after: Any) -> bool:
    """Whether all that is said before is said after."""
    if isinstance(before, (list, tuple)):
        return len(before) == len(after) and all(_agrees(field, *pair) for pair in zip(before, after, strict=True))
    return not _says(before) or same(field, before, after)


@pytest.mark.parametrize("path", EACH)
def test_nothing_that_bio_formats_finds_is_missing(path: Path, seen: Mapping[Path, Seen]) -> None:
    assert {field for field in missing(path, seen[path.resolve()]) if accepted(path.name, field) is None} == set()


@pytest.mark.parametrize("row", ACCEPTED, ids=lambda row: f"{row.files} {row.field}")
def test_an_accepted_difference_is_really_there(
    row: Accepted, realfiles: Path, seen: Mapping[Path, Seen], as_tiff: Mapping[Path, Made], tiffs_seen: Mapping[Path, Seen]
) -> None:
    concerned = [path for path in FILES if accepted(path.name, row.field) is row]
    assert concerned, f"no file in {realfiles.name} matches {row.files}"
    for path in concerned:
        before, after = series_metadata(seen[path.resolve()].ome), [series.metadata for series in copies(as_tiff[path], tiffs_seen)]
        if row.field in before[0]:
            differs = any(not same(row.field, old[row.field], new[row.field]) for old, new in zip(before, after, strict=True))
        else:
            differs = row.field in missing(path, seen[path.resolve()])
        assert differs or row.files == "*", path.name


def _planes(compression: int, dtype: str, samples: int = 0) -> list[Tile]:
    shape = (20, 31, samples) if samples else (20, 31)
    return [Tile(noise(*shape, dtype=dtype, seed=z), {"C": 0, "Z": z, "T": 0}, compression) for z in range(2)]


def _stack(letters: str, **sizes: int) -> list[Tile]:
    """Planes along several dimensions, the last of which counts fastest."""
    places: list[dict[str, int]] = [{}]
    for letter in letters:
        places = [{**place, letter: at} for place in places for at in range(sizes[letter])]
    return [Tile(noise(6, 7, seed=number), {"C": 0, "Z": 0, "T": 0, **place}) for number, place in enumerate(places)]


def _mosaic(first: int = 0, *, reverse: bool = False, step: tuple[int, int] = (18, 25), **at: int) -> list[Tile]:
    tiles = []
    for m in range(6):
        place = {"C": 0, "Z": 0, "T": 0, "S": 0, "M": first + m, **at}
        tiles.append(Tile(noise(20, 30, seed=m), {**place, "X": at.get("X", 0) + m % 3 * step[1], "Y": m // 3 * step[0]}))
    return tiles[::-1] if reverse else tiles


def _pyramid(factor: int = 2, **at: int) -> list[Tile]:
    x = at.pop("X", 0)
    tiles = [Tile(noise(72, 72, seed=m), {"C": 0, "M": m, **at, "X": x + m % 2 * 72, "Y": m // 2 * 72}) for m in range(4)]
    reduced = [Tile(noise(144 // factor**n, 144 // factor**n, seed=9 + n), {"C": 0, **at, "X": x, "Y": 0}, scale=factor**n) for n in (1, 2)]
    return [*tiles, *reduced]


def _slide() -> bytes:
    label = czi_bytes([Tile(noise(12, 16, 3, dtype="uint8", seed=5), {"C": 0})])
    return czi_bytes(_pyramid(), "", {"Label": label, "SlidePreview": czi_bytes([Tile(noise(22, 36, 3, seed=6), {"C": 0})])})


MADE: dict[str, Callable[[], bytes | list[Tile]]] = {
    **{
        f"{name} {dtype} {samples}": (lambda code=code, dtype=dtype, samples=samples: _planes(code, dtype, samples))
        for name, code in {"raw": czi.RAW, "LZW": czi.LZW, "zstd0": czi.ZSTD0, "zstd1": czi.ZSTD1}.items()
        for dtype, samples in (("uint8", 0), ("uint16", 0), ("float32", 0), ("uint32", 0), ("float64", 0), ("uint8", 3), ("uint16", 3), ("uint8", 4))
    },
    **{
        f"JPEG XR {dtype} {samples}": (lambda dtype=dtype, samples=samples: _planes(czi.JPEGXR, dtype, samples))
        for dtype, samples in (("uint8", 0), ("uint16", 0), ("uint8", 3), ("uint16", 3))
    },
    "JPEG": lambda: _planes(czi.JPEG, "uint8"),
    "JPEG colours": lambda: _planes(czi.JPEG, "uint8", 3),
    "packed camera": lambda: [Tile(np.zeros((20, 30), np.uint16), {"C": 0}, czi.CAMERA, data=noise(900, dtype="uint8").tobytes())],
    "packed camera reversed": lambda: [Tile(np.zeros((20, 30), np.uint16), {"C": 0}, 104, data=noise(900, dtype="uint8").tobytes())],
    "z c t": lambda: _stack("TZC", T=3, Z=4, C=2),
    "phases": lambda: _stack("HTZC", H=3, T=2, Z=2, C=2),
    "illuminations": lambda: _stack("ITZC", I=2, T=2, Z=2, C=2),
    "rotations": lambda: _stack("RTZC", R=3, T=2, Z=2, C=2),
    "views": lambda: _stack("VZC", V=3, Z=2, C=2),
    "views fastest": lambda: _stack("ZCV", V=3, Z=2, C=2),
    "scenes": lambda: _stack("SZC", S=3, Z=2, C=2),
    "scenes of views": lambda: _stack("SVC", S=2, V=3, C=2),
    "views of scenes": lambda: _stack("VSC", S=2, V=3, C=2),
    "blocks": lambda: _stack("BZC", B=2, Z=2, C=2),
    "only the third scene": lambda: [Tile(noise(6, 7), {"C": 0, "S": 2})],
    "mosaic": _mosaic,
    "mosaic left of the origin": lambda: _mosaic(X=-500),
    "mosaic with gaps": lambda: _mosaic(step=(38, 45)),
    "mosaic stored backwards": lambda: _mosaic(reverse=True),
    "mosaics of two scenes": lambda: [*_mosaic(), *_mosaic(6, S=1, X=500)],
    "pyramid": _pyramid,
    "pyramid by threes": lambda: _pyramid(3),
    "pyramids of scenes": lambda: [*_pyramid(S=0), *_pyramid(S=1, X=3000)],
    "a plane missing": lambda: _stack("TZC", T=2, Z=2, C=2)[:-1],
    "z from two": lambda: [Tile(noise(6, 7, seed=z), {"C": 0, "Z": z}) for z in (2, 3)],
    "colour channels": lambda: [Tile(noise(6, 7, 3, dtype="uint8", seed=c), {"C": c}) for c in range(2)],
    "slide with label": _slide,
}
"""Files of every layout; a list of tiles or the bytes."""
OTHERWISE: dict[str, Callable[[], list[Tile]]] = {
    "types mixed": lambda: [Tile(noise(6, 7, dtype=dtype), {"C": c}) for c, dtype in enumerate(("uint16", "uint8"))],
    "t from five": lambda: [Tile(noise(6, 7, seed=t), {"C": 0, "T": t}) for t in (5, 6, 9)],
}
"""Files that Bio-Formats reads otherwise than they say: all channels as the type of the first, and all time points beyond their number
as the last."""


@pytest.fixture(scope="module")
def made_files(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Path], Mapping[Path, Seen]]:
    """All files made here, and what Bio-Formats sees in them."""
    folder = tmp_path_factory.mktemp("czi")
    paths = {}
    for number, (name, make_one) in enumerate([*MADE.items(), *OTHERWISE.items()]):
        made = make_one()
        paths[name] = folder / f"{number}.czi"
        paths[name].write_bytes(made if isinstance(made, bytes) else czi_bytes(made))
    return paths, bioformats.look(paths.values())


@pytest.mark.parametrize("name", MADE)
def test_a_file_of_any_layout_reads_as_bio_formats_reads_it(name: str, made_files: tuple[dict[str, Path], Mapping[Path, Seen]]) -> None:
    path = made_files[0][name]
    found = made_files[1][path.resolve()]
    assert found.error is None
    with readers.open(Location(path)) as dataset:
        assert [tuple(image.shape) for image in dataset.images] == [series.shape for series in found.series]
        for image, series in zip(dataset.images, found.series, strict=True):
            assert [crcs(image, level) for level in range(len(image.levels))] == [level.crc for level in series.levels]


@pytest.mark.parametrize("name", OTHERWISE)
def test_a_layout_that_bio_formats_reads_otherwise_is_really_read_otherwise(
    name: str, made_files: tuple[dict[str, Path], Mapping[Path, Seen]]
) -> None:
    path = made_files[0][name]
    with readers.open(Location(path)) as dataset:
        assert [crcs(image) for image in dataset.images] != [series.levels[0].crc for series in made_files[1][path.resolve()].series]


@pytest.mark.parametrize("options", ["uncompressed:", "zstd0:ExplicitLevel=1", "zstd1:ExplicitLevel=1;PreProcess=HiLoByteUnpack"])
def test_a_file_that_libczi_wrote_reads_as_it_was_written(options: str, tmp_path: Path) -> None:
    library = pytest.importorskip("pylibCZIrw.czi", reason="libCZI is a second oracle and not installed here")
    planes = {(scene, c): noise(50, 60, seed=10 * scene + c) for scene in range(2) for c in range(2)}
    with library.create_czi(str(tmp_path / "a.czi"), compression_options=options) as out:
        for (scene, c), plane in planes.items():
            out.write(plane[..., np.newaxis], plane={"C": c, "Z": 0, "T": 0}, scene=scene, location=(1000 * scene, -50))
        out.write_metadata(document_name="it", channel_names={0: "red", 1: "green"}, scale_x=1e-7, scale_y=2e-7)
    with readers.open(Location(tmp_path / "a.czi")) as dataset:
        for (scene, c), plane in planes.items():
            image = dataset.images[scene]
            assert np.array_equal(image.levels[0].pixels.read(Region.plane(image.shape, 0, c, 0))[0, 0, 0, ..., 0], plane)
            assert [channel.name for channel in image.metadata.channels] == ["red", "green"]
            assert (image.metadata.pixel_size_x, image.metadata.pixel_size_y) == (Quantity(0.1, "µm"), Quantity(0.2, "µm"))
