"""Little work is done by this process as Spark's workers would do it."""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from pyspark.errors import PythonException
from pyspark.sql import SparkSession

from conf.errors import StorageError
from landfall.sample_web import catalogue
from spark_jobs.faults import translate
from spark_jobs.index import Index, Indexer
from spark_jobs.proof import ledger_of_images, prove
from spark_jobs.star.load import load
from spark_jobs.urls import UrlPolicy
from spark_jobs.validate import validate
from spark_jobs.workers import Workers, do_in_workers, sum_in_workers
from targets.local import LocalFileSystem
from tests.drop_tables import mixed

pytestmark = pytest.mark.spark
FS = LocalFileSystem()


def contents(place: Path) -> dict[str, list[object]]:
    """The rows below a directory, by table."""
    found: dict[str, list[object]] = {}
    for file in sorted(place.rglob("*.parquet")):
        found.setdefault(str(file.parent.relative_to(place)), []).extend(pq.ParquetFile(file).read().to_pylist())
    return found


def test_numbers_are_worked_on_in_order_and_here(spark: SparkSession) -> None:
    def work(number: int) -> pa.RecordBatch:
        return pa.RecordBatch.from_pylist([{"number": number, "process": os.getpid()}])

    here, there = (do_in_workers(workers, 5, 2, work, "number long, process long") for workers in (None, spark))
    assert [row.number for row in here] == [row.number for row in there] == [0, 1, 2, 3, 4]
    assert {row.process for row in here} == {os.getpid()}
    assert os.getpid() not in {row.process for row in there}
    assert sum_in_workers(None, 5, 2, lambda number: number) == 10
    assert do_in_workers(None, 0, 2, work, "number long, process long") == []


def test_workers_of_numbers_and_of_tables_come_of_one_process(spark: SparkSession) -> None:
    def work(_: int) -> pa.RecordBatch:
        return pa.RecordBatch.from_pylist([{"parent": os.getppid()}])

    def of_a_table(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        yield from (work(batch.num_rows) for batch in batches)

    numbers = do_in_workers(spark, 2, 2, work, "parent long")
    tables = spark.range(0, 2, 1, 2).mapInArrow(of_a_table, "parent long").collect()
    assert len({row.parent for row in numbers + tables}) == 1


@pytest.mark.parametrize(
    ("raised", "said"),
    [
        (StorageError("/lake/x is full.", "Make room."), "The fetch failed: /lake/x is full. Make room."),
        (ValueError("nobody knows why"), "The fetch failed in Spark: nobody knows why `landfall logs`"),
    ],
)
def test_what_a_worker_raises_is_a_sentence(spark: SparkSession, raised: Exception, said: str) -> None:
    def work(_: int) -> pa.RecordBatch:
        raise raised

    with pytest.raises(PythonException) as caught:
        do_in_workers(spark, 2, 2, work, "number long")
    fault = translate(caught.value, "fetch")
    assert str(fault).startswith(said)
    assert isinstance(fault, StorageError) == isinstance(raised, StorageError)


def test_a_catalogue_is_validated_alike(spark: SparkSession, tmp_path: Path) -> None:
    content = b"".join(line.content + b"\n" for line in catalogue("http://127.0.0.1:8200", 300, seed=5))
    (tmp_path / "entry").write_bytes(content)
    indexer = Indexer(0, None, "auto", ",", 64 << 10, len(content) // 7)
    indexer.feed(content)
    entry, ranges = indexer.close()
    index, policy = Index((entry,), tuple(ranges)), UrlPolicy(("127.0.0.1:8200",), (80, 443), None, 10_000)

    def validated(workers: Workers, goal: Path) -> object:
        counts = validate(workers, FS, index, {0: str(tmp_path / "entry")}, str(goal), policy, 64 << 10, shard_rows=40)
        assert min(counts) > 0
        return counts, contents(goal)

    assert validated(None, tmp_path / "here") == validated(spark, tmp_path / "there")


def test_a_star_is_made_and_proved_alike(spark: SparkSession, tmp_path: Path) -> None:
    inputs = mixed(tmp_path / "stages")

    def loaded(workers: Workers, goal: Path) -> object:
        counts = load(workers, inputs, str(goal))
        proof = prove(workers, ledger_of_images(inputs, f"{goal}/fact_image_request"), 7)
        return counts, dataclasses.asdict(proof), contents(goal)

    assert loaded(None, tmp_path / "here") == loaded(spark, tmp_path / "there")
