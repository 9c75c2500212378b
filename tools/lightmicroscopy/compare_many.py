"""Many originals and their copies in one go: each copy is compared with the original that it was made from."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from . import readers
from .compare import Comparison, Row, compare
from .errors import SuiteError
from .inputs import Given, location_of
from .names import sanitise, without_extension
from .provenance import NAMESPACE, SOURCE, checksum_of_source

if TYPE_CHECKING:
    from pathlib import Path

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
    opened = _Originals([location_of(given, originals, **choices) for given in originals])
    result = Comparison("; ".join(opened.names), "", tuple(path.name for path in copies), formats={})
    given = _shared_out(opened, copies, result)
    for location in opened.locations:
        if location.path in opened.members:
            continue
        name = location.name
        error = opened.unreadable.get(name)
        if error is None:
            try:
                part = compare(location, given.get(name, ()), pixels=pixels, threads=threads, progress=progress)
            except (SuiteError, OSError) as late:
                error = str(late)
            else:
                result.rows += part.rows
                result.unreadable += part.unreadable
                result.formats[name] = part.format
        if error is not None:
            result.formats[name] = ""
            result.lost.append(error)
            result.rows.append(Row(name, "", "", "file", error, "", "false"))
    return result


@dataclass
class _Originals:
    """The originals, each opened once to see what it is."""

    locations: list[Location]
    members: set[Path] = field(default_factory=set)
    """Files that belong to a set whose first file is another original."""
    unreadable: dict[str, str] = field(default_factory=dict)
    _series: dict[str, set[str]] = field(default_factory=dict)
    _sums: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for location in self.locations:
            if location.path in self.members:
                continue
            try:
                with readers.open(location) as dataset:
                    self.members.update(file for file in dataset.files if file != location.path)
                    self._series[location.name] = _series_names(dataset)
            except (SuiteError, OSError) as error:
                self.unreadable[location.name] = str(error)

    @property
    def names(self) -> list[str]:
        """Names of the originals that are no member of another."""
        return [location.name for location in self.locations if location.path not in self.members]

    def of(self, dataset: Dataset) -> str:
        """Name the original that a copy was made from; empty if none can be told."""
        for record in reversed(_records(dataset)):
            found = self._called(record.get(SOURCE, ""), record.get("Source SHA-256", ""))
            if found:
                return found
        copy, series = without_extension(dataset.location.name), _series_names(dataset)
        stems = {name: without_extension(name) for name in self.names}
        likely = [name for name, stem in stems.items() if copy == stem or copy.startswith(f"{sanitise(stem)}__")]
        longest = max((len(stems[name]) for name in likely), default=0)
        likely = [name for name in likely if len(stems[name]) == longest]
        if len(likely) != 1:
            likely = [name for name in likely or self.names if series <= self._series.get(name, set())]
        return likely[0] if len(likely) == 1 else ""

    def _called(self, source: str, checksum: str) -> str:
        """Find an original by the name it had when it was copied; of two that had the same, by its checksum."""
        found = [name for name in self.names if source in (name, _unnumbered(name))]
        if len(found) > 1:
            found = [name for name in found if self._checksum(name) == checksum] or found
        return found[0] if found and source else ""

    def _checksum(self, name: str) -> str:
        if name not in self._sums:
            self._sums[name] = ""
            location = next(location for location in self.locations if location.name == name)
            if name not in self.unreadable:
                with readers.open(location) as dataset:
                    self._sums[name] = checksum_of_source(dataset)
        return self._sums[name]


def _unnumbered(name: str) -> str:
    """Drop the number of a second of that name: ``a~2.czi`` is one more ``a.czi``."""
    stem = without_extension(name)
    return _NUMBERED.sub("", stem) + name[len(stem) :]


def _series_names(dataset: Dataset) -> set[str]:
    return {image.name for image in dataset.images}


def _records(dataset: Dataset) -> list[dict[str, str]]:
    """What this suite noted when it wrote a copy, oldest first."""
    image = next(iter((*dataset.images, *dataset.labels)), None)
    return [dict(note.pairs) for note in image.metadata.annotations if note.namespace == NAMESPACE] if image else []


def _shared_out(originals: _Originals, copies: Sequence[Given], result: Comparison) -> dict[str, list[Given]]:
    """Give each copy to its original; those of none, and those that cannot be read, are rows."""
    given: dict[str, list[Given]] = {}
    members: set[Given] = set()
    for path in copies:
        if path in members:
            continue
        try:
            with readers.open(location_of(path, copies)) as dataset:
                original, others = originals.of(dataset), [file for file in dataset.files if file in copies and file != path]
        except (SuiteError, OSError) as error:
            result.unreadable.append(str(error))
            result.rows.append(Row("", path.name, "", "file", "", str(error), "false"))
            continue
        members.update(others)
        if original:
            given.setdefault(original, []).extend((path, *others))
        else:
            result.rows.append(Row("", path.name, "", "file", "", OF_NONE, "false"))
    return given
