"""Reading and shaping the tables that stages hand on (spark_jobs.schemas)."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.parquet as pq
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812
from pyspark.sql.pandas.types import from_arrow_schema

from spark_jobs.schemas import SETTLED
from targets.filesystem import FileSystem


def read(spark: SparkSession, schema: pa.Schema, *uris: str) -> DataFrame:
    """A table of a stage, of one drop or several, without the column ``content``: no picture passes through Spark.

    A directory with no file is an empty table; names that begin with ``.`` or ``_`` are no files of it.
    """
    columns = pa.schema([field for field in schema if field.name != "content"])
    return spark.read.schema(from_arrow_schema(columns)).parquet(*uris)


def write_none(fs: FileSystem, path: str, schema: pa.Schema) -> None:
    """Writes a table without rows, in place of whatever an earlier attempt left there, and without a job of Spark's."""
    fs.remove(path)
    with fs.writer(f"{path}/part-00000.parquet") as file:
        pq.write_table(schema.empty_table(), file)


def shaped(rows: DataFrame, schema: pa.Schema) -> DataFrame:
    """Rows with at least the schema's columns -> exactly these, in order and type."""
    return rows.select(*(F.col(field.name).cast(field.dataType) for field in from_arrow_schema(schema)))


def in_few_files(rows: DataFrame, *by: Column) -> DataFrame:
    """Rows in as many files as their bytes ask for (one, of most drops), those of one value of ``by`` together.

    Only adaptive plans know how many bytes there are; the others are for little work (``spark_jobs.session.sized``).
    """
    if rows.sparkSession.conf.get("spark.sql.adaptive.enabled") == "true":
        return rows.hint("rebalance", *by)
    return rows.coalesce(1)


def select_quarantined(lines: DataFrame) -> DataFrame:
    """Lines with their request columns, rule, value and message -> rows of SETTLED."""
    said = {"outcome": F.lit("quarantined"), "first_entry": F.lit(None), "first_line": F.lit(None)}
    return shaped(lines.withColumns(said), SETTLED)
