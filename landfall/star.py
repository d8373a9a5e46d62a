"""The star of one client, as far as the caller may read it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Self

import duckdb
import pyarrow as pa

from auth.gate import authorize
from auth.policy import Action
from conf.client import load_client
from conf.errors import NotFound
from conf.settings import Settings, load_settings
from landfall import confined
from landfall.readable import Readable
from spark_jobs.star.tables import DIMENSION_KEYS, TABLES
from targets.dataset import Dataset, require
from targets.filesystem import FileSystem
from targets.lake import client_layout, open_lake
from targets.layout import ClientLayout
from targets.local import LocalFileSystem
from targets.published import current, published_feeds

if TYPE_CHECKING:
    from pyspark.sql import DataFrame


class Star:
    """The published tables of one client; a context manager, or ``close()`` it.

    Attributes:
        client: whose tables these are.
        feeds: the feeds that the caller may read; None: all.
        files: each table's files, by URI. They are those that were published when the star was opened.
    """

    def __init__(
        self,
        client: str,
        feeds: frozenset[str] | None,
        files: Mapping[str, Sequence[str]],
        settings: Settings,
        readable: Readable | None = None,
    ) -> None:
        self.client = client
        self.feeds = feeds
        self.files = files
        self._settings = settings
        self._connection = confined.connect(TABLES, files, DIMENSION_KEYS, settings.query, readable)

    def tables(self) -> list[str]:
        """Names of the tables."""
        return list(TABLES)

    def sql(self, query: str) -> duckdb.DuckDBPyRelation:
        """What one SELECT over the tables gives, lazily; QueryRefused for anything else."""
        confined.check_select(self._connection, query)
        try:
            # A cursor of its own, so that one relation may be read while another still is.
            return self._connection.cursor().sql(query)
        except duckdb.Error as error:
            raise confined.refusal(error) from error

    def cursor(self) -> duckdb.DuckDBPyConnection:
        """A cursor to ``execute`` with."""
        return self._connection.cursor()

    def execute(self, query: str, cursor: duckdb.DuckDBPyConnection) -> None:
        """Has a cursor run one SELECT: rows come as they are fetched. QueryRefused for anything else."""
        confined.check_select(cursor, query)
        try:
            cursor.execute(query)
        except duckdb.Error as error:
            raise confined.refusal(error) from error

    def arrow(self, table: str) -> pa.Table:
        """A whole table in memory, with the columns of ``spark_jobs.star.tables``."""
        schema = TABLES[self._known(table)]
        return self.sql(f'SELECT * FROM "{table}"').to_arrow_table().cast(schema)  # noqa: S608  # a table of ours

    def spark(self, table: str) -> DataFrame:
        """A table as a Spark DataFrame of this process's session."""
        from landfall.star_frames import frame
        from spark_jobs.hadoop import serve

        serve(self.client)
        return frame(self._settings, self._known(table), self.files.get(table, ()))

    def close(self) -> None:
        """Gives up the database; what was read stays."""
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _known(self, table: str) -> str:
        if table not in TABLES:
            raise NotFound(f"There is no table {table!r}.", f"The tables are {', '.join(TABLES)}.")
        return table


def open_star(client: str, action: Action = "query", feed: str | None = None) -> Star:
    """The client's star as it is published now.

    Args:
        client: its id.
        action: what the caller asks the gate for.
        feed: this feed only; None: every feed that the caller may read.

    Raises:
        AccessDenied: the caller has no grant for it; nothing of the client's was read.
        NotFound: there is no such client, or it has no such feed.
    """
    permit = authorize(client, action, feed)
    settings = load_settings()
    fs, layout = open_lake(settings, client), client_layout(settings, client)
    if not fs.exists(layout.root):
        load_client(client)  # raises NotFound; a client that has not dropped anything yet has empty tables
    if feed is not None and feed not in published_feeds(fs, layout):
        config = load_client(client)
        if feed not in config.feeds:
            raise NotFound(f"Client {client} has no feed {feed}.", f"Its feeds are: {', '.join(config.feeds)}.")
    feeds = permit.feeds if feed is None else frozenset({feed})
    paths = published_files(fs, layout, feeds)
    files = {table: [fs.uri(path) for path in of] for table, of in paths.items()}
    # DuckDB opens this machine's files by itself.
    foreign = {} if isinstance(fs, LocalFileSystem) else {fs.uri(path): path for of in paths.values() for path in of}
    return Star(client, feeds, files, settings, Readable(fs, foreign) if foreign else None)


def published_files(fs: FileSystem, layout: ClientLayout, feeds: frozenset[str] | None) -> dict[str, list[str]]:
    """The paths of each table's files that readers see, as the manifests of what is published name them.

    Args:
        feeds: which feeds' tables; None: all.
    """
    files: dict[str, list[str]] = {table: [] for table in TABLES}
    for entry in current(fs, layout, [feed for feed in published_feeds(fs, layout) if feeds is None or feed in feeds]):
        path = layout.stage("load", entry.feed, entry.receipt, entry.drop, entry.stages["load"])
        manifest = require(Dataset(fs, path), f"Load of the published drop {entry.drop[:12]}")
        for name in sorted(manifest.files):
            table = name.partition("/")[0]
            if table in files and name.endswith(".parquet"):
                files[table].append(f"{path}/{name}")
    return files
