"""Rules on OME-XML: what a microscopist is told about her metadata."""

from __future__ import annotations

import re

import pytest

from lightmicroscopy.metadata.rules.ome_xml import plain_words

from .check_examples import GOOD_PIXELS, INSTRUMENT, Check, of_rule, ome_xml, two_channels


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
        "has a fluorescence channel without an emission wavelength: “GFP”",
    ),
    "fluorescence without emission or name": (
        {"channels": '<Channel ID="Channel:0:0" Fluor="EGFP"/>'},
        1,
        "ome.wavelength-missing",
        "info",
        r"without an emission wavelength: channel 0 \(no name\)",
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
