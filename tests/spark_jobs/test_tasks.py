"""Progress of a job by its finished tasks."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, cast

import pytest
from pyspark.sql import SparkSession

from spark_jobs import shard_tasks, shards, tasks
from spark_jobs.tasks import watch_tasks
from tests.servers.waiting import until


@pytest.mark.spark
def test_each_finished_task_is_told_of_while_others_run(
    spark: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tasks, "_SECONDS_BETWEEN_LOOKS", 0.02)
    told: list[int] = []
    (tmp_path / "0").touch()

    def work(name: str) -> list[shards.Written]:
        import time

        while not (tmp_path / name).exists():
            time.sleep(0.01)
        return [shards.Written(name, "", shards.Tally(1, 0))]

    def report(done: int) -> None:
        told.append(done)
        (tmp_path / str(done)).touch()  # lets the next task end

    with watch_tasks(spark, report):
        shard_tasks.each(spark, ["0", "1", "2"], work)
    assert told[:2] == [1, 2]
    assert spark.sparkContext.getLocalProperty("spark.jobGroup.id") is None
    assert not [thread for thread in threading.enumerate() if thread.name == "progress"]


@pytest.mark.spark
def test_tasks_of_other_jobs_do_not_count(spark: SparkSession, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks, "_SECONDS_BETWEEN_LOOKS", 0.02)
    spark.range(0, 8, 1, 8).count()
    told: list[int] = []
    with watch_tasks(spark, told.append):
        threading.Event().wait(0.2)
    assert told == []


def test_a_connect_server_tells_of_itself() -> None:
    handlers: list[Any] = []

    class Session:
        """What a Connect session has of progress."""

        registerProgressHandler = staticmethod(handlers.append)  # noqa: N815
        removeProgressHandler = staticmethod(handlers.remove)  # noqa: N815

    class Stage:
        def __init__(self, done: int) -> None:
            self.num_completed_tasks = done

    Session.__module__ = "pyspark.sql.connect.session"
    told: list[int] = []
    with watch_tasks(cast("SparkSession", Session()), told.append):
        for stages in ([], [Stage(1)], [Stage(1), Stage(2)], [Stage(2)], None):
            handlers[0](stages=stages, inflight_tasks=1, operation_id=None, done=False)
    assert told == [1, 3]
    assert handlers == []


@pytest.mark.spark
def test_tasks_of_another_job_take_turns_with_those_of_a_watched_one(spark: SparkSession, tmp_path: Path) -> None:
    slots = spark.sparkContext.defaultParallelism
    names = [str(number) for number in range(2 * slots + 1)]

    def work(name: str) -> list[shards.Written]:
        import time

        (tmp_path / f"{name} began").touch()
        while not (tmp_path / name).exists():
            time.sleep(0.01)
        return [shards.Written(name, "", shards.Tally(1, 0))]

    def begun() -> list[str]:
        return [name for name in names if (tmp_path / f"{name} began").exists()]

    def watched() -> None:
        with watch_tasks(spark, lambda done: None):
            shard_tasks.each(spark, names, work)

    with ThreadPoolExecutor(2) as pool:
        many = pool.submit(watched)
        try:
            until(lambda: len(begun()) == slots, "every slot has a task")
            other = pool.submit(spark.range(0, 1, 1, 1).count)
            until(lambda: len(spark.sparkContext.statusTracker().getActiveJobsIds()) == 2, "the other job waits")
            for freed in range(1, 3):  # the first slot may be free before the other job's task has come to the queue
                [first, *_] = (name for name in begun() if not (tmp_path / name).exists())
                (tmp_path / first).touch()
                until(lambda freed=freed: other.done() or len(begun()) == slots + freed, "somebody took the slot")
                if other.done():
                    break
            assert other.result(60) == 1
            assert not many.done()
        finally:
            for name in names:
                (tmp_path / name).touch()
        many.result(60)
