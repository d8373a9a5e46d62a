"""The profile of a drop's records: what the values of each column are like."""

from __future__ import annotations

from typing import Any

from pyspark.sql import Column as Sql
from pyspark.sql import SparkSession
from pyspark.sql import functions as F  # noqa: N812

from conf.feeds import RecordsFeed
from conf.feeds.columns import Column
from spark_jobs.records.shape import records_ddl, schema
from targets.filesystem import FileSystem

_OFTEN = 10
_SHOWN = 200
# Values that a sketch of frequent ones keeps; it is exact while three quarters of it suffice.
_TRACKED = 10_000
_EXACT = 7_000


def profile(spark: SparkSession, fs: FileSystem, records: str, feed: RecordsFeed) -> tuple[int, list[dict[str, Any]]]:
    """How many records there are, and one object a column, in order: name, type, nulls, distinct (within 5 %), min,
    max, often (the most frequent values with their counts), and of texts the least, most and mean length.

    One pass over the records. Frequencies are exact up to some 7,000 values a column; of more, ``often`` names only
    those that are more frequent than its error can make them.
    """
    rows = spark.read.schema(schema(records_ddl(feed))).parquet(fs.uri(records))
    measured = rows.agg(
        F.count("*").alias("_rows"), *(_measures(column).alias(column.name) for column in feed.columns)
    ).collect()[0]
    found = []
    for column in feed.columns:
        said = {name: value for name, value in measured[column.name].asDict().items() if value is not None}
        floor = 0 if said["distinct"] < _EXACT else 4 * measured["_rows"] // _TRACKED
        often = [one for one in said.pop("often", []) if one["item"] is not None and one["count"] > floor]
        top = [(one["count"], _text(one["item"])) for one in often]
        said["often"] = [
            {"value": text, "count": count} for count, text in sorted(top, key=lambda one: (-one[0], one[1]))
        ]
        found.append({"name": column.name, "type": column.type, **said})
    return int(measured["_rows"]), found


def _measures(column: Column) -> Sql:
    value = F.col(column.name)
    text = value.cast("string")
    parts = [
        F.count_if(value.isNull()).alias("nulls"),
        F.approx_count_distinct(value).alias("distinct"),
        F.left(F.min(value).cast("string"), F.lit(_SHOWN)).alias("min"),
        F.left(F.max(value).cast("string"), F.lit(_SHOWN)).alias("max"),
        F.expr(f"approx_top_k(`{column.name}`, {_OFTEN}, {_TRACKED})").alias("often"),
    ]
    if column.type == "string":
        length = F.char_length(text)
        parts += [
            F.min(length).alias("shortest"),
            F.max(length).alias("longest"),
            F.round(F.avg(length), 2).alias("mean_length"),
        ]
    return F.struct(*parts)


def _text(value: object) -> str:
    return str(value)[:_SHOWN]
