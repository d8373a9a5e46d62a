"""What a later drop's records mean for earlier ones: DuckDB and Spark give what a plain model in Python says."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyspark.sql import SparkSession

import landfall
from conf.settings import load_settings
from landfall.confined import connect
from spark_jobs.star.described import fact_table
from spark_jobs.star.reading import frame
from targets.catalog import Catalog, Part
from targets.column_types import arrow_schema
from targets.local import LocalFileSystem
from targets.register import Drop
from targets.tables import ORDER, Table, merged
from tests.record_tables import order_drop, orders

Row = dict[str, Any]
START = datetime(2026, 1, 30)  # times in the lake carry no zone
CONFIGS: Mapping[str, Mapping[str, Any]] = {
    "append": {},
    "upsert": {"on_redrop": "upsert", "key": ["order_id", "country"]},
    "replace_day": {"on_redrop": "replace_period", "partition_by": "ordered_at", "period": "day"},
    "replace_month": {"on_redrop": "replace_period", "partition_by": "ordered_at", "period": "month"},
}
# Drops that come within two seconds of one another, some in the same instant.
RECORDS = st.lists(
    st.tuples(st.sampled_from("ab"), st.sampled_from(["NL", "BE"]), st.integers(0, 3), st.integers(0, 9)), max_size=5
)
DROPS = st.lists(st.tuples(st.integers(0, 2), RECORDS), min_size=1, max_size=5)


def rows_of(of: Drop, records: Sequence[tuple[str, str, int, int]]) -> list[Row]:
    """Rows of the fact table; a key comes once in a drop, as Validate sees to."""
    once = {record[:2]: record for record in records}
    return [
        {
            "drop_key": of.id[:32],
            "drop": of.id,
            "received": of.received.replace(tzinfo=None),
            "entry": 0,
            "line": line,
            "order_id": order,
            "country": country,
            "ordered_at": START + timedelta(days=day),
            "total": total,
        }
        for line, (order, country, day, total) in enumerate(once.values(), 1)
    ]


def model(how: str, rows: Sequence[Row]) -> list[Row]:
    """What readers see, said plainly."""

    def what(row: Row) -> Any:
        return {
            "append": (row["drop"], row["line"]),
            "upsert": (row["order_id"], row["country"]),
            "replace_day": row["ordered_at"].date(),
            "replace_month": (row["ordered_at"].year, row["ordered_at"].month),
        }[how]

    last: dict[Any, tuple[datetime, str]] = {}
    for row in rows:
        last[what(row)] = max(last.get(what(row), (datetime.min, "")), (row["received"], row["drop"]))
    return [row for row in rows if last[what(row)] == (row["received"], row["drop"])]


def written(root: Path, table: Table, of: Drop, rows: Sequence[Row]) -> Part:
    """A part with these rows."""
    schema = arrow_schema({**table.columns, **ORDER})
    file = root / f"{of.id}.parquet"
    pq.write_table(pa.Table.from_pylist([{**dict.fromkeys(schema.names), **row} for row in rows], schema=schema), file)
    return Part(table, (str(file),), str(root), "orders", of.id, "b1", of.received)


def by_duckdb(catalog: Catalog, table: str) -> list[Row]:
    with connect(LocalFileSystem(), catalog, load_settings().query) as connection:
        return connection.sql(f'FROM "{table}"').to_arrow_table().to_pylist()


def by_spark(spark: SparkSession, catalog: Catalog, table: str) -> list[Row]:
    return [row.asDict() for row in frame(spark, LocalFileSystem(), catalog, table).collect()]


def places(rows: Sequence[Row]) -> list[Any]:
    return sorted((row["drop_key"], row["line"], row["order_id"], row["total"]) for row in rows)


@pytest.mark.spark
@pytest.mark.parametrize(("how", "examples", "with_spark"), [(how, 40, 3) for how in CONFIGS])
def test_both_engines_give_what_the_model_says(
    spark: SparkSession, tmp_path_factory: pytest.TempPathFactory, how: str, examples: int, with_spark: int
) -> None:
    config = orders(**CONFIGS[how])
    table = fact_table("orders", config)
    left = [with_spark]

    @given(drops=DROPS)
    @settings(max_examples=examples, suppress_health_check=list(HealthCheck))
    def check(drops: list[tuple[int, list[tuple[str, str, int, int]]]]) -> None:
        root = tmp_path_factory.mktemp(how)
        came = [
            (order_drop(str(n), config, received=datetime(2026, 3, 1, tzinfo=UTC) + timedelta(seconds=at)), records)
            for n, (at, records) in enumerate(drops)
        ]
        rows = {of.id: rows_of(of, records) for of, records in came}
        parts = tuple(written(root, table, of, rows[of.id]) for of, _ in came)
        catalog = Catalog({table.name: table}, {table.name: parts})
        wanted = places(model(how, [row for of in rows.values() for row in of]))
        assert places(by_duckdb(catalog, table.name)) == wanted
        # Each example costs Spark seconds: those with the most drops say the most.
        if left[0] and len(drops) > 3:
            left[0] -= 1
            assert places(by_spark(spark, catalog, table.name)) == wanted

    check()
    assert left[0] < with_spark


@pytest.mark.spark
def test_drops_of_other_columns_and_types_are_read_together(spark: SparkSession, tmp_path: Path) -> None:
    old = Table("fact_orders", "fact", {"order_id": "string", "total": "string", "note": "string"})
    new = Table("fact_orders", "fact", {"order_id": "string", "total": "decimal(9,2)"})
    files = {"old": ("12.5", "x"), "bad": ("many", "y")}
    parts = []
    for name, (total, note) in files.items():
        pq.write_table(pa.table({"order_id": [name], "total": [total], "note": [note]}), tmp_path / f"{name}.parquet")
        parts.append(Part(old, (str(tmp_path / f"{name}.parquet"),), "", "orders", name, "b1", datetime.now(UTC)))
    newer = pa.Table.from_pylist([{"order_id": "new", "total": 7}], schema=arrow_schema(new.columns))
    pq.write_table(newer, tmp_path / "new.parquet")
    parts.append(Part(new, (str(tmp_path / "new.parquet"),), "", "orders", "new", "b1", datetime.now(UTC)))
    catalog = Catalog({"fact_orders": merged([old, new])}, {"fact_orders": tuple(parts)})
    for rows in (by_duckdb(catalog, "fact_orders"), by_spark(spark, catalog, "fact_orders")):
        found = {row["order_id"]: (str(row["total"]), row["note"]) for row in rows}
        assert found == {"old": ("12.50", "x"), "bad": ("None", "y"), "new": ("7.00", None)}


def test_a_client_of_records_has_their_tables_before_its_first_drop(
    house: Path, as_user: Callable[[str], None]
) -> None:
    (house / "conf/clients/demo.toml").write_text(
        'client = "demo"\n[feeds.big-orders]\nkind = "records"\n[[feeds.big-orders.columns]]\nname = "country"\n'
        "dimension = true\n"
    )
    as_user("ann")
    with landfall.open("demo") as star:
        assert set(star.tables()) == {
            "fact_big_orders", "fact_big_orders_line", "dim_country", "dim_date", "dim_drop", "dim_outcome",
        }  # fmt: skip
        assert star.sql("SELECT country, country_key FROM fact_big_orders").fetchall() == []


def test_only_what_is_shown_is_shown(tmp_path: Path) -> None:
    config = orders(**CONFIGS["upsert"])
    table = fact_table("orders", config)
    of = order_drop(config=config)
    part = written(tmp_path, table, of, rows_of(of, [("a", "NL", 1, 1)]))
    catalog = Catalog({table.name: table}, {table.name: (part,)})
    assert list(by_duckdb(catalog, table.name)[0]) == list(table.columns)
    empty = replace(catalog, parts={table.name: ()})
    assert by_duckdb(empty, table.name) == []
