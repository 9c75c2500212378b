"""ORCID iDs of people.

Source: structure of the ORCID identifier, <https://support.orcid.org/hc/en-us/articles/360006897674>; its last character is a
check digit after ISO/IEC 7064, MOD 11-2.
"""

from __future__ import annotations

import re
from typing import Final

ADDRESS: Final = "https://orcid.org/"
_SPELLED: Final = re.compile(
    r"(?:orcid(?:\s*id)?\s*:?\s*)?(?:https?://)?(?:www\.)?(?:orcid\.org/)?([0-9]{4})[-–\s]?([0-9]{4})[-–\s]?([0-9]{4})[-–\s]?([0-9]{3}[0-9x])/?",
    re.IGNORECASE | re.ASCII,
)
_LONGEST: Final = 100


def check_digit(digits: str) -> str:
    """Compute the last character of an ORCID iD from the 15 digits before it.

    Examples
    --------
    >>> check_digit("000000021825009")
    '7'
    """
    total = 0
    for digit in digits:
        total = (total + int(digit)) * 2
    value = (12 - total % 11) % 11
    return "X" if value == 10 else str(value)


def canonical(text: str) -> str | None:
    """Give an ORCID iD as it is written, ``0000-0002-1825-0097``; ``None`` for what does not have its form. The check digit may be wrong."""
    match = _SPELLED.fullmatch(text.strip()) if len(text) <= _LONGEST else None
    return "-".join(match.groups()).upper() if match else None


def is_valid(text: str) -> bool:
    """Whether a text is an ORCID iD, in whatever spelling, and its check digit is right. That there is such a person is not known by that."""
    found = canonical(text)
    digits = found.replace("-", "") if found else ""
    return bool(digits) and check_digit(digits[:-1]) == digits[-1]


def wrong(text: str) -> str | None:
    """Say in a sentence what is wrong with an ORCID iD; ``None`` if nothing is."""
    found = canonical(text)
    if found is None:
        return f"“{text.strip()[:60]}” is no ORCID iD. One is 16 digits in groups of four, such as 0000-0002-1825-0097; the last may be X."
    if not is_valid(found):
        return f"{found} is no ORCID iD: its check digit is wrong, so that a digit is mistyped or two are exchanged. Copy it from orcid.org."
    return None
