"""Tables' Parquet files: counts of those that Spark wrote, and what Python reads and writes."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyspark.sql import SparkSession

from spark_jobs.files import count_rows, count_values, reader, row_groups, sum_columns, write_some
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


@pytest.mark.parametrize(
    ("sizes", "wanted"), [([], []), ([0, 0], []), ([7], [3, 3, 1]), ([1, 1, 1, 1], [3, 1]), ([2, 5, 0, 2], [3, 3, 3])]
)
def test_rows_are_put_together_and_cut(sizes: list[int], wanted: list[int]) -> None:
    numbers = iter(range(100))
    tables = [pa.table({"n": pa.array([next(numbers) for _ in range(size)], pa.int64())}) for size in sizes]
    groups = list(row_groups(tables, 3))
    assert [len(group) for group in groups] == wanted
    assert [n for group in groups for n in group["n"].to_pylist()] == list(range(sum(sizes)))


def test_a_file_is_written_only_for_rows(tmp_path: Path) -> None:
    fs, schema = LocalFileSystem(), pa.schema([("n", pa.int64())])
    nothing, some = pa.table({"n": pa.array([], pa.int64())}), pa.table({"m": ["x"], "n": pa.array([1], pa.int32())})
    assert write_some(fs, str(tmp_path / "none.parquet"), schema, [nothing]) == 0
    assert write_some(fs, str(tmp_path / "one.parquet"), schema, [nothing, some, some]) == 2
    assert [path.name for path in tmp_path.iterdir()] == ["one.parquet"]
    assert pq.read_table(tmp_path / "one.parquet") == pa.table({"n": pa.array([1, 1], pa.int64())})


def test_a_column_that_a_file_lacks_is_null(tmp_path: Path) -> None:
    pq.write_table(pa.table({"m": ["x"], "n": pa.array([1], pa.int32())}), tmp_path / "old.parquet")
    schema = pa.schema([("n", pa.int64()), ("later", pa.string())])
    found = reader(LocalFileSystem(), [str(tmp_path / "old.parquet")], schema).read_all()
    assert found.to_pylist() == [{"n": 1, "later": None}]
