"""Published marts: which outputs of an action readers see of a table. Entries are created exclusively, never changed.

An entry lists directories, so that replacing a table, some of its partitions, or adding to it are one thing.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from conf.errors import AlreadyExists
from targets.clock import now
from targets.filesystem import Entry, FileSystem
from targets.layout import ClientLayout

Mode = Literal["replace", "replace_partitions", "append"]
_ENTRY = re.compile(r"(?P<seq>[0-9]{1,9})\.(?P<state>[a-z][0-9a-z]{0,62})")


@dataclass(frozen=True)
class MartPart:
    """One output, or one partition of it.

    Attributes:
        build: of the action.
        partition: the directory below the table's; empty: the whole table.
        feed, drop: of which drop it is; empty, if it is of many.
        feeds: whose data it is made of: who may not read all of them does not see it.
    """

    build: str
    partition: str = ""
    feed: str = ""
    drop: str = ""
    feeds: tuple[str, ...] = ()


@dataclass(frozen=True)
class Mart:
    """One published entry.

    Attributes:
        seq: 1 for the first, then 2, 3 …; the highest is what readers see.
        state: says what the table holds: equal state, equal content.
        build: of the action that was published last.
        key: what decided that build, beside the table's own earlier content.
        published: when (UTC).
        parts: in the order in which they came.
    """

    table: str
    workflow: str
    action: str
    seq: int
    state: str
    build: str
    key: str
    published: datetime
    parts: tuple[MartPart, ...]

    def to_json(self) -> bytes:
        fields = {**asdict(self), "published": self.published.isoformat()}
        return json.dumps(fields, indent=1, ensure_ascii=False).encode()

    @classmethod
    def from_json(cls, data: bytes) -> Mart:
        fields: dict[str, Any] = json.loads(data)
        parts = tuple(MartPart(**{**part, "feeds": tuple(part["feeds"])}) for part in fields.pop("parts"))
        published = datetime.fromisoformat(fields.pop("published")).astimezone(UTC)
        return cls(**fields, parts=parts, published=published)


def newest(fs: FileSystem, layout: ClientLayout, table: str) -> Mart | None:
    """What readers see of a table; None if nothing was published."""
    found = _entries(fs, layout, table)
    return read_entry(fs, layout, table, found[-1].name) if found else None


def superseded(fs: FileSystem, layout: ClientLayout, table: str) -> dict[str, float]:
    """The entries of a table that others have followed: since when (seconds since the epoch), by name."""
    found = _entries(fs, layout, table)
    return {entry.name: after.modified for entry, after in itertools.pairwise(found)}


def read_entry(fs: FileSystem, layout: ClientLayout, table: str, name: str) -> Mart:
    """One entry of a table."""
    return Mart.from_json(fs.read(f"{layout.mart(table)}/{name}"))


def _entries(fs: FileSystem, layout: ClientLayout, table: str) -> list[Entry]:
    """The entries of a table; readers see the last one."""
    found = [(match, entry) for entry in fs.list(layout.mart(table)) if (match := _ENTRY.fullmatch(entry.name))]
    return [entry for _, entry in sorted(found, key=lambda one: (int(one[0]["seq"]), one[0]["state"]))]


def published_marts(fs: FileSystem, layout: ClientLayout) -> dict[str, Mart]:
    """What readers see of every table that workflows made."""
    found = ((entry.name, newest(fs, layout, entry.name)) for entry in fs.list(layout.marts) if entry.is_directory)
    return {table: mart for table, mart in found if mart is not None}


def publish_mart(fs: FileSystem, layout: ClientLayout, mart: Mart) -> Mart:
    """Makes an entry what readers see; the caller holds the table's lease. The state that they see already is success.

    Args:
        mart: ``seq`` and ``published`` are set here.
    """
    before = newest(fs, layout, mart.table)
    if before is not None and before.state == mart.state:
        return before
    entry = Mart(**{**mart.__dict__, "seq": before.seq + 1 if before else 1, "published": now()})
    try:
        fs.create(f"{layout.mart(mart.table)}/{entry.seq}.{entry.state}", entry.to_json())
    except AlreadyExists:
        return publish_mart(fs, layout, mart)
    return entry


def folded(parts: Sequence[MartPart], new: Iterable[MartPart], mode: Mode) -> tuple[MartPart, ...]:
    """The parts of a table after an output.

    Args:
        parts: before.
        new: those of the output.
    """
    added = tuple(new)
    if mode == "replace":
        return added
    if mode == "append":
        return (*(part for part in parts if part not in added), *added)
    replaced = {part.partition for part in added}
    return (*(part for part in parts if part.partition not in replaced), *added)


def state_after(state: str, build: str, mode: Mode) -> str:
    """The state of a table after an output of a build."""
    return build if mode == "replace" else short(["state", state, build])


def short(what: Any) -> str:
    """``b`` and 12 hex digits of the sha-256 of what JSON can say."""
    return "b" + hashlib.sha256(json.dumps(what, sort_keys=True).encode()).hexdigest()[:12]
