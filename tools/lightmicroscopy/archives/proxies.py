"""Which proxy the environment wants, and for whom."""

from __future__ import annotations

import ipaddress
import urllib.request
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from ..errors import UsageError
from .endpoints import Origin, shown

if TYPE_CHECKING:
    from collections.abc import Mapping


def proxy_for(origin: Origin, proxies: Mapping[str, str]) -> str | None:
    """Choose the proxy (``http://host:port``) that the environment wants for an origin; ``None`` for a direct connection.

    Loopback addresses are always direct: a proxy's loopback is another machine.

    Raises
    ------
    UsageError
        If the proxy is of a kind that cannot be used.
    """
    proxy = proxies.get(origin.scheme) or proxies.get("all")
    if not proxy or _is_near(origin.host, proxies.get("no", "")) or _is_excepted(origin, proxies):
        return None
    if "://" not in proxy:
        proxy = f"http://{proxy}"
    try:
        parts = urlsplit(proxy)
        usable = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        raise UsageError(f"The proxy {shown(proxy)} of the environment cannot be used: write it as http://host:port. SOCKS is not supported.")
    return proxy


def _is_excepted(origin: Origin, proxies: Mapping[str, str]) -> bool:
    excepted = urllib.request.proxy_bypass_environment  # type: ignore[attr-defined]
    return bool(excepted(f"{origin.host}:{origin.port}", dict(proxies)))


def _is_near(host: str, excepted: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    return address.is_loopback or any(_holds(part.strip(), address) for part in excepted.split(",") if "/" in part)


def _holds(network: str, address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    try:
        return address in ipaddress.ip_network(network, strict=False)
    except ValueError:
        return False
