"""The base of every stage: one step of one drop."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any, ClassVar

import luigi
from pyspark.sql import SparkSession

from auth.gate import authorize
from conf.errors import NotFound
from conf.problems import shown
from pipelines.context import context
from pipelines.openlineage import Traffic
from pipelines.output_task import OutputTask, versions
from spark_jobs.session import has_session, is_little, session
from spark_jobs.workers import Workers
from targets.dataset import Dataset, Manifest
from targets.layout import Stage as StageName
from targets.register import Drop
from targets.tables import Table

_NAME = re.compile(r"[a-z][a-z0-9_-]{0,62}\Z")
_DROP = re.compile(r"[0-9a-f]{64}\Z")


class Stage(OutputTask):
    """One immutable, idempotent step of a drop: one output directory.

    A subclass names itself, says which settings decide its output, and does the work; all else is here.
    """

    feed = luigi.Parameter(description="the feed's name")
    drop = luigi.Parameter(description="the drop's id")

    stage: ClassVar[StageName]

    def settings_read(self) -> Mapping[str, Any]:
        """The settings that decide the output, as JSON can say them."""
        raise NotImplementedError

    @property
    def name(self) -> str:
        return self.stage

    def tables(self) -> Mapping[str, Table]:
        """What readers find in the output, by table; nothing in that of most stages."""
        return {}

    @property
    def title(self) -> str:
        return f"{self.stage} of drop {self.drop[:12]}"

    @property
    def context(self) -> Mapping[str, str]:
        return {"feed": self.feed, "drop": self.drop, "stage": self.stage}

    @property
    def traffic(self) -> Traffic:
        place = f"{self.client}/{self.feed}"
        inputs = {f"{place}/{task.stage}": task.build for task in self.requires()}
        return Traffic(f"{place}/{self.stage}", inputs or {f"{place}/incoming": self.drop}, f"{place}/{self.stage}")

    @property
    def staging_path(self) -> str:
        return self.places.layout.staging(self.stage, self.feed, self.drop, self.build)

    @property
    def lease_path(self) -> str:
        return self.places.layout.stage_lease(self.stage, self.feed, self.drop, self.build)

    @property
    def dropped(self) -> Drop:
        """The drop as it was registered."""
        return _registered(self.client, self.feed, self.drop)

    @property
    def inputs(self) -> dict[str, Stage]:
        """The stages that this one reads, by name."""
        return {task.stage: task for task in self.requires()}

    def requires(self) -> list[Stage]:
        """The stages whose output this one reads."""
        return []

    def upstream(self, *stages: type[Stage]) -> list[Stage]:
        """The tasks of other stages of the same drop."""
        return [self.clone(stage) for stage in stages]  # type: ignore[no-untyped-call]  # luigi's

    @functools.cached_property
    def build(self) -> str:
        """``b`` and a short digest of logic, settings and input builds (12 hex digits)."""
        parts = [self.stage, self.logic, self.settings_read(), sorted(task.build for task in self.requires())]
        return "b" + hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:12]

    @functools.cached_property
    def dataset(self) -> Dataset:
        receipt = self.dropped.receipt  # asks the gate before anything of the client's is read
        places = self.places
        return Dataset(places.fs, places.layout.stage(self.stage, self.feed, receipt, self.drop, self.build))

    def spark(self) -> SparkSession:
        """The session, which from now on plans for as much as the drop has."""
        if not has_session(self.places.settings):
            self.say("waits for Spark to start")
        return session(self.places.settings, little=self._is_little())

    def workers(self) -> Workers:
        """Who does what needs no session: of a little drop this process, which is done before Spark has planned it, and
        before it has started where nothing needed it yet.
        """
        return None if self._is_little() else self.spark()

    def _is_little(self) -> bool:
        first: Stage = self
        while above := first.requires():
            first = above[0]
        landed = first.dataset.manifest().counts
        return is_little(landed["bytes"], landed["lines"])

    def authorize(self) -> None:
        authorize(self.client, "run", self.feed)

    def manifest(self, counts: Mapping[str, int], times: Mapping[str, Any]) -> Manifest:
        return Manifest(
            stage=self.stage,
            build=self.build,
            client=self.client,
            feed=self.feed,
            drop=self.drop,
            logic=self.logic,
            settings=self.settings_read(),
            inputs={name: task.dataset.manifest_digest() for name, task in self.inputs.items()},
            counts=counts,
            times=times,
            versions=versions(),
            tables={name: table.to_json() for name, table in self.tables().items()},
        )


@functools.lru_cache(maxsize=256)
def _registered(client: str, feed: str, drop: str) -> Drop:
    authorize(client, "run", feed)
    # These come from a command line: neither may lead out of the client's own directories.
    if _NAME.match(client) and _NAME.match(feed) and _DROP.match(drop):
        with contextlib.suppress(NotFound):
            return context(client).drop(feed, drop)
    what = f"There is no drop {shown(drop)} of feed {shown(feed)} of client {shown(client)}."
    raise NotFound(what, "`landfall status` lists them.")
