"""ND2's metadata in OME's terms. What maps to what, and where it is found.

===========================  ================================================================================================
OME                          ND2 (chunk ``ImageMetadataSeq(LV)|0``, if not said otherwise)
===========================  ================================================================================================
Image.Name                   name of the position (experiment, ``Points``); else that of the file, with a number
Image.AcquisitionDate        ``dTimeAbsolute``, a Julian day in UTC, moved to the local time of the text ``date`` (`acquired`)
PhysicalSizeX, Y             ``dCalibration``, only if ``bCalibrated``
PhysicalSizeZ                ``dZStep`` of the stack; negative where the stack runs downwards
Plane.DeltaT, ExposureTime   ``CustomData|AcqTimesCache`` (ms); ``sSampleSetting.dExposureTime`` (ms) of the channel
Plane.Position               ``CustomData|X``, ``Y``, ``Z``; else points of the experiment, ``dXPos``, ``dYPos``, ``dZPos``
Channel.Name, Color          ``sDescription``, ``uiColor`` (red in the lowest byte); black and white are no information
Channel.Emission             the highest point of the filter's ``m_EmissionSpectrum``; else ``EmWavelength`` of the camera
Channel.Excitation           the only laser line in use; else ``m_ExcitationSpectrum``, ``ExWavelength``
Channel.Fluor                ``pFluorescentProbe.m_sName``
Channel modes                bits of ``uiModalityMask`` (`MODES`, `CONTRASTS`)
Channel.PinholeSize          ``dPinholeDiameter`` (µm)
Channel display range        ``CustomDataVar|LUTDataV1_0``, if the look-up tables are on
Objective                    ``wsObjectiveName``, ``dObjectiveNA``, ``pObjectiveSetting.dObjectiveMag``, else "60x" in the name
Objective.Immersion          words in the name; else the refractive index (`IMMERSIONS`)
Microscope.Model             ``m_sMicroscopePhysFullName``
Detector, Binning            ``pCameraSetting``: ``CameraUniqueName``; ``dBinningX``, ``dBinningY`` of the format in use
Laser                        ``m_bMultiLaserLineUsed…``, ``m_uiMultiLaserLineWavelength…``
Filter                       ``m_sFilterName…``
===========================  ================================================================================================

Sources: the files of ``realfiles/``; names of bits and fields as in the nd2 package of T. Lambert and in limnd2; Bio-Formats
for what is compared with it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from ..image import Channel, Detector, Filter, Instrument, LightSource, Objective, Quantity
from ..readers.nd2_variant import Tree, branch, entries, number, text, whole

if TYPE_CHECKING:
    from collections.abc import Sequence

_FLUORESCENCE, _BRIGHTFIELD, _PHASE, _DIC, _CAMERA = 0x1, 0x2, 0x10, 0x20, 0x100
_SCANNING, _SPINNING, _SLIT, _SWEPT, _MULTIPHOTON, _TIRF, _SIM, _SPECTRAL = 0x200, 0x400, 0x800, 0x1000, 0x10000, 0x20000, 0x4000, 0x200000
_PMT, _GAASP = 0x100000, 0x8000000

MODES: Final = (
    (_TIRF, "TotalInternalReflection"),
    (_SIM, "StructuredIllumination"),
    (_MULTIPHOTON, "MultiPhotonMicroscopy"),
    (_SPECTRAL, "SpectralImaging"),
    (_SCANNING, "LaserScanningConfocalMicroscopy"),
    (_SPINNING, "SpinningDiskConfocal"),
    (_SLIT, "SlitScanConfocal"),
    (_SWEPT, "SweptFieldConfocal"),
    (_BRIGHTFIELD, "BrightField"),
    (_FLUORESCENCE, "WideField"),
)
"""Bits of the modality to OME's acquisition mode; the first that is set says most."""
CONTRASTS: Final = ((_PHASE, "Phase"), (_DIC, "DIC"), (_FLUORESCENCE, "Fluorescence"), (_BRIGHTFIELD, "Brightfield"))
OLD_MODES: Final = {
    0: _FLUORESCENCE | _CAMERA,
    1: _BRIGHTFIELD | _CAMERA,
    2: _FLUORESCENCE | _SCANNING,
    3: _FLUORESCENCE | _SPINNING,
    4: _FLUORESCENCE | _SLIT,
    5: _FLUORESCENCE | _MULTIPHOTON,
    6: _BRIGHTFIELD | _PHASE,
    7: _BRIGHTFIELD | _DIC,
    8: _FLUORESCENCE | _SCANNING | _SPECTRAL,
}
"""``eModality`` of older files to the bits newer ones have."""
IMMERSIONS: Final = ((0.99, 1.01, "Air"), (1.32, 1.345, "Water"), (1.44, 1.48, "Glycerol"), (1.5, 1.53, "Oil"))
"""Refractive index, from and to, to the medium that has it."""
_IMMERSION_WORDS: Final = {"oil": "Oil", "wi": "Water", "w": "Water", "water": "Water", "gly": "Glycerol", "glyc": "Glycerol", "sil": "Other"}
_SECONDS: Final = {"s": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "μs": 1e-6, "min": 60.0}
_EXPOSURE: Final = re.compile(r"Exposure:\s*(\d+(?:[.,]\d+)?)\s*(ms|s|us|[µμ]s|min)\b")
_LASER_USED: Final = re.compile(r"m_bMultiLaserLineUsed(\d+)-(\d+)")
_FILTER: Final = re.compile(r"m_sFilterName(\d+)")
_NO_FILTER: Final = frozenset({"", "empty", "full", "open", "none", "???"})
_RGB_SAMPLES: Final = 3
_COLOURS: Final = {"blue": 0xFF0000, "green": 0x00FF00, "red": 0x0000FF}
"""In the order in which cameras store them."""
_WHITE: Final = 0xFFFFFF
_MOST_PARTS: Final = 1000


