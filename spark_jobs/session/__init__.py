"""The one Spark session of a process, made when a stage first needs it.

Its driver is a JVM of this process (``spark.master``, local or a cluster), or a Connect server (``spark.remote``).
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable

from pyspark import SparkContext
from pyspark.sql import SparkSession

from conf.settings import Settings, load_settings
from spark_jobs import hadoop
from spark_jobs.faults import translate
from spark_jobs.session import connect, driver, early, java
from spark_jobs.session.reach import is_remote
from spark_jobs.session.sized import is_little, suit

__all__ = ["begin", "has_session", "is_little", "isolated", "leave", "session", "tasks_at_once"]

# Sessions of Connect servers, by process: a forked one makes its own.
_REMOTE: dict[int, SparkSession] = {}
# Threads may ask for the first session at once.
_ONE_STARTS = threading.Lock()


def begin(settings: Settings, size: int, then: Callable[[SparkSession], None] = lambda _: None) -> None:
    """Has the session of this process start in a thread, where nothing that the process does meanwhile is in its way.

    Args:
        size: of all that the process will work on, in bytes as they were uploaded.
        then: what the thread does with the session, beside whoever asks for it.
    """
    # To become an HDFS user is a matter of the whole process.
    alone = settings.spark.is_local and not settings.spark.remote and not settings.lake.url.startswith("hdfs://")
    if alone and SparkSession.getActiveSession() is None:
        early.begin(lambda: driver.start(settings, short=size <= java.SHORT, ahead=True), then)


def has_session(settings: Settings) -> bool:
    """Whether this process has a session, so that nothing need start before ``session`` returns it."""
    if settings.spark.remote:
        return os.getpid() in _REMOTE
    return SparkContext._active_spark_context is not None


def session(settings: Settings | None = None, little: bool = False) -> SparkSession:
    """The session of this process; the first call starts it (some seconds), or asks a Connect server for one.

    Args:
        little: whether what it is asked for is of few rows (``sized.suit``).

    Raises:
        LandfallError: it does not start, or its server has gone.
    """
    settings = settings or load_settings()
    with _ONE_STARTS:
        spark = _session(settings)
    try:
        suit(spark, settings, little)
    except Exception as error:  # a Connect server that has gone
        leave()
        raise translate(error, "work with Spark") from error
    return spark


def _session(settings: Settings) -> SparkSession:
    if settings.spark.remote:
        made = _REMOTE.get(os.getpid())
        if made is None or made.is_stopped:  # type: ignore[attr-defined]
            made = _REMOTE[os.getpid()] = connect.start(settings)
        return made
    active = early.take() or SparkSession.getActiveSession() or _of_another_thread()
    if active is None:
        return driver.start(settings)
    hadoop.refuse_other(settings)
    return active


def isolated(spark: SparkSession, little: bool = False) -> SparkSession:
    """A session beside this one, on the same executors, whose views and settings are its own.

    Args:
        little: as for ``session``.
    """
    own: SparkSession = spark.cloneSession() if is_remote(spark) else spark.newSession()  # type: ignore[attr-defined]
    own.conf.set("spark.sql.runSQLOnFiles", "false")
    suit(own, load_settings(), little)
    return own


def _of_another_thread() -> SparkSession | None:
    """The session that another thread of this process started: each thread has to be told."""
    if SparkContext._active_spark_context is None:
        return None
    return SparkSession.builder.getOrCreate()


def leave() -> None:
    """Gives back this process's session of a Connect server, if it has one: the next call gets a new one."""
    made = _REMOTE.pop(os.getpid(), None)
    if made is not None:
        connect.give_back(made)


def tasks_at_once(spark: SparkSession) -> int:
    """How many tasks the session runs at the same time, at most."""
    said = spark.conf.get("spark.default.parallelism", None)
    if said:
        return int(said)
    if spark.conf.get("spark.dynamicAllocation.enabled", "false") == "true":
        most = spark.conf.get("spark.dynamicAllocation.maxExecutors", "1") or "1"
        return int(most) * int(spark.conf.get("spark.executor.cores", "1") or "1")
    return connect.slots(spark) if is_remote(spark) else spark.sparkContext.defaultParallelism
