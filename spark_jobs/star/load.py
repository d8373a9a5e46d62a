"""Load: reads what the stages made of one drop, writes its star."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial, reduce

import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession

from spark_jobs import files, schemas
from spark_jobs.at_once import do_each
from spark_jobs.progress import Step, silent
from spark_jobs.star.dimensions import dim_date, dim_drop, dim_image, dim_outcome, dim_source
from spark_jobs.star.fact import fact_image_request
from spark_jobs.star.tables import LOADED
from spark_jobs.tables import in_few_files, read
from targets.filesystem import FileSystem
from targets.register import Drop


@dataclass(frozen=True)
class LoadInputs:
    """Where the tables of one drop lie: paths.

    Attributes:
        requests: Validate's table.
        settled: the table ``settled`` of Validate, Fetch and Transform.
        originals: Fetch's table.
        images: Transform's table.
        drop: whose tables these are.
    """

    fs: FileSystem
    requests: str
    settled: tuple[str, ...]
    originals: str
    images: str
    drop: Drop

    def read_requests(self, spark: SparkSession) -> DataFrame:
        return self._read(spark, schemas.REQUESTS, self.requests)

    def read_settled(self, spark: SparkSession) -> DataFrame:
        """The settled lines of all stages."""
        return reduce(DataFrame.unionByName, [self._read(spark, schemas.SETTLED, path) for path in self.settled])

    def read_originals(self, spark: SparkSession) -> DataFrame:
        return self._read(spark, schemas.ORIGINALS, self.originals)

    def read_images(self, spark: SparkSession) -> DataFrame:
        return self._read(spark, schemas.IMAGES, self.images)

    def _read(self, spark: SparkSession, schema: pa.Schema, path: str) -> DataFrame:
        return read(spark, schema, self.fs.uri(path))


def load(spark: SparkSession, inputs: LoadInputs, goal: str, step: Step = silent) -> dict[str, int]:
    """Writes the star of one drop, one sub-directory of ``goal`` a table.

    Args:
        goal: path of a directory.
        step: told how far it is.

    Returns:
        What came of it, counted from the files written: lines, ok, quarantined, duplicate, bytes_in, bytes_out (bytes)
        and images (results; equal pictures once).
    """
    requests, settled = inputs.read_requests(spark), inputs.read_settled(spark)
    originals, images = inputs.read_originals(spark), inputs.read_images(spark)
    fs, drop = inputs.fs, inputs.drop
    uri = fs.uri(goal)

    def one_file(name: str, rows: Callable[[], DataFrame]) -> None:
        rows().coalesce(1).write.parquet(f"{uri}/{name}")

    def few_files(name: str, rows: Callable[[], DataFrame]) -> None:
        in_few_files(rows()).write.parquet(f"{uri}/{name}")

    tables = {
        "fact_image_request": (few_files, lambda: fact_image_request(requests, settled, originals, images, drop)),
        "dim_image": (few_files, lambda: dim_image(images)),
        "dim_outcome": (one_file, lambda: dim_outcome(spark, settled, images)),
        "dim_source": (one_file, lambda: dim_source(requests, settled)),
        "dim_date": (one_file, lambda: dim_date(spark, drop.receipt)),
        "dim_drop": (one_file, lambda: dim_drop(spark, drop)),
    }
    works = {f"writes {name}": partial(write, name, rows) for name, (write, rows) in tables.items()}
    do_each(works, step, 0, len(LOADED))
    return _counts(fs, goal)


def _counts(fs: FileSystem, goal: str) -> dict[str, int]:
    fact = f"{goal}/fact_image_request"
    outcomes = files.count_values(fs, fact, "outcome")
    of_each = {outcome: outcomes[outcome] for outcome in ("ok", "quarantined", "duplicate")}
    sums = files.sum_columns(fs, fact, ["bytes_in", "bytes_out"])
    return {"lines": outcomes.total(), **of_each, **sums, "images": files.count_rows(fs, f"{goal}/dim_image")}
