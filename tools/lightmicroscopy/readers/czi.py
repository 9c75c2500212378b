"""Zeiss CZI: every scene with its metadata, its mosaic fused or as tiles, its pyramid, its labels and previews.

The container is read here and not through libCZI, whose Python binding gives neither the times and stage positions of planes
nor the tiles of a mosaic, and composes tiles in its own order.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np

from ..errors import SuiteError, UnreadableError
from ..image import Dataset, Image, ImageMetadata, Level, Location, MapAnnotation
from ..metadata.safe_xml import parse_xml
from .czi_blocks import NAMES, check_compression, is_lossy, time_stamps, unfold
from .czi_container import MAGIC, CziFile
from .czi_directory import joined
from .czi_planes import planes_of
from .czi_series import find_series, outermost
from .czi_source import CziSource, TileCache
from .tiff_plain import stem

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from lxml import etree

    from ..metadata.czi_mapping import CziMetadata, Exposure, SeriesPart
    from .czi_directory import Directory
    from .czi_series import Dimensions, Mosaic, Series

MOSAIC: Final = "lightmicroscopy/mosaic"
"""Namespace of the annotation that says how a mosaic was put together."""
_ATTACHED: Final = (("Label", "label image"), ("SlidePreview", "macro image"))
"""Images that lie in a CZI as attachments, themselves CZI, and what Bio-Formats calls them."""
_LOOKED_AT: Final = 16
_LARGEST_STAMPS: Final = 64 << 20
_SEVERAL: Final = 2
_SELDOM: Final = 10
_LISTED: Final = 8
_RULES: Final = {
    "as-stored": "later tiles of the file cover earlier ones, as in Bio-Formats",
    "fuse": "tiles of higher numbers cover those of lower ones, as in ZEN",
}


def sniff(path: Path, head: bytes) -> bool:
    """Whether this is a CZI."""
    return head.startswith(MAGIC) and not path.is_dir()


def open_dataset(location: Location) -> Dataset:
    """Open a CZI, or a set of them.

    Raises
    ------
    UnreadableError
        If it is damaged or truncated, files of its set are missing, or its pixels are of a kind that is not read.
    LimitError
        If it asks for more than is allowed.
    """
    files = _members(location)
    try:
        return _open(location, files)
    except BaseException:
        _close(files)
        raise


@dataclass
class _Opened:
    """What all series of a file share."""

    files: Sequence[CziFile]
    directory: Directory
    dimensions: Dimensions
    found: CziMetadata
    stamps: tuple[float, ...]
    mosaic: Mosaic
    several_scenes: bool
    warnings: list[str]

    @property
    def name(self) -> str:
        """Name of the first file."""
        return self.files[0].name


def _close(files: Sequence[CziFile]) -> None:
    for file in files:
        file.close()


def _members(location: Location) -> list[CziFile]:
    """All files of the set a file belongs to, the first part first. They name each other by an identifier, not by their names."""
    opened = CziFile(location.path)
    members = {opened.header.part: opened}
    try:
        for path in location.files:
            if path == location.path or not path.is_file() or not _begins_as_czi(path):
                continue
            other = CziFile(path)
            if other.header.primary == opened.header.primary and other.header.part not in members:
                members[other.header.part] = other
            else:
                other.close()
        if min(members) > 0:
            raise UnreadableError(
                f"{location.name} is part {opened.header.part} of a CZI of several files, and the first of them is not there. "
                "Give all files of the set together."
            )
    except BaseException:
        _close(list(members.values()))
        raise
    return [members[part] for part in sorted(members)]


def _begins_as_czi(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return file.read(len(MAGIC)) == MAGIC
    except OSError:
        return False


def _open(location: Location, files: list[CziFile]) -> Dataset:
    opened, series = _look(files, location.mosaic)
    labels, inner = _attached(files[0], opened.warnings)
    images, ome = _images(opened, series, stem(location.name))
    images += [replace(image, series=len(images) + number) for number, image in enumerate(labels)]
    from ..metadata.czi_plates import read_plates

    plates = read_plates(opened.found, [one.scene for one in series]) if location.mosaic != "tiles" else ()
    placed = sum(len(well.fields) for plate in plates for well in plate.wells)
    return Dataset(
        location,
        "Zeiss CZI",
        tuple(images),
        plates=plates,
        # A file of one well is an image that came from there, no plate of 96 wells.
        plate_layout=1 < placed == len(images),
        ome=ome,
        files=tuple(file.file.path for file in files),
        warnings=tuple(dict.fromkeys(opened.warnings)),
        close_files=lambda: _close([*files, *inner]),
    )


def _look(files: Sequence[CziFile], mosaic: Mosaic) -> tuple[_Opened, tuple[Series, ...]]:
    """Read directories and metadata of a file or set."""
    from ..metadata.czi_mapping import read_czi

    numbers = {file.header.part: number for number, file in enumerate(files)}
    directory = joined([file.directory(numbers) for file in files])
    for number, file in enumerate(files):
        here = directory.position[directory.file == number]
        if here.size:
            file.check_last(int(here.max()))
    directory = unfold(directory, files)
    dimensions, series = find_series(directory, mosaic, files[0].name)
    telling = outermost(directory, series)
    contradictions = _contradictions(files, directory, telling)
    for row in telling:
        files[int(directory.file[row])].contents(int(directory.position[row]), directory.row(row))
    for one in series:
        rows = one.levels[0].rows
        for code in np.unique(directory.compression[rows]).tolist():
            check_compression(code, one.kind, files[0].name)
    root, warnings = _root(files[0])
    warnings += contradictions
    several = len({one.scene for one in series}) > 1
    return _Opened(files, directory, dimensions, read_czi(root), _stamps(files[0]), mosaic, several, warnings), series


def _contradictions(files: Sequence[CziFile], directory: Directory, rows: Sequence[int]) -> list[str]:
    """See whether it is the way of this file that subblocks and directory say different things; then the directory is right.

    Damage does not do that to several. That the directory is right says Zeiss' "Resolution Protocol for Ambiguous or Contradictory
    Information" (libCZI).
    """
    wrong = sum(not files[int(directory.file[row])].agrees(int(directory.position[row]), directory.row(row)) for row in rows)
    if wrong < _SEVERAL or wrong * _SELDOM < len(rows):
        return []
    for file in files:
        file.directory_decides = True
    return [f"The subblocks of {files[0].name} and its directory say different things of where they belong; the directory was believed."]


def _root(file: CziFile) -> tuple[etree._Element | None, list[str]]:
    """The XML; broken XML costs its metadata, not the pixels, but a document type is refused."""
    xml = file.metadata_xml()
    if not xml.strip(b"\0 \r\n\t"):
        return None, []
    try:
        return parse_xml(xml, file.name), []
    except UnreadableError as error:
        if b"<!DOCTYPE" in xml or b"<!ENTITY" in xml:
            raise
        return None, [f"The metadata of {file.name} could not be read; its pixels are not affected. {error}"]


def _stamps(file: CziFile) -> tuple[float, ...]:
    place = file.attachments().get("TimeStamps")
    return time_stamps(file.read(place[0], place[1])) if place and place[1] <= _LARGEST_STAMPS else ()


def _images(opened: _Opened, series: Sequence[Series], title: str) -> tuple[list[Image], etree._Element]:
    from ..metadata.czi_drawings import read_drawings
    from ..metadata.czi_mapping import SeriesPart, describe

    names = _names(opened, series, title)
    parts = [
        SeriesPart(
            name=name,
            scene=one.scene,
            channels=one.channels,
            copies=opened.dimensions.illuminations,
            bytes_per_sample=np.dtype(one.kind.dtype).itemsize,
            rgb=one.kind.samples > 1,
            scale=one.scale,
        )
        for one, name in zip(series, names, strict=True)
    ]
    ome, described = describe(opened.found, parts)
    rois, lost = read_drawings(opened.found.root)
    opened.warnings += lost
    if rois and opened.mosaic == "tiles":
        opened.warnings.append(f"The {len(rois)} drawings of {opened.name} are about the whole and not about single tiles; they are left out.")
        rois = ()
    cache = TileCache()
    images = []
    for number, (one, part, (metadata, said)) in enumerate(zip(series, parts, described, strict=True)):
        images.append(_image(opened, one, part, number, replace(metadata, rois=rois), said, cache))
    return images, ome


def _names(opened: _Opened, series: Sequence[Series], title: str) -> list[str]:
    """What each series is called: by the file if it is alone and no well, else by its scene and what else tells it apart."""
    scenes = opened.found.scenes
    if len(series) == 1:
        scene = scenes.get(series[0].scene or 0)
        well = scene is not None and scene.element is not None and scene.element.find("{*}Shape") is not None
        return [(scene.name if scene is not None and well else None) or title]
    names = []
    varied = {at for at in ("scene", "block", "view", "kind", "scale") if len({getattr(one, at) for one in series}) > 1}
    for one in series:
        scene = scenes.get(one.scene or 0)
        words = [(scene.name if scene else None) or f"Scene #{(one.scene or 0) + 1}"] if "scene" in varied else []
        words += [f"{word} #{(getattr(one, at) or 0) + 1}" for at, word in (("block", "Block"), ("view", "View")) if at in varied]
        words += [one.kind.name] if "kind" in varied else []
        words += ["finer grid"] if "scale" in varied and one.scale < 1 else []
        words += [f"tile {one.tile}"] if one.tile is not None else []
        names.append(" ".join(words) or title)
    return names


def _image(
    opened: _Opened, series: Series, part: SeriesPart, number: int, metadata: ImageMetadata, said: Sequence[Exposure], cache: TileCache
) -> Image:
    planes, increment = planes_of(opened, series, said)
    full = series.levels[0]
    if full.shape.t < 2:
        increment = None
    elif metadata.time_increment_s is not None:
        increment = metadata.time_increment_s
    compression, lossy = _stored_as(opened, series)
    tiles = series.tiles()
    return Image(
        name=part.name,
        series=number,
        levels=tuple(_level(opened, series, at, cache) for at in range(len(series.levels))),
        axes=_axes(opened, series),
        kind="rgb" if series.kind.samples > 1 else "intensity",
        significant_bits=max((one.significant_bits or 0 for one in said), default=0) or None,
        metadata=replace(
            metadata,
            time_increment_s=increment,
            planes=planes,
            modulo=opened.dimensions.modulo(len(series.channels), opened.found.labels),
            tiles=tiles,
            annotations=(*metadata.annotations, *_mosaic(opened.mosaic, len(tiles))),
        ),
        compression=compression,
        lossy=lossy,
        warnings=tuple(_remarks(opened, series, part, bool(metadata.rois))),
    )


def _level(opened: _Opened, series: Series, at: int, cache: TileCache) -> Level:
    blocks, full = series.levels[at], series.levels[0].shape
    source = CziSource(opened.files, opened.directory, blocks, series.kind, cache)
    return Level(source, (1.0, full.y / blocks.shape.y, full.x / blocks.shape.x))


def _axes(opened: _Opened, series: Series) -> str:
    """Axes the file names, slowest first."""
    shape = series.levels[0].shape
    letters = "".join(letter for letter, size in zip("TCZ", shape, strict=False) if size > 1 or opened.directory.named[letter].any())
    return letters + ("YXS" if shape.s > 1 else "YX")


def _remarks(opened: _Opened, series: Series, part: SeriesPart, drawn: bool) -> Iterator[str]:
    shape = series.levels[0].shape
    if any(series.missing):
        of_channels = [f"{lost} of {shape.t * shape.z} of channel {c}" for c, lost in enumerate(series.missing) if lost]
        listed = "; ".join((*of_channels[:_LISTED], *(["…"] if len(of_channels) > _LISTED else [])))
        where = f" ({listed})" if len(set(series.missing)) > 1 else ""
        yield f"{sum(series.missing)} of {shape.planes} planes of {part.name} are not in the file; they are filled with 0{where}."
    for folded in opened.dimensions.modulo(len(series.channels), {}):
        count = round(folded.end / folded.step) + 1 if folded.end and folded.step else 1
        steps = getattr(shape, folded.along.lower())
        name = folded.description or folded.type
        yield (
            f"Its dimension '{name}' of {count} was folded into {folded.along} (of {steps} in all), as Bio-Formats does; "
            "a Modulo annotation records it."
        )
    if series.dropped:
        yield f"{len(series.dropped)} reduced copies of {part.name} in the file are incomplete; they were left out."
    if series.scale > 1:
        yield f"Of {part.name} only a copy reduced by {series.scale:g} is stored; the pixel size is that of the copy."
    if series.wandering:
        yield (
            f"Planes of {part.name} lie in different places of the document, as when the stage follows something; they are shown one on another. "
            "With --mosaic fuse each is put in its place."
        )
    if drawn and opened.several_scenes:
        yield f"Drawings are placed in the whole of {opened.name}, not in its scenes; every scene carries all of them as they are."


def _stored_as(opened: _Opened, series: Series) -> tuple[str | None, bool]:
    """Names of the compressions of the full level, and whether any of them may have changed values."""
    rows = series.levels[0].rows
    codes = opened.directory.compression[rows]
    names = [name for code in np.unique(codes).tolist() if (name := NAMES[code]) is not None]
    lossy = False
    for code in np.unique(codes).tolist():
        same = rows[codes == code]
        for row in same[:: max(1, len(same) // _LOOKED_AT)].tolist():
            file = opened.files[int(opened.directory.file[row])]
            place = file.contents(int(opened.directory.position[row]))
            lossy = lossy or is_lossy(code, file.read(place.data, min(place.data_size, 1 << 14)))
    return ", ".join(dict.fromkeys(names)) or None, lossy


def _mosaic(mosaic: Mosaic, tiles: int) -> tuple[MapAnnotation, ...]:
    """How tiles were put together, where there are several."""
    if mosaic == "tiles" or tiles < 2:
        return ()
    return (MapAnnotation(MOSAIC, (("tiles", str(tiles)), ("overlap", _RULES[mosaic]), ("unscanned area", "0"))),)


def _attached(file: CziFile, warnings: list[str]) -> tuple[list[Image], list[CziFile]]:
    """The images of a slide's label and overview, which are CZI files inside this one; a damaged one costs only itself."""
    images: list[Image] = []
    opened: list[CziFile] = []
    found = file.attachments()
    for name, title in _ATTACHED:
        if name not in found or file.read(found[name][0], len(MAGIC)) != MAGIC:
            continue
        inner = file.inner(*found[name])
        opened.append(inner)
        try:
            part, series = _look([inner], "as-stored")
            shown, _ = _images(part, series[:1], title)
        except SuiteError as error:
            warnings.append(f"The {title} in {file.name} could not be read and is left out: {error}")
            continue
        images.append(replace(shown[0], name=title))
    return images, opened
