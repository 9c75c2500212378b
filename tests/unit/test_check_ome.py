"""Rules on OME-XML, TIFF and plain pictures: what a microscopist is told about her file."""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image as Pillow

from lightmicroscopy.metadata import findings
from lightmicroscopy.metadata.check import Report, check
from lightmicroscopy.metadata.findings import Finding, Problem, Subject, rule, run_rule
from lightmicroscopy.metadata.rules import PROFILES, catalogue
from lightmicroscopy.metadata.rules.ome_xml import plain_words

NAMESPACE = "http://www.openmicroscopy.org/Schemas/OME/2016-06"
GOOD_CHANNELS = '<Channel ID="Channel:0:0" Name="DAPI" SamplesPerPixel="1" Color="65535" EmissionWavelength="460"/>'
GOOD_PIXELS = 'PhysicalSizeX="0.325" PhysicalSizeY="0.325" PhysicalSizeZ="0.5" TimeIncrement="2"'
INSTRUMENT = '<Instrument ID="Instrument:0"><Objective ID="Objective:0" NominalMagnification="20" LensNA="0.8"/></Instrument>'


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


@pytest.fixture
def checked(tmp_path: Path) -> Check:
    """Write an OME-TIFF of so many pages with that OME-XML, and check it."""

    def run(xml: str, *, pages: int = 1, name: str = "cells.ome.tif") -> list[Finding]:
        path = tmp_path / name
        tifffile.imwrite(
            path, np.zeros((pages, 24, 32), np.uint16), description=xml.encode("ascii", "xmlcharrefreplace"), metadata=None, photometric="minisblack"
        )
        return list(check([path]).findings)

    return run


def of_rule(found: Sequence[Finding], rule_id: str) -> list[Finding]:
    return [finding for finding in found if finding.rule == rule_id]


def two_channels(first: str, second: str) -> str:
    return f'<Channel ID="Channel:0:0" Color="65535" {first}/><Channel ID="Channel:0:1" Color="-16776961" {second}/>'


def test_a_file_that_says_everything_has_no_finding(checked: Check) -> None:
    assert checked(ome_xml()) == []


def test_a_whole_stack_that_says_everything_has_no_finding(checked: Check) -> None:
    xml = ome_xml(sizes=(3, 2, 2), channels=two_channels('Name="DAPI" EmissionWavelength="460"', 'Name="GFP-Tubulin" EmissionWavelength="509"'))
    assert checked(xml, pages=12) == []


