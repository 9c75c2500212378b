"""Microscopes and their parts in OME-XML."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final, Literal, cast

from lxml import etree

from ..image import Detector, Filter, Instrument, LightSource, Objective
from .ome_xml import Values, children, first_child, local_name, new, put, put_nanometres, put_quantity

if TYPE_CHECKING:
    from .ome_notes import Notes

LightSourceKind = Literal["Laser", "Arc", "Filament", "LightEmittingDiode", "GenericExcitationSource"]
LIGHT_SOURCES: Final = ("Laser", "Arc", "Filament", "LightEmittingDiode", "GenericExcitationSource")
PARTS_IN_ORDER: Final = ("Microscope", *LIGHT_SOURCES, "Detector", "Objective", "FilterSet", "Filter", "Dichroic", "AnnotationRef")
"""Children of Instrument in the order the schema wants them (light sources in any order among themselves)."""


def read_instrument(element: etree._Element, values: Values) -> Instrument:
    """Read one instrument."""
    microscope = first_child(element, "Microscope")
    return Instrument(
        id=element.get("ID", ""),
        microscope_model=values.text(microscope, "Model"),
        microscope_manufacturer=values.text(microscope, "Manufacturer"),
        microscope_type=values.text(microscope, "Type"),
        objectives=tuple(_read_objective(child, values) for child in children(element, "Objective")),
        detectors=tuple(_read_detector(child, values) for child in children(element, "Detector")),
        light_sources=tuple(_read_light_source(child, values) for child in children(element, "LightSource", *LIGHT_SOURCES)),
        filters=tuple(_read_filter(child, values) for child in children(element, "Filter")),
    )


def _read_objective(element: etree._Element, values: Values) -> Objective:
    return Objective(
        id=element.get("ID", ""),
        model=values.text(element, "Model"),
        manufacturer=values.text(element, "Manufacturer"),
        magnification=values.number(element, "NominalMagnification", "Magnification"),
        calibrated_magnification=values.number(element, "CalibratedMagnification"),
        numerical_aperture=values.number(element, "LensNA"),
        immersion=values.text(element, "Immersion"),
        correction=values.text(element, "Correction"),
        working_distance=values.quantity(element, "WorkingDistance", "µm", "length"),
    )


def _read_detector(element: etree._Element, values: Values) -> Detector:
    return Detector(
        id=element.get("ID", ""),
        model=values.text(element, "Model"),
        manufacturer=values.text(element, "Manufacturer"),
        type=values.text(element, "Type"),
        gain=values.number(element, "Gain"),
        offset=values.number(element, "Offset"),
        voltage=values.quantity(element, "Voltage", "V", "voltage"),
        zoom=values.number(element, "Zoom"),
    )


def _read_light_source(element: etree._Element, values: Values) -> LightSource:
    # Before 2011 a LightSource element enclosed the Laser, Arc or Filament.
    inner = element if local_name(element) != "LightSource" else first_child(element, *LIGHT_SOURCES)
    kind = "GenericExcitationSource" if inner is None else local_name(inner)
    return LightSource(
        id=element.get("ID", ""),
        kind=cast("LightSourceKind", kind),
        model=values.text(element, "Model"),
        manufacturer=values.text(element, "Manufacturer"),
        type=values.text(inner, "Type"),
        medium=values.text(inner, "LaserMedium", "Medium"),
        wavelength_nm=values.nanometres(inner, "Wavelength"),
        power=values.quantity(element, "Power", "mW", "power") or values.quantity(inner, "Power", "mW", "power"),
    )


def _read_filter(element: etree._Element, values: Values) -> Filter:
    band = first_child(element, "TransmittanceRange")
    return Filter(
        id=element.get("ID", ""),
        model=values.text(element, "Model"),
        manufacturer=values.text(element, "Manufacturer"),
        type=values.text(element, "Type"),
        cut_in_nm=values.nanometres(band, "CutIn"),
        cut_out_nm=values.nanometres(band, "CutOut"),
    )


def build_instrument(instrument: Instrument, like: etree._Element | None, notes: Notes) -> etree._Element:
    """Make an Instrument element with the dataclasses' own ids, which are renumbered later.

    Parameters
    ----------
    instrument
        What decides.
    like
        A copy of the source's element: filter sets, dichroics, serial numbers and whatever else `instrument` does not
        say stay as they are there.
    notes
        Collects values OME's enumerations do not know.
    """
    element = new("Instrument") if like is None else like
    put(element, "ID", instrument.id)
    old = {child.get("ID", ""): child for child in children(element, "Objective", "Detector", "Filter", *LIGHT_SOURCES)}
    for child in (*old.values(), *children(element, "LightSource")):
        element.remove(child)
    _microscope(element, instrument, notes)

    def add(name: str, identifier: str) -> etree._Element:
        like = old.get(identifier)
        part = like if like is not None and local_name(like) == name else new(name)
        put(part, "ID", identifier)
        element.append(part)
        return part

    _light_sources(instrument, add, notes)
    _detectors(instrument, add, notes)
    _objectives(instrument, add, notes)
    _filters(instrument, add, notes)
    for part in children(element):
        # Before 2010 these were child elements.
        for child in [child for child in children(part) if local_name(child) in part.attrib]:
            part.remove(child)
    element[:] = sorted((child for child in children(element, *PARTS_IN_ORDER)), key=lambda child: PARTS_IN_ORDER.index(local_name(child)))
    return element


_Add = Callable[[str, str], etree._Element]


def _microscope(element: etree._Element, instrument: Instrument, notes: Notes) -> None:
    said = (instrument.microscope_model, instrument.microscope_manufacturer, instrument.microscope_type)
    microscope = first_child(element, "Microscope")
    if microscope is None:
        if not any(said):
            return
        microscope = new("Microscope")
        element.append(microscope)
    put(microscope, "Model", instrument.microscope_model)
    put(microscope, "Manufacturer", instrument.microscope_manufacturer)
    notes.put_word(microscope, "Type", instrument.microscope_type, "Microscope")


def _light_sources(instrument: Instrument, add: _Add, notes: Notes) -> None:
    for index, source in enumerate(instrument.light_sources):
        part = add(source.kind, source.id)
        put(part, "Model", source.model)
        put(part, "Manufacturer", source.manufacturer)
        put_quantity(part, "Power", source.power, "power")
        label = f"LightSource:{index}"
        notes.put_word(part, "Type", source.type, label)
        notes.put_word(part, "LaserMedium", source.medium, label)
        if source.kind == "Laser":
            put_nanometres(part, "Wavelength", source.wavelength_nm)
        elif source.wavelength_nm is not None:
            notes.add(label, "Wavelength", f"{source.wavelength_nm!r} nm")


def _detectors(instrument: Instrument, add: _Add, notes: Notes) -> None:
    for index, detector in enumerate(instrument.detectors):
        part = add("Detector", detector.id)
        for name, value in (("Model", detector.model), ("Manufacturer", detector.manufacturer)):
            put(part, name, value)
        for name, number in (("Gain", detector.gain), ("Offset", detector.offset), ("Zoom", detector.zoom)):
            put(part, name, None if number is None else float(number))
        put_quantity(part, "Voltage", detector.voltage, "voltage")
        notes.put_word(part, "Type", detector.type, f"Detector:{index}")


def _objectives(instrument: Instrument, add: _Add, notes: Notes) -> None:
    for index, objective in enumerate(instrument.objectives):
        part = add("Objective", objective.id)
        for name, value in (("Model", objective.model), ("Manufacturer", objective.manufacturer)):
            put(part, name, value)
        numbers = {
            "NominalMagnification": objective.magnification,
            "CalibratedMagnification": objective.calibrated_magnification,
            "LensNA": objective.numerical_aperture,
        }
        for name, number in numbers.items():
            put(part, name, None if number is None else float(number))
        put_quantity(part, "WorkingDistance", objective.working_distance, "length")
        notes.put_word(part, "Immersion", objective.immersion, f"Objective:{index}")
        notes.put_word(part, "Correction", objective.correction, f"Objective:{index}")


def _filters(instrument: Instrument, add: _Add, notes: Notes) -> None:
    for index, optical in enumerate(instrument.filters):
        part = add("Filter", optical.id)
        put(part, "Model", optical.model)
        put(part, "Manufacturer", optical.manufacturer)
        notes.put_word(part, "Type", optical.type, f"Filter:{index}")
        band = first_child(part, "TransmittanceRange")
        if band is None and (optical.cut_in_nm is not None or optical.cut_out_nm is not None):
            band = new("TransmittanceRange")
            part.insert(0, band)
        if band is not None:
            put_nanometres(band, "CutIn", optical.cut_in_nm)
            put_nanometres(band, "CutOut", optical.cut_out_nm)
