"""HDF5 files for tests: Imaris and BigDataViewer layouts, written as their programs do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from lightmicroscopy import readers
from lightmicroscopy.image import Dataset, Image, Location, Region

Array = NDArray[np.generic]


def open_hdf5(path: Path, *others: Path, **known: Any) -> Dataset:
    """Open a file, with others that were given along."""
    return readers.open(Location(path, (path, *others), **known))


def pixels(image: Image, level: int = 0) -> Array:
    """All pixels of a level, T C Z Y X S."""
    source = image.levels[level].pixels
    return source.read(Region.whole(source.shape))


def noise(*shape: int, dtype: str = "u2", seed: int = 0) -> Array:
    """Pixels that no two places share."""
    values = np.random.default_rng(seed).integers(0, 200, shape)
    return values.astype(dtype)


def imaris_text(text: str, *, terminated: bool = False) -> Array:
    """Text as Imaris writes it: an array of single characters."""
    data = text.encode() + (b"\0" if terminated else b"")
    return np.frombuffer(data or b"\0", "S1")


IMS_INFO: Mapping[str, Mapping[str, str]] = {
    "Image": {
        "Name": "leaf",
        "Description": "a leaf, seen from below",
        "Unit": "um",
        "ExtMin0": "0",
        "ExtMin1": "0",
        "ExtMin2": "0",
        "RecordingDate": "2024-03-05 14:07:09.250",
        "LensPower": "63x",
        "NumericalAperture": "1.4",
    },
    "Channel 0": {
        "Name": "DAPI",
        "Color": "0.000 0.000 1.000",
        "ColorMode": "BaseColor",
        "ColorRange": "10.000 200.000",
        "LSMExcitationWavelength": "405",
        "LSMEmissionWavelength": "461.5",
        "MicroscopyMode": "Confocal",
    },
    "Channel 1": {"Name": "(name not specified)", "Color": "1.000 0.502 0.000", "LSMExcitationWavelength": "0"},
}


def write_ims(
    path: Path,
    array: Array,
    *,
    info: Mapping[str, Mapping[str, str]] | None = None,
    levels: int = 2,
    chunk: tuple[int, int, int] = (4, 16, 16),
    times: Sequence[str] = (),
    leave_out: Sequence[tuple[int, int]] = (),
    terminated: bool = False,
    libver: str = "v108",
    **storage: Any,
) -> Path:
    """Write T C Z Y X as Imaris 5.5: a pyramid by leaving out pixels, each stack padded with 7 to whole chunks."""
    z, y, x = array.shape[2:]
    chosen = {name: dict(facts) for name, facts in (IMS_INFO if info is None else info).items()}
    image = chosen.setdefault("Image", {})
    for axis, size, pixel in (("X", x, 0.25), ("Y", y, 0.25), ("Z", z, 1.5)):
        image[axis] = str(size)
        image.setdefault(f"ExtMax{'XYZ'.index(axis)}", f"{size * pixel:.6f}")
    if "TimeInfo" not in chosen:
        chosen["TimeInfo"] = {"FileTimePoints": str(array.shape[0]), **{f"TimePoint{number}": time for number, time in enumerate(times, 1)}}
    with h5py.File(path, "w", libver=(libver, "latest" if libver == "latest" else "v108")) as file:
        for key, text in {
            "ImarisDataSet": "ImarisDataSet",
            "ImarisVersion": "5.5.0",
            "DataSetDirectoryName": "DataSet",
            "DataSetInfoDirectoryName": "DataSetInfo",
            "ThumbnailDirectoryName": "Thumbnail",
        }.items():
            file.attrs[key] = imaris_text(text)
        file.attrs["NumberOfDataSets"] = np.array([1], np.uint32)
        for section, facts in chosen.items():
            group = file.create_group(f"DataSetInfo/{section}")
            for key, text in facts.items():
                if len(text) > 1024:
                    group[key] = imaris_text(text)
                else:
                    group.attrs[key] = imaris_text(text, terminated=terminated)
        file["Thumbnail/Data"] = np.zeros((16, 64), np.uint8)
        for level in range(levels):
            _write_level(file, level, array[..., :: 2**level, :: 2**level], chunk, leave_out, storage)
    return path


def _write_level(
    file: h5py.File, level: int, array: Array, chunk: tuple[int, int, int], leave_out: Sequence[tuple[int, int]], storage: Mapping[str, Any]
) -> None:
    extent = array.shape[2:]
    padding = [(0, -size % part) for size, part in zip(extent, chunk, strict=True)]
    for t in range(array.shape[0]):
        for c in range(array.shape[1]):
            if (t, c) in leave_out:
                continue
            group = file.create_group(f"DataSet/ResolutionLevel {level}/TimePoint {t}/Channel {c}")
            for axis, size in zip("ZYX", extent, strict=True):
                group.attrs[f"ImageSize{axis}"] = imaris_text(str(size))
            group.attrs["HistogramMax"] = imaris_text("255.000")
            group["Histogram"] = np.arange(256, dtype=np.uint64)
            group.create_dataset("Data", data=np.pad(array[t, c], padding, constant_values=7), chunks=chunk, **{"compression": "gzip", **storage})


SPIM_DATA = """<?xml version="1.0" encoding="UTF-8"?>
<SpimData version="0.2">
  <BasePath type="relative">.</BasePath>
  <SequenceDescription>
    <ImageLoader format="bdv.hdf5"><hdf5 type="relative">{file}</hdf5></ImageLoader>
    <ViewSetups>{setups}
      <Attributes name="illumination"><Illumination><id>0</id><name>0</name></Illumination></Attributes>
      <Attributes name="channel">
        <Channel><id>1</id><name>green</name></Channel><Channel><id>2</id><name>red</name></Channel>
      </Attributes>
    </ViewSetups>
    <Timepoints type="range"><first>0</first><last>{last}</last></Timepoints>
  </SequenceDescription>
  <ViewRegistrations>
    <ViewRegistration timepoint="0" setup="0">
      <ViewTransform type="affine"><Name>calibration</Name><affine>1 0 0 0 0 1 0 0 0 0 2.5 0</affine></ViewTransform>
    </ViewRegistration>
  </ViewRegistrations>
