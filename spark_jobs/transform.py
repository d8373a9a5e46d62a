"""Transform: every fetched original strictly decoded and put through the feed's transforms, shard by shard."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812

from spark_jobs import files, shard_tasks, shards, tallies
from spark_jobs.making import Making, name_of_pictures
from spark_jobs.schemas import IMAGES, REQUESTS, SETTLED
from spark_jobs.shards import Tally, Written
from spark_jobs.tables import read, select_quarantined, write_none

# So many ids (of 64 bytes) are held in this process.
_FEW = 100_000


@dataclass(frozen=True)
class TransformJob:
    """One drop's pictures.

    Attributes:
        requests: uri of Validate's requests.
        originals: sha-256 of each of Fetch's shards, by file name.
        making: how their pictures are made; those that are there are kept.
        settled: path of the directory that takes the lines whose original is no sound picture.
        report: told how the pictures that are there fared, while the job runs.
        say: told in a sentence what is there when it begins.
        made: shards of pictures whose digests are known although this job did not make them.
    """

    requests: str
    originals: Mapping[str, str]
    making: Making
    settled: str
    report: Callable[[Tally], None]
    say: Callable[[str], None]
    made: Sequence[Written] = ()

    def run(self, spark: SparkSession) -> tuple[dict[str, int], list[Written]]:
        """Makes the pictures that are not there yet; returns counts, and the shards whose digests are known."""
        fs, images, making = self.making.fs, self.making.images, self.making
        wanted = {name_of_pictures(*shard): shard for shard in self.originals.items()}
        fs.make_directory(images)
        there = self._made_before(wanted.keys())
        known = [one for one in self.made if one.name in there]
        seen = {one.name: one.tally for one in known}
        tallies.count(fs, images, seen)
        if seen:
            self.say(f"{tallies.total(seen).ok:,} pictures are there")
        missing = [shard for name, shard in wanted.items() if name not in there]
        with tallies.watch(fs, images, self.report):
            written = shard_tasks.each(spark, missing, lambda shard: [making.make(*shard)], grouped=True)
        seen |= {one.name: one.tally for one in written}
        return self._settle(spark, tallies.total(seen)), [*known, *written]

    def _made_before(self, wanted: Set[str]) -> Set[str]:
        """Names of the shards of pictures that are there. Those of originals that were never put in place go."""
        there = set(shards.finished(self.making.fs, self.making.images))
        for strange in there - wanted:
            self.making.fs.remove(f"{self.making.images}/{strange}")
        return there & wanted

    def _settle(self, spark: SparkSession, fared: Tally) -> dict[str, int]:
        if fared.failed:
            failed = self._read(spark).where("rule <> 'ok'").select("entry", "line", "rule", "value", "message")
            requests = read(spark, REQUESTS, self.requests)
            settled = select_quarantined(requests.join(failed, on=["entry", "line"], how="inner"))
            settled.coalesce(1).write.mode("overwrite").parquet(self.making.fs.uri(self.settled))
        else:
            write_none(self.making.fs, self.settled, SETTLED)
        counts = {"ok": fared.ok, "quarantined": fared.failed, "distinct": self._distinct(spark, fared.ok)}
        return {**counts, "bytes": fared.bytes}

    def _distinct(self, spark: SparkSession, ok: int) -> int:
        """How many results differ; the ids of few are read here for less than a job of Spark's takes."""
        if ok <= _FEW:
            return len(files.count_values(self.making.fs, self.making.images, "image_id").keys() - {None})
        return int(self._read(spark).agg(F.count_distinct("image_id")).collect()[0][0])

    def _read(self, spark: SparkSession) -> DataFrame:
        return read(spark, IMAGES, self.making.fs.uri(self.making.images))
