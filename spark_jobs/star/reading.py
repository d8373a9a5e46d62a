"""The published tables as Spark DataFrames; the same rows as ``landfall.views`` gives in DuckDB."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import reduce

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812
from pyspark.sql.pandas.types import from_arrow_schema
from pyspark.sql.types import StructType

from targets.catalog import Catalog
from targets.column_types import arrow_schema
from targets.filesystem import FileSystem
from targets.tables import ORDER, Resolve, Table

_LAST = ("drop", "entry", "line")


def frames(
    spark: SparkSession, fs: FileSystem, catalog: Catalog, names: Iterable[str] | None = None
) -> dict[str, DataFrame]:
    """Tables of a catalog, of exactly its files, each with the columns of its description.

    Args:
        names: which; None: all.
    """
    return {name: frame(spark, fs, catalog, name) for name in (catalog.tables if names is None else names)}


def frame(spark: SparkSession, fs: FileSystem, catalog: Catalog, name: str) -> DataFrame:
    """One table of a catalog: a dimension with one row of each key, records as ``Table.resolve`` says."""
    table = catalog.tables[name]
    columns = with_order(table)
    groups = [
        _read(spark, {**written, **_hidden(table)}, [fs.uri(file) for file in files], columns)
        for written, files, _ in catalog.written(name)
    ]
    if not groups:
        return spark.createDataFrame([], spark_schema(table.columns))
    rows = reduce(DataFrame.unionByName, groups)
    if table.key is not None:
        rows = _one_a_key(rows, table.key, list(table.columns))
    if table.resolve is not None:
        rows = resolved(rows, table.resolve)
    return rows.select(*(F.col(f"`{column}`") for column in table.columns))


def resolved(rows: DataFrame, resolve: Resolve) -> DataFrame:
    """Of rows with the columns of ``ORDER`` those that readers see."""
    if resolve.by == "upsert":
        last = F.max(F.struct(*ORDER)).alias("_last")
        winners = rows.groupBy(*resolve.columns).agg(last).select(*(F.col(f"_last.{name}") for name in _LAST))
        return rows.join(winners, on=list(_LAST), how="left_semi")
    (column,) = resolve.columns
    period = period_of(F.col(column), resolve.period)
    dated = rows.withColumn("_period", period)
    last = F.max(F.struct("received", "drop")).alias("_last")
    winners = (
        dated.groupBy("_period").agg(last).select(F.col("_period").alias("_of"), F.col("_last.drop").alias("_drop"))
    )
    same = F.col("_period").eqNullSafe(F.col("_of")) & (F.col("drop") == F.col("_drop"))
    return dated.join(winners, on=same, how="left_semi").drop("_period")


def period_of(moment: Column, period: str | None) -> Column:
    """The day or month of a date or timestamp, as ``2026-11-02`` or ``2026-11``; null of null."""
    return F.date_format(moment, "yyyy-MM-dd" if period == "day" else "yyyy-MM")


def with_order(table: Table) -> dict[str, str]:
    """The table's columns, and those that resolving it reads."""
    return {**table.columns, **_hidden(table)}


def spark_schema(columns: Mapping[str, str]) -> StructType:
    """Columns of a description as Spark knows them."""
    return from_arrow_schema(arrow_schema(columns), prefer_timestamp_ntz=True)


def _hidden(table: Table) -> dict[str, str]:
    return ORDER if table.resolve else {}


def _read(spark: SparkSession, written: Mapping[str, str], files: list[str], columns: Mapping[str, str]) -> DataFrame:
    """Files that were written with one set of columns -> the columns wanted: what is missing is null, and what was of
    another type is cast, to null where that cannot be.
    """
    rows = spark.read.schema(spark_schema(written)).parquet(*files)
    if written == columns:
        return rows
    return rows.select(*(_as(name, kind, written) for name, kind in columns.items()))


def _as(name: str, kind: str, written: Mapping[str, str]) -> Column:
    wanted = spark_schema({name: kind})[name].dataType
    if name not in written:
        return F.lit(None).cast(wanted).alias(name)
    column = F.col(f"`{name}`")
    return (column if written[name] == kind else column.try_cast(wanted)).alias(name)


def _one_a_key(rows: DataFrame, key: str, columns: list[str]) -> DataFrame:
    """The greatest row of a key, of its newest schema: neither the files nor their order decide which one."""
    first = [name for name in ("schema_version",) if name in columns]
    others = [*first, *(name for name in columns if name not in (key, *first))]
    member = F.max(F.struct(*others)).alias("member")
    return rows.groupBy(key).agg(member).select(key, "member.*")
