"""Bytes -> lines, as texts or as values that are sure, some ranges at a time; and the fields of some lines again."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.pandas.types import from_arrow_schema

from conf.feeds import RecordsFeed
from spark_jobs.chunks import chunk_file, chunks
from spark_jobs.files import new_file
from spark_jobs.index import Index
from spark_jobs.lines import records, records_at
from spark_jobs.records import exact, fast
from spark_jobs.records.clean import cleaned
from spark_jobs.records.exact import Source
from spark_jobs.records.plain import Plain
from spark_jobs.records.shape import text_name, text_schema
from spark_jobs.workers import do_in_workers
from targets.filesystem import FileSystem

_TASKS = 256
_LOOKED_AT = 1000
SURE, TEXTS = "sure", "texts"
# Files that are read some times and then removed.
_QUICKLY: dict[str, Any] = {
    "compression": "none",
    "use_dictionary": False,
    "write_statistics": False,
    "store_decimal_as_integer": True,
}


class Lines(NamedTuple):
    """The lines of a drop.

    Attributes:
        texts: as ``shape.text_schema`` says it, those of which nothing is sure; None if there are none but sure ones.
        sure: as ``Plain.schema`` says it; None if there are none.
    """

    texts: DataFrame | None
    sure: DataFrame | None


class Files:
    """The files of one drop, as Python workers read them.

    Args:
        data: path of the bytes of each entry.
        plain: what is sure of the lines.
        max_bytes: the limit of a line.

    Attributes:
        sources: by the number of its entry what each file is.
        chunks: of the drop's ranges.
    """

    def __init__(
        self, fs: FileSystem, index: Index, data: Mapping[int, str], feed: RecordsFeed, plain: Plain, max_bytes: int
    ) -> None:
        self._fs, self._ranges, self._data, self._max = fs, index.ranges, dict(data), max_bytes
        self._schema, self._feed, self._plain = text_schema(feed), feed, plain
        self.chunks = chunks(index.ranges)
        self.sources = {entry.entry: Source.of(entry, feed) for entry in index.entries}

    def lines(self, spark: SparkSession, place: str) -> Lines:
        """Every line, texts cleaned.

        They are read once, and lie below ``place`` while they are needed: a file a chunk, which Spark's workers write
        themselves and Spark reads by column, as often as it likes.
        """
        do_in_workers(spark, len(self.chunks), _TASKS, partial(self._write, place), "number long")

        def read(kind: str, schema: pa.Schema) -> DataFrame | None:
            if not self._fs.exists(f"{place}/{kind}"):
                return None
            return spark.read.schema(from_arrow_schema(schema)).parquet(self._fs.uri(f"{place}/{kind}"))

        texts, sure = read(TEXTS, self._schema), read(SURE, self._plain.schema)
        if texts is None and sure is None:
            texts = spark.createDataFrame([], from_arrow_schema(self._schema))
        return Lines(texts, sure)

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

    def fields(self, number: int, lines: list[int]) -> Iterator[dict[str, str]]:
        """The fields of some lines of a range, as rejects carry them, read from the file once more."""
        found = self._ranges[number]
        source = self.sources[found.entry]
        with self._fs.open(self._data[found.entry]) as file:
            yield from exact.fields(records_at(file, found, source.entry, lines), found, source, self._max)

    def _write(self, place: str, number: int) -> pa.RecordBatch:
        found: dict[str, list[pa.RecordBatch]] = {SURE: [], TEXTS: []}
        for lines in itertools.chain.from_iterable(map(self._read, self.chunks[number])):
            for kind, some in zip(found, self._plain.parted(self._cleaned(lines)), strict=True):
                found[kind] += [some] if some.num_rows else []
        for kind, batches in found.items():
            if batches:
                table = pa.Table.from_batches(batches).combine_chunks()
                with new_file(self._fs, chunk_file(f"{place}/{kind}", number)) as file:
                    pq.write_table(table, file, **_QUICKLY)
        return pa.RecordBatch.from_pydict({"number": [number]})

    def _read(self, number: int) -> Iterator[pa.RecordBatch]:
        found = self._ranges[number]
        source = self.sources[found.entry]
        with self._fs.open(self._data[found.entry]) as file:
            yield from fast.batches(file, number, found, source, self._max, self._schema)

    def _cleaned(self, lines: pa.RecordBatch) -> pa.RecordBatch:
        for number, column in enumerate(self._feed.read):
            place = lines.schema.get_field_index(text_name(number))
            texts = cleaned(lines.column(place), column.clean, self._feed.nulls)
            lines = lines.set_column(place, self._schema.field(place), texts)
        return lines
