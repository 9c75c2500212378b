"""The plate that a field, opened by its own address, belongs to: what lies above it on the server says so."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from ..errors import SuiteError
from ..image import Dataset, Plate, Well, WellField
from ..metadata.ngff_read import field_number, ome_attributes, read_plate
from ..names import without_extension
from .remote_store import RemoteStore
from .zarr_array import read_json

_FIELD: Final = re.compile(r"/(?P<well>\w{1,4}/\w{1,4})/(?P<field>\d{1,9})")
"""End of the path of a field: row, column and number."""
_ABOVE: Final = 3


def with_plate(dataset: Dataset) -> Dataset:
    """Add the plate to a dataset that is one field of it, where that can be found out; a plate that is there and unreadable is told.

    It costs up to three requests, and none where the address has not the form of a field's.
    """
    store = dataset.location.store
    if not isinstance(store, RemoteStore) or dataset.plates or len(dataset.images) != 1:
        return dataset
    path = unquote(urlsplit(store.url).path)
    match = _FIELD.fullmatch("/" + "/".join(path.split("/")[-_ABOVE:]))
    above = store.above(_ABOVE) if match else None
    if match is None or above is None:
        return dataset
    try:
        plate = _plate(above, match["well"], match["field"])
    except SuiteError as error:
        return replace(dataset, warnings=(*dataset.warnings, f"The plate it is in is not known: {error}"))
    return dataset if plate is None else replace(dataset, plates=(plate,), plate_layout=False)


def _plate(store: RemoteStore, well_path: str, field: str) -> Plate | None:
    block = _attributes(store, "").get("plate")
    if not isinstance(block, Mapping):
        return None
    info = read_plate(block, store.name)
    place = next(((row, column) for path, row, column in info.wells if path == well_path), None)
    if place is None:
        return None
    well = Well(*place, (WellField(0, _acquisition(store, well_path, field), index=field_number(field)),))
    return Plate(
        name=info.name or without_extension(store.name),
        rows=info.rows,
        columns=info.columns,
        wells=(well,),
        acquisitions=info.acquisitions,
        row_naming=info.row_naming,
        column_naming=info.column_naming,
    )


def _acquisition(store: RemoteStore, well_path: str, field: str) -> int | None:
    block = _attributes(store, well_path).get("well")
    images = block.get("images") if isinstance(block, Mapping) else None
    for entry in images if isinstance(images, list) else ():
        if isinstance(entry, Mapping) and entry.get("path") == field:
            run = entry.get("acquisition")
            return run if isinstance(run, int) else None
    return None


def _attributes(store: RemoteStore, path: str) -> Mapping[str, Any]:
    below = f"{path}/" if path else ""
    v3 = read_json(store, f"{below}zarr.json")
    attributes = v3.get("attributes") if v3 is not None else read_json(store, f"{below}.zattrs")
    return ome_attributes(attributes) if isinstance(attributes, Mapping) else {}
