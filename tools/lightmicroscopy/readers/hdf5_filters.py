"""Decoding of HDF5 chunks: the filters that microscopy files are written with, with bounds on what they may unpack to.

Filters are found by the numbers under which the HDF Group registers them. Those of `BY_LIBRARY` are left to the HDF5 library;
whatever is not here is named in an error, and never run by a plugin. Source: HDF5 file format specification and the register of
filters (hdf5_plugins, RegisteredFilterPlugins); of LZ4, bitshuffle and szip their filters' own stream formats.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from .zarr_codecs import ChunkError, encoded_bound

if TYPE_CHECKING:
    from .hdf5_file import Filter

Decode = Callable[[Any, int, Sequence[int]], Any]
"""From encoded bytes, the most bytes they may decode to, and the filter's parameters, to bytes or an array of them."""
_CHECKSUM: Final = 4
_LZ4: Final = struct.Struct(">QI")
_BLOSC: Final = struct.Struct("<4B3L")
_BITSHUFFLED: Final = {0: "", 2: "lz4", 3: "zstd"}
FLETCHER32: Final = 3
BY_LIBRARY: Final = {5: "n-bit", 6: "scale-offset"}
"""Filters of the HDF5 library itself that nobody else decodes."""
SCALE_OFFSET: Final = 6


def _deflate(data: Any, limit: int, _: Sequence[int]) -> Any:
    import imagecodecs

    # libdeflate was measured to be 2.3 times as fast as zlib.
    return imagecodecs.deflate_decode(data, out=np.empty(limit, np.uint8).data)


def _shuffle(data: Any, _: int, values: Sequence[int]) -> Any:
    size = values[0] if values else 1
    stored = np.frombuffer(data, np.uint8)
    count = len(stored) // size
    if size <= 1 or count <= 1:
        return data
    planes = stored[: count * size].reshape(size, count)
    result = np.empty(len(stored), np.uint8)
    pixels = result[: count * size].reshape(count, size)
    for byte in range(size):
        pixels[:, byte] = planes[byte]
    result[count * size :] = stored[count * size :]
    return result


def _fletcher32(data: Any, _: int, __: Sequence[int]) -> Any:
    import imagecodecs

    if len(data) < _CHECKSUM:
        raise ChunkError("is shorter than its checksum")
    body, stored = data[:-_CHECKSUM], int.from_bytes(data[-_CHECKSUM:], "little")
    if imagecodecs.h5checksum_fletcher32(bytes(body)) != stored:
        raise ChunkError("does not have its checksum")
    return body


def _szip(data: Any, limit: int, values: Sequence[int]) -> Any:
    import imagecodecs

    if len(values) < 4 or len(data) < 4:
        raise ChunkError("lacks the parameters of its compression")
    if int.from_bytes(data[:4], "little") > limit:
        raise ChunkError(f"promises more than {limit:,} bytes")
    mask, block, bits, line = values[:4]
    return imagecodecs.szip_decode(bytes(data), options_mask=mask, pixels_per_block=block, bits_per_pixel=bits, pixels_per_scanline=line, header=True)


def _lzf(data: Any, limit: int, _: Sequence[int]) -> Any:
    import imagecodecs

    return imagecodecs.lzf_decode(bytes(data), out=np.empty(limit, np.uint8).data)


def _bzip2(data: Any, limit: int, _: Sequence[int]) -> Any:
    import bz2

    # Python's own, since the codecs' would pass over what does not fit.
    decoder = bz2.BZ2Decompressor()
    decoded = decoder.decompress(bytes(data), limit + 1)
    if not decoder.eof:
        raise ChunkError(f"does not end within the {limit:,} bytes it may have")
    return decoded


def _zstd(data: Any, limit: int, _: Sequence[int]) -> Any:
    import imagecodecs

    return imagecodecs.zstd_decode(data, out=np.empty(limit, np.uint8).data)


def _blosc(data: Any, limit: int, _: Sequence[int]) -> Any:
    import imagecodecs

    if len(data) < _BLOSC.size:
        raise ChunkError("is shorter than the header of its compression")
    *_version, decoded, _block, encoded = _BLOSC.unpack_from(data)
    if decoded > limit or encoded > len(data):
        raise ChunkError(f"promises {decoded:,} bytes out of {encoded:,}, where {limit:,} out of {len(data):,} are possible")
    return imagecodecs.blosc_decode(bytes(data), numthreads=1)


def _lz4(data: Any, limit: int, _: Sequence[int]) -> Any:
    """Blocks, each with its length before it; one that would have grown is stored as it is."""
    import imagecodecs

    decoded, block, at = _header(data, limit)
    result = np.empty(decoded, np.uint8)
    done = 0
    while done < decoded:
        part, at = _block(data, at)
        room = min(block, decoded - done)
        piece = part if len(part) == room else imagecodecs.lz4_decode(bytes(part), out=room)
        if len(piece) != room:
            raise ChunkError(f"has a block of {len(piece):,} bytes, where {room:,} are needed")
        result[done : done + room] = np.frombuffer(piece, np.uint8)
        done += room
    return result


