"""The star's tables as Spark DataFrames."""

from __future__ import annotations

from collections.abc import Sequence

from pyspark.sql import DataFrame
from pyspark.sql import functions as F  # noqa: N812

from conf.settings import Settings
from spark_jobs.session import session
from spark_jobs.star.shape import spark_schema
from spark_jobs.star.tables import DIMENSION_KEYS


def frame(settings: Settings, table: str, files: Sequence[str]) -> DataFrame:
    """A table of exactly these files; a dimension keeps one row of each key, the same one as DuckDB's view."""
    spark, schema = session(settings), spark_schema(table)
    if not files:
        return spark.createDataFrame([], schema)
    rows = spark.read.schema(schema).parquet(*files)
    key = DIMENSION_KEYS.get(table)
    if key is None:
        return rows
    others = [name for name in schema.names if name not in (key, "schema_version")]
    member = F.max(F.struct("schema_version", *others)).alias("member")
    return rows.groupBy(key).agg(member).select(key, "member.*").select(*schema.names)
