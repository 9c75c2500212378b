"""OME-XML we write: valid whatever comes in, complete where the source was, and read back the same."""

from __future__ import annotations

import random
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree

from lightmicroscopy.errors import UnwritableError
from lightmicroscopy.image import (
    Channel,
    Dataset,
    Detector,
    Filter,
    Image,
    ImageMetadata,
    Instrument,
    LightSource,
    Location,
    MapAnnotation,
    Modulo,
    Objective,
    Plane,
    Plate,
    Quantity,
    Roi,
    RoiShape,
    Shape,
    TilePosition,
    Well,
    WellField,
)
from lightmicroscopy.metadata.ome_private import is_personal, scrub_text
from lightmicroscopy.metadata.ome_read import OmeDocument, read_ome
from lightmicroscopy.metadata.ome_schema import schema_errors
from lightmicroscopy.metadata.ome_write import build_ome, build_ome_with_losses, ome_pixel_type

from .ome_examples import NS, SCREEN, document, image, images_of, pixels, screen

O = f"{{{NS}}}"  # noqa: E741 - stands for OME in paths


def build(*images: Image, storage: Any = "ome-tiff", **options: Any) -> etree._Element:
    """Build, check that the result is valid and free of character references, and parse it."""
    options.setdefault("source", None)
    data = build_ome(images, storage=storage, **options)
    assert schema_errors(data) == []
    assert dangling(etree.fromstring(data)) == []
    assert b"&#" not in data
    assert data.startswith(b'<?xml version="1.0" encoding="UTF-8"?>')
    assert data.endswith(b"</OME>")
    return etree.fromstring(data)


def dangling(root: etree._Element) -> list[str]:
    """Ids that are referred to and not there; the schema does not see those of ROIs."""
    references = {element for element in root.iter() if etree.QName(element).localname.endswith(("Ref", "Settings", "Pump"))}
    there = {element.get("ID") for element in root.iter() if element not in references}
    return [str(element.get("ID")) for element in references if element.get("ID") is not None and element.get("ID") not in there]


def again(*images: Image, **options: Any) -> OmeDocument:
    return read_ome(etree.tostring(build(*images, **options)), "again")


def metadata_again(made: Image, **options: Any) -> ImageMetadata:
    return replace(again(made, **options).images[0].metadata, element=None)


def source_of(read: OmeDocument) -> Dataset:
    return Dataset(Location(Path("x.ome.tiff")), "OME-TIFF", tuple(images_of(read)), plates=read.plates, ome=read.root)


# Splitting a file


def test_a_single_series_takes_its_instrument_objective_regions_and_plate_along() -> None:
    read = screen()
    source = source_of(read)
    copy = again(source.images[0], source=source)
    assert len(copy.images) == 1
    assert copy.images[0].metadata.instrument is not None
    assert copy.images[0].metadata.instrument.microscope_model == "Axio"
    assert copy.images[0].metadata.objective_id == copy.images[0].metadata.instrument.objectives[0].id
    assert copy.images[0].metadata.rois == read.images[0].metadata.rois
    assert copy.plates == (replace(read.plates[0], wells=read.plates[0].wells[:1]),)
    assert copy.images[0].metadata.modulo == read.images[0].metadata.modulo
    assert copy.images[0].metadata.original == read.images[0].metadata.original


