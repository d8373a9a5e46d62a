"""Store: the images into the image store, from Spark's Python workers, in batches."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pybase64
from pyspark.sql import SparkSession

from conf.settings import Settings
from spark_jobs import shards
from spark_jobs.tasks import watch_tasks
from targets.clock import now
from targets.filesystem import FileSystem
from targets.image_store import ImageDocument, open_store
from targets.runlog import RunLog


@dataclass(frozen=True)
class StoreJob:
    """One drop's images.

    Attributes:
        images: path of Transform's shards.
        transforms: names of what was done to each picture, in order.
        report: told (shards done, shards in all) while the job runs.
    """

    fs: FileSystem
    images: str
    settings: Settings
    client: str
    feed: str
    drop: str
    transforms: tuple[str, ...]
    log: RunLog
    report: Callable[[int, int], None]

    def run(self, spark: SparkSession) -> tuple[int, int]:
        """Inserts every image; returns how many the store did not have, and how many it had."""
        open_store(self.settings, self.client, prepare=True, tell=self.log.warning).close()
        names = shards.finished(self.fs, self.images)
        with watch_tasks(spark, lambda done: self.report(done, len(names))):
            written = shards.each(spark, names, self._worker())
        sums = shards.total({one.name: one.tally for one in written})
        return sums.ok, sums.failed

    def _worker(self) -> Callable[[str], shards.Written]:
        job = replace(self, report=_nobody)  # who is told is of this process, and no worker's

        def work(name: str) -> shards.Written:
            new = present = 0
            with open_store(job.settings, job.client, tell=job.log.warning) as store:
                for batch in _batches(job, name):
                    inserted = store.insert(batch)
                    new, present = new + inserted.new, present + inserted.present
            job.log.info("shard stored", shard=name, new=new, present=present)
            return shards.Written(name, "", shards.Tally(new, present))

        return work


def _nobody(done: int, total: int) -> None:
    """Hears of progress where nobody asks."""


def _batches(job: StoreJob, name: str) -> Iterator[list[ImageDocument]]:
    """A shard's pictures by row group, each of bounded rows and bytes: the more in one commit, the fewer waits for the
    disk. They are in memory three times, once as base64.
    """
    with job.fs.open(f"{job.images}/{name}") as opened:
        file = pq.ParquetFile(opened)
        for number in range(file.num_row_groups):
            yield list(_documents(job, file.read_row_group(number)))


def _documents(job: StoreJob, rows: pa.Table) -> Iterator[ImageDocument]:
    inserted = now()

    def document(row: dict[str, Any]) -> ImageDocument:
        return ImageDocument(
            id=row["image_id"],
            image=pybase64.b64encode_as_string(row["content"]),
            digest=row["image_digest"],
            original=row["original_id"],
            width=row["width"],
            height=row["height"],
            format=row["format"],
            bytes=row["bytes"],
            source=row["url"],
            inserted=inserted,
            client=job.client,
            feed=job.feed,
            drop=job.drop,
            transforms=job.transforms,
        )

    return (document(row) for row in rows.to_pylist() if row["rule"] == "ok")
