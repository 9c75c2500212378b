from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from lightmicroscopy.archives.idr_record import quantity, record_of
from lightmicroscopy.errors import ArchiveError, SuiteError, UnreadableError
from lightmicroscopy.image import Quantity
from lightmicroscopy.names import sanitise

from .idr_answers import channel, external, image, length


def test_an_image_is_described_by_what_the_answer_says() -> None:
    pixels = {
        "SignificantBits": 12,
        "PhysicalSizeX": length(0.36),
        "PhysicalSizeY": length(360, "NANOMETER", "nm"),
        "PhysicalSizeZ": length(0.5, "MICROMETER", "\u03bcm"),
        "TimeIncrement": {"@type": "TBD#TimeI", "Unit": "MILLISECOND", "Symbol": "ms", "Value": 1500},
    }
    record = record_of(image(pixels=pixels, Description="two\nlines", AcquisitionDate=1560000000123), 6001240)
    assert (record.id, record.name, record.description, record.series) == (6001240, "B1_C1.tif", "two\nlines", 0)
    assert (record.size_x, record.size_y, record.size_z, record.size_c, record.size_t) == (271, 275, 236, 2, 1)
    assert (record.dtype, record.significant_bits) == ("uint16", 12)
    assert (record.pixel_size_x, record.pixel_size_y, record.pixel_size_z) == (Quantity(0.36, "µm"), Quantity(360, "nm"), Quantity(0.5, "µm"))
    assert record.time_increment_s == 1.5
    assert record.acquisition_date == "2019-06-08T13:20:00.123Z"
    assert record.url == "https://idr.openmicroscopy.org/webclient/?show=image-6001240"
    assert record.warnings == ()


def test_an_answer_in_a_list_is_the_same_answer() -> None:
    stated = image()
    assert record_of({"data": [stated["data"]]}, 6001240) == record_of(stated, 6001240)


def test_what_is_not_said_stays_unknown() -> None:
    record = record_of(image(pixels={"Channels": None}, **{"omero:series": None}), 6001240)
    assert (record.pixel_size_x, record.time_increment_s, record.acquisition_date, record.significant_bits, record.external) == (None,) * 5
    assert [(found.name, found.color) for found in record.channels] == [(None, None)] * 2
    assert record.channel_names_from == ("", "")
    assert record.series == 0
    assert record.warnings == ()


@pytest.mark.parametrize(
    ("word", "name"),
    [
        ("bit", "bool"),
        ("int8", "int8"),
        ("uint8", "uint8"),
        ("int16", "int16"),
        ("uint16", "uint16"),
        ("int32", "int32"),
        ("uint32", "uint32"),
        ("float", "float32"),
        ("double", "float64"),
    ],
)
def test_types_have_numpys_names(word: str, name: str) -> None:
    record = record_of(image(pixels={"Type": {"value": word}}), 6001240)
    assert np.dtype(record.dtype) == np.dtype(name)


@pytest.mark.parametrize("word", ["complex", "double-complex"])
def test_complex_pixels_are_refused_with_a_reason(word: str) -> None:
    with pytest.raises(UnreadableError, match="complex numbers"):
        record_of(image(pixels={"Type": {"value": word}}), 6001240)


@pytest.mark.parametrize("kind", [None, {}, {"value": "uint12"}, {"value": None}, "uint16", {"value": ["uint16"]}])
def test_a_type_nobody_knows_is_refused(kind: Any) -> None:
    with pytest.raises(ArchiveError, match="none of OMERO's"):
        record_of(image(pixels={"Type": kind}), 6001240)


@pytest.mark.parametrize("size", [None, 0, -1, 2**31, 10**30, 271.0, "271", True, [271], float("nan")])
@pytest.mark.parametrize("axis", ["X", "T"])
def test_sizes_that_cannot_be_are_refused(axis: str, size: Any) -> None:
    with pytest.raises(ArchiveError, match=f"without a usable size in {axis.lower()}"):
        record_of(image(pixels={f"Size{axis}": size}), 6001240)


@pytest.mark.parametrize("sizes", [{"SizeC": 65_537}, {"SizeT": 2**20, "SizeZ": 2**20}])
def test_more_planes_than_there_can_be_are_refused_before_anything_is_made_of_them(sizes: dict[str, int]) -> None:
    with pytest.raises(ArchiveError, match="which cannot be"):
        record_of(image(pixels=sizes), 6001240)


