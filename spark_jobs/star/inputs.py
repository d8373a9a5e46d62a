"""What the star of a catalogue's drop is made of."""

from __future__ import annotations

from dataclasses import dataclass

from targets.filesystem import FileSystem
from targets.register import Drop


@dataclass(frozen=True)
class LoadInputs:
    """Where the tables of one drop lie: paths.

    Attributes:
        requests: Validate's table.
        settled: the table ``settled`` of Validate, Fetch and Transform.
        originals: Fetch's table.
        images: Transform's table.
        drop: whose tables these are.
    """

    fs: FileSystem
    requests: str
    settled: tuple[str, ...]
    originals: str
    images: str
    drop: Drop
