"""What a sheet says about one series, in the terms of `SeriesChanges`.

Values that OME has a place for go there; the others become key-value pairs. Namespaces of the pairs are those that the IDR uses
where it has one (its mapr configuration, and the annotations it makes of its tables); REMBI's own fields have one of this suite
for each module.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, Protocol

from ..errors import UsageError
from ..image import MapAnnotation
from .changes import ChannelChanges, ObjectiveChanges, SeriesChanges, filled
from .rembi.fields import field as field_of
from .rembi.fields import number
from .rembi.sheet import clean

if TYPE_CHECKING:
    from ..image import Image

REMBI: Final = "galaxy-light-microscopy/rembi"
"""Then a slash and the module. Nobody in the field has set one yet."""
MAPR: Final = "openmicroscopy.org/mapr"
BULK: Final = "openmicroscopy.org/omero/bulk_annotations"
CHANNELS_OF_SPECIMENS: Final = {"channel_contents": "channel_content", "channel_biological_entities": "channel_biological_entity"}
"""Fields of an image's row that have a value for each channel, and those of a specimen that hold for its images without one."""
ONE_EACH: Final = "Write one value for each channel, in their order, with semicolons between; a place between two of them may be empty."
APART: Final = "Where images of one specimen have different channels, say it in the rows of the images, or give them specimens of their own."

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


@dataclass(frozen=True, slots=True)
class ByChannel:
    """A cell with a value for each channel of an image."""

    table: str
    """Sheet that the cell is in: ``image`` or ``specimen``."""
    row: Row
    field: str
    values: tuple[str, ...]


def by_channel(row: Row, specimens: Iterable[Row]) -> Iterator[ByChannel]:
    """Find the cells that say what the channels of an image hold and show: its row's own, or else those of its specimens.

    Parameters
    ----------
    row
        The row of the image.
    specimens
        The rows that it refers to.
    """
    specimens = tuple(specimens)
    for own, of_specimen in CHANNELS_OF_SPECIMENS.items():
        if values := row.values(own):
            yield ByChannel("image", row, own, values)
        elif found := next((one for one in specimens if one.values(of_specimen)), None):
            yield ByChannel("specimen", found, of_specimen, found.values(of_specimen))


def changes_of(sheet: Sheet, row: Row, image: str, channels: Sequence[str]) -> SeriesChanges:
    """Say what a row of the table of images wants to be set, with what the rows say that it refers to.

    Parameters
    ----------
    sheet
        The sheet.
    row
        The row of the series that is meant.
    image
        What errors call the series.
    channels
        The names of its channels, empty where they have none.

    Raises
    ------
    UsageError
        If a cell cannot be understood, refers to a row that is not there, or has not as many values as the series has channels.
    """
    return _Reading(sheet, row, image, channels).changes()


def less_what_is(changes: SeriesChanges, image: Image) -> SeriesChanges:
    """Leave out the names and the description that an image has already, but for blanks and line ends that a sheet does not keep.

    Parameters
    ----------
    changes
        What a sheet wants.
    image
        The image as it was read.
    """
    has = image.metadata.channels
    channels = tuple(
        replace(one, name=None) if number < len(has) and _same(one.name, has[number].name) else one for number, one in enumerate(changes.channels)
    )
    return replace(
        changes,
        channels=channels,
        image_name=None if _same(changes.image_name, image.name) else changes.image_name,
        description=None if _same(changes.description, image.metadata.description) else changes.description,
    )


def _same(wanted: str | None, known: str | None) -> bool:
    return wanted is not None and known is not None and wanted.split() == clean(known).split()


