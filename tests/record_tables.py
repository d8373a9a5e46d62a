"""The tables that Validate makes of one drop of records, from rows = a full default row + overrides."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from pyspark.sql.pandas.types import to_arrow_schema

from conf.feeds import RecordsFeed, feed_config
from conf.rules import rule
from spark_jobs.records.shape import SETTLED, WARNINGS, records_ddl, schema
from spark_jobs.star.records import RecordInputs
from targets.local import LocalFileSystem
from targets.register import Drop
from tests.drop_tables import drop

Row = Mapping[str, Any]
ORDERS: Mapping[str, Any] = {
    "kind": "records",
    "key": ["order_id"],
    "columns": [
        {"name": "order_id", "from": "Order ID"},
        {"name": "country", "dimension": True},
        {"name": "ordered_at", "type": "timestamp", "required": True},
        {"name": "total", "type": "decimal(12,2)"},
    ],
    "rules": [{"name": "cheap", "check": "total < 1000", "message": "It costs {much}.", "severity": "warn"}],
}


def orders(**overrides: Any) -> RecordsFeed:
    """The configuration of a feed of orders."""
    made = feed_config({**ORDERS, **overrides})
    assert isinstance(made, RecordsFeed)
    return made


def order_drop(content: str = "orders", config: RecordsFeed | None = None, **overrides: Any) -> Drop:
    """A drop of orders."""
    return drop(feed="orders", name="orders.csv", content=content, config=config or orders(), **overrides)


def record(line: int, /, **overrides: Any) -> Row:
    return {
        "entry": 0,
        "line": line,
        "corrects_drop": None,
        "corrects_line": None,
        "order_id": f"o{line}",
        "country": "NL",
        "ordered_at": datetime(2026, 2, 1 + line % 28, 12, 30),  # times in the lake carry no zone
        "total": Decimal("12.50"),
        **overrides,
    }


def fault(column: str | None, code: str, value: str | None = None) -> Row:
    return {"column": column, "rule": code, "value": value, "message": f"{column}: wrong.", "fix": rule(code).fix}


def settled(line: int, *faults: Row, **overrides: Any) -> Row:
    """A line with faults; with ``first_line`` it is a duplicate."""
    given = faults or (fault(None, "duplicate.in_drop"),)
    first = given[0]
    return {
        "entry": 0,
        "line": line,
        "outcome": rule(first["rule"]).outcome,
        **{name: first[name] for name in ("rule", "value", "message")},
        "first_entry": None,
        "first_line": None,
        "corrects_drop": None,
        "corrects_line": None,
        "fields": {"Order ID": f"o{line}", "country": "NL", "total": "=1"},
        "faults": list(faults),
        **overrides,
    }


def warning(line: int, code: str = "row.cheap", **overrides: Any) -> Row:
    return {"entry": 0, "line": line, "rule": code, "message": "It costs {much}.", **overrides}


def write_records(
    root: Path, of: Drop, records: Sequence[Row] = (), others: Sequence[Row] = (), warnings: Sequence[Row] = ()
) -> RecordInputs:
    """Writes Validate's tables."""
    return RecordInputs(
        fs=LocalFileSystem(),
        records=_write(root / "records", to_arrow_schema(schema(records_ddl(of.records))), records),
        settled=_write(root / "settled", SETTLED, others),
        warnings=_write(root / "warnings", to_arrow_schema(schema(WARNINGS)), warnings),
        drop=of,
    )


def _write(directory: Path, columns: pa.Schema, rows: Sequence[Row]) -> str:
    directory.mkdir(parents=True)
    if rows:
        table = pa.Table.from_pylist([dict(row) for row in rows], schema=columns)
        pq.write_table(table, directory / "part-0.parquet")
    return str(directory)
