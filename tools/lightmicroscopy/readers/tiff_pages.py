"""The pages of one TIFF file, and images made of them."""

from __future__ import annotations

import contextlib
import logging
import struct
from typing import TYPE_CHECKING, Any

from ..errors import SuiteError, UnreadableError
from ..image import Level, Shape
from ..names import readable
from .files import RandomFile
from .tiff_layout import Layout, Page, check_page, make_layout
from .tiff_source import PlaneRef, TiffSource
from .tiff_structure import COMPRESSION, OLD_JPEG, Ifd, Scanner

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    import tifffile


PARSING_ERRORS = (
    ValueError,
    TypeError,
    LookupError,
    AttributeError,
    OSError,
    RuntimeError,
    ArithmeticError,
    AssertionError,
    MemoryError,
    struct.error,
)
"""What tifffile has been seen to raise, or may, on tags that lie."""


class PageBook:
    """One opened TIFF file: its directories, and pages described on demand.

    Parameters
    ----------
    path
        The file.
    hold
        Whether to keep it open between reads.
    layouts
        Shared by the books of one set, so that equal pages are described once.

    Raises
    ------
    UnreadableError
        If it is no TIFF or its directories are damaged.
    """

    def __init__(self, path: Path, *, hold: bool = True, layouts: dict[object, Layout] | None = None) -> None:
        self.file = RandomFile(path, hold=hold)
        self.name = readable(path.name)
        try:
            self.scanner = Scanner(self.file)
            self.ifds = self.scanner.scan()
        except BaseException:
            self.file.close()
            raise
        self._layouts = {} if layouts is None else layouts
        self._pages: dict[int, Page] = {}
        self._parsed: tifffile.TiffFile | None = None

    def page(self, ifd: Ifd) -> Page:
        """Where the pixels of a directory are.

        Raises
        ------
        UnreadableError
            If its pixels are of a kind that is not read, or not all there.
        """
        known = self._pages.get(ifd.offset)
        if known is not None:
            return known
        code = next((int.from_bytes(value, self.scanner.endian) for tag, _, value in ifd.signature if tag == COMPRESSION), 1)
        own = code == OLD_JPEG or not len(ifd.offsets) or not len(ifd.counts)
        key: object = (self.file.path, ifd.offset) if own else (self.scanner.order, ifd.signature)
        layout = self._layouts.get(key)
        offsets, counts = ifd.offsets, ifd.counts
        if layout is None or own:
            described = self.describe(ifd)
            with self.explained():
                layout = self._layouts[key] = make_layout(described, self.file, ifd.index)
            if own:
                offsets, counts = described.dataoffsets, described.databytecounts
        page = Page(layout, offsets, counts, ifd.index, ifd.ordered and ifd.typed)
        with self.explained():
            check_page(page, self.file)
        self._pages[ifd.offset] = page
        return page

    def describe(self, ifd: Ifd) -> Any:
        """The tifffile page of a directory, with all its tags."""
        import tifffile

        with self.explained():
            parsed = self.tiff()
            parsed.filehandle.seek(ifd.offset)
            return tifffile.TiffPage(parsed, index=ifd.index)

    def tiff(self) -> tifffile.TiffFile:
        """The file as tifffile sees it, open until `settle`."""
        import tifffile

        if self._parsed is None:
            log = logging.getLogger("tifffile")
            if not log.handlers:
                # What matters of its remarks becomes an error or warning of ours.
                log.addHandler(logging.NullHandler())
            with self.explained():
                # OME-XML and Micro-Manager indexes name other files, which tifffile would open wherever they are.
                self._parsed = tifffile.TiffFile(self.file.path, is_ome=False, is_mmstack=False, is_ndtiff=False)
        return self._parsed

    def settle(self) -> None:
        """Close what was only needed to read the structure."""
        if self._parsed is not None:
            self._parsed.close()
            self._parsed = None

    def close(self) -> None:
        """Close everything."""
        self.settle()
        self.file.close()

    @contextlib.contextmanager
    def explained(self) -> Iterator[None]:
        """Turn what tifffile raises on damaged files into a sentence."""
        import tifffile

        try:
            yield
        except SuiteError:
            raise
        except (tifffile.TiffFileError, *PARSING_ERRORS) as error:
            raise UnreadableError(f"{self.name} is a damaged TIFF ({' '.join(str(error).split())[:200]}). Copy or upload it again.") from error

    def sub(self, ifd: Ifd) -> list[Ifd]:
        """The SubIFDs of a directory."""
        return [self.scanner.at(offset, ifd.index) for offset in ifd.subifds]


