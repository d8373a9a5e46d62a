"""Counts read from Parquet files as they were written, in this process: for little of them no Spark job is needed."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pyarrow.compute as pc
import pyarrow.parquet as pq

from targets.filesystem import FileSystem

_BATCH_ROWS = 1 << 16


def count_rows(fs: FileSystem, directory: str) -> int:
    """Rows of a table's files, from their footers."""
    total = 0
    for path in _paths(fs, directory):
        with fs.open(path) as file:
            total += pq.read_metadata(file).num_rows
    return total


def count_values(fs: FileSystem, directory: str, column: str) -> Counter[Any]:
    """How often each value of a column is in a table's files."""
    counts: Counter[Any] = Counter()
    for path in _paths(fs, directory):
        with fs.open(path) as file:
            for batch in pq.ParquetFile(file).iter_batches(_BATCH_ROWS, columns=[column]):
                for one in batch.column(0).value_counts().to_pylist():
                    counts[one["values"]] += one["counts"]
    return counts


def sum_columns(fs: FileSystem, directory: str, columns: list[str]) -> dict[str, int]:
    """The sum of each of these columns over a table's files; nulls count nothing."""
    sums = dict.fromkeys(columns, 0)
    for path in _paths(fs, directory):
        with fs.open(path) as file:
            for batch in pq.ParquetFile(file).iter_batches(_BATCH_ROWS, columns=columns):
                for name in columns:
                    sums[name] += pc.sum(batch.column(name)).as_py() or 0
    return sums


def _paths(fs: FileSystem, directory: str) -> list[str]:
    return [f"{directory}/{entry.name}" for entry in fs.list(directory) if entry.name.endswith(".parquet")]
