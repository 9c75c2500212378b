"""What a Zeiss CZI says of its images, in OME terms; and what it does not say, left unknown."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lightmicroscopy import readers
from lightmicroscopy.errors import UnreadableError
from lightmicroscopy.image import Dataset, ImageMetadata, Location, Plane, Quantity
from lightmicroscopy.metadata.ome_read import read_ome
from lightmicroscopy.metadata.ome_write import build_ome_with_losses

from .czi_files import RAW, Tile, block_xml, document, noise, stamps, write_czi

IMAGE = """
<Document><UserName>mbr</UserName><Description>wild type</Description></Document>
<User><FirstName>Ada</FirstName><LastName>L</LastName></User>
<Environment><Temperature>37</Temperature><CO2Percent>0.05</CO2Percent></Environment>
<Image>
 <AcquisitionDateAndTime>2020-03-01T12:00:00.1234567Z</AcquisitionDateAndTime><ComponentBitCount>12</ComponentBitCount>
 <ObjectiveSettings><ObjectiveRef Id="Objective:2"/><Medium>Oil</Medium><RefractiveIndex>1.518</RefractiveIndex></ObjectiveSettings>
 <MicroscopeRef Id="Microscope:1"/>
 <Dimensions>
  <Channels>
   <Channel Id="Channel:7" Name="red"><ExcitationWavelength>561</ExcitationWavelength><EmissionWavelength>590</EmissionWavelength>
    <Color>#FFFF0000</Color><Fluor>mCherry</Fluor><ExposureTime>250000000</ExposureTime><PinholeSize>44.5</PinholeSize>
    <IlluminationType>Epifluorescence</IlluminationType><ContrastMethod>Fluorescence</ContrastMethod>
    <AcquisitionMode>LaserScanningConfocalMicroscopy</AcquisitionMode>
    <DetectorSettings><Binning>2,2</Binning><Gain>600</Gain><Offset>1</Offset><Detector Id="Detector:A 1"/></DetectorSettings>
    <LightSourcesSettings><LightSourceSettings><Attenuation>0.9</Attenuation><LightSource Id="LightSource:1"/></LightSourceSettings>
    </LightSourcesSettings><FilterSetRef Id="FilterSet:1"/></Channel>
   <Channel Id="Channel:8" Name="acquired"><Color>#FF00FF00</Color></Channel>
  </Channels>
  <T><Positions><List><Offsets>0 10.02 20.01</Offsets></List></Positions></T>
 </Dimensions>
</Image>
<Instrument>
 <Microscopes><Microscope Id="Microscope:1" Name="Axio"><Type>Inverted</Type></Microscope></Microscopes>
 <LightSources><LightSource Id="LightSource:1" Name="Laser 561"><Power>20</Power><LightSourceType><Laser><Wavelength>561</Wavelength></Laser>
  </LightSourceType></LightSource></LightSources>
 <Detectors><Detector Id="Detector:A 1"><Manufacturer><Model>GaAsP</Model></Manufacturer><Zoom>2</Zoom></Detector></Detectors>
 <Objectives>
  <Objective Id="Objective:1" Name="dry"><LensNA>0.8</LensNA></Objective>
  <Objective Id="Objective:2"><Manufacturer><Model>Plan 63x</Model></Manufacturer><LensNA>1.4</LensNA><NominalMagnification>63</NominalMagnification>
   <Immersion>Oil</Immersion><WorkingDistance>190</WorkingDistance></Objective>
 </Objectives>
 <FilterSets><FilterSet Id="FilterSet:1"><EmissionFilters><EmissionFilterRef Id="Filter:1"/></EmissionFilters></FilterSet></FilterSets>
 <Filters><Filter Id="Filter:1" Name="BP 590"><TransmittanceRange><CutIn>575</CutIn><CutOut>605</CutOut></TransmittanceRange></Filter></Filters>