def level(planes: Sequence[PlaneRef | None], sizes: tuple[int, int, int], samples: int, fill: float = 0) -> Level:
    """A resolution level of planes in T C Z order.

    Parameters
    ----------
    planes
        References, at least one not None.
    sizes
        Extent along T, C and Z.
    samples
        Samples of a page that belong to each plane.

    Raises
    ------
    UnreadableError
        If the planes are not alike.
    """
    first = next((ref for ref in planes if ref is not None), None)
    if first is None:
        raise UnreadableError("None of the planes that the file describes are in it. It is truncated or damaged; copy or upload it again.")
    layout = first.page.layout
    for ref in planes:
        if ref is not None and ref.page.layout is not layout and ref.page.layout.pixel_key != layout.pixel_key:
            raise UnreadableError(
                f"Page {ref.page.index} of {ref.file.name} is {_said(ref.page.layout)} where page {first.page.index} of {first.file.name} is "
                f"{_said(layout)}; both belong to one image. The file is damaged or its metadata are wrong."
            )
    return Level(TiffSource(planes, Shape(*sizes, layout.height, layout.width, samples), layout, fill))


def pyramid(full: Level, smaller: Sequence[Sequence[PlaneRef | None]]) -> tuple[tuple[Level, ...], tuple[str, ...]]:
    """Levels of an image, the full one first, from what the file offers as smaller versions.

    Returns
    -------
    levels, warnings
        Versions that are no true reduction of the image (other proportions, another type) are left out with a warning.
    """
    shape = full.pixels.shape
    levels, warnings = [full], []
    for planes in smaller:
        first = next((ref for ref in planes if ref is not None), None)
        if first is None:
            continue
        layout = first.page.layout
        previous = levels[-1].pixels.shape
        fy, fx = shape.y / layout.height, shape.x / layout.width
        fits = layout.dtype == full.pixels.dtype and layout.samples >= shape.s and layout.height <= previous.y and layout.width <= previous.x
        smaller_than = (layout.height, layout.width) != (previous.y, previous.x)
        proportional = abs(layout.height - shape.y / fx) <= 1.5 or abs(layout.width - shape.x / fy) <= 1.5
        if not (fits and smaller_than and proportional):
            warnings.append(
                f"A {layout.width} × {layout.height} version of the {shape.x} × {shape.y} image is no smaller copy of it and was left out."
            )
            continue
        made = level(planes, (shape.t, shape.c, shape.z), shape.s)
        levels.append(Level(made.pixels, (1.0, fy, fx)))
    return tuple(levels), tuple(warnings)


def sub_planes(book: PageBook, ifds: Sequence[Ifd]) -> list[list[Page]]:
    """Pages of each smaller version kept in SubIFDs: one list per level, in the order of `ifds`.

    Levels that not every page has are left out.
    """
    count = min((len(ifd.subifds) for ifd in ifds), default=0)
    if not count:
        return []
    columns = [book.sub(ifd)[:count] for ifd in ifds]
    return [[book.page(subs[number]) for subs in columns] for number in range(count)]


def _said(layout: Layout) -> str:
    return f"{layout.width} × {layout.height} × {layout.samples} {layout.dtype}"
