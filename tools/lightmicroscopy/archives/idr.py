"""The IDR's own servers: what they know of an image, its annotations, its files and its study.

Sources: OMERO JSON API v0 (``/api/v0/m/``), webgateway (``original_file_paths``) and webclient (``api/annotations``,
``api/paths_to_object``) of OMERO.web. Answers are not trusted: what is not of the type and in the range it must be is left out or
refused with a sentence.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar
from urllib.parse import urlencode

from ..errors import ArchiveError, MissingError, UsageError
from .idr_channels import KEY, is_default, with_annotated_names
from .idr_record import ImageRecord, record_of
from .idr_study import NAMESPACE, Place, names_of, study_of
from .study import Study
from .untrusted import LARGEST_ID, line, mapping, sequence, text, whole
from .wells import LARGEST, WellPlace

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterator, Mapping

    from ..image import NamingConvention
    from .endpoints import Endpoints
    from .http import Client
    from .idr_routes import Candidate

__all__ = ["Annotation", "Idr", "ImageRecord", "Originals", "Place", "Study"]

OBJECT_TYPES: Final = ("image", "dataset", "project", "well", "acquisition", "plate", "screen")
PAGE: Final = 500
"""Annotations asked for at once; the IDR's own page size."""
MOST_PAGES: Final = 1000
MOST_PAIRS: Final = 200_000
MOST_TEXT: Final = 32 * 1024 * 1024
"""Characters of all annotations of one object and its containers."""
MOST_FILES: Final = 100_000
LONGEST_PATH: Final = 4096
_CLASSES: Final = {"plateacquisitioni": "acquisition"}
_REMEMBERED: Final = 256

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Annotation:
    """One key with one value, on one object. Keys repeat; `position` is the order on that object."""

    object_type: str
    object_id: int
    namespace: str
    key: str
    value: str
    position: int


@dataclass(frozen=True, slots=True)
class Originals:
    """The files an image was made from: their paths as they were imported, and the number of their set."""

    client_paths: tuple[str, ...]
    fileset: int | None


@dataclass(frozen=True, slots=True)
class _Well:
    plate: int
    place: WellPlace
    images: tuple[int | None, ...]
    """By field; None where it has none, so that the others keep their numbers."""


class _Memory(Generic[T]):
    """The last answers, so that images of one plate do not ask for it again and again. Safe in threads."""

    def __init__(self, longest: int = _REMEMBERED) -> None:
        self._longest = longest
        self._values: OrderedDict[Hashable, T] = OrderedDict()
        self._lock = Lock()

    def get(self, key: Hashable, make: Callable[[], T]) -> T:
        with self._lock:
            if key in self._values:
                self._values.move_to_end(key)
                return self._values[key]
        value = make()
        with self._lock:
            self._values[key] = value
            while len(self._values) > self._longest:
                self._values.popitem(last=False)
        return value


