"""Regions of interest that the IDR knows of an image, as OMERO's JSON API gives them.

Coordinates are pixels of the full image. Sources: encoders of shapes in ome/omero-marshal (schema 2016-06), which leave out what is null
and, of a mask, its bytes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, cast

from ..errors import ArchiveError
from ..image import Roi, RoiShape
from ..metadata.ome_rois import GEOMETRY, TRANSFORM
from .idr_record import quantity
from .untrusted import LARGEST_ID, line, mapping, number, sequence, whole

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from ..metadata.ome_rois import ShapeType
    from .idr import Idr
    from .idr_plan import Planned

MOST_SHAPES: Final = 200_000
"""Shapes of one image."""
MOST_POINTS: Final = 1_000_000
"""Characters of the corners of one polygon."""
MOST_TEXT: Final = 64 * 1024 * 1024
"""Characters of all shapes of one image."""
ROIS: Final = (
    "image_id",
    "roi_id",
    "roi_name",
    "shape_id",
    "type",
    "z",
    "c",
    "t",
    "x",
    "y",
    "width",
    "height",
    "radius_x",
    "radius_y",
    "x1",
    "y1",
    "x2",
    "y2",
    "points",
    "transform",
    "unit",
    "text",
    "stroke_color",
    "fill_color",
    "stroke_width",
    "stroke_width_unit",
    "loss",
)
"""Columns of the table of regions."""
NO_BITS: Final = "The IDR gives the box of this mask and not its pixels. Its label maps, where it has some, hold them."
UNKNOWN: Final = "This suite does not know shapes of this type."
_AT_ONCE: Final = 200
_OLD_POINTS: Final = re.compile(r"points\[([^\]]*)\]")
_LARGEST: Final = 2**31 - 1
_COLUMNS: Final = {
    "X": "x",
    "Y": "y",
    "Width": "width",
    "Height": "height",
    "RadiusX": "radius_x",
    "RadiusY": "radius_y",
    "X1": "x1",
    "Y1": "y1",
    "X2": "x2",
    "Y2": "y2",
}


@dataclass(frozen=True, slots=True)
class Shape:
    """One shape, and what the IDR says of it beyond `RoiShape`.

    Attributes
    ----------
    shape
        None if it cannot be drawn; `loss` then says why.
    kind
        What the IDR calls it.
    stroke_width
        Value and unit.
    """

    id: int | None
    kind: str
    geometry: Mapping[str, str]
    text: str
    planes: tuple[int | None, int | None, int | None]
    colors: tuple[int | None, int | None]
    stroke_width: tuple[float | None, str]
    shape: RoiShape | None
    loss: str = ""


@dataclass(frozen=True, slots=True)
class Region:
    """A region of interest of an image: one shape, or several that belong together."""

    id: int
    name: str
    shapes: tuple[Shape, ...]


def read_regions(idr: Idr, image: int) -> tuple[Region, ...]:
    """Ask for all regions of an image, in the server's order.

    Raises
    ------
    ArchiveError
        If there are too many, or the answer is no such list.
    """
    found: list[Region] = []
    shapes = length = 0
    for roi in idr.listed(f"images/{image}/rois", f"the regions of interest of image {image}", _AT_ONCE):
        drawn = tuple(_shape(mapping(shape)) for shape in sequence(roi.get("shapes"))[: MOST_SHAPES + 1])
        shapes += max(1, len(drawn))
        length += sum(len(shape.text) + sum(map(len, shape.geometry.values())) for shape in drawn)
        if shapes > MOST_SHAPES or length > MOST_TEXT:
            raise ArchiveError(
                f"Image {image} of the IDR has more than {MOST_SHAPES:,} regions of interest, or {MOST_TEXT:,} characters of them. "
                "Leave it out, or leave the regions out."
            )
        found.append(Region(int(roi["@id"]), line(roi.get("Name")), drawn))
    return tuple(found)


def drawn(regions: tuple[Region, ...]) -> tuple[Roi, ...]:
    """Regions as OME has them, without what cannot be drawn."""
    rois = (Roi(tuple(shape.shape for shape in region.shapes if shape.shape is not None), region.name or None) for region in regions)
    return tuple(roi for roi in rois if roi.shapes)


def losses(regions: tuple[Region, ...]) -> Iterator[str]:
    """Say what cannot be drawn, a sentence for each reason."""
    counted: dict[str, int] = {}
    for region in regions:
        for shape in region.shapes:
            if shape.loss:
                counted[shape.loss] = counted.get(shape.loss, 0) + 1
    for loss, count in counted.items():
        what = "1 region of interest is" if count == 1 else f"{count:,} regions of interest are"
        yield f"{what} in the table only: {loss}"


def roi_rows(planned: Planned) -> Iterator[Mapping[str, object]]:
    """Rows of the table of regions, one per shape; a region without shapes has one too."""
    for region in planned.regions:
        common = {"image_id": planned.record.id, "roi_id": region.id, "roi_name": region.name}
        if not region.shapes:
            yield common | {"loss": "The IDR gives no shape of it."}
        for shape in region.shapes:
            yield common | _cells(shape)


def _cells(shape: Shape) -> dict[str, object]:
    z, c, t = shape.planes
    stroke, fill = shape.colors
    width, unit = shape.stroke_width
    return {
        "shape_id": shape.id,
        "type": shape.kind,
        "z": z,
        "c": c,
        "t": t,
        **{column: shape.geometry.get(key) for key, column in _COLUMNS.items()},
        "points": shape.geometry.get("Points"),
        "transform": " ".join(shape.geometry[f"Transform {key}"] for key in TRANSFORM) if f"Transform {TRANSFORM[0]}" in shape.geometry else None,
        "unit": "pixel",
        "text": shape.text,
        "stroke_color": _hex(stroke),
        "fill_color": _hex(fill),
        "stroke_width": width,
        "stroke_width_unit": unit,
        "loss": shape.loss,
    }


def _hex(color: int | None) -> str | None:
    """OME's signed RGBA as ``#RRGGBBAA``."""
    return None if color is None else f"#{color & 0xFFFFFFFF:08X}"


