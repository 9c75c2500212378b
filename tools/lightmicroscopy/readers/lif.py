"""Leica LIF and LOF, and the projects XLEF, XLCF and XLIF that keep their pixels in files of their own.

Every image is a series, in the order of the file, and so is every position of a tile scan. liffile, the library for this
format, shares one file position among threads, follows paths out of a project's XML and takes one image for another where two
of a folder have the same name; it is used in tests.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from ..errors import LimitError, UnreadableError
from ..image import Dataset, Image, Level, Location
from ..metadata.lif_mapping import ImageDescription
from ..metadata.lif_xml import integer
from .files import RandomFile
from .lif_layout import Layout, read_layout
from .lif_mosaic import MosaicSource, place_tiles
from .lif_project import Project
from .lif_source import BlockMemory, LifSource, Memory
from .lif_structure import Block, Structure, looks_like, read_structure
from .tiff_plain import stem

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from lxml import etree

    from ..image import PixelSource, TilePosition

Mosaic = Literal["as-stored", "fuse", "tiles"]
_MOST_SERIES = 100_000


def sniff(path: Path, head: bytes) -> bool:
    """Whether this is a file of Leica's."""
    return not path.is_dir() and looks_like(head) is not None


def open_dataset(location: Location) -> Dataset:
    """Open a LIF, LOF, XLEF, XLCF or XLIF.

    Raises
    ------
    UnreadableError
        If it is damaged, holds no image, or files of its project are missing.
    LimitError
        If it asks for more than is allowed.
    """
    file = RandomFile(location.path)
    try:
        structure = read_structure(file)
        if structure.kind == "XML":
            file.close()
            return _open_project(location, structure)
        found = [_located(element, file, structure) for element in image_elements(structure.root)]
        images, warnings = _series([each for each in found if each is not None], location.mosaic)
        if not images:
            raise _no_images(location, (*structure.warnings, *warnings))
    except BaseException:
        file.close()
        raise
    empty = sum(each is None for each in found)
    if empty:
        warnings += (f"{empty} of the images named in {location.name} have no pixels in it and were left out.",)
    photons = sum(each.get("IsImage") == "true" for each in structure.root.iter("SingleMoleculeDetection"))
    if photons:
        warnings += (
            f"{location.name} has {photons} recordings of single photons (FLIM), in a form that is not published; only images made of them are read.",
        )
    name = f"Leica {structure.kind}"
    return Dataset(location, name, images, files=(location.path,), warnings=(*structure.warnings, *warnings), close_files=file.close)


def _open_project(location: Location, structure: Structure) -> Dataset:
    project = Project(location)
    try:
        found = [StoredImage(image_name(element, location.name), element, memory, size) for element, memory, size in project.images(structure)]
        images, warnings = _series(found, location.mosaic)
        if not images:
            raise _no_images(location, (*project.warnings, *warnings))
    except BaseException:
        project.close()
        raise
    return Dataset(location, project.format, images, files=project.used(), warnings=(*project.warnings, *warnings), close_files=project.close)


@dataclass(frozen=True, slots=True)
class StoredImage:
    """One image: its name and element, the memory that holds its pixels, and how many bytes that has."""

    name: str
    element: etree._Element
    memory: Memory
    size: int
    note: str | None = None
    """What is wrong with the memory."""


def image_elements(root: etree._Element) -> list[etree._Element]:
    """The ``Image`` elements that are images of the file, not copies in histories or settings."""
    found = []
    for image in root.iter("Image"):
        data = image.getparent()
        holder = data.getparent() if data is not None else None
        if holder is None or data is None or data.tag != "Data" or holder.tag != "Element" or image.find("ImageDescription") is None:
            continue
        if next(image.iterancestors("ProcessingHistory", "Attachment", "Image"), None) is None:
            found.append(image)
    return found


def image_name(image: etree._Element, file_name: str) -> str:
    """Names of its folders and its own, without that of the file, joined as Bio-Formats joins them."""
    names = [each.get("Name", "") for each in image.iterancestors("Element")][::-1]
    return "/".join(names[1:]).strip() or (names[0].strip() if names else "") or stem(file_name)


