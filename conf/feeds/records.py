"""A feed of records: files of rows (CSV, JSON lines), whose columns the client's file names."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from conf.feeds.base import Feed
from conf.names import ColumnName
from conf.problems import not_empty
from conf.shares import Share

Clean = Literal["strip", "squeeze", "lower", "upper", "title", "digits"]
Tolerance = Literal["tolerate", "hold"]


def _mark(text: str) -> str:
    if len(text) != 1 or not text.isascii() or text in "\0\r\n" or text.isalnum():
        raise ValueError("it must be one ASCII character, neither a letter, a digit nor a line end")
    return text


Mark = Annotated[str, AfterValidator(_mark)]


class Column(BaseModel):
    """One column of the table that a feed's records become.

    Attributes:
        name: in the table.
        source: in the file ``from``: the attribute in the client's file; None: the same as ``name``.
        type: string, int, long, double, bool, date, timestamp or decimal(p,s).
        clean: what is done to the text before it is looked at, in order.
        format: how a date or timestamp is written, in Spark's pattern letters; None: ISO 8601.
        required: whether a value must be there.
        pattern: regular expression that the whole cleaned text must match.
        min, max: bounds of the value, both allowed.
        length: how many characters the cleaned text has: one number, or least and most.
        one_of: the values that are allowed.
        not_in_future: whether a date or timestamp may not lie after the drop's receipt.
        derive: Spark SQL over other columns by their names in the table; such a column stands in no file.
        dimension: whether the values become members of ``dim_<name>``.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    name: ColumnName
    source: str | None = Field(None, alias="from", min_length=1, max_length=255)
    type: str = "string"
    clean: tuple[Clean, ...] = ("strip",)
    format: str | None = None
    required: bool = False
    pattern: str | None = None
    min: Any = None
    max: Any = None
    length: int | tuple[int, int] | None = None
    one_of: tuple[Any, ...] | None = None
    not_in_future: bool = False
    derive: str | None = None
    dimension: bool = False


class RowRule(BaseModel):
    """A check across the columns of a row.

    Attributes:
        name: the rule's code is ``row.<name>``.
        check: Spark SQL over the columns' names that is true of a good row; null counts as true.
        message: what a person reads of a row of which it is false.
        severity: whether such a row is rejected, or kept and counted.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: ColumnName
    check: str
    message: str
    severity: Literal["reject", "warn"] = "reject"


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
    on_redrop: Literal["append", "upsert", "replace_period"] = "append"
    unique: Literal["drop", "always"] = "drop"
    partition_by: ColumnName | None = None
    period: Literal["day", "month"] = "month"
    max_rejected: Share = 1.0
    on_new_column: Tolerance = "tolerate"
    on_missing_column: Tolerance = "hold"
    on_reordered: Tolerance = "tolerate"
