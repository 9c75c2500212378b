"""Where the reports of a run go: never over what it reads, and never two to one place."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from .errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

Identity = tuple[int, int]


class ReportPaths:
    """Files that a run is going to make or replace.

    Parameters
    ----------
    reports
        Files that were named one by one; None for those that are not wanted.
    documents
        Files whose names are made here, in a folder that was named.

    Raises
    ------
    UsageError
        If two of them are one, or one of them is there and is no regular file.
    """

    def __init__(self, reports: Iterable[Path | None], documents: Iterable[Path] = ()) -> None:
        self._places: dict[Path, str] = {}
        self._identities: dict[Identity, str] = {}
        self._targets = targets = set[Path]()
        for report, remedy in _all(reports, documents):
            target = _real(report)
            if target in targets:
                raise UsageError(f"Two reports are to be written to {report.name}. Give each its own name.")
            if target.exists() and not target.is_file():
                raise UsageError(f"{report.name} is to be a report but is no file. {remedy}")
            targets.add(target)
            self._note(target, f"{report.name} cannot be written over an input. {remedy}")
            for folder in target.parents:
                self._note(folder, f"{report.name} cannot be written into {folder.name}, which is an input. Choose another folder for it.")

    def _note(self, place: Path, sentence: str) -> None:
        """Remember a file, or a folder that it lies in: an input may be one of these."""
        if place not in self._places:
            self._places[place] = sentence
            identity = _identity(place)
            if identity is not None:
                self._identities.setdefault(identity, sentence)

    def refuse(self, inputs: Iterable[Path]) -> None:
        """Refuse inputs, or files that belong to them, that a report would replace or lie in.

        Files are the same if they have the same path in the end, or the same number on the same device: then they are links to
        one another, or other spellings where case does not count.

        Raises
        ------
        UsageError
            Naming the first such report.
        """
        for path in inputs:
            sentence = self._places.get(_real(path)) or self._identities.get(_identity(path) or (0, 0))
            if sentence is not None:
                raise UsageError(sentence)

    def refuse_as_folder(self, folder: Path) -> None:
        """Refuse reports that would stand where a folder for results, or one above it, has to be made.

        Raises
        ------
        UsageError
            Naming the folder.
        """
        real = _real(folder)
        if any(place in self._targets for place in (real, *real.parents)):
            raise UsageError(f"A report is to be written where the output folder {folder.name} is to be. Give the report another name.")

    def refuse_made(self, made: Iterable[Path]) -> None:
        """Refuse reports that would replace, or lie in, what the run itself has made; it is kept.

        Raises
        ------
        UsageError
            Naming the first file or folder that a report was to replace.
        """
        for path in made:
            if _real(path) in self._places:
                raise UsageError(f"A report is to be written to {path.name}, which is an image made here. It was kept; give the report another name.")

    def is_in_the_way_of(self, planned: Path) -> bool:
        """Whether a report is to take the place of something planned, to lie in it, or to be a file where a folder above it must be.

        Parameters
        ----------
        planned
            Its path, in which the folder that everything is made in has no links any more.
        """
        return planned in self._places or any(folder in self._targets for folder in planned.parents)


def _all(reports: Iterable[Path | None], documents: Iterable[Path]) -> Iterator[tuple[Path, str]]:
    for report in reports:
        if report is not None:
            yield report, "Give it another name."
    for document in documents:
        yield document, "Choose another folder."


def _real(path: Path) -> Path:
    """Follow links; one that leads in a circle stays as it is."""
    return Path(os.path.realpath(path))


def _identity(path: Path) -> Identity | None:
    """Device and number of what is there; None where nothing is, or the file system has no numbers."""
    try:
        found = path.stat()
    except OSError:
        return None
    return (found.st_dev, found.st_ino) if found.st_ino else None
