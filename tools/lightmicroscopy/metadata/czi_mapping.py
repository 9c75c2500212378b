"""Zeiss CZI's metadata in OME terms.

The tables below say which element of the CZI becomes which attribute of OME-XML 2016-06. Sources: the CZI metadata schema that
Zeiss publishes beside the format (zeiss.github.io/libczi), files of ZEN blue 2.3 to 3.7 and ZEN black, and what Bio-Formats 7.3
shows of the same files, from which it differs where the file contradicts that (exposures, names of scenes, filter names).

The mapping makes an OME-XML tree and reads it with this suite's reader of OME-XML, so that filter sets, people, the environment
and whatever else the image model has no field for are carried along like those of an OME-TIFF.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from lxml import etree

from ..image import Quantity
from .czi_instrument import instrument, person
from .czi_xml import Table, find, flat, mapped, number_of, quantity_of, text_of, value_of
from .ome_read import read_ome
from .ome_xml import all_text, children, first_child, new, put, put_nanometres, put_quantity, put_seconds

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from ..image import ImageMetadata

ENVIRONMENT: Final[Table] = (("Temperature", "Temperature"), ("AirPressure", "AirPressure"), ("Humidity", "Humidity"), ("CO2Percent", "CO2Percent"))
"""Degrees Celsius, millibar, and fractions of 1."""
CHANNEL: Final[Table] = (("IlluminationType", "IlluminationType"), ("ContrastMethod", "ContrastMethod"), ("AcquisitionMode", "AcquisitionMode"))
"""Of Information/Image/Dimensions/Channels; names, colours and dyes are said twice, see `_channel`."""
DETECTOR_SETTINGS: Final[Table] = (("Gain|EMGain", "Gain"), ("Offset", "Offset"), ("Voltage", "Voltage"))

_METRE_UM: Final = 1e6
_COARSEST_UM: Final = 1e4
"""An unscaled image says 1 m; nothing that a microscope scans has pixels of a centimetre."""
_NANOSECOND: Final = 1e-9
_MANY_SCENES: Final = 10_000


@dataclass(frozen=True, slots=True)
class Scene:
    """What is said of one scene; stage coordinates in micrometres."""

    name: str | None = None
    position: tuple[float | None, float | None, float | None] = (None, None, None)
    element: etree._Element | None = None


@dataclass(frozen=True, slots=True)
class Exposure:
    """What each channel says that OME says of every plane, and what display settings say."""

    exposure_s: float | None = None
    window: tuple[float, float] | None = None
    significant_bits: int | None = None


@dataclass(frozen=True, slots=True)
class CziMetadata:
    """Everything the XML says, before it is shared out among the series."""

    root: etree._Element | None
    date: str | None = None
    time_interval_s: float | None = None
    time_offsets_s: tuple[float, ...] = ()
    z_step_um: float | None = None
    scenes: Mapping[int, Scene] = field(default_factory=dict)
    labels: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class SeriesPart:
    """What `describe` needs to know of a series."""

    name: str
    scene: int | None
    channels: Sequence[int]
    copies: int
    """How often the channels come, once for every illumination."""
    bytes_per_sample: int
    rgb: bool
    scale: float


def read_czi(root: etree._Element | None) -> CziMetadata:
    """Read what the whole file says. `root` is its ``ImageDocument``; None where there is no XML."""
    image = find(root, "Metadata/Information/Image")
    dimensions = find(image, "Dimensions")
    date = text_of(image, "AcquisitionDateAndTime")
    offsets = (text_of(dimensions, "T/Positions/List/Offsets") or "").split()
    numbers = [number_of(text) for text in offsets]
    return CziMetadata(
        root=root,
        # Year 1 is how .NET writes a date that was never set.
        date=date if date and not date.startswith("0001-") else None,
        time_interval_s=number_of(text_of(dimensions, "T/Positions/Interval/Increment")),
        time_offsets_s=tuple(number for number in numbers if number is not None) if None not in numbers else (),
        z_step_um=_scaling(root).get("Z"),
        scenes=_scenes(dimensions),
        labels=_labels(dimensions),
    )


def describe(found: CziMetadata, parts: Sequence[SeriesPart]) -> tuple[etree._Element, list[tuple[ImageMetadata, list[Exposure]]]]:
    """Describe every series in OME terms.

    Returns
    -------
    etree._Element
        The whole as OME-XML.
    list
        For each series its metadata without planes and drawings, and what its channels say of theirs.
    """
    document = new("OME")
    experimenter = person(found.root)
    if experimenter is not None:
        document.append(experimenter)
    document.append(instrument(find(found.root, "Metadata/Information/Instrument"), find(found.root, "Metadata/Information/Image")))
    exposures = []
    for number, part in enumerate(parts):
        image, said = _image(found, part, number, experimenter is not None)
        document.append(image)
        exposures.append(said)
    read = read_ome(etree.tostring(document), "the metadata of this file")
    original = tuple(flat(found.root))
    described = []
    for image_read, said in zip(read.images, exposures, strict=True):
        channels = tuple(replace(channel, window=one.window) for channel, one in zip(image_read.metadata.channels, said, strict=True))
        described.append((replace(image_read.metadata, channels=channels, original=original), said))
    return read.root, described


def _scaling(root: etree._Element | None) -> dict[str, float]:
    """Pixel sizes in micrometres; those that are none are left out. That of a descending stack is negative."""
    items = find(root, "Metadata/Scaling/Items")
    found = {}
    for distance in children(items, "Distance"):
        metres = number_of(text_of(distance, "Value"))
        size = abs(float(f"{metres * _METRE_UM:.14g}")) if metres is not None else 0.0
        if 0 < size < _COARSEST_UM:
            found[distance.get("Id", "")] = size
    if "Z" in found and _descending(find(root, "Metadata/Information/Image/Dimensions/Z/Positions")):
        found["Z"] = -found["Z"]
    return found


def _descending(positions: etree._Element | None) -> bool:
    increment = number_of(text_of(positions, "Interval/Increment"))
    if increment is not None:
        return increment < 0
    offsets = [number_of(text) for text in (text_of(positions, "List/Offsets") or "").split()]
    return len(offsets) > 1 and offsets[0] is not None and offsets[-1] is not None and offsets[-1] < offsets[0]


def _scenes(dimensions: etree._Element | None) -> dict[int, Scene]:
    found: dict[int, Scene] = {}
    for place, element in enumerate(children(find(dimensions, "S/Scenes"), "Scene")):
        index = element.get("Index", "")
        number = int(index) if index.isdigit() and len(index) < 9 else place
        if number in found or len(found) >= _MANY_SCENES:
            continue
        position = find(element, "Positions/Position")
        x, y, z = (number_of(position.get(axis)) if position is not None else None for axis in "XYZ")
        if position is None:
            x, y = ([*(number_of(part) for part in (text_of(element, "CenterPosition") or "").split(",")), None, None])[:2]
        found[number] = Scene(element.get("Name", "").strip() or None, (x, y, z), element)
    return found


def _labels(dimensions: etree._Element | None) -> dict[str, tuple[str, ...]]:
    names = {"rotation": "Rotations", "illumination": "Illuminations", "phase": "Phases"}
    found = {}
    for kind, name in names.items():
        holders = dimensions.iter(f"{{*}}{name}", name) if dimensions is not None else ()
        words = (all_text(next((child for child in holders if not len(child)), None)) or "").split()
        if words:
            found[kind] = tuple(words)
    return found


def _image(found: CziMetadata, part: SeriesPart, number: int, by_someone: bool) -> tuple[etree._Element, list[Exposure]]:
    source = find(found.root, "Metadata/Information/Image")
    image = new("Image", [("ID", f"Image:{number}"), ("Name", part.name)])
    if found.date:
        image.append(new("AcquisitionDate", text=found.date))
    if by_someone:
        image.append(new("ExperimenterRef", [("ID", "Experimenter:0")]))
    description = text_of(found.root, "Metadata/Information/Document/Description")
    if description:
        image.append(new("Description", text=description))
    image.append(new("InstrumentRef", [("ID", "Instrument:0")]))
    image.extend(_settings(source, found.root))
    scene = found.scenes.get(part.scene or 0)
    if scene is not None and scene.name:
        label = new("StageLabel", [("Name", scene.name)])
        for axis, position in zip("XYZ", scene.position, strict=True):
            put_quantity(label, axis, None if position is None else Quantity(position, "µm"), "length")
        image.append(label)
    pixels = new("Pixels", [("ID", f"Pixels:{number}")])
    sizes = _scaling(found.root)
    for axis in "XYZ":
        if axis in sizes:
            size = sizes[axis] * (part.scale if axis != "Z" else 1.0)
            put_quantity(pixels, f"PhysicalSize{axis}", Quantity(size, "µm"), "length")
    interval = found.time_interval_s
    put_seconds(pixels, "TimeIncrement", interval if interval is not None and interval > 0 else None)
    said = []
    places = list(part.channels) * part.copies
    for place, channel in enumerate(places):
        element, exposure = _channel(found.root, channel, f"Channel:{number}:{place}", part)
        pixels.append(element)
        said.append(exposure)
    image.append(pixels)
    return image, said


def _settings(source: etree._Element | None, root: etree._Element | None) -> Iterator[etree._Element]:
    settings = find(source, "ObjectiveSettings")
    ref = find(settings, "ObjectiveRef")
    lenses = list(children(find(root, "Metadata/Information/Instrument/Objectives"), "Objective"))
    identifier = ref.get("Id") if ref is not None else lenses[0].get("Id") if len(lenses) == 1 else None
    if settings is not None or identifier:
        yield mapped(
            settings,
            new("ObjectiveSettings", [("ID", identifier)]),
            (("Medium", "Medium"), ("RefractiveIndex", "RefractiveIndex"), ("CorrectionCollar", "CorrectionCollar")),
        )
    environment = mapped(find(root, "Metadata/Information/Environment"), new("ImagingEnvironment"), ENVIRONMENT)
    if environment.attrib:
        yield environment


def _channel(root: etree._Element | None, index: int, identifier: str, part: SeriesPart) -> tuple[etree._Element, Exposure]:
    """One channel: what was acquired, and how ZEN shows it, which names dyes and colours last."""
    acquired = _nth(find(root, "Metadata/Information/Image/Dimensions/Channels"), index)
    shown = _shown(root, acquired, index)
    element = mapped(acquired, new("Channel", [("ID", identifier)]), CHANNEL)
    put(element, "Name", value_of(shown, "@Name") or value_of(acquired, "@Name"))
    put(element, "Fluor", value_of(shown, "DyeName") or value_of(acquired, "Fluor"))
    put_nanometres(element, "ExcitationWavelength", number_of(value_of(shown, "DyeMaxExcitation") or value_of(acquired, "ExcitationWavelength")))
    put_nanometres(element, "EmissionWavelength", number_of(value_of(shown, "DyeMaxEmission") or value_of(acquired, "EmissionWavelength")))
    put_quantity(element, "PinholeSize", quantity_of(text_of(acquired, "PinholeSize"), "µm"), "length")
    if not part.rgb:
        put(element, "Color", _color(value_of(shown, "Color|OriginalColor") or value_of(acquired, "Color")))
    element.extend(_channel_parts(acquired))
    exposure = number_of(text_of(acquired, "ExposureTime"))
    bits = number_of(text_of(acquired, "ComponentBitCount") or text_of(root, "Metadata/Information/Image/ComponentBitCount"))
    return element, Exposure(
        exposure_s=float(f"{exposure * _NANOSECOND:.12g}") if exposure is not None and exposure > 0 else None,
        window=_window(shown, part),
        significant_bits=int(bits) if bits and 0 < bits <= 8 * part.bytes_per_sample else None,
    )


def _nth(holder: etree._Element | None, index: int) -> etree._Element | None:
    return next((child for place, child in enumerate(children(holder, "Channel")) if place == index), None)


def _shown(root: etree._Element | None, acquired: etree._Element | None, index: int) -> etree._Element | None:
    """Display settings of a channel: those of the same id, else those in the same place unless they are another channel's."""
    holder = find(root, "Metadata/DisplaySetting/Channels")
    identifier = acquired.get("Id") if acquired is not None else None
    same = [child for child in children(holder, "Channel") if identifier and child.get("Id") == identifier]
    if same:
        return same[0]
    there = _nth(holder, index)
    others = {child.get("Id") for child in children(acquired.getparent() if acquired is not None else None, "Channel")}
    return None if there is not None and there.get("Id") in others - {None} else there


