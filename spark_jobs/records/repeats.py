"""Lines whose key another line of the drop has: found by DuckDB in Spark's workers, who share the keys by hash.

Most keys come once. A worker counts its share of hashes first (of 8 bytes, however long a key is), and looks at the
keys themselves only of those that come twice. What does not fit in DuckDB's memory goes to the worker's disk.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import pyarrow as pa

from conf.feeds import RecordsFeed
from spark_jobs import duck
from spark_jobs.duck import database
from spark_jobs.files import paths, reader, write_some
from spark_jobs.records.plain import value_type
from spark_jobs.records.shape import CORRECTS, LINE, PLACE, TEXT
from targets.filesystem import FileSystem

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_BATCH_ROWS = 20_000


class Keys(NamedTuple):
    """Where keys of good lines lie.

    Attributes:
        directory: path of the files.
        without: path of files that name lines of them which are not good; None: all are.
    """

    directory: str
    without: str | None = None


def key_schema(feed: RecordsFeed) -> pa.Schema:
    """What is read of each good line: where it stands, what it corrects, and the values that make its key."""
    types = {column.name: value_type(column) for column in feed.columns}
    return pa.schema(
        [*(TEXT.field(name) for name in (*PLACE, *CORRECTS)), *((name, types[name]) for name in key(feed))]
    )


def key(feed: RecordsFeed) -> list[str]:
    """The columns whose values say what a record is."""
    return list(feed.key) or [column.name for column in feed.read]


@dataclass(frozen=True)
class Repeats:
    """The lines that others stand for: of those of one key the first stays, or the last where the feed says so."""

    fs: FileSystem
    feed: RecordsFeed
    keys: Sequence[Keys]
    goal: str
    shares: int

    @property
    def schema(self) -> pa.Schema:
        """Of what is written of each: as ``key_schema`` (of a feed without a key no values), and which line stands."""
        schema = key_schema(self.feed)
        first = [pa.field(f"_first_{name}", TEXT.field(name).type) for name in LINE]
        columns = [schema.field(name) for name in (*PLACE, *CORRECTS, *self.feed.key)] + first
        return pa.schema([column.with_nullable(True) for column in columns])  # as Spark writes all of its own

    def write(self, share: int) -> int:
        """Writes those of one share of the keys to a file in the order of the drop; returns how many."""
        names = ", ".join(f'"{name}"' for name in key(self.feed))  # of a few letters (``conf.names``)
        stands = "max" if self.feed.on_duplicate == "last" else "min"
        alike = " AND ".join(f'alike."{name}" IS NOT DISTINCT FROM kept."{name}"' for name in key(self.feed))
        with database() as connection:
            with self._good(connection) as good:
                hashes = f"SELECT hash({names}) AS _hash FROM {good}"  # noqa: S608
                mine = f"SELECT _hash FROM ({hashes}) WHERE _hash % {self.shares} = {share}"  # noqa: S608
                connection.execute(f"CREATE TEMP TABLE often AS {mine} GROUP BY _hash HAVING count(*) > 1")
            if not connection.execute("SELECT 1 FROM often LIMIT 1").fetchall():
                return 0
            with self._good(connection) as good:
                hashed = f"SELECT *, hash({names}) AS _hash FROM {good}"  # noqa: S608
                connection.execute(f"CREATE TEMP TABLE alike AS FROM ({hashed}) SEMI JOIN often USING (_hash)")
            kept = f"SELECT {names}, {stands}({duck.PLACE}) AS _first FROM alike GROUP BY {names}"  # noqa: S608
            connection.execute(f"CREATE TEMP TABLE kept AS {kept}")
            found = connection.sql(
                f"SELECT alike.*, {duck.ENTRY_OF.format('_first')} AS _first_entry, "  # noqa: S608
                f"{duck.LINE_OF.format('_first')} AS _first_line FROM alike JOIN kept ON {alike} "
                f"WHERE {duck.PLACE} <> _first ORDER BY {', '.join(PLACE)}"
            ).to_arrow_reader(_BATCH_ROWS)
            return write_some(self.fs, f"{self.goal}/part-{share:05}.parquet", self.schema, found)

    @contextmanager
    def _good(self, connection: DuckDBPyConnection) -> Iterator[str]:
        """Has DuckDB read the keys of all good lines; yields where it finds them, to be read once."""
        schema = key_schema(self.feed)
        places = pa.schema([TEXT.field(name) for name in LINE])
        each: list[str] = []
        for number, (directory, without) in enumerate(self.keys):
            connection.register(f"keys_{number}", reader(self.fs, paths(self.fs, directory), schema))
            each.append(f"FROM keys_{number}")
            if without is not None:
                connection.register(f"without_{number}", reader(self.fs, paths(self.fs, without), places))
                each[-1] += f" ANTI JOIN without_{number} USING ({', '.join(LINE)})"
        yield f"({' UNION ALL '.join(each)})"
        for name in connection.execute("SELECT view_name FROM duckdb_views() WHERE NOT internal").fetchall():
            connection.unregister(*name)
