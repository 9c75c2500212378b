"""What TIFF's compressed segments say about themselves: their name, whether they change values, how large they unpack."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from .jpegxr import is_lossless
from .tiff_jpeg_kin import Frame, jpeg2000_frame, jpegxl_frame, jpegxr_frame

if TYPE_CHECKING:
    from collections.abc import Iterator

JPEG = frozenset((6, 7, 33007, 34892))
JPEG2000 = frozenset((33003, 33004, 33005, 34712))
JPEG_XL = frozenset((50002, 52546))
JPEG_XR = frozenset((22610, 34934))
WEBP = frozenset((34927, 50001))
PNG = 34933
LERC = 34887
PICTURES = JPEG2000 | JPEG_XL | JPEG_XR | WEBP | {PNG}
"""Codecs that unpack to an array of its own size, JPEG apart, which needs tables of the page."""
LZW = 5
ALWAYS_LOSSY = frozenset((33003, 33004, 33005, 50002, 52546, 34676, 34677, 65000, 65001, 65002))
"""Aperio's and the declared lossy JPEG 2000, JPEG XL and the logarithmic encodings, none of which tells."""
_HALF_A_STEP = 0.5
"""Error of LERC below which whole numbers are rounded back to themselves."""

_SCAN = 0xDA
_NAMES = {
    2: "CCITT RLE",
    3: "CCITT Group 3",
    4: "CCITT Group 4",
    5: "LZW",
    6: "JPEG (old style)",
    7: "JPEG",
    8: "Deflate",
    32946: "Deflate",
    32773: "PackBits",
    34712: "JPEG 2000",
    33003: "JPEG 2000",
    33004: "JPEG 2000",
    33005: "JPEG 2000",
    33007: "JPEG",
    34892: "JPEG",
    22610: "JPEG XR",
    34934: "JPEG XR",
    34887: "LERC",
    34925: "LZMA",
    34926: "Zstandard",
    50000: "Zstandard",
    34927: "WebP",
    50001: "WebP",
    50002: "JPEG XL",
    52546: "JPEG XL",
    34933: "PNG",
}


def compression_name(code: int) -> str | None:
    """Name of a TIFF compression; None for none."""
    return None if code == 1 else _NAMES.get(code, f"compression {code}")


def is_lossy(code: int, head: bytes, *, whole_numbers: bool = False) -> bool:
    """Whether a compression may have changed the values, by its code and the first bytes of a segment.

    LERC is lossy where the error it allowed is above zero, or one half for whole numbers; inside a second compression that cannot be
    seen and is taken as zero.
    """
    if code in ALWAYS_LOSSY:
        return True
    if code == LERC:
        return lerc_error(head) > (_HALF_A_STEP if whole_numbers else 0)
    if code in JPEG_XR:
        return not is_lossless(head)
    if code in JPEG or code in JPEG2000 or code in WEBP:
        frame = picture_frame(code, head)
        return frame is None or not frame.lossless
    return False


def picture_frame(code: int, data: bytes) -> Frame | None:
    """The header of a segment that is a whole encoded picture; None where it cannot be found or the codec has none."""
    parsers = (
        (JPEG, jpeg_frame),
        (JPEG2000, jpeg2000_frame),
        (JPEG_XL, jpegxl_frame),
        (JPEG_XR, jpegxr_frame),
        ((PNG,), png_frame),
        (WEBP, _webp_frame),
        ((LERC,), _lerc_frame),
    )
    try:
        return next((parse(data) for codes, parse in parsers if code in codes), None)
    except (struct.error, IndexError):
        return None


def jpeg_segments(data: bytes) -> Iterator[tuple[int, bytes, int]]:
    """Markers of a JPEG up to and with its first scan: code, contents, position."""
    at = 2
    while at + 4 <= len(data):
        if data[at] != 0xFF:
            return
        marker = data[at + 1]
        if marker == 0xFF:
            at += 1
            continue
        if marker == 0x01 or 0xD0 <= marker <= 0xD8:
            at += 2
            continue
        if marker in (0x00, 0xD9):
            return
        length = int.from_bytes(data[at + 2 : at + 4], "big")
        yield marker, data[at + 4 : at + 2 + length], at
        if marker == _SCAN:
            return
        at += 2 + max(length, 2)


def jpeg_frame(data: bytes) -> Frame | None:
    """Size and lossless-ness (SOF3, ITU-T T.81 annex B.2.2) of a JPEG."""
    for marker, body, _ in jpeg_segments(data):
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            bits, height, width, samples = struct.unpack(">BHHB", body[:6])
            return Frame(height, width, samples, bits, marker in (0xC3, 0xC7, 0xCB, 0xCF))
    return None


def png_frame(data: bytes) -> Frame | None:
    """Size from a PNG's IHDR."""
    if data[:8] != b"\x89PNG\r\n\x1a\n" or data[12:16] != b"IHDR":
        return None
    width, height, bits, colour = struct.unpack(">IIBB", data[16:26])
    return Frame(height, width, {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}.get(colour, 1), bits, True)


def lerc_error(data: bytes) -> float:
    """Largest error a LERC2 blob was allowed, 0 where it cannot be read."""
    if data[:6] != b"Lerc2 " or len(data) < 66:
        return 0.0
    version = struct.unpack_from("<i", data, 6)[0]
    integers = 6 + (version >= 4) + (version >= 6)
    at = 10 + (4 if version >= 3 else 0) + 4 * integers + (4 if version >= 6 else 0)
    return float(struct.unpack_from("<d", data, at)[0])


def _lerc_frame(data: bytes) -> Frame | None:
    """Size of a LERC blob; blobs that follow it, one for each further sample, count as samples."""
    if data[:10] == b"CntZImage ":
        _, _, height, width = struct.unpack_from("<4i", data, 10)
        return Frame(abs(height), abs(width), data.count(b"CntZImage "), 32, True)
    if data[:6] != b"Lerc2 ":
        return None
    version = struct.unpack_from("<i", data, 6)[0]
    height, width, depth = struct.unpack_from("<3i", data, 10 + (4 if version >= 3 else 0))
    return Frame(abs(height), abs(width), (abs(depth) if version >= 4 else 1) * data.count(b"Lerc2 "), 64, True)


def _webp_frame(data: bytes) -> Frame | None:
    if data[:4] != b"RIFF" or data[8:12] != b"WEBP":
        return None
    kind = data[12:16]
    if kind == b"VP8L":
        bits = struct.unpack_from("<I", data, 21)[0]
        return Frame(((bits >> 14) & 0x3FFF) + 1, (bits & 0x3FFF) + 1, 4, 8, True)
    if kind == b"VP8X":
        return Frame(int.from_bytes(data[27:30], "little") + 1, int.from_bytes(data[24:27], "little") + 1, 4, 8)
    width, height = struct.unpack_from("<HH", data, 26)
    return Frame(height & 0x3FFF, width & 0x3FFF, 3, 8)
