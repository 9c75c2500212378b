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
_SERIES: Final = re.compile(r"\d{1,9}(?:\.0*)?", re.ASCII)
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


def rows_of(sheet: Sheet) -> dict[tuple[str, int | None], list[Row]]:
    """Rows of the table of images by element identifier and series; ``None`` where the row does not name a series."""
    found: dict[tuple[str, int | None], list[Row]] = {}
    for row in sheet.tables.get("image", ()):
        series = _text(row, "series")
        number = int(float(series)) if _SERIES.fullmatch(series) else None
        if series and number is None:
            raise UsageError(f"{_place(row, 'series')} is {series[:_LONGEST]!r}, which is no number of a series. Series are counted from 0.")
        found.setdefault((_text(row, "image"), number), []).append(row)
    return found


def changes_of(sheet: Sheet, image: str, series: int, rows: Mapping[tuple[str, int | None], Sequence[Row]] | None = None) -> SeriesChanges | None:
    """Say what a sheet wants to be set for one series.

    Parameters
    ----------
    image
        Element identifier: the column *input* of the inspect table.
    series
        Its number; a row without one is about all series of its image.
    rows
        What `rows_of` gives, where it is asked for many images.

    Returns
    -------
    SeriesChanges or None
        ``None`` if there is no row for it.

    Raises
    ------
    UsageError
        If there is more than one, or a cell cannot be understood.
    """
    rows = rows_of(sheet) if rows is None else rows
    found = [*rows.get((image, series), ()), *rows.get((image, None), ())]
    if not found:
        return None
    if len(found) > 1:
        raise UsageError(f"{sheet.name} has {len(found)} rows for series {series} of {image}. Keep one row for each series.")
    return _Reading(sheet, found[0]).changes()


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
        return _text(self.row, name) or None

    def _number(self, name: str) -> float | None:
        text = _text(self.row, name)
        return None if not text else _as_number(text, _place(self.row, name))

    def _channels(self) -> tuple[ChannelChanges, ...]:
        names = _split(_text(self.row, "channel_names"))
        lights = {name: _split(_text(self.row, name)) for name in ("excitation_nm", "emission_nm")}
        count = max(len(names), *map(len, lights.values()))
        lengths = {len(values) for values in (names, *lights.values()) if values}
        if len(lengths) > 1:
            listed = ", ".join(f"{len(values)} in {name}" for name, values in (("channel_names", names), *lights.items()) if values)
            raise UsageError(
                f"{_place(self.row, 'channel_names')}: the number of channels differs ({listed}). Write one value for each channel, "
                "joined by semicolons; a place between two of them may be empty."
            )

        def light(name: str, index: int) -> float | None:
            values = lights[name]
            return _as_number(values[index], _place(self.row, name)) if index < len(values) and values[index] else None

        return tuple(
            ChannelChanges(
                name=names[index] or None if index < len(names) else None,
                excitation_nm=light("excitation_nm", index),
                emission_nm=light("emission_nm", index),
            )
            for index in range(count)
        )

    def _annotations(self) -> Iterator[MapAnnotation]:
        components = self._named("study_component", [_text(self.row, "study_component")])
        specimens = self._named("specimen", _split(_text(self.row, "specimen")))
        biosamples = self._named("biosample", [name for row in specimens for name in _split(_text(row, "biosample"))])
        acquisitions = self._named("acquisition", [_text(self.row, "acquisition")])
        organisms = [_label(_text(row, "organism")) for row in biosamples]
        yield from _annotation(f"{MAPR}/organism", [("Organism", name) for name in organisms])
        yield from _annotation(f"{MAPR}/cell_line", [("Cell Line", _label(_text(row, "cell_line"))) for row in biosamples])
        compounds = [
            (key, value)
            for row in biosamples
            for name, key in (("compound", "Compound Name"), ("compound_inchi", "InChI"), ("compound_inchikey", "InChIKey"))
            for value in ([_text(row, name)] if name == "compound_inchi" else _split(_text(row, name)))
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
        values = _split(_text(self.row, own)) or next((found for row in specimens if (found := _split(_text(row, of_specimen)))), ())
        names = _split(_text(self.row, "channel_names"))
        return [(names[index] if index < len(names) and names[index] else f"Channel {index}", value) for index, value in enumerate(values)]

    def _named(self, table: str, names: Sequence[str]) -> list[Row]:
        known = {_text(row, "name"): row for row in reversed(self.sheet.tables.get(table, ()))}
        for name in names:
            if name and name not in known:
                raise UsageError(
                    f"{self.sheet.name}: {table} {name[:_LONGEST]!r}, which {_place(self.row, table)} refers to, is not in the table {table}. "
                    "Add it there, or correct the name."
                )
        return [known[name] for name in dict.fromkeys(names) if name]


def _pairs(rows: Sequence[Row], keys: Keys) -> list[tuple[str, str]]:
    return [(key, value) for name, key, several in keys for row in rows for value in (_split(_text(row, name)) if several else (_text(row, name),))]


def _annotation(namespace: str, pairs: Sequence[tuple[str, str]]) -> Iterator[MapAnnotation]:
    kept = tuple(dict.fromkeys((key, value) for key, value in pairs if value))
    if kept:
        yield MapAnnotation(namespace, kept)


def _text(row: Row, name: str) -> str:
    cell = row.cells.get(name)
    return cell.text.strip() if cell else ""


def _place(row: Row, name: str) -> str:
    cell = row.cells.get(name)
    return f"{name} (row {cell.row}, column {cell.column})" if cell and cell.row else name


def _as_number(text: str, place: str) -> float:
    if not _NUMBER.fullmatch(text):
        raise UsageError(
            f"{place} is {text[:_LONGEST]!r}, which is no number. Write it with a point and without its unit, which is in the field's name."
        )
    return float(text)


def _split(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(";")) if text.strip() else ()


def _label(text: str) -> str:
    """Label of a term: ``Homo sapiens`` of ``Homo sapiens (NCBITaxon:9606)``."""
    found = _TERM.fullmatch(text)
    return found["label"] if found and found["label"] else text
