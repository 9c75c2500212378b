"""The vendors' files that are generated into test-data/, by three witnesses: what was drawn, Bio-Formats, and our own reader.

Bio-Formats says that they are what a microscope's program could have written; the drawing, that nobody turned or shifted a pixel.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lightmicroscopy.image import Image, Quantity
from scripts.test_data import vendor_files
from scripts.test_data.drawn import Drawn
from scripts.test_data.lif_parts import Made, lif

from ..needs import missing
from . import bioformats
from .accepted import accepted
from .bioformats import Seen, SeenSeries, plane_crcs
from .workshop import crcs, open_image

DATA = Path(__file__).resolve().parents[2] / "test-data"
NAMES = sorted(vendor_files.FILES)
FORMATS = {
    "mosaic.czi": "Zeiss CZI",
    "stack.czi": "Zeiss CZI",
    "project.lif": "Leica Image File Format",
    "dataset_1.dat": "Leica Image File Format",
    "positions.nd2": "Nikon ND2",
    "padded.ims": "Bitplane Imaris 5.5 (HDF)",
}


@pytest.fixture(scope="module")
def drawn() -> Mapping[str, tuple[Drawn, ...]]:
    """What the files were made from."""
    return vendor_files.drawings()


@pytest.fixture(scope="module")
def seen() -> Mapping[str, Seen]:
    """The files as Bio-Formats sees them."""
    return {path.name: file for path, file in bioformats.look(DATA / name for name in NAMES).items()}


def planes(pixels: np.ndarray[Any, Any]) -> tuple[int, ...]:
    """CRCs of the planes of T C Z Y X."""
    return plane_crcs(pixels[..., np.newaxis])


@pytest.mark.parametrize("name", NAMES)
def test_bio_formats_reads_the_format_we_meant_to_write(name: str, seen: Mapping[str, Seen]) -> None:
    assert (seen[name].format, seen[name].error) == (FORMATS[name], None)


@pytest.mark.parametrize("name", NAMES)
def test_bio_formats_and_our_reader_find_every_plane_that_was_drawn(
    name: str, drawn: Mapping[str, tuple[Drawn, ...]], seen: Mapping[str, Seen]
) -> None:
    shapes = [(*image.pixels.shape, 1) for image in drawn[name]]
    expected = [[planes(level) for level in (image.pixels, *image.smaller)] for image in drawn[name]]
    assert [series.shape for series in seen[name].series] == shapes
    assert [series.type for series in seen[name].series] == [image.pixels.dtype.name for image in drawn[name]]
    assert [[level.crc for level in series.levels] for series in seen[name].series] == expected
    with open_image(DATA / name) as dataset:
        assert [tuple(image.shape) for image in dataset.images] == shapes
        assert [image.dtype for image in dataset.images] == [image.pixels.dtype for image in drawn[name]]
        assert [[crcs(image, level) for level in range(len(image.levels))] for image in dataset.images] == expected


DRAWN: dict[str, Callable[[Drawn], Any]] = {
    "name": lambda image: image.name,
    "channel_names": lambda image: list(image.channels),
    **{f"pixel_size_{axis}_um": lambda image, number=number: image.pixel_size[number] for number, axis in enumerate("xyz")},  # type: ignore[misc]
}
OURS: dict[str, Callable[[Image], Any]] = {
    "name": lambda image: image.name,
    "channel_names": lambda image: [channel.name for channel in image.metadata.channels],
    **{f"pixel_size_{axis}_um": lambda image, axis=axis: micrometres(getattr(image.metadata, f"pixel_size_{axis}")) for axis in "xyz"},  # type: ignore[misc]
}


def micrometres(size: Quantity | None) -> float | None:
    """A size in micrometres, with the nine digits that are compared."""
    assert size is None or size.unit == "µm"
    return size and float(f"{size.value:.9g}")


def theirs(series: SeenSeries, field: str) -> Any:
    """A field as Bio-Formats gives it."""
    return series.metadata[field]


@pytest.mark.parametrize("field", DRAWN)
@pytest.mark.parametrize("name", NAMES)
def test_our_reader_says_what_was_drawn(name: str, field: str, drawn: Mapping[str, tuple[Drawn, ...]]) -> None:
    with open_image(DATA / name) as dataset:
        found = [OURS[field](image) for image in dataset.images]
    expected = [DRAWN[field](image) for image in drawn[name]]
    if field == "name" and expected == [None]:
        expected = [Path(name).stem]
    assert found == expected


@pytest.mark.parametrize("field", DRAWN)
@pytest.mark.parametrize("name", NAMES)
def test_bio_formats_says_what_was_drawn_unless_a_row_says_why_not(
    name: str, field: str, drawn: Mapping[str, tuple[Drawn, ...]], seen: Mapping[str, Seen]
) -> None:
    same = [theirs(series, field) for series in seen[name].series] == [DRAWN[field](image) for image in drawn[name]]
    assert same is (accepted(name, field) is None)


def test_a_plane_in_the_wrong_place_would_be_seen(tmp_path: Path, drawn: Mapping[str, tuple[Drawn, ...]]) -> None:
    """What makes the equality above worth something: two channels the other way round are another file to Bio-Formats."""
    right = drawn["project.lif"][0].pixels
    path = tmp_path / "swapped.lif"
    stored = right[:, ::-1].swapaxes(1, 2).tobytes()
    path.write_bytes(lif([Made("a", [(1, 64), (2, 48), (3, 3)], luts=("Red", "Green"), dtype="uint16", stored=stored)]))
    (series,) = bioformats.look([path])[path].series
    assert series.levels[0].crc != planes(right)
    assert series.levels[0].crc == planes(right[:, ::-1])


def test_libczi_reads_back_the_tiles_it_wrote(drawn: Mapping[str, tuple[Drawn, ...]]) -> None:
    """The identifiers that are put into the files afterwards do no harm."""
    try:
        from pylibCZIrw import czi
    except ImportError:
        missing("pylibCZIrw is not installed")
    with czi.open_czi(str(DATA / "stack.czi")) as document:
        (image,) = drawn["stack.czi"]
        for t, c, z in np.ndindex(image.pixels.shape[:3]):
            assert np.array_equal(document.read(plane={"T": t, "C": c, "Z": z})[..., 0], image.pixels[t, c, z])
    with czi.open_czi(str(DATA / "mosaic.czi")) as document:
        boxes = document.scenes_bounding_rectangle
        for scene, image in enumerate(drawn["mosaic.czi"]):
            assert np.array_equal(document.read(roi=tuple(boxes[scene]), scene=scene)[..., 0], image.pixels[0, 0, 0])


def test_an_imaris_stack_is_stored_with_padding_that_is_no_pixel(drawn: Mapping[str, tuple[Drawn, ...]]) -> None:
    import h5py

    (image,) = drawn["padded.ims"]
    with h5py.File(DATA / "padded.ims", "r") as file:
        stored = file["DataSet/ResolutionLevel 0/TimePoint 0/Channel 1/Data"][()]
    depth, height, width = image.pixels.shape[2:]
    assert stored.shape == (4, 64, 96)
    assert np.array_equal(stored[:depth, :height, :width], image.pixels[0, 1])
    assert np.all(stored[depth:] == 7)
