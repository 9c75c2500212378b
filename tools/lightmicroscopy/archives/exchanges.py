"""A request and its answer: redirects, tries, connections per host, and what a status means."""

from __future__ import annotations

import http
import itertools
import logging
import re
import threading
import urllib.parse
from contextlib import contextmanager
from typing import TYPE_CHECKING, NoReturn, TypeVar

from ..errors import ArchiveError, DeniedError, MissingError, NotAllowedError
from .bodies import Answer, Pace
from .endpoints import VARIABLE, Endpoints, origin_of, shown
from .meter import METER
from .retries import RETRIED_STATUSES, Pauses, Transient, retry_after

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from .session import Session
    from .slots import Slots
    from .transport import Transport

MOST_REDIRECTS = 5
NOTABLE_PAUSE = 3.0
"""Seconds of waiting that a person is told of."""
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_MISSING = frozenset({404, 410})
_HEADERS_LIMIT = 256 * 1024
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_VALUE = re.compile(r"[\x21-\x7e](?:[\t\x20-\x7e]*[\x21-\x7e])?")
_FOR_ANYBODY = frozenset({"accept", "accept-encoding", "range", "if-range"})
_T = TypeVar("_T")

log = logging.getLogger("lightmicroscopy")


class LoggedOutError(ArchiveError):
    """The service has forgotten the session, or wants one."""


