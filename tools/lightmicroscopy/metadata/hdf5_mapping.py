"""Axes and pixel size of a plain HDF5 dataset, from the attributes that programs write.

=========================================  =====================================================  ==========================
attribute (of the dataset, else a group    meaning                                                written by
above it)
=========================================  =====================================================  ==========================
axistags                                   axes, and their resolution; units in axis_units        ilastik, vigra (JSON)
DIMENSION_LABELS                           axes                                                   h5py, HDF5 dimension scales
axes, axis_order, axisorder,               axes: letters, or a list of names                      PlantSeg, neuroglancer,
_ARRAY_DIMENSIONS                                                                                 xarray
CLASS, IMAGE_SUBCLASS, INTERLACE_MODE      true colour: samples last, or first                    HDF5 image specification
element_size_um                            pixel size z y x in µm                                 Fiji HDF5 plugin, PlantSeg,
                                                                                                  ImSwitch
element_size, voxel_size, pixel_size,      pixel size in the order of the dataset's axes, only    N5 and CREMI tools,
spacing, resolution; each also with _um,   with a unit: in the name, or in NAME_unit(s), unit,    neuroglancer, BigDataViewer
_nm or _mm                                 units, axis_units
channel_names, channels                    names of the channels                                  various
=========================================  =====================================================  ==========================

What the file says wins over what the user says, and that over a guess; a number without a unit is no pixel size. Sources: the
documentation of ilastik (import and export of HDF5), the HDF5 image and dimension scale specifications, the manual of the Fiji
HDF5 plugin (element_size_um is z y x), the neuroglancer conventions for N5 attributes.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any, Final, Literal

from ..errors import UsageError
from ..image import Channel, Modulo, PixelSize, Quantity
from .ngff_axes import AxisInfo, folded_letter, kind_of
from .ome_units import NOT_LENGTHS, spell_unit, to_seconds

Attributes = Mapping[str, Any]
_LETTERS: Final = {
    **dict.fromkeys(("t", "time", "frame", "frames", "timepoint"), "t"),
    **dict.fromkeys(("c", "ch", "channel", "channels"), "c"),
    **dict.fromkeys(("z", "depth", "slice", "slices", "plane"), "z"),
    **dict.fromkeys(("y", "row", "rows", "height"), "y"),
    **dict.fromkeys(("x", "col", "cols", "column", "columns", "width"), "x"),
    **dict.fromkeys(("s", "sample", "samples", "rgb", "rgba"), "s"),
}
_STATED: Final = ("DIMENSION_LABELS", "axes", "axis_order", "axisorder", "_ARRAY_DIMENSIONS")
_SIZES: Final = ("element_size", "voxel_size", "voxelsize", "pixel_size", "pixelsize", "spacing", "resolution")
_UNITS: Final = ("um", "nm", "mm")
_ORDER: Final = "TCZYX"
_COLOURS: Final = (3, 4)
_FEW: Final = 4
_ALONG: Final[tuple[Literal["T", "C", "Z"], ...]] = ("T", "C", "Z")


@dataclass(frozen=True, slots=True)
class Axes:
    """Axes of one dataset.

    Attributes
    ----------
    letters
        One for each dimension, as `HdfPixels` takes them.
    declared
        As `Image.axes` has them.
    """

    letters: str
    declared: str
    modulo: tuple[Modulo, ...] = ()
    warnings: tuple[str, ...] = ()
    stated: bool = True


def find_axes(attributes: Attributes, shape: Sequence[int], *, asked: str | None, colours: bool, reversed_order: bool = False) -> Axes:
    """Which dimension of a dataset is which.

    Parameters
    ----------
    attributes
        Of the dataset.
    asked
        What the user says: a letter of TCZYXS for each dimension; passed over where it does not fit (`misfit`).
    colours
        Whether pixels are of a type in which three or four of them are probably a colour.
    reversed_order
        Whether dimensions are the other way round than usual, as MATLAB writes them.

    Raises
    ------
    UsageError
        If what the user says makes no sense.
    """
    wanted = list(check_axes(asked)) if asked else []
    fits = bool(wanted) and not misfit(asked or "", shape)
    for source, labels in _labels(attributes, len(shape)):
        found = _placed(labels, shape)
        if found is None:
            continue
        same = not fits or [_LETTERS.get(label.lower()) for label in labels] == [letter.lower() for letter in wanted]
        contradiction = () if same else (f"Its axes are {' '.join(labels)} by its attribute {source}; the axes {asked} asked for were not used.",)
        return Axes(found.letters, found.declared, found.modulo, (*contradiction, *found.warnings))
    if fits:
        chosen = _placed(wanted, shape)
        if chosen is not None:
            return chosen
    guess = _guess(tuple(shape), colours=colours, reversed_order=reversed_order)
    if wanted and not fits:
        guess = replace(guess, warnings=(*guess.warnings, f"The axes {asked} asked for were not used: {misfit(asked or '', shape)}."))
    return guess


def misfit(asked: str, shape: Sequence[int]) -> str:
    """Say why axes that the user gives are not those of a dataset; empty if they may be.

    Samples are the colours of a pixel, so that a dimension of many is one of planes, whose letter was mistaken.
    """
    letters = check_axes(asked)
    sizes = " × ".join(map(str, shape))
    if len(letters) != len(shape):
        return f"they are {len(letters)}, and its dimensions are {len(shape)} ({sizes})"
    samples = dict(zip(letters, shape, strict=True)).get("s", 1)
    if samples not in (1, *_COLOURS):
        return f"S would be {samples} ({sizes}), and S is for the 3 or 4 colours of a picture"
    return ""


@lru_cache(maxsize=1000)
def _guess(shape: tuple[int, ...], *, colours: bool, reversed_order: bool) -> Axes:
    guess = _guessed(shape, colours=colours, reversed_order=reversed_order)
    found = _placed(list(guess), shape)
    if found is None:
        raise ValueError("a guess has y and x")
    shown = "".join(guess) if all(len(letter) == 1 for letter in guess) else " ".join(guess)
    sentence = (
        f"Its axes are nowhere stated; its {len(shape)} dimensions ({' × '.join(map(str, shape))}) were taken as {shown.upper()}. "
        "If they are others, say so with --axes."
    )
    return Axes(found.letters, found.declared, found.modulo, (sentence, *found.warnings), stated=False)


def check_axes(asked: str) -> str:
    """Axes the user gives, in lower case; raises `UsageError` if they make no sense."""
    letters = asked.strip().lower()
    if not re.fullmatch("[tczyxs]{2,6}", letters) or len(set(letters)) != len(letters) or not {"y", "x"} <= set(letters):
        raise UsageError(f"The axes {asked!r} are not understood. Give a letter for each dimension, each once, out of TCZYXS and with Y and X: ZYX.")
    return letters


def _labels(attributes: Attributes, count: int) -> list[tuple[str, list[str]]]:
    """Every list of as many names as there are dimensions that stands in the attributes."""
    if not attributes:
        return []
    found = []
    tags = [str(tag.get("key", "")) for tag in _axistags(attributes)]
    if len(tags) == count:
        found.append(("axistags", tags))
    for name in _STATED:
        labels = _list(attributes.get(name))
        if len(labels) == count and all(labels):
            found.append((name, labels))
    sizes = len(_numbers(attributes.get("element_size_um")))
    if (count, sizes) in {(3, 3), (2, 2), (2, 3)}:
        found.append(("element_size_um", list("zyx")[-count:]))
    if attributes.get("CLASS") == "IMAGE" and attributes.get("IMAGE_SUBCLASS") == "IMAGE_TRUECOLOR" and count == 3:
        first = attributes.get("INTERLACE_MODE") == "INTERLACE_PLANE"
        found.append(("IMAGE_SUBCLASS", ["s", "y", "x"] if first else ["y", "x", "s"]))
    return found


def _axistags(attributes: Attributes) -> list[Mapping[str, Any]]:
    text = attributes.get("axistags")
    try:
        tags = json.loads(text)["axes"] if isinstance(text, str) else []
    except (ValueError, KeyError, TypeError, RecursionError):
        return []
    return [tag for tag in tags if isinstance(tag, Mapping)] if isinstance(tags, list) else []


def _list(value: Any) -> list[str]:
    if isinstance(value, list):
        return [item.strip() for item in value] if all(isinstance(item, str) for item in value) else []
    if not isinstance(value, str):
        return []
    parts = [part for part in re.split(r"[\s,;]+", value.strip("[]() ")) if part]
    return list(parts[0]) if len(parts) == 1 and all(letter.lower() in _LETTERS for letter in parts[0]) else parts


def _placed(labels: Sequence[str], shape: Sequence[int]) -> Axes | None:
    """Letters for named dimensions; ``None`` if y or x is not among them, or one is there twice."""
    letters: list[str] = []
    declared, modulo, warnings = [], [], []
    plain = [_LETTERS.get(label.strip().lower(), "") for label in labels]
    known = [letter for letter in plain if letter]
    if len(set(known)) != len(known) or not {"y", "x"} <= set(known):
        return None
    taken: list[str] = []
    for label, letter, size in zip(labels, plain, shape, strict=True):
        if letter:
            letters.append(letter)
            declared.append(letter.upper())
            continue
        if size == 1:
            letters.append("-")
            continue
        kind, along = kind_of(label)
        free = [own for own in (along, *_ALONG) if own not in taken]
        place = free[0] if free else "T"
        if free:
            modulo.append(Modulo(free[0], kind, start=0.0, end=float(size - 1), step=1.0, description=label[:100]))
        else:
            modulo = [folded for folded in modulo if folded.along != "T"]
        taken.append(place)
        letters.append(place)
        declared.append(folded_letter(AxisInfo(place, label=label, modulo=kind)))
        recorded = "; a Modulo annotation records it" if free else ""
        warnings.append(
            f"Its axis {label[:40]!r} of {size}, which OME does not have, is folded into {place}, its own index counted fastest{recorded}."
        )
    return Axes("".join(letters), "".join(declared), tuple(modulo), tuple(warnings))


def _guessed(shape: Sequence[int], *, colours: bool, reversed_order: bool) -> list[str]:
    """Axes of a dataset that says nothing: a short last dimension is of colours or channels, the others are the last of TCZYX.

    MATLAB counts rows fastest and keeps colours in its last dimension, so that its files begin with them and end with x and y.
    """
    sizes = list(reversed(shape)) if reversed_order else list(shape)
    order, last = _ORDER.lower(), []
    others = sizes[:2] if reversed_order else sizes[-3:-1]
    if len(sizes) > 2 and sizes[-1] <= _FEW < min(others):
        last = ["s"] if colours and sizes[-1] in _COLOURS else ["c"]
        order = order.replace("c", "") if last == ["c"] else order
    count = len(sizes) - len(last)
    extra = [f"dimension {number}" for number in range(max(0, count - len(order)))]
    rest = list(order[max(0, len(order) - count) :])
    return [*last, *extra, *rest[:-2], "x", "y"] if reversed_order else [*extra, *rest, *last]


def find_pixel_size(attributes: Sequence[Attributes], axes: Axes, asked: PixelSize | None) -> tuple[PixelSize, float | None, tuple[str, ...]]:
    """Pixel size and time increment (in seconds) of a dataset, and warnings.

    Parameters
    ----------
    attributes
        Of the dataset, and of the groups above it, the nearest first.
    asked
        What the user says.
    """
    warnings: list[str] = []
    found: dict[str, Quantity] = {}
    for level in filter(None, attributes):
        found = _tagged(level, axes, warnings) or _element_size(level, axes, warnings)
        if found:
            break
    time = found.pop("t", None)
    sizes = PixelSize(*(_length(found.get(axis)) for axis in "zyx"))
    if asked is not None:
        for axis, own, given in zip("zyx", sizes, asked, strict=True):
            if own is not None and given is not None and own != given:
                warnings.append(
                    f"Its pixel size along {axis} is {own.value:g} {own.unit} by its own attributes; {given.value:g} {given.unit} was not used."
                )
        sizes = PixelSize(*(own or (given if axis in axes.letters else None) for axis, own, given in zip("zyx", sizes, asked, strict=True)))
    if any(sizes):
        warnings = [sentence for sentence in warnings if "without a unit" not in sentence]
    return sizes, to_seconds(time) if time else None, tuple(dict.fromkeys(warnings))


def _length(size: Quantity | None) -> Quantity | None:
    return size if size and size.unit not in NOT_LENGTHS and size.value > 0 and math.isfinite(size.value) else None


def _tagged(attributes: Attributes, axes: Axes, warnings: list[str]) -> dict[str, Quantity]:
    """Resolutions of vigra's axis tags, where units are given beside them."""
    tags = _axistags(attributes)
    if len(tags) != len(axes.letters):
        return {}
    units = _axis_units(attributes, axes)
    found = {}
    for letter, tag in zip(axes.letters, tags, strict=True):
        value = tag.get("resolution")
        if letter not in "tzyx" or not isinstance(value, (int, float)) or not value > 0:
            continue
        unit = spell_unit(units.get(letter, ""), "time" if letter == "t" else "length")
        if unit:
            found[letter] = Quantity(float(value), unit)
        else:
            warnings.append("The resolution in its axistags is without a unit, and so no pixel size.")
    return found


