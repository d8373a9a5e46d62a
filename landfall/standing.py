"""How a client stands: what was uploaded, how far each drop is, what is wrong and what to do."""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from conf.client import load_client
from conf.settings import Settings
from landfall.attempts import Attempt, StageStanding, holder, last_attempts, last_run, standings
from landfall.workflow_standing import WorkflowStanding, workflow_standings
from spark_jobs.star.described import known_columns
from spark_jobs.transforms import names
from targets.dataset import Dataset
from targets.filesystem import FileSystem
from targets.journal import Journal
from targets.lake import client_layout, open_lake
from targets.landing import Claim, Landing, Upload
from targets.layout import ClientLayout, Stage
from targets.published import of, published_drops
from targets.register import registered, registered_drops

State = Literal["waiting", "running", "broke off", "held", "failed", "published"]

# How many published drops and refused uploads are looked at, the last ones: a client may have many thousands.
RECENT = 5


@dataclass(frozen=True)
class DropStanding:
    """One drop.

    Attributes:
        name: what the client called its first upload.
        bytes: its size.
        received: when it was claimed (UTC).
        counts: lines, ok, quarantined, duplicate; empty until it is published.
        stages: every stage, in order; of a published drop those that the journal knows.
    """

    feed: str
    drop: str
    name: str
    bytes: int
    received: datetime
    state: State
    counts: Mapping[str, int]
    stages: tuple[StageStanding, ...]

    @property
    def stage(self) -> StageStanding | None:
        """The stage that the drop's state is about: the first in that state. None if it is published."""
        return next((stage for stage in self.stages if stage.state == self.state), None)

    @property
    def says(self) -> str:
        """The state, with the stage that it is about."""
        at = self.stage
        return f"{self.state} in {at.stage}" if at and self.state not in ("waiting", "published") else self.state

    @property
    def wrong(self) -> str:
        """What is wrong and what to do about it, as sentences; empty if nothing is."""
        at = self.stage
        if at is None or self.state in ("waiting", "running", "published"):
            return ""
        if self.state == "broke off":
            return f"The run was killed during {at.stage}. Run the client again: it goes on where it stopped."
        return at.error or ""


@dataclass(frozen=True)
class ClientStanding:
    """One client.

    Attributes:
        uploads: what lies in incoming, with why it is not taken yet.
        claims: uploads that are taken and not yet answered.
        refused: the last uploads that were not taken; their receipts say why.
        claiming: who takes and answers uploads right now.
        drops: all that are not published, then the last that are, each by time.
        published: how many drops are published in all.
        free_bytes: what the lake's disk has left.
        failed: why the last run failed, apart from its stages; empty if it did not.
        workflows: each with the last attempt of its actions.
    """

    client: str
    uploads: tuple[Upload, ...]
    claims: tuple[Claim, ...]
    refused: tuple[Claim, ...]
    claiming: Mapping[str, Any] | None
    drops: tuple[DropStanding, ...]
    published: int
    free_bytes: int
    failed: str
    workflows: tuple[WorkflowStanding, ...] = ()

    @property
    def waits(self) -> bool:
        """Whether a run of the client would find something to do, and none is under way."""
        if self.claiming or any(d.state == "running" for d in self.drops):
            return False  # what waits beside it is the same run's, which takes one drop after the other
        idle = {"waiting", "broke off", "held", "failed"}
        return (
            bool(self.claims)
            or any(upload.complete for upload in self.uploads)
            or any(d.state in idle for d in self.drops)
        )

    def to_json(self) -> dict[str, Any]:
        """The same for a script."""
        return {
            **dataclasses.asdict(dataclasses.replace(self, uploads=(), claims=(), refused=(), drops=())),
            "uploads": list(map(dataclasses.asdict, self.uploads)),
            "claims": [{"feed": claim.feed, "upload": claim.upload, "drop": claim.drop} for claim in self.claims],
            "refused": [
                {"feed": claim.feed, "name": claim.name, "upload": claim.upload, "why": str(claim.refused)}
                for claim in self.refused
            ],
            "drops": [
                {**dataclasses.asdict(drop), "at": drop.stage and drop.stage.stage, "wrong": drop.wrong}
                for drop in self.drops
            ],
        }


def client_standing(settings: Settings, client: str, feeds: frozenset[str] | None) -> ClientStanding:
    """How a client stands; the gate has been asked.

    Args:
        feeds: the feeds that the caller may look at; None: all.
    """
    config = load_client(client, names(), known_columns)
    fs, layout = open_lake(settings, client), client_layout(settings, client)
    landing = Landing(settings.landing_root, config, settings.landing)
    registers = {feed: ids for feed, ids in registered_drops(fs, layout).items() if feeds is None or feed in feeds}
    done = {feed: published_drops(fs, layout, feed) for feed in registers}
    shown = [(feed, drop) for feed, ids in registers.items() for drop in ids - done[feed]]
    shown += _recent(fs, layout, done)
    journal = Journal(settings.log_root / client / "journal.jsonl")
    attempts, run = last_attempts(journal, {drop for _, drop in shown}), last_run(journal)
    claims, refused = landing.claims(), landing.refused(RECENT, feeds)
    drops = [_drop(fs, layout, feed, drop, drop in done[feed], attempts[drop]) for feed, drop in shown]
    return ClientStanding(
        client=client,
        uploads=tuple(upload for upload in landing.uploads() if feeds is None or upload.feed in feeds),
        claims=tuple(claim for claim in claims if feeds is None or claim.feed in feeds),
        refused=tuple(refused),
        claiming=holder(fs, layout.lease("claims")),
        drops=tuple(sorted(drops, key=lambda drop: (drop.state == "published", drop.received))),
        published=sum(map(len, done.values())),
        free_bytes=shutil.disk_usage(settings.home).free,
        failed=run.get("error", "") if run else "",
        workflows=tuple(workflow_standings(fs, layout, journal, config.workflow, feeds)),
    )


def _recent(fs: FileSystem, layout: ClientLayout, done: Mapping[str, set[str]]) -> list[tuple[str, str]]:
    """(feed, drop) of the published drops that were registered last; names alone are read."""
    found = [
        (entry.modified, feed, drop)
        for feed, ids in done.items()
        for entry in fs.list(layout.register(feed))
        if (drop := entry.name.removesuffix(".json")) in ids
    ]
    return [(feed, drop) for _, feed, drop in sorted(found)[-RECENT:]]


def _drop(
    fs: FileSystem,
    layout: ClientLayout,
    feed: str,
    drop: str,
    is_published: bool,
    attempts: Mapping[Stage, Attempt],
) -> DropStanding:
    known = registered(fs, layout, feed, drop)
    stages = tuple(standings(fs, layout, known, attempts))
    counts: Mapping[str, int] = {}
    seen = of(fs, layout, feed, drop) if is_published else None
    if seen is not None:
        counts = Dataset(fs, layout.stage("publish", feed, seen.receipt, drop, seen.build)).manifest().counts
    state: State = "published" if seen else _state(stages)
    return DropStanding(feed, drop, known.name, known.size, known.received, state, counts, stages)


def _state(stages: tuple[StageStanding, ...]) -> State:
    """Of a drop that is not published: what happens now counts before what happened."""
    found = {stage.state for stage in stages}
    order: tuple[State, ...] = ("running", "failed", "held", "broke off")
    return next((state for state in order if state in found), "waiting")
