"""Which images a call asks for: what was typed or pasted, and the tables that can be fed back."""

from __future__ import annotations

import logging
from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import MissingError, SuiteError, UsageError
from .idr_images_table import read_images_table, tell_repeats
from .idr_spec import Named, parse_named
from .manifest import Earlier, finished, read_rows
from .pulse import Pulse
from .seen import Seen

if TYPE_CHECKING:
    from .idr_walk import Walk

log = logging.getLogger("lightmicroscopy")


@dataclass
class Requested:
    """What a call asks for.

    Attributes
    ----------
    numbers
        Ids of images, each once, in ascending order; 8 bytes each.
    missing
        What was named, is no image, and holds none that could be listed; and why.
    """

    numbers: array[int]
    missing: list[tuple[str, SuiteError]]


def requested(specs: Iterable[str], table: Path | None, web: str, walk: Walk, most: int) -> Requested:
    """Find out which images are asked for; containers are walked through.

    Parameters
    ----------
    web
        Address of the IDR's web pages: links to it are links to the IDR.
    most
        Images that may be asked for: no container is walked any further.

    Raises
    ------
    UsageError
        If something is nothing of the IDR, nothing is asked for, or a container holds too much.
    UnreadableError
        If the table is none.
    ArchiveError
        If nothing of what is asked for can be had.
    """
    found, seen, again = array("q"), Seen(), Seen()
    containers: dict[Named, None] = {}
    for named, tell in _all(specs, table, web):
        if named.kind != "image":
            containers[named] = None
        elif seen.is_new(named.number):
            found.append(named.number)
        elif tell:
            again.repeated += 1
    tell_repeats(again, log.warning)
    missing: list[tuple[str, SuiteError]] = []
    for named in containers:
        try:
            _walk_through(walk, named, found, seen, most)
        except UsageError:
            raise
        except SuiteError as error:
            missing.append((named.item, error))
    if not found and missing:
        for _, reason in missing[1:]:
            log.warning("%s", reason)
        raise missing[0][1]
    if not found:
        raise UsageError("No image is asked for. Give ids, links to images, or a table of images.")
    return Requested(array("q", sorted(found)), missing)


def _walk_through(walk: Walk, named: Named, found: array[int], seen: Seen, most: int) -> None:
    there, pulse = False, Pulse()
    for image in walk.images(named):
        there = True
        pulse.tell("Looking through %s: %s images so far.", named.item, f"{len(found):,}")
        if not seen.is_new(image.image):
            continue
        found.append(image.image)
        if len(found) > most:
            raise UsageError(
                f"{named.item} holds more images than the {most:,} that are allowed in one go. Name a part of it, such as one plate or dataset, or "
                "raise --max-items (an administrator may have set a ceiling)."
            )
    if not there:
        raise MissingError(f"{named.item} holds no images. Check it at the IDR's page.")


def _all(specs: Iterable[str], table: Path | None, web: str) -> Iterator[tuple[Named, bool]]:
    """Give all that is named, and whether a repetition is worth telling."""
    yield from ((named, True) for named in parse_named(specs, web=web))
    if table is None:
        return
    if is_manifest(table):
        # An item has a row for each of its files: that is no repetition to tell of.
        yield from ((named, False) for named in parse_named(row["item"] for row in read_rows(table, ("item", "status"))))
    else:
        yield from ((Named("image", row.image_id), False) for row in read_images_table(table))


def is_manifest(table: Path) -> bool:
    """Whether a table is a manifest (an images table has other columns)."""
    try:
        with table.open("rb") as stream:
            columns = stream.readline(65_536).decode("utf-8-sig", "replace").rstrip("\r\n").split("\t")
    except OSError as error:
        raise UsageError(f"{table.name} cannot be read: {error.strerror}. Check that it is there and that you may read it.") from error
    return {"item", "status"} <= set(columns)


def already_done(table: Path | None, output: Path) -> Earlier:
    """What a manifest fed back lists and is still there; see `finished`."""
    return finished(table, output) if table is not None and is_manifest(table) else Earlier()
