"""Lines as text, or as values that are sure -> typed rows; those that are bad with all that is wrong with them."""

from __future__ import annotations

import operator
from collections.abc import Sequence
from contextlib import ExitStack
from functools import reduce
from typing import NamedTuple

from pyspark import StorageLevel
from pyspark.sql import Column as Sql
from pyspark.sql import DataFrame
from pyspark.sql import functions as F  # noqa: N812

from conf.feeds import RecordsFeed
from conf.feeds.values import spark_type
from spark_jobs.records.checks import Check, checks
from spark_jobs.records.reading import Lines
from spark_jobs.records.shape import CORRECTS, FAULT, LINE, text_name
from spark_jobs.records.values import typed
from targets.register import Drop


class Checked(NamedTuple):
    """Lines with the feed's columns, typed, and ``_faults``: all that is wrong with a line, empty if nothing is.

    Attributes:
        good: in which nothing is wrong.
        bad: the others; None if there cannot be any.
    """

    good: DataFrame
    bad: DataFrame | None


class CheckedDrop(NamedTuple):
    """The lines of a drop: those that came as texts, and those that were sure; not both are None."""

    texts: Checked | None
    sure: Checked | None

    @property
    def good(self) -> DataFrame:
        """Every line in which nothing is wrong."""
        return reduce(DataFrame.unionByName, (some.good for some in (self.sure, self.texts) if some is not None))


def checked(lines: Lines, drop: Drop, held: ExitStack) -> CheckedDrop:
    """Every line of a drop; what is kept for it is let go when ``held`` ends."""
    return CheckedDrop(
        None if lines.texts is None else _checked_texts(lines.texts, drop, held),
        None if lines.sure is None else _checked_sure(lines.sure, drop),
    )


def _checked_texts(lines: DataFrame, drop: Drop, held: ExitStack) -> Checked:
    texts = _typed(lines, drop.records, list(checks(drop.records, drop.received))).persist(StorageLevel.DISK_ONLY)
    held.callback(texts.unpersist)
    return Checked(texts.where("size(_faults) = 0"), texts.where("size(_faults) > 0"))


def _checked_sure(lines: DataFrame, drop: Drop) -> Checked:
    feed = drop.records
    # What is said of one column was looked at where it was read.
    read = {column.name for column in feed.read}
    others = [check for check in checks(feed, drop.received) if check.column not in read]
    sure, is_bad = _derived(lines, feed), _any(others)
    if not others:
        return Checked(_with_faults(sure, feed, F.array()), None)
    return Checked(
        _with_faults(sure.where(~is_bad), feed, F.array()), _with_faults(sure.where(is_bad), feed, _all(others))
    )


def _typed(lines: DataFrame, feed: RecordsFeed, all_checks: Sequence[Check]) -> DataFrame:
    """Lines as ``shape.text_schema`` -> the feed's columns, typed, and ``_faults``."""
    texts = {f"_text_{column.name}": F.col(text_name(number)) for number, column in enumerate(feed.read)}
    kept = ["_range", *LINE, *CORRECTS, "_rule", "_value", "_message"]
    found = lines.select(*kept, *(text.alias(name) for name, text in texts.items()))
    found = found.select(
        "*", *(typed(F.col(f"_text_{column.name}"), column).alias(column.name) for column in feed.read)
    )
    found = _derived(found, feed)
    whole = F.struct(F.lit(None), "_rule", "_value", "_message", F.lit(None)).cast(FAULT)
    # Each check is asked once: most lines that come as texts are bad.
    said = F.when(F.col("_rule").isNotNull(), F.array(whole)).otherwise(_all(all_checks))
    return _with_faults(found, feed, said)


def _derived(lines: DataFrame, feed: RecordsFeed) -> DataFrame:
    for column, expression in feed.derived:
        value = F.expr(f"try_cast({expression.sql} as {spark_type(column.type)})")
        lines = lines.withColumn(column.name, value)
    return lines


def _with_faults(lines: DataFrame, feed: RecordsFeed, faults: Sql) -> DataFrame:
    columns = ["_range", *LINE, *CORRECTS, *(column.name for column in feed.columns)]
    return lines.select(*columns, faults.cast(f"array<{FAULT}>").alias("_faults"))


def _any(of: Sequence[Check]) -> Sql:
    """Whether a row breaks any of these."""
    return reduce(operator.or_, (F.coalesce(check.broken, F.lit(False)) for check in of), F.lit(False))


def _all(of: Sequence[Check]) -> Sql:
    """The faults of those that a row breaks."""
    return F.array_compact(F.array(*(check.fault() for check in of))) if of else F.array()
