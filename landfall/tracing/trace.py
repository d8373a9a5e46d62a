"""Traces rows of a table back."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from conf.errors import NotFound, QueryRefused
from conf.settings import load_settings
from landfall.query import run
from landfall.star import Star, open_star
from landfall.tracing import lines
from landfall.tracing.derivation import derived
from landfall.tracing.making import Making, makings

How = Literal["each line", "all lines of these drops"]


@dataclass(frozen=True)
class Made:
    """What made a table.

    Attributes:
        by: ``load of <feed>`` or ``<workflow>/<action>``.
        builds: of the outputs that readers see.
        reads: the tables that were read, or the feed's files.
        current: whether these are still the same as when they were read.
    """

    table: str
    by: str
    builds: tuple[str, ...]
    reads: tuple[str, ...]
    current: bool


@dataclass(frozen=True)
class DropSeen:
    """A drop.

    Attributes:
        name: what the client called its file.
        lines: of its file that facts were made of.
    """

    id: str
    feed: str
    name: str
    received: datetime
    lines: int


@dataclass(frozen=True)
class Line:
    """A line of a client's file.

    Attributes:
        through: the table whose row stands for it.
        entry: which file of an archive, from 0.
    """

    drop: str
    through: str
    entry: int
    line: int


@dataclass(frozen=True)
class Trace:
    """The way back.

    Attributes:
        rows: how many rows of the table the condition holds of.
        made: what made the table, and what made what it was made of.
        drops: whose data the rows are made of, in order of receipt.
        how: whether the lines are those of the rows, or all of the drops.
        why: why it is not each line; else empty.
        lines: the first of them; none where it is all of the drops.
        more: whether there are others.
    """

    client: str
    table: str
    rows: int
    made: tuple[Made, ...]
    drops: tuple[DropSeen, ...]
    how: How
    why: str
    lines: tuple[Line, ...]
    more: bool


def trace(client: str, table: str, where: str = "", most: int = 100) -> Trace:
    """The way back from rows of a table.

    Args:
        where: DuckDB's SQL over the table's columns, confined as queries are; empty: all rows.
        most: how many lines at most.

    Raises:
        AccessDenied: the caller may not query the client; nothing of it was read.
        NotFound: there is no such client or table.
        QueryRefused: the condition is none.
    """
    with open_star(client) as star:
        if table not in star.catalog.tables:
            raise NotFound(f"There is no table {table!r}.", f"The tables are {', '.join(star.catalog.tables)}.")
        return _Tracing(star, table, where, most).trace()


class _Tracing:
    def __init__(self, star: Star, table: str, where: str, most: int) -> None:
        self._star, self._where, self._most = star, where, most
        self._tables = star.catalog.tables
        self._table = self._tables[table]
        self._seconds = load_settings().query.seconds

    def trace(self) -> Trace:
        counted = f"SELECT count(*) FROM {lines.name(self._table.name)} WHERE {lines.condition(self._where)}"  # noqa: S608
        rows = self._one(counted)
        made = makings(self._star.fs, self._star.catalog, self._table.name)
        sql, why = self._lines(made[0] if made else None)
        found: list[tuple[Any, ...]] = []
        if sql is not None and rows:
            found = list(self._rows(f"{_each_once(sql)} LIMIT {self._most + 1}"))
            if not found:
                sql, why = None, "no line leads to these rows as the tables are now"
        if sql is not None:
            keys = [key for (key,) in self._rows(f"SELECT DISTINCT drop_key FROM ({sql})")]  # noqa: S608
        else:
            keys = self._keys(made) if rows else []
        drops = {key: drop for key, drop in self._drops() if key in set(keys)}
        return Trace(
            client=self._star.client,
            table=self._table.name,
            rows=rows,
            made=tuple(_told(one) for one in made),
            drops=tuple(sorted(drops.values(), key=lambda drop: (drop.received, drop.id))),
            how="each line" if sql is not None else "all lines of these drops",
            why=why,
            lines=tuple(
                Line(drops[key].id, through, entry, line)
                for through, key, entry, line in found[: self._most]
                if key in drops
            ),
            more=len(found) > self._most,
        )

    def _lines(self, making: Making | None) -> tuple[str | None, str]:
        """SQL for the lines of the rows, or why there is none."""
        if lines.has_lines(self._table):
            return lines.of_rows(self._table, self._where), ""
        if self._table.name == "dim_drop":
            return None, ""
        if self._table.key is not None:
            sql = lines.of_members(self._table, self._where, self._tables)
            return sql, "" if sql else "no table that says its lines leads to this dimension"
        if making is not None and making.sql:
            sql = derived(making.sql, self._table.name, self._where, self._tables)
            if sql is not None and self._runs(sql):
                return sql, ""
        return None, "what made the table does not say which lines a row is of"

    def _runs(self, sql: str) -> bool:
        """Whether DuckDB understands what was Spark's."""
        try:
            self._rows_of(f"SELECT * FROM ({sql}) LIMIT 0")  # noqa: S608
        except QueryRefused:
            return False
        return True

    def _keys(self, made: list[Making]) -> list[str]:
        """Keys of the drops that rows without lines are of."""
        if "drop_key" in self._table.columns:
            table, where = lines.name(self._table.name), lines.condition(self._where)
            return [key for (key,) in self._rows(f"SELECT DISTINCT drop_key FROM {table} WHERE {where}")]  # noqa: S608
        drops = {drop for one in made for drop in one.drops}
        return [key for key, drop in self._drops() if drop.id in drops]

    def _drops(self) -> Iterator[tuple[str, DropSeen]]:
        counted = lines.counted(self._tables)
        counts = dict(self._rows(counted)) if counted else {}
        for key, drop, feed, name, received in self._rows("SELECT drop_key, drop, feed, name, received FROM dim_drop"):
            yield key, DropSeen(drop, feed, name, received, counts.get(key, 0))

    def _one(self, sql: str) -> int:
        return int(next(self._rows(sql))[0])

    def _rows(self, sql: str) -> Iterator[tuple[Any, ...]]:
        return run(self._star, sql, self._seconds).rows

    def _rows_of(self, sql: str) -> list[tuple[Any, ...]]:
        return list(self._rows(sql))


def _each_once(sql: str) -> str:
    return f"SELECT DISTINCT * FROM ({sql}) ORDER BY drop_key, entry, line"  # noqa: S608  # confined


def _told(one: Making) -> Made:
    return Made(one.table, one.by, one.builds, one.reads, one.current)
