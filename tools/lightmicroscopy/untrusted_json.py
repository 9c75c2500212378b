"""JSON of strangers, parsed in bounded memory."""

from __future__ import annotations

import json
from typing import Any, Final

MOST_VALUES: Final = 4_000_000
"""Values in one document. Each takes some 80 bytes once parsed, in as few as three of the document; a real one of 64 MiB has fewer."""

LONGEST_INTEGER: Final = 40
"""Digits; 64 bits have 20."""


def parse_json(data: bytes) -> Any:
    """Parse JSON.

    Raises
    ------
    ValueError
        If it is none, has more than `MOST_VALUES` values, or is nested too deeply. The text completes "it is not valid JSON (…)".
    """
    # Commas and brackets inside texts count too, which only makes the bound tighter.
    if len(data) > MOST_VALUES and sum(map(data.count, (b",", b"[", b"{"))) > MOST_VALUES:
        raise ValueError(f"it has more than {MOST_VALUES:,} values")
    try:
        return json.loads(data, parse_int=_integer)
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error


def _integer(digits: str) -> int | float:
    """Numbers that no field of any format can mean become what they are as floating point, infinity at last, which all who calculate look out for."""
    return int(digits) if len(digits) <= LONGEST_INTEGER else float(digits)
