"""The files in which a drop is validated: how many there are changes nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession

from spark_jobs.chunks import chunks
from spark_jobs.index import Range
from spark_jobs.records.validate import _file_count
from tests.spark_jobs.records.drops import HEADER, ORDERS, feed, validated

NOTHING_DERIVED = {
    "columns": ORDERS["columns"][:-1],
    "rules": [{"name": "not_free", "check": "quantity * unit_price > 0", "message": "An order costs something."}],
}


@pytest.mark.parametrize(
    ("changes", "broadcast"),
    [({}, "10m"), (NOTHING_DERIVED, "10m"), (NOTHING_DERIVED, "-1")],
    ids=["Spark writes", "workers write", "workers write, and left-out lines are many"],
)
def test_it_is_the_same_in_one_file_and_in_a_file_a_task(
    changes: dict[str, Any], broadcast: str, spark: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = [b"ab%03d,%d,9.50,2026-11-01T10:00:00\n" % (number % 35, number % 7) for number in range(39)]
    content = HEADER + b"".join(lines) + b"ab999,1,+0.001,\nab998,3,+2,\n"
    one = validated(spark, tmp_path / "one", content, of=feed(**changes), range_bytes=200)
    monkeypatch.setattr("spark_jobs.records.validate._SHARE_ROWS", 10)
    monkeypatch.setattr("spark_jobs.chunks._CHUNK_BYTES", 500)
    spark.conf.set("spark.sql.autoBroadcastJoinThreshold", broadcast)
    try:
        several = validated(spark, tmp_path / "several", content, of=feed(**changes), range_bytes=200)
    finally:
        spark.conf.unset("spark.sql.autoBroadcastJoinThreshold")
    assert several[:4] == one[:4]
    assert one.rules == [
        *((line, "value.min") for line in range(2, 41, 7)),
        *((line, "duplicate.in_drop") for line in (38, 39, 40) if line % 7 != 2),
        (41, "value.type"),
    ]
    assert [row["line"] for row in one.records] == [line for line in range(2, 38) if line % 7 != 2] + [42]
    files = [len(list((found.goal / "records").glob("*.parquet"))) for found in (one, several)]
    assert files[0] < files[1]


@pytest.mark.parametrize(
    ("lengths", "wanted"),
    [([], []), ([1], [1]), ([1, 1, 1], [3]), ([2, 4, 1, 3, 9, 1], [2, 2, 1, 1]), ([4, 4], [1, 1])],
)
def test_ranges_that_are_short_go_together(
    lengths: list[int], wanted: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("spark_jobs.chunks._CHUNK_BYTES", 4)
    found = chunks([Range(0, 0, length, 1, 1, 0, None) for length in lengths])
    assert [len(chunk) for chunk in found] == wanted
    assert [number for chunk in found for number in chunk] == list(range(len(lengths)))


@pytest.mark.parametrize(
    ("lines", "tasks", "files"),
    [
        (0, 8, 1),
        (99_999, 8, 1),
        (100_000, 8, 2),
        (900_000, 8, 8),
        (900_000, 1, 1),
        (2_000_000, 2, 4),
        (5_000_000, 2, 6),
        (9_000_000, 8, 16),
    ],
)
def test_files_are_as_many_as_tasks_unless_they_would_be_small(lines: int, tasks: int, files: int) -> None:
    assert _file_count(lines, tasks) == files
