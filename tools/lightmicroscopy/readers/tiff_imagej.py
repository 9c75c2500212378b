"""ImageJ's metadata: calibration, display settings, labels, drawn regions."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ..image import Channel, Quantity
from ..metadata.ome_units import NOT_LENGTHS, spell_unit
from .tiff_plain import resolution
from .tiff_roi import decode_roi

if TYPE_CHECKING:
    from ..image import ImageMetadata, Roi

_SECONDS = {"s": 1.0, "sec": 1.0, "second": 1.0, "seconds": 1.0, "ms": 1e-3, "msec": 1e-3, "min": 60.0, "minute": 60.0, "h": 3600.0, "hour": 3600.0}
_BINARY = ("ROI", "Overlays", "LUTs", "Plot", "Info", "Labels", "Properties")
_LONGEST = 1 << 20
_LUT_ENTRIES = 256


def metadata(tiff: Any, known: ImageMetadata, sizes: tuple[int, int, int]) -> tuple[ImageMetadata, tuple[str, ...]]:
    """Add what ImageJ wrote to what the baseline tags say.

    The resolution tags count pixels per the unit of the ImageJ description. Calibration functions are kept among the
    original metadata and never applied.

    Parameters
    ----------
    sizes
        Extent along T, C and Z.
    """
    facts: dict[str, Any] = tiff.imagej_metadata or {}
    page = tiff.pages.first
    warnings: list[str] = []
    unit = _unit(facts, warnings)
    size_x, size_y = _size(resolution(page, 282), unit), _size(resolution(page, 283), unit)
    spacing = _number(facts.get("spacing"))
    size_z = Quantity(spacing, unit) if unit and spacing and sizes[2] > 1 else None
    if spacing and spacing < 0:
        warnings.append("The slice spacing is negative: slices were taken in descending order. Their order was kept.")
    if facts.get("cf") is not None:
        warnings.append("ImageJ would show these pixels through a calibration function; the values are as stored, the function is kept as metadata.")
    rois = _rois(facts, warnings)
    return (
        replace(
            known,
            pixel_size_x=size_x,
            pixel_size_y=size_y,
            pixel_size_z=size_z,
            time_increment_s=_interval(facts) if sizes[0] > 1 else None,
            channels=_channels(facts, sizes[1]),
            rois=rois,
            original=known.original + _original(facts),
        ),
        tuple(warnings),
    )


def _unit(facts: dict[str, Any], warnings: list[str]) -> str | None:
    text = str(facts.get("unit") or "").strip()
    text = re.sub(r"\\u([0-9a-fA-F]{4})", lambda match: chr(int(match[1], 16)), text)
    # No microscope measures in megametres: what is spelt "Mm" is a millimetre.
    unit = spell_unit(text.lower(), "length") or spell_unit(text, "length")
    if unit in NOT_LENGTHS:
        return None
    if unit is None and text and text.lower() != "null":
        warnings.append(f"ImageJ's unit of length {text!r} is not known; the pixel size was left unknown.")
    return unit


def _size(per_unit: float | None, unit: str | None) -> Quantity | None:
    return Quantity(1 / per_unit, unit) if per_unit and unit else None


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) < float("inf") else None


def _interval(facts: dict[str, Any]) -> float | None:
    interval = _number(facts.get("finterval"))
    factor = _SECONDS.get(str(facts.get("tunit") or "s").strip().lower())
    return interval * factor if interval and interval > 0 and factor else None


def _channels(facts: dict[str, Any], count: int) -> tuple[Channel, ...]:
    tables = facts.get("LUTs")
    tables = [] if tables is None else tables if isinstance(tables, list) else [tables]
    ranges = facts.get("Ranges") or ()
    channels = []
    for number in range(count):
        window = tuple(ranges[2 * number : 2 * number + 2])
        if len(window) < 2 and count == 1:
            window = tuple(value for value in (_number(facts.get("min")), _number(facts.get("max"))) if value is not None)
        color = _color(tables[number]) if number < len(tables) else None
        channels.append(Channel(color=color, window=(float(window[0]), float(window[1])) if len(window) == 2 and window[0] < window[1] else None))
    return tuple(channels) if any(channel != Channel() for channel in channels) else ()


def _color(table: Any) -> int | None:
    """Colour of a table that runs from black to it, as signed RGBA; None for grey and for tables of many colours."""
    if table.shape != (3, _LUT_ENTRIES) or table[:, 0].any():
        return None
    top = [int(value) for value in table[:, -1]]
    middle = [int(value) for value in table[:, _LUT_ENTRIES // 2]]
    if top in ([255, 255, 255], [0, 0, 0]) or any(abs(half * 2 - full) > 8 for half, full in zip(middle, top, strict=True)):
        return None
    value = top[0] << 24 | top[1] << 16 | top[2] << 8 | 255
    return value - (1 << 32) if value >= 1 << 31 else value


def _rois(facts: dict[str, Any], warnings: list[str]) -> tuple[Roi, ...]:
    found = facts.get("Overlays")
    blobs = [] if found is None else found if isinstance(found, list) else [found]
    if isinstance(facts.get("ROI"), bytes):
        blobs = [facts["ROI"], *blobs]
    rois, lost = [], 0
    for blob in blobs:
        roi = decode_roi(blob)
        if roi is None:
            lost += 1
        else:
            rois.append(roi)
    if lost:
        warnings.append(f"{lost} of {len(blobs)} regions drawn in ImageJ are of a kind that OME-XML cannot hold or that is not read; they are lost.")
    return tuple(rois)


def _original(facts: dict[str, Any]) -> tuple[tuple[str, str], ...]:
    pairs = [(str(key), str(value)[:_LONGEST]) for key, value in facts.items() if key not in _BINARY]
    properties = facts.get("Properties")
    if isinstance(properties, dict):
        pairs += [(str(key), str(value)[:_LONGEST]) for key, value in properties.items()]
    labels = facts.get("Labels")
    if labels is not None:
        pairs += [(f"Label {number}", str(label)) for number, label in enumerate([labels] if isinstance(labels, str) else labels, 1) if label]
    info = facts.get("Info")
    if isinstance(info, str):
        pairs += [_pair(line) for line in info[:_LONGEST].splitlines() if line.strip()]
    return tuple(pairs)


def _pair(line: str) -> tuple[str, str]:
    key, separator, value = line.partition("=") if "=" in line else line.partition(": ")
    return (key.strip(), value.strip()) if separator else ("Info", line.strip())
