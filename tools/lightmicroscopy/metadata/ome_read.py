"""Reading OME-XML of any year into the image model.

Elements are recognised by their local names, attributes may also be child elements, and units absent take the defaults
of the 2016-06 schema (micrometres for sizes, nanometres for wavelengths, seconds, reference frame for positions).
What is malformed is left out and noted in `OmeDocument.warnings`; only XML that cannot be parsed is an error.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal

from ..errors import UnreadableError
from ..image import Channel, ImageMetadata, Instrument, MapAnnotation, Modulo, Plane, Plate, Quantity, Roi, TilePosition
from .ome_annotations import NOTES, PYRAMID, TILES, Annotations, Pairs, is_modulo, is_original, read_map, read_modulo, read_original, read_tiles
from .ome_instrument import read_instrument
from .ome_notes import KIND, MIN_IS_WHITE, PHOTOMETRIC, restore
from .ome_plates import read_plates
from .ome_rois import read_roi
from .ome_units import to_seconds
from .ome_xml import Values, all_text, children, first_child, local_name
from .safe_xml import parse_xml

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lxml import etree

_WHITE: Final = -1
_HALF_THE_COLORS: Final = 2**31


@dataclass(frozen=True, slots=True)
class TiffDataBlock:
    """Which planes an IFD (and those after it) hold; None where the file does not say."""

    ifd: int | None = None
    first_t: int | None = None
    first_c: int | None = None
    first_z: int | None = None
    plane_count: int | None = None
    file_name: str | None = None
    uuid: str | None = None


@dataclass(frozen=True, slots=True)
class BinaryOnly:
    """A file that holds pixels only; `metadata_file` describes them."""

    metadata_file: str | None
    uuid: str | None


@dataclass(frozen=True, slots=True)
class OmeImage:
    """One ``Image`` with its ``Pixels``.

    Sizes are as stated; 0 where X or Y, 1 where Z, C or T is missing or malformed. `size_c` counts samples: an RGB
    image of one channel has `size_c` 3 and `samples_per_pixel` (3,).
    """

    id: str
    name: str
    dimension_order: str
    size_t: int
    size_c: int
    size_z: int
    size_y: int
    size_x: int
    pixel_type: str
    """OME's word (``uint16``, ``float``, ``bit``); empty if the file does not say."""
    big_endian: bool | None
    interleaved: bool | None
    significant_bits: int | None
    samples_per_pixel: tuple[int, ...]
    """One entry per Channel element; empty if there are none."""
    metadata: ImageMetadata
    tiff_data: tuple[TiffDataBlock, ...] = ()
    bin_data: bool = False
    """Whether the pixels are inside the XML."""
    kind: Literal["label", "indexed"] | None = None
    """Label map or palette indices, where this suite wrote it down; never guessed."""
    white_is_zero: bool = False
    """Whether this suite wrote down that low values were white in the source."""


@dataclass(frozen=True, slots=True)
class OmeDocument:
    """A whole OME-XML document."""

    root: etree._Element
    images: tuple[OmeImage, ...]
    plates: tuple[Plate, ...] = ()
    binary_only: BinaryOnly | None = None
    uuid: str | None = None
    warnings: tuple[str, ...] = field(default=())


def read_ome(xml: bytes, source: str) -> OmeDocument:
    """Read OME-XML.

    Parameters
    ----------
    xml
        The document, as stored.
    source
        The name by which errors call it.

    Raises
    ------
    UnreadableError
        If it is no XML, or its root is not ``OME``.
    LimitError
        If it is unreasonably large.
    """
    root = parse_xml(xml, source)
    if local_name(root) != "OME":
        raise UnreadableError(
            f"The XML of {source} is not OME-XML: its root is {local_name(root)!r}, not 'OME'. Check that the file is what it should be."
        )
    values = Values()
    reader = _Reader(root, values)
    elements = list(children(root, "Image"))
    images = tuple(reader.image(element) for element in elements)
    series_of = {element.get("ID", ""): index for index, element in reversed(list(enumerate(elements)))}
    plates = read_plates(root, series_of, values)
    only = first_child(root, "BinaryOnly")
    binary_only = None if only is None else BinaryOnly(values.text(only, "MetadataFile"), values.text(only, "UUID"))
    return OmeDocument(root, images, plates, binary_only, values.text(root, "UUID"), values.warnings)


def _kind(noted: str | None) -> Literal["label", "indexed"] | None:
    return "label" if noted == "label" else "indexed" if noted == "indexed" else None


def read_image_metadata(element: etree._Element) -> ImageMetadata:
    """Read again the metadata of an ``Image`` element that is part of a document."""
    root = element.getroottree().getroot()
    return _Reader(root, Values()).image(element).metadata