def _channel_parts(acquired: etree._Element | None) -> Iterator[etree._Element]:
    lights = find(acquired, "LightSourcesSettings")
    for settings in children(lights, "LightSourceSettings"):
        ref = find(settings, "LightSource")
        if ref is not None and ref.get("Id"):
            light = new("LightSourceSettings", [("ID", ref.get("Id"))])
            put(light, "Attenuation", text_of(settings, "Attenuation"))
            put_nanometres(light, "Wavelength", number_of(text_of(settings, "Wavelength")))
            yield light
            break
    detection = find(acquired, "DetectorSettings")
    detector = find(detection, "Detector")
    if detector is not None and detector.get("Id"):
        found = mapped(detection, new("DetectorSettings", [("ID", detector.get("Id"))]), DETECTOR_SETTINGS)
        put(found, "Binning", (text_of(detection, "Binning") or "").replace(",", "x").replace(" ", "") or None)
        yield found
    filters = first_child(acquired, "FilterSetRef", "FilterSet")
    if filters is not None and filters.get("Id"):
        yield new("FilterSetRef", [("ID", filters.get("Id"))])


def _color(text: str | None) -> str | None:
    """OME's signed RGBA of ``#AARRGGBB`` or ``#RRGGBB``."""
    digits = (text or "").strip().lstrip("#")
    if not re.fullmatch(r"(?:[0-9A-Fa-f]{2})?[0-9A-Fa-f]{6}", digits):
        return None
    value = int(digits[-6:], 16) << 8 | 255
    return str(value - (1 << 32) if value >= 1 << 31 else value)


def _window(shown: etree._Element | None, part: SeriesPart) -> tuple[float, float] | None:
    """The display range, which ZEN gives as shares of the range of the pixel type."""
    low, high = number_of(text_of(shown, "Low")), number_of(text_of(shown, "High"))
    if part.rgb or part.bytes_per_sample > 2 or high is None:
        return None
    top = float((1 << 8 * part.bytes_per_sample) - 1)
    window = (round((low or 0.0) * top, 6) + 0.0, round(high * top, 6))
    return window if 0 <= window[0] < window[1] <= top else None
