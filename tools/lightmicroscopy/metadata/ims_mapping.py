"""Imaris metadata in OME terms.

Sources: "Imaris 5.5 File Format Description" of Oxford Instruments (imaris.oxinst.com, Imaris file format), the code of
ImarisWriter (what is written when nothing is known), and what Bio-Formats' ImarisHDFReader takes from the same attributes.

===============================================  ============================================================================
DataSetInfo                                      OME
===============================================  ============================================================================
Image / Name, Description                        Image Name, Description; "(name not specified)" and the like say nothing
Image / RecordingDate, else TimeInfo/TimePoint1  AcquisitionDate; the file knows no time zone
Image / ExtMin0..2, ExtMax0..2, Unit             PhysicalSizeX..Z = |ExtMax - ExtMin| / pixels; where it does not begin at 0 also
                                                 PositionX..Z of the planes: the outer edge of the first pixel, x to the right,
                                                 y downwards as stored, z with the planes
Image / LensPower, NumericalAperture,            Objective NominalMagnification, LensNA, Model; ObjectiveSettings RefractiveIndex
RefractiveIndex, ObjectiveName
Image / MicroscopeModality, MicroscopeMode       Channel AcquisitionMode, where the channel has none of its own
Image / Microscope, MicroscopeManufacturer       Microscope Model, Manufacturer
Image / CameraModel, DetectorName                Detector Model
TimeInfo / TimePointN                            DeltaT from the first; TimeIncrement if regular within 1 %
Channel / Name, Color, ColorRange                Channel Name, Color (rounded to 8 bits), window
Channel / LSMExcitationWavelength,               ExcitationWavelength, EmissionWavelength in nm; 0 says nothing
LSMEmissionWavelength
Channel / MicroscopyMode                         AcquisitionMode
Channel / Fluor, DyeName                         Fluor
everything                                       kept as original metadata
===============================================  ============================================================================

Not mapped: pinhole and gain, since the format does not say in which unit; ColorTable, of which a channel has no place beside
its colour.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import pairwise
from typing import Any, Final

from ..image import Channel, Detector, ImageMetadata, Instrument, Objective, Plane, Quantity, Shape
from .ome_units import NOT_LENGTHS, spell_unit

Sections = Mapping[str, Mapping[str, str]]
"""DataSetInfo: name of the group, and its attributes as text."""
_UNSAID: Final = re.compile(r"\((?:name|description)?\s*not specified\)|\(not specified\)", re.IGNORECASE)
_NUMBER: Final = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")
_DATE: Final = re.compile(r"(\d{4})-(\d\d)-(\d\d)[ T](\d\d):(\d\d):(\d\d)(?:[.:](\d{1,6}))?")
_MODES: Final = (
    ("spinning", "SpinningDiskConfocal"),
    ("multiphoton", "MultiPhotonMicroscopy"),
    ("multi-photon", "MultiPhotonMicroscopy"),
    ("two-photon", "MultiPhotonMicroscopy"),
    ("confocal", "LaserScanningConfocalMicroscopy"),
    ("light sheet", "SPIM"),
    ("lightsheet", "SPIM"),
    ("spim", "SPIM"),
    ("widefield", "WideField"),
    ("wide field", "WideField"),
    ("tirf", "TIRF"),
    ("sted", "STED"),
    ("structured", "StructuredIllumination"),
)
_PLANES: Final = 200_000
"""Most planes of which each is described by itself; of more, only those of the first channel and z are."""


def ims_metadata(sections: Sections, shape: Shape, original: Sequence[tuple[str, str]]) -> tuple[ImageMetadata, tuple[str, ...]]:
    """Metadata of an Imaris image, and warnings.

    Parameters
    ----------
    sections
        DataSetInfo.
    shape
        True size of the image.
    original
        Everything, for the original metadata.
    """
    image = sections.get("Image", {})
    warnings: list[str] = []
    low, high, unit = _extents(image, warnings)
    times = _times(sections.get("TimeInfo", {}), shape.t)
    sizes = [_size(low, high, axis, count, unit) for axis, count in enumerate((shape.x, shape.y, shape.z))]
    if any(first is not None and last is not None and last < first for first, last in zip(low, high, strict=True)):
        warnings.append("Its extents run backwards along an axis. The pixel size is given without sign, and the order of the pixels was kept.")
    mode = _mode(image.get("MicroscopeModality") or image.get("MicroscopeMode") or image.get("MicroscopyMode"))
    instrument = _instrument(image)
    date = _date(image.get("RecordingDate", "")) or (times[0] if times else None)
    return (
        ImageMetadata(
            description=_said(image.get("Description")),
            acquisition_date=date.isoformat() if date else None,
            pixel_size_x=sizes[0],
            pixel_size_y=sizes[1],
            pixel_size_z=sizes[2] if shape.z > 1 else None,
            time_increment_s=_increment(times),
            channels=_channels(sections, shape.c, mode),
            planes=_planes(shape, times, low, sizes, unit, backwards=low[2] is not None and high[2] is not None and high[2] < low[2]),
            instrument=instrument,
            objective_id=instrument.objectives[0].id if instrument and instrument.objectives else None,
            refractive_index=_positive(image.get("RefractiveIndex") or image.get("RefractionIndex")),
            original=tuple(original),
        ),
        tuple(warnings),
    )


def image_name(sections: Sections) -> str | None:
    """Name of the image, if it was given one."""
    return _said(sections.get("Image", {}).get("Name"))


def _said(text: str | None) -> str | None:
    text = (text or "").strip()
    return None if not text or _UNSAID.fullmatch(text) else text


def _number(text: str | None) -> float | None:
    match = _NUMBER.match((text or "").strip().replace(",", "."))
    return float(match[0]) if match and math.isfinite(float(match[0])) else None


def _positive(text: str | None) -> float | None:
    value = _number(text)
    return value if value and value > 0 else None


def _extents(image: Mapping[str, str], warnings: list[str]) -> tuple[list[float | None], list[float | None], str | None]:
    low = [_number(image.get(f"ExtMin{axis}")) for axis in range(3)]
    high = [_number(image.get(f"ExtMax{axis}")) for axis in range(3)]
    text = image.get("Unit", "").strip() or "um"
    unit = spell_unit(text, "length")
    if unit is None or unit in NOT_LENGTHS:
        warnings.append(f"Its unit of length {text!r} is not known; the pixel size was left unknown.")
        unit = None
    return low, high, unit


def _size(low: Sequence[float | None], high: Sequence[float | None], axis: int, count: int, unit: str | None) -> Quantity | None:
    first, last = low[axis], high[axis]
    if unit is None or first is None or last is None or first == last:
        return None
    # Extents are written with six or nine digits; more in the quotient would be invented.
    return Quantity(float(f"{abs(last - first) / count:.9g}"), unit)


def _date(text: str) -> datetime | None:
    match = _DATE.match(text.strip())
    if not match:
        return None
    *parts, fraction = match.groups()
    try:
        year, month, day, hour, minute, second = map(int, parts)
        # Without a zone, since the file knows none.
        return datetime(year, month, day, hour, minute, second, int((fraction or "0").ljust(6, "0")))
    except ValueError:
        return None


def _times(info: Mapping[str, str], count: int) -> list[datetime]:
    """When each time point was taken; empty unless all are known."""
    times = [date for number in range(1, count + 1) if (date := _date(info.get(f"TimePoint{number}", "")))]
    return times if len(times) == count else []


def _increment(times: Sequence[datetime]) -> float | None:
    if len(times) < 2:
        return None
    mean = (times[-1] - times[0]).total_seconds() / (len(times) - 1)
    steps = [(later - earlier).total_seconds() for earlier, later in pairwise(times)]
    return mean if mean > 0 and all(abs(step - mean) <= 0.01 * mean for step in steps) else None


def _planes(
    shape: Shape, times: Sequence[datetime], low: Sequence[float | None], sizes: Sequence[Quantity | None], unit: str | None, *, backwards: bool
) -> tuple[Plane, ...]:
    placed = unit is not None and any(low) and None not in low
    if not placed and (shape.t < 2 or not times):
        return ()
    few = shape.planes <= _PLANES
    step = (sizes[2].value if sizes[2] else 0.0) * (-1 if backwards else 1)

    def plane(t: int, c: int, z: int) -> Plane:
        place: dict[str, Any] = {}
        if placed and unit is not None:
            x, y, first = (float(value or 0) for value in low)
            place = {
                "position_x": Quantity(x, unit),
                "position_y": Quantity(y, unit),
                "position_z": Quantity(float(f"{first + z * step:.12g}"), unit),
            }
        seconds = (times[t] - times[0]).total_seconds() if shape.t > 1 and times else None
        return Plane(t, c, z, delta_t_s=seconds, **place)

    return tuple(plane(t, c, z) for t in range(shape.t) for c in range(shape.c if few else 1) for z in range(shape.z if few else 1))


def _channels(sections: Sections, count: int, mode: str | None) -> tuple[Channel, ...]:
    channels = []
    for number in range(count):
        facts = sections.get(f"Channel {number}", {})
        window = [float(value) for value in _NUMBER.findall(facts.get("ColorRange", ""))]
        channels.append(
            Channel(
                name=_said(facts.get("Name")),
                color=_color(facts),
                fluor=_said(facts.get("Fluor") or facts.get("DyeName")),
                excitation_nm=_positive(facts.get("LSMExcitationWavelength")),
                emission_nm=_positive(facts.get("LSMEmissionWavelength")),
                acquisition_mode=_mode(facts.get("MicroscopyMode")) or mode,
                window=(window[0], window[1]) if len(window) == 2 and window[0] < window[1] else None,
            )
        )
    return tuple(channels) if any(channel != Channel() for channel in channels) else ()


def _color(facts: Mapping[str, str]) -> int | None:
    if facts.get("ColorMode", "BaseColor").strip() != "BaseColor":
        return None
    parts = [float(value) for value in _NUMBER.findall(facts.get("Color", ""))]
    if len(parts) != 3 or not all(0 <= part <= 1 for part in parts):
        return None
    red, green, blue = (round(part * 255) for part in parts)
    value = red << 24 | green << 16 | blue << 8 | 255
    # White is a default, not information.
    return None if (red, green, blue) == (255, 255, 255) else value - (1 << 32) if value >= 1 << 31 else value


def _mode(text: str | None) -> str | None:
    said = _said(text)
    if said is None:
        return None
    lower = said.lower()
    return next((mode for word, mode in _MODES if word in lower), "Other")


def _instrument(image: Mapping[str, str]) -> Instrument | None:
    lens = Objective(
        "Objective:0",
        model=_said(image.get("ObjectiveName")),
        magnification=_positive(image.get("LensPower")),
        numerical_aperture=_positive(image.get("NumericalAperture")),
    )
    camera = _said(image.get("CameraModel") or image.get("DetectorName"))
    model, maker = _said(image.get("Microscope")), _said(image.get("MicroscopeManufacturer"))
    lenses = (lens,) if lens != Objective("Objective:0") else ()
    if not (lenses or camera or model or maker):
        return None
    detectors = (Detector("Detector:0", model=camera),) if camera else ()
    return Instrument("Instrument:0", microscope_model=model, microscope_manufacturer=maker, objectives=lenses, detectors=detectors)
