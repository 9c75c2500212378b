"""The selection grammar, the same in every tool: which series, channels, planes, times and part of the plane.

Spans are 0-based and half-open (``2:5`` is 2, 3, 4). Whatever lies outside the image is an error that states the valid
range; nothing is clamped.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

from .errors import UsageError
from .image import Channel, Image, ImageMetadata, Level, Modulo, PixelSource, Region, Shape, Span, TilePosition
from .roi_selection import Cut, cut_rois
from .selected_pixels import MaximumProjection, View

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_NUMBERS = re.compile(r"[0-9]{1,9}(:[0-9]{1,9})?(\s*,\s*[0-9]{1,9}(:[0-9]{1,9})?)*")
"""Indexes of series, and spans of them."""


@dataclass(frozen=True, slots=True)
class Selection:
    """What is wanted of a dataset. The defaults want everything.

    Attributes
    ----------
    series
        ``all``, indexes and spans of them such as ``0,2,5:8``, or ``name:NAME``.
    channels
        Names, or ``index:0``; none means all.
    z, t
        ``A:B``, ``A:``, ``:B``, or one number; empty means all.
    region
        ``X,Y,W,H`` in level-0 pixels from the top left.
    center
        ``X,Y,W,H``: a region by its centre.
    level
        Resolution level to take as the full one; 0 is the largest.
    project
        ``max`` for a maximum projection over z.
    """

    series: str = "all"
    channels: tuple[str, ...] = ()
    z: str = ""
    t: str = ""
    region: str = ""
    center: str = ""
    level: int = 0
    project: Literal["", "max"] = ""

    @property
    def wants_everything(self) -> bool:
        """Whether nothing is left out."""
        return self == Selection()

    def describe(self) -> str:
        """Write it as the command line would have it; empty if everything is wanted."""
        parts = [] if self.series == "all" else [f"--series {_compact(self.series)}"]
        parts += [f"--channel {channel}" for channel in self.channels]
        parts += [f"--{name} {value}" for name in ("z", "t", "region", "center") if (value := getattr(self, name))]
        parts += [f"--level {self.level}"] if self.level else []
        parts += [f"--project {self.project}"] if self.project else []
        return " ".join(parts)


def series_numbers(series: str) -> frozenset[int] | None:
    """Return the numbers of series where they are chosen by number alone; ``None`` otherwise."""
    series = series.strip()
    return frozenset(map(int, series.split(","))) if re.fullmatch(r"[0-9]{1,9}(\s*,\s*[0-9]{1,9})*", series) else None


def select_series(images: Sequence[Image], series: str) -> list[Image]:
    """Choose series by index or name.

    Raises
    ------
    UsageError
        If one is asked for that is not there; the message lists those that are.
    """
    series = series.strip()
    if series in ("", "all"):
        return list(images)
    if series.startswith("name:"):
        name = series.removeprefix("name:").strip()
        found = [image for image in images if image.name == name]
        if not found:
            raise UsageError(f"There is no series named {name!r}. The series are {_list(f'{image.series} ({image.name})' for image in images)}.")
        return found
    if not _NUMBERS.fullmatch(series):
        raise UsageError(f"--series {series!r} is not understood. Give all, numbers such as 0,2, or name:NAME.")
    by_index = {image.series: image for image in images}
    wanted: dict[int, Image] = {}
    for span in _spans(series):
        if not span:
            raise UsageError(f"--series {series!r} has a span that selects nothing. Give A:B, from A up to but not including B.")
        for number in span:
            if number not in by_index:
                raise UsageError(f"There is no series {number}. The series are numbered {_ranges(sorted(by_index))}.")
            wanted[number] = by_index[number]
    return list(wanted.values())


def _spans(series: str) -> Iterator[range]:
    for part in series.split(","):
        first, colon, last = part.partition(":")
        yield range(int(first), int(last) if colon else int(first) + 1)


def _compact(series: str) -> str:
    """Write three and more numbers that follow one another as a span, so that thousands of series take a few characters."""
    if not _NUMBERS.fullmatch(series.strip()):
        return series
    runs: list[range] = []
    for span in _spans(series):
        if runs and span and span.start == runs[-1].stop:
            runs[-1] = range(runs[-1].start, span.stop)
        else:
            runs.append(span)
    return ",".join(",".join(map(str, run)) if len(run) in (1, 2) else f"{run.start}:{run.stop}" for run in runs)


def select(image: Image, selection: Selection) -> Image:
    """Cut an image down to what is wanted, lazily.

    Raises
    ------
    UsageError
        If anything outside the image is asked for, or the selection is malformed.
    """
    full = image.shape
    z = parse_span(selection.z, full.z, "z", image.name)
    t = parse_span(selection.t, full.t, "t", image.name)
    y, x = _area(selection, full, image.name)
    channels = _channels(selection.channels, image)
    if not 0 <= selection.level < len(image.levels):
        raise UsageError(f"There is no level {selection.level} in {image.name!r}: it has {_ranges(range(len(image.levels)), 'level')}.")
    whole = (list(range(full.c)), (0, full.z), (0, full.t), (0, full.y), (0, full.x))
    if (channels, z, t, y, x) == whole and not selection.level and not selection.project:
        return image
    return _cut(image, selection, channels, z, t, y, x)


def parse_span(text: str, size: int, what: str, name: str) -> Span:
    """Read ``A:B``, ``A:``, ``:B`` or ``A`` against an axis of `size` planes.

    Raises
    ------
    UsageError
        If it is malformed, empty or reaches outside.
    """
    text = text.strip()
    if not text or text == ":":
        return 0, size
    match = re.fullmatch(r"([0-9]{0,12})(:?)([0-9]{0,12})", text)
    if not match:
        raise UsageError(f"--{what} {text!r} is not understood. Give A:B (from A up to but not including B, counted from 0) or one number.")
    first, colon, last = match.groups()
    start = int(first or 0)
    stop = (int(last) if last else size) if colon else start + 1
    if start >= stop or stop > size:
        wrong = "selects nothing" if start >= stop and stop <= size else "reaches outside"
        raise UsageError(f"--{what} {text} {wrong}: {name!r} has {what} 0 to {size - 1}, so the largest valid span is 0:{size}.")
    return start, stop


def _area(selection: Selection, full: Shape, name: str) -> tuple[Span, Span]:
    if selection.region and selection.center:
        raise UsageError("--region and --center exclude each other. Give one of them.")
    text = selection.region or selection.center
    if not text:
        return (0, full.y), (0, full.x)
    flag = "region" if selection.region else "center"
    if not re.fullmatch(r"\s*-?[0-9]{1,12}(\s*,\s*-?[0-9]{1,12}){3}\s*", text):
        raise UsageError(f"--{flag} {text!r} is not understood. Give X,Y,W,H as whole numbers of pixels.")
    x, y, width, height = (int(number) for number in text.split(","))
    if width <= 0 or height <= 0:
        raise UsageError(f"--{flag} {text} has no area: width and height must be at least 1.")
    if flag == "center":
        x, y = x - width // 2, y - height // 2
    if x < 0 or y < 0 or x + width > full.x or y + height > full.y:
        raise UsageError(
            f"--{flag} {text} reaches outside {name!r}, which is {full.x} × {full.y} pixels: "
            f"x must stay within 0 to {full.x} and y within 0 to {full.y}, width and height included."
        )
    return (y, y + height), (x, x + width)


def _channels(wanted: Sequence[str], image: Image) -> list[int]:
    if not wanted:
        return list(range(image.shape.c))
    names = [channel.name for channel in image.metadata.channels] + [None] * image.shape.c
    names = names[: image.shape.c]
    chosen = []
    for item in wanted:
        if item.startswith("index:"):
            text = item.removeprefix("index:").strip()
            if not re.fullmatch(r"[0-9]{1,9}", text) or int(text) >= image.shape.c:
                raise UsageError(f"There is no channel {item} in {image.name!r}: it has index:0 to index:{image.shape.c - 1}.")
            chosen.append(int(text))
            continue
        found = [index for index, name in enumerate(names) if name == item.strip()]
        if not found:
            present = _list(f"{name or 'unnamed'} (index:{index})" for index, name in enumerate(names))
            raise UsageError(f"There is no channel {item!r} in {image.name!r}. Its channels are {present}.")
        chosen += found
    return list(dict.fromkeys(chosen))


def _cut(image: Image, selection: Selection, channels: list[int], z: Span, t: Span, y: Span, x: Span) -> Image:
    levels = []
    base = image.levels[selection.level]
    for level in image.levels[selection.level :]:
        if selection.project and level is not base:
            break
        window = _at_level(level, image.shape, y, x, z)
        if window is None:
            break
        source: PixelSource = View(level.pixels, channels, t, window.z, window.y, window.x)
        if selection.project:
            source = MaximumProjection(source)
        z_factor, y_factor, x_factor = (ours / theirs for ours, theirs in zip(level.factor, base.factor, strict=True))
        levels.append(Level(source, (z_factor, y_factor, x_factor)))
    # Parts of a plane at a lower level need not divide evenly, and then its pyramid is not ours to keep.
    whole_plane = (y, x) == ((0, image.shape.y), (0, image.shape.x))
    kept = tuple(levels) if whole_plane else tuple(levels[:1])
    metadata = _metadata(image, selection, channels, (z, t, y, x), base)
    lost = _lost(image.metadata, metadata, merged=_is_projected(selection, z) or base.factor[0] != 1.0)
    return replace(image, levels=kept, metadata=metadata, warnings=(*image.warnings, *lost))


def _is_projected(selection: Selection, z: Span) -> bool:
    """Whether planes are made of several; the projection of a single one is that plane."""
    return bool(selection.project) and z[1] - z[0] > 1


def _at_level(level: Level, full: Shape, y: Span, x: Span, z: Span) -> Region | None:
    """Find the level-0 box in a lower level, rounding outwards; None where it has vanished."""
    shape = level.pixels.shape

    def scaled(span: Span, factor: float, size: int, whole: int) -> Span:
        if span == (0, whole):
            return 0, size
        start = min(int(span[0] / factor), size - 1)
        stop = min(max(-int(-span[1] // factor), start + 1), size)
        return start, stop

    return Region(
        (0, shape.t),
        (0, shape.c),
        scaled(z, level.factor[0], shape.z, full.z),
        scaled(y, level.factor[1], shape.y, full.y),
        scaled(x, level.factor[2], shape.x, full.x),
    )


def _metadata(image: Image, selection: Selection, channels: list[int], spans: tuple[Span, Span, Span, Span], base: Level) -> ImageMetadata:
    old, (z, t, y, x) = image.metadata, spans
    projected = _is_projected(selection, z)
    rois = cut_rois(old.rois, Cut(tuple(channels), z, t, y, x, base.factor, projected=projected))
    place = {index: position for position, index in enumerate(channels)}
    planes = tuple(
        replace(plane, t=plane.t - t[0], c=place[plane.c], z=plane.z - z[0])
        for plane in old.planes
        if plane.c in place and z[0] <= plane.z < z[1] and t[0] <= plane.t < t[1]
    )
    if base.factor[0] != 1.0:
        # A plane of a level that is smaller in z stands for several of the planes that were taken.
        planes = ()
    whole_z = list(range(*z)) if base.factor[0] == 1.0 and not projected else []
    taken = {"C": (channels, image.shape.c), "Z": (whole_z, image.shape.z), "T": (list(range(*t)), image.shape.t)}
    modulo = tuple(folded for folded in old.modulo if _whole_groups(folded, *taken[folded.along]))
    tiles = _tiles(old.tiles, y, x, base.factor)
    changes: dict[str, Any] = {"channels": _chosen(old.channels, channels), "planes": planes, "modulo": modulo, "rois": rois, "tiles": tiles}
    if projected:
        # A projected plane was taken at no one z and no one moment.
        changes |= {"planes": (), "pixel_size_z": None}
    for axis, factor in zip("zyx", base.factor, strict=True):
        size = old.__getattribute__(f"pixel_size_{axis}")
        if factor != 1.0 and size is not None and not (axis == "z" and projected):
            changes[f"pixel_size_{axis}"] = replace(size, value=size.value * factor)
    return replace(old, **changes)


def _whole_groups(folded: Modulo, taken: Sequence[int], size: int) -> bool:
    """Whether the indexes taken of an axis hold the dimension folded into it whole each time, so that it still counts fastest."""
    if list(taken) == list(range(size)):
        return True
    depth = folded.depth
    if depth is None or not taken or size % depth or len(taken) % depth:
        return False
    groups = (taken[start : start + depth] for start in range(0, len(taken), depth))
    return all(group[0] % depth == 0 and list(group) == list(range(group[0], group[0] + depth)) for group in groups)


def _lost(before: ImageMetadata, after: ImageMetadata, *, merged: bool) -> Iterator[str]:
    """Sentences on what the part taken cannot have of the whole's metadata."""
    for folded in before.modulo:
        if folded not in after.modulo:
            yield (
                f"Its dimension {folded.description or folded.type!r}, which is folded into {folded.along}, is not recorded in the copy: the "
                f"selection along {folded.along} does not take it whole."
            )
    if before.planes and merged:
        yield "Times, exposures and positions of single planes are not in the copy: each of its planes is made of several that were taken."


