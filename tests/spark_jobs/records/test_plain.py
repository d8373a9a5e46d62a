"""What is sure of a line is what Spark says of it."""

from __future__ import annotations

import random
from contextlib import ExitStack
from typing import Any

import pyarrow as pa
import pytest
from pyspark.sql import SparkSession
from pyspark.sql.pandas.types import from_arrow_schema

from conf.feeds import RecordsFeed
from spark_jobs.records.checked import checked
from spark_jobs.records.clean import cleaned
from spark_jobs.records.plain import Plain
from spark_jobs.records.reading import Lines
from spark_jobs.records.shape import TEXT, text_schema
from targets.register import Drop
from tests.spark_jobs.records.drops import RECEIVED, feed
from tests.spark_jobs.records.test_rules import CASES

COLUMNS = {
    **{name: how for name, (how, _, _) in CASES.items()},
    "any": {},
    "digits": {"type": "long", "length": [1, 3], "pattern": r"\d+"},
    "count": {"type": "decimal(6,0)", "max": 5000},
    "ratio": {"type": "double", "min": -1.5},
    "when": {"type": "timestamp", "min": "2026-01-01 00:00:00.5"},
    "any_case": {"pattern": "(?i)[jk]{2}[^k]?"},
    "flag": {"type": "bool", "one_of": [True]},
    "german": {"type": "date", "format": "dd.MM.yyyy", "min": "2026-01-02"},
    "packed": {"type": "date", "format": "yyyyMMdd"},
    "dated": {"type": "date", "format": "yyyy-MM-dd HH:mm"},
    "minute": {"type": "timestamp", "format": "dd/MM/yyyy HH:mm", "not_in_future": True},
    "second": {"type": "timestamp", "format": "yyyy-MM-dd'T'HH:mm:ss"},
    "midnight": {"type": "timestamp", "format": "MM/dd/yyyy"},
}
ALPHABET = [*"0123456789+-. :TZeE", *"abkrsxtfnyoK", "\u212a", "é", "\n", "\t", "\u0660", "19", "20", "-02-29", "10:00"]


def feed_of(columns: dict[str, dict[str, Any]]) -> RecordsFeed:
    return feed(columns=[{"name": name, **how} for name, how in columns.items()], rules=[], key=[], nulls=["-"])


def lines_of(texts: list[str | None], of: RecordsFeed) -> pa.RecordBatch:
    """One line a text, of a feed with one column."""
    place = {"_range": 0, "entry": 0}
    rows = [{**place, "line": number, "_0": text} for number, text in enumerate(texts)]
    lines = pa.RecordBatch.from_pylist(rows, schema=text_schema(of))
    return lines.set_column(len(TEXT), lines.schema.field("_0"), cleaned(lines["_0"], of.read[0].clean, of.nulls))


def mutated(text: str, chance: random.Random) -> str:
    """A text with one or two characters added, left out or changed."""
    for _ in range(chance.randint(1, 2)):
        at = chance.randint(0, len(text))
        text = text[:at] + chance.choice(["", *ALPHABET]) + text[at + chance.randint(0, 1) :]
    return text


def texts_of(name: str, seed: int) -> list[str | None]:
    chance = random.Random(f"{name} {seed}")
    known = [text for _, taken, wrong in CASES.values() for text in (*taken, *wrong)]
    known += [
        "2026-02-28 23:59:59.123456",
        "2024-02-29",
        "1899-12-31",
        "-0",
        "12.3456",
        "0.5",
        "99999",
        "-1.5",
        "kk",
        "k\u212a",
        "kkj",
    ]
    known += [
        "01.02.2026",
        "31.12.2025",
        "29.02.2024",
        "31.04.2026",
        "20260228",
        "20260231",
        "02/28/2026",
        "13/01/2026",
    ]
    known += ["2026-02-28 23:59", "28/02/2026 00:00", "31/12/2026 23:59", "2026-02-28T23:59:59", "2026-02-28T24:00:00"]
    known += ["123456789012345678", "2026-04-31", "2026-01-01T00:00", "2026-01-01 24:00", "1e5", "true"]
    return [None, *known, *(mutated(chance.choice(known), chance) for _ in range(150))]