@pytest.mark.parametrize(
    "answer",
    [None, [], {}, "x", 5, {"data": None}, {"data": []}, {"data": [{}, {}]}, {"message": "no"}, image(7), image(True), {"data": {"@id": "6001240"}}],
)
def test_an_answer_on_something_else_is_refused(answer: Any) -> None:
    with pytest.raises(ArchiveError, match="answered with something else"):
        record_of(answer, 6001240)


@pytest.mark.parametrize(
    "size",
    [
        length(1, "PIXEL", "pixel"),
        length(1, "REFERENCEFRAME", "reference frame"),
        length(0),
        length(-0.3),
        length(float("inf")),
        length(float("nan")),
        {"Value": 1},
        {"Unit": "MICROMETER"},
        {"Unit": "PARROT", "Symbol": "pr", "Value": 1},
        {"Unit": "SECOND", "Symbol": "s", "Value": 1},
        0.36,
        "0.36 µm",
        {"Unit": "MICROMETER", "Value": "0.36"},
        {"Unit": "MICROMETER", "Value": 10**400},
    ],
)
def test_a_pixel_size_that_is_no_length_stays_unknown_and_is_told(size: Any) -> None:
    record = record_of(image(pixels={"PhysicalSizeX": size}), 6001240)
    assert record.pixel_size_x is None
    assert len(record.warnings) == 1
    assert "pixel size in x" in record.warnings[0]


@pytest.mark.parametrize(
    ("unit", "symbol", "spelt"),
    [
        ("MICROMETER", "", "µm"),
        ("", "µm", "µm"),
        ("ANGSTROM", "Å", "Å"),
        ("METER", "m", "m"),
        ("INCH", "in", "in"),
        ("micrometer", "", "µm"),
        ("DECAMETER", "dam", "dam"),
        ("PARSEC", "pc", "pc"),
    ],
)
def test_units_are_spelt_as_ome_does(unit: str, symbol: str, spelt: str) -> None:
    assert quantity({"Unit": unit, "Symbol": symbol, "Value": 2}, "length") == Quantity(2.0, spelt)


@pytest.mark.parametrize(
    ("milliseconds", "date"), [(1560000000000, "2019-06-08T13:20:00Z"), (-1000, "1969-12-31T23:59:59Z"), (1235730332000, "2009-02-27T10:25:32Z")]
)
def test_dates_are_told_in_universal_time(milliseconds: int, date: str) -> None:
    assert record_of(image(AcquisitionDate=milliseconds), 6001240).acquisition_date == date


@pytest.mark.parametrize("date", [0, 10**18, -(10**18), 10**40, "2019-06-08", 1.5e12, True, [], {}])
def test_a_date_that_is_none_stays_unknown_and_is_told(date: Any) -> None:
    record = record_of(image(AcquisitionDate=date), 6001240)
    assert record.acquisition_date is None
    assert "acquisition date" in record.warnings[0]


@pytest.mark.parametrize(
    ("stated", "kept"),
    [
        (65535, 0x0000FFFF),
        (-16776961, -16776961),
        (0xFF0000FF, -16776961),
        (0, 0),
        (-1, None),
        (0xFFFFFFFF, None),
        (2**32, None),
        (-(2**31) - 1, None),
        ("65535", None),
        (1.0, None),
        (True, None),
    ],
)
def test_colours_are_signed_rgba_and_white_says_nothing(stated: Any, kept: int | None) -> None:
    record = record_of(image(pixels={"SizeC": 1, "Channels": [channel("a", stated)]}), 6001240)
    assert record.channels[0].color == kept


def test_a_channel_keeps_all_that_is_said_of_it() -> None:
    more = {
        "ExcitationWavelength": length(436, "NANOMETER", "nm"),
        "EmissionWavelength": length(0.47),
        "Fluor": "CFP",
        "NDFilter": 1,
        "PinholeSize": length(50),
        "ContrastMethod": {"value": "Fluorescence"},
        "Illumination": {"value": "Epifluorescence"},
        "AcquisitionMode": {"value": "LaserScanningConfocalMicroscopy"},
    }
    found = record_of(image(pixels={"SizeC": 1, "Channels": [channel("CFP_JP4", 65535, **more)]}), 6001240).channels[0]
    assert (found.name, found.excitation_nm, found.emission_nm, found.fluor, found.nd_filter) == ("CFP_JP4", 436.0, 470.0, "CFP", 1.0)
    assert (found.contrast_method, found.illumination_type, found.acquisition_mode) == (
        "Fluorescence",
        "Epifluorescence",
        "LaserScanningConfocalMicroscopy",
    )
    assert found.pinhole == Quantity(50.0, "µm")