def _located(image: etree._Element, file: RandomFile, structure: Structure) -> StoredImage | None:
    """Find the memory of an image; None if it has none."""
    holder = image.getparent().getparent()  # type: ignore[union-attr]
    memory = None if holder is None else holder.find("Memory")
    declared = (integer(memory.get("Size")) if memory is not None else None) or 0
    block = structure.only_block if structure.kind == "LOF" else structure.blocks.get(memory.get("MemoryBlockID", "") if memory is not None else "")
    name, note = image_name(image, file.name), None
    if block is None:
        if not declared:
            return None
        block, note = Block(file.size, 0), f"The pixels of {name} are missing: {file.name} is cut off or damaged before them."
    elif not block.size:
        return None
    elif block.offset + block.size > file.size:
        note = f"{file.name} is cut off: a part of the pixels of {name} is missing."
    elif declared != block.size and structure.kind == "LIF":
        note = f"Its header says that {declared:,} bytes are stored for it, but its memory has {block.size:,}."
    return StoredImage(name, image, BlockMemory(file, block, name), block.size or declared, note)


def _series(found: Sequence[StoredImage], mosaic: Mosaic) -> tuple[tuple[Image, ...], tuple[str, ...]]:
    """Make a series of each image, or of each tile; those whose header makes no sense are left out, and said so."""
    images: list[Image] = []
    warnings: list[str] = []
    for stored in found:
        try:
            images += _images(stored, len(images), mosaic)
        except UnreadableError as error:
            warnings.append(f"One of its images was left out. {error}")
        if len(images) > _MOST_SERIES:
            raise LimitError(f"The file has more than {_MOST_SERIES:,} series. Split it with the microscope's software.")
    return tuple(images), tuple(warnings)


def _images(stored: StoredImage, number: int, mosaic: Mosaic) -> list[Image]:
    description = stored.element.find("ImageDescription")
    if description is None:
        raise UnreadableError(f"{stored.name} has no ImageDescription. Copy or upload the file again.")
    layout = read_layout(description, stored.name, stored.size, pictures=stored.memory.frame > 0)
    said = ImageDescription(stored.element, layout)
    warnings = said.warnings + layout.doubts(stored.size) + ((stored.note,) if stored.note else ())
    if layout.tile_count > _MOST_SERIES:
        raise LimitError(f"{stored.name} has more than {_MOST_SERIES:,} tiles. Split it with the microscope's software.")
    sources = [LifSource(stored.memory, layout, tile) for tile in range(layout.tile_count)]
    if mosaic == "fuse" and len(sources) > 1:
        tiles = place_tiles(said.fields, said.pixel_m, layout.shape, stored.name) if len(said.fields) == len(sources) else None
        if tiles is not None:
            return [_fused(stored.name, number, layout, said, sources, tiles, warnings)]
        warnings += ("The file does not say where its tiles lie, so they were not fused.",)
    return [
        _image(stored.name, number + tile, layout, said, tile, source, warnings, lossy=stored.memory.lossy) for tile, source in enumerate(sources)
    ]


def _image(
    name: str,
    number: int,
    layout: Layout,
    said: ImageDescription,
    tile: int,
    source: PixelSource,
    warnings: tuple[str, ...],
    *,
    lossy: bool = False,
) -> Image:
    return Image(
        name=name,
        series=number,
        levels=(Level(source),),
        axes=layout.axes,
        kind="rgb" if layout.shape.s > 1 else "intensity",
        significant_bits=layout.significant_bits,
        metadata=said.of_tile(tile),
        lossy=lossy,
        warnings=warnings,
    )


def _fused(
    name: str,
    number: int,
    layout: Layout,
    said: ImageDescription,
    sources: Sequence[PixelSource],
    tiles: tuple[TilePosition, ...],
    warnings: tuple[str, ...],
) -> Image:
    first = _image(name, number, layout, said, 0, MosaicSource(sources, tiles), warnings)
    metadata = replace(said.of_whole(), tiles=tiles)
    return replace(first, metadata=metadata, fill_value=0)


def _no_images(location: Location, warnings: Sequence[str]) -> UnreadableError:
    why = f" ({' '.join(warnings)})" if warnings else ""
    return UnreadableError(
        f"{location.name} holds no image that can be read{why}. Check in the microscope's software that it was saved with its images."
    )
