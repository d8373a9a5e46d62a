"""A claim: an upload taken out of the client's reach, and what its directory holds.

``upload.json``                   whose upload it is; the file may still lie in ``incoming/``
``file``                          the client's file, taken away by one rename
``data``                          our copy, perhaps a part of it
``claim.json``, ``refused.json``  decided: the drop and its ``data``, or why ``file`` is refused
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from conf.errors import NotFound, UploadRefused
from targets.landing.layout import CLAIM, DATA, REFUSED, UPLOAD, LandingLayout
from targets.local import LocalFileSystem
from targets.names import printable, safe

_FS = LocalFileSystem()


@dataclass(frozen=True)
class Claim:
    """One claimed upload.

    Attributes:
        upload: its id; ids sort by the time of the claim.
        feed: empty if it lay in no feed's directory.
        name: what the client called it, as printable text; from below ``incoming/`` if it lay in no feed's directory.
        bytes: its size.
        claimed: when (UTC).
        drop: id of its content; None if it is refused.
        data: our copy of its bytes; not there if it is refused.
        refused: why it is not taken.
    """

    upload: str
    feed: str
    name: str
    bytes: int
    claimed: datetime
    drop: str | None
    data: Path
    refused: UploadRefused | None

    @property
    def receipt_name(self) -> str:
        """What its receipt is called in the outbox."""
        return f"{safe(self.name)}.{self.upload}.receipt.json"

    @property
    def rejects_name(self) -> str:
        """What its file of rejected rows is called in the outbox."""
        return f"{safe(self.name)}.{self.upload}.rejects.csv"


def read_claim(place: Path) -> Claim | None:
    """What is decided of the claim in this directory; None while nothing is, or if it has gone."""
    decided = _json(place / CLAIM) or _json(place / REFUSED)
    ticket = _json(place / UPLOAD)
    if not decided or not ticket:
        return None
    return Claim(
        upload=place.name.removeprefix("."),
        feed=ticket["feed"],
        name=printable(ticket["name"]),
        bytes=decided["bytes"],
        claimed=datetime.fromisoformat(ticket["claimed"]),
        drop=decided.get("drop"),
        data=place / DATA,
        refused=UploadRefused(*decided["refused"]) if "refused" in decided else None,
    )


def claimed_feeds(layout: LandingLayout) -> list[Path]:
    """The directories of claims, one a feed, those of feeds that are configured no more among them."""
    return [layout.claims / entry.name for entry in _FS.list(str(layout.claims))]


def claims_in(directory: Path) -> Iterator[Claim]:
    """The decided claims in a feed's directory of claims, the oldest first."""
    for place in places_in(directory):
        claim = read_claim(place)
        if claim:
            yield claim


def refusals_in(layout: LandingLayout) -> list[Path]:
    """The directories of refused uploads that were answered, of all feeds."""
    feeds = [layout.refusals / entry.name for entry in _FS.list(str(layout.refusals))]
    return [place for directory in feeds for place in places_in(directory)]


def places_in(directory: Path) -> list[Path]:
    """The directories of claims that are not answered."""
    return [directory / entry.name for entry in _FS.list(str(directory)) if not entry.name.startswith(".")]


def _json(file: Path) -> dict[str, Any] | None:
    try:
        found: dict[str, Any] = json.loads(_FS.read(str(file)))
    except NotFound:
        return None
    return found