@dataclass(frozen=True, slots=True)
class Described:
    """What the picture metadata say: channels, their exposure times, and the instrument they were taken with."""

    channels: tuple[Channel, ...]
    exposures_s: tuple[float | None, ...]
    instrument: Instrument | None
    objective_id: str | None
    refractive_index: float | None
    immersion_medium: str | None


def planes_of(picture: Tree) -> list[Tree]:
    """Descriptions of the channels, in the order of their components."""
    planes = branch(picture, "sPicturePlanes")
    return [branch(plane) for plane in entries(planes.get("sPlaneNew") or planes.get("sPlane"))][: whole(planes, "uiCount")]


def describe(picture: Tree, texts: Tree, tables: Tree, camera: str | None, channels: int) -> Described:
    """Map the picture metadata.

    Parameters
    ----------
    picture
        The picture metadata of the first frame.
    texts
        The text information.
    tables
        The look-up tables.
    camera
        Name of the camera in the experiment, for files whose picture metadata have none.
    channels
        How many channels the image has.
    """
    planes = _by_channel(planes_of(picture), channels)
    samples = _samples(picture, planes)
    parts = _Parts(camera, number(picture, "dZoom"))
    lens, index = _objective(picture, samples, texts)
    made = []
    windows = _windows(tables, channels)
    for number_, plane in enumerate(planes):
        made.append(_channel(plane, samples[number_], number_, channels, windows[number_], parts))
    maker = next((name for sample in samples if (name := text(branch(sample, "pDeviceSetting"), "m_sMicroscopePhysFullName"))), None)
    if not planes:
        parts.detector({}, None, scans=False)
    instrument = Instrument(
        "Instrument:0",
        microscope_model=maker,
        microscope_manufacturer="Nikon" if maker and "nikon" in maker.lower() else None,
        objectives=(lens,) if lens else (),
        detectors=tuple(parts.detectors.values()),
        light_sources=tuple(parts.lasers.values()),
        filters=tuple(parts.filters.values()),
    )
    return Described(
        tuple(made),
        _exposures(samples, texts, channels),
        instrument if instrument != Instrument("Instrument:0") else None,
        lens.id if lens else None,
        index,
        _medium(index),
    )


