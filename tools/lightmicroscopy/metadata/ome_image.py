"""Writing one image of an OME-XML document: what the dataclasses say, and from the source's element what they do not."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal

from lxml import etree

from ..image import Channel, Image, ImageMetadata, Plane, Quantity
from .ome_notes import INVENTED, KIND, MIN_IS_WHITE, NEGATIVE, PHOTOMETRIC, Notes, table_text
from .ome_types import nearest_pixel_type, ome_pixel_type
from .ome_units import spell_unit
from .ome_xml import (
    children,
    copy_as_2016,
    first_child,
    is_date_time,
    local_name,
    new,
    number_text,
    ome,
    put,
    put_nanometres,
    put_quantity,
    put_seconds,
)

if TYPE_CHECKING:
    from .ome_carry import Carrier

Storage = Literal["ome-tiff", "ome-zarr"]
Parts = Mapping[tuple[str, str], str]

_CHANNEL_ORDER: Final = ("LightSourceSettings", "DetectorSettings", "FilterSetRef", "AnnotationRef", "LightPath")
_SAMPLES: Final = (("Red", -16776961), ("Green", 16711935), ("Blue", 65535))
_WHITE: Final = -1
_BYTE: Final = 8
_LONGEST_TABLE: Final = 1024
"""Colours of a table that is kept in OME-XML; one of 16-bit indices would take a megabyte."""


@dataclass
class ImageBuilder:
    """Builds the Image element of one series.

    Attributes
    ----------
    image, number
        The image, and its place in the document.
    storage
        Where the pixels are.
    carrier
        Gives ids, and carries along what the source's element refers to.
    instrument_id, parts
        New id of the image's instrument, and new ids of its parts by (kind, the dataclass's id).
    losses
        Collects a sentence for all that cannot be written.
    """

    image: Image
    number: int
    storage: Storage
    carrier: Carrier
    instrument_id: str | None
    parts: Parts
    notes: Notes
    losses: list[str] = field(default_factory=list)

    @property
    def metadata(self) -> ImageMetadata:
        """What is known of the image."""
        return self.image.metadata

    @property
    def samples(self) -> int:
        """Samples of one channel in storage: NGFF has no samples, so they are channels there."""
        return 1 if self.storage == "ome-zarr" else self.image.shape.s

    def build(self, roi_ids: list[str], tiff_data: etree._Element | None) -> etree._Element:
        """Make the element, without its planes and annotations."""
        metadata, source = self.metadata, self.metadata.element
        if source is not None and source.find("{*}Pixels/{*}Plane/{*}AnnotationRef") is not None:
            self.losses.append(f"Annotations of single planes of {self.image.name!r} were left out, because planes may have moved.")
        element = new("Image", [("ID", f"Image:{self.number}"), ("Name", self.image.name)])
        self._date(element)
        self._carried(element, source, "ExperimenterRef")
        if metadata.description:
            element.append(new("Description", text=metadata.description))
        self._carried(element, source, "ExperimentRef", "ExperimenterGroupRef", "GroupRef")
        if self.instrument_id is not None:
            element.append(new("InstrumentRef", [("ID", self.instrument_id)]))
        self._objective_settings(element)
        self._carried(element, source, "ImagingEnvironment")
        if metadata.stage_label is not None:
            stage = self._copy(first_child(source, "StageLabel")) if source is not None else None
            stage = new("StageLabel") if stage is None else stage
            put(stage, "Name", metadata.stage_label)
            element.append(stage)
        element.append(self._pixels(tiff_data))
        element.extend(new("ROIRef", [("ID", identifier)]) for identifier in roi_ids)
        self._carried(element, source, "MicrobeamManipulationRef")
        return element

    def plane_elements(self) -> Iterator[etree._Element]:
        """Make the Plane elements of all planes of which anything is known."""
        shape = self.image.shape
        unfolded = shape.s if self.storage == "ome-zarr" else 1
        for plane in self.metadata.planes:
            if not (0 <= plane.t < shape.t and 0 <= plane.c < shape.c and 0 <= plane.z < shape.z):
                continue
            for sample in range(unfolded):
                yield _plane(plane, plane.c * unfolded + sample)

    def _copy(self, element: etree._Element | None) -> etree._Element | None:
        return None if element is None else copy_as_2016(element)

    def _carried(self, target: etree._Element, source: etree._Element | None, *names: str) -> None:
        for child in children(source, *names):
            copied = copy_as_2016(child)
            if self.carrier.fix(copied, self.parts):
                if local_name(copied) == "GroupRef":
                    copied.tag = ome("ExperimenterGroupRef")
                target.append(copied)

    def _date(self, element: etree._Element) -> None:
        date = self.metadata.acquisition_date
        if date is None:
            return
        if is_date_time(date):
            element.append(new("AcquisitionDate", text=date))
        else:
            self.notes.add("Image", "AcquisitionDate", date)

    def _objective_settings(self, element: etree._Element) -> None:
        metadata = self.metadata
        said = metadata.objective_id is not None or metadata.immersion_medium is not None or metadata.refractive_index is not None
        identifier = self._part("Objective", metadata.objective_id)
        if not said:
            return
        if identifier is None:
            if metadata.immersion_medium is not None:
                self.notes.add("ObjectiveSettings", "Medium", metadata.immersion_medium)
            if metadata.refractive_index is not None:
                self.notes.add("ObjectiveSettings", "RefractiveIndex", repr(metadata.refractive_index))
            return
        like = first_child(metadata.element, "ObjectiveSettings")
        settings = new("ObjectiveSettings") if like is None else copy_as_2016(like)
        put(settings, "ID", identifier)
        self.notes.put_word(settings, "Medium", metadata.immersion_medium, "ObjectiveSettings")
        put(settings, "RefractiveIndex", metadata.refractive_index)
        element.append(settings)

    def _part(self, kind: str, identifier: str | None) -> str | None:
        if identifier is None:
            return None
        found = self.parts.get((kind, identifier)) or self.carrier.carry(kind, identifier)
        if found is None:
            self.losses.append(
                f"{self.image.name!r} refers to the {kind.lower()} {identifier!r}, which its metadata do not describe; the reference was left out."
            )
        return found

    def _pixels(self, tiff_data: etree._Element | None) -> etree._Element:
        image, metadata, shape = self.image, self.metadata, self.image.shape
        pixels = new("Pixels", [("ID", f"Pixels:{self.number}"), ("DimensionOrder", "XYZCT")])
        if self.storage == "ome-tiff":
            put(pixels, "Type", ome_pixel_type(image.dtype))
        else:
            word, exact = nearest_pixel_type(image.dtype)
            put(pixels, "Type", word)
            if not exact:
                self.notes.add("Pixels", "Type", f"{image.dtype.name} (OME-XML has no such type and says {word})")
        bits = image.significant_bits
        if bits is not None and 0 < bits <= image.dtype.itemsize * _BYTE:
            put(pixels, "SignificantBits", bits)
        put(pixels, "Interleaved", self.samples > 1)
        put(pixels, "BigEndian", False)
        for name, size in (("X", shape.x), ("Y", shape.y), ("Z", shape.z), ("C", shape.c * shape.s), ("T", shape.t)):
            put(pixels, f"Size{name}", size)
        self._pixel_sizes(pixels)
        put_seconds(pixels, "TimeIncrement", metadata.time_increment_s)
        if image.kind in ("label", "indexed"):
            place, attribute = KIND.split()
            self.notes.add(place, attribute, image.kind)
        if image.white_is_zero:
            place, attribute = PHOTOMETRIC.split()
            self.notes.add(place, attribute, f"{MIN_IS_WHITE}; the values are kept as stored, not inverted")
        pixels.extend(self._channels())
        pixels.append(new("MetadataOnly") if tiff_data is None else tiff_data)
        return pixels

    def _pixel_sizes(self, pixels: etree._Element) -> None:
        metadata = self.metadata
        for axis, size in (("X", metadata.pixel_size_x), ("Y", metadata.pixel_size_y), ("Z", metadata.pixel_size_z)):
            if size is None:
                continue
            value = size.value
            if axis == "Z" and value < 0:
                self.notes.add("Pixels", "PhysicalSizeZ", NEGATIVE)
                value = -value
            if value > 0 and spell_unit(size.unit, "length") is not None:
                put_quantity(pixels, f"PhysicalSize{axis}", Quantity(value, size.unit), "length")
            else:
                self.losses.append(
                    f"The pixel size {size.value:g} {size.unit} along {axis} of {self.image.name!r} is none that OME-XML can hold; it was left out."
                )

    def _channels(self) -> Iterator[etree._Element]:
        shape = self.image.shape
        known = self.metadata.channels
        sources = list(children(first_child(self.metadata.element, "Pixels"), "Channel")) if self.metadata.element is not None else []
        unfolded = shape.s if self.storage == "ome-zarr" else 1
        for index in range(shape.c):
            channel = known[index] if index < len(known) else Channel()
            place = index if channel.source_index is None else channel.source_index
            like = sources[place] if place < len(sources) else None
            for sample in range(unfolded):
                number = index * unfolded + sample
                element = self._channel(channel, like, number)
                if unfolded > 1:
                    _name_sample(element, sample, channel.name)
                yield element

    def _channel(self, channel: Channel, like: etree._Element | None, number: int) -> etree._Element:
        element = new("Channel") if like is None else copy_as_2016(like)
        settings = {local_name(child): child for child in children(element, "LightSourceSettings", "DetectorSettings")}
        for child in list(children(element)):
            if local_name(child) not in ("AnnotationRef", "LightPath") or not self.carrier.fix(child, self.parts):
                element.remove(child)
        place = f"Channel:{number}"
        put(element, "ID", f"Channel:{self.number}:{number}")
        put(element, "Name", channel.name)
        put(element, "SamplesPerPixel", self.samples)
        put(element, "Fluor", channel.fluor)
        put_nanometres(element, "ExcitationWavelength", channel.excitation_nm)
        put_nanometres(element, "EmissionWavelength", channel.emission_nm)
        put_quantity(element, "PinholeSize", channel.pinhole, "length")
        put(element, "NDFilter", channel.nd_filter)
        for name, word in (
            ("ContrastMethod", channel.contrast_method),
            ("IlluminationType", channel.illumination_type),
            ("AcquisitionMode", channel.acquisition_mode),
        ):
            self.notes.put_word(element, name, word, place)
        put(element, "Color", None if channel.color == _WHITE else channel.color)
        if channel.color_invented and element.get("Color") is not None:
            self.notes.add(place, "Color", INVENTED)
        if channel.window is not None:
            self.notes.add(place, "DisplayRange", f"{number_text(channel.window[0])} {number_text(channel.window[1])}")
        self._color_table(channel, place)
        self._light_source(element, settings.get("LightSourceSettings"), channel)
        self._detector(element, settings.get("DetectorSettings"), channel, place)
        filters = self._part("FilterSet", channel.filter_set_id)
        if filters is not None:
            element.append(new("FilterSetRef", [("ID", filters)]))
        element[:] = sorted(children(element, *_CHANNEL_ORDER), key=lambda child: _CHANNEL_ORDER.index(local_name(child)))
        return element

    def _color_table(self, channel: Channel, place: str) -> None:
        """Note a colour table where the file of the pixels has no place for it."""
        if not channel.lut or (self.storage == "ome-tiff" and self.image.kind == "indexed"):
            return
        if len(channel.lut) <= _LONGEST_TABLE:
            self.notes.add(place, "ColorTable", table_text(channel.lut))
        else:
            self.losses.append(
                f"The colour table of {self.image.name!r} has {len(channel.lut):,} colours, more than is kept in OME-XML; it was left out."
            )

    def _light_source(self, element: etree._Element, like: etree._Element | None, channel: Channel) -> None:
        identifier = self._part("LightSource", channel.light_source_id)
        if identifier is None:
            return
        settings = new("LightSourceSettings") if like is None else like
        put(settings, "ID", identifier)
        attenuation = channel.light_source_attenuation
        put(settings, "Attenuation", attenuation if attenuation is not None and 0 <= attenuation <= 1 else None)
        element.append(settings)

    def _detector(self, element: etree._Element, like: etree._Element | None, channel: Channel, place: str) -> None:
        identifier = self._part("Detector", channel.detector_id)
        if identifier is None:
            return
        settings = new("DetectorSettings") if like is None else like
        put(settings, "ID", identifier)
        put(settings, "Gain", channel.detector_gain)
        put(settings, "Offset", channel.detector_offset)
        put_quantity(settings, "Voltage", channel.detector_voltage, "voltage")
        self.notes.put_word(settings, "Binning", channel.detector_binning, place)
        element.append(settings)


def _name_sample(channel: etree._Element, sample: int, name: str | None) -> None:
    """Name the channel that a sample of an RGB image becomes, as the ``omero`` block of NGFF does."""
    sample_name, color = _SAMPLES[sample] if sample < len(_SAMPLES) else ("Alpha", _WHITE)
    put(channel, "Name", f"{name} {sample_name}" if name else sample_name)
    put(channel, "Color", None if color == _WHITE else color)


def _plane(plane: Plane, channel: int) -> etree._Element:
    # There may be very many, so attributes are set without the checks that `put` makes.
    attributes = {"TheZ": str(plane.z), "TheC": str(channel), "TheT": str(plane.t)}
    for name, seconds in (("DeltaT", plane.delta_t_s), ("ExposureTime", plane.exposure_s)):
        if seconds is not None and math.isfinite(seconds):
            attributes[name] = number_text(seconds)
            attributes[name + "Unit"] = "s"
    for name, position in (("PositionX", plane.position_x), ("PositionY", plane.position_y), ("PositionZ", plane.position_z)):
        unit = None if position is None else spell_unit(position.unit, "length")
        if position is not None and unit is not None and math.isfinite(position.value):
            attributes[name] = number_text(position.value)
            attributes[name + "Unit"] = unit
    return etree.Element(ome("Plane"), attributes)
