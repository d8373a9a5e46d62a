"""Which lines repeat another: within the drop, or a key of an earlier one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from functools import reduce
from typing import NamedTuple

from pyspark import StorageLevel
from pyspark.sql import DataFrame, SparkSession, Window
from pyspark.sql import functions as F  # noqa: N812

from conf.feeds import RecordsFeed
from spark_jobs.records.shape import LINE, PLACE, records_ddl, schema
from targets.filesystem import FileSystem

_CODES = {"first": "duplicate.in_drop", "last": "duplicate.later", "reject": "duplicate.rejected"}
# So many rows (of some 40 bytes) are sent to every task.
_FEW = 500_000


class Earlier(NamedTuple):
    """The records of an earlier drop of the same feed.

    Attributes:
        drop: its id.
        records: path of its table ``records``.
    """

    drop: str
    records: str


Taken = Mapping[str, DataFrame]
"""By the code of a rule the good lines that go no further by it: PLACE, _first_entry, _first_line (and _drop)."""


def taken(
    spark: SparkSession,
    fs: FileSystem,
    good: DataFrame,
    feed: RecordsFeed,
    earlier: Sequence[Earlier],
    held: ExitStack,
) -> Taken:
    """The good lines that another stands for; what is kept for them is let go when ``held`` ends."""
    found: dict[str, DataFrame] = {}
    if earlier:
        before = small(_seen_before(spark, fs, good, feed, earlier), held)
        if before is not None:
            found["duplicate.earlier_drop"] = before
    within = _repeats(good, feed, held)
    if within is not None:
        found[_CODES[feed.on_duplicate]] = without(within, found)
    return found


def without(good: DataFrame, taken: Taken) -> DataFrame:
    """The lines that go on."""
    for which in taken.values():
        good = good.join(which.select(*LINE), on=list(LINE), how="left_anti")
    return good


def small(rows: DataFrame, held: ExitStack) -> DataFrame | None:
    """Rows that are made now and kept until ``held`` ends; None if there are none. Where they are few each task gets
    them all, so that what they are joined with stays where it is.
    """
    made = rows.persist(StorageLevel.DISK_ONLY)
    held.callback(made.unpersist)
    count = made.count()
    if not count:
        return None
    return F.broadcast(made) if count <= _FEW else made


def _repeats(good: DataFrame, feed: RecordsFeed, held: ExitStack) -> DataFrame | None:
    """The good lines that another of the drop stands for: PLACE, _first_entry, _first_line.

    Of the lines of one key the first stays, or the last where the feed says so. None if no key comes twice.
    """
    names = [F.col(name) for name in _key(feed)]
    lines = good.select(*PLACE, F.xxhash64(*names).alias("_hash"), *names)
    # Most keys come once: only those whose hash comes twice are compared.
    often = small(lines.groupBy("_hash").count().where("count > 1").select("_hash"), held)
    if often is None:
        return None
    order = [F.col(name) for name in LINE]
    if feed.on_duplicate == "last":
        order = [one.desc() for one in order]
    of_key = Window.partitionBy("_hash", *names).orderBy(*order)
    chosen = lines.join(often, on="_hash", how="left_semi").withColumns(
        {"_kept": F.first(F.struct(*LINE)).over(of_key), "_place": F.row_number().over(of_key)}
    )
    kept = (F.col(f"_kept.{name}").alias(f"_first_{name}") for name in LINE)
    return small(chosen.where("_place > 1").select(*PLACE, *kept), held)


def _seen_before(
    spark: SparkSession, fs: FileSystem, good: DataFrame, feed: RecordsFeed, earlier: Sequence[Earlier]
) -> DataFrame:
    """The good lines whose key an earlier drop has: PLACE, _drop, _first_entry, _first_line, of the earliest."""
    one_schema = schema(records_ddl(feed))
    keys = list(feed.key)
    drops = [
        spark.read.schema(one_schema)
        .parquet(fs.uri(one.records))
        .select(
            *keys,
            F.struct(
                F.lit(number).alias("number"),
                F.lit(one.drop).alias("drop"),
                F.col("entry").alias("entry"),
                F.col("line").alias("line"),
            ).alias("_first"),
        )
        for number, one in enumerate(earlier)
    ]
    known = reduce(lambda one, other: one.unionByName(other), drops).groupBy(*keys).agg(F.min("_first").alias("_first"))
    return (
        good.select(*PLACE, *keys)
        .join(known, on=keys, how="inner")
        .select(
            *PLACE,
            F.col("_first.drop").alias("_drop"),
            F.col("_first.entry").alias("_first_entry"),
            F.col("_first.line").alias("_first_line"),
        )
    )


def _key(feed: RecordsFeed) -> list[str]:
    """The columns whose values say what a record is."""
    return list(feed.key) or [column.name for column in feed.read]
