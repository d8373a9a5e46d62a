"""How many of a job's tasks are done while it runs: progress of work that leaves no files to count."""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Callable, Iterator
from typing import Any

from py4j.protocol import Py4JError
from pyspark.sql import SparkSession

from spark_jobs.progress import looking

_SECONDS_BETWEEN_LOOKS = 1.0


@contextlib.contextmanager
def watch_tasks(spark: SparkSession, report: Callable[[int], None]) -> Iterator[None]:
    """While the block runs one Spark job, reports how many of its tasks are done, whenever there are more.

    The block belongs to the calling thread. A Connect server tells of itself; elsewhere the driver is asked every
    second. A task that is run again after its executor died is counted once.
    """
    told = _More(report)
    connect = type(spark).__module__.startswith("pyspark.sql.connect.")
    with _remote(spark, told) if connect else _classic(spark, told):
        yield


class _More:
    """Passes on a number that is more than any before."""

    def __init__(self, report: Callable[[int], None]) -> None:
        self._report = report
        self._most = 0

    def __call__(self, done: int) -> None:
        if done > self._most:
            self._most = done
            self._report(done)


@contextlib.contextmanager
def _remote(spark: SparkSession, told: _More) -> Iterator[None]:
    def handler(stages: Any, inflight_tasks: int, operation_id: str | None, done: bool) -> None:  # noqa: ARG001
        told(sum(stage.num_completed_tasks for stage in stages or ()))

    spark.registerProgressHandler(handler)  # type: ignore[arg-type]  # any callable of these arguments is one
    try:
        yield
    finally:
        spark.removeProgressHandler(handler)  # type: ignore[arg-type]


@contextlib.contextmanager
def _classic(spark: SparkSession, told: _More) -> Iterator[None]:
    context, group = spark.sparkContext, f"landfall-{uuid.uuid4().hex}"
    tracker = context.statusTracker()

    def look() -> None:
        jobs = [tracker.getJobInfo(job) for job in tracker.getJobIdsForGroup(group)]
        stages = {stage for job in jobs if job for stage in job.stageIds}
        told(sum(info.numCompletedTasks for info in map(tracker.getStageInfo, stages) if info))

    context.setJobGroup(group, "progress is watched")
    try:
        # A driver that dies is told of by whoever waits for the job.
        with looking(look, _SECONDS_BETWEEN_LOOKS, unless=(Py4JError, OSError)):
            yield
    finally:
        context.setLocalProperty("spark.jobGroup.id", None)  # type: ignore[arg-type]  # Spark's way to unset one
        context.setLocalProperty("spark.job.description", None)  # type: ignore[arg-type]
