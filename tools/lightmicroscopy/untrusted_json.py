"""JSON of strangers, parsed in bounded memory."""

from __future__ import annotations

import json
from collections.abc import Iterator
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


def unlike_standard(data: bytes) -> Iterator[str]:
    """Find what some programs read all the same and others stumble over, as ends of the sentence "The metadata …".

    Parameters
    ----------
    data
        JSON that `parse_json` understands.
    """
    if data.startswith(b"\xef\xbb\xbf"):
        yield "begin with a byte order mark"
    elif b"\0" in data[:4]:
        yield "are not in UTF-8"
    words: dict[str, None] = {}
    twice: dict[str, None] = {}

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) < len(pairs):
            seen: set[str] = set()
            twice.update(dict.fromkeys(key for key, _ in pairs if key in seen or seen.add(key)))  # type: ignore[func-returns-value]
        return found

    json.loads(data, parse_constant=words.setdefault, parse_int=_integer, object_pairs_hook=once)
    if words:
        yield f"have {' and '.join(words)}, which is no number in JSON"
    if twice:
        yield f"say {', '.join(f'“{key[:40]}”' for key in list(twice)[:3])} twice in one object, and which of them counts is open"


def _integer(digits: str) -> int | float:
    """Numbers that no field of any format can mean become what they are as floating point, infinity at last, which all who calculate look out for."""
    return int(digits) if len(digits) <= LONGEST_INTEGER else float(digits)
