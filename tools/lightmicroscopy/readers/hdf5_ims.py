"""Imaris IMS: a pyramid of stacks, one dataset for each resolution level, time point and channel, padded to whole chunks."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from ..errors import LimitError, UnreadableError
from ..image import Dataset, Image, Level, Location
from ..metadata.ims_mapping import image_name, ims_metadata
from ..names import without_extension
from .hdf5_array import HdfArray
from .hdf5_file import HdfFile, Node, printable
from .hdf5_pixels import HdfPixels

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_IMAGES: Final = 1000
_STACKS: Final = 200_000
_ENTRIES: Final = 20_000
"""Original metadata kept, in entries."""
_LEVEL: Final = re.compile(r"ResolutionLevel (\d{1,6})")
_TIME: Final = re.compile(r"TimePoint (\d{1,6})")
_CHANNEL: Final = re.compile(r"Channel (\d{1,6})")
_ESCAPES: Final = (("%s", "/"), ("%p", "%"))
_SCENES: Final = ("Scene", "Scene8")

Stack = tuple[int, int]
"""Time point and channel."""


def is_ims(file: HdfFile) -> bool:
    """Whether it is laid out as Imaris 5.5 does it."""
    return "ImarisDataSet" in file.nodes["/"].attributes or _top(file) is not None


def _top(file: HdfFile) -> Node | None:
    """The group that has the images in it.

    That is the topmost. Imaris 10.1 and later keep them in groups of a workflow, and link to the one that is shown from the top.
    """
    linked = ("/" + file.links.get("/DataSet", "").strip("/")).rpartition("/")[0] or "/"
    for path in ("/", linked, "/Workflows/InitialImages"):
        place = f"{path.rstrip('/')}/DataSet"
        if place in file.nodes and file.child(place, "ResolutionLevel 0"):
            return file.nodes.get(path)
    return file.nodes["/"] if file.at("/DataSet/ResolutionLevel 0") else None


def open_ims(location: Location, file: HdfFile) -> Dataset:
    """Open an Imaris file.

    Raises
    ------
    UnreadableError
        If it holds no stack, stacks do not belong together, or lie outside the file.
    """
    images = []
    root = _top(file) or file.nodes["/"]
    said = root if root.string("ImarisVersion") else file.nodes["/"]
    for number in range(_IMAGES):
        suffix = str(number) if number else ""
        group = file.child(root.path, (said.string("DataSetDirectoryName") or "DataSet") + suffix)
        if group is None:
            break
        if group.closed:
            raise file.refused(group)
        info = file.child(root.path, (said.string("DataSetInfoDirectoryName") or "DataSetInfo") + suffix)
        images.append(_image(location, file, group, info, number))
    if not images:
        raise UnreadableError(f"{file.name} says it is an Imaris file but holds no image. Ask for it again.")
    version = said.string("ImarisVersion")
    return Dataset(
        location=location,
        format=f"Imaris IMS {version}" if version else "Imaris IMS",
        images=tuple(images),
        files=(location.path,),
        warnings=(*_scene(file), *file.damages()),
        close_files=file.close,
    )


def _image(location: Location, file: HdfFile, group: Node, info: Node | None, number: int) -> Image:
    sections = _sections(file, info)
    warnings: list[str] = []
    levels = _levels(file, group, sections, warnings)
    first = levels[0].pixels
    original = tuple((f"{section} {key}", value) for section, facts in sections.items() for key, value in facts.items())[:_ENTRIES]
    metadata, remarks = ims_metadata(sections, first.shape, original)
    stem = without_extension(location.name)
    return Image(
        name=image_name(sections) or (f"{stem} {number}" if number else stem),
        series=number,
        levels=levels,
        axes="TCZYX",
        metadata=metadata,
        compression=first.first.pipeline.name if isinstance(first, HdfPixels) else None,
        path=group.path,
        warnings=(*remarks, *warnings),
    )


def _sections(file: HdfFile, info: Node | None) -> dict[str, dict[str, str]]:
    """DataSetInfo as text. What is too long for an attribute, Imaris stores as a dataset of that name."""
    found: dict[str, dict[str, str]] = {}
    for name, section in file.children(info.path) if info else ():
        facts = {printable(key): text for key, value in section.attributes.items() if (text := _plain(value)) is not None}
        for key, entry in file.children(section.path):
            if entry.text is not None:
                facts[_decoded(key)] = printable(entry.text)
        found[_decoded(name)] = facts
    return found


def _decoded(name: str) -> str:
    name = printable(name)
    for coded, plain in _ESCAPES:
        name = name.replace(coded, plain)
    return name


def _plain(value: Any) -> str | None:
    if isinstance(value, str):
        return printable(value)
    if isinstance(value, list):
        return " ".join(str(item) for item in value) if all(isinstance(item, (int, float, str)) for item in value) else None
    return str(value)


def _levels(file: HdfFile, group: Node, sections: Mapping[str, Mapping[str, str]], warnings: list[str]) -> tuple[Level, ...]:
    levels: list[Level] = []
    for number, node in file.numbered(group.path, _LEVEL):
        if number != len(levels):
            break
        try:
            pixels = _pixels(file, node, sections, levels, warnings)
        except (UnreadableError, LimitError):
            # The smaller levels are a convenience, which a file may do without.
            if not levels:
                raise
            pixels = "cannot be read"
        if isinstance(pixels, str):
            if not levels:
                raise UnreadableError(f"{file.name}: {group.name}/ResolutionLevel 0 {pixels}. The file is damaged or incomplete; ask for it again.")
            warnings.append(f"Its ResolutionLevel {number} {pixels}; it and those after it are left out.")
            break
        whole = levels[0].pixels.shape if levels else pixels.shape
        factor = tuple(full / own for full, own in zip(whole[2:5], pixels.shape[2:5], strict=True))
        levels.append(Level(pixels, factor))  # type: ignore[arg-type]
    if not levels:
        raise UnreadableError(f"{file.name} is laid out as an Imaris file but has no {group.name}/ResolutionLevel 0. Ask for it again.")
    return tuple(levels)


def _pixels(file: HdfFile, level: Node, sections: Mapping[str, Mapping[str, str]], before: Sequence[Level], warnings: list[str]) -> HdfPixels | str:
    """Pixels of one level, or what is wrong with it."""
    stacks, sizes = _stacks(file, level)
    if not stacks:
        return "holds no stack of pixels"
    arrays = list(stacks.values())
    if len({(array.shape, array.dtype) for array in arrays}) > 1 or len(set(sizes.values())) > 1:
        return "holds stacks of several sizes or types"
    stored = (arrays[0].shape[0], arrays[0].shape[1], arrays[0].shape[2])
    stated = next(iter(sizes.values())) or (None if before else _extent(sections.get("Image", {}), ""))
    t_count, c_count = (max(stack[axis] for stack in stacks) + 1 for axis in (0, 1))
    missing = t_count * c_count - len(stacks)
    if t_count * c_count > _STACKS:
        return f"has time points and channels numbered up to {t_count:,} and {c_count:,}"
    if before:
        fault = _fault(stated, stored, (t_count, c_count), arrays[0], before)
        if fault:
            return fault
    elif stated and any(own > full for own, full in zip(stated, stored, strict=True)):
        warnings.append(f"It says that its size is {_shown(stated)} (Z Y X), which is more than is stored: {_shown(stored)}. The latter is taken.")
        stated = None
    told = sections.get("TimeInfo", {}).get("FileTimePoints", "").strip()
    if not before and re.fullmatch(r"\d{1,9}", told) and int(told) != t_count:
        warnings.append(f"It says that it has {int(told):,} time points, and {t_count:,} are in the file.")
    if missing and not before:
        warnings.append(
            f"Of its {t_count:,} time points of {c_count} channels, {missing:,} stacks are not in the file; their pixels are {arrays[0].fill}."
        )
    grid = [[stacks.get((t, c)) for c in range(c_count)] for t in range(t_count)]
    return HdfPixels(grid, "zyx", stated or stored)


def _fault(
    stated: tuple[int, int, int] | None, stored: tuple[int, int, int], counts: tuple[int, int], array: HdfArray, before: Sequence[Level]
) -> str | None:
    """What is wrong with a level that is not the first."""
    if stated is None:
        return "does not say its size without padding"
    if any(own > full for own, full in zip(stated, stored, strict=True)):
        return "says it is larger than it is stored"
    if before[0].pixels.shape[:2] != counts or before[0].pixels.dtype != array.dtype:
        return "has other time points, channels or types than the largest"
    if any(own > last for own, last in zip(stated, before[-1].pixels.shape[2:5], strict=True)):
        return "is larger than the level before it"
    return None


def _stacks(file: HdfFile, level: Node) -> tuple[dict[Stack, HdfArray], dict[Stack, tuple[int, int, int] | None]]:
    if level.closed:
        raise file.refused(level)
    stacks: dict[Stack, HdfArray] = {}
    sizes: dict[Stack, tuple[int, int, int] | None] = {}
    # Through links, one stack may be there many times.
    arrays: dict[str, HdfArray] = {}
    looked_at = 0
    for t, time in file.numbered(level.path, _TIME):
        if time.closed:
            raise file.refused(time)
        for c, channel in file.numbered(time.path, _CHANNEL):
            looked_at += 1
            if looked_at > _STACKS:
                raise LimitError(f"{file.name} has more than {_STACKS:,} stacks in {level.name}. Check where it comes from, or split it.")
            data = channel if channel.closed else file.child(channel.path, "Data")
            if data is None:
                continue
            if data.path not in arrays:
                arrays[data.path] = _array(file, data)
            stacks[t, c] = arrays[data.path]
            sizes[t, c] = _extent({key: text for key, value in channel.attributes.items() if (text := _plain(value)) is not None}, "ImageSize")
    return stacks, sizes


def _array(file: HdfFile, data: Node) -> HdfArray:
    if data.closed:
        raise file.refused(data)
    if data.dtype is None or len(data.shape) != 3 or not all(data.shape):
        raise UnreadableError(f"{file.name}: {data.name} is not a stack of numbers along z, y and x. The file is damaged; ask for it again.")
    array = HdfArray(file, data)
    if unknown := array.pipeline.unknown:
        raise file.unknown_filter(data, unknown)
    return array


def _extent(facts: Mapping[str, str], prefix: str) -> tuple[int, int, int] | None:
    """Size along z, y, x without padding, if all three are stated."""
    texts = [facts.get(f"{prefix}{axis}", "").strip() for axis in "ZYX"]
    if not all(re.fullmatch(r"\d{1,9}", text) and int(text) for text in texts):
        return None
    z, y, x = map(int, texts)
    return z, y, x


def _shown(extent: tuple[int, int, int]) -> str:
    return " × ".join(map(str, extent))


def _scene(file: HdfFile) -> tuple[str, ...]:
    """Name what Imaris drew into the image and OME-XML has no place for."""
    things = [printable(name) for scene in _SCENES for name, _ in file.children(f"/{scene}/Content")]
    if not things:
        return ()
    shown = ", ".join(things[:5]) + (f" and {len(things) - 5} more" if len(things) > 5 else "")
    return (f"Its Imaris scene is not read: {shown} (surfaces, spots, filaments or the like) are lost.",)
