"""What Spark is told: properties by settings, in a file that nobody else can read, never on a command line."""

from __future__ import annotations

import atexit
import contextlib
import functools
import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from conf.errors import ConfigError
from conf.private import read_private
from conf.settings import Settings
from spark_jobs import hadoop
from spark_jobs.session import java

_MOST_BYTES = 1 << 20

# What may be said to a session that runs already: a Connect server that somebody else started.
SQL = {
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.runSQLOnFiles": "false",
    "spark.sql.sources.partitionColumnTypeInference.enabled": "false",
    "spark.sql.execution.arrow.pyspark.enabled": "true",
    "spark.sql.execution.arrow.maxRecordsPerBatch": "1000",
    "spark.sql.adaptive.enabled": "true",
}
# Commits leave no marker files and no checksums of their own: a dataset's manifest does both.
COMMITS = {
    "mapreduce.fileoutputcommitter.marksuccessfuljobs": "false",
    "parquet.summary.metadata.level": "NONE",
}
_CORE = {
    "spark.app.name": "landfall",
    "spark.ui.enabled": "false",
    # It would ask Python's stack about every column that a plan names.
    "spark.python.sql.dataFrameDebugging.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    # Tasks of jobs that run at once take turns: Load's need not wait until all of Store's have begun.
    "spark.scheduler.mode": "FAIR",
    # As Spark SQL has it: Python workers that differ in it are others, of a daemon of their own.
    "spark.executorEnv.SPARK_SIMPLIFIED_TRACEBACK": "1",
    # They look for no module in the directory that a run was started in, which may have anybody's files.
    "spark.executorEnv.PYTHONSAFEPATH": "1",
    "spark.log.level": "ERROR",
    "spark.sql.catalogImplementation": "in-memory",
    "spark.hadoop.fs.file.impl": "org.apache.hadoop.fs.RawLocalFileSystem",
}
_WORKERS = {"spark.python.daemon.module": "spark_jobs.daemon"}
_LOOPBACK = {"spark.driver.host": "127.0.0.1", "spark.driver.bindAddress": "127.0.0.1"}
_JAVA = "spark.driver.extraJavaOptions"
# An executor that dies takes its tasks with it, each of which may have been met before.
_TASK_FAILURES = "4"


def properties(settings: Settings, short: bool = False) -> dict[str, str]:
    """Every property of a driver that starts; what the settings name in spark.conf goes before what we choose.

    Args:
        short: whether the work is short (``java.options``).
    """
    spark = settings.spark
    place = {"spark.sql.warehouse.dir": str(scratch(settings) / "warehouse")}
    if spark.is_local:
        place |= {"spark.local.dir": str(scratch(settings)), **_LOOPBACK}
        # Another Python need not have our code, which reaches its workers only once they run.
        place |= {} if spark.python else _WORKERS
    return {
        **_CORE,
        **SQL,
        **{f"spark.hadoop.{name}": value for name, value in COMMITS.items()},
        **place,
        "spark.master": spark.master,
        "spark.submit.deployMode": "client",
        "spark.driver.memory": spark.driver_memory,
        "spark.sql.shuffle.partitions": str(spark.shuffle_partitions),
        **({} if spark.is_local else _cluster(settings)),
        **hadoop.properties(settings),
        **spark.conf,
        _JAVA: java.options(short, spark.conf.get(_JAVA, "")),
    }


def session_properties(settings: Settings) -> dict[str, str]:
    """Those that a session of a running server may still be told."""
    chosen = {name: value for name, value in settings.spark.conf.items() if name.startswith("spark.sql.")}
    return {**SQL, **COMMITS, "spark.sql.shuffle.partitions": str(settings.spark.shuffle_partitions), **chosen}


def scratch(settings: Settings) -> Path:
    """Where Spark's own files lie on this machine."""
    place = settings.home.absolute() / "spark"
    place.mkdir(parents=True, exist_ok=True, mode=0o700)
    return place


@contextlib.contextmanager
def properties_file(
    settings: Settings, more: Mapping[str, str] | None = None, *, short: bool = False
) -> Iterator[Path]:
    """A file (mode 0600) of all properties, and of those in ``spark.properties_file``, while the block runs.

    Args:
        more: further properties, which go before all others but the secret file's.
        short: whether the work is short (``java.options``).
    """
    all_of_them = {**properties(settings, short), **(more or {})}
    text = "".join(f"{_escaped(name, ' :=')} {_escaped(value)}\n" for name, value in all_of_them.items())
    file = scratch(settings) / f"driver-{os.getpid()}.properties"
    file.unlink(missing_ok=True)
    # Also where this is done in a thread that the process does not wait for when it ends.
    clear = atexit.register(functools.partial(file.unlink, missing_ok=True))
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(text.encode())
            stream.write(_secret_lines(settings))
        yield file
    finally:
        file.unlink(missing_ok=True)
        atexit.unregister(clear)


def _cluster(settings: Settings) -> dict[str, str]:
    """What a cluster is asked for: the same settings on a standalone master, YARN and Kubernetes."""
    spark = settings.spark
    wanted = {
        "spark.executor.memory": spark.executor_memory,
        "spark.executor.memoryOverhead": spark.executor_overhead,
        "spark.executor.cores": str(spark.executor_cores),
        "spark.task.maxFailures": _TASK_FAILURES,
    }
    if spark.driver_host:
        wanted["spark.driver.host"] = spark.driver_host
    if spark.max_executors:
        wanted |= {
            "spark.dynamicAllocation.enabled": "true",
            "spark.dynamicAllocation.shuffleTracking.enabled": "true",
            "spark.dynamicAllocation.minExecutors": str(min(spark.executors, spark.max_executors)),
            "spark.dynamicAllocation.maxExecutors": str(spark.max_executors),
        }
    elif spark.executors:
        wanted["spark.executor.instances"] = str(spark.executors)
    most = spark.max_executors or spark.executors
    if most:
        wanted["spark.cores.max"] = str(most * spark.executor_cores)
    if spark.master.startswith("k8s:"):
        wanted["spark.kubernetes.executor.limit.cores"] = str(spark.executor_cores)
    if spark.python:
        wanted["spark.pyspark.python"] = spark.python
    return wanted


def _secret_lines(settings: Settings) -> bytes:
    if not settings.spark.properties_file:
        return b""
    path = Path(settings.spark.properties_file)
    try:
        return b"\n" + read_private(path, _MOST_BYTES)
    except FileNotFoundError:
        raise ConfigError(f"There is no file {path}, which spark.properties_file names.") from None


def _escaped(text: str, more: str = "") -> str:
    """Text as java.util.Properties reads it (its ``load``)."""
    text = text.replace("\\", "\\\\").replace("\n", "\\n").replace("\r", "\\r").replace("\t", "\\t")
    for sign in more:
        text = text.replace(sign, f"\\{sign}")
    return f"\\{text}" if text[:1] == " " else text
