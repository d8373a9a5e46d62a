"""What is asked of a feed."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

KINDS = ("images", "records")


class Asked(NamedTuple):
    """What is said of a feed; ``kind`` is empty where the rest says it."""

    feed: str
    kind: str = ""
    sources: tuple[str, ...] = ()
    sample: Path | None = None
