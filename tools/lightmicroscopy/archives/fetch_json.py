"""A plan as Galaxy's own upload takes it: the targets of its fetch API, for servers whose compute nodes reach no archive."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from ..errors import UsageError
from ..names import sanitise
from ..reports.tables import write_text

if TYPE_CHECKING:
    from collections.abc import Iterable

    from .manifest import Row

_MD5: Final = re.compile(r"md5:([0-9a-f]{32})")
_DEEPEST: Final = 4
"""Levels of a nested collection that people still find their way in; what lies deeper is named by its path from there on."""


def write_fetch_json(path: Path, rows: Iterable[Row], name: str) -> int:
    """Write what is planned as a nested collection, and give how many files that are.

    Parameters
    ----------
    rows
        Of a manifest; those that are not planned are left out, and of files that several items need one is there.
    name
        Of the collection.

    Raises
    ------
    UsageError
        If a result is not simply a file of the archive: Galaxy can fetch those only.
    """
    files: dict[str, Row] = {}
    for row in rows:
        if row.status != "planned":
            continue
        if not row.source_url.startswith(("https:", "http:")) or row.source_url.rstrip("/").endswith((".zarr", ".zarr.zip")):
            raise UsageError(f"{row.item} is no single file of the archive, which Galaxy could fetch. Plan with the format original.")
        files.setdefault(row.path, row)
    depth = min(_DEEPEST, max((len(Path(place).parts) for place in files), default=1))
    top: dict[str, Any] = {}
    for place, row in sorted(files.items()):
        _put(top, _parts(place, depth), _element(row))
    target = {
        "destination": {"type": "hdca"},
        "collection_type": ":".join(["list"] * depth),
        "name": name,
        "auto_decompress": False,
        "elements": _elements(top),
    }
    write_text(path, [json.dumps({"targets": [target] if files else []}, indent=1, ensure_ascii=False), "\n"])
    return len(files)


def _parts(place: str, depth: int) -> tuple[str, ...]:
    """Name a file on each level; what lies higher than others gets a level that says so."""
    parts = Path(place).parts
    if len(parts) > depth:
        parts = (*parts[: depth - 1], "_".join(parts[depth - 1 :]))
    folders = (*parts[:-1], *["files"] * (depth - len(parts)))
    return (*folders, parts[-1])


def _put(top: dict[str, Any], parts: tuple[str, ...], element: dict[str, Any]) -> None:
    level = top
    for part in parts[:-1]:
        level = level.setdefault(sanitise(part, otherwise="files"), {})
    name, number = parts[-1], 2
    while name in level:
        name, number = f"{parts[-1]}~{number}", number + 1
    level[name] = {**element, "name": name}


def _elements(level: dict[str, Any]) -> list[dict[str, Any]]:
    # A folder may be called src, too.
    return [value if isinstance(value.get("src"), str) else {"name": name, "elements": _elements(value)} for name, value in level.items()]


def _element(row: Row) -> dict[str, Any]:
    element: dict[str, Any] = {
        "src": "url",
        "url": row.source_url,
        "ext": "auto",
        "info": ", ".join(filter(None, (row.item, row.study, row.licence))),
    }
    if match := _MD5.fullmatch(row.server_checksum):
        element["hashes"] = [{"hash_function": "MD5", "hash_value": match[1]}]
    return element
