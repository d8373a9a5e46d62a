"""The proof: every line of a drop has exactly one outcome, counted from the data itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pyspark.sql import DataFrame, Row, SparkSession
from pyspark.sql import functions as F  # noqa: N812

from conf.errors import ProofError
from conf.rules import RULES
from spark_jobs.star.load import LoadInputs
from spark_jobs.star.shape import spark_schema

_SHOWN = 10
_CLASSES = ("ok", "quarantined", "duplicate")
_FAULTS = {
    "missing": "without an outcome",
    "twice": "with more than one outcome",
    "fact": "of which the fact table says something else",
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


def prove(spark: SparkSession, lines: int, inputs: LoadInputs, fact: str) -> Proof:
    """Proves that the drop adds up: every line that Land counted is settled once, by one stage or by its picture, and
    the fact table says the same of it.

    Args:
        lines: how many lines Land counted.
        inputs: what Load read.
        fact: uri of fact_image_request.

    Returns:
        The counts.

    Raises:
        ProofError: naming some of the lines that are missing, settled twice, or told otherwise by the fact table.
    """
    accounts = _accounts(spark, inputs, fact)
    totals = accounts.groupBy("fault", "outcome", "rule").count().collect()
    if any(row.fault for row in totals):
        raise ProofError(_say_faults(inputs, totals, accounts), _FIX)
    _check_rules(inputs, totals)
    classes = {name: sum(row["count"] for row in totals if row.outcome == name) for name in _CLASSES}
    proof = Proof(sum(classes.values()), **classes, by_rule={row.rule: row["count"] for row in totals})
    if proof.lines != lines:
        raise ProofError(f"{_drop(inputs)} has {lines:,} lines, but {proof.lines:,} have an outcome.", _FIX)
    return proof


def _accounts(spark: SparkSession, inputs: LoadInputs, fact: str) -> DataFrame:
    """One row a line: entry, line, outcome, rule, and ``fault``, null if the line adds up."""
    line = ["entry", "line"]
    asked = inputs.read_requests(spark).select(*line)
    settled = inputs.read_settled(spark).select(*line, "outcome", "rule")
    pictures = (
        inputs.read_images(spark).where(F.col("rule") == "ok").select(*line, F.lit("ok").alias("outcome"), "rule")
    )
    told = spark.read.schema(spark_schema("fact_image_request")).parquet(fact).select(*line, "outcome", "rule")
    what = F.struct("outcome", "rule")
    seen = (
        asked.withColumn("source", F.lit("asked"))
        .unionByName(settled.unionByName(pictures).withColumn("source", F.lit("settled")), allowMissingColumns=True)
        .unionByName(told.withColumn("source", F.lit("told")), allowMissingColumns=True)
    )
    by_line = seen.groupBy(*line).agg(
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
    return by_line.select(*line, "settled.outcome", "settled.rule", fault.alias("fault"))


def _say_faults(inputs: LoadInputs, totals: list[Row], accounts: DataFrame) -> str:
    sentences = []
    for fault, says in _FAULTS.items():
        count = sum(row["count"] for row in totals if row.fault == fault)
        if count:
            some = accounts.where(F.col("fault") == fault).orderBy("entry", "line").limit(_SHOWN).collect()
            names = ", ".join(f"{row.entry}:{row.line}" for row in some) + (" …" if count > _SHOWN else "")
            sentences.append(f"{count:,} lines {says} (entry:line {names})")
    return f"{_drop(inputs)} does not add up: {'; '.join(sentences)}."


def _check_rules(inputs: LoadInputs, totals: list[Row]) -> None:
    wrong = [row for row in totals if row.rule not in RULES or RULES[row.rule].outcome != row.outcome]
    if wrong:
        pairs = ", ".join(f"{row.rule} as {row.outcome} ({row['count']:,} lines)" for row in wrong)
        raise ProofError(f"{_drop(inputs)} has outcomes that the rules do not know: {pairs}.", _FIX)


def _drop(inputs: LoadInputs) -> str:
    return f"Drop {inputs.drop.id[:12]} of feed {inputs.drop.feed}"
