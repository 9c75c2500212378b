"""What is known of an ND2 file besides its pixels."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from lightmicroscopy import readers
from lightmicroscopy.image import Image, Location, Quantity
from lightmicroscopy.metadata.ome_private import scrub_pairs

from .nd2_files import JULIAN_2024, Nd2, Unsigned, custom, phases, plane, points, stack, time_loop, tree, values, variant

PLACES = [(1.0, 2.0, "here"), (3.0, 4.0, "there")]


def image_of(path: Path, number: int = 0, **parts: Any) -> Image:
    """Make a file and open one of its images."""
    with readers.open(Location(Nd2(**parts).write(path / "made.nd2"))) as dataset:
        return dataset.images[number]


def spectrum(*wavelengths: float) -> dict[str, Any]:
    """Points of a spectrum."""
    listed = {f"Point{n}": {"eType": 4, "dWavelength": wavelength, "dTValue": 0.0} for n, wavelength in enumerate(wavelengths)}
    return {"uiCount": Unsigned(len(wavelengths)), "pPoint": listed}


def filters(excitation: dict[str, Any], emission: dict[str, Any]) -> dict[str, Any]:
    """The light path of a channel."""
    return {"pFilterPath": {"m_pFilter": [{"m_sName": "cube", "m_ExcitationSpectrum": excitation, "m_EmissionSpectrum": emission}]}}


def test_channels_have_name_colour_and_wavelengths(tmp_path: Path) -> None:
    planes = [
        plane("DAPI", color=0xFF3300, mask=0x101, **filters(spectrum(405.0), spectrum(450.0))),
        plane("DIC", color=0xFFFFFF, mask=0x122, index=1),
    ]
    first, second = image_of(tmp_path, pixels=values(1, components=2), planes=planes).metadata.channels
    assert (first.name, first.color, first.excitation_nm, first.emission_nm) == ("DAPI", 0x0033FFFF, 405.0, 450.0)
    assert (first.contrast_method, first.acquisition_mode, first.illumination_type) == ("Fluorescence", "WideField", "Epifluorescence")
    assert (second.name, second.color, second.emission_nm) == ("DIC", None, None)
    assert (second.contrast_method, second.acquisition_mode, second.illumination_type) == ("DIC", "BrightField", "Transmitted")


def test_a_confocal_tells_pinhole_and_mode(tmp_path: Path) -> None:
    described = plane("GFP", mask=0x8000201, dPinholeDiameter=38.3, **filters(spectrum(488.0), spectrum(525.0)))
    samples = {"a0": {"pCameraSetting": {"CameraUniqueName": "Nikon_A1"}}}
    metadata = image_of(tmp_path, pixels=values(1), planes=[described], samples=samples, picture={"dZoom": 2.5}).metadata
    (channel,) = metadata.channels
    assert (channel.pinhole, channel.acquisition_mode) == (Quantity(38.3, "µm"), "LaserScanningConfocalMicroscopy")
    assert metadata.instrument is not None
    (detector,) = metadata.instrument.detectors
    assert (detector.model, detector.type, detector.zoom) == ("Nikon_A1", "PMT", 2.5)
    assert channel.detector_id == detector.id


def test_the_laser_that_was_on_is_the_excitation(tmp_path: Path) -> None:
    devices = {"m_sMicroscopePhysFullName": "Nikon Ti2", "m_sMultiLaserFullName0": "LUN-F", "m_sFilterName0": "Em 525", "m_sFilterName1": "Empty"}
    for line, (wavelength, on) in enumerate(((405, 0), (488, 1))):
        devices |= {f"m_bMultiLaserLineUsed0-0{line}": on, f"m_uiMultiLaserLineWavelength0-0{line}": Unsigned(wavelength)}
    described = plane("FITC", **filters(spectrum(405.0), spectrum(512.0)))
    metadata = image_of(tmp_path, pixels=values(1), planes=[described], samples={"a0": {"pDeviceSetting": devices}}).metadata
    assert metadata.instrument is not None
    (laser,), (optical,) = metadata.instrument.light_sources, metadata.instrument.filters
    assert (laser.model, laser.wavelength_nm, optical.model) == ("LUN-F", 488.0, "Em 525")
    assert (metadata.channels[0].excitation_nm, metadata.channels[0].light_source_id) == (488.0, laser.id)
    assert (metadata.instrument.microscope_model, metadata.instrument.microscope_manufacturer) == ("Nikon Ti2", "Nikon")


def test_exposure_and_binning_are_each_channels_own(tmp_path: Path) -> None:
    samples = {
        f"a{n}": {
            "dExposureTime": time,
            "uiModeFQ": Unsigned(2),
            "pCameraSetting": {"CameraUniqueName": "cam", "FormatQuality": {"fmtDesc": {"dBinningX": 2.0, "dBinningY": 2.0}}},
        }
        for n, time in enumerate((20.0, 1000.0))
    }
    planes = [plane("A"), plane("B", index=1)]
    metadata = image_of(tmp_path, pixels=values(2, components=2), planes=planes, samples=samples, experiment=time_loop(2)).metadata
    assert [(one.t, one.c, one.exposure_s) for one in metadata.planes] == [(0, 0, 0.02), (0, 1, 1.0), (1, 0, 0.02), (1, 1, 1.0)]
    assert [channel.detector_binning for channel in metadata.channels] == ["2x2", "2x2"]


def test_exposure_told_in_words_only_is_found(tmp_path: Path) -> None:
    metadata = image_of(tmp_path, pixels=values(1), texts={"TextInfoItem_5": "Plane #1:\r\n Camera Settings:   Exposure: 250 ms\r\n"}).metadata
    assert metadata.planes[0].exposure_s == 0.25


@pytest.mark.parametrize(
    ("name", "index", "immersion"),
    [("Plan Apo 40x Oil", 1.515, "Oil"), ("Plan Apo VC 60x WI", 1.33, "Water"), ("Plan Fluor 10x", 1.0, "Air"), ("Plan 20x", 1.4, None)],
)
def test_the_objective_is_described(tmp_path: Path, name: str, index: float, immersion: str | None) -> None:
    metadata = image_of(tmp_path, pixels=values(1), picture={"wsObjectiveName": name, "dRefractIndex1": index, "dObjectiveNA": 0.5}).metadata
    assert metadata.instrument is not None
    (lens,) = metadata.instrument.objectives
    magnification = float(next(word for word in name.split() if word.endswith("x")).rstrip("x"))
    assert (lens.model, lens.magnification, lens.numerical_aperture, lens.immersion) == (name, magnification, 0.5, immersion)
    assert (metadata.objective_id, metadata.refractive_index) == (lens.id, index)


def test_pixel_sizes_are_only_those_that_were_calibrated(tmp_path: Path) -> None:
    known = image_of(tmp_path, pixels=values(3), experiment=stack(3, step=0.7)).metadata
    assert (known.pixel_size_x, known.pixel_size_y, known.pixel_size_z) == (Quantity(0.25, "µm"), Quantity(0.25, "µm"), Quantity(0.7, "µm"))
    unknown = image_of(tmp_path, pixels=values(1), picture={"bCalibrated": False}).metadata
    assert (unknown.pixel_size_x, unknown.pixel_size_y, unknown.pixel_size_z) == (None, None, None)


def test_a_stack_from_the_top_has_a_negative_step(tmp_path: Path) -> None:
    metadata = image_of(tmp_path, pixels=values(3), experiment=stack(3, step=0.5, downwards=True)).metadata
    assert metadata.pixel_size_z == Quantity(-0.5, "µm")
    assert [one.position_z for one in metadata.planes] == [Quantity(5.0, "µm"), Quantity(4.5, "µm"), Quantity(4.0, "µm")]


def test_recorded_positions_and_times_are_those_of_each_frame(tmp_path: Path) -> None:
    columns = {"X": [1.0, 2.0, 3.0, 4.0], "Y": [5.0, 6.0, 7.0, 8.0], "Z": [0.5, 1.0, 0.5, 1.0], "AcqTimesCache": [100.0, 200.0, 1100.0, 1200.0]}
    metadata = image_of(tmp_path, pixels=values(4), experiment=time_loop(2, inner=stack(2)), columns=columns).metadata
    found = [(one.delta_t_s, one.position_x, one.position_y, one.position_z) for one in metadata.planes]
    assert found[0] == (0.1, Quantity(1.0, "µm"), Quantity(5.0, "µm"), Quantity(0.5, "µm"))
    assert found[3] == (1.2, Quantity(4.0, "µm"), Quantity(8.0, "µm"), Quantity(1.0, "µm"))
    assert metadata.time_increment_s == 1.0


def test_columns_that_were_not_recorded_are_no_positions(tmp_path: Path) -> None:
    metadata = image_of(tmp_path, pixels=values(1), columns={"X": [0.0], "Y": [0.0], "Z": [0.0]}).metadata
    assert (metadata.planes[0].position_x, metadata.planes[0].position_z) == (Quantity(10.0, "µm"), Quantity(5.0, "µm"))


def test_a_piezo_stack_has_heights_though_the_stage_stood_still(tmp_path: Path) -> None:
    metadata = image_of(tmp_path, pixels=values(3), experiment=stack(3, step=0.5), columns={"Z1": [7.0, 7.0, 7.0]}).metadata
    assert [one.position_z for one in metadata.planes] == [Quantity(5.0, "µm"), Quantity(5.5, "µm"), Quantity(6.0, "µm")]


def test_positions_of_the_experiment_serve_where_none_were_recorded(tmp_path: Path) -> None:
    metadata = image_of(tmp_path, 1, pixels=values(2), experiment=points(PLACES)).metadata
    assert (metadata.planes[0].position_x, metadata.planes[0].position_y) == (Quantity(3.0, "µm"), Quantity(4.0, "µm"))


@pytest.mark.parametrize(
    ("experiment", "times", "step"),
    [
        (time_loop(3), [0.0, 1000.0, 2000.0], 1.0),
        (time_loop(3), [0.0, 1000.0, 2500.0], None),
        (time_loop(3, period=500.0), None, 0.5),
        (time_loop(3), None, None),
        (phases([3]), None, 1.0),
        (phases([1, 2]), [0.0, 1000.0, 2000.0], None),
        (custom(3), [0.0, 1000.0, 2000.0], None),
    ],
)
def test_time_has_a_scale_only_if_it_is_regular(tmp_path: Path, experiment: dict[str, Any], times: list[float] | None, step: float | None) -> None:
    columns = {"AcqTimesCache": times} if times else {}
    assert image_of(tmp_path, pixels=values(3), experiment=experiment, columns=columns).metadata.time_increment_s == step


@pytest.fixture(params=["UTC", "Asia/Kathmandu"])
def zone(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Work in another time zone."""
    with monkeypatch.context() as patch:
        patch.setenv("TZ", request.param)
        time.tzset()
        yield request.param
    time.tzset()


