"""Wells: as people write them (``B07``), as NGFF stores name them (``B/7``), and as 0-based rows and columns (OMERO, OME).

People's spelling always has letters for the row and a number for the column, whatever the plate's own names are, so that it is
one well wherever it is written. An NGFF path follows the plate's naming.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

from ..errors import UsageError
from ..metadata.ngff import axis_name

if TYPE_CHECKING:
    from ..image import NamingConvention

LARGEST: Final = 10_000
"""Rows or columns of the largest plate anybody could mean; 1536 wells have 32 × 48."""
_LETTERS: Final = 26
_PARTS: Final = re.compile(r"(?P<row>[A-Z]+|[0-9]+)(?P<between>\s*[/:,_-]\s*|\s*)(?P<column>[A-Z]+|[0-9]+)")


class WellPlace(NamedTuple):
    """A well by its row and column, 0-based."""

    row: int
    column: int

    @property
    def name(self) -> str:
        """As people write it: ``B07``, ``AF48``."""
        return f"{axis_name(self.row, 'letter')}{self.column + 1:02d}"

    def path(self, rows: NamingConvention = "letter", columns: NamingConvention = "number") -> str:
        """Path in an NGFF plate whose rows and columns are named so: ``B/7``."""
        return f"{axis_name(self.row, rows)}/{axis_name(self.column, columns)}"


def parse_well(text: str, rows: NamingConvention = "letter", columns: NamingConvention = "number") -> WellPlace:
    """Read ``B07``, ``b7``, ``B/7`` or ``B-7``, the row first; with other conventions also ``2G`` or ``2/7``.

    Raises
    ------
    UsageError
        If it is no well under these conventions.
    """
    match = _PARTS.fullmatch(text.strip().upper())
    parts = (_index(match["row"], rows), _index(match["column"], columns)) if match else (None, None)
    # Without something between them, two numbers or two words cannot be told apart.
    joined = match is not None and not match["between"] and rows == columns
    if parts[0] is None or parts[1] is None or joined:
        example = WellPlace(1, 6).path(rows, columns)
        raise UsageError(
            f"{text[:40]!r} is no well. Write the row, then the column, such as {example.replace('/', '') if rows != columns else example}."
        )
    return WellPlace(parts[0], parts[1])


def _index(name: str, convention: NamingConvention) -> int | None:
    index = -1
    if convention == "number":
        index = int(name) - 1 if name.isdigit() and len(name) < 6 else -1
    elif name.isalpha() and len(name) < 5:
        for letter in name:
            index = (index + 1) * _LETTERS + ord(letter) - ord("A")
    return index if 0 <= index < LARGEST else None
