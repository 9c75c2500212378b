"""TIFF, OME-TIFF and ImageJ files."""

from __future__ import annotations

import io
from itertools import product
from typing import Any, Literal

import numpy as np

from .czi_files import draw_stack
from .drawing import Array, cells, colours, half, stack
from .ome_documents import BLUE, DAPI, GFP, GREEN, cells_xml, ome_xml, pixels_xml, tag, urn


def tiff(pages: list[Array], description: bytes | None, *, byteorder: Literal["<", ">"] = "<", levels: int = 0, **options: Any) -> bytes:
    """A TIFF of these pages, each with its smaller levels in SubIFDs where `levels` are asked for."""
    from tifffile import TiffWriter

    buffer = io.BytesIO()
    with TiffWriter(buffer, byteorder=byteorder) as writer:
        common: dict[str, Any] = {"photometric": "minisblack", "metadata": None, "software": False, **options}
        for number, page in enumerate(pages):
            writer.write(page, description=description if number == 0 else None, subifds=levels or None, **common)
            smaller = page
            for _ in range(levels):
                smaller = half(smaller)
                writer.write(smaller, subfiletype=1, **common)
    return buffer.getvalue()


PACKED = {"compression": "zlib", "predictor": True}


def cells_ome_tiff() -> bytes:
    """Two channels, three z; the file to try things with."""
    image, _ = stack()
    return tiff([*image.reshape(6, 96, 128)], cells_xml(), **PACKED)