SITUATIONS = {
    "size c says more channels than are described": ({"sizes": (1, 3, 1)}, 3, "ome.channel-count", "error", "SizeC is 3, but 1 Channel element"),
    "a channel was cut out and its metadata stayed": (
        {"channels": two_channels('Name="a"', 'Name="b"')},
        1,
        "ome.channel-count",
        "error",
        "SizeC is 1, but 2 Channel elements",
    ),
    "pages were lost": ({"sizes": (5, 1, 1), "data": '<TiffData IFD="0" PlaneCount="5"/>'}, 3, "tiff.page-missing", "error", "pages 0 to 4"),
    "an ifd beyond the end": ({"data": '<TiffData IFD="7"/>'}, 1, "tiff.page-missing", "error", "page 7 .* only 1 page"),
    "fewer pages than planes": (
        {"sizes": (4, 1, 1), "data": '<TiffData IFD="0" PlaneCount="2"/>'},
        2,
        "tiff.plane-without-data",
        "error",
        "4 planes, but .* only 2",
    ),
    "one plane claimed twice": (
        {"sizes": (2, 1, 1), "data": '<TiffData IFD="0" FirstZ="0"/><TiffData IFD="1" FirstZ="0"/>'},
        2,
        "tiff.plane-twice",
        "error",
        "claim the same 1 plane",
    ),
    "one page for two planes": (
        {"sizes": (2, 1, 1), "data": '<TiffData IFD="0" FirstZ="0"/><TiffData IFD="0" FirstZ="1"/>'},
        2,
        "tiff.page-twice",
        "warning",
        "Page 0 stands for two planes",
    ),
    "a page nobody speaks of": ({"data": '<TiffData IFD="0"/>'}, 3, "tiff.page-unused", "info", "2 of the file's 3 pages are not described"),
    "planes beyond the sizes": ({"data": '<TiffData IFD="0" FirstZ="4"/>'}, 1, "tiff.plane-without-data", "error", "beyond the 1 plane that"),
    "cropped without touching the metadata": ({"size_x": 64}, 1, "tiff.size-differs", "error", "says 64 × 24 pixels, but the page has 32 × 24"),
    "two channels of one id": (
        {"sizes": (1, 2, 1), "channels": '<Channel ID="Channel:0:0" Name="a"/><Channel ID="Channel:0:0" Name="b"/>'},
        2,
        "ome.duplicate-id",
        "error",
        "Two Channel elements",
    ),
    "an instrument that is not there": ({"before": ""}, 1, "ome.dangling-reference", "error", "InstrumentRef refers to Instrument:0"),
    "no pixel size": ({"pixels": ""}, 1, "ome.pixel-size-missing", "warning", "in x and y"),
    "no pixel size in y": ({"pixels": 'PhysicalSizeX="1.5"'}, 1, "ome.pixel-size-missing", "warning", "is in y"),
    "a pixel size of zero": ({"pixels": 'PhysicalSizeX="0" PhysicalSizeY="0.3"'}, 1, "ome.pixel-size-invalid", "error", "PhysicalSizeX is 0"),
    "a negative pixel size": ({"pixels": 'PhysicalSizeX="0.3" PhysicalSizeY="-0.3"'}, 1, "ome.pixel-size-invalid", "error", "PhysicalSizeY is -0.3"),
    "a pixel size that is no number": ({"pixels": 'PhysicalSizeX="NaN" PhysicalSizeY="0.3"'}, 1, "ome.pixel-size-invalid", "error", "NaN"),
    "pixels measured in pixels": (
        {"pixels": 'PhysicalSizeX="1" PhysicalSizeXUnit="pixel"'},
        1,
        "ome.pixel-size-invalid",
        "warning",
        "“pixel”, which is not a length",
    ),
    "pixels in a reference frame": (
        {"pixels": 'PhysicalSizeX="1" PhysicalSizeXUnit="reference frame"'},
        1,
        "ome.pixel-size-invalid",
        "warning",
        "not a length",
    ),
    "pixels in furlongs": ({"pixels": 'PhysicalSizeX="1" PhysicalSizeXUnit="furlong"'}, 1, "ome.pixel-size-invalid", "error", "furlong"),
    "metres meant as micrometres": (
        {"pixels": 'PhysicalSizeX="0.3" PhysicalSizeXUnit="m" PhysicalSizeY="0.3" PhysicalSizeYUnit="m"'},
        1,
        "ome.pixel-size-implausible",
        "warning",
        "larger than 1 mm",
    ),
    "a pixel smaller than an atom": (
        {"pixels": 'PhysicalSizeX="0.3" PhysicalSizeXUnit="pm" PhysicalSizeY="0.3" PhysicalSizeYUnit="pm"'},
        1,
        "ome.pixel-size-implausible",
        "warning",
        "smaller than 1 nm",
    ),
    "the 1 µm of software": (
        {"pixels": 'PhysicalSizeX="1.0" PhysicalSizeY="1.0"'},
        1,
        "ome.pixel-size-default",
        "warning",
        "1 µm, the value some software",
    ),
    "72 dots per inch": ({"pixels": 'PhysicalSizeX="352.7778" PhysicalSizeY="352.7778"'}, 1, "ome.pixel-size-default", "warning", "72 dots per inch"),
    "pixels that are not square": (
        {"pixels": 'PhysicalSizeX="0.3" PhysicalSizeY="0.6"'},
        1,
        "ome.pixel-size-unequal",
        "info",
        "0.3 µm in x but 0.6 µm in y",
    ),
    "a stack without a step": (
        {"sizes": (3, 1, 1), "pixels": 'PhysicalSizeX="0.3" PhysicalSizeY="0.3"'},
        3,
        "ome.z-step-missing",
        "warning",
        "3 z planes",
    ),
    "a movie without times": (
        {"sizes": (1, 1, 4), "pixels": 'PhysicalSizeX="0.3" PhysicalSizeY="0.3"'},
        4,
        "ome.time-missing",
        "warning",
        "4 time points",
    ),
    "a channel without a name": ({"channels": '<Channel ID="Channel:0:0"/>'}, 1, "ome.channel-name-missing", "warning", "has no name"),
    "a channel called channel 0": (
        {"channels": '<Channel ID="Channel:0:0" Name="Channel 0"/>'},
        1,
        "ome.channel-name-missing",
        "warning",
        "say nothing: “Channel 0”",
    ),
    "channels called c1 and ch2": (
        {"sizes": (1, 2, 1), "channels": two_channels('Name="C1"', 'Name="ch_2"')},
        2,
        "ome.channel-name-missing",
        "warning",
        "“C1”, “ch_2”",
    ),
    "one of two channels unnamed": (
        {"sizes": (1, 2, 1), "channels": two_channels('Name="DAPI"', "")},
        2,
        "ome.channel-name-missing",
        "warning",
        "no name have: 1",
    ),
    "two channels of one name": (
        {"sizes": (1, 2, 1), "channels": two_channels('Name="GFP"', 'Name="GFP"')},
        2,
        "ome.channel-name-duplicate",
        "warning",
        "“GFP” \\(2 times\\)",
    ),
    "all channels white": (
        {"sizes": (1, 2, 1), "channels": '<Channel ID="Channel:0:0" Name="a" Color="-1"/><Channel ID="Channel:0:1" Name="b"/>'},
        2,
        "ome.channel-color-default",
        "info",
        "None of",
    ),
    "more bits than the type has": (
        {"pixels": f'{GOOD_PIXELS} SignificantBits="24"'},
        1,
        "ome.significant-bits",
        "error",
        "24, but pixels of type uint16 have only 16",
    ),
    "fluorescence without emission": (
        {"channels": '<Channel ID="Channel:0:0" Name="GFP" Fluor="EGFP"/>'},
        1,
        "ome.wavelength-missing",
        "info",
        "without an emission wavelength: GFP",
    ),
    "a wavelength in micrometres": (
        {"channels": '<Channel ID="Channel:0:0" Name="GFP" EmissionWavelength="0.509"/>'},
        1,
        "ome.wavelength-implausible",
        "warning",
        "an emission wavelength of 0.509 nm",
    ),
    "emission and excitation swapped": (
        {"channels": '<Channel ID="Channel:0:0" Name="GFP" EmissionWavelength="488" ExcitationWavelength="509"/>'},
        1,
        "ome.wavelength-implausible",
        "warning",
        "below its excitation",
    ),
    "an objective without aperture": (
        {"before": '<Instrument ID="Instrument:0"><Objective ID="Objective:0" NominalMagnification="20"/></Instrument>'},
        1,
        "ome.objective-missing",
        "info",
        "numerical aperture",
    ),
    "a person is named": (
        {"before": '<Experimenter ID="Experimenter:0" FirstName="Ada" LastName="Lovelace"/>' + INSTRUMENT},
        1,
        "ome.personal-data",
        "warning",
        "Ada, Lovelace",
    ),
    "a plane that does not exist": (
        {"data": '<TiffData/><Plane TheZ="9" TheC="0" TheT="0"/>'},
        1,
        "ome.plane-out-of-range",
        "error",
        "TheZ = 9, but SizeZ is 1",
    ),
    "a plane described twice": (
        {"data": '<TiffData/><Plane TheZ="0" TheC="0" TheT="0"/><Plane TheZ="0" TheC="0" TheT="0"/>'},
        1,
        "ome.plane-out-of-range",
        "error",
        "the same plane",
    ),
    "an attribute ome does not know": ({"pixels": f'{GOOD_PIXELS} Colour="red"'}, 1, "ome.schema", "error", "Pixels has an attribute Colour"),
    "an older schema": ({"namespace": "http://www.openmicroscopy.org/Schemas/OME/2013-06"}, 1, "ome.schema-version", "info", "2013-06"),
}


