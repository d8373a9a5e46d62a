"""A feed of records: files of rows (CSV, JSON lines), whose columns the client's file names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, Literal

from pydantic import AfterValidator, ValidationInfo, field_validator

from conf.expressions import Expression, expression
from conf.feeds.base import Feed
from conf.feeds.columns import Column, RowRule
from conf.names import ColumnName
from conf.problems import nearest, not_empty
from conf.shares import Share

Tolerance = Literal["tolerate", "hold"]


def _mark(text: str) -> str:
    if len(text) != 1 or not text.isascii() or text in "\0\r\n " or text.isalnum():
        raise ValueError("it must be one ASCII character, neither a letter, a digit, a space nor a line end")
    return text


Mark = Annotated[str, AfterValidator(_mark)]


class RecordsFeed(Feed):
    """A feed of records.

    Attributes:
        format: how rows are written.
        delimiter, quote: of CSV, one ASCII character each.
        encoding: of the text; one in which ASCII is ASCII.
        header: whether the first record of CSV names the columns; if not, ``columns`` stand in the file's order.
        nulls: texts that mean that there is no value, after cleaning; the empty text always does.
        columns: of the table, in order.
        rules: checks across columns.
        key: columns whose values name a record; empty: the whole record does.
        on_duplicate: which record of one key counts within a drop; ``reject`` quarantines them all but the first.
        on_redrop: what a later drop's records mean for earlier ones, in what readers see: ``append`` all are seen;
            ``upsert`` of one key that of the later receipt; ``replace_period`` of one period of ``partition_by`` those
            of the latest drop that has any.
        unique: where a key may come once: within a drop, or ``always``, over all drops of the feed.
        partition_by: a date or timestamp column (event time) whose period partitions the table of each drop.
        period: of ``partition_by``.
        max_rejected: share of lines (0 to 1, or "20%") that may be quarantined; with more the drop is held.
        on_new_column, on_missing_column, on_reordered: whether a file with other columns than configured is taken or
            held. A missing column that a required column reads is always held.
    """

    format: Literal["csv", "jsonl"] = "csv"
    delimiter: Mark = ","
    quote: Mark = '"'
    encoding: Literal["utf-8", "iso-8859-1", "iso-8859-15", "windows-1252"] = "utf-8"
    header: bool = True
    nulls: tuple[str, ...] = ()
    columns: Annotated[tuple[Column, ...], AfterValidator(not_empty)]
    rules: tuple[RowRule, ...] = ()
    key: tuple[ColumnName, ...] = ()
    on_duplicate: Literal["first", "last", "reject"] = "first"
    partition_by: ColumnName | None = None
    period: Literal["day", "month"] = "month"
    on_redrop: Literal["append", "upsert", "replace_period"] = "append"
    unique: Literal["drop", "always"] = "drop"
    max_rejected: Share = 1.0
    on_new_column: Tolerance = "tolerate"
    on_missing_column: Tolerance = "hold"
    on_reordered: Tolerance = "tolerate"

    @property
    def read(self) -> tuple[Column, ...]:
        """The columns that stand in the client's file."""
        return tuple(column for column in self.columns if column.derive is None)

    @property
    def derived(self) -> tuple[tuple[Column, Expression], ...]:
        """The columns that are calculated, each after those that it reads."""
        return tuple(_in_order(self.columns))

    @property
    def checks(self) -> tuple[tuple[RowRule, Expression], ...]:
        """The checks across columns."""
        names = [column.name for column in self.columns]
        return tuple((rule, expression(rule.check, names)) for rule in self.rules)

    @field_validator("quote")
    @classmethod
    def _another_mark(cls, quote: str, info: ValidationInfo) -> str:
        if quote == info.data.get("delimiter"):
            raise ValueError("it must not be the delimiter")
        return quote

    @field_validator("encoding")
    @classmethod
    def _of_json(cls, encoding: str, info: ValidationInfo) -> str:
        if encoding != "utf-8" and info.data.get("format") == "jsonl":
            raise ValueError("JSON is UTF-8 (RFC 8259)")
        return encoding

    @field_validator("columns")
    @classmethod
    def _make_a_table(cls, columns: tuple[Column, ...], info: ValidationInfo) -> tuple[Column, ...]:
        twice = _twice(column.name for column in columns)
        if twice:
            raise ValueError(f"two columns have one name ({', '.join(twice)})")
        if all(column.derive is not None for column in columns):
            raise ValueError("at least one column must stand in the file")
        if not info.data.get("header", True) and info.data.get("format") == "csv":
            named = [column.name for column in columns if column.source is not None]
            if named:
                raise ValueError(f"without a header columns stand in the file's order and have no from ({named[0]})")
        for _ in _in_order(columns):
            pass
        return columns

    @field_validator("rules")
    @classmethod
    def _over_columns(cls, rules: tuple[RowRule, ...], info: ValidationInfo) -> tuple[RowRule, ...]:
        twice = _twice(rule.name for rule in rules)
        if twice:
            raise ValueError(f"two rules have one name ({', '.join(twice)})")
        for rule in rules if "columns" in info.data else ():
            try:
                expression(rule.check, _types(info))
            except ValueError as error:
                raise ValueError(f"check of {rule.name}: {error}") from None
        return rules

    @field_validator("key")
    @classmethod
    def _among_columns(cls, key: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        twice = _twice(key)
        if twice:
            raise ValueError(f"it must name each column once ({', '.join(twice)})")
        for name in key:
            _known(name, info)
        return key

    @field_validator("partition_by")
    @classmethod
    def _of_time(cls, name: str | None, info: ValidationInfo) -> str | None:
        if name is not None and "columns" in info.data:
            _known(name, info)
            if _types(info)[name] not in ("date", "timestamp"):
                raise ValueError("it must be a column of dates or timestamps")
            taken = [f"{name}_{period}" for period in ("day", "month", "year") if f"{name}_{period}" in _types(info)]
            if taken:
                raise ValueError(f"the column {taken[0]} must be called otherwise: directories have that name")
        return name

    @field_validator("on_redrop", "unique")
    @classmethod
    def _has_what_it_needs(cls, given: str, info: ValidationInfo) -> str:
        if given in ("upsert", "always") and not info.data.get("key", True):
            raise ValueError("it needs a key")
        if given == "replace_period":
            name = info.data.get("partition_by", "")
            if name is None:
                raise ValueError("it needs partition_by")
            if any(column.name == name and not column.required for column in info.data.get("columns", ())):
                raise ValueError(f"it needs the column {name} to be required: a record belongs to one period")
        return given


def _in_order(columns: Iterable[Column]) -> Iterable[tuple[Column, Expression]]:
    """The derived columns in an order in which they can be calculated; ValueError for a mistake or a circle."""
    columns = tuple(columns)
    names = {column.name: column.type for column in columns}
    waiting: dict[str, tuple[Column, Expression]] = {}
    for column in columns:
        if column.derive is None:
            continue
        try:
            waiting[column.name] = column, expression(column.derive, names)
        except ValueError as error:
            raise ValueError(f"derive of {column.name}: {error}") from None
    while waiting:
        ready = [name for name, (_, found) in waiting.items() if not found.columns & waiting.keys()]
        if not ready:
            raise ValueError(f"these are derived from one another: {', '.join(sorted(waiting))}")
        for name in ready:
            yield waiting.pop(name)


def _types(info: ValidationInfo) -> Mapping[str, str]:
    return {column.name: column.type for column in info.data["columns"]}


def _known(name: str, info: ValidationInfo) -> None:
    if "columns" in info.data and name not in _types(info):
        raise ValueError(f"there is no column {name}{nearest(name, _types(info))}")


def _twice(names: Iterable[str]) -> list[str]:
    names = list(names)
    return sorted({name for name in names if names.count(name) > 1})
