#!/usr/bin/env python3
"""Make every file in ``test-data/``: the same bytes on every run and every machine.

The files are written with tifffile, imagecodecs, Pillow, plain JSON and plain bytes, and never with this suite's own
readers and writers, so that they can show these to be wrong. Pixels are computed with integers only, since
floating-point results differ between processors.

Usage: ``python scripts/make_test_data.py [--output test-data]``
"""

from __future__ import annotations

import argparse
import io
import json
import struct
import sys
import uuid
import zipfile
import zlib
from itertools import product
from pathlib import Path
from typing import Any, Literal
from xml.sax.saxutils import quoteattr

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Encoded = tuple[str, bytes]

OME_NAMESPACE = "http://www.openmicroscopy.org/Schemas/OME/2016-06"
PIXEL_TYPES = {"u1": "uint8", "i1": "int8", "u2": "uint16", "i2": "int16", "u4": "uint32", "f4": "float"}
ROTATIONS = ((5, 0), (4, 3), (3, 4), (0, 5), (4, -3), (3, -4))
"""Five times the cosine and sine of angles where both are whole numbers."""
BLUE, GREEN, MAGENTA = 0x0000FFFF, 0x00FF00FF, -16711681
DAPI = {"Name": "DAPI", "Fluor": "DAPI", "ExcitationWavelength": 358, "EmissionWavelength": 461, "Color": BLUE}
GFP = {"Name": "GFP", "Fluor": "EGFP", "ExcitationWavelength": 488, "EmissionWavelength": 509, "Color": GREEN}
PIXEL_SIZE, STEP = 0.325, 1.0


# Pixels


