"""Which services exist, and which hosts may be contacted at all."""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from .. import __version__
from ..errors import NotAllowedError, UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

VARIABLE = "LIGHTMICROSCOPY_ENDPOINTS"
HOW_TO_ALLOW = (
    f'on a terminal, set {VARIABLE} to the JSON {{"allowed_hosts": ["https://host"]}}, or to the path of a file that holds it; '
    "in Galaxy, ask its administrator to."
)
BASES = (
    "idr_web",
    "idr_search",
    "idr_originals",
    "object_store",
    "biostudies",
    "biostudies_files",
    "bia_api",
    "ontology_lookup",
    "ontology_files",
)
_PORTS = {"http": 80, "https": 443}
MOST_CONNECTIONS = 64
_SETTINGS_LIMIT = 1024 * 1024
_URL_LIMIT = 8192
_SHOWN_LIMIT = 300

# Stricter than RFC 3986 on purpose: everything that two parsers of URLs could understand differently is refused.
_URL = re.compile(
    r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://(?:(?P<user>[^/?#@]*)@)?(?P<host>\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?)"
    r"(?::(?P<port>[0-9]{1,5}))?(?P<rest>(?:[/?][^#]*)?)(?:#.*)?"
)
_UNSAFE = re.compile(r"[\x00-\x20\x7f-\x9f\\\u2028\u2029]")
_SECRET = re.compile(r"token|secret|sign|sig$|pass|cred|auth|session|csrf", re.IGNORECASE)


class Origin(NamedTuple):
    """The part of a URL that says whom one talks to; `host` is in lower case, without the brackets of an IPv6 address."""

    scheme: str
    host: str
    port: int


