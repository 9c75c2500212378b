"""What a Leica file says of its images: sizes in metres, stamps in FILETIME, settings of LAS X, of cameras and of LAS AF."""

from __future__ import annotations

from pathlib import Path

import pytest

from lightmicroscopy import readers
from lightmicroscopy.convert import Request, convert
from lightmicroscopy.image import Image, ImageMetadata, Location, Modulo, Quantity
from lightmicroscopy.metadata.check import check
from lightmicroscopy.metadata.ome_private import scrub_pairs
from lightmicroscopy.metadata.ome_schema import schema_errors
from scripts.test_data.lif_parts import header, lif

from .lif_files import START, Made, stamps, write_lif

X, Y, Z, T, EMISSION, ROTATION, EXCITATION, TILE, LOOP = 1, 2, 3, 4, 5, 6, 9, 10, 11
XY = [(X, 8), (Y, 6)]
SECOND = 10_000_000

DETECTORS = (
    '<DetectorList><Detector Name="HyD 1" Type="HyD" ScanType="Internal" Channel="1" IsActive="{0}" Gain="80" Offset="-0.5"/>'
    '<Detector Name="PMT 2" Type="PMT" ScanType="Internal" Channel="2" IsActive="{1}" Gain="600.5" Offset="1"/>'
    '<Detector Name="PMT Trans" Type="PMT" ScanType="TLD" Channel="100" IsActive="{2}" Gain="200" Offset="0"/></DetectorList>'
)
BANDS = (
    '<Spectro><MultiBand Channel="1" ChannelName="Channel 1" LeftWorld="500" RightWorld="550" DyeName="Leica/ALEXA 488"/>'
    '<MultiBand Channel="2" ChannelName="Channel 2" LeftWorld="600" RightWorld="700" DyeName=""/></Spectro>'
)
LINES = (
    '<AotfList><Aotf LightSourceName="Argon"><LaserLineSetting LaserLine="488" IntensityDev="{0}" IsLineChecked="1"/>'
    '<LaserLineSetting LaserLine="0" IntensityDev="0" IsLineChecked="1"/></Aotf>'
    '<Aotf LightSourceName="HeNe 633"><LaserLineSetting LaserLine="633" IntensityDev="{1}" IsLineChecked="1"/></Aotf></AotfList>'
)
LENS = (
    'ObjectiveName="HC PL APO CS2    63x/1.40 OIL " Magnification="63" NumericalAperture="1.4" Immersion="OIL" RefractionIndex="1.518" '
    'MicroscopeModel="DMI8-CS" IsInverseMicroscopeModel="1" StagePosX="0.03" StagePosY="0.01" FlipX="0" FlipY="1" SwapXY="1" Zoom="2.5"'
)


def hardware(inside: str, source: str = "Confocal") -> str:
    return f'<Attachment Name="HardwareSetting" SystemTypeName="TCS SP8" DataSourceTypeName="{source}">{inside}</Attachment>'


def confocal(active: tuple[int, int, int], lit: tuple[float, float], pinhole: str = "0.0001", more: str = "") -> str:
    return (
        f'<ATLConfocalSettingDefinition {LENS} Pinhole="{pinhole}" {more}>'
        f"{DETECTORS.format(*active)}{BANDS}{LINES.format(*lit)}</ATLConfocalSettingDefinition>"
    )


def read(tmp_path: Path, made: Made, **options: object) -> list[Image]:
    with readers.open(Location(write_lif(tmp_path / "a.lif", made), **options)) as dataset:  # type: ignore[arg-type]
        return list(dataset.images)


def metadata(tmp_path: Path, made: Made) -> ImageMetadata:
    return read(tmp_path, made)[0].metadata