class _Reader:
    """Reads the images of one document, whose instruments, ROIs and annotations they share."""

    def __init__(self, root: etree._Element, values: Values) -> None:
        self.values = values
        self.annotations = Annotations(root)
        self.instruments = {child.get("ID", ""): child for child in children(root, "Instrument")}
        # The only instrument is that of all images, unless some of them say that it is theirs.
        self.instruments_named = any(first_child(image, "InstrumentRef") is not None for image in children(root, "Image"))
        self.rois = {child.get("ID", ""): child for child in children(root, "ROI")}
        self.alone = len(list(children(root, "Image"))) == 1
        self.original = read_original(self.annotations.unreferenced)
        self._instruments: dict[str, Instrument] = {}

    def image(self, element: etree._Element) -> OmeImage:
        values = self.values
        pixels = first_child(element, "Pixels")
        channel_elements = list(children(pixels, "Channel")) or list(children(element, "LogicalChannel", "ChannelInfo"))
        metadata, notes = self._metadata(element, pixels, channel_elements)
        return OmeImage(
            id=element.get("ID", ""),
            name=values.text(element, "Name") or "",
            dimension_order=values.text(pixels, "DimensionOrder") or "",
            size_t=self._size(pixels, "SizeT", 1),
            size_c=self._size(pixels, "SizeC", 1),
            size_z=self._size(pixels, "SizeZ", 1),
            size_y=self._size(pixels, "SizeY", 0),
            size_x=self._size(pixels, "SizeX", 0),
            pixel_type=(values.text(pixels, "Type", "PixelType") or "").lower(),
            big_endian=_flag(values.text(pixels, "BigEndian")),
            interleaved=_flag(values.text(pixels, "Interleaved")),
            significant_bits=values.integer(pixels, "SignificantBits", at_least=1),
            samples_per_pixel=tuple(values.integer(child, "SamplesPerPixel", at_least=1) or 1 for child in channel_elements),
            metadata=metadata,
            tiff_data=tuple(self._tiff_data(child) for child in children(pixels, "TiffData")),
            bin_data=first_child(pixels, "BinData") is not None,
            kind=_kind(notes.get(KIND)),
            white_is_zero=notes.get(PHOTOMETRIC, "").startswith(MIN_IS_WHITE),
        )

    def _size(self, pixels: etree._Element | None, name: str, default: int) -> int:
        size = self.values.integer(pixels, name, at_least=1)
        return default if size is None else size

    def _tiff_data(self, element: etree._Element) -> TiffDataBlock:
        integer = self.values.integer
        uuid = first_child(element, "UUID")
        return TiffDataBlock(
            ifd=integer(element, "IFD", at_least=0),
            first_t=integer(element, "FirstT", at_least=0),
            first_c=integer(element, "FirstC", at_least=0),
            first_z=integer(element, "FirstZ", at_least=0),
            plane_count=integer(element, "PlaneCount" if "PlaneCount" in element.attrib else "NumPlanes", at_least=0),
            file_name=self.values.text(uuid, "FileName"),
            uuid=all_text(uuid),
        )

    def _metadata(
        self, element: etree._Element, pixels: etree._Element | None, channels: list[etree._Element]
    ) -> tuple[ImageMetadata, Mapping[str, str]]:
        values = self.values
        settings = first_child(element, "ObjectiveSettings", "ObjectiveRef")
        stage = first_child(element, "StageLabel")
        increment = values.quantity(pixels, "TimeIncrement", "s", "time")
        maps, modulo, original, notes, tiles = self._annotated(element)
        metadata = ImageMetadata(
            description=all_text(first_child(element, "Description")),
            acquisition_date=all_text(first_child(element, "AcquisitionDate", "AcquiredDate", "CreationDate")),
            pixel_size_x=self._pixel_size(element, pixels, "X"),
            pixel_size_y=self._pixel_size(element, pixels, "Y"),
            pixel_size_z=self._pixel_size(element, pixels, "Z"),
            time_increment_s=None if increment is None else to_seconds(increment),
            channels=tuple(self._channel(child) for child in channels),
            planes=_read_planes(pixels, values),
            modulo=modulo,
            tiles=tiles,
            instrument=self._instrument(element, channels, settings),
            objective_id=values.text(settings, "ID"),
            immersion_medium=values.text(settings, "Medium"),
            refractive_index=values.number(settings, "RefractiveIndex"),
            stage_label=values.text(stage, "Name"),
            rois=self._rois(element),
            annotations=maps,
            original=original,
            element=element,
        )
        return restore(metadata, notes), notes

    def _pixel_size(self, image: etree._Element, pixels: etree._Element | None, axis: str) -> Quantity | None:
        values = self.values
        size = values.quantity(pixels, f"PhysicalSize{axis}", "µm", "length") or values.quantity(image, f"PixelSize{axis}", "µm", "length")
        # A falling z is no mistake: some vendors write the step as negative.
        if size is None or size.value > 0 or (axis == "Z" and size.value < 0):
            return size
        if pixels is not None:
            values.note(pixels, f"PhysicalSize{axis}", f"{size.value:g}", "is not above zero")
        return None

    def _channel(self, element: etree._Element) -> Channel:
        values = self.values
        detector = first_child(element, "DetectorSettings", "DetectorRef")
        light = first_child(element, "LightSourceSettings", "LightSourceRef")
        color = values.integer(element, "Color")
        if color is not None and not -_HALF_THE_COLORS <= color < _HALF_THE_COLORS:
            # Some write the same 32 bits without a sign.
            color = color - 2 * _HALF_THE_COLORS if 0 < color < 2 * _HALF_THE_COLORS else None
            if color is None:
                values.note(element, "Color", element.get("Color", ""), "is no 32-bit colour")
        return Channel(
            name=values.text(element, "Name"),
            color=None if color == _WHITE else color,
            fluor=values.text(element, "Fluor"),
            excitation_nm=values.nanometres(element, "ExcitationWavelength", "ExWave"),
            emission_nm=values.nanometres(element, "EmissionWavelength", "EmWave"),
            contrast_method=values.text(element, "ContrastMethod"),
            illumination_type=values.text(element, "IlluminationType"),
            acquisition_mode=values.text(element, "AcquisitionMode", "Mode"),
            pinhole=values.quantity(element, "PinholeSize", "µm", "length"),
            nd_filter=values.number(element, "NDFilter", "NdFilter"),
            detector_id=values.text(detector, "ID"),
            detector_gain=values.number(detector, "Gain"),
            detector_offset=values.number(detector, "Offset"),
            detector_voltage=values.quantity(detector, "Voltage", "V", "voltage"),
            detector_binning=values.text(detector, "Binning"),
            light_source_id=values.text(light, "ID"),
            light_source_attenuation=values.number(light, "Attenuation"),
            filter_set_id=values.text(first_child(element, "FilterSetRef"), "ID"),
        )

    def _instrument(self, image: etree._Element, channels: list[etree._Element], settings: etree._Element | None) -> Instrument | None:
        ref = first_child(image, "InstrumentRef")
        identifier = ref.get("ID", "") if ref is not None else None
        if identifier not in self.instruments:
            wanted = {settings.get("ID")} if settings is not None else set()
            wanted |= {
                part.get("ID") for channel in channels for part in children(channel, "DetectorSettings", "LightSourceSettings", "FilterSetRef")
            }
            owners = [key for key, owner in self.instruments.items() if wanted & {part.get("ID") for part in children(owner)} - {None}]
            if len(owners) != 1 and not self.instruments_named:
                owners = list(self.instruments)
            if len(owners) != 1 or identifier is not None:
                return None
            identifier = owners[0]
        if identifier not in self._instruments:
            self._instruments[identifier] = read_instrument(self.instruments[identifier], self.values)
        return self._instruments[identifier]

    def _rois(self, image: etree._Element) -> tuple[Roi, ...]:
        refs = [ref.get("ID", "") for ref in children(image, "ROIRef")]
        if not refs and self.alone:
            refs = list(self.rois)
        found = (read_roi(self.rois[ref], self.values) for ref in refs if ref in self.rois)
        return tuple(roi for roi in found if roi is not None)

    def _annotated(
        self, image: etree._Element
    ) -> tuple[tuple[MapAnnotation, ...], tuple[Modulo, ...], Pairs, dict[str, str], tuple[TilePosition, ...]]:
        """Key-value pairs, folded dimensions, original metadata, this suite's notes and tile positions of one image."""
        own = self.annotations.of(image)
        if self.alone:
            own += self.annotations.unreferenced
        maps = [found for annotation in own if (found := read_map(annotation)) is not None]
        modulo = tuple(item for annotation in own if is_modulo(annotation) for item in read_modulo(annotation, self.values))
        referenced = read_original(annotation for annotation in self.annotations.of(image) if is_original(annotation))
        notes = {key: value for found in maps if found.namespace == NOTES for key, value in found.pairs}
        tiles = tuple(tile for found in maps if found.namespace == TILES for tile in read_tiles(found))
        people = tuple(found for found in maps if found.namespace not in (NOTES, TILES, PYRAMID))
        return people, modulo, referenced + self.original, notes, tiles


def _flag(text: str | None) -> bool | None:
    return {"true": True, "1": True, "false": False, "0": False}.get((text or "").strip().lower())


def _read_planes(pixels: etree._Element | None, values: Values) -> tuple[Plane, ...]:
    """Planes of which anything is known."""
    planes = []
    for element in children(pixels, "Plane"):
        z, c, t = (values.integer(element, name, at_least=0) for name in ("TheZ", "TheC", "TheT"))
        if z is None or c is None or t is None:
            continue
        # Before 2009 times and positions had elements of their own.
        timing = first_child(element, "PlaneTiming") if len(element) else None
        stage = first_child(element, "StagePosition") if len(element) else None
        timing, stage = (element if timing is None else timing), (element if stage is None else stage)
        plane = Plane(
            t,
            c,
            z,
            delta_t_s=values.seconds(timing, "DeltaT"),
            exposure_s=values.seconds(timing, "ExposureTime"),
            position_x=values.quantity(stage, "PositionX", "reference frame", "length"),
            position_y=values.quantity(stage, "PositionY", "reference frame", "length"),
            position_z=values.quantity(stage, "PositionZ", "reference frame", "length"),
        )
        if plane != Plane(t, c, z):
            planes.append(plane)
    return tuple(planes)
