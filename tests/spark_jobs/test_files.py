"""Counts of Parquet files that Spark wrote."""

from __future__ import annotations

from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from spark_jobs.files import count_rows, count_values, sum_columns
from targets.local import LocalFileSystem


@pytest.mark.parametrize("parts", [1, 3])
def test_what_spark_wrote_is_counted(spark: SparkSession, tmp_path: Path, parts: int) -> None:
    rows = [("a", 1, None), ("b", 2, None), ("a", 4, 8), ("c", None, 1)]
    table = str(tmp_path / "table")
    spark.createDataFrame(rows, "name string, n long, m long").repartition(parts).write.parquet(f"file://{table}")
    fs = LocalFileSystem()
    assert count_rows(fs, table) == 4
    assert count_values(fs, table, "name") == {"a": 2, "b": 1, "c": 1}
    assert sum_columns(fs, table, ["n", "m"]) == {"n": 7, "m": 9}


def test_a_table_without_rows_comes_to_nothing(spark: SparkSession, tmp_path: Path) -> None:
    table = str(tmp_path / "table")
    spark.createDataFrame([], "name string, n long").write.parquet(f"file://{table}")
    fs = LocalFileSystem()
    assert count_rows(fs, table) == 0
    assert count_values(fs, table, "name")["a"] == 0
    assert sum_columns(fs, table, ["n"]) == {"n": 0}
    assert count_rows(fs, str(tmp_path / "nowhere")) == 0
