"""OME-XML as people have it: of any year, with every unit, and with mistakes."""

from __future__ import annotations

from pathlib import Path

import pytest

from lightmicroscopy.errors import UnreadableError
from lightmicroscopy.image import Acquisition, Channel, MapAnnotation, Modulo, Plane, Quantity, RoiShape, Well, WellField
from lightmicroscopy.metadata.ome_read import BinaryOnly, OmeImage, TiffDataBlock, read_ome

from .ome_examples import document, pixels, real_descriptions, screen


def only(body: str) -> OmeImage:
    [image] = document(body).images
    return image


def test_sizes_types_and_storage_of_a_series() -> None:
    first = screen().images[0]
    assert (first.size_t, first.size_c, first.size_z, first.size_y, first.size_x) == (2, 2, 1, 16, 32)
    assert (first.id, first.name, first.dimension_order, first.pixel_type, first.significant_bits) == ("Image:a", "first", "XYCZT", "uint16", 12)
    assert first.samples_per_pixel == (1, 1)
    assert not first.bin_data
    assert first.tiff_data == (TiffDataBlock(3, None, 1, None, 1, "a.tif", "urn:uuid:0690e47e-155f-4ae7-b5ba-1e6a8d91d96a"),)


def test_sizes_keep_their_unit_and_times_become_seconds() -> None:
    metadata = screen().images[0].metadata
    assert metadata.pixel_size_x == Quantity(100, "nm")
    assert metadata.pixel_size_y == Quantity(0.1, "µm")
    assert metadata.time_increment_s == 0.5
    assert metadata.planes == (
        Plane(0, 0, 0, delta_t_s=0.1, exposure_s=0.03, position_x=Quantity(12.5, "reference frame"), position_y=Quantity(3, "µm")),
        Plane(1, 1, 0, position_z=Quantity(-4.5, "µm")),
    )


def test_everything_a_channel_says_is_read() -> None:
    first, second = screen().images[0].metadata.channels
    assert first == Channel(
        name="DAPI",
        color=65535,
        fluor="DAPI",
        excitation_nm=405,
        emission_nm=460,
        contrast_method="Fluorescence",
        illumination_type="Epifluorescence",
        acquisition_mode="WideField",
        pinhole=Quantity(50, "µm"),
        nd_filter=0.1,
        detector_id="Detector:D",
        detector_gain=3,
        detector_offset=7,
        detector_voltage=Quantity(600, "mV"),
        detector_binning="2x2",
        light_source_id="LightSource:L",
        light_source_attenuation=0.25,
        filter_set_id="FilterSet:F",
    )
    assert second == Channel(name="GFP")


def test_the_default_colour_white_is_no_information() -> None:
    image = only(pixels(content='<Channel ID="Channel:0" Color="-1"/><Channel ID="Channel:1" Color="4294967295"/><MetadataOnly/>'))
    assert [channel.color for channel in image.metadata.channels] == [None, None]


def test_a_colour_written_without_its_sign_is_the_same_colour() -> None:
    image = only(pixels(content='<Channel ID="Channel:0" Color="4278190335"/><MetadataOnly/>'))
    assert image.metadata.channels[0].color == -16776961


def test_the_instrument_is_the_one_the_image_refers_to() -> None:
    first, second = (image.metadata for image in screen().images)
    assert first.instrument is not None
    assert second.instrument is not None
    assert second.instrument.id == "Instrument:other"
    assert [part.id for part in first.instrument.objectives] == ["Objective:O", "Objective:unused"]
    assert first.instrument.objectives[0].working_distance == Quantity(190, "µm")
    assert [(source.kind, source.wavelength_nm) for source in first.instrument.light_sources] == [("Laser", 488), ("Arc", None)]
    assert (first.instrument.filters[0].cut_in_nm, first.instrument.filters[0].cut_out_nm) == (450, 490)
    assert (first.objective_id, first.immersion_medium, first.refractive_index) == ("Objective:O", "Oil", 1.518)


def test_regions_annotations_and_folded_dimensions_are_read_for_their_own_image_only() -> None:
    first, second = (image.metadata for image in screen().images)
    assert first.rois[0].name == "nucleus"
    assert first.rois[0].shapes[0] == RoiShape("Rectangle", {"X": "1", "Y": "2", "Width": "3", "Height": "4"}, text="n", c=1, stroke_color=-16776961)
    assert second.rois[0].shapes[0].type == "Point"
    assert first.annotations == (MapAnnotation("example.org/keys", (("Gene", "AURKB"), ("Operator", "ada"))),)
    assert first.modulo == (Modulo("T", "lifetime", 0, 100, 100, "ps", description="TCSPC"),)
    assert (second.annotations, second.modulo) == ((), ())
    assert first.original == second.original == (("UserName", "ada"), ("Gain", "3"))


