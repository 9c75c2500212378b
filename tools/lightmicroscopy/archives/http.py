"""The suite's HTTP client: asks only whom it may, believes nothing it is told, and says in a sentence what went wrong."""

from __future__ import annotations

import hashlib
import json
import random
import time
import urllib.parse
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from ..errors import ArchiveError
from ..untrusted_json import parse_json
from .bodies import Pace, looks_like_page
from .endpoints import Endpoints, origin_of, shown
from .exchanges import Exchanges, LoggedOutError, is_missing
from .ranges import content_range, cut, partial
from .retries import Pauses, Transient
from .session import Session
from .slots import Slots

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path
    from types import TracebackType

    from .fetch_file import Fetched

JSON_LIMIT = 64 * 1024 * 1024
SESSION_PATH = "/webclient/?experimenter=-1"
_PAGE_LIMIT = 8 * 1024 * 1024
_T = TypeVar("_T")


@dataclass(frozen=True)
class Response:
    """An answer.

    Parameters
    ----------
    headers
        By name, in any case.
    body
        Unpacked.
    url
        Where it came from, after redirects.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    url: str


class Client:
    """Fetches from the configured services; safe to use from several threads.

    Parameters
    ----------
    endpoints
        Whom it may ask.
    connections
        Most requests under way to one host, of all jobs on this machine; by default what the endpoints say.
    retries
        How often a request that failed for a passing reason is made again.
    connect_timeout, read_timeout
        Seconds to wait for a connection, and for the next byte.
    answer_seconds
        Seconds that the headers of one answer may take altogether.
    grace, minimum_rate
        A body may take `grace` seconds, and one second more for every `minimum_rate` bytes of it.
    sleep, clock, jitter
        For tests.

    Attributes
    ----------
    connections
        See above.
    requests, bytes_received
        Counters: requests sent, bytes of bodies received.
    """

    def __init__(
        self,
        endpoints: Endpoints,
        *,
        connections: int | None = None,
        retries: int = 5,
        connect_timeout: float = 20.0,
        read_timeout: float = 90.0,
        answer_seconds: float = 180.0,
        grace: float = 60.0,
        minimum_rate: float = 4096.0,
        sleep: Callable[[float], object] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
        jitter: Callable[[], float] = random.random,
    ) -> None:
        from .transport import Transport

        self.endpoints = endpoints
        self.connections = connections or endpoints.connections
        self._session = Session(origin_of(endpoints.idr_web))
        self._transport = Transport(endpoints, connections=self.connections, connect_timeout=connect_timeout, read_timeout=read_timeout)
        self._exchanges = Exchanges(
            endpoints,
            self._transport,
            self._session,
            slots=Slots(self.connections),
            answer_seconds=answer_seconds,
            pace=Pace(grace, minimum_rate, clock),
            pauses=Pauses(retries, jitter),
            sleep=sleep,
        )

    def __enter__(self) -> Client:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections and forget the session."""
        self._session.forget()
        self._transport.close()

    @property
    def files_at_once(self) -> int:
        """How many files are worked on at a time: more than there are connections, so that none is idle while a file is finished on disk."""
        return 2 * self.connections

    @property
    def requests(self) -> int:
        """Requests sent, repetitions and redirects included."""
        return self._exchanges.requests

    @property
    def bytes_received(self) -> int:
        """Bytes of bodies received, as they came over the wire."""
        return self._exchanges.bytes_received

    @property
    def connections_opened(self) -> int:
        """Connections opened."""
        return self._transport.opened

    def get(self, url: str, *, limit: int, headers: Mapping[str, str] | None = None, ok_missing: bool = False, html: bool = False) -> Response:
        """Fetch a URL into memory. Its bytes are compared with the server's checksum, where it gives one (an ETag shaped like an MD5).

        Parameters
        ----------
        limit
            Most bytes of the body, unpacked.
        ok_missing
            Return status 404 with an empty body instead of raising.
        html
            Whether a page for people is what is wanted.

        Raises
        ------
        NotAllowedError, MissingError, TooLongError, ArchiveError
            See there.
        """
        return self._in_session(url, lambda: self._get(url, limit, headers or {}, ok_missing=ok_missing, html=html, verify=True))

    def _in_session(self, url: str, work: Callable[[], _T]) -> _T:
        """Work once more with a new session if the service has forgotten it, or only now turns out to want one."""
        opened = self._session.opened
        try:
            return work()
        except LoggedOutError:
            if origin_of(url) != origin_of(self.endpoints.idr_web):
                raise
            self._open_session_since(opened)
            return work()

    def _get(
        self,
        url: str,
        limit: int,
        headers: Mapping[str, str],
        *,
        ok_missing: bool = False,
        html: bool = False,
        verify: bool = False,
        sent: bytes | None = None,
    ) -> Response:
        def attempt() -> Response:
            with self._exchanges.answer("GET" if sent is None else "POST", url, {"Accept-Encoding": "gzip", **headers}, sent) as answer:
                if ok_missing and is_missing(answer):
                    answer.finish()
                    return Response(404, answer.response.headers, b"", answer.url)
                self._exchanges.demand(answer, 200)
                if not html:
                    self._exchanges.refuse_page(answer)
                body = answer.read(limit)
                if not html and looks_like_page(body):
                    raise self._exchanges.page_error(answer)
                if verify and answer.promised_md5 not in {"", hashlib.md5(body, usedforsecurity=False).hexdigest()}:
                    raise Transient("its bytes do not agree with the server's checksum (MD5)", slow=True)
                return Response(200, answer.response.headers, body, answer.url)

        return self._exchanges.try_again(url, attempt)

    def get_json(
        self,
        url: str,
        *,
        limit: int = JSON_LIMIT,
        params: Mapping[str, object] | Sequence[tuple[str, object]] | None = None,
        question: Mapping[str, object] | None = None,
    ) -> Any:
        """Fetch and parse JSON.

        Parameters
        ----------
        params
            Added to the query; values that are lists are repeated.
        question
            Posted as JSON, for services that take what is asked so; it must be safe to post it again.

        Raises
        ------
        NotAllowedError, MissingError, TooLongError, ArchiveError
            See there.
        """
        if params:
            url += ("&" if "?" in url else "?") + urllib.parse.urlencode(params, doseq=True)

        headers = {"Accept": "application/json"} | ({} if question is None else {"Content-Type": "application/json"})
        sent = None if question is None else json.dumps(question).encode()

        def attempt() -> Any:
            body = self._in_session(url, lambda: self._get(url, limit, headers, sent=sent)).body
            try:
                return parse_json(body)
            except ValueError as error:
                # Perhaps the end is missing, which a server that gives a wrong length or none hides.
                raise Transient(f"it should answer with JSON, and answers with {_start_of(body)} ({error})", slow=True) from error

        return self._exchanges.try_again(url, attempt)

    def get_range(self, url: str, start: int, length: int) -> bytes | None:
        """Fetch a part.

        Parameters
        ----------
        start
            First byte; negative counts from the end.
        length
            Bytes wanted. Fewer come where the object ends before, none where it ends before `start`.

        Returns
        -------
        bytes | None
            ``None`` if there is no such object.

        Raises
        ------
        NotAllowedError, ArchiveError
            See there; also if the server sends another part than was asked for.
        """
        if length <= 0:
            return b""
        wanted = f"bytes={start}-{start + length - 1}" if start >= 0 else f"bytes={start}"

        def attempt() -> bytes | None:
            with self._exchanges.answer("GET", url, {"Range": wanted}) as answer:
                if is_missing(answer):
                    answer.finish()
                    return None
                if answer.status == 416:
                    answer.finish()
                    return b""
                self._exchanges.demand(answer, 200, 206)
                self._exchanges.refuse_page(answer)
                if answer.encoding:
                    raise ArchiveError(f"{shown(url)} cannot be read in parts: the server compresses what it sends. Tell the service.")
                return cut(answer, start, length) if answer.status == 200 else partial(answer, start, length)

        return self._exchanges.try_again(url, attempt)

    def size(self, url: str) -> int | None:
        """Ask for the length in bytes; ``None`` if there is no such object.

        Raises
        ------
        NotAllowedError, ArchiveError
            See there; also if the server does not say.
        """

        def by_head() -> int | None:
            with self._exchanges.answer("HEAD", url, {}) as answer:
                answer.finish()
                if is_missing(answer):
                    return None
                if answer.status == 200 and not answer.encoding:
                    self._exchanges.refuse_page(answer)
                    return -1 if answer.length is None else answer.length
                if answer.status not in {200, 204, 400, 403, 405, 501}:
                    self._exchanges.demand(answer, 200)
                return -1

        def by_range() -> int | None:
            with self._exchanges.answer("GET", url, {"Range": "bytes=0-0"}) as answer:
                if is_missing(answer):
                    answer.finish()
                    return None
                self._exchanges.demand(answer, 200, 206, 416)
                self._exchanges.refuse_page(answer)
                total = answer.length if answer.status == 200 and not answer.encoding else content_range(answer).total
                if total is None:
                    raise ArchiveError(f"The server does not say how long {shown(url)} is. Fetch it whole, or tell the service.")
                return total

        found = self._exchanges.try_again(url, by_head)
        return self._exchanges.try_again(url, by_range) if found == -1 else found

    def download(
        self, url: str, path: Path, *, limit: int, expected: int | None = None, progress: Callable[[int, int], None] | None = None
    ) -> Fetched:
        """Fetch a URL into a new file; see `fetch_file.fetch_file`."""
        from .fetch_file import fetch_file

        limit = min(limit, self.endpoints.max_bytes or limit)
        return self._in_session(url, lambda: fetch_file(self._exchanges, url, path, limit=limit, expected=expected, progress=progress))

    def open_session(self) -> None:
        """Open a session of the public at the IDR; its cookies go to no other host."""
        self._open_session_since(self._session.opened)

    def _open_session_since(self, opened: int) -> None:
        with self._session.opening:
            if self._session.opened != opened:
                return
            self._session.forget()
            self._get(self.endpoints.idr_web + SESSION_PATH, _PAGE_LIMIT, {}, html=True)
            self._session.opened += 1


def _start_of(body: bytes) -> str:
    return ascii(body[:40].decode("utf-8", "replace")) if body else "nothing"
