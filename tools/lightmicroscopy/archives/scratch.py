"""Rows that wait on disk and not in memory, however many there are."""

from __future__ import annotations

import sqlite3
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from ..errors import UnwritableError

if TYPE_CHECKING:
    from collections.abc import Iterator

_CACHE_KB: Final = 4096


def scratch_database(*, undo: bool = False) -> sqlite3.Connection:
    """Open a temporary database on disk, for one thread. SQLite removes it by itself, also after a crash.

    Parameters
    ----------
    undo
        Whether a transaction can be rolled back; without, its state is undefined then.
    """
    database = sqlite3.connect("", isolation_level=None)
    database.execute(f"PRAGMA cache_size=-{_CACHE_KB}")
    database.execute(f"PRAGMA journal_mode={'MEMORY' if undo else 'OFF'}")
    return database


@contextmanager
def told_of_a_full_disk() -> Iterator[None]:
    """Turn what SQLite says when its temporary file cannot grow into a sentence."""
    try:
        yield
    except sqlite3.OperationalError as error:
        raise UnwritableError(f"The folder for temporary files cannot be written ({error}). Free space there, or name another in TMPDIR.") from error
