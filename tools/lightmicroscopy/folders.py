"""Folders of image files, given where an image was asked for: what in them is meant."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

from . import readers
from .errors import UsageError
from .names import EXTENSIONS, readable
from .readers.zarr_store import folder_root

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

MOST = 10_000
"""Files and folders looked at in one folder; whoever has more of them names those that are wanted."""
_NAMED = 5
_STORES = (".zarr", ".ozx")


@dataclass(frozen=True, slots=True)
class Expanded:
    """Inputs with the files of folders in the place of the folders, and a sentence for each folder of which not all was taken."""

    words: tuple[Path | str, ...]
    notes: tuple[str, ...] = ()


def expand(given: Iterable[Path | str], also: Callable[[Path], bool] = lambda _: False) -> Expanded:
    """Replace each folder that is no image itself by the images in it; addresses, which are text, stay.

    They are the files and OME-Zarr stores directly in it, sorted by name, that are of a format read here by their content, or
    should be by their name. Hidden ones count as not there, and links are not followed: what is in a folder may come from
    anybody. A folder without any image stays what it is, to be told as unreadable.

    Parameters
    ----------
    also
        Says of a file in a folder whether it is wanted although it is no image.

    Raises
    ------
    UsageError
        If a folder has more in it than anybody means by naming it.
    """
    words: list[Path | str] = []
    notes = []
    for path in given:
        if isinstance(path, str):
            words.append(path)
            continue
        # A folder may be called "." or ".." on the command line, which is no name for anything made of it.
        named = Path(os.path.realpath(path)) if path.name in ("", "..") else path
        if not named.is_dir() or named.suffix.lower() in _STORES:
            words.append(named)
            continue
        if store := folder_root(named):
            # A folder of one store only: the store has the name that people know.
            words.append(store)
            continue
        entries = _entries(named)
        images = {entry: None for entry in entries if _is_image(entry) or (_is_file(entry) and also(entry))}
        words.extend(images or [named])
        if images and len(images) < len(entries):
            notes.append(_note(named, [entry for entry in entries if entry not in images]))
    return Expanded(tuple(dict.fromkeys(words)), tuple(notes))


def _entries(folder: Path) -> list[Path]:
    try:
        with os.scandir(folder) as there:
            names = [entry.name for entry in islice(there, MOST + 1)]
    except OSError:
        return []
    if len(names) > MOST:
        raise UsageError(f"{readable(folder.name)} holds more than {MOST:,} files. Name the files that are wanted, in several runs.")
    return sorted(folder / name for name in names if not name.startswith("."))


def _is_image(path: Path) -> bool:
    try:
        kind = path.lstat().st_mode
    except OSError:
        return False
    if stat.S_ISDIR(kind):
        return readers.is_recognised(path) or path.suffix.lower() in _STORES
    return stat.S_ISREG(kind) and (path.name.lower().endswith(EXTENSIONS) or readers.is_recognised(path))


def _is_file(path: Path) -> bool:
    try:
        return stat.S_ISREG(path.lstat().st_mode)
    except OSError:
        return False


def _note(folder: Path, left: list[Path]) -> str:
    names = ", ".join(_shown(left))
    return f"Left out of the folder {readable(folder.name)}: {names} (no image by name or content, another folder, or a link)."


def _shown(left: list[Path]) -> Iterator[str]:
    yield from (readable(path.name) for path in left[:_NAMED])
    if len(left) > _NAMED:
        yield f"and {len(left) - _NAMED} more"
