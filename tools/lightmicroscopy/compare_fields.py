"""The fields of an image's metadata by names that people read, and whether two values mean the same."""

from __future__ import annotations

from collections import defaultdict, deque
from dataclasses import dataclass, fields, is_dataclass
from math import isclose
from typing import TYPE_CHECKING, Any, Final

from .image import Quantity
from .metadata.ome_units import to_nanometres

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .image import Channel, Image, Instrument, Roi

NEAR: Final = 1e-6
"""Relative difference up to which two numbers of metadata are the same: formats write them with other digits."""
SHOWN: Final = 8
"""Values of a list that are shown."""
_OURS: Final = "lightmicroscopy/"
_NOT_COMPARED: Final = frozenset(
    {
        "series",
        "index",
        "acquisition",
        "element",
        "original",
        "annotations",
        "rois",
        "planes",
        "channels",
        "instrument",
        "source_index",
        "window",
        "tiles",
        "modulo",
        "color",
        "color_invented",
    }
)
"""Handled apart, or (windows) how to display rather than what was measured."""
_WHITE: Final = -1
_REGION: Final = "region of interest"
_OF_PLANES: Final = ("delta_t_s", "exposure_s", "position_x", "position_y", "position_z")
_REFERENCES: Final = {"detector_id": "detectors", "light_source_id": "light_sources"}


def described(image: Image) -> dict[str, Any]:
    """Every field of an image's metadata that has a value, by a name that people read."""
    metadata = image.metadata
    found: dict[str, Any] = {"name": image.name, "kind": image.kind}
    if image.significant_bits is not None and image.significant_bits != image.dtype.itemsize * 8:
        found["significant bits"] = image.significant_bits
    if image.white_is_zero:
        found["white is zero"] = "yes"
    found |= values("", metadata)
    for number, channel in enumerate(metadata.channels):
        found |= values(f"channel {number} ", channel) | _color(f"channel {number} color", channel)
        for key, kind in _REFERENCES.items():
            found |= _referenced(f"channel {number} {_spelt(kind[:-1])}", metadata.instrument, kind, getattr(channel, key))
    found |= _planes(image)
    for modulo in metadata.modulo:
        found |= values(f"folded dimension {modulo.along} {modulo.type} ", modulo)
    if metadata.tiles:
        found["tiles"] = tuple(f"{tile.x},{tile.y} {tile.width} × {tile.height}" for tile in metadata.tiles)
    if metadata.instrument is not None:
        found |= _instrument(metadata.instrument)
        found |= _referenced("objective used", metadata.instrument, "objectives", metadata.objective_id)
    for group, texts in _unordered(image).items():
        found |= {_member(group, number): text for number, text in enumerate(texts)}
    if metadata.original:
        found["original metadata"] = frozenset((_spaced(key), _spaced(value)) for key, value in metadata.original)
    return found


def _color(name: str, channel: Channel) -> dict[str, Any]:
    """Write the colour as ``#rrggbb``; white is OME's default and says nothing, and an invented one was not in the source."""
    if channel.color is None or channel.color == _WHITE or channel.color_invented:
        return {}
    return {name: f"#{(channel.color & 0xFFFFFFFF) >> 8:06x}"}


@dataclass(frozen=True, slots=True, eq=False)
class OfPlanes:
    """One fact of several planes: place, as (t, c, z), and value, in the order of the places; `all` if every plane of the image has it."""

    values: tuple[tuple[tuple[int, int, int], Any], ...]
    all: bool

    def __eq__(self, other: object) -> bool:
        """Whether the same planes have the same values."""
        return (
            isinstance(other, OfPlanes)
            and len(self.values) == len(other.values)
            and all(place == elsewhere and same(ours, theirs) for (place, ours), (elsewhere, theirs) in zip(self.values, other.values, strict=True))
        )

    __hash__ = None  # type: ignore[assignment]

    def __str__(self) -> str:
        """Write the first values, with their planes where not every plane has one."""
        told = (shown(value) if self.all else f"t={t} c={c} z={z}: {shown(value)}" for (t, c, z), value in self.values[:SHOWN])
        return "; ".join(told) + (f" and {len(self.values) - SHOWN} more" if len(self.values) > SHOWN else "")


def _planes(image: Image) -> dict[str, Any]:
    shape = image.shape
    # Samples count as channels, as they do where pixels are compared.
    planes = {
        (plane.t, plane.c * shape.s + sample, plane.z): plane
        for plane in image.metadata.planes
        if 0 <= plane.t < shape.t and 0 <= plane.c < shape.c and 0 <= plane.z < shape.z
        for sample in range(shape.s)
    }
    ordered = sorted(planes.items(), key=lambda item: item[0])
    found: dict[str, Any] = {}
    for key in _OF_PLANES:
        values = tuple((place, value) for place, plane in ordered if (value := getattr(plane, key)) is not None)
        if values:
            found[f"planes {_spelt(key)}"] = OfPlanes(values, len(values) == shape.planes * shape.s)
    return found


def _unordered(image: Image) -> dict[str, list[str]]:
    """What stands in no order that means anything: drawn regions, and key-value pairs of others by their namespace; ours say how a copy was made."""
    found: dict[str, list[str]] = defaultdict(list)
    for roi in image.metadata.rois:
        found[_REGION].append(_roi(roi))
    for annotation in image.metadata.annotations:
        if not annotation.namespace.startswith(_OURS):
            found[f"annotation {annotation.namespace}"].append("; ".join(f"{key}: {value}" for key, value in annotation.pairs))
    return found


