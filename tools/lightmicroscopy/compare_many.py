"""Many originals and their copies in one go: each copy is compared with the original that it was made from."""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from . import readers
from .compare import Comparison, Row, compare
from .errors import SuiteError
from .inputs import Given, location_of, names_of, paths_among
from .names import sanitise, without_extension
from .provenance import SOURCE, SOURCE_SUM, checksum_of_source, records_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from .image import Dataset, Location

OF_NONE = "made from none of these originals, as far as can be seen"
_NUMBERED = re.compile(r"~[0-9]{1,4}$")


def compare_many(
    originals: Sequence[Given],
    copies: Sequence[Given],
    *,
    reading: Mapping[str, Any] | None = None,
    pixels: bool = True,
    threads: int = 1,
    progress: Callable[[int, int], None] | None = None,
) -> Comparison:
    """Compare copies with whichever of several originals they were made from.

    A copy says itself what it was made from where this suite made it; others are recognised by the name of the file, and where
    that does not help by the names of their series.

    Parameters
    ----------
    originals
        Files and stores that were copied. The members of a set may be among them. One that cannot be opened is a row.
    copies
        Files and stores that hold their series, in any order; there may be none.
    reading
        How originals are read, as `Location` takes it: axes, pixel size, mosaic.
    pixels, threads, progress
        As of `compare`; progress begins anew with each original.
    """
    choices = dict(reading or {})
    opened = _Originals({given: location_of(given, originals, **choices) for given in originals})
    names = dict(zip(originals, names_of(originals), strict=True))
    result = Comparison(
        "; ".join(names[path] for path in opened.paths), "", tuple(names_of(copies)), formats={}, files=set(paths_among(opened.members))
    )
    given = _shared_out(opened, copies, result)
    for path in opened.paths:
        name = names[path]
        error = opened.unreadable.get(path)
        if error is None:
            try:
                part = compare(opened.locations[path], given.get(path, ()), pixels=pixels, threads=threads, progress=progress)
            except (SuiteError, OSError) as late:
                error = str(late)
            else:
                result.rows += part.rows if name == path.name else [replace(row, original=name) for row in part.rows]
                result.unreadable += part.unreadable
                result.files |= part.files
                result.notes += part.notes
                result.formats[name] = part.format
        if error is not None:
            result.formats[name] = ""
            result.lost.append(error)
            result.rows.append(Row(name, "", "", "file", error, "", "false"))
    return result


class _Originals:
    """The originals by their paths, since several may have one name; each is opened once to see what it is.

    Attributes
    ----------
    members
        Files that belong to a set whose first file is another original.
    unreadable
        Why an original cannot be read.
    """

    def __init__(self, locations: Mapping[Given, Location]) -> None:
        self.locations = locations
        self.members: set[Given] = set()
        self.unreadable: dict[Given, str] = {}
        self._series: dict[Given, set[str]] = {}
        self._sums: dict[Given, str] = {}
        for path, location in self.locations.items():
            if path in self.members:
                continue
            try:
                with readers.open(location) as dataset:
                    self.members.update(file for file in dataset.files if file != path)
                    self._series[path] = _series_names(dataset)
            except (SuiteError, OSError) as error:
                self.unreadable[path] = str(error)
        self.paths = [path for path in self.locations if path not in self.members]
        self._stems = {path: without_extension(path.name) for path in self.paths}
        self._called: dict[str, list[Given]] = defaultdict(list)
        for path in self.paths:
            for name in {path.name, _unnumbered(path.name)}:
                self._called[name].append(path)

    def of(self, dataset: Dataset) -> Given | None:
        """Find the original that a copy was made from; ``None`` if it cannot be told."""
        for record in reversed(_records(dataset)):
            found = self._recorded(record.get(SOURCE, ""), record.get(SOURCE_SUM, ""))
            if found:
                return found
        copy, series = without_extension(dataset.location.name), _series_names(dataset)
        likely = [path for path, stem in self._stems.items() if copy == stem or copy.startswith(f"{sanitise(stem)}__")]
        longest = max((len(self._stems[path]) for path in likely), default=0)
        likely = [path for path in likely if len(self._stems[path]) == longest]
        if len(likely) != 1:
            likely = [path for path in likely or self.paths if series <= self._series.get(path, set())]
        return likely[0] if len(likely) == 1 else None

    def _recorded(self, source: str, checksum: str) -> Given | None:
        """Find an original by the name it had when it was copied; of several that had the same, by its checksum."""
        found = self._called.get(source, []) if source else []
        if len(found) > 1 and checksum:
            # One that cannot be read any more has none; what was made of none of the others was made of that.
            sums = {path: self._checksum(path) for path in found}
            found = [path for path in found if sums[path] == checksum] or [path for path in found if not sums[path]] or found
        if len(found) > 1:
            found = [path for path in found if path.name == source]
        return found[0] if len(found) == 1 else None

    def _checksum(self, path: Given) -> str:
        if path not in self._sums:
            self._sums[path] = ""
            if path not in self.unreadable:
                with readers.open(self.locations[path]) as dataset:
                    self._sums[path] = checksum_of_source(dataset)
        return self._sums[path]


def _unnumbered(name: str) -> str:
    """Drop the number of a second of that name: ``a~2.czi`` is one more ``a.czi``."""
    stem = without_extension(name)
    return _NUMBERED.sub("", stem) + name[len(stem) :]


def _series_names(dataset: Dataset) -> set[str]:
    return {image.name for image in dataset.images}


def _records(dataset: Dataset) -> list[dict[str, str]]:
    """What this suite noted when it wrote a copy, oldest first."""
    image = next(iter((*dataset.images, *dataset.labels)), None)
    return records_of(image) if image else []


def _shared_out(originals: _Originals, copies: Sequence[Given], result: Comparison) -> dict[Given, list[Given]]:
    """Give each copy to its original; those of none, and those that cannot be read, are rows."""
    given: dict[Given, list[Given]] = {}
    names = dict(zip(copies, names_of(copies), strict=True))
    members: set[Given] = set()
    for path in copies:
        if path in members:
            continue
        try:
            with readers.open(location_of(path, copies)) as dataset:
                result.files.update(dataset.files)
                original, others = originals.of(dataset), [file for file in dataset.files if file in copies and file != path]
        except (SuiteError, OSError) as error:
            result.unreadable.append(str(error))
            result.rows.append(Row("", names[path], "", "file", "", str(error), "false"))
            continue
        members.update(others)
        if original is not None:
            given.setdefault(original, []).extend((path, *others))
        else:
            result.rows.append(Row("", names[path], "", "file", "", OF_NONE, "false"))
    return given