def cells(depth: int, height: int, width: int, seed: int, spacing: int = 30) -> tuple[Array, Array, Array]:
    """Nuclei and the cells around them, as a camera would see them, and the label map of the nuclei.

    Returns
    -------
    nuclei, cytoplasm, labels : uint16 arrays of shape (depth, height, width)
        Intensities stay below 4096 (12 bits).
    """
    random = np.random.default_rng(seed)
    z, y, x = np.indices((depth, height, width), dtype=np.int64)
    nuclei = np.zeros(z.shape, np.int64)
    bodies = np.zeros(z.shape, np.int64)
    labels = np.zeros(z.shape, np.uint16)
    places = product(range(spacing // 2, height + spacing // 3, spacing), range(spacing // 2, width + spacing // 3, spacing))
    for number, (row, column) in enumerate(places, 1):
        dy, dx = (int(value) for value in random.integers(-spacing // 5, spacing // 5 + 1, 2))
        cosine, sine = ROTATIONS[int(random.integers(len(ROTATIONS)))]
        long, short = int(random.integers(spacing // 4, spacing // 3 + 1)), int(random.integers(spacing // 6, spacing // 4 + 1))
        bright, expressed = int(random.integers(1400, 3000)), int(random.integers(150, 2600))
        along = (cosine * (x - column - dx) + sine * (y - row - dy)) * 200
        across = (cosine * (y - row - dy) - sine * (x - column - dx)) * 200
        height_term = 1000 * (2 * z - depth + 1) ** 2 // (depth + 1) ** 2
        inside = (along // long) ** 2 // 1000 + (across // short) ** 2 // 1000 + height_term
        around = (along // (2 * long)) ** 2 // 1000 + (across // (2 * short)) ** 2 // 1000 + height_term
        nuclei = np.maximum(nuclei, bright * np.clip(2 * (1000 - inside), 0, 1000) // 1000)
        bodies = np.maximum(bodies, expressed * np.clip(1000 - around, 0, 1000) // 1000 * np.where(inside < 1000, 2, 3) // 3)
        labels[(inside < 800) & (labels == 0)] = number
    granules = random.integers(0, 100, z.shape)
    nuclei = blur(nuclei * (70 + blur(granules) * 60 // 100) // 100)
    bodies = blur(bodies * (40 + blur(granules[:, ::-1, ::-1]) * 120 // 100) // 100)
    seen = [(100 + image + random.integers(0, 16, z.shape)).astype(np.uint16) for image in (nuclei, bodies)]
    return seen[0], seen[1], labels


def blur(image: Array) -> Array:
    """Integer mean over 3 x 3 pixels of every plane."""
    padded = np.pad(image, ((0, 0), (1, 1), (1, 1)), mode="edge")
    height, width = image.shape[1:]
    return sum(padded[:, dy : dy + height, dx : dx + width] for dy, dx in product(range(3), range(3))) // 9  # type: ignore[return-value]


def half(image: Array, label: bool = False) -> Array:
    """Next pyramid level: 2 x 2 means (rounded half up) over the last two axes, or every second pixel of a label map."""
    if label:
        return image[..., ::2, ::2]
    edges = [(0, 0)] * (image.ndim - 2) + [(0, size % 2) for size in image.shape[-2:]]
    wide = np.pad(image, edges, mode="edge").astype(np.uint32)
    return ((wide[..., ::2, ::2] + wide[..., 1::2, ::2] + wide[..., ::2, 1::2] + wide[..., 1::2, 1::2] + 2) // 4).astype(image.dtype)


def stack() -> tuple[Array, Array]:
    """The image most of the files hold: (C=2, Z=3, Y=96, X=128) uint16, and its label map (Z, Y, X)."""
    nuclei, bodies, labels = cells(3, 96, 128, seed=1)
    return np.stack([nuclei, bodies]), labels


def colours(height: int, width: int, seed: int) -> Array:
    """A stained section: dark violet nuclei on pink, (Y, X, 3) uint8."""
    nuclei, bodies, _ = (image[0].astype(np.int64) for image in cells(1, height, width, seed, 24))
    red = 235 - nuclei // 20 - bodies // 60
    green = 205 - nuclei // 17 - bodies // 24
    blue = 225 - nuclei // 40 - bodies // 50
    return np.clip(np.stack([red, green, blue], axis=-1), 0, 255).astype(np.uint8)


# OME-XML


def tag(element: str, attributes: dict[str, Any], content: str = "") -> str:
    """One XML element."""
    text = "".join(f" {key}={quoteattr(str(value))}" for key, value in attributes.items() if value is not None)
    return f"<{element}{text}>{content}</{element}>" if content else f"<{element}{text}/>"


def pixels_xml(
    index: int,
    sizes: dict[str, int],
    dtype: str,
    channels: list[dict[str, Any]],
    *,
    order: str = "XYZCT",
    physical: dict[str, Any] | None = None,
    blocks: str = "<TiffData/>",
    big_endian: bool = False,
    samples: int = 1,
    planes: str = "",
) -> str:
    """The ``Pixels`` element of one series."""
    size = {f"Size{axis}": sizes.get(axis, 1) for axis in "XYZCT"}
    if physical is None:
        physical = {"PhysicalSizeX": PIXEL_SIZE, "PhysicalSizeY": PIXEL_SIZE, "PhysicalSizeZ": STEP if sizes.get("Z", 1) > 1 else None}
    attributes = {"ID": f"Pixels:{index}", "DimensionOrder": order, "Type": PIXEL_TYPES[dtype], "BigEndian": str(big_endian).lower()}
    if samples > 1:
        attributes["Interleaved"] = "true"
    numbered = [{"ID": f"Channel:{index}:{number}", "SamplesPerPixel": samples, **channel} for number, channel in enumerate(channels)]
    described = "".join(tag("Channel", channel) for channel in numbered)
    return tag("Pixels", {**attributes, **size, **physical}, described + blocks + planes)


def ome_xml(body: str, identifier: str | None = None) -> bytes:
    """A whole OME-XML document.

    In UTF-8, as Bio-Formats writes it: that reads a character reference such as ``&#181;`` as `` #181;``.
    """
    root = {
        "xmlns": OME_NAMESPACE,
        "xmlns:xsi": "http://www.w3.org/2001/XMLSchema-instance",
        "xsi:schemaLocation": f"{OME_NAMESPACE} {OME_NAMESPACE}/ome.xsd",
        "Creator": "make_test_data.py",
        "UUID": identifier,
    }
    return ('<?xml version="1.0" encoding="UTF-8"?>' + tag("OME", root, body)).encode()


def urn(name: str) -> str:
    """The same UUID for the same name, each time."""
    return f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, f'light-microscopy-test-data/{name}')}"


INSTRUMENT = tag(
    "Instrument",
    {"ID": "Instrument:0"},
    tag("Microscope", {"Type": "Inverted", "Manufacturer": "Example Optics", "Model": "Model 1"})
    + tag("Detector", {"ID": "Detector:0", "Type": "CMOS", "Manufacturer": "Example Cameras", "Model": "C1"})
    + tag(
        "Objective",
        {
            "ID": "Objective:0",
            "Manufacturer": "Example Optics",
            "Model": "Plan 20x/0.8",
            "Correction": "PlanApo",
            "Immersion": "Air",
            "LensNA": 0.8,
            "NominalMagnification": 20,
        },
    ),
)


def cells_xml(blocks: str = "<TiffData/>") -> bytes:
    """Everything `cells.ome.tiff` says about itself."""
    channels = [{**DAPI, "AcquisitionMode": "WideField"}, {**GFP, "AcquisitionMode": "WideField"}]
    planes = "".join(
        tag(
            "Plane",
            {
                "TheZ": z,
                "TheT": 0,
                "TheC": c,
                "DeltaT": f"{c * 3 * 0.25 + z * 0.25}",
                "ExposureTime": (0.05, 0.2)[c],
                "PositionX": 1200.5,
                "PositionY": -340.25,
                "PositionZ": 50 + z,
            },
        )
        for c, z in product(range(2), range(3))
    )
    image = (
        "<AcquisitionDate>2026-03-02T10:15:00</AcquisitionDate><Description>Drawn cells: nuclei (DAPI) and cytoplasm (GFP).</Description>"
        '<InstrumentRef ID="Instrument:0"/><ObjectiveSettings ID="Objective:0" Medium="Air" RefractiveIndex="1.0"/>'
        + pixels_xml(0, {"X": 128, "Y": 96, "Z": 3, "C": 2}, "u2", channels, blocks=blocks, planes=planes)
        + '<ROIRef ID="ROI:0"/><AnnotationRef ID="Annotation:0"/>'
    )
    notes = (
        '<StructuredAnnotations><MapAnnotation ID="Annotation:0" Namespace="openmicroscopy.org/omero/client/mapAnnotation">'
        '<Value><M K="Cell line">drawn</M><M K="Treatment">none</M></Value></MapAnnotation></StructuredAnnotations>'
        '<ROI ID="ROI:0" Name="field centre"><Union><Rectangle ID="Shape:0" X="40" Y="30" Width="48" Height="36" TheZ="1"/></Union></ROI>'
    )
    return ome_xml(INSTRUMENT + tag("Image", {"ID": "Image:0", "Name": "cells"}, image) + notes, urn("cells.ome.tiff"))


# TIFF


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


# LSM, after the published layout of the CZ_LSMINFO structure (Zeiss, LSM 4.0 image file description)


def lsm() -> bytes:
    """A confocal stack as a Zeiss LSM 510 stores it: T2 Z2 C3, 12 bits in uint16, each plane followed by its thumbnail.

    Three channels, since readers disagree on where a two-channel file keeps its two values of BitsPerSample.
    """
    frames = [cells(2, 30, 40, seed=seed, spacing=16)[:2] for seed in (16, 17)]
    frames = [np.stack([nuclei, bodies, 3800 - nuclei // 2 - bodies // 3]) for nuclei, bodies in frames]
    planes = [frame[:, z] for frame in frames for z in range(2)]
    data = bytearray(struct.pack("<2sHI", b"II", 42, 8))
    info_size = 512
    for number, plane in enumerate(planes):
        small = (plane[:, ::5, ::4] // 16).astype(np.uint8)
        info = (34412, 1, info_size) if number == 0 else None
        _lsm_directory(data, plane, 16, 0, info, last=False)
        _lsm_directory(data, small, 8, 1, None, last=number == len(planes) - 1)
    at = data.index(b"LSM-INFO")
    data[at : at + info_size] = _lsm_info(data, info_size)
    return bytes(data)


def _lsm_directory(data: bytearray, planes: Array, bits: int, subfile: int, info: tuple[int, int, int] | None, last: bool) -> None:
    """Append one directory with its values and strips: samples in separate planes, one strip each."""
    count, height, width = planes.shape
    entries = 11 + (info is not None)
    start = len(data)
    values = start + 2 + 12 * entries + 4
    extra = bytearray()

    def outside(content: bytes) -> int:
        offset = values + len(extra)
        extra.extend(content)
        return offset

    depth = outside(struct.pack(f"<{count}H", *[bits] * count))
    info_at = outside(b"LSM-INFO".ljust(info[2], b"\0")) if info else 0
    counts = outside(struct.pack(f"<{count}I", *[height * width * bits // 8] * count))
    offsets = outside(bytes(4 * count))
    strips = values + len(extra)
    struct.pack_into(f"<{count}I", extra, offsets - values, *[strips + number * height * width * bits // 8 for number in range(count)])
    fields = [
        (254, 4, 1, subfile),
        (256, 4, 1, width),
        (257, 4, 1, height),
        (258, 3, count, depth),
        (259, 3, 1, 1),
        (262, 3, 1, 2 if subfile else 1),
        (273, 4, count, offsets),
        (277, 3, 1, count),
        (278, 4, 1, height),
        (279, 4, count, counts),
        (284, 3, 1, 2),
    ]
    if info:
        fields.append((*info, info_at))
    pixels = planes.astype("<u2" if bits == 16 else "u1").tobytes()
    following = 0 if last else strips + len(pixels)
    data += struct.pack("<H", entries) + b"".join(struct.pack("<HHII", *field) for field in fields) + struct.pack("<I", following)
    data += extra + pixels


def _lsm_info(data: bytearray, size: int) -> bytes:
    """The CZ_LSMINFO structure; what it points to is appended to the file."""
    names = [b"Ch1-T1", b"Ch2-T2", b"ChD-T1"]
    listed = b"".join(struct.pack("<I", len(name) + 1) + name + b"\0" for name in names)
    palette = struct.pack("<6I", 24 + 12 + len(listed), 3, 3, 24, 36, 0) + bytes((0, 0, 255, 0, 0, 255, 0, 0, 255, 255, 255, 0)) + listed
    times = struct.pack("<2i2d", 24, 2, 100.0, 105.5)
    scan = struct.pack("<3I", 0x10000000, 0, 0)
    for entry, kind, value in ((0x10000001, 2, b"drawn cells\0"), (0x10000004, 2, b"Plan-Apochromat 40x/1.3 Oil\0")):
        scan += struct.pack("<3I", entry, kind, len(value)) + value
    scan += struct.pack("<3I", 0xFFFFFFFF, 0, 0)
    places = []
    for block in (palette, scan, times):
        places.append(len(data))
        data += block
    info = struct.pack("<I8i", 0x00400494C, size, 40, 30, 2, 3, 2, 2, 10) + struct.pack("<i6d", 6, 2e-7, 2e-7, 5e-7, 0.0, 0.0, 0.0)
    info += struct.pack("<HHI", 6, 0, 0) + struct.pack("<4I", 0, 0, 0, places[0]) + struct.pack("<d", 5.5)
    info += struct.pack("<8I", 0, places[1], 0, places[2], 0, 0, 0, 0) + struct.pack("<4d", 1.0, 1.0, 2.5, 1.0)
    return info.ljust(size, b"\0")


# PNG and JPEG


def png(image: Array) -> bytes:
    """A PNG of (Y, X) or (Y, X, 3), uint8 or uint16."""
    height, width = image.shape[:2]
    rows = b"".join(b"\0" + row.astype(image.dtype.newbyteorder(">")).tobytes() for row in image)
    header = struct.pack(">2I5B", width, height, image.dtype.itemsize * 8, 2 if image.ndim > 2 else 0, 0, 0, 0)
    blocks = ((b"IHDR", header), (b"IDAT", _deflate(rows)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content)) for kind, content in blocks
    )


def _deflate(content: bytes) -> bytes:
    """Zlib-format compression by libdeflate, whose output does not depend on the processor."""
    import imagecodecs

    return bytes(imagecodecs.deflate_encode(content, level=6))


def photo() -> bytes:
    """A JPEG from a camera held sideways: its EXIF orientation says to turn it."""
    from PIL import Image

    picture = Image.fromarray(colours(60, 80, 18))
    exif = Image.Exif()
    exif[0x0112] = 6
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=90, subsampling=0, exif=exif)
    return buffer.getvalue()


# OME-Zarr


def dumps(value: dict[str, Any]) -> bytes:
    """JSON as people read it."""
    return json.dumps(value, indent=2, ensure_ascii=False).encode()


V2_COMPRESSORS: dict[str, dict[str, Any]] = {
    "0.1": {"id": "zlib", "level": 6},
    "0.2": {"id": "blosc", "cname": "lz4", "clevel": 3, "shuffle": 2, "blocksize": 0},
    "0.3": {"id": "zstd", "level": 3},
    "0.4": {"id": "blosc", "cname": "zstd", "clevel": 3, "shuffle": 1, "blocksize": 0},
}


def encode_v2(chunk: Array, compressor: dict[str, Any]) -> bytes:
    """One chunk as its ``.zarray`` says."""
    import imagecodecs

    raw = np.ascontiguousarray(chunk).tobytes()
    if compressor["id"] == "zlib":
        return _deflate(raw)
    if compressor["id"] == "zstd":
        return bytes(imagecodecs.zstd_encode(raw, level=compressor["level"]))
    inner, shuffle = compressor["cname"], compressor["shuffle"]
    size, level = chunk.dtype.itemsize, compressor["clevel"]
    return bytes(imagecodecs.blosc_encode(raw, level=level, compressor=inner, shuffle=shuffle, typesize=size, numthreads=1))


def chunks(array: Array, shape: tuple[int, ...]) -> list[tuple[tuple[int, ...], Array]]:
    """The chunks of an array by their grid index, padded with zeros to the full chunk."""
    cut = []
    for index in product(*(range(-(-size // chunk)) for size, chunk in zip(array.shape, shape, strict=True))):
        part = array[tuple(slice(i * chunk, (i + 1) * chunk) for i, chunk in zip(index, shape, strict=True))]
        cut.append((index, np.pad(part, [(0, chunk - size) for size, chunk in zip(part.shape, shape, strict=True)])))
    return cut


def array_v2(path: str, array: Array, version: str) -> list[Encoded]:
    """One Zarr v2 array with one chunk per 64 x 64 pixels."""
    separator = "." if version == "0.1" else "/"
    shape = (1,) * (array.ndim - 2) + (64, 64)
    compressor = V2_COMPRESSORS[version]
    header = {
        "zarr_format": 2,
        "shape": list(array.shape),
        "chunks": list(shape),
        "dtype": array.dtype.newbyteorder("<").str,
        "compressor": compressor,
        "fill_value": 0,
        "order": "C",
        "filters": None,
        "dimension_separator": separator,
    }
    stored = [(f"{path}/.zarray", dumps(header))]
    return stored + [(f"{path}/{separator.join(map(str, index))}", encode_v2(chunk, compressor)) for index, chunk in chunks(array, shape)]


def array_v3(path: str, array: Array, *, sharded: bool = False) -> list[Encoded]:
    """One Zarr v3 array with one chunk per 64 x 64 pixels; `sharded` puts the chunks of a plane into one file."""
    import imagecodecs

    inner = (1,) * (array.ndim - 2) + (64, 64)
    outer = (1,) * (array.ndim - 2) + tuple(-(-size // 64) * 64 for size in array.shape[-2:])
    codecs: list[dict[str, Any]] = [
        {"name": "bytes", "configuration": {"endian": "little"}},
        {"name": "zstd", "configuration": {"level": 3, "checksum": False}},
    ]
    index_codecs = [codecs[0], {"name": "crc32c"}]
    sharding = {"chunk_shape": list(inner), "codecs": codecs, "index_codecs": index_codecs, "index_location": "end"}
    header = {
        "zarr_format": 3,
        "node_type": "array",
        "shape": list(array.shape),
        "data_type": array.dtype.name,
        "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": list(outer if sharded else inner)}},
        "chunk_key_encoding": {"name": "default", "configuration": {"separator": "/"}},
        "fill_value": 0,
        "codecs": [{"name": "sharding_indexed", "configuration": sharding}] if sharded else codecs,
        "attributes": {},
        "dimension_names": list("tczyx"[-array.ndim :]),
    }
    stored = [(f"{path}/zarr.json", dumps(header))]
    for index, block in chunks(array, outer if sharded else inner):
        encoded = [bytes(imagecodecs.zstd_encode(np.ascontiguousarray(part).tobytes(), level=3)) for _, part in chunks(block, inner)]
        name = f"{path}/c/{'/'.join(map(str, index))}"
        if not sharded:
            stored.append((name, encoded[0]))
            continue
        starts = np.cumsum([0, *map(len, encoded)])
        table = b"".join(struct.pack("<QQ", int(start), len(part)) for start, part in zip(starts, encoded, strict=False))
        stored.append((name, b"".join(encoded) + table + struct.pack("<I", crc32c(table))))
    return stored


def crc32c(content: bytes) -> int:
    """CRC-32 with the Castagnoli polynomial (RFC 3720, appendix B.4)."""
    crc = 0xFFFFFFFF
    for byte in content:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


AXES = [
    {"name": "t", "type": "time"},
    {"name": "c", "type": "channel"},
    {"name": "z", "type": "space", "unit": "micrometer"},
    {"name": "y", "type": "space", "unit": "micrometer"},
    {"name": "x", "type": "space", "unit": "micrometer"},
]


def multiscales(name: str, levels: int, version: str) -> list[dict[str, Any]]:
    """The ``multiscales`` block in the words of that version."""
    datasets: list[dict[str, Any]] = []
    for level in range(levels):
        factor = 2**level
        transform = [
            {"type": "scale", "scale": [1.0, 1.0, STEP, PIXEL_SIZE * factor, PIXEL_SIZE * factor]},
            {"type": "translation", "translation": [0.0, 0.0, 0.0, PIXEL_SIZE * (factor - 1) / 2, PIXEL_SIZE * (factor - 1) / 2]},
        ]
        datasets.append({"path": str(level), "coordinateTransformations": transform if level else transform[:1]})
    if version in {"0.1", "0.2", "0.3"}:
        datasets = [{"path": dataset["path"]} for dataset in datasets]
    block: dict[str, Any] = {"name": name, "datasets": datasets, "type": "mean"}
    if version == "0.3":
        block["axes"] = list("tczyx")
    if version in {"0.4", "0.5"}:
        block["axes"] = AXES
    return [block if version == "0.5" else {"version": version, **block}]


OMERO = {
    "channels": [
        {"label": "DAPI", "color": "0000FF", "active": True, "window": {"min": 0, "max": 65535, "start": 100, "end": 3000}},
        {"label": "GFP", "color": "00FF00", "active": True, "window": {"min": 0, "max": 65535, "start": 100, "end": 2500}},
    ],
    "rdefs": {"defaultT": 0, "defaultZ": 1, "model": "color"},
}


def group(path: str, attributes: dict[str, Any], version: str) -> list[Encoded]:
    """A group with its attributes, wrapped as that version wants them."""
    prefix = f"{path}/" if path else ""
    if version == "0.5":
        wrapped = {"ome": {"version": "0.5", **attributes}} if attributes else {}
        return [(f"{prefix}zarr.json", dumps({"zarr_format": 3, "node_type": "group", "attributes": wrapped}))]
    stored = [(f"{prefix}.zgroup", dumps({"zarr_format": 2}))]
    return [*stored, (f"{prefix}.zattrs", dumps(attributes))] if attributes else stored


def image_group(
    path: str, image: Array, name: str, version: str, *, extra: dict[str, Any] | None = None, label: bool = False, levels: int = 2
) -> list[Encoded]:
    """A multiscale image (T, C, Z, Y, X) at a path of the store."""
    stored = group(path, {"multiscales": multiscales(name, levels, version), **(extra or {})}, version)
    prefix = f"{path}/" if path else ""
    for level in range(levels):
        where = f"{prefix}{level}"
        stored += array_v3(where, image, sharded=not label) if version == "0.5" else array_v2(where, image, version)
        image = half(image, label)
    return stored


def cells_store(version: str) -> list[Encoded]:
    """The image of `cells.ome.tiff` as an OME-Zarr of that version; 0.4 carries a label map, 0.4 and 0.5 their OME-XML."""
    image, labels = stack()
    stored = image_group("", image[None], "cells", version, extra={"omero": OMERO})
    if version in {"0.4", "0.5"}:
        metadata = cells_xml("<MetadataOnly/>")
        stored += [*group("OME", {}, version), ("OME/METADATA.ome.xml", metadata)]
    if version == "0.4":
        values = [int(value) for value in np.unique(labels)[1:]]
        colours_of = [{"label-value": value, "rgba": [37 * value % 256, 91 * value % 256, 200, 255]} for value in values]
        description = {"image-label": {"version": version, "colors": colours_of, "source": {"image": "../../"}}}
        stored += group("labels", {"labels": ["nuclei"]}, version)
        stored += image_group("labels/nuclei", labels[None, None], "nuclei", version, extra=description, label=True)
    return stored


def plate_store() -> list[Encoded]:
    """A plate of two rows and two columns, two fields in each well."""
    names = ("A/1", "A/2", "B/1", "B/2")
    plate = {
        "version": "0.4",
        "name": "plate",
        "rows": [{"name": "A"}, {"name": "B"}],
        "columns": [{"name": "1"}, {"name": "2"}],
        "wells": [{"path": path, "rowIndex": number // 2, "columnIndex": number % 2} for number, path in enumerate(names)],
        "acquisitions": [{"id": 0, "name": "run 1", "maximumfieldcount": 2}],
        "field_count": 2,
    }
    stored = group("", {"plate": plate}, "0.4")
    for row in "AB":
        stored += group(row, {}, "0.4")
    for number, path in enumerate(names):
        fields = [{"path": str(field), "acquisition": 0} for field in range(2)]
        stored += group(path, {"well": {"version": "0.4", "images": fields}}, "0.4")
        for field in range(2):
            nuclei, bodies, _ = cells(1, 32, 40, seed=100 + 2 * number + field, spacing=16)
            image = np.stack([nuclei, bodies])[None]
            stored += image_group(f"{path}/{field}", image, f"{path} field {field}", "0.4", extra={"omero": OMERO}, levels=1)
    return stored


def zipped(stored: list[Encoded]) -> bytes:
    """A zip whose root is the root of the store; stored, since chunks are compressed already."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name, content in stored:
            entry = zipfile.ZipInfo(name, (2026, 1, 1, 0, 0, 0))
            entry.external_attr = 0o644 << 16
            entry.create_system = 3
            archive.writestr(entry, content)
    return buffer.getvalue()


def every_file() -> dict[str, bytes]:
    """All files by their path below the output folder."""
    image, _ = stack()
    files = {
        "cells.ome.tiff": cells_ome_tiff(),
        "two_series.ome.tiff": two_series(),
        "pyramid.ome.tiff": pyramid(),
        "big_endian.ome.tiff": big_endian(),
        "rgb.ome.tiff": colour_ome_tiff(),
        "float.ome.tiff": float_ome_tiff(),
        "imagej_stack.tif": imagej_stack(),
        "confocal.lsm": lsm(),
        **companion_set(),
        "plain.tif": plain_tiff(),
        "white_is_zero.tif": white_is_zero(),
        "rgb.png": png(colours(60, 80, 18)),
        "grey16.png": png(image[0, 1]),
        "photo.jpg": photo(),
        "plate_04.ome.zarr.zip": zipped(plate_store()),
        "truncated.tif": truncated(),
        "wrong_metadata.ome.tiff": wrong_metadata(),
        "not_an_image.txt": b"These are words, not pixels.\n",
    }
    for version in ("0.1", "0.2", "0.3", "0.4", "0.5"):
        files[f"cells_{version.replace('.', '')}.ome.zarr.zip"] = zipped(cells_store(version))
    files |= {f"cells_04.ome.zarr/{name}": content for name, content in cells_store("0.4")}
    return files


def main(arguments: list[str] | None = None) -> int:
    """Write the files."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--output", type=Path, default=Path(__file__).resolve().parents[1] / "test-data", help="folder to write into")
    output: Path = parser.parse_args(arguments).output
    for name, content in every_file().items():
        path = output / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    return 0


if __name__ == "__main__":
    sys.exit(main())