@pytest.mark.parametrize("situation", SITUATIONS)
def test_what_is_wrong_is_found_and_said(checked: Check, situation: str) -> None:
    changes, pages, rule_id, severity, words = SITUATIONS[situation]
    found = of_rule(checked(ome_xml(**changes), pages=pages), rule_id)
    assert found, f"{rule_id} was silent"
    assert found[0].severity == severity
    assert re.search(words, found[0].message), found[0].message
    assert found[0].fix
    assert found[0].why
    assert found[0].source.startswith("https://")


HARMLESS = {
    "a z step is not asked of a single plane": ({"pixels": 'PhysicalSizeX="0.3" PhysicalSizeY="0.3"'}, 1, "ome.z-step-missing"),
    "planes with times need no interval": (
        {
            "sizes": (1, 1, 2),
            "pixels": 'PhysicalSizeX="0.3" PhysicalSizeY="0.3"',
            "data": '<TiffData/><Plane TheZ="0" TheC="0" TheT="0" DeltaT="0"/><Plane TheZ="0" TheC="0" TheT="1" DeltaT="1.5"/>',
        },
        2,
        "ome.time-missing",
    ),
    "a fluorophore is a name": ({"channels": '<Channel ID="Channel:0:0" Fluor="EGFP"/>'}, 1, "ome.channel-name-missing"),
    "a laser line is a name": ({"channels": '<Channel ID="Channel:0:0" Name="488"/>'}, 1, "ome.channel-name-missing"),
    "1 µm in x alone is no default": ({"pixels": 'PhysicalSizeX="1.0" PhysicalSizeY="0.9"'}, 1, "ome.pixel-size-default"),
    "nanometres are a length": (
        {"pixels": 'PhysicalSizeX="325" PhysicalSizeXUnit="nm" PhysicalSizeY="325" PhysicalSizeYUnit="nm"'},
        1,
        "ome.pixel-size-implausible",
    ),
    "exactly 1 nm is still plausible": (
        {"pixels": 'PhysicalSizeX="1" PhysicalSizeXUnit="nm" PhysicalSizeY="1" PhysicalSizeYUnit="nm"'},
        1,
        "ome.pixel-size-implausible",
    ),
    "as many bits as the type has": ({"pixels": f'{GOOD_PIXELS} SignificantBits="16"'}, 1, "ome.significant-bits"),
    "two photons may emit below the excitation": (
        {
            "channels": '<Channel ID="Channel:0:0" Name="GFP" AcquisitionMode="MultiPhotonMicroscopy" '
            'EmissionWavelength="509" ExcitationWavelength="920"/>'
        },
        1,
        "ome.wavelength-implausible",
    ),
    "brightfield has no emission": (
        {"channels": '<Channel ID="Channel:0:0" Name="BF" ContrastMethod="Brightfield" IlluminationType="Transmitted"/>'},
        1,
        "ome.wavelength-missing",
    ),
    "an experimenter without a name": ({"before": '<Experimenter ID="Experimenter:0"/>' + INSTRUMENT}, 1, "ome.personal-data"),
    "pages in reverse order": ({"sizes": (2, 1, 1), "data": '<TiffData IFD="0" FirstZ="1"/><TiffData IFD="1" FirstZ="0"/>'}, 2, "tiff.plane-twice"),
}