def test_what_the_image_model_does_not_know_is_carried_along() -> None:
    source = source_of(screen())
    root = build(source.images[0], source=source)
    for path, attribute, value in [
        ("Image/ImagingEnvironment", "CO2Percent", "0.05"),
        ("Image/ObjectiveSettings", "CorrectionCollar", "0.17"),
        ("Image/StageLabel", "X", "3.5"),
        ("Image/Pixels/Channel", "PockelCellSetting", "3"),
        ("Image/Pixels/Channel/DetectorSettings", "ReadOutRate", "10"),
        ("Instrument/Microscope", "SerialNumber", "123"),
        ("Instrument/Objective", "Iris", "true"),
        ("Instrument/FilterSet", "Model", "GFP"),
        ("Instrument/Filter/TransmittanceRange", "Transmittance", "0.9"),
        ("Plate", "ExternalIdentifier", "EXT-1"),
        ("Plate/Well", "Type", "control"),
        ("Screen/Reagent", "Name", "siRNA"),
        ("Experimenter", "LastName", "Lovelace"),
        ("ROI/Union/Rectangle", "StrokeWidth", "2.5"),
    ]:
        found = root.find("/".join(O + step for step in path.split("/")))
        assert found is not None, path
        assert found.get(attribute) == value
    assert root.findtext(f"{O}Rights/{O}RightsHeld") == "CC BY 4.0"
    assert root.findtext(f"{O}StructuredAnnotations/{O}TagAnnotation/{O}Value") == "a tag"
    modulo = root.find(".//{*}ModuloAlongT")
    assert modulo is not None
    assert modulo.get("TypeDescription") == "TCSPC"


def test_what_belongs_to_other_series_stays_behind() -> None:
    source = source_of(screen())
    text = etree.tostring(build(source.images[0], source=source), encoding="unicode")
    for gone in ("about the second", "of the second", "Detector:other", "PyramidResolution", "Image:b", "C2"):
        assert gone not in text
    for kept in ("about the document", "nested", "of the first", "a project", "inner"):
        assert kept in text


def test_all_series_together_keep_everything() -> None:
    read = screen()
    source = source_of(read)
    copy = again(*source.images, source=source, storage="ome-zarr")
    assert copy.plates == read.plates
    assert [found.metadata.rois for found in copy.images] == [found.metadata.rois for found in read.images]
    assert [found.name for found in copy.images] == ["first", "second"]


def test_ids_are_those_of_the_new_file_and_the_old_uuid_is_gone() -> None:
    source = source_of(screen())
    root = build(source.images[1], source=source, file_name="second.ome.tiff", uuid="f07a28ca-eacb-434f-b53b-eb81b566cfd9")
    block = root.find(f"{O}Image/{O}Pixels/{O}TiffData/{O}UUID")
    assert block is not None
    assert (block.get("FileName"), block.text) == ("second.ome.tiff", "urn:uuid:f07a28ca-eacb-434f-b53b-eb81b566cfd9")
    assert root.get("UUID") == "urn:uuid:f07a28ca-eacb-434f-b53b-eb81b566cfd9"
    assert root.find(f"{O}Image").get("ID") == "Image:0"  # type: ignore[union-attr]
    assert b"0690e47e" not in etree.tostring(root)


def test_every_series_of_every_real_file_is_written_alone_and_valid(realfiles: Path) -> None:
    import tifffile

    for path in sorted((realfiles / "ometiff").iterdir()):
        if path.suffix == ".ome":
            xml = path.read_bytes()
        else:
            with tifffile.TiffFile(path) as file:
                xml = (file.ome_metadata or "").encode()
        read = read_ome(xml, path.name)
        for index, made in enumerate(images_of(read)):
            for storage in ("ome-tiff", "ome-zarr"):
                copy = metadata_again(made, storage=storage)
                if made.shape.s == 1 or storage == "ome-tiff":
                    before = replace(read.images[index].metadata, element=None)
                    assert _without_ids(copy) == _without_ids(before), path.name


def _without_ids(metadata: ImageMetadata) -> ImageMetadata:
    instrument = metadata.instrument
    if instrument is not None:
        instrument = replace(instrument, id="", objectives=tuple(replace(part, id="") for part in instrument.objectives))
    return replace(metadata, instrument=instrument, objective_id=None)


# Selections