@pytest.mark.usefixtures("zone")
@pytest.mark.parametrize(
    ("written", "date"),
    [
        ("1/1/2024  2:00:05 AM", "2024-01-01T02:00:00.000"),
        ("31.12.2023 17:00:10", "2023-12-31T17:00:00.000"),
        ("2024-01-01 05:30:00", "2024-01-01T05:30:00.000"),
        ("01-Jan-24 1:00:00 AM", "2024-01-01T01:00:00.000"),
        ("7/5/2024  2:00:05 AM", "2024-01-01T00:00:00.000Z"),
        ("gestern", "2024-01-01T00:00:00.000Z"),
    ],
)
def test_the_date_is_the_microscopes_wherever_it_is_read(tmp_path: Path, written: str, date: str) -> None:
    assert image_of(tmp_path, pixels=values(1), texts={"TextInfoItem_9": written}).metadata.acquisition_date == date


def test_a_date_written_when_a_long_acquisition_ended_is_understood(tmp_path: Path) -> None:
    hours = 5.1
    written = (datetime(2024, 1, 1, 2, 0, 30) + timedelta(hours=hours)).strftime("%d/%m/%Y  %H:%M:%S")
    columns = {"AcqTimesCache": [0.0, hours * 3_600_000]}
    metadata = image_of(tmp_path, pixels=values(2), experiment=time_loop(2), columns=columns, texts={"TextInfoItem_9": written}).metadata
    assert metadata.acquisition_date == "2024-01-01T02:00:00.000"