</Instrument>"""
DISPLAY = """<Channel Id="Channel:8" Name="shown"><DyeName>GFP</DyeName><Color>#FF00FF5B</Color><DyeMaxEmission>509</DyeMaxEmission>
<Low>0.1</Low><High>0.5</High></Channel>"""
SCALING = "<Distance Id='X'><Value>1E-07</Value></Distance><Distance Id='Y'><Value>1.00000000000001E-07</Value></Distance>"


@pytest.fixture(params=["UTC", "Asia/Kolkata"])
def zone(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Two time zones to be in."""
    monkeypatch.setitem(os.environ, "TZ", request.param)
    time.tzset()
    yield request.param
    monkeypatch.undo()
    time.tzset()


def opened(folder: Path, tiles: list[Tile], xml: str = "", attachments: dict[str, bytes] | None = None, **more: Any) -> Dataset:
    """Write a file and open it."""
    return readers.open(Location(write_czi(folder / "a.czi", tiles, xml, attachments), **more))


def series(channels: int = 2, times: int = 3, **more: Any) -> list[Tile]:
    """Small planes."""
    return [Tile(noise(4, 5, seed=c + 10 * t), {"C": c, "T": t}, RAW, **more) for t in range(times) for c in range(channels)]


@pytest.fixture
def metadata(tmp_path: Path) -> Iterator[ImageMetadata]:
    """Metadata of a file that says much."""
    with opened(tmp_path, series(), document(IMAGE, SCALING, DISPLAY)) as dataset:
        yield dataset.images[0].metadata


def test_pixel_sizes_are_in_micrometres_and_the_one_not_given_is_unknown(metadata: ImageMetadata) -> None:
    assert metadata.pixel_size_x == Quantity(0.1, "µm")
    assert metadata.pixel_size_y == Quantity(0.1, "µm") or abs(getattr(metadata.pixel_size_y, "value", 0) - 0.1) < 1e-12
    assert metadata.pixel_size_z is None


def test_the_objective_is_the_one_the_image_refers_to(metadata: ImageMetadata) -> None:
    assert metadata.instrument is not None
    assert metadata.objective_id == "Objective:2"
    lens = next(lens for lens in metadata.instrument.objectives if lens.id == metadata.objective_id)
    assert (lens.model, lens.magnification, lens.numerical_aperture, lens.immersion) == ("Plan 63x", 63, 1.4, "Oil")
    assert lens.working_distance == Quantity(190, "µm")
    assert (metadata.immersion_medium, metadata.refractive_index) == ("Oil", 1.518)
    assert (metadata.instrument.microscope_model, metadata.instrument.microscope_type) == ("Axio", "Inverted")


def test_channels_have_their_dyes_wavelengths_detectors_and_lights(metadata: ImageMetadata) -> None:
    red, green = metadata.channels
    assert (red.name, red.fluor, red.excitation_nm, red.emission_nm, red.color) == ("red", "mCherry", 561, 590, -16776961)
    assert (red.contrast_method, red.illumination_type) == ("Fluorescence", "Epifluorescence")
    assert (red.acquisition_mode, red.pinhole) == ("LaserScanningConfocalMicroscopy", Quantity(44.5, "µm"))
    assert (red.detector_id, red.detector_gain, red.detector_offset, red.detector_binning) == ("Detector:A 1", 600, 1, "2x2")
    assert (red.light_source_id, red.light_source_attenuation, red.filter_set_id) == ("LightSource:1", 0.9, "FilterSet:1")
    assert metadata.instrument is not None
    assert [(light.kind, light.model, light.wavelength_nm, light.power) for light in metadata.instrument.light_sources] == [
        ("Laser", "Laser 561", 561, Quantity(20, "mW"))
    ]
    assert [(part.model, part.zoom) for part in metadata.instrument.detectors] == [("GaAsP", 2)]
    assert (metadata.instrument.filters[0].model, metadata.instrument.filters[0].cut_in_nm) == ("BP 590", 575)
    assert green.name == "shown"