def test_chosen_channels_keep_what_was_said_of_them() -> None:
    made = screen()
    one = images_of(made)[0]
    channel = replace(one.metadata.channels[0], source_index=0)
    selected = image(
        Shape(1, 2, 1, 4, 4), "uint16", replace(one.metadata, channels=(replace(one.metadata.channels[1], source_index=1), channel), planes=())
    )
    root = build(selected)
    names = [(element.get("Name"), element.get("PockelCellSetting")) for element in root.iter(f"{O}Channel")]
    assert names == [("GFP", None), ("DAPI", "3")]


def test_what_a_selection_took_away_does_not_come_back_from_the_source() -> None:
    one = images_of(screen())[0]
    projected = replace(one, metadata=replace(one.metadata, pixel_size_z=None, planes=(), rois=(), annotations=(), modulo=(), description=None))
    copy = metadata_again(projected)
    assert (copy.pixel_size_z, copy.planes, copy.rois, copy.annotations, copy.modulo, copy.description) == (None, (), (), (), (), None)


def test_planes_outside_the_image_are_not_written() -> None:
    metadata = ImageMetadata(planes=(Plane(0, 0, 0, 1.0), Plane(1, 0, 0, 2.0), Plane(0, 7, 0, 3.0)))
    assert metadata_again(image(metadata=metadata)).planes == (Plane(0, 0, 0, 1.0),)


def test_a_moved_region_keeps_its_line_width() -> None:
    one = images_of(screen())[0]
    [roi] = one.metadata.rois
    moved = replace(roi, shapes=(replace(roi.shapes[0], geometry={**roi.shapes[0].geometry, "X": "0"}), *roi.shapes[1:]))
    root = build(replace(one, metadata=replace(one.metadata, rois=(moved,))))
    rectangle = root.find(f"{O}ROI/{O}Union/{O}Rectangle")
    assert rectangle is not None
    assert (rectangle.get("X"), rectangle.get("StrokeWidth")) == ("0", "2.5")


# Storage


def test_rgb_in_a_tiff_is_one_channel_of_three_samples() -> None:
    root = build(image(Shape(1, 1, 1, 4, 4, 3), kind="rgb"))
    pixels_element = root.find(f"{O}Image/{O}Pixels")
    assert pixels_element is not None
    assert (pixels_element.get("SizeC"), pixels_element.get("Interleaved")) == ("3", "true")
    assert [channel.get("SamplesPerPixel") for channel in root.iter(f"{O}Channel")] == ["3"]


def test_rgb_in_zarr_is_three_channels() -> None:
    root = build(image(Shape(1, 1, 1, 4, 4, 3), kind="rgb", metadata=ImageMetadata(planes=(Plane(0, 0, 0, 1.5),))), storage="ome-zarr")
    assert [(channel.get("Name"), channel.get("SamplesPerPixel")) for channel in root.iter(f"{O}Channel")] == [
        ("Red", "1"),
        ("Green", "1"),
        ("Blue", "1"),
    ]
    assert [plane.get("TheC") for plane in root.iter(f"{O}Plane")] == ["0", "1", "2"]
    assert root.find(f"{O}Image/{O}Pixels/{O}MetadataOnly") is not None


def test_several_images_in_one_tiff_follow_each_other() -> None:
    root = build(image(Shape(2, 1, 3, 4, 4)), image(Shape(1, 2, 1, 4, 4)))
    assert [(block.get("IFD"), block.get("PlaneCount")) for block in root.iter(f"{O}TiffData")] == [("0", "6"), ("6", "2")]


@pytest.mark.parametrize(
    ("dtype", "word"), [("int8", "int8"), ("uint32", "uint32"), ("float32", "float"), ("float64", "double"), ("bool", "bit"), (">u2", "uint16")]
)
def test_pixel_types_ome_has(dtype: str, word: str) -> None:
    assert ome_pixel_type(np.dtype(dtype)) == word


@pytest.mark.parametrize("dtype", ["int64", "uint64", "float16", "complex64"])
def test_pixel_types_ome_does_not_have_are_refused_with_a_sentence(dtype: str) -> None:
    with pytest.raises(UnwritableError, match=f"no pixel type {dtype}"):
        build_ome([image(dtype=dtype)], storage="ome-tiff", source=None)


