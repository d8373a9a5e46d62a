"""Fetch: the pictures that a catalogue names, many at a time, in shards that are kept when a run is killed.

A shard of answers (schemas.ORIGINALS) has a number and a round: round 0 asks for every request of the shard,
each later round for those whose last answer was a passing failure. The answer to a line is that of its highest round.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

from pyspark.sql import DataFrame, SparkSession, Window
from pyspark.sql import functions as F  # noqa: N812

from conf.errors import DropHeld
from spark_jobs import files, shard_tasks, shards, tallies
from spark_jobs.asking import LINE, Asking, shard_and_round
from spark_jobs.making import Making
from spark_jobs.schemas import ORIGINALS, REQUESTS, SETTLED
from spark_jobs.shards import Tally, Written
from spark_jobs.tables import read, select_quarantined, write_none
from spark_jobs.web.fetch import WebPolicy
from targets.filesystem import FileSystem
from targets.runlog import RunLog


@dataclass(frozen=True)
class FetchJob:
    """One drop's fetching.

    Attributes:
        requests: path of Validate's requests.
        originals: path of the directory that takes the shards; those in it are kept.
        settled: path of the directory that takes the lines that failed.
        policy: limits of one Spark task.
        max_transient: share of requests (0 to 1) that may fail in passing.
        making: makes pictures of what was just fetched, before it is forgotten; what it does not is left to Transform.
    """

    fs: FileSystem
    requests: str
    originals: str
    settled: str
    policy: WebPolicy
    max_transient: float
    log: RunLog
    report: Callable[[Tally], None]
    making: Making | None = None

    def run(self, spark: SparkSession) -> tuple[dict[str, int], list[Written]]:
        """Fetches what is not there yet; returns counts, and the shards written: of originals, and of pictures.

        DropHeld when too many requests failed in passing: the next run asks for those only.
        """
        asked, holders = self._shards()
        self.fs.make_directory(self.originals)
        before = self._rounds()
        written = self._fetch(spark, holders, dict.fromkeys(holders.keys() - before.keys(), 0))
        fared = tallies.total(self._tallies(written))
        if not fared.failed:
            return self._settle_none(asked, fared), written
        requests = read(spark, REQUESTS, self.fs.uri(self.requests))
        passing = self._passing(spark, requests)
        if before and self._too_many(passing.count(), asked):
            # What failed in passing in an earlier run is asked for again; what failed in this one has had its attempts.
            again = passing.where(F.col("shard").isin(list(before))).select("shard").distinct().collect()
            written += self._fetch(spark, holders, {row.shard: before[row.shard] + 1 for row in again})
            passing = self._passing(spark, requests)
        self._hold_if_too_many(passing, asked)
        return self._settle(spark, requests, asked), written

    def _shards(self) -> tuple[int, dict[int, list[str]]]:
        """How many requests there are; and by shard the files that have some of it (one, since shards lie in one)."""
        asked, holders = 0, dict[int, list[str]]()
        for path in files.paths(self.fs, self.requests):
            counts = files.count_values_of(self.fs, [path], "shard")
            asked += counts.total()
            for shard in counts:
                holders.setdefault(shard, []).append(path)
        return asked, holders

    def _rounds(self) -> dict[int, int]:
        """The highest round of each shard that is there."""
        rounds: dict[int, int] = {}
        for name in shards.finished(self.fs, self.originals):
            found = shard_and_round(name)
            if found:
                shard, number = found
                rounds[shard] = max(number, rounds.get(shard, 0))
        return rounds

    def _tallies(self, written: list[Written]) -> dict[str, Tally]:
        """How the rows of every shard that is there fared; those that were just written need not be opened."""
        seen = {one.name: one.tally for one in written if one.directory == PurePosixPath(self.originals).name}
        tallies.count(self.fs, self.originals, seen)
        return seen

    def _fetch(self, spark: SparkSession, holders: Mapping[int, list[str]], rounds: Mapping[int, int]) -> list[Written]:
        """Asks for what these shards have to ask in this round of each; one file a (shard, round)."""
        work = Asking(self.fs, holders, self.originals, self.policy, self.log, self.making)
        with tallies.watch(self.fs, self.originals, self.report):
            return shard_tasks.each(spark, sorted(rounds.items()), work.ask, grouped=True)

    def _passing(self, spark: SparkSession, requests: DataFrame) -> DataFrame:
        """The requests whose last answer was a passing failure."""
        failed = answers(read(spark, ORIGINALS, self.fs.uri(self.originals))).where("passing")
        return requests.join(failed.select(*LINE), on=LINE, how="inner")

    def _too_many(self, passing: int, asked: int) -> bool:
        return passing > self.max_transient * asked

    def _hold_if_too_many(self, passing: DataFrame, asked: int) -> None:
        count = passing.count()
        if self._too_many(count, asked):
            hosts = [row.host for row in passing.groupBy("host").count().orderBy(F.desc("count")).limit(3).collect()]
            raise DropHeld(
                f"{count} of {asked} pictures failed in passing (mostly from {', '.join(hosts)}), "
                f"more than the {self.max_transient:.1%} that the feed allows.",
                "The others are kept; run again when the source is well, and only these are fetched.",
            )

    def _settle(self, spark: SparkSession, requests: DataFrame, asked: int) -> dict[str, int]:
        last = answers(read(spark, ORIGINALS, self.fs.uri(self.originals)))
        failed = last.where("rule <> 'ok'").select(*LINE, "rule", "value", "message")
        settled = select_quarantined(requests.join(failed, on=LINE, how="inner"))
        settled.coalesce(1).write.mode("overwrite").parquet(self.fs.uri(self.settled))
        return {"requests": asked, **_sums(last)}

    def _settle_none(self, asked: int, fared: Tally) -> dict[str, int]:
        """As ``_settle`` where nothing failed, in any round: each request has one answer."""
        write_none(self.fs, self.settled, SETTLED)
        return {"requests": asked, "ok": fared.ok, "quarantined": fared.failed, "bytes": fared.bytes}


def answers(originals: DataFrame) -> DataFrame:
    """The last answer to each line."""
    newest = Window.partitionBy(*LINE).orderBy(F.desc("round"))
    return originals.withColumn("_newest", F.row_number().over(newest)).where("_newest = 1").drop("_newest")


def _sums(last: DataFrame) -> dict[str, int]:
    sums = last.agg(
        F.count_if(F.col("rule") == "ok").alias("ok"),
        F.count_if(F.col("rule") != "ok").alias("quarantined"),
        F.coalesce(F.sum("bytes"), F.lit(0)).alias("bytes"),
    )
    counted: dict[str, int] = sums.collect()[0].asDict()
    return counted
