"""The register: what a drop is, when it came, and the configuration it keeps. Created once, never changed."""

from __future__ import annotations

import contextlib
import hashlib
import json
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime

from conf.errors import AlreadyExists
from conf.feeds import ImagesFeed, RecordsFeed, feed_config
from targets.filesystem import FileSystem
from targets.layout import ClientLayout


@dataclass(frozen=True)
class Drop:
    """One registered drop.

    Attributes:
        id: sha-256 of (client, feed, bytes), 64 hex digits.
        name: what the client called the first upload of it.
        upload: id of the first upload of it.
        size: bytes.
        received: when the first upload was claimed (UTC); its date is the receipt date.
        config: the feed's configuration at that time, or at the time of the revision.
        revision: 0 as it came; then 1, 2 … for each replay.
    """

    id: str
    client: str
    feed: str
    name: str
    upload: str
    size: int
    received: datetime
    config: ImagesFeed | RecordsFeed
    revision: int = 0

    @property
    def receipt(self) -> date:
        return self.received.date()

    @property
    def images(self) -> ImagesFeed:
        """The configuration of a drop of a catalogue."""
        assert isinstance(self.config, ImagesFeed), f"feed {self.feed} carries {self.config.kind}"
        return self.config

    @property
    def records(self) -> RecordsFeed:
        """The configuration of a drop of records."""
        assert isinstance(self.config, RecordsFeed), f"feed {self.feed} carries {self.config.kind}"
        return self.config

    def to_json(self) -> bytes:
        fields = {
            "drop": self.id,
            "client": self.client,
            "feed": self.feed,
            "name": self.name,
            "upload": self.upload,
            "bytes": self.size,
            "received": self.received.isoformat(),
            "config": self.config.model_dump(mode="json"),
            "revision": self.revision,
        }
        return json.dumps(fields, indent=1, ensure_ascii=False).encode()

    @classmethod
    def from_json(cls, data: bytes) -> Drop:
        fields = json.loads(data)
        return cls(
            id=fields["drop"],
            client=fields["client"],
            feed=fields["feed"],
            name=fields["name"],
            upload=fields["upload"],
            size=fields["bytes"],
            received=datetime.fromisoformat(fields["received"]).astimezone(UTC),
            config=feed_config(fields["config"]),
            revision=fields.get("revision", 0),
        )


def identity(client: str, feed: str) -> hashlib._Hash:
    """A sha-256 that has taken in client and feed, each after its length; feed it the bytes for a drop's id."""
    digest = hashlib.sha256()
    for name in (client, feed):
        digest.update(f"{len(name)}:{name}".encode())
    return digest


def register(fs: FileSystem, layout: ClientLayout, drop: Drop) -> Drop:
    """Registers the drop, or returns the one that is registered already under its id."""
    path = layout.drop(drop.feed, drop.id)
    try:
        fs.create(path, drop.to_json())
    except AlreadyExists:
        return Drop.from_json(fs.read(path))
    return drop


def registered(fs: FileSystem, layout: ClientLayout, feed: str, drop: str) -> Drop:
    """The registered drop in its newest revision; NotFound where there is none."""
    newest = newest_revision(fs, layout, feed, drop)
    path = f"{layout.revisions(feed, drop)}/{newest}.json" if newest else layout.drop(feed, drop)
    return Drop.from_json(fs.read(path))


def revise(fs: FileSystem, layout: ClientLayout, drop: Drop, config: ImagesFeed | RecordsFeed) -> Drop:
    """A new revision of a registered drop: the same bytes, received at the same time, with this configuration."""
    while True:
        number = newest_revision(fs, layout, drop.feed, drop.id) + 1
        revised = replace(drop, config=config, revision=number)
        with contextlib.suppress(AlreadyExists):
            fs.create(f"{layout.revisions(drop.feed, drop.id)}/{number}.json", revised.to_json())
            return revised


def newest_revision(fs: FileSystem, layout: ClientLayout, feed: str, drop: str) -> int:
    """The number of a drop's newest revision; 0: it is as it came. Names alone are read."""
    names = (entry.name.removesuffix(".json") for entry in fs.list(layout.revisions(feed, drop)))
    return max((int(name) for name in names if name.isdigit()), default=0)


def revised_drops(fs: FileSystem, layout: ClientLayout, feed: str) -> set[str]:
    """Ids of the drops of a feed that have a revision; names alone are read."""
    return {entry.name for entry in fs.list(layout.revised(feed)) if entry.is_directory}


def registered_drops(fs: FileSystem, layout: ClientLayout) -> dict[str, set[str]]:
    """Ids of every registered drop of the client, by feed; names alone are read."""
    return {feed.name: drops_of(fs, layout, feed.name) for feed in fs.list(layout.registers)}


def drops_of(fs: FileSystem, layout: ClientLayout, feed: str) -> set[str]:
    """Ids of every registered drop of one feed; names alone are read."""
    return {entry.name.removesuffix(".json") for entry in fs.list(layout.register(feed))}
