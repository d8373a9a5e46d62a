"""Published entries: which build of a drop readers see. Created exclusively, never changed; the highest seq wins."""

from __future__ import annotations

import contextlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime

from conf.errors import AlreadyExists
from targets.clock import now
from targets.filesystem import FileSystem
from targets.layout import ClientLayout
from targets.register import Drop, registered

_ENTRY = re.compile(r"(?P<drop>[0-9a-f]{64})\.(?P<seq>[0-9]{1,9})\.(?P<build>[a-z][0-9a-z]{0,62})")


@dataclass(frozen=True)
class Published:
    """One published entry.

    Attributes:
        feed, drop: what is published.
        seq: 1 for the first build of the drop that was published, then 2, 3 …
        build: of the publish stage.
        published: when (UTC).
        revision: of the drop; 0 in an entry that is older than this field.
        received: when the drop was received (UTC); the start of that day in an entry that is older than this field.
        stages: the build of every stage whose output this is, by stage.
    """

    feed: str
    drop: str
    seq: int
    build: str
    published: datetime
    received: datetime
    stages: Mapping[str, str]
    revision: int = 0

    @property
    def receipt(self) -> date:
        """The drop's receipt date."""
        return self.received.date()

    def to_json(self) -> bytes:
        fields = {
            "feed": self.feed,
            "drop": self.drop,
            "seq": self.seq,
            "build": self.build,
            "published": self.published.isoformat(),
            "receipt": self.receipt.isoformat(),
            "received": self.received.isoformat(),
            "stages": dict(self.stages),
            "revision": self.revision,
        }
        return json.dumps(fields, indent=1).encode()

    @classmethod
    def from_json(cls, data: bytes) -> Published:
        fields = json.loads(data)
        return cls(
            feed=fields["feed"],
            drop=fields["drop"],
            seq=fields["seq"],
            build=fields["build"],
            published=datetime.fromisoformat(fields["published"]).astimezone(UTC),
            received=datetime.fromisoformat(fields.get("received") or f"{fields['receipt']}T00:00Z").astimezone(UTC),
            stages=fields["stages"],
            revision=fields.get("revision", 0),
        )


def publish(fs: FileSystem, layout: ClientLayout, drop: Drop, build: str, stages: Mapping[str, str]) -> Published:
    """Makes this build of the drop what readers see. The build that they see already, of this revision or a later one,
    is success.

    Args:
        build: of the publish stage.
        stages: the build of every stage whose output is published, by stage.

    Returns:
        The entry that readers see now.
    """
    month = layout.published_month(drop.feed, drop.receipt)
    while True:
        newest = _newest(fs, month, drop.id)
        if newest is not None and newest.build == build and newest.revision >= drop.revision:
            return newest
        seq = 1 if newest is None else newest.seq + 1
        entry = Published(drop.feed, drop.id, seq, build, now(), drop.received, stages, drop.revision)
        # Another process may publish the same build, or another one under the same seq: we look again who is newest.
        with contextlib.suppress(AlreadyExists):
            fs.create(f"{month}/{drop.id}.{seq}.{build}", entry.to_json())


def current(
    fs: FileSystem, layout: ClientLayout, feeds: Iterable[str], month_of: date | None = None
) -> list[Published]:
    """What readers see of the feeds: of every published drop its newest entry, by feed, receipt and drop.

    Args:
        month_of: of the drops that were received in the month of this day; None: of all.
    """
    found: list[Published] = []
    for feed in sorted(feeds):
        months = [layout.published_month(feed, month_of)] if month_of else _months(fs, layout.published(feed))
        for month in months:
            newest: dict[str, re.Match[str]] = {}
            for match in _entries(fs, month):
                newest[match["drop"]] = max(newest.get(match["drop"], match), match, key=_order)
            found.extend(_read(fs, month, newest[drop]) for drop in sorted(newest))
    return found


def of(fs: FileSystem, layout: ClientLayout, feed: str, drop: str) -> Published | None:
    """What readers see of one registered drop, or None while it is not published; NotFound if it is not registered."""
    receipt = registered(fs, layout, feed, drop).receipt
    return _newest(fs, layout.published_month(feed, receipt), drop)


def published_drops(fs: FileSystem, layout: ClientLayout, feed: str) -> set[str]:
    """Ids of the drops of a feed that readers see; names alone are read."""
    return {match["drop"] for month in _months(fs, layout.published(feed)) for match in _entries(fs, month)}


def newest_names(fs: FileSystem, layout: ClientLayout, feed: str) -> list[str]:
    """Names of the newest entry of every published drop of a feed, by drop; names alone are read."""
    newest: dict[str, re.Match[str]] = {}
    for month in _months(fs, layout.published(feed)):
        for match in _entries(fs, month):
            newest[match["drop"]] = max(newest.get(match["drop"], match), match, key=_order)
    return [newest[drop][0] for drop in sorted(newest)]


def published_feeds(fs: FileSystem, layout: ClientLayout) -> list[str]:
    """Names of the feeds of which anything was ever published."""
    return [entry.name for entry in fs.list(layout.publications) if entry.is_directory]


def _newest(fs: FileSystem, month: str, drop: str) -> Published | None:
    entries = [match for match in _entries(fs, month) if match["drop"] == drop]
    return _read(fs, month, max(entries, key=_order)) if entries else None


def _order(match: re.Match[str]) -> tuple[int, str]:
    """Two processes may give two builds one seq: every reader then takes the same one."""
    return int(match["seq"]), match["build"]


def _entries(fs: FileSystem, month: str) -> Iterator[re.Match[str]]:
    for entry in fs.list(month):
        match = _ENTRY.fullmatch(entry.name)
        if match:
            yield match


def _months(fs: FileSystem, root: str) -> Iterator[str]:
    for year in fs.list(root):
        for month in fs.list(f"{root}/{year.name}"):
            yield f"{root}/{year.name}/{month.name}"


def _read(fs: FileSystem, month: str, match: re.Match[str]) -> Published:
    return Published.from_json(fs.read(f"{month}/{match[0]}"))
