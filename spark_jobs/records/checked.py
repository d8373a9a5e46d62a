"""Lines as text -> typed rows, each with all that is wrong with it."""

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql import functions as F  # noqa: N812

from conf.feeds.values import spark_type
from spark_jobs.records.checks import checks
from spark_jobs.records.shape import CORRECTS, FAULT, LINE, text_name
from spark_jobs.records.values import typed
from targets.register import Drop


def checked(lines: DataFrame, drop: Drop) -> DataFrame:
    """Lines as text -> the feed's columns, typed, and ``_faults``: null, or all that is wrong with the line."""
    feed = drop.records
    texts = {f"_text_{column.name}": F.col(text_name(number)) for number, column in enumerate(feed.read)}
    kept = ["_range", *LINE, *CORRECTS, "_rule", "_value", "_message"]
    found = lines.select(*kept, *(text.alias(name) for name, text in texts.items()))
    found = found.select(
        "*", *(typed(F.col(f"_text_{column.name}"), column).alias(column.name) for column in feed.read)
    )
    for column, expression in feed.derived:
        value = F.expr(f"try_cast({expression.sql} as {spark_type(column.type)})")
        found = found.withColumn(column.name, value)
    all_checks = list(checks(feed, drop.received))
    whole = F.struct(F.lit(None), "_rule", "_value", "_message", F.lit(None)).cast(FAULT)
    faults = (
        F.array_compact(F.array(*(check.fault() for check in all_checks)))
        if all_checks
        else F.array().cast(f"array<{FAULT}>")
    )
    is_bad = F.lit(False)
    for check in all_checks:
        is_bad = is_bad | F.coalesce(check.broken, F.lit(False))
    said = F.when(F.col("_rule").isNotNull(), F.array(whole)).when(is_bad, faults)
    return found.select("_range", *LINE, *CORRECTS, *(column.name for column in feed.columns), said.alias("_faults"))
