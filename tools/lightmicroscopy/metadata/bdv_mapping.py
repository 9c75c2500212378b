"""The XML of BigDataViewer (SpimData) in OME terms.

=====================================================  ================================================
SequenceDescription / ViewSetups / ViewSetup           OME
=====================================================  ================================================
name                                                   Image Name
voxelSize / size (x y z), unit                         PhysicalSizeX, Y, Z
attributes / channel; Attributes name="channel"        setups alike in all else are channels; Channel Name
=====================================================  ================================================

Registrations (transformations) are kept as original metadata and never applied. Source: documentation of BigDataViewer
(imagej.net) and Bio-Formats' BDVReader.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from ..image import PixelSize, Quantity
from .ome_units import NOT_LENGTHS, spell_unit
from .safe_xml import parse_xml

if TYPE_CHECKING:
    from lxml import etree

_SETUPS: Final = 100_000
_TEXT: Final = 4096


@dataclass(frozen=True, slots=True)
class Setup:
    """One view setup; `place` is everything that tells it from others except its channel."""

    id: int
    name: str | None
    pixel_size: PixelSize | None
    channel: str | None
    channel_name: str | None
    place: tuple[tuple[str, str], ...]
    original: tuple[tuple[str, str], ...]


def file_of(xml: bytes, source: str) -> str | None:
    """Name of the HDF5 file that an XML speaks of; of its folder nothing is taken."""
    text = parse_xml(xml, source).findtext(".//ImageLoader/hdf5")
    return re.split(r"[/\\]", text.strip())[-1] or None if text else None


def read_spim_data(xml: bytes, source: str) -> list[Setup]:
    """Read the view setups of an XML; raises `UnreadableError` if it is none."""
    root = parse_xml(xml, source)
    names = {
        own.findtext("id", "").strip(): own.findtext("name", "").strip()
        for group in root.iterfind(".//ViewSetups/Attributes[@name='channel']")
        for own in group.iterfind("Channel")
    }
    registrations = _registrations(root)
    setups = []
    for element in list(root.iterfind(".//ViewSetups/ViewSetup"))[:_SETUPS]:
        number = element.findtext("id", "").strip()
        if not re.fullmatch(r"\d{1,9}", number):
            continue
        attributes = {str(own.tag): (own.text or "").strip() for own in element.iterfind("attributes/*") if isinstance(own.tag, str)}
        channel = attributes.pop("channel", None)
        name = element.findtext("name", "").strip() or None
        setups.append(
            Setup(
                id=int(number),
                name=name[:_TEXT] if name else None,
                pixel_size=_pixel_size(element),
                channel=channel,
                channel_name=(names.get(channel or "") or None) if channel is not None else None,
                place=tuple(sorted(attributes.items())),
                original=(*((f"ViewSetup {number} {key}", value) for key, value in attributes.items()), *registrations.get(number, ())),
            )
        )
    return setups


def _pixel_size(setup: etree._Element) -> PixelSize | None:
    unit = spell_unit(setup.findtext("voxelSize/unit", ""), "length")
    try:
        sizes = [float(part) for part in setup.findtext("voxelSize/size", "").split()]
    except ValueError:
        return None
    if unit is None or unit in NOT_LENGTHS or len(sizes) != 3 or not all(0 < size < float("inf") for size in sizes):
        return None
    x, y, z = (Quantity(size, unit) for size in sizes)
    return PixelSize(z, y, x)


def _registrations(root: etree._Element) -> dict[str, tuple[tuple[str, str], ...]]:
    """Transformations of each setup at its first time point."""
    found: dict[str, tuple[tuple[str, str], ...]] = {}
    for view in root.iterfind(".//ViewRegistrations/ViewRegistration"):
        setup = view.get("setup", "")
        if setup in found or len(found) >= _SETUPS:
            continue
        found[setup] = tuple(
            (f"ViewSetup {setup} ViewTransform {number} {step.findtext('Name', '').strip()}".strip(), step.findtext("affine", "").strip()[:_TEXT])
            for number, step in enumerate(view.iterfind("ViewTransform"))
        )
    return found