def test_a_zarr_of_64_bit_labels_says_so_in_its_ome_xml() -> None:
    data = build_ome([image(dtype="uint64", kind="label")], storage="ome-zarr", source=None)
    assert schema_errors(data) == []
    assert b"uint64 (OME-XML has no such type and says uint32)" in data
    assert read_ome(data, "labels").images[0].kind == "label"


def test_complex_pixels_are_refused_for_zarr_too() -> None:
    with pytest.raises(UnwritableError, match="complex64"):
        build_ome([image(dtype="complex64")], storage="ome-zarr", source=None)


@pytest.mark.parametrize(("bits", "written"), [(12, "12"), (16, "16"), (17, None), (0, None), (None, None)])
def test_significant_bits_only_where_they_can_be_true(bits: int | None, written: str | None) -> None:
    root = build(image(dtype="uint16", significant_bits=bits))
    assert root.find(f"{O}Image/{O}Pixels").get("SignificantBits") == written  # type: ignore[union-attr]


def test_twenty_thousand_planes_need_one_block_of_tiff_data() -> None:
    planes = tuple(Plane(t, 0, 0, float(t), 0.1, Quantity(1.0, "µm"), Quantity(2.0, "µm"), Quantity(3.0, "µm")) for t in range(20_000))
    data = build_ome([image(Shape(20_000, 1, 1, 4, 4), metadata=ImageMetadata(planes=planes))], storage="ome-tiff", source=None)
    assert data.count(b"<Plane ") == 20_000
    assert data.count(b"<TiffData") == 1


# What the schema has no place for


def test_a_falling_z_is_written_as_its_size_and_a_note() -> None:
    made = image(metadata=ImageMetadata(pixel_size_z=Quantity(-6.23, "µm")))
    assert build(made).find(f"{O}Image/{O}Pixels").get("PhysicalSizeZ") == "6.23"  # type: ignore[union-attr]
    assert metadata_again(made).pixel_size_z == Quantity(-6.23, "µm")


def test_a_word_ome_does_not_know_becomes_other_and_is_kept() -> None:
    instrument = Instrument(
        "Instrument:0", objectives=(Objective("Objective:0", immersion="Silicone"),), detectors=(Detector("Detector:0", type="HyD"),)
    )
    channel = Channel(contrast_method="Zernike", acquisition_mode="Airyscan", detector_id="Detector:0", detector_binning="3x3")
    metadata = ImageMetadata(instrument=instrument, objective_id="Objective:0", immersion_medium="Silicone", channels=(channel,))
    root = build(image(metadata=metadata))
    assert root.find(f"{O}Instrument/{O}Objective").get("Immersion") == "Other"  # type: ignore[union-attr]
    assert root.find(f"{O}Image/{O}ObjectiveSettings").get("Medium") == "Other"  # type: ignore[union-attr]
    assert metadata_again(image(metadata=metadata)) == metadata


def test_words_of_another_case_are_recognised() -> None:
    metadata = ImageMetadata(instrument=Instrument("Instrument:0", objectives=(Objective("Objective:0", immersion="oil"),)))
    assert metadata_again(image(metadata=metadata)).instrument.objectives[0].immersion == "Oil"  # type: ignore[union-attr]


def test_white_is_not_written_as_information_and_invented_colours_are_marked() -> None:
    channels = (Channel(color=-1), Channel(color=16711935, color_invented=True), Channel(color=65535))
    made = image(Shape(1, 3, 1, 4, 4), metadata=ImageMetadata(channels=channels))
    assert [channel.get("Color") for channel in build(made).iter(f"{O}Channel")] == [None, "16711935", "65535"]
    assert metadata_again(made).channels == (Channel(), *channels[1:])


