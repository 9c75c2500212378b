"""Which row of a sheet is about which image, and what has no counterpart on either side."""

from __future__ import annotations

import difflib
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...names import sanitise
from ..documents.content import shorten
from .sheet import Row, Sheet, SheetProblem
from .validate import series_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

LISTED = 20
"""Images without a row that are named one by one, and rows without an image for which the one that was meant is looked for."""
LONGEST = 40
"""Characters of what stands for the number of a series that a message repeats."""
NAME_SHOWN = 200
"""Characters of a name that a message repeats."""


@dataclass(frozen=True)
class Matching:
    """The row of each image that has one, by its name and series; and what does not match."""

    rows: Mapping[tuple[str, int], Row]
    problems: tuple[SheetProblem, ...]


def match_images(
    sheet: Sheet, images: Iterable[tuple[str, int]], unreadable: Collection[str] = (), members: Iterable[tuple[str, str]] = ()
) -> Matching:
    """Find the row of each image.

    A row is about the image whose element identifier, the column *input* of the inspect table, stands in it, and about its series; without a
    series about all of them. Where no image has that name, one that differs only in what becomes of names in a history is meant: case,
    spaces and signs.

    Parameters
    ----------
    images
        Element identifier and series of every image that was given.
    unreadable
        Element identifiers of images that were given and could not be read.
    members
        Names of the other files of sets, each with the element identifier of its set: a row about one of them is about the set.

    Returns
    -------
    Matching
        Its problems are rows without an image, and images without a row or with two.
    """
    given: dict[str, list[int]] = defaultdict(list)
    twice: list[tuple[str, int]] = []
    for name, series in images:
        if series in given[name]:
            twice.append((name, series))
        else:
            given[name].append(series)
    called = _names(given, members)
    rows: dict[tuple[str, int], Row] = {}
    problems = [_image_twice(name, series) for name, series in twice]
    for row in sheet.rows("image"):
        written = row.text("image")
        if not written:
            continue
        if written in unreadable and written not in given:
            problems.append(_unreadable(row, written))
            continue
        image, problem = _image_of(row, written, called, given, advise=len(problems) < LISTED)
        if problem is not None:
            problems.append(problem)
        if image is not None:
            problems.extend(_take(row, image, given[image], rows))
    lacking = [(name, series) for name, all_series in given.items() for series in all_series if (name, series) not in rows]
    problems.extend(_no_row(name, series) for name, series in lacking[:LISTED])
    if len(lacking) > LISTED:
        message = f"{len(lacking) - LISTED} more images have no row in the sheet."
        fix = "lm_describe --from-sheet adds rows for them."
        problems.append(SheetProblem("image", 0, "", message, fix, "sheet.image-without-row"))
    return Matching(rows, tuple(problems))


@dataclass(frozen=True)
class _Names:
    """Which images a name can mean, as it is written and loosely."""

    exactly: Mapping[str, list[str]]
    loosely: Mapping[str, list[str]]

    def meant(self, written: str) -> list[str]:
        return self.exactly.get(written) or self.loosely.get(_loosely(written), [])


def _names(given: Iterable[str], members: Iterable[tuple[str, str]]) -> _Names:
    exactly: dict[str, list[str]] = {name: [name] for name in given}
    for member, image in members:
        if exactly.get(member) != [member]:
            exactly.setdefault(member, []).append(image)
    loosely: dict[str, list[str]] = defaultdict(list)
    for name, images in exactly.items():
        loosely[_loosely(name)] += [image for image in images if image not in loosely[_loosely(name)]]
    return _Names(exactly, loosely)


def _loosely(name: str) -> str:
    return sanitise(name).casefold()


def _image_of(row: Row, written: str, called: _Names, given: Iterable[str], *, advise: bool) -> tuple[str | None, SheetProblem | None]:
    cell = row.cells["image"]
    candidates = called.meant(written)
    if len(candidates) == 1:
        return candidates[0], None
    if candidates:
        message = f"“{shorten(written, NAME_SHOWN)}” can be each of {len(candidates)} images: {', '.join(candidates[:3])}."
        fix = "Write the name as the inspect table has it."
        return None, SheetProblem("image", cell.row, cell.column, message, fix, "sheet.row-without-image")
    close = difflib.get_close_matches(written, given, 1) if advise and len(written) <= NAME_SHOWN else []
    fix = f"Did you mean “{close[0]}”? " if close else ""
    message = f"No image that was given is called “{shorten(written, NAME_SHOWN)}”."
    fix += "Give that image too, or take the row out."
    return None, SheetProblem("image", cell.row, cell.column, message, fix, "sheet.row-without-image")


def _unreadable(row: Row, written: str) -> SheetProblem:
    cell = row.cells["image"]
    message = f"“{shorten(written, NAME_SHOWN)}” was given, but cannot be read."
    fix = "Mend or replace the file, then read the sheet again."
    return SheetProblem("image", cell.row, cell.column, message, fix, "sheet.row-without-image", image=written)


def _take(row: Row, name: str, series: list[int], rows: dict[tuple[str, int], Row]) -> Iterable[SheetProblem]:
    cell = row.cells["image"]
    stated = series_of(row)
    # Not read as a number: Python refuses to read one of thousands of digits.
    numbers = {str(one): one for one in series}
    wanted: list[int | str] = [numbers.get(stated, stated)] if stated.isdecimal() else [*series] if not stated else []
    for one in wanted:
        if not isinstance(one, int):
            message = f"“{name}” has no series {shorten(one, LONGEST)}, only {_range(series)}."
            place = row.cells.get("series", cell)
            yield SheetProblem("image", place.row, place.column, message, "Series are counted from 0.", "sheet.row-without-image")
            continue
        other = rows.setdefault((name, one), row)
        if other is not row:
            # Where both rows write the name alike, the sheet's own problems say the same.
            message = f"Row {other.number} is about series {one} of “{shorten(cell.text, NAME_SHOWN)}” already."
            fix = "Keep one row for each series of an image."
            yield SheetProblem("image", cell.row, cell.column, message, fix, "sheet.image-twice", image=name, series=one)


def _range(series: list[int]) -> str:
    return str(series[0]) if len(series) == 1 else f"{min(series)} to {max(series)}"


def _no_row(name: str, series: int) -> SheetProblem:
    message = f"Series {series} of “{name}” has no row in the sheet."
    fix = "Add it; lm_describe --from-sheet does."
    return SheetProblem("image", 0, "", message, fix, "sheet.image-without-row", image=name, series=series)


def _image_twice(name: str, series: int) -> SheetProblem:
    message = f"Two images that were given are called “{name}” (series {series})."
    fix = "Give each a name of its own, so that the sheet can tell them apart."
    return SheetProblem("image", 0, "", message, fix, "sheet.two-images-of-one-name", image=name, series=series)
