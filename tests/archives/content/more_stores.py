"""Stores other than idr0062's: a plate, containers of several images, what moved from a host that is gone, and a big one for measuring."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import idr0001
from .oddities import MOVED_IMAGE, MOVED_PLATE
from .seeds import Labels, Nuclei
from .zarr import ChunkedArray, Json, Packing, Pyramid, Tree, group_files, image_tree

MICROMETER = dict.fromkeys("zyx", "micrometer")
BIG = (2, 64, 2048, 2048)
TILES = 7


def stores() -> dict[str, Tree]:
    """Return each by bucket and key."""
    return {
        "idr/zarr/v0.4/idr0001A/2551.zarr": _screened(),
        "idr/zarr/v0.5/idr0051/180712_H2B_22ss_Courtney1_20180712-163837_p00_c00_preview.zarr": _tailbud(),
        "idr/zarr/v0.5/idr0033A/BR00109990_C2.zarr": _pathways(),
        MOVED_IMAGE: _moved_image(),
        MOVED_PLATE: _moved_plate(),
        "idr/zarr/invented/big.zarr": big_store(),
    }


def plate_tree(name: str, rows: int, columns: int, wells: Iterable[tuple[int, int]], field: Callable[[int, int, int], Tree], fields: int) -> Tree:
    """Return a plate; fields are made when they are asked for."""
    letters, places = [chr(65 + row) for row in range(rows)], list(wells)
    acquisitions = [{"id": run} for run in range(fields)]
    block: Json = {
        "acquisitions": acquisitions,
        "columns": [{"name": str(column + 1)} for column in range(columns)],
        "field_count": fields,
        "name": name,
        "rows": [{"name": letter} for letter in letters],
        "version": "0.4",
        "wells": [{"columnIndex": column, "path": f"{letters[row]}/{column + 1}", "rowIndex": row} for row, column in places],
    }
    there = set(places)

    @functools.cache
    def well(row: int, column: int) -> Tree | None:
        if (row, column) not in there:
            return None
        images = [{"acquisition": number, "path": str(number)} for number in range(fields)]
        inside = {str(number): field(row, column, number) for number in range(fields)}
        return Tree(group_files("0.4", {"well": {"images": images, "version": "0.4"}}), groups=inside)

    def line(letter: str) -> Tree | None:
        if letter not in letters:
            return None
        row = letters.index(letter)
        return Tree(group_files("0.4", None), grow=lambda text: well(row, int(text) - 1) if text.isascii() and text.isdigit() else None)

    return Tree(group_files("0.4", {"plate": block}), grow=line)


def _screened() -> Tree:
    """Return plate 2551: 96 wells, 6 fields, with a label map in each."""

    def field(row: int, column: int, number: int) -> Tree:
        seed = idr0001.image_id(row, column, number)
        sizes = {"c": 2, "z": 16, "y": 1040, "x": 1376}
        scale = (1.0, 1.0, 0.1077, 0.1077)
        units = dict.fromkeys("yx", "micrometer")
        image = Pyramid(Nuclei(seed, 16, 1040, 1376, 30), "czyx", sizes, scale, 5, units)
        labels = Pyramid(Labels(seed, 16, 1040, 1376, 30), "czyx", {**sizes, "c": 1}, scale, 5, units)
        return image_tree("0.4", image, (("GFP", "00FF00"), ("Cascade blue", "0000FF")), labels)

    wells = [(row, column) for row in range(idr0001.ROWS) for column in range(idr0001.COLUMNS)]
    return plate_tree("JL_120731_S6A", idr0001.ROWS, idr0001.COLUMNS, wells, field, idr0001.FIELDS)


def container(version: Any, images: list[Tree], names: list[str], ome_images: str) -> Tree:
    """Return a container in bioformats2raw's layout."""
    series = {"series": [str(number) for number in range(len(images))]}
    attributes: Json = {"bioformats2raw.layout": 3}
    head = '<?xml version="1.0" encoding="UTF-8"?><OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06">'
    ome = Tree({**group_files(version, series), "METADATA.ome.xml": f"{head}{ome_images}</OME>".encode()})
    return Tree(group_files(version, attributes), groups={"OME": ome, **dict(zip(map(str, range(len(images))), images, strict=True))})


def _ome_image(number: int, name: str, t: int, c: int, z: int, y: int, x: int, channels: list[str], spacing: str = "") -> str:
    made = "".join(f'<Channel ID="Channel:{number}:{index}" Name="{label}" SamplesPerPixel="1"/>' for index, label in enumerate(channels))
    sizes = f'SizeX="{x}" SizeY="{y}" SizeZ="{z}" SizeC="{c}" SizeT="{t}"'
    pixels = f'<Pixels ID="Pixels:{number}" DimensionOrder="XYZCT" Type="uint16" {sizes}{spacing}>{made}<MetadataOnly/></Pixels>'
    return f'<Image ID="Image:{number}" Name="{name}">{pixels}</Image>'