class _Reading:
    """Takes one row apart, with the rows it refers to."""

    def __init__(self, sheet: Sheet, row: Row, image: str, channels: Sequence[str]) -> None:
        self.sheet = sheet
        self.row = row
        self.image = image
        self.names = channels

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
        for name, values in given.items():
            if values:
                self._refuse_count(ByChannel("image", self.row, name, values))
        count = len(self.names) if any(given.values()) else 0
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
        biosamples = [found for row in specimens for found in self._named("biosample", row.values("biosample"), row, "specimen")]
        biosamples = list({row.text("name"): row for row in biosamples}.values())
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
        told = {one.field: self._of_channels(one) for one in by_channel(self.row, specimens)}
        contents, entities = (told.get(own) or told.get(theirs) or [] for own, theirs in CHANNELS_OF_SPECIMENS.items())
        yield from _annotation(BULK, [("Channels", ";".join(f"{name}:{value}" for name, value in contents if value))])
        yield from _annotation(f"{REMBI}/study-component", _pairs(components, _STUDY_COMPONENT))
        yield from _annotation(f"{REMBI}/biosample", _pairs(biosamples, _BIOSAMPLE))
        pairs_of_channels = [
            (key, f"{name}: {value}")
            for key, values in (("Channel - content", contents), ("Channel - biological entity", entities))
            for name, value in values
            if value
        ]
        yield from _annotation(f"{REMBI}/specimen", [*_pairs(specimens, _SPECIMEN), *pairs_of_channels])
        yield from _annotation(f"{REMBI}/image-acquisition", _pairs(acquisitions, _ACQUISITION))
        yield from _annotation(f"{REMBI}/image-data", _pairs([self.row], _IMAGE))

    def _of_channels(self, one: ByChannel) -> list[tuple[str, str]]:
        """Name and value of each channel."""
        self._refuse_count(one)
        names = self.row.values("channel_names") or self.names
        return [(name or f"Channel {index}", value) for index, (name, value) in enumerate(zip(names, one.values, strict=True))]

    def _refuse_count(self, one: ByChannel) -> None:
        if len(one.values) == len(self.names):
            return
        have = f"{len(one.values)} value{'s' if len(one.values) != 1 else ''}"
        has = f"{len(self.names)} channel{'s' if len(self.names) != 1 else ''}"
        way = f"{ONE_EACH} {APART}" if one.table == "specimen" else ONE_EACH
        raise UsageError(f"{_place(one.row, one.field, one.table)} has {have}, and {self.image} has {has}. {way}")

    def _named(self, table: str, names: Sequence[str], by: Row | None = None, of: str = "image") -> list[Row]:
        known = {row.text("name"): row for row in reversed(self.sheet.tables.get(table, ()))}
        for name in names:
            if name and name not in known:
                place = _place(by or self.row, table, of)
                raise UsageError(
                    f"{self.sheet.name}: {table} {name[:_LONGEST]!r}, which {place} refers to, is not in the sheet {table}. "
                    "Add it there, or correct the name."
                )
        return [known[name] for name in dict.fromkeys(names) if name]


def _pairs(rows: Sequence[Row], keys: Keys) -> list[tuple[str, str]]:
    return [(key, value) for name, key, several in keys for row in rows for value in (row.values(name) if several else (row.text(name),))]


def _annotation(namespace: str, pairs: Sequence[tuple[str, str]]) -> Iterator[MapAnnotation]:
    kept = tuple(dict.fromkeys((key, value) for key, value in pairs if value))
    if kept:
        yield MapAnnotation(namespace, kept)


def _place(row: Row, name: str, table: str = "image") -> str:
    cell, title = row.cells.get(name), field_of(table, name).title
    return f"“{title}” (sheet {table}, row {cell.row}, column {cell.column})" if cell and cell.row else f"“{title}” of the sheet {table}"


def _as_number(text: str, place: str) -> float | None:
    value = number(text)
    if text and value is None:
        raise _no_number(text, place)
    return value


def _no_number(text: str, place: str) -> UsageError:
    return UsageError(
        f"{place} is {text[:_LONGEST]!r}, which is no number. Write it with a point and without its unit, which is in the field's name."
    )


def _label(text: str) -> str:
    """Label of a term: ``Homo sapiens`` of ``Homo sapiens (NCBITaxon:9606)``."""
    found = _TERM.fullmatch(text)
    return found["label"] if found and found["label"] else text
