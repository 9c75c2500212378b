"""How a Leica image was taken: microscope, objective, lasers, detectors, and the settings of each channel.

| What                     | LAS X (Attachment "HardwareSetting")                            | LAS AF (ScannerSettingRecord, FilterSettingRecord) |
|--------------------------|-----------------------------------------------------------------|----------------------------------------------------|
| microscope               | SystemTypeName; MicroscopeModel if that is missing              | SystemType                                         |
| objective                | ObjectiveName, Magnification, NumericalAperture, Immersion      | Objective ("HCX PL APO 63.0x1.40 OIL")             |
| refractive index         | RefractionIndex                                                 | RefractionIndex                                    |
| pinhole (m)              | Pinhole of the channel's sequence                               | dblPinhole                                         |
| confocal zoom            | Zoom, of each detector                                          | dblZoom                                            |
| confocal channels        | active Detectors of each sequence, in order                     | CDetectionUnit in the state Active                 |
| fluorophore              | ChannelProperty DyeName, else MultiBand DyeName                 | CSpectrophotometerUnit Stain                       |
| detection band (nm)      | MultiBand LeftWorld and RightWorld                              | CSpectrophotometerUnit "(left)" and "(right)"      |
| excitation (nm)          | DetectionReferenceLine, else the only LaserLine lit in sequence | nWFC<n> … WaveLength                               |
| attenuation              | 1 − IntensityDev / 100, as Bio-Formats has it                   |                                                    |
| camera channels          | WideFieldChannelInfo: UserDefName, ExposureTime, …              | CameraName, nWFC<n> … ExposureTime, Gain, Uesr…    |
| stage position (m)       | StagePosX, StagePosY, turned by FlipX, FlipY, SwapXY            | XPos, YPos                                         |

Of several lasers lit at once the file does not say which one excites which channel, so nothing is said.

Sources: the XML of real files of LAS X 3.1 and 3.5; Bio-Formats' LIFReader for which records of LAS AF mean what; Leica
Microsystems, "Annotations to Leica Image File Formats for LAS X", version 1.4 of 2016.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from ..image import Channel, Detector, Filter, Instrument, LightSource, Quantity
from .lif_facts import CONFOCAL, LEICA, Settings, micrometres
from .lif_objective import read_objective
from .lif_records import read_records
from .lif_xml import first, integer, is_on, number, positive, text

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lxml import etree

_CONTRASTS: Final = {
    "FLUO": ("Fluorescence", "Epifluorescence"),
    "TL-BF": ("Brightfield", "Transmitted"),
    "BF": ("Brightfield", "Transmitted"),
    "TL-PH": ("Phase", "Transmitted"),
    "PH": ("Phase", "Transmitted"),
    "TL-DIC": ("DIC", "Transmitted"),
    "DIC": ("DIC", "Transmitted"),
    "TL-DF": ("Darkfield", "Transmitted"),
    "TL-POL": ("PolarizedLight", "Transmitted"),
    "TL-IMC": ("HoffmanModulation", "Transmitted"),
}
"""ContrastingMethodName of Leica's stands → OME's contrast and illumination."""
_DETECTORS: Final = {"PMT": "PMT", "APD": "APD", "CCD": "CCD", "EMCCD": "EMCCD", "CMOS": "CMOS", "SCMOS": "CMOS"}
_LASERS: Final = {"argon": ("Gas", "Ar"), "hene": ("Gas", "HeNe"), "dpss": ("SolidState", None), "diode": ("Semiconductor", None)}
_MOST_PARTS: Final = 256
_EMISSION, _EXCITATION = "5", "9"
"""Kinds of dimensions (DimID)."""


def read_settings(image: etree._Element, descriptions: Sequence[etree._Element]) -> Settings:
    """Read the settings of one image.

    Parameters
    ----------
    image
        Its ``Image`` element.
    descriptions
        The ``ChannelDescription`` of each channel, in the order of the channels.
    """
    hardware = first(image, "Attachment[@Name='HardwareSetting']")
    definition = _main(image if hardware is None else hardware)
    records = read_records(image, len(descriptions))
    if definition is None:
        return records or Settings()
    parts = _Parts(image, hardware, definition)
    if definition.tag == "ATLCameraSettingDefinition":
        channels, exposures = _camera_channels(image, definition, parts, descriptions)
    else:
        channels, exposures = _confocal_channels(image, definition, parts, descriptions), ()
    settings = Settings(
        instrument=parts.instrument(),
        objective_id=parts.objective.id if parts.objective else None,
        refractive_index=positive(definition.get("RefractionIndex")),
        channels=channels,
        exposures_s=exposures,
        stage=(number(definition.get("StagePosX")), number(definition.get("StagePosY"))),
        turned=(is_on(definition, "FlipX"), is_on(definition, "FlipY"), is_on(definition, "SwapXY")),
    )
    return settings if records is None else settings.completed(records)


def _main(place: etree._Element) -> etree._Element | None:
    """The definition of the whole; in a sequential acquisition the one above its single ones."""
    definitions = [*place.iter("ATLConfocalSettingDefinition", "ATLCameraSettingDefinition")]
    told = [each for each in definitions if each.get("ObjectiveName") or each.get("StagePosX") or each.get("Pinhole")]
    return next(iter(told or definitions), None)


class _Parts:
    """Collects the parts of the instrument, each once, and gives them ids."""

    def __init__(self, image: etree._Element, hardware: etree._Element | None, definition: etree._Element) -> None:
        self._image = image
        self._hardware = hardware
        self._definition = definition
        self.zoom = positive(definition.get("Zoom"))
        self.objective = read_objective(definition)
        self._detectors: dict[str, Detector] = {}
        self._lasers: dict[tuple[str, float], LightSource] = {}
        self._filters: dict[tuple[float | None, float | None, str | None], Filter] = {}

    def swept(self, dimension: str) -> bool:
        """Whether a wavelength was swept during the acquisition."""
        sizes = (
            each.get("NumberOfElements") for each in self._image.iterfind(f"ImageDescription/Dimensions/DimensionDescription[@DimID='{dimension}']")
        )
        return any((integer(size) or 0) > 1 for size in sizes)

    def detector(self, model: str, kind: str | None) -> str:
        """The id of a detector."""
        if model not in self._detectors and len(self._detectors) < _MOST_PARTS:
            type_ = _DETECTORS.get(kind.upper(), kind) if kind else None
            self._detectors[model] = Detector(f"Detector:{len(self._detectors)}", model=model, manufacturer=LEICA, type=type_, zoom=self.zoom)
        return self._detectors[model].id if model in self._detectors else ""

    def laser(self, source: str | None, wavelength: float) -> str:
        """The id of a laser line."""
        key = (source or "", wavelength)
        if key not in self._lasers and len(self._lasers) < _MOST_PARTS:
            type_, medium = next((known for word, known in _LASERS.items() if word in key[0].lower()), (None, None))
            found = LightSource(f"LightSource:{len(self._lasers)}", "Laser", model=source, type=type_, medium=medium, wavelength_nm=wavelength)
            self._lasers[key] = found
        return self._lasers[key].id if key in self._lasers else ""

    def filter(self, low: float | None, high: float | None, model: str | None) -> None:
        """Note a band that light passes to a detector."""
        key = (low, high, model)
        if (low or high or model) and key not in self._filters and len(self._filters) < _MOST_PARTS:
            self._filters[key] = Filter(f"Filter:{len(self._filters)}", model=model, cut_in_nm=low, cut_out_nm=high)

    def instrument(self) -> Instrument:
        """All of it."""
        system = text(self._hardware.get("SystemTypeName")) if self._hardware is not None else None
        stand = text(self._definition.get("MicroscopeModel"))
        turned = self._definition.get("IsInverseMicroscopeModel")
        return Instrument(
            "Instrument:0",
            microscope_model=system or stand,
            microscope_manufacturer=LEICA if system or stand else None,
            microscope_type=("Inverted" if turned == "1" else "Upright") if stand and turned in ("0", "1") else None,
            objectives=(self.objective,) if self.objective else (),
            detectors=tuple(self._detectors.values()),
            light_sources=tuple(self._lasers.values()),
            filters=tuple(self._filters.values()),
        )


@dataclass(frozen=True, slots=True)
class _Line:
    """One line of a laser."""

    wavelength: float
    intensity: float
    source: str | None


def _sequences(image: etree._Element, definition: etree._Element) -> list[etree._Element]:
    """The single acquisitions of a sequential one; the only one where there is no sequence."""
    found = [child for block in image.iter("LDM_Block_Sequential_List") for child in block.iterfind("ATLConfocalSettingDefinition")]
    return found or [definition]


def _confocal_channels(
    image: etree._Element, definition: etree._Element, parts: _Parts, descriptions: Sequence[etree._Element]
) -> tuple[Channel, ...]:
    sequences = _sequences(image, definition)
    for each in (definition, *sequences):
        for line in _lines(each, every=True):
            parts.laser(line.source, line.wavelength)
    active = [(sequence, detector) for sequence in sequences for detector in _active(sequence)]
    if len(active) != len(descriptions):
        active = _named(sequences, descriptions)
    if len(active) != len(descriptions):
        # Which detector a channel comes from cannot be told.
        return tuple(_dyed(_general(definition), description) for description in descriptions)
    pairs = zip(active, descriptions, strict=True)
    return tuple(_confocal_channel(sequence, detector, definition, description, parts) for (sequence, detector), description in pairs)


def _active(sequence: etree._Element) -> Iterator[etree._Element]:
    return (detector for detector in sequence.iterfind("DetectorList/Detector") if is_on(detector, "IsActive"))


def _named(sequences: Sequence[etree._Element], descriptions: Sequence[etree._Element]) -> list[tuple[etree._Element, etree._Element]]:
    """The detectors that newer files name in their channels' properties."""
    found = []
    for description in descriptions:
        known = channel_properties(description)
        index = integer(known.get("SequentialSettingIndex")) or 0
        sequence = sequences[index] if 0 <= index < len(sequences) else None
        if sequence is not None:
            found += [(sequence, each) for each in _active(sequence) if text(each.get("Name")) == text(known.get("DetectorName"))][:1]
    return found