def _chosen(known: tuple[Channel, ...], channels: Sequence[int]) -> tuple[Channel, ...]:
    """What is known of the chosen channels, in their new order; one of which nothing is known still takes its place."""
    if not known:
        return ()
    found = ((index, known[index] if index < len(known) else Channel()) for index in channels)
    return tuple(channel if channel.source_index is not None else replace(channel, source_index=index) for index, channel in found)


def _tiles(tiles: Sequence[TilePosition], y: Span, x: Span, factor: tuple[float, float, float]) -> tuple[TilePosition, ...]:
    """Tiles of a mosaic that lie in the part taken, by its pixels. Of a tile at its border the whole extent is kept."""
    found = (tile for tile in tiles if tile.x < x[1] and tile.x + tile.width > x[0] and tile.y < y[1] and tile.y + tile.height > y[0])
    return tuple(
        replace(
            tile,
            x=round((tile.x - x[0]) / factor[2]),
            y=round((tile.y - y[0]) / factor[1]),
            width=round(tile.width / factor[2]),
            height=round(tile.height / factor[1]),
        )
        for tile in found
    )


def _list(items: Any) -> str:
    texts = list(items)
    shown = ", ".join(texts[:12])
    return f"{shown} and {len(texts) - 12} more" if len(texts) > 12 else shown


def _ranges(numbers: Sequence[int], what: str = "") -> str:
    numbers = list(numbers)
    prefix = f"{what} " if what else ""
    if not numbers:
        return "none"
    if numbers == list(range(numbers[0], numbers[-1] + 1)):
        return f"{prefix}{numbers[0]}" if len(numbers) == 1 else f"{prefix}{numbers[0]} to {numbers[-1]}"
    return prefix + _list(str(number) for number in numbers)