def _samples(picture: Tree, planes: Sequence[Tree]) -> list[Tree]:
    """The settings each channel was taken with."""
    settings = branch(picture, "sPicturePlanes", "sSampleSetting")
    own = []
    for number_, plane in enumerate(planes):
        index = whole(plane, "uiSampleIndex")
        own.append(branch(settings, f"a{number_ if index is None else index}"))
    return own


class _Parts:
    """Parts of the instrument, each once."""

    def __init__(self, camera: str | None, zoom: float | None) -> None:
        self.camera = camera
        self.zoom = zoom if zoom and zoom > 0 else None
        self.detectors: dict[str, Detector] = {}
        self.lasers: dict[tuple[str, int], LightSource] = {}
        self.filters: dict[str, Filter] = {}

    def detector(self, sample: Tree, kind: str | None, *, scans: bool) -> str | None:
        """Give the id of the camera, or other detector, of a channel; the zoom is that of a scanner."""
        camera = branch(sample, "pCameraSetting")
        names = (text(camera, "CameraUniqueName"), text(camera, "CameraUserName"), text(camera, "CameraFamilyName"), self.camera)
        name = next(filter(None, names), None)
        if name is None:
            return None
        known = self.detectors.setdefault(name, Detector(f"Detector:{len(self.detectors)}", model=name, type=kind, zoom=self.zoom if scans else None))
        return known.id

    def laser(self, devices: Tree) -> tuple[str | None, float | None]:
        """Give the id and wavelength of the only laser line that was on; all lines that were on become parts."""
        on = []
        for key in devices:
            match = _LASER_USED.fullmatch(key)
            line = whole(devices, f"m_uiMultiLaserLineWavelength{match[1]}-{match[2]}") if match and devices[key] else None
            if match and line and 0 < line < 10_000 and len(self.lasers) < _MOST_PARTS:
                model = text(devices, f"m_sMultiLaserFullName{match[1]}") or ""
                new = LightSource(f"LightSource:{len(self.lasers)}", "Laser", model=model or None, wavelength_nm=float(line))
                on.append(self.lasers.setdefault((model, line), new))
        return (on[0].id, on[0].wavelength_nm) if len(on) == 1 else (None, None)

    def note_filters(self, devices: Tree) -> None:
        """Take the filters that were in the light path among the parts."""
        for key in devices:
            name = text(devices, key) if _FILTER.fullmatch(key) else None
            if name and name.lower() not in _NO_FILTER and len(self.filters) < _MOST_PARTS:
                self.filters.setdefault(name, Filter(f"Filter:{len(self.filters)}", model=name))


def _by_channel(planes: list[Tree], channels: int) -> list[Tree]:
    """One description for each channel, where colours taken beside other channels are channels too; none if they do not fit."""
    counts = [whole(plane, "uiCompCount") or 1 for plane in planes]
    if len(planes) == channels or sum(counts) != channels:
        return planes if len(planes) == channels else []
    found: list[Tree] = []
    for index, (stored, count) in enumerate(zip(planes, counts, strict=True)):
        plane = {"uiSampleIndex": index} | stored
        name = text(plane, "sDescription") or text(plane, "sOpticalConfigName") or ""
        if count == _RGB_SAMPLES:
            found += [plane | {"uiCompCount": 1, "sDescription": f"{name} {word}".strip(), "uiColor": bgr} for word, bgr in _COLOURS.items()]
        else:
            found += [plane] * count
    return found


