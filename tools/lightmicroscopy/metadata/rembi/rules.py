"""What is checked in a sheet: for each rule what holds where nothing is found, and why it matters."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

RULES: Final[Mapping[str, tuple[str, str]]] = MappingProxyType(
    {
        "sheet.sheet-missing": ("Every sheet is there.", "What a missing sheet would say is unknown, and other sheets refer to it."),
        "sheet.unknown-sheet": ("Every sheet is one that is read.", "What stands in another is not seen by anybody who only gets the metadata."),
        "sheet.column-missing": (
            "Every column that holds the sheet together is there.",
            "Without it rows cannot be told apart, or do not belong to anything.",
        ),
        "sheet.column-twice": ("Every column is there once.", "Of two columns only one is read, and it may be the wrong one."),
        "sheet.unknown-column": ("Every value stands under a heading that is known.", "What stands elsewhere is not read."),
        "sheet.too-many-values": ("What a study says once has one value.", "Of two values only one is read, and it may be the wrong one."),
        "sheet.unreadable-cell": ("Every cell holds a value.", "An error of a spreadsheet is no value, and what should be there is lost."),
        "sheet.formula": ("No cell holds a formula.", "What a formula gives changes with other cells and files, and with the program that opens it."),
        "sheet.name-missing": ("Every row has a name.", "Other rows refer to it by its name."),
        "sheet.name-twice": ("Every name is there once.", "Of two rows with one name nobody knows which is meant."),
        "sheet.unknown-reference": ("Every reference leads to a row.", "An image whose specimen is not described might as well have none."),
        "sheet.image-missing": ("Every row of the sheet image says which image it is about.", "What it says would be about no image."),
        "sheet.image-twice": ("No two rows are about one image.", "If they differ, nobody knows which is right."),
        "sheet.not-a-choice": ("Where there are choices, one of them is taken.", "Archives take no other."),
        "sheet.not-a-date": ("Every date can be read in one way only.", "03/04/2027 is a day in March or in April, depending on where one lives."),
        "sheet.not-a-number": (
            "Where a number belongs there is one.",
            "A number with a unit, or with a comma that can be two things, is no number for a program.",
        ),
        "sheet.number-out-of-range": ("Every number can be true.", "No pixel has a size of nought, and no series the number one and a half."),
        "sheet.required-empty": ("Everything that is asked for is filled in.", "The archive refuses a submission without it, and readers miss it."),
        "sheet.row-without-image": (
            "Every row is about an image that was given.",
            "A row about another image says nothing, and the image it was meant for stays undescribed.",
        ),
        "sheet.image-without-row": ("Every image that was given has a row.", "An image without a row is not described."),
        "sheet.two-images-of-one-name": (
            "Every image that was given has a name of its own.",
            "A row about one of two images with one name may be about either.",
        ),
    }
)
"""By id, which is part of the public tables."""
