"""Zeiss CZI of every layout beside Bio-Formats, and beside libCZI, the makers' own library.

Real files beside Bio-Formats are in test_real_files and test_metadata_truth.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest

from lightmicroscopy import readers
from lightmicroscopy.image import Location, Quantity, Region

from ..conftest import REALFILES
from ..needs import library_of
from ..unit import czi_files as czi
from ..unit.czi_files import Tile, czi_bytes, noise
from . import bioformats
from .bioformats import Seen
from .real import each
from .workshop import crcs

FILES = sorted((REALFILES / "czi").glob("*.czi"))
EACH = each(FILES)


@pytest.mark.parametrize("path", EACH)
def test_a_real_file_reads_as_libczi_reads_it_where_tiles_are_fused_in_their_order(path: Path) -> None:
    library = library_of("pylibCZIrw.czi")
    with library.open_czi(str(path)) as theirs, readers.open(Location(path, mosaic="fuse")) as dataset:
        scenes = list(theirs.scenes_bounding_rectangle_no_pyramid) or [None]
        whole = theirs.total_bounding_rectangle_no_pyramid
        # Attached pictures (of a slide and its label) are series of ours, after the scenes.
        assert len(scenes) <= len(dataset.images)
        first = {axis: span[0] for axis, span in theirs.total_bounding_box_no_pyramid.items() if axis not in "XYS"}
        for image, scene in zip(dataset.images, scenes, strict=False):
            box = theirs.scenes_bounding_rectangle_no_pyramid[scene] if scene is not None else whole
            found = theirs.read(roi=tuple(box), plane={**first, "Z": first.get("Z", 0) + image.shape.z - 1}, scene=scene)
            ours = image.levels[0].pixels.read(Region.plane(image.shape, 0, 0, image.shape.z - 1))[0, 0, 0]
            assert np.array_equal(ours, found[..., ::-1])


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


def _lines(letter: str) -> list[Tile]:
    lines = [noise(9, 1, 11, seed=c) for c in range(2)]
    return [Tile(line[0], {"C": c, "Z": 0, "T": 0}, data=line.tobytes(), extent={letter: 9}) for c, line in enumerate(lines)]


def _molecules() -> bytes:
    xml = '<ImageDocument><Metadata><CustomAttributes><LsmTag Name="PalmX">1</LsmTag></CustomAttributes></Metadata></ImageDocument>'
    return czi_bytes([Tile(noise(6, 7), {"C": 0}), Tile(noise(60, 70, seed=1), {"C": 1}, size=(6, 7))], xml)


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
    "lines scanned again and again": lambda: _lines("T"),
    "lines down a stack": lambda: _lines("Z"),
    "a stage that moves": lambda: [Tile(noise(6, 7, seed=t), {"C": 0, "T": t, "X": 3 * t, "Y": -2 * t}) for t in range(3)],
    "tiles of a stage that moves": lambda: [
        Tile(noise(6, 7, seed=2 * t + m), {"C": 0, "T": t, "M": m, "X": 3 * t + 5 * m, "Y": -2 * t}) for t in range(3) for m in range(2)
    ],
    "time goes on in the next block": lambda: [Tile(noise(6, 7, seed=t), {"C": 0, "T": t, "B": t // 2}) for t in range(4)],
    "localised molecules": _molecules,
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
    library = library_of("pylibCZIrw.czi")
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