def _channel(plane: Tree, sample: Tree, number_: int, channels: int, window: tuple[float, float] | None, parts: _Parts) -> Channel:
    mask = whole(plane, "uiModalityMask")
    if mask is None:
        modality = whole(plane, "eModality")
        mask = OLD_MODES.get(modality, 0) if modality is not None else 0
    colours = whole(plane, "uiCompCount") == _RGB_SAMPLES
    devices = branch(sample, "pDeviceSetting")
    parts.note_filters(devices)
    laser, line = parts.laser(devices) if mask & _FLUORESCENCE else (None, None)
    pinhole = number(plane, "dPinholeDiameter")
    emission = None if colours else _emission(plane, sample)
    return Channel(
        name=text(plane, "sDescription") or text(plane, "sOpticalConfigName"),
        color=None if colours else _color(whole(plane, "uiColor")),
        fluor=text(branch(plane, "pFluorescentProbe"), "m_sName"),
        excitation_nm=None if colours else line or _excitation(plane, sample, number_, channels),
        emission_nm=emission,
        contrast_method=next((name for bit, name in CONTRASTS if mask & bit), None),
        illumination_type="Epifluorescence" if mask & _FLUORESCENCE else "Transmitted" if mask & _BRIGHTFIELD else None,
        acquisition_mode=next((name for bit, name in MODES if mask & bit), None),
        pinhole=Quantity(pinhole, "µm") if pinhole and pinhole > 0 else None,
        detector_id=parts.detector(sample, "PMT" if mask & (_PMT | _GAASP) else None, scans=bool(mask & _SCANNING)),
        detector_binning=_binning(sample),
        light_source_id=laser,
        window=None if colours else window,
    )


def _color(bgr: int | None) -> int | None:
    """OME's signed RGBA; None for black, which would show nothing, and white, which NIS-Elements gives what has no colour."""
    if not bgr or bgr & _WHITE in (0, _WHITE):
        return None
    value = (bgr & 255) << 24 | (bgr >> 8 & 255) << 16 | (bgr >> 16 & 255) << 8 | 255
    return value - (1 << 32) if value >= 1 << 31 else value


def _spectrum(plane: Tree, name: str) -> list[Tree]:
    """Points of the probe's spectrum, or the first filter's, that have a wavelength."""
    filters = [branch(item) for item in entries(branch(plane, "pFilterPath").get("m_pFilter"))]
    for owner in (branch(plane, "pFluorescentProbe"), *filters[:1]):
        points = [branch(point) for point in entries(branch(owner, name).get("pPoint"))]
        points = [point for point in points if (number(point, "dWavelength") or 0) > 0]
        if points:
            return points
    return []


def _camera_channel(sample: Tree, name: str | None) -> Tree:
    """What the camera's own metadata say of the channel of that name."""
    known = [branch(item) for item in entries(branch(sample, "pCameraSetting", "Metadata", "Channels"))]
    named = [item for item in known if text(item, "Name") == name]
    return named[0] if len(named) == 1 else known[0] if len(known) == 1 else {}


def _emission(plane: Tree, sample: Tree) -> float | None:
    points = _spectrum(plane, "m_EmissionSpectrum")
    if points:
        return number(max(points, key=lambda point: number(point, "dTValue") or 0), "dWavelength")
    wavelength = number(_camera_channel(sample, text(plane, "sDescription")), "EmWavelength")
    return wavelength if wavelength and wavelength > 0 else None


def _excitation(plane: Tree, sample: Tree, number_: int, channels: int) -> float | None:
    points = _spectrum(plane, "m_ExcitationSpectrum")
    if len(points) == channels > 1:
        # A scanner lists the lines of all channels with every one of them.
        return number(points[number_], "dWavelength")
    if points:
        return number(max(points, key=lambda point: number(point, "dTValue") or 0), "dWavelength")
    wavelength = number(_camera_channel(sample, text(plane, "sDescription")), "ExWavelength")
    return wavelength if wavelength and wavelength > 0 else None


