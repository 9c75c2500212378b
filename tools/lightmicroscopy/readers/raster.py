"""PNG and JPEG: pictures without microscopy metadata.

Their headers are parsed here, and their sizes limited, before a decoder sees them. They are decoded once, on the first
read: neither format can be read in parts.
"""

from __future__ import annotations

import struct
import threading
import zlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import LimitError, SuiteError, UnreadableError
from ..image import Channel, Dataset, Image, ImageMetadata, Level, Location, Region, Shape
from .files import RandomFile
from .jpeg_scan import is_cut
from .tiff_codecs import jpeg_frame, jpeg_segments, png_frame
from .tiff_plain import stem

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from numpy.typing import NDArray

    from .tiff_jpeg_kin import Frame

_PNG = b"\x89PNG\r\n\x1a\n"
_JPEG = b"\xff\xd8\xff"
MAX_BYTES = 4 << 30
"""Largest picture, unpacked."""
_RATIO = 1100
"""Deflate shrinks by at most 1032 (RFC 1951: 258 bytes from 2 bits)."""
_JPEG_BLOCK_RATIO = 4096
"""A JPEG spends at least about one bit on each block of 8 × 8 × 3 values; arithmetic coding and 16 × 16 blocks a little less."""
_FREE = 64 << 20
_TEXT = 1 << 20
_TAIL = 1 << 16
_SCAN = 0xDA
_MAX_CHUNKS = 1_000_000
_TEXT_CHUNKS = (b"tEXt", b"zTXt", b"iTXt", b"tIME", b"eXIf", b"pHYs")
_CHUNK_HEAD = 8
_MAX_TEXTS = 1000


def sniff(path: Path, head: bytes) -> bool:
    """Whether this is a PNG or a JPEG."""
    return not path.is_dir() and head.startswith((_PNG, _JPEG))


def open_dataset(location: Location) -> Dataset:
    """Open a PNG or JPEG.

    Raises
    ------
    UnreadableError
        If it is truncated or damaged, or CMYK.
    LimitError
        If it unpacks to more than `MAX_BYTES`.
    """
    file = RandomFile(location.path)
    try:
        picture = _png(file) if file.read(0, 8) == _PNG else _jpeg(file)
        _check_size(file, picture)
    except BaseException:
        file.close()
        raise
    frame = picture.frame
    image = Image(
        name=stem(location.name),
        series=0,
        levels=(Level(RasterSource(file, picture)),),
        axes="YXS" if frame.samples > 1 else "YX",
        kind="indexed" if picture.lut is not None else "rgb" if frame.samples in (3, 4) else "intensity",
        significant_bits=frame.bits,
        metadata=ImageMetadata(channels=(Channel(lut=picture.lut),) if picture.lut is not None else (), original=picture.original),
        compression=picture.format,
        lossy=picture.format == "JPEG" and not frame.lossless,
        # PNG has no other.
        alpha="unassociated" if frame.samples in (2, 4) else "unspecified",
        warnings=picture.warnings,
    )
    return Dataset(location, picture.format, (image,), files=(location.path,), close_files=file.close)


@dataclass(frozen=True, slots=True)
class _Picture:
    format: str
    frame: Frame
    original: tuple[tuple[str, str], ...] = ()
    warnings: tuple[str, ...] = ()
    lut: tuple[tuple[int, ...], ...] | None = None


