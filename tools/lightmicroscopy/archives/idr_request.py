"""Which images a call asks for: what was typed or pasted, and the tables that can be fed back."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator
from pathlib import Path

from ..errors import UsageError
from .idr_spec import parse_images, read_images_table
from .manifest import Earlier, finished, read_rows


def requested(specs: Iterable[str], table: Path | None, web: str) -> array[int]:
    """Return the ids asked for, each once, in ascending order; 8 bytes each.

    Parameters
    ----------
    web
        Address of the IDR's web pages: links to it are links to the IDR.

    Raises
    ------
    UsageError
        If something is no image, or nothing is asked for.
    UnreadableError
        If the table is none.
    """
    found = array("q", _all(specs, table, web))
    if not found:
        raise UsageError("No image is asked for. Give ids, links to images, or a table of images.")
    return array("q", sorted(set(found)))


def _all(specs: Iterable[str], table: Path | None, web: str) -> Iterator[int]:
    yield from parse_images(specs, web=web)
    if table is None:
        return
    if is_manifest(table):
        # An item has a row for each of its files: that is no repetition to tell of.
        yield from parse_images((row["item"] for row in read_rows(table, ("item", "status"))), warn=None)
    else:
        yield from (row.image_id for row in read_images_table(table))


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