def test_plates_name_the_series_of_their_wells() -> None:
    [plate] = screen().plates
    assert (plate.rows, plate.columns) == (8, 12)
    assert plate.wells == (Well(1, 6, (WellField(0, 3, Quantity(1.5, "mm"), index=0),)), Well(2, 0, (WellField(1, 3, index=0),)))
    assert plate.acquisitions == (Acquisition(3, "run", 2, "2020-01-02T03:04:05"),)


def test_a_plate_with_numbered_rows_and_lettered_columns() -> None:
    plates = document(
        '<Plate ID="Plate:1" RowNamingConvention="number" ColumnNamingConvention="letter"><Well ID="Well:1" Row="3" Column="5">'
        '<WellSample ID="WellSample:1" Index="0"><ImageRef ID="Image:gone"/></WellSample></Well></Plate>'
    ).plates
    assert (plates[0].row_naming, plates[0].column_naming, plates[0].rows, plates[0].columns) == ("number", "letter", 4, 6)
    assert plates[0].wells == (Well(3, 5, ()),)


@pytest.mark.parametrize(
    ("written", "unit"),
    [
        ("\u00b5m", "µm"),
        ("\u03bcm", "µm"),
        ("um", "µm"),
        ("micron", "µm"),
        ("nm", "nm"),
        ("\u212b", "Å"),
        ("pixel", "pixel"),
        ("Mm", "Mm"),
        ("inch", "in"),
    ],
)
def test_units_are_spelt_as_ome_does(written: str, unit: str) -> None:
    image = only(pixels(f'PhysicalSizeX="2" PhysicalSizeXUnit="{written}"'))
    assert image.metadata.pixel_size_x == Quantity(2, unit)


@pytest.mark.parametrize(
    "attributes",
    [
        'PhysicalSizeX="0"',
        'PhysicalSizeX="-1"',
        'PhysicalSizeX="NaN"',
        'PhysicalSizeX="INF"',
        'PhysicalSizeX="0,5"',
        'PhysicalSizeX="1" PhysicalSizeXUnit="furlong"',
        f'PhysicalSizeX="{"9" * 500}"',
    ],
)
def test_a_pixel_size_that_makes_no_sense_is_unknown_and_said(attributes: str) -> None:
    read = document(pixels(attributes))
    assert read.images[0].metadata.pixel_size_x is None
    assert len(read.warnings) == 1
    assert "PhysicalSizeX" in read.warnings[0]
    assert len(read.warnings[0]) < 200


def test_a_falling_z_is_kept() -> None:
    assert only(pixels('PhysicalSizeZ="-0.5"')).metadata.pixel_size_z == Quantity(-0.5, "µm")


def test_malformed_sizes_leave_the_rest_readable() -> None:
    read = document(pixels('SignificantBits="many"', sizes=f'SizeX="1e3" SizeY="{"1" * 5000}" SizeZ="" SizeC="-2" SizeT="3"'))
    image = read.images[0]
    assert (image.size_x, image.size_y, image.size_z, image.size_c, image.size_t) == (0, 0, 1, 1, 3)
    assert image.significant_bits is None
    assert len(read.warnings) == 4


def test_a_thousand_bad_planes_are_one_warning() -> None:
    planes = "".join(f'<Plane TheZ="0" TheC="0" TheT="{t}" DeltaT="soon"/>' for t in range(1000))
    read = document(pixels(content="<MetadataOnly/>" + planes))
    assert read.warnings == ("Plane DeltaT 'soon' is not a finite number and was left out (as were 999 more).",)
    assert read.images[0].metadata.planes == ()


def test_pixels_inside_the_xml_are_noticed() -> None:
    assert only(pixels(content='<BinData BigEndian="false" Length="4">AAAA</BinData>')).bin_data


def test_rgb_is_one_channel_of_three_samples() -> None:
    image = only(
        pixels(sizes='SizeX="4" SizeY="4" SizeZ="1" SizeC="3" SizeT="1"', content='<Channel ID="Channel:0" SamplesPerPixel="3"/><MetadataOnly/>')
    )
    assert (image.size_c, image.samples_per_pixel) == (3, (3,))


def test_a_file_of_a_set_names_where_its_metadata_are() -> None:
    read = document('<BinaryOnly MetadataFile="set.companion.ome" UUID="urn:uuid:07504f88-7bc3-11e0-b937-2faf67bc00b3"/>')
    assert read.images == ()
    assert read.binary_only == BinaryOnly("set.companion.ome", "urn:uuid:07504f88-7bc3-11e0-b937-2faf67bc00b3")


