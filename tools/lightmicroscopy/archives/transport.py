"""Connections: whom they reach, through which proxy, with which certificates. The only module that imports urllib3."""

from __future__ import annotations

import functools
import http.client
import socket
import ssl
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import unquote
from urllib.request import getproxies_environment

import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import (
    ConnectTimeoutError,
    HTTPError,
    IncompleteRead,
    InvalidHeader,
    NameResolutionError,
    NewConnectionError,
    ProtocolError,
    ProxyError,
    ReadTimeoutError,
    SSLError,
)

from ..errors import ArchiveError, NotAllowedError
from .addresses import is_public
from .certificates import tls_context
from .endpoints import HOW_TO_ALLOW, Endpoints, Origin, origin_of, path_of, shown
from .meter import MeteredSocket
from .proxies import proxy_for
from .retries import Transient

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_PROXIED_CONNECTIONS = 64
Response = urllib3.BaseHTTPResponse


class Transport:
    """Open connections to the services, kept and used again; safe to use from several threads.

    Parameters
    ----------
    endpoints
        Says which hosts may have private addresses.
    connections
        Most connections kept per host.
    connect_timeout, read_timeout
        Seconds to wait for a connection, and for the next byte.
    """

    def __init__(self, endpoints: Endpoints, *, connections: int, connect_timeout: float, read_timeout: float) -> None:
        self._endpoints = endpoints
        self._keep = connections
        self._timeout = urllib3.Timeout(connect=connect_timeout, read=read_timeout)
        self._pools: dict[Origin, urllib3.HTTPConnectionPool] = {}
        self._managers: dict[str, urllib3.ProxyManager] = {}
        self._lock = threading.Lock()
        self._proxies = getproxies_environment()
        self.opened = 0

    @functools.cached_property
    def _certificates(self) -> ssl.SSLContext:
        return tls_context()

    def request(self, method: str, url: str, headers: Mapping[str, str], body: bytes | None = None) -> Response:
        """Send one request and return the answer with its body unread; redirects are not followed.

        Raises
        ------
        Transient
            If it failed in a way that may pass.
        ArchiveError
            If it failed in a way that will not.
        NotAllowedError
            If the host's address is not public.
        """
        origin = origin_of(url)
        pool, target = self._pool(origin, url)
        with explained(url):
            response: Response = pool.urlopen(
                method,
                target,
                body=body,
                headers=dict(headers),
                redirect=False,
                retries=False,
                timeout=self._timeout,
                preload_content=False,
                decode_content=False,
            )
            return response

    def _pool(self, origin: Origin, url: str) -> tuple[Any, str]:
        """Give what sends the request, and what that wants to be told: a path, or for a proxy the whole URL."""
        proxy = proxy_for(origin, self._proxies)
        with self._lock:
            if proxy is not None:
                if proxy not in self._managers:
                    self._managers[proxy] = self._manager(proxy)
                return self._managers[proxy], url
            if origin not in self._pools:
                self._pools[origin] = self._direct(origin)
        return self._pools[origin], path_of(url)

    def _direct(self, origin: Origin) -> urllib3.HTTPConnectionPool:
        host = f"[{origin.host}]" if ":" in origin.host else origin.host
        common: dict[str, Any] = {"maxsize": self._keep, "gate": _Gate(self, private=self._endpoints.may_be_private(origin.host))}
        if origin.scheme == "http":
            return _Pool(host, origin.port, **common)
        return _TlsPool(host, origin.port, ssl_context=self._certificates, **common)

    def _manager(self, proxy: str) -> urllib3.ProxyManager:
        """Connect through a proxy.

        Then the peer is the proxy, whom the environment names and who may well be inside; the archive's name is resolved by the proxy, out
        of our sight. What is left to us is that the name is one of the configured ones; that it does not lead inside is the proxy's to see to.
        """
        parsed = urllib3.util.parse_url(proxy)
        secret = urllib3.make_headers(proxy_basic_auth=unquote(parsed.auth)) if parsed.auth else {}
        bare = parsed._replace(auth=None).url
        manager = urllib3.ProxyManager(bare, proxy_headers=secret, ssl_context=self._certificates, maxsize=_PROXIED_CONNECTIONS)
        gate = _Gate(self, private=True)
        pools: dict[str, Any] = {scheme: functools.partial(pool, gate=gate) for scheme, pool in (("http", _Pool), ("https", _TlsPool))}
        manager.pool_classes_by_scheme = pools
        return manager

    def count(self) -> None:
        """Note that a connection was opened."""
        with self._lock:
            self.opened += 1

    def close(self) -> None:
        """Close every connection that is not in use."""
        with self._lock:
            pools: list[Any] = [*self._pools.values()]
            managers, self._pools, self._managers = [*self._managers.values()], {}, {}
        for pool in pools:
            pool.close()
        for manager in managers:
            manager.clear()


@dataclass(frozen=True)
class _Gate:
    """Lets connections through to public addresses, or to all."""

    transport: Transport
    private: bool

    def check(self, address: str, host: str) -> None:
        if not self.private and not is_public(address):
            raise NotAllowedError(
                f"{host} is not contacted: its name leads to {address}, which is not a public address. If this is meant: {HOW_TO_ALLOW}"
            )


