"""The table ``settled``: lines that go no further, with the fields that the client sent, written by Spark's workers."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter

import numpy as np
import pyarrow as pa
from pyspark.sql import SparkSession

from conf.feeds import RecordsFeed
from spark_jobs.files import row_groups, write_some
from spark_jobs.records.reading import Files
from spark_jobs.records.scratch import numbered, rows_in
from spark_jobs.records.settle import quarantined, repeated
from spark_jobs.records.shape import SETTLED
from spark_jobs.workers import do_in_workers
from targets.filesystem import FileSystem

# Rows that carry all that a client sent.
_GROUP_ROWS = 20_000


@dataclass(frozen=True)
class Settled:
    """Where the lines of one drop that go no further come from, and where they go.

    Attributes:
        files: the client's, from which the fields are read once more.
        bad: paths of the directories of lines with _faults.
        taken: by the code of a rule the path of the directory of the lines that it takes, as ``duplicates.taken`` has
            them; a line that several take is the first's.
        goal: path of the table, which is made.
    """

    fs: FileSystem
    files: Files
    feed: RecordsFeed
    bad: Sequence[str]
    taken: Mapping[str, str]
    goal: str

    def write(self, spark: SparkSession, parts: int) -> Counter[str]:
        """Writes them; returns how many there are by outcome, counted where they were written.

        Args:
            parts: in so many tasks, a file each, and all lines of some ranges in one.
        """
        self.fs.make_directory(self.goal)
        if not self.bad and not self.taken:
            return Counter()
        shares = min(parts, len(self.files.chunks))

        def share(number: int) -> pa.RecordBatch:
            counted = self._write(number, shares)
            return pa.RecordBatch.from_arrays(
                [pa.array([*counted], pa.string()), pa.array([*counted.values()], pa.int64())], ["outcome", "lines"]
            )

        found: Counter[str] = Counter()
        for row in do_in_workers(spark, shares, shares, share, "outcome string, lines long"):
            found[row.outcome] += row.lines
        return found

    def _write(self, share: int, shares: int) -> Counter[str]:
        chunks, counted = self.files.chunks, Counter[str]()
        mine = chunks[len(chunks) * share // shares : len(chunks) * (share + 1) // shares]

        def tables() -> Iterator[pa.Table]:
            for rows in row_groups(map(self._rows, mine), _GROUP_ROWS):
                counted.update(rows["outcome"].to_pylist())
                yield self._with_fields(rows).select(SETTLED.names)

        write_some(self.fs, f"{self.goal}/part-{share:05}.parquet", SETTLED, tables())
        return counted

    def _rows(self, ranges: range) -> pa.Table:
        """The lines of some ranges, in order."""
        found = [quarantined(rows_in(self.fs, directory, ranges)) for directory in self.bad]
        seen = np.empty(0, np.int64)
        for code, directory in self.taken.items():
            rows = rows_in(self.fs, directory, ranges)
            places = numbered(rows, ranges)
            lines = rows.filter(~np.isin(places, seen))
            seen = np.concatenate([seen, places])
            found.append(repeated(lines, code, self.feed, several=len(self.files.sources) > 1))
        return pa.concat_tables(found).sort_by([("_range", "ascending"), ("line", "ascending")])

    def _with_fields(self, rows: pa.Table) -> pa.Table:
        places = zip(rows["_range"].to_pylist(), rows["line"].to_pylist(), strict=True)
        filled: list[list[tuple[str, str]]] = []
        for number, lines in itertools.groupby(places, key=itemgetter(0)):
            filled += (list(one.items()) for one in self.files.fields(number, [line for _, line in lines]))
        place = rows.schema.get_field_index("fields")
        field = rows.schema.field(place)
        return rows.set_column(place, field, pa.array(filled, field.type))
