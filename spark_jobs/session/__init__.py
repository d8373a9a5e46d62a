"""The one Spark session of a process, made when a stage first needs it."""

from __future__ import annotations

from pyspark.sql import SparkSession

from conf.settings import Settings, load_settings
from spark_jobs.session import driver

__all__ = ["session", "tasks_at_once"]


def session(settings: Settings | None = None) -> SparkSession:
    """The session of this process; the first call starts it (some seconds)."""
    active = SparkSession.getActiveSession()
    if active is not None:
        return active
    return driver.start(settings or load_settings())


def tasks_at_once(spark: SparkSession) -> int:
    """How many tasks the session runs at the same time."""
    return int(spark.conf.get("spark.default.parallelism", None) or spark.sparkContext.defaultParallelism)
