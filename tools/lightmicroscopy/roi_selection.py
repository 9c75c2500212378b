"""Regions of interest under a selection: moved with the pixels they lie on, and left out where those are not taken."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from itertools import product
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from .image import Roi, RoiShape, Span

_ALONG_X = {"X", "X1", "X2"}
_ALONG_Y = {"Y", "Y1", "Y2"}
_WIDE = {"Width", "RadiusX"}
_HIGH = {"Height", "RadiusY"}
_TRANSFORM = tuple(f"Transform {key}" for key in ("A00", "A10", "A01", "A11", "A02", "A12"))
_NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")


Affine = tuple[float, float, float, float, float, float]
"""A00, A10, A01, A11, A02 and A12 of OME's affine transform."""


@dataclass(frozen=True, slots=True)
class Cut:
    """What was taken: channels in their new order, spans of level 0, and level-0 pixels per new pixel along z, y, x."""

    channels: tuple[int, ...]
    z: Span
    t: Span
    y: Span
    x: Span
    factor: tuple[float, float, float] = (1.0, 1.0, 1.0)
    projected: bool = False


def cut_rois(rois: Sequence[Roi], cut: Cut) -> tuple[Roi, ...]:
    """Move, scale and renumber regions of interest; shapes wholly outside what was taken are left out.

    A mask cannot be scaled with its bits as they are, so on a smaller level it is left out too.
    """
    moved = (replace(roi, shapes=tuple(shape for old in roi.shapes if (shape := _moved(old, cut)) is not None)) for roi in rois)
    return tuple(roi for roi in moved if roi.shapes)


def _moved(shape: RoiShape, cut: Cut) -> RoiShape | None:
    if shape.type == "Mask" and cut.factor[1:] != (1.0, 1.0):
        return None
    for index, span in ((shape.t, cut.t), (shape.z, cut.z)):
        if index is not None and not span[0] <= index < span[1]:
            return None
    if shape.c is not None and shape.c not in cut.channels:
        return None
    transform = _transform(shape.geometry)
    if transform is None:
        geometry = {key: _place(key, value, cut) for key, value in shape.geometry.items()}
    else:
        # The shape itself stays; where its transform puts it moves.
        transform = _moved_transform(transform, cut)
        geometry = {**shape.geometry, **{key: _text(number) for key, number in zip(_TRANSFORM, transform, strict=True)}}
    height, width = (-(-(span[1] - span[0]) // factor) for span, factor in zip((cut.y, cut.x), cut.factor[1:], strict=True))
    bounds = _bounds(geometry, transform)
    if bounds is not None and (bounds[0] >= width or bounds[1] >= height or bounds[2] < 0 or bounds[3] < 0):
        return None
    z = None if shape.z is None or cut.projected else int((shape.z - cut.z[0]) / cut.factor[0])
    t = None if shape.t is None else shape.t - cut.t[0]
    c = None if shape.c is None else cut.channels.index(shape.c)
    return replace(shape, geometry=geometry, t=t, c=c, z=z)


def _transform(geometry: Mapping[str, str]) -> Affine | None:
    try:
        a00, a10, a01, a11, a02, a12 = (float(geometry[key]) for key in _TRANSFORM)
        return a00, a10, a01, a11, a02, a12
    except (KeyError, ValueError):
        return None


def _moved_transform(transform: Affine, cut: Cut) -> Affine:
    y_factor, x_factor = cut.factor[1:]
    a00, a10, a01, a11, a02, a12 = transform
    return a00 / x_factor, a10 / y_factor, a01 / x_factor, a11 / y_factor, (a02 - cut.x[0]) / x_factor, (a12 - cut.y[0]) / y_factor


def _place(key: str, value: str, cut: Cut) -> str:
    y_factor, x_factor = cut.factor[1:]
    if key == "Points":
        numbers = [float(number) for number in _NUMBER.findall(value)]
        pairs = zip(numbers[::2], numbers[1::2], strict=False)
        return " ".join(f"{_text((x - cut.x[0]) / x_factor)},{_text((y - cut.y[0]) / y_factor)}" for x, y in pairs)
    if not _NUMBER.fullmatch(value.strip()):
        return value
    number = float(value)
    if key in _ALONG_X:
        return _text((number - cut.x[0]) / x_factor)
    if key in _ALONG_Y:
        return _text((number - cut.y[0]) / y_factor)
    if key in _WIDE:
        return _text(number / x_factor)
    return _text(number / y_factor) if key in _HIGH else value


def _text(number: float) -> str:
    return f"{number:.10g}"


def _bounds(geometry: Mapping[str, str], transform: Affine | None) -> tuple[float, float, float, float] | None:
    """Left, top, right and bottom; None where a coordinate is missing or is no number."""
    try:
        if "Points" in geometry:
            numbers = [float(number) for number in _NUMBER.findall(geometry["Points"])]
            xs, ys = numbers[::2], numbers[1::2]
        elif "X1" in geometry:
            xs, ys = ([float(geometry[f"{axis}{end}"]) for end in "12"] for axis in "XY")
        else:
            x, y = float(geometry["X"]), float(geometry["Y"])
            wide, high = float(geometry.get("Width", 0)), float(geometry.get("Height", 0))
            across, down = float(geometry.get("RadiusX", 0)), float(geometry.get("RadiusY", 0))
            corners = list(product((x - across, x + wide + across), (y - down, y + high + down)))
            xs, ys = [corner[0] for corner in corners], [corner[1] for corner in corners]
        if transform is not None:
            a00, a10, a01, a11, a02, a12 = transform
            points = list(zip(xs, ys, strict=True))
            xs, ys = [a00 * x + a01 * y + a02 for x, y in points], [a10 * x + a11 * y + a12 for x, y in points]
        return min(xs), min(ys), max(xs), max(ys)
    except (KeyError, ValueError):
        return None