class RasterSource:
    """The pixels of a picture, decoded whole on the first read and kept."""

    def __init__(self, file: RandomFile, picture: _Picture) -> None:
        self._file = file
        self._picture = picture
        frame = picture.frame
        self._shape = Shape(1, 1, 1, frame.height, frame.width, frame.samples)
        self._dtype = np.dtype("uint16" if frame.bits > 8 else "uint8")
        self._lock = threading.Lock()
        self._pixels: NDArray[Any] | None = None
        self.largest_unit = self._shape.pixels * self._dtype.itemsize
        # A JPEG may have to be decoded twice to see whether it is whole; a PNG's bytes grow as they are gathered.
        self.unit_memory = self.largest_unit * (2 if picture.format == "JPEG" else 1) + file.size + file.size // 8

    @property
    def shape(self) -> Shape:
        """Sizes along T C Z Y X S."""
        return self._shape

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the values."""
        return self._dtype

    @property
    def unit(self) -> Shape:
        """The whole picture."""
        return self._shape

    def read(self, region: Region) -> NDArray[Any]:
        """Read one box; see `PixelSource`."""
        for (start, stop), size in zip(region, self._shape, strict=False):
            if not 0 <= start < stop <= size:
                raise ValueError(f"{region} lies outside {self._shape}")
        with self._lock:
            if self._pixels is None:
                self._pixels = self._decode()
        (y0, y1), (x0, x1) = region.y, region.x
        return self._pixels[np.newaxis, np.newaxis, np.newaxis, y0:y1, x0:x1]

    def _decode(self) -> NDArray[Any]:
        try:
            pixels = _decode_png(self._file, self._picture) if self._picture.format == "PNG" else _decode_jpeg(self._file, self._picture)
            pixels = pixels.reshape(self._shape[3:])
        except (MemoryError, SuiteError):
            raise
        except Exception as error:
            raise _damaged(self._file, f"it cannot be decoded ({' '.join(str(error).split())[:200]})") from error
        if pixels.dtype != self._dtype:
            raise _damaged(self._file, f"its pixels decode to {pixels.dtype} where {self._dtype} is declared")
        pixels.flags.writeable = False
        return pixels


def _decode_png(file: RandomFile, picture: _Picture) -> NDArray[Any]:
    import imagecodecs

    # Without its palette chunk a decoder cannot turn indices into colours; as grey values they stay what they are.
    pixels: NDArray[Any] = imagecodecs.png_decode(_as_grey(file) if picture.lut is not None else _without_transparency(file))
    if picture.frame.bits < 8:
        # The decoder stretches 1-, 2- and 4-bit grey over 0-255.
        np.floor_divide(pixels, 255 // ((1 << picture.frame.bits) - 1), out=pixels)
    return pixels


def _decode_jpeg(file: RandomFile, picture: _Picture) -> NDArray[Any]:
    import imagecodecs

    def decode(data: bytes) -> NDArray[Any]:
        pixels: NDArray[Any] = imagecodecs.jpeg_decode(data)
        return pixels.reshape(*pixels.shape[:2], -1)

    data = file.read(0, file.size)
    pixels = decode(data)
    if not picture.frame.lossless and is_cut(data, pixels, picture.frame.bits, decode):
        raise _truncated(file)
    return pixels


def _chunks(file: RandomFile) -> Iterator[tuple[bytes, bytes]]:
    """Kind and whole bytes of every chunk, each read by itself: a copy of the whole file would cost as much again."""
    at = len(_PNG)
    while at + _CHUNK_HEAD <= file.size:
        head = file.read(at, _CHUNK_HEAD)
        length = int.from_bytes(head[:4], "big")
        yield head[4:], file.read(at, 12 + length)
        at += 12 + length


def _as_grey(file: RandomFile) -> bytearray:
    """The same PNG with its indices declared as grey values."""
    out = bytearray(_PNG)
    for kind, chunk in _chunks(file):
        if kind == b"IHDR":
            body = chunk[4:17] + b"\0" + chunk[18:21]
            out += chunk[:4] + body + struct.pack(">I", zlib.crc32(body))
        elif kind not in (b"PLTE", b"tRNS", b"hIST", b"bKGD", b"sBIT"):
            out += chunk
    return out


def _without_transparency(file: RandomFile) -> bytearray:
    """The same PNG without tRNS and gamma, which decoders would turn into an alpha sample or other values."""
    out = bytearray(_PNG)
    for kind, chunk in _chunks(file):
        if kind not in (b"tRNS", b"gAMA", b"sRGB", b"cHRM", b"iCCP", b"bKGD", b"sBIT"):
            out += chunk
    return out


def _png(file: RandomFile) -> _Picture:
    """Walk a PNG's chunks: header, palette, texts; make sure that its end is there and that nothing is damaged."""
    frame, colour = _png_header(file)
    palette, transparency, stored, ended = b"", b"", 0, False
    texts: list[tuple[str, str]] = []
    at, number = len(_PNG), 0
    while at < file.size and not ended:
        number += 1
        if number > _MAX_CHUNKS:
            raise LimitError(f"{file.name} is a PNG of more than {_MAX_CHUNKS:,} chunks. Save it again with an ordinary program.")
        head = file.read(at, _CHUNK_HEAD)
        length, kind = int.from_bytes(head[:4], "big"), head[4:]
        if len(head) < _CHUNK_HEAD or at + 12 + length > file.size:
            break
        if kind == b"PLTE":
            palette = file.read(at + 8, min(length, 768))
        elif kind == b"tRNS":
            transparency = file.read(at + 8, min(length, 256))
        elif kind == b"IDAT":
            stored += length
        elif kind in _TEXT_CHUNKS and len(texts) < _MAX_TEXTS:
            texts += _png_text(kind, file.read(at + 8, min(length, _TEXT)))
        ended = kind == b"IEND"
        at += 12 + length
    if not ended:
        raise _truncated(file)
    if not stored:
        raise _damaged(file, "it holds no pixels")
    lut = _palette(palette, transparency) if colour == b"\3" else None
    if colour == b"\3" and not lut:
        raise _damaged(file, "its palette is missing")
    warnings: tuple[str, ...] = ()
    if transparency and colour != b"\3":
        warnings = (f"{file.name} names one colour as transparent; the pixels were left as they are stored.",)
    return _Picture("PNG", frame, tuple(texts), warnings + _exif_warning(file, texts), lut)


