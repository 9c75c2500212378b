"""A sheet for a set of images, with all that they know; or more images for a sheet that a person has begun to fill in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .fields import TABLES
from .from_images import Known, acquisition_values, image_values
from .sheet import Row, Sheet, row_of
from .validate import series_of

if TYPE_CHECKING:
    from ...inspection import Input

FIRST = {"study_component": "Study component 1", "biosample": "Biosample 1", "specimen": "Specimen 1"}
"""Names of the rows that a new sheet begins with, to be given better ones."""


class Draft:
    """Collects images, of which only their texts are kept.

    Parameters
    ----------
    begun
        A sheet that is there already. What a person wrote in it stays as it is; only empty cells are filled, and rows added.
    """

    def __init__(self, begun: Sheet | None = None) -> None:
        self.begun = begun or Sheet("")
        self.added = 0
        self.kept = 0
        self._there = list(self.begun.rows("image"))
        self._places: dict[tuple[str, str], int] = {}
        for place, row in enumerate(self._there):
            self._places.setdefault((row.text("image"), series_of(row)), place)
        self._new: dict[tuple[str, str], Row] = {}
        self._known: dict[tuple[str, str], Known] = {}

    def add(self, item: Input) -> None:
        """Note every series of an input while it is open."""
        dataset = item.dataset
        if dataset is None:
            return
        for image in dataset.images:
            key = (item.name, str(image.series))
            if (item.name, "") in self._places:
                # A row without a series speaks of all of them, and none of them may fill it in for the others.
                self.kept += 1
                continue
            values = image_values(item.name, dataset, image)
            self._known[key] = acquisition_values(image)
            place = self._places.get(key)
            if place is None:
                self.added += key not in self._new
                self._new[key] = row_of(values)
            else:
                self.kept += 1
                self._there[place] = _filled(self._there[place], values)

    def sheet(self, name: str) -> Sheet:
        """Return the whole sheet: rows that were there in their order, then new ones in that of the inputs."""
        tables = {table: self.begun.rows(table) for table in TABLES}
        for table, first in FIRST.items():
            if not any(row.cells for row in tables[table]):
                values = {"name": first} | ({"biosample": _only(tables["biosample"])} if table == "specimen" else {})
                tables[table] = (row_of(values),)
        tables["acquisition"], acquisitions = self._acquisitions()
        defaults = {table: _only(tables[table]) for table in ("study_component", "specimen")}
        new = (_filled(row, defaults | {"acquisition": acquisitions[self._known[key]]}) for key, row in self._new.items())
        tables["image"] = (*self._there, *new)
        return Sheet(name, tables)

    def _acquisitions(self) -> tuple[tuple[Row, ...], dict[Known, str]]:
        """Rows of the ways of imaging, and the name of each."""
        there = list(self.begun.rows("acquisition"))
        names: dict[Known, str] = {}
        for key, known in self._known.items():
            # Images taken like those of a row that a person has named, or changed, belong to that row.
            named = self._there[self._places[key]].text("acquisition") if key in self._places else ""
            if named:
                names.setdefault(known, named)
        by_text = {(row.text("instrument"), row.text("parameters")): row.text("name") for row in reversed(there)}
        taken = {row.text("name") for row in there}
        number = 0
        for known in (self._known[key] for key in self._new):
            if known in names:
                continue
            same = by_text.get((known.instrument.strip(), known.parameters.strip()))
            if same:
                names[known] = same
                continue
            while not number or f"Acquisition {number}" in taken:
                number += 1
            names[known] = f"Acquisition {number}"
            taken.add(names[known])
            values = {"imaging_method": known.imaging_method, "instrument": known.instrument, "parameters": known.parameters}
            there.append(row_of({"name": names[known]} | values))
        return tuple(there), names


def _only(rows: tuple[Row, ...]) -> str:
    """Name of the one row there is; empty where there are several to choose from."""
    names = [row.text("name") for row in rows if row.text("name")]
    return names[0] if len(names) == 1 else ""


def _filled(row: Row, values: dict[str, str]) -> Row:
    """Row with its empty cells filled."""
    new = row_of({name: text for name, text in values.items() if not row.text(name)})
    return Row({**row.cells, **new.cells}, row.number) if new.cells else row
