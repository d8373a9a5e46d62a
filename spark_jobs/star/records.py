"""Load of a feed of records: reads what Validate made of one drop, writes its star."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC
from functools import partial

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812
from pyspark.sql.pandas.types import from_arrow_schema

from conf.feeds.columns import Column as FeedColumn
from conf.rules import rule
from spark_jobs.at_once import do_each
from spark_jobs.files import count_rows, write_table
from spark_jobs.progress import Step, silent
from spark_jobs.records import shape as written
from spark_jobs.star import keys
from spark_jobs.star.described import dimension_table, dimensions, fact_name, fact_table, line_name, line_table
from spark_jobs.star.dimensions import dim_date, dim_drop
from spark_jobs.star.periods import FORMATS
from spark_jobs.star.reading import spark_schema
from spark_jobs.star.record_facts import Facts, distinct_days
from spark_jobs.star.shape import shape
from spark_jobs.star.tables import SCHEMA_VERSION
from spark_jobs.tables import in_few_files
from targets.column_types import arrow_schema
from targets.filesystem import FileSystem
from targets.register import Drop
from targets.tables import Table

# A drop whose records lie in more periods than this is partitioned by a longer one: a directory and a file at least
# for each would be more than a NameNode, and whoever opens the files, should bear.
MOST_PERIODS = 120
_RULES = "code string, class string, family string, message string, what_to_do string"
_FAULT = ("column", "rule", "value", "message", "fix")


@dataclass(frozen=True)
class RecordInputs:
    """Where the tables lie that Validate made of one drop.

    Attributes:
        records, settled, warnings: paths of the tables of ``spark_jobs.records.shape``.
        drop: whose tables these are.
    """

    fs: FileSystem
    records: str
    settled: str
    warnings: str
    drop: Drop

    def read_records(self, spark: SparkSession) -> DataFrame:
        return spark.read.schema(written.schema(written.records_ddl(self.drop.records))).parquet(
            self.fs.uri(self.records)
        )

    def read_settled(self, spark: SparkSession) -> DataFrame:
        return spark.read.schema(from_arrow_schema(written.SETTLED)).parquet(self.fs.uri(self.settled))

    def read_warnings(self, spark: SparkSession) -> DataFrame:
        return spark.read.schema(written.schema(written.WARNINGS)).parquet(self.fs.uri(self.warnings))


def load_records(spark: SparkSession, inputs: RecordInputs, goal: str, step: Step = silent) -> dict[str, int]:
    """Writes the star of one drop, one sub-directory of ``goal`` (a path) a table.

    Args:
        step: told how far it is.

    Returns:
        What came of it, counted from or with the files written: lines, ok, quarantined, duplicate, warned.
    """
    drop, fs = inputs.drop, inputs.fs
    records, settled, warnings = (
        read(spark) for read in (inputs.read_records, inputs.read_settled, inputs.read_warnings)
    )
    fact, lines = fact_name(drop.feed), line_name(drop.feed)
    members = {column.name: f"dim_{column.name}" for column in dimensions(drop.records)}

    def write(rows: DataFrame, name: str) -> None:
        rows.write.parquet(fs.uri(f"{goal}/{name}"))

    def write_small(make: Callable[[], DataFrame], name: str) -> None:
        write(make().coalesce(1), name)

    steps = 5 + len(members)
    first: dict[str, Callable[[], object]] = {
        f"writes {lines}": lambda: write(in_few_files(fact_lines(settled, warnings, drop)), lines),
        **{
            f"writes dim_{column.name}": partial(
                write_small, partial(dim_column, records, column), f"dim_{column.name}"
            )
            for column in dimensions(drop.records)
        },
    }
    do_each(first, step, 0, steps)
    told = spark.read.schema(spark_schema(line_table(drop.feed).columns)).parquet(fs.uri(f"{goal}/{lines}"))
    then: dict[str, Callable[[], object]] = {
        f"writes {fact}": lambda: write_fact(
            spark, inputs, {name: f"{goal}/{table}" for name, table in members.items()}, f"{goal}/{fact}"
        ),
        "writes dim_outcome": partial(write_small, lambda: dim_outcome(spark, told, drop), "dim_outcome"),
        "writes dim_date": partial(write_table, fs, f"{goal}/dim_date", dim_date(drop.receipt)),
        "writes dim_drop": partial(write_table, fs, f"{goal}/dim_drop", dim_drop(drop)),
    }
    ok, *_ = do_each(then, step, len(first), steps)
    return _counts(ok, told)


def fact_lines(settled: DataFrame, warnings: DataFrame, drop: Drop) -> DataFrame:
    """Settled lines, and accepted ones that met a warning -> the line table."""
    nothing = {name: F.lit(None).cast("string") for name in ("column", "value", "fix")}
    fault = F.struct(*(nothing.get(name, F.col(name)).alias(name) for name in _FAULT))
    by_line = warnings.groupBy("entry", "line").agg(F.array_sort(F.collect_list(fault)).alias("faults"))
    first = {name: F.col("faults")[0][name] for name in ("rule", "message")}
    warned = by_line.withColumns({"outcome": F.lit("ok"), **first})
    told = settled.unionByName(warned, allowMissingColumns=True).withColumns(
        {
            "date_key": F.lit(keys.date_key(drop.receipt)),
            "drop_key": F.lit(keys.drop_key(drop.id)),
            "outcome_key": keys.outcome_key(F.col("rule")),
        }
    )
    return _shaped(told, line_table(drop.feed))


def dim_column(records: DataFrame, column: FeedColumn) -> DataFrame:
    """The values of a column, each once."""
    value = F.col(column.name)
    members = records.where(value.isNotNull()).select(value).distinct()
    return _shaped(members.withColumn(f"{column.name}_key", keys.member_key(value)), dimension_table(column))


def dim_outcome(spark: SparkSession, told: DataFrame, drop: Drop) -> DataFrame:
    """The line table -> the rules that the drop's lines met, with what the house or the feed knows of them."""
    says = {f"row.{check.name}": check.message for check in drop.records.rules}
    met = told.select("outcome", "rule").distinct().collect()
    rules = [(row.outcome, rule(row.rule)) for row in met]
    known = [(one.code, outcome, one.family, says.get(one.code, one.summary), one.fix) for outcome, one in rules]
    members = spark.createDataFrame(known, _RULES)
    return shape(members.withColumn("outcome_key", keys.outcome_key(F.col("code"))), "dim_outcome")