def test_notes_do_not_pile_up_when_a_file_is_converted_again_and_again() -> None:
    made = image(metadata=ImageMetadata(pixel_size_z=Quantity(-1, "µm"), channels=(Channel(window=(1.0, 200.5)),)))
    first = again(made)
    second = again(*images_of(first))
    assert len(etree.tostring(second.root)) == len(etree.tostring(first.root))
    assert replace(second.images[0].metadata, element=None) == replace(first.images[0].metadata, element=None)


@pytest.mark.parametrize("date", ["2020-02-03", "yesterday", "2020-02-03 04:05:06", "2020-13-01T00:00:00"])
def test_a_date_that_is_no_moment_is_kept_as_a_note(date: str) -> None:
    root = build(image(metadata=ImageMetadata(acquisition_date=date)))
    assert root.find(f"{O}Image/{O}AcquisitionDate") is None
    assert metadata_again(image(metadata=ImageMetadata(acquisition_date=date))).acquisition_date == date


@pytest.mark.parametrize("size", [Quantity(0, "µm"), Quantity(-1, "µm"), Quantity(float("nan"), "µm"), Quantity(1, "furlong")])
def test_a_pixel_size_ome_cannot_hold_is_a_named_loss(size: Quantity) -> None:
    data, losses = build_ome_with_losses([image(metadata=ImageMetadata(pixel_size_x=size))], storage="ome-tiff", source=None)
    assert schema_errors(data) == []
    assert b"PhysicalSizeX" not in data
    assert len(losses) == 1
    assert "pixel size" in losses[0]


def test_a_reference_to_nothing_is_a_named_loss() -> None:
    metadata = ImageMetadata(objective_id="Objective:9", channels=(Channel(detector_id="Detector:9", filter_set_id="FilterSet:9"),))
    data, losses = build_ome_with_losses([image(metadata=metadata)], storage="ome-tiff", source=None)
    assert schema_errors(data) == []
    assert len(losses) == 3


@pytest.mark.parametrize("text", ["tab\there", "line\nbreak", "bell\x07", "nul\0", "\ud800 alone", "\ufffe", "µ ø 細胞 🔬", "\"<&>'", "x" * 10_000])
def test_names_of_any_characters_are_written(text: str) -> None:
    metadata = ImageMetadata(
        channels=(Channel(name=text),), description=text, original=((text, text),), annotations=(MapAnnotation("a", ((text, text),)),)
    )
    copy = again(image(name=text, metadata=metadata), file_name=text, uuid="f07a28ca-eacb-434f-b53b-eb81b566cfd9")
    if text.isprintable():
        assert copy.images[0].name == text
        assert copy.images[0].metadata.channels[0].name == text


# Sources that are themselves wrong


def test_a_source_of_2013_is_raised_to_2016() -> None:
    body = (
        '<Image ID="Image:0" Name="x"><InstrumentRef ID="Instrument:0"/><ObjectiveSettings ID="Objective:0"/>'
        '<Pixels ID="Pixels:0" DimensionOrder="XYZCT" Type="uint8" SizeX="4" SizeY="4" SizeZ="1" SizeC="1" SizeT="1">'
        '<Channel ID="Channel:0:0"/><BIN:BinData'
        ' xmlns:BIN="http://www.openmicroscopy.org/Schemas/BinaryFile/2013-06" BigEndian="false" Length="1">AA==</BIN:BinData></Pixels>'
        '<SA:AnnotationRef xmlns:SA="http://www.openmicroscopy.org/Schemas/SA/2013-06" ID="Annotation:0"/></Image>'
        '<SA:StructuredAnnotations xmlns:SA="http://www.openmicroscopy.org/Schemas/SA/2013-06"><SA:CommentAnnotation ID="Annotation:0">'
        "<SA:Value>c</SA:Value>"
        "</SA:CommentAnnotation></SA:StructuredAnnotations>"
    )
    instrument = '<Instrument ID="Instrument:0"><Objective ID="Objective:0"/><OTF ID="OTF:0"/></Instrument>'
    read = document(instrument + body, "http://www.openmicroscopy.org/Schemas/OME/2013-06")
    root = build(images_of(read)[0])
    assert root.findtext(f"{O}StructuredAnnotations/{O}CommentAnnotation/{O}Value") == "c"
    assert b"2013-06" not in etree.tostring(root)