def _shape(stated: Mapping[str, Any]) -> Shape:
    kind = line(stated.get("@type"), 200).rpartition("#")[2][:60]
    z, c, t = (whole(stated.get(key), 0, _LARGEST) for key in ("TheZ", "TheC", "TheT"))
    stroke, fill = (_color(stated.get(key)) for key in ("StrokeColor", "FillColor"))
    label = line(stated.get("Text"))
    width = quantity(stated.get("StrokeWidth"), "length")
    geometry = _geometry(kind, stated)
    loss = _loss(kind, geometry)
    shape = None
    if not loss:
        shape = RoiShape(cast("ShapeType", kind), geometry, label or None, t, c, z, stroke, fill)
    pen = (number(mapping(stated.get("StrokeWidth")).get("Value")), width.unit if width else "")
    return Shape(whole(stated.get("@id"), 1, LARGEST_ID), kind, geometry, label, (z, c, t), (stroke, fill), pen, shape, loss)


def _geometry(kind: str, stated: Mapping[str, Any]) -> dict[str, str]:
    found: dict[str, str] = {}
    for key in GEOMETRY.get(kind, (*_COLUMNS, "Points")):
        value = stated.get(key)
        amount = number(value)
        if amount is not None:
            found[key] = f"{amount:.10g}"
        elif isinstance(value, str) and key in ("Points", "MarkerStart", "MarkerEnd") and len(value) <= MOST_POINTS:
            found[key] = _plain(line(value, MOST_POINTS))
    transform = mapping(stated.get("Transform"))
    numbers = [number(transform.get(key)) for key in TRANSFORM]
    if all(value is not None for value in numbers):
        found |= {f"Transform {key}": f"{value:.10g}" for key, value in zip(TRANSFORM, numbers, strict=True)}
    return found


def _plain(points: str) -> str:
    """Corners without the brackets that OMERO wrote around them before 5.3, each list of them four times."""
    match = _OLD_POINTS.match(points)
    return match[1] if match else points


def _loss(kind: str, geometry: Mapping[str, str]) -> str:
    if kind not in GEOMETRY:
        return UNKNOWN
    if kind == "Mask":
        return NO_BITS
    missing = [key for key in GEOMETRY[kind] if key not in geometry and not key.startswith("Marker")]
    return f"The IDR states no usable {missing[0]} of it." if missing else ""


def _color(stated: Any) -> int | None:
    value = whole(stated, -(2**31), 2**32 - 1)
    return value - 2**32 if value is not None and value >= 2**31 else value
