"""The star of one drop, read back as an analyst's DuckDB reads it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb
import pyarrow.dataset as ds
import pytest
from pyspark.sql import SparkSession

from spark_jobs.actions.results import aggregated, shaped
from spark_jobs.session import isolated
from spark_jobs.star.daily import built_in
from spark_jobs.star.inputs import LoadInputs
from spark_jobs.star.load import load
from spark_jobs.star.shape import spark_schema
from spark_jobs.star.tables import DIMENSION_KEYS, TABLES, bucket_names
from tests.drop_tables import digest, drop, image, mixed, original, request, settled, write_stages
from tests.star_keys import key

pytestmark = pytest.mark.spark


def made(spark: SparkSession, inputs: LoadInputs, goal: Path) -> dict[str, int]:
    """The tables that Load makes, and the aggregate that the built-in workflow makes of them."""
    counts = load(spark, inputs, str(goal))
    own = isolated(spark)
    fact = own.read.schema(spark_schema("fact_image_request")).parquet(f"file://{goal}/fact_image_request")
    [workflow] = built_in({"photos": inputs.drop.images})
    [(_, action)] = workflow.actions()
    rows = aggregated(own, {"fact_image_request": fact}, action.statement("demo").sql)
    shaped(rows, action.expected(), action.name).coalesce(1).write.parquet(f"file://{goal}/{action.into}")
    return counts


def rows(goal: Path, table: str, order: str = "ALL") -> list[dict[str, Any]]:
    with duckdb.connect() as connection:
        found = connection.execute(f"SELECT * FROM read_parquet('{goal}/{table}/*.parquet') ORDER BY {order}")
        names = [column[0] for column in found.description]
        return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


@pytest.fixture(scope="module")
def star(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("star")
    counts = made(spark, mixed(root / "stages"), root / "goal")
    assert counts == {
        "lines": 7,
        "ok": 3,
        "quarantined": 3,
        "duplicate": 1,
        "bytes_in": 4 * len("original 1"),
        "bytes_out": 3 * len("image 1"),
        "images": 2,
    }
    return root / "goal"


def test_every_line_has_one_row_with_its_outcome(star: Path) -> None:
    found = [(row["line"], row["outcome"], row["rule"]) for row in rows(star, "fact_image_request", "line")]
    assert found == [
        (1, "ok", "ok"),
        (2, "ok", "ok"),
        (3, "quarantined", "url.malformed"),
        (4, "duplicate", "duplicate.in_drop"),
        (5, "quarantined", "fetch.status"),
        (6, "quarantined", "image.truncated"),
        (7, "ok", "ok"),
    ]


def test_a_row_carries_what_was_asked_what_came_and_what_became_of_it(star: Path) -> None:
    ok, _, malformed, duplicate, status, truncated, _ = rows(star, "fact_image_request", "line")
    assert (ok["asked_width"], ok["asked_height"], ok["width"], ok["height"]) == (40, 30, 40, 30)
    assert (ok["bytes_in"], ok["bytes_out"], ok["http_status"]) == (len("original 1"), len("image 1"), 200)
    assert malformed["url"] is None
    assert malformed["bytes_in"] is None
    assert (duplicate["first_entry"], duplicate["first_line"]) == (0, 1)
    assert (status["http_status"], status["value"], status["original_id"]) == (404, "404", None)
    assert truncated["original_id"] == digest("original 6")
    assert (truncated["image_id"], truncated["image_key"], truncated["width"]) == (None, None, 40)


def test_the_answer_is_that_of_the_highest_round(star: Path) -> None:
    second = rows(star, "fact_image_request", "line")[1]
    assert (second["http_status"], second["attempts"], second["milliseconds"]) == (200, 1, 120)


def test_every_key_leads_to_one_member(star: Path) -> None:
    facts = rows(star, "fact_image_request")
    for table, name in DIMENSION_KEYS.items():
        members = [row[name] for row in rows(star, table)]
        assert len(members) == len(set(members))
        assert {row[name] for row in facts} - {None} == set(members)


def test_keys_are_hashes_of_the_natural_keys(star: Path) -> None:
    row = rows(star, "fact_image_request", "line")[0]
    assert row["date_key"] == key("2026-02-28")
    assert row["drop_key"] == key(drop().id)
    assert row["source_key"] == key("picsum.photos")
    assert row["outcome_key"] == key("ok")
    assert row["image_key"] == key(row["image_id"])


def test_members_say_what_they_are(star: Path) -> None:
    [day] = rows(star, "dim_date")
    assert (str(day["date"]), day["year"], day["quarter"], day["week"]) == ("2026-02-28", 2026, 1, 9)
    assert (day["weekday"], day["is_weekend"]) == ("Saturday", True)
    [came] = rows(star, "dim_drop")
    assert (came["client"], came["feed"], came["name"], came["bytes"]) == ("demo", "photos", "catalogue.txt", 1234)
    assert str(came["received"]) == "2026-02-28 23:59:58"
    assert {row["host"] for row in rows(star, "dim_source")} == {"picsum.photos", "(none)"}
    outcome = {row["code"]: row for row in rows(star, "dim_outcome")}["fetch.status"]
    assert (outcome["class"], outcome["family"]) == ("quarantined", "fetch")
    assert (outcome["message"], outcome["what_to_do"]) == ("The source answered ….", "See whether the URL is right.")


def test_two_lines_with_one_picture_share_an_image(star: Path) -> None:
    facts = rows(star, "fact_image_request", "line")
    assert facts[1]["image_key"] == facts[6]["image_key"]
    assert len(rows(star, "dim_image")) == 2


def test_the_aggregate_sums_to_the_fact(star: Path) -> None:
    partials = rows(star, "agg_images_daily")
    sums = {name: sum(row[name] for row in partials) for name in ("requests", "ok", "quarantined", "duplicate")}
    assert sums == {"requests": 7, "ok": 3, "quarantined": 3, "duplicate": 1}
    assert sum(row["bytes_in"] for row in partials) == 4 * len("original 1")
    assert {name: sum(row[name] for row in partials) for name in bucket_names()} == {
        **dict.fromkeys(bucket_names(), 0),
        "ms_100_to_250": 5,
    }


def test_a_bucket_begins_with_its_lower_bound(spark: SparkSession, tmp_path: Path) -> None:
    taken = {1: 0, 2: 49, 3: 50, 4: 9999, 5: 10000, 6: 60000}
    inputs = write_stages(
        tmp_path,
        drop(),
        requests=[request(line) for line in taken],
        originals=[original(line, milliseconds=milliseconds) for line, milliseconds in taken.items()],
        images=[image(line) for line in taken],
    )
    made(spark, inputs, tmp_path / "goal")
    [partial] = rows(tmp_path / "goal", "agg_images_daily")
    filled = {name: partial[name] for name in bucket_names() if partial[name]}
    assert filled == {"ms_0_to_50": 2, "ms_50_to_100": 1, "ms_5000_to_10000": 1, "ms_10000_up": 2}
    assert partial["milliseconds"] == sum(taken.values())


def test_files_have_the_columns_that_readers_expect(star: Path) -> None:
    for table, schema in TABLES.items():
        found = ds.dataset(star / table, format="parquet").schema
        assert list(zip(found.names, found.types, strict=True)) == list(zip(schema.names, schema.types, strict=True))
        assert {row["schema_version"] for row in rows(star, table)} == {1}


def test_a_rebuild_gives_the_same_rows(spark: SparkSession, star: Path, tmp_path: Path) -> None:
    made(spark, mixed(tmp_path / "stages"), tmp_path / "goal")
    for table in TABLES:
        assert rows(tmp_path / "goal", table) == rows(star, table)


def test_shares_of_the_rows_make_the_same_tables(
    spark: SparkSession, star: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("spark_jobs.made._SHARE_ROWS", 2)
    made(spark, mixed(tmp_path / "stages"), tmp_path / "goal")
    for table in TABLES:
        assert rows(tmp_path / "goal", table) == rows(star, table)
    assert len(list((tmp_path / "goal" / "fact_image_request").glob("*.parquet"))) > 1


@pytest.mark.parametrize("opened", [1, 13])
def test_shares_are_few_where_files_are_many(
    opened: int, spark: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("spark_jobs.made._SHARE_ROWS", 1)
    monkeypatch.setattr("spark_jobs.made._MOST_OPENED", opened)
    made(spark, mixed(tmp_path / "stages"), tmp_path / "goal")
    # Five files it is made of, opened by each share.
    assert len(list((tmp_path / "goal" / "fact_image_request").glob("*.parquet"))) <= max(1, opened // 5)


def test_a_drop_without_lines_has_a_star(spark: SparkSession, tmp_path: Path) -> None:
    counts = made(spark, write_stages(tmp_path, drop()), tmp_path / "goal")
    assert set(counts.values()) == {0}
    sizes = {table: ds.dataset(tmp_path / "goal" / table, format="parquet").count_rows() for table in TABLES}
    assert sizes == {**dict.fromkeys(TABLES, 0), "dim_date": 1, "dim_drop": 1}


def test_a_drop_of_faults_only_has_no_image(spark: SparkSession, tmp_path: Path) -> None:
    inputs = write_stages(tmp_path, drop(), validated=[settled(1, "line.encoding", host=None, corrects_line="9")])
    assert made(spark, inputs, tmp_path / "goal")["images"] == 0
    [row] = rows(tmp_path / "goal", "fact_image_request")
    assert (row["rule"], row["corrects_line"], row["source_key"]) == ("line.encoding", "9", key("(none)"))


def test_entries_of_an_archive_keep_their_lines_apart(spark: SparkSession, tmp_path: Path) -> None:
    inputs = write_stages(
        tmp_path,
        drop(),
        requests=[request(1), request(1, entry=1, width=7)],
        originals=[original(1), original(1, entry=1, status=203)],
        images=[image(1), image(1, entry=1)],
    )
    made(spark, inputs, tmp_path / "goal")
    found = [
        (row["entry"], row["asked_width"], row["http_status"]) for row in rows(tmp_path / "goal", "fact_image_request")
    ]
    assert sorted(found) == [(0, 40, 200), (1, 7, 203)]