def channel_properties(description: etree._Element) -> dict[str, str]:
    """The ``ChannelProperty`` pairs of newer files."""
    return {(each.findtext("Key") or ""): (each.findtext("Value") or "") for each in description.iterfind("ChannelProperty")}


def _general(definition: etree._Element) -> Channel:
    """What is true of every channel."""
    pinhole = positive(definition.get("Pinhole"))
    return Channel(pinhole=Quantity(micrometres(pinhole), "µm") if pinhole else None, acquisition_mode=_mode(definition))


def _mode(definition: etree._Element) -> str | None:
    if is_on(definition, "IsSTEDActive"):
        return "STED"
    return CONFOCAL if definition.tag == "ATLConfocalSettingDefinition" else "WideField"


def _dyed(channel: Channel, description: etree._Element, dye: str | None = None) -> Channel:
    """Add the dye: ``Leica/TRITC`` is the name of an entry in Leica's dye list, and its name within that list the fluorophore's."""
    dye = text(channel_properties(description).get("DyeName")) or dye
    return replace(channel, name=dye, fluor=text(dye.rsplit("/", 1)[-1])) if dye else channel


def _confocal_channel(
    sequence: etree._Element, detector: etree._Element, definition: etree._Element, description: etree._Element, parts: _Parts
) -> Channel:
    number_of = detector.get("Channel")
    band = next((each for each in sequence.iterfind("Spectro/MultiBand") if each.get("Channel") == number_of), None)
    transmitted = detector.get("ScanType") == "TLD"
    if band is not None and not transmitted and not parts.swept(_EMISSION):
        parts.filter(positive(band.get("LeftWorld")), positive(band.get("RightWorld")), text(band.get("ChannelName")))
    model = text(detector.get("Name")) or text(detector.get("Type"))
    general = _general(sequence if positive(sequence.get("Pinhole")) else definition)
    channel = _dyed(general, description, text(band.get("DyeName")) if band is not None and not transmitted else None)
    channel = replace(
        channel,
        detector_id=(parts.detector(model, text(detector.get("Type"))) or None) if model else None,
        detector_gain=number(detector.get("Gain")),
        detector_offset=number(detector.get("Offset")),
        illumination_type="Transmitted" if transmitted else None,
    )
    # Where the excitation was swept, the settings only say where it stopped.
    line = None if parts.swept(_EXCITATION) else _exciting(sequence, detector)
    if line is None:
        return channel
    return replace(
        channel,
        excitation_nm=line.wavelength,
        light_source_id=parts.laser(line.source, line.wavelength) or None,
        light_source_attenuation=min(1.0, max(0.0, 1 - line.intensity / 100)),
    )


