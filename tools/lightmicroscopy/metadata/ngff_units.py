"""NGFF's names of units, and what they are called in OME-XML.

Source: NGFF 0.4 and 0.5, section "axes" metadata, which takes its names from UDUNITS-2.
"""

from __future__ import annotations

import math
from typing import Final

from ..image import Quantity
from .ome_units import spell_unit, to_nanometres, to_seconds

_PREFIXES: Final = {
    "yotta": "Y",
    "zetta": "Z",
    "exa": "E",
    "peta": "P",
    "tera": "T",
    "giga": "G",
    "mega": "M",
    "kilo": "k",
    "hecto": "h",
    "deci": "d",
    "centi": "c",
    "milli": "m",
    "micro": "µ",
    "nano": "n",
    "pico": "p",
    "femto": "f",
    "atto": "a",
    "zepto": "z",
    "yocto": "y",
}


def _prefixed(name: str, symbol: str) -> dict[str, str]:
    return {name: symbol} | {prefix + name: letter + symbol for prefix, letter in _PREFIXES.items()}


SPACE_UNITS: Final = _prefixed("meter", "m") | {"angstrom": "Å", "inch": "in", "foot": "ft", "yard": "yd", "mile": "mi", "parsec": "pc"}
"""NGFF name → OME symbol."""
TIME_UNITS: Final = _prefixed("second", "s") | {"minute": "min", "hour": "h", "day": "d"}
"""NGFF name → OME symbol."""
_NAMES: Final = {symbol: name for name, symbol in SPACE_UNITS.items()}


def micrometres(quantity: Quantity) -> float | None:
    """Length in micrometres; ``None`` if the unit is none of length (``pixel``, ``reference frame``) or the number is not finite."""
    length = to_nanometres(quantity)
    return length / 1000 if length is not None and math.isfinite(length) else None


def ngff_length(quantity: Quantity | None) -> tuple[float, str | None]:
    """Scale and NGFF unit name of a pixel size; ``(1.0, None)`` where it is unknown, zero, negative or not a length.

    NGFF demands a scale. Without a unit, 1.0 is no statement about the size.
    """
    length = None if quantity is None else micrometres(quantity)
    if quantity is None or length is None or length <= 0:
        return 1.0, None
    name = _NAMES.get(quantity.unit)
    return (quantity.value, name) if name else (length, "micrometer")


def ome_length(value: float, unit: object) -> Quantity | None:
    """Length in OME's units from an NGFF scale; ``None`` without a known unit of length.

    Spellings that are not NGFF's (``um``, ``micron``) but can mean one thing only are understood.
    """
    symbol = _symbol(unit, SPACE_UNITS) or (spell_unit(unit, "length") if isinstance(unit, str) else None)
    return Quantity(value, symbol) if symbol in _NAMES else None


def seconds(value: float, unit: object) -> float | None:
    """Time in seconds from an NGFF scale; ``None`` without a known unit of time."""
    symbol = _symbol(unit, TIME_UNITS) or (spell_unit(unit, "time") if isinstance(unit, str) else None)
    return None if symbol is None else to_seconds(Quantity(value, symbol))


def _symbol(unit: object, units: dict[str, str]) -> str | None:
    return units.get(unit) if isinstance(unit, str) else None
