"""Pixels of TIFF pages, read by position and decoded a strip or tile at a time."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import LimitError, SuiteError, UnreadableError
from ..image import LARGE_UNIT, Region, Shape
from .jpeg_scan import is_cut
from .large_units import kept
from .tiff_codecs import JPEG, JPEG2000, JPEG_XL, LERC, LZW, PICTURES, WEBP, picture_frame
from .tiff_layout import MAX_SEGMENT, RATIO_FREE, Layout, Page
from .tiff_lzw import check_lzw

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from .files import RandomFile

_UNIT = 1 << 20
"""Strips are grouped into units of about this many bytes, so that small ones do not drown in bookkeeping."""
_RAW_UNIT = 8 << 20
_BAND = 8 << 20
_REVERSED = bytes(int(f"{value:08b}"[::-1], 2) for value in range(256))
_HIDDEN = 16
_RGBA = 4
_WASTE = 8
"""Whole rows are read, and cropped, where at most this many times the wanted bytes are read."""
_WORKING = dict.fromkeys(JPEG2000 | JPEG_XL, 5)
"""Bytes that a codec takes for each value, beside the result."""


@dataclass(frozen=True, slots=True)
class PlaneRef:
    """The page that holds one plane, and the first of its samples that belongs to it."""

    file: RandomFile
    page: Page
    sample: int = 0


class TiffSource:
    """Pixels of one resolution level.

    Parameters
    ----------
    planes
        T × C × Z references in that order (z fastest); None for planes that were never stored.
    shape
        Sizes; its S is how many samples of each page belong to a plane.
    layout
        Layout of the first stored page, whose type all share.
    fill
        Value of what was never stored.
    """

    def __init__(self, planes: Sequence[PlaneRef | None], shape: Shape, layout: Layout, fill: float = 0) -> None:
        if len(planes) != shape.planes:
            raise ValueError(f"{len(planes)} planes for {shape}")
        self._planes = planes
        self._shape = shape
        self._dtype = layout.dtype
        self._fill = fill
        self._unit = _unit(layout, shape)
        layouts = {id(ref.page.layout): ref.page.layout for ref in planes if ref is not None}
        whole = [each for each in layouts.values() if not _in_parts(each)]
        self.largest_unit = max((each.segment_bytes for each in whole), default=0)
        self.unit_memory = max((_memory(each) for each in whole), default=0)

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
        """Extent decoded at once."""
        return self._unit

    @property
    def planes(self) -> Sequence[PlaneRef | None]:
        """Where each plane is, in the order T C Z."""
        return self._planes

    def read(self, region: Region) -> NDArray[Any]:
        """Read one box; see `PixelSource`."""
        shape = self._shape
        for (start, stop), size in zip(region, shape, strict=False):
            if not 0 <= start < stop <= size:
                raise ValueError(f"{region} lies outside {shape}")
        out = np.empty((*region.sizes, shape.s), self._dtype)
        for ti, t in enumerate(range(*region.t)):
            for ci, c in enumerate(range(*region.c)):
                for zi, z in enumerate(range(*region.z)):
                    ref = self._planes[(t * shape.c + c) * shape.z + z]
                    into = out[ti, ci, zi]
                    if ref is None:
                        into[...] = self._fill
                        continue
                    try:
                        _read_plane(ref, region.y, region.x, into)
                    except (SuiteError, MemoryError):
                        raise
                    except Exception as error:
                        raise UnreadableError(
                            f"{ref.file.name} is damaged: the plane t={t} c={c} z={z} (page {ref.page.index}) cannot be decoded ({_said(error)}). "
                            "Copy or upload it again."
                        ) from error
        return out


def _said(error: Exception) -> str:
    return " ".join(str(error).split())[:200] or type(error).__name__


def _in_parts(layout: Layout) -> bool:
    """Whether parts of a strip or tile can be read by position: plain strips, and plain tiles where that is worth while."""
    return layout.raw and (not layout.tiled or layout.segment_bytes > _RAW_UNIT)


def _memory(layout: Layout) -> int:
    """Bytes that unpacking one strip or tile takes.

    Beside the pixels themselves: their stored bytes, or a copy in another byte order; or what picture codecs were measured to take.
    """
    values = layout.segment_bytes // layout.dtype.itemsize
    return layout.segment_bytes + max(layout.segment_bytes, _WORKING.get(layout.code, 0) * values)


def _unit(layout: Layout, shape: Shape) -> Shape:
    if layout.tiled and _in_parts(layout):
        rows = _power_of_two(_RAW_UNIT // (layout.segment_bytes // layout.segment_height))
        return Shape(1, 1, 1, min(rows, layout.segment_height, shape.y), min(layout.segment_width, shape.x), shape.s)
    if layout.tiled:
        return Shape(1, 1, 1, min(layout.segment_height, shape.y), min(layout.segment_width, shape.x), shape.s)
    row = max(layout.row_bytes * (layout.samples if layout.planar else 1), 1)
    if layout.raw:
        # Any row can begin a read; a power of two keeps units and a writer's tiles on common borders.
        rows = 64
        while rows < shape.y and rows * 2 * row <= _RAW_UNIT:
            rows *= 2
    else:
        rows = layout.segment_height * max(1, math.ceil(_UNIT / (row * layout.segment_height)))
    return Shape(1, 1, 1, min(rows, shape.y), shape.x, shape.s)


def _power_of_two(most: int) -> int:
    return 1 << max(0, most.bit_length() - 1)


def _read_plane(ref: PlaneRef, y: tuple[int, int], x: tuple[int, int], into: NDArray[Any]) -> None:
    layout = ref.page.layout
    read = _read_rows if layout.raw and not layout.tiled else _read_segments
    if layout.planar:
        for sample in range(into.shape[-1]):
            read(ref, ref.sample + sample, y, x, into[..., sample : sample + 1])
    else:
        read(ref, 0, y, x, into)


def _read_rows(ref: PlaneRef, planar_sample: int, y: tuple[int, int], x: tuple[int, int], into: NDArray[Any]) -> None:
    """Read plain rows, whole runs of neighbouring strips at once."""
    layout = ref.page.layout
    per_pixel = 1 if layout.planar else layout.samples
    first = 0 if layout.planar else ref.sample
    whole = x == (0, layout.width) and into.shape[-1] == per_pixel
    for top, rows, offset in _runs(ref.page, planar_sample, y):
        target = into[top - y[0] : top - y[0] + rows]
        if not offset:
            target[...] = layout.nodata
        elif whole and target.flags.c_contiguous:
            _fill(ref, offset, target)
            if not layout.stored.isnative:
                target.byteswap(inplace=True)
        elif (x[1] - x[0]) * _WASTE >= layout.width or rows == 1:
            step = max(1, _BAND // layout.row_bytes)
            for start in range(0, rows, step):
                band = np.empty((min(step, rows - start), layout.width, per_pixel), layout.stored)
                _fill(ref, offset + start * layout.row_bytes, band)
                target[start : start + len(band)] = band[:, x[0] : x[1], first : first + into.shape[-1]]
        else:
            line = np.empty((x[1] - x[0], per_pixel), layout.stored)
            skip = x[0] * per_pixel * layout.stored.itemsize
            for row in range(rows):
                _fill(ref, offset + row * layout.row_bytes + skip, line)
                target[row] = line[:, first : first + into.shape[-1]]


def _runs(page: Page, planar_sample: int, y: tuple[int, int]) -> Iterator[tuple[int, int, int]]:
    """First row, number of rows and file offset of each run of rows that lie together; offset 0 for rows never stored.

    Byte counts were compared with the rows when the page was opened.
    """
    layout = page.layout
    height, row_bytes = layout.segment_height, layout.row_bytes
    if layout.segments == 1:
        offset = int(page.offsets[0])
        yield y[0], y[1] - y[0], offset + y[0] * row_bytes if offset else 0
        return
    first, last = y[0] // height, (y[1] - 1) // height
    base = planar_sample * layout.down
    offsets = np.asarray(page.offsets[base + first : base + last + 1], np.int64)
    counts = np.asarray(page.counts[base + first : base + last + 1], np.int64)
    offsets = np.where(counts > 0, offsets, 0)
    together = (np.diff(offsets) == height * row_bytes) & (offsets[:-1] > 0) | (offsets[:-1] == 0) & (offsets[1:] == 0)
    starts = [0, *(np.flatnonzero(~together) + 1).tolist()]
    for start, stop in zip(starts, [*starts[1:], len(offsets)], strict=True):
        top = max(y[0], (first + start) * height)
        bottom = min(y[1], (first + stop) * height)
        offset = int(offsets[start])
        yield top, bottom - top, offset + (top - (first + start) * height) * row_bytes if offset else 0


def _fill(ref: PlaneRef, offset: int, target: NDArray[Any]) -> None:
    got = ref.file.read_into(offset, target.reshape(-1).view(np.uint8).data)
    if got < target.nbytes:
        raise UnreadableError(
            f"{ref.file.name} is truncated: page {ref.page.index} needs {target.nbytes - got:,} more bytes at byte {offset + got:,}. "
            "Copy or upload it again."
        )


def _read_segments(ref: PlaneRef, planar_sample: int, y: tuple[int, int], x: tuple[int, int], into: NDArray[Any]) -> None:
    """Decode the strips or tiles that meet a box, each once."""
    layout = ref.page.layout
    height, width = layout.segment_height, layout.segment_width
    base = planar_sample * layout.down * layout.across
    first = 0 if layout.planar else ref.sample
    for row in range(y[0] // height, (y[1] - 1) // height + 1):
        for column in range(x[0] // width, (x[1] - 1) // width + 1):
            top, left = row * height, column * width
            y0, y1 = max(y[0], top), min(y[1], top + height)
            x0, x1 = max(x[0], left), min(x[1], left + width)
            target = into[y0 - y[0] : y1 - y[0], x0 - x[0] : x1 - x[0]]
            held, skipped = _rows_of_segment(ref, base + row * layout.across + column, (y0 - top, y1 - top))
            if held is None:
                target[...] = layout.nodata
            else:
                target[...] = held[y0 - top - skipped : y1 - top - skipped, x0 - left : x1 - left, first : first + into.shape[-1]]


def _rows_of_segment(ref: PlaneRef, number: int, rows: tuple[int, int]) -> tuple[NDArray[Any] | None, int]:
    """At least those rows of a strip or tile, and how many rows before them were left out."""
    page, layout = ref.page, ref.page.layout
    if _in_parts(layout) and int(page.counts[number]) >= layout.segment_bytes and page.offsets[number]:
        samples = 1 if layout.planar else layout.samples
        band = np.empty((rows[1] - rows[0], layout.segment_width, samples), layout.stored)
        _fill(ref, int(page.offsets[number]) + rows[0] * (layout.segment_bytes // layout.segment_height), band)
        return band, rows[0]
    if layout.segment_bytes > LARGE_UNIT:
        return kept(ref.file, (page, number), lambda: _segment(ref, number)), 0
    return _segment(ref, number), 0


def _segment(ref: PlaneRef, number: int) -> NDArray[Any] | None:
    page, layout = ref.page, ref.page.layout
    if not page.offsets[number] or not page.counts[number]:
        return None
    pixels: NDArray[Any] | None
    if layout.code in PICTURES:
        pixels = _decode_picture(ref, _stored(ref, number), number)
    elif layout.code in JPEG:
        pixels = _decode_jpeg(ref, _stored(ref, number), number)
    else:
        # No name here holds the stored bytes: they are gone before a large segment is copied to another byte order.
        pixels = layout.decode(_stored(ref, number), number)[0]
    if pixels is None:
        return None
    larger = pixels.dtype.itemsize > layout.dtype.itemsize
    if larger or (pixels.dtype.itemsize != layout.dtype.itemsize and pixels.dtype.kind not in "bu"):
        raise ValueError(f"the values decode to {pixels.dtype} where {layout.dtype} is declared")
    decoded: NDArray[Any] = pixels[0]
    return decoded


def _decode_jpeg(ref: PlaneRef, data: bytes, number: int) -> NDArray[Any]:
    layout = ref.page.layout

    def decode(encoded: bytes) -> NDArray[Any]:
        pixels = layout.decode(encoded, number, **layout.jpeg)[0]
        if pixels is None:
            raise ValueError("it holds no picture")
        return pixels

    pixels = decode(data)
    frame = picture_frame(layout.code, data)
    if frame is not None and not frame.lossless and is_cut(data, pixels, frame.bits, decode):
        raise ValueError("its picture ends early")
    return pixels


def _stored(ref: PlaneRef, number: int) -> bytes:
    """The bytes of a strip or tile, looked at before a decoder sees them."""
    page, layout = ref.page, ref.page.layout
    offset, count = int(page.offsets[number]), int(page.counts[number])
    data = ref.file.read(offset, count)
    if len(data) < count:
        raise UnreadableError(
            f"{ref.file.name} is truncated: page {page.index} needs {count - len(data):,} more bytes at byte {offset + len(data):,}. "
            "Copy or upload it again."
        )
    _check_frame(ref, data, number)
    if layout.code == LZW:
        check_lzw(data if not layout.reversed_bits else data.translate(_REVERSED))
    return data


def _decode_picture(ref: PlaneRef, data: bytes, number: int) -> NDArray[Any]:
    """Unpack a whole encoded picture, whose rows must not be taken for those of another size."""
    layout = ref.page.layout
    samples = 1 if layout.planar else layout.samples
    pixels = _unpacked(layout, data)
    height, width = pixels.shape[:2]
    _check_size(ref, number, height, width)
    found = math.prod(pixels.shape[2:])
    if found != samples:
        raise ValueError(f"its picture has {found} samples per pixel where {samples} are declared")
    return pixels.reshape(1, height, width, samples)


def _unpacked(layout: Layout, data: bytes) -> NDArray[Any]:
    import imagecodecs
    import tifffile

    if layout.code in WEBP and layout.samples == _RGBA:
        # Writers leave out an alpha channel that is opaque throughout.
        pixels: NDArray[Any] = imagecodecs.webp_decode(data, hasalpha=True)
    else:
        pixels = tifffile.TIFF.DECOMPRESSORS[layout.code](data)
    if pixels.ndim not in (2, 3):
        raise ValueError(f"its picture has {pixels.ndim} dimensions")
    return pixels


def _check_frame(ref: PlaneRef, data: bytes, number: int) -> None:
    """Refuse an encoded picture whose own header is of another size than the strip or tile it stands for."""
    page, layout = ref.page, ref.page.layout
    frame = picture_frame(layout.code, data)
    if frame is None:
        if (layout.code in JPEG and not layout.jpeg["jpegheader"]) or layout.code == LERC or layout.code in PICTURES:
            raise ValueError("its header does not tell the size of one picture")
        return
    size = frame.height * frame.width * max(frame.samples, 1) * ((frame.bits + 7) // 8)
    expected = layout.segment_height * layout.segment_width * (1 if layout.planar else layout.samples) * layout.dtype.itemsize
    if size > MAX_SEGMENT or (size > RATIO_FREE and size > _HIDDEN * expected):
        raise LimitError(
            f"Page {page.index} of {ref.file.name} hides a picture of {frame.width:,} × {frame.height:,} pixels in one strip or tile. "
            "The file was made to mislead; do not use it."
        )
    if layout.code in JPEG:
        if layout.jpeg["jpegheader"] or not frame.height or not frame.width:
            return  # slide scanners' pages wider than a JPEG can be: tifffile sets the size
        samples = 1 if layout.planar else layout.samples
        # Digital negatives keep neighbouring pixels as the samples of half as many; colour is turned to grey by the decoder.
        width = math.ceil(frame.width * frame.samples / samples) if frame.lossless else frame.width
        _check_size(ref, number, frame.height, width)
        if frame.samples > samples and not frame.lossless and (samples > 1 or layout.kind != "intensity"):
            raise ValueError(f"its picture has {frame.samples} samples per pixel where {samples} are declared")
    else:
        _check_size(ref, number, frame.height, frame.width)
        if (layout.code == LERC or layout.code in JPEG_XL) and frame.samples > (1 if layout.planar else layout.samples):
            raise ValueError(f"its picture has {frame.samples} samples per pixel where {layout.samples} are declared")


def _check_size(ref: PlaneRef, number: int, height: int, width: int) -> None:
    """Compare the size of an encoded picture with its strip or tile.

    The last strip may hold a picture of more rows than remain, and tiles at the borders may end there; readers crop both.
    """
    layout = ref.page.layout
    row, column = divmod(number % (layout.down * layout.across), layout.across)
    rows = min(layout.segment_height, layout.height - row * layout.segment_height)
    columns = min(layout.segment_width, layout.width - column * layout.segment_width)
    if layout.tiled:
        fits = (height, width) in ((layout.segment_height, layout.segment_width), (rows, layout.segment_width), (rows, columns))
    else:
        fits = width == columns and (height == rows or (row == layout.down - 1 and height > rows))
    if not fits:
        wanted = (layout.segment_width, layout.segment_height) if layout.tiled else (columns, rows)
        raise UnreadableError(
            f"{ref.file.name} is damaged: {'tile' if layout.tiled else 'strip'} {number} of page {ref.page.index} holds a picture of "
            f"{width:,} × {height:,} pixels where {wanted[0]:,} × {wanted[1]:,} are declared. Ask for the file again."
        )
