"""From a study, project, dataset, screen, plate, acquisition or well of the IDR to its images, one after the other.

Source of the walk: OMERO's JSON API (ome/omero-documentation, omero/developers/json-api.rst). Wells come column by column, and say their
fields themselves, so that nothing depends on their order.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from difflib import get_close_matches
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final

from ..errors import ArchiveError, MissingError, UsageError
from .idr_study import names_of
from .untrusted import LARGEST_ID, LONGEST_TEXT, line, mapping, sequence, text, whole
from .wells import LARGEST, WellPlace, parse_well

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from ..image import NamingConvention
    from .idr import Idr
    from .idr_spec import Named

_CHILDREN: Final = {"project": "dataset", "screen": "plate"}
_PARENTS: Final = {"dataset": "project", "plate": "screen"}
_NAMED: Final = 12
"""How many names an error lists."""
_MOST_FIELDS: Final = 100_000
_WELLS: Final = 100
"""Wells asked for at once: each comes with all that OMERO says of each of its fields, some kilobytes."""


@dataclass(frozen=True, slots=True)
class Container:
    """A project or screen, which is what a study is made of; or a dataset or plate that is in none.

    Attributes
    ----------
    kind
        ``project``, ``screen``, ``dataset``, ``plate``; empty if an image is in nothing.
    """

    kind: str = ""
    id: int = 0
    name: str = ""
    description: str = ""

    @property
    def accession(self) -> str:
        """Of its study; empty if the name does not follow the IDR's rule."""
        return names_of(self.name)[0]


@dataclass(frozen=True, slots=True)
class Found:
    """An image met on the way, and where it lies. What it does not have is empty or None.

    Attributes
    ----------
    well
        ``B07``.
    field
        Index among the well's images, 0-based.
    """

    image: int
    name: str = ""
    series: int | None = None
    container: Container = Container()
    dataset_id: int | None = None
    dataset: str = ""
    plate_id: int | None = None
    plate: str = ""
    well_id: int | None = None
    well: str = ""
    field: int | None = None


