"""Host patterns, as ``sources``, ``redirects`` and ``allow_addresses`` write them.

``host`` means the host on the default ports, ``host:port`` that port alone, ``host:*`` any port; ``*.example.org``
all hosts below example.org, not itself. An IPv6 address with a port stands in brackets: ``[::1]:8200``. Names outside
ASCII are compared as IDNA writes them (``xn--…``), which is how URLs carry them.
"""

from __future__ import annotations

import functools
import re
from ipaddress import ip_address
from typing import NamedTuple

from yarl import URL

_LONGEST = 253
_LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)")


class Pattern(NamedTuple):
    """One pattern taken apart.

    Attributes:
        host: in lower case, as IDNA writes it; of ``*.example.org`` the part ``.example.org``.
        below: whether it is the hosts below ``host`` that are meant.
        port: the port; none: the default ports; ``*``: any.
    """

    host: str
    below: bool
    port: int | str | None

    def matches(self, host: str, port: int, default_ports: tuple[int, ...]) -> bool:
        fits = port in default_ports if self.port is None else self.port in ("*", port)
        return fits and (host.endswith(self.host) and host != self.host if self.below else host == self.host)

    def __str__(self) -> str:
        """The pattern in its canonical form."""
        host = f"*{self.host}" if self.below else self.host
        if self.port is None:
            return host
        return f"[{host}]:{self.port}" if ":" in host else f"{host}:{self.port}"


@functools.lru_cache(4096)
def pattern(text: str) -> Pattern:
    """A pattern from its text; ValueError without a sound host, or with a port that is none in 1 to 65535 nor ``*``."""
    if "/" in text or "@" in text:
        raise ValueError("it must be a host alone, such as picsum.photos")
    host, port = _divided(text.strip().lower())
    if port and port != "*" and not (port.isascii() and port.isdigit() and 0 < int(port[:6]) < 65536):
        raise ValueError("its port must be a number within 1 to 65535, or *")
    below = host.startswith("*.")
    name = _canonical(host[2:] if below else host)
    if name is None or (below and _is_address(name)):
        raise ValueError("it names no host; it must be host, host:port, *.host or an address")
    return Pattern(f".{name}" if below else name, below, int(port) if port.isdigit() else port or None)


def matches(patterns: tuple[str, ...], host: str, port: int, default_ports: tuple[int, ...]) -> bool:
    """Whether one of the patterns names this host on this port.

    Args:
        patterns: see the module.
        host: a name, or an address without brackets; case and a trailing dot do not count.
        port: the port that would be connected to.
        default_ports: the ports that a pattern without a port stands for.
    """
    # Strangers write hosts: what is remembered of them stays small.
    return len(host) <= _LONGEST + 1 and _matches(patterns, host, port, default_ports)


@functools.lru_cache(4096)
def _matches(patterns: tuple[str, ...], host: str, port: int, default_ports: tuple[int, ...]) -> bool:
    name = _canonical(host.lower())
    return name is not None and any(pattern(text).matches(name, port, default_ports) for text in patterns)


def _divided(text: str) -> tuple[str, str]:
    """Host and port; a second colon without brackets belongs to an IPv6 address."""
    if text.startswith("["):
        host, _, port = text[1:].partition("]:" if "]:" in text else "]")
        return host, port
    if text.count(":") == 1:
        host, _, port = text.partition(":")
        return host, port
    return text, ""


def _canonical(host: str) -> str | None:
    """The one way to write a host; None if it is none."""
    host = host.removesuffix(".")
    if _is_address(host):
        return str(ip_address(host))
    try:
        name = URL.build(scheme="http", host=host).raw_host or ""
    except ValueError:
        return None
    labels = name.split(".")
    # A name that ends in a number is an IPv4 address in disguise (127.1, 0x7f.1), which resolvers understand.
    disguised = re.fullmatch(r"\d+|0x[0-9a-f]*", labels[-1]) is not None
    return name if len(name) <= _LONGEST and all(map(_LABEL.fullmatch, labels)) and not disguised else None


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return "%" not in host