def _png_header(file: RandomFile) -> tuple[Frame, bytes]:
    """Size and colour type."""
    head = file.read(0, 33)
    frame = png_frame(head) if len(head) == 33 else None
    colour = head[25:26]
    if (
        frame is None
        or colour not in (b"\0", b"\2", b"\3", b"\4", b"\6")
        or frame.bits not in (1, 2, 4, 8, 16)
        or not frame.height
        or not frame.width
    ):
        raise _damaged(file, "its header is not that of a PNG")
    return frame, colour


def _palette(table: bytes, alpha: bytes) -> tuple[tuple[int, ...], ...]:
    entries = [tuple(table[number : number + 3]) for number in range(0, len(table) - 2, 3)]
    if not alpha:
        return tuple(entries)
    return tuple((*entry, alpha[number] if number < len(alpha) else 255) for number, entry in enumerate(entries))


def _png_text(kind: bytes, body: bytes) -> list[tuple[str, str]]:
    if kind == b"pHYs":
        return [("pHYs", " ".join(map(str, struct.unpack(">IIB", body))))] if len(body) == 9 else []
    if kind == b"tIME":
        return [("tIME", "{:04d}-{:02d}-{:02d}T{:02d}:{:02d}:{:02d}".format(*struct.unpack(">HBBBBB", body)))] if len(body) == 7 else []
    if kind == b"eXIf":
        return _exif(body)
    key, _, rest = body.partition(b"\0")
    name = key.decode("latin-1")
    if kind == b"tEXt":
        return [(name, rest.decode("latin-1"))]
    if kind == b"zTXt":
        return [(name, _inflate(rest[1:]).decode("latin-1"))]
    packed, rest = rest[:1] == b"\1", rest[2:]
    _, _, rest = rest.partition(b"\0")
    _, _, rest = rest.partition(b"\0")
    return [(name, (_inflate(rest) if packed else rest).decode("utf-8", "replace"))]


def _inflate(data: bytes) -> bytes:
    """Unpack at most `_TEXT` bytes."""
    try:
        return zlib.decompressobj().decompress(data, _TEXT)
    except zlib.error:
        return b""


