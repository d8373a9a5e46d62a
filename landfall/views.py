"""The SQL of the views over the star's files."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from targets.tables import ORDER, Resolve, Table

# DuckDB's types of the columns of ``ORDER``.
_ORDER = dict(zip(ORDER, ("TIMESTAMP", "VARCHAR", "INTEGER", "BIGINT"), strict=True))


class Files(NamedTuple):
    """Files of a table that were written with one set of columns.

    Attributes:
        columns: DuckDB's type of each.
        uris: of the files.
        alike: whether each file has just these columns: then one of a thousand is opened to make a view of them.
    """

    columns: Mapping[str, str]
    uris: Sequence[str]
    alike: bool


def create(table: Table, columns: Mapping[str, str], groups: Sequence[Files]) -> str:
    """SQL that makes a table's view: a dimension with one row of each key, records as ``Table.resolve`` says.

    Args:
        columns: DuckDB's type of each of the table's columns.
        groups: its files; without any the view is empty. What a file lacks is null, what it has besides is hidden, and
            what is of another type there is cast, to null where that cannot be.
    """
    hidden = _ORDER if table.resolve else {}
    rows = _rows({**columns, **hidden}, [group._replace(columns={**group.columns, **hidden}) for group in groups])
    if table.key is not None:
        rows = _one_a_key(rows, list(columns), table.key)
    if table.resolve is not None and groups:
        rows = _resolved(rows, list(columns), table.resolve)
    return f"CREATE VIEW {_name(table.name)} AS SELECT {_names(columns)} FROM ({rows})"  # noqa: S608


def texts(values: Iterable[str]) -> str:
    """A list of texts."""
    quoted = ("'" + value.replace("'", "''") + "'" for value in values)
    return f"[{', '.join(quoted)}]::VARCHAR[]"


def _rows(columns: Mapping[str, str], groups: Sequence[Files]) -> str:
    nulls = ", ".join(f"NULL::{kind} AS {_name(name)}" for name, kind in columns.items())
    parts = [f"SELECT {nulls} WHERE false", *(_read(columns, group) for group in groups)]
    return f"SELECT {_names(columns)} FROM ({' UNION ALL BY NAME '.join(parts)})"  # noqa: S608


def _read(columns: Mapping[str, str], group: Files) -> str:
    """All columns of files, those cast that the table has of another type."""
    # The columns of the directories' names (year=, drop= …) are not the table's.
    by_name = f"union_by_name = {str(not group.alike).lower()}"
    read = f"read_parquet({texts(group.uris)}, {by_name}, hive_partitioning = false)"
    cast = [
        f"TRY_CAST({_name(name)} AS {kind}) AS {_name(name)}"
        for name, kind in columns.items()
        if group.columns.get(name, kind) != kind
    ]
    replaced = f"REPLACE ({', '.join(cast)})" if cast else ""
    return f"SELECT * {replaced} FROM {read}"  # noqa: S608  # all names are ours


def _resolved(rows: str, columns: Sequence[str], resolve: Resolve) -> str:
    """Rows with the columns of ``ORDER`` -> those of them that readers see."""
    shown = ", ".join(f"r.{_name(name)}" for name in columns)
    if resolve.by == "upsert":
        last = f"SELECT max(row({_names(ORDER)})) AS _last FROM ({rows}) GROUP BY {_names(resolve.columns)}"  # noqa: S608
        same = 'row(r.received, r."drop", r.entry, r.line) = w._last'
    else:
        period = _period(resolve)
        last = f'SELECT {period} AS _period, max(row(received, "drop")) AS _last FROM ({rows}) GROUP BY ALL'  # noqa: S608
        same = f'row(r.received, r."drop") = w._last AND {_period(resolve, "r.")} IS NOT DISTINCT FROM w._period'
    return f"SELECT {shown} FROM ({rows}) r SEMI JOIN ({last}) w ON {same}"  # noqa: S608


def _period(resolve: Resolve, of: str = "") -> str:
    (column,) = resolve.columns
    return f"strftime({of}{_name(column)}, '{'%Y-%m-%d' if resolve.period == 'day' else '%Y-%m'}')"


def _one_a_key(rows: str, columns: Sequence[str], key: str) -> str:
    """The greatest row of a key, of its newest schema: neither the files nor their order decide which one."""
    others = ["schema_version", *(name for name in columns if name not in (key, "schema_version"))]
    fields = ", ".join(f"{_name(name)} := {_name(name)}" for name in others)
    members = f"SELECT {_name(key)}, max(struct_pack({fields})) AS member FROM ({rows}) GROUP BY ALL"  # noqa: S608
    return f"SELECT {_names(columns)} FROM (SELECT {_name(key)}, unnest(member) FROM ({members}))"  # noqa: S608


def _names(names: Iterable[str]) -> str:
    return ", ".join(map(_name, names))


def _name(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