@pytest.mark.parametrize("situation", HARMLESS)
def test_what_is_right_is_left_alone(checked: Check, situation: str) -> None:
    changes, pages, rule_id = HARMLESS[situation]
    assert of_rule(checked(ome_xml(**changes), pages=pages), rule_id) == []


def test_a_mistake_in_the_xml_is_told_once_and_in_words(checked: Check) -> None:
    found = of_rule(checked(ome_xml(type_="uint17")), "ome.schema")
    assert len(found) == 1
    assert found[0].message.startswith("Type of Pixels is “uint17”, which is none of the words OME-XML allows there. Allowed are bit, complex,")


def test_ids_are_told_by_their_own_rules_and_not_again_as_schema_errors(checked: Check) -> None:
    found = checked(ome_xml(before=""))
    assert of_rule(found, "ome.dangling-reference")
    assert of_rule(found, "ome.schema") == []


@pytest.mark.parametrize(
    ("message", "words"),
    [
        ("Element 'Pixels': The attribute 'SizeX' is required but missing.", "Pixels lacks its attribute SizeX."),
        (
            "Element 'Image': This element is not expected. Expected is one of ( StructuredAnnotations, ROI ).",
            "Image stands where it may not: here OME-XML wants",
        ),
        ("Element 'Image': Missing child element(s). Expected is ( Pixels ).", "Image is incomplete: it lacks Pixels."),
        (
            "Element 'Pixels', attribute 'SizeX': 'a' is not a valid value of the atomic type 'PositiveInt'.",
            "SizeX of Pixels is “a”, which is not a value",
        ),
        ("Element 'Channel': No match found for key-sequence ['Channel:9'] of keyref 'x'.", ""),
        ("Something libxml2 says tomorrow.", "Something libxml2 says tomorrow."),
    ],
)
def test_the_validators_words_become_plain_ones(message: str, words: str) -> None:
    assert plain_words(message).startswith(words) and bool(plain_words(message)) == bool(words)


