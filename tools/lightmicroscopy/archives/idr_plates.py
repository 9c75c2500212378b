"""Plates that become one store each: which of their fields are wanted, and what becomes of them."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from ..errors import SuiteError, UnwritableError, UsageError
from ..provenance import files_below, sha256_of
from ..writers.atomic import refuse_existing
from .idr_arrange import is_field
from .idr_plate_store import Missing, PlateStore, missing_of, said_of, stated_plate
from .originals import scratch_folder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from ..writers.options import WriteOptions
    from .engine import Engine
    from .idr import Idr
    from .idr_study import Place
    from .manifest import Row

log = logging.getLogger("lightmicroscopy")


@dataclass
class Plated:
    """The wanted fields of one plate.

    Attributes
    ----------
    places
        Of the fields that are planned, by number of the image.
    missing
        Fields that cannot be had.
    kept
        Whether its store is there from an earlier call.
    """

    id: int
    name: str
    places: dict[int, Place] = field(default_factory=dict)
    missing: list[Missing] = field(default_factory=list)
    kept: bool = False


class Plates:
    """The plates of a call, in the order they are met."""

    def __init__(self, *, wanted: bool) -> None:
        self._wanted = wanted
        self._plates: dict[int, Plated] = {}

    def of(self, place: Place | None) -> Plated | None:
        """Plate whose store an image belongs into; None if it becomes a result of its own."""
        if not self._wanted or not is_field(place) or place.plate_id is None:
            return None
        return self._plates.setdefault(place.plate_id, Plated(place.plate_id, place.plate))

    def want(self, number: int, place: Place | None) -> None:
        """Take an image that is planned, if it belongs into a plate."""
        if (plate := self.of(place)) is not None and place is not None:
            plate.places[number] = place

    def lack(self, number: int, place: Place | None, reason: SuiteError) -> None:
        """Note an image that cannot be had, if it belongs into a plate."""
        if (plate := self.of(place)) is not None and place is not None:
            plate.missing.append(missing_of(number, place, reason))

    def __iter__(self) -> Iterator[Plated]:
        return iter(self._plates.values())

    def __contains__(self, number: int) -> bool:
        return any(number in plate.places for plate in self)

    def refuse_to_add(self, engine: Engine) -> Iterator[int]:
        """Refuse what belongs into a store that is kept from an earlier call, for nothing is added to a store; gives the images."""
        for plate in self:
            for number in list(plate.places) if plate.kept else ():
                row = engine.manifest.of(number)[0]
                sentence = f"{row.path} is there from an earlier call without {row.item}, and nothing is added to it. Remove it to have it made anew."
                engine.fail(number, row, UsageError(sentence))
                del plate.places[number]
                yield number


def fetch_plate(
    plate: Plated, engine: Engine, options: WriteOptions, idr: Idr, write: Callable[[int, Sequence[Row], PlateStore], str]
) -> Path | None:
    """Fetch the fields of a plate into one store; those that fail cost no other.

    Parameters
    ----------
    write
        Writes one field into the store, given its number and planned rows; gives notes for the manifest.

    Returns
    -------
    Path
        The store; None if nothing of it could be had.

    Raises
    ------
    UnwritableError
        If the disk is full, or the output folder cannot be written.
    """
    waiting = {number: engine.manifest.of(number) for number in plate.places}
    done: dict[int, Row] = {}
    path = engine.output / next(iter(waiting.values()))[0].path
    try:
        with scratch_folder(engine.output) as scratch:
            refuse_existing(path)
            stated = stated_plate(idr, plate.id, plate.name)
            store = PlateStore(scratch, options)
            for number, rows in list(waiting.items()):
                try:
                    done[number] = replace(rows[0], reason=write(number, rows, store))
                except UnwritableError:
                    raise
                except SuiteError as error:
                    plate.missing.append(missing_of(number, plate.places[number], error))
                    engine.settle(number, waiting.pop(number), (), error)
            if not done:
                return None
            for sentence in store.finish(path, stated, plate.missing):
                log.warning("%s: %s", path.name, sentence)
            files = files_below(path)
            size, digest = sum(file.stat().st_size for file in files.values()), sha256_of(files)
    except SuiteError as error:
        for number, rows in waiting.items():
            engine.settle(number, rows, (), error)
        if isinstance(error, UnwritableError):
            raise
        return None
    lacking = said_of(plate.missing)
    for number, row in done.items():
        reason = f"{row.reason} {lacking}".strip()
        engine.settle(number, waiting[number], [replace(row, status="done", bytes=size, sha256=digest, attempts=1, reason=reason)])
    return path
