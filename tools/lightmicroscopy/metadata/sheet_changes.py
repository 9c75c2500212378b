"""What a sheet says about one series, in the terms of `SeriesChanges`.

Values that OME has a place for go there; the others become key-value pairs. Namespaces of the pairs are those that the IDR uses
where it has one (its mapr configuration, and the annotations it makes of its tables); REMBI's own fields have one of this suite
for each module.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Final, Protocol

from ..errors import UsageError
from ..image import MapAnnotation
from .changes import ChannelChanges, ObjectiveChanges, SeriesChanges, filled

REMBI: Final = "galaxy-light-microscopy/rembi"
"""Then a slash and the module. Nobody in the field has set one yet."""
MAPR: Final = "openmicroscopy.org/mapr"
BULK: Final = "openmicroscopy.org/omero/bulk_annotations"

_NUMBER: Final = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d{1,3})?", re.ASCII)
_TERM: Final = re.compile(r"(?P<label>.*?)\s*[(\[][A-Za-z][^\s()\[\]]*[:_][^\s()\[\]]+[)\]]", re.DOTALL)
_LONGEST: Final = 40

Keys = tuple[tuple[str, str, bool], ...]
"""Field of the sheet, key of the pair, whether it holds several values."""
_STUDY_COMPONENT: Final[Keys] = (
    ("name", "Study component", False),
    ("description", "Study component description", False),
)
_BIOSAMPLE: Final[Keys] = (
    ("name", "Identity", False),
    ("biological_entity", "Biological entity", False),
    ("organism", "Organism", False),
    ("intrinsic_variable", "Intrinsic variable", True),
    ("extrinsic_variable", "Extrinsic variable", True),
    ("experimental_variables", "Experimental variables", True),
    ("description", "Description", False),
    ("cell_line", "Cell line", False),
)
_SPECIMEN: Final[Keys] = (
    ("name", "Specimen", False),
    ("experimental_status", "Experimental status", False),
    ("location_within_biosample", "Location within Biosample", False),
    ("preparation_method", "Preparation method", False),
    ("growth_protocol", "Growth protocol", False),
    ("signal_contrast_mechanism", "Signal/contrast mechanism", False),
)
_ACQUISITION: Final[Keys] = (
    ("name", "Image acquisition", False),
    ("imaging_method", "Imaging method", True),
    ("instrument", "Instrument attributes", False),
    ("parameters", "Image acquisition parameters", False),
)
_IMAGE: Final[Keys] = (
    ("type", "Type", False),
    ("format_compression", "Format & compression", False),
    ("dimension_extents", "Dimension extents", False),
    ("size_description", "Size description", False),
    ("image_processing_method", "Image processing method", False),
    ("contrast_inversion", "Contrast inversion to TEM", False),
    ("qc_info", "QC info", False),
)


class Cell(Protocol):
    """A text of a sheet and its place."""

    @property
    def text(self) -> str:
        """What a person sees in the cell."""
        ...

    @property
    def row(self) -> int:
        """Counted from 1."""
        ...

    @property
    def column(self) -> str:
        """Its letter."""
        ...


class Row(Protocol):
    """A row of a table."""

    @property
    def cells(self) -> Mapping[str, Cell]:
        """Cells by the ids of their fields."""
        ...

    def text(self, field_id: str, /) -> str:
        """Text of a cell without blanks around it; empty if there is none."""
        ...

    def values(self, field_id: str, /) -> tuple[str, ...]:
        """Values of a cell that holds several; empty ones keep their place."""
        ...

    def number_of(self, field_id: str, /) -> float | None:
        """Number in a cell; ``None`` if there is none."""
        ...


class Sheet(Protocol):
    """A sheet of metadata."""

    @property
    def name(self) -> str:
        """Name of its file."""
        ...

    @property
    def tables(self) -> Mapping[str, tuple[Row, ...]]:
        """Rows of its tables."""
        ...


def changes_of(sheet: Sheet, row: Row) -> SeriesChanges:
    """Say what a row of the table of images wants to be set, with what the rows say that it refers to.

    Parameters
    ----------
    sheet
        The sheet.
    row
        The row of the series that is meant.

    Raises
    ------
    UsageError
        If a cell cannot be understood, or refers to a row that is not there.
    """
    return _Reading(sheet, row).changes()


class _Reading:
    """Takes one row apart, with the rows it refers to."""

    def __init__(self, sheet: Sheet, row: Row) -> None:
        self.sheet = sheet
        self.row = row

    def changes(self) -> SeriesChanges:
        lens = ObjectiveChanges(
            self._given("objective_model"),
            self._number("objective_magnification"),
            self._number("objective_na"),
            self._given("objective_immersion"),
        )
        return SeriesChanges(
            image_name=self._given("image_name"),
            description=self._given("description"),
            pixel_size_x_um=self._number("pixel_size_x_um"),
            pixel_size_y_um=self._number("pixel_size_y_um"),
            pixel_size_z_um=self._number("pixel_size_z_um"),
            time_increment_s=self._number("time_increment_s"),
            channels=self._channels(),
            objective=lens if filled(lens) else None,
            annotations=tuple(self._annotations()),
        )

    def _given(self, name: str) -> str | None:
        return self.row.text(name) or None

    def _number(self, name: str) -> float | None:
        text, number = self.row.text(name), self.row.number_of(name)
        if text and number is None:
            raise _no_number(text, _place(self.row, name))
        return number

    def _channels(self) -> tuple[ChannelChanges, ...]:
        given = {name: self.row.values(name) for name in ("channel_names", "excitation_nm", "emission_nm")}
        lengths = {name: len(values) for name, values in given.items() if values}
        if len(set(lengths.values())) > 1:
            listed = ", ".join(f"{count} in {name}" for name, count in lengths.items())
            raise UsageError(
                f"{_place(self.row, 'channel_names')}: the number of channels differs ({listed}). Write one value for each channel, "
                "joined by semicolons; a place between two of them may be empty."
            )
        count = max(lengths.values(), default=0)
        names, *lights = (values or ("",) * count for values in given.values())
        places = [_place(self.row, name) for name in ("excitation_nm", "emission_nm")]
        excitation, emission = ([_as_number(text, place) for text in values] for values, place in zip(lights, places, strict=True))
        return tuple(
            ChannelChanges(name=name or None, excitation_nm=first, emission_nm=second)
            for name, first, second in zip(names, excitation, emission, strict=True)
        )

    def _annotations(self) -> Iterator[MapAnnotation]:
        components = self._named("study_component", [self.row.text("study_component")])
        specimens = self._named("specimen", self.row.values("specimen"))
        biosamples = self._named("biosample", [name for row in specimens for name in row.values("biosample")])
        acquisitions = self._named("acquisition", [self.row.text("acquisition")])
        organisms = [_label(row.text("organism")) for row in biosamples]
        yield from _annotation(f"{MAPR}/organism", [("Organism", name) for name in organisms])
        yield from _annotation(f"{MAPR}/cell_line", [("Cell Line", _label(row.text("cell_line"))) for row in biosamples])
        compounds = [
            (key, value)
            for row in biosamples
            for name, key in (("compound", "Compound Name"), ("compound_inchi", "InChI"), ("compound_inchikey", "InChIKey"))
            for value in ([row.text(name)] if name == "compound_inchi" else row.values(name))
        ]
        yield from _annotation(f"{MAPR}/compound", compounds)
        contents = self._by_channel("channel_contents", "channel_content", specimens)
        entities = self._by_channel("channel_biological_entities", "channel_biological_entity", specimens)
        yield from _annotation(BULK, [("Channels", ";".join(f"{name}:{value}" for name, value in contents if value))])
        yield from _annotation(f"{REMBI}/study-component", _pairs(components, _STUDY_COMPONENT))
        yield from _annotation(f"{REMBI}/biosample", _pairs(biosamples, _BIOSAMPLE))
        by_channel = [
            (key, f"{name}: {value}")
            for key, values in (("Channel - content", contents), ("Channel - biological entity", entities))
            for name, value in values
            if value
        ]
        yield from _annotation(f"{REMBI}/specimen", [*_pairs(specimens, _SPECIMEN), *by_channel])
        yield from _annotation(f"{REMBI}/image-acquisition", _pairs(acquisitions, _ACQUISITION))
        yield from _annotation(f"{REMBI}/image-data", _pairs([self.row], _IMAGE))

    def _by_channel(self, own: str, of_specimen: str, specimens: Sequence[Row]) -> list[tuple[str, str]]:
        """Name and value of each channel: the row's own, or else its specimen's."""
        values = self.row.values(own) or next((found for row in specimens if (found := row.values(of_specimen))), ())
        names = self.row.values("channel_names")
        return [(names[index] if index < len(names) and names[index] else f"Channel {index}", value) for index, value in enumerate(values)]

    def _named(self, table: str, names: Sequence[str]) -> list[Row]:
        known = {row.text("name"): row for row in reversed(self.sheet.tables.get(table, ()))}
        for name in names:
            if name and name not in known:
                raise UsageError(
                    f"{self.sheet.name}: {table} {name[:_LONGEST]!r}, which {_place(self.row, table)} refers to, is not in the table {table}. "
                    "Add it there, or correct the name."
                )
        return [known[name] for name in dict.fromkeys(names) if name]


def _pairs(rows: Sequence[Row], keys: Keys) -> list[tuple[str, str]]:
    return [(key, value) for name, key, several in keys for row in rows for value in (row.values(name) if several else (row.text(name),))]


def _annotation(namespace: str, pairs: Sequence[tuple[str, str]]) -> Iterator[MapAnnotation]:
    kept = tuple(dict.fromkeys((key, value) for key, value in pairs if value))
    if kept:
        yield MapAnnotation(namespace, kept)


def _place(row: Row, name: str) -> str:
    cell = row.cells.get(name)
    return f"{name} (row {cell.row}, column {cell.column})" if cell and cell.row else name


def _as_number(text: str, place: str) -> float | None:
    if text and not _NUMBER.fullmatch(text):
        raise _no_number(text, place)
    return float(text) if text else None


def _no_number(text: str, place: str) -> UsageError:
    return UsageError(
        f"{place} is {text[:_LONGEST]!r}, which is no number. Write it with a point and without its unit, which is in the field's name."
    )


def _label(text: str) -> str:
    """Label of a term: ``Homo sapiens`` of ``Homo sapiens (NCBITaxon:9606)``."""
    found = _TERM.fullmatch(text)
    return found["label"] if found and found["label"] else text
