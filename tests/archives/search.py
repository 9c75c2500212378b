"""The search engine (ome/omero_search_engine: api/v1/resources/{urls,utils,resource_analyser}.py)."""

from __future__ import annotations

import functools
import json
import math
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from .content import Catalogue
from .content.model import Dataset, Image, Map, Plate, Project, Screen
from .wire import Request, Response, html_response, json_response

PREFIX = "/searchengine/api/v1/resources/"
PAGE = 1000
TABLES = ("image", "project", "screen", "well", "plate")
SOURCE = "idr"
OPERATORS = ("equals", "not_equals", "contains", "not_contains", "in", "not_in")
MAIN = {"project_id": "project_id", "screen_id": "screen_id", "plate_id": "plate_id", "well_id": "well_id", "dataset_id": "dataset_id", "id": "id"}
Json = dict[str, Any]


class QueryError(Exception):
    """A query that the engine answers with 200 and an error text."""


@dataclass(frozen=True)
class Document:
    """What is indexed of an object."""

    kind: str
    id: int
    name: str
    pairs: tuple[tuple[str, str], ...]
    ids: Json
    names: Json
    description: str = ""


class Search:
    """The views of one catalogue."""

    def __init__(self, catalogue: Catalogue) -> None:
        self.catalogue = catalogue
        table: dict[str, Callable[..., Response]] = {
            r"(\w+)/search/": self._search,
            r"(\w+)/searchannotation/": self._posted,
            r"(\w+)/searchannotation_page/": self._posted,
            "submitquery/": self._submitted,
            "submitquery/containers/": self._submitted_containers,
            r"(\w+)/searchvalues/": self._values,
            r"(\w+)/searchvaluesusingkey/": self._values_of_key,
            r"(\w+)/keys/": self._keys,
            r"(\w+)/names/": self._names,
            r"container_images/": self._container_images,
            "data_sources/": lambda _: json_response([SOURCE]),
        }
        self._table = [(re.compile(pattern), view) for pattern, view in table.items()]

    def __call__(self, request: Request) -> Response:
        """Answer one view."""
        if request.path.startswith("/searchengine/apidocs"):
            return html_response("Flasgger")
        for pattern, view in self._table:
            if match := pattern.fullmatch(request.path.removeprefix(PREFIX)):
                named = match.groups()
                if named and named[0] not in (*TABLES, "all"):
                    return Response(404, f"No data for table {named[0]}".encode(), {"Content-Type": "text/html; charset=utf-8"})
                try:
                    return view(request, *named)
                except QueryError as error:
                    return json_response({"Error": str(error)})
        return html_response("404 Not Found", 404)

    # What is indexed

    @functools.cached_property
    def documents(self) -> dict[str, list[Document]]:
        """Every object with its key-value pairs, by kind, in order of the numbers."""
        found: dict[str, list[Document]] = {kind: [] for kind in TABLES}
        for image in self.catalogue.images.values():
            found["image"].append(self._image_document(image))
        containers: list[Project | Screen] = [*self.catalogue.projects.values(), *self.catalogue.screens.values()]
        for one in containers:
            kind = type(one).__name__.lower()
            found[kind].append(Document(kind, one.id, one.name, pairs_of(one.annotations), {}, {}, one.description or ""))
        for well in self.catalogue.wells.values():
            found["well"].append(Document("well", well.id, "", pairs_of(well.annotations), {}, {}))
        for documents in found.values():
            documents.sort(key=lambda document: document.id)
        return found

    def _image_document(self, image: Image) -> Document:
        ids: Json = dict.fromkeys(("project_id", "dataset_id", "screen_id", "plate_id", "well_id"))
        names: Json = dict.fromkeys(("project_name", "dataset_name", "screen_name", "plate_name"))
        for one in self.catalogue.paths[image.id]:
            kind = type(one).__name__.lower()
            ids[f"{kind}_id"] = one.id
            if isinstance(one, Project | Dataset | Screen | Plate):
                names[f"{kind}_name"] = one.name
        return Document("image", image.id, image.name or "", pairs_of(image.annotations), ids, names, image.description or "")

    # Queries

    def _search(self, request: Request, table: str) -> Response:
        key, value = request.first("key"), request.first("value")
        if not key or value is None:
            raise QueryError("Both key and value are required")
        operator = request.first("operator") or "equals"
        conditions: Json = {"and_filters": [{"name": key, "value": value, "operator": operator, "resource": table}], "or_filters": []}
        conditions["case_sensitive"] = request.first("case_sensitive", "false") == "true"
        text = request.first("bookmark")
        if text is not None and not re.fullmatch(r"-?\d+", text):
            raise QueryError(f"invalid bookmark: {text}")
        containers = request.first("return_containers", "false") == "true"
        return self._answer(request, table, conditions, None if text is None else int(text), containers, request.first("study"))

    def _posted(self, request: Request, table: str) -> Response:
        data = self._json(request)
        return self._query(request, table, data.get("query", data), data.get("bookmark"), False)

    def _submitted(self, request: Request, containers: bool = False) -> Response:
        data = self._json(request)
        return self._query(request, str(data.get("resource", "image")), data, data.get("bookmark"), containers)

    def _submitted_containers(self, request: Request) -> Response:
        return self._submitted(request, True)

    @staticmethod
    def _json(request: Request) -> Json:
        try:
            data = json.loads(request.body)
        except ValueError:
            raise QueryError("No query is provided") from None
        if request.method != "POST" or not isinstance(data, dict):
            raise QueryError("No query is provided")
        return data

    def _query(self, request: Request, table: str, data: Json, bookmark: Any, containers: bool) -> Response:
        conditions = data.get("query_details")
        if not isinstance(conditions, dict):
            raise QueryError("query validator error: 'query_details' is a required property")
        if bookmark is not None and not (isinstance(bookmark, list) and all(isinstance(one, int) for one in bookmark)):
            raise QueryError(f"query validator error: {bookmark!r} is not of type 'array'")
        for one in [*conditions.get("and_filters", []), *(inner for outer in conditions.get("or_filters", []) for inner in outer)]:
            if not isinstance(one, dict) or "value" not in one or one.get("operator") not in OPERATORS:
                raise QueryError("query validator error: 'value' and a known 'operator' are required properties")
        for one in (conditions.get("main_attributes") or {}).get("and_main_attributes") or []:
            # The engine's schema has one kind of filter for both: its value is text, or a list.
            if not isinstance(one, dict) or not isinstance(one.get("value"), str | list) or one.get("operator") not in OPERATORS:
                raise QueryError("query validator error: a value of main_attributes is not of type 'array', 'string'")
        return self._answer(request, table, conditions, bookmark[0] if bookmark else None, containers)

    def _answer(
        self, request: Request, table: str, conditions: Json, bookmark: int | None, containers: bool = False, study: str | None = None
    ) -> Response:
        kinds = ("project", "screen") if table in ("container", "all") else (table,)
        if any(kind not in self.documents for kind in kinds):
            return Response(404, f"No data for table {table}".encode(), {"Content-Type": "text/html; charset=utf-8"})
        found = [document for kind in kinds for document in self.documents[kind] if self._fits(document, conditions)]
        if study is not None:
            found = [document for document in found if study in (document.names.get("project_name"), document.names.get("screen_name"))]
        page = [document for document in found if bookmark is None or document.id > bookmark][:PAGE]
        body: Json = {"query_details": conditions, "resource": table, "server_query_time": "0.01", "raw_elasticsearch_query": {}, "notice": ""}
        if containers:
            counted = self._containers(found)
            return json_response({"results": {"results": counted} if counted else [], **body})
        if not page:
            return json_response({"results": [], **body})
        pages = math.ceil(len(found) / PAGE)
        last = [page[-1].id]
        results: Json = {"results": [self._result(request, one) for one in page], "size": len(found), "total_pages": pages, "bookmark": last}
        if bookmark is None:
            records = [{"page": 2, "bookmark": last}]
            results["pagination"] = {"total_pages": pages, "page_records": records, "current_page": 1, "next_page": 2 if pages > 1 else None}
        return json_response({"results": results, **body})

    def _fits(self, document: Document, conditions: Json) -> bool:
        exact = bool(conditions.get("case_sensitive"))
        groups = [[one] for one in conditions.get("and_filters", [])] + list(conditions.get("or_filters", []))
        if not all(any(matches(document, one, exact) for one in group) for group in groups):
            return False
        main = (conditions.get("main_attributes") or {}).get("and_main_attributes") or []
        return all(
            str(document.ids.get(MAIN.get(one.get("name"), ""), document.id if one.get("name") == "id" else None)) == str(one.get("value"))
            for one in main
        )

    def _result(self, request: Request, document: Document) -> Json:
        seen: Counter[str] = Counter()
        values = []
        for key, value in document.pairs:
            values.append({"name": key, "value": value, "index": seen[key]})
            seen[key] += 1
        common = {"id": document.id, "name": document.name, "description": document.description, "data_source": SOURCE}
        if document.kind != "image":
            return {**common, "doc_type": document.kind, "key_values": values}
        base = f"{request.base}/webclient"
        links = {
            "image_webclient_url": f"{base}/?show=image-{document.id}",
            "image_url": f"{base}/img_detail/{document.id}/",
            "thumb_url": f"{base}/render_thumbnail/{document.id}/",
        }
        rest = {"doc_type": "image", "owner_id": 2, "group_id": 3, "experiment": None, "wellsample_id": None, "image_size": None}
        return {**common, **links, **rest, **document.ids, **document.names, "key_values": values}

    def _containers(self, found: Iterable[Document]) -> list[Json]:
        counts: Counter[tuple[str, int]] = Counter()
        for document in found:
            for kind in ("project", "screen"):
                if (number := document.ids.get(f"{kind}_id")) is not None:
                    counts[kind, number] += 1
        listed = []
        for (kind, number), count in sorted(counts.items()):
            one = next(document for document in self.documents[kind] if document.id == number)
            values = [{"key": key, "value": value, "index": 0} for key, value in one.pairs]
            listed.append({"id": number, "name": one.name, "type": kind, "key_values": values, "image count": count, "data_source": SOURCE})
        return listed

    # Keys, values, names

    def _pairs(self, table: str) -> Iterator[tuple[str, str]]:
        for kind in TABLES if table == "all" else (table,):
            for document in self.documents[kind]:
                yield from dict.fromkeys(document.pairs)

    def _counted(self, pairs: Iterable[tuple[str, str]]) -> Response:
        """List values, lower-cased as the engine lists them, though not as images have them."""
        counts: Counter[tuple[str, str]] = Counter((key, value.lower()) for key, value in pairs)
        data = [{"Key": key, "Value": value, "Number of images": count, "data_source": SOURCE} for (key, value), count in counts.most_common()]
        totals = {"total_number_of_image": sum(counts.values()), "total_number_of_buckets": len(data), "total_number_of_all_buckets": len(data)}
        return json_response({"data": data, **totals})

    def _values(self, request: Request, table: str) -> Response:
        value, key = request.first("value"), request.first("key")
        if not value:
            raise QueryError("Error: No value is provided ")
        wanted = value.lower()
        kept = ((k, v) for k, v in self._pairs(table) if wanted in v.lower() and key in (None, k))
        # The engine leaves organisms of images out of this list.
        return self._counted((k, v) for k, v in kept if not (table == "image" and k.lower() == "organism"))

    def _values_of_key(self, request: Request, table: str) -> Response:
        key = request.first("key")
        if not key:
            raise QueryError("No key is provided ")
        return self._counted((k, v) for k, v in self._pairs(table) if k.lower() == key.lower())

    def _keys(self, request: Request, table: str) -> Response:
        if request.first("mode") == "searchterms":
            terms = {"project": ["name", "Imaging Method", "License", "Organism"], "screen": ["Screen Type"], "image": ["Gene Symbol", "Phenotype"]}
            return json_response(terms if table == "all" else {table: terms.get(table, [])})
        kinds = TABLES if table == "all" else (table,)
        return json_response([{"data_source": SOURCE, **{kind: sorted({key for key, _ in self._pairs(kind) if key}) for kind in kinds}}])

    def _names(self, request: Request, table: str) -> Response:
        value = (request.first("value") or "").lower()
        kinds = ("project", "screen") if table == "all" else (table,)
        listed = []
        for kind in kinds:
            for document in self.documents.get(kind, []) if kind in ("project", "screen") else []:
                if value in document.name.lower():
                    count = sum(1 for image in self.documents["image"] if image.ids[f"{kind}_id"] == document.id)
                    row = {"id": document.id, "name": document.name, "description": document.description, "no_images": count}
                    listed.append({**row, "data_source": SOURCE})
        return json_response(listed)

    def _container_images(self, request: Request) -> Response:
        name = request.first("container_name")
        if not name:
            raise QueryError("container name is required")
        listed = []
        for kind in ("project", "screen"):
            for document in self.documents[kind]:
                if document.name.lower() == name.lower() or document.name.lower().startswith(name.lower()):
                    count = sum(1 for image in self.documents["image"] if image.ids[f"{kind}_id"] == document.id)
                    listed.append({"id": document.id, "name": document.name, "image count": count, "type": kind, "data_source": SOURCE})
        return json_response({"Error": None, "results": {"results": listed}})


def pairs_of(annotations: Iterable[Any]) -> tuple[tuple[str, str], ...]:
    """Return the pairs of map annotations one after another."""
    return tuple(pair for annotation in annotations if isinstance(annotation, Map) for pair in annotation.pairs)


def matches(document: Document, condition: Json, exact: bool) -> bool:
    """Whether a document has, or has not, a pair."""

    def plain(text: object) -> str:
        return str(text) if exact else str(text).lower()

    operator, name, value = condition.get("operator", "equals"), condition.get("name"), condition["value"]
    pairs = (*document.pairs, ("name", document.name))
    values = [plain(found) for key, found in pairs if name is None or plain(key) == plain(name)]
    if operator.endswith("in") and not operator.endswith("contains"):
        wanted = {plain(one) for one in (value if isinstance(value, list) else str(value).split(","))}
        there = any(found in wanted for found in values)
    elif operator.endswith("contains"):
        there = any(plain(value) in found for found in values)
    else:
        there = any(found == plain(value) for found in values)
    return there is not str(operator).startswith("not_")
