"""Inputs that make each rule on sources, OME-XML and TIFF speak."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from .rule_examples import (
    GOOD_PIXELS,
    INDEXED,
    INSTRUMENT,
    UUIDS,
    Example,
    bare,
    changed,
    converted,
    modulo,
    ome_xml,
    on_plate,
    one_well,
    picture,
    plain,
    planes,
    pyramid,
    tiff,
    tiff_set,
    two_channels,
)
from .tiff_files import noise
from .zarr_stores import waves

WAVES = waves((1, 1, 1, 96, 128))[0, 0, 0]
SMALL = WAVES.reshape(48, 2, 64, 2).mean(axis=(1, 3)).astype(np.uint16)
NUMBERED = np.repeat(np.repeat(np.random.default_rng(4).integers(0, 2, (12, 16), np.uint16) * 1000, 8, 0), 8, 1).astype(np.uint16)
NOISE = noise((96, 128))
HEAD = ("ome.objective-missing", "ome.acquisition-date-missing")
FREE = ("source.metadata-free", "ome.pixel-size-missing", "ome.channel-name-missing", *HEAD)
LABEL_KIND = (
    '<StructuredAnnotations><MapAnnotation ID="Annotation:0" Namespace="lightmicroscopy/notes"><Value>'
    '<M K="Image Kind">label</M></Value></MapAnnotation></StructuredAnnotations>'
)


def _with_roi(where: str, refs: int = 1) -> str:
    roi = f'<ROI ID="ROI:0"><Union><Point ID="Shape:0" X="1" Y="1" {where}/></Union></ROI>'
    return ome_xml(after=roi).replace("</Pixels></Image>", "</Pixels>" + '<ROIRef ID="ROI:0"/>' * refs + "</Image>")


def _large(path: Path) -> list[Path]:
    """A TIFF with a hole that makes it longer than its addresses reach."""
    (made,) = tiff()(path)
    with made.open("r+b") as file:
        file.truncate((1 << 32) + 10)
    return [made]


TWICE = one_well() + one_well('Row="0" Column="1"', number=1)
TIFFS = (
    Example("source.metadata-free", "a plain TIFF", plain(), "does not say which page", FREE),
    Example("source.lossy", "a JPEG", picture("a.jpg"), "stored with lossy compression", tuple(rule for rule in FREE if "channel" not in rule)),
    Example(
        "source.lossy",
        "JPEG tiles in an OME-TIFF",
        tiff(pixels=np.zeros((24, 32), np.uint8), type_="uint8", options={"compression": "jpeg"}),
        "stored with lossy compression",
    ),
    Example("source.lossy-origin", "an OME-TIFF made of a JPEG", tiff(text=converted("a.jpg", '<M K="Source lossy">yes</M>')), "from a.jpg"),
    Example("source.white-is-zero", "zero is white", plain(photometric="miniswhite"), "zero is white", FREE),
    Example(
        "source.indexed", "a colour table", plain(data=np.zeros((24, 32), np.uint8), photometric="palette", colormap=INDEXED), "colour table", FREE
    ),
    Example(
        "source.planes-missing",
        "an acquisition that was stopped",
        tiff(2, sizes=(4, 1, 1), data='<TiffData IFD="0" PlaneCount="2"/>'),
        "not in the file",
        ("tiff.plane-without-data",),
    ),
    Example(
        "source.reader-note",
        "two multiscales",
        changed(lambda value: value["multiscales"].append(dict(value["multiscales"][0], name="b"))),
        "left out",
    ),
    Example(
        "ome.readable",
        "XML cut short",
        tiff(text=ome_xml().replace("</Pixels>", "")),
        "not well-formed",
        ("tiff.ome-unused", *FREE),
        stops_others=True,
    ),
    Example("ome.schema", "an attribute that OME does not know", bare(pixels=f'{GOOD_PIXELS} Colour="red"'), "attribute Colour"),
    Example("ome.schema-version", "an older schema", bare(namespace="http://www.openmicroscopy.org/Schemas/OME/2013-06"), "older schema, 2013-06"),
    Example(
        "ome.schema-version", "a schema never released", bare(namespace="http://www.openmicroscopy.org/Schemas/OME/2016-60"), "newer than 2016-06"
    ),
    Example(
        "ome.duplicate-id",
        "two channels of one ID",
        bare(sizes=(1, 2, 1), channels=two_channels('Name="a"', 'Name="b"').replace("0:1", "0:0")),
        "Two Channel elements",
    ),
    Example("ome.dangling-reference", "no instrument", bare(before=""), "InstrumentRef refers to", ("ome.objective-missing",)),
    Example("ome.channel-count", "more channels than described", bare(sizes=(1, 3, 1)), "SizeC is 3", ("ome.channel-name-missing",)),
    Example("ome.significant-bits", "24 bits of 16", bare(pixels=f'{GOOD_PIXELS} SignificantBits="24"'), "have only 16"),
    Example(
        "ome.pixel-size-invalid",
        "pixels of no size",
        bare(pixels='PhysicalSizeX="0" PhysicalSizeY="0.3"'),
        "which is not a size",
        ("ome.schema", "ome.pixel-size-missing"),
    ),
    Example("ome.plane-out-of-range", "a plane beyond the last", tiff(data='<TiffData/><Plane TheZ="9" TheC="0" TheT="0"/>'), "TheZ = 9"),
    Example("ome.plate-empty-reference", "a field without an image", on_plate(one_well(image="")), "no image"),
    Example(
        "ome.reference-kind",
        "a light source that is an objective",
        bare(channels='<Channel ID="Channel:0:0" Name="DAPI" Color="65535"><LightSourceSettings ID="Objective:0"/></Channel>'),
        "is of the kind Objective",
        ("ome.schema",),
    ),
    Example("ome.reference-twice", "one drawing twice", tiff(text=_with_roi("", 2)), "two ROIRef"),
    Example(
        "ome.planes-incomplete",
        "only the first plane",
        tiff(2, sizes=(2, 1, 1), data='<TiffData/><Plane TheZ="0" TheC="0" TheT="0" ExposureTime="0.1"/>'),
        "Of 2 planes, 1 are described",
    ),
    Example("ome.plate-out-of-range", "a well beyond the plate", on_plate(one_well('Row="2" Column="0"')), "Row = 2"),
    Example("ome.image-in-two-wells", "one image in two wells", on_plate(TWICE), "two wells"),
    Example("ome.roi-out-of-range", "a drawing beyond the last plane", tiff(text=_with_roi('TheZ="4"')), "TheZ = 4"),
    Example(
        "ome.pixels-incomplete",
        "an old document without sizes",
        bare(namespace="http://www.openmicroscopy.org/Schemas/OME/2011-06", type_=""),
        "lacks its attribute Type",
        ("ome.schema-version", "ome.schema"),
    ),
    Example("ome.modulo-size", "two lifetimes in three time points", modulo(times=3), "2 places"),
    Example("ome.modulo-form", "a type that OME does not know", modulo('<ModuloAlongT Type="gate" Start="0" Step="1" End="1"/>'), "“gate”"),
    Example("ome.modulo-form", "another namespace", modulo(namespace="example.org"), "by which it is not found"),
    Example(
        "tiff.page-missing",
        "pages were lost",
        tiff(3, sizes=(5, 1, 1), data='<TiffData IFD="0" PlaneCount="5"/>'),
        "only 3 pages",
        ("input.unreadable",),
    ),
    Example(
        "tiff.plane-twice",
        "one plane claimed twice",
        tiff(2, sizes=(2, 1, 1), data='<TiffData IFD="0" FirstZ="0"/><TiffData IFD="1" FirstZ="0"/>'),
        "claim the same 1 plane",
        ("tiff.plane-without-data", "source.planes-missing"),
    ),
    Example(
        "tiff.page-twice",
        "one page for two planes",
        tiff(2, sizes=(2, 1, 1), data='<TiffData IFD="0" FirstZ="0"/><TiffData IFD="0" FirstZ="1"/>'),
        "stands for two planes",
        ("tiff.page-unused",),
    ),
    Example(
        "tiff.plane-without-data",
        "a plane beyond the sizes",
        tiff(data='<TiffData IFD="0" FirstZ="4"/>'),
        "beyond the 1 plane",
        ("tiff.ome-unused", *FREE),
    ),
    Example("tiff.page-unused", "a page nobody speaks of", tiff(3, data='<TiffData IFD="0"/>'), "2 of the file's 3 pages"),
    Example("tiff.size-differs", "cropped without its metadata", tiff(size_x=64), "says 64 × 24", ("source.reader-note",)),
    Example("tiff.ome-missing", "a TIFF renamed", plain("renamed.ome.tif", ome=False), "no OME-XML", FREE),
    Example(
        "ome.file-missing",
        "metadata alone",
        bare(data='<TiffData><UUID FileName="a.ome.tif">urn:uuid:0</UUID></TiffData>'),
        "a.ome.tif",
        ("ome.schema",),
    ),
    Example("tiff.no-pyramid", "a slide", plain(data=np.zeros((4100, 4100), np.uint8), tile=(512, 512), compression="zlib"), "no pyramid", FREE),
    Example(
        "tiff.not-tiled",
        "a slide in strips",
        plain(data=np.zeros((4100, 4100), np.uint8), compression="zlib"),
        "not stored in tiles",
        ("tiff.no-pyramid", *FREE),
    ),
    Example(
        "tiff.ome-unused",
        "metadata of another file",
        tiff(sizes=(1, 1, 1), data='<TiffData IFD="0" FirstT="9"/>'),
        "does not fit",
        ("tiff.plane-without-data", *FREE),
    ),
    Example("tiff.uuid-differs", "a file of another set", tiff_set(uuids=(UUIDS[0], UUIDS[2])), "has the UUID"),
    Example("tiff.set-disagrees", "a file that describes something else", tiff_set(second_x=64), "describes an image of 64"),
    Example(
        "tiff.companion-differs",
        "a file that points to another set",
        tiff_set(
            second=f'<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06"><BinaryOnly MetadataFile="z0.ome.tif" UUID="{UUIDS[2]}"/></OME>'
        ),
        "but the set's are",
    ),
    Example(
        "tiff.file-renamed",
        "a file under a new name",
        tiff(data=f'<TiffData IFD="0"><UUID FileName="old.ome.tif">{UUIDS[0]}</UUID></TiffData>'),
        "it was renamed",
    ),
    Example("tiff.beyond-4-gib", "a long file", _large, "no BigTIFF"),
    Example("tiff.big-name", "a name that promises more", tiff(name="cells.ome.btf"), "named as a BigTIFF"),
    Example("tiff.type-differs", "another depth", tiff(type_="uint8"), "is declared as uint8"),
    Example("tiff.subifds-uneven", "a plane without a pyramid", pyramid(WAVES, SMALL, uneven=True), "not all have the same number"),
    Example("tiff.pyramid-shapes", "a level of another type", pyramid(WAVES, SMALL.astype(np.uint8)), "8 bits unsigned", ("source.reader-note",)),
    Example("tiff.subifd-flag", "levels without their mark", pyramid(WAVES, SMALL, subfiletype=0), "not marked"),
    Example("tiff.pyramid-content", "levels of another image", pyramid(WAVES, SMALL[::-1, ::-1].copy()), "shows something else at level 1"),
    Example(
        "tiff.pyramid-content", "noise of another image", pyramid(NOISE, noise((48, 64), seed=2) // 4 + 24000), "shows something else at level 1"
    ),
    Example(
        "tiff.label-averaged",
        "a label map averaged",
        pyramid(
            NUMBERED[3:, 3:].copy(),
            NUMBERED[3:, 3:][:92, :124].reshape(46, 2, 62, 2).mean(axis=(1, 3)).astype(np.uint16),
            inside='<AnnotationRef ID="Annotation:0"/>',
            after=LABEL_KIND,
        ),
        "labels at level 1",
    ),
    Example("ome.pixel-size-missing", "no pixel size", bare(pixels=""), "in x and y"),
    Example("ome.z-step-missing", "a stack without a step", bare(sizes=(3, 1, 1), pixels='PhysicalSizeX="0.3" PhysicalSizeY="0.3"'), "3 z planes"),
    Example(
        "ome.pixel-size-implausible",
        "metres",
        bare(pixels='PhysicalSizeX="0.3" PhysicalSizeXUnit="m" PhysicalSizeY="0.3" PhysicalSizeYUnit="m"'),
        "1 mm",
    ),
    Example("ome.pixel-size-default", "the 1 µm of software", bare(pixels='PhysicalSizeX="1.0" PhysicalSizeY="1.0"'), "fills in"),
    Example("ome.pixel-size-unequal", "pixels that are not square", bare(pixels='PhysicalSizeX="0.3" PhysicalSizeY="0.6"'), "but 0.6 µm in y"),
    Example("ome.time-missing", "a movie without times", bare(sizes=(1, 1, 4), pixels='PhysicalSizeX="0.3" PhysicalSizeY="0.3"'), "4 time points"),
    Example("ome.channel-name-missing", "a channel without a name", bare(channels='<Channel ID="Channel:0:0"/>'), "has no name"),
    Example("ome.channel-name-duplicate", "two of one name", bare(sizes=(1, 2, 1), channels=two_channels('Name="GFP"', 'Name="GFP"')), "2 times"),
    Example(
        "ome.channel-color-default",
        "all white",
        bare(sizes=(1, 2, 1), channels='<Channel ID="Channel:0:0" Name="a" Color="-1"/><Channel ID="Channel:0:1" Name="b"/>'),
        "None of",
    ),
    Example("ome.wavelength-missing", "a dye without its light", bare(channels='<Channel ID="Channel:0:0" Name="GFP" Fluor="EGFP"/>'), "“GFP”"),
    Example(
        "ome.wavelength-implausible",
        "a wrong unit",
        bare(channels='<Channel ID="Channel:0:0" Name="GFP" EmissionWavelength="0.509"/>'),
        "wavelength of 0.509",
    ),
    Example("ome.objective-missing", "no aperture", bare(before=INSTRUMENT.replace('LensNA="0.8"', "")), "numerical aperture"),
    Example(
        "ome.acquisition-date-missing",
        "no date",
        tiff(text=ome_xml().replace("<AcquisitionDate>2024-05-06T07:08:09</AcquisitionDate>", "")),
        "no date",
    ),
    Example(
        "ome.acquisition-date-implausible", "the clock of a new computer", tiff(text=ome_xml().replace("2024-05", "1970-01")), "was taken on 1970"
    ),
    Example("ome.objective-implausible", "an aperture lost its point", bare(before=INSTRUMENT.replace("0.8", "8")), "aperture of 8"),
    Example("ome.plane-times", "planes sorted anew", planes(0, 9, 4), "not taken after that of the time point before"),
    Example("ome.time-disagrees", "two speeds", planes(0, 10, 20, increment='TimeIncrement="2"'), "10 s apart"),
    Example(
        "ome.personal-data",
        "a person",
        bare(before='<Experimenter ID="Experimenter:0" FirstName="Ada" LastName="Lovelace"/>' + INSTRUMENT),
        "Ada, Lovelace",
    ),
    Example(
        "ome.personal-text",
        "an address in the description",
        tiff(text=ome_xml().replace("<InstrumentRef", "<Description>ask ada@example.org</Description><InstrumentRef")),
        "ada@example.org",
    ),
    Example(
        "ome.personal-text",
        "a patient in the description",
        tiff(text=ome_xml().replace("<InstrumentRef", "<Description>biopsy, patient id 0101901234</Description><InstrumentRef")),
        "patient id 0101901234",
    ),
)
