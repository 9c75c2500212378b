"""OME-Zarr stores for tests, made file by file: our metadata, chunks encoded by numcodecs."""

from __future__ import annotations

import json
import warnings
import zipfile
from itertools import product
from pathlib import Path
from typing import Any

import numcodecs
import numpy as np
from numpy.typing import NDArray

from lightmicroscopy import readers
from lightmicroscopy.image import (
    Acquisition,
    Channel,
    Dataset,
    Image,
    ImageMetadata,
    Level,
    Location,
    Plate,
    Quantity,
    Region,
    Shape,
    Well,
    WellField,
)
from lightmicroscopy.metadata import ngff, zarr_json
from lightmicroscopy.metadata.ngff import Version

from .memory_image import MemoryPixels

Array = NDArray[Any]
Files = dict[str, bytes]
CHUNK = (1, 1, 1, 16, 16)


def waves(shape: tuple[int, ...], dtype: str = "uint16") -> Array:
    """Smooth pixels along t c z y x, different on every plane."""
    y, x = np.mgrid[0 : shape[3], 0 : shape[4]]
    plane = 500 + 300 * np.sin(y / 9) * np.cos(x / 7)
    offsets = np.arange(np.prod(shape[:3])).reshape(*shape[:3], 1, 1)
    return (plane + 10 * offsets).astype(dtype)


def image_of(pixels: Array, **fields: Any) -> Image:
    """Wrap t c z y x pixels as an image with named channels, 0.5 µm pixels, planes 2 µm and times 3 s apart."""
    channels = tuple(Channel(name=f"stain {index}", color=(index + 1) << 16 | 0xFF) for index in range(pixels.shape[1]))
    fields.setdefault(
        "metadata",
        ImageMetadata(
            pixel_size_x=Quantity(0.5, "µm"),
            pixel_size_y=Quantity(0.5, "µm"),
            pixel_size_z=Quantity(2.0, "µm"),
            time_increment_s=3.0,
            channels=channels,
        ),
    )
    fields.setdefault("name", "cells")
    return Image(series=0, levels=(Level(MemoryPixels(pixels[..., None], Shape(*CHUNK))),), axes="TCZYX", **fields)


