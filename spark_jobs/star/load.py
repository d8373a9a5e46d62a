"""Load: reads what the stages made of one drop, writes its star."""

from __future__ import annotations

from dataclasses import dataclass
from functools import reduce

from pyspark.sql import DataFrame, SparkSession

from spark_jobs import files, schemas
from spark_jobs.progress import Step, silent
from spark_jobs.star.dimensions import dim_date, dim_drop, dim_image, dim_outcome, dim_source
from spark_jobs.star.fact import fact_image_request
from spark_jobs.star.tables import LOADED
from spark_jobs.tables import in_few_files, read
from targets.filesystem import FileSystem
from targets.register import Drop


@dataclass(frozen=True)
class LoadInputs:
    """Where the tables of one drop lie, as Spark knows them (``FileSystem.uri``).

    Attributes:
        requests: Validate's table.
        settled: the table ``settled`` of Validate, Fetch and Transform.
        originals: Fetch's table.
        images: Transform's table.
        drop: whose tables these are.
    """

    requests: str
    settled: tuple[str, ...]
    originals: str
    images: str
    drop: Drop

    def read_requests(self, spark: SparkSession) -> DataFrame:
        return read(spark, schemas.REQUESTS, self.requests)

    def read_settled(self, spark: SparkSession) -> DataFrame:
        """The settled lines of all stages."""
        return reduce(DataFrame.unionByName, [read(spark, schemas.SETTLED, uri) for uri in self.settled])

    def read_originals(self, spark: SparkSession) -> DataFrame:
        return read(spark, schemas.ORIGINALS, self.originals)

    def read_images(self, spark: SparkSession) -> DataFrame:
        return read(spark, schemas.IMAGES, self.images)


def load(spark: SparkSession, inputs: LoadInputs, fs: FileSystem, goal: str, step: Step = silent) -> dict[str, int]:
    """Writes the star of one drop, one sub-directory of ``goal`` a table.

    Args:
        goal: path of a directory.
        step: told how far it is.

    Returns:
        What came of it, counted from the files written: lines, ok, quarantined, duplicate, bytes_in, bytes_out (bytes)
        and images (results; equal pictures once).
    """
    requests, settled = inputs.read_requests(spark), inputs.read_settled(spark)
    uri = fs.uri(goal)
    originals, images = inputs.read_originals(spark), inputs.read_images(spark)

    fact = fact_image_request(requests, settled, originals, images, inputs.drop)
    tables = len(LOADED)
    step(0, tables, "writes fact_image_request")
    in_few_files(fact).write.parquet(f"{uri}/fact_image_request")
    small = {
        "dim_date": dim_date(spark, inputs.drop.receipt),
        "dim_drop": dim_drop(spark, inputs.drop),
        "dim_source": dim_source(requests, settled),
        "dim_outcome": dim_outcome(spark, settled, images),
    }
    for done, (name, rows) in enumerate(small.items(), 1):
        step(done, tables, f"writes {name}")
        rows.coalesce(1).write.parquet(f"{uri}/{name}")
    step(tables - 1, tables, "writes dim_image")
    in_few_files(dim_image(images)).write.parquet(f"{uri}/dim_image")
    return _counts(fs, goal)


def _counts(fs: FileSystem, goal: str) -> dict[str, int]:
    fact = f"{goal}/fact_image_request"
    outcomes = files.count_values(fs, fact, "outcome")
    of_each = {outcome: outcomes[outcome] for outcome in ("ok", "quarantined", "duplicate")}
    sums = files.sum_columns(fs, fact, ["bytes_in", "bytes_out"])
    return {"lines": outcomes.total(), **of_each, **sums, "images": files.count_rows(fs, f"{goal}/dim_image")}
