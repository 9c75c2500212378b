"""OME-XML that is written: valid, complete, and the same when read again."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from lxml import etree

from lightmicroscopy.errors import UnwritableError
from lightmicroscopy.image import (
    Channel,
    Detector,
    ImageMetadata,
    Instrument,
    MapAnnotation,
    Objective,
    Plane,
    Quantity,
    Roi,
    RoiShape,
    Shape,
)
from lightmicroscopy.metadata.ome_read import read_ome
from lightmicroscopy.metadata.ome_schema import schema_errors
from lightmicroscopy.metadata.ome_write import build_ome, build_ome_with_losses, ome_pixel_type

from .ome_copies import O, again, build, metadata_again, source_of
from .ome_examples import image, images_of, real_descriptions, screen


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
    for path, xml in real_descriptions(realfiles):
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


def test_a_turned_rectangle_is_written_turned() -> None:
    turn = dict(zip(("A00", "A10", "A01", "A11", "A02", "A12"), ("0", "1", "-1", "0", "12", "10"), strict=True))
    box = {"X": "0", "Y": "0", "Width": "4", "Height": "2"} | {f"Transform {key}": value for key, value in turn.items()}
    rois = (Roi((RoiShape("Rectangle", box),)),)
    root = build(image(metadata=ImageMetadata(rois=rois)))
    (transform,) = root.iter(f"{O}Transform")
    assert dict(transform.attrib) == turn
    assert metadata_again(image(metadata=ImageMetadata(rois=rois))).rois == rois


def test_a_moved_region_keeps_its_line_width() -> None:
    one = images_of(screen())[0]
    [roi] = one.metadata.rois
    moved = replace(roi, shapes=(replace(roi.shapes[0], geometry={**roi.shapes[0].geometry, "X": "0"}), *roi.shapes[1:]))
    root = build(replace(one, metadata=replace(one.metadata, rois=(moved,))))
    rectangle = root.find(f"{O}ROI/{O}Union/{O}Rectangle")
    assert rectangle is not None
    assert (rectangle.get("X"), rectangle.get("StrokeWidth")) == ("0", "2.5")


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


def test_the_name_of_a_colour_channel_is_kept_in_its_three() -> None:
    named = image(Shape(1, 1, 1, 4, 4, 3), kind="rgb", metadata=ImageMetadata(channels=(Channel(name="H&E"),)))
    assert [channel.get("Name") for channel in build(named, storage="ome-zarr").iter(f"{O}Channel")] == ["H&E Red", "H&E Green", "H&E Blue"]


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


def test_a_colour_table_of_16_bit_indices_is_a_named_loss() -> None:
    channels = (Channel(lut=tuple((value, 0, 0) for value in range(65536))),)
    _, losses = build_ome_with_losses([image(kind="indexed", metadata=ImageMetadata(channels=channels))], storage="ome-zarr", source=None)
    assert [loss for loss in losses if "65,536 colours" in loss]


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
