"""What is wrong with the values of a row, as Spark column expressions: one condition and one fault a check."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import NamedTuple

from pyspark.sql import Column as Sql
from pyspark.sql import functions as F  # noqa: N812

from conf.feeds import RecordsFeed
from conf.feeds.columns import Column
from conf.rules import ROW, RULES, rule
from spark_jobs.fields import SHOWN
from spark_jobs.records.shape import FAULT
from spark_jobs.records.values import literal

_LISTED = 10


class Check(NamedTuple):
    """One check.

    Attributes:
        broken: true of a row that breaks it.
        column: whose value it looks at; None: the whole row's.
        value: what was found, as text.
        message, fix: what a person reads.
    """

    broken: Sql
    column: str | None
    code: str
    value: Sql
    message: str
    fix: str

    def fault(self) -> Sql:
        """The fault as ``shape.FAULT``, null of a row that keeps the rule."""
        parts = (F.lit(self.column), F.lit(self.code), self.value, F.lit(self.message), F.lit(self.fix))
        return F.when(self.broken, F.struct(*parts).cast(FAULT))


def checks(feed: RecordsFeed, received: datetime) -> Iterator[Check]:
    """Every check of a feed that rejects, in the order of its columns and rules.

    Args:
        received: when the drop was received (UTC).
    """
    for column in feed.columns:
        yield from _of_column(column, column.name in feed.key, received)
    for row_rule, expression in feed.checks:
        if row_rule.severity == "reject":
            yield _of_row(row_rule.name, row_rule.message, expression.sql)


def warnings(feed: RecordsFeed) -> list[Check]:
    """Every check that warns."""
    return [_of_row(one.name, one.message, found.sql) for one, found in feed.checks if one.severity == "warn"]


def text_of(column: Column) -> Sql:
    """The cleaned text of a column that is read, the value of one that is derived as text."""
    return F.col(column.name).cast("string") if column.derive else F.col(f"_text_{column.name}")


def _of_column(column: Column, is_key: bool, received: datetime) -> Iterator[Check]:
    text, value = text_of(column), F.col(column.name)

    def check(broken: Sql, code: str, wanted: object = "") -> Check:
        found = RULES[code]
        message = found.say(column=column.name, wanted=wanted)
        return Check(broken, column.name, code, F.left(text, F.lit(SHOWN)), message, found.fix)

    if is_key or column.required:
        yield check(text.isNull(), "key.missing" if is_key else "value.missing")
    if column.derive is None and column.type != "string":
        yield check(text.isNotNull() & value.isNull(), "value.type", _type_said(column))
    if column.pattern is not None:
        yield check(~text.rlike(rf"\A(?:{column.pattern})\z"), "value.pattern", column.pattern)
    if column.length is not None:
        least, most = column.length if isinstance(column.length, tuple) else (column.length, column.length)
        said = str(least) if least == most else f"{least} to {most}"
        yield check(~F.char_length(text).between(least, most), "value.length", said)
    if column.min is not None:
        yield check(value < literal(column.min, column), "value.min", column.min)
    if column.max is not None:
        yield check(value > literal(column.max, column), "value.max", column.max)
    if column.one_of is not None:
        yield check(
            ~value.isin([literal(one, column) for one in column.one_of]), "value.one_of", _listed(column.one_of)
        )
    if column.not_in_future:
        moment = F.lit(received.replace(tzinfo=None).isoformat(sep=" ")).cast("timestamp_ntz")
        yield check(value > (moment.cast("date") if column.type == "date" else moment), "value.future")


def _of_row(name: str, message: str, sql: str) -> Check:
    code = f"{ROW}{name}"
    return Check(~F.expr(sql), None, code, F.lit(None), message, rule(code).fix)


def _type_said(column: Column) -> str:
    return f"{column.type} written as {column.format}" if column.format else column.type


def _listed(values: tuple[object, ...]) -> str:
    return ", ".join(map(str, values[:_LISTED])) + (" …" if len(values) > _LISTED else "")
