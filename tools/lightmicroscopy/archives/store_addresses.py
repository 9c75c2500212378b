"""Addresses of OME-Zarr stores as users have them, and where those stores are asked for."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import unquote, urlsplit

from ..errors import NotAllowedError, UsageError
from ..readers.remote_store import plain_url
from .endpoints import Endpoints, origin_of, shown
from .idr_addresses import NoAddressError, registered_address
from .idr_facts import Tables

_SCHEMES: Final = ("https", "http", "s3")
_BUCKET: Final = re.compile(r"s3://(?P<bucket>[^/?#@:.]+)(?P<key>/[^?#]*)", re.IGNORECASE)
_IDR_BUCKET: Final = "idr"


def store_address(text: str, endpoints: Endpoints) -> str:
    """Turn an address of a store into the one at which it is asked for.

    Parameters
    ----------
    text
        ``https://…``, ``s3://host/bucket/key`` (also with ``?anonymous=true``), or ``s3://bucket/key`` of a bucket of the public object
        store; percent-encoded as a whole or not.
    endpoints
        The configured servers, which take the place of the public ones.

    Raises
    ------
    UsageError
        If it is nothing of the kind. Whether its host may be asked is not looked at.
    """
    stated = text.strip()
    if "://" not in stated:
        stated = unquote(stated)
    scheme = stated.partition("://")[0].lower()
    if scheme not in _SCHEMES:
        raise UsageError(f"{shown(stated)} cannot be read: only addresses that begin with https:// or s3:// can. Or give a file.")
    tables = Tables(endpoints)
    if scheme == "s3":
        stated = _with_host(stated, tables)
    else:
        plain_url(stated)
    try:
        if scheme != "s3":
            origin_of(stated)
        return plain_url(registered_address(stated, tables))
    except (NoAddressError, NotAllowedError) as error:
        raise UsageError(str(error)) from error


def _with_host(stated: str, tables: Tables) -> str:
    """Add the server to an address that names only a bucket, where it is one of the public object store."""
    found = _BUCKET.match(stated)
    if found is None:
        return stated
    host = urlsplit(Endpoints().object_store).netloc
    buckets = {row.bucket for row in tables.rewrites} | {row.new_bucket for row in tables.rewrites} | {_IDR_BUCKET}
    known = sorted(buckets - {""})
    if found["bucket"] not in known:
        raise UsageError(
            f"{shown(stated)} names a bucket, but not the server that holds it, and it is none of the public ones known here ({', '.join(known)}). "
            "Give its https:// address."
        )
    return f"s3://{host}/{found['bucket']}{found['key']}"
