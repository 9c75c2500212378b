"""ImageJ's regions of interest, from the bytes it keeps in TIFF files.

The layout follows ImageJ's RoiDecoder (ij/io/RoiDecoder.java, public domain): big-endian, a 64-byte header, coordinates
relative to the bounding box, a second header with the plane the region belongs to.
"""

from __future__ import annotations

import struct
from typing import Literal

from ..image import Roi, RoiShape

_POLYGON, _RECTANGLE, _OVAL, _LINE, _FREELINE, _POLYLINE, _NO_ROI, _FREEHAND, _TRACED, _ANGLE, _POINT = range(11)
_HEADER = 64
_SUB_PIXEL = 128
_MAX_POINTS = 1_000_000

Outline = tuple[Literal["Point", "Line", "Polyline", "Polygon", "Rectangle", "Ellipse"], dict[str, str]]


def decode_roi(data: bytes) -> Roi | None:
    """One region, or None where its kind (text, composite, image) or its bytes are not understood."""
    try:
        return _decode(data)
    except (struct.error, UnicodeDecodeError, ValueError):
        return None


def _decode(data: bytes) -> Roi | None:
    if data[:4] != b"Iout" or len(data) < _HEADER:
        return None
    version, kind = struct.unpack_from(">hB", data, 4)
    top, left, bottom, right, count = struct.unpack_from(">hhhhH", data, 8)
    subtype, options = struct.unpack_from(">hh", data, 48)
    composite, second = struct.unpack_from(">i", data, 36)[0], struct.unpack_from(">i", data, 60)[0]
    if composite or subtype:
        return None
    c, z, t, name = _second_header(data, second)
    stroke = _color(struct.unpack_from(">I", data, 40)[0])
    fill = _color(struct.unpack_from(">I", data, 44)[0])

    box = (float(left), float(top), float(right - left), float(bottom - top))
    sub_pixel = bool(options & _SUB_PIXEL) and version >= 222
    if kind in (_RECTANGLE, _OVAL, _LINE):
        outlines = [_simple(data, kind, box, exact=sub_pixel and version >= 223)]
    else:
        outlines = _drawn(kind, _points(data, count, left, top, sub_pixel))
    shapes = tuple(RoiShape(type_, geometry, text=name, t=t, c=c, z=z, stroke_color=stroke, fill_color=fill) for type_, geometry in outlines)
    return Roi(shapes, name) if shapes else None


def _simple(data: bytes, kind: int, box: tuple[float, ...], *, exact: bool) -> Outline:
    if kind == _LINE:
        ends = struct.unpack_from(">4f", data, 18)
        return "Line", dict(zip(("X1", "Y1", "X2", "Y2"), map(_text, ends), strict=True))
    x, y, width, height = struct.unpack_from(">4f", data, 18) if exact else box
    if kind == _RECTANGLE:
        return "Rectangle", {"X": _text(x), "Y": _text(y), "Width": _text(width), "Height": _text(height)}
    return "Ellipse", {"X": _text(x + width / 2), "Y": _text(y + height / 2), "RadiusX": _text(width / 2), "RadiusY": _text(height / 2)}


def _drawn(kind: int, points: list[tuple[float, float]]) -> list[Outline]:
    if kind == _POINT:
        return [("Point", {"X": _text(x), "Y": _text(y)}) for x, y in points]
    if not points or kind not in (_POLYGON, _FREELINE, _POLYLINE, _FREEHAND, _TRACED, _ANGLE):
        return []
    joined = {"Points": " ".join(f"{_text(x)},{_text(y)}" for x, y in points)}
    return [("Polygon" if kind in (_POLYGON, _FREEHAND, _TRACED) else "Polyline", joined)]


def _points(data: bytes, count: int, left: int, top: int, sub_pixel: bool) -> list[tuple[float, float]]:
    size = count if count else struct.unpack_from(">i", data, 18)[0]
    if not 0 < size <= _MAX_POINTS:
        return []
    if sub_pixel:
        at = _HEADER + 4 * size
        return list(zip(struct.unpack_from(f">{size}f", data, at), struct.unpack_from(f">{size}f", data, at + 4 * size), strict=True))
    xs, ys = struct.unpack_from(f">{size}h", data, _HEADER), struct.unpack_from(f">{size}h", data, _HEADER + 2 * size)
    return [(float(left + x), float(top + y)) for x, y in zip(xs, ys, strict=True)]


def _second_header(data: bytes, at: int) -> tuple[int | None, int | None, int | None, str | None]:
    """Plane (c, z, t; None for all) and name. ImageJ counts planes from 1 and means all by 0."""
    if not _HEADER <= at <= len(data) - 24:
        return None, None, None, None
    c, z, t, name_at, name_length = struct.unpack_from(">5i", data, at + 4)
    name = None
    if name_at > 0 and name_length > 0 and name_at + 2 * name_length <= len(data):
        name = data[name_at : name_at + 2 * name_length].decode("utf-16-be")
    at_c, at_z, at_t = (value - 1 if value > 0 else None for value in (c, z, t))
    return at_c, at_z, at_t, name


def _color(argb: int) -> int | None:
    """ARGB as OME's signed RGBA; None for none."""
    if not argb:
        return None
    rgba = (argb << 8 | argb >> 24) & 0xFFFFFFFF
    return rgba - (1 << 32) if rgba >= 1 << 31 else rgba


def _text(value: float) -> str:
    return f"{value:.6f}".rstrip("0").rstrip(".")