def test_references_that_lead_nowhere_are_ignored() -> None:
    image = only(
        '<Image ID="Image:0"><InstrumentRef ID="Instrument:9"/><Pixels ID="Pixels:0" SizeX="1" SizeY="1" Type="uint8"/>'
        '<ROIRef ID="ROI:9"/><AnnotationRef ID="Annotation:9"/></Image>'
    )
    assert (image.metadata.instrument, image.metadata.rois, image.metadata.annotations) == (None, (), ())


def test_an_image_without_pixels_is_still_read() -> None:
    assert only('<Image ID="Image:0" Name="empty"/>').size_x == 0


def test_ome_xml_of_2008() -> None:
    image = only(
        '<Image ID="Image:0" Name="old"><CreationDate>2008-05-06T07:08:09</CreationDate><ObjectiveRef ID="Objective:0"/>'
        '<LogicalChannel ID="LogicalChannel:0" Name="FITC" ExWave="488" EmWave="520" SamplesPerPixel="1">'
        '<DetectorRef ID="Detector:0" Gain="2"/></LogicalChannel>'
        '<Pixels ID="Pixels:0" DimensionOrder="XYZCT" PixelType="Uint16" BigEndian="true" '
        'SizeX="4" SizeY="4" SizeZ="1" SizeC="1" SizeT="1" PhysicalSizeX="0.1">'
        '<TiffData IFD="0" NumPlanes="1"/>'
        '<Plane TheZ="0" TheC="0" TheT="0"><PlaneTiming DeltaT="1.5" ExposureTime="0.1"/><StagePosition PositionX="7"/></Plane>'
        "</Pixels></Image><Instrument ID='Instrument:0'><LightSource ID='LightSource:0' Manufacturer='M'>"
        "<Laser Type='Gas' Medium='Ar' Wavelength='488'/>"
        "</LightSource><Detector ID='Detector:0'/>"
        "<Objective ID='Objective:0'><LensNA>1.3</LensNA><NominalMagnification>40</NominalMagnification></Objective>"
        "</Instrument>"
    )
    metadata = image.metadata
    assert (image.pixel_type, image.big_endian, image.tiff_data[0].plane_count) == ("uint16", True, 1)
    assert metadata.acquisition_date == "2008-05-06T07:08:09"
    assert (metadata.channels[0].name, metadata.channels[0].emission_nm, metadata.channels[0].detector_gain) == ("FITC", 520, 2)
    assert metadata.planes == (Plane(0, 0, 0, 1.5, 0.1, Quantity(7, "reference frame")),)
    assert metadata.instrument is not None
    assert (metadata.instrument.objectives[0].numerical_aperture, metadata.instrument.light_sources[0].kind) == (1.3, "Laser")
    assert metadata.instrument.light_sources[0].medium == "Ar"


@pytest.mark.parametrize(
    "namespace", ["http://www.openmicroscopy.org/XMLschemas/OME/FC/ome.xsd", "http://www.openmicroscopy.org/Schemas/OME/2013-06", ""]
)
def test_the_year_of_the_namespace_does_not_matter(namespace: str) -> None:
    assert document(pixels(), namespace).images[0].size_x == 4


def test_a_prefix_does_not_matter() -> None:
    xml = '<o:OME xmlns:o="http://www.openmicroscopy.org/Schemas/OME/2016-06"><o:Image ID="Image:0" Name="x"/></o:OME>'
    assert read_ome(xml.encode(), "x").images[0].name == "x"


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "not well-formed"),
        (b"<OME><Image></OME>", "not well-formed"),
        (b"<html/>", "not OME-XML"),
        (b'<!DOCTYPE OME [<!ENTITY a "b">]><OME>&a;</OME>', "document type"),
    ],
)
def test_what_is_no_ome_xml_is_an_error_naming_the_file(data: bytes, sentence: str) -> None:
    with pytest.raises(UnreadableError, match=sentence) as error:
        read_ome(data, "strange.ome.tiff")
    assert "strange.ome.tiff" in str(error.value)


def test_nesting_as_deep_as_the_parser_allows_is_no_problem() -> None:
    deep = "<a>" * 1500 + "</a>" * 1500
    read = document(
        pixels() + f'<StructuredAnnotations><XMLAnnotation ID="Annotation:0"><Value>{deep}</Value></XMLAnnotation></StructuredAnnotations>'
    )
    assert len(read.images) == 1


def test_every_real_description_is_read(realfiles: Path) -> None:
    for path, xml in real_descriptions(realfiles):
        read = read_ome(xml, path.name)
        assert read.warnings == ()
        assert read.images or read.binary_only