def test_sizes_are_distances_between_pixels_in_micrometres(tmp_path: Path) -> None:
    found = metadata(tmp_path, Made("a", [*XY, (Z, 5)], lengths={X: 7e-6, Y: 1e-6, Z: 2e-6}))
    assert (found.pixel_size_x, found.pixel_size_y, found.pixel_size_z) == (Quantity(1.0, "µm"), Quantity(0.2, "µm"), Quantity(0.5, "µm"))


def test_a_size_the_file_does_not_give_stays_unknown(tmp_path: Path) -> None:
    found = metadata(tmp_path, Made("a", [*XY, (Z, 5)], lengths={X: 0, Y: 0, Z: 0}))
    assert (found.pixel_size_x, found.pixel_size_y, found.pixel_size_z) == (None, None, None)


def test_a_falling_stack_keeps_its_order_and_says_so(tmp_path: Path) -> None:
    found = metadata(tmp_path, Made("a", [*XY, (Z, 3)], lengths={Z: -4e-6}))
    assert found.pixel_size_z == Quantity(-2.0, "µm")
    assert [plane.position_z for plane in found.planes] == [Quantity(0.0, "µm"), Quantity(-2.0, "µm"), Quantity(-4.0, "µm")]
    assert any(key == "Direction of z" and "falling" in value for note in found.annotations for key, value in note.pairs)


def test_a_falling_stack_has_a_positive_size_and_a_note_in_ome_xml(tmp_path: Path) -> None:
    path = write_lif(tmp_path / "a.lif", Made("a", [*XY, (Z, 3)], lengths={Z: -4e-6}))
    with convert(Location(path), tmp_path / "out", Request("ome-tiff")).dataset:
        (copy,) = (tmp_path / "out").glob("*.ome.tiff")
    with readers.open(Location(copy)) as dataset:
        assert dataset.ome_source is not None
        assert b'PhysicalSizeZ="2"' in dataset.ome_source or b'PhysicalSizeZ="2.0"' in dataset.ome_source
        assert schema_errors(dataset.ome_source) == []
        assert dataset.images[0].metadata.pixel_size_z == Quantity(-2.0, "µm")


def test_an_xz_scan_has_the_step_of_z_along_y(tmp_path: Path) -> None:
    found = metadata(tmp_path, Made("a", [(X, 8), (Z, 6)], lengths={Z: -1e-6}))
    assert (found.pixel_size_y, found.pixel_size_z) == (Quantity(0.2, "µm"), None)
    assert ("Y holds", "z") in found.annotations[0].pairs
    assert ("Step of Y along z (µm)", "-0.2") in found.annotations[0].pairs


def test_an_xt_scan_has_no_size_along_y_since_that_is_time(tmp_path: Path) -> None:
    found = metadata(tmp_path, Made("a", [(X, 8), (T, 6)], lengths={T: 10.0}))
    assert found.pixel_size_y is None
    assert found.annotations[0].pairs == (("Y holds", "time"), ("Seconds between lines of Y", "2.0"))


@pytest.mark.parametrize(
    ("kind", "length", "modulo"),
    [
        (EMISSION, 1.9e-7, Modulo("T", "lambda", 0.0, 190.0, 10.0, "nm", description="emission wavelength")),
        (EXCITATION, 3.8e-8, Modulo("T", "lambda", 0.0, 38.0, 2.0, "nm", description="excitation wavelength")),
        (ROTATION, 0, Modulo("T", "angle", 0, 19, 1, None, description="rotation")),
        (LOOP, 0, Modulo("T", "other", 0, 19, 1, None, description="loop")),
    ],
)
def test_a_folded_dimension_is_described(tmp_path: Path, kind: int, length: float, modulo: Modulo) -> None:
    (image,) = read(tmp_path, Made("a", [*XY, (kind, 20), (T, 2)], lengths={kind: length}))
    assert image.metadata.modulo == (modulo,)
    (told,) = (warning for warning in image.warnings if "folded" in warning)
    assert f"'{modulo.description}' of 20 was folded into T (of 40 in all), as Bio-Formats does; a Modulo annotation" in told


