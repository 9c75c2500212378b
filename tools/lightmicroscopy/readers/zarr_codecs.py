"""Decoding of Zarr chunks, with bounds on what a chunk may unpack to.

Covers the codecs that OME-Zarr stores use in practice; `chain_v2` and `chain_v3` return ``None`` for any other, which
zarr-python then takes over. Source: Zarr 2 and 3 specifications, and the codecs' own formats.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

Decode = Callable[[Any, int], Any]
"""From encoded bytes and the most bytes they may decode to, to bytes or an array of them."""
_BLOSC_HEADER: Final = struct.Struct("<4B3L")
_BLOSC_NAMES: Final = ("blosclz", "lz4", "snappy", "zlib", "zstd")
_LZ4_HEADER: Final = struct.Struct("<L")
_CRC_BYTES: Final = 4


class ChunkError(ValueError):
    """A chunk that cannot be decoded; its text says why and is put after the chunk's name."""


@dataclass(frozen=True, slots=True)
class Chain:
    """How the bytes of one chunk become an array.

    Attributes
    ----------
    stored
        Type with the byte order of the storage.
    permutation
        Order of the array's dimensions in storage, slowest first; ``None`` if as in the array.
    stages
        (decoder, whether its encoder adds a known 4 bytes), in the order of encoding.
    name
        For people, e.g. ``blosc zstd``.
    """

    stored: np.dtype[Any]
    permutation: tuple[int, ...] | None
    stages: tuple[tuple[Decode, bool], ...]
    name: str

    def decode(self, data: Any, shape: Sequence[int]) -> NDArray[Any]:
        """Decode one chunk of exactly that shape, in native byte order. Raises `ChunkError`."""
        size = self.stored.itemsize
        for extent in shape:
            size *= extent
        bounds = [size]
        for _, is_checksum in self.stages:
            bounds.append(bounds[-1] + _CRC_BYTES if is_checksum else encoded_bound(bounds[-1]))
        try:
            for (decode, _), bound in zip(reversed(self.stages), reversed(bounds[:-1]), strict=True):
                data = decode(data, bound)
        except (RuntimeError, ValueError, struct.error) as error:
            raise error if isinstance(error, ChunkError) else ChunkError(f"cannot be decoded ({error})") from error
        if len(data) != size:
            raise ChunkError(f"decodes to {len(data):,} bytes, where {size:,} are needed")
        return self._arrange(np.frombuffer(data, self.stored), shape)

    def bound(self, size: int) -> int:
        """Most bytes that a chunk of `size` decoded bytes can plausibly take in storage."""
        for _, is_checksum in self.stages:
            size = size + _CRC_BYTES if is_checksum else encoded_bound(size)
        return size

    def _arrange(self, flat: NDArray[Any], shape: Sequence[int]) -> NDArray[Any]:
        if self.permutation is None:
            array = flat.reshape(tuple(shape))
        else:
            array = flat.reshape([shape[axis] for axis in self.permutation]).transpose(np.argsort(self.permutation))
        if self.stored.isnative:
            return array
        # In place where the bytes are ours: a chunk may be as large as half of the memory.
        return array.byteswap(inplace=flat.flags.writeable).view(self.stored.newbyteorder("="))


def encoded_bound(size: int) -> int:
    """Most bytes that any of these codecs makes out of `size`, generously."""
    return size + size // 8 + 65536


def _blosc(data: Any, limit: int) -> Any:
    import imagecodecs

    if len(data) < _BLOSC_HEADER.size:
        raise ChunkError("is shorter than the header of its compression")
    *_, decoded, _, encoded = _BLOSC_HEADER.unpack_from(data)
    if decoded > limit or encoded > len(data):
        raise ChunkError(f"promises {decoded:,} bytes out of {encoded:,}, where {limit:,} out of {len(data):,} are possible")
    # Decoding into an array of our own was measured to be a third faster than into a new bytes object.
    pixels = np.empty(decoded, np.uint8)
    if decoded:
        imagecodecs.blosc_decode(data, numthreads=1, out=pixels.data)
    return pixels


