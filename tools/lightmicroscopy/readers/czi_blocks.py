"""Pixels of one CZI subblock: pixel types, compressions, and decoding."""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from ..errors import LimitError, SuiteError, UnreadableError
from .jpegxr import is_lossless
from .tiff_codecs import JPEG, JPEG_XR, jpeg_frame, picture_frame

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from .czi_container import CziFile
    from .czi_directory import Directory

MAX_BLOCK: Final = 2 << 30
"""Largest compressed subblock, unpacked, that is decoded: it cannot be read in parts."""
MAX_RATIO: Final = 100_000
RATIO_FREE: Final = 64 << 20
"""As for TIFF: no lossless codec shrinks further, and what is small costs nothing."""
RAW, JPEG_, LZW, JPEGXR, ZSTD0, ZSTD1, CAMERA_REVERSED, CAMERA = 0, 1, 2, 4, 5, 6, 104, 504
NAMES: Final = {
    RAW: None,
    JPEG_: "JPEG",
    LZW: "LZW",
    JPEGXR: "JPEG XR",
    ZSTD0: "Zstandard",
    ZSTD1: "Zstandard",
    CAMERA_REVERSED: "packed 12 bit",
    CAMERA: "packed 12 bit",
}
"""Compressions that are read (ZISRAW specification, table of compression ids; 104 and 504 as Bio-Formats reads them)."""
_JPEGXR_MAGIC: Final = b"II\xbc\x01"
_HI_LO: Final = 1
_XR_CODE: Final = next(iter(JPEG_XR))
_JPEG_CODE: Final = next(iter(JPEG))


@dataclass(frozen=True, slots=True)
class PixelType:
    """Samples of one pixel, and their type."""

    name: str
    dtype: str
    samples: int = 1

    @property
    def nbytes(self) -> int:
        """Bytes of one pixel."""
        return np.dtype(self.dtype).itemsize * self.samples


PIXEL_TYPES: Final = {
    0: PixelType("Gray8", "uint8"),
    1: PixelType("Gray16", "uint16"),
    2: PixelType("Gray32Float", "float32"),
    3: PixelType("Bgr24", "uint8", 3),
    4: PixelType("Bgr48", "uint16", 3),
    8: PixelType("Bgr96Float", "float32", 3),
    9: PixelType("Bgra32", "uint8", 4),
    12: PixelType("Gray32", "uint32"),
    13: PixelType("Gray64", "float64"),
}
"""Pixel types that are read (ZISRAW specification, table of pixel type ids)."""
_COMPLEX: Final = (10, 11)


def pixel_type(code: int, name: str) -> PixelType:
    """Look up a pixel type.

    Raises
    ------
    UnreadableError
        If it is complex or unknown.
    """
    if code in _COMPLEX:
        raise UnreadableError(
            f"{name} holds complex numbers, which open microscopy formats cannot hold. Save amplitude and phase as channels in ZEN."
        )
    if code not in PIXEL_TYPES:
        raise UnreadableError(f"{name} holds pixels of the type {code}, which is not known. Save the file again with ZEN, or as OME-TIFF.")
    return PIXEL_TYPES[code]


def check_compression(code: int, kind: PixelType, name: str) -> None:
    """Refuse a compression that is not read."""
    packed = code in (CAMERA, CAMERA_REVERSED)
    if code not in NAMES or (packed and kind.name != "Gray16"):
        raise UnreadableError(
            f"{name} holds {kind.name} pixels stored as camera or system data of the kind {code}, which is not read. Save the file again with ZEN."
        )


def is_lossy(code: int, data: bytes) -> bool:
    """Whether a compression may have changed the values, by the first bytes of a subblock's pixels."""
    if code == JPEG_:
        frame = jpeg_frame(data)
        return frame is None or not frame.lossless
    return code == JPEGXR and data[:4] == _JPEGXR_MAGIC and not is_lossless(data)


