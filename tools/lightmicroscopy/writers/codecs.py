"""How tiles and chunks are compressed, and decompressed again to be compared.

Choices follow measurements on microscope-like uint16 tiles: after horizontal differencing ISA-L's deflate at level 3 encodes at twice the
speed of libdeflate at level 1, is 2 % larger than that and smaller than zlib at level 6, and libdeflate decodes it fastest; Blosc with
bitshuffle and zstd at level 1 is as small at twice the speed.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

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
DEFLATE_LEVEL = 3
_LARGEST_BLOSC_BLOCK = 1 << 20
_local = threading.local()


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
        From those bytes to an array of the given shape and dtype. The array is this thread's own and lasts until it decodes again.
    tag, predictor
        Values of TIFF's Compression and Predictor.
    """

    name: str
    worst: float
    encode: Callable[[NDArray[Any]], bytes]
    decode: Callable[[bytes, tuple[int, ...], np.dtype[Any]], NDArray[Any]]
    tag: int = NONE
    predictor: int = NO_PREDICTOR


def tiff_codec(compression: Compression, dtype: np.dtype[Any]) -> Codec:
    """Codec of the tiles of a TIFF, whose arrays are (…, x, s).

    Integers are differenced along x first (Predictor 2). Floating point is not: Bio-Formats does not read Predictor 3.

    Raises
    ------
    UsageError
        If TIFF has no such compression.
    """
    if compression not in _TIFF:
        raise UsageError(f"OME-TIFF has no {compression} compression. Choose auto, zlib, lzw, zstd or none.")
    tag = _TIFF[compression]
    name = "zlib" if compression == "auto" else compression
    encode, decode = _bytes_codec(tag)
    if tag == NONE or dtype.kind not in "iu":
        return Codec(name, _WORST[tag], encode, _to_array(decode), tag)
    return Codec(name, _WORST[tag], _differenced(encode), _summed(_to_array(decode)), tag, HORIZONTAL)


def zarr_codec(compression: Compression, version: NgffVersion, dtype: np.dtype[Any]) -> Codec:
    """Codec of the chunks of a Zarr array, as `metadata.zarr_json.array_metadata` declares it.

    Raises
    ------
    UsageError
        If Zarr has no such compression.
    """
    if compression == "lzw":
        raise UsageError("OME-Zarr has no lzw compression. Choose auto, zstd, lz4, zlib or none.")
    if compression == "none":
        encode, decode = _bytes_codec(NONE)
        return Codec("none", 1.0, encode, _to_array(decode))
    if compression == "zlib":
        encode, decode = _bytes_codec(DEFLATE) if version == "0.4" else _gzip()
        return Codec("zlib" if version == "0.4" else "gzip", _WORST[DEFLATE], encode, _to_array(decode))
    name: Literal["zstd", "lz4"] = "lz4" if compression == "lz4" else "zstd"
    encode, decode = _blosc(name, dtype.itemsize)
    return Codec(f"blosc {name}", _WORST[ZSTD], encode, _to_array(decode))


Encode = Callable[[Any], bytes]
Decode = Callable[[bytes, bytearray], Any]
"""From encoded bytes and a buffer of the decoded size to what was decoded, in that buffer or elsewhere."""


def _to_array(decode: Decode) -> Callable[[bytes, tuple[int, ...], np.dtype[Any]], NDArray[Any]]:
    def run(data: bytes, shape: tuple[int, ...], dtype: np.dtype[Any]) -> NDArray[Any]:
        return np.frombuffer(decode(data, scratch("decoded", math.prod(shape) * dtype.itemsize)), dtype).reshape(shape)

    return run


def scratch(use: str, size: int) -> bytearray:
    """Give this thread's buffer for one use; fresh memory for every chunk would cost more in page faults than some codecs take."""
    held: bytearray | None = getattr(_local, use, None)
    if held is None or len(held) != size:
        held = bytearray(size)
        setattr(_local, use, held)
    return held


def _differenced(encode: Encode) -> Callable[[NDArray[Any]], bytes]:
    # NumPy's subtraction does this at nearly three times the speed of imagecodecs' delta_encode.
    def run(pixels: NDArray[Any]) -> bytes:
        out = np.frombuffer(scratch("differences", pixels.nbytes), pixels.dtype).reshape(pixels.shape)
        out[..., 0, :] = pixels[..., 0, :]
        np.subtract(pixels[..., 1:, :], pixels[..., :-1, :], out=out[..., 1:, :])
        return encode(out)

    return run


def _summed(
    decode: Callable[[bytes, tuple[int, ...], np.dtype[Any]], NDArray[Any]],
) -> Callable[[bytes, tuple[int, ...], np.dtype[Any]], NDArray[Any]]:
    from imagecodecs import delta_decode

    def run(data: bytes, shape: tuple[int, ...], dtype: np.dtype[Any]) -> NDArray[Any]:
        pixels = decode(data, shape, dtype)
        return np.asarray(delta_decode(pixels, axis=-2, out=pixels))

    return run


def _bytes_codec(tag: int) -> tuple[Encode, Decode]:
    import imagecodecs
    from isal import isal_zlib

    if tag == DEFLATE:
        return lambda data: isal_zlib.compress(data, DEFLATE_LEVEL), lambda data, out: imagecodecs.deflate_decode(data, out=out)
    if tag == LZW:
        return lambda data: bytes_of(imagecodecs.lzw_encode(data)), lambda data, out: imagecodecs.lzw_decode(data, out=out)
    if tag == ZSTD:
        return lambda data: bytes_of(imagecodecs.zstd_encode(data, LEVEL)), lambda data, out: imagecodecs.zstd_decode(data, out=out)
    return lambda data: bytes(np.ascontiguousarray(data).data.cast("B")), lambda data, _: data


def _gzip() -> tuple[Encode, Decode]:
    import imagecodecs

    return lambda pixels: bytes_of(imagecodecs.gzip_encode(pixels.tobytes(), LEVEL)), lambda data, out: imagecodecs.gzip_decode(data, out=out)


def _blosc(name: Literal["zstd", "lz4"], itemsize: int) -> tuple[Encode, Decode]:
    import imagecodecs

    shuffle = imagecodecs.BLOSC.SHUFFLE.BITSHUFFLE

    def encode(pixels: Any) -> bytes:
        # One block per chunk: half as fast again to encode and twice as fast to decode as Blosc's own choice, and smaller.
        block = min(pixels.nbytes, _LARGEST_BLOSC_BLOCK)
        return bytes_of(imagecodecs.blosc_encode(pixels, LEVEL, compressor=name, shuffle=shuffle, typesize=itemsize, blocksize=block, numthreads=1))

    return encode, lambda data, out: imagecodecs.blosc_decode(data, numthreads=1, out=out)


def bytes_of(data: Any) -> bytes:
    """Give what a codec returned as bytes, copying only what is not bytes already."""
    return data if isinstance(data, bytes) else bytes(data)
