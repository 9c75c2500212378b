"""How HDF5 stores pixels: chunks, filters, one piece; and reading it in boxes, from several threads."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import h5py
import imagecodecs
import numpy as np
import pytest

from lightmicroscopy.image import Region, Shape
from lightmicroscopy.readers import hdf5_array, large_units

from .hdf5_files import Array, noise, open_hdf5, pixels

BUILT_IN: dict[str, dict[str, Any]] = {
    "gzip": {"compression": "gzip"},
    "shuffle, gzip": {"compression": "gzip", "shuffle": True},
    "shuffle, gzip, fletcher32": {"compression": "gzip", "shuffle": True, "fletcher32": True},
    "lzf": {"compression": "lzf"},
    "fletcher32": {"fletcher32": True},
    "szip": {"compression": "szip"},
    "scale-offset": {"scaleoffset": 0},
    "none": {},
}


@pytest.mark.parametrize("name", BUILT_IN)
@pytest.mark.parametrize("dtype", ["u1", "<u2", ">u2", "<i4"])
def test_chunks_are_decoded_as_the_library_does(tmp_path: Path, name: str, dtype: str) -> None:
    options = BUILT_IN[name]
    if name == "szip" and not h5py.h5z.filter_avail(h5py.h5z.FILTER_SZIP):
        pytest.skip("this HDF5 library cannot write szip")
    if name == "scale-offset" and h5py.version.hdf5_version_tuple < (2,):
        pytest.skip("HDF5 1.14 cannot read all of what it writes with scale-offset")
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        file.create_dataset("data", data=noise(5, 37, 50, dtype=dtype), chunks=(2, 16, 17), **options)
    with open_hdf5(path) as dataset, h5py.File(path) as file:
        assert (pixels(dataset.images[0])[0, 0, ..., 0] == file["data"][()]).all()
        assert dataset.images[0].compression == name


def encoded(name: str, data: bytes) -> bytes:
    """A chunk as the filter of that name writes it."""
    match name:
        case "lz4":
            block = imagecodecs.lz4_encode(data)
            return len(data).to_bytes(8, "big") + len(data).to_bytes(4, "big") + len(block).to_bytes(4, "big") + block
        case "zstd":
            return bytes(imagecodecs.zstd_encode(data))
        case "blosc":
            return bytes(imagecodecs.blosc_encode(data, typesize=2))
        case "bzip2":
            return bytes(imagecodecs.bz2_encode(data))
    raise ValueError(name)


REGISTERED = {"lz4": 32004, "zstd": 32015, "blosc": 32001, "bzip2": 307}


def with_filter(path: Path, code: int, name: str, chunks: dict[tuple[int, int], bytes]) -> Path:
    """A dataset of 32 × 32 in chunks of 16 × 16 that a filter the library does not have has encoded."""
    with h5py.File(path, "w") as file:
        properties = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        properties.set_chunk((16, 16))
        properties.set_filter(code, h5py.h5z.FLAG_OPTIONAL, (2,))
        space = h5py.h5s.create_simple((32, 32))
        created = h5py.h5d.create(file.id, b"data", h5py.h5t.STD_U16LE, space, properties)
        for start, data in chunks.items():
            created.write_direct_chunk(start, data)
    return path


@pytest.mark.parametrize("name", REGISTERED)
def test_filters_that_come_as_plugins_are_decoded_without_them(tmp_path: Path, name: str) -> None:
    values = noise(32, 32)
    parts = {(y, x): np.ascontiguousarray(values[y : y + 16, x : x + 16]) for y in (0, 16) for x in (0, 16)}
    path = with_filter(tmp_path / "a.h5", REGISTERED[name], name, {start: encoded(name, part.tobytes()) for start, part in parts.items()})
    with open_hdf5(path) as dataset:
        assert (pixels(dataset.images[0])[0, 0, 0, ..., 0] == values).all()
        assert dataset.images[0].compression == name


def test_a_filter_left_out_of_one_chunk_is_not_undone_there(tmp_path: Path) -> None:
    path, values = tmp_path / "a.h5", noise(16, 32)
    with h5py.File(path, "w") as file:
        data = file.create_dataset("data", shape=(16, 32), dtype="u2", chunks=(16, 16), compression="gzip", shuffle=True)
        data[:, :16] = values[:, :16]
        # Bit 1: the second filter, gzip, was left out; the first was not.
        shuffled = np.ascontiguousarray(values[:, 16:]).view(np.uint8).reshape(-1, 2).T
        data.id.write_direct_chunk((0, 16), shuffled.tobytes(), filter_mask=2)
    with open_hdf5(path) as dataset:
        assert (pixels(dataset.images[0])[0, 0, 0, ..., 0] == values).all()


def test_chunks_that_were_never_written_are_the_fill_value(tmp_path: Path) -> None:
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        data = file.create_dataset("data", shape=(40, 50), dtype="i2", chunks=(16, 16), fillvalue=-7)
        data[16:32, 16:32] = 5
        file.create_dataset("unwritten", shape=(40, 50), dtype="f4", fillvalue=np.nan)
    with open_hdf5(path) as dataset, h5py.File(path) as file:
        assert (pixels(dataset.images[0])[0, 0, 0, ..., 0] == file["data"][()]).all()
        assert dataset.images[0].fill_value == -7
        assert np.isnan(pixels(dataset.images[1])).all()


@pytest.mark.parametrize("chunk", [None, (1, 16, 20, 1), (2, 40, 50, 3), (2, 7, 11, 2)])
@pytest.mark.parametrize("axes", ["tyxc", "xyzt", "cyxz", "yxzs"])
def test_any_box_of_any_order_of_axes_is_what_the_library_reads(tmp_path: Path, chunk: tuple[int, ...] | None, axes: str) -> None:
    path, values = tmp_path / "a.h5", noise(2, 40, 50, 3)
    with h5py.File(path, "w") as file:
        file.create_dataset("data", data=values, chunks=chunk)
        file["data"].attrs["axes"] = axes
    order = [axes.index(letter) for letter in "tczyxs" if letter in axes]
    with open_hdf5(path) as dataset:
        source = dataset.images[0].levels[0].pixels
        expected = values.transpose(order).reshape(source.shape)
        rng = np.random.default_rng(0)
        for _ in range(30):
            box = Region(*(tuple(sorted(rng.choice(size + 1, 2, replace=False).tolist())) for size in source.shape[:5]))
            found = source.read(box)
            assert found.shape == (*box.sizes, source.shape.s)
            assert (found == expected[tuple(slice(*span) for span in box)]).all()


def test_any_box_of_folded_dimensions_is_what_the_library_reads(tmp_path: Path) -> None:
    path, values = tmp_path / "a.h5", noise(3, 4, 2, 5, 6)
    with h5py.File(path, "w") as file:
        file.create_dataset("data", data=values, chunks=(2, 2, 1, 5, 6))
        file["data"].attrs["axes"] = ["t", "phase", "lifetime", "y", "x"]
    with open_hdf5(path) as dataset:
        source = dataset.images[0].levels[0].pixels
        assert source.shape == Shape(12, 2, 1, 5, 6)
        expected = values.reshape(12, 2, 1, 5, 6)[..., np.newaxis]
        for start in range(12):
            for stop in range(start + 1, 13):
                box = Region((start, stop), (0, 2), (0, 1), (1, 4), (0, 6))
                assert (source.read(box) == expected[start:stop, :, :, 1:4]).all()


@pytest.mark.parametrize("dtype", ["<u2", ">u2", "?"])
def test_long_runs_of_a_dataset_in_one_piece_are_what_the_library_reads(tmp_path: Path, dtype: str) -> None:
    path, values = tmp_path / "a.h5", noise(6, 300, 500, dtype=dtype)
    with h5py.File(path, "w") as file:
        file["data"] = values
    with open_hdf5(path) as dataset:
        source = dataset.images[0].levels[0].pixels
        for z, y, x in (((0, 6), (0, 300), (0, 500)), ((2, 5), (0, 300), (0, 500)), ((1, 6), (10, 290), (0, 500)), ((3, 4), (7, 200), (3, 499))):
            found = source.read(Region((0, 1), (0, 1), z, y, x))
            assert found.dtype == np.dtype(dtype).newbyteorder("=")
            assert (found[0, 0, ..., 0] == values[slice(*z), slice(*y), slice(*x)]).all()


def test_a_box_outside_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        file["data"] = noise(4, 5)
    with open_hdf5(path) as dataset, pytest.raises(ValueError, match="not inside"):
        dataset.images[0].levels[0].pixels.read(Region((0, 1), (0, 1), (0, 1), (0, 5), (0, 5)))


def test_many_threads_read_the_same_as_one(tmp_path: Path) -> None:
    path, values = tmp_path / "a.h5", noise(64, 64, 64)
    with h5py.File(path, "w") as file:
        file.create_dataset("data", data=values, chunks=(8, 32, 32), compression="gzip", shuffle=True)
    with open_hdf5(path) as dataset, ThreadPoolExecutor(8) as pool:
        source = dataset.images[0].levels[0].pixels
        boxes = [Region((0, 1), (0, 1), (z, z + 4), (0, 64), (0, 64)) for z in range(0, 64, 4)]
        found = list(pool.map(source.read, boxes * 3))
        assert (np.concatenate([part[0, 0, ..., 0] for part in found[:16]]) == values).all()
        assert all((found[number] == found[number % 16]).all() for number in range(48))


def test_a_chunk_larger_than_a_block_is_decoded_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path, values = tmp_path / "a.h5", noise(8, 64, 64)
    with h5py.File(path, "w") as file:
        file.create_dataset("data", data=values, chunks=(8, 64, 64), compression="gzip")
    monkeypatch.setattr(hdf5_array, "LARGE_UNIT", 1000)
    decoded: list[tuple[int, ...]] = []
    inner = hdf5_array.HdfArray._decode

    def counted(self: hdf5_array.HdfArray, found: Any) -> Array:
        decoded.append(found.at)
        return inner(self, found)

    monkeypatch.setattr(hdf5_array.HdfArray, "_decode", counted)
    monkeypatch.setattr(large_units, "_UNITS", large_units._Slot())
    with open_hdf5(path) as dataset:
        source = dataset.images[0].levels[0].pixels
        parts = [source.read(Region((0, 1), (0, 1), (z, z + 1), (0, 64), (0, 64))) for z in range(8)]
        assert (np.concatenate(parts, axis=2)[0, 0, ..., 0] == values).all()
        assert len(decoded) == 1
        assert source.unit == Shape(1, 1, 8, 64, 64)


def test_the_unit_of_a_dataset_in_one_piece_is_bounded(tmp_path: Path) -> None:
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        file.create_dataset("data", shape=(3, 2000, 3000), dtype="u2")
        file["data"][1, 999, 1234] = 9
    with open_hdf5(path) as dataset:
        source = dataset.images[0].levels[0].pixels
        assert source.unit == Shape(1, 1, 1, 174, 3000)
        assert source.read(Region((0, 1), (0, 1), (1, 2), (999, 1000), (1234, 1235))).item() == 9
