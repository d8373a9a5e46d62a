"""What happened to a client's drops: the events of its run logs and its journal, merged by time."""

from __future__ import annotations

import heapq
import json
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, get_args

Level = Literal["debug", "info", "warning", "error"]
LEVELS: tuple[Level, ...] = get_args(Level)

JOURNAL = "journal.jsonl"
# No event of ours is longer; a file that holds no line end is read in pieces of this size and passed over.
_LONGEST_LINE = 1 << 20
_SECONDS_BETWEEN_LOOKS = 0.5
_CONTEXT = ("run", "client", "feed", "drop", "workflow", "action", "stage", "build")
ATTEMPT_STARTED, ATTEMPT_FINISHED, ATTEMPT_FAILED = "attempt started", "attempt finished", "attempt failed"
_TOLD = {"started": ATTEMPT_STARTED, "finished": ATTEMPT_FINISHED, "failed": ATTEMPT_FAILED}


@dataclass(frozen=True, order=True)
class Event:
    """One event of a run log or of the journal.

    Attributes:
        time: when (ISO 8601, UTC).
        level: how bad it is.
        event: a few words.
        context: run, client, feed, drop, workflow, action, stage and build, as far as the event knows them.
        fields: its figures.
    """

    time: str
    level: str = field(compare=False)
    event: str = field(compare=False)
    context: Mapping[str, str] = field(compare=False)
    fields: Mapping[str, Any] = field(compare=False)

    @classmethod
    def parse(cls, line: bytes, journal: bool) -> Event | None:
        """The event of one line; None for a line that a crash cut short."""
        try:
            found = json.loads(line)
        except ValueError:
            return None
        if not isinstance(found, dict):
            return None
        when = str(found.pop("time" if journal else "timestamp", ""))
        event = str(found.pop("event", ""))
        level = ("error" if event == "failed" else "info") if journal else str(found.pop("level", "info"))
        context = {name: str(found.pop(name)) for name in _CONTEXT if name in found}
        return cls(_utc(when), level, _TOLD.get(event, event) if journal else event, context, found)


@dataclass(frozen=True)
class Filter:
    """Which events are asked for; None and "" mean any.

    Attributes:
        feeds: the feeds that the caller may look at; what a workflow says may be of any of its feeds.
        drop, run: how the id begins.
        level: the least level.
    """

    feeds: frozenset[str] | None = None
    drop: str = ""
    run: str = ""
    stage: str = ""
    level: Level = "debug"

    def takes(self, event: Event) -> bool:
        """Whether the event is asked for."""
        context = event.context
        feed = context.get("feed")
        return (
            (self.feeds is None or (feed is None and "workflow" not in context) or feed in self.feeds)
            and context.get("drop", "").startswith(self.drop)
            and context.get("run", "").startswith(self.run)
            and self.stage in ("", context.get("stage"))
            and (event.level not in LEVELS or LEVELS.index(event.level) >= LEVELS.index(self.level))
        )


def events(directory: Path, wanted: Filter) -> Iterator[Event]:
    """The events of a client's log directory, by time."""
    return filter(wanted.takes, _merged([_Tail(path) for path in _files(directory)]))


def follow(directory: Path, wanted: Filter, going_on: Callable[[], bool], last: int | None = None) -> Iterator[Event]:
    """The events that are there, then those that come, in files that are new too.

    Args:
        directory: the client's log directory, which may not be there yet.
        wanted: which events.
        going_on: asked before each look; the look after it has said no is the last one.
        last: how many of those that are there already, the last ones; None: all.
    """
    tails: dict[Path, _Tail] = {}
    goes_on = True
    while goes_on:
        goes_on = going_on()
        for path in _files(directory):
            tails.setdefault(path, _Tail(path))
        found = filter(wanted.takes, _merged(list(tails.values())))
        yield from found if last is None else deque(found, maxlen=last)
        last = None
        if goes_on:
            time.sleep(_SECONDS_BETWEEN_LOOKS)


@dataclass
class _Tail:
    """A log file that grows. It is open only while it is read: a client may have thousands of them.

    Attributes:
        offset: how far it has been read; a line that has no end yet is left for the next look.
    """

    path: Path
    offset: int = 0

    @property
    def began(self) -> str:
        """When its run began, written as an event's time is; "" for the journal, which is older than all."""
        try:
            when = datetime.strptime(self.path.name.partition("-")[0], "%Y%m%dT%H%M%S")
        except ValueError:
            return ""
        return when.replace(tzinfo=UTC).isoformat()

    def new(self) -> Iterator[Event]:
        """The events of the lines that were ended since the last look."""
        if self.path.stat().st_size <= self.offset:
            return
        with self.path.open("rb") as file:
            file.seek(self.offset)
            while line := file.readline(_LONGEST_LINE):
                if not line.endswith(b"\n") and len(line) < _LONGEST_LINE:
                    return
                self.offset += len(line)
                event = Event.parse(line, self.path.name == JOURNAL)
                if event:
                    yield event


def _files(directory: Path) -> list[Path]:
    return sorted(directory.glob("*.jsonl"))


def _merged(tails: list[_Tail]) -> Iterator[Event]:
    """All new events by time. A file is opened when the events reach the time at which its run began."""
    waiting = sorted(tails, key=lambda tail: tail.began, reverse=True)
    heads: list[tuple[Event, int, Iterator[Event]]] = []
    while heads or waiting:
        while waiting and (not heads or waiting[-1].began <= heads[0][0].time):
            rest = waiting.pop().new()
            first = next(rest, None)
            if first:
                heapq.heappush(heads, (first, len(waiting), rest))
        if heads:
            event, number, rest = heads[0]
            yield event
            following = next(rest, None)
            if following:
                heapq.heapreplace(heads, (following, number, rest))
            else:
                heapq.heappop(heads)


def _utc(when: str) -> str:
    """Both logs write ISO 8601 in UTC, one with Z and one with +00:00: as one of them, so that text sorts as time."""
    return when.replace("Z", "+00:00")
