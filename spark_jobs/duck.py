"""DuckDB in a process of Landfall's, within bounds of its own, over batches that come by Arrow."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_MEMORY = "256MiB"
# A line's place in a drop as one number, in the order of (entry, line); and both again, of a column of such numbers.
PLACE = "entry::HUGEINT * 9223372036854775808 + line"
ENTRY_OF, LINE_OF = "({} // 9223372036854775808)::INTEGER", "({} % 9223372036854775808)::BIGINT"


@contextmanager
def database(directory: str | None = None) -> Iterator[DuckDBPyConnection]:
    """A database in memory, for one thread, as a task of Spark's is one.

    Args:
        directory: on this machine, where what does not fit in memory goes meanwhile; None: where Spark's worker has its
            files.
    """
    import duckdb  # only some tasks need it, and it takes memory in each worker that has it

    place = directory or os.environ.get("SPARK_LOCAL_DIRS", tempfile.gettempdir()).split(",")[0]
    # Of mode 0700: what spills is a client's.
    with tempfile.TemporaryDirectory(prefix="duckdb-", dir=place) as spills:
        how: dict[str, Any] = {"memory_limit": _MEMORY, "threads": 1, "temp_directory": spills}
        with duckdb.connect(":memory:", config=how) as connection:
            yield connection
