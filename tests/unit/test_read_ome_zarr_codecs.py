"""Chunks in codecs, byte orders and fill values that other software writes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numcodecs
import numpy as np
import pytest

from lightmicroscopy.errors import UnreadableError
from lightmicroscopy.image import Region

from .zarr_stores import (
    FOUR,
    SHAPE,
    by_zarr,
    edited,
    folder,
    image_store,
    opened,
    pixels_of,
    read,
    waves,
)


def odd_codecs() -> dict[str, tuple[int, dict[str, Any]]]:
    from zarr.codecs import BloscCodec, BytesCodec, Crc32cCodec, GzipCodec, TransposeCodec, ZstdCodec

    plain = {"chunks": (1, 1, 2, 16, 16)}
    return {
        "v2 in Fortran order": (2, plain | {"order": "F"}),
        "v2 with a filter": (2, plain | {"filters": numcodecs.Delta("u2"), "compressors": numcodecs.Zlib(1)}),
        "v2 lz4": (2, plain | {"compressors": numcodecs.LZ4()}),
        "v2 zstd": (2, plain | {"compressors": numcodecs.Zstd()}),
        "v2 bz2": (2, plain | {"compressors": numcodecs.BZ2(1)}),
        "v3 transposed and big-endian": (3, plain | {"filters": TransposeCodec(order=(4, 0, 1, 3, 2)), "serializer": BytesCodec(endian="big")}),
        "v3 with a checksum": (3, plain | {"compressors": [GzipCodec(), Crc32cCodec()]}),
        "v3 twice compressed": (3, plain | {"compressors": [BloscCodec(cname="lz4"), ZstdCodec()]}),
        "v3 in shards": (3, plain | {"shards": (2, 2, 4, 32, 64)}),
        "v3 in transposed shards": (3, plain | {"shards": (2, 2, 4, 32, 64), "filters": TransposeCodec(order=(4, 3, 2, 1, 0))}),
        "v3 one chunk": (3, {"chunks": SHAPE}),
    }


@pytest.mark.parametrize("case", list(odd_codecs()))
def test_stores_of_other_software_with_rarer_codecs_are_read(tmp_path: Path, case: str) -> None:
    zarr_format, options = odd_codecs()[case]
    with opened(by_zarr(tmp_path, waves(SHAPE), zarr_format, **options)) as dataset:
        assert np.array_equal(pixels_of(dataset.images[0]), waves(SHAPE))
        box = dataset.images[0].levels[0].pixels.read(Region((0, 1), (1, 2), (1, 3), (10, 30), (15, 50)))
        assert np.array_equal(box[..., 0], waves(SHAPE)[0:1, 1:2, 1:3, 10:30, 15:50])


def test_big_endian_pixels_come_in_native_order(tmp_path: Path) -> None:
    stored = waves(SHAPE).astype(">u2")
    with opened(by_zarr(tmp_path, stored, 2, chunks=(1, 1, 1, 16, 16))) as dataset:
        found = pixels_of(dataset.images[0])
        assert found.dtype.isnative
        assert np.array_equal(found, stored)


def test_a_damaged_shard_is_named_and_an_absent_one_is_fill(tmp_path: Path) -> None:
    store = by_zarr(tmp_path, waves(SHAPE), 3, chunks=(1, 1, 1, 16, 16), shards=(1, 1, 1, 32, 32), fill_value=3)
    (store / "0/c/0/0/0/0/0").unlink()
    shard = store / "0/c/1/1/2/1/1"
    data = bytearray(shard.read_bytes())
    data[-6] ^= 0xFF
    shard.write_bytes(bytes(data))
    with opened(store) as dataset:
        source = dataset.images[0].levels[0].pixels
        assert (source.read(Region((0, 1), (0, 1), (0, 1), (0, 32), (0, 32))) == 3).all()
        with pytest.raises(UnreadableError, match="0/c/1/1/2/1/1"):
            source.read(Region((1, 2), (1, 2), (2, 3), (32, 37), (32, 50)))


def test_a_codec_nobody_has_is_named_on_opening(tmp_path: Path) -> None:
    files = edited(FOUR, "0/.zarray", lambda value: value.update(compressor={"id": "neverheardof"}))
    with pytest.raises(UnreadableError, match="neverheardof"):
        opened(folder(files, tmp_path))


@pytest.mark.parametrize(("stored", "expected"), [("NaN", np.nan), ("-Infinity", -np.inf), ("0x7fc00000", np.nan), (1.5, 1.5), (None, 0.0)])
def test_fill_values_of_floating_point_pixels(tmp_path: Path, stored: object, expected: float) -> None:
    files = edited(image_store(waves(SHAPE, "float32"), "0.4"), "0/.zarray", lambda value: value.update(fill_value=stored))
    del files["0/0/0/0/0/0"]
    assert np.array_equal(read(files, tmp_path)[0, 0, 0, :16, :16], np.full((16, 16), expected, "f4"), equal_nan=True)
