"""The microscope and the people of a Zeiss CZI in OME terms.

Each table says which element of the CZI becomes which attribute of OME-XML 2016-06; its sources are those of `czi_mapping`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lxml import etree

from .czi_xml import Table, find, mapped, number_of, quantity_of, text_of
from .ome_xml import all_text, children, new, put, put_nanometres, put_quantity

if TYPE_CHECKING:
    from collections.abc import Iterator

MICROSCOPE: Final[Table] = (
    ("Manufacturer/Manufacturer", "Manufacturer"),
    ("Manufacturer/Model|@Name|System", "Model"),
    ("Manufacturer/SerialNumber", "SerialNumber"),
    ("Type", "Type"),
)
OBJECTIVE: Final[Table] = (
    ("Manufacturer/Manufacturer", "Manufacturer"),
    ("Manufacturer/Model|@Name", "Model"),
    ("Manufacturer/SerialNumber|@UniqueName", "SerialNumber"),
    ("LensNA", "LensNA"),
    ("NominalMagnification|Magnification", "NominalMagnification"),
    ("CalibratedMagnification", "CalibratedMagnification"),
    ("Immersion", "Immersion"),
    ("Correction", "Correction"),
    ("Iris", "Iris"),
)
"""The working distance, in micrometres, comes beside these."""
DETECTOR: Final[Table] = (
    ("Manufacturer/Manufacturer", "Manufacturer"),
    ("Manufacturer/Model|@Name", "Model"),
    ("Manufacturer/SerialNumber", "SerialNumber"),
    ("Type", "Type"),
    ("Gain", "Gain"),
    ("Offset", "Offset"),
    ("Zoom", "Zoom"),
    ("AmplificationGain", "AmplificationGain"),
)
LIGHT_SOURCE: Final[Table] = (
    ("Manufacturer/Manufacturer", "Manufacturer"),
    ("Manufacturer/Model|@Name", "Model"),
    ("Manufacturer/SerialNumber", "SerialNumber"),
)
"""Its kind is the child of LightSourceType, or that element's text; power in milliwatts and a laser's wavelength come beside these."""
FILTER: Final[Table] = (("Manufacturer/Manufacturer", "Manufacturer"), ("Manufacturer/Model|@Name", "Model"), ("Type", "Type"))
PERSON: Final[Table] = (
    ("FirstName", "FirstName"),
    ("MiddleName", "MiddleName"),
    ("LastName", "LastName"),
    ("Email", "Email"),
    ("Institution", "Institution"),
    ("UserName", "UserName"),
)
KINDS_OF_LIGHT: Final = {"Laser": "Laser", "LightEmittingDiode": "LightEmittingDiode", "Arc": "Arc", "Filament": "Filament"}


def person(root: etree._Element | None) -> etree._Element | None:
    """Whoever acquired it, as an Experimenter; None where nobody is named."""
    user = find(root, "Metadata/Information/User")
    found = mapped(user, new("Experimenter", [("ID", "Experimenter:0")]), PERSON)
    if found.get("UserName") is None:
        put(found, "UserName", text_of(root, "Metadata/Information/Document/UserName"))
    return found if len(found.attrib) > 1 else None


def instrument(source: etree._Element | None, image: etree._Element | None) -> etree._Element:
    """The microscope the image refers to, with all parts the file describes."""
    found = new("Instrument", [("ID", "Instrument:0")])
    wanted = find(image, "MicroscopeRef")
    microscopes = list(children(find(source, "Microscopes"), "Microscope"))
    for microscope in sorted(microscopes, key=lambda one: wanted is None or one.get("Id") != wanted.get("Id"))[:1]:
        found.append(mapped(microscope, new("Microscope"), MICROSCOPE))
    lights = {light.get("Id", ""): light for light in children(find(source, "LightSources"), "LightSource")}
    found.extend(_light_source(light) for light in lights.values())
    found.extend(_lasers(image, set(lights)))
    for kind, table in (("Detector", DETECTOR), ("Objective", OBJECTIVE)):
        seen = set()
        for element in children(find(source, f"{kind}s"), kind):
            identifier = element.get("Id", "")
            if identifier in seen:
                continue
            seen.add(identifier)
            part = mapped(element, new(kind, [("ID", identifier)]), table)
            if kind == "Objective":
                put_quantity(part, "WorkingDistance", quantity_of(text_of(element, "WorkingDistance"), "µm"), "length")
            found.append(part)
    _filters(source, found)
    return found


def _light_source(element: etree._Element) -> etree._Element:
    kind = find(element, "LightSourceType")
    inner = next(children(kind), None)
    word = etree.QName(inner).localname if inner is not None else (all_text(kind) or "")
    light = mapped(element, new(KINDS_OF_LIGHT.get(word, "GenericExcitationSource"), [("ID", element.get("Id", ""))]), LIGHT_SOURCE)
    put_quantity(light, "Power", quantity_of(text_of(element, "Power"), "mW"), "power")
    put_nanometres(light, "Wavelength", number_of(text_of(inner, "Wavelength")))
    return light


def _lasers(image: etree._Element | None, known: set[str]) -> Iterator[etree._Element]:
    """The lasers of a scanning microscope, which ZEN black describes nowhere but names, with their lines, in the channels they were used for."""
    for channel in children(find(image, "Dimensions/Channels"), "Channel"):
        if not (text_of(channel, "AcquisitionMode") or "").startswith("LaserScanning"):
            continue
        for settings in children(find(channel, "LightSourcesSettings"), "LightSourceSettings"):
            ref = find(settings, "LightSource")
            identifier = ref.get("Id", "") if ref is not None else ""
            if identifier and identifier not in known:
                known.add(identifier)
                laser = new("Laser", [("ID", identifier)])
                put_nanometres(laser, "Wavelength", number_of(text_of(settings, "Wavelength")))
                yield laser


def _filters(source: etree._Element | None, instrument: etree._Element) -> None:
    for element in children(find(source, "FilterSets"), "FilterSet"):
        group = mapped(element, new("FilterSet", [("ID", element.get("Id", ""))]), FILTER[:2])
        for kind, role in (("ExcitationFilter", "ExcitationFilterRef"), ("DichroicRef", "DichroicRef"), ("EmissionFilter", "EmissionFilterRef")):
            holder = element if kind == "DichroicRef" else find(element, f"{kind}s")
            for ref in children(holder, role):
                group.append(new(role, [("ID", ref.get("Id") or all_text(ref))]))
        instrument.append(group)
    for element in children(find(source, "Filters"), "Filter"):
        part = mapped(element, new("Filter", [("ID", element.get("Id", ""))]), FILTER)
        band, passed = find(element, "TransmittanceRange"), new("TransmittanceRange")
        for name in ("CutIn", "CutOut"):
            put_nanometres(passed, name, number_of(text_of(band, name)))
        if passed.attrib:
            part.append(passed)
        instrument.append(part)
    for element in children(find(source, "Dichroics"), "Dichroic"):
        instrument.append(mapped(element, new("Dichroic", [("ID", element.get("Id", ""))]), FILTER[:2]))
