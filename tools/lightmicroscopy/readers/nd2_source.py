"""Pixels of ND2 frames, read by position: the rows of plain frames that are asked for, packed frames as a whole.

A frame holds all components of its pixels side by side (those of channels, and of RGB in the order blue, green, red), in rows
padded to `Frames.row_bytes`, after a time stamp of eight bytes. Frames may be packed with Deflate.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

import numpy as np

from ..errors import LimitError, SuiteError, UnreadableError
from ..image import LARGE_UNIT, Region, Shape
from .large_units import kept
from .nd2_variant import Tree, whole

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from .nd2_chunks import Chunks, Place

STAMP: Final = 8
"""Bytes before the pixels of a frame."""
RATIO: Final = 1100
"""Deflate shrinks by at most 1032 (RFC 1951: 258 bytes from 2 bits)."""
MOST_BYTES: Final = 1 << 36
"""Bytes of one frame, unpacked."""
MOST_PACKED: Final = 4 << 30
_UNIT: Final = 8 << 20
_WASTE: Final = 8
_BLOCK: Final = 4096
_LOSSLESS, _LOSSY = 0, 1
_SIGNED, _REAL = 0, 2


@dataclass(frozen=True, slots=True)
class Frames:
    """How the pixels of every frame are stored."""

    width: int
    height: int
    components: int
    dtype: np.dtype[Any]
    row_bytes: int
    packed: bool
    significant_bits: int | None
    count: int | None
    """Frames the attributes announce."""
    starts: Mapping[int, int]
    """Number of each stored frame to the offset of its chunk."""
    name: bytes = b"ImageDataSeq|%d!"
    """Names of the chunks."""
    stamp: int = STAMP
    """Bytes before the pixels."""
    head: int = 0
    """Bytes from the beginning of a frame's chunk to its time stamp."""

    @property
    def bytes(self) -> int:
        """Bytes of one frame, unpacked."""
        return self.row_bytes * self.height

    @property
    def pixel_bytes(self) -> int:
        """Bytes of one pixel with all its components."""
        return self.components * self.dtype.itemsize


