"""The profile of a drop's records: what the values of each column are like.

A worker looks at one column at a time, in all files, with DuckDB: nothing of two columns or two workers has to be put
together, and what does not fit in memory goes to the worker's disk.
"""

from __future__ import annotations

import json
from typing import Any

import pyarrow as pa
from pyspark.sql import SparkSession

from conf.feeds import RecordsFeed
from conf.feeds.columns import Column
from spark_jobs.duck import database
from spark_jobs.files import paths, read_batches
from spark_jobs.records.plain import value_type
from spark_jobs.session import tasks_at_once
from spark_jobs.workers import do_in_workers
from targets.filesystem import FileSystem

_OFTEN = 10
_SHOWN = 200
# Of a column with more values than this only those are frequent that so many of the records have.
_FEW = 7_000
_SHARE = 0.0004
_VALUES = "CREATE TEMP TABLE counted AS SELECT value, count(*) AS times FROM rows GROUP BY value"
_MEASURED = """
    SELECT coalesce(sum(times), 0)::BIGINT AS records, coalesce(sum(times) FILTER (value IS NULL), 0)::BIGINT AS nulls,
        count(value) AS "distinct", left(min(value)::VARCHAR, $shown) AS min, left(max(value)::VARCHAR, $shown) AS max
    FROM counted"""
_LENGTHS = """
    SELECT min(length(value)) AS shortest, max(length(value)) AS longest,
        round(sum(length(value) * times) / sum(times), 2) AS mean_length
    FROM counted WHERE value IS NOT NULL"""
_FREQUENT = """
    SELECT left(value::VARCHAR, $shown) AS value, times AS count FROM counted
    WHERE value IS NOT NULL AND times > $rare ORDER BY times DESC, counted.value LIMIT $often"""


def profile(spark: SparkSession, fs: FileSystem, records: str, feed: RecordsFeed) -> tuple[int, list[dict[str, Any]]]:
    """How many records there are, and one object a column, in order: name, type, nulls, distinct, min, max, often (the
    most frequent values with their counts), and of texts the least, most and mean length.

    Args:
        records: path of the table.
    """
    columns = feed.columns
    files = paths(fs, records)

    def look(number: int) -> pa.RecordBatch:
        said = json.dumps(_looked_at(fs, files, columns[number]))
        return pa.RecordBatch.from_pydict({"number": [number], "said": [said]})

    tasks = tasks_at_once(spark)
    rows = sorted(do_in_workers(spark, len(columns), tasks, look, "number long, said string"))
    found = [json.loads(said) for _, said in rows]
    counts = [one.pop("records") for one in found]
    named = zip(columns, found, strict=True)
    return counts[0], [{"name": column.name, "type": column.type, **said} for column, said in named]


def _looked_at(fs: FileSystem, files: list[str], column: Column) -> dict[str, Any]:
    schema = pa.schema([pa.field("value", value_type(column))])
    values = (
        pa.RecordBatch.from_arrays(rows.columns, schema=schema) for rows in read_batches(fs, files, [column.name])
    )
    rows = pa.RecordBatchReader.from_batches(schema, values)
    with database() as connection:
        connection.register("rows", rows)
        connection.execute(_VALUES)
        said = _row(connection.execute(_MEASURED, {"shown": _SHOWN}))
        if column.type == "string":
            said |= _row(connection.execute(_LENGTHS))
        rare = 0 if said["distinct"] < _FEW else int(_SHARE * said["records"])
        often = connection.execute(_FREQUENT, {"shown": _SHOWN, "rare": rare, "often": _OFTEN}).fetchall()
    kept = {name: value for name, value in said.items() if value is not None}
    top = sorted(often, key=lambda one: (-one[1], one[0]))
    return {**kept, "often": [{"value": text, "count": times} for text, times in top]}


def _row(result: Any) -> dict[str, Any]:
    names = [one[0] for one in result.description]
    return dict(zip(names, result.fetchone(), strict=True))