def test_what_is_invalid_in_the_source_is_left_out_and_named() -> None:
    body = (
        '<Image ID="Image:0"><InstrumentRef ID="Instrument:0"/><ImagingEnvironment Temperature="warm" Humidity="0.5"/>'
        '<StageLabel Name="s" Colour="red"><Nonsense/></StageLabel>'
        '<Pixels ID="Pixels:0" DimensionOrder="XYZCT" Type="uint8" SizeX="4" SizeY="4" SizeZ="1" SizeC="1" SizeT="1">'
        '<Channel ID="Channel:0:0" PockelCellSetting="many"/><MetadataOnly/></Pixels><AnnotationRef ID="Annotation:0"/><ROIRef ID="ROI:0"/></Image>'
        '<Instrument ID="Instrument:0"><Detector ID="Detector:0" Banana="1"/></Instrument>'
        '<StructuredAnnotations><LongAnnotation ID="Annotation:0"><Value>many</Value></LongAnnotation></StructuredAnnotations>'
        '<ROI ID="ROI:0"><Union><Rectangle ID="Shape:0" X="left" Y="0" Width="1" Height="1"/></Union></ROI>'
    )
    data, losses = build_ome_with_losses([images_of(document(body))[0]], storage="ome-tiff", source=None)
    assert schema_errors(data) == []
    assert dangling(etree.fromstring(data)) == []
    for word in ("Temperature", "Colour", "PockelCellSetting", "Banana", "Rectangle"):
        assert any(word in loss for loss in losses), word
    assert b'Humidity="0.5"' in data


def test_annotations_that_refer_to_each_other_a_long_way_or_in_a_circle() -> None:
    chain = "".join(
        f'<TagAnnotation ID="Annotation:{i}"><AnnotationRef ID="Annotation:{(i + 1) % 3000}"/><Value/></TagAnnotation>' for i in range(3000)
    )
    body = pixels().replace("</Image>", '<AnnotationRef ID="Annotation:0"/></Image>')
    root = build(images_of(document(body + f"<StructuredAnnotations>{chain}</StructuredAnnotations>"))[0])
    assert len(list(root.iter(f"{O}TagAnnotation"))) == 3000


def test_images_of_two_documents_do_not_mix_their_ids() -> None:
    first, second = images_of(screen())[0], images_of(screen())[0]
    root = build(first, second)
    assert len(list(root.iter(f"{O}Image"))) == 2
    assert len(list(root.iter(f"{O}Instrument"))) == 1


@pytest.mark.parametrize("seed", range(40))
def test_a_damaged_source_never_makes_an_invalid_copy(seed: int) -> None:
    read = read_ome(_damaged(random.Random(seed)), "damaged")  # noqa: S311 - the same damage every time
    made = [
        image(Shape(min(found.size_t, 3), 2, 1, 4, 4), "uint16", found.metadata, name=found.name, series=index)
        for index, found in enumerate(read.images)
    ]
    source = Dataset(Location(Path("x")), "OME-TIFF", tuple(made), plates=read.plates, ome=read.root)
    for images in filter(None, (made[:1], made)):
        build(*images, source=source, original="scrub" if seed % 2 else "keep")


