"""Spark: whether it starts, and its Python workers run our code."""

from __future__ import annotations

import time
from collections.abc import Iterator

import psutil
import pyarrow as pa

from conf.settings import Settings
from landfall.doctor.finding import Finding, well
from landfall.terminal import size
from spark_jobs.faults import translate
from spark_jobs.session import session

_PART = "spark"
_ROWS = 4
# What a run needs beside the driver's heap: Python workers and the JVM's own (bench/memory.py).
_BESIDES = 1 << 30
_UNITS = {"k": 10, "m": 20, "g": 30, "t": 40}


def spark(settings: Settings) -> Iterator[Finding]:
    """Starts the session that a run would, and has Python workers do something."""
    chosen = settings.spark
    if chosen.master.startswith("local") and not chosen.remote:
        yield _memory(chosen.driver_memory)
    began = time.monotonic()
    try:
        spark = session(settings)
        started = time.monotonic() - began
        rows = spark.range(_ROWS).mapInArrow(_worked, "id long").count()
    except Exception as error:
        raise translate(error, "doctor's Spark job") from error
    yield well(
        _PART,
        "reach",
        f"{chosen.remote or chosen.master}: {spark.version}, ready after {started:.1f} s",
    )
    if rows == _ROWS:
        yield well(_PART, "Python workers", "they run")
    else:
        yield Finding(_PART, "Python workers", "ill", f"{rows} rows of {_ROWS} came back.", "See logs/spark.log.")


def _worked(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    yield from batches


def _memory(driver: str) -> Finding:
    wanted = (int(driver[:-1]) << _UNITS[driver[-1].lower()]) + _BESIDES
    there = psutil.virtual_memory().total
    if wanted > there:
        return Finding(
            _PART,
            "memory",
            "look",
            f"A run may take {size(wanted)}; this machine has {size(there)}.",
            "Lower spark.driver_memory and web.buffer_bytes.",
        )
    return well(_PART, "memory", f"{size(there)} here, of which a run may take {size(wanted)}")
