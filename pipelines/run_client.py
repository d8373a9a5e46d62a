"""RunClient: what an operator runs."""

from __future__ import annotations

import contextlib
import ctypes
import functools
import importlib
import multiprocessing
import threading
from collections.abc import Iterator, Mapping, Sequence

import luigi
from pyspark.sql import SparkSession

from auth.gate import Permit, authorize
from conf.actions import reads
from conf.errors import LandfallError, NotFound
from conf.feeds import ImagesFeed, RecordsFeed
from conf.problems import nearest
from pipelines.claims import acknowledge, claim, unpublished
from pipelines.context import Context, context, run_id
from pipelines.housekeeping import sweep
from pipelines.output_task import forked, refuse_fork
from pipelines.publish import Publish
from pipelines.publish_in_order import PublishInOrder
from pipelines.run_workflow import RunWorkflow
from pipelines.telling import explain
from pipelines.workflows import whose, workflows
from spark_jobs import memory
from spark_jobs.actions.rehearsal import rehearse
from spark_jobs.session import begin, is_little
from targets.register import Drop


class RunClient(luigi.Task):
    """Takes what the client has dropped and publishes it.

    Luigi runs ``run()`` again from the top after each yield, so every line of it finds its work done or does it.
    """

    client = luigi.Parameter(description="the client's id")
    feed = luigi.Parameter(default="", description="this feed only; empty: every feed that the caller may run")

    def run(self) -> Iterator[list[luigi.Task]]:
        """Authorize, claim, acknowledge what is settled, publish what is not, run the workflows that follow."""
        refuse_fork()
        permit = authorize(self.client, "run", self.feed or None)
        places = context(self.client)
        with _journalled(places):
            self._check_feed(places)
            claim(places, permit)
            acknowledge(places, permit.feeds)
            waiting = unpublished(places, permit)
            ready, fault = self._ready(places, waiting)
            if ready:
                _begin(places, [drop for drops in waiting.values() for drop in drops])
            if forked():
                yield ready  # several workers would run the workflows beside the drops that they are to see
            # One worker takes the drops first, and the workflows also when a drop has failed.
            yield [*ready, *self._workflows(places, permit)]
            if fault:
                raise fault
            sweep(places)
            places.journal.run_ended(places.run)
        self._settled.value = True

    def _check_feed(self, places: Context) -> None:
        """NotFound for a feed that the client's file does not name, and of which no drop is registered either."""
        feeds = places.config().feeds
        if self.feed and self.feed not in feeds and not places.fs.exists(places.layout.register(self.feed)):
            raise NotFound(
                f"Client {self.client} has no feed {self.feed}.",
                f"Its feeds are: {', '.join(feeds)}{nearest(self.feed, feeds)}",
            )

    def _ready(
        self, places: Context, waiting: Mapping[str, list[Drop]]
    ) -> tuple[list[luigi.Task], LandfallError | None]:
        """What publishes the drops, and why one cannot be: it keeps no other from being published."""
        ready: list[luigi.Task] = []
        fault = None
        for feed, drops in waiting.items():
            if any(_follows(drop) for drop in drops):
                ready.append(PublishInOrder(client=self.client, feed=feed))  # type: ignore[no-untyped-call]  # luigi's
                continue
            for drop in drops:
                task = Publish(client=self.client, feed=feed, drop=drop.id)  # type: ignore[no-untyped-call]  # luigi's
                try:
                    task.complete()
                except LandfallError as error:
                    places.log.error("drop cannot be processed", feed=feed, drop=drop.id, error=str(error))
                    fault = error
                else:
                    task.at_once()
                    ready.append(task)
        return ready, fault

    def _workflows(self, places: Context, permit: Permit) -> list[RunWorkflow]:
        """The workflows that follow feeds of this run; each finds out for itself whether there is news for it.

        One that reads feeds which the caller may not run is left to somebody who may.
        """
        config, found = places.config(), []
        feeds, whole = whose(config), authorize(self.client, "run") if self.feed else permit
        for workflow in workflows(config):
            if permit.feeds is not None and not permit.feeds & set(workflow.after.feeds):
                continue
            read = [table for _, action in workflow.actions() for table in reads(action, self.client)]
            beyond = frozenset().union(*(feeds.get(table, frozenset()) for table in read)) - (whole.feeds or set())
            if whole.feeds is not None and beyond:
                places.log.warning("workflow left out", workflow=workflow.name, feeds=sorted(beyond))
                continue
            found.append(RunWorkflow(client=self.client, name=workflow.name, if_news=True))  # type: ignore[no-untyped-call]
        return found

    def complete(self) -> bool:
        """Whether this run has found nothing left to do; the next run looks afresh."""
        run_id()  # asked for here first, so that worker processes that Luigi forks are of one run
        return bool(self._settled.value)

    @functools.cached_property
    def _settled(self) -> ctypes.c_bool:
        """Whether the run is done: in memory that a worker process shares with Luigi's own, which asks on."""
        return multiprocessing.RawValue(ctypes.c_bool, False)

    def on_failure(self, exception: BaseException) -> str:
        """What the scheduler page shows."""
        return explain(super().on_failure, exception)


def _begin(places: Context, drops: Sequence[Drop]) -> None:
    """Has Spark start, and what its jobs need be imported meanwhile."""
    size = sum(drop.size for drop in drops)
    if not any(isinstance(drop.config, ImagesFeed) for drop in drops):
        begin(places.settings, size)
        return

    def rehearsed(spark: SparkSession) -> None:
        rehearse(spark, is_little(size), lambda why: places.log.info("rehearsal broke off", why=why))

    begin(places.settings, size, rehearsed)
    memory.keep()
    threading.Thread(target=_import_jobs, name="jobs", daemon=True).start()


def _import_jobs() -> None:
    """The jobs that need the most modules: their stages name them only once they work."""
    for job in ("spark_jobs.fetch", "spark_jobs.transform"):
        importlib.import_module(job)


def _follows(drop: Drop) -> bool:
    """Whether the drop is compared with those that were received before it."""
    return isinstance(drop.config, RecordsFeed) and drop.config.unique == "always"


@contextlib.contextmanager
def _journalled(places: Context) -> Iterator[None]:
    """Has a failure of the run leave its trace, which ``landfall status`` shows until a run ends well."""
    try:
        yield
    except LandfallError as error:
        places.journal.run_ended(places.run, error)
        raise
