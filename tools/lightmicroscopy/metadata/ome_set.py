"""Setting one value of one element of OME-XML, and saying what was not so already."""

from __future__ import annotations

import copy
import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from .changes import ObjectiveChanges, immersion
from .ome_units import spell_unit, to_nanometres, to_seconds
from .ome_xml import Values, attribute_text, local_name, put

if TYPE_CHECKING:
    from lxml import etree

_ORDERS: Final[Mapping[str, tuple[str, ...]]] = {
    "OME": (
        *("Rights", "Project", "Dataset", "Folder", "Experiment", "Plate", "Screen", "Experimenter", "ExperimenterGroup"),
        *("Instrument", "Image", "StructuredAnnotations", "ROI"),
    ),
    "Image": (
        *("AcquisitionDate", "ExperimenterRef", "Description", "ExperimentRef", "ExperimenterGroupRef", "InstrumentRef", "ObjectiveSettings"),
        *("ImagingEnvironment", "StageLabel", "Pixels", "ROIRef", "MicrobeamManipulationRef", "AnnotationRef"),
    ),
    "Pixels": ("Channel", "BinData", "TiffData", "MetadataOnly", "Plane"),
    "Instrument": (
        *("Microscope", "Laser", "Arc", "Filament", "LightEmittingDiode", "GenericExcitationSource", "Detector", "Objective"),
        *("FilterSet", "Filter", "Dichroic", "AnnotationRef"),
    ),
}
"""Order of the child elements in the schema of 2016-06."""
_OF_ONE_LENS: Final = ("Correction", "CalibratedMagnification", "WorkingDistance", "WorkingDistanceUnit", "SerialNumber", "LotNumber")
"""What is not true of an objective of another magnification or aperture."""
_WITH_ANY: Final[tuple[str | None, ...]] = (None, "Multi", "Other")
"""Immersions that no medium contradicts."""
_SAME: Final = 1e-9
"""Relative difference below which two numbers are one: 0.325 µm and 325 nm."""


def insert(parent: etree._Element, child: etree._Element) -> etree._Element:
    """Put an element to its place in the order of the schema, behind those of its kind."""
    order = _ORDERS[local_name(parent)]
    rank = order.index(local_name(child))
    place = 0
    for position, other in enumerate(parent):
        name = local_name(other)
        # Comments have no place of their own.
        if name in order and order.index(name) <= rank:
            place = position + 1
    parent.insert(place, child)
    return child


def set_text(element: etree._Element, attribute: str, text: str, name: str) -> list[str]:
    """Set an attribute of text; returns what it is called if it was another."""
    if element.get(attribute) == attribute_text(text):
        return []
    put(element, attribute, text)
    return [name]


def _known(element: etree._Element, attribute: str, unit: str) -> float | None:
    """Value of an attribute in micrometres, nanometres or seconds; ``None`` where it is not known in such."""
    quantity = Values().quantity(element, attribute, unit, "time" if unit == "s" else "length")
    if quantity is None:
        return None
    if unit == "s":
        return to_seconds(quantity)
    length = to_nanometres(quantity)
    return None if length is None else length / 1000 if unit == "µm" else length


def set_number(element: etree._Element, attribute: str, value: float, unit: str, name: str) -> list[str]:
    """Set a length or time in a unit; returns what it is called if it was another, whatever its unit."""
    known = _known(element, attribute, unit)
    if known is not None and math.isclose(known, value, rel_tol=_SAME):
        return []
    put(element, attribute, float(value))
    put(element, f"{attribute}Unit", spell_unit(unit, "time" if unit == "s" else "length"))
    return [name]


def set_lens(lens: etree._Element, changes: ObjectiveChanges) -> list[str]:
    """Set what an objective is; returns what was not so already."""
    changed = [] if changes.model is None else _set_model(lens, changes.model)
    another = False
    for name, attribute, value in (
        ("objective_magnification", "NominalMagnification", changes.magnification),
        ("objective_na", "LensNA", changes.numerical_aperture),
    ):
        known = Values().number(lens, attribute)
        if value is not None and (known is None or not math.isclose(known, value, rel_tol=_SAME)):
            put(lens, attribute, float(value))
            changed.append(name)
            another |= known is not None
    if another:
        for attribute in _OF_ONE_LENS:
            put(lens, attribute, None)
    word = None if changes.immersion is None else immersion(changes.immersion)
    if word is not None and lens.get("Immersion") != word:
        put(lens, "Immersion", word)
        changed.append("objective_immersion")
    return changed


def _set_model(lens: etree._Element, model: str) -> list[str]:
    """Set the model of an objective. Sheets have maker and model in one cell, so that it stands for both."""
    from ..inspection import made_by

    maker, known = lens.get("Manufacturer"), lens.get("Model")
    if attribute_text(model) in (known, made_by(maker, known)):
        return []
    put(lens, "Model", model)
    if made_by(maker, model) != made_by(None, model):
        put(lens, "Manufacturer", None)
    return ["objective_model"]


def forget_medium(settings: etree._Element, wanted: str) -> None:
    """Leave out what an image says of the medium, where that is none that an objective of such an immersion is used with."""
    word = immersion(wanted)
    medium = settings.get("Medium")
    if medium is not None and word not in (medium, *_WITH_ANY) and not (medium == "Water" and word == "WaterDipping"):
        for attribute in ("Medium", "RefractiveIndex"):
            put(settings, attribute, None)


def contradicts(lens: etree._Element, changes: ObjectiveChanges) -> bool:
    """Whether an objective is said to be another one: some attribute that it has would be changed."""
    after = copy.deepcopy(lens)
    set_lens(after, changes)
    return not said(lens).items() <= said(after).items()


def said(element: etree._Element) -> dict[str, str]:
    """Attributes but the ID."""
    return {str(name): str(value) for name, value in element.attrib.items() if name != "ID"}
