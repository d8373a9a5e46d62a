"""Types of columns, and what a client's file may say of their values, kept in a form that JSON can carry."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from conf.problems import nearest, shown

_TYPES = ("string", "int", "long", "double", "bool", "date", "timestamp", "decimal(p,s)")
_DECIMAL = re.compile(r"decimal\((\d{1,2}),\s*(\d{1,2})\)")
_BITS = {"int": 31, "long": 63}
_MOST_DIGITS = 38
ORDERED = ("int", "long", "double", "date", "timestamp", "decimal")

# What may stand in a pattern of dates: Spark reads these letters, so many of each at most.
_LETTERS = {"y": 4, "M": 4, "d": 2, "D": 3, "H": 2, "h": 2, "m": 2, "s": 2, "S": 9, "a": 1, "X": 5, "x": 5, "z": 1}
_IN_FORMAT = re.compile(r"'(?:[^']|'')*'|([A-Za-z])\1*|[][ ./:,_-]|T")


def checked_type(text: str) -> str:
    """A column's type, as Spark's DDL says it with other words for some; ValueError says which there are."""
    found = _DECIMAL.fullmatch(text)
    if found:
        digits, scale = int(found[1]), int(found[2])
        if not 1 <= digits <= _MOST_DIGITS or scale > digits:
            raise ValueError(f"decimal(p,s) has p of 1 to {_MOST_DIGITS} and s of 0 to p")
        return f"decimal({digits},{scale})"
    if text not in _TYPES[:-1]:
        raise ValueError(f"it must be one of {', '.join(_TYPES)}{nearest(text, _TYPES)}")
    return text


def family(type: str) -> str:
    """A type without its digits."""
    return type.partition("(")[0]


def decimal_digits(type: str) -> tuple[int, int]:
    """Precision and scale of a decimal type."""
    found = _DECIMAL.fullmatch(type)
    assert found is not None, type
    return int(found[1]), int(found[2])


def spark_type(type: str) -> str:
    """The type in the words of Spark's DDL; timestamps are UTC and carry no zone."""
    return {"long": "bigint", "bool": "boolean", "timestamp": "timestamp_ntz"}.get(type, type)


def checked_format(text: str) -> str:
    """A pattern of dates; ValueError says what is wrong with it."""
    at = 0
    while at < len(text):
        found = _IN_FORMAT.match(text, at)
        if found is None:
            raise ValueError(f"at {shown(text[at:])} it has a sign that is none; put text in ' '")
        letters = found[0]
        if found[1] and len(letters) > _LETTERS.get(found[1], 0):
            raise ValueError(f"{letters!r} has no meaning; patterns are made of {', '.join(_LETTERS)}")
        at = found.end()
    if not re.search("[yMdHhms]", text):
        raise ValueError("it must be a pattern such as dd.MM.yyyy or yyyy-MM-dd HH:mm:ss")
    return text


def checked_value(value: Any, type: str) -> int | float | str | bool:
    """A value of the type, as JSON carries it: dates, timestamps (UTC) and decimals as text."""
    said = f"it must be a value of type {type}"
    try:
        match family(type):
            case "int" | "long":
                return _whole(value, type)
            case "double" if isinstance(value, int | float) and not isinstance(value, bool):
                return float(value)
            case "decimal" if not isinstance(value, bool):
                return _decimal(value, type)
            case "date":
                return _date(value).isoformat()
            case "timestamp":
                return _instant(value).isoformat(sep=" ")
            case "bool" if isinstance(value, bool):
                return value
            case "string" if isinstance(value, str):
                return value
    except (TypeError, InvalidOperation):
        raise ValueError(said) from None
    raise ValueError(said)


def ordered(value: int | float | str | bool, type: str) -> Any:
    """A checked value as one that compares."""
    return Decimal(str(value)) if family(type) == "decimal" else value


def _whole(value: Any, type: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError
    if not -(1 << _BITS[type]) <= value < 1 << _BITS[type]:
        raise ValueError(f"{value} is no value of type {type}: it is too large")
    return value


def _decimal(value: Any, type: str) -> str:
    number = Decimal(str(value))
    digits, scale = decimal_digits(type)
    if not number.is_finite():
        raise TypeError
    if number and (number.adjusted() >= digits - scale or number != round(number, scale)):
        raise ValueError(f"{value} has more digits than {type}")
    return format(number, "f")


def _date(value: Any) -> date:
    if isinstance(value, str):
        return date.fromisoformat(value)
    if isinstance(value, datetime) or not isinstance(value, date):
        raise TypeError
    return value


def _instant(value: Any) -> datetime:
    moment = datetime.fromisoformat(value) if isinstance(value, str) else value
    if isinstance(moment, date) and not isinstance(moment, datetime):
        moment = datetime(moment.year, moment.month, moment.day)
    if not isinstance(moment, datetime):
        raise TypeError
    return moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo else moment
