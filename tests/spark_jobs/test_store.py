"""Store's job: a shard's pictures into the image store."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from pyspark.sql import SparkSession

from spark_jobs.store import Destination, StoreJob
from targets.local import LocalFileSystem
from tests.spark_jobs.image_shards import job, name, rows, stored


@dataclass(frozen=True)
class Forgetting(LocalFileSystem):
    """Keeps what it was told to forget."""

    forgotten: list[bytes]

    def forget(self, path: str, begin: int = 0, size: int = 0) -> None:
        self.forgotten.append(Path(path).read_bytes()[begin : begin + size])


@pytest.mark.parametrize("held", [False, True])
def test_pictures_that_are_stored_are_forgotten_and_what_the_star_reads_is_not(
    destination: Destination, tmp_path: Path, held: bool
) -> None:
    job(destination, tmp_path, rows(300, bad=7))
    forgotten: list[bytes] = []
    destination.open(prepare=True).close()
    with destination.open() as store:
        made = StoreJob(Forgetting(forgotten), str(tmp_path), destination)
        if held:
            assert made.put_rows(name(0), [row for row in rows(300, bad=7) if row["content"]], store) == 300
        else:
            assert made.put(name(0), store) == 300
        assert store.count() == 300
    whole, found = (tmp_path / name(0)).read_bytes(), b"".join(forgotten)
    assert len(forgotten) == pq.ParquetFile(tmp_path / name(0)).num_row_groups == 2
    for row in rows(300, bad=7):
        if row["content"]:
            assert row["content"] in found
        assert row["original_id"].encode() in whole
        assert row["original_id"].encode() not in found


def test_store_puts_in_what_is_missing_and_nothing_twice(
    destination: Destination, tmp_path: Path, spark: SparkSession
) -> None:
    made = job(destination, tmp_path / "images", rows(10, bad=2), rows(30), rows(40))
    destination.open(prepare=True).close()
    with destination.open() as store:
        store.insert(destination.documents(row for row in rows(10, bad=2) if row["rule"] == "ok"))
        store.insert(destination.documents(list(rows(30))[:25]))
    # Pictures 2 to 11 are those of the first shard; the other two begin with the same thirty.
    new, present = made.run(spark)
    assert (new, new + present) == (15, 80)
    assert made.run(spark) == (0, 80)
    assert stored(destination, 40) == 40
