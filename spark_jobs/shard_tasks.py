"""What makes shards: Spark's Python workers, an item each or several, one of which is made while another is written."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import pyarrow as pa
from pyspark.sql import SparkSession

from spark_jobs.session import tasks_at_once
from spark_jobs.shards import Tally, Written
from spark_jobs.workers import do_in_workers

# Items of one task, at most: those of a slow source may lie together, and are not to wait for one worker.
_MOST_TOGETHER = 4
# A task takes this part of what would be a worker's share of what is left.
_SHARE = 3
_WRITTEN = pa.schema(
    [
        *((name, pa.string()) for name in ("name", "sha256", "directory")),
        *((name, pa.int64()) for name in Tally._fields),
    ]
)
_WRITTEN_DDL = "name string, sha256 string, directory string, ok long, failed long, bytes long"
Item = TypeVar("Item")


def each(
    spark: SparkSession, items: Sequence[Item], work: Callable[[Item], Iterable[Written]], *, grouped: bool = False
) -> list[Written]:
    """Runs ``work`` on every item in Spark's Python workers, and returns the shards that were written, in order.

    Args:
        grouped: a task takes several items, for the time that each task costs Spark, and begins one while what was
            written of another reaches the disk. Not where tasks are watched (``watch_tasks``).
    """
    if not items:
        return []
    groups = _groups(items, tasks_at_once(spark) if grouped else len(items))

    def do(number: int) -> pa.RecordBatch:
        written = _one_after_the_other(groups[number], work)
        return pa.RecordBatch.from_pylist([{**one._asdict(), **one.tally._asdict()} for one in written], _WRITTEN)

    rows = do_in_workers(spark, len(groups), len(groups), do, _WRITTEN_DDL)
    return [Written(row.name, row.sha256, Tally(row.ok, row.failed, row.bytes), row.directory) for row in rows]


def _one_after_the_other(items: Sequence[Item], work: Callable[[Item], Iterable[Written]]) -> list[Written]:
    if len(items) == 1:
        return list(work(items[0]))
    with ThreadPoolExecutor(2) as pool:
        return list(itertools.chain.from_iterable(pool.map(work, items)))


def _groups(items: Sequence[Item], at_once: int) -> list[Sequence[Item]]:
    """Items that go together: fewer the fewer are left, so that all workers end at about the same time.

    Source: guided self-scheduling, C. Polychronopoulos and D. Kuck, IEEE Transactions on Computers C-36 (1987) 1425.
    """
    groups: list[Sequence[Item]] = []
    begin = 0
    while begin < len(items):
        size = min(_MOST_TOGETHER, max(1, (len(items) - begin) // (_SHARE * at_once)))
        groups.append(items[begin : begin + size])
        begin += size
    return groups
