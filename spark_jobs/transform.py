"""Transform: every fetched original strictly decoded and put through the feed's transforms, shard by shard."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import pyarrow.parquet as pq
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812

from conf.settings import Images
from spark_jobs import early, files, shard_tasks, shards
from spark_jobs.images.make import make
from spark_jobs.progress import silent
from spark_jobs.schemas import IMAGES, REQUESTS, SETTLED
from spark_jobs.shards import Tally, Written
from spark_jobs.store import StoreJob
from spark_jobs.tables import read, select_quarantined, write_none
from spark_jobs.transforms import digest, image_id, load
from targets.filesystem import FileSystem
from targets.runlog import RunLog

# Rows decoded from Parquet at a time: each holds one original, of at most ``web.max_bytes``.
_BATCH_ROWS = 16
# So many ids (of 64 bytes) are held in this process.
_FEW = 100_000
_READ = ["entry", "line", "url", "width", "height", "rule", "original_id", "content"]


@dataclass(frozen=True)
class TransformJob:
    """One drop's pictures.

    Attributes:
        requests: uri of Validate's requests.
        originals: path of Fetch's shards.
        images: path of the directory that takes the shards; those in it are kept.
        settled: path of the directory that takes the lines whose original is no sound picture.
        transforms: names, in order.
        early: takes the pictures before Store asks for them (``early.begin``).
    """

    fs: FileSystem
    requests: str
    originals: str
    images: str
    settled: str
    transforms: tuple[str, ...]
    limits: Images
    log: RunLog
    report: Callable[[Tally], None]
    early: StoreJob | None = None

    def run(self, spark: SparkSession) -> tuple[dict[str, int], dict[str, str]]:
        """Makes the pictures that are not there yet; returns counts and the digests of the shards written."""
        kept = set(shards.finished(self.fs, self.images))
        missing = [name for name in shards.finished(self.fs, self.originals) if name not in kept]
        self.fs.make_directory(self.images)
        with shards.watch(self.fs, self.images, self.report):
            written = shard_tasks.each(spark, missing, self._worker(), grouped=True)
        seen = {one.name: one.tally for one in written}
        shards.count(self.fs, self.images, seen)
        return self._settle(spark, shards.total(seen)), {one.name: one.sha256 for one in written}

    def _worker(self) -> Callable[[str], Written]:
        job = replace(self, report=silent)  # who is told is of this process, and no worker's

        def work(name: str) -> Written:
            rows = _made(job.fs, f"{job.originals}/{name}", job.transforms, job.limits)
            kept: list[dict[str, Any]] = []
            if job.early is not None:
                rows = early.keep(rows, kept)
            written = shards.write_shard(job.fs, f"{job.images}/{name}", IMAGES, rows)
            if job.early is not None:
                early.hand_on(job.early, written, kept)
            job.fs.forget(f"{job.originals}/{name}")
            job.log.info("shard transformed", shard=name, ok=written.tally.ok, failed=written.tally.failed)
            return written

        return work

    def _settle(self, spark: SparkSession, fared: Tally) -> dict[str, int]:
        if fared.failed:
            failed = self._read(spark).where("rule <> 'ok'").select("entry", "line", "rule", "value", "message")
            requests = read(spark, REQUESTS, self.requests)
            settled = select_quarantined(requests.join(failed, on=["entry", "line"], how="inner"))
            settled.coalesce(1).write.mode("overwrite").parquet(self.fs.uri(self.settled))
        else:
            write_none(self.fs, self.settled, SETTLED)
        counts = {"ok": fared.ok, "quarantined": fared.failed, "distinct": self._distinct(spark, fared.ok)}
        return {**counts, "bytes": fared.bytes}

    def _distinct(self, spark: SparkSession, ok: int) -> int:
        """How many results differ; the ids of few are read here for less than a job of Spark's takes."""
        if ok <= _FEW:
            return len(files.count_values(self.fs, self.images, "image_id").keys() - {None})
        return int(self._read(spark).agg(F.count_distinct("image_id")).collect()[0][0])

    def _read(self, spark: SparkSession) -> DataFrame:
        return read(spark, IMAGES, self.fs.uri(self.images))


def _made(fs: FileSystem, path: str, names: tuple[str, ...], limits: Images) -> Iterator[dict[str, Any]]:
    """Rows of IMAGES from one shard of originals."""
    transforms = load(names)
    made_by = digest(transforms, limits)
    with fs.open(path) as file:
        for batch in pq.ParquetFile(file).iter_batches(_BATCH_ROWS, columns=_READ, use_threads=False):
            for row in batch.to_pylist():
                if row["rule"] != "ok":
                    continue
                made = make(row["content"], (row["width"], row["height"]), transforms, limits)
                yield {
                    "entry": row["entry"],
                    "line": row["line"],
                    "url": row["url"],
                    "rule": made.rule,
                    "value": made.value,
                    "message": made.message,
                    "original_id": row["original_id"],
                    "original_bytes": len(row["content"]),
                    "original_width": made.original_width,
                    "original_height": made.original_height,
                    "original_format": made.original_format,
                    "image_id": image_id(row["original_id"], made_by) if made.content else None,
                    "image_digest": made.digest,
                    "width": made.width,
                    "height": made.height,
                    "format": made.format,
                    "bytes": len(made.content) if made.content else None,
                    "transforms": made_by,
                    "content": made.content,
                }
