"""Values out of an answer of a service: taken only if they are of the type and in the range they must be."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

LONGEST_NAME: Final = 1024
LONGEST_TEXT: Final = 100_000
"""Characters of a description, a value or a list of authors that are kept."""
LARGEST_ID: Final = 2**63 - 1

# XML has no place for these, terminals act on them, or they turn the text around them.
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]")
_SPACE: Final = re.compile(r"\s+")


def mapping(value: Any) -> Mapping[str, Any]:
    """Return a JSON object; an empty one for anything else."""
    return value if isinstance(value, dict) else {}


def sequence(value: Any) -> Sequence[Any]:
    """Return a JSON array; an empty one for anything else."""
    return value if isinstance(value, list) else ()


def whole(value: Any, low: int, high: int) -> int | None:
    """Return a whole number between two bounds, both included; None for anything else, ``true`` and ``1.0`` too."""
    return value if isinstance(value, int) and not isinstance(value, bool) and low <= value <= high else None


def number(value: Any) -> float | None:
    """Return a finite number; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        found = float(value)
    except OverflowError:
        return None
    return found if math.isfinite(found) else None


def text(value: Any, longest: int = LONGEST_TEXT) -> str:
    """Return text without control characters, cut to a length; line ends and tabs are kept. Numbers are written out."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        value = str(value) if abs(value) < LARGEST_ID else ""
    if not isinstance(value, str):
        return ""
    return _CONTROL.sub("", value[:longest]).strip()


def line(value: Any, longest: int = LONGEST_NAME) -> str:
    """Return text on one line, each run of white space a single space."""
    return _SPACE.sub(" ", text(value, longest)).strip()