@dataclass(frozen=True)
class Endpoints:
    """Base URLs of the services, without a trailing slash, and an administrator's limits.

    Parameters
    ----------
    idr_web, idr_search, idr_originals, object_store, biostudies, biostudies_files, bia_api, ontology_lookup, ontology_files
        The services; the public ones unless the environment names others.
    allowed_hosts
        Further hosts that a user may name in a URL: ``host``, ``host:port`` (both https) or ``http://host:port``.
    max_bytes, max_items
        Ceilings of one job; ``None`` for none.
    connections
        Most requests under way to one host, of all jobs of one user on one machine.
    user_agent
        How requests introduce this program.
    configured
        Hosts that the environment named, and that may therefore lie in a private network.
    """

    idr_web: str = "https://idr.openmicroscopy.org"
    idr_search: str = "https://idr.openmicroscopy.org/searchengine/api/v1/resources"
    idr_originals: str = "https://ftp.ebi.ac.uk/pub/databases/IDR"
    object_store: str = "https://livingobjects.ebi.ac.uk"
    biostudies: str = "https://www.ebi.ac.uk/biostudies/api/v1"
    biostudies_files: str = "https://ftp.ebi.ac.uk/biostudies"
    bia_api: str = "https://wwwdev.ebi.ac.uk/bioimage-archive/api/v2"
    ontology_lookup: str = "https://www.ebi.ac.uk/ols4/api"
    ontology_files: str = "https://purl.obolibrary.org/obo"
    allowed_hosts: tuple[str, ...] = ()
    max_bytes: int | None = None
    max_items: int | None = None
    connections: int = 8
    user_agent: str = f"light-microscopy-suite/{__version__} (+https://github.com/galaxy-light-microscopy/light-microscopy-suite)"
    configured: frozenset[str] = frozenset()
    _origins: frozenset[Origin] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Parse every URL once; raises `UsageError` naming the setting that is none."""
        origins = {_origin_of_setting(name, getattr(self, name)) for name in BASES}
        origins |= {_origin_of_setting("allowed_hosts", _allowed_url(host)) for host in self.allowed_hosts}
        object.__setattr__(self, "_origins", frozenset(origins))

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] = os.environ) -> Endpoints:
        """Read ``LIGHTMICROSCOPY_ENDPOINTS``: the path of a JSON file, or the JSON itself; unset means the public services.

        Raises
        ------
        UsageError
            If it cannot be read, or names an unknown key or a value of the wrong kind.
        """
        text = environ.get(VARIABLE, "").strip()
        if not text:
            return cls()
        settings = _parse(text if text.startswith("{") else _read(Path(text)))
        values: dict[str, Any] = {name: _SETTINGS[name](name, value) for name, value in settings.items() if value is not None}
        return cls(**values, configured=_configured_hosts(values))

    def check(self, url: str) -> None:
        """Raise `NotAllowedError` unless scheme, host and port of `url` are those of a service or of an allowed host."""
        origin = origin_of(url)
        if origin in self._origins:
            return
        known = sorted({_spell(known) for known in self._origins})
        raise NotAllowedError(
            f"{shown(url)} is not fetched: {_spell(origin)} is not among the services this program may contact ({', '.join(known)}). "
            f"If it should be: {HOW_TO_ALLOW}"
        )

    def may_be_private(self, host: str) -> bool:
        """Whether the environment named this very host, which may then have a private or loopback address."""
        return host.lower().strip("[]") in self.configured


def origin_of(url: str) -> Origin:
    """Take scheme, host and port from a URL.

    Raises
    ------
    NotAllowedError
        If it is no http or https URL, carries a user name or password, or is written in a way that could be misread.
    """
    match = None if len(url) > _URL_LIMIT or _UNSAFE.search(url) else _URL.fullmatch(url)
    if match is None:
        raise NotAllowedError(f"{shown(url)} is not a web address that can be fetched. Write it as https://host/path, with spaces as %20.")
    scheme = match["scheme"].lower()
    if scheme not in _PORTS:
        raise NotAllowedError(f"{shown(url)} is not fetched: only https and http addresses are, not {scheme}.")
    if match["user"] is not None:
        raise NotAllowedError(f"{shown(url)} is not fetched: it carries a user name or password. Take out everything before the @.")
    port = int(match["port"] or _PORTS[scheme])
    if not 0 < port < 65536:
        raise NotAllowedError(f"{shown(url)} is not fetched: there is no port {port}.")
    return Origin(scheme, match["host"].lower().strip("[]"), port)


def path_of(url: str) -> str:
    """Take path and query, as a request line has them, from a URL that `origin_of` accepts."""
    match = _URL.fullmatch(url)
    rest = match["rest"] if match else ""
    return rest if rest.startswith("/") else f"/{rest}"


def shown(url: str) -> str:
    """Write a URL for people: without user name, fragment, control characters, and without any text in its query that may be a secret."""
    url = "".join(char if char.isprintable() and char not in " \\" else "_" for char in url.partition("#")[0])
    scheme, separator, rest = url.partition("://")
    if separator:
        authority, slash, path = rest.partition("/")
        url = f"{scheme}://{authority.rpartition('@')[2]}{slash}{path}"
    path, question, query = url.partition("?")
    if question:
        path += "?" + "&".join(_shown_parameter(parameter) for parameter in query.split("&"))
    return path if len(path) <= _SHOWN_LIMIT else path[:_SHOWN_LIMIT] + "…"


def _shown_parameter(parameter: str) -> str:
    name, equals, value = parameter.partition("=")
    plain = re.fullmatch(r"-?[0-9]{1,12}|true|false", value) and not _SECRET.search(name)
    return parameter if plain or not equals else f"{name}=…"


def _spell(origin: Origin) -> str:
    host = f"[{origin.host}]" if ":" in origin.host else origin.host
    port = "" if _PORTS[origin.scheme] == origin.port else f":{origin.port}"
    return f"{origin.scheme}://{host}{port}"


def _origin_of_setting(name: str, url: str) -> Origin:
    try:
        return origin_of(url)
    except NotAllowedError as error:
        raise UsageError(f"{VARIABLE}, {name}: {error}") from None


def _allowed_url(host: str) -> str:
    return host if "://" in host else f"https://{host}"


def _configured_hosts(values: Mapping[str, Any]) -> frozenset[str]:
    """Whom the environment named; a public service stays public when its own address is written out once more."""
    public = {origin_of(str(item.default)).host for item in fields(Endpoints) if item.name in BASES}
    bases = {origin_of(values[name]).host for name in BASES if name in values} - public
    return frozenset(bases | {origin_of(_allowed_url(host)).host for host in values.get("allowed_hosts", ())})


def _read(path: Path) -> str:
    try:
        with path.open("rb") as file:
            data = file.read(_SETTINGS_LIMIT + 1)
        if len(data) > _SETTINGS_LIMIT:
            raise UsageError(f"{VARIABLE}: {path.name} is longer than {_SETTINGS_LIMIT:,} bytes and so is no list of services.")
        return data.decode("utf-8-sig")
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
        raise UsageError(f"{VARIABLE}: {path} cannot be read: {reason}. Set it to the path of a JSON file, or to the JSON itself.") from error


def _parse(text: str) -> dict[str, Any]:
    try:
        settings = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UsageError(f'{VARIABLE} holds no valid JSON: {error}. It is an object such as {{"idr_web": "https://…"}}.') from error
    if not isinstance(settings, dict):
        raise UsageError(f'{VARIABLE} must hold a JSON object of names and values, such as {{"idr_web": "https://…"}}.')
    if unknown := sorted(set(settings) - set(_SETTINGS)):
        raise UsageError(f"{VARIABLE} has the unknown key {unknown[0][:80]!r}. The keys are {', '.join(_SETTINGS)}.")
    return settings


def _base(name: str, value: object) -> str:
    if not isinstance(value, str):
        raise UsageError(f"{VARIABLE}, {name}: the value must be a URL in quotes, and is {_kind(value)}.")
    _origin_of_setting(name, value)
    if "?" in value or "#" in value:
        raise UsageError(f"{VARIABLE}, {name}: {shown(value)} has a query or a fragment. Write the URL up to the ? or #.")
    return value.rstrip("/")


def _hosts(name: str, value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(host, str) for host in value):
        raise UsageError(f"{VARIABLE}, {name}: the value must be a list of hosts in quotes, and is {_kind(value)}.")
    for host in value:
        if not re.fullmatch(r"(https?://)?[^/?#@]+/?", host):
            raise UsageError(f"{VARIABLE}, {name}: {shown(_allowed_url(host))} is not a host. Write it as host, host:port or http://host:port.")
        _origin_of_setting(name, _allowed_url(host))
    return tuple(host.rstrip("/") for host in value)


def _ceiling(name: str, value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise UsageError(f"{VARIABLE}, {name}: the value must be a whole number above 0, and is {_kind(value)}.")
    return value


def _connections(name: str, value: object) -> int:
    if _ceiling(name, value) > MOST_CONNECTIONS:
        raise UsageError(f"{VARIABLE}, {name}: more than {MOST_CONNECTIONS} at a time would be a burden on a public service.")
    return _ceiling(name, value)


def _agent(name: str, value: object) -> str:
    if not isinstance(value, str) or not re.fullmatch(r"[\x21-\x7e](?:[\x20-\x7e]{0,254}[\x21-\x7e])?", value):
        raise UsageError(f"{VARIABLE}, {name}: the value must be 1 to 256 letters, digits and signs of ASCII on one line.")
    return value


def _kind(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:.12g}" if isinstance(value, (int, float)) and abs(value) < 1e15 else f"of the kind {type(value).__name__}"


_SETTINGS = {
    **dict.fromkeys(BASES, _base),
    "allowed_hosts": _hosts,
    "max_bytes": _ceiling,
    "max_items": _ceiling,
    "connections": _connections,
    "user_agent": _agent,
}