class Exchanges:
    """Sends requests; safe to use from several threads.

    Parameters
    ----------
    slots
        Of the requests under way to one host.
    answer_seconds
        How long the headers of one answer may take.
    """

    def __init__(
        self,
        endpoints: Endpoints,
        transport: Transport,
        session: Session,
        *,
        slots: Slots,
        answer_seconds: float,
        pace: Pace,
        pauses: Pauses,
        sleep: Callable[[float], object],
    ) -> None:
        self._endpoints = endpoints
        self._transport = transport
        self._session = session
        self._slots = slots
        self._answer_seconds = answer_seconds
        self._pace = pace
        self._pauses = pauses
        self._sleep = sleep
        self._lock = threading.Lock()
        self._told_until: dict[str, float] = {}
        self.requests = 0
        self.bytes_received = 0

    def try_again(self, url: str, attempt: Callable[[], _T], *, progressed: Callable[[], bool] = lambda: False) -> _T:
        """Make an attempt until it goes well, fails for good, or has failed too often.

        Parameters
        ----------
        progressed
            Whether the last attempt brought the work forward although it failed: then counting starts anew.
        """
        tries = 0
        repetitions = itertools.count(1)
        while True:
            tries += 1
            try:
                return attempt()
            except Transient as failure:
                if progressed():
                    repetitions = itertools.count(1)
                repetition = next(repetitions)
                pause = self._pauses.before(repetition, failure)
                if pause is None:
                    often = f", after {tries} tries" if tries > 1 else ""
                    raise ArchiveError(
                        f"{shown(url)} could not be fetched: {failure}{often}. The service or the network has a problem; try again later."
                    ) from failure
                self._tell(url, failure, pause, repetition)
            finally:
                METER.stop()
            self._sleep(pause)

    def _tell(self, url: str, failure: Transient, pause: float, repetition: int) -> None:
        """Say that a request is made again, where nothing would happen for a while; many that fail together are told of once."""
        if pause < NOTABLE_PAUSE:
            return
        host, now = origin_of(url).host, self._pace.clock()
        with self._lock:
            if now < self._told_until.get(host, now):
                return
            self._told_until[host] = now + pause
        log.info("%s: %s; trying again in %.0f s (%d of %d).", shown(url), failure, pause, repetition, self._pauses.most(failure))

    @contextmanager
    def answer(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None = None) -> Iterator[Answer]:
        """Ask once, following redirects, and give the answer; what is left unread of it in the end is thrown away with its connection.

        Parameters
        ----------
        body
            Sent with the request, which is then not sent on to another address.

        Raises
        ------
        NotAllowedError
            If the address, or one that it redirects to, is not of a configured service.
        ArchiveError
            If redirects lead nowhere.
        """
        url = url.partition("#")[0]
        asked, seen = url, {url}
        while True:
            self._check(url, asked)
            origin = origin_of(url)
            with self._slots.at(origin.host, origin.port):
                answer = self._send(method, url, self._headers(asked, url, headers), body, redirected=url != asked)
                try:
                    target = redirect_target(answer)
                    if target is None:
                        yield answer
                        return
                    answer.finish()
                finally:
                    answer.response.close()
            if body is not None:
                raise ArchiveError(f"{shown(asked)} leads to {shown(target)}, where the question is not sent. Check the address.")
            if target in seen or len(seen) > MOST_REDIRECTS:
                raise ArchiveError(
                    f"{shown(asked)} only leads from one address to the next, last to {shown(target)}. Check the address, or try later."
                )
            if url.lower().startswith("https:") and not target.lower().startswith("https:"):
                raise NotAllowedError(
                    f"{shown(asked)} leads to {shown(target)}, which is not encrypted and so is not followed. Ask the service for an https address."
                )
            seen.add(target)
            url = target

    def _check(self, url: str, asked: str) -> None:
        try:
            self._endpoints.check(url)
        except NotAllowedError as error:
            if url == asked:
                raise
            raise NotAllowedError(f"{shown(asked)} leads to another address, which is not followed. {error}") from None

    def _send(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None, *, redirected: bool) -> Answer:
        with self._lock:
            self.requests += 1
        METER.start(url, self._pace.clock, self._answer_seconds, _HEADERS_LIMIT)
        response = self._transport.request(method, url, headers, body)
        self._session.keep(origin_of(url), response.headers.getlist("Set-Cookie"))
        return Answer(response, url, redirected, self._pace, self._count)

    def _count(self, received: int) -> None:
        with self._lock:
            self.bytes_received += received

    def _headers(self, asked: str, url: str, given: Mapping[str, str]) -> dict[str, str]:
        for name, value in given.items():
            if not _NAME.fullmatch(name) or not _VALUE.fullmatch(value):
                raise ArchiveError(f"A request to {shown(url)} was not sent: its header {name[:40]!r} cannot be put on one line of ASCII.")
        origin = origin_of(url)
        if origin != origin_of(asked):
            given = {name: value for name, value in given.items() if name.lower() in _FOR_ANYBODY}
        return {"Accept": "*/*", "Accept-Encoding": "identity", "User-Agent": self._endpoints.user_agent, **given, **self._session.header(origin)}

    def demand(self, answer: Answer, *statuses: int) -> None:
        """Raise unless the answer has one of these statuses.

        Raises
        ------
        Transient
            If the status says that it may go well later.
        MissingError, LoggedOutError, ArchiveError
            For any other.
        """
        if answer.status not in statuses:
            self._complain(answer)

    def _complain(self, answer: Answer) -> NoReturn:
        status, said, address = _status(answer.status), answer.message(), shown(answer.url)
        told = f": {said}" if said else ""
        if answer.status in RETRIED_STATUSES:
            raise Transient(f"the service answered {status}{told}", after=retry_after(answer.response.headers))
        if answer.status in _MISSING:
            raise MissingError(f"{address} does not exist ({status}{told}). Check the identifier or address.")
        if answer.status == 403 and "not logged in" in said.lower():
            raise LoggedOutError(f"{address} was refused ({status}{told}). The service does not open a session for the public; try later.")
        if answer.status in {401, 403}:
            raise DeniedError(
                f"{address} was refused ({status}{told}). It is not public, or the service does not let this program in; "
                f"then user_agent in {VARIABLE} says how to introduce it."
            )
        raise ArchiveError(f"{address} was answered with {status}{told}. Check the address, or try later.")

    def refuse_page(self, answer: Answer) -> None:
        """Raise `ArchiveError` if the headers say that the answer is a page for people."""
        if answer.is_page:
            raise self.page_error(answer)

    def page_error(self, answer: Answer) -> ArchiveError:
        """Say that a page for people came instead of data; after a redirect of the IDR's own it is a page that wants a session."""
        text = f"{shown(answer.url)} answered with a web page (HTML) instead of data"
        if answer.redirected and origin_of(answer.url) == origin_of(self._endpoints.idr_web):
            return LoggedOutError(f"{text}: what was asked for is not offered to the public. Check the address, or try later.")
        return ArchiveError(f"{text}. Check the address; the service may also be closed for maintenance, then try later.")


def is_missing(answer: Answer) -> bool:
    """Whether there never was such an object; that it is gone (410), or that another address, to which this one leads, has none, does not say so."""
    return answer.status == http.HTTPStatus.NOT_FOUND and not answer.redirected


def redirect_target(answer: Answer) -> str | None:
    """Say where an answer sends the request; ``None`` if nowhere.

    Raises
    ------
    ArchiveError
        If it says so without a usable address.
    """
    if answer.status not in _REDIRECTS:
        return None
    location = answer.header("Location")
    # Headers arrive as Latin-1; what is really UTF-8 is quoted as browsers do.
    location = urllib.parse.quote(location.encode("latin-1", "replace"), safe="!#$%&'()*+,/:;=?@[]~")
    target = urllib.parse.urljoin(answer.url, location).partition("#")[0] if location else ""
    if not target:
        raise ArchiveError(
            f"{shown(answer.url)} leads elsewhere without saying where ({_status(answer.status)} without Location). Try later, or tell the service."
        )
    return target


def _status(code: int) -> str:
    try:
        return f"{code} {http.HTTPStatus(code).phrase}"
    except ValueError:
        return str(code)
