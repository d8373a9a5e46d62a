"""Tables that DuckDB makes of others in workers, who share the rows by a hash of some columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import pyarrow as pa

from spark_jobs.duck import database
from spark_jobs.files import paths, reader, write_some, write_table
from spark_jobs.workers import Workers, sum_in_workers
from targets.filesystem import FileSystem

# For each share all files are opened and all rows read, and those of the share are kept, of some 1 kB each: so many fit
# in DuckDB's memory. Of more shares reading would take longer than what goes to the disk then.
_SHARE_ROWS = 200_000
_MOST_SHARES = 64
_MOST_OPENED = 10_000
_BATCH_ROWS = 10_000


@dataclass(frozen=True)
class Input:
    """A table that others are made of.

    Attributes:
        directories: paths of the directories in which its files lie.
        columns: which are read.
    """

    directories: Sequence[str]
    columns: pa.Schema


@dataclass(frozen=True)
class Made:
    """A table, and what it is made of.

    Attributes:
        inputs: by the name that ``sql`` has for each.
        shared_by: SQL of values that rows of every input have: rows alike in these are in one share.
        sql: of one share, whose number, of how many, the variables ``share`` and ``shares`` say; it gives at least the
            columns of ``schema``.
        goal: path of the table's directory, which takes a file a share.
    """

    fs: FileSystem
    inputs: Mapping[str, Input]
    shared_by: str
    sql: str
    schema: pa.Schema
    goal: str

    def write(self, workers: Workers, rows: int) -> int:
        """Writes the table; returns its rows, counted where they were written.

        Args:
            rows: about how many there are of each input.
        """
        files = sum(len(paths(self.fs, path)) for one in self.inputs.values() for path in one.directories)
        shares = max(1, min(_MOST_SHARES, 1 + rows // _SHARE_ROWS, _MOST_OPENED // max(1, files)))

        self.fs.make_directory(self.goal)
        written = sum_in_workers(workers, shares, shares, partial(self._write, shares))
        if not written:  # a file says which columns there are
            write_table(self.fs, self.goal, self.schema.empty_table())
        return written

    def _write(self, shares: int, number: int) -> int:
        with database() as connection:
            connection.execute(f"SET VARIABLE share = {number}; SET VARIABLE shares = {shares}")
            for name, one in self.inputs.items():
                files = [path for directory in one.directories for path in paths(self.fs, directory)]
                connection.register("rows", reader(self.fs, files, one.columns))
                mine = f"hash({self.shared_by}) % {shares} = {number}"
                connection.execute(f"CREATE TEMP TABLE {name} AS FROM rows WHERE {mine}")
            found = connection.sql(self.sql).to_arrow_reader(_BATCH_ROWS)
            return write_some(self.fs, f"{self.goal}/part-{number:05}.parquet", self.schema, found)
