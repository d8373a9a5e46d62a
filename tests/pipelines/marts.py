"""A house whose client has a feed of orders and workflows; drops of orders are published by hand, without Spark."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import luigi
import pyarrow as pa
import pyarrow.parquet as pq

from conf.client import load_client
from conf.settings import load_settings
from pipelines import RunWorkflow, planner, side_by_side
from pipelines.context import context
from spark_jobs.star.described import feed_tables
from targets.column_types import arrow_schema
from targets.dataset import Dataset, Manifest, staging
from targets.flock import HeldByKernel
from targets.lake import client_layout, open_lake
from targets.published import publish
from targets.register import Drop, identity, register

CLIENT = """
client = "acme"
[feeds.orders]
kind = "records"
key = ["order_id"]
[[feeds.orders.columns]]
name = "order_id"
[[feeds.orders.columns]]
name = "ordered_on"
type = "date"
[[feeds.orders.columns]]
name = "region"
dimension = true
[[feeds.orders.columns]]
name = "total"
type = "decimal(12,2)"
[feeds.returns]
kind = "records"
[[feeds.returns.columns]]
name = "order_id"
"""
GRANTS = """
[[grants]]
group = "operators"
role = "operator"
client = "acme"
feeds = "*"
[[grants]]
group = "scanners"
role = "operator"
client = "acme"
feeds = ["returns"]
"""
Row = tuple[str, str, str, str]  # order_id, ordered_on, region, total


class House:
    """The client acme, as an operator finds it."""

    def __init__(self, root: Path, people: Path) -> None:
        self.root = root
        self.conf = root / "conf"
        (self.conf / "clients" / "acme").mkdir(parents=True)
        (self.conf / "test.toml").touch()
        (self.conf / "grants.toml").write_text(GRANTS)
        (root / "home").mkdir()
        shutil.copy2(people, root / "home" / "directory.json")
        self.configure("")

    def configure(self, workflows: str) -> None:
        """The client's file, with these workflows."""
        (self.conf / "clients" / "acme.toml").write_text(CLIENT + workflows)

    def write(self, name: str, content: str) -> Path:
        """A file of the client's own directory (SQL), or of its modules (Python)."""
        directory = self.conf / ("modules" if name.endswith(".py") else "clients") / "acme"
        directory.mkdir(parents=True, exist_ok=True)
        (directory / name).write_text(content)
        (directory / name).chmod(0o644)
        return directory / name

    def drop(self, rows: Sequence[Row], *, day: int = 1, feed: str = "orders", build: str = "b1") -> Drop:
        """Publishes a drop, received on a day of November 2026."""
        settings = load_settings()
        fs, layout = open_lake(settings), client_layout(settings, "acme")
        config = load_client("acme").feeds[feed]
        digest = identity("acme", feed)
        digest.update(json.dumps([rows, day]).encode())
        received = datetime(2026, 11, day, 12, tzinfo=UTC)
        dropped = Drop(digest.hexdigest(), "acme", feed, f"{feed}-{day}.csv", f"u{day}", 1, received, config)
        register(fs, layout, dropped)
        described = {name: table for name, table in feed_tables(feed, config).items() if name.startswith("fact_")}
        goal = Dataset(fs, layout.stage("load", feed, dropped.receipt, dropped.id, build))
        path = layout.staging("load", feed, dropped.id, build)
        with staging(goal, path, resumable=False, lease=HeldByKernel()) as place:
            table = described[f"fact_{feed}"]
            whole = pa.Table.from_pylist(
                [_record(row, line) for line, row in enumerate(rows, 1)], schema=arrow_schema(table.columns)
            )
            with fs.writer(f"{place.table(table.name)}/part-0.parquet") as file:
                pq.write_table(whole, pa.PythonFile(file, mode="w"))
            tables = {name: each.to_json() for name, each in described.items()}
            place.seal(Manifest("load", build, "acme", feed, dropped.id, 1, {}, {}, {}, {}, {}, tables=tables))
        publish(fs, layout, dropped, f"p{build}", {"load": build})
        return dropped

    def run(self, name: str = "sales", **how: Any) -> bool:
        """Runs a workflow as a process of its own would: nothing is known from before."""
        forget()
        return luigi.build([RunWorkflow(client="acme", name=name, **how)], local_scheduler=True, no_lock=True)

    def journal(self) -> list[dict[str, Any]]:
        """The attempts of actions that came to an end."""
        entries = context("acme").journal.entries()
        return [entry for entry in entries if entry.get("stage") == "action" and entry["event"] != "started"]

    def ran(self, since: int = 0) -> list[str]:
        """The actions that were run, in any order, after so many."""
        return sorted(entry["action"] for entry in self.journal()[since:])

    def rows(self, table: str, order: str = "ALL") -> list[tuple[Any, ...]]:
        """What readers see of a table."""
        import landfall

        with landfall.open("acme") as star:
            return star.sql(f'SELECT * FROM "{table}" ORDER BY {order}').fetchall()

    def tables(self) -> list[str]:
        """What readers find."""
        import landfall

        with landfall.open("acme") as star:
            return star.tables()

    @property
    def outbox(self) -> Path:
        return load_settings().landing_root / "acme" / "outbox" / "workflows"


def forget() -> None:
    """What a process knows of earlier runs."""
    luigi.task_register.Register.clear_instance_cache()
    planner._PLANS.clear()
    context.cache_clear()
    side_by_side._RUNNING.clear()


def _record(row: Row, line: int) -> dict[str, Any]:
    order, ordered, region, total = row
    return {
        "received": datetime(2026, 11, 1),
        "entry": 0,
        "line": line,
        "order_id": order,
        "ordered_on": date.fromisoformat(ordered),
        "region": region,
        "total": Decimal(total),
        "schema_version": 1,
    }
