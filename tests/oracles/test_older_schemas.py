"""OME-XML of every released schema: what is valid by its own schema, which Bio-Formats carries, is read and not complained of."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import tifffile
from lxml import etree

from lightmicroscopy.metadata.check import check
from lightmicroscopy.metadata.ome_read import read_ome

from . import bioformats

VERSIONS = ("2007-06", "2008-02", "2008-09", "2009-09", "2010-04", "2010-06", "2011-06", "2012-06", "2013-06", "2015-01", "2016-06")
OLD = VERSIONS[:4]
"""Schemas before that of 2010, which first had Channel elements inside of Pixels."""
SIZES = 'SizeX="32" SizeY="24" SizeZ="3" SizeC="2" SizeT="1"'
PHYSICAL = 'PhysicalSizeX="0.325" PhysicalSizeY="0.325" PhysicalSizeZ="0.5"'


def document(version: str) -> str:
    """A document of two channels and three planes, as that year's schema wants it."""
    head = f'<?xml version="1.0" encoding="UTF-8"?><OME xmlns="http://www.openmicroscopy.org/Schemas/OME/{version}"'
    if version in OLD[:3]:
        binary = f'xmlns:Bin="http://www.openmicroscopy.org/Schemas/BinaryFile/{version}"'
        logical = "".join(
            f'<LogicalChannel ID="LogicalChannel:{number}" Name="{name}"><ChannelComponent Pixels="Pixels:0" Index="{number}"/></LogicalChannel>'
            for number, name in enumerate(("DAPI", "GFP"))
        )
        pixels = f'<Pixels ID="Pixels:0" DimensionOrder="XYZCT" PixelType="uint16" BigEndian="false" {SIZES} {PHYSICAL}><TiffData/></Pixels>'
        return (
            f'{head} {binary}><Image ID="Image:0" Name="cells" DefaultPixels="Pixels:0"><CreationDate>2007-05-06T07:08:09</CreationDate>'
            f"{logical}{pixels}</Image></OME>"
        )
    channels = '<Channel ID="Channel:0:0" Name="DAPI"/><Channel ID="Channel:0:1" Name="GFP"/>'
    date = "AcquiredDate" if version < "2012-06" else "AcquisitionDate"
    data = "<TiffData/>"
    return (
        f'{head}><Image ID="Image:0" Name="cells"><{date}>2010-05-06T07:08:09</{date}>'
        f'<Pixels ID="Pixels:0" DimensionOrder="XYZCT" Type="uint16" {SIZES} {PHYSICAL}>{channels}{data}</Pixels></Image></OME>'
    )


@pytest.fixture(scope="session")
def schema() -> Callable[[str], etree.XMLSchema]:
    """The schema of a year, out of the jar of Bio-Formats; nothing is fetched."""
    jar = zipfile.ZipFile(bioformats.jar())

    class Inside(etree.Resolver):
        def resolve(self, url: str, public_id: str, context: Any) -> Any:
            name = url.rstrip("/").split("/")
            inside = "released-schema/external/xml.xsd" if name[-1] == "xml.xsd" else f"released-schema/{name[-2]}/{name[-1]}"
            return self.resolve_string(jar.read(inside), context, base_url=url)

    @cache
    def make(version: str) -> etree.XMLSchema:
        parser = etree.XMLParser(no_network=True)
        parser.resolvers.add(Inside())
        url = f"http://www.openmicroscopy.org/Schemas/OME/{version}/ome.xsd"
        return etree.XMLSchema(etree.fromstring(jar.read(f"released-schema/{version}/ome.xsd"), parser, base_url=url))

    return make


@pytest.mark.parametrize("version", VERSIONS)
def test_a_valid_document_of_any_year_is_read_and_not_complained_of(version: str, schema: Callable[[str], etree.XMLSchema], tmp_path: Path) -> None:
    text = document(version)
    by_itself = schema(version)
    assert by_itself.validate(etree.fromstring(text.encode())), by_itself.error_log
    path = tmp_path / "cells.ome.xml"
    path.write_text(text, encoding="utf-8")
    found = check([path]).findings
    assert {finding.rule for finding in found if finding.severity in ("error", "not-run")} == set()
    assert {finding.rule for finding in found} <= {"ome.schema-version", "ome.objective-missing", "ome.channel-color-default", "ome.file-missing"}
    assert any(version in finding.message for finding in found if finding.rule == "ome.schema-version") == (version != "2016-06")


