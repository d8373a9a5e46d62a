"""A session whose driver is a JVM of this process, which is local or drives a cluster."""

from __future__ import annotations

import contextlib
import logging
import os
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
from pyspark.core.context import SparkContext
from pyspark.find_spark_home import _find_spark_home
from pyspark.java_gateway import launch_gateway
from pyspark.sql import SparkSession

from conf.settings import Settings
from spark_jobs import hadoop, sockets
from spark_jobs.ahead import Ahead
from spark_jobs.session import executors, java
from spark_jobs.session.properties import properties_file
from spark_jobs.session.reach import refuse_out_of_reach
from spark_jobs.session.shipping import archive

# They print an exception's whole JVM stack as JSON, before it reaches whoever turns it into a sentence.
_TALKERS = ("DataFrameQueryContextLogger", "SQLQueryContextLogger")
_LOG = "spark.log"
_ahead: list[Ahead] = []


def start(settings: Settings, short: bool = False, ahead: bool = False) -> SparkSession:
    """Starts a JVM and its session (some seconds); what is started dies if this is interrupted.

    Args:
        short: whether the work is short (``java.options``).
        ahead: whether Python workers will be asked for: what they need is loaded while the JVM starts.
    """
    for name in _TALKERS:
        logging.getLogger(name).setLevel(logging.CRITICAL)
    chosen = settings.spark
    if not chosen.is_local:
        refuse_out_of_reach(settings, chosen.master)
    with contextlib.ExitStack() as held:
        file = held.enter_context(properties_file(settings, _meeting(settings), short=short))
        for block in (_told(settings, file), hadoop.acting(settings), _no_orphan()):
            held.enter_context(block)
        if ahead and chosen.is_local and not chosen.python:
            with contextlib.suppress(OSError):  # it saves a second or two, no more
                _ahead.append(Ahead())
        if not SparkContext._gateway:
            _launch(log(settings))
        spark = SparkSession.builder.getOrCreate()
    if not chosen.is_local:
        _ship(spark, settings)
    return spark


def log(settings: Settings) -> Path:
    """The file that takes what the JVM says."""
    settings.log_root.mkdir(parents=True, exist_ok=True, mode=0o700)
    return settings.log_root / _LOG


def _meeting(settings: Settings) -> dict[str, str]:
    """How Python workers of this machine are met, unless ``spark.conf`` says how."""
    found = sockets.properties() if settings.spark.is_local else {}
    return {name: value for name, value in found.items() if name not in settings.spark.conf}


def _ship(spark: SparkSession, settings: Settings) -> None:
    """Has executors run our code, and be asked what they are."""
    code, path = archive(settings), list(sys.path)
    try:
        spark.sparkContext.addPyFile(str(code))
        sys.path[:] = path  # it is for the executors; here the code is as it was
        executors.check(spark, settings, spark.sparkContext.defaultParallelism, code)
    except BaseException:
        spark.stop()
        raise


def _launch(said: Path) -> None:
    """Starts the JVM.

    Args:
        said: takes what it writes to its standard error, of which operators need none.
    """
    descriptor = os.open(said, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        SparkContext._ensure_initialized(gateway=launch_gateway(popen_kwargs={"stderr": descriptor}))  # type: ignore[no-untyped-call]
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def _told(settings: Settings, file: Path) -> Iterator[None]:
    """Has pyspark start its JVM with a file of properties: it would put each one on the command line."""
    os.environ["PYSPARK_PYTHON"] = settings.spark.python or sys.executable
    os.environ["PYSPARK_DRIVER_PYTHON"] = sys.executable
    # Spark's scripts would run a Python to find the one, and a Java that is slow to start for the other.
    os.environ.setdefault("SPARK_HOME", _find_spark_home())
    os.environ.setdefault("SPARK_LAUNCHER_OPTS", java.LAUNCHER)
    if settings.spark.is_local:
        os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1")
    before = os.environ.get("PYSPARK_SUBMIT_ARGS")
    os.environ["PYSPARK_SUBMIT_ARGS"] = (
        f"--load-spark-defaults --properties-file {shlex.quote(str(file))} pyspark-shell"
    )
    try:
        yield
    finally:
        del os.environ["PYSPARK_SUBMIT_ARGS"]
        if before is not None:
            os.environ["PYSPARK_SUBMIT_ARGS"] = before


@contextlib.contextmanager
def _no_orphan() -> Iterator[None]:
    """Ends the processes that the block started if it does not end well: a JVM that nobody met waits for ever."""
    this = psutil.Process()
    before = set(this.children(recursive=True))
    try:
        yield
    except BaseException:
        for child in set(this.children(recursive=True)) - before:
            with contextlib.suppress(psutil.NoSuchProcess):
                child.kill()
        raise
