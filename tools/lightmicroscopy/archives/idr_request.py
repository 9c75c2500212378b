"""Which images a call asks for: what was typed or pasted, and the tables that can be fed back."""

from __future__ import annotations

import logging
from array import array
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ..errors import MissingError, SuiteError, UsageError
from ..reports.tables import cell
from .idr_images_table import read_images_table, tell_repeats
from .idr_spec import Named, parse_named
from .manifest import Earlier, Row, finished, read_rows, row_of
from .original_paths import is_place_of
from .pulse import Pulse
from .seen import Seen

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from .idr_plan import Format, Wanted
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


def refuse_other_choices(table: Path | None, wanted: Wanted) -> None:
    """Refuse to carry out a plan with other choices than it was made with; where only results differ, say so.

    What a manifest lists as planned was counted with its selection and format. What it lists as done may be wanted otherwise
    beside what is there already.

    Raises
    ------
    UsageError
        If something is planned with another selection or format.
    """
    if table is None or not is_manifest(table):
        return
    told = ""
    for row in map(row_of, read_rows(table, ("item", "status"))):
        if row.status not in ("planned", "done") or not (otherwise := _otherwise(row, wanted)):
            continue
        sentence = f"{table.name} was made {otherwise}, or give the images themselves with --images."
        if row.status == "planned":
            raise UsageError(sentence)
        told = told or sentence
    if told:
        log.warning("%s They are fetched anew as is asked for now.", told)


def _otherwise(row: Row, wanted: Wanted) -> str:
    """How a row was asked for, if that is not how it is wanted now; empty if it is."""
    made, selection = _format_of(row), cell(wanted.selection.describe())
    if made and made != wanted.format:
        choice = " ".join(part for part in (f"--format {made}", row.selection) if part)
    elif row.selection == selection:
        return ""
    elif not row.selection:
        return f"without {selection}. Leave that out"
    else:
        choice = row.selection
    return f"with {choice}. Give the same choice again ({choice})"


def _format_of(row: Row) -> Format | None:
    """Format of a result by its path; None if that does not tell."""
    if row.source_url and is_place_of(row.path, row.source_url):
        return "original"
    endings: tuple[tuple[str, Format], ...] = (
        (".ome.tiff", "ome-tiff"),
        (".ome.zarr", "ome-zarr"),
        (".ome.zarr.zip", "ome-zarr"),
        (".ome.xml", "metadata"),
    )
    return next((made for ending, made in endings if row.path.endswith(ending)), None)
