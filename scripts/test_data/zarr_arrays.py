"""Zarr arrays, version 2 and 3, as the files of a store."""

from __future__ import annotations

import json
import struct
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np

from .compression import crc32c, deflated

if TYPE_CHECKING:
    from .drawing import Array

Encoded = tuple[str, bytes]
"""A file of a store: its path and its content."""


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
        return deflated(raw)
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
