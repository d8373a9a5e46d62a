"""The SQL of the views over the star's files."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence


def create(table: str, columns: Mapping[str, str], files: Sequence[str], key: str | None) -> str:
    """SQL that makes a table's view.

    Args:
        columns: DuckDB's type of each column. A file that lacks one has null there; one that has more keeps it hidden.
        files: the table's files, by URI; without any the view is empty.
        key: the column that names a member of a dimension: the view keeps one row of each. None: all rows.
    """
    rows = _rows(columns, files)
    return f"CREATE VIEW {_name(table)} AS {rows if key is None else _one_a_key(rows, list(columns), key)}"


def texts(values: Iterable[str]) -> str:
    """A list of texts."""
    quoted = ("'" + value.replace("'", "''") + "'" for value in values)
    return f"[{', '.join(quoted)}]::VARCHAR[]"


def _rows(columns: Mapping[str, str], files: Sequence[str]) -> str:
    nulls = ", ".join(f"NULL::{kind} AS {_name(name)}" for name, kind in columns.items())
    rows = f"SELECT {nulls} WHERE false"
    if files:
        # The columns of the directories' names (year=, drop= …) are not the table's.
        read = f"read_parquet({texts(files)}, union_by_name = true, hive_partitioning = false)"
        rows += f" UNION ALL BY NAME SELECT * FROM {read}"  # noqa: S608  # all names are ours
    return f"SELECT {_names(columns)} FROM ({rows})"  # noqa: S608


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
