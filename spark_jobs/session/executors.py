"""What the executors are: their Python, libraries and code, asked by a tiny job before a run relies on them."""

from __future__ import annotations

import contextlib
import functools
import importlib.metadata
import json
import socket
import sys
import threading
import uuid
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
from pyspark.sql import SparkSession

import spark_jobs
from conf.errors import ConfigError, LandfallError
from conf.settings import Settings
from spark_jobs.session.reach import is_remote, lake_directory, store_directory

_LIBRARIES = (
    "duckdb",
    "numpy",
    "pandas",
    "pillow",
    "pyarrow",
    "pybase64",
    "pycurl",
    "pydantic",
    "pyspark",
    "simplejpeg",
    "yarl",
)
_ONLY_WITH = {"hdfs://": ("hdfs", "hdfs-native"), "mongodb": ("pymongo",)}
_MACHINE = Path("/proc/sys/kernel/random/boot_id")
_SAME = (
    "Give executors the environment that runs Landfall: the same image, virtual environment or archive (docs/spark.md)."
)


def check(spark: SparkSession, settings: Settings, slots: int, shipped: Path) -> None:
    """Has every executor that comes say what it is, and refuses those that would give another result.

    Args:
        slots: tasks that the session runs at once.
        shipped: the zip of our code.

    Raises:
        ConfigError: an executor has another Python, another library, other code, or other directories than we have.
        LandfallError: no executor came within ``spark.start_seconds``.
    """
    wanted, here = libraries(settings), describe({}, libraries(settings))
    with _probes(settings) as probes:
        asked = spark.range(0, 2 * slots, 1, 2 * slots).mapInArrow(_answer(probes, wanted), "said string").distinct()
        with _patience(spark, settings.spark.start_seconds):
            said = {row.said for row in asked.collect()}
    problems = [text for one in map(json.loads, sorted(said)) for text in _problems(one, here, settings, shipped.name)]
    if problems:
        raise ConfigError(*problems)


def libraries(settings: Settings) -> tuple[str, ...]:
    """The libraries that executors need, by these settings."""
    urls = (settings.lake.url, settings.images.url)
    more = [name for scheme, names in _ONLY_WITH.items() if any(u.startswith(scheme) for u in urls) for name in names]
    return (*_LIBRARIES, *more)


def describe(probes: Mapping[str, str], wanted: tuple[str, ...]) -> dict[str, Any]:
    """What this process is.

    Args:
        probes: files that must be here, with what they hold.
        wanted: libraries.
    """
    return {
        "host": socket.gethostname(),
        "machine": _MACHINE.read_text().strip() if _MACHINE.exists() else socket.gethostname(),
        "python": f"{sys.version_info.major}.{sys.version_info.minor}",
        "code": next((part for part in Path(spark_jobs.__file__).parts if part.endswith(".zip")), spark_jobs.__file__),
        "libraries": {name: _version(name) for name in wanted},
        "unseen": [path for path, content in probes.items() if not _holds(Path(path), content)],
    }


def _answer(
    probes: Mapping[str, str], wanted: tuple[str, ...]
) -> Callable[[Iterator[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    def work(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for _ in batches:
            yield pa.RecordBatch.from_pylist([{"said": json.dumps(describe(probes, wanted), sort_keys=True)}])

    return work


def _problems(there: dict[str, Any], here: dict[str, Any], settings: Settings, shipped: str) -> Iterator[str]:
    who = f"The executor on {there['host']}"
    if there["python"] != here["python"]:
        yield f"{who} has Python {there['python']}; here it is {here['python']}. {_SAME}"
    other = [
        f"{name} {there['libraries'][name] or 'missing'} (here {version})"
        for name, version in here["libraries"].items()
        if there["libraries"][name] != version
    ]
    if other:
        yield f"{who} has other libraries: {', '.join(other)}. {_SAME}"
    if there["code"] != shipped:
        yield f"{who} runs another Landfall, {there['code']}. Take it from their PYTHONPATH."
    for path in there["unseen"]:
        yield (
            f"{who} does not see {Path(path).parent}, though spark.shared_storage is set. "
            "Mount it there, or name an HDFS lake (lake.url) and a MongoDB image store (images.url)."
        )
    if store_directory(settings) and there["machine"] != here["machine"]:
        yield (
            f"{who} is another machine, and SQLite's files are not safe on a network file system. "
            "Name a MongoDB image store (images.url)."
        )


@contextlib.contextmanager
def _probes(settings: Settings) -> Iterator[dict[str, str]]:
    """Files with what they hold, while the block runs, in the directories that executors must share with us."""
    places = filter(None, (lake_directory(settings), store_directory(settings)))
    files = {Path(place) / f".probe-{uuid.uuid4().hex}": uuid.uuid4().hex for place in places}
    try:
        for path, content in files.items():
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            path.write_text(content)
        yield {str(path): content for path, content in files.items()}
    finally:
        for path in files:
            path.unlink(missing_ok=True)


@contextlib.contextmanager
def _patience(spark: SparkSession, seconds: float) -> Iterator[None]:
    """Ends the jobs of the block when they take too long: Spark itself would wait for an executor for ever."""
    late = threading.Event()
    with _endable(spark) as end_jobs:

        def end() -> None:
            late.set()
            end_jobs()

        timer = threading.Timer(seconds, end)
        timer.daemon = True
        timer.start()
        try:
            yield
        except Exception as error:
            if not late.is_set():
                raise
            raise LandfallError(
                f"No executor came within {seconds:.0f} s (spark.start_seconds).",
                "See at the cluster's own page whether it has room for spark.executor_memory and spark.executor_cores.",
            ) from error
        finally:
            timer.cancel()


@contextlib.contextmanager
def _endable(spark: SparkSession) -> Iterator[Callable[[], object]]:
    """Gives what another thread calls to end the block's jobs."""
    mark = f"landfall-{uuid.uuid4().hex}"
    if is_remote(spark):
        spark.addTag(mark)
        yield lambda: spark.interruptTag(mark)
        spark.removeTag(mark)
        return
    context = spark.sparkContext
    context.setJobGroup(mark, "asks executors what they are")
    yield lambda: context.cancelJobGroup(mark)
    context.setLocalProperty("spark.jobGroup.id", None)  # type: ignore[arg-type]  # Spark's way to unset one
    context.setLocalProperty("spark.job.description", None)  # type: ignore[arg-type]


@functools.cache
def _version(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return ""


def _holds(path: Path, content: str) -> bool:
    try:
        return path.read_text() == content
    except OSError:
        return False
