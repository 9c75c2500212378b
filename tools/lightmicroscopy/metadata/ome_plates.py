"""Multi-well plates in OME-XML."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING, Final, cast

from ..image import FIELDS, Acquisition, Image, NamingConvention, Plate, Well, WellField
from .ome_xml import Values, children, copy_as_2016, first_child, is_date_time, new, put, put_quantity

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from lxml import etree

    from .ome_carry import Carrier

_TRAILING_NUMBER = re.compile(r"(\d{1,9})$")
_SAMPLE_ID = re.compile(r"WellSample:[0-9]+:([0-9]{1,9}):([0-9]{1,9}):([0-9]{1,6})")
_LARGEST_INDEX: Final = 2**31 - 1


def read_plates(root: etree._Element, series_of: Mapping[str, int], values: Values) -> tuple[Plate, ...]:
    """Read all plates.

    Parameters
    ----------
    root
        The ``OME`` element.
    series_of
        Series index of each image id. Well samples whose image is not there are left out.
    values
        Reads the attributes.
    """
    return tuple(_read_plate(element, series_of, values) for element in children(root, "Plate"))


def _read_plate(element: etree._Element, series_of: Mapping[str, int], values: Values) -> Plate:
    acquisitions, run_of = _read_acquisitions(element, values)
    sampled = [(child, _samples(child, values)) for child in children(element, "Well")]
    numbers = _field_numbers([[index for index, _ in samples] for _, samples in sampled])
    found = (_read_well(child, samples, own, series_of, run_of, values) for (child, samples), own in zip(sampled, numbers, strict=True))
    wells = tuple(well for well in found if well is not None)
    return Plate(
        name=values.text(element, "Name") or "",
        rows=values.integer(element, "Rows", at_least=1) or max((well.row + 1 for well in wells), default=1),
        columns=values.integer(element, "Columns", at_least=1) or max((well.column + 1 for well in wells), default=1),
        wells=wells,
        acquisitions=acquisitions,
        row_naming=_naming(element, "RowNamingConvention", "letter"),
        column_naming=_naming(element, "ColumnNamingConvention", "number"),
    )


def _naming(element: etree._Element, name: str, default: NamingConvention) -> NamingConvention:
    value = (element.get(name) or "").strip().lower()
    return cast("NamingConvention", value) if value in ("letter", "number") else default


def _read_acquisitions(plate: etree._Element, values: Values) -> tuple[tuple[Acquisition, ...], dict[str, int]]:
    """Acquisitions, and the acquisition of each well sample's id."""
    acquisitions, run_of = [], {}
    elements = list(children(plate, "PlateAcquisition"))
    numbers = [_TRAILING_NUMBER.search(element.get("ID", "")) for element in elements]
    stated = [int(number[1]) for number in numbers if number is not None]
    ids = stated if len(set(stated)) == len(elements) else range(len(elements))
    for identifier, element in zip(ids, elements, strict=True):
        acquisitions.append(
            Acquisition(
                id=identifier,
                name=values.text(element, "Name"),
                maximum_field_count=values.integer(element, "MaximumFieldCount", at_least=1),
                start_time=values.text(element, "StartTime"),
                end_time=values.text(element, "EndTime"),
            )
        )
        run_of.update({ref.get("ID", ""): identifier for ref in children(element, "WellSampleRef")})
    return tuple(acquisitions), run_of


def _samples(well: etree._Element, values: Values) -> list[tuple[int | None, etree._Element]]:
    """Well samples and their indexes, in the order of these."""
    found = [(values.integer(sample, "Index", at_least=0), sample) for sample in children(well, "WellSample")]
    return sorted(found, key=lambda pair: pair[0] or 0)


