"""Searching the IDR: images by study, by annotation, by container, and what is known of them and their studies."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import TYPE_CHECKING, Final

from ..errors import ArchiveError, MissingError, SuiteError, UsageError
from .idr_search_engine import Query, SearchEngine
from .idr_search_places import found_of, with_wells
from .idr_search_scopes import Scopes
from .idr_search_tables import image_row
from .idr_search_terms import Condition, known_conditions
from .idr_spec import Named
from .idr_study import Place, names_of
from .idr_walk import Container, Found, Walk
from .ordered import in_order
from .pulse import Pulse
from .seen import Seen
from .wells import parse_well

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from .idr import Annotation, Idr, ImageRecord
    from .study import Study

AT_ONCE: Final = 100
"""Images whose annotations are asked for with one request."""
_SUGGESTING: Final = 3

log = logging.getLogger("lightmicroscopy")


@dataclass(frozen=True, slots=True)
class Question:
    """What is looked for: images that lie in one of the studies or containers, if any is named, and fit the conditions.

    Attributes
    ----------
    either
        One of the conditions is enough.
    """

    studies: tuple[str, ...] = ()
    conditions: tuple[Condition, ...] = ()
    either: bool = False
    containers: tuple[Named, ...] = ()


@dataclass(frozen=True, slots=True)
class Job:
    """What is wanted of the answer.

    Attributes
    ----------
    limit
        Most images.
    details
        Look at each image, for its sizes and channels.
    image, annotation
        Called with each image (a row of the images table) and annotation.
    """

    limit: int = 1000
    details: bool = False
    image: Callable[[Mapping[str, object]], None] | None = None
    annotation: Callable[[Annotation], None] | None = None


@dataclass
class Result:
    """How many images there are, how many of them were listed, how much failed, and the projects and screens they are of."""

    total: int = 0
    listed: int = 0
    failed: int = 0
    parts: list[tuple[Container, Study | None, int | None]] = field(default_factory=list)


class Search:
    """Answers questions. For one thread, which has helpers."""

    def __init__(self, idr: Idr, engine: SearchEngine) -> None:
        self._idr = idr
        self._engine = engine
        self._walk = Walk(idr)
        self._scopes = Scopes(self._walk, engine, idr.endpoints.idr_web)
        self._result = Result()
        self._seen = Seen()
        self._known: dict[tuple[str, int], Container] = {}
        self._met: dict[tuple[str, int], Container] = {}
        self._studies: dict[tuple[str, int], Study | None] = {}

    def answer(self, question: Question, job: Job) -> Result:
        """Look for images, and hand them over as they come.

        Raises
        ------
        UsageError
            If nothing is asked for, or a key is not one.
        MissingError
            If nothing of what is named exists.
        ArchiveError
            If a service fails in a way that leaves the answer incomplete.
        """
        if not (question.studies or question.conditions or question.containers):
            raise UsageError("Nothing is asked for. Give a study, a condition such as Gene Symbol=AURKB, or a container such as plate:2551.")
        self._result, self._seen = Result(), Seen()
        self._met.clear()
        conditions = known_conditions(question.conditions, self._engine.keys()) if question.conditions else []
        scopes = self._limited(question)
        on_studies = [condition for condition in conditions if condition.on == "study"]
        on_images = [condition for condition in conditions if condition.on == "image"]
        if on_studies:
            if on_images and question.either:
                raise UsageError(
                    f"{on_studies[0].key} is a key of studies and {on_images[0].key} one of images; of these --any cannot be asked together."
                )
            scopes = self._within(scopes, self._scopes.having(on_studies, either=question.either), on_studies[0])
        found = self._fitting(on_images, question.either, scopes, job) if on_images else self._lying_in(scopes or [], job)
        self._hand_over(found, job)
        self._describe(job)
        if not self._result.total and on_images:
            self._say_what_is_near(on_images)
        return self._result

    # --- where to look

    def _limited(self, question: Question) -> list[Named] | None:
        """What the search is limited to, each once; None for nothing. What is not there costs the others nothing."""
        if not (question.studies or question.containers):
            return None
        found: dict[Named, None] = {}
        failures: list[SuiteError] = []
        for text in question.studies:
            try:
                found |= dict.fromkeys(self._named(one) for one in self._scopes.studies(text))
            except MissingError as error:
                failures.append(error)
        for named in question.containers:
            try:
                found |= dict.fromkeys(self._checked(named))
            except MissingError as error:
                failures.append(error)
        if failures and not found:
            raise failures[0]
        for failure in failures:
            self._fail(failure)
        return list(found)

    def _named(self, one: Container) -> Named:
        self._known[one.kind, one.id] = one
        return Named(one.kind, one.id)

    def _checked(self, named: Named) -> Iterable[Named]:
        """Check that there is such a thing before anything is listed."""
        if named.kind == "study" and len(named.path) == 1:
            return [self._named(one) for one in self._walk.study_containers(named.path[0])]
        if next(self._walk.images(named), None) is None and named.kind != "image":
            raise MissingError(f"{named.item} holds no images. Check it at the IDR's page.")
        return [named]

    def _within(self, scopes: list[Named] | None, having: Sequence[Container], condition: Condition) -> list[Named]:
        wanted = [self._named(one) for one in having]
        if scopes is None:
            return wanted
        if odd := [named for named in scopes if named.kind not in ("project", "screen") or named.path]:
            raise UsageError(f"{condition.key} is a key of whole studies, and {odd[0].item} is a part of one. Name the study, or leave that out.")
        return [named for named in wanted if named in scopes]

    # --- what is found there

    def _fitting(self, conditions: Sequence[Condition], either: bool, scopes: list[Named] | None, job: Job) -> Iterator[Found]:
        filters = tuple(condition.filter("image") for condition in conditions)
        what = f"images with {(' or ' if either else ' and ').join(map(str, conditions))}"[:300]
        left = job.limit
        for attribute in [None] if scopes is None else sorted({attribute for named in scopes for attribute in self._scopes.attributes(named)}):
            query = Query("image", filters, either, within=attribute)
            for number, page in enumerate(self._engine.pages(query, what)):
                if number == 0 and page.total:
                    self._result.total += page.total
                    self._meet(query, what)
                hits = [hit for hit in map(found_of, page.found) if self._seen.is_new(hit.image)]
                self._result.total -= len(page.found) - len(hits)
                if left > 0:
                    yield from with_wells(self._idr, hits[:left])
                left -= len(hits)
                if left <= 0:
                    break

    def _meet(self, query: Query, what: str) -> None:
        """Find out which studies all hits are of, those that are not listed too."""
        if query.within is not None and query.within[0] in ("project_id", "screen_id"):
            keys = [(query.within[0].removesuffix("_id"), query.within[1])]
        else:
            keys = self._engine.containers(query, what)
        for key in keys:
            self._meet_one(key)

    def _meet_one(self, key: tuple[str, int]) -> None:
        if key not in self._met:
            known = [one for one in ([self._known[key]] if key in self._known else self._walk.containers) if (one.kind, one.id) == key]
            self._met[key] = known[0] if known else Container(*key)

    def _lying_in(self, scopes: Sequence[Named], job: Job) -> Iterator[Found]:
        left = job.limit if job.image or job.annotation else 0
        for named in scopes:
            if (named.kind, named.number) in self._known:
                self._meet_one((named.kind, named.number))
            known = self._counted(named) if left <= 0 else None
            if known is not None:
                self._result.total += known
                continue
            count = 0
            for found in self._walk.images(named):
                if not self._seen.is_new(found.image):
                    continue
                count += 1
                if count <= left:
                    yield found
                elif count == left + 1 and (known := self._counted(named)) is not None:
                    break
            left -= min(left, count)
            self._result.total += max(count, known or 0)

    def _counted(self, named: Named) -> int | None:
        """How many images a whole project or screen has, as the search engine says; None if it does not."""
        if named.kind not in ("project", "screen") or named.path:
            return None
        try:
            return self._engine.image_count(named.kind, named.number)
        except ArchiveError as error:
            log.debug("%s", error)
            return None

    # --- what is told of it

    def _hand_over(self, found: Iterator[Found], job: Job) -> None:
        pulse = Pulse()
        while batch := tuple(islice(found, AT_ONCE)):
            pulse.tell("%s images listed so far.", f"{self._result.listed:,}")
            for one, looked_at in in_order(batch, self._look_at) if job.details else ((one, None) for one in batch):
                if one.container.kind in ("project", "screen"):
                    self._met.setdefault((one.container.kind, one.container.id), one.container)
                record, pixels = (None, "unknown") if looked_at is None or isinstance(looked_at, SuiteError) else looked_at
                if isinstance(looked_at, SuiteError):
                    self._fail(looked_at)
                self._result.listed += 1
                if job.image is not None:
                    job.image(image_row(one, self._study(one.container), record, pixels))
            if job.annotation is not None:
                self._annotate(tuple(one.image for one in batch), job.annotation)

    def _look_at(self, one: Found) -> tuple[ImageRecord, str]:
        record = self._idr.image(one.image)
        place = _place(one.container)
        if place is not None and one.well:
            path = parse_well(one.well).path()
            place = replace(place, plate_id=one.plate_id, plate=one.plate, well=one.well, well_path=path, field=one.field)
        for candidate in self._idr.candidates(record, place):
            if candidate.urls and candidate.openable:
                return record, {"ome-zarr": "ome-zarr", "original": "originals"}[candidate.kind]
        return record, "none"

    def _annotate(self, images: tuple[int, ...], take: Callable[[Annotation], None]) -> None:
        try:
            for annotation in self._idr.annotations_of(images):
                take(annotation)
        except ArchiveError as error:
            self._fail(error)

    def _study(self, container: Container) -> Study | None:
        key = (container.kind, container.id)
        if key not in self._studies:
            self._studies[key] = None
            place = _place(container)
            try:
                self._studies[key] = self._idr.study(place) if place is not None else None
            except ArchiveError as error:
                self._fail(error)
        return self._studies[key]

    def _describe(self, job: Job) -> None:
        """Tell of the studies that were met."""
        for key in sorted(self._met):
            container = self._met[key]
            study = self._study(container)
            self._result.parts.append((container, study, self._counted(Named(*key))))
            if job.annotation is None or study is None:
                continue
            try:
                for annotation in self._idr.annotations(container.kind, container.id):
                    job.annotation(annotation)
            except ArchiveError as error:
                self._fail(error)

    def _say_what_is_near(self, conditions: Sequence[Condition]) -> None:
        for condition in conditions[:_SUGGESTING]:
            if condition.operator not in ("equals", "contains"):
                continue
            try:
                values = self._engine.values_like(condition.key, condition.value)
            except ArchiveError as error:
                log.debug("%s", error)
                continue
            if values and condition.operator == "equals" and condition.value.casefold() not in [value.casefold() for value in values]:
                log.warning("%s has no value %s; there are %s.", condition.key, condition.value, ", ".join(values))

    def _fail(self, error: SuiteError) -> None:
        self._result.failed += 1
        log.warning("%s", error)


def _place(container: Container) -> Place | None:
    if not container.kind:
        return None
    accession, component = names_of(container.name)
    return Place(accession, component, container.kind, container.id, container.name)
