"""OME-TIFF: finding the plane of every (t, c, z) through TiffData, in one file or a set."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ..errors import UnreadableError
from ..image import Channel, Dataset, Image, Location
from .tiff_ome_set import TiffSet
from .tiff_pages import PageBook, level, pyramid
from .tiff_plain import make_image, stem
from .tiff_source import PlaneRef

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..metadata.ome_read import BinaryOnly, OmeDocument, OmeImage, TiffDataBlock
    from .tiff_layout import Layout
    from .tiff_structure import Ifd

    Stored = tuple[PageBook, int]
    """A file and the number of one of its directories."""

_MAX_PLANES = 2_000_000
_MANY_MISSING = 10_000
_ORDER = "XYZCT"
_PIXEL_TYPES = {
    "bit": "uint8",
    "float": "float32",
    "double": "float64",
    "complex": "complex64",
    "double-complex": "complex128",
}


class OmeMismatchError(UnreadableError):
    """The OME-XML says something that the TIFF beside it cannot be."""


def open_tiff(location: Location, book: PageBook, xml: bytes) -> Dataset:
    """Open a TIFF whose description is OME-XML.

    Raises
    ------
    OmeMismatchError
        If the description cannot be about these pixels: they can still be read as plain TIFF.
    UnreadableError
        If members of its set are missing.
    """
    document = _document(xml, location.name)
    tiffs = TiffSet(location, book)
    try:
        if document.binary_only is not None:
            return _open_through_master(location, tiffs, document.binary_only)
        if not document.images:
            raise OmeMismatchError("it describes no image")
        return _dataset(location, tiffs, document, xml)
    except BaseException:
        # The caller may still read it as a plain TIFF.
        tiffs.close(but=book)
        raise


def _with_pixels(document: OmeDocument) -> tuple[OmeDocument, tuple[str, ...]]:
    """The document without its images that have no Pixels, plates pointing to those that remain, and what was left out.

    Raises
    ------
    OmeMismatchError
        If no image has any.
    """
    from ..metadata.ome_plates import renumbered
    from ..metadata.ome_xml import first_child

    kept = [index for index, image in enumerate(document.images) if first_child(image.metadata.element, "Pixels") is not None]
    if len(kept) == len(document.images):
        return document, ()
    if not kept:
        raise OmeMismatchError("none of its images has Pixels")
    position = {old: new for new, old in enumerate(kept)}
    left = [image.name or image.id or f"series {index}" for index, image in enumerate(document.images) if index not in position]
    warning = f"{len(left)} of {len(document.images)} images in the OME-XML have no Pixels and were left out: {', '.join(left[:5])}."
    return replace(document, images=tuple(document.images[index] for index in kept), plates=renumbered(document.plates, position)), (warning,)


def open_companion(location: Location, xml: bytes) -> Dataset:
    """Open a companion file: OME-XML whose pixels are in the TIFFs it names.

    Raises
    ------
    UnreadableError
        If it describes no image, its TIFFs are missing, or they are not as it says.
    """
    from ..metadata.ome_read import read_ome

    document = read_ome(xml, location.name)
    if not document.images:
        raise UnreadableError(f"{location.name} is OME-XML that describes no image. Give the image files themselves.")
    if all(image.bin_data for image in document.images):
        raise UnreadableError(f"{location.name} holds its pixels as text (BinData), which is not read. Save it as OME-TIFF.")
    tiffs = TiffSet(location, None)
    try:
        return _dataset(location, tiffs, document, xml)
    except OmeMismatchError as error:
        tiffs.close()
        raise UnreadableError(f"{location.name} does not fit its TIFF files: {error}. Check that they belong together.") from error
    except BaseException:
        tiffs.close()
        raise


def _document(xml: bytes, source: str) -> OmeDocument:
    from ..metadata.ome_read import read_ome

    try:
        return read_ome(xml, source)
    except UnreadableError as error:
        if b"<!DOCTYPE" in xml or b"<!ENTITY" in xml:
            raise
        raise OmeMismatchError(str(error).rstrip(".")) from error


def _open_through_master(location: Location, tiffs: TiffSet, only: BinaryOnly) -> Dataset:
    """Open the set a member belongs to, from the file that describes it."""
    path = tiffs.find(only.metadata_file, only.uuid)
    if path is None:
        raise UnreadableError(
            f"{location.name} is one file of a set described by {only.metadata_file!r}, which is not there. Give all files of the set together."
        )
    if path == location.path:
        raise UnreadableError(
            f"{location.name} says that its description is in a companion file and names itself. Ask for the files of the set again."
        )
    xml = tiffs.description(path)
    if xml is None:
        raise UnreadableError(f"{path.name}, which should describe the set of {location.name}, is too large or holds no OME-XML. Ask for it again.")
    master = _document(xml, path.name)
    if not master.images:
        raise UnreadableError(f"{path.name}, which should describe the set of {location.name}, describes no image. Ask for it again.")
    tiffs.take_master(path, master.uuid)
    return _dataset(location, tiffs, master, xml)


def _dataset(location: Location, tiffs: TiffSet, document: OmeDocument, xml: bytes) -> Dataset:
    tiffs.own_uuid = document.uuid
    document, left_out = _with_pixels(document)
    tiffs.expect({(block.file_name, block.uuid) for image in document.images for block in image.tiff_data})
    sequential = 0
    images, warnings = [], []
    try:
        for number, ome in enumerate(document.images):
            image, planes = _image(tiffs, document, ome, number, sequential)
            images.append(image)
            sequential += planes
        warnings += [*left_out, *tiffs.warnings]
    finally:
        tiffs.settle()
    return Dataset(
        location,
        "OME-TIFF",
        tuple(images),
        plates=document.plates,
        ome=document.root,
        ome_source=xml,
        files=tiffs.used(),
        warnings=tuple(warnings),
        close_files=tiffs.close,
    )


def _image(tiffs: TiffSet, document: OmeDocument, ome: OmeImage, number: int, sequential: int) -> tuple[Image, int]:
    """One series and its number of planes; `sequential` planes belong to the series before it."""
    title = ome.name or f"series {number}"
    layout = _first_layout(tiffs, ome, title)
    warnings: list[str] = []
    if sorted(ome.dimension_order) != sorted(_ORDER) or ome.dimension_order[:2] != _ORDER[:2]:
        warnings.append(f"{title} states the order of its planes as {ome.dimension_order!r}, which is none; it was taken as {_ORDER}.")
        ome = replace(ome, dimension_order=_ORDER)
    channels, samples, by_sample = _channels(ome, layout, title, warnings)
    sizes = {"T": ome.size_t, "C": 1 if by_sample else channels, "Z": ome.size_z}
    total = sizes["T"] * sizes["C"] * sizes["Z"]
    if min(sizes.values()) < 1 or total > _MAX_PLANES:
        raise OmeMismatchError(f"{title} is declared with {ome.size_t} time points, {ome.size_c} channels and {ome.size_z} slices")
    stored = _stored_planes(tiffs, document, ome, sizes, sequential, title, warnings)
    ifds = [None if place is None else place[0].ifds[place[1]] for place in stored]
    refs = _refs(stored, ifds, channels if by_sample else 1)
    t, c, z = sizes["T"], channels, sizes["Z"]
    full = level(refs if not by_sample else _samples_to_channels(refs, t, z, channels), (t, c, z), samples, layout.nodata)
    smaller = [] if by_sample else _smaller(stored, ifds)
    levels, remarks = pyramid(full, smaller)
    warnings += remarks
    missing = sum(place is None for place in stored)
    if missing > _MANY_MISSING and missing > 0.9 * total:
        raise OmeMismatchError(f"{title} is declared with {total:,} planes, of which {total - missing:,} are stored")
    if missing:
        warnings.append(f"{missing} of {total} planes of {title} are not in the file; they are filled with {layout.nodata:g}.")
    _compare(ome, layout, title, warnings)
    axes = ome.dimension_order[::-1] + ("S" if samples > 1 else "")
    metadata = replace(ome.metadata, channels=_one_per(ome.metadata.channels, c))
    image = make_image(ome.name or stem(tiffs.name), number, levels, axes, layout, metadata, tuple(warnings))
    if samples in (3, 4) and image.kind == "intensity" and layout.dtype.name in ("uint8", "uint16"):
        image = replace(image, kind="rgb")
    if ome.white_is_zero:
        image = replace(image, white_is_zero=True)
    if ome.kind is not None:
        # This suite's own word, without which the next pyramid would average labels or indices.
        image = replace(image, kind=ome.kind)
    bits = ome.significant_bits
    if bits and 0 < bits <= layout.dtype.itemsize * 8:
        image = replace(image, significant_bits=bits)
    return image, total


def _one_per(channels: tuple[Channel, ...], count: int) -> tuple[Channel, ...]:
    return (channels + (Channel(),) * (count - len(channels)))[:count] if channels else ()


def _first_layout(tiffs: TiffSet, ome: OmeImage, title: str) -> Layout:
    for block in ome.tiff_data or (None,):
        book = tiffs.book(block.file_name if block else None, block.uuid if block else None)
        number = (block.ifd or 0) if block else 0
        if 0 <= number < len(book.ifds):
            return book.page(book.ifds[number]).layout
    if len(tiffs.books()) == 1 and tiffs.books()[0].ifds:
        book = tiffs.books()[0]
        return book.page(book.ifds[0]).layout
    raise OmeMismatchError(f"{title} has no page in the file")


def _channels(ome: OmeImage, layout: Layout, title: str, warnings: list[str]) -> tuple[int, int, bool]:
    """Channels, samples of each, and whether the channels are the samples of one page."""
    declared = ome.samples_per_pixel
    if len(set(declared)) > 1:
        raise UnreadableError(
            f"The channels of {title} have different numbers of samples ({', '.join(map(str, declared))}), as where a colour image and a "
            "fluorescence image share one series; this is not read. Save them as separate series."
        )
    if layout.samples == 1:
        if declared and declared[0] > 1:
            warnings.append(f"{title} is declared with {declared[0]} samples per pixel, but its pages hold one; each page was taken as a channel.")
        return max(ome.size_c, 1), 1, False
    if declared and declared[0] == 1 and layout.kind != "rgb" and ome.size_c == layout.samples:
        return layout.samples, 1, True
    if ome.size_c % layout.samples:
        warnings.append(f"{title} is declared with {ome.size_c} channels, but its pages hold {layout.samples} samples; the pages were believed.")
        return max(len(declared), 1), layout.samples, False
    return max(ome.size_c // layout.samples, 1), layout.samples, False


def _stored_planes(
    tiffs: TiffSet, document: OmeDocument, ome: OmeImage, sizes: dict[str, int], sequential: int, title: str, warnings: list[str]
) -> list[Stored | None]:
    """Which directory holds each plane, in T C Z order."""
    order = ome.dimension_order[2:]
    total = sizes["T"] * sizes["C"] * sizes["Z"]
    places: list[Stored | None] = _follow(tiffs, ome.tiff_data, order, sizes) if ome.tiff_data else [None] * total
    beyond = [place for place in places if place is not None and not 0 <= place[1] < len(place[0].ifds)]
    if beyond or all(place is None for place in places):
        books = tiffs.books()
        planned = sum(image.size_t * image.size_z * max(1, image.size_c // max(image.samples_per_pixel or (1,))) for image in document.images)
        if len(books) != 1 or len(books[0].ifds) != planned:
            where = f"page {beyond[0][1]} of {beyond[0][0].name}, which has {len(beyond[0][0].ifds)} pages" if beyond else "no page at all"
            raise UnreadableError(
                f"The OME-XML of {tiffs.name} says that {title} has {total} planes and looks for them in {where}. "
                "The file is truncated or its metadata are wrong; ask for it again."
            )
        warnings.append(f"The list of planes (TiffData) of {title} does not fit the file; its pages were taken one after the other.")
        places = [(books[0], sequential + number) for number in range(total)]
    return _to_tcz(places, order, sizes)


def _follow(tiffs: TiffSet, blocks: Sequence[TiffDataBlock], order: str, sizes: dict[str, int]) -> list[Stored | None]:
    """Planes in the order of the file's DimensionOrder, as the TiffData blocks place them.

    The OME-TIFF specification gives the defaults: IFD 0, First* 0, and PlaneCount 1 where IFD is given, else all. As
    Bio-Formats does, a block without PlaneCount also claims the planes after it that no other block places.
    """
    total = sizes["T"] * sizes["C"] * sizes["Z"]
    places: list[Stored | None] = [None] * total
    open_ended: set[int] = set()
    shift = _one_based(blocks, sizes)
    if sum(min(block.plane_count or 1, total) for block in blocks) > 4 * total + len(blocks):
        raise OmeMismatchError("its TiffData blocks place the same planes again and again")
    for block in blocks:
        book = tiffs.book(block.file_name, block.uuid)
        first = {"T": block.first_t or 0, "C": block.first_c or 0, "Z": block.first_z or 0}
        index, stride = 0, 1
        for axis in order:
            index += (first[axis] - shift[axis]) * stride
            stride *= sizes[axis]
        if not 0 <= index < total:
            raise OmeMismatchError(f"a TiffData block starts at plane {first}, outside the image")
        ifd = block.ifd or 0
        count = block.plane_count
        known = 1 if count is None else count
        for step in range(min(known, total - index)):
            places[index + step] = (book, ifd + step)
        if count is None:
            open_ended.add(index)
    return _fill_down(places, open_ended)


def _fill_down(places: list[Stored | None], open_ended: set[int]) -> list[Stored | None]:
    """Give planes that no block places the directories after those of an open-ended block, unless other planes have them."""
    taken = {(id(place[0]), place[1]) for place in places if place is not None}
    filled: list[Stored | None] = []
    following: Stored | None = None
    for index, place in enumerate(places):
        chosen = place
        if place is None and following is not None and following[1] < len(following[0].ifds) and (id(following[0]), following[1]) not in taken:
            chosen = following
        filled.append(chosen)
        ends = chosen is None or (place is not None and index not in open_ended)
        following = None if chosen is None or ends else (chosen[0], chosen[1] + 1)
    return filled


def _one_based(blocks: Sequence[TiffDataBlock], sizes: dict[str, int]) -> dict[str, int]:
    """1 for axes along which a writer counted from 1: its largest index would otherwise lie outside the image."""
    shift = {}
    for axis, values in (
        ("T", [block.first_t or 0 for block in blocks]),
        ("C", [block.first_c or 0 for block in blocks]),
        ("Z", [block.first_z or 0 for block in blocks]),
    ):
        shift[axis] = 1 if values and min(values) == 1 and max(values) == sizes[axis] else 0
    return shift


def _to_tcz(places: list[Stored | None], order: str, sizes: dict[str, int]) -> list[Stored | None]:
    strides, stride = {}, 1
    for axis in order:
        strides[axis] = stride
        stride *= sizes[axis]
    return [
        places[t * strides["T"] + c * strides["C"] + z * strides["Z"]]
        for t in range(sizes["T"])
        for c in range(sizes["C"])
        for z in range(sizes["Z"])
    ]


def _refs(stored: list[Stored | None], ifds: list[Ifd | None], samples: int) -> list[PlaneRef | None]:
    refs: list[PlaneRef | None] = []
    for place, ifd in zip(stored, ifds, strict=True):
        refs.append(None if place is None or ifd is None else PlaneRef(place[0].file, place[0].page(ifd)))
    if samples > 1 and any(ref is not None and ref.page.layout.samples < samples for ref in refs):
        raise OmeMismatchError("its pages hold fewer samples than it has channels")
    return refs


def _samples_to_channels(refs: list[PlaneRef | None], size_t: int, size_z: int, channels: int) -> list[PlaneRef | None]:
    found: list[PlaneRef | None] = []
    for t in range(size_t):
        for c in range(channels):
            for z in range(size_z):
                ref = refs[t * size_z + z]
                found.append(None if ref is None else PlaneRef(ref.file, ref.page, c))
    return found


def _smaller(stored: list[Stored | None], ifds: list[Ifd | None]) -> list[list[PlaneRef | None]]:
    """Planes of each smaller level, from the SubIFDs that all planes have."""
    count = min((len(ifd.subifds) for ifd in ifds if ifd is not None), default=0)
    columns: list[list[PlaneRef | None]] = [[] for _ in range(count)]
    for place, ifd in zip(stored, ifds, strict=True):
        subs = place[0].sub(ifd)[:count] if place is not None and ifd is not None else [None] * count
        for column, sub in zip(columns, subs, strict=True):
            column.append(None if sub is None or place is None else PlaneRef(place[0].file, place[0].page(sub)))
    return columns


def _compare(ome: OmeImage, layout: Layout, title: str, warnings: list[str]) -> None:
    if (ome.size_x, ome.size_y) != (layout.width, layout.height):
        warnings.append(
            f"{title} is declared with {ome.size_x} × {ome.size_y} pixels, but its pages have {layout.width} × {layout.height}; "
            "the pages were believed."
        )
    declared = _PIXEL_TYPES.get(ome.pixel_type, ome.pixel_type)
    if declared != layout.dtype.name:
        warnings.append(f"{title} is declared as {ome.pixel_type}, but its pages are {layout.dtype.name}; the pages were believed.")
    elif layout.significant_bits == 1 and ome.pixel_type != "bit":
        warnings.append(f"{title} is declared as {ome.pixel_type}, but its pages have one bit per pixel; the pages were believed.")
