"""The catalog: which tables and files readers see, and how descriptions of several drops become one."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from targets.catalog import Catalog, published_tables
from targets.dataset import Dataset, Manifest, staging
from targets.flock import HeldByKernel
from targets.layout import ClientLayout
from targets.local import LocalFileSystem
from targets.marts import Mart, MartPart, publish_mart
from targets.published import publish
from targets.register import Drop, register
from targets.tables import Resolve, Table, merged
from tests.drop_tables import drop

FS = LocalFileSystem()
OLD = Table("fact_orders", "fact", {"id": "int", "note": "string", "total": "int"})
NEW = Table("fact_orders", "fact", {"id": "bigint", "total": "decimal(9,2)"}, resolve=Resolve("upsert", ("id",)))


@pytest.fixture
def layout(tmp_path: Path) -> ClientLayout:
    return ClientLayout(f"{tmp_path}/lake/test", "demo")


def published(layout: ClientLayout, of: Drop, tables: Mapping[str, Table], files: list[str], build: str = "b1") -> None:
    """Publishes a Load output with these (empty) files."""
    register(FS, layout, of)
    goal = Dataset(FS, layout.stage("load", of.feed, of.receipt, of.id, build))
    with staging(goal, layout.staging("load", of.feed, of.id, build), False, HeldByKernel()) as place:
        for name in files:
            FS.create(f"{place.path}/{name}", b"")
        described = {name: table.to_json() for name, table in tables.items()}
        place.seal(Manifest("load", build, of.client, of.feed, of.id, 1, {}, {}, {}, {}, {}, tables=described))
    publish(FS, layout, of, f"p{build}", {"load": build})


def seen(layout: ClientLayout, **known: Table) -> Catalog:
    return published_tables(FS, layout, None, known)


@pytest.mark.parametrize(
    "table", [OLD, NEW, Table("dim_a", "dimension", {"a_key": "string", "a": "date"}, key="a_key")]
)
def test_a_description_survives_a_manifest(table: Table) -> None:
    manifest = Manifest("load", "b", "c", "f", "d", 1, {}, {}, {}, {}, {}, tables={"t": table.to_json()})
    assert Table.from_json(Manifest.from_json(manifest.to_json()).tables["t"]) == table
    assert list(Table.from_json(Manifest.from_json(manifest.to_json()).tables["t"]).columns) == list(table.columns)


def test_the_newest_description_holds_and_older_columns_follow() -> None:
    one = merged([OLD, NEW])
    assert list(one.columns.items()) == [("id", "bigint"), ("total", "decimal(9,2)"), ("note", "string")]
    assert one.resolve == NEW.resolve


def test_parts_come_in_order_of_receipt_and_name_where_they_are_from(layout: ClientLayout) -> None:
    late = drop(feed="orders", content="late", received=datetime(2026, 3, 2, 9, tzinfo=UTC))
    early = drop(feed="orders", content="early", received=datetime(2026, 3, 2, 8, tzinfo=UTC))
    published(layout, late, {"fact_orders": NEW}, ["fact_orders/part-1.parquet", "fact_orders/_SUCCESS"])
    published(layout, early, {"fact_orders": OLD}, ["fact_orders/m=2026-03/part-0.parquet", "other/part-0.parquet"])
    found = seen(layout)
    assert [(part.drop, part.received, part.build) for part in found.parts["fact_orders"]] == [
        (early.id, early.received, "b1"),
        (late.id, late.received, "b1"),
    ]
    assert found.tables == {"fact_orders": merged([OLD, NEW])}
    [first, second] = found.files("fact_orders")
    assert first.endswith(f"drop={early.id}/build=b1/fact_orders/m=2026-03/part-0.parquet")
    assert second.endswith("fact_orders/part-1.parquet")
    assert [columns for columns, _, _ in found.written("fact_orders")] == [OLD.columns, NEW.columns]
    assert found.of_drops({late.id}).files("fact_orders") == [second]
    assert found.of_drops({late.id}).tables == found.tables


def test_a_new_build_gives_another_identity_and_its_files_alone(layout: ClientLayout) -> None:
    of = drop(feed="orders")
    published(layout, of, {"fact_orders": OLD}, ["fact_orders/part-0.parquet"])
    before = seen(layout)
    published(layout, of, {"fact_orders": OLD}, ["fact_orders/part-0.parquet"], build="b2")
    after = seen(layout)
    assert before.identity("fact_orders") != after.identity("fact_orders")
    assert [part.build for part in after.parts["fact_orders"]] == ["b2"]


def test_an_output_older_than_descriptions_is_described_by_what_is_known(layout: ClientLayout) -> None:
    published(layout, drop(), {}, ["fact_orders/part-0.parquet", "stray/part-0.parquet"])
    found = seen(layout, fact_orders=OLD, dim_a=NEW)
    assert set(found.tables) == {"fact_orders", "dim_a"}
    assert len(found.files("fact_orders")) == 1
    assert found.files("dim_a") == []


def test_feeds_that_are_not_asked_for_are_not_seen(layout: ClientLayout) -> None:
    published(layout, drop(feed="orders"), {"fact_orders": OLD}, ["fact_orders/part-0.parquet"])
    assert published_tables(FS, layout, {"photos"}, {}).tables == {}


def test_of_a_month_its_drops_are_seen_and_what_is_made_of_many(layout: ClientLayout) -> None:
    february = drop(feed="orders")
    march = drop(feed="orders", content="march", received=datetime(2026, 3, 1, tzinfo=UTC))
    for of in (february, march):
        published(layout, of, {"fact_orders": OLD}, ["fact_orders/part-0.parquet"])
    parts = [made(layout, "b1", february), made(layout, "b2", march), made(layout, "b3", None)]
    publish_mart(FS, layout, Mart("sums", "w", "sums", 0, "s1", "b3", "k", march.received, tuple(parts)))
    found = published_tables(FS, layout, None, {}, date(2026, 3, 31))
    assert [part.drop for part in found.parts["fact_orders"]] == [march.id]
    assert [part.build for part in found.parts["sums"]] == ["b2", "b3"]
    assert [part.build for part in seen(layout).parts["sums"]] == ["b1", "b2", "b3"]


def made(layout: ClientLayout, build: str, of: Drop | None) -> MartPart:
    """An output (without files) of the action ``sums``, of one drop or of many."""
    goal = Dataset(FS, layout.action("w", "sums", build))
    with staging(goal, layout.action_staging("w", "sums", build), False, HeldByKernel()) as place:
        described = {"sums": Table("sums", "mart", {"total": "int"}).to_json()}
        place.seal(Manifest("action", build, "demo", "", "", 1, {}, {}, {}, {}, {}, tables=described))
    return MartPart(build, feed="orders", drop=of.id if of else "", feeds=("orders",))