def _damaged(chance: random.Random) -> bytes:
    """Change, remove, repeat and misplace a few things in a good document."""
    root = etree.fromstring(SCREEN.encode())
    elements = list(root.iter(etree.Element))
    for _ in range(chance.randint(1, 12)):
        element, other = chance.choice(elements), chance.choice(elements)
        parent = element.getparent()
        match chance.randrange(5):
            case 0 if element.attrib:
                element.set(chance.choice(list(element.attrib)), chance.choice(["", "-1", "x", "NaN", "1e400", "Image:a", "ROI:r1", "2"]))
            case 1 if element.attrib:
                del element.attrib[chance.choice(list(element.attrib))]
            case 2 if parent is not None and not str(element.tag).endswith("}Pixels"):
                parent.remove(element)
            case 3:
                element.append(etree.fromstring(etree.tostring(other)))
            case _:
                element.text = chance.choice(["x", "2", ""])
    return etree.tostring(root)


# Original metadata and people


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
    ],
)
def test_pairs_about_the_microscope_are_not_personal(key: str, value: str) -> None:
    assert not is_personal(key, value)


def test_scrubbed_text_keeps_the_file_name() -> None:
    assert scrub_text("from C:\\Users\\ada\\a b.lif by ada@example.org") == "from a b.lif by [removed]"


def test_provenance_is_attached_to_every_image() -> None:
    provenance = MapAnnotation("lightmicroscopy/provenance", (("Source", "a.czi"), ("Source", "b.czi")))
    copy = again(image(), image(series=1), provenance=[provenance], original="scrub")
    assert [found.metadata.annotations for found in copy.images] == [(provenance,), (provenance,)]


# Plates


def test_a_plate_is_pruned_to_the_images_there_are() -> None:
    plate = Plate("P", 2, 3, (Well(0, 0, (WellField(5), WellField(6))), Well(1, 2, (WellField(7),))))
    copy = again(image(series=6), plates=[plate])
    assert copy.plates == (Plate("P", 2, 3, (Well(0, 0, (WellField(0),)),)),)


def test_a_plate_none_of_whose_images_are_there_is_left_out() -> None:
    assert again(image(series=1), plates=[Plate("P", 1, 1, (Well(0, 0, (WellField(5),)),))]).plates == ()


def test_an_image_that_two_wells_claim_is_given_to_the_first() -> None:
    plate = Plate("P", 1, 2, (Well(0, 0, (WellField(0),)), Well(0, 1, (WellField(0),))))
    [copy] = again(image(), plates=[plate]).plates
    assert [len(well.fields) for well in copy.wells] == [1, 0]


# Round trip

TEXT = st.text(
    st.characters(min_codepoint=33, max_codepoint=0x1F6FF, exclude_categories=["Cs", "Cc", "Zs", "Zl", "Zp", "Cn"]), min_size=1, max_size=8
)
NUMBER = st.floats(allow_nan=False, allow_infinity=False, min_value=-1e9, max_value=1e9)
POSITIVE = st.floats(min_value=1e-9, max_value=1e9, exclude_min=True)
LENGTH = st.builds(Quantity, NUMBER, st.sampled_from(["µm", "nm", "mm", "Å", "pixel", "reference frame", "in"]))
SIZE = st.builds(Quantity, POSITIVE, st.sampled_from(["µm", "nm", "pixel", "m"]))


