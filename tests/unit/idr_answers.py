"""Answers in the shapes of OMERO.web, and a loopback server that gives them."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from lightmicroscopy.archives.endpoints import Endpoints
from lightmicroscopy.archives.http import Client
from lightmicroscopy.archives.idr import Idr

Json = Any
Answer = Json | Callable[[Mapping[str, str]], Json]
OME = "http://www.openmicroscopy.org/Schemas/OME/2016-06#"


def length(value: float, unit: str = "MICROMETER", symbol: str = "µm") -> Json:
    return {"@type": "TBD#LengthI", "Unit": unit, "Symbol": symbol, "Value": value}


def channel(name: str | None = None, color: int | None = None, **more: Json) -> Json:
    stated = {"@id": 1, "@type": f"{OME}Channel", "Name": name, "Color": color, **more}
    return {key: value for key, value in stated.items() if value is not None}


def image(number: int = 6001240, *, pixels: Json = None, **more: Json) -> Json:
    """Return the answer on one image; `pixels` and `more` replace or, by None, take away what is usually there."""
    stated = {
        "@id": 12801,
        "SizeX": 271,
        "SizeY": 275,
        "SizeZ": 236,
        "SizeC": 2,
        "SizeT": 1,
        "Type": {"@id": 6, "@type": "TBD#PixelsType", "value": "uint16"},
        "Channels": [channel("LaminB1", 65535), channel("Dapi", -16776961)],
        **(pixels or {}),
    }
    data = {"@id": number, "@type": f"{OME}Image", "Name": "B1_C1.tif", "omero:series": 0, **more}
    data["Pixels"] = {key: value for key, value in stated.items() if value is not None}
    return {"data": {key: value for key, value in data.items() if value is not None}}


def external(lsid: str, kind: str = "com.glencoesoftware.ngff:multiscales", number: int = 3) -> Json:
    return {"externalInfo": {"@type": "TBD#ExternalInfo", "EntityType": kind, "EntityId": number, "Lsid": lsid}}


def annotation(
    number: int, pairs: list[Any], owner: tuple[str, int] = ("ImageI", 1), namespace: str | None = "openmicroscopy.org/omero/bulk_annotations"
) -> Json:
    link = {"id": number + 5000, "parent": {"id": owner[1], "class": owner[0], "name": "x"}}
    return {"id": number, "ns": namespace, "link": link, "class": "MapAnnotationI", "values": pairs}


@contextmanager
def idr_answering(answers: Mapping[str, Answer]) -> Iterator[tuple[Idr, list[str]]]:
    """Serve JSON by path, and give a client of it and the list of what was asked. A path that is not there is 404."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            asked.append(self.path)
            parts = urlsplit(self.path)
            found: Json = {} if parts.path == "/webclient/" else answers.get(parts.path)
            if callable(found):
                found = found({key: values[-1] for key, values in parse_qs(parts.query).items()})
            body = json.dumps({"message": "Image not found"} if found is None else found).encode()
            self.send_response(404 if found is None else 200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        endpoints = Endpoints.from_environment({"LIGHTMICROSCOPY_ENDPOINTS": json.dumps({"idr_web": f"http://127.0.0.1:{server.server_port}"})})
        try:
            with Client(endpoints, sleep=lambda _: None) as client:
                yield Idr(client, endpoints), asked
        finally:
            server.shutdown()
            thread.join()