def test_a_dimension_that_counts_slower_than_time_is_only_named(tmp_path: Path) -> None:
    found = metadata(tmp_path, Made("a", [*XY, (T, 2), (EMISSION, 4)]))
    assert found.modulo == ()
    assert found.annotations[0].pairs == (("T holds, fastest first", "time × 2"), ("T holds, fastest first", "emission wavelength × 4"))


def test_each_plane_has_its_stamp_in_the_order_of_the_memory(tmp_path: Path) -> None:
    ticks = [START + index * SECOND for index in range(24)]
    made = Made("a", [*XY, (Z, 3), (TILE, 2), (T, 2)], luts=("Red", "Green"), extra=stamps(ticks))
    images = read(tmp_path, made)
    assert {image.metadata.acquisition_date for image in images} == {"2017-01-30T07:56:07.817Z"}
    found = {(tile, plane.t, plane.c, plane.z): plane.delta_t_s for tile, image in enumerate(images) for plane in image.metadata.planes}
    assert found == {
        (tile, t, c, z): float(c + 2 * (z + 3 * (tile + 2 * t))) for tile in range(2) for t in range(2) for c in range(2) for z in range(3)
    }


def test_one_stamp_for_all_channels_of_a_frame_belongs_to_each(tmp_path: Path) -> None:
    ticks = [START + index * SECOND for index in range(6)]
    found = metadata(tmp_path, Made("a", [*XY, (Z, 3), (T, 2)], luts=("Red", "Green"), extra=stamps(ticks)))
    assert {(plane.t, plane.c, plane.z): plane.delta_t_s for plane in found.planes} == {
        (t, c, z): float(z + 3 * t) for t in range(2) for c in range(2) for z in range(3)
    }


def test_stamps_of_older_software_are_elements(tmp_path: Path) -> None:
    extra = "".join(f'<TimeStamp HighInteger="{tick >> 32}" LowInteger="{tick & 0xFFFFFFFF}"/>' for tick in (START, START + 3 * SECOND))
    found = metadata(tmp_path, Made("a", [*XY, (T, 2)], extra=f"<TimeStampList>{extra}</TimeStampList>"))
    assert [plane.delta_t_s for plane in found.planes] == [0.0, 3.0]
    assert (found.acquisition_date, found.time_increment_s) == ("2017-01-30T07:56:07.817Z", 3.0)


def test_a_stopped_acquisition_has_stamps_for_its_first_planes_only(tmp_path: Path) -> None:
    found = metadata(tmp_path, Made("a", [*XY, (T, 4)], extra=stamps([START, START + SECOND])))
    assert [plane.delta_t_s for plane in found.planes] == [0.0, 1.0, None, None]


@pytest.mark.parametrize(("times", "increment"), [((0, 10, 20, 30.1), 10.0333333), ((0, 10, 20, 35), None)])
def test_a_time_increment_is_given_only_if_regular_within_one_percent(tmp_path: Path, times: tuple[float, ...], increment: float | None) -> None:
    ticks = [START + int(time * SECOND) for time in times]
    assert metadata(tmp_path, Made("a", [*XY, (T, 4)], extra=stamps(ticks))).time_increment_s == increment


def test_without_stamps_the_length_of_the_series_gives_the_increment(tmp_path: Path) -> None:
    found = metadata(tmp_path, Made("a", [*XY, (T, 4)], lengths={T: 30.0}))
    assert (found.acquisition_date, found.time_increment_s) == (None, 10.0)


@pytest.mark.parametrize("text", ["0", "zz", "ffffffffffffffffffff", ""])
def test_stamps_that_are_none_give_no_date(tmp_path: Path, text: str) -> None:
    found = metadata(tmp_path, Made("a", XY, extra=f'<TimeStampList NumberOfTimeStamps="1">{text}</TimeStampList>'))
    assert found.acquisition_date is None


