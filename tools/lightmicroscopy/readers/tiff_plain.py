"""Plain TIFF: pages without a microscopy description."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..image import Channel, Dataset, Image, ImageMetadata, Location, Quantity
from .tiff_pages import PageBook, level, pyramid, sub_planes
from .tiff_places import remarks
from .tiff_source import PlaneRef, TiffSource

if TYPE_CHECKING:
    from ..image import Level
    from .tiff_layout import Layout, PixelKey
    from .tiff_structure import Ifd

_TEXT_TAGS = {
    269: "DocumentName",
    270: "ImageDescription",
    271: "Make",
    272: "Model",
    274: "Orientation",
    282: "XResolution",
    283: "YResolution",
    285: "PageName",
    296: "ResolutionUnit",
    305: "Software",
    306: "DateTime",
    315: "Artist",
    316: "HostComputer",
    33432: "Copyright",
}
_LONGEST = 1 << 20
_CENTIMETRE = 3
_PRINT_UM = 10.0
"""No printer's resolution is finer than 10 µm (2540 dpi): a finer one in a file was written by something that measured."""
_FINEST_UM = 0.001


def open_tiff(location: Location, book: PageBook, warnings: tuple[str, ...] = ()) -> Dataset:
    """Open pages without a description: equal pages are one series, others series of their own.

    Several equal pages are taken as time points, as Bio-Formats takes them; a warning says that the file does not tell.
    """
    groups = _groups(book)
    images = tuple(_image(book, number, len(groups), pages) for number, pages in enumerate(groups))
    return Dataset(location, "TIFF", images, files=(location.path,), warnings=warnings, close_files=book.close)


def _groups(book: PageBook) -> list[list[tuple[Ifd, list[Ifd]]]]:
    """Series of (page, its reduced versions in the main chain)."""
    pages: list[tuple[Ifd, list[Ifd]]] = []
    for ifd in book.ifds:
        if ifd.reduced and pages:
            pages[-1][1].append(ifd)
        else:
            pages.append((ifd, []))
    groups: dict[PixelKey, list[tuple[Ifd, list[Ifd]]]] = {}
    for ifd, reduced in pages:
        groups.setdefault(book.page(ifd).layout.pixel_key, []).append((ifd, reduced))
    return list(groups.values())


def _image(book: PageBook, number: int, series: int, members: list[tuple[Ifd, list[Ifd]]]) -> Image:
    ifds = [ifd for ifd, _ in members]
    refs = [PlaneRef(book.file, book.page(ifd)) for ifd in ifds]
    layout = refs[0].page.layout
    sizes = (len(refs), 1, 1)
    full = level(refs, sizes, layout.samples)
    levels, warnings = pyramid(full, _smaller(book, members))
    described = book.describe(ifds[0])
    metadata, remarks = plain_metadata(described, layout)
    if len(refs) > 1:
        remarks += (
            f"{book.name} does not say what its {len(refs)} pages are; they were taken as time points, as Bio-Formats takes them. "
            "If they are slices of a stack, say so when you describe the data.",
        )
    axes = ("T" if len(refs) > 1 else "") + ("YXS" if layout.samples > 1 else "YX")
    return make_image(_name(book, described, number, series), number, levels, axes, layout, metadata, remarks + warnings)


def _smaller(book: PageBook, members: list[tuple[Ifd, list[Ifd]]]) -> list[list[PlaneRef]]:
    pages = sub_planes(book, [ifd for ifd, _ in members])
    if not pages:
        count = min(len(reduced) for _, reduced in members)
        pages = [[book.page(reduced[number]) for _, reduced in members] for number in range(count)]
    return [[PlaneRef(book.file, page) for page in column] for column in pages]


