"""The dimensions: the members that one drop brings."""

from __future__ import annotations

from datetime import UTC, date

import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812

from conf.rules import RULES
from spark_jobs.star import keys
from spark_jobs.star.shape import shape
from targets.register import Drop

_RULES = ("code", "class", "family", "message", "what_to_do")


def dim_date(spark: SparkSession, receipt: date) -> DataFrame:
    """The receipt date."""
    day = F.lit(receipt)
    members = spark.range(1).select(
        keys.date_key(day).alias("date_key"),
        day.alias("date"),
        F.year(day).alias("year"),
        F.quarter(day).alias("quarter"),
        F.month(day).alias("month"),
        F.weekofyear(day).alias("week"),
        F.dayofmonth(day).alias("day"),
        F.lit(f"{receipt:%A}").alias("weekday"),
        F.lit(receipt.isoweekday() > 5).alias("is_weekend"),
    )
    return shape(members, "dim_date")


def dim_drop(spark: SparkSession, drop: Drop) -> DataFrame:
    """The drop."""
    received = drop.received.astimezone(UTC).replace(tzinfo=None)
    members = spark.range(1).select(
        keys.drop_key(F.lit(drop.id)).alias("drop_key"),
        F.lit(drop.id).alias("drop"),
        F.lit(drop.client).alias("client"),
        F.lit(drop.feed).alias("feed"),
        F.lit(drop.name).alias("name"),
        F.lit(received.isoformat(sep=" ")).cast("timestamp_ntz").alias("received"),
        F.lit(drop.size).alias("bytes"),
    )
    return shape(members, "dim_drop")


def dim_source(requests: DataFrame, settled: DataFrame) -> DataFrame:
    """REQUESTS and all SETTLED -> the hosts that the lines name."""
    hosts = requests.select("host").unionByName(settled.select("host"))
    members = hosts.select(keys.source_of(F.col("host")).alias("host")).distinct()
    return shape(members.withColumn("source_key", keys.source_key(F.col("host"))), "dim_source")


def dim_outcome(spark: SparkSession, settled: DataFrame, images: DataFrame) -> DataFrame:
    """All SETTLED and IMAGES -> the rules that the lines met, with what the house knows of them."""
    rules = [(rule.code, rule.outcome, rule.family, rule.summary, rule.fix) for rule in RULES.values()]
    # By Arrow: rows of Python's own would start a Python worker.
    known = spark.createDataFrame(pa.table(dict(zip(_RULES, map(list, zip(*rules, strict=True)), strict=True))))
    # One that went well tells as much of the rule as all of them: not every shard is opened.
    ok = images.where(F.col("rule") == "ok").select("rule").limit(1)
    codes = settled.select("rule").unionByName(ok)
    met = codes.select(F.col("rule").alias("code")).distinct()
    members = met.join(F.broadcast(known), "code", how="left")
    return shape(members.withColumn("outcome_key", keys.outcome_key(F.col("code"))), "dim_outcome")


def dim_image(images: DataFrame) -> DataFrame:
    """IMAGES -> the results, one row each however many lines lead to it."""
    facts = [
        "image_digest",
        "original_id",
        "width",
        "height",
        "format",
        "bytes",
        "original_width",
        "original_height",
        "original_format",
        "original_bytes",
        "transforms",
    ]
    # An id is the digest of what went in, so its rows say the same; max makes that so whatever happens.
    one = (
        images.where(F.col("rule") == "ok")
        .groupBy("image_id")
        .agg(F.max(F.struct(*facts)).alias("one"))
        .select("image_id", "one.*")
    )
    return shape(one.withColumn("image_key", keys.image_key(F.col("image_id"))), "dim_image")
