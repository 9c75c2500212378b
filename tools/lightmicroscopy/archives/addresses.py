"""Which network addresses belong to the public internet."""

from __future__ import annotations

import ipaddress

# Addresses that carry an IPv4 address, which is where a packet ends (RFC 6052). The other prefixes of that kind, 6to4, Teredo and ::/96, are
# given up or were never in use: what they carry is not looked at, they are refused.
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
_REFUSED = tuple(ipaddress.IPv6Network(text) for text in ("::/96", "64:ff9b:1::/48", "2001::/32", "2002::/16", "fec0::/10"))


def is_public(address: str) -> bool:
    """Whether an IP address, as `socket.getsockname` spells it, is one that anybody on the internet may reach.

    Private, loopback, link-local, shared (RFC 6598), multicast, reserved and unspecified ones are not, in no spelling (IPv4-mapped, NAT64).
    """
    try:
        ip: ipaddress.IPv4Address | ipaddress.IPv6Address = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(ip, ipaddress.IPv6Address):
        if ip.ipv4_mapped is not None:
            ip = ip.ipv4_mapped
        elif ip in _NAT64:
            ip = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
        elif any(ip in network for network in _REFUSED):
            return False
    return ip.is_global and not (ip.is_multicast or ip.is_reserved or ip.is_unspecified)
