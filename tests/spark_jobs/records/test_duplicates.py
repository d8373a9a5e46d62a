"""Lines whose key comes again, in drops that are validated whole: which one stays, and what is told of the others."""

from __future__ import annotations

from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from spark_jobs.records import Earlier
from tests.spark_jobs.records.drops import HEADER, feed, validated

DROP = "a" * 64


@pytest.mark.parametrize(
    ("how", "kept", "rules"),
    [
        ("first", [2, 5], [(3, "duplicate.in_drop"), (4, "duplicate.in_drop")]),
        ("last", [4, 5], [(2, "duplicate.later"), (3, "duplicate.later")]),
        ("reject", [2, 5], [(3, "duplicate.rejected"), (4, "duplicate.rejected")]),
    ],
)
def test_of_one_key_one_record_counts(
    how: str, kept: list[int], rules: list[tuple[int, str]], spark: SparkSession, tmp_path: Path
) -> None:
    content = HEADER + b"ab001,1,1,\nAB001,2,1,\nab001,1,1,\nab002,1,1,\nab001,x,1,\n"
    found = validated(spark, tmp_path / "d", content, of=feed(on_duplicate=how))
    assert [row["line"] for row in found.records] == kept
    assert found.rules == [*rules, (6, "value.type")]
    stands = kept[0]
    assert {row["first_line"] for row in found.settled[:2]} == {stands}
    assert all(str(stands) in row["message"] for row in found.settled[:2])
    assert all(dict(row["fields"])["unit_price"] == "1" for row in found.settled)


def test_without_a_key_the_whole_record_is_compared(spark: SparkSession, tmp_path: Path) -> None:
    content = HEADER + b"ab001,1,1,\nab001,1,1.0,\nab001,2,1,\n"
    found = validated(spark, tmp_path / "d", content, of=feed(key=[]))
    assert found.rules == [(3, "duplicate.in_drop")]


def test_a_key_that_came_in_an_earlier_drop_is_a_duplicate(spark: SparkSession, tmp_path: Path) -> None:
    of = feed(unique="always")
    one = validated(spark, tmp_path / "one", HEADER + b"ab001,1,1,\nab002,1,1,\n", of=of)
    two = validated(spark, tmp_path / "two", HEADER + b"ab003,1,1,\nab001,1,1,\n", of=of)
    earlier = [Earlier(DROP, str(one.goal / "records")), Earlier("b" * 64, str(two.goal / "records"))]
    content = HEADER + b"ab004,1,1,\nab004,1,1,\nab001,1,1,\nab003,9,9,\nab003,9,9,\n"
    found = validated(spark, tmp_path / "three", content, of=of, earlier=earlier)
    assert found.rules == [
        (3, "duplicate.in_drop"),
        (4, "duplicate.earlier_drop"),
        (5, "duplicate.earlier_drop"),
        (6, "duplicate.earlier_drop"),
    ]
    assert found.settled[1]["message"] == "The key came before, in drop aaaaaaaaaaaa, line 0:2."
    assert [row["line"] for row in found.records] == [2]


@pytest.mark.parametrize("key", ["first_line", "faults", "fields"])
@pytest.mark.parametrize("how", ["first", "reject"])
def test_columns_may_be_called_what_settled_lines_are(how: str, key: str, spark: SparkSession, tmp_path: Path) -> None:
    names = ["first_line", "first_entry", "faults", "fields"]
    of = feed(columns=[{"name": name} for name in names], rules=[], key=[key], on_duplicate=how)
    found = validated(spark, tmp_path / "d", b"first_line,first_entry,faults,fields\n7,a,b,c\n7,d,b,c\n", of=of)
    [again] = found.settled
    shown = {"first_line": "7", "first_entry": "d", "faults": "b", "fields": "c"}
    value = "2" if how == "first" else shown[key]
    assert (again["first_entry"], again["first_line"], again["value"]) == (0, 2, value)
    assert again["faults"][0]["message"] == again["message"]
    assert dict(again["fields"]) == shown


def test_a_rejected_key_is_shown_as_its_values(spark: SparkSession, tmp_path: Path) -> None:
    of = feed(on_duplicate="reject", key=["order_id", "ordered_at", "unit_price"])
    line = b"ab001,1,1.5,2026-11-01T10:00:00.5\n"
    (again,) = validated(spark, tmp_path / "d", HEADER + line + line, of=of).settled
    assert again["value"] == "ab001, 2026-11-01 10:00:00.5, 1.50"
    assert (again["faults"][0]["column"], again["faults"][0]["rule"]) == (None, "duplicate.rejected")
