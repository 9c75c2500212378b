"""Units of OME-XML: their spelling, and conversion to nanometres and seconds.

Source: types ``UnitsLength`` and ``UnitsTime`` of the OME schema 2016-06. Values are scaled by exact powers of ten where
the unit is metric, so that 30 ms becomes 0.03 s and not 0.030000000000000002 s.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from ..image import Quantity

Kind = Literal["length", "time", "power", "voltage"]

_POWERS: Final = {
    "Y": 24,
    "Z": 21,
    "E": 18,
    "P": 15,
    "T": 12,
    "G": 9,
    "M": 6,
    "k": 3,
    "h": 2,
    "da": 1,
    "": 0,
    "d": -1,
    "c": -2,
    "m": -3,
    "µ": -6,
    "n": -9,
    "p": -12,
    "f": -15,
    "a": -18,
    "z": -21,
    "y": -24,
}
_LENGTH_POWERS: Final = {prefix + "m": power for prefix, power in _POWERS.items()} | {"Å": -10}
_TIME_POWERS: Final = {prefix + "s": power for prefix, power in _POWERS.items()}
_METRES: Final = {
    "thou": 2.54e-5,
    "li": 0.0254 / 12,
    "in": 0.0254,
    "ft": 0.3048,
    "yd": 0.9144,
    "mi": 1609.344,
    "ua": 1.495978707e11,
    "ly": 9.4607304725808e15,
    "pc": 3.0856775814913673e16,
    "pt": 0.0254 / 72,
}
_SECONDS: Final = {"min": 60.0, "h": 3600.0, "d": 86400.0}
NOT_LENGTHS: Final = frozenset({"pixel", "reference frame"})
"""Units that say where something lies without saying how far that is."""

UNITS: Final[dict[Kind, frozenset[str]]] = {
    "length": frozenset(_LENGTH_POWERS) | frozenset(_METRES) | NOT_LENGTHS,
    "time": frozenset(_TIME_POWERS) | frozenset(_SECONDS),
    "power": frozenset(prefix + "W" for prefix in _POWERS),
    "voltage": frozenset(prefix + "V" for prefix in _POWERS),
}
"""Every unit OME-XML allows, by kind."""

_SPELLINGS: Final[dict[Kind, dict[str, str]]] = {
    "length": {
        "um": "µm",
        "micron": "µm",
        "microns": "µm",
        "micrometer": "µm",
        "micrometers": "µm",
        "micrometre": "µm",
        "micrometres": "µm",
        "âµm": "µm",
        "nanometer": "nm",
        "nanometers": "nm",
        "nanometre": "nm",
        "nanometres": "nm",
        "millimeter": "mm",
        "millimeters": "mm",
        "millimetre": "mm",
        "millimetres": "mm",
        "centimeter": "cm",
        "centimetre": "cm",
        "meter": "m",
        "metre": "m",
        "angstrom": "Å",
        "ångström": "Å",
        "inch": "in",
        "inches": "in",
        "pixels": "pixel",
        "referenceframe": "reference frame",
        "reference_frame": "reference frame",
    },
    "time": {
        "sec": "s",
        "second": "s",
        "seconds": "s",
        "msec": "ms",
        "millisecond": "ms",
        "milliseconds": "ms",
        "us": "µs",
        "usec": "µs",
        "microsecond": "µs",
        "microseconds": "µs",
        "minute": "min",
        "minutes": "min",
        "hour": "h",
        "hours": "h",
        "day": "d",
        "days": "d",
    },
    "power": {"uw": "µW"},
    "voltage": {"uv": "µV"},
}


@cache
def spell_unit(text: str, kind: Kind) -> str | None:
    """Spell a unit as OME does.

    The micro sign is U+00B5 whichever of the two was given, the ångström U+00C5; spellings found in the wild (``um``,
    ``micron``, ``sec``, ``PIXEL``) are known. None if it is no unit of that kind.
    """
    unit = text.strip().replace("\u03bc", "\u00b5").replace("\u212b", "\u00c5")
    if unit in UNITS[kind]:
        return unit
    lower = unit.lower()
    found = _SPELLINGS[kind].get(lower, lower)
    return found if found in _SPELLINGS[kind].values() or found in NOT_LENGTHS & UNITS[kind] else None


def to_nanometres(quantity: Quantity) -> float | None:
    """Express a length in nanometres; None for pixels and reference frames, which are not lengths."""
    if quantity.unit in _LENGTH_POWERS:
        return _shift(quantity.value, _LENGTH_POWERS[quantity.unit] + 9)
    if quantity.unit in _METRES:
        return quantity.value * _METRES[quantity.unit] * 1e9
    return None


def to_seconds(quantity: Quantity) -> float | None:
    """Express a time in seconds; None if the unit is none of time."""
    if quantity.unit in _TIME_POWERS:
        return _shift(quantity.value, _TIME_POWERS[quantity.unit])
    factor = _SECONDS.get(quantity.unit)
    return None if factor is None else quantity.value * factor


def _shift(value: float, power: int) -> float:
    return value * 10.0**power if power >= 0 else value / 10.0**-power
