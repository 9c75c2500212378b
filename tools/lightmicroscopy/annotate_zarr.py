"""Annotating an OME-Zarr: a copy in which the metadata files are new, and all chunks the same."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from . import readers
from .annotate_ome import CONVERT, Record, add_record, edit_ome, places_of, serialise
from .annotate_tiff import Copied
from .errors import UnreadableError, UnwritableError
from .image import Location
from .metadata.ngff_edit import edit_group, edit_scale
from .metadata.ngff_read import ome_attributes
from .readers.ome_zarr import OME_XML
from .readers.zarr_store import METADATA_LIMIT, Store, ZipStore, folder_root, open_store
from .untrusted_json import parse_json
from .writers.atomic import new_output
from .writers.copies import copy_file
from .writers.store_copy import copy_folder, copy_zip

if TYPE_CHECKING:
    from .image import Dataset
    from .metadata.changes import SeriesChanges

Json = dict[str, Any]

_VERSIONS: Final = ("OME-Zarr 0.4", "OME-Zarr 0.5")


def annotate_zarr(
    dataset: Dataset,
    wanted: Mapping[int, SeriesChanges],
    output: Path,
    record: Record,
    *,
    link: bool = True,
    progress: Callable[[int], None] | None = None,
) -> Copied:
    """Write an annotated copy of a store, a folder or a zip as it is.

    Parameters
    ----------
    wanted
        What is to be set, by series.
    output
        Folder for the copy.
    link
        Whether files of the copy may be hard links to those of the input.

    Raises
    ------
    UsageError
        If something of that name is there already.
    UnwritableError
        If the metadata cannot be changed, or the copy cannot be written.
    """
    path = dataset.location.path
    if dataset.format not in _VERSIONS:
        raise UnwritableError(f"{dataset.location.name} is {dataset.format}; metadata are written into 0.4 and 0.5. {CONVERT}")
    store = open_store(path)
    try:
        documents = _Documents(store)
        changed, losses = _edit(dataset, documents, wanted, record)
        replaced = documents.files() if any(changed.values()) else {}
        prefix = store.prefix if isinstance(store, ZipStore) else ""
    finally:
        store.close()
    with new_output(output / path.name, most_bytes=_bytes(path)) as temporary:
        if path.is_dir():
            size = copy_folder(folder_root(path) or path, temporary, replaced, link=link, progress=progress)
        elif replaced:
            size = copy_zip(path, temporary, {f"{prefix}{key}": content for key, content in replaced.items()}, progress)
        else:
            copy_file(path, temporary, progress)
            size = path.stat().st_size
        _check(temporary, dataset)
    return Copied((output / path.name,), size, changed, losses)


def _bytes(path: Path) -> int:
    return 0 if path.is_dir() else path.stat().st_size


class _Documents:
    """JSON documents of a store that are being changed, and what else is written anew."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.changed: dict[str, bytes] = {}
        self._groups: dict[str, tuple[str, Json]] = {}
        self._before: dict[str, bytes] = {}

    def group(self, path: str) -> Json:
        """NGFF's part of the attributes of a group, to be changed in place."""
        if path not in self._groups:
            below = f"{path}/" if path else ""
            name = next(name for name in ("zarr.json", ".zattrs") if self.store.size(f"{below}{name}") is not None)
            self._groups[path] = (f"{below}{name}", self._read(f"{below}{name}"))
        name, document = self._groups[path]
        attributes = document["attributes"] if name.endswith("zarr.json") else document
        ome = ome_attributes(attributes)
        return ome if isinstance(ome, dict) else {}

    def _read(self, key: str) -> Json:
        data = self.store.get(key, METADATA_LIMIT) or b"{}"
        try:
            document = parse_json(data)
        except ValueError as error:
            raise UnreadableError(
                f"{self.store.name}: {key} is not valid JSON ({error}). Copy the store again, or convert its source anew."
            ) from error
        self._before[key] = data
        return document if isinstance(document, dict) else {}

    def files(self) -> dict[str, bytes]:
        """Every file that is other than it was."""
        files = dict(self.changed)
        for key, document in self._groups.values():
            if document != parse_json(self._before[key]):
                files[key] = self._dumped(document, key)
        self._consolidate(files)
        return files

    def _consolidate(self, files: dict[str, bytes]) -> None:
        """Repeat the change where a store holds all its metadata once more in one place."""
        changed = {key: document for key, document in self._groups.values() if key in files}
        for holder in _holders(changed):
            name = f"{holder}/" if holder else ""
            if self.store.size(f"{name}.zmetadata") is not None:
                document = self._read(f"{name}.zmetadata")
                known = document.get("metadata")
                inside = {key.removeprefix(name): value for key, value in changed.items() if key.startswith(name)}
                if isinstance(known, dict):
                    known.update({key: value for key, value in inside.items() if key in known})
                    files[f"{name}.zmetadata"] = self._dumped(document, f"{name}.zmetadata")
            key = f"{name}zarr.json"
            if self.store.size(key) is None:
                continue
            own = changed.get(key) or self._read(key)
            block = own.get("consolidated_metadata")
            known = block.get("metadata") if isinstance(block, dict) else None
            if not isinstance(known, dict):
                continue
            for path, value in changed.items():
                inner = path.removeprefix(name).removesuffix("zarr.json").strip("/")
                entry = known.get(inner)
                if path != key and path.startswith(name) and isinstance(entry, dict):
                    entry["attributes"] = value["attributes"]
            files[key] = self._dumped(own, key)

    def _dumped(self, document: Json, key: str) -> bytes:
        try:
            text = json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False)
        except ValueError as error:
            raise UnwritableError(
                f"{self.store.name}: {key} has a number that JSON has no way to write (NaN or infinite), so that it cannot be written anew. "
                "Convert it with Convert microscopy images, and annotate that."
            ) from error
        try:
            return text.encode("utf-8")
        except UnicodeEncodeError:
            # Half a pair of UTF-16 is legal in JSON as an escape only.
            return json.dumps(document, indent=2, allow_nan=False).encode("ascii")