def test_broken_xml_is_one_error_and_the_other_rules_say_that_they_could_not_run(checked: Check) -> None:
    found = checked(ome_xml().replace("</Pixels>", ""))
    assert [finding.severity for finding in of_rule(found, "ome.readable")] == ["error"]
    not_run = [finding for finding in found if finding.severity == "not-run"]
    assert "ome.schema" in {finding.rule for finding in not_run}
    assert all("could not be checked" in finding.message for finding in not_run)


def test_xml_with_entities_is_refused_and_nothing_is_expanded(checked: Check) -> None:
    bomb = '<?xml version="1.0"?><!DOCTYPE OME [<!ENTITY a "boom">]>' + ome_xml().partition("?>")[2].replace('Name="cells"', 'Name="&a;"')
    found = checked(bomb)
    assert any("document type" in finding.message for finding in found if finding.severity == "error")
    assert not any("boom" in finding.message for finding in found)


def test_a_tiff_renamed_to_ome_tiff_is_told_apart(tmp_path: Path) -> None:
    path = tmp_path / "renamed.ome.tiff"
    tifffile.imwrite(path, np.zeros((24, 32), np.uint16), metadata=None, ome=False)
    found = check([path]).findings
    assert of_rule(found, "tiff.ome-missing")
    assert of_rule(found, "source.metadata-free")


def test_a_plain_tiff_is_told_what_it_cannot_say(tmp_path: Path) -> None:
    path = tmp_path / "plain.tif"
    tifffile.imwrite(path, np.zeros((24, 32), np.uint16), metadata=None)
    found = check([path]).findings
    assert of_rule(found, "source.metadata-free")[0].severity == "warning"
    assert of_rule(found, "tiff.ome-missing") == []


