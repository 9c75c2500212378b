"""Imaris files, written as Imaris 5.5 does, after Bitplane's description of the file format."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any

import h5py
import numpy as np

if TYPE_CHECKING:
    from .drawing import Array


def imaris_text(text: str, *, terminated: bool = False) -> Array:
    """Text as Imaris writes it: an array of single characters."""
    data = text.encode() + (b"\0" if terminated else b"")
    return np.frombuffer(data or b"\0", "S1")


def write_ims(
    path: Path,
    array: Array,
    info: Mapping[str, Mapping[str, str]],
    *,
    levels: int = 2,
    chunk: tuple[int, int, int] = (4, 16, 16),
    times: Sequence[str] = (),
    leave_out: Sequence[tuple[int, int]] = (),
    terminated: bool = False,
    libver: str = "v108",
    deflate: Callable[[bytes], bytes] | None = None,
    **storage: Any,
) -> Path:
    """Write T C Z Y X as Imaris 5.5: a pyramid by leaving out pixels, each stack padded with 7 to whole chunks.

    Parameters
    ----------
    deflate
        Compresses the chunks, where HDF5's own zlib would give other bytes on another machine.
    """
    z, y, x = array.shape[2:]
    chosen = {name: dict(facts) for name, facts in info.items()}
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
            _write_level(file, level, array[..., :: 2**level, :: 2**level], chunk, leave_out, storage, deflate)
    return path


def _write_level(
    file: h5py.File,
    level: int,
    array: Array,
    chunk: tuple[int, int, int],
    leave_out: Sequence[tuple[int, int]],
    storage: Mapping[str, Any],
    deflate: Callable[[bytes], bytes] | None,
) -> None:
    extent = array.shape[2:]
    padding = [(0, -size % part) for size, part in zip(extent, chunk, strict=True)]
    for t, c in product(range(array.shape[0]), range(array.shape[1])):
        if (t, c) in leave_out:
            continue
        group = file.create_group(f"DataSet/ResolutionLevel {level}/TimePoint {t}/Channel {c}")
        for axis, size in zip("ZYX", extent, strict=True):
            group.attrs[f"ImageSize{axis}"] = imaris_text(str(size))
        group.attrs["HistogramMax"] = imaris_text("255.000")
        group["Histogram"] = np.arange(256, dtype=np.uint64)
        padded = np.pad(array[t, c], padding, constant_values=7)
        options = {"chunks": chunk, "compression": "gzip", **storage}
        if deflate is None:
            group.create_dataset("Data", data=padded, **options)
        else:
            _write_chunks(group.create_dataset("Data", padded.shape, padded.dtype, **options), padded, deflate)


def _write_chunks(dataset: h5py.Dataset, array: Array, deflate: Callable[[bytes], bytes]) -> None:
    for start in product(*(range(0, size, part) for size, part in zip(array.shape, dataset.chunks, strict=True))):
        part = array[tuple(slice(first, first + size) for first, size in zip(start, dataset.chunks, strict=True))]
        dataset.id.write_direct_chunk(start, deflate(part.tobytes()))