</SpimData>
"""
_SETUP = """
      <ViewSetup>
        <id>{id}</id><name>{name}</name><size>{x} {y} {z}</size>
        <voxelSize><unit>um</unit><size>0.4 0.4 2.0</size></voxelSize>
        <attributes><illumination>0</illumination><channel>{channel}</channel><angle>{angle}</angle></attributes>
      </ViewSetup>"""


def write_bdv(path: Path, array: Array, *, leave_out: Sequence[tuple[int, int]] = (), channels: Sequence[int] = (1, 2), libver: str = "v108") -> Path:
    """Write T C Z Y X as BigDataViewer does, unsigned numbers as signed ones, with an XML beside it."""
    z, y, x = array.shape[2:]
    with h5py.File(path, "w", libver=(libver, "latest" if libver == "latest" else "v108")) as file:
        for setup in range(array.shape[1]):
            file[f"s{setup:02d}/resolutions"] = np.array([[1.0, 1.0, 1.0], [2.0, 2.0, 1.0]])
            file[f"s{setup:02d}/subdivisions"] = np.array([[16, 16, 4], [16, 16, 4]], np.int32)
            for t in range(array.shape[0]):
                if (t, setup) in leave_out:
                    continue
                for level in range(2):
                    stack = array[t, setup, :, :: 2**level, :: 2**level]
                    stored = stack.view(stack.dtype.str.replace("u", "i"))
                    file.create_dataset(f"t{t:05d}/s{setup:02d}/{level}/cells", data=stored, chunks=(2, 16, 16), compression="gzip")
    setups = "".join(
        _SETUP.format(id=number, name=f"view {number}", x=x, y=y, z=z, channel=channel, angle=number if len(set(channels)) < len(channels) else 0)
        for number, channel in enumerate(channels)
    )
    path.with_suffix(".xml").write_text(SPIM_DATA.format(file=path.name, setups=setups, last=array.shape[0] - 1), encoding="utf-8")
    return path
