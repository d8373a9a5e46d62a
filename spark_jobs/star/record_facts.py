"""The fact table of a feed of records, which Spark's workers write from the records as Validate left them.

Nothing is calculated of a row but the keys of its dimensions, so no row passes the JVM.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from pyspark.sql import SparkSession

from spark_jobs.duck import database
from spark_jobs.files import new_file, paths, read_batches, reader
from spark_jobs.star.periods import FORMATS, write_by_period
from spark_jobs.workers import do_in_workers, sum_in_workers
from targets.filesystem import FileSystem

_BATCH_ROWS = 65_536
# A task adds a file to each period: so many rows should lie in one, or fewer tasks write them.
_ROWS_A_FILE = 20_000


@dataclass(frozen=True)
class Facts:
    """What the fact table of one drop is made of.

    Attributes:
        records: path of the table of accepted records.
        schema: of the fact table.
        same: columns that are the same in all rows, and their values.
        members: by the column of the records that has a dimension the path of that dimension's table.
        by: the date or timestamp by whose period rows are parted, and the period; None: they are not.
    """

    fs: FileSystem
    records: str
    schema: pa.Schema
    same: Mapping[str, Any]
    members: Mapping[str, str]
    by: tuple[str, str] | None

    def write(self, spark: SparkSession, goal: str, rows: int, periods: int) -> int:
        """Writes the table; returns its rows, counted where they were written.

        Args:
            goal: path of its directory.
            rows: how many records there are, about.
            periods: how many periods they lie in.
        """
        self.fs.make_directory(goal)
        files = paths(self.fs, self.records)
        tasks = max(1, min(len(files), rows // (periods * _ROWS_A_FILE) if self.by else len(files)))
        shares = [files[task::tasks] for task in range(tasks)]

        return sum_in_workers(
            spark, tasks, tasks, lambda task: self._write(shares[task], goal, f"part-{task:05}.parquet")
        )

    def _write(self, files: list[str], goal: str, name: str) -> int:
        with ExitStack() as held:

            def opened(directory: str) -> BinaryIO:
                return held.enter_context(new_file(self.fs, f"{directory}/{name}"))

            tables = map(self._shaped, self._with_keys(files, held))
            if self.by is not None:
                column, period = self.by
                return write_by_period(tables, self.by, lambda of: opened(f"{goal}/{column}_{period}={of}"), held)
            writer = held.enter_context(pq.ParquetWriter(opened(goal), self.schema))
            rows = 0
            for table in tables:
                writer.write_table(table)
                rows += table.num_rows
            return rows

    def _with_keys(self, files: list[str], held: ExitStack) -> Iterator[pa.RecordBatch]:
        """The records, each with the keys of its members."""
        if not self.members or not files:
            yield from read_batches(self.fs, files)
            return
        connection = held.enter_context(database())
        keys, joins = ["r.*"], ["rows AS r"]
        for number, (column, path) in enumerate(self.members.items()):
            table = f"member_{number}"
            key = f'"{column}_key"'
            with self._reader(paths(self.fs, path), [f"{column}_key", column]) as members:
                connection.register("members", members)
                connection.execute(f"CREATE TEMP TABLE {table} AS SELECT * FROM members")  # noqa: S608  # its number
            keys.append(f"{table}.{key}")
            joins.append(f'{table} ON r."{column}" = {table}."{column}"')
        # Names of columns are of a few letters (``conf.names``).
        query = f"SELECT {', '.join(keys)} FROM {' LEFT JOIN '.join(joins)}"  # noqa: S608
        with self._reader(files) as rows:
            connection.register("rows", rows)
            yield from connection.sql(query).to_arrow_reader(_BATCH_ROWS)

    def _reader(self, files: list[str], columns: list[str] | None = None) -> pa.RecordBatchReader:
        with self.fs.open(files[0]) as file:
            written = pq.read_schema(file)
        schema = pa.schema([pa.field(name, written.field(name).type) for name in columns or written.names])
        return reader(self.fs, files, schema)

    def _shaped(self, rows: pa.RecordBatch) -> pa.Table:
        columns = [
            pa.repeat(pa.scalar(self.same[field.name], field.type), rows.num_rows)
            if field.name in self.same
            else rows[field.name].cast(field.type)
            for field in self.schema
        ]
        return pa.Table.from_arrays(columns, schema=self.schema)


def distinct_days(spark: SparkSession, fs: FileSystem, records: str, column: str) -> set[str]:
    """The days, as ``periods.FORMATS`` writes them, on which the values of a date or timestamp of a table lie."""
    files = paths(fs, records)

    def look(number: int) -> pa.RecordBatch:
        found: set[str] = set()
        for rows in read_batches(fs, [files[number]], [column]):
            days = pc.floor_temporal(rows.column(0), unit="day").unique().drop_null()
            found.update(pc.strftime(days, format=FORMATS["day"]).to_pylist())
        return pa.RecordBatch.from_arrays([pa.array(sorted(found), pa.string())], ["day"])

    return {row.day for row in do_in_workers(spark, len(files), len(files), look, "day string")}
