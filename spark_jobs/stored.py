"""Whether the image store holds what Transform made: read back and hashed in Spark's Python workers, shard by shard."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pyarrow.parquet as pq
from pyspark.sql import SparkSession

from conf.errors import Damaged, NotFound
from conf.settings import Settings
from spark_jobs import shard_tasks, shards, tallies
from spark_jobs.shards import Tally, Written
from spark_jobs.tasks import watch_tasks
from targets.filesystem import FileSystem
from targets.image_store import ImageStore, content_of, open_store
from targets.runlog import RunLog

_READ_ROWS = 1000


@dataclass(frozen=True)
class StoredJob:
    """One drop's images.

    Attributes:
        images: path of Transform's shards.
        report: told (shards done, shards in all) while the job runs.
    """

    fs: FileSystem
    images: str
    settings: Settings
    client: str
    log: RunLog
    report: Callable[[int, int], None]

    def run(self, spark: SparkSession) -> Tally:
        """Compares every image; ok: the store has it with the digest that Transform gave it, and with such bytes.

        The log names the others.
        """
        names = shards.finished(self.fs, self.images)
        with watch_tasks(spark, lambda done: self.report(done, len(names))):
            written = shard_tasks.each(spark, names, self._worker())
        return tallies.total({one.name: one.tally for one in written})

    def _worker(self) -> Callable[[str], list[Written]]:
        fs, images, settings, client, log = self.fs, self.images, self.settings, self.client, self.log

        def work(name: str) -> list[Written]:
            tally = Tally()
            with open_store(settings, client, tell=log.warning) as store:
                for image, digest in _made(fs, f"{images}/{name}"):
                    problem = _problem(store, image, digest)
                    if problem:
                        log.error("stored picture is not what was made", image=image, problem=problem)
                    tally = tally.plus(Tally(0, 1) if problem else Tally(1, 0))
            return [Written(name, "", tally)]

        return work


def _made(fs: FileSystem, path: str) -> Iterator[tuple[str, str]]:
    """(image_id, image_digest) of a shard's sound pictures."""
    with fs.open(path) as file:
        for batch in pq.ParquetFile(file).iter_batches(_READ_ROWS, columns=["rule", "image_id", "image_digest"]):
            for row in batch.to_pylist():
                if row["rule"] == "ok":
                    yield row["image_id"], row["image_digest"]


def _problem(store: ImageStore, image: str, digest: str) -> str:
    try:
        document = store.get(image)
        content_of(document)
    except NotFound:
        return "It is missing from the store."
    except Damaged as error:
        return error.what
    return "" if document.digest == digest else "It is another picture than the one that was made."
