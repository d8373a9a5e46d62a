"""The table ``settled``: lines that go no further, with the fields that the client sent, written by Spark's workers."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from operator import itemgetter

import pyarrow as pa
import pyarrow.parquet as pq
from pyspark import TaskContext
from pyspark.sql import DataFrame

from spark_jobs.files import new_file, row_groups
from spark_jobs.records.reading import Files
from targets.filesystem import FileSystem

# Rows that carry all that a client sent.
_GROUP_ROWS = 20_000
_COUNTED = "outcome string, lines long"


def write_settled(lines: DataFrame | None, files: Files, fs: FileSystem, place: str, parts: int) -> Counter[str]:
    """Writes lines of ``settle``, each with its ``fields``, which are read from the client's files once more.

    Args:
        place: path of the directory that takes the table, a file a task.
        parts: so many tasks, each with all lines of some ranges.

    Returns:
        Lines by outcome, counted where they were written.
    """
    fs.make_directory(place)
    if lines is None:
        return Counter()
    together = lines.repartition(parts, "_range").sortWithinPartitions("_range", "line")
    counted: Counter[str] = Counter()
    for row in together.mapInArrow(_writer(files, fs, place), _COUNTED).collect():
        counted[row.outcome] += row.lines
    return counted


def _writer(files: Files, fs: FileSystem, place: str) -> Callable[[Iterator[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    def write(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        context = TaskContext.get()
        assert context is not None
        counted: Counter[str] = Counter()
        with ExitStack() as held:
            writer: pq.ParquetWriter | None = None
            for rows in row_groups((pa.Table.from_batches([batch]) for batch in batches), _GROUP_ROWS):
                counted.update(rows["outcome"].to_pylist())
                table = _with_fields(rows, files).drop_columns(["_range"])
                if writer is None:
                    file = held.enter_context(new_file(fs, f"{place}/part-{context.partitionId():05}.parquet"))
                    writer = held.enter_context(pq.ParquetWriter(file, table.schema))
                writer.write_table(table)
        outcomes = [pa.array([*counted], pa.string()), pa.array([*counted.values()], pa.int64())]
        yield pa.RecordBatch.from_arrays(outcomes, ["outcome", "lines"])

    return write


def _with_fields(rows: pa.Table, files: Files) -> pa.Table:
    places = zip(rows["_range"].to_pylist(), rows["line"].to_pylist(), strict=True)
    filled: list[list[tuple[str, str]]] = []
    for number, lines in itertools.groupby(places, key=itemgetter(0)):
        filled += (list(one.items()) for one in files.fields(number, [line for _, line in lines]))
    place = rows.schema.get_field_index("fields")
    field = rows.schema.field(place)
    return rows.set_column(place, field, pa.array(filled, field.type))
