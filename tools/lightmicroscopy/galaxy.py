"""What a Galaxy job must say beside its files: which folders are the elements of a collection."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .names import unique, without_extension
from .reports.tables import write_text

if TYPE_CHECKING:
    from collections.abc import Iterable

METADATA = Path("galaxy.json")
"""Galaxy looks for it in the folder the job runs in."""
_FORMATS = {
    "ome.tiff": (".ome.tif", ".ome.tiff"),
    "tiff": (".tif", ".tiff", ".btf", ".tf8", ".tf2", ".lsm", ".svs", ".ndpi", ".scn"),
    "png": (".png",),
    "jpg": (".jpg", ".jpeg"),
    "h5": (".h5", ".hdf5", ".hdf", ".ims"),
    "zip": (".zip",),
    "pdf": (".pdf",),
    "xlsx": (".xlsx",),
    "csv": (".csv",),
    "tabular": (".tsv", ".tab"),
    "json": (".json",),
    "xml": (".xml", ".companion.ome"),
    "txt": (".txt", ".md", ".log"),
}
"""Formats that every Galaxy since 23.1 has (its ``datatypes_conf.xml.sample``), by the endings of files; the first that fits."""


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
        parents = store.relative_to(root).parts[:-1] if root is not None else ()
        _level(elements, parents).append(_store(store))
    write_text(METADATA, [json.dumps({collection: {"elements": elements}})])


def _store(store: Path) -> dict[str, Any]:
    name = without_extension(store.name)
    primary, folder = (store.with_name(f"{name}.{kind}") for kind in ("primary", "files"))
    folder.mkdir()
    store.rename(folder / store.name)
    write_text(primary, ())
    return {"name": name, "filename": primary.as_posix(), "ext": "ome_zarr", "extra_files": str(folder.absolute())}


def describe_images(images: Iterable[Path], collection: str, *, zipped: str) -> None:
    """Make images in one folder, OME-Zarr folders among them, the elements of one list.

    Files have their whole names there, by which those of a set find each other.

    Parameters
    ----------
    images
        Below the folder the job runs in.
    collection
        Name of the output in the wrapper.
    zipped
        Format of an OME-Zarr in a zip; not every Galaxy has one for it.
    """
    elements = []
    for image in images:
        kind = zipped if image.suffix.lower() == ".zip" else format_of(image.name)
        elements.append(_store(image) if image.is_dir() else {"name": image.name, "filename": image.as_posix(), "ext": kind})
    for element, name in zip(elements, unique([element["name"] for element in elements]), strict=True):
        element["name"] = name
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


def describe_files(files: Iterable[str], folder: Path, collection: str, *, nested: bool = True) -> None:
    """Make files the elements of a collection output, with names that people can read and the format that Galaxy has for them.

    A file has its own name there; where several in a list have the same, those have their whole paths with ``_`` between the parts, since many
    tools cannot work with a slash in a name.

    Parameters
    ----------
    files
        Paths below `folder`; for a nested collection each with at least one folder.
    collection
        Name of the output in the wrapper.
    nested
        Whether the files of each first folder are a list of their own.
    """
    groups: dict[str, list[str]] = {}
    for file in files:
        group, _, below = file.partition("/") if nested else ("", "", file)
        groups.setdefault(group, []).append(below)
    described = {group: _described(sorted(paths), folder / group) for group, paths in sorted(groups.items())}
    elements = [{"name": group, "elements": found} for group, found in described.items()] if nested else described.get("", [])
    write_text(METADATA, [json.dumps({collection: {"elements": elements}})])


def _described(paths: list[str], folder: Path) -> list[dict[str, str]]:
    own = [path.rpartition("/")[2] for path in paths]
    counted = Counter(name.casefold() for name in own)
    names = unique([name if counted[name.casefold()] == 1 else path.replace("/", "_") for name, path in zip(own, paths, strict=True)])
    return [{"name": name, "filename": (folder / path).as_posix(), "ext": format_of(path)} for name, path in zip(names, paths, strict=True)]


def format_of(name: str) -> str:
    """Name Galaxy's format of a file by its ending, as its upload does for these; ``data`` for any other, which the tools here look into."""
    lower = name.lower()
    return next((kind for kind, endings in _FORMATS.items() if lower.endswith(endings)), "data")
