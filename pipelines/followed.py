"""Which publications a workflow has followed: so a run knows whether drops have come that it was not run for."""

from __future__ import annotations

import contextlib
import json
from collections import defaultdict
from typing import Any

from conf.errors import AlreadyExists
from conf.workflows import Workflow
from pipelines.context import Context
from pipelines.planner import made_by
from pipelines.workflows import find
from targets.clock import now
from targets.marts import short
from targets.published import current, newest_names


def news(places: Context, name: str) -> str:
    """What says what the workflow follows, and what it does; empty, if there is nothing that it was not run for."""
    workflow = find(places.config(), name)
    seen = _seen(places, workflow)
    digest = short([[made_by(places, action) for _, action in workflow.actions()], seen])
    return digest if seen and digest != _last(places, name) else ""


def follow(places: Context, name: str, digest: str) -> None:
    """Remembers that the workflow has done all that there was to do.

    Args:
        digest: of ``news``; nothing is remembered of an empty one.
    """
    if not digest:
        return
    number = max((seq for seq, _ in _entries(places, name)), default=0) + 1
    content = json.dumps({"workflow": name, "run": places.run, "followed": now().isoformat()})
    with contextlib.suppress(AlreadyExists):
        places.fs.create(f"{places.layout.followed(name)}/{number}.{digest}", content.encode())


def _seen(places: Context, workflow: Workflow) -> Any:
    """What says which drops the workflow follows."""
    after = workflow.after
    if after.any:
        return [name for feed in after.any for name in newest_names(places.fs, places.layout, feed)]
    by_period: defaultdict[str, list[tuple[str, str]]] = defaultdict(list)
    for entry in current(places.fs, places.layout, after.all):
        period = f"{entry.receipt:%Y-%m-%d}" if after.period == "day" else f"{entry.receipt:%Y-%m}"
        by_period[period].append((entry.feed, f"{entry.drop}.{entry.seq}.{entry.build}"))
    whole = {period: of for period, of in by_period.items() if {feed for feed, _ in of} == set(after.all)}
    return sorted(name for of in whole.values() for _, name in of)


def _entries(places: Context, name: str) -> list[tuple[int, str]]:
    names = (entry.name.partition(".") for entry in places.fs.list(places.layout.followed(name)))
    return sorted((int(seq), digest) for seq, _, digest in names if seq.isdecimal() and digest)


def _last(places: Context, name: str) -> str:
    entries = _entries(places, name)
    return entries[-1][1] if entries else ""