def test_what_zen_shows_of_a_channel_goes_before_what_it_acquired(metadata: ImageMetadata) -> None:
    green = metadata.channels[1]
    assert (green.name, green.fluor, green.emission_nm, green.color) == ("shown", "GFP", 509, 0x00FF5BFF)
    assert green.window == (6553.5, 32767.5)


def test_times_count_from_the_date_in_whatever_zone_this_machine_is(tmp_path: Path, zone: str) -> None:
    tiles = [Tile(noise(4, 5), {"C": 0, "T": t}, xml=block_xml(f"2020-03-01T12:00:{5 + 10 * t:02d}.1234567Z")) for t in range(3)]
    with opened(tmp_path, tiles, document(IMAGE)) as dataset:
        found = dataset.images[0].metadata
        assert found.acquisition_date == "2020-03-01T12:00:00.1234567Z", zone
        assert [plane.delta_t_s for plane in found.planes] == [5.0, 15.0, 25.0]


def test_a_time_increment_is_given_if_time_is_regular(metadata: ImageMetadata) -> None:
    assert metadata.time_increment_s == pytest.approx(10.005)


@pytest.mark.parametrize(("last", "expected"), [(20.1, 10.05), (21.0, None)])
def test_irregular_times_have_no_increment(tmp_path: Path, last: float, expected: float | None) -> None:
    tiles = series(channels=1)
    with opened(tmp_path, tiles, "", {"TimeStamps": stamps(100.0, 110.0, 100 + last)}) as dataset:
        found = dataset.images[0].metadata
        assert found.time_increment_s == (None if expected is None else pytest.approx(expected))
        assert [plane.delta_t_s for plane in found.planes] == [0.0, 10.0, last]


def test_time_stamps_count_from_the_date_where_there_is_one(tmp_path: Path) -> None:
    with opened(tmp_path, series(channels=1), document(IMAGE), {"TimeStamps": stamps(2.5, 12.5, 22.5)}) as dataset:
        assert [plane.delta_t_s for plane in dataset.images[0].metadata.planes] == [2.5, 12.5, 22.5]


def test_one_time_has_no_increment(tmp_path: Path) -> None:
    with opened(tmp_path, series(channels=2, times=1), document(IMAGE)) as dataset:
        assert dataset.images[0].metadata.time_increment_s is None


def test_times_with_and_without_a_zone_are_not_mixed(tmp_path: Path) -> None:
    tiles = [Tile(noise(4, 5), {"C": 0, "T": t}, xml=block_xml(f"2020-03-01T12:00:0{t}{'Z' * t}")) for t in range(2)]
    with opened(tmp_path, tiles, document(IMAGE)) as dataset:
        assert [plane.delta_t_s for plane in dataset.images[0].metadata.planes if plane.t == 1] == [pytest.approx(0.876543, abs=2e-6)]


def test_exposures_are_those_of_the_channel_in_seconds(metadata: ImageMetadata) -> None:
    assert {(plane.c, plane.exposure_s) for plane in metadata.planes} == {(0, 0.25)}


def test_positions_are_those_of_the_subblocks_in_micrometres(tmp_path: Path) -> None:
    tiles = [Tile(noise(4, 5), {"C": 0, "Z": z}, xml=block_xml(x=100.5, y=-7, z=10 + z)) for z in range(2)]
    with opened(tmp_path, tiles) as dataset:
        assert dataset.images[0].metadata.planes[1] == Plane(
            0, 0, 1, position_x=Quantity(100.5, "µm"), position_y=Quantity(-7, "µm"), position_z=Quantity(11, "µm")
        )