def _jpeg(file: RandomFile) -> _Picture:
    """Read a JPEG's header segments; make sure that its end is there."""
    head = file.read(0, 1 << 20)
    frame = jpeg_frame(head)
    if frame is None:
        # Large colour profiles and previews can push the frame further back.
        head = file.read(0, min(file.size, 64 << 20))
        frame = jpeg_frame(head)
    if frame is None or not frame.width or not frame.height:
        raise _damaged(file, "its header does not tell the size of the picture")
    segments = list(jpeg_segments(head))
    # A preview inside the header ends like the picture does, so only what follows the first scan counts.
    tail = max(file.size - _TAIL, segments[-1][2])
    if segments[-1][0] != _SCAN or b"\xff\xd9" not in file.read(tail, _TAIL):
        raise _truncated(file)
    if frame.samples not in (1, 3):
        raise UnreadableError(f"{file.name} is a CMYK picture, a printing colour space without a measured meaning. Save it as RGB.")
    if frame.bits != 8:
        raise UnreadableError(f"{file.name} is a {frame.bits}-bit JPEG, which is not read. Save it as TIFF or PNG.")
    original: list[tuple[str, str]] = []
    for marker, body, _ in segments:
        if marker == 0xE0 and body[:5] == b"JFIF\0" and len(body) >= 12:
            unit, x, y = struct.unpack(">BHH", body[7:12])
            original.append(("JFIF density", f"{x} {y} unit {unit}"))
        elif marker == 0xE1 and body[:6] == b"Exif\0\0":
            original += _exif(body[6:])
        elif marker == 0xFE:
            original.append(("Comment", body[:_TEXT].decode("utf-8", "replace")))
    return _Picture("JPEG", frame, tuple(original), _exif_warning(file, original))


def _exif(block: bytes) -> list[tuple[str, str]]:
    """Baseline EXIF tags as text."""
    from PIL import ExifTags
    from PIL import Image as Pillow

    found = Pillow.Exif()
    try:
        found.load(b"Exif\0\0" + block)
        pairs = list(found.items())
    except Exception:  # pillow raises many kinds on damaged EXIF, which must not cost the pixels
        return []
    names = ExifTags.TAGS
    return [(f"EXIF {names.get(code, code)}", str(value).strip("\0 ")[:4096]) for code, value in pairs if not isinstance(value, (bytes, dict))]


def _exif_warning(file: RandomFile, original: list[tuple[str, str]]) -> tuple[str, ...]:
    turned = next((value for key, value in original if key == "EXIF Orientation" and value not in ("0", "1")), None)
    if turned is None:
        return ()
    return (f"{file.name} asks viewers to turn or flip the picture (EXIF orientation {turned}); pixels were left as they are stored.",)


def _check_size(file: RandomFile, picture: _Picture) -> None:
    frame = picture.frame
    size = frame.height * frame.width * frame.samples * ((frame.bits + 7) // 8)
    if size > MAX_BYTES:
        raise LimitError(
            f"{file.name} declares {frame.width:,} × {frame.height:,} pixels ({size:,} bytes); at most {MAX_BYTES:,} bytes are unpacked at once. "
            "Save it as a tiled TIFF before converting it."
        )
    packed = frame.height * frame.width * frame.samples * frame.bits // 8
    if size > _FREE and packed > file.size * (_RATIO if picture.format == "PNG" else _JPEG_BLOCK_RATIO):
        raise UnreadableError(
            f"{file.name} declares {frame.width:,} × {frame.height:,} pixels but holds only {file.size:,} bytes, too few for them. "
            "It is damaged or was made to mislead; ask for it again."
        )


def _truncated(file: RandomFile) -> UnreadableError:
    return UnreadableError(f"{file.name} is truncated: its end is missing. Copy or upload it again.")


def _damaged(file: RandomFile, what: str) -> UnreadableError:
    return UnreadableError(f"{file.name} is damaged: {what}. Copy or upload it again.")
