"""What a Galaxy job must say beside its files: which folders are the elements of a collection."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from .names import unique, without_extension
from .reports.tables import write_text

METADATA = Path("galaxy.json")
"""Galaxy looks for it in the folder the job runs in."""


def describe_stores(stores: Iterable[Path], collection: str, root: Path | None = None) -> None:
    """Make OME-Zarr folders the elements of a collection output.

    A dataset of Galaxy's that is a folder is an empty file with *extra files*; a pattern over file names cannot find those. Each
    store is moved into a folder of its own, since Galaxy looks for a store in the one folder among the extra files.

    Parameters
    ----------
    stores
        Folders of the job, anywhere below the folder it runs in.
    collection
        Name of the output in the wrapper.
    root
        Folder whose own folders are the levels of a nested collection; without it the collection is a plain list.
    """
    elements: list[dict[str, Any]] = []
    for store in stores:
        name = without_extension(store.name)
        primary, folder = (store.with_name(f"{name}.{kind}") for kind in ("primary", "files"))
        folder.mkdir()
        store.rename(folder / store.name)
        write_text(primary, ())
        parents = store.relative_to(root).parts[:-1] if root is not None else ()
        _level(elements, parents).append({"name": name, "filename": primary.as_posix(), "ext": "ome_zarr", "extra_files": str(folder.absolute())})
    write_text(METADATA, [json.dumps({collection: {"elements": elements}})])


def _level(elements: list[dict[str, Any]], parents: Iterable[str]) -> list[dict[str, Any]]:
    """Find the list of elements that these names lead to; made where it is not there yet."""
    for name in parents:
        known = next((element for element in elements if element["name"] == name and "elements" in element), None)
        if known is None:
            known = {"name": name, "elements": []}
            elements.append(known)
        elements = known["elements"]
    return elements


def describe_files(files: Iterable[str], folder: Path, collection: str) -> None:
    """Make files the elements of a nested collection output: lists by the first folder, in them the files by names that people can read.

    A file has its own name there; where several in a list have the same, those have their whole paths with ``_`` between the parts, since many
    tools cannot work with a slash in a name.

    Parameters
    ----------
    files
        Paths below `folder`, each with at least one folder.
    collection
        Name of the output in the wrapper.
    """
    groups: dict[str, list[str]] = {}
    for file in files:
        groups.setdefault(file.partition("/")[0], []).append(file)
    elements = []
    for group in sorted(groups):
        paths = sorted(groups[group])
        counted = Counter(path.rpartition("/")[2].casefold() for path in paths)
        names = unique(
            [
                path.rpartition("/")[2] if counted[path.rpartition("/")[2].casefold()] == 1 else path.partition("/")[2].replace("/", "_")
                for path in paths
            ]
        )
        elements.append(
            {"name": group, "elements": [{"name": name, "filename": (folder / path).as_posix()} for name, path in zip(names, paths, strict=True)]}
        )
    write_text(METADATA, [json.dumps({collection: {"elements": elements}})])
