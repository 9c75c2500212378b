"""OME-XML documents and images for the tests of the OME mapping."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import tifffile

from lightmicroscopy.image import Image, ImageMetadata, Level, Region, Shape
from lightmicroscopy.metadata.ome_read import OmeDocument, read_ome
from lightmicroscopy.metadata.ome_types import OME_TYPES

NS = "http://www.openmicroscopy.org/Schemas/OME/2016-06"
ONE_PLANE = Shape(1, 1, 1, 4, 4)
NUMPY_NAMES = {word: name for name, word in OME_TYPES.items()}


class NoPixels:
    """Pixels that are never read: writing metadata must not need them."""

    def __init__(self, shape: Shape, dtype: str) -> None:
        self.shape = shape
        self.dtype = np.dtype(dtype)
        self.unit = shape

    def read(self, region: Region) -> Any:
        """Fail."""
        raise AssertionError(f"metadata were asked for, and pixels were read at {region}")


def image(shape: Shape = ONE_PLANE, dtype: str = "uint8", metadata: ImageMetadata | None = None, **changes: Any) -> Image:
    """Make an image without pixels."""
    fields: dict[str, Any] = {"name": "an image", "series": 0, "axes": "TCZYX"} | changes
    return Image(levels=(Level(NoPixels(shape, dtype)),), metadata=metadata or ImageMetadata(), **fields)


def images_of(document: OmeDocument) -> list[Image]:
    """Make images as a reader of OME-TIFF does."""
    made = []
    for index, found in enumerate(document.images):
        samples = max(found.samples_per_pixel, default=1)
        shape = Shape(found.size_t, found.size_c // samples, found.size_z, found.size_y, found.size_x, samples)
        made.append(
            image(shape, NUMPY_NAMES[found.pixel_type], found.metadata, name=found.name, series=index, significant_bits=found.significant_bits)
        )
    return made


def document(body: str, namespace: str = NS) -> OmeDocument:
    """Read an ``OME`` element of that content."""
    return read_ome(f'<OME xmlns="{namespace}">{body}</OME>'.encode(), "test.ome.xml")


def pixels(attributes: str = "", content: str = "<MetadataOnly/>", sizes: str = 'SizeX="4" SizeY="4" SizeZ="1" SizeC="1" SizeT="1"') -> str:
    """Write one image holding these Pixels."""
    return f'<Image ID="Image:0"><Pixels ID="Pixels:0" DimensionOrder="XYZCT" Type="uint8" {sizes} {attributes}>{content}</Pixels></Image>'


SCREEN = f"""<?xml version="1.0" encoding="UTF-8"?>
<OME xmlns="{NS}" UUID="urn:uuid:0690e47e-155f-4ae7-b5ba-1e6a8d91d96a">
  <Rights><RightsHolder>Institute of Cells</RightsHolder><RightsHeld>CC BY 4.0</RightsHeld></Rights>
  <Project ID="Project:7" Name="a project"><DatasetRef ID="Dataset:1"/><DatasetRef ID="Dataset:2"/></Project>
  <Dataset ID="Dataset:1" Name="of the first"><ImageRef ID="Image:a"/></Dataset>
  <Dataset ID="Dataset:2" Name="of the second"><ImageRef ID="Image:b"/></Dataset>
  <Folder ID="Folder:top"><FolderRef ID="Folder:first"/><FolderRef ID="Folder:second"/></Folder>
  <Folder ID="Folder:first" Name="inner"><ImageRef ID="Image:a"/></Folder>
  <Folder ID="Folder:second"><ImageRef ID="Image:b"/></Folder>
  <Experiment ID="Experiment:1" Type="TimeLapse"><Description>an experiment</Description><ExperimenterRef ID="Experimenter:ada"/></Experiment>
  <Plate ID="Plate:x" Name="P1" Rows="8" Columns="12" RowNamingConvention="letter" ColumnNamingConvention="number" ExternalIdentifier="EXT-1">
    <Well ID="Well:1" Row="1" Column="6" Type="control">
      <WellSample ID="WellSample:1" Index="0" PositionX="1.5" PositionXUnit="mm"><ImageRef ID="Image:a"/>
      </WellSample><ReagentRef ID="Reagent:1"/></Well>
    <Well ID="Well:2" Row="2" Column="0"><WellSample ID="WellSample:2" Index="1"><ImageRef ID="Image:b"/></WellSample></Well>
    <PlateAcquisition ID="PlateAcquisition:3" Name="run" StartTime="2020-01-02T03:04:05" MaximumFieldCount="2"><WellSampleRef ID="WellSample:1"/>
      <WellSampleRef ID="WellSample:2"/></PlateAcquisition>
  </Plate>
  <Screen ID="Screen:1" Name="a screen"><Reagent ID="Reagent:1" Name="siRNA"/><Reagent ID="Reagent:2" Name="other"/><PlateRef ID="Plate:x"/></Screen>
  <Experimenter ID="Experimenter:ada" FirstName="Ada" LastName="Lovelace" Email="ada@example.org"/>
  <Instrument ID="Instrument:used">
    <Microscope Model="Axio" Manufacturer="Zeiss" SerialNumber="123"/>
    <Laser ID="LightSource:L" Type="Gas" LaserMedium="Ar" Wavelength="488" Power="20"><Pump ID="LightSource:A"/></Laser>
    <Arc ID="LightSource:A" Type="Hg"/>
    <Detector ID="Detector:D" Model="Orca" Type="CMOS" Gain="2.5"/>
    <Objective ID="Objective:O" Model="Plan 63" NominalMagnification="63" LensNA="1.4" Immersion="Oil" WorkingDistance="190" Iris="true"/>
    <Objective ID="Objective:unused" NominalMagnification="10"/>
    <FilterSet ID="FilterSet:F" Model="GFP"><ExcitationFilterRef ID="Filter:ex"/><DichroicRef ID="Dichroic:d"/></FilterSet>
    <Filter ID="Filter:ex" Type="BandPass"><TransmittanceRange CutIn="450" CutOut="0.49" CutOutUnit="µm" Transmittance="0.9"/></Filter>
    <Dichroic ID="Dichroic:d" Model="FT495"/>
  </Instrument>
  <Instrument ID="Instrument:other"><Detector ID="Detector:other"/></Instrument>
  <Image ID="Image:a" Name="first">
    <AcquisitionDate>2020-01-02T03:04:05</AcquisitionDate>
    <ExperimenterRef ID="Experimenter:ada"/>
    <Description>cells &amp; ask ada@example.org</Description>
    <ExperimentRef ID="Experiment:1"/>
    <InstrumentRef ID="Instrument:used"/>
    <ObjectiveSettings ID="Objective:O" Medium="Oil" RefractiveIndex="1.518" CorrectionCollar="0.17"/>
    <ImagingEnvironment Temperature="37" CO2Percent="0.05"/>
    <StageLabel Name="A1" X="3.5"/>
    <Pixels ID="Pixels:a" DimensionOrder="XYCZT" Type="uint16" SignificantBits="12" SizeX="32" SizeY="16" SizeZ="1" SizeC="2" SizeT="2"
        PhysicalSizeX="100" PhysicalSizeXUnit="nm" PhysicalSizeY="0.1" PhysicalSizeZ="0.5" TimeIncrement="500" TimeIncrementUnit="ms">
      <Channel ID="Channel:a0" Name="DAPI" Color="65535" ExcitationWavelength="405" EmissionWavelength="0.46" EmissionWavelengthUnit="µm"
          Fluor="DAPI" ContrastMethod="Fluorescence" IlluminationType="Epifluorescence" AcquisitionMode="WideField" PinholeSize="50"
          NDFilter="0.1" PockelCellSetting="3">
        <LightSourceSettings ID="LightSource:L" Attenuation="0.25" Wavelength="405"/>
        <DetectorSettings ID="Detector:D" Gain="3" Offset="7" Voltage="600" VoltageUnit="mV" Binning="2x2" ReadOutRate="10"/>
        <FilterSetRef ID="FilterSet:F"/>
        <AnnotationRef ID="Annotation:tag"/>
        <LightPath><ExcitationFilterRef ID="Filter:ex"/><DichroicRef ID="Dichroic:d"/></LightPath>
      </Channel>
      <Channel ID="Channel:a1" Name="GFP" Color="-1"><LightPath/></Channel>
      <TiffData IFD="3" FirstC="1" PlaneCount="1"><UUID FileName="a.tif">urn:uuid:0690e47e-155f-4ae7-b5ba-1e6a8d91d96a</UUID></TiffData>
      <Plane TheZ="0" TheC="0" TheT="0" DeltaT="100" DeltaTUnit="ms" ExposureTime="0.03" PositionX="12.5" PositionY="3" PositionYUnit="µm"/>
      <Plane TheZ="0" TheC="1" TheT="1" PositionZ="-4.5" PositionZUnit="µm"/>
    </Pixels>
    <ROIRef ID="ROI:r1"/>
    <AnnotationRef ID="Annotation:map"/>
    <AnnotationRef ID="Annotation:modulo"/>
    <AnnotationRef ID="Annotation:comment"/>
  </Image>
  <Image ID="Image:b" Name="second">
    <InstrumentRef ID="Instrument:other"/>
    <Pixels ID="Pixels:b" DimensionOrder="XYZCT" Type="float" SizeX="8" SizeY="8" SizeZ="1" SizeC="1" SizeT="1">
      <Channel ID="Channel:b0"/><MetadataOnly/></Pixels>
    <ROIRef ID="ROI:r2"/>
    <AnnotationRef ID="Annotation:other"/>
  </Image>
  <StructuredAnnotations>
    <XMLAnnotation ID="Annotation:modulo" Namespace="openmicroscopy.org/omero/dimension/modulo"><Description>gates</Description><Value>
      <Modulo namespace="http://www.openmicroscopy.org/Schemas/Additions/2011-09">
        <ModuloAlongT Type="lifetime" Unit="ps" Start="0" Step="100" End="100" TypeDescription="TCSPC"/></Modulo></Value></XMLAnnotation>
    <XMLAnnotation ID="Annotation:om1" Namespace="openmicroscopy.org/OriginalMetadata"><Value><OriginalMetadata><Key>UserName</Key><Value>ada</Value>
      </OriginalMetadata></Value></XMLAnnotation>
    <XMLAnnotation ID="Annotation:om2" Namespace="openmicroscopy.org/OriginalMetadata"><Value><OriginalMetadata><Key>Gain</Key><Value>3</Value>
      </OriginalMetadata></Value></XMLAnnotation>
    <CommentAnnotation ID="Annotation:comment" Annotator="Experimenter:ada"><Description>d</Description><AnnotationRef ID="Annotation:nested"/>
      <Value>seen by ada@example.org in C:\\Users\\ada\\first.czi</Value></CommentAnnotation>
    <CommentAnnotation ID="Annotation:nested"><Value>nested</Value></CommentAnnotation>
    <CommentAnnotation ID="Annotation:other"><Value>about the second</Value></CommentAnnotation>
    <CommentAnnotation ID="Annotation:document"><Value>about the document</Value></CommentAnnotation>
    <TagAnnotation ID="Annotation:tag"><Value>a tag</Value></TagAnnotation>
    <MapAnnotation ID="Annotation:map" Namespace="example.org/keys"><Description>keys</Description><Value><M K="Gene">AURKB</M><M K="Operator">ada</M>
      </Value></MapAnnotation>
    <MapAnnotation ID="Annotation:Resolution:0" Namespace="openmicroscopy.org/PyramidResolution"><Value><M K="1">16 8</M></Value></MapAnnotation>
  </StructuredAnnotations>
  <ROI ID="ROI:r1" Name="nucleus"><Union>
    <Rectangle ID="Shape:1" X="1" Y="2" Width="3" Height="4" TheC="1" StrokeColor="-16776961" StrokeWidth="2.5" Text="n"/>
    <Polygon ID="Shape:2" Points="0,0 1,0 1,1"/></Union><Description>a nucleus</Description></ROI>
  <ROI ID="ROI:r2"><Union><Point ID="Shape:3" X="1" Y="2"/></Union></ROI>
</OME>
"""
"""Two series that use nearly everything the schema of 2016-06 has; valid."""


def screen() -> OmeDocument:
    """Read `SCREEN`."""
    return read_ome(SCREEN.encode(), "screen.ome.tiff")


def real_descriptions(realfiles: Path) -> Iterator[tuple[Path, bytes]]:
    """Give the OME-XML of every real OME-TIFF and companion file."""
    for path in sorted((realfiles / "ometiff").iterdir()):
        if path.suffix == ".ome":
            yield path, path.read_bytes()
        else:
            with tifffile.TiffFile(path) as file:
                yield path, (file.ome_metadata or "").encode()
