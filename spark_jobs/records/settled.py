"""The table ``settled``: lines that go no further, with the fields that the client sent, written by Spark's workers."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Iterator
from operator import itemgetter

import pyarrow as pa
import pyarrow.parquet as pq
from pyspark import TaskContext
from pyspark.sql import DataFrame

from spark_jobs.records.reading import Files
from spark_jobs.shards import new_file
from targets.filesystem import FileSystem

_COUNTED = "outcome string, lines long"


def write_settled(lines: DataFrame, files: Files, fs: FileSystem, place: str, parts: int) -> Counter[str]:
    """Writes lines of ``settle``, each with its ``fields``, which are read from the client's files once more.

    Args:
        place: path of the directory that takes the table, a file a task.
        parts: so many tasks, each with all lines of some ranges.

    Returns:
        Lines by outcome, counted where they were written.
    """
    fs.make_directory(place)
    together = lines.repartition(parts, "_range").sortWithinPartitions("_range", "line")
    counted: Counter[str] = Counter()
    for row in together.mapInArrow(_writer(files, fs, place), _COUNTED).collect():
        counted[row.outcome] += row.lines
    return counted


def _writer(files: Files, fs: FileSystem, place: str) -> Callable[[Iterator[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    def write(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        first = next(batches, None)
        if first is None:
            return
        context = TaskContext.get()
        assert context is not None
        counted: Counter[str] = Counter()
        schema = first.schema.remove(first.schema.get_field_index("_range"))
        with (
            new_file(fs, f"{place}/part-{context.partitionId():05}.parquet") as file,
            pq.ParquetWriter(file, schema) as table,
        ):
            for batch in itertools.chain([first], batches):
                counted.update(batch["outcome"].to_pylist())
                table.write_batch(_with_fields(batch, files).select(schema.names))
        yield pa.RecordBatch.from_pydict({"outcome": [*counted], "lines": [*counted.values()]})

    return write


def _with_fields(batch: pa.RecordBatch, files: Files) -> pa.RecordBatch:
    places = zip(batch["_range"].to_pylist(), batch["line"].to_pylist(), strict=True)
    filled: list[list[tuple[str, str]]] = []
    for number, lines in itertools.groupby(places, key=itemgetter(0)):
        filled += (list(one.items()) for one in files.fields(number, [line for _, line in lines]))
    place = batch.schema.get_field_index("fields")
    field = batch.schema.field(place)
    return batch.set_column(place, field, pa.array(filled, field.type))
