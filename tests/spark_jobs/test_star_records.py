"""The star of one drop of records: what is written, and what the proof, the receipt and the rejects say of it."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow.dataset as ds
import pytest
from pyspark.sql import SparkSession

from conf.errors import ProofError
from spark_jobs import receipt
from spark_jobs.proof import Proof, ledger_of_records, prove
from spark_jobs.rejected import Rejected
from spark_jobs.star.described import feed_tables, line_table
from spark_jobs.star.reading import spark_schema
from spark_jobs.star.records import RecordInputs, load_records
from targets.column_types import arrow_schema
from tests.record_tables import fault, order_drop, orders, record, settled, warning, write_records
from tests.star_keys import key

pytestmark = pytest.mark.spark
OF = order_drop()
THREE = (fault("country", "value.one_of", "XX"), fault("total", "value.type", "=1"), fault("total", "value.missing"))


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> RecordInputs:
    """Six lines: 1, 2 and 5 accepted, 5 with a warning; 3 has three faults, 4 repeats 1, 6 has no columns."""
    return write_records(
        tmp_path_factory.mktemp("inputs"),
        OF,
        [record(1), record(2, country=None), record(5, country="BE")],
        [
            settled(3, *THREE),
            settled(4, first_entry=0, first_line=1),
            settled(6, fault(None, "csv.columns"), fields={"Order ID": "a,b"}, corrects_line="9"),
        ],
        [warning(5)],
    )


@pytest.fixture(scope="module")
def star(spark: SparkSession, inputs: RecordInputs, tmp_path_factory: pytest.TempPathFactory) -> Path:
    goal = tmp_path_factory.mktemp("star") / "goal"
    counts = load_records(spark, inputs, str(goal))
    assert counts == {"lines": 6, "ok": 3, "quarantined": 2, "duplicate": 1, "warned": 1}
    return goal


def rows(star: Path, table: str) -> list[dict[str, Any]]:
    found = ds.dataset(star / table, format="parquet", partitioning=None).to_table().to_pylist()
    return sorted(found, key=lambda row: row.get("line", 0))


def ledger(inputs: RecordInputs, star: Path) -> Any:
    return ledger_of_records(inputs, f"{star}/fact_orders", f"{star}/fact_orders_line")


def test_an_accepted_record_says_where_it_is_from(star: Path) -> None:
    first, second, _ = rows(star, "fact_orders")
    assert first["drop_key"] == key(OF.id)
    assert first["date_key"] == key("2026-02-28")
    assert (first["country_key"], second["country_key"]) == (key("NL"), None)
    assert first["received"] == OF.received.replace(tzinfo=None)
    assert (first["drop"], first["line"], first["order_id"], str(first["total"])) == (OF.id, 1, "o1", "12.50")


def test_other_lines_are_explained(star: Path) -> None:
    three, repeated, warned, broken = rows(star, "fact_orders_line")
    assert [(one["column"], one["rule"], one["value"]) for one in three["faults"]] == [
        ("country", "value.one_of", "XX"),
        ("total", "value.type", "=1"),
        ("total", "value.missing", None),
    ]
    assert (repeated["outcome"], repeated["first_line"]) == ("duplicate", 1)
    assert (warned["outcome"], warned["rule"], len(warned["faults"])) == ("ok", "row.cheap", 1)
    assert (broken["rule"], broken["corrects_line"]) == ("csv.columns", "9")


def test_dimensions_hold_what_the_drop_brings(star: Path) -> None:
    assert {row["country"]: row["country_key"] for row in rows(star, "dim_country")} == {
        "NL": key("NL"),
        "BE": key("BE"),
    }
    outcomes = {row["code"]: row for row in rows(star, "dim_outcome")}
    assert set(outcomes) == {"value.one_of", "duplicate.in_drop", "row.cheap", "csv.columns"}
    assert (outcomes["row.cheap"]["class"], outcomes["row.cheap"]["message"]) == ("ok", "It costs {much}.")
    assert {row["outcome_key"] for row in rows(star, "fact_orders_line")} == {
        row["outcome_key"] for row in outcomes.values()
    }
    assert [row["drop"] for row in rows(star, "dim_drop")] == [OF.id]


def test_files_have_the_columns_of_their_description(star: Path) -> None:
    described = feed_tables("orders", OF.records)
    assert {path.name for path in star.iterdir()} == set(described)
    for name, table in described.items():
        found = ds.dataset(star / name, format="parquet").schema
        hidden = ["drop"] if name == "fact_orders" else []
        assert found.names == [*table.columns, *hidden]
        assert [found.field(column).type for column in table.columns] == arrow_schema(table.columns).types


def test_a_drop_without_lines_has_a_star(spark: SparkSession, tmp_path: Path) -> None:
    of = order_drop(config=orders(partition_by="ordered_at"))
    counts = load_records(spark, write_records(tmp_path / "in", of), f"{tmp_path}/goal")
    assert set(counts.values()) == {0}
    assert {path.name for path in (tmp_path / "goal").iterdir()} == set(feed_tables("orders", of.records))


def test_a_drop_that_adds_up_is_counted(spark: SparkSession, inputs: RecordInputs, star: Path) -> None:
    by_rule = {"ok": 3, "value.one_of": 1, "csv.columns": 1, "duplicate.in_drop": 1}
    assert prove(spark, ledger(inputs, star), 6) == Proof(6, 3, 2, 1, by_rule)


def test_what_does_not_add_up_is_no_proof(
    spark: SparkSession, inputs: RecordInputs, star: Path, tmp_path: Path
) -> None:
    with pytest.raises(ProofError, match="has 7 lines, but 6 have an outcome"):
        prove(spark, ledger(inputs, star), 7)
    twice = write_records(tmp_path / "twice", OF, [record(1), record(2), record(5)], [settled(1, *THREE)])
    with pytest.raises(ProofError, match=r"1 lines with more than one outcome \(entry:line 0:1\)"):
        prove(spark, ledger(replace(inputs, settled=twice.settled), star), 4)
    fewer = write_records(tmp_path / "fewer", OF, [record(1), record(2)])
    with pytest.raises(ProofError, match=r"1 lines of which the tables say something else \(entry:line 0:5\)"):
        prove(spark, ledger(replace(inputs, records=fewer.records), star), 5)


def test_the_rejects_have_the_clients_columns_and_all_faults(inputs: RecordInputs) -> None:
    file = io.BytesIO()
    header = ["Order ID", "country", "extra", "total"]
    assert Rejected.of_records(inputs, False, header).write(file, 2) == 2
    three, broken = csv.DictReader(io.StringIO(file.getvalue().decode(), newline=""))
    assert list(three) == [*header, "_line", "_rule", "_message", "_fix", "_drop"]
    assert three["_rule"] == "value.one_of; value.type; value.missing"
    assert three["_message"] == "country: wrong. total: wrong. total: wrong."
    assert (three["Order ID"], three["total"], three["extra"], three["_line"]) == ("o3", "=1", "", "3")
    assert (broken["Order ID"], broken["_rule"], broken["_drop"]) == ("a,b", "csv.columns", OF.id)


def test_without_a_header_the_rejects_have_the_feeds_attributes(inputs: RecordInputs) -> None:
    file = io.BytesIO()
    Rejected.of_records(inputs, False, []).write(file, 2)
    assert file.getvalue().decode().startswith("Order ID,country,ordered_at,total,_line,")


def test_a_receipt_tells_the_faults_of_each_column(spark: SparkSession, star: Path) -> None:
    told = spark.read.schema(spark_schema(line_table("orders").columns)).parquet(f"file://{star}/fact_orders_line")
    found = receipt.of_records(told)
    assert [(one["column"], one["rule"], one["lines"]) for one in found["columns"]] == [
        ("country", "value.one_of", 1),
        ("total", "value.missing", 1),
        ("total", "value.type", 1),
    ]
    assert found["warnings"] == [{"rule": "row.cheap", "lines": 1, "message": "It costs {much}."}]
