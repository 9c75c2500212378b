"""The OME-XML that the files carry."""

from __future__ import annotations

import uuid
from itertools import product
from typing import Any
from xml.sax.saxutils import quoteattr

OME_NAMESPACE = "http://www.openmicroscopy.org/Schemas/OME/2016-06"
PIXEL_TYPES = {"u1": "uint8", "i1": "int8", "u2": "uint16", "i2": "int16", "u4": "uint32", "f4": "float"}


BLUE, GREEN, MAGENTA = 0x0000FFFF, 0x00FF00FF, -16711681
DAPI = {"Name": "DAPI", "Fluor": "DAPI", "ExcitationWavelength": 358, "EmissionWavelength": 461, "Color": BLUE}
GFP = {"Name": "GFP", "Fluor": "EGFP", "ExcitationWavelength": 488, "EmissionWavelength": 509, "Color": GREEN}
PIXEL_SIZE, STEP = 0.325, 1.0


def tag(element: str, attributes: dict[str, Any], content: str = "") -> str:
    """One XML element."""
    text = "".join(f" {key}={quoteattr(str(value))}" for key, value in attributes.items() if value is not None)
    return f"<{element}{text}>{content}</{element}>" if content else f"<{element}{text}/>"


def pixels_xml(
    index: int,
    sizes: dict[str, int],
    dtype: str,
    channels: list[dict[str, Any]],
    *,
    order: str = "XYZCT",
    physical: dict[str, Any] | None = None,
    blocks: str = "<TiffData/>",
    big_endian: bool = False,
    samples: int = 1,
    planes: str = "",
) -> str:
    """The ``Pixels`` element of one series."""
    size = {f"Size{axis}": sizes.get(axis, 1) for axis in "XYZCT"}
    if physical is None:
        physical = {"PhysicalSizeX": PIXEL_SIZE, "PhysicalSizeY": PIXEL_SIZE, "PhysicalSizeZ": STEP if sizes.get("Z", 1) > 1 else None}
    attributes = {"ID": f"Pixels:{index}", "DimensionOrder": order, "Type": PIXEL_TYPES[dtype], "BigEndian": str(big_endian).lower()}
    if samples > 1:
        attributes["Interleaved"] = "true"
    numbered = [{"ID": f"Channel:{index}:{number}", "SamplesPerPixel": samples, **channel} for number, channel in enumerate(channels)]
    described = "".join(tag("Channel", channel) for channel in numbered)
    return tag("Pixels", {**attributes, **size, **physical}, described + blocks + planes)


def ome_xml(body: str, identifier: str | None = None) -> bytes:
    """A whole OME-XML document.

    In UTF-8, as Bio-Formats writes it: that reads a character reference such as ``&#181;`` as `` #181;``.
    """
    root = {
        "xmlns": OME_NAMESPACE,
        "xmlns:xsi": "http://www.w3.org/2001/XMLSchema-instance",
        "xsi:schemaLocation": f"{OME_NAMESPACE} {OME_NAMESPACE}/ome.xsd",
        "Creator": "make_test_data.py",
        "UUID": identifier,
    }
    return ('<?xml version="1.0" encoding="UTF-8"?>' + tag("OME", root, body)).encode()


def urn(name: str) -> str:
    """The same UUID for the same name, each time."""
    return f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, f'light-microscopy-test-data/{name}')}"


INSTRUMENT = tag(
    "Instrument",
    {"ID": "Instrument:0"},
    tag("Microscope", {"Type": "Inverted", "Manufacturer": "Example Optics", "Model": "Model 1"})
    + tag("Detector", {"ID": "Detector:0", "Type": "CMOS", "Manufacturer": "Example Cameras", "Model": "C1"})
    + tag(
        "Objective",
        {
            "ID": "Objective:0",
            "Manufacturer": "Example Optics",
            "Model": "Plan 20x/0.8",
            "Correction": "PlanApo",
            "Immersion": "Air",
            "LensNA": 0.8,
            "NominalMagnification": 20,
        },
    ),
)


def cells_xml(blocks: str = "<TiffData/>") -> bytes:
    """Everything `cells.ome.tiff` says about itself."""
    channels = [{**DAPI, "AcquisitionMode": "WideField"}, {**GFP, "AcquisitionMode": "WideField"}]
    planes = "".join(
        tag(
            "Plane",
            {
                "TheZ": z,
                "TheT": 0,
                "TheC": c,
                "DeltaT": f"{c * 3 * 0.25 + z * 0.25}",
                "ExposureTime": (0.05, 0.2)[c],
                "PositionX": 1200.5,
                "PositionY": -340.25,
                "PositionZ": 50 + z,
            },
        )
        for c, z in product(range(2), range(3))
    )
    image = (
        "<AcquisitionDate>2026-03-02T10:15:00</AcquisitionDate><Description>Drawn cells: nuclei (DAPI) and cytoplasm (GFP).</Description>"
        '<InstrumentRef ID="Instrument:0"/><ObjectiveSettings ID="Objective:0" Medium="Air" RefractiveIndex="1.0"/>'
        + pixels_xml(0, {"X": 128, "Y": 96, "Z": 3, "C": 2}, "u2", channels, blocks=blocks, planes=planes)
        + '<ROIRef ID="ROI:0"/><AnnotationRef ID="Annotation:0"/>'
    )
    notes = (
        '<StructuredAnnotations><MapAnnotation ID="Annotation:0" Namespace="openmicroscopy.org/omero/client/mapAnnotation">'
        '<Value><M K="Cell line">drawn</M><M K="Treatment">none</M></Value></MapAnnotation></StructuredAnnotations>'
        '<ROI ID="ROI:0" Name="field centre"><Union><Rectangle ID="Shape:0" X="40" Y="30" Width="48" Height="36" TheZ="1"/></Union></ROI>'
    )
    return ome_xml(INSTRUMENT + tag("Image", {"ID": "Image:0", "Name": "cells"}, image) + notes, urn("cells.ome.tiff"))
