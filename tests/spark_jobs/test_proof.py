"""The proof finds what is missing, twice, or told otherwise; and passes what adds up."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyspark.sql import SparkSession

from conf.errors import ProofError
from spark_jobs.proof import Proof, ledger_of_images
from spark_jobs.proof import prove as prove_ledger
from spark_jobs.schemas import SETTLED
from spark_jobs.star.fact import fact_image_request
from spark_jobs.star.inputs import LoadInputs
from tests.drop_tables import Row, drop, mixed, request, settled, write_stages

pytestmark = pytest.mark.spark


def fact_of(spark: SparkSession, inputs: LoadInputs, goal: Path) -> str:
    """Writes the fact table of these inputs."""
    fact_image_request(inputs, str(goal)).write(spark, 10)
    return str(goal)


@pytest.fixture(scope="module")
def whole(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> tuple[LoadInputs, str]:
    root = tmp_path_factory.mktemp("proof")
    inputs = mixed(root)
    return inputs, fact_of(spark, inputs, root / "fact")


def prove(spark: SparkSession, lines: int, inputs: LoadInputs, fact: str) -> Proof:
    return prove_ledger(spark, ledger_of_images(inputs, fact), lines)


def with_settled(tmp_path: Path, inputs: LoadInputs, *rows: Row) -> LoadInputs:
    """The inputs with rows settled once more."""
    more = tmp_path / "more"
    more.mkdir()
    pq.write_table(pa.Table.from_pylist(list(rows), schema=SETTLED), more / "part-0.parquet")
    return replace(inputs, settled=(*inputs.settled, str(more)))


def test_a_drop_that_adds_up_is_counted(spark: SparkSession, whole: tuple[LoadInputs, str]) -> None:
    assert prove(spark, 7, *whole) == Proof(
        lines=7,
        ok=3,
        quarantined=3,
        duplicate=1,
        by_rule={"ok": 3, "url.malformed": 1, "duplicate.in_drop": 1, "fetch.status": 1, "image.truncated": 1},
    )


def test_shares_of_the_lines_come_to_the_same(
    spark: SparkSession, whole: tuple[LoadInputs, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("spark_jobs.accounts._SHARE_LINES", 1)
    monkeypatch.setattr("spark_jobs.accounts.tasks_at_once", lambda _: 3)
    inputs, fact = whole
    proof = prove(spark, 7, *whole)
    assert (proof.lines, proof.ok, proof.quarantined, proof.duplicate) == (7, 3, 3, 1)
    assert proof.by_rule["ok"] == 3
    with pytest.raises(ProofError, match=r"2 lines without an outcome \(entry:line 0:5, 0:6\)"):
        prove(spark, 7, replace(inputs, settled=inputs.settled[:1]), fact)
    many = write_stages(tmp_path, drop(), requests=[request(line) for line in range(1, 31)])
    with pytest.raises(ProofError, match=r"30 lines without an outcome \(entry:line (0:\d+, ){9}0:10 …\)"):
        prove(spark, 30, many, fact_of(spark, many, tmp_path / "fact"))


def test_a_drop_without_lines_adds_up(spark: SparkSession, tmp_path: Path) -> None:
    inputs = write_stages(tmp_path, drop())
    fact = fact_of(spark, inputs, tmp_path / "fact")
    found = prove(spark, 0, inputs, fact)
    assert found == Proof(0, 0, 0, 0, {})


@pytest.mark.parametrize("lines", [6, 8])
def test_land_counted_other_lines(spark: SparkSession, whole: tuple[LoadInputs, str], lines: int) -> None:
    with pytest.raises(ProofError, match=f"has {lines} lines, but 7 have an outcome"):
        prove(spark, lines, *whole)


def test_a_line_without_outcome_is_named(spark: SparkSession, whole: tuple[LoadInputs, str], tmp_path: Path) -> None:
    inputs, fact = whole
    lost = replace(inputs, settled=inputs.settled[:2])
    with pytest.raises(ProofError, match=r"1 lines without an outcome \(entry:line 0:6\)"):
        prove(spark, 7, lost, fact)
    with pytest.raises(ProofError, match=r"2 lines without an outcome \(entry:line 0:5, 0:6\)"):
        prove(spark, 7, replace(inputs, settled=inputs.settled[:1]), fact)


def test_a_line_settled_twice_is_named(spark: SparkSession, whole: tuple[LoadInputs, str], tmp_path: Path) -> None:
    inputs, fact = whole
    # The same line twice and another one lost: the sum alone would not show it.
    twice = with_settled(tmp_path, replace(inputs, settled=inputs.settled[:2]), settled(5, "fetch.status"))
    with pytest.raises(ProofError, match=r"without an outcome \(entry:line 0:6\); 1 lines .*more than one.* 0:5\)"):
        prove(spark, 7, twice, fact)


def test_a_line_both_ok_and_quarantined_is_named(
    spark: SparkSession, whole: tuple[LoadInputs, str], tmp_path: Path
) -> None:
    inputs, fact = whole
    with pytest.raises(ProofError, match=r"more than one outcome \(entry:line 0:1\)"):
        prove(spark, 7, with_settled(tmp_path, inputs, settled(1, "image.corrupt")), fact)


def test_a_fact_table_that_says_something_else(
    spark: SparkSession, whole: tuple[LoadInputs, str], tmp_path: Path
) -> None:
    inputs, fact = whole
    told = spark.read.parquet(f"file://{fact}")
    goal = f"{tmp_path}/fact"
    told.where("line <> 2").unionByName(told.where("line = 3")).write.parquet(f"file://{goal}")
    with pytest.raises(ProofError, match=r"2 lines of which the tables .*0:2, 0:3\)"):
        prove(spark, 7, inputs, goal)
    invented = f"{tmp_path}/invented"
    told.unionByName(told.where("line = 3").replace(3, 99, ["line"])).write.parquet(f"file://{invented}")
    with pytest.raises(ProofError, match=r"the tables .*0:99\)"):
        prove(spark, 7, inputs, invented)


def test_a_rule_that_nobody_knows(spark: SparkSession, tmp_path: Path) -> None:
    unknown = settled(1, "url.malformed", rule="url.whim")
    inputs = write_stages(tmp_path, drop(), validated=[unknown, settled(2, "url.scheme", outcome="ok")])
    fact = fact_of(spark, inputs, tmp_path / "fact")
    with pytest.raises(ProofError, match=r"url\.scheme as ok .*url\.whim as quarantined|url\.whim.*url\.scheme"):
        prove(spark, 2, inputs, fact)


def test_only_some_of_many_lines_are_named(spark: SparkSession, tmp_path: Path) -> None:
    inputs = write_stages(tmp_path, drop(), requests=[request(line) for line in range(1, 31)])
    fact = fact_of(spark, inputs, tmp_path / "fact")
    with pytest.raises(ProofError, match=r"30 lines without an outcome \(entry:line (0:\d+, ){9}0:10 …\)"):
        prove(spark, 30, inputs, fact)
