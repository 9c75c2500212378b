"""TIFF flavours that say what their pages are, through tifffile's series: ImageJ, LSM, MetaMorph, slide scanners and others."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import SuiteError, UnreadableError
from ..image import Dataset, ImageMetadata, Location, Modulo
from . import tiff_imagej, tiff_lsm, tiff_plain
from .tiff_layout import Layout, Page, check_page, make_layout
from .tiff_pages import PARSING_ERRORS, PageBook, level, pyramid
from .tiff_places import DISORDERED
from .tiff_plain import make_image, plain_metadata, stem
from .tiff_source import PlaneRef

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Final, Literal

    from ..image import Image

FORMATS = {
    "lsm": "Zeiss LSM",
    "imagej": "ImageJ TIFF",
    "fluoview": "Olympus FluoView TIFF",
    "stk": "MetaMorph STK",
    "sis": "Olympus SIS TIFF",
    "svs": "Aperio SVS",
    "scn": "Leica SCN",
    "qpi": "PerkinElmer QPI",
    "ndpi": "Hamamatsu NDPI",
    "bif": "Ventana BIF",
    "scanimage": "ScanImage TIFF",
    "nih": "NIH Image TIFF",
    "shaped": "TIFF",
}
_LOOSE = frozenset(("imagej", "shaped"))
_FREE: Final[tuple[Literal["T", "Z", "C"], ...]] = ("T", "Z", "C")
"""Dimensions an unknown one is folded into, the first free one."""
"""Kinds whose descriptions any program or person writes; the pages say enough without them."""
_MAX_PLANES = 2_000_000
_MANY_MISSING = 10_000
_NAMES = {
    "A": "angle",
    "E": "lambda",
    "H": "lifetime",
    "L": "other",
    "M": "tile",
    "P": "position",
    "Q": "other",
    "R": "other",
    "V": "other",
    "I": "other",
}


class SeriesMismatchError(UnreadableError):
    """The description says something that the pages cannot be."""


def open_tiff(location: Location, book: PageBook, warnings: tuple[str, ...] = ()) -> Dataset | None:
    """Open a TIFF flavour that tifffile knows; None if it is of no such kind.

    Raises
    ------
    UnreadableError
        If its description does not fit its pages, or pixels are missing or of a kind that is not read.
    """
    tiff = book.tiff()
    with book.explained():
        kind = next((kind for kind in FORMATS if getattr(tiff, f"is_{kind}", False)), None)
    if kind is None:
        return None
    try:
        dataset = _open(location, book, kind, warnings)
    except SeriesMismatchError as error:
        warnings += (f"The {FORMATS[kind]} description of {book.name} does not fit its pages ({error}); they were read as plain TIFF, without it.",)
        return tiff_plain.open_tiff(location, book, warnings)
    return dataset


def _open(location: Location, book: PageBook, kind: str, warnings: tuple[str, ...]) -> Dataset | None:
    tiff = book.tiff()
    try:
        found = list(tiff.series)
    except PARSING_ERRORS as error:
        if kind not in _LOOSE:
            raise UnreadableError(f"{book.name} is a damaged TIFF ({' '.join(str(error).split())[:200]}). Copy or upload it again.") from error
        if kind == "imagej":
            _check_imagej_promise(book, tiff.imagej_metadata or {})
        raise SeriesMismatchError("it is malformed") from error
    with book.explained():
        series = [one for one in found if one.keyframe is not None and one.size and not (kind == "lsm" and one.keyframe.is_reduced)]
        if kind == "imagej" and any(one.kind != "imagej" for one in series):
            _check_imagej_promise(book, tiff.imagej_metadata or {})
            raise SeriesMismatchError("its sizes are not those of the pages")
        if kind == "shaped" and any(min(facts.get("shape") or (1,)) < 1 for facts in tiff.shaped_metadata or ()):
            raise SeriesMismatchError("its sizes are not those of the pages")
    layouts: dict[int, Layout] = {}
    images: list[Image] = []
    for one in series:
        images.extend(_images(book, kind, one, layouts, len(images), len(series)))
    if not images:
        return None
    warnings += _doubts(book, kind)
    return Dataset(location, FORMATS[kind], tuple(images), files=(location.path,), warnings=warnings, close_files=book.close)


def _doubts(book: PageBook, kind: str) -> tuple[str, ...]:
    """What in the file contradicts what was read."""
    # The programs of some microscopes do not sort their tags.
    doubtful = (ifd for ifd in book.ifds if not ifd.typed or (kind in _LOOSE and not ifd.ordered))
    doubts = [DISORDERED.format(where=f"page {ifd.index} of {book.name}") for ifd in islice(doubtful, 1)]
    facts = (book.tiff().imagej_metadata or {}) if kind == "imagej" else {}
    claimed, images = _planes_of(facts), facts.get("images")
    if claimed > 1 and isinstance(images, int) and images != claimed:
        doubts.append(
            f"The ImageJ description of {book.name} speaks of {images:,} images, but of {claimed:,} planes by its channels, slices and frames, which "
            "were believed. It may be damaged."
        )
    return tuple(doubts)


def _planes_of(facts: dict[str, Any]) -> int:
    sizes = [facts.get(key, 1) for key in ("frames", "slices", "channels")]
    return math.prod(size for size in sizes if isinstance(size, int) and size > 0)


def _check_imagej_promise(book: PageBook, facts: dict[str, Any]) -> None:
    """Refuse a stack of which tifffile could not find all planes; what merely has odd metadata may be read as pages."""
    claimed = _planes_of(facts)
    if claimed > len(book.ifds):
        raise UnreadableError(
            f"{book.name} is truncated or damaged: its ImageJ description speaks of {claimed:,} planes, which are not all there. "
            "Copy or upload it again."
        )


def _images(book: PageBook, kind: str, series: Any, layouts: dict[int, Layout], number: int, count: int) -> list[Image]:
    """The images of one tifffile series: several where it holds positions."""
    tables = [_PlaneTable(book, one, layouts, kind) for one in series.levels]
    main = tables[0]
    if not any(main.planes(0)):
        raise UnreadableError(f"{book.name} is truncated or damaged: none of the planes it describes are there. Copy or upload it again.")
    images = []
    for position in range(main.positions):
        planes = main.planes(position)
        full = level(planes, main.sizes, main.samples, main.layout.nodata)
        smaller = [table.planes(position) for table in tables[1:] if table.sizes == main.sizes and table.positions == main.positions]
        levels, remarks = pyramid(full, smaller)
        metadata, told = _metadata(book, kind, series, main)
        missing = sum(plane is None for plane in planes)
        if missing:
            told += (f"{missing} of {len(planes)} planes are not in {book.name}; they are filled with {main.layout.nodata:g}.",)
        metadata = replace(metadata, modulo=metadata.modulo + main.modulo)
        name = _name(book, series, count, number, position, main.positions)
        images.append(make_image(name, number + position, levels, main.axes, main.layout, metadata, told + main.warnings + remarks))
    return images


def _name(book: PageBook, series: Any, count: int, number: int, position: int, positions: int) -> str:
    name = stem(book.name)
    if count > 1 and positions == 1:
        return str(series.name).strip() or f"{name} {number + 1}"
    return f"{name} position {position + 1}" if positions > 1 else name


def _metadata(book: PageBook, kind: str, series: Any, table: _PlaneTable) -> tuple[ImageMetadata, tuple[str, ...]]:
    metadata, warnings = plain_metadata(series.keyframe)
    try:
        if kind == "imagej":
            return tiff_imagej.metadata(book.tiff(), metadata, table.sizes)
        if kind == "lsm":
            return tiff_lsm.metadata(book.tiff(), metadata, table.sizes)
    except SuiteError:
        raise
    except Exception as error:  # odd vendor metadata must not cost the pixels
        warnings += (f"The {FORMATS[kind]} metadata of {book.name} could not be read ({error}); the pixels are not affected.",)
    return metadata, warnings


class _PlaneTable:
    """Where every plane of a tifffile series is, its axes folded into T, C and Z.

    Axes OME does not have go to a free one of T, Z and C, or behind T, as a Modulo annotation records; positions become
    series of their own.
    """

    def __init__(self, book: PageBook, series: Any, layouts: dict[int, Layout], kind: str) -> None:
        self.book = book
        self.kind = kind
        self.warnings: tuple[str, ...] = ()
        self.modulo: tuple[Modulo, ...] = ()
        key = series.keyframe
        with book.explained():
            if id(key) not in layouts:
                layouts[id(key)] = make_layout(key, book.file, int(key.index))
            self.layout = layouts[id(key)]
            self._split(series.get_axes(squeeze=False), [int(size) for size in series.get_shape(squeeze=False)])
            self._pages = self._all_pages(series)
        self._fold()

    def planes(self, position: int) -> list[PlaneRef | None]:
        """References of one position, in T C Z order."""
        found: list[PlaneRef | None] = []
        for t in range(self.sizes[0]):
            for c in range(self.sizes[1]):
                page_c, sample = (0, c) if self.channel_samples else (c, 0)
                for z in range(self.sizes[2]):
                    page = self._pages[int(self._order[position, t, page_c, z])]
                    found.append(None if page is None else PlaneRef(self.book.file, page, sample))
        return found

    def _split(self, axes: str, shape: list[int]) -> None:
        """Tell the axes between pages from those inside a page."""
        if "X" not in axes or len(axes) != len(shape) or min(shape, default=0) < 1:
            raise SeriesMismatchError(f"it has the axes {axes!r} of the sizes {', '.join(map(str, shape))}")
        if "Y" not in axes and axes.index("X") > 0:
            across = axes.index("X") - 1
            self.warnings += (f"This is a scan along {axes[across]} and X; {axes[across]} was put in the place of Y, as Bio-Formats does.",)
            axes = axes[:across] + "Y" + axes[across + 1 :]
        if "Y" not in axes:
            raise SeriesMismatchError(f"it has the axes {axes!r}")
        inside = {axes.index("Y"), axes.index("X")}
        sample_axis = None
        if self.layout.samples > 1:
            places = (axes.index("Y") - 1,) if self.layout.planar else (axes.index("X") + 1,)
            sample_axis = next((at for at in places if 0 <= at < len(axes) and shape[at] == self.layout.samples), None)
        if sample_axis is not None:
            inside.add(sample_axis)
        inside |= {at for at, letter in enumerate(axes) if letter == "S"}
        # The colours of a picture, which the ImageJ description in it counts as channels (bfconvert writes such).
        colours = self.kind == "imagej" and self.layout.kind == "rgb"
        self.channel_samples = sample_axis is not None and axes[sample_axis] == "C" and not colours
        self.samples = 1 if self.channel_samples else self.layout.samples
        self.leading = [(letter, shape[at]) for at, letter in enumerate(axes) if at not in inside]
        self.axes = "".join(letter for letter, size in self.leading if size > 1) + (
            "CYX" if self.channel_samples else "YXS" if self.samples > 1 else "YX"
        )

    def _all_pages(self, series: Any) -> list[Page | None]:
        count = math.prod(size for _, size in self.leading)
        if not 0 < count <= _MAX_PLANES:
            raise UnreadableError(f"{self.book.name} claims to hold {count:,} planes. Its description is damaged; ask for it again.")
        if len(series.pages) == 1 and count > 1:
            return self._virtual(series.keyframe, count)
        pages: list[Page | None] = []
        for page in series.pages:
            pages.append(None if page is None else self._page(page))
        if count - len(pages) > _MANY_MISSING and count > 10 * len(pages):
            raise UnreadableError(
                f"{self.book.name} describes {count:,} planes but holds {len(pages):,}. It is truncated or damaged; ask for it again."
            )
        if len(pages) > count:
            self.warnings += (f"{self.book.name} holds {len(pages)} pages but describes {count}; the rest were left out.",)
        return (pages + [None] * (count - len(pages)))[:count]

    def _page(self, page: Any) -> Page:
        index = page.index[0] if isinstance(page.index, tuple) else page.index
        found = Page(self.layout, _numbers(page.dataoffsets), _numbers(page.databytecounts), int(index))
        check_page(found, self.book.file)
        return found

    def _virtual(self, key: Any, count: int) -> list[Page | None]:
        """Planes that follow one another behind a single directory, as ImageJ stores what TIFF cannot address."""
        layout = self.layout
        if not layout.raw or layout.tiled or layout.planar:
            raise UnreadableError(
                f"{self.book.name} describes {count:,} planes but lists one page, which is compressed. The file is truncated or damaged."
            )
        one = replace(layout, segment_height=layout.height)
        first = int(key.dataoffsets[0])
        last = Page(one, (first + (count - 1) * one.page_bytes,), (one.page_bytes,), 0)
        check_page(last, self.book.file)
        return [Page(one, (first + number * one.page_bytes,), (one.page_bytes,), 0) for number in range(count)]

    def _fold(self) -> None:
        """Order the pages as position, T, C, Z."""
        groups: dict[str, list[int]] = {"P": [], "T": [], "C": [], "Z": []}
        extra = []
        for at, (letter, size) in enumerate(self.leading):
            if letter in ("T", "C", "Z"):
                groups[letter].append(at)
            elif size > 1 and (letter == "P" or (letter == "M" and self.kind == "lsm")):
                groups["P"].append(at)
            elif size > 1:
                extra.append(at)
        for at in extra:
            self._fold_one(at, groups)
        order = np.arange(math.prod(size for _, size in self.leading)).reshape([size for _, size in self.leading] or [1])
        used = [at for group in groups.values() for at in group]
        rest = [at for at in range(len(self.leading)) if at not in used]
        sizes = {name: math.prod(self.leading[at][1] for at in group) for name, group in groups.items()}
        self._order = (order.transpose(used + rest) if self.leading else order).reshape(sizes["P"], sizes["T"], sizes["C"], sizes["Z"])
        self.positions = sizes["P"]
        self.sizes = (sizes["T"], self.layout.samples if self.channel_samples else sizes["C"], sizes["Z"])

    def _fold_one(self, at: int, groups: dict[str, list[int]]) -> None:
        letter, size = self.leading[at]
        free = [name for name in _FREE if not any(self.leading[member][1] > 1 for member in groups[name])]
        along = free[0] if free else "T"
        if free:
            groups[along] = [at]
            self.warnings += (
                f"{self.book.name} does not say what its {size} pages are (axis {letter}); they were put along {along}, as Bio-Formats does.",
            )
            return
        groups[along].append(at)
        # Modulo counts the folded dimension fastest, as the order of the group does.
        self.modulo += (Modulo(along, _NAMES.get(letter, "other"), start=0, end=size - 1, step=1),)
        self.warnings += (f"The axis {letter} of {size}, which OME does not have, was folded into {along}; a Modulo annotation records it.",)


def _numbers(values: Sequence[int]) -> Any:
    return (int(values[0]),) if len(values) == 1 else np.asarray(values, np.int64)
