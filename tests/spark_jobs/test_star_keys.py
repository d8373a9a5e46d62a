"""Keys: stable, as different as the natural keys are, and the same by whatever means they are made."""

from __future__ import annotations

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyspark.sql import SparkSession
from pyspark.sql import functions as F  # noqa: N812

from spark_jobs.star.keys import key, of, sql
from tests.star_keys import key as reference

pytestmark = pytest.mark.spark
PARTS = st.one_of(st.none(), st.text(alphabet="a:-1é0 |\0", max_size=3))


def keys(spark: SparkSession, naturals: list[tuple[str | None, str | None]]) -> list[str]:
    rows = spark.createDataFrame(naturals, "a string, b string")
    return [row[0] for row in rows.select(key(F.col("a"), F.col("b"))).collect()]


@given(st.lists(st.tuples(PARTS, PARTS), min_size=1, max_size=200))
@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
def test_two_natural_keys_never_share_a_key(spark: SparkSession, naturals: list[tuple[str | None, str | None]]) -> None:
    made = keys(spark, naturals)
    assert made == [reference(*natural) for natural in naturals] == [of(*natural) for natural in naturals]
    assert len(set(made)) == len(set(naturals))
    assert all(len(one) == 32 for one in made)


@given(st.lists(PARTS, min_size=1, max_size=200))
@settings(deadline=None)
def test_duckdb_makes_the_same_keys(naturals: list[str | None]) -> None:
    with duckdb.connect() as connection:
        query = f"SELECT {sql('part')} FROM (SELECT unnest($parts::VARCHAR[]) AS part)"
        made = [row[0] for row in connection.execute(query, {"parts": naturals}).fetchall()]
    assert made == [None if part is None else of(part) for part in naturals]
