"""Public keys of SSH, as clients' files list them."""

from __future__ import annotations

import base64
import binascii
import struct

KINDS = (
    "ssh-ed25519",
    "sk-ssh-ed25519@openssh.com",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    "sk-ecdsa-sha2-nistp256@openssh.com",
    "ssh-rsa",
)
_RSA_BITS = 2048
_LONGEST = 8192
_FORM = 'it must be one line of a .pub file, such as "ssh-ed25519 AAAA… name"'


def checked_key(text: str) -> str:
    """One public key, with single spaces between kind, key and comment; ValueError for anything else.

    Options (``command=…``) are no part of it: what a key may do is ours to say. The key's own bytes (RFC 4253, section
    6.6) must be of the kind that the line names, and an RSA modulus have 2,048 bits.
    """
    if len(text) > _LONGEST or not text.isprintable():
        raise ValueError(_FORM)
    kind, _, rest = text.strip().partition(" ")
    encoded, _, comment = rest.strip().partition(" ")
    if kind not in KINDS:
        raise ValueError(f"{_FORM}; kinds are {', '.join(KINDS)}")
    try:
        parts = _strings(base64.b64decode(encoded, validate=True))
    except (binascii.Error, struct.error, ValueError):
        raise ValueError(f"{_FORM}; the part after {kind} is not whole") from None
    if len(parts) < 2 or parts[0] != kind.encode():
        raise ValueError(f"it says {kind}, which its content is not; copy the line of the .pub file anew")
    if kind == "ssh-rsa" and (len(parts) != 3 or int.from_bytes(parts[2], "big").bit_length() < _RSA_BITS):
        raise ValueError(f"an RSA key must have at least {_RSA_BITS} bits; ssh-ed25519 is better")
    return " ".join(part for part in (kind, encoded, comment.strip()) if part)


def _strings(blob: bytes) -> list[bytes]:
    """The length-prefixed strings (RFC 4251, section 5) that a blob is made of."""
    found, at = [], 0
    while at < len(blob):
        (length,) = struct.unpack_from(">I", blob, at)
        if at + 4 + length > len(blob):
            raise ValueError("cut short")
        found.append(blob[at + 4 : at + 4 + length])
        at += 4 + length
    return found
