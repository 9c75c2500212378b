"""What an earlier download did not get, out of its manifest: for a call that cannot see what the earlier one made."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import TYPE_CHECKING

from ..progress import counted
from ..reports.tables import MANIFEST, write_table
from .idr_request import is_manifest
from .manifest import read_rows

if TYPE_CHECKING:
    from argparse import Namespace
    from contextlib import ExitStack

log = logging.getLogger("lightmicroscopy")


def missing_of(table: Path, target: Path, *, together: bool = False) -> Path | None:
    """Find out what a manifest lists and does not list as done.

    Parameters
    ----------
    table
        A manifest; any other table is given back as it is.
    target
        Where the lines of what is missing are written, all lines of an item that lacks one of its files. Of a call that was stopped all are
        missing: Galaxy keeps the manifest of such a job and throws away its files.
    together
        Whether what is made cannot be put together from several calls, such as the store of a plate: if anything is missing, all is.

    Returns
    -------
    Path
        A table of what is missing; None if nothing is.

    Raises
    ------
    UnreadableError
        If the table is none.
    """
    if not is_manifest(table):
        return table
    lacking, items, statuses = set[str](), set[str](), set[str]()
    for row in read_rows(table, ("item", "status")):
        items.add(row["item"])
        statuses.add(row["status"])
        if row["status"] != "done":
            lacking.add(row["item"])
    if {"planned", "done"} <= statuses:
        log.warning(
            "%s was left by a call that was stopped, so that what it lists as done may have been lost with it. All of it is fetched.", table.name
        )
        return table
    if not items or not lacking:
        return table if not items else None
    if together or lacking == items:
        return table

    def known(row: dict[str, str]) -> dict[str, object]:
        return {name: row.get(name, "") for name in MANIFEST}

    log.info("Of %s in %s, those it lists as done are left out: %s.", counted(len(items), "item"), table.name, f"{len(items) - len(lacking):,}")
    write_table(target, MANIFEST, (known(row) for row in read_rows(table, ("item", "status")) if row["item"] in lacking))
    return target


def narrow_to_missing(arguments: Namespace, stack: ExitStack, *, together: bool = False) -> bool:
    """Put a table of what is missing in the place of the manifest that a download tool was given, if it is asked to.

    Returns
    -------
    bool
        Whether there is anything to do. If there is not, an empty manifest says so.
    """
    from tempfile import TemporaryDirectory

    if not (arguments.only_missing and arguments.table):
        return True
    scratch = Path(stack.enter_context(TemporaryDirectory(prefix="lightmicroscopy-")))
    # Messages name the table as the user does.
    found = missing_of(arguments.table, scratch / arguments.table.name, together=together)
    if found is None:
        log.info("%s lists nothing that is not done. Nothing was fetched.", arguments.table.name)
        if arguments.manifest:
            write_table(arguments.manifest, MANIFEST, ())
        return False
    arguments.table = found
    return True
