"""Drops of records, made in memory and validated by the real thing."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow.parquet as pq
from pyspark.sql import SparkSession

from conf.feeds import RecordsFeed, feed_config
from conf.settings import Settings
from spark_jobs.index import Index, Indexer
from spark_jobs.records import Counts, Earlier, validate_records
from spark_jobs.rejects import are_rejects
from targets.local import LocalFileSystem
from targets.register import Drop

RECEIVED = datetime(2026, 11, 27, 12, tzinfo=UTC)
FS = LocalFileSystem()

ORDERS: dict[str, Any] = {
    "kind": "records",
    "key": ["order_id"],
    "columns": [
        {"name": "order_id", "from": "Order ID", "clean": ["strip", "lower"], "pattern": "[a-z]{2}[0-9]{3}"},
        {"name": "quantity", "type": "int", "min": 1, "max": 100},
        {"name": "unit_price", "type": "decimal(8,2)", "required": True},
        {"name": "ordered_at", "type": "timestamp", "not_in_future": True},
        {"name": "total", "type": "decimal(12,2)", "derive": "quantity * unit_price"},
    ],
    "rules": [
        {"name": "not_free", "check": "total > 0", "message": "An order costs something."},
        {"name": "large", "check": "quantity < 50", "message": "This is a large order.", "severity": "warn"},
    ],
}
HEADER = b"Order ID,quantity,unit_price,ordered_at\n"


class Validated(NamedTuple):
    """What Validate made of a drop, rows in the order of lines."""

    counts: Counts
    records: list[dict[str, Any]]
    settled: list[dict[str, Any]]
    warnings: list[dict[str, Any]]
    goal: Path
    index: Index

    @property
    def rules(self) -> list[tuple[int, str]]:
        return [(row["line"], row["rule"]) for row in self.settled]


def feed(**changes: Any) -> RecordsFeed:
    """The orders' feed, with changes."""
    found = feed_config({**ORDERS, **changes})
    assert isinstance(found, RecordsFeed)
    return found


def validated(
    spark: SparkSession,
    place: Path,
    *contents: bytes,
    of: RecordsFeed | None = None,
    range_bytes: int = 1 << 20,
    max_bytes: int = 64 << 10,
    earlier: Sequence[Earlier] = (),
) -> Validated:
    """Validates a drop of these entries; the counts are those of the index and of the tables."""
    config = of or feed()
    place.mkdir(parents=True)
    entries, ranges, data = [], [], {}
    for number, content in enumerate(contents):
        mended = are_rejects(content, config.delimiter)
        how = {} if mended else {"quote": config.quote, "encoding": config.encoding, "header": config.header}
        form = "csv" if mended else config.format
        indexer = Indexer(number, None, form, config.delimiter, max_bytes, range_bytes, **how)
        indexer.feed(content)
        entry, found = indexer.close()
        entries.append(entry)
        ranges += found
        data[number] = str(place / f"entry-{number}")
        Path(data[number]).write_bytes(content)
    index = Index(tuple(entries), tuple(ranges))
    drop = Drop("d" * 64, "acme", "orders", "orders.csv", "u", 1, RECEIVED, config)
    settings = Settings(lines={"max_bytes": max_bytes})
    goal = place / "goal"
    counts = validate_records(spark, FS, index, data, str(goal), drop, settings, earlier=earlier)
    tables = [rows(goal / table) for table in ("records", "settled", "warnings")]
    assert counts.ok + counts.quarantined + counts.duplicate == index.lines
    assert (len(tables[0]), len(tables[1])) == (counts.ok, counts.quarantined + counts.duplicate)
    return Validated(counts, *tables, goal, index)


def rows(table: Path) -> list[dict[str, Any]]:
    found = [row for file in table.glob("*.parquet") for row in pq.read_table(file).to_pylist()]
    return sorted(found, key=lambda row: (row["entry"], row["line"], row.get("rule") or ""))
