"""Drops of records, whole: what is accepted, what is told of the rest."""

from __future__ import annotations

import json
from datetime import datetime
from decimal import Decimal
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from conf.errors import DropHeld
from tests.spark_jobs.records.drops import HEADER, feed, validated

DROP = "a" * 64


def test_a_record_is_typed_and_derived(spark: SparkSession, tmp_path: Path) -> None:
    found = validated(spark, tmp_path / "d", HEADER + b" AB001 ,3,1.50,2026-11-02T10:00:00+02:00\n")
    assert found.records == [
        {
            "entry": 0,
            "line": 2,
            "corrects_drop": None,
            "corrects_line": None,
            "order_id": "ab001",
            "quantity": 3,
            "unit_price": Decimal("1.50"),
            "ordered_at": datetime(2026, 11, 2, 8),
            "total": Decimal("4.50"),
        }
    ]
    assert found.settled == []


def test_a_row_with_three_faults_names_all_three(spark: SparkSession, tmp_path: Path) -> None:
    (row,) = validated(spark, tmp_path / "d", HEADER + b"abc,0,,2026-11-28\n").settled
    assert [(one["column"], one["rule"], one["value"]) for one in row["faults"]] == [
        ("order_id", "value.pattern", "abc"),
        ("quantity", "value.min", "0"),
        ("unit_price", "value.missing", None),
        ("ordered_at", "value.future", "2026-11-28"),
    ]
    assert row["message"] == "order_id: the value does not look like [a-z]{2}[0-9]{3}."
    assert (row["outcome"], row["rule"], row["value"]) == ("quarantined", "value.pattern", "abc")
    assert row["faults"][1]["fix"] == "Correct the line and drop the rejects file again."
    assert row["fields"] == [
        ("Order ID", "abc"),
        ("quantity", "0"),
        ("unit_price", ""),
        ("ordered_at", "2026-11-28"),
    ]


def test_rules_across_columns_reject_or_warn(spark: SparkSession, tmp_path: Path) -> None:
    content = HEADER + b"ab001,1,0,\nab002,60,1,\nab003,,1,\nab004,50,0,\n"
    found = validated(spark, tmp_path / "d", content)
    assert found.rules == [(2, "row.not_free"), (5, "row.not_free")]
    assert found.settled[0]["faults"][0]["message"] == "An order costs something."
    assert found.warnings == [{"entry": 0, "line": 3, "rule": "row.large", "message": "This is a large order."}]
    assert found.counts.warned == 1


def test_a_mended_rejects_file_says_what_it_corrects(spark: SparkSession, tmp_path: Path) -> None:
    content = (
        b"Order ID,quantity,unit_price,ordered_at,_line,_rule,_message,_fix,_drop\n"
        b"ab001,1,1,,7,value.min,m,f," + DROP.encode() + b"\n"
        b"'=x,1,1,,8,value.min,m,f," + DROP.encode() + b"\n"
    )
    found = validated(spark, tmp_path / "d", content, of=feed(format="jsonl"))
    assert (found.records[0]["corrects_drop"], found.records[0]["corrects_line"]) == (DROP, "7")
    (row,) = found.settled
    assert (row["rule"], row["value"], row["corrects_line"]) == ("value.pattern", "=x", "8")
    assert dict(row["fields"]) == {"Order ID": "'=x", "quantity": "1", "unit_price": "1", "ordered_at": ""}


def test_json_lines(spark: SparkSession, tmp_path: Path) -> None:
    content = b"\n".join(
        [
            b'{"Order ID": "ab001", "quantity": 2, "unit_price": 1.10, "tags": ["a", 1.50]}',
            b'{"Order ID": "ab002", "unit_price": "1", "unit_price": 2}',
            b"[1]",
            b'{"Order ID": "ab003", "quantity": null, "unit_price": {"a": 1}}',
            b'{"Order ID": "ab004", "quantity": 1.5, "unit_price": 1e0}',
            b'{"Order ID": "\\ud800", "unit_price": true}',
        ]
    )
    found = validated(spark, tmp_path / "d", content, of=feed(format="jsonl"))
    assert [(row["order_id"], row["unit_price"]) for row in found.records] == [("ab001", Decimal("1.10"))]
    assert found.rules == [
        (2, "json.malformed"),
        (3, "json.malformed"),
        (4, "value.type"),
        (5, "value.type"),
        (6, "value.pattern"),
    ]
    assert dict(found.settled[2]["fields"]) == {"Order ID": "ab003", "unit_price": '{"a": 1}'}
    assert [one["rule"] for one in found.settled[3]["faults"]] == ["value.type", "value.type"]