def _exciting(sequence: etree._Element, detector: etree._Element) -> _Line | None:
    lit = [line for line in _lines(sequence) if line.intensity > 0]
    named = first(detector, "DetectionReferenceLine")
    reference = positive(named.get("LaserWavelength")) if named is not None else None
    if reference:
        return next((line for line in lit if abs(line.wavelength - reference) < 1), _Line(reference, 0, None))
    return lit[0] if len(lit) == 1 else None


def _lines(sequence: etree._Element, *, every: bool = False) -> Iterator[_Line]:
    """Lines that may be lit, and with `every` those that are there but dark."""
    for device in sequence.iterfind("AotfList/Aotf"):
        for line in device.iterfind("LaserLineSetting"):
            wavelength, intensity = positive(line.get("LaserLine")), number(line.get("IntensityDev")) or 0.0
            dark = line.get("IsLineChecked") == "0"
            if wavelength and (not dark or (every and intensity > 0)):
                yield _Line(wavelength, intensity, text(device.get("LightSourceName")) or text(device.get("LightSourceQualifierName")))


def _camera_channels(
    image: etree._Element, definition: etree._Element, parts: _Parts, descriptions: Sequence[etree._Element]
) -> tuple[tuple[Channel, ...], tuple[float | None, ...]]:
    single = [child for block in image.iter("LDM_Block_Sequential_List") for child in block.iterfind("ATLCameraSettingDefinition")]
    found = [(each, info) for each in single or [definition] for info in each.iterfind("WideFieldChannelConfigurator/WideFieldChannelInfo")]
    lit = [pair for pair in found if pair[1].get("Active", "1") != "0" and pair[1].get("IsActive", "1") != "0"]
    if len(lit) != len(descriptions):
        lit = found if len(found) == len(descriptions) else []
    if not lit:
        return tuple(_dyed(_general(definition), description) for description in descriptions), ()
    channels = tuple(_camera_channel(each, info, description, parts) for (each, info), description in zip(lit, descriptions, strict=True))
    return channels, tuple(positive(info.get("ExposureTime")) for _, info in lit)


def _camera_channel(definition: etree._Element, info: etree._Element, description: etree._Element, parts: _Parts) -> Channel:
    configurator = info.getparent()
    camera = text(configurator.get("CameraName")) if configurator is not None else None
    named, method = text(info.get("UserDefName")), (info.get("ContrastingMethodName") or "").strip().upper()
    contrast, illumination = _CONTRASTS.get(method, (None, None))
    emission = positive(info.get("EmissionWavelength"))
    parts.filter(None, None, text(info.get("FluoCubeName")))
    dyed = _dyed(_general(definition), description)
    return replace(
        dyed,
        name=named or dyed.name or text(info.get("FluoCubeName")),
        contrast_method=contrast,
        illumination_type=illumination,
        excitation_nm=positive(info.get("ExcitationWavelength")),
        emission_nm=emission,
        detector_id=(parts.detector(camera, None) or None) if camera else None,
        detector_gain=number(info.get("Gain")),
        detector_binning=text(definition.get("Binning")),
        pinhole=None,
    )