@dataclass(frozen=True, slots=True)
class Block:
    """One subblock: a row of the directory, and the file it is in."""

    file: CziFile
    directory: Directory
    row: int
    kind: PixelType

    @property
    def position(self) -> int:
        """Where it is in the file."""
        return int(self.directory.position[self.row])

    @property
    def height(self) -> int:
        """Stored rows."""
        return int(self.directory.stored["Y"][self.row])

    @property
    def width(self) -> int:
        """Stored columns."""
        return int(self.directory.stored["X"][self.row])

    @property
    def compression(self) -> int:
        """How it is stored."""
        return int(self.directory.compression[self.row])

    @property
    def inner(self) -> int:
        """Which of its planes is meant."""
        return int(self.directory.inner[self.row])

    @property
    def depth(self) -> int:
        """How many planes it holds, one behind the other."""
        return int(self.directory.depth[self.row])

    @property
    def plane_bytes(self) -> int:
        """Bytes of one of its planes, unpacked."""
        return self.height * self.width * self.kind.nbytes

    @property
    def nbytes(self) -> int:
        """Bytes of its pixels, unpacked."""
        return self.plane_bytes * self.depth

    @property
    def shape(self) -> tuple[int, int, int]:
        """Sizes along Y X S, of all its planes one below the other."""
        return self.height * self.depth, self.width, self.kind.samples

    def rows(self, y: tuple[int, int], x: tuple[int, int], into: NDArray[Any]) -> None:
        """Read a box of a plane of an uncompressed subblock, without reading much else."""
        place = self.file.contents(self.position, self.directory.row(self.row))
        if place.data_size < self.nbytes:
            raise self.file.damaged(f"the subblock at byte {self.position:,} holds {place.data_size:,} bytes where its pixels need {self.nbytes:,}")
        _read_box(self, place.data + self.inner * self.plane_bytes, y, x, into)

    def decode(self) -> NDArray[Any]:
        """All its pixels, (Y, X, S) in RGB order, its planes one below the other.

        Raises
        ------
        UnreadableError
            If they cannot be decoded, or are of another size than the directory says.
        LimitError
            If they are too large.
        """
        place = self.file.contents(self.position, self.directory.row(self.row))
        if self.nbytes > MAX_BLOCK:
            raise LimitError(
                f"{self.file.name} has a compressed subblock of {self.width:,} × {self.height:,} pixels ({self.nbytes:,} bytes); "
                f"at most {MAX_BLOCK:,} are decoded at once. Save it in smaller tiles with ZEN."
            )
        if self.nbytes > RATIO_FREE and self.nbytes > MAX_RATIO * max(place.data_size, 1):
            raise self.file.damaged(f"the subblock at byte {self.position:,} is far too small for its {self.width:,} × {self.height:,} pixels")
        try:
            return self._unpacked(self.file.read(place.data, place.data_size))
        except (SuiteError, MemoryError):
            raise
        except Exception as error:
            said = " ".join(str(error).split())[:200] or type(error).__name__
            raise self.file.damaged(f"the {NAMES[self.compression]} subblock at byte {self.position:,} cannot be decoded ({said})") from error

    def _unpacked(self, data: bytes) -> NDArray[Any]:
        code, dtype = self.compression, np.dtype(self.kind.dtype)
        if code == RAW or (code == JPEGXR and data[:4] != _JPEGXR_MAGIC and len(data) == self.nbytes):
            # ZEN leaves pixels that JPEG XR would not shrink as they are, and still says JPEG XR.
            pixels = np.frombuffer(data, dtype, count=math.prod(self.shape)).reshape(self.shape)
            return _rgb(pixels)
        if code in (ZSTD0, ZSTD1):
            return _rgb(self._exact(_zstd(data, code, self.nbytes, dtype.itemsize)).view(dtype).reshape(self.shape))
        if code == LZW:
            import imagecodecs

            return _rgb(self._exact(np.frombuffer(imagecodecs.lzw_decode(data, out=self.nbytes), np.uint8)).view(dtype).reshape(self.shape))
        if code in (CAMERA, CAMERA_REVERSED):
            return self._packed(data)
        return self._picture(data)

    def _exact(self, unpacked: NDArray[Any]) -> NDArray[Any]:
        if unpacked.size < self.nbytes:
            raise ValueError(f"it unpacks to {unpacked.size:,} bytes where {self.nbytes:,} are needed")
        return unpacked[: self.nbytes]

    def _packed(self, data: bytes) -> NDArray[Any]:
        """Two 12-bit values in three bytes: their high parts first, then both low parts."""
        count = math.prod(self.shape)
        triples = np.frombuffer(data, np.uint8, count=-(-count // 2) * 3).reshape(-1, 3).astype(np.uint16)
        pairs = np.stack((triples[:, 0] << 4 | triples[:, 2] >> 4, triples[:, 1] << 4 | triples[:, 2] & 15), axis=1)
        pixels = pairs.reshape(-1)[:count].reshape(self.shape)
        return pixels[:, ::-1] if self.compression == CAMERA_REVERSED else pixels

    def _picture(self, data: bytes) -> NDArray[Any]:
        import imagecodecs

        code = _XR_CODE if self.compression == JPEGXR else _JPEG_CODE
        frame = picture_frame(code, data)
        if frame is None:
            raise ValueError("it holds no picture")
        if frame.height * frame.width > self.shape[0] * self.width * 2 + 4096:
            raise ValueError(f"its picture has {frame.width:,} × {frame.height:,} pixels where {self.width:,} × {self.height:,} are declared")
        pixels: NDArray[Any] = imagecodecs.jpegxr_decode(data) if self.compression == JPEGXR else imagecodecs.jpeg_decode(data)
        # Of a picture that is larger, the rest is not part of the tile (libCZI's resolution protocol); one that is smaller lacks pixels.
        pixels = pixels.reshape(*pixels.shape[:2], -1)[: self.shape[0], : self.width]
        if pixels.shape != self.shape or pixels.dtype != np.dtype(self.kind.dtype):
            found, wanted = f"{pixels.shape}, {pixels.dtype}", f"{self.shape}, {self.kind.dtype}"
            raise ValueError(f"its picture is {found} where {wanted} is declared")
        # A JPEG holds blue in the place of red, as Bio-Formats has it; decoders of JPEG XR have put them right already.
        return _rgb(pixels) if self.compression == JPEG_ else pixels


def unfold(directory: Directory, files: Sequence[CziFile]) -> Directory:
    """A row for every plane; subblocks that say they hold several, but have no room for them, hold one."""
    several = np.flatnonzero(directory.depth > 1)
    if not several.size:
        return directory
    holds = directory.depth.copy()
    for row in several.tolist():
        block = Block(files[int(directory.file[row])], directory, row, pixel_type(int(directory.pixel_type[row]), files[0].name))
        place = block.file.contents(block.position, directory.row(row))
        if block.file.extent(block.position, str(directory.along[row])) != block.depth:
            raise block.file.damaged(f"its directory and the subblock at byte {block.position:,} contradict each other")
        if block.compression == RAW and place.data_size < block.nbytes:
            holds[row] = 1
    return replace(directory, depth=holds, along=np.where(holds > 1, directory.along, "")).unfolded()


def _rgb(pixels: NDArray[Any]) -> NDArray[Any]:
    """Blue, green, red as stored, turned to red, green, blue; alpha stays last."""
    samples = pixels.shape[-1]
    return pixels if samples == 1 else pixels[..., [2, 1, 0, 3][:samples]]


def _zstd(data: bytes, code: int, size: int, itemsize: int) -> NDArray[Any]:
    import imagecodecs

    packed = False
    if code == ZSTD1:
        # A header of its own length, and chunks; the only one defined (1) says in its first bit that low and high bytes are apart.
        length = data[0]
        if not 1 <= length <= len(data):
            raise ValueError("its header is longer than it")
        if length > 1:
            if data[1] != 1 or length < 3:
                raise ValueError("its header is of an unknown kind")
            packed = bool(data[2] & _HI_LO)
        # A view, since a copy would be as large as the tile; the decoder takes any buffer, whatever its stubs say.
        unpacked = np.frombuffer(imagecodecs.zstd_decode(memoryview(data)[length:], out=size), np.uint8)  # type: ignore[arg-type]
    else:
        unpacked = np.frombuffer(imagecodecs.zstd_decode(data, out=size), np.uint8)
    if not packed:
        return unpacked
    if itemsize != 2 or unpacked.size != size:
        raise ValueError(f"it unpacks to {unpacked.size:,} bytes where {size:,} are needed")
    half = size // 2
    values = unpacked[half:].astype(np.uint16)
    values <<= 8
    values |= unpacked[:half]
    return values.astype("<u2", copy=False).view(np.uint8)


_BAND: Final = 8 << 20
_WASTE: Final = 8
"""Whole rows are read, and cropped, where at most this many times the wanted bytes are read."""


def _read_box(block: Block, offset: int, y: tuple[int, int], x: tuple[int, int], into: NDArray[Any]) -> None:
    samples = block.kind.samples
    row = block.width * block.kind.nbytes
    if x == (0, block.width) and into.flags.c_contiguous:
        _fill(block, offset + y[0] * row, into)
        if samples > 1:
            into[...] = _rgb(into)
        return
    if (x[1] - x[0]) * _WASTE >= block.width or y[1] - y[0] == 1:
        step = max(1, _BAND // row)
        for top in range(*y, step):
            band = np.empty((min(step, y[1] - top), block.width, samples), into.dtype)
            _fill(block, offset + top * row, band)
            into[top - y[0] : top - y[0] + len(band)] = _rgb(band[:, x[0] : x[1]])
        return
    line = np.empty((x[1] - x[0], samples), into.dtype)
    for at in range(*y):
        _fill(block, offset + at * row + x[0] * block.kind.nbytes, line)
        into[at - y[0]] = _rgb(line)


def _fill(block: Block, offset: int, target: NDArray[Any]) -> None:
    got = block.file.read_into(offset, target.reshape(-1).view(np.uint8).data)
    if got < target.nbytes:
        raise block.file.truncated(f"the subblock at byte {block.position:,}")


def time_stamps(data: bytes) -> tuple[float, ...]:
    """The attachment ``TimeStamps``: its size, a count, and that many seconds."""
    if len(data) < 8:
        return ()
    count = struct.unpack_from("<i", data, 4)[0]
    return struct.unpack_from(f"<{count}d", data, 8) if 0 <= count <= (len(data) - 8) // 8 else ()
