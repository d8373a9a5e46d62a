"""The base of every task that makes one output: gate, lease, staging, manifest, journal, progress."""

from __future__ import annotations

import contextlib
import functools
import importlib.metadata
import os
import time
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

import luigi

from conf.errors import AccessDenied, ConfigError, LandfallError
from conf.settings import load_settings
from pipelines import side_by_side
from pipelines.context import Context, context
from pipelines.openlineage import Traffic
from pipelines.telling_lineage import flush, told
from pipelines.telling_task import TellingTask
from pipelines.waiting import wait_for_lease
from spark_jobs.faults import translate
from spark_jobs.session import leave
from targets.clock import now
from targets.counts import say_counts
from targets.dataset import Dataset, Manifest, Staging, staging
from targets.filesystem import Lease
from targets.runlog import RunLog

_IMPORTED_IN = os.getpid()
_LIBRARIES = ("landfall", "luigi", "pyspark", "pyarrow", "duckdb", "pillow", "simplejpeg", "yarl")

# Counts, and digests of files that need not be read again.
Made = tuple[Mapping[str, int], Mapping[str, str]]


class DatasetTarget(luigi.Target):
    """An output as Luigi sees it."""

    def __init__(self, dataset: Dataset) -> None:
        self.dataset = dataset

    def exists(self) -> bool:
        return self.dataset.exists()


class OutputTask(TellingTask):
    """One immutable, idempotent step: one output directory of one build, made once, whoever else is trying to.

    A subclass says who may, where the output lies, what it is made of, and does the work; all else is here.
    """

    client = luigi.Parameter(description="the client's id")

    logic: ClassVar[int] = 1
    """Version of the task's logic: a new one makes new builds, of this task and of those behind it."""
    resumable: ClassVar[bool] = False
    """Whether what a killed attempt finished is kept."""

    @property
    def name(self) -> str:
        """What is made, in a word, such as ``fetch``."""
        raise NotImplementedError

    @property
    def title(self) -> str:
        """What is made, such as ``fetch of drop 1a2b…``."""
        raise NotImplementedError

    @property
    def context(self) -> Mapping[str, str]:
        """What the journal and the run log say of the task, beside run and build."""
        raise NotImplementedError

    @property
    def traffic(self) -> Traffic:
        """What is read and written, for lineage."""
        return Traffic(f"{self.client}/{self.name}", {}, f"{self.client}/{self.name}")

    @property
    def staging_path(self) -> str:
        """Where the output is made before it is put in place."""
        raise NotImplementedError

    @property
    def lease_path(self) -> str:
        """The lease under which it is made."""
        raise NotImplementedError

    @property
    def build(self) -> str:
        """Which build of the output this is."""
        raise NotImplementedError

    @property
    def dataset(self) -> Dataset:
        """The output."""
        raise NotImplementedError

    def authorize(self) -> None:
        """Asks the gate; AccessDenied."""
        raise NotImplementedError

    def work(self, place: Staging) -> Made:
        """Makes the output in ``place``."""
        raise NotImplementedError

    def manifest(self, counts: Mapping[str, int], times: Mapping[str, Any]) -> Manifest:
        """What is said of the output, without its files."""
        raise NotImplementedError

    @property
    def places(self) -> Context:
        return context(self.client)

    @property
    def log(self) -> RunLog:
        return self.places.log.bind(**self.context, build=self.build)

    def output(self) -> DatasetTarget:
        """The output's directory."""
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
        """Makes the output, or waits for the thread that is making it."""
        self.show_again()
        if side_by_side.wait(self):
            self.show_again()
        else:
            self.make()

    def make(self) -> None:
        """Makes the output once, whoever else is trying to."""
        refuse_fork()
        self.authorize()
        with contextlib.ExitStack() as held:
            if forked():
                held.callback(leave)
                held.callback(flush, self.places.settings)
            lease = held.enter_context(wait_for_lease(self.places, self.lease_path, self.say))
            if not self.dataset.exists():
                self._make(lease)

    def after_fault(self) -> None:
        """What is given up when the work breaks off: the next task asks for a session afresh, if this one's server may
        be gone.
        """
        leave()

    def _make(self, lease: Lease) -> None:
        places = self.places
        began, clock = now(), time.monotonic()
        what = {"run": places.run, **self.context, "build": self.build}
        telling = told(places.settings, self.client, places.run, self.log, lambda: self.traffic, self.dataset)
        with places.journal.attempt(**what) as result, telling, self._sentences():
            self.say(f"{self.name} begins")
            with staging(self.dataset, self.staging_path, self.resumable, lease) as place:
                counts, digests = self.work(place)
                seconds = round(time.monotonic() - clock, 3)
                times = {"began": began.isoformat(), "ended": now().isoformat(), "seconds": seconds}
                place.seal(self.manifest(counts, times), digests)
            result["counts"] = dict(counts)
            self.step(1, 1, f"{self.name} is done: {say_counts(counts) or 'nothing to count'}")

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
            self.after_fault()
            raise translate(error, self.title) from error


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