def test_a_png_and_a_jpeg_are_told_what_is_lost(tmp_path: Path) -> None:
    picture = Pillow.fromarray(np.random.default_rng(1).integers(0, 255, (32, 40, 3), np.uint8).astype(np.uint8))
    picture.save(tmp_path / "a.png")
    picture.save(tmp_path / "b.jpg")
    report = check([tmp_path / "a.png", tmp_path / "b.jpg"])
    free = of_rule(report.findings, "source.metadata-free")
    assert {finding.input for finding in free} == {"a.png", "b.jpg"}
    assert "pixel size" in free[0].message
    assert [finding.input for finding in of_rule(report.findings, "source.lossy")] == ["b.jpg"]


def test_jpeg_tiles_inside_a_tiff_are_lossy(tmp_path: Path) -> None:
    path = tmp_path / "slide.tif"
    pixels = np.random.default_rng(1).integers(0, 255, (64, 64, 3), np.uint8).astype(np.uint8)
    tifffile.imwrite(path, pixels, compression="jpeg", tile=(32, 32), photometric="rgb", metadata=None)
    assert of_rule(check([path]).findings, "source.lossy")[0].severity == "warning"


def test_a_label_map_with_lossy_compression_is_an_error() -> None:
    from dataclasses import replace

    from lightmicroscopy.image import Dataset, Location

    from .memory_image import memory_image

    image = replace(memory_image(np.zeros((1, 1, 1, 4, 4, 1), np.uint8), kind="label"), lossy=True, compression="jpeg")
    subject = Subject("a", Path("a"), Dataset(Location(Path("a")), "OME-TIFF", (image,)))
    lossy = next(item for item in catalogue() if item.id == "source.lossy")
    assert run_rule(lossy, subject, "open-format")[0][0].severity == "error"


def test_white_is_zero_and_colour_tables_are_noted(tmp_path: Path) -> None:
    inverted, indexed = tmp_path / "inverted.tif", tmp_path / "indexed.tif"
    tifffile.imwrite(inverted, np.zeros((24, 32), np.uint8), photometric="miniswhite", metadata=None)
    table = np.random.default_rng(3).integers(0, 65535, (3, 256), np.uint16).astype(np.uint16)
    tifffile.imwrite(indexed, np.zeros((24, 32), np.uint8), photometric="palette", colormap=table, metadata=None)
    found = check([inverted, indexed]).findings
    assert [finding.input for finding in of_rule(found, "source.white-is-zero")] == ["inverted.tif"]
    assert [finding.input for finding in of_rule(found, "source.indexed")] == ["indexed.tif"]


def test_a_computer_and_an_artist_in_tiff_tags_are_personal_data(tmp_path: Path) -> None:
    path = tmp_path / "tags.tif"
    tifffile.imwrite(path, np.zeros((24, 32), np.uint8), metadata=None, extratags=[(316, 2, 0, "LAB-PC-7", True), (315, 2, 0, "Ada Lovelace", True)])
    messages = " ".join(finding.message for finding in of_rule(check([path]).findings, "ome.personal-data"))
    assert "LAB-PC-7" in messages
    assert "Ada Lovelace" in messages


def test_large_planes_without_tiles_or_pyramid_are_noted(tmp_path: Path) -> None:
    path = tmp_path / "large.tif"
    tifffile.imwrite(path, np.zeros((4100, 4100), np.uint8), compression="zlib", metadata=None)
    found = check([path]).findings
    assert of_rule(found, "tiff.no-pyramid")[0].severity == of_rule(found, "tiff.not-tiled")[0].severity == "info"


