"""The archive's servers: OMERO.web with its search engine, objects, original files, BioStudies, and one for where no client may go."""

from __future__ import annotations

import contextlib
import http.server
import json
import socket
import socketserver
import sys
import threading
import time
import traceback
import urllib.parse
from collections.abc import Callable
from dataclasses import replace
from http import HTTPStatus
from pathlib import Path
from types import TracebackType

from . import mischief
from .faults import Fault, Faults
from .session import Mode, Sessions
from .wire import Exchange, Request, Response, html_response, http_date, json_response

SERVICES = ("web", "objects", "originals", "elsewhere", "biostudies")
MAX_BODY = 16 << 20
IDLE_SECONDS = 120.0
PIECE = 1 << 18


class Archive:
    """A context in which the archives can be asked.

    Parameters
    ----------
    port
        Of OMERO.web and its search engine; the other services take the ports that follow. 0 for any free ones.
    latency
        Seconds that pass before every answer.
    faults
        A file of faults that is read again whenever it changes.
    sessions
        See `Sessions`.
    log_file
        A file that gets one JSON line per request.
    """

    def __init__(
        self,
        *,
        port: int = 0,
        latency: float = 0.0,
        faults: Path | None = None,
        sessions: Mode = "silent",
        session_age: float = 3600.0,
        log_file: Path | None = None,
    ) -> None:
        from .web import services

        self.latency = latency
        self.faults = Faults(faults)
        self.sessions = Sessions(sessions, session_age)
        self.log: list[Exchange] = []
        self.stopping = threading.Event()
        self._log_file = log_file
        self._log_lock = threading.Lock()
        self._answer = services(self)
        self._servers = {name: Server(self, name, port + number if port else 0) for number, name in enumerate(SERVICES)}
        self._threads: list[threading.Thread] = []

    def __enter__(self) -> Archive:
        for name, server in self._servers.items():
            thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, name=f"archive-{name}", daemon=True)
            thread.start()
            self._threads.append(thread)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Stop serving, in the middle of answers too."""
        self.stopping.set()
        for server in self._servers.values():
            server.shutdown()
            server.end_connections()
            server.server_close()
        for thread in self._threads:
            thread.join(5)

    @property
    def endpoints(self) -> dict[str, str]:
        """What LIGHTMICROSCOPY_ENDPOINTS must say; services that are not here lead to a 404."""
        web, objects, originals = (self._servers[name].base for name in SERVICES[:3])
        return {
            "idr_web": web,
            "idr_search": f"{web}/searchengine/api/v1/resources",
            "idr_originals": f"{originals}/pub/databases/IDR",
            "object_store": objects,
            "biostudies": f"{self._servers['biostudies'].base}/biostudies/api/v1",
            "biostudies_files": f"{originals}/biostudies",
            "bia_api": f"{self._servers['biostudies'].base}/bioimage-archive/api/v2",
            "ontology_lookup": f"{self._servers['biostudies'].base}/ols4/api",
            "ontology_files": f"{self._servers['biostudies'].base}/obo",
        }

    @property
    def elsewhere(self) -> str:
        """A host that no endpoint names: whatever is asked there should not have been."""
        return self._servers["elsewhere"].base

    def base(self, service: str) -> str:
        """Return the address of one of the servers."""
        return self._servers[service].base

    def asked(self, service: str = "", path: str = "") -> list[Exchange]:
        """Return what was asked of a service, with `path` in it."""
        with self._log_lock:
            return [one for one in self.log if service in ("", one.service) and path in one.path]

    def remember(self, exchange: Exchange) -> None:
        """Keep one line of the log."""
        with self._log_lock:
            self.log.append(exchange)

    def write_down(self, exchange: Exchange) -> None:
        """Write a line of the log to its file, if it has one; a request is over then."""
        if self._log_file is not None:
            text = json.dumps({**exchange.__dict__, "headers": dict(exchange.headers)}) + "\n"
            with self._log_lock, self._log_file.open("a", encoding="utf-8") as file:
                file.write(text)

    def answer(self, request: Request) -> Response:
        """Answer a request truly."""
        try:
            return self._answer[request.service](request)
        except Exception as error:
            trace = traceback.format_exc()
            sys.stderr.write(trace)
            return json_response({"message": str(error), "stacktrace": trace}, 500)


class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    """One address of the archive; a thread per connection."""

    daemon_threads = True
    allow_reuse_address = True
    request_queue_size = 512

    def __init__(self, archive: Archive, service: str, port: int) -> None:
        self.archive = archive
        self.service = service
        self._connections: set[socket.socket] = set()
        self._running: set[threading.Thread] = set()
        super().__init__(("127.0.0.1", port), Handler)
        self.base = f"http://127.0.0.1:{self.server_address[1]}"

    def server_bind(self) -> None:
        """Bind without looking this machine's name up."""
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = "127.0.0.1", self.server_address[1]

    def process_request_thread(self, request: socket.socket, client_address: tuple[str, int]) -> None:  # type: ignore[override]
        """Serve one connection and remember it as long as it lives."""
        self._connections.add(request)
        self._running.add(threading.current_thread())
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._connections.discard(request)
            self._running.discard(threading.current_thread())

    def end_connections(self) -> None:
        """End every connection, and wait for its thread."""
        for connection in list(self._connections):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for thread in list(self._running):
            thread.join(5)

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing of clients that go away."""
        if not isinstance(sys.exc_info()[1], OSError):
            traceback.print_exc()


class Handler(http.server.BaseHTTPRequestHandler):
    """One connection, kept alive."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    timeout = IDLE_SECONDS
    server: Server

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name for it
        """The archive keeps its own log."""

    def _handle(self) -> None:
        archive = self.server.archive
        request = self._request()
        faults = archive.faults.of(request.service, request.method, request.target)
        names = ",".join(fault.kind for fault in faults) or None
        line = Exchange(request.service, request.method, request.path, request.target.partition("?")[2], request.headers, 0, 0, names)
        wire = mischief.Wire(self.connection, archive, line)
        archive.remember(line)
        try:
            if archive.latency:
                wire.pause(archive.latency)
            answer = self._answered(request, faults, wire)
            line.status = answer.status
            self._send(request, answer, faults, wire)
        except mischief.ConnectionEndsError as end:
            self.close_connection = True
            if end.reset:
                mischief.reset(self.connection)
        except OSError:
            self.close_connection = True
        finally:
            archive.write_down(line)

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = do_OPTIONS = _handle

    def _request(self) -> Request:
        parts = urllib.parse.urlsplit(self.path)
        query: dict[str, tuple[str, ...]] = {}
        for name, value in urllib.parse.parse_qsl(parts.query, keep_blank_values=True):
            query[name] = (*query.get(name, ()), value)
        length = min(int(self.headers.get("Content-Length") or 0), MAX_BODY)
        body = self.rfile.read(length) if length else b""
        headers = {name.lower(): value for name, value in self.headers.items()}
        path = urllib.parse.unquote(parts.path)
        return Request(self.server.service, self.server.base, self.command, path, query, headers, body, self.path)

    def _answered(self, request: Request, faults: list[Fault], wire: mischief.Wire) -> Response:
        archive = self.server.archive
        for fault in faults:
            if fault.kind == "delay":
                wire.pause(fault.seconds)
            elif fault.kind == "never":
                wire.pause(fault.seconds or 3600.0)
                raise mischief.ConnectionEndsError
            elif fault.kind == "no-range":
                request = replace(request, headers={name: value for name, value in request.headers.items() if name != "range"})
            elif (given := mischief.instead(fault, request, archive)) is not None:
                return given
            elif fault.kind == "reset" and fault.bytes is None:
                raise mischief.ConnectionEndsError(reset=True)
        answer = archive.answer(request)
        for fault in faults:
            answer = mischief.afterwards(fault, request, answer)
        return answer

    def _send(self, request: Request, answer: Response, faults: list[Fault], wire: mischief.Wire) -> None:
        head = self._head(request, answer)
        if request.method == "HEAD" or answer.status in (204, 304):
            self.connection.sendall(head)
            return
        for fault in faults:
            if fault.kind in mischief.SENDING:
                mischief.misbehave(fault, answer, head, wire)
                return
        if isinstance(answer.body, bytes):
            wire.send(answer.body, head)
            return
        self.connection.sendall(head)
        for part in mischief.parts(answer, PIECE):
            wire.send(part)

    def _head(self, request: Request, answer: Response) -> bytes:
        close = request.headers.get("connection", "").lower() == "close"
        self.close_connection = self.close_connection or close
        lines = [f"HTTP/1.1 {answer.status} {HTTPStatus(answer.status).phrase}", "Server: nginx", f"Date: {http_date(time.time())}"]
        lines += [f"{name}: {value}" for name, value in answer.headers.items()]
        if answer.status not in (204, 304):
            lines.append(f"Content-Length: {answer.length}")
        lines.append(f"Connection: {'close' if self.close_connection else 'keep-alive'}")
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def nowhere(request: Request) -> Response:
    """Answer where no client of the suite may come."""
    return html_response("Not an archive", 200, "Whoever reads this followed a redirect that leads away.")


Answer = Callable[[Request], Response]
