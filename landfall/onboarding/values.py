"""What the values of one column are like, asked of a sample's database."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import duckdb

from landfall.onboarding.times import Writing

_MOST_DISTINCT = 50_000
WHOLE = "-?(?:0|[1-9][0-9]*)"
NUMBER = WHOLE + r"(?:\.[0-9]+)?"
FLOAT = NUMBER + "(?:[eE][+-]?[0-9]{1,3})?"


@dataclass(frozen=True)
class Facts:
    """Counts over the values of a column that are there.

    Attributes:
        rows: of the sample that can be taken apart.
        present: values that are there.
        distinct: of them.
        whole, number, floating: values written so, without zeros in front (of those with zeros: ``zeros``).
        digits, scale: most digits before and behind the point.
    """

    rows: int
    present: int
    distinct: int
    whole: int
    number: int
    floating: int
    zeros: int
    digits: int
    scale: int

    @property
    def missing(self) -> int:
        return self.rows - self.present


class Values:
    """One column of the table ``clean``.

    Args:
        name: of the column there: c0, c1 …
    """

    def __init__(self, database: duckdb.DuckDBPyConnection, name: str) -> None:
        self._database = database
        self.name = name

    def facts(self) -> Facts:
        c = self.name
        found = self._one(
            f"""SELECT count(*), count({c}), count(DISTINCT {c}),
            count(*) FILTER (regexp_full_match({c}, '{WHOLE}')),
            count(*) FILTER (regexp_full_match({c}, '{NUMBER}')),
            count(*) FILTER (regexp_full_match({c}, '{FLOAT}')),
            count(*) FILTER (regexp_full_match({c}, '-?0[0-9]+')),
            coalesce(max(length(regexp_extract({c}, '^-?([0-9]+)', 1)))
                FILTER (regexp_full_match({c}, '{NUMBER}')), 0),
            coalesce(max(length(regexp_extract({c}, '\\.([0-9]+)$', 1)))
                FILTER (regexp_full_match({c}, '{NUMBER}')), 0)
            FROM clean"""
        )
        return Facts(*found)

    def counts(self, where: str = "true") -> dict[str, int]:
        """How often each value comes, the most frequent first, at most 50,000 of them."""
        rows = self._database.execute(
            f"SELECT {self.name}, count(*) AS n FROM clean WHERE {self.name} IS NOT NULL AND ({where}) "
            f"GROUP BY 1 ORDER BY n DESC, 1 LIMIT {_MOST_DISTINCT}"
        ).fetchall()
        return dict(rows)

    def fitting(self, condition: str, parameters: Sequence[Any] = ()) -> int:
        """How many values a condition holds of."""
        sql = f"SELECT count(*) FROM clean WHERE {self.name} IS NOT NULL AND ({condition})"
        return int(self._one(sql, parameters)[0])

    def span(self, typed: str) -> tuple[Any, Any]:
        """Least and greatest of what an expression makes of the values."""
        least, most = self._one(f"SELECT min({typed}), max({typed}) FROM clean")
        return least, most

    def _one(self, sql: str, parameters: Sequence[Any] = ()) -> tuple[Any, ...]:
        found = self._database.execute(sql, parameters).fetchone()
        assert found is not None
        return found


def literal(text: str) -> str:
    """A text in SQL."""
    return "'" + text.replace("'", "''") + "'"


def matching(name: str, pattern: str) -> str:
    """SQL: whether the whole value matches."""
    return f"regexp_full_match({name}, {literal(pattern)})"


def timed(name: str, writing: Writing) -> str:
    """SQL: the value as a date or timestamp; null where it is none that is written so."""
    kind = writing.type.upper()
    value = (
        f"try_cast({name} AS TIMESTAMP)"
        if writing.parsed is None
        else f"try_strptime({name}, {literal(writing.parsed)})"
    )
    return f"CASE WHEN {matching(name, writing.shape)} THEN CAST({value} AS {kind}) END"
