"""OMERO.webclient (ome/omero-web: omeroweb/webclient/{urls,views,tree}.py)."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator
from typing import Any

from .content import Catalogue
from .content.model import Annotated, Dataset, File, Image, Map, Plate, Project, Screen, Well
from .wire import Request, Response, html_response, integer, json_response

PAGE = 500
DATE = "2019-06-18T12:00:00Z"  # invented
TABLES = {"image": "images", "dataset": "datasets", "project": "projects", "screen": "screens", "plate": "plates", "well": "wells"}
KINDS = {"map": Map, "file": File}
NO_RIGHTS = dict.fromkeys(("canDelete", "canAnnotate", "canLink", "canEdit"), False)
EXPERIMENTERS = [{"id": 2, "omeName": "demo", "firstName": "Public", "lastName": "data"}]


class Webclient:
    """The views of one catalogue."""

    def __init__(self, catalogue: Catalogue) -> None:
        self.catalogue = catalogue
        table: dict[str, Callable[..., Response]] = {
            "/webclient/": lambda _: html_response("OMERO.web"),
            r"/webclient/img_detail/(\d+)/": self._detail,
            r"/webclient/imgData/(\d+)/": lambda request, _: html_response("Page not found", 404),
            "/webclient/api/annotations/": self._annotations,
            "/webclient/api/paths_to_object/": self._paths,
            "/webclient/api/datasets/": self._datasets,
            "/webclient/api/images/": self._images,
            "/webclient/api/plates/": self._plates,
            "/webclient/api/plate_acquisitions/": self._acquisitions,
            "/webclient/api/containers/": self._containers,
            r"/webclient/annotation/(\d+)/": self._file,
        }
        self._table = [(re.compile(pattern), view) for pattern, view in table.items()]

    def known(self, path: str) -> bool:
        """Whether a path leads anywhere."""
        return any(pattern.fullmatch(path) for pattern, _ in self._table)

    def __call__(self, request: Request) -> Response:
        """Answer one view."""
        for pattern, view in self._table:
            if match := pattern.fullmatch(request.path):
                try:
                    return view(request, *map(int, match.groups()))
                except ValueError as error:
                    return json_response({"message": f"Invalid parameter value: {error}"}, 400)
        return html_response("Page not found", 404)

    def _detail(self, request: Request, number: int) -> Response:
        image = self.catalogue.images.get(number)
        return html_response("Page not found", 404) if image is None else html_response(image.name or f"Image {number}")

    def _annotations(self, request: Request) -> Response:
        """List the annotations of objects, page by page, and those above them if asked for."""
        kind = KINDS.get(request.first("type") or "", Map | File)
        names = request.query.get("ns")
        wanted = [(word, integer(number)) for word in TABLES for number in request.query.get(word, ())]
        own = [self._marshal(one, above, kind, names) for one in self._objects(wanted) for above in [one]]
        page, limit = integer(request.first("page", "1")), integer(request.first("limit", str(PAGE)))
        found = list(itertools.chain.from_iterable(own))
        start = (max(page, 1) - 1) * limit
        body: dict[str, Any] = {"annotations": found[start : start + limit] if limit > 0 else found, "experimenters": EXPERIMENTERS}
        if request.first("parents") == "true":
            above = (container for one in self._objects(wanted) for container in self._above(one))
            body["parents"] = list(itertools.chain.from_iterable(self._marshal(one, one, kind, names) for one in above))
        return json_response(body)

    def _objects(self, wanted: list[tuple[str, int]]) -> Iterator[Annotated]:
        for word, number in wanted:
            one = getattr(self.catalogue, TABLES[word]).get(number)
            if one is not None:
                yield one

    def _above(self, one: Annotated) -> tuple[Annotated, ...]:
        if isinstance(one, Image):
            return self.catalogue.paths[one.id]
        if isinstance(one, Well):
            plate = self.catalogue.plate_of(one)
            return tuple(found for found in (self.catalogue.screen_of(plate), plate) if found)
        if isinstance(one, Plate | Dataset):
            found = self.catalogue.screen_of(one) if isinstance(one, Plate) else self.catalogue.project_of(one)
            return () if found is None else (found,)
        return ()

    def _marshal(self, one: Annotated, parent: Annotated, kind: Any, names: tuple[str, ...] | None) -> Iterator[dict[str, Any]]:
        for annotation in one.annotations:
            if not isinstance(annotation, kind) or (names is not None and annotation.namespace not in names):
                continue
            link = {
                "id": annotation.id * 1_000_000_000 + parent.id,
                "owner": {"id": 2},
                "parent": {"id": parent.id, "class": f"{type(parent).__name__}I", "name": getattr(parent, "name", None)},
                "date": DATE,
                "permissions": NO_RIGHTS,
            }
            common = {"id": annotation.id, "ns": annotation.namespace, "owner": {"id": 2}, "date": DATE, "permissions": NO_RIGHTS, "link": link}
            if isinstance(annotation, Map):
                named = {"name": annotation.name, "description": annotation.description}
                yield {**common, **named, "class": "MapAnnotationI", "values": [list(pair) for pair in annotation.pairs]}
            else:
                size, kept = len(annotation.content), annotation
                file = {"id": kept.file_id, "name": kept.name, "size": size, "path": "", "mimetype": kept.mimetype}
                rights = {**NO_RIGHTS, "canDownload": True}
                yield {**common, "permissions": rights, "description": None, "class": "FileAnnotationI", "file": file}

    def _paths(self, request: Request) -> Response:
        """Return the way from the owner down to objects; that of an image in a well ends with the well."""
        paths = []
        for word, table in TABLES.items():
            for text in request.query.get(word, ()):
                one = getattr(self.catalogue, table).get(integer(text))
                if one is not None:
                    paths.append([{"type": "experimenter", "id": 2}, *self._steps(one)])
        return json_response({"paths": paths})

    def _steps(self, one: Annotated) -> Iterator[dict[str, Any]]:
        above = self._above(one)
        for container in above:
            if isinstance(container, Well) and isinstance(one, Image) and (run := self.catalogue.samples[one.id].acquisition) is not None:
                yield {"type": "acquisition", "id": run.id}
            counted = {"childCount": len(container.images)} if isinstance(container, Dataset) else {}
            yield {"type": type(container).__name__.lower(), "id": container.id} | counted
        if isinstance(one, Image) and not above:
            yield {"type": "orphaned", "id": 2}
        if not isinstance(one, Well) and not any(isinstance(container, Well) for container in above):
            yield {"type": type(one).__name__.lower(), "id": one.id}

    def _page(self, request: Request, objects: list[Any]) -> list[Any]:
        page, limit = integer(request.first("page", "1")), integer(request.first("limit", str(PAGE)))
        if page < 1 or limit < 1:
            return objects
        return objects[(page - 1) * limit : page * limit]

    def _children(self, request: Request, table: dict[int, Any], children: str) -> list[Any]:
        above = table.get(integer(request.first("id", "-1")))
        return [] if above is None else self._page(request, list(getattr(above, children)))

    def _datasets(self, request: Request) -> Response:
        found = self._children(request, self.catalogue.projects, "datasets")
        return json_response({"datasets": [_node(one, len(one.images)) for one in found]})

    def _plates(self, request: Request) -> Response:
        found = self._children(request, self.catalogue.screens, "plates")
        return json_response({"plates": [_node(one, len(one.acquisitions)) for one in found]})

    def _acquisitions(self, request: Request) -> Response:
        found = self._children(request, self.catalogue.plates, "acquisitions")
        return json_response({"acquisitions": [{"id": one.id, "name": one.name or f"Run {one.id}", "ownerId": 2, "permsCss": ""} for one in found]})

    def _images(self, request: Request) -> Response:
        sizes = request.first("sizeXYZ") == "true"
        nodes = []
        for image in self._children(request, self.catalogue.datasets, "images"):
            node = {"id": image.id, "name": image.name, "ownerId": 2, "filesetId": image.fileset, "permsCss": ""}
            nodes.append(node | ({"sizeX": image.x, "sizeY": image.y, "sizeZ": image.z} if sizes else {}))
        return json_response({"images": nodes})

    def _containers(self, request: Request) -> Response:
        projects = [_node(one, len(one.datasets)) for one in self.catalogue.projects.values()]
        screens = [_node(one, len(one.plates)) for one in self.catalogue.screens.values()]
        return json_response({"projects": self._page(request, projects), "screens": self._page(request, screens), "datasets": [], "plates": []})

    def _file(self, request: Request, number: int) -> Response:
        """Send the file of a file annotation, which anonymous users may have."""
        holders: list[Annotated] = [*self.catalogue.projects.values(), *self.catalogue.screens.values(), *self.catalogue.images.values()]
        for one in holders:
            for annotation in one.annotations:
                if annotation.id == number and isinstance(annotation, File):
                    name = f'attachment; filename="{annotation.name}"'
                    return Response(200, annotation.content, {"Content-Type": annotation.mimetype, "Content-Disposition": name})
        return html_response("Page not found", 404)


def _node(one: Project | Dataset | Screen | Plate, count: int) -> dict[str, Any]:
    return {"id": one.id, "name": one.name, "ownerId": 2, "childCount": count, "permsCss": ""}
