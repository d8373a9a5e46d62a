"""Cleaned texts of a column -> values, as Spark column expressions. What is no value of its type is null."""

from __future__ import annotations

from pyspark.sql import Column as Sql
from pyspark.sql import functions as F  # noqa: N812

from conf.feeds.columns import Column
from conf.feeds.values import decimal_digits, spark_type

# How values are written where the feed names no format (ISO 8601, XML Schema 2). Spark takes more: 2026 for a date.
_TIMESTAMP = (
    r"\A[0-9]{4}-[0-9]{2}-[0-9]{2}(?:[T ][0-9]{2}:[0-9]{2}"
    r"(?::[0-9]{2}(?:\.[0-9]{1,9})?(?:Z|[+-][0-9]{2}:[0-9]{2})?)?)?\z"
)
_DOUBLE = r"\A[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?\z"


def typed(text: Sql, column: Column) -> Sql:
    """The cleaned text as a value of the column's type; null where it is none."""
    match column.family:
        case "string":
            return text
        case "int" | "long":
            return text.try_cast(spark_type(column.type))
        case "decimal":
            return F.when(text.rlike(_decimal(column.type)), text.try_cast(column.type))
        case "double":
            value = text.try_cast("double")
            return F.when(text.rlike(_DOUBLE) & (F.abs(value) < float("inf")), value)
        case "bool":
            return text.try_cast("boolean")
        case "date" if column.format:
            return _by_format(text, column.format).try_cast("date")
        case "date":
            value = text.try_cast("date")
            return F.when(value.cast("string") == text, value)
        case _ if column.format:
            return _by_format(text, column.format).cast("timestamp_ntz")
    return F.when(text.rlike(_TIMESTAMP), text.try_cast("timestamp").cast("timestamp_ntz"))


def literal(value: object, column: Column) -> Sql:
    """A value of a configuration as one of the column's type."""
    return F.lit(value).cast(spark_type(column.type))


def _by_format(text: Sql, format: str) -> Sql:
    return F.try_to_timestamp(text, F.lit(format))


def _decimal(type: str) -> str:
    """As many digits as the type holds, and no more but zeros: nothing is rounded."""
    digits, scale = decimal_digits(type)
    return rf"\A[+-]?0*[0-9]{{0,{digits - scale}}}(?:\.[0-9]{{0,{scale}}}0*)?\z"
