"""Writing what an action made: files of a mart, and files for the client's outbox."""

from __future__ import annotations

import csv
import io
import json
from datetime import date, datetime
from typing import Any, BinaryIO

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812

from conf.errors import LandfallError
from spark_jobs.files import count_rows
from spark_jobs.rejects import encode
from spark_jobs.tables import in_few_files
from targets.filesystem import FileSystem

_NO_ORDER = ("map", "array", "struct", "variant")


def partition_of(column: str) -> str:
    """What the directories of a column's values are called, before the ``=``."""
    return f"of_{column}"


def write(fs: FileSystem, rows: DataFrame, path: str, partition_by: str | None) -> int:
    """Writes a table in few files, below a directory a value where it is partitioned; returns how many rows, counted
    from the files.
    """
    goal = fs.uri(path)
    if partition_by is None:
        in_few_files(rows).write.parquet(goal)
    else:
        # A copy of the column names the directories: files keep all of theirs.
        copy = partition_of(partition_by)
        parted = in_few_files(rows.withColumn(copy, F.col(f"`{partition_by}`").cast("string")), F.col(copy))
        parted.write.partitionBy(copy).parquet(goal)
    return count_rows(fs, path)


def missing(spark: SparkSession, goal: str, rows: DataFrame, required: list[str]) -> None:
    """LandfallError where a written table has no value in a column that needs one."""
    if not required:
        return
    written = spark.read.schema(rows.schema).parquet(goal)
    counts = written.agg(*(F.count_if(F.col(f"`{name}`").isNull()).alias(name) for name in required)).collect()[0]
    wrong = [f"{counts[name]:,} in {name}" for name in required if counts[name]]
    if wrong:
        raise LandfallError(
            f"Rows have no value where one is required: {', '.join(wrong)}.",
            "Mend the data or the mapping, and run the workflow again.",
        )


def write_csv(rows: DataFrame, file: BinaryIO) -> int:
    """Writes rows as CSV (UTF-8) in a fixed order, each text safe in a spreadsheet; returns how many.

    Rows come to this process part by part.
    """
    text = io.TextIOWrapper(file, encoding="utf-8", newline="", write_through=True)
    writer = csv.writer(text)
    writer.writerow(map(encode, rows.columns))
    count = 0
    for row in _in_order(rows).toLocalIterator():
        writer.writerow(map(_cell, row))
        count += 1
    text.detach()
    return count


def write_one_parquet(rows: DataFrame, goal: str) -> None:
    """Writes rows in a fixed order as one Parquet file."""
    _in_order(rows).coalesce(1).write.parquet(goal)


def _in_order(rows: DataFrame) -> DataFrame:
    names = [f.name for f in rows.schema if not f.dataType.simpleString().startswith(_NO_ORDER)]
    return rows.orderBy(*(F.col(f"`{name}`") for name in names)) if names else rows


def _cell(value: Any) -> Any:
    if isinstance(value, str):
        return encode(value)
    if isinstance(value, bytes | bytearray):
        return encode(bytes(value))
    if isinstance(value, bool | list | dict | tuple):
        return encode(json.dumps(_plain(value), ensure_ascii=False, default=str))
    return value.isoformat() if isinstance(value, date | datetime) else value


def _plain(value: Any) -> Any:
    """Rows of structs as objects."""
    if hasattr(value, "asDict"):
        return value.asDict(recursive=True)
    return list(value) if isinstance(value, tuple) else value