@pytest.mark.parametrize("wavelength", [length(-5, "NANOMETER", "nm"), length(0), length(5, "PIXEL", "pixel"), 436, None])
def test_a_wavelength_that_is_none_stays_unknown(wavelength: Any) -> None:
    assert (
        record_of(image(pixels={"SizeC": 1, "Channels": [channel("a", ExcitationWavelength=wavelength)]}), 6001240).channels[0].excitation_nm is None
    )


@pytest.mark.parametrize("described", [[channel("a")], [channel("a")] * 5, ["a", 7], {}, "ab"])
def test_there_are_as_many_channels_as_the_size_says(described: Any) -> None:
    assert len(record_of(image(pixels={"Channels": described}), 6001240).channels) == 2


def test_names_are_one_line_and_make_no_path() -> None:
    record = record_of(image(Name="../../etc/passwd\x00\t\n\x1b[2J\u202eC:\\x"), 6001240)
    assert record.name == "../../etc/passwd [2JC:\\x"
    assert not set(sanitise(record.name)) & set("/\\\x00\n")
    assert sanitise(record.name)[0] != "."


@pytest.mark.parametrize("name", [None, "", " \t", 5.0, ["a"], {}])
def test_an_image_without_a_name_is_called_by_its_number(name: Any) -> None:
    record = record_of(image(Name=name), 6001240)
    assert record.name == ("5.0" if name == 5.0 else "image-6001240")


def test_endless_text_is_cut() -> None:
    record = record_of(image(Name="n" * 10**6, Description="d" * 10**6), 6001240)
    assert len(record.name) == 1024
    assert len(record.description) == 100_000


def test_the_registered_zarr_is_kept_as_it_is_written() -> None:
    lsid = "s3://livingobjects.ebi.ac.uk/idr/zarr/v0.4/idr0062A/6001240.zarr?anonymous=true"
    assert record_of(image(**{"omero:details": external(lsid)}), 6001240).external == lsid


@pytest.mark.parametrize(
    "details",
    [
        None,
        {},
        [],
        {"externalInfo": None},
        {"externalInfo": "s3://x.y/b/k"},
        external("x", kind="com.glencoesoftware.ngff:other"),
        external("x", number=2),
        external(""),
        {"externalInfo": {"EntityId": 3}},
        {"externalInfo": {"EntityType": "com.glencoesoftware.ngff:multiscales", "EntityId": 3, "Lsid": 5.5e300}},
    ],
)
def test_other_external_information_is_none_of_ours(details: Any) -> None:
    assert record_of(image(**{"omero:details": details}), 6001240).external is None


@pytest.mark.parametrize("bits", [0, -1, 65, "16", 16.0, True])
def test_significant_bits_that_cannot_be_stay_unknown(bits: Any) -> None:
    assert record_of(image(pixels={"SignificantBits": bits}), 6001240).significant_bits is None


def test_no_answer_makes_anything_but_a_sentence() -> None:
    """Every value of a true answer replaced by every kind of wrong value."""
    wrong: list[Any] = [None, True, -1, 0, 1.5, 10**40, float("nan"), "", "x", [], [1], {}, {"a": 1}, [None], "\x00"]

    def keys(node: Any, above: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
        children = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
        return [path for key, value in children for path in ((*above, key), *keys(value, (*above, key)))]

    true = image(pixels={"PhysicalSizeX": length(1.0), "SignificantBits": 16}, AcquisitionDate=5, **{"omero:details": external("s3://a.b/c")})
    for path in keys(true):
        for value in wrong:
            answer = image(
                pixels={"PhysicalSizeX": length(1.0), "SignificantBits": 16}, AcquisitionDate=5, **{"omero:details": external("s3://a.b/c")}
            )
            node: Any = answer
            for key in path[:-1]:
                node = node[key]
            node[path[-1]] = value
            try:
                record = record_of(answer, 6001240)
            except SuiteError:
                continue
            assert len(record.channels) == record.size_c
