"""Validate of a feed of records: every line read, typed, checked and deduplicated."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from typing import Any, NamedTuple

from pyspark.sql import SparkSession
from pyspark.sql import functions as F  # noqa: N812

from conf.errors import DropHeld
from conf.feeds import RecordsFeed
from conf.settings import Settings
from spark_jobs.at_once import do_each
from spark_jobs.index import Index
from spark_jobs.progress import Step, silent
from spark_jobs.records import drift, duplicates
from spark_jobs.records.accepted import Records
from spark_jobs.records.checked import checked
from spark_jobs.records.checks import warnings
from spark_jobs.records.duplicates import Earlier
from spark_jobs.records.known import known
from spark_jobs.records.plain import Plain
from spark_jobs.records.profile import profile
from spark_jobs.records.reading import SURE, Files
from spark_jobs.records.scratch import Scratch
from spark_jobs.records.settled import Settled
from spark_jobs.records.shape import LINE, WARNINGS, records_ddl, schema
from spark_jobs.schemas import PROFILE
from spark_jobs.session import tasks_at_once
from targets.filesystem import FileSystem
from targets.register import Drop

# Where the lines lie as text and values until all tables are written.
_LINES = "lines"
# Rows of a file that tasks write and read side by side, and of one where there are files enough for that.
_SHARE_ROWS = 100_000
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
    files = Files(fs, index, data, feed, Plain(feed, drop.received), settings.lines.max_bytes)
    drifted = drift.check(files.sources.values(), files.keys(), feed)
    step(0, 4, f"reads {index.lines:,} lines")
    outcomes, (ok, columns) = _write_tables(spark, fs, index, files, goal, drop, step, earlier)
    fs.remove(f"{goal}/{_LINES}")  # of an attempt that fails all goes with its staging directory
    warned = _write_warnings(spark, fs, goal, feed)
    counts = Counts(ok, outcomes["quarantined"], outcomes["duplicate"], warned)
    _hold_if_too_many(counts.quarantined, index.lines, feed)
    said = {"lines": index.lines, **counts._asdict(), "drift": drifted, "columns": columns}
    fs.create(f"{goal}/{PROFILE}", json.dumps(said, ensure_ascii=False, indent=1).encode())
    return counts


def _write_tables(
    spark: SparkSession,
    fs: FileSystem,
    index: Index,
    files: Files,
    goal: str,
    drop: Drop,
    step: Step,
    earlier: Sequence[Earlier],
) -> list[Any]:
    """Writes ``records`` and ``settled``; returns the lines settled by outcome, and the profile of the records."""
    feed = drop.records
    scratch, records = Scratch(spark, fs, f"{goal}/{_LINES}"), f"{goal}/records"
    count = _file_count(index.lines, tasks_at_once(spark))
    with ExitStack() as held:
        lines = checked(files.lines(spark, scratch.directory), drop, held)
        found = known(lines, scratch, feed)
        taken = duplicates.taken(scratch, lines.good, found.keys, index.lines, feed, earlier)
        step(1, 4, "writes the records")
        Records(spark, fs, feed, scratch.path(SURE), files.chunks, records, count).write(lines, found.bad_sure, taken)
        directories = {code: kept.directory for code, kept in taken.items()}
        settled = Settled(fs, files, feed, found.bad, directories, f"{goal}/settled")
        works: dict[str, Callable[[], object]] = {
            "writes the lines that are settled": partial(settled.write, spark, count),
            "looks at the columns": partial(profile, spark, fs, records, feed),
        }
        return do_each(works, step, 2, 4)


def _file_count(lines: int, tasks: int) -> int:
    """Files of a table of so many lines: as many as tasks, or twice and thrice as many, unless they would be small."""
    few = 1 + min(tasks - 1, lines // _SHARE_ROWS)
    return few * -(-(1 + lines // _FILE_ROWS) // few)


def _hold_if_too_many(rejected: int, lines: int, feed: RecordsFeed) -> None:
    if rejected > feed.max_rejected * lines:
        raise DropHeld(
            f"{rejected:,} of {lines:,} lines are rejected, more than the {feed.max_rejected:.1%} that are allowed.",
            "Have the client send a better file, or raise max_rejected and replay the drop.",
        )


def _write_warnings(spark: SparkSession, fs: FileSystem, goal: str, feed: RecordsFeed) -> int:
    """Writes the warnings of the records; returns how many records have any."""
    found = [
        F.when(
            F.coalesce(check.broken, F.lit(False)),
            F.struct(F.lit(check.code).alias("rule"), F.lit(check.message).alias("message")),
        )
        for check in warnings(feed)
    ]
    if not found:
        fs.make_directory(f"{goal}/warnings")
        return 0
    records = spark.read.schema(schema(records_ddl(feed))).parquet(fs.uri(f"{goal}/records"))
    each = records.select(*LINE, F.explode(F.array_compact(F.array(*found))).alias("_said"))
    rows = each.select(*LINE, "_said.rule", "_said.message").select(*_names(WARNINGS))
    rows.coalesce(1).write.parquet(fs.uri(f"{goal}/warnings"))
    written = spark.read.schema(schema(WARNINGS)).parquet(fs.uri(f"{goal}/warnings"))
    return int(written.select(*LINE).distinct().count())


def _names(ddl: str) -> list[str]:
    return [field.name for field in schema(ddl)]
