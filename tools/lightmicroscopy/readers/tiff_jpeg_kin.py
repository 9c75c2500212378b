"""Sizes in the headers of JPEG 2000, JPEG XL and JPEG XR pictures, read before a decoder takes memory for them.

Sources: ISO/IEC 15444-1 annex A and I, ISO/IEC 18181-1 annex A and 18181-2, ITU-T T.832 clauses 8 and A.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator


class Frame(NamedTuple):
    """What an encoded picture's own header says."""

    height: int
    width: int
    samples: int
    bits: int
    lossless: bool = False


_JP2 = b"\0\0\0\x0cjP  \r\n\x87\n"
_JXL = b"\0\0\0\x0cJXL \r\n\x87\n"
_RATIOS = ((1, 1), (6, 5), (4, 3), (3, 2), (16, 9), (5, 4), (2, 1))
_XR_WIDTH, _XR_HEIGHT, _XR_OFFSET = 0xBC80, 0xBC81, 0xBCC0
_XR_ENTRIES = 100


def _boxes(data: bytes) -> Iterator[tuple[bytes, int]]:
    """Type and first content byte of each box at the top."""
    at = 0
    while at + 8 <= len(data):
        length, kind = struct.unpack_from(">I4s", data, at)
        head = 8
        if length == 1:
            length, head = struct.unpack_from(">Q", data, at + 8)[0], 16
        yield kind, at + head
        if length < head:
            return
        at += length


def jpeg2000_frame(data: bytes) -> Frame | None:
    """Size from the SIZ segment; lossless where the wavelet is the reversible one."""
    at = next((start for kind, start in _boxes(data) if kind == b"jp2c"), -1) if data.startswith(_JP2) else 0
    if at < 0 or data[at : at + 4] != b"\xff\x4f\xff\x51":
        return None
    x1, y1, x0, y0 = struct.unpack_from(">IIII", data, at + 8)
    samples = struct.unpack_from(">H", data, at + 40)[0]
    bits = (data[at + 42] & 0x7F) + 1
    cod = data.find(b"\xff\x52", at)
    # COD: Lcod(2) Scod(1) SGcod(4) levels(1) width(1) height(1) style(1) transformation(1); 1 is the reversible 5/3.
    return Frame(y1 - y0, x1 - x0, samples, bits, cod >= 0 and data[cod + 13] == 1)


class _Bits:
    """Little-endian bits of a JPEG XL header."""

    def __init__(self, data: bytes) -> None:
        self.value = int.from_bytes(data, "little")
        self.left = 8 * len(data)

    def __call__(self, count: int = 1) -> int:
        if count > self.left:
            raise IndexError("the header ends early")
        value = self.value & ((1 << count) - 1)
        self.value >>= count
        self.left -= count
        return value

    def choice(self, *ways: tuple[int, int]) -> int:
        """One of four (offset, bits) ways to spell a number."""
        offset, count = ways[self(2)]
        return offset + self(count)


def jpegxl_frame(data: bytes) -> Frame | None:
    """Size, samples and bits; None for what is no picture of one frame, such as an animation."""
    if data.startswith(_JXL):
        kind, at = next(((kind, start) for kind, start in _boxes(data) if kind in (b"jxlc", b"jxlp")), (b"", -1))
        at += 4 if kind == b"jxlp" else 0
    else:
        at = 0
    if at < 0 or data[at : at + 2] != b"\xff\x0a":
        return None
    bits = _Bits(data[at + 2 : at + 66])
    height, width = _xl_size(bits)
    if bits():
        return Frame(height, width, 3, 8)
    if bits():
        orientation = bits(3)
        if bits():
            _xl_size(bits)
        if bits() or bits():
            return None
        if orientation >= 4:
            height, width = width, height
    depth = _xl_depth(bits)
    bits()
    extra = bits.choice((0, 0), (1, 0), (2, 4), (1, 12))
    for _ in range(extra):
        _xl_extra_channel(bits)
    bits()
    grey = not bits() and _xl_is_grey(bits)
    return Frame(height, width, (1 if grey else 3) + extra, depth)


def _xl_size(bits: _Bits) -> tuple[int, int]:
    small = bits()

    def extent() -> int:
        return 8 * (1 + bits(5)) if small else 1 + bits.choice((0, 9), (0, 13), (0, 18), (0, 30))

    height = extent()
    ratio = bits(3)
    if not ratio:
        return height, extent()
    over, under = _RATIOS[ratio - 1]
    return height, height * over // under


def _xl_depth(bits: _Bits) -> int:
    if bits():
        depth = bits.choice((32, 0), (16, 0), (24, 0), (1, 6))
        bits(4)
        return depth
    return bits.choice((8, 0), (10, 0), (12, 0), (1, 6))


def _xl_extra_channel(bits: _Bits) -> None:
    if bits():
        return
    kind = _xl_enum(bits)
    _xl_depth(bits)
    bits.choice((0, 0), (3, 0), (4, 0), (1, 3))
    length = bits.choice((0, 0), (0, 4), (16, 5), (48, 10))
    for _ in range(length):
        bits(8)
    if kind == 0:
        bits()
    elif kind == 2:
        bits(64)
    elif kind == 5:
        bits.choice((1, 0), (0, 2), (3, 4), (19, 8))


def _xl_enum(bits: _Bits) -> int:
    return bits.choice((0, 0), (1, 0), (2, 4), (18, 6))


def _xl_is_grey(bits: _Bits) -> bool:
    bits()
    return _xl_enum(bits) == 1


def jpegxr_frame(data: bytes) -> Frame | None:
    """Size, the larger of what the container and the picture in it say; samples and bits are not told."""
    if data[:4] != b"II\xbc\x01":
        return None
    at = struct.unpack_from("<I", data, 4)[0]
    count = struct.unpack_from("<H", data, at)[0]
    tags = {}
    for number in range(min(count, _XR_ENTRIES)):
        tag, kind, _, value = struct.unpack_from("<HHII", data, at + 2 + 12 * number)
        tags[tag] = value & (0xFF, 0xFFFF)[kind == 3] if kind in (1, 3) else value
    if not {_XR_WIDTH, _XR_HEIGHT, _XR_OFFSET} <= tags.keys():
        return None
    start = tags[_XR_OFFSET]
    if data[start : start + 8] != b"WMPHOTO\0":
        return None
    short = data[start + 10] & 0x80
    width, height = struct.unpack_from(">HH" if short else ">II", data, start + 12)
    return Frame(max(height + 1, tags[_XR_HEIGHT]), max(width + 1, tags[_XR_WIDTH]), 1, 8)
