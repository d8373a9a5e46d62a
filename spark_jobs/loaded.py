"""What Spark's Python workers on this machine need, loaded once: the process that imports this forks them."""

from __future__ import annotations

import gc

import pyarrow as pa
import pyarrow.dataset
from pyspark import daemon

# What the stages' tasks run: a forked worker has it at once, and shares its memory.
import spark_jobs.fetch
import spark_jobs.parse
import spark_jobs.store
import spark_jobs.transform  # noqa: F401
from spark_jobs import memory

memory.keep()
pa.array([None])  # the first one loads pandas
# A worker collects garbage after each task: looking at all that was loaded takes longer than Spark's own part.
gc.freeze()


def serve() -> None:
    """Is Spark's daemon, until Spark ends it."""
    daemon.manager()