@pytest.mark.parametrize("version", VERSIONS)
def test_a_document_of_any_year_says_the_same(version: str) -> None:
    (image,) = read_ome(document(version).encode(), "cells.ome.xml").images
    assert (image.size_x, image.size_y, image.size_z, image.size_c, image.size_t, image.pixel_type) == (32, 24, 3, 2, 1, "uint16")
    assert [channel.name for channel in image.metadata.channels] == ["DAPI", "GFP"]
    assert image.metadata.pixel_size_x is not None and image.metadata.pixel_size_x.value == 0.325
    assert image.metadata.acquisition_date is not None


@pytest.mark.parametrize("version", VERSIONS)
def test_a_broken_document_of_any_year_is_found(version: str, tmp_path: Path) -> None:
    path = tmp_path / "cells.ome.xml"
    path.write_text(document(version).replace('SizeC="2"', 'SizeC="3"').replace('DimensionOrder="XYZCT"', ""), encoding="utf-8")
    found = {finding.rule for finding in check([path]).findings}
    assert {"ome.schema", "ome.pixels-incomplete"} & found
    assert ("ome.channel-count" in found) == (version not in OLD[:3])


BREAKS = {
    "an element that is none": lambda text: text.replace("<TiffData/>", "<TiffData/><Bogus/>"),
    "an attribute that is none": lambda text: text.replace("<Pixels ", '<Pixels Bogus="1" '),
    "a type of pixels that is none": lambda text: text.replace('"uint16"', '"uint9"'),
    "an id of another form": lambda text: text.replace('ID="Image:0"', 'ID="foo"'),
    "a size that is no number": lambda text: text.replace('SizeX="32"', 'SizeX="many"'),
    "a date that is none": lambda text: text.replace("-05-06T", "-13-06T"),
}


@pytest.mark.parametrize("what", BREAKS)
@pytest.mark.parametrize("version", VERSIONS)
def test_what_its_own_schema_refuses_is_refused(version: str, what: str, schema: Callable[[str], etree.XMLSchema], tmp_path: Path) -> None:
    broken = BREAKS[what](document(version))
    assert not schema(version).validate(etree.fromstring(broken.encode()))
    path = tmp_path / "cells.ome.xml"
    path.write_text(broken, encoding="utf-8")
    found = {finding.rule for finding in check([path]).findings if finding.severity in ("error", "warning")}
    assert found & {"ome.schema", "input.unreadable", "ome.pixels-incomplete", "ome.id-form"}, found


@pytest.mark.parametrize("version", VERSIONS[5:-1])
def test_a_rich_document_brought_back_by_the_consortiums_transforms_is_not_complained_of(
    version: str, schema: Callable[[str], etree.XMLSchema], test_data: Path, tmp_path: Path
) -> None:
    with zipfile.ZipFile(bioformats.jar()) as jar:
        jar.extractall(tmp_path, [name for name in jar.namelist() if name.startswith("transforms/") and name.endswith(".xsl")])
    names = [path.name for path in sorted(test_data.glob("*.ome.tiff")) if path.name != "wrong_metadata.ome.tiff" and "_z" not in path.name]
    seen = 0
    for name in names:
        with tifffile.TiffFile(test_data / name) as tiff:
            root = etree.fromstring(tiff.ome_metadata.encode())
        # The transforms stop at pairs of keys and values, which older schemas have not.
        etree.strip_elements(root, "{*}StructuredAnnotations", "{*}AnnotationRef")
        for newer, older in zip(VERSIONS[:4:-1], VERSIONS[-2:4:-1], strict=False):
            if older < version:
                break
            root = etree.XSLT(etree.parse(tmp_path / "transforms" / f"{newer}-to-{older}.xsl"))(root).getroot()
        if schema(version).validate(root):
            path = tmp_path / f"{name}.xml"
            path.write_bytes(etree.tostring(root))
            assert [finding.message for finding in check([path]).findings if finding.rule == "ome.schema"] == []
            seen += 1
    assert seen >= 5