def _tailbud() -> Tree:
    """Return image 4007817: 79 times, no calibration."""
    sizes = {"t": 79, "c": 1, "z": 201, "y": 333, "x": 333}
    image = Pyramid(Nuclei(4007817, 201, 333, 333, 50), "tczyx", sizes, (1.0,) * 5, 2, {}, (1, 1, 1, 333, 333))
    tree = image_tree("0.5", image, (("Channel 0", "FFFFFF"),))
    name = "180712_H2B_22ss_Courtney1_20180712-163837_p00_c00_preview"
    return container("0.5", [tree], [name], _ome_image(0, name, 79, 1, 201, 333, 333, ["Channel 0"]))


def _pathways() -> Tree:
    """Return the nine fields of a well: 5 channels, of which only the first one's name is known."""
    labels = ["Nuclei", "channel 1", "channel 2", "channel 3", "channel 4"]
    colors = ("0000FF", "00FF00", "FF0000", "FFFF00", "FF00FF")
    images, xml = [], ""
    for number in range(9):
        sizes = {"c": 5, "y": 1552, "x": 2080}
        scale = (1.0, 0.3, 0.3)
        scene = Nuclei(14002892 + number, 1, 1552, 2080, 60)
        pyramid = Pyramid(scene, "cyx", sizes, scale, 4, dict.fromkeys("yx", "micrometer"), (1, 512, 512))
        images.append(image_tree("0.5", pyramid, zip(labels, colors, strict=True)))
        spacing = ' PhysicalSizeX="0.3" PhysicalSizeXUnit="µm" PhysicalSizeY="0.3" PhysicalSizeYUnit="µm"'
        xml += _ome_image(number, f"BR00109990_C2 field {number}", 1, 5, 1, 1552, 2080, labels, spacing)
    return container("0.5", images, [], xml)


def _moved_image() -> Tree:
    """Return image 4007821 of idr0051 where it went when its host was given up."""
    sizes = {"t": 3, "c": 1, "z": 12, "y": 116, "x": 108}
    image = Pyramid(Nuclei(4007821, 12, 116, 108, 12), "tczyx", sizes, (1.0,) * 5, 2)
    tree = image_tree("0.4", image, (("Channel 0", "FFFFFF"),))
    return container("0.4", [tree], ["moved"], _ome_image(0, "moved", 3, 1, 12, 116, 108, ["Channel 0"]))


def _moved_plate() -> Tree:
    """Return the plate of image 3407079 of idr0016, of which three wells are there."""

    def field(row: int, column: int, number: int) -> Tree:
        sizes = {"c": 5, "y": 520, "x": 696}
        scene = Nuclei(3407079 + 100 * row + 10 * column + number, 1, 520, 696, 25)
        pyramid = Pyramid(scene, "cyx", sizes, (1.0, 0.656, 0.656), 2, dict.fromkeys("yx", "micrometer"))
        return image_tree(
            "0.4", pyramid, [(f"channel {index}", color) for index, color in enumerate(("0000FF", "00FF00", "FF0000", "FFFF00", "FF00FF"))]
        )

    return plate_tree("24277", 16, 24, [(0, 0), (1, 6), (15, 23)], field, 2)


def big_pixels(c: int, z: int, row: int, column: int) -> int:
    """Return which of the tiles lies at a chunk of the big store."""
    return (c * 3 + z * 5 + row * 2 + column) % TILES


@functools.cache
def big_tile(number: int, width: int) -> NDArray[np.uint16]:
    """Return one of the tiles that the big store is laid with."""
    return np.random.default_rng(900 + number).integers(0, 4096, (width, width), dtype=np.uint16)


class _Laid(ChunkedArray):
    """An array of few different chunks, each compressed once."""

    def _chunk(self, index: Any) -> bytes | None:
        c, z, row, column = index
        return _packed(big_pixels(c, z, row, column), self.chunk[-1])


@functools.cache
def _packed(number: int, width: int) -> bytes:
    return Packing().encode(big_tile(number, width).reshape(1, 1, width, width))


def big_store() -> Tree:
    """Return 1 GiB of pixels (2 × 64 × 2048 × 2048, 16 bit, chunks of 512 × 512) that cost almost nothing to serve."""

    def unread(box: tuple[slice, ...]) -> NDArray[Any]:
        raise AssertionError("every chunk of this store is laid, so no pixels are computed")

    arrays: dict[str, ChunkedArray] = {}
    for level in range(3):
        shape = (*BIG[:2], BIG[2] >> level, BIG[3] >> level)
        arrays[str(level)] = _Laid(shape, (1, 1, 512, 512), np.dtype("<u2"), unread)
    sizes = dict(zip("czyx", BIG, strict=True))
    described = Pyramid(Nuclei(1, 1, 1, 1), "czyx", sizes, (1.0, 0.5, 0.2, 0.2), 3, MICROMETER)
    files = image_tree("0.4", described, (("one", "00FF00"), ("two", "FF00FF"))).files
    return Tree(files, arrays)
