"""DuckDB in a Spark worker: within bounds of its own, over batches that come by Arrow."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

# What does not fit goes to the worker's disk.
_MEMORY = "256MiB"


@contextmanager
def database() -> Iterator[DuckDBPyConnection]:
    """A database in memory, for one thread, as a task of Spark's is one."""
    import duckdb  # only some tasks need it, and it takes memory in each worker that has it

    place = os.environ.get("SPARK_LOCAL_DIRS", tempfile.gettempdir()).split(",")[0]
    how: dict[str, Any] = {
        "memory_limit": _MEMORY,
        "threads": 1,
        "temp_directory": f"{place}/duckdb-{os.getpid()}",
    }
    with duckdb.connect(":memory:", config=how) as connection:
        yield connection