@pytest.mark.parametrize(("written", "date"), [("25/12/2023 10:00:00", "2023-12-25T10:00:00"), ("5/12/2023 10:00:00", None), (None, None)])
def test_without_a_julian_day_only_a_date_of_one_meaning_counts(tmp_path: Path, written: str | None, date: str | None) -> None:
    texts = {"TextInfoItem_9": written} if written else {}
    assert image_of(tmp_path, pixels=values(1), picture={"dTimeAbsolute": 0.0}, texts=texts).metadata.acquisition_date == date


def test_the_display_range_is_kept_where_it_was_used(tmp_path: Path) -> None:
    ranges = {f"a0{n}": {"uiMinSrc": Unsigned(low), "uiMaxSrc": Unsigned(high)} for n, (low, high) in enumerate(((10, 500), (7, 7)))}
    luts = (b"CustomDataVar|LUTDataV1_0!", variant({"m_bViewLut": True, "m_sLutParam": {"sCompLutParam": ranges}}))
    first, second = image_of(tmp_path, pixels=values(1, components=2), more=[luts]).metadata.channels
    assert (first.window, second.window) == ((10.0, 500.0), None)


def test_the_vendors_own_words_are_kept(tmp_path: Path) -> None:
    original = dict(image_of(tmp_path, pixels=values(1), texts={"TextInfoItem_4": "Ada", "TextInfoItem_3": "slide 7"}).metadata.original)
    assert original["SLxImageTextInfo Author"] == "Ada"
    assert original["SLxImageTextInfo Sample ID"] == "slide 7"
    assert original["SLxPictureMetadata wsObjectiveName"] == "Plan Apo 40x Oil"


