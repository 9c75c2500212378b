"""Tables of the IDR: library, assays, processed data, and the annotations that its curators make of them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from ...archives.bia_pagetab import folded
from ...errors import UsageError
from ..idr_template import ASSAYS_COLUMNS, LIBRARY_COLUMNS, LINKS, PROCESSED_COLUMNS, TABLE_NAME, TableKind
from .content import Text, shorten, text_of
from .file_list import rows_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_LIBRARY: Final = frozenset(map(folded, LIBRARY_COLUMNS))
_ASSAYS: Final = frozenset(map(folded, ASSAYS_COLUMNS))
_PROCESSED: Final = frozenset(map(folded, PROCESSED_COLUMNS))
_OF_LIBRARY: Final = _LIBRARY - {"plate", "well", "channels", "comments"}
_OF_ASSAYS: Final = frozenset({"source name", "assay name", "dataset name", "image file"})
_PHENOTYPE: Final = re.compile(r"phenotype \d+|has phenotype|pheno[a-z]+ annotation level|(averaged )?score")


@dataclass(frozen=True, slots=True)
class Table:
    """A table.

    Attributes
    ----------
    header
        As it stands, with blanks.
    rows
        (line, cells) of each row below it, empty ones too.
    """

    kind: TableKind
    delimiter: str
    header: tuple[str, ...]
    rows: tuple[tuple[int, list[str]], ...]
    text: Text

    def columns(self, *names: str) -> list[int]:
        """Indices of the columns of these names, in any case, in their order."""
        wanted = {folded(name) for name in names}
        return [number for number, name in enumerate(self.header) if _plain(name) in wanted]

    def column(self, *names: str) -> int | None:
        """Index of the first of these columns; None if there is none."""
        return next(iter(self.columns(*names)), None)

    def cells(self, column: int | None) -> Iterator[tuple[int, str]]:
        """Give (line, value without outer blanks) of a column, for rows that have one."""
        if column is not None:
            for line, cells in self.rows:
                if column < len(cells) and cells[column].strip():
                    yield line, cells[column].strip()

    def place(self, line: int, column: int) -> str:
        """Where a cell is, for a finding."""
        name = self.header[column].strip() if column < len(self.header) else ""
        return f"line {line}, column {column + 1}{f' ({shorten(name, 60)})' if name else ''}"


@dataclass(frozen=True, slots=True)
class TableFacts:
    """What rules over all inputs need of a table.

    Attributes
    ----------
    wells
        (plate, well) pairs, wells written as ``B07``.
    links
        Values of each column by which tables find each other, by the folded name of the column.
    images
        (name, path, place) of each image file.
    """

    kind: TableKind
    plates: frozenset[str]
    wells: frozenset[tuple[str, str]]
    links: dict[str, frozenset[str]]
    images: tuple[tuple[str, str, str], ...]


@lru_cache(8192)
def well_name(text: str) -> str:
    """Return a well as ``B07``; empty for what is none."""
    from ...archives.wells import parse_well

    try:
        return parse_well(text).name
    except UsageError:
        return ""


def kind_of(head: str, name: str) -> TableKind | None:
    """Say which table a text means to be by its columns, or by its name where they leave it open; None for none."""
    first = next((line for line in re.split(r"\r\n|\n|\r", head) if line.strip()), "")
    delimiter = delimiter_of(first)
    cells = {_plain(cell.strip().strip('"')) for cell in first.split(delimiter)}
    named = TABLE_NAME.fullmatch(name)
    if delimiter == "," and ({"dataset name", "image name"} <= cells or ({"plate", "well"} <= cells and named and named[3].lower() == "annotation")):
        return "annotation"
    counts = {"library": len(cells & _LIBRARY), "assays": len(cells & _ASSAYS), "processed": len(cells & _PROCESSED)}
    if len(cells & _OF_ASSAYS) >= 2 and counts["assays"] >= 3:
        return "assays"
    if any(_PHENOTYPE.fullmatch(cell) for cell in cells) and counts["processed"] >= 2:
        return "processed"
    if "plate" in cells and cells & {"well", "well number"} and counts["library"] >= 3 and cells & _OF_LIBRARY:
        return "annotation" if named and named[3].lower() == "annotation" else "library"
    kinds: dict[str, TableKind] = {"library": "library", "assays": "assays", "processed": "processed", "annotation": "annotation"}
    return kinds[named[3].lower()] if named and first else None


def delimiter_of(line: str) -> str:
    """Return the character that separates cells in a header."""
    return "," if "," in line and "\t" not in line else "\t"


def read_table(path: Path, kind: TableKind) -> Table:
    """Read a table.

    Raises
    ------
    LimitError
        If it is larger, or has more cells, than any.
    """
    return from_text(text_of(path), kind, path.name)


def from_text(text: Text, kind: TableKind, name: str) -> Table:
    """Read a table out of text; see `read_table`."""
    delimiter = delimiter_of(next((line for line in text.lines if line.strip()), ""))
    header: tuple[str, ...] = ()
    rows = []
    for line, cells in rows_of(text, name, delimiter):
        if header:
            rows.append((line, cells))
        elif any(cell.strip() for cell in cells):
            header = tuple(cells)
    while rows and not any(cell.strip() for cell in rows[-1][1]):
        rows.pop()
    return Table(kind, delimiter, header, tuple(rows), text)


def facts(table: Table) -> TableFacts:
    """Return what rules over all inputs need of it."""
    plate, well = table.column("Plate"), table.column("Well")
    links = {folded(table.header[column]): frozenset(value for _, value in table.cells(column)) for column in table.columns(*LINKS)}
    wells = frozenset(
        (cells[plate].strip(), well_name(cells[well]))
        for _, cells in table.rows
        if plate is not None and well is not None and max(plate, well) < len(cells) and well_name(cells[well])
    )
    image, folder = table.column("Image File", "Image Name"), table.column("Comment [Image File Path]")
    images = tuple(
        (cells[image].strip(), cells[folder].strip() if folder is not None and folder < len(cells) else "", table.place(line, image))
        for line, cells in table.rows
        if image is not None and image < len(cells) and cells[image].strip() and not cells[0].startswith("#")
    )
    return TableFacts(table.kind, frozenset(value for _, value in table.cells(plate)), wells, links, images)


def _plain(name: str) -> str:
    """Name of a column as it is compared: without the example that some templates have behind it."""
    plain = folded(name)
    return plain.split(" e.g.")[0] if plain.startswith("reagent identifier") else plain
