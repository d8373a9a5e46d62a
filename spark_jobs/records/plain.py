"""Texts that are written plainly -> their values, whole columns at a time (Arrow).

What a text means, and which checks a value breaks, Spark says (``values`` and ``checks``): it knows the feed's formats
and its SQL, and takes the texts one by one. Most are written in one way that leaves no question. These are typed and
checked here, and a line in which every column is fine is *sure*: Spark does not see its texts. In any doubt a line is
not sure, and Spark alone decides about it.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from functools import reduce
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from conf.feeds import RecordsFeed
from conf.feeds.columns import Column
from conf.feeds.values import decimal_digits
from spark_jobs.records.formats import by_format
from spark_jobs.records.shape import CORRECTS, PLACE, TEXT, text_name

_KEPT = (*PLACE, *CORRECTS)
_TYPES = {
    "string": pa.string(),
    "int": pa.int32(),
    "long": pa.int64(),
    "double": pa.float64(),
    "bool": pa.bool_(),
    "date": pa.date32(),
    "timestamp": pa.timestamp("us"),
}
# Every day of these years but 29 February, which Spark judges.
_DAY_28, _DAY_30, _DAY_31 = "(?:0[1-9]|1[0-9]|2[0-8])", "(?:29|30)", "31"
_DAY = f"(?:19|20)[0-9]{{2}}-(?:(?:0[1-9]|1[0-2])-{_DAY_28}|(?:0[13-9]|1[0-2])-{_DAY_30}|(?:0[13578]|1[02])-{_DAY_31})"
_CLOCK = r"(?:[01][0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9](?:\.[0-9]{1,6})?)?"
_FORMS = {
    "int": "-?[0-9]{1,9}",
    "long": "-?[0-9]{1,18}",
    "double": r"-?[0-9]{1,15}(?:\.[0-9]{1,15})?",
    "date": _DAY,
    "timestamp": f"{_DAY}(?:[T ]{_CLOCK})?",
}
_TRUE, _FALSE = ("t", "true", "y", "yes", "1"), ("f", "false", "n", "no", "0")
# Of these Java's regular expressions and Arrow's (RE2) think alike, in the forms that ``conf.patterns`` allows.
_PRINTABLE = r"\A[ -~]*\z"


class Plain:
    """What a feed's lines are like where they are written plainly.

    Args:
        received: when the drop was received (UTC).

    Attributes:
        schema: of lines that are sure: where they stand, and a value a column that is read.
    """

    def __init__(self, feed: RecordsFeed, received: datetime) -> None:
        self._columns = feed.read
        self._required = {column.name for column in feed.read if column.required or column.name in feed.key}
        self._received = received.replace(tzinfo=None)
        self._may_be = all(_may_be_plain(column) for column in feed.read)
        values = [pa.field(column.name, value_type(column)) for column in feed.read]
        self.schema = pa.schema([*(TEXT.field(name) for name in _KEPT), *values])

    def parted(self, lines: pa.RecordBatch) -> tuple[pa.RecordBatch, pa.RecordBatch]:
        """Lines of cleaned texts (``shape.text_schema``) -> those that are sure, as ``schema``; and the others."""
        if not self._may_be:
            nothing = [pa.nulls(0, field.type) for field in self.schema]
            return pa.RecordBatch.from_arrays(nothing, schema=self.schema), lines
        values: list[pa.Array] = []
        fine = [pc.is_null(lines["_rule"])]
        for number, column in enumerate(self._columns):
            texts = lines[text_name(number)]
            value, known = _read(texts, column)
            values.append(value)
            fine += [known, *self._kept(texts, value, column)]
        sure = reduce(pc.and_, (pc.fill_null(one, True) for one in fine))
        typed = pa.RecordBatch.from_arrays([*(lines[name] for name in _KEPT), *values], schema=self.schema)
        return typed.filter(sure), lines.filter(pc.invert(sure))

    def _kept(self, texts: pa.Array, values: pa.Array, column: Column) -> Iterator[pa.Array]:
        """Of each check whether a value keeps it; false also in doubt, null where there is no value."""
        if column.name in self._required:
            yield pc.is_valid(texts)
        if column.pattern is not None:
            yield pc.match_substring_regex(texts, _whole(column.pattern))
            yield pc.match_substring_regex(texts, _PRINTABLE)
        if column.length is not None:
            least, most = column.length if isinstance(column.length, tuple) else (column.length, column.length)
            length = pc.utf8_length(texts)
            yield pc.and_(pc.greater_equal(length, least), pc.less_equal(length, most))
        if column.min is not None:
            yield pc.greater_equal(values, _scalar(column.min, column))
        if column.max is not None:
            yield pc.less_equal(values, _scalar(column.max, column))
        if column.one_of is not None:
            allowed = pa.array([_scalar(one, column).as_py() for one in column.one_of], value_type(column))
            yield pc.or_(pc.is_null(values), pc.is_in(values, allowed))
        if column.not_in_future:
            last = self._received if column.type == "timestamp" else self._received.date()
            yield pc.less_equal(values, pa.scalar(last, value_type(column)))


def value_type(column: Column) -> pa.DataType:
    """A column's type in Arrow's words."""
    return pa.decimal128(*decimal_digits(column.type)) if column.family == "decimal" else _TYPES[column.family]


def _may_be_plain(column: Column) -> bool:
    if column.format is not None and by_format(column.format) is None:
        return False
    if column.pattern is not None:
        if not column.pattern.isascii():
            return False
        try:
            pc.match_substring_regex(pa.array([""]), _whole(column.pattern))
        except pa.ArrowInvalid:  # RE2 has no such form
            return False
    return column.family != "decimal" or _digits_before_the_point(column) > 0


def _read(texts: pa.Array, column: Column) -> tuple[pa.Array, pa.Array]:
    """Values, and of which texts they are known (null of a null)."""
    if column.family == "string":
        return texts, pa.nulls(len(texts), pa.bool_())
    if column.family == "bool":
        words = pc.ascii_lower(texts)
        true = pc.is_in(words, pa.array(_TRUE))
        known = pc.or_(true, pc.is_in(words, pa.array(_FALSE)))
        return pc.if_else(known, true, pa.scalar(None, pa.bool_())), pc.or_(known, pc.is_null(texts))
    known = pc.is_valid(texts)
    if column.format is not None and (found := by_format(column.format)):
        written, (day, clock) = found
        known = pc.match_substring_regex(texts, written)
        texts = pc.replace_substring_regex(texts, written, day if column.family == "date" else day + clock)
    known = pc.and_(known, pc.match_substring_regex(texts, _whole(_form(column))))
    plain = pc.if_else(known, texts, pa.scalar(None, pa.string()))
    return pc.cast(plain, value_type(column)), known


def _form(column: Column) -> str:
    if column.family != "decimal":
        return _FORMS[column.family]
    scale = decimal_digits(column.type)[1]
    fraction = rf"(?:\.[0-9]{{1,{scale}}})?" if scale else ""
    return f"-?[0-9]{{1,{_digits_before_the_point(column)}}}{fraction}"


def _digits_before_the_point(column: Column) -> int:
    digits, scale = decimal_digits(column.type)
    return digits - scale


def _whole(pattern: str) -> str:
    return rf"\A(?:{pattern})\z"


def _scalar(value: Any, column: Column) -> pa.Scalar:
    """A value of a configuration as one of the column's type."""
    match column.family:
        case "decimal":
            value = round(Decimal(str(value)), decimal_digits(column.type)[1])
        case "date":
            value = date.fromisoformat(value)
        case "timestamp":
            value = datetime.fromisoformat(value)
    return pa.scalar(value, value_type(column))