def test_metadata_alone_are_checked_and_the_missing_files_named(tmp_path: Path) -> None:
    path = tmp_path / "set.companion.ome"
    path.write_text(ome_xml(pixels="", data='<TiffData IFD="0"><UUID FileName="a.ome.tif">urn:uuid:0</UUID></TiffData>'), encoding="utf-8")
    report = check([path])
    assert report.failed == ()
    assert of_rule(report.findings, "ome.pixel-size-missing")
    assert "a.ome.tif" in of_rule(report.findings, "ome.file-missing")[0].message


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_metadata_from_windows_editors_are_read(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "a.ome.xml"
    path.write_text(ome_xml(pixels="", data="<MetadataOnly/>").replace("UTF-8", "utf-16" if encoding == "utf-16" else "UTF-8"), encoding=encoding)
    assert of_rule(check([path]).findings, "ome.pixel-size-missing")


def test_xml_that_is_no_ome_xml_is_one_failed_input(tmp_path: Path) -> None:
    path = tmp_path / "a.xml"
    path.write_text("<html><body/></html>")
    report = check([path])
    assert len(report.failed) == 1
    assert report.findings[0].rule == "input.unreadable"
    assert "html" in report.findings[0].message


@pytest.mark.parametrize(
    "content",
    [b"", b"no image at all", b"II*\0\xff\xff\xff\xff", b"MM\0*" + struct.pack(">I", 8), b"<", b"\xff\xfe<", b"PK\x03\x04", b"\x89PNG\r\n\x1a\n"],
)
def test_rubbish_costs_its_own_row_only(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "rubbish.tif").write_bytes(content)
    (tmp_path / "good.xml").write_text(ome_xml(data="<MetadataOnly/>"), encoding="utf-8")
    report = check([tmp_path / "rubbish.tif", tmp_path / "good.xml"])
    assert [item.name for item in report.failed] == ["rubbish.tif"]
    assert [finding.input for finding in report.findings if finding.severity == "error"] == ["rubbish.tif"]


def test_a_truncated_tiff_is_unreadable_but_its_metadata_are_still_checked(tmp_path: Path) -> None:
    path = tmp_path / "cut.ome.tif"
    tifffile.imwrite(path, np.zeros((24, 32), np.uint16), description=ome_xml(pixels="").encode(), metadata=None)
    path.write_bytes(path.read_bytes()[:-600])
    report = check([path])
    assert of_rule(report.findings, "input.unreadable")
    assert of_rule(report.findings, "ome.pixel-size-missing")


def test_what_is_not_there_is_a_failed_input_and_no_crash(tmp_path: Path) -> None:
    report = check([tmp_path / "missing.tif"])
    assert len(report.failed) == 1
    assert "missing.tif" in report.findings[0].message


def test_the_files_of_one_set_are_checked_once(realfiles: Path) -> None:
    report = check(sorted((realfiles / "ometiff").glob("multifile*")))
    assert len(report.checked) == 1
    assert {item.part_of for item in report.inputs} == {"", report.checked[0].name}
    assert {finding.input for finding in report.findings} == {report.checked[0].name}


def test_real_ome_tiffs_have_no_false_errors(realfiles: Path) -> None:
    report = check(sorted((realfiles / "ometiff").glob("*.tif*")))
    assert [finding for finding in report.findings if finding.severity in ("error", "not-run")] == []


def test_two_files_of_one_name_are_told_apart_and_one_given_twice_is_checked_once(tmp_path: Path) -> None:
    paths = [tmp_path / folder / "a.xml" for folder in "xy"]
    for path in paths:
        path.parent.mkdir()
        path.write_text(ome_xml(data="<MetadataOnly/>"), encoding="utf-8")
    assert [item.name for item in check([*paths, paths[0]]).inputs] == [str(path) for path in paths]


def test_findings_are_sorted_by_severity_input_and_rule(tmp_path: Path) -> None:
    for name in ("b.xml", "a.xml"):
        (tmp_path / name).write_text(ome_xml(sizes=(1, 2, 1), pixels="", data="<MetadataOnly/>"), encoding="utf-8")
    found = check([tmp_path / "b.xml", tmp_path / "a.xml"]).findings
    keys = [(findings.SEVERITIES.index(finding.severity), finding.input, finding.rule) for finding in found]
    assert keys == sorted(keys)
    assert len({key[0] for key in keys}) > 1


def test_a_hundred_thousand_equal_problems_are_counted_not_listed(tmp_path: Path) -> None:
    path = tmp_path / "a.xml"
    path.write_text(ome_xml(data="<MetadataOnly/>" + '<Plane TheZ="5" TheC="0" TheT="0"/>' * 3000), encoding="utf-8")
    found = of_rule(check([path]).findings, "ome.plane-out-of-range")
    assert len(found) == findings.PROBLEMS_SHOWN + 1
    assert "more than 1000 more places" in found[-1].message


@pytest.fixture
def extra_rule() -> Callable[[Callable[[Subject], list[Problem]]], findings.Rule]:
    """Make a rule that is in no catalogue."""

    def make(function: Callable[[Subject], list[Problem]]) -> findings.Rule:
        name = f"test.{function.__name__}"
        rule(name, severity="error", title="It holds.", why="Why.", fix="Fix.", source="https://example.org", needs="path")(function)
        return findings.RULES.pop(name)

    return make


def test_a_rule_that_crashes_says_so_and_never_passes(extra_rule: Callable[..., findings.Rule]) -> None:
    def crashing(_: Subject) -> list[Problem]:
        raise ZeroDivisionError("by zero")

    found, status = run_rule(extra_rule(crashing), Subject("a", Path("a")), "open-format")
    assert status == "not-run"
    assert found[0].severity == "not-run"
    assert "ZeroDivisionError" in found[0].message


def test_a_rule_that_crashes_half_way_does_not_pass_either(extra_rule: Callable[..., findings.Rule]) -> None:
    def half(_: Subject):  # type: ignore[no-untyped-def]
        yield Problem("One.")
        raise KeyError("x")

    assert run_rule(extra_rule(half), Subject("a", Path("a")), "open-format")[1] == "not-run"


def test_two_rules_cannot_have_one_name() -> None:
    known = catalogue()[0]
    with pytest.raises(ValueError, match=known.id):
        rule(known.id, severity="info", title="", why="", fix="", source="")(lambda _: [])


def test_every_rule_of_the_catalogue_says_all_that_a_reader_needs() -> None:
    rules = catalogue()
    assert len(rules) > 35
    for item in rules:
        assert re.fullmatch(r"[a-z]+\.[a-z0-9]+(-[a-z0-9]+)*", item.id), item.id
        assert all(text[0].isupper() or not text[0].isalpha() for text in (item.title, item.why, item.fix)), item.id
        assert all(text.endswith((".", ")")) for text in (item.title, item.why, item.fix)), item.id
        assert item.source.startswith("https://"), item.id
        assert set(item.profiles) <= set(PROFILES)


def test_the_report_says_which_rules_passed_and_which_had_nothing_to_check(tmp_path: Path) -> None:
    path = tmp_path / "a.xml"
    path.write_text(ome_xml(data="<MetadataOnly/>"), encoding="utf-8")
    report: Report = check([path])
    statuses = report.inputs[0].statuses
    assert statuses["ome.channel-count"] == "passed"
    assert statuses["tiff.not-tiled"] == "not-applicable"
    assert set(statuses) == {item.id for item in catalogue()}


def test_a_rule_with_nothing_to_look_at_does_not_count_as_passed(tmp_path: Path) -> None:
    path = tmp_path / "a.xml"
    path.write_text(ome_xml(data="<MetadataOnly/>", pixels="", channels=""), encoding="utf-8")
    statuses = check([path]).inputs[0].statuses
    empty = (
        "ome.pixel-size-invalid",
        "ome.pixel-size-default",
        "ome.pixel-size-unequal",
        "ome.channel-count",
        "ome.significant-bits",
        "ome.z-step-missing",
    )
    assert {statuses[rule_id] for rule_id in empty} == {"not-applicable"}
