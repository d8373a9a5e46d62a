"""The definition of the star's keys, said a second time."""

from __future__ import annotations

import hashlib


def key(*natural: str | None) -> str:
    text = b"".join(b"-" if part is None else b"%d:%s" % (len(part.encode()), part.encode()) for part in natural)
    return hashlib.sha256(text).hexdigest()[:32]
