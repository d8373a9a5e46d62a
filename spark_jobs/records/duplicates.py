"""Which lines repeat another: within the drop, or a key of an earlier one."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from typing import NamedTuple

from pyspark.sql import Column as Sql
from pyspark.sql import DataFrame, SparkSession, Window
from pyspark.sql import functions as F  # noqa: N812

from conf.feeds import RecordsFeed
from conf.rules import RULES
from spark_jobs.fields import SHOWN
from spark_jobs.records.shape import FAULT, records_ddl, schema
from targets.filesystem import FileSystem


class Earlier(NamedTuple):
    """The records of an earlier drop of the same feed.

    Attributes:
        drop: its id.
        records: path of its table ``records``.
    """

    drop: str
    records: str


def repeats(good: DataFrame, feed: RecordsFeed) -> DataFrame:
    """The good lines that another of the drop stands for: entry, line, first_entry, first_line.

    Of the lines of one key the first stays, or the last where the feed says so.
    """
    names = [F.col(name) for name in _key(feed)]
    lines = good.select("entry", "line", F.xxhash64(*names).alias("_hash"), *names)
    # Most keys come once: only those whose hash comes twice are compared.
    often = lines.groupBy("_hash").count().where("count > 1").select("_hash")
    order = [F.col("entry"), F.col("line")]
    if feed.on_duplicate == "last":
        order = [one.desc() for one in order]
    of_key = Window.partitionBy("_hash", *names).orderBy(*order)
    chosen = lines.join(often, on="_hash", how="left_semi").withColumns(
        {"_kept": F.first(F.struct("entry", "line")).over(of_key), "_place": F.row_number().over(of_key)}
    )
    return chosen.where("_place > 1").select(
        "entry", "line", F.col("_kept.entry").alias("first_entry"), F.col("_kept.line").alias("first_line")
    )


def seen_before(
    spark: SparkSession, fs: FileSystem, good: DataFrame, feed: RecordsFeed, earlier: Sequence[Earlier]
) -> DataFrame:
    """The good lines whose key an earlier drop has: entry, line, _drop, first_entry, first_line, of the earliest."""
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
    known = reduce(DataFrame.unionAll, drops).groupBy(*keys).agg(F.min("_first").alias("_first"))
    return (
        good.select("entry", "line", *keys)
        .join(known, on=keys, how="inner")
        .select(
            "entry",
            "line",
            F.col("_first.drop").alias("_drop"),
            F.col("_first.entry").alias("first_entry"),
            F.col("_first.line").alias("first_line"),
        )
    )


def settle(lines: DataFrame, code: str, feed: RecordsFeed, several: bool) -> DataFrame:
    """Good lines with first_entry and first_line (and _drop) -> with outcome, rule, value, message and faults.

    Args:
        several: whether the drop has several entries, so that a line alone does not say which it is.
    """
    rule = RULES[code]
    first = F.col("first_line").cast("string")
    first = F.concat_ws(":", F.col("first_entry"), first) if several else first
    message = _filled(
        rule.message, {"first": first, **({"drop": F.left("_drop", F.lit(12))} if "{drop}" in rule.message else {})}
    )
    key = F.concat_ws(", ", *(F.col(name).cast("string") for name in feed.key)) if feed.key else F.lit(None)
    value = first if rule.outcome == "duplicate" else F.left(key, F.lit(SHOWN))
    column = F.lit(feed.key[0] if len(feed.key) == 1 else None)
    fault = F.struct(column, F.lit(code), value, message, F.lit(rule.fix)).cast(FAULT)
    said = {"outcome": F.lit(rule.outcome), "rule": F.lit(code), "value": value, "message": message}
    return lines.withColumns({**said, "faults": F.array(fault)})


def _key(feed: RecordsFeed) -> list[str]:
    """The columns whose values say what a record is."""
    return list(feed.key) or [column.name for column in feed.read]


def _filled(template: str, values: dict[str, Sql]) -> Sql:
    """A message with columns in its places."""
    text = F.lit(template)
    for name, value in values.items():
        text = F.replace(text, F.lit(f"{{{name}}}"), value)
    return text