def _axis_units(attributes: Attributes, axes: Axes) -> dict[str, str]:
    value = attributes.get("axis_units")
    try:
        value = json.loads(value) if isinstance(value, str) else value
    except (ValueError, RecursionError):
        return {}
    if isinstance(value, Mapping):
        return {str(key).lower(): str(unit) for key, unit in value.items()}
    return dict(zip(axes.letters, map(str, value), strict=False)) if isinstance(value, list) else {}


def _element_size(attributes: Attributes, axes: Axes, warnings: list[str]) -> dict[str, Quantity]:
    for name in _SIZES:
        for unit in _UNITS:
            if f"{name}_{unit}" not in attributes:
                continue
            values = _numbers(attributes.get(f"{name}_{unit}"))
            if values and (found := _by_axis(values, [unit] * len(values), axes)):
                return found
        values = _numbers(attributes.get(name))
        if not values:
            continue
        stated = next((attributes[key] for key in (f"{name}_unit", f"{name}_units", "unit", "units", "axis_units") if key in attributes), None)
        units = stated if isinstance(stated, list) else [stated] * len(values)
        if stated is not None and len(units) == len(values) and (found := _by_axis(values, [str(unit) for unit in units], axes)):
            return found
        shown = ", ".join(f"{value:g}" for value in values[:6])
        warnings.append(f"Its attribute {name} ({shown}) is without a unit, and so no pixel size.")
    return {}


def _numbers(value: Any) -> list[float]:
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return [float(value)]
    return [float(item) for item in value] if isinstance(value, list) and all(isinstance(item, (int, float)) for item in value) else []


def _by_axis(values: Sequence[float], units: Sequence[str], axes: Axes) -> dict[str, Quantity]:
    """Sizes in the order of all axes, or of those in space; of a plane also where the size along z stands before them."""
    space = [letter for letter in axes.letters if letter in "zyx"]
    if len(values) == len(axes.letters):
        letters = list(axes.letters)
    elif len(values) == len(space):
        letters = space
    elif len(values) == len(space) + 1 == 3:
        letters = ["", *space]
    else:
        return {}
    found = {}
    for letter, value, text in zip(letters, values, units, strict=True):
        unit = spell_unit(text, "time" if letter == "t" else "length") if letter in tuple("tzyx") else None
        if unit and value > 0:
            found[letter] = Quantity(value, unit)
    return found


def channel_names(attributes: Attributes, count: int) -> tuple[Channel, ...]:
    """Channels by the names that stand in the attributes, if there are as many."""
    for name in ("channel_names", "channels"):
        names = _list(attributes.get(name))
        if len(names) == count and any(names):
            return tuple(Channel(name=own or None) for own in names)
    return ()
