"""Validate: every line parsed, checked and deduplicated, in as many ranges as the index has."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import pyarrow as pa
from pyspark import StorageLevel
from pyspark.sql import DataFrame, SparkSession, Window
from pyspark.sql import functions as F  # noqa: N812
from pyspark.sql.pandas.types import from_arrow_schema

from conf.rules import RULES
from spark_jobs import files
from spark_jobs.index import Index
from spark_jobs.lines import records
from spark_jobs.parse import parse
from spark_jobs.progress import Step, silent
from spark_jobs.schemas import PARSED, REQUESTS, SETTLED
from spark_jobs.tables import select_settled, shaped, write_none
from spark_jobs.urls import UrlPolicy
from targets.filesystem import FileSystem

_TASKS = 256
_FILE_ROWS = 100_000
# Of so many lines the shards are cut before it is known how many go on.
_FEW = 100_000
_DUPLICATE = "duplicate.in_drop"


class Counts(NamedTuple):
    """Lines by outcome, from the data written."""

    requests: int
    quarantined: int
    duplicate: int


def validate(
    spark: SparkSession,
    fs: FileSystem,
    index: Index,
    data: Mapping[int, str],
    goal: str,
    policy: UrlPolicy,
    max_bytes: int,
    shard_rows: int,
    step: Step = silent,
) -> Counts:
    """Writes ``requests`` (REQUESTS) and ``settled`` (SETTLED) of one drop.

    Args:
        data: path of the bytes of each entry.
        goal: path of the directory that takes the two tables.
        max_bytes: limit of a line.
        shard_rows: requests in a shard, about.
        step: told how far it is.
    """
    lines = parsed(spark, fs, index, data, policy, max_bytes)
    # Lines of one shard are read again for less than it takes to keep them.
    lines = lines if index.lines <= shard_rows else lines.persist(StorageLevel.DISK_ONLY)
    try:
        step(0, 3, f"reads {index.lines:,} lines")
        unique = deduplicated(lines)
        accepted = unique.where("repeats is null")
        # How many of few lines go on is not worth a job: shards may have fewer rows then.
        count = index.lines if index.lines <= _FEW else accepted.count()
        shards = max(1, -(-count // shard_rows))
        bad = select_settled(lines.where("rule is not null"), outcome="quarantined")
        repeats = duplicates(unique, several=len(index.entries) > 1)
        parts = 1 + index.lines // _FILE_ROWS
        step(1, 3, "writes the lines that go on")
        requests(accepted, shards).coalesce(parts).write.parquet(fs.uri(f"{goal}/requests"))
        step(2, 3, "writes the lines that are settled")
        if files.count_rows(fs, f"{goal}/requests") == index.lines:
            write_none(fs, f"{goal}/settled", SETTLED)
        else:
            bad.unionByName(repeats).coalesce(parts).write.parquet(fs.uri(f"{goal}/settled"))
    finally:
        lines.unpersist()
    return _counts(fs, goal)


def parsed(
    spark: SparkSession, fs: FileSystem, index: Index, data: Mapping[int, str], policy: UrlPolicy, max_bytes: int
) -> DataFrame:
    """Every line as PARSED says it; a task reads some ranges."""
    schema = from_arrow_schema(PARSED)
    if not index.ranges:
        return spark.createDataFrame([], schema)
    ranges, entries = index.ranges, {entry.entry: entry for entry in index.entries}

    def work(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            for number in batch.column(0).to_pylist():
                found = ranges[number]
                entry = entries[found.entry]
                with fs.open(data[found.entry]) as file:
                    yield from parse(records(file, found, entry), found, entry, policy, max_bytes)

    return spark.range(0, len(ranges), 1, min(len(ranges), _TASKS)).mapInArrow(work, schema)


def deduplicated(lines: DataFrame) -> DataFrame:
    """The good lines; ``repeats`` is the (entry, line) of the first that asks the same, null for that one itself."""
    good = lines.where("rule is null")
    place = F.struct("entry", "line")
    first = F.min(place).over(Window.partitionBy("url"))
    return good.withColumn("first", first).withColumn("repeats", F.when(F.col("first") != place, F.col("first")))


def requests(accepted: DataFrame, shards: int) -> DataFrame:
    """Accepted lines as REQUESTS, spread over so many shards."""
    shard = F.pmod(F.xxhash64("entry", "line"), F.lit(shards))
    return shaped(accepted.withColumn("shard", shard), REQUESTS)


def duplicates(unique: DataFrame, several: bool) -> DataFrame:
    """The repeats as SETTLED.

    Args:
        several: whether the drop has several entries, so that a line alone does not say which it is.
    """
    first = F.col("repeats.line").cast("string")
    if several:
        first = F.concat_ws(":", F.col("repeats.entry"), first)
    repeats = unique.where("repeats is not null").withColumns(
        {
            "rule": F.lit(_DUPLICATE),
            "value": first,
            "message": F.replace(F.lit(RULES[_DUPLICATE].message), F.lit("{first}"), first),
            "first_entry": F.col("repeats.entry"),
            "first_line": F.col("repeats.line"),
        }
    )
    return select_settled(repeats, outcome="duplicate")


def _counts(fs: FileSystem, goal: str) -> Counts:
    settled = files.count_values(fs, f"{goal}/settled", "outcome")
    return Counts(files.count_rows(fs, f"{goal}/requests"), settled["quarantined"], settled["duplicate"])
