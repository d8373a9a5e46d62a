"""Progress of a job by its finished tasks."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any, cast

import pytest
from pyspark.sql import SparkSession

from spark_jobs import shards, tasks
from spark_jobs.tasks import watch_tasks


@pytest.mark.spark
def test_each_finished_task_is_told_of_while_others_run(
    spark: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tasks, "_SECONDS_BETWEEN_LOOKS", 0.02)
    told: list[int] = []
    (tmp_path / "0").touch()

    def work(name: str) -> shards.Written:
        import time

        while not (tmp_path / name).exists():
            time.sleep(0.01)
        return shards.Written(name, "", shards.Tally(1, 0))

    def report(done: int) -> None:
        told.append(done)
        (tmp_path / str(done)).touch()  # lets the next task end

    with watch_tasks(spark, report):
        shards.each(spark, ["0", "1", "2"], work)
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
