"""How far each stage of a drop is: its last attempt in the journal, its lease, its output, its staging."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

from conf.errors import NotFound
from targets.clock import now
from targets.dataset import Dataset, kept
from targets.filesystem import FileSystem
from targets.journal import RUN, Journal
from targets.layout import STAGES, STAGES_OF, ClientLayout, Stage
from targets.register import Drop

State = Literal["waiting", "running", "done", "broke off", "held", "failed"]
Attempt = Mapping[str, Any]

# Where the shards of a stage lie in its staging, and which count of which stage says how many rows there will be.
_SHARDS: dict[str, tuple[str, Stage, str]] = {
    "fetch": ("originals", "validate", "requests"),
    "transform": ("images", "fetch", "ok"),
}


@dataclass(frozen=True)
class Progress:
    """How many pictures a stage has done, how many of them failed, and how many are left (None: nobody knows)."""

    done: int
    failed: int
    left: int | None


@dataclass(frozen=True)
class StageStanding:
    """One stage of one drop.

    Attributes:
        state: "waiting" for its turn or for a run; "broke off" when its process was killed.
        build: of the last attempt.
        began: when the last attempt began (UTC).
        seconds: how long the last attempt took, or has been taking.
        counts: what came of it.
        error: why it failed or is held, and what to do.
        holder: who is working on it now.
        progress: of fetch and transform while they run.
    """

    stage: Stage
    state: State = "waiting"
    build: str | None = None
    began: datetime | None = None
    seconds: float | None = None
    counts: Mapping[str, int] = field(default_factory=dict)
    error: str | None = None
    holder: Mapping[str, Any] | None = None
    progress: Progress | None = None


def last_attempts(journal: Journal, drops: Collection[str]) -> dict[str, dict[Stage, Attempt]]:
    """The last attempt of every stage, by drop: the journal's entry that ended it, or that began it.

    An entry that ends an attempt is given ``began``, the time of the entry that began it.
    """
    found: dict[str, dict[Stage, Attempt]] = {drop: {} for drop in drops}
    for entry in journal.entries(naming=drops):
        stages = found.get(str(entry.get("drop")))
        stage = entry.get("stage")
        if stages is not None and stage in STAGES:
            before = stages.get(stage, {})
            began = entry["time"] if entry["event"] == "started" else before.get("began")
            stages[stage] = {**entry, "began": began}
    return found


def last_run(journal: Journal) -> Attempt | None:
    """The journal's entry of the last run that came to an end of its own, well or not; None if there was none."""
    last = None
    for entry in journal.entries(naming=[f'"{RUN}"']):
        if entry.get("stage") == RUN:
            last = entry
    return last


def standings(
    fs: FileSystem, layout: ClientLayout, drop: Drop, attempts: Mapping[Stage, Attempt]
) -> Iterator[StageStanding]:
    """Every stage of a drop, in order."""
    made: dict[Stage, StageStanding] = {}
    for stage in STAGES_OF[drop.config.kind]:
        made[stage] = (
            _standing(fs, layout, drop, stage, attempts[stage], made) if stage in attempts else StageStanding(stage)
        )
        yield made[stage]


def holder(fs: FileSystem, path: str) -> Mapping[str, Any] | None:
    """Who holds a lease, or None: run, pid, host, since."""
    text = fs.lease_holder(path)
    if text is None:
        return None
    with contextlib.suppress(ValueError):
        found = json.loads(text)
        if isinstance(found, dict):
            return found
    return {"run": text}  # a holder that has only just begun has not said who it is


def _standing(
    fs: FileSystem,
    layout: ClientLayout,
    drop: Drop,
    stage: Stage,
    attempt: Attempt,
    before: Mapping[Stage, StageStanding],
) -> StageStanding:
    build, event = str(attempt["build"]), attempt["event"]
    began = datetime.fromisoformat(attempt["began"]).astimezone(UTC) if attempt["began"] else None
    if event != "started":
        state: State = "done" if event == "finished" else "held" if attempt.get("kind") == "DropHeld" else "failed"
        return StageStanding(
            stage, state, build, began, attempt.get("seconds"), attempt.get("counts") or {}, attempt.get("error")
        )
    working = holder(fs, layout.stage_lease(stage, drop.feed, drop.id, build))
    if working:
        seconds = (now() - began).total_seconds() if began else None
        progress = _progress(fs, layout, drop, stage, build, before)
        return StageStanding(stage, "running", build, began, seconds, holder=working, progress=progress)
    output = Dataset(fs, layout.stage(stage, drop.feed, drop.receipt, drop.id, build))
    if output.exists():  # killed after its output was put in place, before the journal heard of it
        made = output.manifest()
        return StageStanding(stage, "done", build, began, made.times.get("seconds"), made.counts)
    return StageStanding(stage, "broke off", build, began)


def _progress(
    fs: FileSystem,
    layout: ClientLayout,
    drop: Drop,
    stage: Stage,
    build: str,
    before: Mapping[Stage, StageStanding],
) -> Progress | None:
    if stage not in _SHARDS:
        return None
    from spark_jobs import tallies
    from spark_jobs.shards import Tally

    table, source, counted = _SHARDS[stage]
    seen: dict[str, Tally] = {}
    try:
        tallies.count(fs, f"{kept(layout.staging(stage, drop.feed, drop.id, build))}/{table}", seen)
    except NotFound:
        return None  # the output was put in place while we looked
    tally = tallies.total(seen)
    rows = before[source].counts.get(counted)
    done = tally.ok + tally.failed
    return Progress(tally.ok, tally.failed, None if rows is None else max(rows - done, 0))
