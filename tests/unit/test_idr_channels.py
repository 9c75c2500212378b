from __future__ import annotations

import pytest

from lightmicroscopy.archives.idr_channels import annotated_names, is_default, split_names, with_annotated_names
from lightmicroscopy.archives.idr_record import record_of

from .idr_answers import channel, image


@pytest.mark.parametrize(
    ("value", "count", "names"),
    [
        ("DAPI:DNA;FITC:alpha-tubulin", 2, ("DAPI", "FITC")),
        ("DAPI:DNA;FITC-FilterWheel:alpha-tubulin;TIRTC-FilterWheel:phallodin/F-actin", 3, ("DAPI", "FITC-FilterWheel", "TIRTC-FilterWheel")),
        ("H2B-mCherry:cytosol;GFP:tagged protein;bright field/transmitted:cell", 3, ("H2B-mCherry", "GFP", "bright field/transmitted")),
        ("GammaTubulin / LaminB1 / Dapi", 3, ("GammaTubulin", "LaminB1", "Dapi")),
        ("GammaTubulin/LaminB1/Dapi", 3, ("GammaTubulin", "LaminB1", "Dapi")),
        ("DAPI, GFP", 2, ("DAPI", "GFP")),
        ("DAPI|GFP", 2, ("DAPI", "GFP")),
        ("DAPI:DNA\nGFP:x", 2, ("DAPI", "GFP")),
        (" DAPI : DNA ; GFP : tub ; ", 2, ("DAPI", "GFP")),
        ("GFP:a;GFP:b", 2, ("GFP:a", "GFP:b")),
        (":DNA;GFP:b", 2, (":DNA", "GFP:b")),
        ("DAPI", 1, ("DAPI",)),
        ("phalloidin/F-actin", 1, ("phalloidin/F-actin",)),
        ("DAPI:DNA", 1, ("DAPI",)),
    ],
)
def test_the_curators_spellings_are_understood(value: str, count: int, names: tuple[str, ...]) -> None:
    assert split_names(value, count) == names


@pytest.mark.parametrize(
    ("value", "count"),
    [
        ("DAPI:DNA;FITC:alpha-tubulin", 3),
        ("DAPI:DNA;FITC:alpha-tubulin", 1),
        ("GammaTubulin / LaminB1 / Dapi", 2),
        ("DAPI:DNA/RNA", 2),
        ("DAPI;;GFP", 3),
        ("DAPI; ;GFP", 3),
        ("", 1),
        (";", 1),
        ("DAPI", 2),
    ],
)
def test_names_that_do_not_fit_the_number_of_channels_are_not_taken(value: str, count: int) -> None:
    assert split_names(value, count) is None


def test_a_value_per_channel_is_taken_in_order() -> None:
    assert annotated_names(["DAPI:DNA", "GFP:tub"], 2) == ("DAPI", "GFP")


@pytest.mark.parametrize("values", [[], [""], ["DAPI;GFP", "RFP;YFP"], ["DAPI", "GFP", "RFP"], ["DAPI;GFP", "RFP"]])
def test_annotations_that_contradict_each_other_name_nothing(values: list[str]) -> None:
    assert annotated_names(values, 2) is None


def test_the_same_annotation_twice_is_one() -> None:
    assert annotated_names(["DAPI;GFP", " DAPI;GFP "], 2) == ("DAPI", "GFP")


@pytest.mark.parametrize("name", [None, "", "0", "1", "525", "525.0", "525 nm", "525nm", "Channel 0", "Channel:0:1", "channel_3", "#2"])
def test_numbers_and_wavelengths_are_no_names(name: str | None) -> None:
    assert is_default(name)


@pytest.mark.parametrize("name", ["DAPI", "GFP-525", "A488", "LaminB1", "405 laser", "Channel of Corinth", "5-HT"])
def test_names_with_numbers_are_names(name: str) -> None:
    assert not is_default(name)


def test_only_channels_without_a_name_are_named_and_the_origin_is_kept() -> None:
    record = record_of(image(pixels={"SizeC": 3, "Channels": [channel("LaminB1", 65535), channel("525", 7), channel()]}), 6001240)
    named = with_annotated_names(record, ["A:x;B:y;C:z"])
    assert [(found.name, found.color) for found in named.channels] == [("LaminB1", 65535), ("B", 7), ("C", None)]
    assert named.channel_names_from == ("api", "annotation", "annotation")
    assert with_annotated_names(record, ["A;B"]) == record
