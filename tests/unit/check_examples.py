"""OME-XML to be checked, and the findings of one rule."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from lightmicroscopy.metadata.findings import Finding

NAMESPACE = "http://www.openmicroscopy.org/Schemas/OME/2016-06"
GOOD_CHANNELS = '<Channel ID="Channel:0:0" Name="DAPI" SamplesPerPixel="1" Color="65535" EmissionWavelength="460"/>'
GOOD_PIXELS = 'PhysicalSizeX="0.325" PhysicalSizeY="0.325" PhysicalSizeZ="0.5" TimeIncrement="2"'
INSTRUMENT = '<Instrument ID="Instrument:0"><Objective ID="Objective:0" NominalMagnification="20" LensNA="0.8"/></Instrument>'
Check = Callable[..., list[Finding]]
"""Writes an OME-TIFF with that OME-XML and checks it: the fixture `checked`."""


def ome_xml(
    *,
    sizes: tuple[int, int, int] = (1, 1, 1),
    channels: str = GOOD_CHANNELS,
    pixels: str = GOOD_PIXELS,
    data: str = "<TiffData/>",
    type_: str = "uint16",
    before: str = INSTRUMENT,
    inside: str = "",
    after: str = "",
    namespace: str = NAMESPACE,
    size_x: int = 32,
) -> str:
    """Compose OME-XML of one image that has everything; `sizes` are Z, C, T."""
    z, c, t = sizes
    return (
        f'<?xml version="1.0" encoding="UTF-8"?><OME xmlns="{namespace}">{before}<Image ID="Image:0" Name="cells">'
        f"<AcquisitionDate>2024-05-06T07:08:09</AcquisitionDate>"
        f'<InstrumentRef ID="Instrument:0"/><ObjectiveSettings ID="Objective:0"/>{inside}<Pixels ID="Pixels:0" DimensionOrder="XYZCT" Type="{type_}" '
        f'SizeX="{size_x}" SizeY="24" SizeZ="{z}" SizeC="{c}" SizeT="{t}" {pixels}>{channels}{data}</Pixels></Image>{after}</OME>'
    )


Check = Callable[..., list[Finding]]


def of_rule(found: Sequence[Finding], rule_id: str) -> list[Finding]:
    return [finding for finding in found if finding.rule == rule_id]


def two_channels(first: str, second: str) -> str:
    return f'<Channel ID="Channel:0:0" Color="65535" {first}/><Channel ID="Channel:0:1" Color="-16776961" {second}/>'