def maybe(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.none() | strategy


CHANNEL = st.builds(
    Channel,
    name=maybe(TEXT),
    color=maybe(st.integers(-(2**31), 2**31 - 1).filter(lambda color: color != -1)),
    fluor=maybe(TEXT),
    excitation_nm=maybe(POSITIVE),
    emission_nm=maybe(POSITIVE),
    contrast_method=maybe(st.sampled_from(["Phase", "Fluorescence", "Other", "Zernike"])),
    pinhole=maybe(LENGTH),
    nd_filter=maybe(NUMBER),
    detector_id=st.just("Detector:0"),
    detector_gain=maybe(NUMBER),
    detector_voltage=maybe(st.builds(Quantity, NUMBER, st.sampled_from(["V", "mV"]))),
    detector_binning=maybe(st.sampled_from(["2x2", "3x3"])),
    light_source_id=st.just("LightSource:0"),
    light_source_attenuation=maybe(st.floats(0, 1)),
    window=maybe(st.tuples(NUMBER, NUMBER)),
)
INSTRUMENT = st.builds(
    Instrument,
    st.just("Instrument:0"),
    microscope_model=maybe(TEXT),
    objectives=st.builds(
        lambda **fields: (Objective("Objective:0", **fields),), model=maybe(TEXT), numerical_aperture=maybe(NUMBER), working_distance=maybe(LENGTH)
    ),
    detectors=st.builds(lambda **fields: (Detector("Detector:0", **fields),), gain=maybe(NUMBER), type=maybe(st.sampled_from(["CCD", "HyD"]))),
    light_sources=st.builds(lambda **fields: (LightSource("LightSource:0", "Laser", **fields),), wavelength_nm=maybe(POSITIVE), medium=maybe(TEXT)),
    filters=st.builds(lambda **fields: (Filter("Filter:0", **fields),), cut_in_nm=maybe(POSITIVE), cut_out_nm=maybe(POSITIVE)),
)
PLANE = st.builds(
    Plane, st.just(0), st.just(0), st.just(0), delta_t_s=NUMBER, exposure_s=maybe(NUMBER), position_x=maybe(LENGTH), position_z=maybe(LENGTH)
)
ROI = st.builds(
    lambda shapes, name: Roi(tuple(shapes), name),
    st.lists(
        st.builds(
            RoiShape, st.just("Point"), st.fixed_dictionaries({"X": st.just("1.5"), "Y": st.just("2")}), text=maybe(TEXT), z=maybe(st.integers(0, 5))
        ),
        min_size=1,
        max_size=3,
    ),
    maybe(TEXT),
)
PAIRS = st.lists(st.tuples(TEXT, TEXT), max_size=4).map(tuple)
METADATA = st.builds(
    ImageMetadata,
    description=maybe(TEXT),
    acquisition_date=maybe(st.sampled_from(["2020-01-02T03:04:05", "2020-01-02T03:04:05.25Z", "2020-01-02T03:04:05+02:00", "2020"])),
    pixel_size_x=maybe(SIZE),
    pixel_size_y=maybe(SIZE),
    pixel_size_z=maybe(SIZE | SIZE.map(lambda size: Quantity(-size.value, size.unit))),
    time_increment_s=maybe(NUMBER),
    channels=st.tuples(CHANNEL, CHANNEL),
    planes=st.lists(PLANE, max_size=1).map(tuple),
    modulo=st.lists(
        st.builds(Modulo, st.just("T"), TEXT, maybe(NUMBER), maybe(NUMBER), maybe(NUMBER), maybe(TEXT), PAIRS.map(lambda x: tuple(k for k, _ in x))),
        max_size=1,
    ).map(tuple),
    tiles=st.lists(
        st.builds(TilePosition, st.integers(-5, 5), st.integers(0, 5), st.integers(1, 9), st.integers(1, 9), st.integers(0, 9)), max_size=3
    ).map(tuple),
    instrument=INSTRUMENT,
    objective_id=maybe(st.just("Objective:0")),
    immersion_medium=maybe(st.sampled_from(["Oil", "Silicone"])),
    refractive_index=maybe(NUMBER),
    stage_label=maybe(TEXT),
    rois=st.lists(ROI, max_size=2).map(tuple),
    annotations=st.lists(st.builds(MapAnnotation, st.sampled_from(["a.org/b", "c"]), PAIRS), max_size=2, unique=True).map(tuple),
    original=PAIRS,
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True)
@given(METADATA, TEXT)
def test_what_is_written_is_read_again(metadata: ImageMetadata, name: str) -> None:
    made = image(Shape(1, 2, 1, 4, 4), "uint16", metadata, name=name, significant_bits=12)
    copy = again(made)
    assert replace(copy.images[0].metadata, element=None) == metadata
    assert (copy.images[0].name, copy.images[0].significant_bits) == (name, 12)
    twice = again(*images_of(copy))
    assert replace(twice.images[0].metadata, element=None) == metadata