def _holders(changed: Mapping[str, Json]) -> list[str]:
    """Groups above what was changed, the innermost first, each once."""
    found: dict[str, None] = {}
    for key in changed:
        folder = key.rpartition("/")[0]
        while True:
            found.setdefault(folder)
            if not folder:
                break
            folder = folder.rpartition("/")[0]
    return sorted(found, key=lambda folder: -len(folder))


def _edit(
    dataset: Dataset, documents: _Documents, wanted: Mapping[int, SeriesChanges], record: Record
) -> tuple[dict[int, list[str]], tuple[str, ...]]:
    """Set everything in memory."""
    images = {image.series: image for image in dataset.images}
    changed: dict[int, list[str]] = {}
    for series, changes in wanted.items():
        image = images[series]
        where = f"{dataset.location.name}, group {image.path}" if image.path else dataset.location.name
        changed[series] = edit_group(documents.group(image.path or ""), image, changes, where)
        for label in dataset.labels:
            if label.label_of == series and label.path is not None:
                edit_scale(documents.group(label.path), label, changes, f"{dataset.location.name}, label map {label.name}")
    xml, places = _document(dataset)
    edited = edit_ome(xml, dataset, wanted, f"{dataset.location.name}, {OME_XML}", places)
    for series, names in edited.changed.items():
        changed[series] = list(dict.fromkeys([*names, *changed[series]]))
    if any(changed.values()):
        add_record(edited, record, dataset.location.name, changed, places)
        documents.changed[OME_XML] = serialise(edited.root)
    return changed, edited.losses


def _document(dataset: Dataset) -> tuple[bytes, dict[int, int]]:
    """The store's OME-XML, or one made of what NGFF says where it has none."""
    if dataset.ome is not None and dataset.ome_source is not None:
        return dataset.ome_source, places_of(dataset)
    if dataset.ome_source is not None:
        raise UnwritableError(f"The {OME_XML} of {dataset.location.name} cannot be read, and so cannot be changed. {CONVERT}")
    from .metadata.ome_write import build_ome

    places = {image.series: number for number, image in enumerate(dataset.images)}
    if any(series != number for series, number in places.items()):
        raise UnwritableError(f"Some of the series that {dataset.location.name} lists are not there. Ask for the store again.")
    return build_ome(dataset.images, storage="ome-zarr", source=dataset), places


def _check(path: Path, dataset: Dataset) -> None:
    """Open the copy and check that it has the images of the input."""
    with readers.open(Location(path)) as copy:
        before, after = (
            [(image.path, image.shape, image.dtype, len(image.levels)) for image in (*one.images, *one.labels)] for one in (dataset, copy)
        )
    if before != after:
        raise UnwritableError(f"The annotated copy of {dataset.location.name} is not as it should be; it was removed. Please report this.")
