"""agg_images_daily: additive partials of one drop."""

from __future__ import annotations

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F  # noqa: N812

from spark_jobs.star.shape import shape
from spark_jobs.star.tables import MILLISECONDS, bucket_names

_GRAIN = ["date_key", "drop_key", "source_key", "outcome_key", "outcome", "rule"]


def agg_images_daily(fact: DataFrame) -> DataFrame:
    """fact_image_request -> one row a day, drop, source and outcome."""
    outcomes = [F.count_if(F.col("outcome") == name).alias(name) for name in ("ok", "quarantined", "duplicate")]
    sums = [F.coalesce(F.sum(name), F.lit(0)).alias(name) for name in ("bytes_in", "bytes_out", "milliseconds")]
    partials = fact.groupBy(*_GRAIN).agg(F.count("*").alias("requests"), *outcomes, *sums, *_histogram())
    return shape(partials, "agg_images_daily")


def _histogram() -> list[Column]:
    taken = F.col("milliseconds")
    lows, highs = (0, *MILLISECONDS), (*MILLISECONDS, None)
    return [
        F.count_if((taken >= low) & (F.lit(True) if high is None else taken < high)).alias(name)
        for name, low, high in zip(bucket_names(), lows, highs, strict=True)
    ]
