"""The fact table of a drop of records: its files, and the keys of its dimensions."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from pyspark.sql import SparkSession

from spark_jobs.star.records import MOST_PERIODS, RecordInputs, load_records
from targets.local import LocalFileSystem
from tests.record_tables import order_drop, orders, record, write_records
from tests.spark_jobs.records.drops import validated
from tests.spark_jobs.test_star_records import rows

pytestmark = pytest.mark.spark

OF = order_drop()


def test_event_time_partitions_a_table_in_few_files(spark: SparkSession, tmp_path: Path) -> None:
    of = order_drop(config=orders(partition_by="ordered_at", period="day"))
    inputs = write_records(tmp_path / "in", of, [record(line) for line in range(1, 200)])
    load_records(spark, inputs, f"{tmp_path}/goal")
    files = sorted(
        path.relative_to(tmp_path / "goal/fact_orders") for path in tmp_path.glob("goal/fact_orders/*/*.parquet")
    )
    days = sorted(f"ordered_at_day=2026-02-{day:02}" for day in range(1, 29))
    assert sorted(str(file.parent) for file in files) == days
    assert len(rows(tmp_path / "goal", "fact_orders")) == 199


def test_too_many_days_become_months(spark: SparkSession, tmp_path: Path) -> None:
    of = order_drop(config=orders(partition_by="ordered_at", period="day"))
    start = datetime(2026, 1, 1)
    dated = [record(line, ordered_at=start + timedelta(days=line)) for line in range(MOST_PERIODS + 1)]
    load_records(spark, write_records(tmp_path / "in", of, dated), f"{tmp_path}/goal")
    found = sorted(path.name for path in (tmp_path / "goal/fact_orders").glob("*=*"))
    assert found == [f"ordered_at_month=2026-0{month}" for month in range(1, 6)]


def test_rows_without_event_time_have_a_directory_of_their_own(spark: SparkSession, tmp_path: Path) -> None:
    of = order_drop(config=orders(partition_by="ordered_at"))
    dated = [record(1), record(2, ordered_at=None), record(3, ordered_at=datetime(1969, 12, 31, 23, 59))]
    load_records(spark, write_records(tmp_path / "in", of, dated), f"{tmp_path}/goal")
    found = {path.parent.name: pq.read_table(path).to_pylist() for path in tmp_path.glob("goal/fact_orders/*/*")}
    assert {name: [row["line"] for row in rows] for name, rows in found.items()} == {
        "ordered_at_month=2026-02": [1],
        "ordered_at_month=__HIVE_DEFAULT_PARTITION__": [2],
        "ordered_at_month=1969-12": [3],
    }


def test_a_date_parts_a_table_too(spark: SparkSession, tmp_path: Path) -> None:
    columns = [{"name": "order_id"}, {"name": "day_of", "type": "date"}]
    of = order_drop(config=orders(columns=columns, rules=[], partition_by="day_of", period="day"))
    place = {"entry": 0, "corrects_drop": None, "corrects_line": None}
    days = [date(2026, 1, 31), date(1969, 12, 31), None]
    given = [{**place, "line": line, "order_id": "x", "day_of": day} for line, day in enumerate(days)]
    load_records(spark, write_records(tmp_path / "in", of, given), f"{tmp_path}/goal")
    found = sorted(path.parent.name for path in tmp_path.glob("goal/fact_orders/*/*"))
    assert found == ["day_of_day=1969-12-31", "day_of_day=2026-01-31", "day_of_day=__HIVE_DEFAULT_PARTITION__"]


def test_files_without_rows_and_dimensions_without_members(spark: SparkSession, tmp_path: Path) -> None:
    inputs = write_records(tmp_path / "in", OF, [record(1, country=None), record(2, country=None)])
    whole = pq.read_table(f"{inputs.records}/part-0.parquet")
    pq.write_table(whole.slice(0, 0), f"{inputs.records}/part-00.parquet")
    assert load_records(spark, inputs, f"{tmp_path}/goal")["ok"] == 2
    assert [row["country_key"] for row in rows(tmp_path / "goal", "fact_orders")] == [None, None]
    nothing = write_records(tmp_path / "none", OF, [record(1)])
    pq.write_table(whole.slice(0, 0), f"{nothing.records}/part-0.parquet")
    assert load_records(spark, nothing, f"{tmp_path}/empty")["ok"] == 0


def test_what_validate_writes_is_loaded(spark: SparkSession, tmp_path: Path) -> None:
    content = b"Order ID,country,ordered_at,total\na,NL,2026-02-01,1\nb,BE,2026-02-30,2\na,FR,2026-02-02,3\nc,,+,4\n"
    found = validated(spark, tmp_path / "d", content + b"d,NL,2026-03-01,+5.0\n", of=OF.records)
    tables = (f"{found.goal}/{name}" for name in ("records", "settled", "warnings"))
    counts = load_records(spark, RecordInputs(LocalFileSystem(), *tables, OF), f"{tmp_path}/goal")
    assert counts == {"lines": 5, "ok": 2, "quarantined": 2, "duplicate": 1, "warned": 0}
    members = {row["country_key"]: row["country"] for row in rows(tmp_path / "goal", "dim_country")}
    facts = rows(tmp_path / "goal", "fact_orders")
    assert [(row["line"], members[row["country_key"]], str(row["total"])) for row in facts] == [
        (2, "NL", "1.00"),
        (6, "NL", "5.00"),
    ]


def test_keys_lead_to_members_of_every_type(spark: SparkSession, tmp_path: Path) -> None:
    values: dict[str, list[Any]] = {
        "string": ["a'b", "", "é"],
        "long": [1, -(1 << 63), 0],
        "double": [0.0, 1e300, -1.5],
        "bool": [True, False, True],
        "date": [date(1960, 2, 29), date(2026, 1, 1), date(1, 1, 1)],
        "timestamp": [datetime(1960, 1, 1, 0, 0, 0, 1), datetime(2026, 1, 1), datetime(9999, 1, 1)],
        "decimal(38,9)": [Decimal("0.000000001"), Decimal("-12345678901234567890.5"), Decimal(0)],
    }
    names = {f"c{number}": kind for number, kind in enumerate(values)}
    columns = [{"name": name, "type": kind, "dimension": True} for name, kind in names.items()]
    of = order_drop(config=orders(columns=[*columns, {"name": "order_id"}], rules=[]))
    place = {"entry": 0, "corrects_drop": None, "corrects_line": None}
    given = [
        {**place, "line": line, "order_id": str(line), **{name: values[kind][line] for name, kind in names.items()}}
        for line in range(3)
    ]
    nothing = {**place, "line": 3, "order_id": "3", **dict.fromkeys(names)}
    load_records(spark, write_records(tmp_path / "in", of, [*given, nothing]), f"{tmp_path}/goal")
    facts = rows(tmp_path / "goal", "fact_orders")
    assert len(facts) == 4
    for name in names:
        members = {row[f"{name}_key"]: row[name] for row in rows(tmp_path / "goal", f"dim_{name}")}
        assert [members[row[f"{name}_key"]] for row in facts[:3]] == [row[name] for row in given]
        assert facts[3][f"{name}_key"] is None
