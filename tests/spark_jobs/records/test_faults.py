"""Twenty kinds of fault by seed: each reject's line and rules are those of the key, over many ranges."""

from __future__ import annotations

from pathlib import Path

import pyarrow.parquet as pq
import pytest
from pyspark.sql import SparkSession

from bench.records import settled
from bench.records_landfall import validate
from bench.records_rows import ALL_KINDS, write
from conf.settings import Settings


@pytest.mark.slow
def test_a_hundred_thousand_rows_with_twenty_kinds_of_fault(spark: SparkSession, tmp_path: Path) -> None:
    wanted = write(tmp_path / "orders.csv", 100_000, 7, 0.05, ALL_KINDS)
    index, counts = validate(tmp_path / "orders.csv", tmp_path / "goal", Settings(landing={"range_bytes": 1 << 20}))
    assert len(index.ranges) >= 8
    assert index.lines == counts.ok + counts.quarantined + counts.duplicate == 100_000
    assert settled(tmp_path / "goal") == wanted
    assert {rule for rules in wanted.values() for rule in rules} >= {"line.too_long", "csv.columns", "row.shipped"}
    kept = pq.read_table(tmp_path / "goal" / "records", columns=["line"])["line"].to_pylist()
    assert len(set(kept)) == counts.ok
    assert not wanted.keys() & set(kept)
