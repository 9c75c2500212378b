"""Notes: what a source says and the OME schema cannot.

They travel as a map annotation in this suite's namespace and are put back where they belong when the file is read again.
"""

from __future__ import annotations

import math
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from ..image import Channel, ImageMetadata, Instrument, MapAnnotation
from .ome_annotations import NOTES
from .ome_schema import allowed_words
from .ome_xml import local_name, put

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lxml import etree

INVENTED: Final = "invented"
NEGATIVE: Final = "negative"
KIND: Final = "Image Kind"
PHOTOMETRIC: Final = "Pixels PhotometricInterpretation"
MIN_IS_WHITE: Final = "MinIsWhite"
Table = tuple[tuple[int, ...], ...]
"""A palette, as `Channel.lut`."""


class Notes:
    """Notes on one image while it is written. A key is a place and an attribute, such as ``Channel:0 Color``."""

    def __init__(self) -> None:
        self.pairs: list[tuple[str, str]] = []

    def add(self, place: str, attribute: str, value: str) -> None:
        """Add a note."""
        self.pairs.append((f"{place} {attribute}", value))

    def put_word(self, element: etree._Element, attribute: str, word: str | None, place: str) -> None:
        """Set an attribute that is an enumeration; a word OME does not know becomes ``Other`` and is noted."""
        allowed = allowed_words(local_name(element), attribute)
        if word is None or word in allowed:
            put(element, attribute, word)
            return
        known = {item.lower(): item for item in allowed}.get(word.strip().lower())
        if known is None:
            self.add(place, attribute, word)
        put(element, attribute, known or ("Other" if "Other" in allowed else None))

    def annotation(self) -> MapAnnotation | None:
        """Return them as an annotation; None if there are none."""
        return MapAnnotation(NOTES, tuple(dict.fromkeys(self.pairs))) if self.pairs else None


def restore(metadata: ImageMetadata, notes: Mapping[str, str]) -> ImageMetadata:
    """Put noted values back where they belong; those whose place is gone are left out."""
    if not notes:
        return metadata
    changes: dict[str, Any] = {
        "channels": tuple(_channel(channel, notes, f"Channel:{index}") for index, channel in enumerate(metadata.channels)),
        "instrument": metadata.instrument and _instrument(metadata.instrument, notes),
        "immersion_medium": notes.get("ObjectiveSettings Medium", metadata.immersion_medium),
        "acquisition_date": notes.get("Image AcquisitionDate", metadata.acquisition_date),
    }
    index = _number(notes.get("ObjectiveSettings RefractiveIndex"))
    if index is not None and metadata.refractive_index is None:
        changes["refractive_index"] = index
    step = metadata.pixel_size_z
    if step is not None and notes.get("Pixels PhysicalSizeZ") == NEGATIVE:
        changes["pixel_size_z"] = replace(step, value=-abs(step.value))
    return replace(metadata, **changes)


def _channel(channel: Channel, notes: Mapping[str, str], place: str) -> Channel:
    return replace(
        channel,
        color_invented=channel.color is not None and notes.get(f"{place} Color") == INVENTED,
        contrast_method=notes.get(f"{place} ContrastMethod", channel.contrast_method),
        illumination_type=notes.get(f"{place} IlluminationType", channel.illumination_type),
        acquisition_mode=notes.get(f"{place} AcquisitionMode", channel.acquisition_mode),
        detector_binning=notes.get(f"{place} Binning", channel.detector_binning),
        window=_window(notes.get(f"{place} DisplayRange")) or channel.window,
        lut=_table(notes.get(f"{place} ColorTable")) or channel.lut,
    )


def table_text(table: Table) -> str:
    """Write a colour table: the parts of a colour with commas, the colours with spaces between them."""
    return " ".join(",".join(map(str, color)) for color in table)


def _table(text: str | None) -> Table | None:
    if text is None or not re.fullmatch(r"[0-9]{1,5}(,[0-9]{1,5}){2,3}( [0-9]{1,5}(,[0-9]{1,5}){2,3})*", text):
        return None
    return tuple(tuple(int(part) for part in color.split(",")) for color in text.split(" "))


def _window(text: str | None) -> tuple[float, float] | None:
    low, _, high = (text or "").partition(" ")
    first, last = _number(low), _number(high)
    return None if first is None or last is None else (first, last)


def _number(text: str | None) -> float | None:
    try:
        value = float(text or "")
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _instrument(instrument: Instrument, notes: Mapping[str, str]) -> Instrument:
    return replace(
        instrument,
        microscope_type=notes.get("Microscope Type", instrument.microscope_type),
        objectives=tuple(
            replace(
                part,
                immersion=notes.get(f"Objective:{index} Immersion", part.immersion),
                correction=notes.get(f"Objective:{index} Correction", part.correction),
            )
            for index, part in enumerate(instrument.objectives)
        ),
        detectors=tuple(replace(part, type=notes.get(f"Detector:{index} Type", part.type)) for index, part in enumerate(instrument.detectors)),
        light_sources=tuple(
            replace(
                part,
                type=notes.get(f"LightSource:{index} Type", part.type),
                medium=notes.get(f"LightSource:{index} LaserMedium", part.medium),
            )
            for index, part in enumerate(instrument.light_sources)
        ),
        filters=tuple(replace(part, type=notes.get(f"Filter:{index} Type", part.type)) for index, part in enumerate(instrument.filters)),
    )
