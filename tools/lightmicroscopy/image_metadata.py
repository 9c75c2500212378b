"""What is known of a series besides its pixels, in the terms of the OME data model (2016-06).

What is not known is ``None`` and is never made up.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lxml import etree


_ROUNDING = 1e-6


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number and its unit, spelt as in OME-XML: ``µm`` with U+00B5, ``nm``, ``s``, ``ms``, ``reference frame``."""

    value: float
    unit: str


@dataclass(frozen=True, slots=True)
class Channel:
    """One channel. Wavelengths in nanometres; colour as signed 32-bit RGBA, as OME stores it."""

    name: str | None = None
    color: int | None = None
    color_invented: bool = False
    fluor: str | None = None
    excitation_nm: float | None = None
    emission_nm: float | None = None
    contrast_method: str | None = None
    illumination_type: str | None = None
    acquisition_mode: str | None = None
    pinhole: Quantity | None = None
    nd_filter: float | None = None
    detector_id: str | None = None
    detector_gain: float | None = None
    detector_offset: float | None = None
    detector_voltage: Quantity | None = None
    detector_binning: str | None = None
    light_source_id: str | None = None
    light_source_attenuation: float | None = None
    filter_set_id: str | None = None
    window: tuple[float, float] | None = None
    """Display range the source recorded."""
    lut: tuple[tuple[int, ...], ...] | None = None
    """Palette of an indexed image: entries of (red, green, blue[, alpha]) in the range of the stored palette."""
    source_index: int | None = None
    """Index of this channel in the source series, where a selection has moved it."""


@dataclass(frozen=True, slots=True)
class Plane:
    """What is known of one 2D plane. Times in seconds, `delta_t_s` from the series' time origin."""

    t: int
    c: int
    z: int
    delta_t_s: float | None = None
    exposure_s: float | None = None
    position_x: Quantity | None = None
    position_y: Quantity | None = None
    position_z: Quantity | None = None


@dataclass(frozen=True, slots=True)
class Modulo:
    """A dimension folded into C, Z or T (lambda, phase, lifetime, angle …), as OME's Modulo annotation says it."""

    along: Literal["C", "Z", "T"]
    type: str
    start: float | None = None
    end: float | None = None
    step: float | None = None
    unit: str | None = None
    labels: tuple[str, ...] = ()
    description: str | None = None
    """What the source calls that dimension, where `type` does not say it."""

    @property
    def depth(self) -> int | None:
        """How many indexes of its axis it takes; ``None`` where that is not told."""
        if self.labels:
            return len(self.labels)
        if self.start is None or self.end is None or not self.step:
            return None
        steps = (self.end - self.start) / self.step
        # 0 to 0.3 by 0.1 is 2.9999… steps.
        return math.floor(steps + _ROUNDING) + 1 if 0 <= steps < math.inf else None


@dataclass(frozen=True, slots=True)
class TilePosition:
    """Where one tile of a mosaic was taken, in level-0 pixels of the whole, and its painting order."""

    x: int
    y: int
    width: int
    height: int
    order: int = 0


@dataclass(frozen=True, slots=True)
class Objective:
    """An objective lens; working distance in micrometres."""

    id: str
    model: str | None = None
    manufacturer: str | None = None
    magnification: float | None = None
    calibrated_magnification: float | None = None
    numerical_aperture: float | None = None
    immersion: str | None = None
    correction: str | None = None
    working_distance: Quantity | None = None


@dataclass(frozen=True, slots=True)
class Detector:
    """A camera or point detector."""

    id: str
    model: str | None = None
    manufacturer: str | None = None
    type: str | None = None
    gain: float | None = None
    offset: float | None = None
    voltage: Quantity | None = None
    zoom: float | None = None


@dataclass(frozen=True, slots=True)
class LightSource:
    """A laser, lamp or LED."""

    id: str
    kind: Literal["Laser", "Arc", "Filament", "LightEmittingDiode", "GenericExcitationSource"]
    model: str | None = None
    manufacturer: str | None = None
    type: str | None = None
    medium: str | None = None
    wavelength_nm: float | None = None
    power: Quantity | None = None


@dataclass(frozen=True, slots=True)
class Filter:
    """An optical filter; cut wavelengths in nanometres."""

    id: str
    model: str | None = None
    manufacturer: str | None = None
    type: str | None = None
    cut_in_nm: float | None = None
    cut_out_nm: float | None = None


@dataclass(frozen=True, slots=True)
class Instrument:
    """A microscope and its parts."""

    id: str
    microscope_model: str | None = None
    microscope_manufacturer: str | None = None
    microscope_type: str | None = None
    objectives: tuple[Objective, ...] = ()
    detectors: tuple[Detector, ...] = ()
    light_sources: tuple[LightSource, ...] = ()
    filters: tuple[Filter, ...] = ()


@dataclass(frozen=True, slots=True)
class RoiShape:
    """One drawn shape.

    `geometry` holds the attributes OME defines for its type (X, Y, Width, Points …), in pixels; where the shape is turned or
    sheared, also the six numbers of OME's affine transform, under ``Transform A00`` to ``Transform A12``.
    """

    type: Literal["Point", "Line", "Polyline", "Polygon", "Rectangle", "Ellipse", "Label", "Mask"]
    geometry: Mapping[str, str]
    text: str | None = None
    t: int | None = None
    c: int | None = None
    z: int | None = None
    stroke_color: int | None = None
    fill_color: int | None = None


@dataclass(frozen=True, slots=True)
class Roi:
    """A region of interest drawn by a person or a program."""

    shapes: tuple[RoiShape, ...]
    name: str | None = None
    description: str | None = None


@dataclass(frozen=True, slots=True)
class MapAnnotation:
    """Key-value pairs under one namespace; keys may repeat."""

    namespace: str
    pairs: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class ImageMetadata:
    """What is known of one series, in OME terms.

    `element` is the untouched ``Image`` element of the source's OME-XML, where it had one: writers carry along what
    these fields do not say.
    """

    description: str | None = None
    acquisition_date: str | None = None
    """ISO 8601; with a zone only if the source knows one."""
    pixel_size_x: Quantity | None = None
    pixel_size_y: Quantity | None = None
    pixel_size_z: Quantity | None = None
    time_increment_s: float | None = None
    channels: tuple[Channel, ...] = ()
    planes: tuple[Plane, ...] = ()
    modulo: tuple[Modulo, ...] = ()
    tiles: tuple[TilePosition, ...] = ()
    instrument: Instrument | None = None
    objective_id: str | None = None
    immersion_medium: str | None = None
    refractive_index: float | None = None
    stage_label: str | None = None
    rois: tuple[Roi, ...] = ()
    annotations: tuple[MapAnnotation, ...] = ()
    original: tuple[tuple[str, str], ...] = ()
    """The source's own metadata as (key, value), before keep / scrub / drop is applied."""
    element: etree._Element | None = None
