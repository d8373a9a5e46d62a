"""Tables that DuckDB makes of others in Spark's workers, who share the rows by a hash of some columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.parquet as pq
from pyspark.sql import SparkSession

from spark_jobs.duck import database
from spark_jobs.files import new_file, paths, reader
from spark_jobs.workers import do_in_workers
from targets.filesystem import FileSystem

# For each share all rows are read, and those of the share are kept, of some 1 kB each: so many fit in DuckDB's memory.
# Of more shares reading would take longer than what goes to the disk then.
_SHARE_ROWS = 200_000
_MOST_SHARES = 64
_BATCH_ROWS = 10_000


@dataclass(frozen=True)
class Input:
    """A table that others are made of.

    Attributes:
        directories: paths of the directories in which its files lie.
        columns: which are read.
    """

    directories: Sequence[str]
    columns: pa.Schema


@dataclass(frozen=True)
class Made:
    """A table, and what it is made of.

    Attributes:
        inputs: by the name that ``sql`` has for each.
        shared_by: SQL of values that rows of every input have: rows alike in these are in one share.
        sql: of one share; it gives at least the columns of ``schema``.
        goal: path of the table's directory, which takes a file a share.
    """

    fs: FileSystem
    inputs: Mapping[str, Input]
    shared_by: str
    sql: str
    schema: pa.Schema
    goal: str

    def write(self, spark: SparkSession, rows: int) -> int:
        """Writes the table; returns its rows, counted where they were written.

        Args:
            rows: about how many there are of each input.
        """
        shares = min(_MOST_SHARES, 1 + rows // _SHARE_ROWS)

        def share(number: int) -> pa.RecordBatch:
            return pa.RecordBatch.from_pydict({"rows": [self._write(number, shares)]})

        return sum(row.rows for row in do_in_workers(spark, shares, shares, share, "rows long"))

    def _write(self, number: int, shares: int) -> int:
        total = 0
        with database() as connection, ExitStack() as held:
            for name, one in self.inputs.items():
                files = [path for directory in one.directories for path in paths(self.fs, directory)]
                connection.register("rows", reader(self.fs, files, one.columns))
                mine = f"hash({self.shared_by}) % {shares} = {number}"
                connection.execute(f"CREATE TEMP TABLE {name} AS FROM rows WHERE {mine}")
            file = held.enter_context(new_file(self.fs, f"{self.goal}/part-{number:05}.parquet"))
            writer = held.enter_context(pq.ParquetWriter(file, self.schema))
            for batch in connection.sql(self.sql).to_arrow_reader(_BATCH_ROWS):
                writer.write_batch(batch.select(self.schema.names).cast(self.schema))
                total += batch.num_rows
        return total
