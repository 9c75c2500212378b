"""Bulk annotation tables as webgateway gives them (ome/omero-web: omeroweb/webgateway/views.py, `annotations`, `table_query`)."""

from __future__ import annotations

import re
from typing import Any

from .content import Catalogue
from .content.tables import Table, tables
from .wire import Request, Response, integer, json_response

PARENTS = {"Screen": "screens", "Project": "projects", "Dataset": "datasets", "Plate": "plates", "Image": "images", "Well": "wells"}
OF_WELL = "Screen.plateLinks.child.wells"
OWNER = "Public data"
ADDED = 1_502_896_910_574  # of idr0008's table; the others have the same


class TableViews:
    """The views of one catalogue."""

    def __init__(self, catalogue: Catalogue) -> None:
        self.catalogue = catalogue

    def annotations(self, request: Request, kind: str, number: str) -> Response:
        """List the tables of an object."""
        return json_response(self._annotations(kind, int(number)))

    def query(self, request: Request, number: str) -> Response:
        """Give rows of the table in a file."""
        return json_response(self._query(request, int(number)))

    def object_query(self, request: Request, kind: str, number: str) -> Response:
        """Give rows of the newest table of an object that answers."""
        found = self._annotations(kind, int(number))
        if "error" in found:
            return json_response(found)
        if not found["data"]:
            return json_response({"error": "Could not retrieve bulk annotations table"})
        last: dict[str, Any] = {}
        for one in sorted(found["data"], key=lambda one: one["file"], reverse=True):
            last = self._query(request, one["file"])
            if "error" not in last:
                return json_response(last | {"id": one["file"], "annId": one["id"]} | {key: one[key] for key in one if key not in ("id", "file")})
        return json_response({"error": last["error"]})

    def _annotations(self, kind: str, number: int) -> dict[str, Any]:
        parent = self._parent(kind, number)
        if parent is None:
            return {"error": f"{kind.split('.')} with id {number} not found", "query": "select obj0 from …"}
        common = {"parentType": parent[0], "parentId": parent[1], "owner": OWNER, "addedBy": OWNER, "addedOn": ADDED}
        return {"data": [{"id": table.annotation, "file": table.file, **common} for table in tables() if table.parent == parent]}

    def _parent(self, kind: str, number: int) -> tuple[str, int] | None:
        if kind == OF_WELL:
            well = self.catalogue.wells.get(number)
            screen = None if well is None else self.catalogue.screen_of(self.catalogue.plate_of(well))
            return None if screen is None else ("Screen", screen.id)
        return (kind, number) if kind in PARENTS and number in getattr(self.catalogue, PARENTS[kind]) else None

    @staticmethod
    def _query(request: Request, number: int) -> dict[str, Any]:
        query = request.first("query")
        if not query:
            return {"error": "Must specify query parameter, use * to retrieve all"}
        table = next((table for table in tables() if table.file == number), None)
        if table is None or table.broken:
            return {"error": f"Table {number} not found"}
        offset = integer(request.first("offset") or "0")
        limit = None if request.first("limit") is None else integer(request.first("limit"))
        try:
            rows = list(_hits(table, query))
        except (KeyError, ValueError):
            return {"error": f"Error executing query: {query}"}
        stop = len(rows) if limit is None else offset + limit
        names, types = zip(*table.columns, strict=True)
        data = {"column_types": list(types), "columns": list(names), "rows": [list(row) for row in rows[offset:stop]]}
        return {"data": data, "meta": {"rowCount": len(table.rows), "totalCount": len(rows), "limit": limit, "offset": offset}}


def _hits(table: Table, query: str) -> Any:
    if query == "*":
        return table.rows
    match = re.match(r"^(\w+)-(\d+)", query) or re.fullmatch(r"\((\w+)==(\d+)\)", query)
    if match is None:
        raise ValueError(query)
    return table.where(match[1], int(match[2]))
