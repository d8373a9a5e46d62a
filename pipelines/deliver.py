"""Delivering a table: a file made in the lake, then handed over to the client's outbox, once a build."""

from __future__ import annotations

import contextlib

from pyspark.sql import DataFrame, SparkSession

from conf.actions import Deliver
from conf.errors import AlreadyExists
from pipelines.context import Context
from pipelines.plan import Step
from pipelines.telling import tell
from spark_jobs.actions.write import write_csv, write_one_parquet
from targets.dataset import Dataset, Staging
from targets.landing import delivery


def write_file(spark: SparkSession, action: Deliver, rows: DataFrame, place: Staging) -> int:
    """Makes the file; returns how many rows it has."""
    if action.format == "csv":
        with place.fs.writer(f"{place.path}/{action.table}/{action.table}.csv") as file:
            return write_csv(rows, file)
    goal = place.fs.uri(place.table(action.table))
    write_one_parquet(rows, goal)
    return spark.read.schema(rows.schema).parquet(goal).count()


def is_delivered(places: Context, workflow: str, step: Step) -> bool:
    """Whether the client has, or had, the file."""
    mark = places.layout.delivered(workflow, step.action.name, step.build)
    root = places.settings.landing_root
    return places.fs.exists(mark) and not delivery.waits(root, places.client, file_name(step))


def deliver(places: Context, workflow: str, step: Step, output: Dataset) -> None:
    """Hands the file over, unless that was done."""
    mark = places.layout.delivered(workflow, step.action.name, step.build)
    root, name = places.settings.landing_root, file_name(step)
    (made,) = (path for path in output.manifest().files if path.endswith((".csv", ".parquet")))
    with places.fs.lease(f"{places.layout.action_lease(workflow, step.action.name, step.build)}.hand", places.holder()):
        if not places.fs.exists(mark):
            delivery.prepare(root, places.client, name, lambda: places.fs.open(f"{output.path}/{made}"))
            with contextlib.suppress(AlreadyExists):
                places.fs.create(mark, name.encode())
        tell(f"{step.action.name} is delivered: {delivery.hand(root, places.client, name)}")


def file_name(step: Step) -> str:
    """What the client finds: a name for each build."""
    assert isinstance(step.action, Deliver)
    return f"{step.action.table}.{step.build}.{step.action.format}"
