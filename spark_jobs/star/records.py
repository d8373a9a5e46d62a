"""Load of a feed of records: reads what Validate made of one drop, writes its star."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC
from functools import partial

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812

from conf.feeds.columns import Column as FeedColumn
from conf.rules import rule
from spark_jobs.at_once import do_each
from spark_jobs.progress import Step, silent
from spark_jobs.records import shape as written
from spark_jobs.star import keys
from spark_jobs.star.described import dimension_table, dimensions, fact_name, fact_table, line_name, line_table
from spark_jobs.star.dimensions import dim_date, dim_drop
from spark_jobs.star.reading import spark_schema
from spark_jobs.star.shape import shape
from spark_jobs.star.tables import SCHEMA_VERSION
from spark_jobs.tables import in_few_files
from targets.register import Drop
from targets.tables import Table

# A drop whose records lie in more periods than this is partitioned by a longer one: a directory and a file at least
# for each would be more than a NameNode, and whoever opens the files, should bear.
MOST_PERIODS = 120
_PERIODS = {"day": "yyyy-MM-dd", "month": "yyyy-MM", "year": "yyyy"}
_RULES = "code string, class string, family string, message string, what_to_do string"
_FAULT = ("column", "rule", "value", "message", "fix")


@dataclass(frozen=True)
class RecordInputs:
    """Where the tables lie that Validate made of one drop, as Spark knows them (``FileSystem.uri``).

    Attributes:
        records, settled, warnings: the tables of ``spark_jobs.records.shape``.
        drop: whose tables these are.
    """

    records: str
    settled: str
    warnings: str
    drop: Drop

    def read_records(self, spark: SparkSession) -> DataFrame:
        return spark.read.schema(written.schema(written.records_ddl(self.drop.records))).parquet(self.records)

    def read_settled(self, spark: SparkSession) -> DataFrame:
        return spark.read.schema(written.schema(written.SETTLED)).parquet(self.settled)

    def read_warnings(self, spark: SparkSession) -> DataFrame:
        return spark.read.schema(written.schema(written.WARNINGS)).parquet(self.warnings)


def load_records(spark: SparkSession, inputs: RecordInputs, goal: str, step: Step = silent) -> dict[str, int]:
    """Writes the star of one drop, one sub-directory of ``goal`` a table.

    Args:
        step: told how far it is.

    Returns:
        What came of it, counted from the files written: lines, ok, quarantined, duplicate, warned.
    """
    drop = inputs.drop
    records, settled, warnings = (
        read(spark) for read in (inputs.read_records, inputs.read_settled, inputs.read_warnings)
    )
    fact, lines = fact_name(drop.feed), line_name(drop.feed)
    steps = 5 + len(dimensions(drop.records))
    step(0, steps, f"writes {fact}")
    _write_fact(fact_records(records, drop), drop, f"{goal}/{fact}")
    step(1, steps, f"writes {lines}")
    in_few_files(fact_lines(settled, warnings, drop)).write.parquet(f"{goal}/{lines}")
    told = spark.read.schema(spark_schema(line_table(drop.feed).columns)).parquet(f"{goal}/{lines}")
    small: dict[str, Callable[[], DataFrame]] = {
        **{f"dim_{column.name}": partial(dim_column, records, column) for column in dimensions(drop.records)},
        "dim_outcome": lambda: dim_outcome(spark, told, drop),
        "dim_date": lambda: dim_date(spark, drop.receipt),
        "dim_drop": lambda: dim_drop(spark, drop),
    }

    def write(name: str) -> None:
        small[name]().coalesce(1).write.parquet(f"{goal}/{name}")

    do_each({f"writes {name}": partial(write, name) for name in small}, step, 2, steps)
    return _counts(spark, goal, drop, told)


def fact_records(records: DataFrame, drop: Drop) -> DataFrame:
    """Accepted records -> the fact table, and which drop each is of, which readers do not see but order records by."""
    received = drop.received.astimezone(UTC).replace(tzinfo=None)
    added = {
        "date_key": keys.date_key(F.lit(drop.receipt)),
        "drop_key": keys.drop_key(F.lit(drop.id)),
        "received": F.lit(received.isoformat(sep=" ")).cast("timestamp_ntz"),
        **{f"{column.name}_key": keys.member_key(F.col(column.name)) for column in dimensions(drop.records)},
    }
    return _shaped(records.withColumns(added), fact_table(drop.feed, drop.records)).withColumn("drop", F.lit(drop.id))


def fact_lines(settled: DataFrame, warnings: DataFrame, drop: Drop) -> DataFrame:
    """Settled lines, and accepted ones that met a warning -> the line table."""
    nothing = {name: F.lit(None).cast("string") for name in ("column", "value", "fix")}
    fault = F.struct(*(nothing.get(name, F.col(name)).alias(name) for name in _FAULT))
    by_line = warnings.groupBy("entry", "line").agg(F.array_sort(F.collect_list(fault)).alias("faults"))
    first = {name: F.col("faults")[0][name] for name in ("rule", "message")}
    warned = by_line.withColumns({"outcome": F.lit("ok"), **first})
    told = settled.unionByName(warned, allowMissingColumns=True).withColumns(
        {
            "date_key": keys.date_key(F.lit(drop.receipt)),
            "drop_key": keys.drop_key(F.lit(drop.id)),
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


def _write_fact(fact: DataFrame, drop: Drop, goal: str) -> None:
    """Writes the fact table, by event time if the feed asks for it, in as few files as its bytes ask for."""
    column = drop.records.partition_by
    period = column and _period(fact, column, drop.records.period)
    if not column or not period:
        in_few_files(fact).write.parquet(goal)
        return
    name = f"{column}_{period}"
    dated = fact.withColumn(name, F.date_format(column, _PERIODS[period]))
    in_few_files(dated, F.col(name)).sortWithinPartitions(name, "entry", "line").write.partitionBy(name).parquet(goal)


def _period(fact: DataFrame, column: str, wanted: str) -> str | None:
    """The period wanted, or the next longer one of which there are few enough; None: even the years are too many."""
    names = list(_PERIODS)[list(_PERIODS).index(wanted) :]
    found = fact.agg(*(F.countDistinct(F.date_format(column, _PERIODS[name])).alias(name) for name in names)).first()
    assert found is not None
    return next((name for name in names if found[name] <= MOST_PERIODS), None)


def _shaped(rows: DataFrame, table: Table) -> DataFrame:
    """Rows with at least the table's columns -> exactly these, stamped with the schema version."""
    return rows.withColumn("schema_version", F.lit(SCHEMA_VERSION)).select(*_cast(table))


def _cast(table: Table) -> Iterator[Column]:
    return (F.col(field.name).cast(field.dataType) for field in spark_schema(table.columns))


def _counts(spark: SparkSession, goal: str, drop: Drop, told: DataFrame) -> dict[str, int]:
    fact = spark.read.schema(spark_schema({"line": "bigint"})).parquet(f"{goal}/{fact_name(drop.feed)}")
    by_outcome = {row.outcome: row["count"] for row in told.groupBy("outcome").count().collect()}
    counts = {"ok": fact.count(), **{name: by_outcome.get(name, 0) for name in ("quarantined", "duplicate")}}
    return {"lines": sum(counts.values()), **counts, "warned": by_outcome.get("ok", 0)}
