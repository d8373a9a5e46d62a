"""The table ``records``: the good lines, but for those that another stands for."""

from __future__ import annotations

import bisect
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial, reduce

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from pyspark import StorageLevel, TaskContext
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812
from pyspark.sql.pandas.types import to_arrow_schema

from conf.feeds import RecordsFeed
from spark_jobs.at_once import do_each
from spark_jobs.files import new_file, row_groups
from spark_jobs.progress import silent
from spark_jobs.records.checked import CheckedDrop
from spark_jobs.records.duplicates import Taken, without
from spark_jobs.records.reading import chunk_file
from spark_jobs.records.shape import records_ddl, schema
from targets.filesystem import FileSystem

_GROUP_ROWS = 100_000


@dataclass(frozen=True)
class Records:
    """Where the records of one drop come from and go to.

    Attributes:
        sure: path of the directory with the lines that are sure, a file a chunk (``reading.chunk_file``).
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

    def write(self, lines: CheckedDrop, taken: Taken, held: ExitStack) -> None:
        """Writes the good lines that are not taken.

        Those that are sure are copied by workers, from file to file, unless Spark has to calculate columns of them.
        """
        self.fs.make_directory(self.goal)
        works: dict[str, Callable[[], object]] = {}
        if lines.sure is None or self.feed.derived:
            works["spark"] = partial(self._by_spark, lines.all.good, taken)
        else:
            works["workers"] = partial(self._by_workers, [lines.sure.bad, *taken.values()], held)
            if lines.texts is not None:
                works["spark"] = partial(self._by_spark, lines.texts.good, taken)
        do_each(works, silent, 0, len(works))

    def _by_spark(self, good: DataFrame, taken: Taken) -> None:
        rows = without(good, taken).select(*schema(records_ddl(self.feed)).names)
        rows.coalesce(self.parts).write.mode("append").parquet(self.fs.uri(self.goal))

    def _by_workers(self, left_out: Sequence[DataFrame], held: ExitStack) -> None:
        lines = reduce(DataFrame.unionByName, (some.select("_range", "line") for some in left_out))
        of_range = lines.groupBy("_range").agg(F.collect_list("line").alias("lines")).persist(StorageLevel.DISK_ONLY)
        held.callback(of_range.unpersist)
        of_range.count()  # now Spark knows how much it is, and whether every task may have all of it
        numbers = self.spark.range(0, self.chunks[-1].stop, 1, self.parts).select(
            F.col("id").cast("int").alias("_range")
        )
        each = numbers.join(of_range, on="_range", how="left").select("_range", "lines")
        table = to_arrow_schema(schema(records_ddl(self.feed)))
        each.mapInArrow(
            _writer(self.fs, _Sure(self.fs, self.sure, self.chunks), table, self.goal), "rows long"
        ).collect()


def _writer(
    fs: FileSystem, sure: _Sure, table: pa.Schema, goal: str
) -> Callable[[Iterator[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    def write(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        context = TaskContext.get()
        assert context is not None
        rows = 0
        with ExitStack() as held:
            writer: pq.ParquetWriter | None = None
            for group in row_groups(sure.kept(batches), _GROUP_ROWS):
                if writer is None:
                    file = held.enter_context(new_file(fs, f"{goal}/sure-{context.partitionId():05}.parquet"))
                    writer = held.enter_context(pq.ParquetWriter(file, table))
                writer.write_table(group.select(table.names).cast(table))
                rows += group.num_rows
        yield pa.RecordBatch.from_pydict({"rows": [rows]})

    return write


@dataclass(frozen=True)
class _Sure:
    """The files of lines that are sure."""

    fs: FileSystem
    directory: str
    chunks: Sequence[range]

    def kept(self, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.Table]:
        """Numbers of ranges, and which lines of each are left out -> the other lines of each."""
        starts = [chunk.start for chunk in self.chunks]
        known, lines = -1, None
        for batch in batches:
            for number, left_out in zip(batch["_range"].to_pylist(), batch["lines"], strict=True):
                chunk = bisect.bisect_right(starts, number) - 1
                if chunk != known:
                    known, lines = chunk, self._read(chunk)
                if lines is None:
                    continue
                start, stop = np.searchsorted(lines["_range"].to_numpy(), [number, number + 1])
                some = lines.slice(start, stop - start)
                if left_out.is_valid:
                    some = some.filter(~np.isin(some["line"].to_numpy(), left_out.values.to_numpy()))
                yield some

    def _read(self, chunk: int) -> pa.Table | None:
        path = chunk_file(self.directory, chunk)
        if not self.fs.exists(path):
            return None
        with self.fs.open(path) as file:
            return pq.read_table(file)