class Walk:
    """Finds images by what they lie in. For one thread."""

    def __init__(self, idr: Idr) -> None:
        self._idr = idr

    @cached_property
    def containers(self) -> tuple[Container, ...]:
        """Every project and screen of the IDR, which are some two hundred."""
        return tuple(_container(kind, found) for kind in ("project", "screen") for found in self._idr.listed(f"{kind}s", f"its {kind}s"))

    def images(self, named: Named) -> Iterator[Found]:
        """Give the images of what a user named, in the server's order. One that lies there twice may come twice.

        Raises
        ------
        MissingError
            If there is nothing of that number or name.
        ArchiveError
            If an answer makes no sense, or a list is not whole.
        """
        if named.kind == "study":
            yield from self._study(named)
        elif named.kind == "image":
            yield self._image(named.number)
        elif named.kind == "well":
            yield from self._well(named)
        elif named.kind == "acquisition":
            yield from self._acquisition(named)
        else:
            data = self._idr.described(named.kind, named.number)
            if named.kind in _CHILDREN:
                yield from self._children(_container(named.kind, data), named.path)
            else:
                yield from self._below(named.kind, data, self._parent(named.kind, data), named.path)

    def study_containers(self, name: str) -> list[Container]:
        """Give the projects and screens of a study, named by its accession, its whole name, or one of its components.

        Raises
        ------
        MissingError
            If there is no such study; the message names near ones.
        """
        wanted = name.casefold()
        found = [one for one in self.containers if _is_of(one, wanted)]
        if found:
            return found
        known = {label.casefold(): label for one in self.containers for label in (one.accession, one.name, one.name.partition("/")[0]) if label}
        near = [known[match] for match in get_close_matches(wanted, known, 3, 0.75)]
        hint = f"Near ones are {', '.join(near)}." if near else "Check the accession at the IDR's page."
        raise MissingError(f"The IDR has no study {name[:100]}, or it is not public. {hint}")

    def _study(self, named: Named) -> Iterator[Found]:
        name, *below = named.path
        found = self.study_containers(name)
        if below:
            part = below[0].casefold()
            components = [one for one in found if one.name.casefold().rpartition("/")[1:] == ("/", part)]
            if components:
                found, below = components, below[1:]
        missing: list[MissingError] = []
        for one in found:
            try:
                yield from self._children(one, tuple(below))
            except MissingError as error:
                missing.append(error)
                if not below:
                    raise
        if missing and len(missing) == len(found):
            raise missing[0]

    def _image(self, number: int) -> Found:
        record, place = self._idr.image(number), self._idr.place(number)
        found = Found(number, record.name, record.series)
        if place is None:
            return found
        container = Container(place.container_type, place.container_id, place.container_name)
        return replace(
            found,
            container=container,
            dataset_id=place.dataset_id,
            dataset=place.dataset,
            plate_id=place.plate_id,
            plate=place.plate,
            well=place.well,
            field=place.field,
        )

    def _parent(self, kind: str, data: Mapping[str, Any]) -> Container:
        """Give the project or screen that something lies in; itself if it is in none."""
        number, above = int(data["@id"]), _PARENTS[kind]
        parents = self._idr.listed(f"{kind}s/{number}/{above}s", f"the {above}s of {kind} {number}")
        found = [_container(above, parent) for parent in parents]
        return next((one for one in found if one.accession), found[0] if found else _container(kind, data))

    def _children(self, container: Container, path: tuple[str, ...]) -> Iterator[Found]:
        kind = _CHILDREN[container.kind]
        what = f"{container.kind} {container.id}"
        children = self._chosen(self._idr.listed(f"{what.replace(' ', 's/')}/{kind}s", f"the {kind}s of {what}"), path, what, kind)
        there, missing = False, list[MissingError]()
        for child in children:
            try:
                yield from self._below(kind, child, container, path[1:])
                there = True
            except MissingError as error:
                # Of several of one name, each may have what is asked for.
                if len(path) < 2:
                    raise
                missing.append(error)
        if missing and not there:
            raise missing[0]

    def _below(self, kind: str, data: Mapping[str, Any], container: Container, path: tuple[str, ...]) -> Iterator[Found]:
        if kind == "plate":
            yield from self._plate(data, container, path)
            return
        number, name = int(data["@id"]), line(data.get("Name"))
        what = f"dataset {number}"
        for image in self._chosen(self._idr.listed(f"datasets/{number}/images", f"the images of {what}"), path, what, "image"):
            yield Found(int(image["@id"]), line(image.get("Name")), _series(image), container, number, name)

    def _chosen(self, children: Iterable[Mapping[str, Any]], path: tuple[str, ...], what: str, kind: str) -> Iterator[Mapping[str, Any]]:
        """Give all children, or those of the name or number that the path goes on with."""
        if not path:
            yield from children
            return
        wanted, met = line(path[0]).casefold(), False
        names: list[str] = []
        for child in children:
            name = line(child.get("Name"))
            if wanted in (name.casefold(), str(child.get("@id"))):
                met = True
                yield child
            elif len(names) < _NAMED + 1:
                names.append(name)
        if not met:
            raise MissingError(f"{_begun(what)} has no {kind} {path[0][:100]}. {_listing(names)}")

    def _plate(self, data: Mapping[str, Any], container: Container, path: tuple[str, ...], run: int | None = None) -> Iterator[Found]:
        number, name = int(data["@id"]), line(data.get("Name"))
        place, field = _well_and_field(data, path)
        for well in self._idr.listed(f"plates/{number}/wells", f"the wells of plate {number}", _WELLS):
            if place is not None and _place(well) != place:
                continue
            found = _fields(well, Found(0, container=container, plate_id=number, plate=name), run)
            if place is None:
                yield from found
                continue
            yield from found if field is None else _one(found, field, f"well {place.name} of plate {number}")
            return
        if place is not None:
            raise MissingError(f"Plate {number} ({name}) has no well {place.name}. Check the name of the well at the IDR's page.")

    def _well(self, named: Named) -> Iterator[Found]:
        well = self._idr.described("well", named.number)
        field = _field(named.path[0]) if named.path else None
        plates = list(self._idr.listed(f"wells/{named.number}/plates", f"the plate of well {named.number}"))
        above = Found(0)
        if plates:
            above = replace(above, container=self._parent("plate", plates[0]), plate_id=int(plates[0]["@id"]), plate=line(plates[0].get("Name")))
        found = _fields(well, above, None)
        yield from found if field is None else _one(found, field, f"well {named.number}")

    def _acquisition(self, named: Named) -> Iterator[Found]:
        """Walk the plate of a run, since fields are numbered on the whole plate."""
        self._idr.described("plateacquisition", named.number)
        well = next(self._idr.listed(f"plateacquisitions/{named.number}/wells", f"the wells of acquisition {named.number}", 1), None)
        if well is None:
            return
        for plate in self._idr.listed(f"wells/{well['@id']}/plates", f"the plate of well {well['@id']}"):
            yield from self._plate(plate, self._parent("plate", plate), named.path, named.number)


