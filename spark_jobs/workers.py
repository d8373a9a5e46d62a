"""Work done by number, in Spark's Python workers or, where that is sooner done than asked for, in this process."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

import pyarrow as pa
from pyspark.sql import Row, SparkSession

from spark_jobs.session.reach import is_remote

# Who does the work: a session's Python workers, or, of None, this process, one number after the other.
Workers: TypeAlias = SparkSession | None


def do_in_workers(
    workers: Workers, count: int, tasks: int, work: Callable[[int], pa.RecordBatch], ddl: str
) -> list[Any]:
    """Has workers do each of the numbers 0 to ``count`` - 1, those that follow one another in one task.

    Args:
        tasks: how many tasks share them.
        work: what is done of a number; it is sent to the workers.
        ddl: what ``work`` returns, in the words of Spark's DDL.

    Returns:
        The rows that came of it.
    """
    if workers is None:
        return [Row(**row) for number in range(count) for row in work(number).to_pylist()]
    if not count:
        return []

    if is_remote(workers):
        return _by_table(workers, count, min(count, tasks), work, ddl)
    # Without a plan of Spark SQL's, which takes the JVM half a second the first time, and milliseconds a task.
    numbers = workers.sparkContext.parallelize(range(count), min(count, tasks))
    rows = numbers.mapPartitions(lambda some: (row for number in some for row in work(number).to_pylist())).collect()
    return [Row(**row) for row in rows]


def _by_table(
    spark: SparkSession, count: int, tasks: int, work: Callable[[int], pa.RecordBatch], ddl: str
) -> list[Any]:
    """By a Connect server, which knows tables alone."""

    def run(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            yield from map(work, batch.column(0).to_pylist())

    return spark.range(0, count, 1, tasks).mapInArrow(run, ddl).collect()


def sum_in_workers(workers: Workers, count: int, tasks: int, work: Callable[[int], int]) -> int:
    """As ``do_in_workers``, of work that comes to a number each, such as the rows that it wrote; returns their sum."""

    def counted(number: int) -> pa.RecordBatch:
        return pa.RecordBatch.from_pydict({"rows": [work(number)]})

    return sum(row.rows for row in do_in_workers(workers, count, tasks, counted, "rows long"))
