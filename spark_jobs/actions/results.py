"""What each kind of action makes of the tables that it reads: DataFrames by name -> one DataFrame."""

from __future__ import annotations

from collections.abc import Mapping

import pyarrow as pa
from pyspark.sql import Column as Sql
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812
from pyspark.sql.pandas.functions import arrow_udf

from conf.actions import Load, Mapped, Python, derived
from conf.errors import ConfigError, LandfallError
from conf.feeds.columns import Column
from conf.feeds.values import spark_type
from conf.problems import nearest
from spark_jobs.actions.modules import Module
from spark_jobs.records.clean import cleaned
from spark_jobs.records.values import typed

_WHOLE = r"\A[+-]?[0-9]+\z"
Frames = Mapping[str, DataFrame]


def aggregated(spark: SparkSession, tables: Frames, sql: str) -> DataFrame:
    """One SELECT over the tables.

    Args:
        spark: a session of this action alone: its views are no other's.
        sql: as ``conf.expressions.select`` gives it.
    """
    for name, rows in tables.items():
        rows.createOrReplaceTempView(name)
    return spark.sql(sql)


def loaded(tables: Frames, action: Load) -> DataFrame:
    """A table's columns, mapped."""
    rows = tables[action.source]
    return rows.select(*(_mapped(rows, column, action.source).alias(column.name) for column in action.map))


def calculated(tables: Frames, action: Python, module: Module) -> DataFrame:
    """What the client's own function makes of the tables, given in the order of ``reads``."""
    result = module.function(action.function.partition(":")[2])(*(tables[name] for name in action.reads))
    if not hasattr(result, "createOrReplaceTempView"):
        raise LandfallError(
            f"{action.function} gave {type(result).__name__}; it must give a DataFrame.", "Mend the module."
        )
    return result  # type: ignore[no-any-return]


def shaped(rows: DataFrame, expected: Mapping[str, str] | None, name: str) -> DataFrame:
    """The rows as they are written: times without a zone (UTC), and exactly the columns that are declared.

    LandfallError: the columns are others, or a column has no type or another one.
    """
    rows = rows.select(*(_zoneless(field.dataType.simpleString(), field.name) for field in rows.schema))
    found = {field.name: field.dataType.simpleString() for field in rows.schema}
    problems = [f"{column} has no type: write CAST(NULL AS STRING)" for column, kind in found.items() if kind == "void"]
    twice = sorted({field for field in rows.columns if rows.columns.count(field) > 1})
    problems += [f"two columns are called {column}" for column in twice]
    if expected is not None:
        problems += [f"{column} is missing" for column in expected if column not in found]
        problems += [f"{column} is not declared" for column in found if column not in expected]
        problems += [
            f"{column} is {found[column]}, and {kind} is declared"
            for column, kind in expected.items()
            if found.get(column, kind) != kind
        ]
    if problems:
        raise LandfallError(
            f"{name} gave other columns than it may: {'; '.join(problems)}.",
            "Mend the action, or its `columns`, and run the workflow again.",
        )
    return rows.select(*(F.col(f"`{column}`") for column in expected or found))


def _zoneless(kind: str, name: str) -> Sql:
    column = F.col(f"`{name}`")
    return column.cast("timestamp_ntz").alias(name) if kind == "timestamp" else column


def _mapped(rows: DataFrame, column: Mapped, table: str) -> Sql:
    if column.derive is not None:
        try:
            value = F.expr(derived(column.derive, frozenset(rows.columns)))
        except ValueError as error:
            raise ConfigError(f"{column.name}.derive is wrong: {error}.") from None
        return value.try_cast(spark_type(column.type))
    if column.column not in rows.columns:
        raise ConfigError(f"{table} has no column {column.column}{nearest(column.column, rows.columns)}")
    source = F.col(f"`{column.column}`")
    if not column.clean and rows.schema[column.column].dataType.simpleString() != "string":
        return source.try_cast(spark_type(column.type))
    text = _cleaned(source.cast("string"), column)
    if column.type in ("int", "long"):
        text = F.when(text.rlike(_WHOLE), text)
    return typed(text, Column.model_construct(name=column.name, type=column.type, format=None))


def _cleaned(text: Sql, column: Mapped) -> Sql:
    """As in a feed of records; null where nothing is left."""
    if not column.clean:
        return F.nullif(text, F.lit(""))
    steps = column.clean

    @arrow_udf("string")  # type: ignore[call-overload,untyped-decorator]
    def clean(texts: pa.Array) -> pa.Array:
        return cleaned(texts, steps, ())

    return clean(text)  # type: ignore[no-any-return]
