"""Bytes -> lines of text columns, in as many tasks as the index has ranges for; and the fields of some lines again."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping

import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.pandas.types import from_arrow_schema

from conf.feeds import RecordsFeed
from spark_jobs.index import Index
from spark_jobs.lines import records
from spark_jobs.records import exact, fast
from spark_jobs.records.clean import cleaned
from spark_jobs.records.exact import Source
from spark_jobs.records.shape import text_name, text_schema
from targets.filesystem import FileSystem

_TASKS = 256
_LOOKED_AT = 1000


class Files:
    """The files of one drop, as Python workers read them.

    Args:
        data: path of the bytes of each entry.
        max_bytes: the limit of a line.
    """

    def __init__(
        self, fs: FileSystem, index: Index, data: Mapping[int, str], feed: RecordsFeed, max_bytes: int
    ) -> None:
        self._fs, self._ranges, self._data, self._max = fs, index.ranges, dict(data), max_bytes
        self._schema, self._feed = text_schema(feed), feed
        self.sources = {entry.entry: Source.of(entry, feed) for entry in index.entries}

    def lines(self, spark: SparkSession) -> DataFrame:
        """Every line as ``shape.text_schema`` says it, texts cleaned; a task reads some ranges."""
        schema = from_arrow_schema(self._schema)
        if not self._ranges:
            return spark.createDataFrame([], schema)
        count = len(self._ranges)
        return spark.range(0, count, 1, min(count, _TASKS)).mapInArrow(self._read, schema)

    def keys(self) -> dict[int, list[str]]:
        """The keys of the first objects of each file of JSON lines, which has no header that would tell all of them."""
        found: dict[int, list[str]] = {}
        for one in self._ranges:
            source = self.sources[one.entry]
            if source.entry.format == "jsonl" and one.fault is None and one.entry not in found:
                with self._fs.open(self._data[one.entry]) as file:
                    first = itertools.islice(records(file, one, source.entry), _LOOKED_AT)
                    found[one.entry] = exact.keys(first, one, source, self._max)
        return found

    def with_fields(self, lines: DataFrame) -> DataFrame:
        """Lines with ``_range`` -> the same with ``fields`` filled in, read from the files once more."""
        parts = max(1, min(len(self._ranges), _TASKS))
        together = lines.repartition(parts, "_range").sortWithinPartitions("_range", "line")
        return together.mapInArrow(self._fill, lines.schema)

    def _read(self, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            for number in batch.column(0).to_pylist():
                found = self._ranges[number]
                with self._fs.open(self._data[found.entry]) as file:
                    source = self.sources[found.entry]
                    for lines in fast.batches(file, number, found, source, self._max, self._schema):
                        yield self._cleaned(lines)

    def _cleaned(self, lines: pa.RecordBatch) -> pa.RecordBatch:
        for number, column in enumerate(self._feed.read):
            place = lines.schema.get_field_index(text_name(number))
            texts = cleaned(lines.column(place), column.clean, self._feed.nulls)
            lines = lines.set_column(place, self._schema.field(place), texts)
        return lines

    def _fill(self, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        at, known = -1, {}
        for batch in batches:
            filled: list[dict[str, str]] = []
            for number, line in zip(batch["_range"].to_pylist(), batch["line"].to_pylist(), strict=True):
                if number != at:
                    at, known = number, self._records(number)
                found = self._ranges[number]
                filled.append(exact.fields(known[line], found, self.sources[found.entry], self._max))
            place = batch.schema.get_field_index("fields")
            column = pa.array([list(one.items()) for one in filled], batch.schema.field(place).type)
            yield batch.set_column(place, batch.schema.field(place), column)

    def _records(self, number: int) -> dict[int, bytes]:
        found = self._ranges[number]
        with self._fs.open(self._data[found.entry]) as file:
            return dict(records(file, found, self.sources[found.entry].entry))
