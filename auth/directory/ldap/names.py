"""Names and filters: what strangers wrote goes into them escaped, and what servers say is taken apart with care."""

from __future__ import annotations

import re
import string

_PLAIN = frozenset((string.ascii_letters + string.digits).encode())
_MOST_CHARACTERS = 256
_MOST_IN_A_NAME = 8192
# The first part of a distinguished name (RFC 4514): attribute=value, up to a comma that is not escaped.
_FIRST = re.compile(
    r"\s*(?P<attribute>[A-Za-z][A-Za-z0-9-]*|[0-9.]+)\s*=(?P<value>(?:[^\\,+;\"]|\\.)*)(?:[,;]|\Z)", re.S
)
_ESCAPE = re.compile(rb"\\([0-9A-Fa-f]{2}|.)", re.S)


def escaped(value: str) -> str:
    """A value for a filter (RFC 4515) or a name (RFC 4514): every octet of UTF-8 but letters and digits in hexadecimal.

    Both allow any octet to be written so; it leaves nothing for their lists of special characters to forget.
    """
    return "".join(
        chr(octet) if octet in _PLAIN else f"\\{octet:02x}" for octet in value.encode("utf-8", "surrogatepass")
    )


def rdn(name: str, attribute: str) -> str | None:
    """The value that a distinguished name begins with.

    Args:
        name: as the server wrote it (RFC 4514).
        attribute: the one that must stand there, alone.

    Returns:
        None for a name that begins otherwise, for one of two values (``cn=a+ou=b``), one in hexadecimal (``cn=#04…``),
        and for a value that grants.toml could not write: unprintable, blank at an end, or too long.
    """
    found = _FIRST.match(name) if len(name) <= _MOST_IN_A_NAME else None
    if found is None or found["attribute"].lower() != attribute.lower():
        return None
    # A blank is part of the value only if it is escaped.
    raw = re.sub(r"(?<!\\) +\Z", "", found["value"].lstrip(" "))
    if raw.startswith("#"):
        return None
    try:
        value = _ESCAPE.sub(_octet, raw.encode("utf-8", "surrogatepass")).decode("utf-8")
    except UnicodeDecodeError:
        return None
    fits = value and value == value.strip() and value.isprintable() and len(value) <= _MOST_CHARACTERS
    return value if fits else None


def canonical(name: str) -> tuple[tuple[str, str], ...] | None:
    """A distinguished name, to be compared: case and outer blanks do not count; None if it is none that we take."""
    parts, rest = [], name if len(name) <= _MOST_IN_A_NAME else "?"
    while rest:
        found = _FIRST.match(rest)
        attribute = found["attribute"].lower() if found else ""
        value = rdn(rest, attribute)
        if found is None or value is None:
            return None
        parts.append((attribute, " ".join(value.casefold().split())))
        rest = rest[found.end() :].lstrip(" ")
    return tuple(parts)


def is_below(name: str, base: str, deep: bool) -> bool:
    """Whether a distinguished name lies below another: right below it, or at any depth."""
    inner, outer = canonical(name), canonical(base)
    if inner is None or outer is None or len(inner) <= len(outer) or inner[-len(outer) :] != outer:
        return False
    return deep or len(inner) == len(outer) + 1


def _octet(found: re.Match[bytes]) -> bytes:
    text = found[1]
    return bytes.fromhex(text.decode()) if len(text) == 2 else text