def test_a_fused_plane_lies_in_the_middle_of_its_tiles(tmp_path: Path) -> None:
    tiles = [Tile(noise(4, 5), {"C": 0, "M": m, "X": 4 * m}, xml=block_xml(x=1000 + 4 * m, y=7)) for m in range(90)]
    with opened(tmp_path, tiles) as dataset:
        (plane,) = dataset.images[0].metadata.planes
        assert (plane.position_x, plane.position_y) == (Quantity(1178, "µm"), Quantity(7, "µm"))
    with opened(tmp_path, tiles, mosaic="tiles") as dataset:
        assert dataset.images[3].metadata.planes[0].position_x == Quantity(1012, "µm")


def scenes(*inner: str) -> str:
    """An Information element with those scenes."""
    return f"<Image><Dimensions><S><Scenes>{''.join(inner)}</Scenes></S></Dimensions></Image>"


def test_scenes_have_their_names_and_positions(tmp_path: Path) -> None:
    xml = scenes(
        "<Scene Index='1' Name='left'><Positions><Position X='5' Y='6' Z='7'/></Positions></Scene>",
        "<Scene Index='0' Name='right'><CenterPosition>1,2</CenterPosition></Scene>",
    )
    tiles = [Tile(noise(4, 5), {"C": 0, "S": s, "Z": z}) for s in range(2) for z in range(2)]
    scale = "<Distance Id='Z'><Value>2E-06</Value></Distance>"
    with opened(tmp_path, tiles, document(xml, scale)) as dataset:
        assert [(image.name, image.metadata.stage_label) for image in dataset.images] == [("right", "right"), ("left", "left")]
        right, left = (image.metadata.planes for image in dataset.images)
        assert (right[1].position_x, right[1].position_y, right[1].position_z) == (Quantity(1, "µm"), Quantity(2, "µm"), None)
        assert [plane.position_z for plane in left] == [Quantity(7, "µm"), Quantity(9, "µm")]


WELL = "<Scene Index='{0}' Name='{1}'><Shape Name='{1}'><RowIndex>{2}</RowIndex><ColumnIndex>{3}</ColumnIndex></Shape></Scene>"
HOLDER = """<ExperimentBlocks><AcquisitionBlock><SubDimensionSetups><RegionsSetup><SampleHolder>
<TileRegions><TileRegion Id='11'><TemplateShapeId>8-12</TemplateShapeId></TileRegion></TileRegions>
<Template Name='Multichamber 96'><ShapeColumns>12</ShapeColumns><ShapeRows>8</ShapeRows></Template>
</SampleHolder></RegionsSetup></SubDimensionSetups></AcquisitionBlock></ExperimentBlocks>"""


def test_scenes_in_wells_make_a_plate(tmp_path: Path) -> None:
    xml = document(
        scenes(WELL.format(0, "B3", 2, 3), WELL.format(1, "B3", 2, 3), "<Scene Index='2'><RegionId>11</RegionId></Scene>"), experiment=HOLDER
    )
    with opened(tmp_path, [Tile(noise(4, 5), {"C": 0, "S": s}) for s in range(3)], xml) as dataset:
        (plate,) = dataset.plates
        assert (plate.name, plate.rows, plate.columns, dataset.plate_layout) == ("Multichamber 96", 8, 12, True)
        assert [(well.row, well.column, [field.series for field in well.fields]) for well in plate.wells] == [(1, 2, [0, 1]), (7, 11, [2])]


def test_one_image_from_a_well_remembers_it_without_being_a_plate(tmp_path: Path) -> None:
    xml = document(scenes(WELL.format(0, "D6", 4, 6)), experiment=HOLDER)
    with opened(tmp_path, [Tile(noise(4, 5), {"C": 0, "S": 0})], xml) as dataset:
        assert (dataset.images[0].name, dataset.plate_layout) == ("D6", False)
        assert [(well.row, well.column) for well in dataset.plates[0].wells] == [(3, 5)]


def test_scenes_in_no_well_make_no_plate(tmp_path: Path) -> None:
    xml = document(scenes("<Scene Index='0' Name='TR1'><RegionId>5</RegionId></Scene>"), experiment=HOLDER)
    with opened(tmp_path, [Tile(noise(4, 5), {"C": 0, "S": 0})], xml) as dataset:
        assert dataset.plates == ()