@pytest.mark.parametrize("name", COLUMNS)
def test_what_is_sure_is_what_spark_says(name: str, spark: SparkSession) -> None:
    of = feed_of({name: COLUMNS[name]})
    drop = Drop("d" * 64, "acme", "orders", "o.csv", "u", 1, RECEIVED, of)
    lines = lines_of(texts_of(name, 7), of)
    sure, others = Plain(of, RECEIVED).parted(lines)
    assert sure.num_rows + others.num_rows == lines.num_rows
    assert sure.num_rows > 0
    with ExitStack() as held:
        schema = from_arrow_schema(lines.schema)
        texts = spark.createDataFrame(pa.Table.from_batches([lines]), schema)  # type: ignore[call-overload]
        good = checked(Lines(texts, None), drop, held).good.select("line", name).collect()
    said = {row["line"]: row[name] for row in good}
    assert {row["line"]: row[name] for row in sure.to_pylist()}.items() <= said.items()


@pytest.mark.parametrize(
    ("how", "text", "value"),
    [
        ({"type": "int"}, "-007", "-7"),
        ({"type": "long"}, "123456789012", "123456789012"),
        ({"type": "decimal(8,2)"}, "-12.5", "-12.50"),
        ({"type": "double"}, "0.1", "0.1"),
        ({"type": "bool"}, "Yes", "True"),
        ({"type": "date"}, "2026-12-31", "2026-12-31"),
        ({"type": "timestamp"}, "2026-12-31T23:59:59.5", "2026-12-31 23:59:59.500000"),
        ({"type": "timestamp"}, "2026-12-31", "2026-12-31 00:00:00"),
        ({"pattern": "[a-z]{2}[0-9]+"}, "ab1", "ab1"),
        ({"type": "date", "format": "dd.MM.yyyy"}, "31.12.2026", "2026-12-31"),
        ({"type": "date", "format": "yyyyMMdd HHmm"}, "20260227 2359", "2026-02-27"),
        ({"type": "timestamp", "format": "MM/dd/yyyy HH:mm:ss"}, "02/27/2026 23:59:58", "2026-02-27 23:59:58"),
        ({"type": "timestamp", "format": "dd. MM. yyyy 'um' HH:mm"}, "27. 02. 2026 um 08:05", "2026-02-27 08:05:00"),
        ({}, "é\n", "é"),
        ({"type": "int"}, "", "None"),
    ],
)
def test_plain_texts_are_sure(how: dict[str, Any], text: str, value: str) -> None:
    of = feed_of({"c": how})
    sure, _ = Plain(of, RECEIVED).parted(lines_of([text], of))
    assert [str(row["c"]) for row in sure.to_pylist()] == [value]


@pytest.mark.parametrize(
    "how",
    [
        {"type": "date", "format": "d.M.yyyy"},  # Spark's letters
        {"type": "date", "format": "dd MMM yyyy"},
        {"type": "date", "format": "MM.yyyy"},
        {"type": "timestamp", "format": "yyyy-MM-dd HH"},
        {"type": "timestamp", "format": "yyyy-MM-dd[ HH:mm]"},
        {"type": "timestamp", "format": "yyyy-MM-dd HH:mm:ss.SSS"},
        {"type": "timestamp", "format": "yyyy-MM-dd mm:HH:ss yyyy"},
        {"pattern": "a?+b"},  # RE2 does not know a repeat that gives nothing back
        {"pattern": "é"},
        {"type": "decimal(4,4)"},  # a text may have no digit before the point
    ],
)
def test_of_a_feed_whose_columns_only_spark_knows_nothing_is_sure(how: dict[str, Any]) -> None:
    of = feed_of({"c": how, "d": {}})
    lines = lines_of(["ab", "01.01.2026", None], of)
    sure, others = Plain(of, RECEIVED).parted(lines)
    assert (sure.num_rows, others) == (0, lines)


def test_a_line_that_is_no_record_is_not_sure() -> None:
    of = feed_of({"c": {}})
    lines = lines_of([None, None], of)
    lines = lines.set_column(5, lines.schema.field("_rule"), pa.array([None, "csv.columns"]))
    sure, others = Plain(of, RECEIVED).parted(lines)
    assert (sure["line"].to_pylist(), others["line"].to_pylist()) == ([0], [1])
