"""The tables that a feed's drops become, from its configuration alone."""

from __future__ import annotations

from collections.abc import Mapping

from conf.feeds import ImagesFeed, RecordsFeed
from conf.feeds.columns import Column
from conf.feeds.values import spark_type
from spark_jobs.star.tables import IMAGES
from targets.tables import ORDER, Resolve, Table, merged

_FAULTS = "array<struct<column:string,rule:string,value:string,message:string,fix:string>>"
_SHARED = ("dim_date", "dim_drop", "dim_outcome")


def known_tables(feeds: Mapping[str, ImagesFeed | RecordsFeed]) -> dict[str, Table]:
    """The tables of feeds: what readers find even before anything is published."""
    found: dict[str, Table] = {}
    for feed, config in feeds.items():
        for name, table in feed_tables(feed, config).items():
            found[name] = merged([found[name], table]) if name in found else table
    return found


def known_columns(feeds: Mapping[str, ImagesFeed | RecordsFeed]) -> dict[str, list[str]]:
    """The columns of each table of feeds, for what a configuration says of them."""
    return {name: list(table.columns) for name, table in known_tables(feeds).items()}


def feed_tables(feed: str, config: ImagesFeed | RecordsFeed) -> dict[str, Table]:
    """The tables of one feed."""
    if isinstance(config, ImagesFeed):
        return IMAGES
    tables = [fact_table(feed, config), line_table(feed), *map(dimension_table, dimensions(config))]
    return {**{table.name: table for table in tables}, **{name: IMAGES[name] for name in _SHARED}}


def fact_name(feed: str) -> str:
    """The table of a feed's accepted records."""
    return f"fact_{feed.replace('-', '_')}"


def line_name(feed: str) -> str:
    """The table of the lines of a feed's files that there is something to say of."""
    return f"{fact_name(feed)}_line"


def dimensions(config: RecordsFeed) -> list[Column]:
    """The columns whose values are members of a dimension."""
    return [column for column in config.columns if column.dimension]


def fact_table(feed: str, config: RecordsFeed) -> Table:
    """One row an accepted record: keys, where it stands in the client's file, then the feed's columns."""
    keys = ["date_key", "drop_key", *(f"{column.name}_key" for column in dimensions(config))]
    columns = {
        **dict.fromkeys(keys, "string"),
        **{name: kind for name, kind in ORDER.items() if name != "drop"},
        "corrects_drop": "string",
        "corrects_line": "string",
        **{column.name: spark_type(column.type) for column in config.columns},
        "schema_version": "int",
    }
    return Table(fact_name(feed), "fact", columns, resolve=_resolve(config))


def line_table(feed: str) -> Table:
    """One row a line that was quarantined, is a duplicate, or was accepted with a warning.

    rule, value, message are those of the first fault; ``faults`` has all of them.
    """
    columns = {
        **dict.fromkeys(("date_key", "drop_key", "outcome_key"), "string"),
        "entry": "int",
        "line": "bigint",
        **dict.fromkeys(("outcome", "rule", "value", "message"), "string"),
        "first_entry": "int",
        "first_line": "bigint",
        "corrects_drop": "string",
        "corrects_line": "string",
        "faults": _FAULTS,
        "schema_version": "int",
    }
    return Table(line_name(feed), "fact", columns)


def dimension_table(column: Column) -> Table:
    """One row a value of a column."""
    key = f"{column.name}_key"
    columns = {key: "string", column.name: spark_type(column.type), "schema_version": "int"}
    return Table(f"dim_{column.name}", "dimension", columns, key=key)


def _resolve(config: RecordsFeed) -> Resolve | None:
    if config.on_redrop == "upsert":
        return Resolve("upsert", config.key)
    if config.on_redrop == "replace_period" and config.partition_by:
        return Resolve("replace_period", (config.partition_by,), config.period)
    return None
