"""Regions of interest in OME-XML."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, cast

from ..image import Roi, RoiShape
from .ome_xml import Values, all_text, children, first_child, local_name, new, put

if TYPE_CHECKING:
    from lxml import etree

ShapeType = Literal["Point", "Line", "Polyline", "Polygon", "Rectangle", "Ellipse", "Label", "Mask"]

GEOMETRY: Final[dict[str, tuple[str, ...]]] = {
    "Point": ("X", "Y"),
    "Line": ("X1", "Y1", "X2", "Y2", "MarkerStart", "MarkerEnd"),
    "Polyline": ("Points", "MarkerStart", "MarkerEnd"),
    "Polygon": ("Points",),
    "Rectangle": ("X", "Y", "Width", "Height"),
    "Ellipse": ("X", "Y", "RadiusX", "RadiusY"),
    "Label": ("X", "Y"),
    "Mask": ("X", "Y", "Width", "Height"),
}
"""Attributes that place each type of shape."""
TRANSFORM: Final = ("A00", "A10", "A01", "A11", "A02", "A12")
"""Attributes of Transform: x' = A00 x + A01 y + A02, y' = A10 x + A11 y + A12."""
_BITS: Final = ("BigEndian", "Length", "Compression")


def read_roi(element: etree._Element, values: Values) -> Roi | None:
    """Read one ROI; None if it holds no shape this model knows."""
    shapes = [shape for union in children(element, "Union") for child in children(union) if (shape := _read_shape(child, values)) is not None]
    if not shapes:
        return None
    return Roi(tuple(shapes), values.text(element, "Name"), all_text(first_child(element, "Description")))


def _read_shape(element: etree._Element, values: Values) -> RoiShape | None:
    name = local_name(element)
    if name not in GEOMETRY:
        values.note(element, "shape", name, "is of a type this suite does not know")
        return None
    geometry = {key: value for key in GEOMETRY[name] if (value := element.get(key)) is not None}
    transform = first_child(element, "Transform")
    if transform is not None and all(values.number(transform, key) is not None for key in TRANSFORM):
        geometry |= {f"Transform {key}": transform.get(key, "") for key in TRANSFORM}
    bits = first_child(element, "BinData") if name == "Mask" else None
    if bits is not None:
        geometry["BinData"] = all_text(bits) or ""
        geometry |= {f"BinData {key}": value for key in _BITS if (value := bits.get(key)) is not None}
    return RoiShape(
        type=cast("ShapeType", name),
        geometry=geometry,
        text=values.text(element, "Text"),
        t=values.integer(element, "TheT", at_least=0),
        c=values.integer(element, "TheC", at_least=0),
        z=values.integer(element, "TheZ", at_least=0),
        stroke_color=values.integer(element, "StrokeColor"),
        fill_color=values.integer(element, "FillColor"),
    )


def build_roi(roi: Roi, like: etree._Element | None = None) -> etree._Element:
    """Make a ROI element, its ids still to be set.

    Parameters
    ----------
    roi
        What decides.
    like
        A copy of the source's element for the same ROI: what `roi` does not say (line widths, fonts, locks) stays.
    """
    element = new("ROI") if like is None else like
    put(element, "Name", roi.name)
    union = first_child(element, "Union")
    old = list(children(union))
    fits = [local_name(shape) for shape in old] == [shape.type for shape in roi.shapes]
    if union is not None:
        element.remove(union)
    union = new("Union")
    element.insert(0, union)
    for index, shape in enumerate(roi.shapes):
        union.append(_build_shape(shape, old[index] if fits else None))
    description = first_child(element, "Description")
    if description is not None:
        element.remove(description)
    if roi.description:
        element.append(new("Description", text=roi.description))
    return element


def _build_shape(shape: RoiShape, like: etree._Element | None) -> etree._Element:
    element = new(shape.type) if like is None else like
    for key in GEOMETRY[shape.type]:
        put(element, key, shape.geometry.get(key))
    for old in list(children(element, "Transform", "BinData")):
        element.remove(old)
    if f"Transform {TRANSFORM[0]}" in shape.geometry:
        element.insert(0, new("Transform", [(key, shape.geometry.get(f"Transform {key}")) for key in TRANSFORM]))
    if shape.type == "Mask":
        element.append(new("BinData", [(key, shape.geometry.get(f"BinData {key}")) for key in _BITS], shape.geometry.get("BinData", "")))
    put(element, "Text", shape.text)
    for key, number in (
        ("TheT", shape.t),
        ("TheC", shape.c),
        ("TheZ", shape.z),
        ("StrokeColor", shape.stroke_color),
        ("FillColor", shape.fill_color),
    ):
        put(element, key, number)
    return element
