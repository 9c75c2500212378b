"""How the pixels of a TIFF page are stored, in the terms the pixel source needs, and whether they can be trusted."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from ..errors import LimitError, UnreadableError
from .tiff_codecs import ALWAYS_LOSSY, JPEG, JPEG2000, JPEG_XR, LERC, WEBP, compression_name, is_lossy
from .tiff_places import overlapping

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from ..image import Alpha
    from .files import RandomFile
    from .tiff_structure import Numbers

MAX_SEGMENT = 2 << 30
"""Largest strip or tile, unpacked, that is decoded: a compressed segment cannot be read in parts."""
MAX_RATIO = 100_000
"""No lossless codec shrinks a plane further than this (Zstandard on a constant plane reaches about 30,000)."""
RATIO_FREE = 64 << 20
"""Planes up to this size may be of any ratio: they cost nothing."""
_HEAD = 1 << 14
_STEP = 257

MINISWHITE, RGB, PALETTE, SEPARATED, YCBCR = 0, 2, 3, 5, 6
_LAB = {8: "CIE L*a*b*", 9: "ICC L*a*b*", 10: "ITU L*a*b*", 32844: "LogL", 32845: "LogLuv"}

PixelKind = Literal["intensity", "indexed", "rgb"]
PixelKey = tuple[int, int, int, np.dtype[Any], PixelKind, bool]
_ALPHA: dict[int, Alpha] = {0: "unspecified", 1: "associated", 2: "unassociated"}
"""ExtraSamples of TIFF 6.0."""


@dataclass(frozen=True, slots=True, eq=False)
class Layout:
    """Storage of one kind of page.

    `raw` pages are plain numbers that can be read without decoding; `dtype` is the native type handed out, `stored` the
    type in the file.
    """

    height: int
    width: int
    samples: int
    planar: bool
    tiled: bool
    segment_height: int
    segment_width: int
    dtype: np.dtype[Any]
    stored: np.dtype[Any]
    raw: bool
    decode: Callable[..., tuple[NDArray[Any] | None, tuple[int, ...], tuple[int, ...]]]
    code: int
    nodata: float
    kind: PixelKind
    white_is_zero: bool
    alpha: Alpha
    significant_bits: int
    lut: tuple[tuple[int, ...], ...] | None
    jpeg: dict[str, bytes | None]
    lossy: bool
    reversed_bits: bool

    @property
    def compression(self) -> str | None:
        """Name of the compression; None for none."""
        return compression_name(self.code)

    @property
    def across(self) -> int:
        """Segments side by side."""
        return math.ceil(self.width / self.segment_width)

    @property
    def down(self) -> int:
        """Segments one below the other."""
        return math.ceil(self.height / self.segment_height)

    @property
    def segments(self) -> int:
        """Segments of a whole page."""
        return self.across * self.down * (self.samples if self.planar else 1)

    @property
    def row_bytes(self) -> int:
        """Bytes of one stored row of a strip."""
        return self.width * (1 if self.planar else self.samples) * self.stored.itemsize

    @property
    def segment_bytes(self) -> int:
        """Bytes of a whole strip or tile, unpacked."""
        return self.segment_height * self.segment_width * (1 if self.planar else self.samples) * self.dtype.itemsize

    @property
    def page_bytes(self) -> int:
        """Bytes of a whole page, unpacked."""
        return self.height * self.width * self.samples * self.dtype.itemsize

    @property
    def pixel_key(self) -> PixelKey:
        """Equal of layouts whose pages can be planes of one image."""
        return self.height, self.width, self.samples, self.dtype, self.kind, self.white_is_zero


@dataclass(frozen=True, slots=True, eq=False)
class Page:
    """Where the pixels of one page are. `index` is its number in the file, for errors."""

    layout: Layout
    offsets: Numbers
    counts: Numbers
    index: int
    ordered: bool = True
    """Whether its `Ifd` is ordered and typed."""


def make_layout(page: Any, file: RandomFile, index: int) -> Layout:
    """Describe the storage of a tifffile page.

    Raises
    ------
    UnreadableError
        If pixels of this kind are not read; the message says which kind.
    LimitError
        If one strip or tile unpacks to more than `MAX_SEGMENT` bytes.
    """
    where = f"page {index} of {file.name}"
    photometric, code = int(page.photometric or 0), int(page.compression)
    _refuse_kinds(page, photometric, where)
    separate, depth, height, width, contiguous = page.shaped
    if depth != 1:
        raise UnreadableError(f"In {where} one page holds {depth} slices (ImageDepth), which is not read. Save it with one page per slice.")
    if min(height, width, separate, contiguous) < 1:
        raise UnreadableError(f"In {where} the image has no pixels ({width} × {height}). The file is damaged; ask for it again.")
    planar = separate > 1
    samples = max(separate, contiguous)
    tiled = bool(page.is_tiled)
    segment_height, segment_width = (int(page.tilelength), int(page.tilewidth)) if tiled else (int(page.rowsperstrip), int(width))
    if segment_height < 1 or segment_width < 1:
        raise UnreadableError(f"In {where} strips or tiles are {segment_width} × {segment_height} pixels. The file is damaged; ask for it again.")
    dtype = np.dtype("uint8") if page.dtype.kind == "b" else np.dtype(page.dtype).newbyteorder("=")
    bits = page.bitspersample if isinstance(page.bitspersample, int) else max(page.bitspersample)
    regular = isinstance(page.bitspersample, int) and bits == dtype.itemsize * 8 and page.dtype.kind != "b"
    raw = code == 1 and int(page.predictor) == 1 and int(page.fillorder) == 1 and regular
    segment_bytes = segment_height * segment_width * dtype.itemsize * (1 if planar else samples)
    if segment_bytes > MAX_SEGMENT and not (raw and not tiled):
        raise LimitError(
            f"In {where} one {'tile' if tiled else 'strip'} unpacks to {segment_bytes:,} bytes; at most {MAX_SEGMENT:,} are decoded at once. "
            "Save the image in tiles before converting it."
        )
    _check_codec(page, where)
    lut = _palette(page) if photometric == PALETTE else None
    # ImageJ and others keep a display colour as a palette that runs evenly from black to it: such indices are intensities.
    indexed = photometric == PALETTE and not (lut and _is_ramp(lut))
    rgb = photometric in (RGB, YCBCR) and samples in (3, 4)
    return Layout(
        height=int(height),
        width=int(width),
        samples=int(samples),
        planar=planar,
        tiled=tiled,
        segment_height=min(segment_height, int(height)) if not tiled else segment_height,
        segment_width=segment_width,
        dtype=dtype,
        stored=dtype.newbyteorder(page.parent.byteorder) if regular else dtype,
        raw=raw,
        decode=page.decode,
        code=code,
        nodata=float(page.nodata or 0),
        kind="indexed" if indexed else "rgb" if rgb else "intensity",
        white_is_zero=photometric == MINISWHITE,
        alpha=_ALPHA.get(int(page.extrasamples[-1]), "unspecified") if page.extrasamples else "unspecified",
        significant_bits=int(bits),
        lut=lut,
        jpeg={"jpegtables": page.jpegtables, "jpegheader": page.jpegheader} if code in JPEG else {},
        lossy=_lossy(page, file, code),
        reversed_bits=int(page.fillorder) == 2,
    )


def check_page(page: Page, file: RandomFile) -> None:
    """Compare what a page promises with the bytes that are there.

    Raises
    ------
    UnreadableError
        If strips or tiles lie beyond the end of the file, are fewer than the image needs, or are far too small to hold it.
    """
    layout = page.layout
    wanted = layout.segments
    where = f"page {page.index} of {file.name}"
    if len(page.offsets) < wanted or len(page.counts) < wanted:
        raise UnreadableError(
            f"{where[0].upper()}{where[1:]} lists {min(len(page.offsets), len(page.counts)):,} strips or tiles where its "
            f"{layout.width:,} × {layout.height:,} pixels need {wanted:,}. The file is damaged; copy or upload it again."
        )
    last, stored, any_stored = _extent(page, wanted, file)
    if last > file.size:
        raise UnreadableError(
            f"{file.name} is truncated: the pixels of page {page.index} should end at byte {last:,}, but the file ends at byte {file.size:,}. "
            "Copy or upload it again."
        )
    if layout.page_bytes > RATIO_FREE and layout.page_bytes > MAX_RATIO * max(stored if any_stored else 1, 1):
        raise UnreadableError(
            f"{where[0].upper()}{where[1:]} promises {layout.width:,} × {layout.height:,} pixels ({layout.page_bytes:,} bytes) but stores only "
            f"{stored:,} bytes for them. The file is damaged or was made to mislead; ask for it again."
        )


def _extent(page: Page, wanted: int, file: RandomFile) -> tuple[int, int, bool]:
    """End of the last stored byte, bytes stored, whether any are."""
    layout = page.layout
    if isinstance(page.offsets, tuple) and isinstance(page.counts, tuple) and wanted == 1:
        offset, count = int(page.offsets[0]), int(page.counts[0])
        plain = layout.raw and not layout.tiled
        if (count and not offset) or (offset and not count and not plain):
            raise _nowhere(page, 0, file)
        if not offset:
            return 0, 0, False
        need = layout.row_bytes * layout.height if plain else count
        return offset + max(need, count if not layout.raw else need), max(need, count), True
    offsets, counts = np.asarray(page.offsets[:wanted], np.int64), np.asarray(page.counts[:wanted], np.int64)
    there = (offsets > 0) & (counts > 0)
    # What was never stored has neither a place nor bytes.
    half = (counts > 0) & ~there if not layout.raw and there.any() else (counts > 0) != (offsets > 0)
    if half.any():
        raise _nowhere(page, int(half.argmax()), file)
    if not there.any():
        return 0, 0, False
    if layout.raw and not layout.tiled:
        rows = np.full(wanted, layout.segment_height, np.int64)
        rows[layout.down - 1 :: layout.down] = layout.height - (layout.down - 1) * layout.segment_height
        short = there & (counts < rows * layout.row_bytes)
        if short.any() and wanted > 1:
            raise UnreadableError(
                f"{file.name} is damaged: strip {int(short.argmax())} of page {page.index} is {int(counts[short][0]):,} bytes long, "
                f"too short for its {int(rows[short][0])} rows. Copy or upload it again."
            )
        counts = rows * layout.row_bytes
        if (number := overlapping(np.where(there, offsets, 0), counts)) is not None:
            raise UnreadableError(f"{file.name} is damaged: strip {number} of page {page.index} lies partly in another one. Copy or upload it again.")
    return int((offsets + counts)[there].max()), int(counts[there].sum()), True


def _nowhere(page: Page, number: int, file: RandomFile) -> UnreadableError:
    return UnreadableError(
        f"{file.name} is damaged: strip or tile {number} of page {page.index} is at byte {int(page.offsets[number]):,} and has "
        f"{int(page.counts[number]):,} bytes. Copy or upload it again."
    )


def _refuse_kinds(page: Any, photometric: int, where: str) -> None:
    if photometric == SEPARATED:
        raise UnreadableError(f"The pixels in {where} are CMYK, a printing colour space without a measured meaning. Save the image as RGB.")
    if photometric in _LAB:
        raise UnreadableError(f"The pixels in {where} are {_LAB[photometric]} colours, which are not read. Save the image as RGB.")
    if page.dtype is None:
        raise UnreadableError(
            f"The pixels in {where} are of a type that is not read (SampleFormat {page.sampleformat}, {page.bitspersample} bits). "
            "Save the image as integers or 32-bit floating point numbers."
        )
    if page.dtype.kind == "c":
        raise UnreadableError(
            f"The pixels in {where} are complex numbers, which open microscopy formats cannot hold. Save their real part or magnitude."
        )


def _check_codec(page: Any, where: str) -> None:
    """Let tifffile say now whether it can decode such pages, and build its decoder while only one thread is here."""
    import tifffile

    code = int(page.compression)
    try:
        if code != 1:
            tifffile.TIFF.DECOMPRESSORS[code]
        decoder = page.decode
        if decoder.__name__.startswith("decode_raise"):
            decoder(None, 0)
    except KeyError as error:
        name = compression_name(code)
        raise UnreadableError(f"The pixels in {where} are compressed by {name}, which is not read. Save the image uncompressed.") from error
    except (ValueError, NotImplementedError, RuntimeError, tifffile.TiffFileError) as error:
        raise UnreadableError(f"The pixels in {where} cannot be decoded: {error}. Save the image uncompressed.") from error


def _palette(page: Any) -> tuple[tuple[int, ...], ...] | None:
    table = page.colormap
    if table is None or table.ndim != 2 or table.shape[0] != 3:
        return None
    return tuple(tuple(int(value) for value in entry) for entry in table.T)


def _is_ramp(lut: tuple[tuple[int, ...], ...]) -> bool:
    """Whether the colours rise evenly from black, by at most one step of an 8-bit palette off the line."""
    last = len(lut) - 1
    return (
        last > 1
        and any(lut[-1])
        and all(
            abs(value * last - number * top) <= _STEP * last for number, entry in enumerate(lut) for value, top in zip(entry, lut[-1], strict=True)
        )
    )


def _lossy(page: Any, file: RandomFile, code: int) -> bool:
    if code not in JPEG | JPEG2000 | JPEG_XR | WEBP | ALWAYS_LOSSY | {LERC}:
        return False
    stored = next(((int(offset), int(count)) for offset, count in zip(page.dataoffsets, page.databytecounts, strict=False) if offset and count), None)
    head = file.read(stored[0], min(stored[1], _HEAD)) if stored else b""
    return is_lossy(code, head, whole_numbers=page.dtype is not None and page.dtype.kind in "iu")
