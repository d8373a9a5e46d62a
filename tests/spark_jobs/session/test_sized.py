"""Plans that suit the work."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from queue import Queue

import pytest
from pyspark.sql import SparkSession
from pyspark.sql import functions as F  # noqa: N812

from conf.settings import Settings
from spark_jobs.session import early
from spark_jobs.session.sized import suit


@pytest.fixture(autouse=True)
def _as_it_was(spark: SparkSession, tmp_path: Path) -> Iterator[None]:
    yield
    suit(spark, Settings(env="test", home=tmp_path), little=False)


def test_little_work_is_planned_without_compiling_and_large_work_as_ever(spark: SparkSession, tmp_path: Path) -> None:
    settings = Settings(env="test", home=tmp_path)
    rows = spark.range(10).groupBy((F.col("id") % 3).alias("rest")).agg(F.sha2(F.sum("id").cast("string"), 256))
    suit(spark, settings, little=False)
    usual = _plan(rows.select("*"))
    large = sorted(rows.select("*").collect())
    suit(spark, settings, little=True)
    little = _plan(rows.select("*"))
    assert "AdaptiveSparkPlan" in usual
    assert "AdaptiveSparkPlan" not in little
    assert "*(" not in little, "code is compiled"
    assert sorted(rows.select("*").collect()) == large
    suit(spark, settings, little=False)
    assert _plan(rows.select("*")) == usual


def test_what_an_operator_names_stays(spark: SparkSession, tmp_path: Path) -> None:
    name = "spark.sql.shuffle.partitions"
    settings = Settings(env="test", home=tmp_path, spark={"master": "local[2]", "conf": {name: "3"}})
    suit(spark, Settings(env="test", home=tmp_path), little=False)
    before = spark.conf.get(name)
    suit(spark, settings, little=True)
    assert spark.conf.get(name) == before


def test_a_session_that_starts_early_is_given_once(spark: SparkSession) -> None:
    begun = []

    def start() -> SparkSession:
        begun.append(1)
        return spark

    early.begin(start)
    early.begin(start)
    assert early.take() is spark
    assert early.take() is None
    assert begun == [1]


def test_an_early_session_is_given_while_something_is_done_with_it(spark: SparkSession) -> None:
    taken, seen = threading.Event(), Queue[tuple[SparkSession, bool]]()
    early.begin(lambda: spark, lambda made: seen.put((made, taken.wait(60))))
    assert early.take() is spark
    taken.set()
    assert seen.get(timeout=60) == (spark, True)


def test_what_keeps_an_early_session_from_starting_is_told_to_who_asks() -> None:
    def start() -> SparkSession:
        raise RuntimeError("no Java")

    early.begin(start)
    with pytest.raises(RuntimeError, match="no Java"):
        early.take()
    assert early.take() is None


def _plan(rows: object) -> str:
    return str(rows._jdf.queryExecution().executedPlan().toString()).partition("#")[0]  # type: ignore[attr-defined]
