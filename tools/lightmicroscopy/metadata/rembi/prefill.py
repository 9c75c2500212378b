"""A sheet for a set of images, with all that they know; or more images for a sheet that a person has begun to fill in."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from ..sheet_changes import CHANNELS_OF_SPECIMENS
from .fields import TABLES
from .from_images import Known, Sample, acquisition_values, image_values, sample_values
from .sheet import Row, Sheet, row_of
from .validate import series_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from ...inspection import Input
    from .from_table import Listed

FIRST = "Study component 1"
"""Name of the row that a new sheet begins with, to be given a better one, as those of biosamples and specimens."""

Told = TypeVar("Told", Known, Sample)


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
        self._samples: dict[tuple[str, str], Sample] = {}
        self._met: dict[Known | Sample, Known | Sample] = {}

    def add(self, item: Input) -> None:
        """Note every series of an input while it is open."""
        dataset = item.dataset
        if dataset is None:
            return
        for image in dataset.images:
            values = image_values(item.name, dataset, image)
            self._add((item.name, str(image.series)), values, acquisition_values(image), sample_values(image))

    def add_listed(self, listed: Listed) -> None:
        """Note a series that is known from a table only."""
        self._add((listed.name, str(listed.series)), listed.values, listed.known, Sample())

    def _add(self, key: tuple[str, str], values: Mapping[str, str], known: Known, sample: Sample) -> None:
        if (key[0], "") in self._places:
            # A row without a series speaks of all of them, and none of them may fill it in for the others.
            self.kept += 1
            return
        # Of thousands of images taken alike the texts are kept once.
        self._known[key], self._samples[key] = self._once(known), self._once(sample)
        place = self._places.get(key)
        if place is None:
            self.added += key not in self._new
            self._new[key] = row_of(values)
        else:
            self.kept += 1
            row = self._there[place]
            self._there[place] = _filled(row, self._untold(values, row.values("specimen")))

    def _untold(self, values: Mapping[str, str], specimens: Sequence[str]) -> dict[str, str]:
        """Values without those that specimens say for all their images: in the row of an image they would count more than what the person wrote."""
        said = [row for row in self.begun.rows("specimen") if row.text("name") in specimens]
        told = {own for own, theirs in CHANNELS_OF_SPECIMENS.items() if any(row.text(theirs) for row in said)}
        return {name: text for name, text in values.items() if name not in told}

    def _once(self, told: Told) -> Told:
        known = self._met.setdefault(told, told)
        return known if type(known) is type(told) else told

    def sheet(self, name: str) -> Sheet:
        """Return the whole sheet: rows that were there in their order, then new ones in that of the inputs."""
        tables = {table: self.begun.rows(table) for table in TABLES}
        if not any(row.cells for row in tables["study_component"]):
            tables["study_component"] = (row_of({"name": FIRST}),)
        specimens = self._specimens(tables)
        tables["acquisition"], acquisitions = self._acquisitions()
        component, specimen = (_only(tables[table]) for table in ("study_component", "specimen"))
        new = []
        for key, row in self._new.items():
            belongs = {"specimen": specimens.get(self._samples[key], specimen), "acquisition": acquisitions[self._known[key]]}
            values = self._untold({name: row.text(name) for name in row.cells}, [belongs["specimen"]])
            new.append(_filled(row_of(values), {"study_component": component} | belongs))
        tables["image"] = (*self._there, *new)
        return Sheet(name, tables)

    def _specimens(self, tables: dict[str, tuple[Row, ...]]) -> dict[Sample, str]:
        """Add a biosample and a specimen for each sample that images tell of, if there are none yet; return the names of the specimens."""
        samples = list(dict.fromkeys(self._samples[key] for key in self._new)) or [Sample()]
        names: dict[Sample, str] = {}
        if not any(row.cells for row in tables["biosample"]):
            rows = enumerate(samples, 1)
            tables["biosample"] = tuple(
                row_of({"name": f"Biosample {number}", "organism": sample.organism, "cell_line": sample.cell_line}) for number, sample in rows
            )
            if not any(row.cells for row in tables["specimen"]):
                names = {sample: f"Specimen {number}" for number, sample in enumerate(samples, 1)}
                biosamples = [row.text("name") for row in tables["biosample"]]
                tables["specimen"] = tuple(row_of({"name": name, "biosample": of}) for name, of in zip(names.values(), biosamples, strict=True))
        elif not any(row.cells for row in tables["specimen"]):
            tables["specimen"] = (row_of({"name": "Specimen 1", "biosample": _only(tables["biosample"])}),)
        return names

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


def _filled(row: Row, values: Mapping[str, str]) -> Row:
    """Row with its empty cells filled."""
    new = row_of({name: text for name, text in values.items() if not row.text(name)})
    return Row({**row.cells, **new.cells}, row.number) if new.cells else row