def test_colours_come_from_the_look_up_tables(tmp_path: Path) -> None:
    found = metadata(tmp_path, Made("a", XY, luts=("Red", "Gradient (0, 128, 255)", "Gray", "Glow", "")))
    assert [channel.color for channel in found.channels] == [-16776961, 0x0080FFFF, -1, None, None]


def test_the_window_is_a_part_of_the_range(tmp_path: Path) -> None:
    scaling = '<ChannelScalingInfo WhiteValue="0.5" BlackValue="0.1"/><ChannelScalingInfo WhiteValue="1" BlackValue="0"/>'
    extra = f'<Attachment Name="ViewerScaling">{scaling}</Attachment>'
    found = metadata(tmp_path, Made("a", XY, luts=("Red", "Green"), dtype="uint16", bits=12, extra=extra))
    assert [channel.window for channel in found.channels] == [(409.5, 2047.5), None]


def test_a_confocal_setting_gives_microscope_objective_detectors_and_dyes(tmp_path: Path) -> None:
    found = metadata(tmp_path, Made("a", XY, luts=("Green", "Gray"), extra=hardware(confocal((1, 0, 1), (20.0, 0)))))
    instrument = found.instrument
    assert instrument is not None
    assert (instrument.microscope_model, instrument.microscope_type) == ("TCS SP8", "Inverted")
    (lens,) = instrument.objectives
    assert (lens.model, lens.magnification, lens.numerical_aperture, lens.immersion, lens.correction) == (
        "HC PL APO CS2    63x/1.40 OIL",
        63.0,
        1.4,
        "Oil",
        "PlanApo",
    )
    assert (found.objective_id, found.refractive_index) == (lens.id, 1.518)
    green, transmitted = found.channels
    assert (green.name, green.fluor, green.excitation_nm, green.light_source_attenuation) == ("Leica/ALEXA 488", "ALEXA 488", 488.0, 0.8)
    assert (green.pinhole, green.detector_gain, green.detector_offset) == (Quantity(100.0, "µm"), 80.0, -0.5)
    assert (transmitted.name, transmitted.illumination_type, transmitted.detector_gain) == (None, "Transmitted", 200.0)
    assert [(part.model, part.type, part.zoom) for part in instrument.detectors] == [("HyD 1", "HyD", 2.5), ("PMT Trans", "PMT", 2.5)]
    assert [green.detector_id, transmitted.detector_id] == [part.id for part in instrument.detectors]
    assert [(part.model, part.type, part.medium, part.wavelength_nm) for part in instrument.light_sources] == [
        ("Argon", "Gas", "Ar", 488.0),
        ("HeNe 633", "Gas", "HeNe", 633.0),
    ]
    assert [(band.cut_in_nm, band.cut_out_nm) for band in instrument.filters] == [(500.0, 550.0)]
    # Swapped, then y turned round.
    assert (found.planes[0].position_x, found.planes[0].position_y) == (Quantity(10_000.0, "µm"), Quantity(-30_000.0, "µm"))


def test_each_channel_of_a_sequence_has_the_settings_of_its_step(tmp_path: Path) -> None:
    steps = confocal((1, 0, 0), (5.0, 0), "0.00008") + confocal((0, 1, 0), (0, 30.0), "0.00012")
    inside = (
        confocal((0, 0, 0), (0, 0))
        + f"<LDM_Block_Sequential><LDM_Block_Sequential_Master>{confocal((1, 1, 0), (5.0, 30.0))}</LDM_Block_Sequential_Master>"
        f"<LDM_Block_Sequential_List>{steps}</LDM_Block_Sequential_List></LDM_Block_Sequential>"
    )
    found = metadata(tmp_path, Made("a", XY, luts=("Green", "Red"), extra=hardware(inside)))
    assert [channel.excitation_nm for channel in found.channels] == [488.0, 633.0]
    assert [channel.pinhole for channel in found.channels] == [Quantity(80.0, "µm"), Quantity(120.0, "µm")]
    assert [channel.detector_gain for channel in found.channels] == [80.0, 600.5]


