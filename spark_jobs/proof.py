"""The proof: every line of a drop has exactly one outcome, counted from the data itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pyspark.sql import DataFrame, Row, SparkSession
from pyspark.sql import functions as F  # noqa: N812

from conf.errors import ProofError
from conf.rules import is_outcome
from spark_jobs.star.described import line_table
from spark_jobs.star.load import LoadInputs
from spark_jobs.star.reading import spark_schema as schema_of
from spark_jobs.star.records import RecordInputs
from spark_jobs.star.shape import spark_schema
from targets.register import Drop

_SHOWN = 10
_LINE = ("entry", "line")
_SAID = (*_LINE, "outcome", "rule")
_CLASSES = ("ok", "quarantined", "duplicate")
_FAULTS = {
    "missing": "without an outcome",
    "twice": "with more than one outcome",
    "fact": "of which the tables say something else",
}
_FIX = "Nothing was published. Rebuild the drop; if that does not help, report it with the run log."


@dataclass(frozen=True)
class Proof:
    """What the lines of a drop came to.

    Attributes:
        lines: ``ok + quarantined + duplicate``.
        by_rule: lines by rule, ``ok`` among them.
    """

    lines: int
    ok: int
    quarantined: int
    duplicate: int
    by_rule: Mapping[str, int]


@dataclass(frozen=True)
class Ledger:
    """What is said of the lines of one drop, of each entry and line.

    Attributes:
        drop: whose lines these are.
        asked: the lines that went on from Validate (entry, line); None where that settles a line.
        settled: outcome and rule of each line, as the stages settled it.
        told: outcome and rule of each line, as the tables say that readers get.
    """

    drop: Drop
    asked: DataFrame | None
    settled: DataFrame
    told: DataFrame


def ledger_of_images(spark: SparkSession, inputs: LoadInputs, fact: str) -> Ledger:
    """What is said of the lines of a catalogue.

    Args:
        inputs: what Load read.
        fact: uri of fact_image_request.
    """
    pictures = inputs.read_images(spark).where(F.col("rule") == "ok").withColumn("outcome", F.lit("ok"))
    return Ledger(
        drop=inputs.drop,
        asked=inputs.read_requests(spark).select(*_LINE),
        settled=inputs.read_settled(spark).select(*_SAID).unionByName(pictures.select(*_SAID)),
        told=spark.read.schema(spark_schema("fact_image_request")).parquet(fact).select(*_SAID),
    )


def ledger_of_records(spark: SparkSession, inputs: RecordInputs, fact: str, lines: str) -> Ledger:
    """What is said of the lines of a drop of records.

    Args:
        inputs: what Load read.
        fact, lines: uris of the tables of accepted records and of the other lines.
    """
    ok = {"outcome": F.lit("ok"), "rule": F.lit("ok")}
    seen = spark.read.schema(schema_of({"entry": "int", "line": "bigint"})).parquet(fact)
    others = spark.read.schema(schema_of(line_table(inputs.drop.feed).columns)).parquet(lines)
    return Ledger(
        drop=inputs.drop,
        asked=None,
        settled=inputs.read_settled(spark)
        .select(*_SAID)
        .unionByName(inputs.read_records(spark).withColumns(ok).select(*_SAID)),
        told=others.where(F.col("outcome") != "ok").select(*_SAID).unionByName(seen.withColumns(ok).select(*_SAID)),
    )


def prove(ledger: Ledger, lines: int) -> Proof:
    """Proves that the drop adds up: every line that Land counted is settled once, by one stage or by its picture, and
    the tables that readers get say the same of it.

    Args:
        lines: how many lines Land counted.

    Returns:
        The counts.

    Raises:
        ProofError: naming some of the lines that are missing, settled twice, or told otherwise by the tables.
    """
    accounts = _accounts(ledger)
    totals = accounts.groupBy("fault", "outcome", "rule").count().collect()
    if any(row.fault for row in totals):
        raise ProofError(_say_faults(ledger, totals, accounts), _FIX)
    _check_rules(ledger, totals)
    classes = {name: sum(row["count"] for row in totals if row.outcome == name) for name in _CLASSES}
    proof = Proof(sum(classes.values()), **classes, by_rule={row.rule: row["count"] for row in totals})
    if proof.lines != lines:
        raise ProofError(f"{_drop(ledger)} has {lines:,} lines, but {proof.lines:,} have an outcome.", _FIX)
    return proof


def _accounts(ledger: Ledger) -> DataFrame:
    """One row a line: entry, line, outcome, rule, and ``fault``, null if the line adds up."""
    what = F.struct("outcome", "rule")
    seen = ledger.settled.withColumn("source", F.lit("settled")).unionByName(
        ledger.told.withColumn("source", F.lit("told"))
    )
    if ledger.asked is not None:
        seen = seen.unionByName(ledger.asked.withColumn("source", F.lit("asked")), allowMissingColumns=True)
    by_line = seen.groupBy(*_LINE).agg(
        F.count_if(F.col("source") == "asked").alias("requests"),
        F.count_if(F.col("source") == "settled").alias("outcomes"),
        F.count_if(F.col("source") == "told").alias("facts"),
        F.max(F.when(F.col("source") == "settled", what)).alias("settled"),
        F.max(F.when(F.col("source") == "told", what)).alias("told"),
    )
    fault = (
        F.when((F.col("outcomes") == 0) & (F.col("requests") > 0), "missing")
        .when(F.col("outcomes") > 1, "twice")
        .when((F.col("facts") != 1) | ~F.col("settled").eqNullSafe(F.col("told")), "fact")
    )
    return by_line.select(*_LINE, "settled.outcome", "settled.rule", fault.alias("fault"))


def _say_faults(ledger: Ledger, totals: list[Row], accounts: DataFrame) -> str:
    sentences = []
    for fault, says in _FAULTS.items():
        count = sum(row["count"] for row in totals if row.fault == fault)
        if count:
            some = accounts.where(F.col("fault") == fault).orderBy("entry", "line").limit(_SHOWN).collect()
            names = ", ".join(f"{row.entry}:{row.line}" for row in some) + (" …" if count > _SHOWN else "")
            sentences.append(f"{count:,} lines {says} (entry:line {names})")
    return f"{_drop(ledger)} does not add up: {'; '.join(sentences)}."


def _check_rules(ledger: Ledger, totals: list[Row]) -> None:
    wrong = [row for row in totals if not is_outcome(row.rule, row.outcome)]
    if wrong:
        pairs = ", ".join(f"{row.rule} as {row.outcome} ({row['count']:,} lines)" for row in wrong)
        raise ProofError(f"{_drop(ledger)} has outcomes that the rules do not know: {pairs}.", _FIX)


def _drop(ledger: Ledger) -> str:
    return f"Drop {ledger.drop.id[:12]} of feed {ledger.drop.feed}"
