"""NGFF (OME-Zarr) attributes of versions 0.1 to 0.5, brought into one form.

Readers are lenient where the meaning is plain, and say so in warnings; what cannot be mapped onto t c z y x is an error.
Source: the NGFF specifications 0.1, 0.2, 0.3, 0.4 and 0.5. Axes are in `ngff_axes`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from ..errors import LimitError, UnreadableError
from ..image import FIELDS, Acquisition, Channel, NamingConvention
from .ngff import AXES
from .ngff_axes import AxisInfo, read_axes

KNOWN: Final = ("0.1", "0.2", "0.3", "0.4", "0.5")
LEVELS: Final = 64
"""Resolution levels accepted: halved that often, any image is one pixel."""
_COLOR: Final = re.compile(r"#?([0-9A-Fa-f]{6})")


@dataclass(frozen=True, slots=True)
class LevelInfo:
    """One resolution level: where it is, and its transformation to physical coordinates, ``None`` if not given."""

    path: str
    scale: tuple[float, ...] | None = None
    translation: tuple[float, ...] | None = None


@dataclass(frozen=True, slots=True)
class Multiscale:
    """The first entry of ``multiscales``."""

    name: str | None
    axes: tuple[AxisInfo, ...] | None
    """``None`` where the version has none (0.1, 0.2): t c z y x."""
    levels: tuple[LevelInfo, ...]
    invented_colors: frozenset[int] = frozenset()
    warnings: tuple[str, ...] = ()


def ome_attributes(attributes: Mapping[str, Any]) -> Mapping[str, Any]:
    """NGFF's part of a group's attributes: below ``ome`` since 0.5, at the top before."""
    inner = attributes.get("ome")
    return inner if isinstance(inner, Mapping) else attributes


def stated_version(attributes: Mapping[str, Any]) -> str | None:
    """Version a group's attributes state, e.g. ``0.4``; ``None`` if they state none."""
    ome = ome_attributes(attributes)
    first = _first(ome.get("multiscales"))
    for block in (ome if ome is not attributes else {}, first, ome.get("plate"), ome.get("well"), ome.get("image-label"), ome.get("omero")):
        version = block.get("version") if isinstance(block, Mapping) else None
        if version is not None:
            return str(version)
    return None


def version_of(attributes: Mapping[str, Any], zarr_format: int, source: str) -> tuple[str, str | None]:
    """NGFF version of a group, and a warning if it had to be guessed.

    Raises
    ------
    UnreadableError
        If it is a version this suite does not read.
    """
    stated = stated_version(attributes)
    if stated is None:
        guess = _guess(ome_attributes(attributes), zarr_format)
        has_meaning = "multiscales" in ome_attributes(attributes) or "plate" in ome_attributes(attributes)
        return guess, f"Its NGFF version is not stated; it is read as {guess}." if has_meaning else None
    if stated in KNOWN:
        return stated, None
    near = next((version for version in KNOWN if stated.startswith(version)), None)
    if near is None:
        raise UnreadableError(
            f"{source} is of the version {stated!r} of OME-Zarr; this suite reads 0.1 to 0.5. Write it as 0.4 or 0.5 in the software that made it."
        )
    return near, f"Its NGFF version is {stated!r}, which was never released; it is read as {near}."


def _guess(ome: Mapping[str, Any], zarr_format: int) -> str:
    if zarr_format == 3:
        return "0.5"
    axes = (_first(ome.get("multiscales")) or {}).get("axes")
    if isinstance(axes, list) and axes and isinstance(axes[0], str):
        return "0.3"
    return "0.4" if axes or "plate" in ome or "bioformats2raw.layout" in ome else "0.1"


def _first(value: object) -> Mapping[str, Any] | None:
    return value[0] if isinstance(value, list) and value and isinstance(value[0], Mapping) else None