def make_image(
    name: str, number: int, levels: tuple[Level, ...], axes: str, layout: Layout, metadata: ImageMetadata, warnings: tuple[str, ...] = ()
) -> Image:
    """An image of TIFF pages, with what their layout says of them."""
    if layout.lut is not None and not any(channel.lut for channel in metadata.channels):
        from dataclasses import replace

        channels = metadata.channels or tuple(Channel() for _ in range(levels[0].pixels.shape.c))
        metadata = replace(metadata, channels=tuple(replace(channel, lut=layout.lut) for channel in channels))
    if layout.white_is_zero:
        warnings += (
            "Low values are white in this image (photometric interpretation MINISWHITE); the values were kept as they are stored, so that most "
            "programs show a copy inverted.",
        )
    warnings += _remarks(levels)
    return Image(
        name=name,
        series=number,
        levels=levels,
        axes=axes,
        kind=layout.kind if layout.kind != "rgb" or levels[0].pixels.shape.s in (3, 4) else "intensity",
        significant_bits=layout.significant_bits,
        fill_value=layout.nodata,
        metadata=metadata,
        compression=layout.compression,
        lossy=layout.lossy,
        white_is_zero=layout.white_is_zero,
        alpha=layout.alpha,
        warnings=warnings,
    )


def _remarks(levels: tuple[Level, ...]) -> tuple[str, ...]:
    """What is odd about where pixels are."""
    sources = (level.pixels for level in levels)
    refs = (ref for source in sources if isinstance(source, TiffSource) for ref in source.planes if ref is not None)
    return tuple(remarks((ref.file, ref.page) for ref in refs))


def stem(name: str) -> str:
    """A file's name without the endings image files have."""
    lower = name.lower()
    for ending in (".ome.tiff", ".ome.tif", ".ome.btf", ".ome.tf2", ".ome.tf8", ".companion.ome"):
        if lower.endswith(ending):
            return name[: -len(ending)] or name
    head, dot, _ = name.rpartition(".")
    return head if dot and head else name


def _name(book: PageBook, described: Any, number: int, series: int) -> str:
    if series == 1:
        return stem(book.name)
    page_name = described.tags.valueof(285)
    return page_name.strip() if isinstance(page_name, str) and page_name.strip() else f"{stem(book.name)} {number + 1}"


def plain_metadata(page: Any, layout: Layout | None = None) -> tuple[ImageMetadata, tuple[str, ...]]:
    """What the baseline tags say, and remarks on it.

    The resolution tags count as a pixel size only where they cannot be a printer's or screen's: in centimetres and finer
    than 10 µm per pixel. Otherwise the pixel size stays unknown and the tags are kept among the original metadata.
    """
    original = original_tags(page)
    warnings: tuple[str, ...] = ()
    orientation = _whole(page.tags.valueof(274))
    if orientation not in (None, 0, 1):
        warnings += (f"The file asks viewers to turn or flip the image (orientation {orientation}); pixels were left as they are stored.",)
    size_x, size_y = _pixel_size(page, 282), _pixel_size(page, 283)
    if size_x and size_y:
        warnings += (f"The pixel size, {size_x:g} × {size_y:g} µm, was taken from the TIFF resolution tags. Check that the microscope wrote them.",)
    return (
        ImageMetadata(
            pixel_size_x=Quantity(size_x, "µm") if size_x and size_y else None,
            pixel_size_y=Quantity(size_y, "µm") if size_x and size_y else None,
            original=original,
        ),
        warnings,
    )


def original_tags(page: Any) -> tuple[tuple[str, str], ...]:
    """The tags a person or program wrote about the image, as (name, value)."""
    pairs = []
    for code, name in _TEXT_TAGS.items():
        value = page.tags.valueof(code)
        if value is None or isinstance(value, bytes):
            continue
        if isinstance(value, tuple):
            value = f"{value[0]}/{value[1]}" if code in (282, 283) and len(value) == 2 else " ".join(map(str, value))
        elif isinstance(value, int):
            value = int(value)
        pairs.append((name, str(value)[:_LONGEST]))
    return tuple(pairs)


def resolution(page: Any, code: int) -> float | None:
    """Pixels per resolution unit, None where the tag is missing or senseless."""
    value = page.tags.valueof(code)
    if not isinstance(value, tuple) or len(value) != 2 or not all(isinstance(part, int) and part > 0 for part in value):
        return None
    return float(value[0] / value[1])


def _whole(value: Any) -> int | None:
    """A tag's number as an integer; None for what damaged tags hold instead."""
    return int(value) if isinstance(value, int) else None


def _pixel_size(page: Any, code: int) -> float | None:
    per_unit = resolution(page, code)
    if per_unit is None or _whole(page.tags.valueof(296)) != _CENTIMETRE:
        return None
    size = 10_000.0 / per_unit
    return size if _FINEST_UM <= size < _PRINT_UM else None
