"""The image store."""

from __future__ import annotations

import os
from collections.abc import Iterator

from conf.settings import Settings
from landfall.doctor.finding import Finding, well
from landfall.doctor.machine import space

_PART = "images"


def images(settings: Settings) -> Iterator[Finding]:
    """Reach and rights."""
    root = settings.store_root
    if not root.is_dir():
        yield Finding(_PART, "reach", "ill", f"There is no {root}.", "Run landfall init.")
        return
    if not os.access(root, os.W_OK | os.X_OK):
        yield Finding(_PART, "rights", "ill", f"{root} cannot be written.", "Run as the user that owns it.")
        return
    yield well(_PART, "reach", f"SQLite below {root}")
    yield space(_PART, "space", root)
