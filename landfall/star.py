"""The star of one client, as far as the caller may read it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from types import TracebackType
from typing import TYPE_CHECKING, Self

import duckdb
import pyarrow as pa

from auth.gate import authorize
from auth.policy import Action
from conf.client import load_client
from conf.errors import LandfallError, NotFound
from conf.settings import Settings, load_settings
from landfall import confined
from spark_jobs.star.described import known_tables
from spark_jobs.star.tables import IMAGES
from targets.catalog import Catalog, published_tables
from targets.column_types import arrow_schema
from targets.filesystem import FileSystem
from targets.lake import client_layout, open_lake
from targets.published import published_feeds
from targets.tables import Table

if TYPE_CHECKING:
    from pyspark.sql import DataFrame


class Star:
    """The published tables of one client; a context manager, or ``close()`` it.

    Attributes:
        client: whose tables these are.
        feeds: the feeds that the caller may read; None: all.
        catalog: the tables and their files. They are those that were published when the star was opened.
        fs: where these lie.
    """

    def __init__(
        self,
        client: str,
        feeds: frozenset[str] | None,
        catalog: Catalog,
        fs: FileSystem,
        settings: Settings,
    ) -> None:
        self.client = client
        self.feeds = feeds
        self.catalog = catalog
        self.fs = fs
        self._settings = settings
        self._connection = confined.connect(fs, catalog, settings.query)

    def tables(self) -> list[str]:
        """Names of the tables."""
        return list(self.catalog.tables)

    def columns(self, table: str) -> pa.Schema:
        """A table's columns."""
        return arrow_schema(self.catalog.tables[self._known(table)].columns)

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
        """A whole table in memory."""
        schema = self.columns(table)
        return self.sql(f'SELECT * FROM "{table}"').to_arrow_table().cast(schema)  # noqa: S608  # a table of ours

    def spark(self, table: str) -> DataFrame:
        """A table as a Spark DataFrame of this process's session."""
        from spark_jobs.hadoop import serve
        from spark_jobs.session import session
        from spark_jobs.star.reading import frame

        serve(self.client)
        return frame(session(self._settings), self.fs, self.catalog, self._known(table))

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
        if table not in self.catalog.tables:
            raise NotFound(f"There is no table {table!r}.", f"The tables are {', '.join(self.catalog.tables)}.")
        return table


def open_star(client: str, action: Action = "query", feed: str | None = None, month_of: date | None = None) -> Star:
    """The client's star as it is published now.

    Args:
        client: its id.
        action: what the caller asks the gate for.
        feed: this feed only; None: every feed that the caller may read.
        month_of: only drops that were received in the month of this day (``published_tables``); None: all.

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
    catalog = published_tables(fs, layout, feeds, _known(client, feeds, published_feeds(fs, layout)), month_of)
    return Star(client, feeds, catalog, fs, settings)


def open_pictures(client: str, action: Action = "images", feed: str | None = None) -> Star:
    """The client's star, as ``open_star``; NotFound too where none of its feeds brings pictures."""
    star = open_star(client, action, feed)
    if "dim_image" not in star.catalog.tables:
        star.close()
        raise NotFound(f"Client {client} has no pictures: none of its feeds carries images.")
    return star


def _known(client: str, feeds: frozenset[str] | None, published: Sequence[str]) -> dict[str, Table]:
    """The tables of the client's feeds as far as its file tells; those of catalogues if any feed is not in it."""
    try:
        configured = load_client(client).feeds
    except LandfallError:  # what is published can be read whatever became of the file
        return IMAGES
    known = known_tables({name: feed for name, feed in configured.items() if feeds is None or name in feeds})
    return known if configured.keys() >= set(published) else {**IMAGES, **known}