def _binning(sample: Tree) -> str | None:
    camera = branch(sample, "pCameraSetting")
    format_ = branch(camera, "FormatFast" if whole(sample, "uiModeFQ") == 1 else "FormatQuality", "fmtDesc")
    x, y = number(format_, "dBinningX"), number(format_, "dBinningY")
    if x and y and x >= 1 and y >= 1:
        return f"{x:g}x{y:g}"
    said = re.search(r"Binning:\s*(\d+x\d+)", text(sample, "sSpecSettings") or "")
    return said[1] if said else None


def _windows(tables: Tree, channels: int) -> list[tuple[float, float] | None]:
    """Display range of every channel."""
    lut = branch(tables, "m_sLutParam")
    if not tables.get("m_bViewLut"):
        return [None] * channels
    own = [lut] if channels == 1 else [branch(lut, "sCompLutParam", f"a{index:02}") for index in range(channels)]
    ranges = [(number(item, "uiMinSrc"), number(item, "uiMaxSrc")) for item in own]
    return [(low, high) if low is not None and high is not None and low < high else None for low, high in ranges]


def _said(texts: Tree, key: str) -> float | None:
    """A number that the description of the acquisition has behind a word."""
    found = re.search(rf"{key}:\s*(\d+(?:[.,]\d+)?)", _description(texts))
    return float(found[1].replace(",", ".")) if found else None


def _description(texts: Tree) -> str:
    return " ".join(value for value in _strings(texts) if value)


def _strings(tree: Any) -> list[str]:
    if isinstance(tree, str):
        return [tree]
    return [inner for item in entries(tree) for inner in _strings(item)]


def _exposures(samples: Sequence[Tree], texts: Tree, channels: int) -> tuple[float | None, ...]:
    """Exposure time of every channel, in seconds."""
    stored = [number(sample, "dExposureTime") for sample in samples]
    if any(value and value > 0 for value in stored):
        return tuple(value / 1000 if value and value > 0 else None for value in stored)
    said = [
        float(value.replace(",", ".")) * _SECONDS[unit] for value, unit in _EXPOSURE.findall(text(texts, "TextInfoItem_5") or _description(texts))
    ]
    if len(said) == channels or len(set(said)) == 1:
        return tuple(said[:channels]) if len(said) == channels else (said[0],) * channels
    return (None,) * channels


def _objective(picture: Tree, samples: Sequence[Tree], texts: Tree) -> tuple[Objective | None, float | None]:
    """The lens, and the refractive index it was used at."""
    settings = next((found for sample in samples if (found := branch(sample, "pObjectiveSetting"))), {})
    name = text(picture, "wsObjectiveName") or text(settings, "wsObjectiveName") or text(texts, "TextInfoItem_13")
    numbers = (number(settings, "dObjectiveMag"), number(picture, "dObjectiveMag"), _magnification(name))
    magnification = next((value for value in numbers if value and value > 0), None)
    apertures = (number(picture, "dObjectiveNA"), number(settings, "dObjectiveNA"), _said(texts, "Numerical Aperture"))
    aperture = next((value for value in apertures if value and value > 0), None)
    indices = (number(picture, "dRefractIndex1"), number(settings, "dRefractIndex"), _said(texts, "Refractive Index"))
    index = next((value for value in indices if value and value > 0), None)
    if not (name or magnification or aperture):
        return None, index
    words = re.split(r"[^a-z]+", (name or "").lower())
    immersion = next((_IMMERSION_WORDS[word] for word in words if word in _IMMERSION_WORDS), None) or _medium(index)
    return Objective("Objective:0", model=name, magnification=magnification, numerical_aperture=aperture, immersion=immersion), index


def _magnification(name: str | None) -> float | None:
    found = re.search(r"(?<![\d.])(\d+(?:\.\d+)?)\s*x(?![a-z])", name or "", re.IGNORECASE)
    return float(found[1]) if found else None


def _medium(index: float | None) -> str | None:
    return next((medium for low, high, medium in IMMERSIONS if index and low <= index <= high), None)
