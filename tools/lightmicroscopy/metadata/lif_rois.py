"""Drawings in a Leica image as OME ROIs.

Their points are in metres from the drawing's own origin, which the transformation scales and moves from the middle of the
image. Bio-Formats' LIFReader reads the same points, but takes micrometres for pixels in the older ``Annotation`` elements, and
leaves out the scale; here both count.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

from ..image import Roi, RoiShape
from .lif_xml import first, integer, number, text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lxml import etree

_ARROW, _FREE, _RECTANGLE, _POLYGON, _LINE, _TEXT, _SCALE_BAR = 2, 8, 16, 32, 256, 512, 8192
_POLYGONS: Final = (_FREE, _POLYGON)
_BOXES: Final = (_RECTANGLE, _TEXT)
_LINES: Final = (_ARROW, _LINE, _SCALE_BAR)
_MOST: Final = 10_000
_MOST_POINTS: Final = 1_000_000
Point = tuple[float, float]


def read_rois(image: etree._Element, size: tuple[int, int], pixel_m: tuple[float | None, float | None]) -> tuple[tuple[Roi, ...], int]:
    """Read the drawings of an image.

    Parameters
    ----------
    size, pixel_m
        Width and height of the image, in pixels; of a pixel, in metres.

    Returns
    -------
    tuple of Roi
        Those that were understood.
    int
        How many were not.
    """
    rois: list[Roi] = []
    lost = 0
    seen: set[str] = set()
    for element in _drawings(image):
        key = _identity(element)
        if key in seen:
            continue
        seen.add(key)
        shape = _shape(element, size, pixel_m)
        if shape is None:
            lost += 1
            continue
        rois.append(Roi((shape,), name=_name(element)))
    return tuple(rois), lost


def _drawings(image: etree._Element) -> Iterator[etree._Element]:
    for index, element in enumerate(image.iter("ROISingle", "Annotation")):
        if index >= _MOST:
            return
        if element.tag == "ROISingle" or element.get("type") is not None:
            yield element


def _identity(element: etree._Element) -> str:
    """One drawing is repeated in each step of a sequence, under the same identifier."""
    holder = next(element.iterancestors("Element"), None)
    known = holder.get("UniqueID") if holder is not None and element.tag == "ROISingle" else None
    return known or str(id(element))


def _name(element: etree._Element) -> str | None:
    if element.tag == "Annotation":
        return text(element.get("name"))
    holder = next(element.iterancestors("Element"), None)
    return text(holder.get("Name")) if holder is not None else None


def _shape(element: etree._Element, size: tuple[int, int], pixel_m: tuple[float | None, float | None]) -> RoiShape | None:
    old = element.tag == "Annotation"
    kind = integer(element.get("type" if old else "RoiType"))
    transformation = element if old else first(element, "Transformation")
    scaling, moved = first(transformation, "Scaling"), first(transformation, "Translation")
    if old:
        scale = (number(element.get("transScalingX")) or 1.0, number(element.get("transScalingY")) or 1.0)
        shift = (number(element.get("transTransX")) or 0.0, number(element.get("transTransY")) or 0.0)
        turn = number(element.get("transRotation")) or 0.0
    else:
        scale = tuple((number(scaling.get(name)) if scaling is not None else None) or 1.0 for name in ("XScale", "YScale"))  # type: ignore[assignment]
        shift = tuple((number(moved.get(name)) if moved is not None else None) or 0.0 for name in ("X", "Y"))  # type: ignore[assignment]
        turn = (number(transformation.get("Rotation")) if transformation is not None else None) or 0.0
    points = _points(element, "Vertex" if old else "P", ("x", "y") if old else ("X", "Y"))
    # The unit of a rotation is nowhere written down.
    if not points or not all(pixel_m) or turn:
        return None
    placed = [
        (
            (x * scale[0] + shift[0]) / (pixel_m[0] or 1) + size[0] / 2,
            (y * scale[1] + shift[1]) / (pixel_m[1] or 1) + size[1] / 2,
        )
        for x, y in points
    ]
    outline = _outline(kind, placed, corner_only=len(points) == 1)
    color = integer(element.get("color" if old else "Color"))
    label = text(element.get("text" if old else "AnnotationText"))
    return RoiShape(outline[0], outline[1], text=label, stroke_color=_rgba(color)) if outline else None


def _points(element: etree._Element, tag: str, names: tuple[str, str]) -> list[Point]:
    found = []
    for vertex, _ in zip(element.iter(tag), range(_MOST_POINTS), strict=False):
        x, y = number(vertex.get(names[0])), number(vertex.get(names[1]))
        if x is not None and y is not None:
            found.append((x, y))
    return found


_Outline = tuple[Literal["Polygon", "Rectangle", "Line"], dict[str, str]]


def _outline(kind: int | None, points: Sequence[Point], *, corner_only: bool) -> _Outline | None:
    if kind in _LINES and len(points) == 2:
        return "Line", {"X1": _text(points[0][0]), "Y1": _text(points[0][1]), "X2": _text(points[1][0]), "Y2": _text(points[1][1])}
    if kind in _BOXES and not corner_only and _is_box(points):
        left, right = min(x for x, _ in points), max(x for x, _ in points)
        top, bottom = min(y for _, y in points), max(y for _, y in points)
        return "Rectangle", {"X": _text(left), "Y": _text(top), "Width": _text(right - left), "Height": _text(bottom - top)}
    if kind in (*_POLYGONS, *_BOXES) and len(points) > 2:
        return "Polygon", {"Points": " ".join(f"{_text(x)},{_text(y)}" for x, y in points)}
    return None


def _is_box(points: Sequence[Point]) -> bool:
    """Whether the points are two opposite corners, or the four of an upright rectangle."""
    sides = len({round(x, 6) for x, _ in points}), len({round(y, 6) for _, y in points})
    return len(points) in (2, 4, 5) and sides == (2, 2)


def _text(value: float) -> str:
    return f"{value:.6g}" if abs(value) < 1 else f"{value:.10g}"


def _rgba(color: int | None) -> int | None:
    """Windows' 0xAARRGGBB as OME's signed RGBA."""
    if color is None or not 0 <= color < 1 << 32:
        return None
    value = (color & 0xFFFFFF) << 8 | 0xFF
    return value - (1 << 32) if value >= 1 << 31 else value