def _member(group: str, number: int) -> str:
    return f"{group} {number}" if group == _REGION else f"{group} {number + 1}" if number else group


def described_alike(original: Image, copy: Image) -> tuple[dict[str, Any], dict[str, Any]]:
    """Describe both; of what stands in no order, that which is the same has the same name in both."""
    ours, theirs = described(original), described(copy)
    before = _unordered(original)
    for group, texts in _unordered(copy).items():
        for number in range(len(texts)):
            theirs.pop(_member(group, number), None)
        places = _places(before.get(group, []), texts)
        theirs |= {_member(group, place): text for place, text in sorted(zip(places, texts, strict=True))}
    return ours, theirs


def _places(ours: Sequence[str], theirs: Sequence[str]) -> list[int]:
    """Where among ours each of theirs is; those that are nowhere take what is left in order, and then what follows."""
    waiting: dict[str, deque[int]] = defaultdict(deque)
    for number, text in enumerate(ours):
        waiting[_spaced(text)].append(number)
    found = [waiting[text].popleft() if waiting[text] else None for text in map(_spaced, theirs)]
    rest = deque(sorted(set(range(max(len(ours), len(theirs)))) - set(found)))
    return [rest.popleft() if number is None else number for number in found]


def _instrument(instrument: Instrument) -> dict[str, Any]:
    """Parts by what they are: formats list them in an order of their own."""
    found = values("", instrument)
    for kind in ("objectives", "detectors", "light_sources", "filters"):
        for number, part in enumerate(sorted(getattr(instrument, kind), key=_label)):
            found |= values(f"{_spelt(kind[:-1])} {number} ", part)
    return found


def _referenced(name: str, instrument: Instrument | None, kind: str, wanted: str | None) -> dict[str, Any]:
    """Say what an id refers to. Ids are names that each file makes up anew."""
    parts = getattr(instrument, kind) if instrument is not None and wanted is not None else ()
    part = next((part for part in parts if part.id == wanted), None)
    return {} if part is None else {name: " ".join(word for word in (part.manufacturer, part.model) if word) or _label(part)}


def _label(part: Any) -> str:
    return ", ".join(f"{name} {shown(value)}" for name, value in values("", part).items()) or "without any facts"


def _roi(roi: Roi) -> str:
    shapes = (
        " ".join(
            [
                shape.type,
                *(f"{key}={value}" for key, value in sorted(shape.geometry.items())),
                *(f"{axis}={place}" for axis, place in (("t", shape.t), ("c", shape.c), ("z", shape.z)) if place is not None),
                shape.text or "",
            ]
        ).strip()
        for shape in roi.shapes
    )
    return ": ".join(part for part in (roi.name or "", ", ".join(shapes)) if part)


def values(prefix: str, thing: Any) -> dict[str, Any]:
    """Fields with a value of their own. Ids are names that each file makes up anew."""
    found = {}
    for field in fields(thing):
        value = getattr(thing, field.name)
        wanted = field.name not in _NOT_COMPARED and field.name != "id" and not field.name.endswith("_id")
        plain = isinstance(value, Quantity) or not (is_dataclass(value) or (isinstance(value, tuple) and any(is_dataclass(part) for part in value)))
        # 0 is a value: a gain or an offset of nothing was measured or set.
        if wanted and plain and value is not None and value is not False and value not in ("", ()):
            found[prefix + _spelt(field.name)] = value
    return found


def _spelt(name: str) -> str:
    for unit, spelt in (("_nm", " (nm)"), ("_s", " (s)")):
        if name.endswith(unit):
            name = name.removesuffix(unit) + spelt
    return name.replace("_", " ")


def same(ours: Any, theirs: Any) -> bool:
    """Whether two values mean the same: lengths in other units, numbers written with other digits."""
    if isinstance(ours, Quantity) and isinstance(theirs, Quantity):
        mine, other = to_nanometres(ours), to_nanometres(theirs)
        if mine is not None and other is not None:
            return isclose(mine, other, rel_tol=NEAR)
        return ours.unit == theirs.unit and isclose(ours.value, theirs.value, rel_tol=NEAR)
    if isinstance(ours, tuple) and isinstance(theirs, tuple):
        return len(ours) == len(theirs) and all(same(mine, other) for mine, other in zip(ours, theirs, strict=True))
    if isinstance(ours, int | float) and isinstance(theirs, int | float):
        return isclose(ours, theirs, rel_tol=NEAR)
    if isinstance(ours, str) and isinstance(theirs, str):
        return _spaced(ours) == _spaced(theirs)
    return bool(ours == theirs)


def _spaced(text: str) -> str:
    """Text as XML can hold it: white space is neither kept as it was nor means anything, control characters cannot be there."""
    return " ".join("".join(character if character.isprintable() else " " for character in text).split())


def shown(value: Any) -> str:
    """Write a value for people; empty for none."""
    if value is None:
        return ""
    if isinstance(value, Quantity):
        return f"{value.value:.10g} {value.unit}"
    if isinstance(value, frozenset):
        return f"{len(value)} entries"
    if isinstance(value, tuple):
        text = "; ".join(shown(part) for part in value[:SHOWN])
        return f"{text} and {len(value) - SHOWN} more" if len(value) > SHOWN else text
    return f"{value:.10g}" if isinstance(value, float) else str(value)
