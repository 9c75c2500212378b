"""From what the IDR knows of an image's whereabouts to an address that can be fetched.

Registered addresses (``s3://host/bucket/key?anonymous=true``, percent-encoded or not) and import paths (``uod/idr/filesets/…``) become
https addresses; hosts and buckets that were given up become those of today; the base of a public service becomes the configured one.
Sources: README of glencoesoftware/omero-zarr-pixel-buffer (addresses), tables in ``data/``.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final
from urllib.parse import quote, unquote

from ..errors import NotAllowedError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from .idr_facts import Tables

_SAFE: Final = "~!$'()*+,=:@"
_ENCODED_SCHEME: Final = re.compile(r"[a-z][a-z0-9+.-]*%3a%2f%2f", re.IGNORECASE)
_SCHEME: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*)://(.*)", re.DOTALL)
_HOST: Final = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?(?::[0-9]{1,5})?")
_UNSAFE: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\\\ud800-\udfff\u2028\u2029]")
_BLOB: Final = re.compile(r"https://github\.com/([^/]+)/([^/]+)/blob/(.+)")


class NoAddressError(Exception):
    """There is no address; the text is a sentence that says why."""


def registered_address(stated: str, tables: Tables) -> str:
    """Address of an OME-Zarr from what is registered for an image.

    Raises
    ------
    NoAddressError
        If it is nothing that can be fetched.
    """
    if _ENCODED_SCHEME.match(stated):
        stated = unquote(stated)
    match = _SCHEME.fullmatch(stated.strip())
    if match is None or match[1].lower() == "file":
        return imported_address(unquote(stated.removeprefix("file://")), tables)
    scheme, rest = match[1].lower(), match[2].partition("?")[0]
    if scheme not in ("s3", "http", "https"):
        raise NoAddressError(f"Addresses of the kind {scheme}:// cannot be fetched.")
    host, _, path = rest.partition("/")
    if "@" in host:
        raise NoAddressError("The registered address carries a user name or password, which is never sent.")
    if not _HOST.fullmatch(host):
        raise NoAddressError(f"The registered address {_shown(stated)} names no host.")
    if scheme == "s3" and "." not in host and ":" not in host:
        raise NoAddressError(f"The registered address {_shown(stated)} names a bucket, but not the server that holds it.")
    return _moved(_web_scheme(scheme, host.lower(), tables), host.lower(), _segments(unquote(path), stated), tables)


def _web_scheme(scheme: str, host: str, tables: Tables) -> str:
    """How a host is spoken to: as configured, else by https."""
    if scheme != "s3":
        return scheme
    return next((base.partition("://")[0] for _, base in tables.bases if base.partition("://")[2].partition("/")[0].lower() == host), "https")


def imported_address(path: str, tables: Tables) -> str:
    """Address of a file from the path under which it was imported.

    Raises
    ------
    NoAddressError
        If the path is one on the IDR's own servers that is not known to be public.
    """
    if _SCHEME.fullmatch(path.strip()):
        return registered_address(path.strip(), tables)
    segments = _segments(path, path)
    plain = "/".join(segments)
    for start, address in tables.prefixes:
        if plain.startswith(start + "/"):
            below = segments[len(start.split("/")) :]
            return _at_service(f"{address}/{_quoted(below)}", tables)
    raise NoAddressError(f"{_shown(path)} is a path on the IDR's own server, and no public address of it is known{_archive_hint(path, tables)}.")


def allowed(address: str, tables: Tables) -> str:
    """Return the address if its host may be asked.

    Raises
    ------
    NoAddressError
        If it is not among the configured ones.
    """
    try:
        tables.endpoints.check(address)
    except NotAllowedError as error:
        raise NoAddressError(str(error)) from error
    return address


def _moved(scheme: str, host: str, segments: list[str], tables: Tables) -> str:
    bucket = segments[0] if segments else ""
    rewrite = next((row for row in tables.rewrites if row.host == host.partition(":")[0] and row.bucket in ("", bucket)), None)
    if rewrite is not None:
        scheme, host = "https", rewrite.new_host
        segments = [rewrite.new_bucket or bucket, *segments[1:]]
    if not segments:
        raise NoAddressError(f"The registered address names the host {host} and nothing on it.")
    return _at_service(f"{scheme}://{host}/{_quoted(segments)}", tables)


def _at_service(address: str, tables: Tables) -> str:
    if blob := _BLOB.fullmatch(address):
        return f"https://raw.githubusercontent.com/{blob[1]}/{blob[2]}/{blob[3]}"
    for public, configured in tables.bases:
        # An http address of a public service is the same object.
        for start in (public, public.replace("https://", "http://", 1)):
            if address.startswith(start + "/"):
                return configured + address[len(start) :]
    return address


def _segments(path: str, stated: str) -> list[str]:
    segments = [segment for segment in path.strip().split("/") if segment]
    if any(segment in (".", "..") for segment in segments) or _UNSAFE.search(path):
        raise NoAddressError(f"The path {_shown(stated)} goes up in folders or has unprintable characters, and is not followed.")
    return segments


def _quoted(segments: Sequence[str]) -> str:
    return "/".join(quote(segment, safe=_SAFE) for segment in segments)


def _archive_hint(path: str, tables: Tables) -> str:
    """Where else the study is, as far as the path or the table says."""
    found = re.search(r"S-BIAD\d{1,6}", path)
    study = re.search(r"idr\d{4}", path)
    accession = found[0] if found else next((row.bioimage_archive for row in tables.held if study and row.study == study[0]), "")
    return f"; the study is in the BioImage Archive as {accession}, https://www.ebi.ac.uk/biostudies/studies/{accession}" if accession else ""


def _shown(stated: str) -> str:
    return _UNSAFE.sub("_", re.sub(r"//[^/]*@", "//", stated.partition("?")[0]))[:300]