def test_of_two_lasers_lit_at_once_none_is_said_to_excite_a_channel(tmp_path: Path) -> None:
    found = metadata(tmp_path, Made("a", XY, luts=("Green", "Red"), extra=hardware(confocal((1, 1, 0), (5.0, 30.0)))))
    assert [channel.excitation_nm for channel in found.channels] == [None, None]


def test_a_swept_excitation_is_not_where_it_stopped(tmp_path: Path) -> None:
    found = metadata(tmp_path, Made("a", [*XY, (EXCITATION, 3)], extra=hardware(confocal((1, 0, 0), (5.0, 0)))))
    assert found.channels[0].excitation_nm is None


def test_a_swept_band_is_no_filter(tmp_path: Path) -> None:
    found = metadata(tmp_path, Made("a", [*XY, (EMISSION, 3)], extra=hardware(confocal((1, 0, 0), (5.0, 0)))))
    assert found.instrument is not None
    assert found.instrument.filters == ()


def test_channels_that_fit_no_detectors_are_not_given_any(tmp_path: Path) -> None:
    found = metadata(tmp_path, Made("a", XY, luts=("Green", "Red", "Blue"), extra=hardware(confocal((1, 1, 0), (5.0, 0)))))
    assert [channel.detector_id for channel in found.channels] == [None] * 3
    assert [channel.pinhole for channel in found.channels] == [Quantity(100.0, "µm")] * 3


def test_newer_files_name_dye_and_detector_in_the_channel(tmp_path: Path) -> None:
    known = [
        f"<ChannelProperty><Key>DyeName</Key><Value>{dye}</Value></ChannelProperty><ChannelProperty><Key>DetectorName</Key><Value>{name}</Value></ChannelProperty>"
        for dye, name in (("DAPI", "PMT 2"), ("GFP", "HyD 1"))
    ]
    made = Made("a", XY, luts=("Blue", "Green"), channel_xml=known, extra=hardware(confocal((1, 1, 1), (5.0, 0))))
    found = metadata(tmp_path, made)
    assert [(channel.name, channel.fluor, channel.detector_gain) for channel in found.channels] == [("DAPI", "DAPI", 600.5), ("GFP", "GFP", 80.0)]


def test_a_camera_gives_exposures_contrast_and_wavelengths(tmp_path: Path) -> None:
    infos = (
        '<WideFieldChannelInfo Channel="0" ExposureTime="0.05" Gain="2" ContrastingMethodName="FLUO" FluoCubeName="GFP" UserDefName="Nuclei" '
        'EmissionWavelength="525"/><WideFieldChannelInfo Channel="1" ExposureTime="0.01" Gain="1" ContrastingMethodName="TL-DIC" FluoCubeName="" '
        'UserDefName="" EmissionWavelength="0"/>'
    )
    inside = (
        f'<ATLCameraSettingDefinition {LENS}><WideFieldChannelConfigurator CameraName="DFC9000">{infos}</WideFieldChannelConfigurator>'
        "</ATLCameraSettingDefinition>"
    )
    found = metadata(tmp_path, Made("a", XY, luts=("Green", "Gray"), extra=hardware(inside, "Camera")))
    first, second = found.channels
    assert (first.name, first.emission_nm, first.contrast_method, first.acquisition_mode) == ("Nuclei", 525.0, "Fluorescence", "WideField")
    assert (second.name, second.emission_nm, second.contrast_method, second.illumination_type) == (None, None, "DIC", "Transmitted")
    assert [plane.exposure_s for plane in found.planes] == [0.05, 0.01]
    assert found.instrument is not None
    assert [part.model for part in found.instrument.detectors] == ["DFC9000"]


