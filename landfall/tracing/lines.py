"""SQL that asks which lines of which drops rows are made of."""

from __future__ import annotations

from collections.abc import Mapping

from targets.tables import Table

PLACE = ("drop_key", "entry", "line")


def condition(where: str) -> str:
    """A condition from a person, closed in itself: a comment in it ends with its line."""
    return f"({where}\n)" if where.strip() else "true"


def name(word: str) -> str:
    """A name in SQL."""
    return '"' + word.replace('"', '""') + '"'


def has_lines(table: Table) -> bool:
    """Whether each row stands for a line, and says for which."""
    return all(column in table.columns for column in PLACE)


def of_rows(table: Table, where: str) -> str:
    """The lines of the rows of a table that ``has_lines``."""
    return _places(table, condition(where))


def of_members(dimension: Table, where: str, tables: Mapping[str, Table]) -> str | None:
    """The lines whose rows lead to members of a dimension; None if no table does."""
    key = dimension.key or ""
    members = f"SELECT {name(key)} FROM {name(dimension.name)} WHERE {condition(where)}"  # noqa: S608  # confined
    found = [
        _places(table, f"{name(key)} IN ({members})")
        for table in tables.values()
        if key in table.columns and has_lines(table)
    ]
    return " UNION ALL ".join(found) or None


def counted(tables: Mapping[str, Table]) -> str | None:
    """Of each drop the lines that facts were made of: drop_key, lines."""
    facts = [
        f"SELECT drop_key, count(*) AS n FROM {name(table.name)} GROUP BY 1"  # noqa: S608  # a table of the catalog
        for table in tables.values()
        if table.kind == "fact" and has_lines(table) and not table.name.endswith("_line")
    ]
    united = " UNION ALL ".join(facts)
    return f"SELECT drop_key, sum(n)::BIGINT FROM ({united}) GROUP BY 1" if facts else None  # noqa: S608


def _places(table: Table, where: str) -> str:
    columns = ", ".join(PLACE)
    return f"SELECT '{table.name}' AS through, {columns} FROM {name(table.name)} WHERE {where}"  # noqa: S608
