"""OMERO.web's JSON API (ome/omero-web: omeroweb/api/{urls,views,api_query,decorators}.py)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

from .content import Catalogue
from .content.model import Image, Plate, Well
from .marshal import (
    EXPERIMENTER,
    GROUP,
    Json,
    acquisition_json,
    container_json,
    image_json,
    plate_json,
    roi_json,
    sample_json,
    well_json,
)
from .wire import Request, Response, html_response, integer, json_response

DEFAULT_LIMIT = 200
MAX_LIMIT = 1000  # of the IDR; OMERO's own is 500
SCHEMA = "http://www.openmicroscopy.org/Schemas/OME/2016-06"


class NotFoundError(Exception):
    """The object that was asked for is not there."""


class Api:
    """The JSON API of one catalogue."""

    def __init__(self, catalogue: Catalogue) -> None:
        self.catalogue = catalogue
        n = r"(\d+)"
        table: dict[str, Callable[..., Response]] = {
            "api/": self._versions,
            "api/v0/": self._base,
            "api/v0/token/": lambda _: json_response({"data": "0" * 32}),
            "api/v0/servers/": lambda _: json_response({"data": [{"id": 1, "host": "omeroreadwrite", "port": 4064, "server": "omero"}]}),
            "api/v0/m/projects/": self._projects,
            f"api/v0/m/projects/{n}/": self._project,
            "api/v0/m/screens/": self._screens,
            f"api/v0/m/screens/{n}/": self._screen,
            "api/v0/m/datasets/": self._datasets,
            f"api/v0/m/projects/{n}/datasets/": self._datasets,
            f"api/v0/m/datasets/{n}/": self._dataset,
            f"api/v0/m/datasets/{n}/projects/": self._dataset_projects,
            "api/v0/m/images/": self._images,
            f"api/v0/m/datasets/{n}/images/": self._images,
            f"api/v0/m/images/{n}/": self._image,
            f"api/v0/m/images/{n}/datasets/": self._image_datasets,
            f"api/v0/m/images/{n}/rois/": self._rois,
            "api/v0/m/rois/": self._rois,
            "api/v0/m/plates/": self._plates,
            f"api/v0/m/screens/{n}/plates/": self._plates,
            f"api/v0/m/plates/{n}/": self._plate,
            f"api/v0/m/plates/{n}/screens/": self._plate_screens,
            f"api/v0/m/plates/{n}/plateacquisitions/": self._acquisitions,
            f"api/v0/m/plateacquisitions/{n}/": self._acquisition,
            f"api/v0/m/plateacquisitions/{n}/wells/": self._acquisition_wells,
            f"api/v0/m/plateacquisitions/{n}/wellsampleindex/{n}/wells/": self._acquisition_wells,
            "api/v0/m/wells/": self._wells,
            f"api/v0/m/plates/{n}/wells/": self._wells,
            f"api/v0/m/plates/{n}/wellsampleindex/{n}/wells/": self._wells,
            f"api/v0/m/wells/{n}/": self._well,
            f"api/v0/m/wells/{n}/plates/": self._well_plates,
        }
        self._table = [(re.compile(pattern), view) for pattern, view in table.items()]

    def __call__(self, request: Request) -> Response:
        """Answer, with the header that every answer of this API has."""
        answer = self._answer(request)
        answer.headers["X-OMERO-ApiVersion"] = "0.2"
        answer.headers["Access-Control-Allow-Origin"] = "*"
        return answer

    def known(self, path: str) -> bool:
        """Whether a path leads anywhere."""
        return any(pattern.fullmatch(path.lstrip("/")) for pattern, _ in self._table)

    def _answer(self, request: Request) -> Response:
        for pattern, view in self._table:
            if match := pattern.fullmatch(request.path.lstrip("/")):
                if request.method not in ("GET", "HEAD"):
                    return json_response({"message": f"{request.method} not supported"}, 405)
                try:
                    return view(request, *map(int, match.groups()))
                except NotFoundError as error:
                    return json_response({"message": str(error)}, 404)
                except ValueError as error:
                    return json_response({"message": str(error)}, 400)
        return html_response("Page not found", 404)

    # Answers' frames

    def _list(self, request: Request, objects: Iterable[Any], encode: Callable[[Any, bool], Json]) -> Response:
        """Page a list as api_query.validate_opts and views.ObjectsView do."""
        found = list(objects)
        limit, offset = integer(request.first("limit", str(DEFAULT_LIMIT))), integer(request.first("offset", "0"))
        limit = DEFAULT_LIMIT if limit < 0 else min(limit, MAX_LIMIT)
        offset = max(offset, 0)
        normalized = request.first("normalize") == "true"
        data = [encode(one, normalized) for one in found[offset : offset + limit]]
        body: Json = {"data": data, "meta": {"offset": offset, "limit": limit, "maxLimit": MAX_LIMIT, "totalCount": len(found)}}
        if normalized:
            body |= {"experimenters": [EXPERIMENTER], "experimenterGroups": [GROUP]}
        return json_response(body)

    @staticmethod
    def _one(kind: str, table: dict[int, Any], number: int) -> Any:
        if number not in table:
            raise NotFoundError(f"{kind} {number} not found")
        return table[number]

    @staticmethod
    def _url(request: Request, path: str) -> str:
        return f"{request.base}/api/v0/m/{path}/"

    def _urls(self, request: Request, kind: str, number: int, *children: str, own: bool) -> Json:
        urls = {f"url:{kind}": self._url(request, f"{kind}s/{number}")} if own else {}
        return urls | {f"url:{child}": self._url(request, f"{kind}s/{number}/{child}") for child in children}

    # Entry points

    def _versions(self, request: Request) -> Response:
        return json_response({"data": [{"version": "0", "url:base": f"{request.base}/api/v0/"}]})

    def _base(self, request: Request) -> Response:
        lists = ("experimenters", "experimentergroups", "projects", "datasets", "images", "screens", "plates", "rois")
        named = {f"url:{name}": self._url(request, name) for name in lists}
        rest = {
            f"url:{name}": f"{request.base}/api/v0/{path}/" for name, path in (("token",) * 2, ("servers",) * 2, ("login",) * 2, ("save", "m/save"))
        }
        return json_response({**named, **rest, "url:schema": SCHEMA})

    # Projects, screens, datasets

    def _container(self, request: Request, kind: str, one: Any, children: int, normalized: bool = False, own: bool = True) -> Json:
        count = children if request.first("childCount") == "true" else None
        below = {"project": ("datasets",), "screen": ("plates",), "dataset": ("images", "projects")}[kind]
        return container_json(one, normalized=normalized, count=count) | self._urls(request, kind, one.id, *below, own=own)

    def _projects(self, request: Request) -> Response:
        child = request.first("dataset")
        found = [one for one in self.catalogue.projects.values() if child is None or int(child) in {below.id for below in one.datasets}]
        return self._list(request, by_name(found), lambda one, flat: self._container(request, "project", one, len(one.datasets), flat))

    def _project(self, request: Request, number: int) -> Response:
        one = self._one("Project", self.catalogue.projects, number)
        return json_response({"data": self._container(request, "project", one, len(one.datasets), own=False)})

    def _screens(self, request: Request) -> Response:
        child = request.first("plate")
        found = [one for one in self.catalogue.screens.values() if child is None or int(child) in {below.id for below in one.plates}]
        return self._list(request, by_name(found), lambda one, flat: self._container(request, "screen", one, len(one.plates), flat))

    def _screen(self, request: Request, number: int) -> Response:
        one = self._one("Screen", self.catalogue.screens, number)
        return json_response({"data": self._container(request, "screen", one, len(one.plates), own=False)})

    def _datasets(self, request: Request, project: int | None = None) -> Response:
        above = request.first("project") if project is None else str(project)
        if above is None:
            found = list(self.catalogue.datasets.values())
        else:
            there = self.catalogue.projects.get(int(above))
            found = [] if there is None else list(there.datasets)
        image = request.first("image")
        found = [one for one in found if image is None or int(image) in {below.id for below in one.images}]
        return self._list(request, by_name(found), lambda one, flat: self._container(request, "dataset", one, len(one.images), flat))

    def _dataset(self, request: Request, number: int) -> Response:
        one = self._one("Dataset", self.catalogue.datasets, number)
        return json_response({"data": self._container(request, "dataset", one, len(one.images), own=False)})

    def _dataset_projects(self, request: Request, number: int) -> Response:
        dataset = self.catalogue.datasets.get(number)
        project = None if dataset is None else self.catalogue.project_of(dataset)
        found = [] if project is None else [project]
        return self._list(request, found, lambda one, flat: self._container(request, "project", one, len(one.datasets), flat))

    # Images

    def _images(self, request: Request, dataset: int | None = None) -> Response:
        above = request.first("dataset") if dataset is None else str(dataset)
        if above is not None:
            there = self.catalogue.datasets.get(int(above))
            found = [] if there is None else list(there.images)
        elif request.first("orphaned") == "true":
            found = [image for image in self.catalogue.images.values() if not self.catalogue.paths[image.id]]
        else:
            found = list(self.catalogue.images.values())

        def encode(image: Image, flat: bool) -> Json:
            return image_json(image, normalized=flat) | self._urls(request, "image", image.id, "datasets", own=True)

        return self._list(request, by_name(found), encode)

    def _image(self, request: Request, number: int) -> Response:
        image = self._one("Image", self.catalogue.images, number)
        return json_response({"data": image_json(image, channels=True) | self._urls(request, "image", number, "datasets", "rois", own=False)})

    def _image_datasets(self, request: Request, number: int) -> Response:
        found = [one for one in self.catalogue.datasets.values() if number in {image.id for image in one.images}]
        return self._list(request, found, lambda one, flat: self._container(request, "dataset", one, len(one.images), flat))

    def _rois(self, request: Request, image: int | None = None) -> Response:
        wanted = image if image is not None else integer(request.first("image", "-1"))
        found = [roi for one in self.catalogue.images.values() if wanted in (-1, one.id) for roi in one.rois]
        return self._list(request, sorted(found, key=lambda roi: roi.id), lambda roi, _: roi_json(roi))

    # Plates and wells

    def _plates(self, request: Request, screen: int | None = None) -> Response:
        above = request.first("screen") if screen is None else str(screen)
        there = None if above is None else self.catalogue.screens.get(int(above))
        found = list(self.catalogue.plates.values()) if above is None else [] if there is None else list(there.plates)
        below = ("screens", "wells", "plateacquisitions")
        return self._list(
            request,
            by_name(found),
            lambda plate, flat: plate_json(plate, normalized=flat) | self._urls(request, "plate", plate.id, *below, own=True),
        )

    def _plate(self, request: Request, number: int) -> Response:
        plate = self._one("Plate", self.catalogue.plates, number)
        data = plate_json(plate) | self._urls(request, "plate", number, "screens", "wells", "plateacquisitions", own=False)
        return json_response({"data": data | self._fields(request, f"plates/{number}", plate.wells)})

    def _fields(self, request: Request, path: str, wells: Iterable[Well]) -> Json:
        most = max((len(well.samples) for well in wells), default=0)
        links = [self._url(request, f"{path}/wellsampleindex/{index}/wells") for index in range(most)]
        return {"omero:wellsampleIndex": [0, most - 1] if most else [], "url:wellsampleindex_wells": links}

    def _plate_screens(self, request: Request, number: int) -> Response:
        plate = self.catalogue.plates.get(number)
        screen = None if plate is None else self.catalogue.screen_of(plate)
        found = [] if screen is None else [screen]
        return self._list(request, found, lambda one, flat: self._container(request, "screen", one, len(one.plates), flat))

    def _acquisitions(self, request: Request, number: int) -> Response:
        plate = self.catalogue.plates.get(number)
        return self._list(request, () if plate is None else plate.acquisitions, lambda run, _: acquisition_json(run))

    def _run(self, number: int) -> tuple[Plate, Any]:
        for plate in self.catalogue.plates.values():
            for run in plate.acquisitions:
                if run.id == number:
                    return plate, run
        raise NotFoundError(f"PlateAcquisition {number} not found")

    def _acquisition(self, request: Request, number: int) -> Response:
        plate, run = self._run(number)
        data = acquisition_json(run) | self._urls(request, "plateacquisition", number, "wells", own=False)
        return json_response({"data": data | self._fields(request, f"plateacquisitions/{number}", plate.wells)})

    def _acquisition_wells(self, request: Request, number: int, index: int | None = None) -> Response:
        plate, run = self._run(number)
        kept = [replace(well, samples=tuple(one for one in well.samples if one.acquisition is run)) for well in plate.wells]
        return self._well_list(request, kept, index)

    def _wells(self, request: Request, plate: int | None = None, index: int | None = None) -> Response:
        above = request.first("plate") if plate is None else str(plate)
        there = None if above is None else self.catalogue.plates.get(int(above))
        found = list(self.catalogue.wells.values()) if above is None else [] if there is None else list(there.wells)
        return self._well_list(request, found, index)

    def _well_list(self, request: Request, wells: Iterable[Well], index: int | None) -> Response:
        """List wells by column, then row; only those with field `index` and only that field if one is asked for."""
        if index is not None:
            wells = [replace(well, samples=well.samples[index : index + 1]) for well in wells if len(well.samples) > index]

        def encode(well: Well, flat: bool) -> Json:
            samples = []
            for sample in well.samples:
                image = image_json(sample.image, with_pixels=False) | self._urls(request, "image", sample.image.id, own=True)
                samples.append(sample_json(sample, image))
            return well_json(well, samples, flat) | self._urls(request, "well", well.id, "plates", own=True)

        return self._list(request, sorted(wells, key=lambda well: (well.column, well.row, well.id)), encode)

    def _well(self, request: Request, number: int) -> Response:
        well = self._one("Well", self.catalogue.wells, number)
        samples = [sample_json(sample, image_json(sample.image)) for sample in well.samples]
        return json_response({"data": well_json(well, samples) | self._urls(request, "well", number, "plates", own=False)})

    def _well_plates(self, request: Request, number: int) -> Response:
        well = self.catalogue.wells.get(number)
        found = [] if well is None else [self.catalogue.plate_of(well)]
        return self._list(request, found, lambda plate, flat: plate_json(plate, normalized=flat))


def by_name(objects: Iterable[Any]) -> list[Any]:
    """Sort as the server does: by the lower-case name, then by number."""
    return sorted(objects, key=lambda one: ((one.name or "").lower(), one.id))