def records(scanner: dict[str, str], path: list[tuple[str, str, str, str, str]]) -> str:
    first = "".join(f'<ScannerSettingRecord Identifier="{key}" Variant="{value}" Description=""/>' for key, value in scanner.items())
    second = "".join(
        f'<FilterSettingRecord ObjectName="{name}" ClassName="{kind}" Attribute="{attribute}" Data="{data}" Variant="{value}" '
        f'Description="{name} {"(left)" if attribute == "Wavelength" else ""}"/>'
        for name, kind, attribute, data, value in path
    )
    return (
        f'<Attachment Name="HardwareSettingList"><HardwareSetting><ScannerSetting>{first}</ScannerSetting>'
        f"<FilterSetting>{second}</FilterSetting></HardwareSetting></Attachment>"
    )


def test_records_of_older_software_are_read(tmp_path: Path) -> None:
    said = records(
        {"SystemType": "TCS SP5", "dblPinhole": "0.0000955", "dblZoom": "3"},
        [
            ("Turret", "CTurret", "Objective", "0", "HCX PL APO CS 63.0x1.40 OIL UV"),
            ("Turret", "CTurret", "RefractionIndex", "0", "1.518"),
            ("PMT 1", "CDetectionUnit", "State", "1", "Active"),
            ("PMT 2", "CDetectionUnit", "State", "2", "Inactive"),
            ("PMT 1", "CDetectionUnit", "HighVoltage", "1", "780"),
            ("PMT 1", "CDetectionUnit", "VideoOffset", "1", "-1.5"),
            ("SP Mirror 1", "CSpectrophotometerUnit", "Stain", "1", "DAPI"),
            ("SP Mirror 1", "CSpectrophotometerUnit", "Wavelength", "1", "430"),
            ("Stage", "CXYZStage", "XPos", "0", "0.01"),
        ],
    )
    found = metadata(tmp_path, Made("a", XY, extra=said))
    assert found.instrument is not None
    (lens,) = found.instrument.objectives
    assert (lens.magnification, lens.numerical_aperture, lens.immersion, lens.correction) == (63.0, 1.4, "Oil", "PlanApo")
    assert (found.instrument.microscope_model, found.refractive_index) == ("TCS SP5", 1.518)
    (channel,) = found.channels
    assert (channel.name, channel.fluor, channel.pinhole) == ("DAPI", "DAPI", Quantity(95.5, "µm"))
    assert (channel.detector_voltage, channel.detector_offset) == (Quantity(780.0, "V"), -1.5)
    assert [(part.model, part.type, part.zoom) for part in found.instrument.detectors] == [("PMT 1", "PMT", 3.0)]
    assert [band.cut_in_nm for band in found.instrument.filters] == [430.0]
    assert found.planes[0].position_x == Quantity(0.01, "reference frame")


def test_records_of_a_camera_number_the_channels(tmp_path: Path) -> None:
    said = records(
        {
            "CameraName": "DFC360FX",
            "nWFC0ExposureTime": "0.2",
            "nWFC1ExposureTime": "0.3",
            "nWFC0WaveLength": "488",
            "szWFC1": "",
            "nWFC1UesrDefName": "Red dye",
        },
        [],
    )
    found = metadata(tmp_path, Made("a", XY, luts=("Green", "Red"), extra=said))
    assert [channel.excitation_nm for channel in found.channels] == [488.0, None]
    assert [channel.name for channel in found.channels] == [None, "Red dye"]
    assert [plane.exposure_s for plane in found.planes] == [0.2, 0.3]


def drawing(kind: int, points: str, scale: str = "1", moved: str = "0", turn: str = "0") -> str:
    return (
        f'<Attachment Name="ROI"><Element Name="Cell" UniqueID="r"><Data><ROISingle RoiType="{kind}" Color="4294901760" AnnotationText="a cell">'
        f'<Vertices>{points}</Vertices><Transformation Rotation="{turn}"><Scaling XScale="{scale}" YScale="1"/><Translation X="{moved}" Y="0"/>'
        "</Transformation></ROISingle></Data></Element></Attachment>"
    )