def halved(pixels: Array, kind: str = "intensity") -> Array:
    """Half the size in y and x, odd rows and columns dropped."""
    height, width = pixels.shape[3] // 2 * 2, pixels.shape[4] // 2 * 2
    even = pixels[..., :height, :width]
    if kind == "label":
        return even[..., ::2, ::2]
    blocks = even.reshape(*even.shape[:3], height // 2, 2, width // 2, 2)
    mean: Array = blocks.astype(np.float64).mean(axis=(4, 6)).astype(pixels.dtype)
    return mean


def encoded(chunk: Array, compression: str, version: Version) -> bytes:
    """One chunk as `zarr_json.array_metadata` declares it."""
    little = np.ascontiguousarray(chunk, chunk.dtype.newbyteorder("<"))
    if compression == "none":
        return little.tobytes()
    if compression == "zlib":
        codec: Any = numcodecs.Zlib(1) if version == "0.4" else numcodecs.GZip(1)
    else:
        codec = numcodecs.Blosc(compression, 1, numcodecs.Blosc.BITSHUFFLE)
    return bytes(codec.encode(little))


def array_store(
    pixels: Array, path: str, version: Version, *, compression: Any = "zstd", fill_value: float = 0, chunk: tuple[int, ...] = CHUNK
) -> Files:
    """Files of one array."""
    metadata = zarr_json.array_metadata(pixels.shape, chunk, pixels.dtype, version, compression=compression, fill_value=fill_value)
    files = {f"{path}/{name}": data for name, data in zarr_json.array_files(metadata).items()}
    for index in product(*(range(-(-size // extent)) for size, extent in zip(pixels.shape, chunk, strict=True))):
        padded = np.full(chunk, fill_value, pixels.dtype)
        part = pixels[tuple(slice(at * extent, (at + 1) * extent) for at, extent in zip(index, chunk, strict=True))]
        padded[tuple(slice(size) for size in part.shape)] = part
        files[f"{path}/{zarr_json.chunk_key(index, version)}"] = encoded(padded, compression, version)
    return files


def image_store(pixels: Array, version: Version, *, path: str = "", levels: int = 2, image: Image | None = None, **array: Any) -> Files:
    """Files of one image group with its levels."""
    image = image or image_of(pixels)
    method: ngff.Method = "nearest" if image.kind == "label" else "mean"
    arrays = [pixels]
    for _ in range(levels - 1):
        arrays.append(halved(arrays[-1], image.kind))
    windows = [(float(pixels[:, c].min()), float(pixels[:, c].max())) for c in range(pixels.shape[1])]
    attributes = ngff.image_attributes(image, [Shape(*level.shape) for level in arrays], version, method=method, windows=windows)
    prefix = f"{path}/" if path else ""
    files = {prefix + name: data for name, data in zarr_json.group_files(attributes, version).items()}
    for index, level in enumerate(arrays):
        files |= array_store(level, f"{prefix}{index}", version, **array)
    return files


def group(path: str, attributes: dict[str, Any], version: Version) -> Files:
    """Files of one group."""
    return {f"{path}/{name}" if path else name: data for name, data in zarr_json.group_files(attributes, version).items()}


def edited(files: Files, key: str, change: Any) -> Files:
    """Return the store with one JSON file changed by a function that edits it in place."""
    value = json.loads(files[key])
    change(value)
    return files | {key: json.dumps(value).encode()}


def folder(files: Files, path: Path) -> Path:
    """Write a store as a folder."""
    for name, data in files.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(data)
    return path


def zipped(files: Files, path: Path, *, below: str = "", method: int = zipfile.ZIP_STORED) -> Path:
    """Write a store as a zip."""
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, data in files.items():
            archive.writestr(below + name, data)
    return path


PLATE = Plate(
    "screen",
    rows=2,
    columns=12,
    wells=(Well(1, 6, (WellField(0, 5), WellField(1, 5))), Well(0, 11, (WellField(2),))),
    acquisitions=(Acquisition(5, "first run", 2, "2024-03-01T12:00:00+00:00", "2024-03-01T13:00:00"),),
)


def plate_store(version: Version) -> Files:
    files = group("", ngff.plate_attributes(PLATE, version), version)
    for well in PLATE.wells:
        path = ngff.well_path(PLATE, well.row, well.column)
        fields = [(str(index), item.acquisition) for index, item in enumerate(well.fields)]
        files |= group(path.split("/")[0], {}, version) | group(path, ngff.well_attributes(fields, version), version)
        for name, _ in fields:
            files |= image_store(waves((1, 1, 1, 20, 20)), version, path=f"{path}/{name}")
    return files


def several(version: ngff.Version, order: list[str]) -> Files:
    files = group("", ngff.layout_attributes(version), version) | group("OME", ngff.series_attributes(order, version), version)
    for series in range(2):
        pixels = waves((1, 1, 1, 20 + series, 20))
        files |= image_store(pixels, version, path=str(series), image=image_of(pixels, name=f"series {series}"))
    return files


def by_zarr(tmp_path: Path, stored: Array, zarr_format: int, **options: Any) -> Path:
    """A store whose level 0 zarr-python wrote, with whatever codecs it is told."""
    import zarr

    multiscale: dict[str, Any] = {"axes": [{"name": axis} for axis in "tczyx"], "datasets": [{"path": "0"}]}
    version: ngff.Version = "0.4" if zarr_format == 2 else "0.5"
    block = {"multiscales": [multiscale | ({"version": "0.4"} if zarr_format == 2 else {})]}
    folder(group("", block if zarr_format == 2 else {"ome": {"version": "0.5", **block}}, version), tmp_path)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        array = zarr.create_array(tmp_path / "0", shape=stored.shape, dtype=stored.dtype, zarr_format=zarr_format, **options)
        array[...] = stored
    return tmp_path


SHAPE = (2, 2, 3, 37, 50)
FOUR, FIVE = image_store(waves(SHAPE), "0.4"), image_store(waves(SHAPE), "0.5")
OME_XML = b"""<?xml version="1.0"?><OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06">
<Image ID="Image:0" Name="from the microscope"><AcquisitionDate>2024-03-01T12:00:00</AcquisitionDate>
<Pixels ID="Pixels:0" DimensionOrder="XYZCT" Type="uint16" SizeX="50" SizeY="37" SizeZ="3" SizeC="2" SizeT="2" SignificantBits="12"
 PhysicalSizeX="9" PhysicalSizeY="9" PhysicalSizeZ="9" TimeIncrement="4">
<Channel ID="Channel:0:0" Name="DAPI" EmissionWavelength="461" SamplesPerPixel="1"/>
<Channel ID="Channel:0:1" SamplesPerPixel="1"/><MetadataOnly/></Pixels></Image></OME>"""


def opened(path: Path) -> Dataset:
    return readers.open(Location(path))


def pixels_of(image: Image, level: int = 0) -> NDArray[Any]:
    source = image.levels[level].pixels
    return source.read(Region.whole(source.shape))[..., 0]


def read(files: Files, path: Path) -> NDArray[Any]:
    with opened(folder(files, path)) as dataset:
        return pixels_of(dataset.images[0])
