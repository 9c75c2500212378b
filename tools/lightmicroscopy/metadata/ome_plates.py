"""Multi-well plates in OME-XML."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, cast

from ..image import Acquisition, Image, NamingConvention, Plate, Well, WellField
from .ome_xml import Values, children, copy_as_2016, first_child, is_date_time, new, put, put_quantity

if TYPE_CHECKING:
    from lxml import etree

    from .ome_carry import Carrier

_TRAILING_NUMBER = re.compile(r"(\d{1,9})$")


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
    wells = tuple(well for child in children(element, "Well") if (well := _read_well(child, series_of, run_of, values)) is not None)
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


def _read_well(element: etree._Element, series_of: Mapping[str, int], run_of: Mapping[str, int], values: Values) -> Well | None:
    row, column = values.integer(element, "Row", at_least=0), values.integer(element, "Column", at_least=0)
    if row is None or column is None:
        return None
    fields = []
    samples = list(children(element, "WellSample"))
    for sample in sorted(samples, key=lambda item: values.integer(item, "Index", at_least=0) or 0):
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
            )
        )
    return Well(row, column, tuple(fields))


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
        for well in plate.wells:
            element.append(self._well(number, well, wells_like.get((str(well.row), str(well.column))), runs))
        self._refs(element, like, "AnnotationRef")
        runs_like = list(children(like, "PlateAcquisition"))
        for index, acquisition in enumerate(plate.acquisitions):
            element.append(self._acquisition(number, acquisition, runs_like[index] if index < len(runs_like) else None, runs.get(acquisition.id, [])))
        return element

    def _well(self, number: int, well: Well, like: etree._Element | None, runs: dict[int | None, list[str]]) -> etree._Element:
        element = _like(like, "Well")
        put(element, "ID", f"Well:{number}:{well.row}:{well.column}")
        put(element, "Row", well.row)
        put(element, "Column", well.column)
        samples_like = {
            self.carrier.ids.get(("Image", ref.get("ID", ""))): child for child in children(like, "WellSample") for ref in children(child, "ImageRef")
        }
        for field in well.fields:
            # The schema allows an image in one well only.
            image = self._free.pop(field.series, None)
            if image is None:
                continue
            identifier = self.carrier.new_id("WellSample")
            sample = new("WellSample", [("ID", identifier), ("Index", identifier.partition(":")[2])])
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