def test_a_drawing_is_placed_from_the_middle_of_the_image(tmp_path: Path) -> None:
    points = '<P X="-1e-6" Y="-1e-6"/><P X="1e-6" Y="-1e-6"/><P X="0" Y="2e-6"/>'
    lengths = {X: 7e-6, Y: 5e-6}
    found = metadata(tmp_path, Made("a", XY, lengths=lengths, extra=drawing(32, points, scale="2", moved="1e-6") * 2))
    (roi,) = found.rois
    (shape,) = roi.shapes
    assert (roi.name, shape.text, shape.type, shape.stroke_color) == ("Cell", "a cell", "Polygon", -16776961)
    assert shape.geometry == {"Points": "3,2 7,2 5,5"}


@pytest.mark.parametrize(
    ("kind", "points", "type_"),
    [
        (16, '<P X="-1e-6" Y="-1e-6"/><P X="1e-6" Y="-1e-6"/><P X="1e-6" Y="2e-6"/><P X="-1e-6" Y="2e-6"/>', "Rectangle"),
        (256, '<P X="-1e-6" Y="-1e-6"/><P X="1e-6" Y="2e-6"/>', "Line"),
    ],
)
def test_boxes_and_lines_are_read_as_such(tmp_path: Path, kind: int, points: str, type_: str) -> None:
    found = metadata(tmp_path, Made("a", XY, lengths={X: 7e-6, Y: 5e-6}, extra=drawing(kind, points)))
    assert [shape.type for roi in found.rois for shape in roi.shapes] == [type_]


@pytest.mark.parametrize(
    "wrong", [drawing(64, '<P X="0" Y="0"/>'), drawing(32, '<P X="0" Y="0"/><P X="1e-6" Y="0"/><P X="0" Y="1e-6"/>', turn="0.5")]
)
def test_a_drawing_that_is_not_understood_is_a_named_loss(tmp_path: Path, wrong: str) -> None:
    (image,) = read(tmp_path, Made("a", XY, lengths={X: 7e-6, Y: 5e-6}, extra=wrong))
    assert image.metadata.rois == ()
    assert any("1 of its drawings" in warning and "lost" in warning for warning in image.warnings)


@pytest.mark.parametrize(
    ("extra", "description"),
    [
        ('<Attachment Name="ContextDescription" Content="second  try"/><User-Comment>other</User-Comment>', "second  try"),
        ("<User-Comment>µ-slide</User-Comment>", "µ-slide"),
        ("", None),
    ],
)
def test_a_comment_becomes_the_description(tmp_path: Path, extra: str, description: str | None) -> None:
    assert metadata(tmp_path, Made("a", XY, extra=extra)).description == description


def test_everything_said_is_kept_but_the_stamps(tmp_path: Path) -> None:
    found = metadata(tmp_path, Made("a", XY, extra=stamps([START]) + '<Attachment Name="X"><R Identifier="nSpeed" Variant="400"/></Attachment>'))
    pairs = dict(found.original)
    assert pairs["Image|ImageDescription|Channels|ChannelDescription|LUTName"] == "Gray"
    assert pairs["Image|Attachment|R|nSpeed"] == "400"
    assert not any("TimeStamp" in key for key in pairs)


def test_where_the_experiment_was_saved_is_told_and_scrubbed(tmp_path: Path) -> None:
    path = tmp_path / "a.lif"
    made = Made("a", XY)
    folder = r"C:\Users\ada\Documents\Project001"
    path.write_bytes(lif([made], xml=header([made]).replace('Experiment Path=""', f'Experiment Path="{folder}"')))
    with readers.open(Location(path)) as dataset:
        assert dict(dataset.images[0].metadata.original)["Experiment|Path"] == folder
    assert any(folder in finding.message for finding in check([path]).findings if finding.rule == "ome.personal-data")
    assert "Experiment|Path" not in dict(scrub_pairs([("Experiment|Path", folder)]))
