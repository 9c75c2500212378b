"""Zeiss LSM's metadata: voxel size, channels, times, objective, laser lines."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from ..image import Channel, Instrument, Objective, Plane, Quantity

if TYPE_CHECKING:
    from ..image import ImageMetadata

_METRE_UM = 1e6
_LONGEST = 4096
_MOST = 20_000
_IMMERSIONS = {"oil": "Oil", "w": "Water", "water": "Water", "imm": "Multi", "glyc": "Glycerol", "air": "Air", "dry": "Air"}
_CORRECTIONS = (
    ("plan-apochromat", "PlanApo"),
    ("plan-neofluar", "PlanNeofluar"),
    ("apochromat", "Apo"),
    ("neofluar", "Neofluar"),
    ("achroplan", "Achro"),
    ("achromat", "Achromat"),
    ("fluar", "Fluar"),
)
"""Zeiss' names of its classes of objectives, the first that is engraved → OME's corrections."""


def metadata(tiff: Any, known: ImageMetadata, sizes: tuple[int, int, int]) -> tuple[ImageMetadata, tuple[str, ...]]:
    """Add what the CZ_LSMINFO structure says. Lengths there are in metres, times in seconds.

    Parameters
    ----------
    sizes
        Extent along T, C and Z.
    """
    facts: dict[str, Any] = tiff.lsm_metadata or {}
    scan = facts.get("ScanInformation")
    scan = scan if isinstance(scan, Mapping) else {}
    warnings: tuple[str, ...] = ()
    if any(facts.get(key) for key in ("Roi", "BleachRoi", "VectorOverlay")):
        warnings = ("Drawings in the LSM file (regions, overlays) are not read; they are lost.",)
    return (
        replace(
            known,
            description=_text(scan.get("Description")) or _text(scan.get("Notes")),
            pixel_size_x=_length(facts.get("VoxelSizeX")),
            pixel_size_y=_length(facts.get("VoxelSizeY")),
            pixel_size_z=_length(facts.get("VoxelSizeZ")) if sizes[2] > 1 else None,
            time_increment_s=_increment(facts, sizes[0]),
            channels=_channels(facts, scan, sizes[1]),
            planes=_planes(facts, sizes),
            instrument=(instrument := _instrument(_text(scan.get("Objective")))),
            objective_id=instrument.objectives[0].id if instrument else None,
            original=known.original + tuple(_flat(facts)),
        ),
        warnings,
    )


def _length(metres: Any) -> Quantity | None:
    value = float(metres or 0) * _METRE_UM
    return Quantity(float(f"{value:.12g}"), "µm") if value > 0 else None


def _text(value: Any) -> str | None:
    return str(value).strip() or None if value else None


def _instrument(objective: str | None) -> Instrument | None:
    """The objective out of its engraving, such as ``Plan-Neofluar 40x/1.3 Oil DIC``, which is all the file has of it."""
    if not objective:
        return None
    numbers = re.search(r"(\d+(?:[.,]\d+)?)\s*x\s*(?:/\s*(\d+(?:[.,]\d+)?))?", objective, re.IGNORECASE)
    magnification, aperture = ((float(text.replace(",", ".")) if text else None) for text in (numbers.groups() if numbers else (None, None)))
    words = re.split(r"[^a-z]+", objective[numbers.end() :].lower()) if numbers else []
    immersion = next((_IMMERSIONS[word] for word in words if word in _IMMERSIONS), None)
    correction = next((correction for words, correction in _CORRECTIONS if words in objective.lower()), None)
    lens = Objective(
        "Objective:0", model=objective, magnification=magnification, numerical_aperture=aperture, immersion=immersion, correction=correction
    )
    return Instrument("Instrument:0", objectives=(lens,))


def _stamps(facts: dict[str, Any], count: int) -> list[float]:
    found = facts.get("TimeStamps")
    stamps = [] if found is None else [float(value) for value in found]
    return stamps if len(stamps) >= count else []


def _increment(facts: dict[str, Any], count: int) -> float | None:
    """The interval between time points, only if it is regular within 1 %."""
    stamps = _stamps(facts, count)[:count]
    if count < 2 or not stamps:
        return None
    mean = (stamps[-1] - stamps[0]) / (count - 1)
    regular = mean > 0 and all(abs(later - earlier - mean) <= 0.01 * mean for earlier, later in pairwise(stamps))
    return mean if regular else None


def _planes(facts: dict[str, Any], sizes: tuple[int, int, int]) -> tuple[Plane, ...]:
    stamps = _stamps(facts, sizes[0])
    if sizes[0] < 2 or not stamps:
        return ()
    return tuple(Plane(t, c, z, delta_t_s=stamps[t] - stamps[0]) for t in range(sizes[0]) for c in range(sizes[1]) for z in range(sizes[2]))


def _channels(facts: dict[str, Any], scan: Mapping[str, Any], count: int) -> tuple[Channel, ...]:
    table = facts.get("ChannelColors") or {}
    colors, names = table.get("Colors") or [], table.get("ColorNames") or []
    detection = [channel for track in scan.get("Tracks") or [] for channel in track.get("DetectionChannels") or [] if channel.get("Acquire", 1)]
    dyes = [_text(channel.get("DyeName")) for channel in detection] if len(detection) == count else [None] * count
    return tuple(
        Channel(
            name=_text(names[number]) if number < len(names) else None,
            color=_rgba(colors[number]) if number < len(colors) else None,
            fluor=dyes[number],
        )
        for number in range(count)
    )


def _rgba(entry: Any) -> int:
    value = int(entry[0]) << 24 | int(entry[1]) << 16 | int(entry[2]) << 8 | 255
    return value - (1 << 32) if value >= 1 << 31 else value


def _flat(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    for number, pair in enumerate(_walk(value, path)):
        if number >= _MOST:
            return
        yield pair


def _walk(value: Any, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _walk(inner, f"{path} {key}".strip())
    elif isinstance(value, (list, tuple)) and any(isinstance(inner, Mapping) for inner in value):
        for number, inner in enumerate(value):
            yield from _walk(inner, f"{path} {number}")
    elif value is not None and not isinstance(value, bytes):
        text = " ".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)
        if text.strip():
            yield path, text[:_LONGEST]