def wells_of(idr: Idr, plate: int) -> Iterator[tuple[int, str, tuple[int | None, ...]]]:
    """Give number, name and images by field of each well of a plate."""
    yield from map(well_of, idr.listed(f"plates/{plate}/wells", f"the wells of plate {plate}", _WELLS))


def well_of(well: Mapping[str, Any]) -> tuple[int, str, tuple[int | None, ...]]:
    """Give number, name and images by field of a well."""
    return int(well["@id"]), _place(well).name, tuple(_image(sample) for sample in sequence(well.get("WellSamples"))[:_MOST_FIELDS])


def _container(kind: str, data: Mapping[str, Any]) -> Container:
    return Container(kind, int(data["@id"]), line(data.get("Name")), text(data.get("Description"), LONGEST_TEXT))


def _is_of(one: Container, wanted: str) -> bool:
    name = one.name.casefold()
    return wanted in (one.accession, name, name.partition("/")[0])


def _series(image: Mapping[str, Any]) -> int | None:
    return whole(image.get("omero:series"), 0, 2**31)


def _place(well: Mapping[str, Any]) -> WellPlace:
    row, column = (whole(well.get(axis), 0, LARGEST - 1) for axis in ("Row", "Column"))
    if row is None or column is None:
        raise ArchiveError(f"The IDR does not say which row and column of its plate well {well.get('@id')} is. Give the ids of its images.")
    return WellPlace(row, column)


def _image(sample: Any) -> int | None:
    return whole(mapping(mapping(sample).get("Image")).get("@id"), 1, LARGEST_ID)


def _fields(well: Mapping[str, Any], above: Found, run: int | None) -> list[Found]:
    """Images of a well, of one run if that is wanted; a field without an image keeps its number."""
    name = _place(well).name
    found = []
    for field, sample in enumerate(sequence(well.get("WellSamples"))[:_MOST_FIELDS]):
        image, number = mapping(mapping(sample).get("Image")), _image(sample)
        of_run = run is None or mapping(mapping(sample).get("PlateAcquisition")).get("@id") == run
        if number is not None and of_run:
            known = replace(above, image=number, name=line(image.get("Name")), series=_series(image))
            found.append(replace(known, well_id=whole(well.get("@id"), 1, LARGEST_ID), well=name, field=field))
    return found


def _one(found: list[Found], field: int, what: str) -> list[Found]:
    chosen = [one for one in found if one.field == field]
    if not chosen:
        numbers = ", ".join(str(one.field) for one in found[:_NAMED]) or "none"
        raise MissingError(f"{_begun(what)} has no field {field}. Its fields are {numbers}; they are counted from 0.")
    return chosen


def _well_and_field(plate: Mapping[str, Any], path: tuple[str, ...]) -> tuple[WellPlace | None, int | None]:
    if not path:
        return None, None
    rows: NamingConvention = "number" if plate.get("RowNamingConvention") == "number" else "letter"
    columns: NamingConvention = "letter" if plate.get("ColumnNamingConvention") == "letter" else "number"
    try:
        place = parse_well(path[0], rows, columns)
    except UsageError:
        # Tables of the suite write wells in one way, whatever the plate's own names are.
        place = parse_well(path[0])
    return place, _field(path[1]) if len(path) > 1 else None


def _field(name: str) -> int:
    if not name.isascii() or not name.isdigit() or len(name) > 6:
        raise UsageError(f"{name[:40]!r} is no field of a well. Fields are numbers, counted from 0: plate:2551/B07/0 is the first of that well.")
    return int(name)


def _listing(names: list[str]) -> str:
    if not names:
        return "It has none at all."
    more = " and others" if len(names) > _NAMED else ""
    return f"It has {', '.join(names[:_NAMED])}{more}."


def _begun(what: str) -> str:
    return what[:1].upper() + what[1:]
