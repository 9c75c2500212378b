"""Valid metadata to begin with: OME-XML, alone and in an OME-TIFF, and OME-Zarr 0.4 and 0.5 of every layout."""

from __future__ import annotations

import io
from collections.abc import Iterator
from random import Random

import numpy as np
import tifffile

from lightmicroscopy.metadata import ngff

from ..unit.ome_examples import NS, SCREEN
from ..unit.zarr_stores import OME_XML, Files, edited, group, image_of, image_store, plate_store, several, waves
from . import json_changes, xml_changes
from .model import Base, Content, Mutation

SHAPE = (2, 2, 3, 37, 50)
UUID = "urn:uuid:00000000-0000-4000-8000-000000000000"
PLANES = 12
VERSIONS: tuple[ngff.Version, ...] = ("0.4", "0.5")
_METADATA = "OME/METADATA.ome.xml"


def _tiff_xml() -> str:
    data = "".join(
        f'<TiffData IFD="{index}" FirstZ="{index % 3}" FirstC="{index // 3 % 2}" FirstT="{index // 6}" PlaneCount="1">'
        f'<UUID FileName="base.ome.tiff">{UUID}</UUID></TiffData>'
        for index in range(PLANES)
    )
    planes = "".join(
        f'<Plane TheZ="{index % 3}" TheC="{index // 3 % 2}" TheT="{index // 6}" DeltaT="{2.0 * (index // 6)}" ExposureTime="0.05"/>'
        for index in range(PLANES)
    )
    return (
        f'<?xml version="1.0" encoding="UTF-8"?><OME xmlns="{NS}" UUID="{UUID}"><Instrument ID="Instrument:0">'
        '<Objective ID="Objective:0" NominalMagnification="20" LensNA="0.8" Immersion="Air"/></Instrument>'
        '<Image ID="Image:0" Name="cells"><AcquisitionDate>2024-05-06T07:08:09</AcquisitionDate><InstrumentRef ID="Instrument:0"/>'
        '<ObjectiveSettings ID="Objective:0"/><Pixels ID="Pixels:0" DimensionOrder="XYZCT" Type="uint16" SignificantBits="12" SizeX="32" SizeY="24" '
        'SizeZ="3" SizeC="2" SizeT="2" PhysicalSizeX="0.325" PhysicalSizeY="0.325" PhysicalSizeZ="0.5" PhysicalSizeXUnit="µm" TimeIncrement="2">'
        '<Channel ID="Channel:0:0" Name="DAPI" SamplesPerPixel="1" Color="65535" EmissionWavelength="460"/>'
        '<Channel ID="Channel:0:1" Name="GFP" SamplesPerPixel="1" Color="16711935" EmissionWavelength="509"/>'
        f"{data}{planes}</Pixels></Image></OME>"
    )


def _tiff(xml: bytes) -> Content:
    buffer = io.BytesIO()
    pixels = np.zeros((PLANES, 24, 32), np.uint16)
    description = xml.decode("utf-8").encode("ascii", "xmlcharrefreplace")
    tifffile.imwrite(buffer, pixels, description=description, metadata=None, photometric="minisblack")
    return {"base.ome.tiff": buffer.getvalue()}


def _bare(xml: bytes) -> Content:
    return {"base.ome.xml": xml}


def _labelled(version: ngff.Version) -> Files:
    image = image_store(waves(SHAPE), version) | {_METADATA: OME_XML}
    labels = (waves((2, 1, 3, 37, 50)) // 200).astype("uint16")
    nuclei = image_store(labels, version, path="labels/nuclei", image=image_of(labels, kind="label", label_of=0, name="nuclei"))
    colors = [{"label-value": value, "rgba": [value * 20, 90, 200, 255]} for value in (1, 2, 3)]
    properties = [{"label-value": value, "area (pixels)": 100 * value} for value in (1, 2, 3)]

    def described(value: dict[str, dict[str, object]]) -> None:
        value["image-label"].update(colors=colors, properties=properties)

    if version == "0.4":
        nuclei = edited(nuclei, "labels/nuclei/.zattrs", described)
    else:
        nuclei = edited(nuclei, "labels/nuclei/zarr.json", lambda value: described(value["attributes"]["ome"]))
    return image | group("labels", ngff.labels_attributes(["nuclei"], version), version) | nuclei


def _series(version: ngff.Version) -> Files:
    image = OME_XML[OME_XML.index(b"<Image") : OME_XML.index(b"</OME>")]
    sizes = [
        image.replace(b'SizeX="50" SizeY="37" SizeZ="3" SizeC="2" SizeT="2"', b'SizeX="20" SizeY="%d" SizeZ="1" SizeC="1" SizeT="1"' % (20 + series))
        for series in range(2)
    ]
    one = [
        each.replace(b'<Channel ID="Channel:0:1" SamplesPerPixel="1"/>', b"").replace(b' PhysicalSizeZ="9" TimeIncrement="4"', b"") for each in sizes
    ]
    second = one[1].replace(b'"Image:0"', b'"Image:1"').replace(b'"Pixels:0"', b'"Pixels:1"').replace(b'"Channel:0:0"', b'"Channel:1:0"')
    head = OME_XML[: OME_XML.index(b"<Image")]
    return several(version, ["0", "1"]) | {_METADATA: head + one[0] + second + b"</OME>"}


STORES: dict[str, Base] = {
    f"OME-Zarr {version}, {title}": Base(f"OME-Zarr {version}, {title}", make(version))
    for version in VERSIONS
    for title, make in (("image with a label map", _labelled), ("several series", _series), ("plate", plate_store))
}
XML: dict[str, tuple[Base, bytes, xml_changes.Write]] = {
    "OME-XML": (Base("OME-XML", _bare(SCREEN.encode()), "base.ome.xml"), SCREEN.encode(), _bare),
    "OME-TIFF": (Base("OME-TIFF", _tiff(_tiff_xml().encode()), "base.ome.tiff"), _tiff_xml().encode(), _tiff),
}


def bases() -> list[Base]:
    """Every base."""
    return [*(base for base, _, _ in XML.values()), *STORES.values()]


def _random(seed: int, base: Base) -> Random:
    return Random(f"{seed} {base.name}")  # noqa: S311 - to choose the same again, not to keep a secret


def mutations(seed: int, most: int) -> Iterator[Mutation]:
    """Mutations of every base, at most so many of each kind."""
    for base, xml, write in XML.values():
        yield from xml_changes.mutations(base, xml, write, _random(seed, base), most * 2)
    for base in STORES.values():
        yield from json_changes.mutations(base, _random(seed, base), most)
