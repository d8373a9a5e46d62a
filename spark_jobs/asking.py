"""What a Python worker of Spark's does with a shard of requests: asks the web, keeps the answers, makes the pictures.

A file of answers is ``part-<shard>-r<round>.parquet``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow.parquet as pq

from spark_jobs import files, shards
from spark_jobs.kept import Row, write_and_keep
from spark_jobs.making import Making
from spark_jobs.schemas import ORIGINALS
from spark_jobs.shards import Written
from spark_jobs.web.fetch import Answer, Request, WebPolicy, fetch_all
from targets.filesystem import FileSystem
from targets.runlog import RunLog

LINE = ["entry", "line"]
_NAME = re.compile(r"^part-(\d+)-r(\d+)\.parquet$")


def shard_and_round(name: str) -> tuple[int, int] | None:
    """Of what a file of answers has some; None if it is no such file."""
    match = _NAME.match(name)
    return (int(match[1]), int(match[2])) if match else None


@dataclass(frozen=True)
class Asking:
    """How one drop's requests are asked. Picklable.

    Attributes:
        holders: by shard, the files that have some of its requests.
        originals: path of the directory that takes the answers.
        policy: limits of one Spark task.
        making: makes pictures of what was just fetched; what it does not is left to Transform.
    """

    fs: FileSystem
    holders: Mapping[int, list[str]]
    originals: str
    policy: WebPolicy
    log: RunLog
    making: Making | None

    def ask(self, what: tuple[int, int]) -> list[Written]:
        """Asks for a (shard, round); returns the shards that were written, that of the answers first."""
        shard, number = what
        again = self._passing(shard, number) if number else None
        requests = (one for one in self._requests(shard) if again is None or (one.entry, one.line) in again)
        found = (_row(answer, number) for answer in fetch_all(requests, self.policy, keep=True))
        path = self._path(shard, number)
        new = write_and_keep(self.fs, path, ORIGINALS, found)
        written = new[0] if new else shards.written_before(self.fs, path)
        self.log.info("shard fetched", shard=shard, round=number, ok=written.tally.ok, failed=written.tally.failed)
        # Whoever wrote it first makes its pictures, unless they died of that: so would this worker.
        return [written, *self._pictures(*new)] if new else [written]

    def _pictures(self, originals: Written, kept: Sequence[Row]) -> list[Written]:
        """The shard of pictures of a finished shard, made while another thread fetches the next."""
        if self.making is None:
            return []
        try:
            return [self.making.make(originals.name, originals.sha256, kept)]
        except Exception as fault:  # noqa: BLE001  # whatever it is, Transform meets it too, and says so
            self.log.warning("pictures are left to the Transform stage", shard=originals.name, error=str(fault))
            return []

    def _requests(self, shard: int) -> Iterator[Request]:
        """Those of a shard. Files have them in the order of shards, so that few row groups are read."""
        for path in self.holders[shard]:
            with self.fs.open(path) as file:
                of_shard = [("shard", "=", shard)]
                rows = pq.read_table(file, columns=list(Request._fields), filters=of_shard, use_threads=False)
            yield from (Request(**row) for row in rows.to_pylist())

    def _passing(self, shard: int, number: int) -> set[tuple[int, int]]:
        """The lines of a shard whose last answer before this round was a passing failure."""
        rounds = (self._path(shard, earlier) for earlier in range(number))
        passing: dict[tuple[int, int], bool] = {}
        for rows in files.read_batches(self.fs, rounds, [*LINE, "passing"]):
            passing |= {(row["entry"], row["line"]): row["passing"] for row in rows.to_pylist()}
        return {line for line, passes in passing.items() if passes}

    def _path(self, shard: int, number: int) -> str:
        return f"{self.originals}/part-{shard:05d}-r{number}.parquet"


def _row(answer: Answer, number: int) -> dict[str, Any]:
    """An answer as a row of ORIGINALS."""
    content = answer.content
    return {
        **answer.request._asdict(),
        "rule": answer.rule,
        "value": answer.value,
        "message": answer.message,
        "passing": answer.passing,
        "round": number,
        "status": answer.status,
        "attempts": answer.attempts,
        "milliseconds": answer.milliseconds,
        "final_url": answer.final_url,
        "content_type": answer.content_type,
        "bytes": 0 if content is None else len(content),
        "original_id": None if content is None else shards.sha256(content),
        "content": content,
    }
