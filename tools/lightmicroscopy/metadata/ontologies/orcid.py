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
_WRITTEN: Final = re.compile(r"(?:https?://(?:www\.)?orcid\.org/)?(?:[0-9]{4}-){3}[0-9]{3}[0-9Xx]/?", re.ASCII)
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


def problem(text: str) -> tuple[str, str]:
    """Say what is wrong with an ORCID iD in a document: the end of a sentence, and how to mend it; both empty where nothing is.

    It is stricter than `canonical`: archives link what is written as ORCID writes it, with hyphens, alone or as its address.
    """
    found = canonical(text)
    if found is None:
        return "is no ORCID iD, which is four groups of four digits with hyphens between", "Copy the iD from the person's page at orcid.org."
    if not is_valid(found):
        what = "cannot be an ORCID iD: its check digit does not fit the others, so that at least one is mistyped"
        return what, "Copy the iD from the person's page at orcid.org."
    if not _WRITTEN.fullmatch(text.strip()):
        return "is no ORCID iD as it should be written", f"Write {found}."
    return "", ""
