"""From the SELECT that made a mart, SQL for the lines behind some of its rows.

It can be derived of one SELECT over tables and joins of which one has a row for each line: the same rows, before they
are grouped, whose groups are those of the mart's rows.
"""

from __future__ import annotations

from collections.abc import Mapping

from sqlglot import exp, parse_one
from sqlglot.errors import SqlglotError

from landfall.tracing.lines import PLACE, condition, has_lines, name
from targets.tables import Table

_SPARK, _DUCKDB = "spark", "duckdb"
_BEYOND = ("with_", "with", "distinct", "limit", "offset", "laterals", "pivots", "sample")


def derived(sql: str, mart: str, where: str, tables: Mapping[str, Table]) -> str | None:
    """DuckDB's SQL for the lines (``through`` and ``lines.PLACE``); None where the SELECT does not say.

    Args:
        sql: Spark's SELECT that made the mart.
        where: of the mart's rows, DuckDB's SQL.
        tables: that may be read, by name.
    """
    try:
        tree = parse_one(sql, dialect=_SPARK)
    except SqlglotError:
        return None
    if not isinstance(tree, exp.Select) or any(tree.args.get(part) for part in _BEYOND):
        return None
    if any(tree.find_all(exp.Subquery, exp.Window, exp.UDTF)) or any(one.is_star for one in tree.expressions):
        return None
    source = _with_lines(tree, tables)
    if source is None:
        return None
    alias, through = source
    groups = [
        (one.alias_or_name, one.this if isinstance(one, exp.Alias) else one)
        for one in tree.expressions
        if not one.find(exp.AggFunc)
    ]
    if not all(output for output, _ in groups):
        return None
    inner = tree.copy()
    for part in ("group", "having", "order"):
        inner.set(part, None)
    places = [exp.column(column, table=alias) for column in PLACE]
    inner.set("expressions", [*places, *(exp.alias_(value.copy(), f"g{at}") for at, (_, value) in enumerate(groups))])
    try:
        rows = inner.sql(dialect=_DUCKDB)
    except SqlglotError:
        return None
    same = " AND ".join(f"r.g{at} IS NOT DISTINCT FROM m.{name(output)}" for at, (output, _) in enumerate(groups))
    picked = f"SELECT * FROM {name(mart)} WHERE {condition(where)}"  # noqa: S608  # confined
    columns = ", ".join(f"r.{column}" for column in PLACE)
    return (
        f"SELECT '{through}' AS through, {columns} FROM ({rows}) AS r "  # noqa: S608
        f"WHERE EXISTS (SELECT 1 FROM ({picked}) AS m WHERE {same or 'true'})"
    )


def _with_lines(tree: exp.Select, tables: Mapping[str, Table]) -> tuple[str, str] | None:
    """Alias and name of the one table that has a row for each line; None if there is none, or more than one."""
    found = [
        (table.alias_or_name, table.name)
        for table in tree.find_all(exp.Table)
        if table.name in tables and has_lines(tables[table.name])
    ]
    return found[0] if len(found) == 1 else None
