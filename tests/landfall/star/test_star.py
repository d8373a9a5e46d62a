"""What ``landfall.open`` gives, and to whom."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

import landfall
from conf.errors import AccessDenied, NotFound, QueryRefused
from conf.settings import load_settings
from landfall.star import open_star
from spark_jobs.star.tables import DIMENSION_KEYS, TABLES
from targets.published import Published
from tests.drop_tables import drop
from tests.landfall.star.conftest import fact, publish_star, star_of
from tests.star_keys import key


def test_what_is_published_is_what_is_seen(published: Published) -> None:
    with landfall.open("demo") as star:
        assert star.tables() == list(TABLES)
        found = star.sql("SELECT outcome, count(*) FROM fact_image_request GROUP BY ALL ORDER BY ALL").fetchall()
        assert found == [("ok", 3), ("quarantined", 1)]
        joined = star.sql(
            "SELECT d.feed, i.format FROM fact_image_request JOIN dim_drop d USING (drop_key) "
            "JOIN dim_image i USING (image_key) WHERE line = 2"
        ).fetchall()
        assert joined == [("photos", "JPEG")]


def test_tables_of_a_client_without_drops_are_empty_and_have_their_columns(ann: None, spark: SparkSession) -> None:
    with landfall.open("demo") as star:
        for table, schema in TABLES.items():
            assert star.sql(f"FROM {table}").columns == schema.names
            assert star.arrow(table).schema == schema
            assert star.arrow(table).num_rows == 0
            assert star.spark(table).columns == schema.names
            assert star.spark(table).count() == 0


def test_arrow_and_spark_and_sql_agree(published: Published, spark: SparkSession) -> None:
    again = drop(content="again", received=datetime(2026, 3, 1, tzinfo=UTC))
    publish_star(again, star_of(again, [fact(again, 1), fact(again, 9)]))
    with landfall.open("demo") as star:
        for table in TABLES:
            order = list(TABLES[table].names)
            by_arrow = [tuple(row.values()) for row in star.arrow(table).to_pylist()]
            by_spark = [tuple(row) for row in star.spark(table).collect()]
            assert sorted(by_arrow, key=str) == sorted(by_spark, key=str)
            assert star.spark(table).columns == order


def test_a_dimension_keeps_one_row_a_key(published: Published) -> None:
    again = drop(content="again")
    newer = star_of(again, [fact(again, 1), fact(again, 2)])
    newer["dim_outcome"] = [{**row, "message": "Taken.", "schema_version": 2} for row in newer["dim_outcome"]]
    publish_star(again, newer)
    with landfall.open("demo") as star:
        for table, name in DIMENSION_KEYS.items():
            [(members, keys)] = star.sql(f"SELECT count(*), count(DISTINCT {name}) FROM {table}").fetchall()
            assert members == keys > 0
        assert star.sql("SELECT message FROM dim_outcome WHERE code = 'ok'").fetchall() == [("Taken.",)]
        assert star.sql("SELECT count(*) FROM dim_drop").fetchall() == [(2,)]


def test_a_replaced_build_is_not_seen_nor_are_stray_files(published: Published) -> None:
    of = drop()
    publish_star(of, star_of(of, [fact(of, 7)]), build="b2")
    loads = Path(load_settings().lake_root, "clients/demo/analytics-ready/photos/load")
    [seen] = loads.glob("**/build=b2/fact_image_request/part-0.parquet")
    (seen.parent / "part-9.parquet").write_bytes(seen.read_bytes())  # in the directory, but not in the manifest
    with landfall.open("demo") as star:
        assert star.sql("SELECT line FROM fact_image_request").fetchall() == [(7,)]


def test_columns_of_older_files_are_null_and_those_of_directories_are_none(published: Published) -> None:
    loads = Path(load_settings().lake_root)
    assert any("year=2026" in str(path) for path in loads.rglob("*.parquet"))
    with landfall.open("demo") as star:
        assert star.sql("SELECT DISTINCT quarter FROM dim_date").fetchall() == [(None,)]
        assert set(star.sql("FROM dim_source").columns) == {"source_key", "host", "schema_version"}


def test_an_older_file_without_a_column_is_read_with_a_newer_one(published: Published) -> None:
    import pyarrow.parquet as pq

    loads = Path(load_settings().lake_root)
    [file] = loads.rglob("fact_image_request/part-0.parquet")
    pq.write_table(pq.read_table(file, partitioning=None).drop_columns(["milliseconds"]), file)
    newer = drop(content="newer")
    publish_star(newer, star_of(newer, [fact(newer, 5)]))
    with landfall.open("demo") as star:
        found = star.sql("SELECT line, milliseconds FROM fact_image_request ORDER BY line").fetchall()
        assert found == [(1, None), (2, None), (3, None), (4, None), (5, 120)]


def test_a_grant_on_some_feeds_shows_those_only(published: Published, as_user: Callable[[str], None]) -> None:
    of = drop(feed="scans")
    publish_star(of, star_of(of, [fact(of, 8)]))
    as_user("sam")
    with landfall.open("demo") as star:
        assert star.feeds == frozenset({"scans"})
        assert star.sql("SELECT line FROM fact_image_request").fetchall() == [(8,)]
        assert star.sql("SELECT feed FROM dim_drop").fetchall() == [("scans",)]
        assert not any("photos" in file for table in star.tables() for file in star.catalog.files(table))
    with pytest.raises(AccessDenied):
        open_star("demo", feed="photos")


def test_one_feed_of_several(published: Published) -> None:
    of = drop(feed="scans")
    publish_star(of, star_of(of, [fact(of, 8)]))
    with open_star("demo", feed="scans") as star:
        assert star.sql("SELECT line FROM fact_image_request").fetchall() == [(8,)]


@pytest.mark.parametrize("client", ["demo", "rival", "../rival", "nobody"])
def test_without_a_grant_nothing_opens(published: Published, as_user: Callable[[str], None], client: str) -> None:
    as_user("eve")
    with pytest.raises(AccessDenied):
        landfall.open(client)


def test_a_client_that_is_not_there(as_user: Callable[[str], None]) -> None:
    as_user("una")
    with pytest.raises(NotFound, match="There is no client nobody"):
        landfall.open("nobody")


def test_a_published_file_that_is_gone_is_told_as_a_sentence(published: Published) -> None:
    [file] = Path(load_settings().lake_root).rglob("fact_image_request/part-0.parquet")
    file.unlink()
    with pytest.raises(QueryRefused, match=r"part-0\.parquet"):
        landfall.open("demo")


def test_an_unknown_table_is_told(published: Published) -> None:
    with landfall.open("demo") as star, pytest.raises(NotFound, match="The tables are fact_image_request"):
        star.arrow("fact_images")


def test_keys_join(published: Published) -> None:
    with landfall.open("demo") as star:
        assert star.sql("SELECT source_key FROM dim_source").fetchall() == [(key("picsum.photos"),)]


def test_importing_landfall_imports_no_engine() -> None:
    names = "import sys, landfall; print([n for n in ('duckdb', 'pyspark', 'pyarrow') if n in sys.modules])"
    found = subprocess.run([sys.executable, "-c", names], check=True, capture_output=True, text=True, env=os.environ)
    assert found.stdout.strip() == "[]"


@pytest.mark.usefixtures("published")
def test_opening_and_sql_start_no_spark() -> None:
    names = (
        "import sys, landfall; landfall.open('demo').sql('FROM dim_drop').fetchall(); print('pyspark' in sys.modules)"
    )
    found = subprocess.run([sys.executable, "-c", names], check=True, capture_output=True, text=True, env=os.environ)
    assert found.stdout.strip() == "False"
