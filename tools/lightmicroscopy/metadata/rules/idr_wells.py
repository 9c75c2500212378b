"""Rules on wells and images in the tables of an IDR study: each is there once, and where it says."""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, Final

from ..documents.content import shorten
from ..documents.idr_table import Table, well_name
from ..findings import IDR, Problem, Subject, rule
from ..idr_template import SUBMISSION, TEMPLATES
from ._documents import table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_PLATES: Final = ((2, 3), (4, 6), (6, 8), (8, 12), (16, 24), (32, 48))
"""Rows and columns of plates that are sold."""


@rule(
    "idr.well",
    severity="error",
    title="Wells are written as a letter for the row and a number for the column.",
    why="The IDR finds the images of a well by that name.",
    fix="Write A1, B12, or AF48 on a plate of 1536 wells; numbers belong into the column “Well Number”.",
    source=TEMPLATES,
    profiles=(IDR,),
    needs="idr-table",
    applies=lambda subject: table(subject).column("Well") is not None and table(subject).column("Plate") is not None,
)
def _well(subject: Subject) -> Iterator[Problem]:
    found = table(subject)
    well, plate = found.column("Well"), found.column("Plate")
    for line, cells in found.rows:
        value = cells[well].strip() if well is not None and well < len(cells) else ""
        on = cells[plate].strip() if plate is not None and plate < len(cells) else ""
        if value.startswith("#") or on.startswith("#"):
            continue
        if value and (not well_name(value) or not re.fullmatch(r"[A-Za-z]{1,2}\d{1,2}", value)):
            yield Problem(f"“{shorten(value, 40)}” is no well.", found.place(line, well or 0))
        elif value and not on:
            yield Problem(f"Well {value} is on no plate.", found.place(line, plate or 0))
        elif on and not value and found.kind == "library" and not _number(found, cells):
            yield Problem(f"A row of plate {shorten(on, 40)} names no well.", found.place(line, well or 0))


@rule(
    "idr.well-repeated",
    severity="error",
    title="Each well of a plate is in the library once.",
    why="With two rows the well has two reagents, and the IDR shows both or refuses the table.",
    fix="Keep one of the rows, or correct the plate or the well.",
    source=SUBMISSION,
    profiles=(IDR,),
    needs="idr-table",
    applies=lambda subject: table(subject).kind == "library",
)
def _well_repeated(subject: Subject) -> Iterator[Problem]:
    found = table(subject)
    seen: dict[tuple[str, str], int] = {}
    for line, plate, well, _ in _places(found):
        if (plate, well) in seen:
            yield Problem(f"Well {well} of plate {shorten(plate, 40)} is in line {seen[plate, well]} already.", f"line {line}")
        seen.setdefault((plate, well), line)


@rule(
    "idr.well-spelling",
    severity="warning",
    title="Wells are spelled alike in one table: all A1, or all A01.",
    why="Two spellings of one well are two wells for programs that compare letter for letter.",
    fix="Choose one spelling.",
    source=TEMPLATES,
    profiles=(IDR,),
    needs="idr-table",
    applies=lambda subject: table(subject).column("Well") is not None,
)
def _well_spelling(subject: Subject) -> Iterator[Problem]:
    found = table(subject)
    column = found.column("Well")
    spelled: dict[str, tuple[int, str]] = {}
    for line, value in found.cells(column):
        if well_name(value):
            style = "lower case" if value[:1].islower() else "a zero" if re.search(r"[A-Za-z]0\d", value) else ""
            if not style and not re.fullmatch(r"[A-Z]+\d", value):
                continue
            spelled.setdefault(style, (line, value))
    if len(spelled) > 1:
        (_, first), (line, second) = list(spelled.values())[:2]
        yield Problem(f"Wells are spelled both “{first}” and “{second}”.", found.place(line, column or 0))


@rule(
    "idr.well-number",
    severity="error",
    title="Well numbers fit the wells beside them.",
    why="Where number and name of a well differ, one of them is wrong, and nobody knows which.",
    fix="Number the wells from 1, row after row, or leave the column out.",
    source=TEMPLATES,
    profiles=(IDR,),
    needs="idr-table",
    applies=lambda subject: table(subject).column("Well Number") is not None,
)
def _well_number(subject: Subject) -> Iterator[Problem]:
    found = table(subject)
    column = found.column("Well Number")
    largest = _PLATES[-1][0] * _PLATES[-1][1]
    for line, value in found.cells(column):
        if not value.startswith("#") and not (re.fullmatch(r"\d{1,4}", value, re.ASCII) and 1 <= int(value) <= largest):
            yield Problem(f"“{shorten(value, 40)}” is no number of a well.", found.place(line, column or 0))
    numbered = [(line, well, number) for line, _, well, number in _places(found) if number]
    rule_of = _numbering(numbered)
    for line, well, number in numbered if rule_of is not None else ():
        if rule_of is not None and rule_of(well) != number:
            yield Problem(f"Well {well} has the number {number}; by the other rows it is {rule_of(well)}.", found.place(line, column or 0))
    if numbered and rule_of is None:
        message = "The numbers of the wells fit their names on no plate, neither row after row nor column after column."
        yield Problem(message, found.place(numbered[0][0], column or 0), severity="warning")


