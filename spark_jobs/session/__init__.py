"""The one Spark session of a process, made when a stage first needs it.

Its driver is a JVM of this process (``spark.master``, local or a cluster), or a Connect server (``spark.remote``).
"""

from __future__ import annotations

import contextlib
import os

from pyspark.sql import SparkSession

from conf.settings import Settings, load_settings
from spark_jobs import hadoop
from spark_jobs.session import connect, driver
from spark_jobs.session.reach import is_remote

__all__ = ["leave", "session", "tasks_at_once"]

# Sessions of Connect servers, by process: a forked one makes its own.
_REMOTE: dict[int, SparkSession] = {}


def session(settings: Settings | None = None) -> SparkSession:
    """The session of this process; the first call starts it (some seconds), or asks a Connect server for one."""
    settings = settings or load_settings()
    if settings.spark.remote:
        made = _REMOTE.get(os.getpid())
        if made is None or made.is_stopped:  # type: ignore[attr-defined]
            made = _REMOTE[os.getpid()] = connect.start(settings)
        return made
    active = SparkSession.getActiveSession()
    if active is None:
        return driver.start(settings)
    hadoop.refuse_other(settings)
    return active


def leave() -> None:
    """Gives back this process's session of a Connect server, if it has one: the next call gets a new one."""
    made = _REMOTE.pop(os.getpid(), None)
    if made is not None:
        with contextlib.suppress(Exception):
            made.stop()


def tasks_at_once(spark: SparkSession) -> int:
    """How many tasks the session runs at the same time, at most."""
    said = spark.conf.get("spark.default.parallelism", None)
    if said:
        return int(said)
    if spark.conf.get("spark.dynamicAllocation.enabled", "false") == "true":
        most = spark.conf.get("spark.dynamicAllocation.maxExecutors", "1") or "1"
        return int(most) * int(spark.conf.get("spark.executor.cores", "1") or "1")
    return connect.slots(spark) if is_remote(spark) else spark.sparkContext.defaultParallelism
