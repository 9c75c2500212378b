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
from scripts.test_data import ims_parts
from scripts.test_data.ims_parts import imaris_text

__all__ = ["IMS_INFO", "Array", "imaris_text", "noise", "open_hdf5", "pixels", "write_bdv", "write_ims"]

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


def write_ims(path: Path, array: Array, *, info: Mapping[str, Mapping[str, str]] | None = None, **more: Any) -> Path:
    """Write T C Z Y X as Imaris 5.5, with metadata of its own unless others are given."""
    return ims_parts.write_ims(path, array, IMS_INFO if info is None else info, **more)


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
