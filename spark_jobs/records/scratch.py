"""What is known of some lines of a drop, in files until all its tables are written: Spark and its workers read them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812
from pyspark.sql.types import StructType

from spark_jobs.files import count_rows, paths
from targets.filesystem import FileSystem

# So many rows (of some 40 bytes) are sent to every task.
_FEW = 500_000
# Readers look for the lines of a few ranges: they pass over row groups that hold none.
_GROUP_BYTES = 1 << 20


class Kept(NamedTuple):
    """Lines in files.

    Attributes:
        directory: path of the files; each has ``shape.PLACE`` and more.
        rows: the same as Spark reads them; where they are few each task gets them all, so that what they are joined
            with stays where it is.
    """

    directory: str
    rows: DataFrame


@dataclass(frozen=True)
class Scratch:
    """Where they lie."""

    spark: SparkSession
    fs: FileSystem
    directory: str

    def path(self, name: str) -> str:
        """The directory of lines of this name."""
        return f"{self.directory}/{name}"

    def write(self, name: str, rows: DataFrame) -> Kept | None:
        """Writes rows that Spark makes; None if there are none."""
        rows.write.option("parquet.block.size", _GROUP_BYTES).parquet(self.fs.uri(self.path(name)))
        return self.read(name, rows.schema)

    def read(self, name: str, schema: StructType) -> Kept | None:
        """Rows that were written; None if there are none."""
        path = self.path(name)
        count = count_rows(self.fs, path)
        if not count:
            return None
        rows = self.spark.read.schema(schema).parquet(self.fs.uri(path))
        return Kept(path, F.broadcast(rows) if count <= _FEW else rows)


def rows_in(fs: FileSystem, directory: str, ranges: range, columns: Sequence[str] | None = None) -> pa.Table:
    """The lines of some ranges, of those that are kept in a directory.

    Args:
        columns: which are read; None: all.
    """
    within = [("_range", ">=", ranges.start), ("_range", "<", ranges.stop)]
    found = []
    for path in paths(fs, directory):
        with fs.open(path) as file:
            found.append(pq.read_table(file, columns=columns, filters=within, use_threads=False))
    return pa.concat_tables(found)


def numbered(lines: pa.Table, ranges: range) -> npt.NDArray[np.int64]:
    """A number for each line of some ranges, none alike, from the number of its range and its own."""
    numbers: npt.NDArray[np.int32] = lines["_range"].to_numpy()
    own: npt.NDArray[np.int64] = lines["line"].to_numpy()
    return own * len(ranges) + (numbers - ranges.start)
