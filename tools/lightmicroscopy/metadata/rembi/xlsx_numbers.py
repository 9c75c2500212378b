"""What a person sees in a cell that holds a number: the number, a percentage, or a day and time.

Source: ISO/IEC 29500-1 (Office Open XML), 18.8.30 *numFmt* and 18.17.4.1 on dates.
"""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime, timedelta
from typing import Final, Literal

Shown = Literal["number", "percent", "date", "zeros"]
_DATES: Final = frozenset((*range(14, 23), *range(27, 37), *range(45, 48), *range(50, 59)))
_PERCENT: Final = frozenset((9, 10))
_LITERAL: Final = re.compile(r'"[^"]*"|\\.|_.|\*.|\[(?!(?:h+|m+|s+)\])[^\]]*\]', re.IGNORECASE)
_SECOND: Final = 86_400
_LAST_DAY: Final = 2_958_466


def shown_as(number_format: int, code: str) -> Shown:
    """Say what a number format makes of a number.

    Parameters
    ----------
    number_format
        Its id; those below 164 are built in.
    code
        Its pattern, where the file has one.
    """
    if not code:
        return "date" if number_format in _DATES else "percent" if number_format in _PERCENT else "number"
    pattern = _LITERAL.sub("", code.partition(";")[0])
    if "%" in pattern:
        return "percent"
    if pattern.casefold() == "general":
        return "number"
    if re.search("[ymdhs]", pattern, re.IGNORECASE):
        return "date"
    return "zeros" if re.fullmatch("0{2,}", pattern) else "number"


def text_of_number(stored: str, shown: Shown, *, zeros: int = 0, since_1904: bool = False) -> str:
    """Write a stored number as a person sees it.

    Days become ISO dates, whatever the order of day, month and year in the spreadsheet. Decimals are those stored, to 15 digits, since a
    format that shows two of them hides the others. What is no number is returned as it is.
    """
    try:
        value = float(stored)
    except ValueError:
        return stored
    if not math.isfinite(value):
        return stored
    if shown == "date":
        return _date(value, since_1904=since_1904) or plain(value)
    if shown == "percent":
        return f"{plain(value * 100)}%"
    if shown == "zeros" and value >= 0 and value == int(value):
        return f"{int(value):0{zeros}d}"
    return plain(value)


def plain(value: float) -> str:
    """Write a number with at most 15 digits, whole ones without a point."""
    text = f"{value:.15g}"
    if "e" in text and abs(value) < 1e21:
        text = f"{value:.15f}".rstrip("0").rstrip(".") if abs(value) < 1 and abs(value) >= 1e-9 else f"{value:.0f}" if value == int(value) else text
    return "0" if text == "-0" else text


def _date(value: float, *, since_1904: bool) -> str:
    if not 0 <= value < _LAST_DAY:
        return ""
    seconds = round(value * _SECOND)
    days, rest = divmod(seconds, _SECOND)
    time = f"{rest // 3600:02d}:{rest // 60 % 60:02d}:{rest % 60:02d}"
    if days == 0 and not since_1904:
        return time
    # Excel counts a 29 February 1900 that never was.
    first = datetime(1904, 1, 1, tzinfo=UTC) if since_1904 else datetime(1899, 12, 31 if days < 60 else 30, tzinfo=UTC)
    day = (first + timedelta(days=days)).date().isoformat()
    return f"{day}T{time}" if rest else day
