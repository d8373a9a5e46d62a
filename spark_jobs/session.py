"""The one Spark session of a process, made when a stage first needs it."""

from __future__ import annotations

import contextlib
import logging
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from pyspark.sql import SparkSession

from conf.settings import Settings, load_settings
from spark_jobs import hadoop

# Commits leave no marker files and no checksums of their own: a dataset's manifest does both.
_DEFAULTS = {
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.driver.host": "127.0.0.1",
    "spark.driver.bindAddress": "127.0.0.1",
    "spark.log.level": "ERROR",
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.runSQLOnFiles": "false",
    "spark.sql.sources.partitionColumnTypeInference.enabled": "false",
    "spark.sql.execution.arrow.pyspark.enabled": "true",
    "spark.sql.execution.arrow.maxRecordsPerBatch": "1000",
    "spark.sql.adaptive.enabled": "true",
    "spark.sql.catalogImplementation": "in-memory",
    "spark.hadoop.fs.file.impl": "org.apache.hadoop.fs.RawLocalFileSystem",
    "spark.hadoop.mapreduce.fileoutputcommitter.marksuccessfuljobs": "false",
    "spark.hadoop.parquet.summary.metadata.level": "NONE",
    "spark.task.maxFailures": "2",
}
# They print an exception's whole JVM stack as JSON, before it reaches whoever turns it into a sentence.
_TALKERS = ("DataFrameQueryContextLogger", "SQLQueryContextLogger")


def session(settings: Settings | None = None) -> SparkSession:
    """The session of this process; the first call starts it (some seconds)."""
    active = SparkSession.getActiveSession()
    settings = settings or load_settings()
    if active is not None:
        hadoop.refuse_other(settings)
        return active
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1")
    scratch = Path(settings.home).absolute() / "spark"
    scratch.mkdir(parents=True, exist_ok=True)
    builder = SparkSession.builder.appName("landfall").master(settings.spark.master)
    conf = {
        **_DEFAULTS,
        "spark.local.dir": str(scratch),
        "spark.sql.warehouse.dir": str(scratch / "warehouse"),
        "spark.driver.memory": settings.spark.driver_memory,
        "spark.sql.shuffle.partitions": str(settings.spark.shuffle_partitions),
        **hadoop.properties(settings),
        **settings.spark.conf,
    }
    for name, value in conf.items():
        builder = builder.config(name, value)
    for name in _TALKERS:
        logging.getLogger(name).setLevel(logging.CRITICAL)
    settings.log_root.mkdir(parents=True, exist_ok=True, mode=0o700)
    with _stderr_to(settings.log_root / "spark.log"), hadoop.acting(settings):
        return builder.getOrCreate()


@contextlib.contextmanager
def _stderr_to(file: Path) -> Iterator[None]:
    """Has the JVM, which keeps the standard error it is born with, write to a file: operators need none of it."""
    sys.stderr.flush()
    kept = os.dup(2)
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        os.dup2(descriptor, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(descriptor)


def tasks_at_once(spark: SparkSession) -> int:
    """How many tasks the session runs at the same time."""
    return int(spark.conf.get("spark.default.parallelism", None) or spark.sparkContext.defaultParallelism)