LAYERS = """<Layer Name="cells"><Usage>Graphics</Usage><Elements>
<Rectangle><Geometry><Left>1</Left><Top>2</Top><Width>3</Width><Height>4</Height></Geometry><TextElements><Text>nucleus</Text></TextElements>
 <Attributes><Stroke>#FFFF0000</Stroke></Attributes></Rectangle>
<Ellipse><Geometry><CenterX>1</CenterX><CenterY>2</CenterY><RadiusX>3</RadiusX><RadiusY>4</RadiusY><Rotation>90</Rotation></Geometry></Ellipse>
<Circle><Geometry><CenterX>1</CenterX><CenterY>2</CenterY><Radius>3</Radius></Geometry></Circle>
<Line><Geometry><X1>1</X1><Y1>2</Y1><X2>3</X2><Y2>4</Y2></Geometry></Line>
<Cross><Geometry><CenterX>10</CenterX><CenterY>20</CenterY><Length>4</Length></Geometry></Cross>
<ClosedPolyline><Geometry><Points>1,2 3,4  5.5,6</Points></Geometry></ClosedPolyline>
<OpenPolyline><Geometry><Points>1,2 3,4</Points></Geometry></OpenPolyline>
<Caliper><Geometry><X1>1</X1></Geometry></Caliper>
<Polygon><Geometry><Points>not points</Points></Geometry></Polygon>
</Elements></Layer>"""


def test_drawings_become_regions_of_interest_and_what_cannot_is_told(tmp_path: Path) -> None:
    with opened(tmp_path, [Tile(noise(4, 5), {"C": 0})], document(layers=LAYERS)) as dataset:
        rois = dataset.images[0].metadata.rois
        assert [[shape.type for shape in roi.shapes] for roi in rois] == [
            ["Rectangle"],
            ["Ellipse"],
            ["Ellipse"],
            ["Line"],
            ["Line", "Line"],
            ["Polygon"],
            ["Polyline"],
        ]
        rectangle, ellipse = rois[0].shapes[0], rois[1].shapes[0]
        assert (rectangle.geometry, rectangle.text, rectangle.stroke_color) == (
            {"X": "1.0", "Y": "2.0", "Width": "3.0", "Height": "4.0"},
            "nucleus",
            -16776961,
        )
        assert [round(float(ellipse.geometry[f"Transform A0{column}"]), 9) for column in range(3)] == [0, -1, 3]
        assert rois[5].shapes[0].geometry == {"Points": "1,2 3,4 5.5,6"}
        assert {(roi.name, roi.description) for roi in rois} == {("cells", "Graphics")}
        assert [sentence.split(" drawings of the kind ")[1].split()[0] for sentence in dataset.warnings] == ["Caliper", "Polygon"]


def test_drawings_are_not_put_on_single_tiles(tmp_path: Path) -> None:
    tiles = [Tile(noise(4, 5), {"C": 0, "M": m, "X": 4 * m}) for m in range(2)]
    with opened(tmp_path, tiles, document(layers=LAYERS), mosaic="tiles") as dataset:
        assert not any(image.metadata.rois for image in dataset.images)
        assert any("drawings" in sentence and "left out" in sentence for sentence in dataset.warnings)


def test_a_descending_stack_has_a_negative_step(tmp_path: Path) -> None:
    xml = "<Image><Dimensions><Z><Positions><Interval><Increment>-0.5</Increment></Interval></Positions></Z></Dimensions></Image>"
    scale = "<Distance Id='Z'><Value>5E-07</Value></Distance>"
    with opened(tmp_path, [Tile(noise(4, 5), {"C": 0, "Z": z}) for z in range(2)], document(xml, scale)) as dataset:
        assert dataset.images[0].metadata.pixel_size_z == Quantity(-0.5, "µm")


