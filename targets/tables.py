"""What a table is, as the manifest of whoever writes it describes it: readers go by these descriptions.

A table may be described by many drops, each as its feed was configured then; ``merged`` is what readers see of all.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from functools import reduce
from typing import Any, Literal

Kind = Literal["fact", "dimension", "aggregate", "mart"]
Period = Literal["day", "month"]

# What tells which drop a record came with, and where it stands in it: what comes later wins. A table that is resolved
# has these columns in its files, whether or not its description shows them.
ORDER = {"received": "timestamp_ntz", "drop": "string", "entry": "int", "line": "bigint"}


@dataclass(frozen=True)
class Resolve:
    """Which of the records of several drops readers see.

    Attributes:
        by: ``upsert``: of the records of one key the last one, by ``ORDER``; ``replace_period``: of the records of one
            period those of the last drop that has any.
        columns: the key's columns; or the one column of the date or time whose period it is.
        period: of ``replace_period``.
    """

    by: Literal["upsert", "replace_period"]
    columns: tuple[str, ...]
    period: Period | None = None


@dataclass(frozen=True)
class Table:
    """A table.

    Attributes:
        name: of the table and of the directory of its files in an output.
        kind: what it is in the star.
        columns: the type of each column, as Spark's DDL writes it, in order.
        key: the column that names a member of a dimension: readers see one row of each key. None: all rows.
        resolve: which records readers see where several drops have the same. None: all.
    """

    name: str
    kind: Kind
    columns: Mapping[str, str]
    key: str | None = None
    resolve: Resolve | None = None

    def to_json(self) -> dict[str, Any]:
        """As a manifest carries it. The columns are a list: JSON that is sorted by name keeps their order."""
        return {**asdict(self), "columns": [list(column) for column in self.columns.items()]}

    @classmethod
    def from_json(cls, fields: Mapping[str, Any]) -> Table:
        resolve = fields.get("resolve")
        return cls(
            name=fields["name"],
            kind=fields["kind"],
            columns=dict(fields["columns"]),
            key=fields.get("key"),
            resolve=resolve and Resolve(resolve["by"], tuple(resolve["columns"]), resolve.get("period")),
        )


def merged(described: Iterable[Table]) -> Table:
    """One description of several of one table, of which a later one is newer.

    Where they differ the newest holds; columns that only older ones have follow those of the newest.
    """
    return reduce(_newer, described)


def _newer(older: Table, newer: Table) -> Table:
    columns = {**newer.columns, **{name: kind for name, kind in older.columns.items() if name not in newer.columns}}
    return Table(newer.name, newer.kind, columns, newer.key, newer.resolve)
