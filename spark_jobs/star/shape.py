"""The contract at a table's end: its columns, by name, order and type."""

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql import functions as F  # noqa: N812
from pyspark.sql.pandas.types import from_arrow_schema
from pyspark.sql.types import StructType

from spark_jobs.star.tables import SCHEMA_VERSION, TABLES


def shape(rows: DataFrame, table: str) -> DataFrame:
    """Rows with at least the table's columns -> exactly the table's columns, stamped with the schema version."""
    stamped = rows.withColumn("schema_version", F.lit(SCHEMA_VERSION))
    return stamped.select(*(F.col(field.name).cast(field.dataType) for field in spark_schema(table)))


def spark_schema(table: str) -> StructType:
    """A table's columns as Spark knows them."""
    return from_arrow_schema(TABLES[table], prefer_timestamp_ntz=True)