def _header(data: Any, limit: int) -> tuple[int, int, int]:
    if len(data) < _LZ4.size:
        raise ChunkError("is shorter than the header of its compression")
    decoded, block = _LZ4.unpack_from(data)
    if decoded > limit:
        raise ChunkError(f"promises {decoded:,} bytes, where {limit:,} are possible")
    if not block:
        raise ChunkError("has blocks of no size")
    return decoded, block, _LZ4.size


def _block(data: Any, at: int) -> tuple[Any, int]:
    length = int.from_bytes(data[at : at + 4], "big")
    part = data[at + 4 : at + 4 + length]
    if not length or len(part) != length:
        raise ChunkError("is shorter than its blocks say")
    return part, at + 4 + length


def _bitshuffle(data: Any, limit: int, values: Sequence[int]) -> Any:
    """Bits of eight or more pixels sorted by significance, block by block, and each block compressed or not."""
    import imagecodecs

    size = values[2] if len(values) > 2 else 1
    method = _BITSHUFFLED.get(values[4] if len(values) > 4 else 0)
    if method is None or not 0 < size <= 16:
        raise ChunkError("is compressed in a way bitshuffle does not say")
    if not method:
        block = (values[3] if len(values) > 3 and values[3] else _default_block(size)) * size
        decoded, at = len(data), 0
    else:
        decoded, block, at = _header(data, limit)
    result = np.empty(decoded, np.uint8)
    done = 0
    while done < decoded:
        # The last block is made of whole groups of eight; what is left over is stored as it is.
        room = min(block, (decoded - done) // (8 * size) * 8 * size)
        if not room:
            rest = data[at : at + decoded - done]
            if len(rest) != decoded - done:
                raise ChunkError("is shorter than it says")
            result[done:] = np.frombuffer(rest, np.uint8)
            break
        if method:
            part, at = _block(data, at)
            piece = imagecodecs.lz4_decode(bytes(part), out=room) if method == "lz4" else imagecodecs.zstd_decode(bytes(part), out=room)
        else:
            piece, at = data[at : at + room], at + room
        if len(piece) != room:
            raise ChunkError(f"has a block of {len(piece):,} bytes, where {room:,} are needed")
        result[done : done + room] = np.frombuffer(imagecodecs.bitshuffle_decode(bytes(piece), itemsize=size, blocksize=room // size), np.uint8)
        done += room
    return result


def _default_block(size: int) -> int:
    return max(8192 // size // 8 * 8, 128)


_FILTERS: Final[dict[int, tuple[str, Decode]]] = {
    1: ("gzip", _deflate),
    2: ("shuffle", _shuffle),
    FLETCHER32: ("fletcher32", _fletcher32),
    4: ("szip", _szip),
    307: ("bzip2", _bzip2),
    32000: ("lzf", _lzf),
    32001: ("blosc", _blosc),
    32004: ("lz4", _lz4),
    32008: ("bitshuffle", _bitshuffle),
    32015: ("zstd", _zstd),
}


@dataclass(frozen=True, slots=True)
class Pipeline:
    """The filters of one dataset, in the order of encoding."""

    filters: tuple[Filter, ...]

    @property
    def unknown(self) -> Filter | None:
        """The first filter that neither we nor the HDF5 library can undo."""
        return next((step for step in self.filters if step.code not in _FILTERS and step.code not in BY_LIBRARY), None)

    @property
    def by_library(self) -> bool:
        """Whether the HDF5 library has to decode."""
        return any(step.code in BY_LIBRARY for step in self.filters)

    @property
    def name(self) -> str:
        """For people, e.g. ``shuffle, gzip``."""
        names = (BY_LIBRARY.get(step.code) or _FILTERS.get(step.code, (step.name or f"filter {step.code}", None))[0] for step in self.filters)
        return ", ".join(names) or "none"

    def decode(self, data: Any, mask: int, size: int) -> Any:
        """Decode one chunk to exactly `size` bytes; raises `ChunkError`.

        Parameters
        ----------
        mask
            Bit n is set where filter n was left out.
        """
        steps = [step for number, step in enumerate(self.filters) if not mask >> number & 1]
        bounds = [size]
        for step in steps:
            last = bounds[-1]
            bounds.append(last + _CHECKSUM if step.code == FLETCHER32 else last if step.code == 2 else encoded_bound(last))
        try:
            for step, bound in zip(reversed(steps), reversed(bounds[:-1]), strict=True):
                data = _FILTERS[step.code][1](data, bound, step.values)
        except (RuntimeError, ValueError, TypeError, OverflowError, OSError, struct.error) as error:
            raise error if isinstance(error, ChunkError) else ChunkError(f"cannot be decoded ({error})") from error
        if len(data) != size:
            raise ChunkError(f"decodes to {len(data):,} bytes, where {size:,} are needed")
        return data
