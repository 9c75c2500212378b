"""OME-XML written from sources that are themselves wrong, damaged or plates without their images."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from lxml import etree

from lightmicroscopy.image import (
    Dataset,
    Location,
    Plate,
    Shape,
    Well,
    WellField,
)
from lightmicroscopy.metadata.ome_read import read_ome
from lightmicroscopy.metadata.ome_schema import schema_errors
from lightmicroscopy.metadata.ome_write import build_ome_with_losses

from .ome_copies import O, again, build, dangling
from .ome_examples import SCREEN, document, image, images_of, pixels, screen


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


def test_a_plate_is_pruned_to_the_images_there_are() -> None:
    plate = Plate("P", 2, 3, (Well(0, 0, (WellField(5), WellField(6))), Well(1, 2, (WellField(7),))))
    copy = again(image(series=6), plates=[plate])
    assert copy.plates == (Plate("P", 2, 3, (Well(0, 0, (WellField(0, index=0),)),)),)


def test_a_plate_none_of_whose_images_are_there_is_left_out() -> None:
    assert again(image(series=1), plates=[Plate("P", 1, 1, (Well(0, 0, (WellField(5),)),))]).plates == ()


def test_an_image_that_two_wells_claim_is_given_to_the_first() -> None:
    plate = Plate("P", 1, 2, (Well(0, 0, (WellField(0),)), Well(0, 1, (WellField(0),))))
    [copy] = again(image(), plates=[plate]).plates
    assert [len(well.fields) for well in copy.wells] == [1, 0]