@rule(
    "idr.plate-size",
    severity="warning",
    title="The wells of a plate fit a plate that exists.",
    why="A well beyond the plate is a mistyped one.",
    fix="Look at the plate, and correct the well.",
    source=TEMPLATES,
    profiles=(IDR,),
    needs="idr-table",
    applies=lambda subject: any(True for _ in _places(table(subject))),
)
def _plate_size(subject: Subject) -> Iterator[Problem]:
    wells: dict[str, list[tuple[int, str]]] = {}
    for line, plate, well, _ in _places(table(subject)):
        wells.setdefault(plate, []).append((line, well))
    for plate, found in wells.items():
        rows, columns = (max(_place(well)[axis] for _, well in found) + 1 for axis in (0, 1))
        if rows > _PLATES[-1][0] or columns > _PLATES[-1][1]:
            line, well = max(found, key=lambda each: max(_place(each[1])))
            yield Problem(f"Well {well} of plate {shorten(plate, 40)} is on no plate that is sold.", f"line {line}")
            continue
        # One well far outside a plate that the others fill is a slip of the hand.
        for height, width in _PLATES:
            outside = [(line, well) for line, well in found if _place(well)[0] >= height or _place(well)[1] >= width]
            if len(found) - len(outside) > 0.9 * height * width and 0 < len(outside) <= 2:
                line, well = outside[0]
                yield Problem(
                    f"Well {well} of plate {shorten(plate, 40)} is outside the {height * width} wells that the others fill.", f"line {line}"
                )
                break


@rule(
    "idr.image-repeated",
    severity="error",
    title="Each image file is in the table once.",
    why="With two rows the image has two descriptions.",
    fix="Keep one of the rows, or write the path that tells the files apart into “Comment [Image File Path]”.",
    source=SUBMISSION,
    profiles=(IDR,),
    needs="idr-table",
    applies=lambda subject: table(subject).kind in ("assays", "annotation") and table(subject).column("Image File", "Image Name") is not None,
)
def _image_repeated(subject: Subject) -> Iterator[Problem]:
    found = table(subject)
    columns = [found.column(name) for name in ("Dataset Name", "Comment [Image File Path]")]
    image = found.column("Image File", "Image Name")
    rows = []
    for line, cells in found.rows:
        key = tuple(cells[column].strip() if column is not None and column < len(cells) else "" for column in (*columns, image))
        if key[-1] and not key[-1].startswith("#"):
            rows.append((line, key))
    counts = Counter(key for _, key in rows)
    seen: set[tuple[str, ...]] = set()
    for line, key in rows:
        if counts[key] > 1 and key in seen:
            yield Problem(f"“{shorten(key[-1])}” is in another row already.", found.place(line, image or 0))
        seen.add(key)


def _places(found: Table) -> Iterator[tuple[int, str, str, int]]:
    """(line, plate, well as ``B07``, number of the well or 0) of each row that has plate and well."""
    plate, well = found.column("Plate"), found.column("Well")
    for line, cells in found.rows:
        if plate is not None and well is not None and max(plate, well) < len(cells):
            name = well_name(cells[well])
            if name and cells[plate].strip():
                yield line, cells[plate].strip(), name, _number(found, cells)


def _number(found: Table, cells: list[str]) -> int:
    column = found.column("Well Number")
    text = cells[column].strip() if column is not None and column < len(cells) else ""
    return int(text) if re.fullmatch(r"[1-9]\d{0,3}", text, re.ASCII) else 0


def _place(well: str) -> tuple[int, int]:
    from ...archives.wells import parse_well

    return parse_well(well)


def _numbering(numbered: list[tuple[int, str, int]]) -> Callable[[str], int] | None:
    """The way of numbering that most rows follow; None where none fits half of them."""
    best: Callable[[str], int] | None = None
    most = 0
    for rows, columns in _PLATES:
        for by_row in (True, False):

            def number(well: str, rows: int = rows, columns: int = columns, by_row: bool = by_row) -> int:
                row, column = _place(well)
                return row * columns + column + 1 if by_row else column * rows + row + 1

            fitting = sum(number(well) == given for _, well, given in numbered)
            if fitting > most:
                best, most = number, fitting
    return best if 2 * most > len(numbered) else None
