"""Plates on a server: a few of their fields without the others, and the plate that a field opened by its own address belongs to."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from ..errors import SuiteError, UsageError
from ..image import Dataset, Location, Plate, Well, WellField
from ..metadata.ngff_read import field_number, ome_attributes, read_plate
from ..names import without_extension
from .remote_store import RemoteStore
from .zarr_array import read_json

_FIELD: Final = re.compile(r"/(?P<well>\w{1,4}/\w{1,4})/(?P<field>\d{1,9})")
"""End of the path of a field: row, column and number."""
_ABOVE: Final = 3


@dataclass
class ChosenImages:
    """The few series of a store on a server that are opened; of the others only so much is fetched that the few have their numbers."""

    store: RemoteStore
    wanted: frozenset[int]
    seen: int = 0

    @classmethod
    def of(cls, location: Location) -> ChosenImages | None:
        """Say which series of a location are; ``None`` for all."""
        if location.wanted is None or not isinstance(location.store, RemoteStore):
            return None
        location.store.leave_images()
        return cls(location.store, location.wanted)

    def __contains__(self, series: int) -> bool:
        return series in self.wanted

    @property
    def complete(self) -> bool:
        """Whether all that are wanted have been numbered."""
        return self.seen > max(self.wanted, default=-1)

    def number(self) -> int:
        """Give the next field that is there its number."""
        self.seen += 1
        return self.seen - 1

    def whole(self, paths: Sequence[str]) -> Sequence[str]:
        """Fetch all that is known of those that are wanted, where the place in a list is the number."""
        self.seen = len(paths)
        self.refuse_missing()
        self.store.fetch_groups([paths[series] for series in sorted(self.wanted)], whole=True)
        return paths

    def fields(self, wells: Iterable[str]) -> None:
        """Fetch the attributes of the fields up to the last that is wanted, and all that is known of those that are wanted.

        A field that is listed and not there has no number, so that those before one must be looked for.
        """
        listed = [f"{path}/{name}" for path in wells for name in _listed(_attributes(self.store, path))]
        last = max(self.wanted, default=-1) + 1
        self.store.fetch_groups(listed[:last], whole=False)
        self.store.fetch_groups([listed[series] for series in sorted(self.wanted) if series < len(listed)], whole=True)

    def refuse_missing(self) -> None:
        """Say so if one that is wanted is not there.

        Raises
        ------
        UsageError
            Naming it and those that are there.
        """
        missing = [series for series in sorted(self.wanted) if series >= self.seen]
        if missing and self.seen:
            numbers = f"0 to {self.seen - 1}" if self.seen > 1 else "0"
            raise UsageError(f"There is no series {missing[0]}. The series are numbered {numbers}.")


def _listed(attributes: Mapping[str, Any]) -> list[str]:
    """Names of the fields of a well."""
    block = attributes.get("well")
    entries = block.get("images") if isinstance(block, Mapping) else None
    names = (entry.get("path") if isinstance(entry, Mapping) else None for entry in (entries if isinstance(entries, list) else ()))
    return [name.strip("/") for name in names if isinstance(name, str)]


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
