"""Running lm_idr_search against the sample archive, and looking at all that it leaves."""

from __future__ import annotations

import contextlib
import io
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

import lm_idr_search
from lightmicroscopy.archives.endpoints import Endpoints
from lightmicroscopy.archives.http import Client
from lightmicroscopy.archives.idr_search_engine import SearchEngine
from tests.archives import Archive

from .idr_downloads import PATIENT, USUAL, Row, read_table


@dataclass(frozen=True)
class Found:
    """What a call did: its exit code, what it said, and the folder it worked in."""

    code: int
    stderr: str
    folder: Path

    @property
    def lines(self) -> list[str]:
        """Messages without the name of the program, and without what is said of every run."""
        return [line for line in self.told if not line.startswith(USUAL)]

    @property
    def told(self) -> list[str]:
        """All messages without the name of the program."""
        return [line.removeprefix("lm_idr_search: ") for line in self.stderr.splitlines()]

    @property
    def images(self) -> list[Row]:
        """Rows of the images table."""
        return read_table(self.folder / "images.tsv")

    @property
    def studies(self) -> list[Row]:
        """Rows of the studies table."""
        return read_table(self.folder / "studies.tsv")

    @property
    def annotations(self) -> list[Row]:
        """Rows of the annotations table."""
        return read_table(self.folder / "annotations.tsv")

    @property
    def ids(self) -> list[int]:
        """Images in the order of the table."""
        return [int(row["image_id"]) for row in self.images]


class Searches:
    """Calls of the script, in this process, for one archive and folder."""

    def __init__(self, archive: Archive, folder: Path, patch: pytest.MonkeyPatch) -> None:
        self.archive, self.folder, self.patch = archive, folder, patch

    def __call__(
        self,
        *arguments: object,
        tables: tuple[str, ...] = ("images", "studies", "annotations"),
        patience: dict[str, Any] = PATIENT,
        **settings: object,
    ) -> Found:
        """Search into tables; `settings` are an administrator's."""
        self.patch.setenv("LIGHTMICROSCOPY_ENDPOINTS", json.dumps({**self.archive.endpoints, **settings}))
        reports = [part for name in tables for part in (f"--{name}", str(self.folder / f"{name}.tsv"))]
        with contextlib.redirect_stderr(io.StringIO()) as said:
            try:
                code = lm_idr_search.main([*map(str, arguments), *reports], **patience)
            except SystemExit as stop:
                code = int(stop.code or 0)
        assert "Traceback" not in said.getvalue()
        return Found(code, said.getvalue(), self.folder)


@contextmanager
def answering(answer: Callable[[str, Any], Any]) -> Iterator[tuple[SearchEngine, list[Any]]]:
    """Serve what a function makes of a path and a posted question; give the engine and the questions."""
    asked: list[Any] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            question = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            asked.append(question)
            self._send(answer(self.path, question))

        def do_GET(self) -> None:
            asked.append(self.path)
            self._send(answer(self.path, None))

        def _send(self, found: Any) -> None:
            body = json.dumps(found).encode()
            self.send_response(200)
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
        base = f"http://127.0.0.1:{server.server_port}"
        endpoints = Endpoints(idr_web=base, idr_search=base, configured=frozenset({"127.0.0.1"}))
        try:
            with Client(endpoints, sleep=lambda _: None) as client:
                yield SearchEngine(client, endpoints), asked
        finally:
            server.shutdown()
            thread.join()
