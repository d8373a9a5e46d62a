"""Validate of a feed of records: every line read, typed, checked and deduplicated."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from pyspark import StorageLevel
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812

from conf.errors import DropHeld
from conf.feeds import RecordsFeed
from conf.feeds.values import spark_type
from conf.settings import Settings
from spark_jobs.index import Index
from spark_jobs.progress import Step, silent
from spark_jobs.records import drift, duplicates
from spark_jobs.records.checks import checks, warnings
from spark_jobs.records.duplicates import Earlier
from spark_jobs.records.profile import profile
from spark_jobs.records.reading import Files
from spark_jobs.records.shape import CORRECTS, FAULT, LINE, SETTLED, WARNINGS, records_ddl, schema, text_name
from spark_jobs.records.values import cleaned, typed
from spark_jobs.schemas import PROFILE
from targets.filesystem import FileSystem
from targets.register import Drop

_FILE_ROWS = 1_000_000


class Counts(NamedTuple):
    """Lines by outcome, from the data written; and how many of the accepted ones came with a warning."""

    ok: int
    quarantined: int
    duplicate: int
    warned: int


def validate_records(
    spark: SparkSession,
    fs: FileSystem,
    index: Index,
    data: Mapping[int, str],
    goal: str,
    drop: Drop,
    settings: Settings,
    step: Step = silent,
    earlier: Sequence[Earlier] = (),
) -> Counts:
    """Writes the tables ``records``, ``settled``, ``warnings`` and ``profile/profile.json`` of one drop.

    Args:
        data: path of the bytes of each entry.
        goal: path of the directory that takes the tables.
        step: told how far it is.
        earlier: for a feed with ``unique = "always"``, its earlier drops in order of receipt.

    Raises:
        DropHeld: the file's columns are not those of the feed, or more lines are rejected than the feed allows.
    """
    feed = drop.records
    files = Files(fs, index, data, feed, settings.lines.max_bytes)
    drifted = drift.check(files.sources.values(), feed)
    several = len(index.entries) > 1
    lines = checked(files.lines(spark), drop).persist(StorageLevel.DISK_ONLY)
    try:
        step(0, 4, f"reads {index.lines:,} lines")
        bad = lines.where("_faults is not null")
        _hold_if_too_many(bad.count(), index.lines, feed)
        good = lines.where("_faults is null")
        taken = _repeats(spark, fs, good, feed, earlier, several).persist(StorageLevel.DISK_ONLY)
        try:
            step(1, 4, "writes the records")
            count = 1 + index.lines // _FILE_ROWS
            records = good.join(taken.select(*LINE), on=list(LINE), how="left_anti")
            shape = [field.name for field in schema(records_ddl(feed))]
            records.select(*shape).coalesce(count).write.parquet(fs.uri(f"{goal}/records"))
            step(2, 4, "writes the lines that are settled")
            settled = _quarantined(bad).unionByName(_settled(taken))
            files.with_fields(settled).select(*_names(SETTLED)).coalesce(count).write.parquet(fs.uri(f"{goal}/settled"))
        finally:
            taken.unpersist()
    finally:
        lines.unpersist()
    step(3, 4, "looks at the columns")
    counts = _count(spark, fs, goal, feed)
    _hold_if_too_many(counts.quarantined, index.lines, feed)
    said = {"lines": index.lines, **counts._asdict(), "drift": drifted}
    said["columns"] = profile(spark, fs, f"{goal}/records", feed)
    fs.create(f"{goal}/{PROFILE}", json.dumps(said, ensure_ascii=False, indent=1).encode())
    return counts


def checked(lines: DataFrame, drop: Drop) -> DataFrame:
    """Lines as text -> the feed's columns, typed, and ``_faults``: null, or all that is wrong with the line."""
    feed = drop.records
    texts = {
        f"_text_{column.name}": cleaned(F.col(text_name(number)), column, feed.nulls)
        for number, column in enumerate(feed.read)
    }
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


def _repeats(
    spark: SparkSession,
    fs: FileSystem,
    good: DataFrame,
    feed: RecordsFeed,
    earlier: Sequence[Earlier],
    several: bool,
) -> DataFrame:
    """The good lines that go no further, as duplicates.settle says it."""
    found = good.join(duplicates.repeats(good, feed), on=list(LINE), how="inner")
    code = {"first": "duplicate.in_drop", "last": "duplicate.later", "reject": "duplicate.rejected"}[feed.on_duplicate]
    found = duplicates.settle(found, code, feed, several)
    if not earlier:
        return found
    before = duplicates.seen_before(spark, fs, good, feed, earlier)
    again = good.join(before, on=list(LINE), how="inner")
    again = duplicates.settle(again, "duplicate.earlier_drop", feed, several=True)
    within = found.join(again.select(*LINE), on=list(LINE), how="left_anti")
    return within.unionByName(again.drop("_drop"))


def _quarantined(bad: DataFrame) -> DataFrame:
    first = F.col("_faults")[0]
    return _settled(
        bad.withColumns(
            {
                "outcome": F.lit("quarantined"),
                **{name: first[name] for name in ("rule", "value", "message")},
                "first_entry": F.lit(None),
                "first_line": F.lit(None),
                "faults": F.col("_faults"),
            }
        )
    )


def _settled(lines: DataFrame) -> DataFrame:
    """Settled lines -> SETTLED and _range; ``fields`` are still to be read."""
    types = {field.name: field.dataType for field in schema(SETTLED)}
    columns = [
        (F.lit(None) if name == "fields" else F.col(name)).cast(kind).alias(name) for name, kind in types.items()
    ]
    return lines.select("_range", *columns)


def _hold_if_too_many(rejected: int, lines: int, feed: RecordsFeed) -> None:
    if rejected > feed.max_rejected * lines:
        raise DropHeld(
            f"{rejected:,} of {lines:,} lines are rejected, more than the {feed.max_rejected:.1%} that are allowed.",
            "Have the client send a better file, or raise max_rejected and replay the drop.",
        )


def _count(spark: SparkSession, fs: FileSystem, goal: str, feed: RecordsFeed) -> Counts:
    """Counts what was written, and writes the warnings of the records."""
    records = spark.read.schema(schema(records_ddl(feed))).parquet(fs.uri(f"{goal}/records"))
    settled = spark.read.schema(schema(SETTLED)).parquet(fs.uri(f"{goal}/settled"))
    by_outcome = {row.outcome: row["count"] for row in settled.groupBy("outcome").count().collect()}
    warned = _write_warnings(spark, fs, goal, records, feed)
    return Counts(records.count(), by_outcome.get("quarantined", 0), by_outcome.get("duplicate", 0), warned)


def _write_warnings(spark: SparkSession, fs: FileSystem, goal: str, records: DataFrame, feed: RecordsFeed) -> int:
    found = [
        F.when(
            F.coalesce(check.broken, F.lit(False)),
            F.struct(F.lit(check.code).alias("rule"), F.lit(check.message).alias("message")),
        )
        for check in warnings(feed)
    ]
    if found:
        each = records.select(*LINE, F.explode(F.array_compact(F.array(*found))).alias("_said"))
        rows = each.select(*LINE, "_said.rule", "_said.message")
    else:
        rows = spark.createDataFrame([], schema(WARNINGS))
    rows.select(*_names(WARNINGS)).coalesce(1).write.parquet(fs.uri(f"{goal}/warnings"))
    written = spark.read.schema(schema(WARNINGS)).parquet(fs.uri(f"{goal}/warnings"))
    return int(written.select(*LINE).distinct().count()) if found else 0


def _names(ddl: str) -> list[str]:
    return [field.name for field in schema(ddl)]
