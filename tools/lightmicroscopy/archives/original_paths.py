"""Where original files are kept: as in the archive's own tree, each address its own place."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote, urlsplit

from ..names import LONGEST, sanitise

if TYPE_CHECKING:
    from .manifest import Row

_LONGEST_SUFFIX: Final = 20
_MARK: Final = 8
"""Digits of the checksum of an address that tell one file from another."""


def original_path(url: str, *, exact: bool = False) -> PurePosixPath:
    """Where an original is kept: as in the archive's own tree from the study down, since files of one set find each other by their places.

    Parameters
    ----------
    exact
        Keep names as they are wherever that is safe, since files of one set name each other.
    """
    parts = [unquote(part) for part in urlsplit(url).path.split("/") if part]
    start = next((index for index, part in enumerate(parts) if part.startswith("idr") and part[3:7].isdigit()), max(0, len(parts) - 2))
    return PurePosixPath(*(part if exact and _is_safe(part) else sanitise(part, otherwise="file") for part in parts[start:]))


def apart_path(url: str) -> PurePosixPath:
    """Where an original is kept whose own place another file has, since what tells their names apart is not kept in names of files."""
    path = original_path(url)
    if not path.name:
        return path
    mark = f"~{hashlib.sha256(url.encode()).hexdigest()[:_MARK]}"
    suffix = PurePosixPath(unquote(urlsplit(url).path)).suffix
    suffix = suffix if suffix.isascii() and suffix[1:].isalnum() and len(suffix) <= _LONGEST_SUFFIX else ""
    stem = sanitise(path.name.removesuffix(suffix), LONGEST - len(mark) - len(suffix), otherwise="file")
    return path.with_name(f"{stem}{mark}{suffix}")


def is_place_of(path: str, url: str) -> bool:
    """Whether a path in a manifest is where the file of an address is kept."""
    try:
        return path in (str(original_path(url)), str(apart_path(url)))
    except ValueError:
        return False


class OriginalPaths:
    """Gives each address of a call a place of its own. For one thread.

    Parameters
    ----------
    earlier
        Rows of files that are there from an earlier call, by address; those keep their places.
    """

    def __init__(self, earlier: Mapping[str, Row]) -> None:
        self._earlier = {url: row.path for url, row in earlier.items() if is_place_of(row.path, url)}
        self._taken = {path: url for url, path in self._earlier.items()}

    def of(self, url: str) -> PurePosixPath:
        """Return the place of an address; the same whenever it is asked for."""
        place = PurePosixPath(self._earlier.get(url) or original_path(url))
        return place if self._taken.setdefault(str(place), url) == url else apart_path(url)


def _is_safe(name: str) -> bool:
    return name.isprintable() and not name.startswith(".") and not set(name) & {"/", "\\"} and len(name.encode()) <= LONGEST
