"""How dates and times are written, as Spark says it in a feed's ``format`` and as DuckDB reads it to count."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

_ISO_DATE = r"\d{4}-\d{2}-\d{2}"
_ISO_TIME = _ISO_DATE + r"[ T]\d{2}:\d{2}:\d{2}(?:\.\d{1,6})?(?:Z|[+-]\d{2}:\d{2})?"

# Spark's pattern, DuckDB's, and the texts that both take.
_DATES = (
    ("yyyy-MM-dd", "%Y-%m-%d", _ISO_DATE),
    ("yyyy/MM/dd", "%Y/%m/%d", r"\d{4}/\d{2}/\d{2}"),
    ("yyyyMMdd", "%Y%m%d", r"(?:19|20)\d{6}"),
    ("dd.MM.yyyy", "%d.%m.%Y", r"\d{2}\.\d{2}\.\d{4}"),
    ("dd/MM/yyyy", "%d/%m/%Y", r"\d{2}/\d{2}/\d{4}"),
    ("MM/dd/yyyy", "%m/%d/%Y", r"\d{2}/\d{2}/\d{4}"),
    ("dd-MM-yyyy", "%d-%m-%Y", r"\d{2}-\d{2}-\d{4}"),
    ("MM-dd-yyyy", "%m-%d-%Y", r"\d{2}-\d{2}-\d{4}"),
    ("d.M.yyyy", "%d.%m.%Y", r"\d{1,2}\.\d{1,2}\.\d{4}"),
    ("d/M/yyyy", "%d/%m/%Y", r"\d{1,2}/\d{1,2}/\d{4}"),
    ("M/d/yyyy", "%m/%d/%Y", r"\d{1,2}/\d{1,2}/\d{4}"),
)
_TIMES = (
    (" HH:mm:ss", " %H:%M:%S", r" \d{2}:\d{2}:\d{2}"),
    (" HH:mm", " %H:%M", r" \d{2}:\d{2}"),
    (" H:mm:ss", " %H:%M:%S", r" \d{1,2}:\d{2}:\d{2}"),
    (" H:mm", " %H:%M", r" \d{1,2}:\d{2}"),
)


class Writing(NamedTuple):
    """One way to write a date or a timestamp.

    Attributes:
        type: date or timestamp.
        format: Spark's pattern; None: ISO 8601.
        parsed: DuckDB's; None: it casts.
        shape: regular expression of the texts.
    """

    type: str
    format: str | None
    parsed: str | None
    shape: str


def writings() -> Iterator[Writing]:
    """Every way that is known, the stricter before the laxer."""
    yield Writing("date", None, "%Y-%m-%d", _ISO_DATE)
    yield Writing("timestamp", None, None, _ISO_TIME)
    for date, parsed, shape in _DATES[1:]:
        yield Writing("date", date, parsed, shape)
    for date, parsed, shape in _DATES:
        for time, its, after in _TIMES:
            if (date, time) != ("yyyy-MM-dd", " HH:mm:ss"):
                yield Writing("timestamp", date + time, parsed + its, shape + after)


def likely(values: Iterable[str]) -> list[Writing]:
    """The ways in which most of some values may be written."""
    values = list(values)
    return [
        one for one in writings() if 2 * sum(bool(re.fullmatch(one.shape, value)) for value in values) > len(values)
    ]