def test_who_was_logged_in_is_told_though_a_signature_stands_behind(tmp_path: Path) -> None:
    xml = (
        '<CLxAuthentication runtype="CLxListVariant"><Records runtype="CLxListVariant"><sUserName runtype="CLxStringW" value="ada"/></Records>'
        "</CLxAuthentication>"
    )
    signed = (b"CustomData|AuthenticationV01!", xml.encode("utf-16-le") + b"\x00\xdc\xff\xd8\x07")
    original = image_of(tmp_path, pixels=values(1), more=[signed]).metadata.original
    assert ("Records sUserName", "ada") in original
    assert ("Records sUserName", "ada") not in scrub_pairs(original)


def drawn(kind: int, *, label: str = "cell", key: dict[str, Any] | None = None, keys: int = 1) -> dict[str, Any]:
    """One region."""
    place = {"TimeMs": 0.0, "CenterX": 0.5, "CenterY": -0.5, "RotationZ": 0.0, "BoxShape": {"SizeX": 0.5, "SizeY": 1.0}} | (key or {})
    info = {"ShapeType": kind, "Label": label, "Color": 255}
    return {"Id": 1, "Info": info, "AnimParams_Size": keys} | {f"AnimParams_{n}": place for n in range(keys)}


def with_regions(path: Path, *regions: dict[str, Any], **stored: Any) -> Image:
    """An image of 8 × 16 pixels with regions drawn into it."""
    listed = {"Global_Size": len(regions)} | {f"Global_{n}": region for n, region in enumerate(regions)} | stored
    more = [(b"CustomData|RoiMetadata_v1!", tree({"RoiMetadata_v1": listed}))]
    return image_of(path, pixels=values(2, height=8, width=16), experiment=points(PLACES), more=more)


