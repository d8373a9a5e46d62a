"""Every path, as pure functions of (client, feed, drop, stage, build). No path is spelled elsewhere."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal

Stage = Literal["land", "validate", "fetch", "transform", "store", "load", "publish"]
STAGES: tuple[Stage, ...] = ("land", "validate", "fetch", "transform", "store", "load", "publish")

STAGES_OF: dict[str, tuple[Stage, ...]] = {"images": STAGES, "records": ("land", "validate", "load", "publish")}

_ZONES: dict[Stage, str] = {
    "land": "raw",
    "fetch": "raw",
    "validate": "processed",
    "transform": "processed",
    "store": "processed",
    "load": "analytics-ready",
    "publish": "analytics-ready",
}

WORKFLOWS = "workflows"
MANIFEST = "_manifest.json"
STAMP = "_landfall.json"


@dataclass(frozen=True)
class ClientLayout:
    """The places of one client in the lake.

    Attributes:
        lake: directory of the lake of one environment.
        client: the client's id.
    """

    lake: str
    client: str

    @property
    def root(self) -> str:
        return f"{self.lake}/clients/{self.client}"

    @property
    def registers(self) -> str:
        """Directory of the registers of all feeds."""
        return f"{self.root}/drops"

    def register(self, feed: str) -> str:
        """Directory of the feed's register."""
        return f"{self.registers}/{feed}"

    def drop(self, feed: str, drop: str) -> str:
        """The register's file of one drop."""
        return f"{self.register(feed)}/{drop}.json"

    def revised(self, feed: str) -> str:
        """Directory of the drops of a feed that are to be processed anew."""
        return f"{self.root}/revisions/{feed}"

    def revisions(self, feed: str, drop: str) -> str:
        """Directory of the revisions of one drop: files ``<number>.json``."""
        return f"{self.revised(feed)}/{drop}"

    @property
    def publications(self) -> str:
        """Directory of the published entries of all feeds."""
        return f"{self.root}/published"

    def published(self, feed: str) -> str:
        return f"{self.publications}/{feed}"

    def published_month(self, feed: str, receipt: date) -> str:
        """Directory of the published entries of one month of receipt; an entry is ``<drop>.<seq>.<build>``."""
        return f"{self.published(feed)}/year={receipt:%Y}/month={receipt:%m}"

    def stage(self, stage: Stage, feed: str, receipt: date, drop: str, build: str) -> str:
        """One stage's output of one drop and build."""
        return f"{self.builds(stage, feed, receipt, drop)}/build={build}"

    def builds(self, stage: Stage, feed: str, receipt: date, drop: str) -> str:
        """Directory of one stage's outputs of one drop, one for each build."""
        return f"{self.root}/{_ZONES[stage]}/{feed}/{stage}/year={receipt:%Y}/month={receipt:%m}/drop={drop}"

    def staging(self, stage: Stage, feed: str, drop: str, build: str) -> str:
        """Where a stage's output is made before it is put in place."""
        return f"{self.root}/_staging/{feed}.{drop}.{stage}.{build}"

    @property
    def stagings(self) -> str:
        return f"{self.root}/_staging"

    def actions(self, workflow: str) -> str:
        """Directory of the outputs of a workflow's actions: ``<action>/build=<build>``."""
        return f"{self.root}/analytics-ready/workflows/{workflow}"

    def action(self, workflow: str, action: str, build: str) -> str:
        """One action's output of one build."""
        return f"{self.actions(workflow)}/{action}/build={build}"

    def action_key(self, workflow: str, action: str, build: str) -> str:
        """What an action's lease and staging are called; no feed is called ``workflows``."""
        return f"{WORKFLOWS}.{workflow}.{action}.{build}"

    def action_staging(self, workflow: str, action: str, build: str) -> str:
        """Where an action's output is made before it is put in place."""
        return f"{self.stagings}/{self.action_key(workflow, action, build)}"

    def action_lease(self, workflow: str, action: str, build: str) -> str:
        return self.lease(self.action_key(workflow, action, build))

    @property
    def marts(self) -> str:
        """Directory of the published entries of what workflows make, a directory a table."""
        return f"{self.root}/marts"

    def mart(self, table: str) -> str:
        """Directory of the published entries of one table; an entry is ``<seq>.<state>``."""
        return f"{self.marts}/{table}"

    def mart_lease(self, table: str) -> str:
        return self.lease(f"{WORKFLOWS}.mart.{table}")

    def followed(self, workflow: str) -> str:
        """Directory of what a workflow has followed; an entry is ``<seq>.<digest>``."""
        return f"{self.root}/workflows/{workflow}"

    def delivered(self, workflow: str, action: str, build: str) -> str:
        """The file that says that a delivery is settled."""
        return f"{self.followed(workflow)}/delivered/{action}.{build}"

    @property
    def leases(self) -> str:
        """Where leases' files lie."""
        return f"{self.root}/_leases"

    def lease(self, name: str) -> str:
        """A lease's file; ``name`` is free of slashes."""
        return f"{self.leases}/{name}"

    def stage_lease(self, stage: Stage, feed: str, drop: str, build: str) -> str:
        return self.lease(f"{feed}.{drop}.{stage}.{build}")


def stamp(lake: str) -> str:
    """The file that says which environment a lake belongs to."""
    return f"{lake}/{STAMP}"
