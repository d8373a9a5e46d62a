"""What may be connected to: public addresses, and those that the operator allows by name.

A name's addresses are checked when it was looked up (names.py), and once more as libcurl connects (transfer.py). Those
written into a URL are checked before it is asked.
"""

from __future__ import annotations

import functools
import ipaddress
from ipaddress import IPv4Address, IPv6Address

from conf.hosts import matches
from spark_jobs.web.failure import Failure

# Blocks whose IPv6 addresses carry an IPv4 address: where it begins (bits from the right).
_CARRIERS = (
    (ipaddress.ip_network("::/96"), 0),  # RFC 4291 2.5.5.1, compatible
    (ipaddress.ip_network("::ffff:0:0/96"), 0),  # RFC 4291 2.5.5.2, mapped
    (ipaddress.ip_network("::ffff:0:0:0/96"), 0),  # RFC 2765, translated
    (ipaddress.ip_network("64:ff9b::/96"), 0),  # RFC 6052, NAT64
    (ipaddress.ip_network("2002::/16"), 80),  # RFC 3056, 6to4
)
# Blocks that no public host has, beyond what ipaddress of Python 3.11 knows.
_NOT_PUBLIC = tuple(
    ipaddress.ip_network(block)
    for block in (
        "192.88.99.0/24",  # RFC 7526, relays of 6to4
        "64:ff9b:1::/48",  # RFC 8215, NAT64 of a network's own
        "2001::/32",  # RFC 4380, Teredo
        "3fff::/20",  # RFC 9637, documentation
        "5f00::/16",  # RFC 9602, segment routing
        "fec0::/10",  # RFC 3879, site-local
    )
)


def is_public(address: IPv4Address | IPv6Address) -> bool:
    """Whether an address belongs to a host of the public internet, as do those it carries in itself."""
    if isinstance(address, IPv6Address):
        if address.scope_id is not None:
            return False
        for network, shift in _CARRIERS:
            if address in network:
                return is_public(IPv4Address(int(address) >> shift & 0xFFFFFFFF))
    if any(address.version == block.version and address in block for block in _NOT_PUBLIC):
        return False
    return address.is_global and not address.is_multicast and not address.is_reserved


@functools.lru_cache(4096)
def may_connect(address: str, port: int, allowed: tuple[str, ...]) -> bool:
    """Whether an address (dotted or IPv6 text) is public, or allowed on this port."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return False
    return is_public(parsed) or matches(allowed, address, port, ())


def check_literal(host: str, port: int, allowed: tuple[str, ...]) -> None:
    """Raises Failure when a host is an address that may not be connected to.

    Addresses in disguise (``2130706433``, ``0x7f.1``, ``0177.0.0.1``), which the system would understand, may never.
    """
    if is_address(host) and not may_connect(host, port, allowed):
        raise Failure("fetch.blocked_address", value=host)


def is_address(host: str) -> bool:
    """Whether the system takes a URL's host for an address in some notation, rather than for a name."""
    last = host.rstrip(".").rpartition(".")[2].lower()
    return ":" in host or last.isdecimal() or last.startswith("0x")


def bracketed(host: str) -> str:
    """A host as URLs write it."""
    return f"[{host}]" if ":" in host else host