@pytest.mark.parametrize("value", ["0", "-0", "1", "NaN", "", "many"])
def test_no_pixel_size_is_made_up(tmp_path: Path, value: str) -> None:
    xml = document(scaling=f"<Distance Id='X'><Value>{value}</Value></Distance>")
    with opened(tmp_path, [Tile(noise(4, 5), {"C": 0})], xml) as dataset:
        assert dataset.images[0].metadata.pixel_size_x is None


def test_the_number_of_significant_bits_is_that_of_the_camera(tmp_path: Path) -> None:
    with opened(tmp_path, series(), document(IMAGE)) as dataset:
        assert dataset.images[0].significant_bits == 12


def test_the_lasers_of_a_scanning_microscope_are_known_by_their_lines(tmp_path: Path) -> None:
    xml = """<Image><Dimensions><Channels><Channel Id="1"><AcquisitionMode>LaserScanningConfocalMicroscopy</AcquisitionMode><LightSourcesSettings>
    <LightSourceSettings><Wavelength>633</Wavelength><LightSource Id="LightSource:0"/></LightSourceSettings></LightSourcesSettings></Channel>
    </Channels></Dimensions></Image>"""
    with opened(tmp_path, [Tile(noise(4, 5), {"C": 0})], document(xml)) as dataset:
        instrument = dataset.images[0].metadata.instrument
        assert instrument is not None
        assert [(light.id, light.kind, light.wavelength_nm) for light in instrument.light_sources] == [("LightSource:0", "Laser", 633)]


def test_all_of_the_xml_is_kept_with_numbers_on_siblings(metadata: ImageMetadata) -> None:
    pairs = dict(metadata.original)
    assert pairs["Information|Image|Dimensions|Channels|Channel #2|Name"] == "acquired"
    assert pairs["Scaling|Items|Distance #1|Value"] == "1E-07"


def test_people_filter_sets_and_the_environment_are_carried_into_ome_xml_and_people_left_out_when_scrubbed(tmp_path: Path) -> None:
    with opened(tmp_path, series(), document(IMAGE, SCALING, DISPLAY)) as dataset:
        kept, losses = build_ome_with_losses(dataset.images, storage="ome-tiff", source=dataset)
        scrubbed, _ = build_ome_with_losses(dataset.images, storage="ome-tiff", source=dataset, original="scrub")
    assert losses == ()
    assert all(
        word in kept
        for word in (b"<EmissionFilterRef", b'Temperature="37', b'LastName="L"', b'UserName="mbr"', b"AcquisitionDate>2020-03-01T12:00:00.12")
    )
    assert b'LastName="L"' not in scrubbed
    assert b"mbr" not in scrubbed
    assert read_ome(kept, "it").images[0].metadata.channels[0].filter_set_id is not None


def test_broken_xml_costs_the_metadata_and_not_the_pixels(tmp_path: Path) -> None:
    with opened(tmp_path, [Tile(noise(4, 5), {"C": 0})], "<ImageDocument><Metadata>") as dataset:
        assert "could not be read" in dataset.warnings[0]
        assert dataset.images[0].metadata.original == ()


def test_a_document_type_in_the_xml_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnreadableError, match="document type"):
        opened(tmp_path, [Tile(noise(4, 5), {"C": 0})], "<!DOCTYPE a [<!ENTITY b 'c'>]><ImageDocument>&b;</ImageDocument>")


def test_a_file_without_any_xml_is_read(tmp_path: Path) -> None:
    with opened(tmp_path, series()) as dataset:
        found = dataset.images[0].metadata
        assert (found.acquisition_date, found.pixel_size_x, found.time_increment_s, found.planes) == (None, None, None, ())


def test_deeply_nested_xml_is_read_without_recursion(tmp_path: Path) -> None:
    deep = 200
    with opened(tmp_path, series(), document("<A>" * deep + "x" + "</A>" * deep)) as dataset:
        assert dataset.images[0].metadata.original[-1][1] == "x"
