"""Drawings of Zeiss CZI (its ``Layers``) as regions of interest in OME terms.

Coordinates are pixels of the whole image from its top left corner, as Bio-Formats takes them.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from typing import TYPE_CHECKING, Final, Literal

from ..image import Roi, RoiShape
from .czi_xml import find, number_of, text_of
from .ome_xml import children, local_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lxml import etree

Shape = Literal["Point", "Line", "Polyline", "Polygon", "Rectangle", "Ellipse"]

KINDS: Final[dict[str, Shape]] = {
    "Line": "Line",
    "OpenArrow": "Line",
    "ClosedArrow": "Line",
    "Rectangle": "Rectangle",
    "AlignedRectangle": "Rectangle",
    "RectRoi": "Rectangle",
    "TextBox": "Rectangle",
    "Text": "Rectangle",
    "Ellipse": "Ellipse",
    "Circle": "Ellipse",
    "InOutCircle": "Ellipse",
    "OutInCircle": "Ellipse",
    "PointsCircle": "Ellipse",
    "Polygon": "Polygon",
    "ClosedPolyline": "Polygon",
    "Bezier": "Polygon",
    "ClosedBezier": "Polygon",
    "Polyline": "Polyline",
    "OpenPolyline": "Polyline",
    "OpenBezier": "Polyline",
    "Point": "Point",
}
"""Which shape each of ZEN's graphic elements becomes; a Cross becomes two lines. The points of Bézier curves are joined by lines."""
_MOST: Final = 100_000
_POINTS: Final = re.compile(r"\s*-?[\d.]+(?:[eE][-+]?\d+)?,-?[\d.]+(?:[eE][-+]?\d+)?(?:\s+-?[\d.]+(?:[eE][-+]?\d+)?,-?[\d.]+(?:[eE][-+]?\d+)?)*\s*")
_FULL_TURN: Final = 360.0


def read_drawings(root: etree._Element | None) -> tuple[tuple[Roi, ...], tuple[str, ...]]:
    """Read all drawings of a file.

    Returns
    -------
    tuple of Roi
        One for each drawn element, named as its layer.
    tuple of str
        A sentence for each kind of element that OME has no shape for.
    """
    rois: list[Roi] = []
    lost: Counter[str] = Counter()
    for layer in children(find(root, "Metadata/Layers"), "Layer"):
        name = layer.get("Name", "").strip() or None
        usage = text_of(layer, "Usage")
        for element in children(find(layer, "Elements")):
            shapes = tuple(_shapes(element))
            if not shapes or len(rois) >= _MOST:
                lost[local_name(element)] += 1
                continue
            rois.append(Roi(shapes, name, usage))
    told = tuple(
        f"{count} drawings of the kind {kind} have no counterpart among OME's regions of interest; they are lost." for kind, count in lost.items()
    )
    return tuple(rois), told


def _shapes(element: etree._Element) -> Iterator[RoiShape]:
    kind = local_name(element)
    geometry, attributes = find(element, "Geometry"), find(element, "Attributes")
    text = text_of(element, "TextElements/TextElement/Text") or text_of(element, "TextElements/Text")
    stroke = _color(text_of(attributes, "Stroke"))
    numbers = {
        name: number_of(text_of(geometry, name))
        for name in (
            "X",
            "Y",
            "X1",
            "Y1",
            "X2",
            "Y2",
            "Left",
            "Top",
            "Width",
            "Height",
            "CenterX",
            "CenterY",
            "Radius",
            "RadiusX",
            "RadiusY",
            "Length",
        )
    }
    for shape, placed in _placed(kind, numbers, text_of(geometry, "Points")):
        turned = _turned(placed, number_of(text_of(geometry, "Rotation") or text_of(attributes, "Rotation")), shape)
        yield RoiShape(shape, {name: value if isinstance(value, str) else repr(value) for name, value in turned.items()}, text, stroke_color=stroke)


def _placed(kind: str, numbers: dict[str, float | None], points: str | None) -> Iterator[tuple[Shape, dict[str, float | str]]]:
    """Shapes with OME's attributes; none where the geometry is incomplete."""

    def all_of(*names: str) -> list[float] | None:
        values = [numbers[name] for name in names]
        return [value for value in values if value is not None] if None not in values else None

    shape = KINDS.get(kind)
    if kind == "Cross" and (found := all_of("CenterX", "CenterY", "Length")):
        x, y, half = found[0], found[1], found[2] / 2
        yield "Line", {"X1": x - half, "Y1": y, "X2": x + half, "Y2": y}
        yield "Line", {"X1": x, "Y1": y - half, "X2": x, "Y2": y + half}
    elif shape == "Line" and (found := all_of("X1", "Y1", "X2", "Y2")):
        line: dict[str, float | str] = dict(zip(("X1", "Y1", "X2", "Y2"), found, strict=True))
        yield shape, line | ({"MarkerEnd": "Arrow"} if "Arrow" in kind else {})
    elif shape == "Rectangle" and (found := all_of("Left", "Top", "Width", "Height")):
        yield shape, dict(zip(("X", "Y", "Width", "Height"), found, strict=True))
    elif shape == "Ellipse" and (found := all_of("CenterX", "CenterY", "RadiusX", "RadiusY") or all_of("CenterX", "CenterY", "Radius", "Radius")):
        yield shape, dict(zip(("X", "Y", "RadiusX", "RadiusY"), found, strict=True))
    elif shape == "Point" and (found := all_of("X", "Y") or all_of("CenterX", "CenterY")):
        yield shape, dict(zip(("X", "Y"), found, strict=True))
    elif shape in ("Polygon", "Polyline") and points and _POINTS.fullmatch(points):
        yield shape, {"Points": " ".join(points.split())}


def _turned(placed: dict[str, float | str], degrees: float | None, shape: Shape) -> dict[str, float | str]:
    """Turn a rectangle or ellipse around its middle."""
    if not degrees or degrees % _FULL_TURN == 0 or shape not in ("Rectangle", "Ellipse"):
        return placed
    x, y = float(placed["X"]), float(placed["Y"])
    if shape == "Rectangle":
        x, y = x + float(placed["Width"]) / 2, y + float(placed["Height"]) / 2
    cosine, sine = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    six = {"A00": cosine, "A10": sine, "A01": -sine, "A11": cosine, "A02": x - cosine * x + sine * y, "A12": y - sine * x - cosine * y}
    return placed | {f"Transform {name}": value for name, value in six.items()}


def _color(text: str | None) -> int | None:
    """OME's signed RGBA of ``#AARRGGBB``."""
    digits = (text or "").lstrip("#")
    if not re.fullmatch(r"[0-9A-Fa-f]{8}", digits):
        return None
    value = int(digits[2:] + digits[:2], 16)
    return value - (1 << 32) if value >= 1 << 31 else value
