"""Where we differ from Bio-Formats on purpose: every accepted difference, with its reason.

A row excuses one field of the files that match its pattern, and nothing else. A test shows for every row that the
difference is really there, so that a row whose reason is gone has to go too.
"""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatch


@dataclass(frozen=True, slots=True)
class Accepted:
    """One accepted difference."""

    files: str
    field: str
    reason: str


ACCEPTED: tuple[Accepted, ...] = (
    Accepted("white_is_zero.tif", "pixels", "MINISWHITE is kept raw and recorded; Bio-Formats inverts it (decision of science 7)."),
)


def accepted(name: str, field: str) -> Accepted | None:
    """The row that excuses a field of a file, if there is one."""
    return next((row for row in ACCEPTED if row.field == field and fnmatch(name, row.files)), None)
