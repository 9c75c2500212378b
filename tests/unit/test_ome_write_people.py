"""Original metadata and people: what is kept, scrubbed or dropped."""

from __future__ import annotations

import re

import pytest
from lxml import etree

from lightmicroscopy.image import (
    ImageMetadata,
    MapAnnotation,
)
from lightmicroscopy.metadata.ome_private import is_personal, scrub_text
from lightmicroscopy.metadata.ome_write import build_ome

from .ome_copies import again, build, metadata_again, source_of
from .ome_examples import image, screen


def test_original_metadata_are_kept_scrubbed_or_dropped() -> None:
    made = image(
        metadata=ImageMetadata(original=(("Operator", "Ada"), ("Gain", "3"), ("Source", "C:\\Users\\ada\\x.lif"), ("Contact", "ada@example.org")))
    )
    assert metadata_again(made).original == made.metadata.original
    assert metadata_again(made, original="scrub").original == (("Gain", "3"),)
    assert metadata_again(made, original="drop").original == ()


def test_dropping_takes_the_originals_of_the_source_file_too() -> None:
    source = source_of(screen())
    data = build_ome(source.images, storage="ome-zarr", source=source, original="drop")
    assert b"OriginalMetadata" not in data


def test_scrubbing_takes_people_out_of_what_is_carried_along() -> None:
    source = source_of(screen())
    root = build(*source.images, storage="ome-zarr", source=source, original="scrub")
    text = etree.tostring(root, encoding="unicode").lower()
    assert not re.search(r"\bada\b|lovelace|ada@|users\\", text)
    assert "aurkb" in text
    assert "first.czi" in text
    assert "serialnumber" in text


def test_keeping_keeps_people() -> None:
    source = source_of(screen())
    assert b"Lovelace" in build_ome(source.images, storage="ome-zarr", source=source)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("Information|Document|UserName", "x"),
        ("PatientID", "1"),
        ("User", "Mode"),
        ("sample_name", "x"),
        ("Host", "pc7"),
        ("FilePath", "x"),
        ("Comment", "mail ada@example.org"),
        ("Protocol", "/home/ada/protocol.xml"),
        ("Share", "\\\\server\\share\\x"),
        ("Experimenter First Name", "Ada"),
    ],
)
def test_personal_pairs_are_recognised(key: str, value: str) -> None:
    assert is_personal(key, value)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("LightPath", "1"),
        ("SamplesPerPixel", "3"),
        ("ZDrive", "12.5"),
        ("Objective", "Plan-Apochromat 63x/1.40 Oil"),
        ("Date", "2020-01-02T03:04:05"),
        ("Link", "https://example.org/home/page"),
        ("SerialNumber", "123"),
        ("Filter", "BP 450/490"),
        ("pDeviceSetting m_sXYPhysFullName0", "Nikon Ti"),
        ("pCameraSetting CameraUserName", "Fusion"),
        ("FormatFast rectSensorUser left", "176"),
        ("HardwareSetting|ParameterCollection #3|UserAWBMode.Type|Status", "Valid"),
        ("HardwareSetting|ParameterCollection #1|UserCameraOrientation.Label", "Acquire|Camera Orientation"),
    ],
)
def test_pairs_about_the_microscope_are_not_personal(key: str, value: str) -> None:
    assert not is_personal(key, value)


def test_scrubbed_text_keeps_the_file_name() -> None:
    assert scrub_text("Patient ID: 0101-77, day 3; patients 7 to 9") == "Patient ID: [removed], day 3; patients 7 to 9"
    assert scrub_text("from C:\\Users\\ada\\a b.lif by ada@example.org") == "from a b.lif by [removed]"


def test_provenance_is_attached_to_every_image() -> None:
    provenance = MapAnnotation("lightmicroscopy/provenance", (("Source", "a.czi"), ("Source", "b.czi")))
    copy = again(image(), image(series=1), provenance=[provenance], original="scrub")
    assert [found.metadata.annotations for found in copy.images] == [(provenance,), (provenance,)]
