"""Whom Spark asks for Python workers on this machine: a process that loads what they need, once, and forks them.

Usage: ``python -m spark_jobs.daemon pyspark.worker``, as Spark says it (``spark.python.daemon.module``).
"""

from __future__ import annotations

import gc

import pyarrow as pa
from pyspark import daemon

# What the stages' tasks run: a forked worker has it at once, and shares its memory.
import spark_jobs.fetch
import spark_jobs.parse
import spark_jobs.store
import spark_jobs.transform  # noqa: F401


def main() -> None:
    """Serves until Spark ends it."""
    pa.array([None])  # the first one loads pandas
    # A worker collects garbage after each task: looking at all that was loaded takes longer than Spark's own part.
    gc.freeze()
    daemon.manager()


if __name__ == "__main__":
    main()