class _Checked(HTTPConnection):
    """A connection that looks at the address it got, before anything is sent there."""

    def __init__(self, *args: Any, gate: _Gate, **keywords: Any) -> None:
        super().__init__(*args, **keywords)
        self._gate = gate
        self._parser: http.client.HTTPResponse | None = None
        self.response_class = cast("type[http.client.HTTPResponse]", self._parse)

    def _parse(self, *args: Any, **keywords: Any) -> http.client.HTTPResponse:
        """Make the parser of an answer, and hold it until the answer is accepted."""
        self._parser = http.client.HTTPResponse(*args, **keywords)
        return self._parser

    def getresponse(self) -> Any:
        """See `urllib3.connection.HTTPConnection`, which leaves the socket open where it finds headers that contradict each other."""
        try:
            return super().getresponse()
        except BaseException:
            if self._parser is not None:
                self._parser.close()
            raise
        finally:
            self._parser = None

    def _new_conn(self) -> socket.socket:
        try:
            found = socket.getaddrinfo(self.host, self.port, 0, socket.SOCK_STREAM)
        except (socket.gaierror, UnicodeError) as error:
            raise NameResolutionError(self.host, self, socket.gaierror(str(error))) from error
        failure: OSError = OSError("no address")
        for family, kind, protocol, _, address in found:
            # The address itself is connected to, so that it is the one inspected whatever the name leads to a moment later.
            self._gate.check(str(address[0]), self.host)
            try:
                sock = self._connected(MeteredSocket(family, kind, protocol), address)
            except OSError as error:
                failure = error
            else:
                self._gate.transport.count()
                return sock
        if isinstance(failure, TimeoutError):
            raise ConnectTimeoutError(self, "timed out") from failure
        raise NewConnectionError(self, str(failure)) from failure

    def _connected(self, sock: MeteredSocket, address: Any) -> MeteredSocket:
        try:
            for option in self.socket_options or ():
                sock.setsockopt(*option)
            if isinstance(self.timeout, (int, float)):
                sock.settimeout(self.timeout)
            sock.connect(address)
        except BaseException:
            sock.close()
            raise
        return sock


class _CheckedTls(_Checked, HTTPSConnection):
    pass


class _Pool(urllib3.HTTPConnectionPool):
    ConnectionCls = _Checked


class _TlsPool(urllib3.HTTPSConnectionPool):
    ConnectionCls = _CheckedTls


@contextmanager
def explained(url: str) -> Iterator[None]:
    """Turn what sockets, TLS and HTTP complain about into sentences."""
    try:
        yield
    except SSLError as error:
        raise _tls_error(url, error) from error
    except ProxyError as error:
        raise Transient(f"the proxy of the environment did not pass it on ({_innermost(error)})") from error
    except NameResolutionError as error:
        raise Transient(f"the name {origin_of(url).host} is not known to the network") from error
    # urllib3 takes it for a kind of timeout.
    except NewConnectionError as error:
        raise Transient(f"no connection ({_innermost(error)})") from error
    except (ConnectTimeoutError, ReadTimeoutError, TimeoutError) as error:
        raise Transient("it did not answer in time", slow=True) from error
    except ProtocolError as error:
        raise Transient(_broken(error)) from error
    except InvalidHeader as error:
        raise Transient(f"its headers contradict each other ({_innermost(error)})") from error
    except (HTTPError, OSError, ValueError) as error:
        raise ArchiveError(f"{shown(url)} answered with what is not HTTP ({_innermost(error)}). Check the address, or try later.") from error


def _tls_error(url: str, error: BaseException) -> Exception:
    reason = _innermost(error)
    refused = isinstance(_root(error), ssl.SSLCertVerificationError) or "certificate" in reason.lower()
    if isinstance(error, SSLError) and not refused:
        return Transient(f"the encrypted connection failed ({reason})")
    return ArchiveError(
        f"{shown(url)} is not fetched: the certificate of {origin_of(url).host} is not trusted ({reason}). "
        "If your network has its own authority, name its file in SSL_CERT_FILE."
    )


def _broken(error: BaseException) -> str:
    root = _root(error)
    if isinstance(root, IncompleteRead):
        return f"its answer ended after {root.partial:,} of {root.partial + root.expected:,} bytes"
    if isinstance(root, http.client.IncompleteRead):
        return "its answer ended in the middle"
    return f"the connection broke ({_innermost(root)})"


def _root(error: BaseException) -> BaseException:
    """Find the exception at the bottom of a chain of them."""
    seen: set[int] = set()
    while id(error) not in seen:
        seen.add(id(error))
        below = [each for each in (*error.args, error.__cause__) if isinstance(each, BaseException)]
        error = below[0] if below else error
    return error


def _innermost(error: BaseException) -> str:
    """Say the reason at the bottom of a chain of exceptions, on one short line."""
    error = _root(error)
    text = getattr(error, "verify_message", None) or getattr(error, "strerror", None) or str(error) or type(error).__name__
    return " ".join("".join(char if char.isprintable() else " " for char in str(text)).split())[:200]