def test_drawn_regions_become_rois_in_pixels(tmp_path: Path) -> None:
    corners = {
        "ExtrudedShape": {"BasePoints_Size": 3}
        | {f"BasePoints_{n}": {"X": x, "Y": y} for n, (x, y) in enumerate(((0.0, 0.0), (0.25, 0.0), (0.0, 0.5)))}
    }
    image = with_regions(tmp_path, drawn(3), drawn(4), drawn(2), drawn(5, key=corners), drawn(8, key=corners))
    shapes = [roi.shapes[0] for roi in image.metadata.rois]
    assert [(shape.type, dict(shape.geometry)) for shape in shapes] == [
        ("Rectangle", {"X": "10", "Y": "0", "Width": "4", "Height": "4"}),
        ("Ellipse", {"X": "12", "Y": "2", "RadiusX": "2", "RadiusY": "2"}),
        ("Point", {"X": "12", "Y": "2"}),
        ("Polygon", {"Points": "12,2 14,2 12,4"}),
        ("Polyline", {"Points": "12,2 14,2 12,4"}),
    ]
    assert (image.metadata.rois[0].name, shapes[0].stroke_color, image.warnings) == ("cell", -16776961, ())


def test_a_region_of_one_position_is_only_there(tmp_path: Path) -> None:
    own = {"2PerMPoint_Size": 2, "2PerMPoint_1": {"Size": 1, "0": drawn(3, label="second")}}
    assert with_regions(tmp_path, drawn(3), **own).metadata.rois[0].name == "cell"
    with readers.open(Location(tmp_path / "made.nd2")) as dataset:
        assert [[roi.name for roi in image.metadata.rois] for image in dataset.images] == [["cell"], ["cell", "second"]]


def test_what_is_lost_of_regions_is_told(tmp_path: Path) -> None:
    image = with_regions(tmp_path, drawn(1), drawn(3, keys=2), drawn(3, key={"RotationZ": 90.0}), drawn(11))
    told = " ".join(image.warnings)
    assert all(word in told for word in ("masks", "change with time", "clockwise", "inner circle"))
    assert image.metadata.rois[1].shapes[0].geometry["Transform A10"] == "1"


def test_the_julian_day_is_the_one_the_tests_believe() -> None:
    assert datetime(1970, 1, 1) + timedelta(days=JULIAN_2024 - 2440587.5) == datetime(2024, 1, 1)


def test_colours_taken_beside_other_channels_are_channels_that_say_so(tmp_path: Path) -> None:
    planes = [plane("DAPI", color=0xFF0000), plane("Brightfield", components=3, index=1), plane("GFP", color=0x00FF00, index=2)]
    with readers.open(Location(Nd2(values(1, components=5, dtype="uint8"), planes=planes).write(tmp_path / "a.nd2"))) as dataset:
        channels = dataset.images[0].metadata.channels
        assert [channel.name for channel in channels] == ["DAPI", "Brightfield blue", "Brightfield green", "Brightfield red", "GFP"]
        assert [channel.color for channel in channels[1:4]] == [0x0000FFFF, 0x00FF00FF, 0xFF0000FF - (1 << 32)]


def test_descriptions_that_fit_no_channels_are_not_used(tmp_path: Path) -> None:
    planes = [plane("A", components=3), plane("B", components=3)]
    with readers.open(Location(Nd2(values(1, components=4, dtype="uint8"), planes=planes).write(tmp_path / "a.nd2"))) as dataset:
        assert dataset.images[0].shape.c == 4
        assert dataset.images[0].metadata.channels == ()
