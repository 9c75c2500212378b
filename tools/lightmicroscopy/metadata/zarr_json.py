"""Builders of the Zarr v2 and v3 metadata that NGFF (OME-Zarr) 0.4 and 0.5 lie in. Source: the Zarr specifications 2 and 3."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any, Literal

from ..errors import UnwritableError
from .ngff import AXES, Json, Version

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy as np

Compression = Literal["none", "zlib", "zstd", "lz4"]


def array_metadata(
    shape: Sequence[int],
    chunks: Sequence[int],
    dtype: np.dtype[Any],
    version: Version,
    *,
    compression: Compression = "zstd",
    level: int = 1,
    fill_value: float = 0,
    axes: str = AXES,
) -> Json:
    """Content of ``.zarray`` (NGFF 0.4, Zarr v2) or of an array's ``zarr.json`` (0.5, Zarr v3).

    Chunks are little-endian, in C order, under names separated by ``/``.

    Parameters
    ----------
    shape, chunks
        Extents along `axes`.
    dtype
        Boolean, integer or floating point.
    version
        NGFF version.
    compression
        ``zstd`` and ``lz4`` are Blosc with bitshuffle; ``zlib`` is zlib in Zarr v2 and gzip, which v3 has instead, in v3.
    level
        Compression level.
    fill_value
        Value of pixels whose chunk is not stored.
    axes
        Names of the dimensions.

    Raises
    ------
    UnwritableError
        If the type is none an image can have (complex, text, record).
    """
    if dtype.kind not in "buif":
        raise UnwritableError(f"Pixels of type {dtype} cannot be written to OME-Zarr: they must be whole or floating point numbers.")
    fill = _json_fill(dtype, fill_value)
    if version == "0.4":
        return {
            "zarr_format": 2,
            "shape": list(shape),
            "chunks": list(chunks),
            "dtype": dtype.newbyteorder("<").str,
            "compressor": _compressor_v2(compression, level),
            "fill_value": fill,
            "order": "C",
            "filters": None,
            "dimension_separator": "/",
        }
    return {
        "zarr_format": 3,
        "node_type": "array",
        "shape": list(shape),
        "data_type": dtype.name,
        "chunk_grid": {"name": "regular", "configuration": {"chunk_shape": list(chunks)}},
        "chunk_key_encoding": {"name": "default", "configuration": {"separator": "/"}},
        "fill_value": fill,
        "codecs": [_bytes_v3(dtype), *_compressor_v3(compression, level, dtype.itemsize)],
        "dimension_names": list(axes),
        "attributes": {},
    }


def _json_fill(dtype: np.dtype[Any], value: float) -> bool | int | float | str:
    if dtype.kind == "b":
        return bool(value)
    if dtype.kind != "f":
        return int(value)
    if math.isnan(value):
        return "NaN"
    return float(value) if math.isfinite(value) else ("Infinity" if value > 0 else "-Infinity")


def _compressor_v2(compression: Compression, level: int) -> Json | None:
    if compression == "none":
        return None
    if compression == "zlib":
        return {"id": "zlib", "level": level}
    return {"id": "blosc", "cname": compression, "clevel": level, "shuffle": 2, "blocksize": 0}


def _bytes_v3(dtype: np.dtype[Any]) -> Json:
    return {"name": "bytes"} if dtype.itemsize == 1 else {"name": "bytes", "configuration": {"endian": "little"}}


def _compressor_v3(compression: Compression, level: int, itemsize: int) -> list[Json]:
    if compression == "none":
        return []
    if compression == "zlib":
        return [{"name": "gzip", "configuration": {"level": level}}]
    settings = {"cname": compression, "clevel": level, "shuffle": "bitshuffle", "typesize": itemsize, "blocksize": 0}
    return [{"name": "blosc", "configuration": settings}]


def chunk_key(index: Sequence[int], version: Version) -> str:
    """Where a chunk lies below its array: ``0/1/2/3/4`` in Zarr v2, ``c/0/1/2/3/4`` in v3."""
    return ("" if version == "0.4" else "c/") + "/".join(map(str, index))


def group_files(attributes: Mapping[str, Any], version: Version) -> dict[str, bytes]:
    """File names and contents that make a folder a Zarr group with these attributes."""
    if version == "0.5":
        return {"zarr.json": json_bytes({"zarr_format": 3, "node_type": "group", "attributes": dict(attributes)})}
    files = {".zgroup": json_bytes({"zarr_format": 2})}
    return files | ({".zattrs": json_bytes(attributes)} if attributes else {})


def array_files(metadata: Mapping[str, Any]) -> dict[str, bytes]:
    """File name and content that make a folder a Zarr array, from `array_metadata`."""
    return {".zarray" if metadata["zarr_format"] == 2 else "zarr.json": json_bytes(metadata)}


def json_bytes(value: Mapping[str, Any]) -> bytes:
    """UTF-8 JSON as every reader takes it (no NaN or Infinity literals)."""
    return json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False).encode()
