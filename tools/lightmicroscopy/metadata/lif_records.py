"""Settings as LAS AF wrote them until version 3: records of an identifier and a value, one list for the scanner, one for the light path.

Source: Bio-Formats' LIFReader for which record means what; the table of `lif_settings` has them.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Final

from ..image import Channel, Detector, Filter, Instrument, Quantity
from .lif_facts import CONFOCAL, LEICA, Settings, micrometres
from .lif_objective import objective
from .lif_xml import integer, number, positive, text

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lxml import etree

_CAMERA_CHANNEL: Final = re.compile(r"[a-z]WFC(\d+)(.*)")
_MOST: Final = 10_000
_MOST_PARTS: Final = 256


def read_records(image: etree._Element, count: int) -> Settings | None:
    """Read the records of an image of so many channels; None if it has none."""
    scanner = [each for each, _ in zip(image.iter("ScannerSettingRecord"), range(_MOST), strict=False)]
    path = [each for each, _ in zip(image.iter("FilterSettingRecord"), range(_MOST), strict=False)]
    if not scanner and not path:
        return None
    said = {each.get("Identifier", ""): each.get("Variant", "") for each in reversed(scanner)}
    paths = {each.get("Attribute", ""): each.get("Variant", "") for each in reversed(path)}
    channels = _camera(scanner, count)
    exposures = _exposures(scanner, count)
    detectors = _detectors(scanner, path, positive(said.get("dblZoom")))
    channels = _light_path(path, channels, detectors, confocal=not any(exposures))
    pinhole = positive(said.get("dblPinhole"))
    if pinhole:
        channels = [replace(channel, pinhole=Quantity(micrometres(pinhole), "µm")) for channel in channels]
    lens = text(paths.get("Objective"))
    aperture = positive(paths.get("NumericalAperture"))
    glass = objective(lens, aperture=aperture) if lens or aperture else None
    model = text(said.get("SystemType"))
    return Settings(
        instrument=Instrument(
            "Instrument:0",
            microscope_model=model,
            microscope_manufacturer=LEICA if model else None,
            objectives=(glass,) if glass else (),
            detectors=tuple(detectors.values()),
            filters=_filters(path),
        ),
        objective_id=glass.id if glass else None,
        refractive_index=positive(paths.get("RefractionIndex")),
        channels=tuple(channels),
        exposures_s=exposures,
        stage=(number(paths.get("XPos")), number(paths.get("YPos"))),
        stage_unit="m" if any(each.get("Attribute") == "XPos" and each.get("Unit") == "m" for each in path) else "reference frame",
    )


def _camera(scanner: Iterable[etree._Element], count: int) -> list[Channel]:
    """What the records of a camera's channels say; they are numbered from 0 in their identifiers."""
    channels = [Channel() for _ in range(count)]
    for each in scanner:
        match = _CAMERA_CHANNEL.fullmatch(each.get("Identifier", ""))
        index = int(match[1]) if match and len(match[1]) < 5 else count
        if match is None or index >= count:
            continue
        value, what = each.get("Variant", ""), match[2]
        if what.endswith("Gain"):
            channels[index] = replace(channels[index], detector_gain=number(value))
        elif what.endswith("WaveLength"):
            channels[index] = replace(channels[index], excitation_nm=positive(value))
        elif what.endswith(("UesrDefName", "UserDefName")):
            # The misspelling is Leica's.
            channels[index] = replace(channels[index], name=channels[index].name or text(value))
    return channels


def _exposures(scanner: Iterable[etree._Element], count: int) -> tuple[float | None, ...]:
    found: list[float | None] = [None] * count
    for each in scanner:
        match = _CAMERA_CHANNEL.fullmatch(each.get("Identifier", ""))
        if match and match[2].endswith("ExposureTime") and len(match[1]) < 5 and int(match[1]) < count:
            found[int(match[1])] = positive(each.get("Variant"))
    return tuple(found) if any(found) else ()


def _units(path: Iterable[etree._Element], kind: str, attribute: str) -> list[etree._Element]:
    return [each for each in path if each.get("ClassName") == kind and each.get("Attribute") == attribute]


def _detectors(scanner: Iterable[etree._Element], path: Iterable[etree._Element], zoom: float | None) -> dict[str, Detector]:
    """Detectors by their names: photomultipliers that were active, and cameras."""
    active = [each.get("ObjectName") for each in _units(path, "CDetectionUnit", "State") if (each.get("Variant") or "").strip() == "Active"]
    cameras = [each.get("Variant") for each in scanner if each.get("Identifier") == "CameraName"]
    names = [(name, "PMT") for name in map(text, active) if name] + [(name, "CCD") for name in map(text, cameras) if name]
    unique = dict(names[:_MOST_PARTS])
    return {
        name: Detector(f"Detector:{index}", model=name, manufacturer=LEICA, type=kind if name.upper().startswith(kind) else None, zoom=zoom)
        for index, (name, kind) in enumerate(unique.items())
    }


def _light_path(path: list[etree._Element], channels: list[Channel], detectors: dict[str, Detector], *, confocal: bool) -> list[Channel]:
    """Add to each channel its detector and stain, where there is one active detector for each channel."""
    active = [each for each in _units(path, "CDetectionUnit", "State") if (each.get("Variant") or "").strip() == "Active"]
    if len(active) != len(channels):
        return channels
    stains = {integer(each.get("Data")): text(each.get("Variant")) for each in _units(path, "CSpectrophotometerUnit", "Stain")}
    offsets = {integer(each.get("Data")): number(each.get("Variant")) for each in _units(path, "CDetectionUnit", "VideoOffset")}
    voltages = {integer(each.get("Data")): positive(each.get("Variant")) for each in _units(path, "CDetectionUnit", "HighVoltage")}
    found = []
    for channel, unit in zip(channels, active, strict=True):
        place = integer(unit.get("Data"))
        detector = detectors.get(text(unit.get("ObjectName")) or "")
        stain, voltage = stains.get(place), voltages.get(place)
        found.append(
            replace(
                channel,
                name=channel.name or stain,
                fluor=stain.rsplit("/", 1)[-1] if stain else None,
                acquisition_mode=CONFOCAL if confocal else None,
                detector_id=detector.id if detector else None,
                detector_offset=offsets.get(place),
                detector_voltage=Quantity(voltage, "V") if voltage else None,
            )
        )
    return found


def _filters(path: list[etree._Element]) -> tuple[Filter, ...]:
    """Bands of the spectrophotometer."""
    bands: dict[str, dict[str, float | None]] = {}
    for each in path:
        side = next((side for side in ("left", "right") if (each.get("Description") or "").endswith(f"({side})")), None)
        if each.get("ClassName") == "CSpectrophotometerUnit" and side and len(bands) < _MOST_PARTS:
            bands.setdefault(each.get("ObjectName", ""), {}).setdefault(side, positive(each.get("Variant")))
    lit = {name: band for name, band in bands.items() if any(band.values())}
    return tuple(
        Filter(f"Filter:{index}", model=text(name), cut_in_nm=band.get("left"), cut_out_nm=band.get("right"))
        for index, (name, band) in enumerate(lit.items())
    )