def read_frames(attributes: Tree, chunks: Chunks) -> Frames:
    """Understand the attributes, and compare them with the frames that are stored.

    Raises
    ------
    UnreadableError
        If they contradict themselves or the frames, or the frames are packed in a way that loses values.
    LimitError
        If a frame is larger than allowed.
    """
    names = ("uiWidth", "uiHeight", "uiComp", "uiBpcInMemory", "uiWidthBytes")
    width, height, components, bits, row_bytes = (whole(attributes, name) or 0 for name in names)
    dtype = _dtype(attributes, bits)
    if min(width, height, components) < 1 or dtype is None:
        raise chunks.damaged(f"its attributes tell of {width} × {height} pixels with {components} components of {bits} bits")
    compression = whole(attributes, "eCompression")
    if compression == _LOSSY:
        raise UnreadableError(f"{chunks.file.name} has frames packed with loss, which is not read. Save it uncompressed with NIS-Elements.")
    least = width * components * dtype.itemsize
    row_bytes = row_bytes or -(-least // 4) * 4
    # A tile wider than the image is what a crop leaves behind; one that its rows have room for is the image's true width.
    whole_row = width < (whole(attributes, "uiTileWidth") or 0) <= row_bytes // (components * dtype.itemsize)
    if whole_row or not least <= row_bytes < least + max(4, components * dtype.itemsize + 1):
        raise chunks.damaged(f"its attributes tell of rows of {row_bytes} bytes for {width} pixels of {components * dtype.itemsize} bytes")
    significant = whole(attributes, "uiBpcSignificant")
    frames = Frames(
        width,
        height,
        components,
        dtype,
        row_bytes,
        packed=compression == _LOSSLESS,
        significant_bits=significant if significant and 0 < significant <= bits and dtype.kind != "f" else None,
        count=whole(attributes, "uiSequenceCount"),
        starts=chunks.frames,
    )
    if frames.bytes > (MOST_PACKED if frames.packed else MOST_BYTES):
        raise LimitError(f"{chunks.file.name} has frames of {frames.bytes:,} bytes, more than is read. Split the image with NIS-Elements.")
    return replace(frames, head=_head(frames, chunks)) if frames.starts else frames


def _head(frames: Frames, chunks: Chunks) -> int:
    """Bytes from the beginning of a frame's chunk to its time stamp.

    It is the same in all frames; pixels begin on a block of their own. A wrong one would shift them.
    """
    some = sorted(frames.starts)[:: max(1, len(frames.starts) - 1)]
    places = [chunks.place(frames.starts[frame], frames.name % frame) for frame in some]
    heads = {place.offset - frames.starts[frame] for frame, place in zip(some, places, strict=True)}
    if len(heads) > 1 or (len(some) == 1 and frames.stamp and (min(heads) + frames.stamp) % _BLOCK):
        raise chunks.damaged(f"the pixels of frame {some[0]} do not begin where they should")
    check_place(frames, chunks, some[0], places[0], min(heads))
    return min(heads)


def _dtype(attributes: Tree, bits: int) -> np.dtype[Any] | None:
    kind = whole(attributes, "ePixelType")
    letter = "f" if kind == _REAL or (kind is None and bits == 32) else "i" if kind == _SIGNED else "u"
    known = {"f": (16, 32, 64), "i": (8, 16, 32), "u": (8, 16, 32)}
    return np.dtype(f"<{letter}{bits // 8}") if bits in known[letter] else None


def check_place(frames: Frames, chunks: Chunks, frame: int, place: Place, head: int) -> None:
    """Make sure that the chunk of a frame has the size its pixels need, and that they begin where those of the others do."""
    if place.offset - frames.starts[frame] != head:
        raise chunks.damaged(f"the pixels of frame {frame} do not begin where they should")
    wanted, found = frames.bytes + frames.stamp, place.length
    if frames.packed:
        most, stored = wanted + wanted // 1000 + 64, found - frames.stamp
        fits = stored > 0 and found <= most and frames.bytes <= stored * RATIO + LARGE_UNIT
    else:
        # The padding of the last row may be left out, and a blank block may follow.
        padding = frames.row_bytes - frames.width * frames.pixel_bytes
        fits = -padding <= found - wanted < frames.row_bytes or found - wanted == _BLOCK
    if not fits:
        raise chunks.damaged(f"frame {frame} has {found:,} bytes where its size and type need {'at most ' if frames.packed else ''}{wanted:,}")


_SMALLER: Final = re.compile(rb"CustomDataSeq\|DownsampledColorData_(\d{1,9})\|(\d{1,18})!")


def read_levels(frames: Frames, chunks: Chunks) -> tuple[list[Frames], tuple[str, ...]]:
    """Find the smaller copies of the frames, largest first, and warnings about those that cannot be used.

    They are named by the power of two that holds them, as the frames themselves are held by one; sizes are halved and rounded
    down each time. They are never packed and have no time stamp.
    """
    found: dict[int, dict[int, int]] = {}
    for name, start in chunks.starts.items():
        if match := _SMALLER.fullmatch(name):
            found.setdefault(int(match[1]), {})[int(match[2])] = start
    full = 1 << (max(frames.width, frames.height) - 1).bit_length()
    levels, warnings = [], []
    for size in sorted(found, reverse=True):
        times = full // size if size else 0
        width, height = (frames.width // times, frames.height // times) if times > 1 else (0, 0)
        level = replace(
            frames,
            width=width,
            height=height,
            row_bytes=-(-width * frames.pixel_bytes // 4) * 4,
            packed=False,
            starts=found[size],
            name=b"CustomDataSeq|DownsampledColorData_%d|%%d!" % size,
            stamp=0,
        )
        try:
            if min(width, height) < 1 or times * size != full or set(found[size]) != set(frames.starts):
                raise chunks.damaged("sizes do not fit")
            levels.append(replace(level, head=_head(level, chunks)))
        except UnreadableError:
            warnings.append(f"{chunks.file.name}: its smaller copies of size {size} do not fit the frames; they were left out.")
    return levels, tuple(warnings)


class Nd2Source:
    """Pixels of one position.

    Parameters
    ----------
    numbers
        Numbers of the frames, T × Z, z fastest.
    components
        Which components of a frame make which channel and sample: C × S, samples fastest.
    samples
        Samples of each channel.
    """

    def __init__(
        self, chunks: Chunks, frames: Frames, numbers: Sequence[int], sizes: tuple[int, int], components: Sequence[int], samples: int
    ) -> None:
        self._chunks = chunks
        self._frames = frames
        self._numbers = numbers
        self._components = np.array(components, np.intp).reshape(-1, samples)
        self._shape = Shape(sizes[0], len(components) // samples, sizes[1], frames.height, frames.width, samples)
        self._dtype = frames.dtype.newbyteorder("=")
        rows = frames.height
        if not frames.packed:
            rows = 64
            while rows < frames.height and rows * 2 * frames.row_bytes <= _UNIT:
                rows *= 2
        self._unit = self._shape._replace(t=1, z=1, y=min(rows, frames.height))
        if frames.packed:
            self.largest_unit = frames.bytes
            # Beside the pixels their packed bytes, which may be as many.
            self.unit_memory = 2 * frames.bytes

    @property
    def shape(self) -> Shape:
        """Sizes along T C Z Y X S."""
        return self._shape

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the values, in native byte order."""
        return self._dtype

    @property
    def unit(self) -> Shape:
        """Extent decoded at once: all channels of some rows, or of a packed frame."""
        return self._unit

    def read(self, region: Region) -> NDArray[Any]:
        """Read one box; see `PixelSource`."""
        for (start, stop), size in zip(region, self._shape, strict=False):
            if not 0 <= start < stop <= size:
                raise ValueError(f"{region} lies outside {self._shape}")
        out = np.empty((*region.sizes, self._shape.s), self._dtype)
        for ti, t in enumerate(range(*region.t)):
            for zi, z in enumerate(range(*region.z)):
                self._read_frame(self._numbers[t * self._shape.z + z], region, out[ti, :, zi])
        return out

    def _read_frame(self, frame: int, region: Region, into: NDArray[Any]) -> None:
        """Fill an array of C Y X S."""
        start = self._frames.starts.get(frame)
        if start is None:
            into[...] = 0
            return
        wanted = self._components[region.c[0] : region.c[1]]
        try:
            place = self._chunks.place(start, self._frames.name % frame)
            check_place(self._frames, self._chunks, frame, place, self._frames.head)
            pixels = self._unpacked(frame, place, region) if self._frames.packed else self._plain(place, region)
        except (SuiteError, MemoryError):
            raise
        except (RuntimeError, ValueError) as error:
            raise self._chunks.damaged(f"frame {frame} cannot be decoded ({error})") from error
        # The components of a pixel lie side by side: one strided copy for each that is wanted.
        for c, samples in enumerate(wanted):
            for s, component in enumerate(samples):
                into[c, :, :, s] = pixels[:, :, component]

    def _plain(self, place: Place, region: Region) -> NDArray[Any]:
        """Rows of a plain frame (Y X component)."""
        frames, (y0, y1), (x0, x1) = self._frames, region.y, region.x
        begin = place.offset + frames.stamp + y0 * frames.row_bytes
        if (x1 - x0) * _WASTE >= frames.width or y1 - y0 == 1:
            band = np.empty((y1 - y0, frames.row_bytes), np.uint8)
            self._fill(begin, band, place)
            return self._as_pixels(band, x0, x1)
        lines = np.empty((y1 - y0, (x1 - x0) * frames.pixel_bytes), np.uint8)
        for row, line in enumerate(lines):
            self._fill(begin + row * frames.row_bytes + x0 * frames.pixel_bytes, line, place)
        return lines.view(frames.dtype).reshape(y1 - y0, x1 - x0, frames.components)

    def _fill(self, offset: int, target: NDArray[np.uint8], place: Place) -> None:
        wanted = min(target.nbytes, place.offset + place.length - offset)
        target.reshape(-1)[wanted:] = 0
        got = self._chunks.file.read_into(offset, target.reshape(-1)[:wanted].data)
        if got < wanted:
            raise UnreadableError(f"{self._chunks.file.name} is truncated at byte {offset + got:,}. Copy or upload it again.")

    def _as_pixels(self, rows: NDArray[np.uint8], x0: int, x1: int) -> NDArray[Any]:
        frames = self._frames
        strides = (frames.row_bytes, frames.pixel_bytes, frames.dtype.itemsize)
        shape = (len(rows), frames.width, frames.components)
        return np.ndarray(shape, frames.dtype, rows.data, strides=strides)[:, x0:x1]

    def _unpacked(self, frame: int, place: Place, region: Region) -> NDArray[Any]:
        (y0, y1), (x0, x1) = region.y, region.x
        if self._frames.bytes <= LARGE_UNIT:
            rows = self._inflate(place)
        else:
            held = kept(self._chunks.file, frame, lambda: self._inflate(place))
            rows = self._inflate(place) if held is None else held
        return self._as_pixels(rows[y0:y1], x0, x1)

    def _inflate(self, place: Place) -> NDArray[np.uint8]:
        import imagecodecs

        frames, size = self._frames, self._frames.bytes
        room = np.empty(size, np.uint8)
        plain = imagecodecs.deflate_decode(self._chunks.file.read(place.offset + frames.stamp, place.length - frames.stamp), out=room.data)
        if len(plain) != size:
            raise ValueError(f"it unpacks to {len(plain):,} bytes where {size:,} are needed")
        return room.reshape(frames.height, frames.row_bytes)