def _zstd(data: Any, limit: int) -> Any:
    import imagecodecs

    return imagecodecs.zstd_decode(data, out=np.empty(limit, np.uint8).data)


def _zlib(data: Any, limit: int) -> Any:
    import imagecodecs

    return imagecodecs.zlib_decode(data, out=np.empty(limit, np.uint8).data)


def _gzip(data: Any, limit: int) -> Any:
    import imagecodecs

    return imagecodecs.gzip_decode(data, out=np.empty(limit, np.uint8).data)


def _lz4(data: Any, limit: int) -> Any:
    import imagecodecs

    (decoded,) = _LZ4_HEADER.unpack_from(data)
    if decoded > limit:
        raise ChunkError(f"promises {decoded:,} bytes, where {limit:,} are possible")
    return imagecodecs.lz4_decode(bytes(data[_LZ4_HEADER.size :]), out=decoded)


def _crc32c(data: Any, _: int) -> Any:
    from numcodecs.checksum32 import CRC32C

    if len(data) < _CRC_BYTES:
        raise ChunkError("is shorter than its checksum")
    return bytes(CRC32C(location="end").decode(bytes(data)))


_STAGES: Final[dict[str, tuple[Decode, bool]]] = {
    "blosc": (_blosc, False),
    "zstd": (_zstd, False),
    "zlib": (_zlib, False),
    "gzip": (_gzip, False),
    "lz4": (_lz4, False),
    "crc32c": (_crc32c, True),
}


def chain_v2(stored: np.dtype[Any], order: str, compressor: object, filters: object, ndim: int) -> Chain | None:
    """Decoding of a Zarr v2 array; ``None`` if not covered here."""
    permutation = tuple(reversed(range(ndim))) if order == "F" and ndim > 1 else None
    if filters:
        return None
    if compressor is None:
        return Chain(stored, permutation, (), "none")
    if not isinstance(compressor, Mapping) or compressor.get("id") not in _STAGES:
        return None
    return Chain(stored, permutation, (_STAGES[str(compressor["id"])],), codec_name(str(compressor["id"]), compressor))


def chain_v3(dtype: np.dtype[Any], codecs: Sequence[object], ndim: int) -> Chain | None:
    """Decoding of a Zarr v3 array, or of a shard's inner chunks or index; ``None`` if not covered here."""
    stored: np.dtype[Any] | None = None
    permutation: tuple[int, ...] | None = None
    stages: list[tuple[Decode, bool]] = []
    names: list[str] = []
    for codec in codecs:
        name, configuration = named(codec)
        plain = name.removeprefix("numcodecs.")
        if name == "transpose" and stored is None and permutation is None:
            permutation = _permutation(configuration.get("order"), ndim)
            if permutation is None:
                return None
        elif name == "bytes" and stored is None:
            stored = dtype.newbyteorder(">" if configuration.get("endian") == "big" else "<")
        elif plain in _STAGES and stored is not None:
            stages.append(_STAGES[plain])
            names.append(codec_name(plain, configuration))
        else:
            return None
    return None if stored is None else Chain(stored, permutation, tuple(stages), ", ".join(names) or "none")


def _permutation(order: object, ndim: int) -> tuple[int, ...] | None:
    if isinstance(order, list) and all(isinstance(axis, int) for axis in order) and sorted(order) == list(range(ndim)):
        return tuple(order)
    return None


def named(codec: object) -> tuple[str, Mapping[str, Any]]:
    """Name and configuration of a v3 extension point, which may be written as its name alone."""
    if isinstance(codec, str):
        return codec, {}
    if not isinstance(codec, Mapping):
        return "", {}
    configuration = codec.get("configuration")
    return str(codec.get("name", "")), configuration if isinstance(configuration, Mapping) else {}


def codec_name(name: str, configuration: Mapping[str, Any]) -> str:
    """Name of a codec for people."""
    inner = configuration.get("cname")
    return f"{name} {inner}" if name == "blosc" and inner in _BLOSC_NAMES else name
