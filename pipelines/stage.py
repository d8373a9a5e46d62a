"""The base of every stage: gate, lease, staging, manifest, journal, progress."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import importlib.metadata
import json
import os
import re
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any, ClassVar

import luigi

from auth.gate import authorize
from conf.errors import AccessDenied, ConfigError, LandfallError, NotFound
from conf.problems import shown
from conf.settings import load_settings
from pipelines.context import Context, context
from pipelines.telling import explain, say_counts, say_progress, show, show_share
from pipelines.waiting import wait_for_lease
from spark_jobs.faults import translate
from spark_jobs.session import leave
from spark_jobs.shards import Tally
from targets.clock import now
from targets.dataset import Dataset, Manifest, Staging, staging
from targets.filesystem import Lease
from targets.layout import Stage as StageName
from targets.register import Drop
from targets.runlog import RunLog
from targets.tables import Table

_IMPORTED_IN = os.getpid()
_NAME = re.compile(r"[a-z][a-z0-9_-]{0,62}\Z")
_DROP = re.compile(r"[0-9a-f]{64}\Z")
_LIBRARIES = ("landfall", "luigi", "pyspark", "pyarrow", "pillow", "simplejpeg", "yarl")


class DatasetTarget(luigi.Target):
    """A stage's output as Luigi sees it."""

    def __init__(self, dataset: Dataset) -> None:
        self.dataset = dataset

    def exists(self) -> bool:
        return self.dataset.exists()


class Stage(luigi.Task):
    """One immutable, idempotent step of a drop: one output directory.

    A subclass names itself, says which settings decide its output, and does the work; all else is here.
    """

    client = luigi.Parameter(description="the client's id")
    feed = luigi.Parameter(description="the feed's name")
    drop = luigi.Parameter(description="the drop's id")

    stage: ClassVar[StageName]
    logic: ClassVar[int] = 1
    """Version of the stage's logic: a new one makes new builds, of this stage and of those behind it."""
    resumable: ClassVar[bool] = False
    """Whether what a killed attempt finished is kept."""

    def settings_read(self) -> Mapping[str, Any]:
        """The settings that decide the output, as JSON can say them."""
        raise NotImplementedError

    def work(self, place: Staging) -> tuple[Mapping[str, int], Mapping[str, str]]:
        """Makes the output in ``place``; returns counts, and digests of files that need not be read again."""
        raise NotImplementedError

    def tables(self) -> Mapping[str, Table]:
        """What readers find in the output, by table; nothing in that of most stages."""
        return {}

    @property
    def places(self) -> Context:
        return context(self.client)

    @property
    def dropped(self) -> Drop:
        """The drop as it was registered."""
        return _registered(self.client, self.feed, self.drop)

    @property
    def log(self) -> RunLog:
        return self.places.log.bind(feed=self.feed, drop=self.drop, stage=self.stage, build=self.build)

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

    def output(self) -> DatasetTarget:
        """The stage's directory."""
        return DatasetTarget(self.dataset)

    def complete(self) -> bool:
        """Whether the work is done. To somebody who may not know it is not, and ``run()`` refuses them."""
        try:
            return self.is_done()
        except AccessDenied:
            return False

    def is_done(self) -> bool:
        """Whether the output is there."""
        return self.dataset.exists()

    def run(self) -> None:
        """Makes the output once, whoever else is trying to."""
        refuse_fork()
        authorize(self.client, "run", self.feed)
        with contextlib.ExitStack() as held:
            if forked():
                held.callback(leave)
            lease = held.enter_context(self._lease())
            if not self.dataset.exists():
                self._make(lease)

    def on_failure(self, exception: BaseException) -> str:
        """What the scheduler page shows."""
        return explain(super().on_failure, exception)

    def say(self, message: str) -> None:
        """A sentence for the scheduler page and the run log."""
        show(self, message)
        self.log.info(message)

    def step(self, done: int, total: int, message: str) -> None:
        """Tells that so many of the stage's steps are done, and what comes next."""
        show_share(self, done, total)
        self.say(message)

    def progress(self, total: int, what: str) -> Callable[[Tally], None]:
        """A callback that tells the scheduler page and the run log how far the stage is.

        Args:
            total: rows in all.
            what: what a row is, in the plural.
        """

        def report(tally: Tally) -> None:
            show_share(self, tally.ok + tally.failed, total)
            self.say(say_progress(tally, total, what))

        return report

    def _make(self, lease: Lease) -> None:
        places = self.places
        what = {"run": places.run, "feed": self.feed, "drop": self.drop, "stage": self.stage, "build": self.build}
        path = places.layout.staging(self.stage, self.feed, self.drop, self.build)
        began, clock = now(), time.monotonic()
        with places.journal.attempt(**what) as result, self._sentences():
            self.say(f"{self.stage} begins")
            with staging(self.dataset, path, self.resumable, lease) as place:
                counts, digests = self.work(place)
                seconds = round(time.monotonic() - clock, 3)
                times = {"began": began.isoformat(), "ended": now().isoformat(), "seconds": seconds}
                place.seal(self._manifest(counts, times), digests)
            result["counts"] = dict(counts)
            self.step(1, 1, f"{self.stage} is done: {say_counts(counts)}")

    def _manifest(self, counts: Mapping[str, int], times: Mapping[str, Any]) -> Manifest:
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

    @contextlib.contextmanager
    def _sentences(self) -> Iterator[None]:
        """Whatever Spark or the system throws becomes one of our errors; the whole of it goes to the run log."""
        try:
            yield
        except LandfallError as error:
            self.log.error("stage failed", error=str(error))
            raise
        except Exception as error:
            self.log.error("stage failed", error=f"{type(error).__name__}: {error}")
            leave()  # the next stage asks for a session afresh: this one's server may be gone
            raise translate(error, f"{self.stage} of drop {self.drop[:12]}") from error

    @contextlib.contextmanager
    def _lease(self) -> Iterator[Lease]:
        places = self.places
        path = places.layout.stage_lease(self.stage, self.feed, self.drop, self.build)
        with wait_for_lease(places, path, self.say) as lease:
            yield lease


def forked() -> bool:
    """Whether this is a process that Luigi forked: one of several workers."""
    return os.getpid() != _IMPORTED_IN


def refuse_fork() -> None:
    """Refuses to work in a process that Luigi forked unless Spark is a Connect server: a driver survives no fork."""
    if forked() and not load_settings().spark.remote:
        raise ConfigError(
            "luigi ran with more than one worker process. Leave --workers at 1: Spark works in parallel; "
            "or name a Spark Connect server in spark.remote (`landfall spark start`)."
        )


@functools.cache
def versions() -> dict[str, str]:
    """Versions of what shapes the output."""
    return {name: importlib.metadata.version(name) for name in _LIBRARIES}


@functools.lru_cache(maxsize=256)
def _registered(client: str, feed: str, drop: str) -> Drop:
    authorize(client, "run", feed)
    # These come from a command line: neither may lead out of the client's own directories.
    if _NAME.match(client) and _NAME.match(feed) and _DROP.match(drop):
        with contextlib.suppress(NotFound):
            return context(client).drop(feed, drop)
    what = f"There is no drop {shown(drop)} of feed {shown(feed)} of client {shown(client)}."
    raise NotFound(what, "`landfall status` lists them.")
