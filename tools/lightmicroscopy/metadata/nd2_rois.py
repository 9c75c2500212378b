"""Regions drawn in NIS-Elements, as OME ROIs.

NIS-Elements keeps a region's centre and size relative to the image: -1 to 1 from the left (top) edge to the right (bottom) one, so
that a size of 2 is the whole image; corners are relative to the centre. That is what its maker says (tlambert03/nd2 issue 232, by
an engineer of Nikon), and what a rectangle drawn into a corner in issue 182 confirms. Angles are in degrees, taken clockwise.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, Final

from ..image import Roi, RoiShape
from ..readers.nd2_variant import Tree, branch, number, text, whole

if TYPE_CHECKING:
    from collections.abc import Iterator

_POINT, _RECTANGLE, _ELLIPSE, _POLYGON, _BEZIER, _LINE, _POLYLINE, _CIRCLE, _SQUARE, _RING = range(2, 12)
_BOXES: Final = (_RECTANGLE, _SQUARE)
_ROUND: Final = (_ELLIPSE, _CIRCLE, _RING)
_MOST: Final = 100_000


def read_rois(tree: Tree, position: int, width: int, height: int) -> tuple[tuple[Roi, ...], tuple[str, ...]]:
    """Regions of one position.

    Parameters
    ----------
    tree
        What the chunk ``RoiMetadata_v1`` holds.

    Returns
    -------
    tuple
        The regions, and what is lost of them, as parts of sentences.
    """
    rois: list[Roi] = []
    losses: dict[str, None] = {}
    for stored in _stored(branch(tree, "RoiMetadata_v1") or tree, position):
        roi, lost = _roi(stored, width, height)
        losses |= dict.fromkeys(lost)
        if roi is not None:
            rois.append(roi)
    return tuple(rois), tuple(losses)


def _stored(tree: Tree, position: int) -> Iterator[Tree]:
    for index in range(min(whole(tree, "Global_Size") or 0, _MOST)):
        yield branch(tree, f"Global_{index}")
    own = branch(tree, f"2PerMPoint_{position}")
    for index in range(min(whole(own, "Size") or 0, _MOST)):
        yield branch(own, str(index))


def _roi(stored: Tree, width: int, height: int) -> tuple[Roi | None, tuple[str, ...]]:
    info = branch(stored, "Info")
    key = branch(stored, "AnimParams_0")
    kind = whole(info, "ShapeType")
    if not key:
        return None, ("regions without a place",)
    losses = []
    if (whole(stored, "AnimParams_Size") or 1) > 1:
        losses.append("how regions move and change with time (their first place is kept)")
    shape = _shape(kind or 0, key, width / 2, height / 2)
    if shape is None:
        return None, ("regions that are masks, spirals or of an unknown kind",)
    outline, geometry, centre = shape
    angle = number(key, "RotationZ") or 0.0
    if angle % 360:
        geometry |= _turned(math.radians(angle), *centre)
        losses.append("the sense in which regions are turned, which ND2 does not tell (clockwise was taken)")
    if kind == _RING:
        losses.append("the inner circle of rings")
    if kind == _BEZIER:
        losses.append("the curvature of Bezier regions (their corners are kept)")
    name = text(info, "Label")
    color = whole(info, "Color")
    drawn = RoiShape(outline, geometry, text=name, stroke_color=_color(color))  # type: ignore[arg-type]
    return Roi((drawn,), name), tuple(losses)


def _shape(kind: int, key: Tree, half_x: float, half_y: float) -> tuple[str, dict[str, str], tuple[float, float]] | None:
    """OME's name, the geometry in pixels, and the centre."""
    x = half_x + half_x * (number(key, "CenterX") or 0.0)
    y = half_y + half_y * (number(key, "CenterY") or 0.0)
    box = branch(key, "BoxShape")
    wide, high = half_x * (number(box, "SizeX") or 0.0), half_y * (number(box, "SizeY") or 0.0)
    if kind == _POINT:
        return "Point", {"X": _text(x), "Y": _text(y)}, (x, y)
    if kind in _BOXES and wide > 0 and high > 0:
        return "Rectangle", {"X": _text(x - wide / 2), "Y": _text(y - high / 2), "Width": _text(wide), "Height": _text(high)}, (x, y)
    if kind in _ROUND and wide > 0 and high > 0:
        return "Ellipse", {"X": _text(x), "Y": _text(y), "RadiusX": _text(wide / 2), "RadiusY": _text(high / 2)}, (x, y)
    points = [(x + half_x * dx, y + half_y * dy) for dx, dy in _corners(branch(key, "ExtrudedShape"))]
    if kind == _LINE and len(points) == 2:
        (x1, y1), (x2, y2) = points
        return "Line", {"X1": _text(x1), "Y1": _text(y1), "X2": _text(x2), "Y2": _text(y2)}, (x, y)
    if kind in (_POLYGON, _BEZIER, _POLYLINE, _LINE) and len(points) > 1:
        closed = kind in (_POLYGON, _BEZIER)
        return "Polygon" if closed else "Polyline", {"Points": " ".join(f"{_text(px)},{_text(py)}" for px, py in points)}, (x, y)
    return None


def _corners(shape: Tree) -> list[tuple[float, float]]:
    found = []
    for index in range(min(whole(shape, "BasePoints_Size") or 0, _MOST)):
        values: list[Any] = list(branch(shape, f"BasePoints_{index}").values())[:2]
        if len(values) == 2 and all(isinstance(value, (int, float)) and math.isfinite(value) for value in values):
            found.append((float(values[0]), float(values[1])))
    return found


def _turned(angle: float, x: float, y: float) -> dict[str, str]:
    cos, sin = math.cos(angle), math.sin(angle)
    numbers = {"A00": cos, "A10": sin, "A01": -sin, "A11": cos, "A02": x - cos * x + sin * y, "A12": y - sin * x - cos * y}
    return {f"Transform {name}": _text(value) for name, value in numbers.items()}


def _color(bgr: int | None) -> int | None:
    if bgr is None:
        return None
    value = (bgr & 255) << 24 | (bgr >> 8 & 255) << 16 | (bgr >> 16 & 255) << 8 | 255
    return value - (1 << 32) if value >= 1 << 31 else value


def _text(value: float) -> str:
    return f"{value:.6f}".rstrip("0").rstrip(".")