def read_multiscale(ome: Mapping[str, Any], source: str, shape_of_first: Sequence[int] | None = None) -> Multiscale:
    """Read the first entry of ``multiscales``.

    Parameters
    ----------
    ome
        NGFF attributes of an image group.
    source
        The name by which errors call it.
    shape_of_first
        Shape of the largest array, where known: an axis of size 1 that OME does not have is left out.

    Raises
    ------
    UnreadableError
        If it has no datasets, lists one twice, or has axes that cannot be brought to t c z y x.
    LimitError
        If it has more than `LEVELS` datasets.
    """
    entries = ome.get("multiscales")
    first = _first(entries)
    if first is None:
        raise UnreadableError(f"{source} has an empty or malformed 'multiscales', so that its images cannot be found. Ask for it again.")
    warnings = _others(_list(entries))
    axes, more = read_axes(first.get("axes"), source, shape_of_first)
    count = len(AXES) if axes is None else len(axes)
    levels: list[LevelInfo] = []
    datasets = _list(first.get("datasets"))
    if len(datasets) > LEVELS:
        raise LimitError(f"{source} lists {len(datasets):,} resolution levels; at most {LEVELS} are read. Repair its 'multiscales'.")
    for dataset in datasets:
        path = dataset.get("path") if isinstance(dataset, Mapping) else None
        if not isinstance(path, str):
            raise UnreadableError(f"{source} lists a resolution level without a path. Repair its 'multiscales' or ask for it again.")
        lists = (_list(dataset.get("coordinateTransformations")), _list(first.get("coordinateTransformations")))
        scale, translation, odd = _combine(lists, count)
        levels.append(LevelInfo(path.strip("/"), scale, translation))
        warnings += odd
    paths = [level.path for level in levels]
    if twice := next((path for path in paths if paths.count(path) > 1), None):
        raise UnreadableError(f"{source} lists the resolution level {twice} more than once. Repair its 'multiscales' or ask for it again.")
    if not levels:
        raise UnreadableError(f"{source} lists no resolution levels in its 'multiscales', so that its pixels cannot be found. Ask for it again.")
    metadata = first.get("metadata")
    invented = _list(metadata.get("invented_colors")) if isinstance(metadata, Mapping) else []
    name = first.get("name")
    return Multiscale(
        name=name if isinstance(name, str) and name else None,
        axes=axes,
        levels=tuple(levels),
        invented_colors=frozenset(index for index in invented if isinstance(index, int)),
        warnings=tuple(dict.fromkeys(warnings + more)),
    )


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _others(entries: list[Any]) -> list[str]:
    """Warn of the multiscales that are not read.

    They are other images of the group, or the same one scaled in another way; nothing in NGFF says which. OME-XML describes
    one image for each group, so that read as further series they would have no metadata of their own.
    """
    if len(entries) == 1:
        return []
    names = [entry.get("name") if isinstance(entry, Mapping) else None for entry in entries]
    shown = [repr(name[:40]) if isinstance(name, str) and name else "one without a name" for name in names]
    more = len(entries) - 1
    left = ", ".join(shown[1:6]) + (f" and {more - 5} more" if more > 5 else "")
    return [f"It has {len(entries)} multiscales; the first ({shown[0]}) is read and {more} {'is' if more == 1 else 'are'} left out ({left})."]


def _combine(lists: Sequence[list[Any]], count: int) -> tuple[tuple[float, ...] | None, tuple[float, ...] | None, list[str]]:
    """One scale and translation out of transformations that are applied one after another."""
    scale: tuple[float, ...] | None = None
    translation: tuple[float, ...] | None = None
    for transformation in (item for items in lists for item in items):
        kind = transformation.get("type") if isinstance(transformation, Mapping) else None
        vector = _vector(transformation.get(kind), count) if isinstance(kind, str) and isinstance(transformation, Mapping) else None
        if kind == "identity":
            continue
        if vector is None or kind not in {"scale", "translation"}:
            return None, None, [f"A coordinate transformation of the kind {str(kind)[:40]!r} is not understood; pixel sizes are left out."]
        if kind == "scale":
            scale = vector if scale is None else tuple(a * b for a, b in zip(scale, vector, strict=True))
            translation = None if translation is None else tuple(a * b for a, b in zip(translation, vector, strict=True))
        else:
            translation = vector if translation is None else tuple(a + b for a, b in zip(translation, vector, strict=True))
    if not all(map(math.isfinite, (*(scale or ()), *(translation or ())))):
        return None, None, ["Its coordinate transformations multiply to no finite number; pixel sizes are left out."]
    return scale, translation, []


def _vector(value: object, count: int) -> tuple[float, ...] | None:
    if not isinstance(value, list) or len(value) != count:
        return None
    if not all(isinstance(number, int | float) and not isinstance(number, bool) for number in value):
        return None
    try:
        vector = tuple(float(number) for number in value)
    except OverflowError:  # a whole number of JSON may have any number of digits
        return None
    return vector if all(map(math.isfinite, vector)) else None


def read_channels(ome: Mapping[str, Any], invented: frozenset[int] = frozenset()) -> tuple[Channel, ...]:
    """Names, colours and display ranges out of ``omero``; empty if there is none."""
    omero = ome.get("omero")
    entries = _list(omero.get("channels")) if isinstance(omero, Mapping) else []
    return tuple(_channel(entry if isinstance(entry, Mapping) else {}, index in invented) for index, entry in enumerate(entries))