def test_columns_in_another_order_new_and_missing(spark: SparkSession, tmp_path: Path) -> None:
    content = b"note,QUANTITY,Order ID,unit_price\nx,1,ab001,1\n"
    found = validated(spark, tmp_path / "d", content, of=feed(on_missing_column="tolerate"))
    assert (found.records[0]["order_id"], found.records[0]["ordered_at"]) == ("ab001", None)
    profile = json.loads((found.goal / "profile" / "profile.json").read_bytes())
    assert profile["drift"] == [{"entry": 0, "new": ["note"], "missing": ["ordered_at"], "reordered": True}]


@pytest.mark.parametrize(
    ("header", "changes", "told"),
    [
        (b"Order ID,quantity,unit_price\n", {}, "The file lacks columns: 'ordered_at'."),
        (
            b"Order ID,quantity,ordered_at\n",
            {"on_missing_column": "tolerate"},
            "lacks columns that must have values: 'unit_price'.",
        ),
        (HEADER[:-1] + b",note\n", {"on_new_column": "hold"}, "columns that the feed does not know: 'note'."),
        (b"quantity,Order ID,unit_price,ordered_at\n", {"on_reordered": "hold"}, "in another order than the feed's."),
    ],
)
def test_drift_holds_a_drop_where_the_feed_says_so(
    header: bytes, changes: dict[str, str], told: str, spark: SparkSession, tmp_path: Path
) -> None:
    with pytest.raises(DropHeld) as caught:
        validated(spark, tmp_path / "d", header, of=feed(**changes))
    assert told in caught.value.what


def test_keys_of_json_lines_are_told_and_new_ones_may_hold_a_drop(spark: SparkSession, tmp_path: Path) -> None:
    content = b'{"Order ID": "ab001", "quantity": null, "unit_price": 1, "note": "x"}\n[1]\n{"Order ID": "ab002"}'
    found = validated(spark, tmp_path / "d", content, of=feed(format="jsonl"))
    profile = json.loads((found.goal / "profile" / "profile.json").read_bytes())
    assert profile["drift"] == [{"entry": 0, "new": ["note"], "missing": ["ordered_at"], "reordered": False}]
    with pytest.raises(DropHeld, match="columns that the feed does not know: 'note'"):
        validated(spark, tmp_path / "e", content, of=feed(format="jsonl", on_new_column="hold"))


def test_more_rejects_than_allowed_hold_a_drop(spark: SparkSession, tmp_path: Path) -> None:
    content = HEADER + b"ab001,1,1,\nab002,1,1,\nab003,1,1,\nab004,0,1,\n"
    assert validated(spark, tmp_path / "d", content, of=feed(max_rejected="25%")).counts.quarantined == 1
    with pytest.raises(DropHeld, match=r"1 of 4 lines are rejected, more than the 24\.0% that are allowed\."):
        validated(spark, tmp_path / "e", content, of=feed(max_rejected="24%"))


@pytest.mark.parametrize("content", [b"", HEADER, b"\n\n"])
def test_a_file_without_records_is_no_fault(content: bytes, spark: SparkSession, tmp_path: Path) -> None:
    found = validated(spark, tmp_path / "d", content)
    assert tuple(found.counts) == (0, 0, 0, 0)


def test_a_csv_without_header_in_another_encoding_with_another_quote(spark: SparkSession, tmp_path: Path) -> None:
    columns = [{"name": "name"}, {"name": "city"}]
    of = feed(header=False, encoding="windows-1252", quote="'", delimiter=";", columns=columns, rules=[], key=[])
    content = "'Möller;\nx';Köln €\n".encode("cp1252") + b"a\x81;b\nonly one\n"
    found = validated(spark, tmp_path / "d", content, of=of)
    assert [(row["name"], row["city"]) for row in found.records] == [("Möller;\nx", "Köln €")]
    assert found.rules == [(3, "line.encoding"), (4, "csv.columns")]
    assert found.settled[0]["message"] == "The line is not WINDOWS-1252 (byte 2)."
    assert dict(found.settled[0]["fields"])["name"].startswith("base64:")


def test_the_profile_says_what_the_values_are_like(spark: SparkSession, tmp_path: Path) -> None:
    content = HEADER + b"ab001,1,1,\nab002,1,2.5,\nab003,7,2.5,2026-01-01\n"
    found = validated(spark, tmp_path / "d", content)
    profile = json.loads((found.goal / "profile" / "profile.json").read_bytes())
    columns = {column.pop("name"): column for column in profile["columns"]}
    assert profile["ok"] == profile["lines"] == 3
    assert columns["quantity"] == {
        "type": "int",
        "nulls": 0,
        "distinct": 2,
        "min": "1",
        "max": "7",
        "often": [{"value": "1", "count": 2}, {"value": "7", "count": 1}],
    }
    assert columns["ordered_at"]["nulls"] == 2
    assert (columns["order_id"]["shortest"], columns["order_id"]["mean_length"]) == (5, 5.0)
