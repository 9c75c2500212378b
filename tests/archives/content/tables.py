"""Bulk annotation tables: of a screen, by well; of an invented project, by image.

The columns of idr0008, and the row of well 45217 as far as it goes, are recorded output of IDR/idr-notebooks; all other rows are invented.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from . import idr0001, idr0008, oddities

BROKEN_FILE = 99_300_009


@dataclass(frozen=True)
class Table:
    """A table, the file it is in, and what that is attached to."""

    file: int
    annotation: int
    parent: tuple[str, int]
    columns: tuple[tuple[str, str], ...]
    rows: tuple[tuple[Any, ...], ...]
    broken: bool = False

    def where(self, column: str, number: int) -> Iterator[tuple[Any, ...]]:
        """Yield the rows in which a column has a value; raises KeyError without such a column."""
        index = {name: position for position, (name, _) in enumerate(self.columns)}[column]
        return (row for row in self.rows if row[index] == number)


@cache
def tables() -> tuple[Table, ...]:
    """Return every table."""
    odd = ("Project", 99_000_000)
    return (
        Table(15_026_339, 8_368_945, ("Screen", idr0008.SCREEN), ACTINOME, tuple(_actinome())),
        Table(15_026_001, 8_368_001, ("Screen", idr0001.SCREEN), SYSGRO, tuple(_sysgro())),
        Table(BROKEN_FILE, 99_300_008, odd, ODD, (), broken=True),
        Table(99_300_007, 99_300_006, odd, ODD, tuple(_odd())),
    )


ACTINOME = (
    ("Plate", "PlateColumn"),
    ("Well Number", "StringColumn"),
    ("Well", "WellColumn"),
    ("Plate_Well", "StringColumn"),
    ("Characteristics [Organism]", "StringColumn"),
    ("Characteristics [Cell Line]", "StringColumn"),
    ("siRNA Identifier", "StringColumn"),
    ("Gene Symbol", "StringColumn"),
)
SYSGRO = (("Plate", "PlateColumn"), ("Well", "WellColumn"), ("Characteristics [Organism]", "StringColumn"), ("Control Type", "StringColumn"))
ODD = (
    ("Dataset", "DatasetColumn"),
    ("Image", "ImageColumn"),
    ("Image Name", "StringColumn"),
    ("score", "DoubleColumn"),
    ("cells", "LongColumn"),
    ("mitotic", "BoolColumn"),
    ("Comments", "StringColumn"),
    ("Comments", "StringColumn"),
    ("=cmd", "StringColumn"),
    ("outline", "DoubleArrayColumn"),
)


def _actinome() -> Iterator[tuple[Any, ...]]:
    """Yield 11 plates of 384 wells, which is how many rows the real table has."""
    for plate in range(11):
        for well in range(1, 385):
            if (plate, well) == (0, 338):
                yield idr0008.PLATE, "338", idr0008.WELL, "Plate8_Actinome1_O2", "Homo sapiens", "HeLa", "ECT2-02", "ECT2"
            else:
                number = idr0008.WELL * 10 + plate * 1000 + well
                yield idr0008.PLATE + plate, str(well), number, f"invented_{plate}_{well}", "Homo sapiens", "HeLa", "", ""


def _sysgro() -> Iterator[tuple[Any, ...]]:
    for position in range(idr0001.ROWS * idr0001.COLUMNS):
        yield idr0001.PLATE, 590_000 + position, "Schizosaccharomyces pombe", "wild type" if position == 65 else ""
    yield idr0001.SPARSE_PLATE, idr0001.H10_WELL, "Schizosaccharomyces pombe", ""


def _odd() -> Iterator[tuple[Any, ...]]:
    hidden = '=HYPERLINK("http://169.254.169.254/","x")'
    yield 99_000, oddities.BIG, "a big one", math.nan, 5, True, hidden, "-1.5", "@SUM(A1)", [1.0, 2.5]
    yield 99_000, oddities.NO_PIXELS, "metadata only", 1e-12, -3, False, "tab\there\nand there", "-minus", "+", []
    for number in range(1200):
        yield 99_001, oddities.CROWD + number, f"crowd {number:04d}", number / 7, number, False, "", "", "", []
