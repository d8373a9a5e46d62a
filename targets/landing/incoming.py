"""What lies in a client's ``incoming/``, and which of it is complete."""

from __future__ import annotations

import os
import stat
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from conf.client import ClientConfig
from conf.feeds import Feed
from targets.clock import now
from targets.landing.held import NO_DIRECTORY, held
from targets.landing.layout import LandingLayout
from targets.names import printable

SIDECAR = ".done"
_TEMPORARY = (".part", ".filepart", ".tmp")


@dataclass(frozen=True)
class Upload:
    """One file in ``incoming/``, as a person is told of it.

    Attributes:
        feed: empty if it lies in no feed's directory.
        name: what the client calls it, as printable text; from below ``incoming/`` if it lies in no feed's directory.
        complete: whether the next run takes it.
        why: why it is not taken yet, as a sentence; empty if it is complete.
    """

    feed: str
    name: str
    bytes: int
    complete: bool
    why: str


class Mark(NamedTuple):
    """Which file it was that we saw: its inode, and when that was last changed (ns since the epoch)."""

    inode: int
    changed: int

    @classmethod
    def of(cls, status: os.stat_result) -> Mark:
        return cls(status.st_ino, status.st_ctime_ns)


@dataclass(frozen=True)
class Found:
    """One file in ``incoming/``, as it is claimed.

    Attributes:
        feed: empty if it lies in no feed's directory.
        directory: where it lies.
        name: its name there (a byte that is not UTF-8 stands as a lone surrogate).
        label: its name below the feed's directory, or below ``incoming/``.
        status: of the name itself, not of what it may lead to.
        why: why it is not complete; empty if it is.
        sidecar: the file that says that it is complete.
    """

    feed: str
    directory: Path
    name: str
    label: str
    status: os.stat_result
    why: str
    sidecar: Mark | None = None

    def upload(self) -> Upload:
        return Upload(self.feed, printable(self.label), self.status.st_size, not self.why, self.why)


def find(layout: LandingLayout, config: ClientConfig, feeds: Collection[str] | None = None) -> Iterator[Found]:
    """Every file in ``incoming/``, feed by feed, in the order in which they came.

    Args:
        layout: the client's places.
        config: the client.
        feeds: of these feeds only; None: of all, and those that lie in no feed's directory.
    """
    for feed, its in config.feeds.items():
        if feeds is None or feed in feeds:
            yield from _in_feed(layout, feed, its)
    if feeds is None:
        yield from _in_no_feed(layout, config)


def never_taken(name: str, feed: Feed) -> bool:
    """Whether a file of this name is never an upload: hidden, temporary, or a sidecar."""
    return _is_temporary(name) or (feed.complete == "sidecar" and name.endswith(SIDECAR))


def _in_feed(layout: LandingLayout, feed: str, config: Feed) -> Iterator[Found]:
    directory = layout.incoming / feed
    listed = _list(layout, directory)
    files = {name: status for name, status in listed if not stat.S_ISDIR(status.st_mode)}
    for name, status in listed:
        if config.complete == "sidecar" and name.endswith(SIDECAR) and name.removesuffix(SIDECAR) in files:
            continue
        sidecar = files.get(name + SIDECAR) if config.complete == "sidecar" else None
        why = _always(name, status) or _by_feed(name, status, config, sidecar)
        yield Found(feed, directory, name, name, status, why, Mark.of(sidecar) if sidecar else None)


def _in_no_feed(layout: LandingLayout, config: ClientConfig) -> Iterator[Found]:
    for name, status in _list(layout, layout.incoming):
        if not stat.S_ISDIR(status.st_mode):
            yield Found("", layout.incoming, name, name, status, _always(name, status))
        elif name not in config.feeds and not _is_temporary(name):
            directory = layout.incoming / name
            for below, its in _list(layout, directory):
                yield Found("", directory, below, f"{name}/{below}", its, _always(below, its))


def _list(layout: LandingLayout, directory: Path) -> list[tuple[str, os.stat_result]]:
    """Names and what they are, the oldest change first; none where there is no directory."""
    listed = []
    try:
        with held(layout.root, directory) as descriptor, os.scandir(descriptor) as entries:
            for entry in entries:
                try:
                    listed.append((entry.name, entry.stat(follow_symlinks=False)))
                except FileNotFoundError:  # the client was quicker
                    continue
    except NO_DIRECTORY:
        return []
    return sorted(listed, key=lambda one: (one[1].st_ctime_ns, one[0]))


def _is_temporary(name: str) -> bool:
    return name.startswith(".") or name.lower().endswith(_TEMPORARY)


def _always(name: str, status: os.stat_result) -> str:
    """Why a name is not complete whatever its feed."""
    if stat.S_ISDIR(status.st_mode):
        return "It is a directory; only files directly in the feed's directory are taken."
    return "Its name marks an upload under way." if _is_temporary(name) else ""


def _by_feed(name: str, status: os.stat_result, config: Feed, sidecar: os.stat_result | None) -> str:
    if config.complete == "sidecar":
        if name.endswith(SIDECAR):
            return f"The file that it says is complete, {printable(name.removesuffix(SIDECAR))}, is not there."
        return "" if sidecar else f"It waits for {printable(name + SIDECAR)}."
    # Every change of size is a change of ctime, which, unlike mtime, no client can set.
    if config.complete == "settle" and now().timestamp() - status.st_ctime < config.settle_seconds:
        return f"It changed less than {config.settle_seconds:g} seconds ago."
    return ""
