"""Rules on the rows of processed and assays tables for the IDR: phenotypes, rows that are there twice, names of images."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from ...archives.bia_pagetab import folded
from ..documents.content import shorten
from ..findings import IDR, Problem, Subject, rule
from ..idr_template import TEMPLATES
from ._documents import table

if TYPE_CHECKING:
    from collections.abc import Iterator

_SAID: Final = ("yes", "no", "")
_PHENOTYPE: Final = re.compile(r"phenotype(?: \d+)?")
_DRIVE: Final = re.compile(r"[A-Za-z]:[\\/]|\\")


def _phenotypes(subject: Subject) -> list[int]:
    return [number for number, name in enumerate(table(subject).header) if _PHENOTYPE.fullmatch(folded(name))]


@rule(
    "idr.phenotype",
    severity="warning",
    title="“Has Phenotype” is yes or no, and yes where a phenotype is named.",
    why="Others look for phenotypes by both columns; where they contradict each other the row is found by one and not by the other.",
    fix="Write yes and name the phenotype in a column “Phenotype 1”, or write no and leave that empty.",
    source=TEMPLATES,
    profiles=(IDR,),
    needs="idr-table",
    applies=lambda subject: table(subject).column("Has Phenotype") is not None,
)
def _phenotype(subject: Subject) -> Iterator[Problem]:
    found, named = table(subject), _phenotypes(subject)
    column = found.column("Has Phenotype") or 0
    for line, cells in found.rows:
        said = cells[column].strip() if column < len(cells) else ""
        phenotypes = [cells[number].strip() for number in named if number < len(cells) and cells[number].strip()]
        if said.startswith("#"):
            continue
        if said.casefold() not in _SAID:
            yield Problem(f"“Has Phenotype” is “{shorten(said)}”, neither yes nor no.", found.place(line, column))
        elif phenotypes and said.casefold() != "yes":
            said_so = f"“{shorten(said)}”" if said else "empty"
            yield Problem(f"The phenotype “{shorten(phenotypes[0])}” is named, but “Has Phenotype” is {said_so}.", found.place(line, column))
        elif named and said.casefold() == "yes" and not phenotypes:
            yield Problem("“Has Phenotype” is yes, but no phenotype is named.", found.place(line, column))


@rule(
    "idr.row-twice",
    severity="warning",
    title="No row of a table of processed data is there twice.",
    why="A result that is there twice is counted twice.",
    fix="Take one of them out.",
    source=TEMPLATES,
    profiles=(IDR,),
    needs="idr-table",
    applies=lambda subject: table(subject).kind == "processed",
)
def _row_twice(subject: Subject) -> Iterator[Problem]:
    found = table(subject)
    seen: dict[tuple[str, ...], int] = {}
    for line, cells in found.rows:
        row = tuple(cell.strip() for cell in cells)
        if any(row):
            first = seen.setdefault(row, line)
            if first != line:
                yield Problem(f"Line {line} says the same as line {first}.", f"line {line}")


@rule(
    "idr.image-file",
    severity="error",
    title="Every row of an assays table names its image file, without a folder of somebody's computer.",
    why="By this name the IDR puts image and row together.",
    fix="Write the name of the file in “Image File”; folders belong into “Comment [Image File Path]”.",
    source=TEMPLATES,
    profiles=(IDR,),
    needs="idr-table",
    applies=lambda subject: table(subject).kind == "assays" and table(subject).column("Image File") is not None,
)
def _image_file(subject: Subject) -> Iterator[Problem]:
    found = table(subject)
    column = found.column("Image File") or 0
    for line, cells in found.rows:
        name = cells[column].strip() if column < len(cells) else ""
        if not name and any(cell.strip() for cell in cells):
            yield Problem(f"Line {line} names no image file.", found.place(line, column))
        elif _DRIVE.search(name):
            yield Problem(f"“{shorten(name)}” is a place on a Windows computer.", found.place(line, column))