def two_series() -> bytes:
    """Two series of unlike shape, type and name; the second is a time series whose name is no file name."""
    nuclei, bodies, _ = cells(1, 80, 64, seed=2, spacing=20)
    overview = [(plane[0] // 16).astype(np.uint8) for plane in (nuclei, bodies)]
    detail = np.concatenate([cells(2, 48, 56, seed=seed, spacing=24)[0] for seed in (3, 4)])
    blocks = [tag("TiffData", {"IFD": first, "PlaneCount": count}) for first, count in ((0, 2), (2, 4))]
    series = tag("Image", {"ID": "Image:0", "Name": "Overview"}, pixels_xml(0, {"X": 64, "Y": 80, "C": 2}, "u1", [DAPI, GFP], blocks=blocks[0]))
    physical = {"PhysicalSizeX": 108.3, "PhysicalSizeXUnit": "nm", "PhysicalSizeY": 108.3, "PhysicalSizeYUnit": "nm"}
    physical |= {"PhysicalSizeZ": 0.4, "TimeIncrement": 30}
    sizes = {"X": 56, "Y": 48, "Z": 2, "T": 2}
    series += tag("Image", {"ID": "Image:1", "Name": "Détail 2/µ-dish"}, pixels_xml(1, sizes, "u2", [DAPI], physical=physical, blocks=blocks[1]))
    return tiff([*overview, *detail], ome_xml(series, urn("two_series.ome.tiff")), **PACKED)


def copy_of_the_czi() -> bytes:
    """The pixels and the facts of `stack.czi`, and nothing else."""
    (image,) = draw_stack()
    size_t, size_c, size_z, height, width = image.pixels.shape
    channels = [{"Name": name, "Color": color} for name, color in zip(image.channels, (BLUE, GREEN), strict=True)]
    physical = {f"PhysicalSize{axis}": size for axis, size in zip("XYZ", image.pixel_size, strict=True)}
    sizes = {"X": width, "Y": height, "Z": size_z, "C": size_c, "T": size_t}
    pixels = pixels_xml(0, sizes, "u2", channels, physical=physical)
    text = ome_xml(tag("Image", {"ID": "Image:0", "Name": "stack"}, pixels), urn("stack_copy.ome.tiff"))
    return tiff([*image.pixels.reshape(-1, height, width)], text, **PACKED)


def pyramid() -> bytes:
    """Two channels of odd size, tiled, with two smaller levels in SubIFDs."""
    nuclei, bodies, _ = cells(1, 201, 263, seed=5)
    pixels = pixels_xml(0, {"X": 263, "Y": 201, "C": 2}, "u2", [DAPI, GFP])
    text = ome_xml(tag("Image", {"ID": "Image:0", "Name": "pyramid"}, pixels), urn("pyramid.ome.tiff"))
    return tiff([nuclei[0], bodies[0]], text, levels=2, tile=(64, 64), **PACKED)


def big_endian() -> bytes:
    """Signed 16-bit, big-endian, five dimensions in an order that is not the usual one."""
    frames = [np.stack(cells(3, 24, 32, seed=seed, spacing=12)[:2]) for seed in (6, 7)]
    image = np.stack(frames).astype(np.int64) - 1000
    planes = image.transpose(2, 0, 1, 3, 4).reshape(12, 24, 32).astype(">i2")
    sizes = {"X": 32, "Y": 24, "Z": 3, "C": 2, "T": 2}
    pixels = pixels_xml(0, sizes, "i2", [DAPI, GFP], order="XYCTZ", big_endian=True)
    text = ome_xml(tag("Image", {"ID": "Image:0", "Name": "big endian"}, pixels), urn("big_endian.ome.tiff"))
    return tiff([*planes], text, byteorder=">")


def colour_ome_tiff() -> bytes:
    """One RGB plane whose samples are one channel of three."""
    pixels = pixels_xml(0, {"X": 64, "Y": 48, "C": 3}, "u1", [{"Name": "H&E"}], samples=3)
    text = ome_xml(tag("Image", {"ID": "Image:0", "Name": "section"}, pixels), urn("rgb.ome.tiff"))
    return tiff([colours(48, 64, 8)], text, **{**PACKED, "photometric": "rgb", "planarconfig": "contig"})


def float_ome_tiff() -> bytes:
    """32-bit floats with values that must survive: negative zero, infinity, not-a-number, subnormal."""
    image = (cells(1, 40, 50, seed=9, spacing=20)[0][0].astype(np.float32) - 500) / 64
    image[0, :5] = [-0.0, np.inf, -np.inf, np.nan, 1e-42]
    pixels = pixels_xml(0, {"X": 50, "Y": 40}, "f4", [{"Name": "phase"}])
    text = ome_xml(tag("Image", {"ID": "Image:0", "Name": "float"}, pixels), urn("float.ome.tiff"))
    return tiff([image], text, compression="zlib")


def imagej_stack() -> bytes:
    """A hyperstack as ImageJ saves it: two time points, three slices, two channels."""
    from tifffile import imwrite

    image = np.stack([np.stack(cells(3, 48, 64, seed=seed, spacing=20)[:2], axis=1) for seed in (10, 11)])
    metadata = {
        "axes": "TZCYX",
        "spacing": 0.5,
        "unit": "micron",
        "finterval": 2.5,
        "mode": "composite",
        "Ranges": (100.0, 3000.0, 100.0, 2500.0),
        "LUTs": [np.outer(mask, np.arange(256)).astype(np.uint8) for mask in ((0, 0, 1), (0, 1, 0))],
        "Labels": [f"t{t} z{z} c{c}" for t, z, c in product(range(2), range(3), range(2))],
    }
    buffer = io.BytesIO()
    imwrite(buffer, image, imagej=True, resolution=(5.0, 5.0), metadata=metadata)
    return buffer.getvalue()


def wrong_metadata() -> bytes:
    """Sound pixels under wrong metadata: no pixel size in x and y, a z step of 5 mm, a dangling reference, one channel too few."""
    nuclei, bodies, _ = cells(1, 32, 40, seed=12, spacing=16)
    planes = [nuclei[0], bodies[0], half(bodies[0]).repeat(2, 0).repeat(2, 1)]
    physical = {"PhysicalSizeZ": 5, "PhysicalSizeZUnit": "mm"}
    pixels = pixels_xml(0, {"X": 40, "Y": 32, "C": 3}, "u2", [{}, {}], physical=physical)
    text = ome_xml(tag("Image", {"ID": "Image:0", "Name": "wrong"}, '<InstrumentRef ID="Instrument:7"/>' + pixels), urn("wrong_metadata.ome.tiff"))
    return tiff(planes, text, **PACKED)


def companion_set() -> dict[str, bytes]:
    """Three TIFFs of one z each, and the file that holds the metadata of all three."""
    nuclei, _, _ = cells(3, 40, 48, seed=13, spacing=20)
    names = [f"multifile_z{z}.ome.tiff" for z in range(3)]
    blocks = "".join(
        tag("TiffData", {"IFD": 0, "FirstZ": z, "PlaneCount": 1}, f'<UUID FileName="{name}">{urn(name)}</UUID>') for z, name in enumerate(names)
    )
    pixels = pixels_xml(0, {"X": 48, "Y": 40, "Z": 3}, "u2", [DAPI], blocks=blocks)
    master = "multifile.companion.ome"
    files = {master: ome_xml(tag("Image", {"ID": "Image:0", "Name": "multifile"}, pixels), urn(master))}
    for name, plane in zip(names, nuclei, strict=True):
        pointer = ome_xml(tag("BinaryOnly", {"MetadataFile": master, "UUID": urn(master)}), urn(name))
        files[name] = tiff([plane], pointer, **PACKED)
    return files


def plain_tiff() -> bytes:
    """Four pages and not a word about them."""
    nuclei, _, _ = cells(4, 40, 56, seed=14, spacing=18)
    return tiff([*(nuclei // 16).astype(np.uint8)], None)


def white_is_zero() -> bytes:
    """A page whose zero means white."""
    return tiff([(cells(1, 24, 32, seed=15, spacing=12)[0][0] // 16).astype(np.uint8)], None, photometric="miniswhite")


def truncated() -> bytes:
    """A stack cut off in the middle of its pixels, as an interrupted upload leaves it."""
    image, _ = stack()
    whole = tiff([*image.reshape(6, 96, 128)], None)
    return whole[: len(whole) * 6 // 10]
