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


def profile(spark: SparkSession, fs: FileSystem, records: str, feed: RecordsFeed) -> list[dict[str, Any]]:
    """One object a column, in order: name, type, nulls, distinct (within 5 %), min, max, often (the most frequent
    values with their counts), and of texts the least, most and mean length.
    """
    rows = spark.read.schema(schema(records_ddl(feed))).parquet(fs.uri(records))
    measured = rows.agg(*(_measures(column).alias(column.name) for column in feed.columns)).collect()[0]
    found = []
    for column in feed.columns:
        said = {name: value for name, value in measured[column.name].asDict().items() if value is not None}
        often = rows.where(F.col(column.name).isNotNull()).groupBy(column.name).count()
        top = often.orderBy(F.desc("count"), column.name).limit(_OFTEN).collect()
        said["often"] = [{"value": _text(row[0]), "count": row[1]} for row in top]
        found.append({"name": column.name, "type": column.type, **said})
    return found


def _measures(column: Column) -> Sql:
    value = F.col(column.name)
    text = value.cast("string")
    parts = [
        F.count_if(value.isNull()).alias("nulls"),
        F.approx_count_distinct(value).alias("distinct"),
        F.left(F.min(value).cast("string"), F.lit(_SHOWN)).alias("min"),
        F.left(F.max(value).cast("string"), F.lit(_SHOWN)).alias("max"),
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
