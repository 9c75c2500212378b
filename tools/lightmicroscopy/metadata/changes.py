"""What is to be written into one series: the values of a sheet in the terms of OME, checked before any file is touched."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Final

from ..errors import UsageError
from .ome_schema import allowed_words

if TYPE_CHECKING:
    from ..image import MapAnnotation

_COLOR: Final = re.compile("[0-9A-Fa-f]{6}")
_LARGEST: Final = 1e12
"""No length in micrometres, time in seconds or wavelength in nanometres that a microscope has to do with is larger."""
_SMALLEST: Final = 1e-12
"""Nor is one smaller; below it numbers lose their digits."""
_HIGHEST_NA: Final = 2.0
"""Above the refractive index of any immersion in use."""


@dataclass(frozen=True, slots=True)
class ChannelChanges:
    """What to set for one channel; ``None`` leaves it as it is. Wavelengths in nanometres, colour as ``RRGGBB``."""

    name: str | None = None
    color: str | None = None
    excitation_nm: float | None = None
    emission_nm: float | None = None


@dataclass(frozen=True, slots=True)
class ObjectiveChanges:
    """What to set for the objective that was used; ``None`` leaves it as it is."""

    model: str | None = None
    magnification: float | None = None
    numerical_aperture: float | None = None
    immersion: str | None = None
    """A word of OME's, in any case of letters."""


@dataclass(frozen=True, slots=True)
class SeriesChanges:
    """What to set for one series; ``None`` and empty leave it as it is.

    Attributes
    ----------
    channels
        One for each channel of the series, in its order.
    annotations
        Key-value pairs: in the annotations of the same namespace they replace those of the same key, and leave all others.
    """

    image_name: str | None = None
    description: str | None = None
    pixel_size_x_um: float | None = None
    pixel_size_y_um: float | None = None
    pixel_size_z_um: float | None = None
    time_increment_s: float | None = None
    channels: tuple[ChannelChanges, ...] = ()
    objective: ObjectiveChanges | None = None
    annotations: tuple[MapAnnotation, ...] = ()

    @property
    def pixel_sizes(self) -> dict[str, float]:
        """Pixel sizes to set in micrometres, by axis (``x``, ``y``, ``z``)."""
        sizes = {"x": self.pixel_size_x_um, "y": self.pixel_size_y_um, "z": self.pixel_size_z_um}
        return {axis: size for axis, size in sizes.items() if size is not None}

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to set."""
        return self == SeriesChanges(channels=tuple(ChannelChanges() for _ in self.channels))


def refuse_wrong(changes: SeriesChanges, series: str, channels: int) -> None:
    """Refuse values that no image can have.

    Parameters
    ----------
    series
        What errors call the series.
    channels
        How many it has.

    Raises
    ------
    UsageError
        Naming everything that is wrong.
    """
    wrong = list(_wrong(changes, channels))
    if wrong:
        raise UsageError(f"{series} was not annotated: {'; '.join(wrong)}. Correct the sheet.")


def _wrong(changes: SeriesChanges, channels: int) -> Iterator[str]:
    for name in ("pixel_size_x_um", "pixel_size_y_um", "pixel_size_z_um", "time_increment_s"):
        yield from _not_positive(name, getattr(changes, name))
    if changes.channels and len(changes.channels) != channels:
        yield f"it has {channels} channel{'s' if channels != 1 else ''}, and the sheet has values for {len(changes.channels)}"
    for number, channel in enumerate(changes.channels):
        for name in ("excitation_nm", "emission_nm"):
            yield from _not_positive(f"{name} of channel {number}", getattr(channel, name))
        if channel.color is not None and not _COLOR.fullmatch(channel.color):
            yield f"the colour {channel.color[:20]!r} of channel {number} is not of the form RRGGBB"
    lens = changes.objective
    if lens is None:
        return
    yield from _not_positive("objective_magnification", lens.magnification)
    yield from _not_positive("objective_na", lens.numerical_aperture, _HIGHEST_NA)
    if lens.immersion is not None and immersion(lens.immersion) is None:
        words = ", ".join(sorted(allowed_words("Objective", "Immersion")))
        yield f"objective_immersion {lens.immersion[:40]!r} is no immersion OME knows ({words})"


def _not_positive(name: str, value: float | None, most: float = _LARGEST) -> Iterator[str]:
    if value is None:
        return
    if not math.isfinite(value):
        yield f"{name} is {value}, which is no number"
    elif value <= 0:
        yield f"{name} is {value:g}, and must be above 0"
    elif value > most or value < _SMALLEST:
        yield f"{name} is {value:g}, which cannot be; is it in another unit"


def immersion(word: str) -> str | None:
    """Write an immersion as OME does; ``None`` if OME has no such word."""
    known = {allowed.lower(): allowed for allowed in allowed_words("Objective", "Immersion")}
    return known.get(word.strip().lower())


def filled(part: object) -> bool:
    """Whether a part of the changes has anything to set."""
    return part is not None and any(getattr(part, item.name) is not None for item in fields(part))  # type: ignore[arg-type]
