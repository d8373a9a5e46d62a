"""What Spark's Python workers on this machine need, loaded once: the process that imports this forks them."""

from __future__ import annotations

import ctypes
import gc

import pyarrow as pa
import pyarrow.dataset
from pyspark import daemon

# What the stages' tasks run: a forked worker has it at once, and shares its memory.
import spark_jobs.fetch
import spark_jobs.parse
import spark_jobs.store
import spark_jobs.transform  # noqa: F401

# malloc.h's options M_TRIM_THRESHOLD, M_TOP_PAD and M_MMAP_THRESHOLD, in bytes.
_KEPT = {-1: 128 << 20, -2: 16 << 20, -3: 32 << 20}


def _keep_memory() -> None:
    """Has each worker keep what memory it has given back, up to a bound: it wants as much for its next pictures.

    Each page that the kernel gives anew is cleared first, which is a twentieth of a picture's time.
    """
    # Other systems' C libraries have no such options, and no need of them is known.
    set_option = getattr(ctypes.CDLL(None), "mallopt", None)
    if set_option is not None:
        for option, size in _KEPT.items():
            set_option(option, size)
        pa.set_memory_pool(pa.system_memory_pool())


_keep_memory()
pa.array([None])  # the first one loads pandas
# A worker collects garbage after each task: looking at all that was loaded takes longer than Spark's own part.
gc.freeze()


def serve() -> None:
    """Is Spark's daemon, until Spark ends it."""
    daemon.manager()
