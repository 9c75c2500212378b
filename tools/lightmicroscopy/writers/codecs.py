"""How tiles and chunks are compressed, and decompressed again to be compared.

Choices follow measurements on microscope-like uint16 tiles: libdeflate at level 1 after horizontal differencing is the fastest
deflate and smaller than zlib at level 6; Blosc with bitshuffle and zstd at level 1 is as small at three times the speed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import UsageError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from .options import Compression, NgffVersion

NONE, LZW, DEFLATE, ZSTD = 1, 5, 8, 50000
"""Values of TIFF's Compression tag."""
NO_PREDICTOR, HORIZONTAL = 1, 2
_TIFF = {"none": NONE, "lzw": LZW, "zlib": DEFLATE, "auto": DEFLATE, "zstd": ZSTD}
_WORST = {NONE: 1.0, LZW: 1.5, DEFLATE: 1.01, ZSTD: 1.01}
LEVEL = 1


@dataclass(frozen=True, slots=True)
class Codec:
    """A lossless compression of contiguous arrays.

    Attributes
    ----------
    name
        For people, e.g. ``zlib``.
    worst
        Largest possible size of encoded over raw data.
    encode
        From a C-contiguous array to bytes.
    decode
        From those bytes to an array of the given shape and dtype.
    """

    name: str
    worst: float
    encode: Callable[[NDArray[Any]], bytes]
    decode: Callable[[bytes, tuple[int, ...], np.dtype[Any]], NDArray[Any]]
    tag: int = NONE
    predictor: int = NO_PREDICTOR


def tiff_codec(compression: Compression, dtype: np.dtype[Any]) -> Codec:
    """Codec of the tiles of a TIFF.

    Integers of more than one bit are differenced along x first (Predictor 2). Floating point is not: Predictor 3 is not read by Bio-Formats.

    Raises
    ------
    UsageError
        If TIFF has no such compression.
    """
    if compression not in _TIFF:
        raise UsageError(f"OME-TIFF has no {compression} compression. Choose auto, zlib, lzw, zstd or none.")
    tag = _TIFF[compression]
    predictor = HORIZONTAL if tag != NONE and dtype.kind in "iu" else NO_PREDICTOR
    encode, decode = _bytes_codec(tag)
    name = "zlib" if compression == "auto" else compression
    if predictor == NO_PREDICTOR:
        return Codec(name, _WORST[tag], encode, lambda data, shape, kind: _array(decode(data, _bytes(shape, kind)), shape, kind), tag)
    return Codec(name, _WORST[tag], _differenced(encode), _summed(decode), tag, predictor)


def _bytes(shape: tuple[int, ...], dtype: np.dtype[Any]) -> int:
    return int(np.prod(shape, dtype=np.int64)) * dtype.itemsize


def _array(data: bytes, shape: tuple[int, ...], dtype: np.dtype[Any]) -> NDArray[Any]:
    return np.frombuffer(data, dtype).reshape(shape)


def _differenced(encode: Callable[[Any], bytes]) -> Callable[[NDArray[Any]], bytes]:
    """Encode differences along x; arrays are (…, x, s)."""
    from imagecodecs import delta_encode

    return lambda pixels: encode(delta_encode(pixels, axis=-2))


def _summed(decode: Callable[[bytes, int], bytes]) -> Callable[[bytes, tuple[int, ...], np.dtype[Any]], NDArray[Any]]:
    from imagecodecs import delta_decode

    def run(data: bytes, shape: tuple[int, ...], dtype: np.dtype[Any]) -> NDArray[Any]:
        array = _array(decode(data, _bytes(shape, dtype)), shape, dtype)
        return np.asarray(delta_decode(array, axis=-2))

    return run


def _bytes_codec(tag: int) -> tuple[Callable[[Any], bytes], Callable[[bytes, int], bytes]]:
    import imagecodecs

    if tag == DEFLATE:
        return lambda data: bytes_of(imagecodecs.deflate_encode(data, LEVEL)), lambda data, size: bytes_of(imagecodecs.deflate_decode(data, out=size))
    if tag == LZW:
        return lambda data: bytes_of(imagecodecs.lzw_encode(data)), lambda data, size: bytes_of(imagecodecs.lzw_decode(data, out=size))
    if tag == ZSTD:
        return lambda data: bytes_of(imagecodecs.zstd_encode(data, LEVEL)), lambda data, size: bytes_of(imagecodecs.zstd_decode(data, out=size))
    return lambda data: bytes_of(np.ascontiguousarray(data).data.cast("B")), lambda data, _: data


def bytes_of(data: Any) -> bytes:
    """Give what a codec returned as bytes, copying only what is not bytes already."""
    return data if isinstance(data, bytes) else bytes(data)


def zarr_codec(compression: Compression, version: NgffVersion, dtype: np.dtype[Any]) -> Codec:
    """Codec of the chunks of a Zarr array, as `metadata.ngff.array_metadata` declares it.

    Raises
    ------
    UsageError
        If Zarr has no such compression.
    """
    import imagecodecs

    if compression == "lzw":
        raise UsageError("OME-Zarr has no lzw compression. Choose auto, zstd, lz4, zlib or none.")
    if compression == "none":
        encode, decode = _bytes_codec(NONE)
        return Codec("none", 1.0, encode, lambda data, shape, kind: _array(decode(data, 0), shape, kind))
    if compression == "zlib" and version == "0.4":
        encode, decode = _bytes_codec(DEFLATE)
        return Codec("zlib", 1.01, encode, lambda data, shape, kind: _array(decode(data, _bytes(shape, kind)), shape, kind))
    if compression == "zlib":
        return Codec(
            "gzip",
            1.01,
            lambda pixels: bytes_of(imagecodecs.gzip_encode(pixels, LEVEL)),
            lambda data, shape, kind: _array(bytes_of(imagecodecs.gzip_decode(data, out=_bytes(shape, kind))), shape, kind),
        )
    name = "lz4" if compression == "lz4" else "zstd"
    return Codec(
        f"blosc {name}",
        1.01,
        lambda pixels: bytes_of(
            imagecodecs.blosc_encode(
                pixels, LEVEL, compressor=name, shuffle=imagecodecs.BLOSC.SHUFFLE.BITSHUFFLE, typesize=dtype.itemsize, numthreads=1
            )
        ),
        lambda data, shape, kind: _array(bytes_of(imagecodecs.blosc_decode(data, numthreads=1)), shape, kind),
    )