def _field_numbers(wells: Sequence[Sequence[int | None]]) -> list[list[int | None]]:
    """Numbers of the fields within their wells, from the ``Index`` of every well sample; ``None`` where these do not tell.

    The schema counts them through the plate, with gaps where fields are missing; some software counts them in each well. Of a
    single well the two are the same. Through a plate of n fields per well, the indexes of a well lie in a block of n of its own.
    """
    known = [index for indexes in wells for index in indexes if index is not None]
    unknown: list[list[int | None]] = [[None] * len(indexes) for indexes in wells]
    if len(known) < sum(map(len, wells)) or any(len(set(indexes)) < len(indexes) for indexes in wells):
        return unknown
    per_well = max(map(len, wells), default=0)
    if sum(1 for indexes in wells if indexes) < 2 or len(set(known)) < len(known):
        return [[_number(index) for index in indexes] for indexes in wells]
    blocks = [{index // per_well for index in indexes if index is not None} for indexes in wells if indexes]
    if any(len(block) > 1 for block in blocks) or len(set().union(*blocks)) < len(blocks):
        return unknown
    return [[None if index is None else index % per_well for index in indexes] for indexes in wells]


def _number(index: int | None) -> int | None:
    return index if index is not None and index < FIELDS else None


def _read_well(
    element: etree._Element,
    samples: Sequence[tuple[int | None, etree._Element]],
    numbers: Sequence[int | None],
    series_of: Mapping[str, int],
    run_of: Mapping[str, int],
    values: Values,
) -> Well | None:
    row, column = values.integer(element, "Row", at_least=0), values.integer(element, "Column", at_least=0)
    if row is None or column is None:
        return None
    fields = []
    for (_, sample), number in zip(samples, numbers, strict=True):
        ref = first_child(sample, "ImageRef")
        series = series_of.get(ref.get("ID", "")) if ref is not None else None
        if series is None:
            continue
        fields.append(
            WellField(
                series=series,
                acquisition=run_of.get(sample.get("ID", "")),
                position_x=values.quantity(sample, "PositionX", "reference frame", "length"),
                position_y=values.quantity(sample, "PositionY", "reference frame", "length"),
                index=_own_number(sample.get("ID", ""), row, column, number),
            )
        )
    return Well(row, column, tuple(fields))


def _own_number(identifier: str, row: int, column: int, otherwise: int | None) -> int | None:
    """The number this suite puts at the end of a well sample's id, behind the row and column it must be of."""
    own = _SAMPLE_ID.fullmatch(identifier)
    return int(own[3]) if own and (int(own[1]), int(own[2])) == (row, column) else otherwise


def renumbered(plates: tuple[Plate, ...], position: Mapping[int, int]) -> tuple[Plate, ...]:
    """Plates whose fields of view are known by new numbers; those without one are left out."""
    return tuple(
        replace(
            plate,
            wells=tuple(
                replace(well, fields=tuple(replace(one, series=position[one.series]) for one in well.fields if one.series in position))
                for well in plate.wells
            ),
        )
        for plate in plates
    )


class PlateBuilder:
    """Makes the Plate elements of an output document, pruned to the images that are in it.

    Parameters
    ----------
    plates
        What decides; their fields name images by `Image.series`.
    images
        The images of the output, in its order.
    source
        The source's ``OME`` element: identifiers, reagents and annotations of its plates and wells stay.
    carrier
        Gives ids and carries along what is referred to.
    """

    def __init__(self, plates: Sequence[Plate], images: Sequence[Image], source: etree._Element | None, carrier: Carrier) -> None:
        self.plates = plates
        self.carrier = carrier
        self.sources = list(children(source, "Plate"))
        self._given: set[str] = set()
        self._free = {image.series: number for number, image in reversed(list(enumerate(images)))}

    def build(self) -> list[etree._Element]:
        """Make the elements; plates of which no image is left are left out."""
        built: list[etree._Element] = []
        for index, plate in enumerate(self.plates):
            kept = _pruned(plate, self._free)
            if kept is None:
                continue
            number = len(built)
            like = self._source_of(index, plate)
            if like is not None:
                self.carrier.ids[("Plate", like.get("ID", ""))] = f"Plate:{number}"
            built.append(self._plate(number, kept, like))
        return built

    def _source_of(self, index: int, plate: Plate) -> etree._Element | None:
        same = [element for element in self.sources if (element.get("Name") or "") == plate.name]
        in_place = self.sources[index] if index < len(self.sources) else None
        return in_place if in_place in same else next(iter(same), None)

    def _plate(self, number: int, plate: Plate, like: etree._Element | None) -> etree._Element:
        element = _like(like, "Plate")
        put(element, "ID", f"Plate:{number}")
        put(element, "Name", plate.name)
        put(element, "RowNamingConvention", plate.row_naming)
        put(element, "ColumnNamingConvention", plate.column_naming)
        put(element, "Rows", max(plate.rows, 1))
        put(element, "Columns", max(plate.columns, 1))
        element.extend(copy_as_2016(child) for child in children(like, "Description"))
        wells_like = {(child.get("Row"), child.get("Column")): child for child in children(like, "Well")}
        runs: dict[int | None, list[str]] = {}
        per_well = max((field + 1 for well in plate.wells for field in well.numbers), default=1)
        for order, well in enumerate(plate.wells):
            first = order * per_well if len(plate.wells) * per_well <= _LARGEST_INDEX else None
            element.append(self._well(number, well, first, wells_like.get((str(well.row), str(well.column))), runs))
        self._refs(element, like, "AnnotationRef")
        runs_like = list(children(like, "PlateAcquisition"))
        for index, acquisition in enumerate(plate.acquisitions):
            element.append(self._acquisition(number, acquisition, runs_like[index] if index < len(runs_like) else None, runs.get(acquisition.id, [])))
        return element

    def _well(self, number: int, well: Well, first: int | None, like: etree._Element | None, runs: dict[int | None, list[str]]) -> etree._Element:
        element = _like(like, "Well")
        put(element, "ID", self._new_id("Well", f"{number}:{well.row}:{well.column}"))
        put(element, "Row", well.row)
        put(element, "Column", well.column)
        samples_like = {
            self.carrier.ids.get(("Image", ref.get("ID", ""))): child for child in children(like, "WellSample") for ref in children(child, "ImageRef")
        }
        for field, own in zip(well.fields, well.numbers, strict=True):
            # The schema allows an image in one well only.
            image = self._free.pop(field.series, None)
            if image is None:
                continue
            identifier = self._new_id("WellSample", f"{number}:{well.row}:{well.column}:{own}")
            index = image if first is None else first + own
            sample = new("WellSample", [("ID", identifier), ("Index", str(index))])
            timepoint = samples_like[f"Image:{image}"].get("Timepoint", "") if f"Image:{image}" in samples_like else ""
            put(sample, "Timepoint", timepoint if is_date_time(timepoint) else None)
            put_quantity(sample, "PositionX", field.position_x, "length")
            put_quantity(sample, "PositionY", field.position_y, "length")
            sample.append(new("ImageRef", [("ID", f"Image:{image}")]))
            element.append(sample)
            runs.setdefault(field.acquisition, []).append(identifier)
        self._refs(element, like, "ReagentRef")
        self._refs(element, like, "AnnotationRef")
        return element

    def _new_id(self, kind: str, place: str) -> str:
        """Make an id of a place, or any other where a source has two things in one place."""
        identifier = f"{kind}:{place}"
        if identifier in self._given:
            identifier = self.carrier.new_id(kind)
        self._given.add(identifier)
        return identifier

    def _acquisition(self, number: int, acquisition: Acquisition, like: etree._Element | None, samples: Sequence[str]) -> etree._Element:
        element = _like(like, "PlateAcquisition")
        put(element, "ID", f"PlateAcquisition:{number}:{acquisition.id}")
        put(element, "Name", acquisition.name)
        put(element, "StartTime", acquisition.start_time if is_date_time(acquisition.start_time or "") else None)
        put(element, "EndTime", acquisition.end_time if is_date_time(acquisition.end_time or "") else None)
        put(element, "MaximumFieldCount", acquisition.maximum_field_count)
        element.extend(copy_as_2016(child) for child in children(like, "Description"))
        element.extend(new("WellSampleRef", [("ID", sample)]) for sample in samples)
        self._refs(element, like, "AnnotationRef")
        return element

    def _refs(self, element: etree._Element, like: etree._Element | None, name: str) -> None:
        for ref in children(like, name):
            copied = copy_as_2016(ref)
            if self.carrier.fix(copied):
                element.append(copied)


def _like(like: etree._Element | None, name: str) -> etree._Element:
    """Make an element with the attributes of another, which may be of an older year."""
    element = new(name)
    for key, value in like.attrib.items() if like is not None else ():
        element.set(key, value)
    return element


def _pruned(plate: Plate, series: Mapping[int, int]) -> Plate | None:
    """Leave out the fields whose images are not there, and the wells this empties; None if nothing is left."""
    wells = []
    for well in plate.wells:
        fields = tuple(field for field in well.fields if field.series in series)
        if fields or not well.fields:
            wells.append(replace(well, fields=fields))
    if not any(well.fields for well in wells):
        return None
    complete = sum(len(well.fields) for well in wells) == sum(len(well.fields) for well in plate.wells)
    return replace(plate, wells=tuple(well for well in wells if complete or well.fields))
