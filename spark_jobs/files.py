"""Parquet files of a table as Python reads and writes them, in a worker or, where they are few, in this process."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from conf.errors import AlreadyExists
from targets.filesystem import FileSystem

_BATCH_ROWS = 1 << 16


def paths(fs: FileSystem, directory: str) -> list[str]:
    """The files of a table."""
    return [f"{directory}/{entry.name}" for entry in fs.list(directory) if entry.name.endswith(".parquet")]


def paths_below(fs: FileSystem, directory: str) -> list[str]:
    """The files of a table that is parted into directories."""
    return [f"{directory}/{name}" for name, _ in fs.walk(directory) if name.endswith(".parquet")]


def read_batches(
    fs: FileSystem, files: Iterable[str], columns: Sequence[str] | None = None, rows: int = _BATCH_ROWS
) -> Iterator[pa.RecordBatch]:
    """The rows of files, a batch at a time.

    Args:
        columns: which are read; None: all.
        rows: of a batch, at most.
    """
    for path in files:
        with fs.open(path) as file:
            # A pool's threads would take turns with Python at the file, and other tasks have the other cores.
            yield from pq.ParquetFile(file).iter_batches(rows, columns=columns, use_threads=False)


def reader(fs: FileSystem, files: Iterable[str], schema: pa.Schema, rows: int = _BATCH_ROWS) -> pa.RecordBatchReader:
    """The rows of files as a schema says: a column that a file does not have is null there.

    Args:
        rows: of a batch, at most.
    """

    def alike(rows: pa.RecordBatch) -> pa.RecordBatch:
        columns = [
            rows[field.name].cast(field.type) if field.name in rows.schema.names else pa.nulls(len(rows), field.type)
            for field in schema
        ]
        return pa.RecordBatch.from_arrays(columns, schema=schema)

    return pa.RecordBatchReader.from_batches(schema, map(alike, read_batches(fs, files, schema.names, rows)))


@contextmanager
def new_file(fs: FileSystem, path: str) -> Iterator[BinaryIO]:
    """A file of which every attempt of a task writes the same: one that another attempt wrote meanwhile is kept."""
    with suppress(AlreadyExists), fs.writer(path) as file:
        yield file


def row_groups(tables: Iterable[pa.Table], rows: int) -> Iterator[pa.Table]:
    """Tables put together, or cut, to so many rows: what is worth a row group of a file; the last may have fewer."""
    waiting: list[pa.Table] = []
    count = 0
    for table in tables:
        start = 0
        while start < table.num_rows:
            part = table.slice(start, rows - count)
            start += part.num_rows
            count += part.num_rows
            waiting.append(part)
            if count == rows:
                yield pa.concat_tables(waiting)
                waiting, count = [], 0
    if waiting:
        yield pa.concat_tables(waiting)


def write_some(fs: FileSystem, path: str, schema: pa.Schema, tables: Iterable[pa.Table | pa.RecordBatch]) -> int:
    """Writes rows to one file, a row group a table, if there are any; returns how many."""
    rows = 0
    with ExitStack() as held:
        writer: pq.ParquetWriter | None = None
        for table in tables:
            if not table.num_rows:
                continue
            if writer is None:
                writer = held.enter_context(pq.ParquetWriter(held.enter_context(new_file(fs, path)), schema))
            writer.write(table.select(schema.names).cast(schema))
            rows += table.num_rows
    return rows


def write_table(fs: FileSystem, directory: str, table: pa.Table) -> None:
    """Writes a small table, in one file."""
    with new_file(fs, f"{directory}/part-00000.parquet") as file:
        pq.write_table(table, file)


def count_rows(fs: FileSystem, directory: str) -> int:
    """Rows of a table's files, from their footers."""
    total = 0
    for path in paths_below(fs, directory):
        with fs.open(path) as file:
            total += pq.read_metadata(file).num_rows
    return total


def count_values(fs: FileSystem, directory: str, column: str) -> Counter[Any]:
    """How often each value of a column is in a table's files."""
    return count_values_of(fs, paths(fs, directory), column)


def count_values_of(fs: FileSystem, files: Iterable[str], column: str) -> Counter[Any]:
    """As ``count_values``, of these files."""
    counts: Counter[Any] = Counter()
    for batch in read_batches(fs, files, [column]):
        for one in batch.column(0).value_counts().to_pylist():
            counts[one["values"]] += one["counts"]
    return counts


def sum_columns(fs: FileSystem, directory: str, columns: list[str]) -> dict[str, int]:
    """The sum of each of these columns over a table's files; nulls count nothing."""
    sums = dict.fromkeys(columns, 0)
    for batch in read_batches(fs, paths(fs, directory), columns):
        for name in columns:
            sums[name] += pc.sum(batch.column(name)).as_py() or 0
    return sums