def write_fact(spark: SparkSession, inputs: RecordInputs, members: Mapping[str, str], goal: str) -> int:
    """Writes the fact table, by event time if the feed asks for it; returns its rows. Beside the columns that readers
    see it has the drop's id, by which records are put in order.
    """
    drop, fs = inputs.drop, inputs.fs
    same = {"date_key": keys.date_key(drop.receipt), "drop_key": keys.drop_key(drop.id)}
    received = drop.received.astimezone(UTC).replace(tzinfo=None)
    column = drop.records.partition_by
    days = distinct_days(spark, fs, inputs.records, column) if column else set()
    period, periods = _period(days, drop.records.period)
    facts = Facts(
        fs,
        inputs.records,
        arrow_schema({**fact_table(drop.feed, drop.records).columns, "drop": "string"}),
        {**same, "received": received, "drop": drop.id, "schema_version": SCHEMA_VERSION},
        members,
        (column, period) if column and period else None,
    )
    return facts.write(spark, goal, count_rows(fs, inputs.records), periods)


def _period(days: Collection[str], wanted: str) -> tuple[str | None, int]:
    """The period wanted, or the next longer one of which there are few enough, and how many there are; None: even the
    years are too many.

    Args:
        days: as ``2026-11-28``.
    """
    names = list(FORMATS)
    for name in names[names.index(wanted) :]:
        count = len({day.rsplit("-", names.index(name))[0] for day in days})
        if count <= MOST_PERIODS:
            return name, max(1, count)
    return None, 1


def _shaped(rows: DataFrame, table: Table) -> DataFrame:
    """Rows with at least the table's columns -> exactly these, stamped with the schema version."""
    return rows.withColumn("schema_version", F.lit(SCHEMA_VERSION)).select(*_cast(table))


def _cast(table: Table) -> Iterator[Column]:
    return (F.col(field.name).cast(field.dataType) for field in spark_schema(table.columns))


def _counts(ok: int, told: DataFrame) -> dict[str, int]:
    by_outcome = {row.outcome: row["count"] for row in told.groupBy("outcome").count().collect()}
    counts = {"ok": ok, **{name: by_outcome.get(name, 0) for name in ("quarantined", "duplicate")}}
    return {"lines": sum(counts.values()), **counts, "warned": by_outcome.get("ok", 0)}
