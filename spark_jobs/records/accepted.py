"""The table ``records``: the good lines, but for those that another stands for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.pandas.types import to_arrow_schema

from conf.feeds import RecordsFeed
from spark_jobs.at_once import do_each
from spark_jobs.chunks import chunk_file
from spark_jobs.files import row_groups, write_some
from spark_jobs.progress import silent
from spark_jobs.records.checked import CheckedDrop
from spark_jobs.records.duplicates import Taken, without
from spark_jobs.records.scratch import Kept, numbered, rows_in
from spark_jobs.records.shape import records_ddl, schema
from spark_jobs.workers import sum_in_workers
from targets.filesystem import FileSystem

_GROUP_ROWS = 100_000


@dataclass(frozen=True)
class Records:
    """Where the records of one drop come from and go to.

    Attributes:
        sure: path of the directory with the lines that are sure, a file a chunk (``chunks.chunk_file``).
        chunks: of the drop's ranges.
        goal: path of the table, which is made.
        parts: in so many tasks it is written, a file each.
    """

    spark: SparkSession
    fs: FileSystem
    feed: RecordsFeed
    sure: str
    chunks: Sequence[range]
    goal: str
    parts: int

    def write(self, lines: CheckedDrop, bad: Kept | None, taken: Taken) -> None:
        """Writes the good lines that are not taken.

        Those that are sure are copied by workers, from file to file, unless Spark has to calculate columns of them.

        Args:
            bad: lines that are sure, and bad.
        """
        self.fs.make_directory(self.goal)
        works: dict[str, Callable[[], object]] = {}
        if lines.sure is None or self.feed.derived:
            works["spark"] = partial(self._by_spark, lines.good, taken)
        else:
            works["workers"] = partial(self._by_workers, [which.directory for which in (bad, *taken.values()) if which])
            if lines.texts is not None:
                works["spark"] = partial(self._by_spark, lines.texts.good, taken)
        do_each(works, silent, 0, len(works))

    def _by_spark(self, good: DataFrame, taken: Taken) -> None:
        rows = without(good, taken).select(*schema(records_ddl(self.feed)).names)
        rows.coalesce(self.parts).write.mode("append").parquet(self.fs.uri(self.goal))

    def _by_workers(self, left_out: Sequence[str]) -> None:
        """Leaves out the lines that stand in files in these directories."""
        shares = min(self.parts, len(self.chunks))
        table = to_arrow_schema(schema(records_ddl(self.feed)))
        write = _Copying(self.fs, self.sure, self.chunks, left_out, table, self.goal, shares).write
        sum_in_workers(self.spark, shares, shares, write)


@dataclass(frozen=True)
class _Copying:
    """Lines that are sure, copied from file to file in a worker."""

    fs: FileSystem
    sure: str
    chunks: Sequence[range]
    left_out: Sequence[str]
    table: pa.Schema
    goal: str
    shares: int

    def write(self, share: int) -> int:
        """Copies a share of the chunks to one file, if they have lines; returns how many."""
        count = len(self.chunks)
        chunks = range(count * share // self.shares, count * (share + 1) // self.shares)
        groups = row_groups(map(self._read, chunks), _GROUP_ROWS)
        return write_some(self.fs, f"{self.goal}/sure-{share:05}.parquet", self.table, groups)

    def _read(self, chunk: int) -> pa.Table:
        path, ranges = chunk_file(self.sure, chunk), self.chunks[chunk]
        if not self.fs.exists(path):
            return self.table.empty_table()
        with self.fs.open(path) as file:
            lines = pq.read_table(file)
        if not self.left_out:
            return lines
        left_out = [rows_in(self.fs, directory, ranges, ["_range", "line"]) for directory in self.left_out]
        return lines.filter(~np.isin(numbered(lines, ranges), numbered(pa.concat_tables(left_out), ranges)))