class Idr:
    """The IDR. Safe to use from several threads.

    Parameters
    ----------
    client
        Does the requests, and all that goes wrong with them.
    endpoints
        Which servers.
    """

    def __init__(self, client: Client, endpoints: Endpoints) -> None:
        self.client = client
        self.endpoints = endpoints
        self._web = endpoints.idr_web
        self._session = Lock()
        self._signed_in = False
        self._names: _Memory[str] = _Memory()
        self._wells: _Memory[_Well | None] = _Memory()
        self._naming: _Memory[tuple[str, NamingConvention, NamingConvention]] = _Memory()
        self._studies: _Memory[Study] = _Memory()
        self._annotations: _Memory[tuple[Annotation, ...]] = _Memory(16)

    def image(self, image: int) -> ImageRecord:
        """Describe an image.

        Channels without a name of their own get it from the annotation ``Channels``, if that fits.

        Raises
        ------
        MissingError
            If the IDR has no such image.
        ArchiveError
            If the answer makes no sense.
        UnreadableError
            If its pixels are of a type nothing here can hold.
        """
        record = record_of(self._object("image", image), image)
        if all(not is_default(channel.name) for channel in record.channels):
            return record
        values = [found.value for found in self.annotations("image", image) if found.object_type == "image" and found.key.strip().casefold() == KEY]
        return with_annotated_names(record, values)

    def listed(self, path: str, what: str, at_once: int = 1000) -> Iterator[Mapping[str, Any]]:
        """Give every object of a list of the JSON API, whatever the server's page size; see `idr_lists.listed`.

        Parameters
        ----------
        path
            Below ``/api/v0/m/``, such as ``screens/3/plates``.
        what
            How errors call the list, such as ``the plates of screen 3``.
        at_once
            Objects of a page.
        """
        from .idr_lists import listed

        return listed(lambda query: self._get(f"/api/v0/m/{path}/?{query}", what.removeprefix("the ")), what, at_once)

    def asked(self, path: str, what: str) -> Any:
        """Ask the web server for JSON; `what` is how errors call it.

        Raises
        ------
        MissingError, ArchiveError
            If there is none, or it cannot be had.
        """
        return self._get(path, what)

    def described(self, kind: str, number: int) -> Mapping[str, Any]:
        """Describe a project, dataset, screen, plate or well, as the JSON API does.

        Raises
        ------
        MissingError
            If there is none of that number.
        """
        data = _data(self._object(kind, number))
        if data.get("@id") != number:
            raise ArchiveError(f"The IDR was asked for {kind} {number} and answered with something else. Try again later.")
        return data

    def annotations(self, object_type: str, number: int, *, parents: bool = False) -> tuple[Annotation, ...]:
        """All key-value annotations of an object, in the server's order, repeats kept.

        Parameters
        ----------
        object_type
            ``image``, ``well``, ``plate``, ``screen``, ``dataset``, ``project``, ``acquisition``.
        parents
            Those of its containers too.

        Raises
        ------
        ArchiveError
            If the server goes on for ever, or answers with something else.
        """
        if object_type not in OBJECT_TYPES:
            raise UsageError(f"{object_type!r} has no annotations. Use one of {', '.join(OBJECT_TYPES)}.")
        return self._annotations.get((object_type, number, parents), lambda: tuple(self._read_annotations(object_type, (number,), parents=parents)))

    def annotations_of(self, images: tuple[int, ...]) -> Iterator[Annotation]:
        """All key-value annotations of several images, asked for together; see `annotations`."""
        return self._read_annotations("image", images, parents=False)

    def originals(self, image: int) -> Originals:
        """Paths of the files an image was made from; none if it has none.

        Raises
        ------
        ArchiveError
            If a path cannot be read, for what is left is not the whole set.
        """
        answer = mapping(self._get(f"/webgateway/original_file_paths/{image}/", f"image {image}"))
        stated = sequence(answer.get("client"))
        if len(stated) > MOST_FILES:
            raise ArchiveError(f"The IDR names {len(stated)} files for image {image}, more than is believable ({MOST_FILES}). Leave it out.")
        usable = [path for value in stated if isinstance(value, str) and len(value) <= LONGEST_PATH and (path := value.strip())]
        if len(usable) < len(stated):
            unusable = len(stated) - len(usable)
            raise ArchiveError(
                f"Of the {len(stated):,} files that the IDR names for image {image}, {unusable:,} have no readable path. Tell the IDR."
            )
        paths = dict.fromkeys(usable)
        return Originals(tuple(paths), whole(mapping(answer.get("fileset")).get("id"), 1, LARGEST_ID))

    def place(self, image: int) -> Place | None:
        """Where an image belongs; None if it is in no project and no screen.

        An image in several places is given the first one that is part of a study.
        """
        answer = mapping(self._get(f"/webclient/api/paths_to_object/?image={image}", f"image {image}"))
        places = []
        for path in sequence(answer.get("paths"))[:100]:
            steps = {
                kind: number
                for step in sequence(path)
                if (kind := line(mapping(step).get("type"), 40)) and (number := whole(mapping(step).get("id"), 1, LARGEST_ID)) is not None
            }
            found = self._place(image, steps)
            if found is not None and found.study:
                return found
            places.append(found)
        return next((found for found in places if found is not None), None)

    def study(self, place: Place) -> Study:
        """What is known of the study an image belongs to; each project or screen is asked for once."""

        def read() -> Study:
            return study_of(place, self._study_annotations(place))

        return self._studies.get((place.container_type, place.container_id), read)

    def candidates(self, record: ImageRecord, place: Place | None = None) -> Iterator[Candidate]:
        """Every address the pixels of an image may be at, the best first; files are asked for only when it comes to them."""
        from .idr_routes import candidates, tables

        return candidates(record, lambda: self.originals(record.id), tables(self.endpoints), place=place)

    def _study_annotations(self, place: Place) -> list[Annotation]:
        found = self.annotations(place.container_type, place.container_id, parents=place.container_type in ("dataset", "plate"))
        return [annotation for annotation in found if annotation.namespace == NAMESPACE]

    def _place(self, image: int, steps: Mapping[str, int]) -> Place | None:
        kind = next((kind for kind in ("project", "screen", "dataset", "plate") if kind in steps), None)
        if kind is None:
            return None
        name = self._name(kind, steps[kind])
        study, component = names_of(name)
        dataset, plate, well = (steps.get(step) for step in ("dataset", "plate", "well"))
        found = self._well(well) if well is not None else None
        title, rows, columns = self._plate(plate) if plate is not None else ("", "letter", "number")
        return Place(
            study=study,
            component=component,
            container_type=kind,
            container_id=steps[kind],
            container_name=name,
            dataset_id=dataset,
            dataset=self._name("dataset", dataset) if dataset is not None else "",
            plate_id=plate,
            plate=title,
            well=found.place.name if found else "",
            well_path=found.place.path(rows, columns) if found else "",
            field=found.images.index(image) if found and image in found.images else None,
            well_id=well,
        )

    def _name(self, kind: str, number: int) -> str:
        return self._names.get((kind, number), lambda: line(_data(self._object(kind, number)).get("Name")))

    def _plate(self, number: int) -> tuple[str, NamingConvention, NamingConvention]:
        def read() -> tuple[str, NamingConvention, NamingConvention]:
            data = _data(self._object("plate", number))
            rows: NamingConvention = "number" if data.get("RowNamingConvention") == "number" else "letter"
            columns: NamingConvention = "letter" if data.get("ColumnNamingConvention") == "letter" else "number"
            return line(data.get("Name")), rows, columns

        return self._naming.get(number, read)

    def _well(self, number: int) -> _Well | None:
        def read() -> _Well | None:
            data = _data(self._object("well", number))
            row, column = (whole(data.get(axis), 0, LARGEST - 1) for axis in ("Row", "Column"))
            if row is None or column is None:
                return None
            samples = (mapping(mapping(sample).get("Image")).get("@id") for sample in sequence(data.get("WellSamples")))
            return _Well(number, WellPlace(row, column), tuple(whole(image, 1, LARGEST_ID) for image in samples))

        return self._wells.get(number, read)

    def _object(self, kind: str, number: int) -> Any:
        return self._get(f"/api/v0/m/{kind}s/{number}/", f"{kind} {number}")

    def _get(self, path: str, what: str) -> Any:
        with self._session:
            if not self._signed_in:
                self.client.open_session()
                self._signed_in = True
        try:
            return self.client.get_json(self._web + path)
        except MissingError as error:
            raise MissingError(f"The IDR has no {what}, or it is not public. Check the number at the IDR's page.") from error

    def _read_annotations(self, object_type: str, numbers: tuple[int, ...], *, parents: bool) -> Iterator[Annotation]:
        seen: set[tuple[Any, Any]] = set()
        positions: dict[tuple[str, int], int] = {}
        count = length = 0
        what = f"{object_type} {numbers[0]}" if len(numbers) == 1 else f"{len(numbers)} {object_type}s from {numbers[0]} on"
        asked = {(object_type, number) for number in numbers}
        for found in self._annotation_pages(object_type, numbers, what, seen, parents=parents):
            owner = _owner(found, (object_type, numbers[0]))
            if len(numbers) > 1 and owner not in asked:
                continue
            for pair in sequence(found.get("values")):
                key, value = (*pair, "", "")[:2] if isinstance(pair, list) else ("", "")
                if not text(key) and not text(value):
                    continue
                position = positions.get(owner, 0)
                positions[owner] = position + 1
                annotation = Annotation(*owner, line(found.get("ns")), text(key), text(value), position)
                # The server says whose each is: counted are those of all owners together.
                count, length = count + 1, length + len(annotation.namespace) + len(annotation.key) + len(annotation.value)
                if count > MOST_PAIRS or length > MOST_TEXT:
                    raise ArchiveError(
                        f"{what} of the IDR has more than {MOST_PAIRS:,} annotations, or {MOST_TEXT:,} characters of them. Leave it out."
                    )
                yield annotation

    def _annotation_pages(
        self, object_type: str, numbers: tuple[int, ...], what: str, seen: set[tuple[Any, Any]], *, parents: bool
    ) -> Iterator[Mapping[str, Any]]:
        """Map annotations, each link once. A page that is not full, or brings nothing new, is the last."""
        for page in range(1, MOST_PAGES + 1):
            query = {"type": "map", object_type: numbers, "page": page, "limit": PAGE} | ({"parents": "true"} if parents else {})
            answer = mapping(self._get(f"/webclient/api/annotations/?{urlencode(query, doseq=True)}", what))
            if not isinstance(answer.get("annotations"), list):
                raise ArchiveError(f"The IDR was asked for the annotations of {what} and answered with something else. Try again later.")
            own = answer["annotations"]
            fresh = {
                key: found
                for found in map(mapping, (*own, *sequence(answer.get("parents"))))
                if (key := _key(found))[0] is not None and key not in seen
            }
            seen.update(fresh)
            yield from fresh.values()
            if len(own) < PAGE or not fresh:
                return
        raise ArchiveError(f"The IDR's annotations of {what} do not end after {MOST_PAGES} pages. Leave it out, and tell the IDR.")


def _data(answer: Any) -> Mapping[str, Any]:
    data = mapping(answer).get("data")
    return mapping(data[0] if isinstance(data, list) and len(data) == 1 else data)


def _key(found: Mapping[str, Any]) -> tuple[int | None, int | None]:
    """Identity of an annotation on an object: one annotation may be linked to many."""
    return whole(found.get("id"), 0, LARGEST_ID), whole(mapping(found.get("link")).get("id"), 0, LARGEST_ID)


def _owner(found: Mapping[str, Any], asked: tuple[str, int]) -> tuple[str, int]:
    parent = mapping(mapping(found.get("link")).get("parent"))
    number = whole(parent.get("id"), 1, LARGEST_ID)
    name = line(parent.get("class"), 60).lower()
    kind = _CLASSES.get(name) or name.removesuffix("i")
    return (kind, number) if number is not None and kind in OBJECT_TYPES else asked
