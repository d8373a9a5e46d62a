"""Which lines repeat another: within the drop, or a key of an earlier one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import reduce
from typing import NamedTuple

from pyspark.sql import DataFrame
from pyspark.sql import functions as F  # noqa: N812
from pyspark.sql.pandas.types import from_arrow_schema

from conf.feeds import RecordsFeed
from spark_jobs.fields import SHOWN
from spark_jobs.records.repeats import Keys, Repeats
from spark_jobs.records.scratch import Kept, Scratch
from spark_jobs.records.shape import CORRECTS, LINE, PLACE, records_ddl, schema
from spark_jobs.session import tasks_at_once
from spark_jobs.workers import sum_in_workers

_CODES = {"first": "duplicate.in_drop", "last": "duplicate.later", "reject": "duplicate.rejected"}
# Each who looks for repeated keys reads all keys, and counts so many of them.
_SHARE_ROWS = 1_000_000


class Earlier(NamedTuple):
    """The records of an earlier drop of the same feed.

    Attributes:
        drop: its id.
        records: path of its table ``records``.
    """

    drop: str
    records: str


Taken = Mapping[str, Kept]
"""By the code of a rule the good lines that go no further by it: PLACE, CORRECTS, the key's values, _first_entry,
_first_line; _drop of an earlier drop's; _value, the key as text, of those that are rejected. A line may be in two.
"""


def taken(
    scratch: Scratch, good: DataFrame, keys: Sequence[Keys], count: int, feed: RecordsFeed, earlier: Sequence[Earlier]
) -> Taken:
    """The good lines that another stands for.

    Args:
        keys: where the keys of the good lines lie.
        count: of the lines of the drop.
    """
    found: dict[str, Kept] = {}
    if earlier:
        before = scratch.write("seen_before", _seen_before(scratch, good, feed, earlier))
        if before is not None:
            found["duplicate.earlier_drop"] = before
    within = _repeats(scratch, keys, count, feed)
    if within is not None and feed.on_duplicate == "reject":
        texts = F.concat_ws(", ", *(F.col(name).cast("string") for name in feed.key)) if feed.key else F.lit(None)
        shown = F.left(texts.cast("string"), F.lit(SHOWN))
        within = scratch.write("rejected", within.rows.withColumn("_value", shown).sortWithinPartitions(*PLACE))
    if within is not None:
        found[_CODES[feed.on_duplicate]] = within
    return found


def without(good: DataFrame, taken: Taken) -> DataFrame:
    """The lines that go on."""
    for which in taken.values():
        good = good.join(which.rows.select(*LINE), on=list(LINE), how="left_anti")
    return good


def _repeats(scratch: Scratch, keys: Sequence[Keys], count: int, feed: RecordsFeed) -> Kept | None:
    """The good lines that another of the drop stands for; None if no key comes twice."""
    if not keys:
        return None
    shares = min(tasks_at_once(scratch.spark), 1 + count // _SHARE_ROWS)
    repeats = Repeats(scratch.fs, feed, keys, scratch.path("repeats"), shares)
    if not sum_in_workers(scratch.spark, shares, shares, repeats.write):
        return None
    return scratch.read("repeats", from_arrow_schema(repeats.schema))


def _seen_before(scratch: Scratch, good: DataFrame, feed: RecordsFeed, earlier: Sequence[Earlier]) -> DataFrame:
    """The good lines whose key an earlier drop has, with the earliest."""
    one_schema = schema(records_ddl(feed))
    keys = list(feed.key)
    drops = [
        scratch.spark.read.schema(one_schema)
        .parquet(scratch.fs.uri(one.records))
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
        good.select(*PLACE, *CORRECTS, *keys)
        .join(known, on=keys, how="inner")
        .select(
            *PLACE,
            *CORRECTS,
            *keys,
            F.col("_first.drop").alias("_drop"),
            F.col("_first.entry").alias("_first_entry"),
            F.col("_first.line").alias("_first_line"),
        )
        .sortWithinPartitions(*PLACE)
    )