def _channel(entry: Mapping[str, Any], invented: bool) -> Channel:
    label, color = entry.get("label"), entry.get("color")
    known = _COLOR.fullmatch(color) if isinstance(color, str) else None
    return Channel(
        name=str(label) if isinstance(label, str | int) and str(label) else None,
        color=signed_color(known[1]) if known else None,
        color_invented=invented and known is not None,
        window=_window(entry.get("window")),
    )


def signed_color(rgb: str) -> int:
    """OME's signed 32-bit RGBA from six hexadecimal digits, opaque."""
    unsigned = int(rgb, 16) << 8 | 0xFF
    return unsigned - (1 << 32) if unsigned >= 1 << 31 else unsigned


def _window(value: object) -> tuple[float, float] | None:
    if not isinstance(value, Mapping):
        return None
    shown = _vector([value.get("start"), value.get("end")], 2)
    return (shown[0], shown[1]) if shown and shown[0] < shown[1] else None


@dataclass(frozen=True, slots=True)
class PlateInfo:
    """A plate as its attributes describe it; rows and columns 0-based, from their names where these can be counted."""

    name: str | None
    rows: int
    columns: int
    row_naming: NamingConvention
    column_naming: NamingConvention
    wells: tuple[tuple[str, int, int], ...]
    """(path, row, column)."""
    acquisitions: tuple[Acquisition, ...]


def read_plate(plate: Mapping[str, Any], source: str) -> PlateInfo:
    """Read a ``plate`` block.

    Raises
    ------
    UnreadableError
        If a well cannot be placed.
    """
    rows, columns = _axis(plate.get("rows")), _axis(plate.get("columns"))
    wells = []
    for entry in _list(plate.get("wells")):
        path = entry.get("path") if isinstance(entry, Mapping) else None
        parts = path.strip("/").split("/") if isinstance(path, str) else []
        if len(parts) != 2 or parts[0] not in rows.index or parts[1] not in columns.index:
            raise UnreadableError(
                f"{source} lists a well with the path {path!r}, which is no row and column of its plate. Repair its 'plate' attributes."
            )
        wells.append(("/".join(parts), rows.index[parts[0]], columns.index[parts[1]]))
    name = plate.get("name")
    return PlateInfo(
        name=name if isinstance(name, str) and name else None,
        rows=rows.count,
        columns=columns.count,
        row_naming=rows.naming,
        column_naming=columns.naming,
        wells=tuple(wells),
        acquisitions=tuple(_acquisitions(_list(plate.get("acquisitions")))),
    )


def field_number(path: str) -> int | None:
    """Number of a field of a well, where its path is one."""
    name = path.strip("/")
    return int(name) if re.fullmatch("0|[1-9][0-9]{0,8}", name) and int(name) < FIELDS else None


@dataclass(frozen=True, slots=True)
class _Axis:
    index: Mapping[str, int]
    count: int
    naming: NamingConvention


def _axis(value: object) -> _Axis:
    names = [str(entry.get("name")) for entry in _list(value) if isinstance(entry, Mapping)]
    numbers: bool = bool(names) and all(name.isascii() and name.isdecimal() and 0 < int(name) < 10_000 for name in names)
    letters = bool(names) and all(re.fullmatch("[A-Za-z]{1,3}", name) for name in names)
    if numbers or letters:
        index = {name: int(name) - 1 if numbers else _letters(name) for name in names}
    else:
        index = {name: position for position, name in enumerate(names)}
    return _Axis(index, max(index.values(), default=-1) + 1, "number" if numbers else "letter")


def _letters(name: str) -> int:
    position = 0
    for letter in name.upper():
        position = position * 26 + ord(letter) - ord("A") + 1
    return position - 1


def _acquisitions(entries: list[Any]) -> Iterator[Acquisition]:
    from datetime import UTC, datetime

    def moment(value: object) -> str | None:
        if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value < 1 << 40:
            return None
        # Some writers give milliseconds, though the specification says seconds since 1970.
        return datetime.fromtimestamp(value if value < 1 << 34 else value / 1000, UTC).isoformat()

    for entry in entries:
        if isinstance(entry, Mapping) and isinstance(entry.get("id"), int):
            fields, name = entry.get("maximumfieldcount"), entry.get("name")
            yield Acquisition(
                id=entry["id"],
                name=name if isinstance(name, str) else None,
                maximum_field_count=fields if isinstance(fields, int) else None,
                start_time=moment(entry.get("starttime")),
                end_time=moment(entry.get("endtime")),
            )
