"""One range of a file -> batches of text columns."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import BinaryIO

import pyarrow as pa

from spark_jobs.index import Range
from spark_jobs.lines import records
from spark_jobs.records import exact
from spark_jobs.records.exact import Source

_BATCH_ROWS = 10_000


def batches(
    file: BinaryIO, number: int, found: Range, source: Source, max_bytes: int, schema: pa.Schema
) -> Iterator[pa.RecordBatch]:
    """The lines of one range.

    Args:
        file: the entry's bytes.
        number: of the range in the index.
        max_bytes: the limit of a line.
        schema: ``shape.text_schema``.
    """
    rows = exact.rows(records(file, found, source.entry), number, found, source, max_bytes)
    while some := list(itertools.islice(rows, _BATCH_ROWS)):
        columns = [pa.array(column, field.type) for column, field in zip(zip(*some, strict=True), schema, strict=True)]
        yield pa.RecordBatch.from_arrays(columns, schema=schema)
