"""Validate: every line parsed, checked and deduplicated, in as many ranges as the index has."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import pyarrow as pa

from conf.rules import RULES
from spark_jobs import duck, files
from spark_jobs.at_once import do_each
from spark_jobs.chunks import chunk_file, chunks
from spark_jobs.index import Index
from spark_jobs.lines import records
from spark_jobs.made import Input, Made
from spark_jobs.parse import parse
from spark_jobs.progress import Step, silent
from spark_jobs.schemas import PARSED, REQUESTS, SETTLED
from spark_jobs.urls import UrlPolicy
from spark_jobs.workers import Workers, sum_in_workers
from targets.filesystem import FileSystem

_TASKS = 256
_DUPLICATE = "duplicate.in_drop"
# Where the lines lie until both tables are written.
_LINES = "lines"
# Of the good lines that ask the same the first in the drop goes on.
_GOOD = f"""
    WITH asked AS (SELECT url, min({duck.PLACE}) AS first FROM lines WHERE rule IS NULL GROUP BY url),
    good AS (SELECT *, {duck.PLACE} AS place FROM lines JOIN asked USING (url) WHERE rule IS NULL)"""  # noqa: S608
# Those of a share have shards of their own, about as large as asked for; whoever reads one finds it in one file.
_REQUESTS = """
    {good}, asked_first AS (SELECT *, ceil(count(*) OVER () / {rows})::UBIGINT AS shards FROM good WHERE place = first)
    SELECT *, (hash(entry, line) % shards)::INTEGER * getvariable('shares') + getvariable('share') AS shard
    FROM asked_first ORDER BY shard, entry, line"""
_SETTLED = """
    {good}, repeats AS (
        SELECT * REPLACE ('{rule}' AS rule), {entry} AS first_entry, {line} AS first_line, 'duplicate' AS outcome
        FROM good WHERE place <> first
    ), said AS (SELECT *, {said} AS said FROM repeats)
    SELECT * EXCLUDE (first, place, said) REPLACE (said AS value, replace('{message}', '{{first}}', said) AS message)
    FROM said
    UNION ALL BY NAME SELECT *, 'quarantined' AS outcome FROM lines WHERE rule IS NOT NULL
    ORDER BY entry, line"""


class Counts(NamedTuple):
    """Lines by outcome, from the data written."""

    requests: int
    quarantined: int
    duplicate: int


def validate(
    workers: Workers,
    fs: FileSystem,
    index: Index,
    data: Mapping[int, str],
    goal: str,
    policy: UrlPolicy,
    max_bytes: int,
    shard_rows: int,
    step: Step = silent,
) -> Counts:
    """Writes ``requests`` (REQUESTS) and ``settled`` (SETTLED) of one drop.

    Args:
        data: path of the bytes of each entry.
        goal: path of the directory that takes the two tables.
        max_bytes: limit of a line.
        shard_rows: requests in a shard, about.
        step: told how far it is.
    """
    reading = _Reading(fs, index, data, policy, max_bytes, f"{goal}/{_LINES}")
    step(0, 3, f"reads {index.lines:,} lines")
    reading.run(workers)
    # A line that is faulty asks for nothing.
    tables = partial(Made, fs, {"lines": Input([reading.goal], PARSED)}, "coalesce(url, concat(entry, ':', line))")
    settled = tables(_settled(several=len(index.entries) > 1), SETTLED, f"{goal}/settled")
    requests = tables(_REQUESTS.format(good=_GOOD, rows=shard_rows), REQUESTS, f"{goal}/requests")
    works = {"writes the lines that are settled": settled, "writes the lines that go on": requests}
    do_each({what: partial(table.write, workers, index.lines) for what, table in works.items()}, step, 1, 3)
    fs.remove(reading.goal)
    return _counts(fs, goal)


@dataclass(frozen=True)
class _Reading:
    """Every line as PARSED says it, in a file a chunk of ranges."""

    fs: FileSystem
    index: Index
    data: Mapping[int, str]
    policy: UrlPolicy
    max_bytes: int
    goal: str

    def run(self, workers: Workers) -> None:
        self.fs.make_directory(self.goal)
        some = chunks(self.index.ranges)

        def write(number: int) -> int:
            lines = itertools.chain.from_iterable(map(self._read, some[number]))
            return files.write_some(self.fs, chunk_file(self.goal, number), PARSED, lines)

        sum_in_workers(workers, len(some), _TASKS, write)

    def _read(self, number: int) -> Iterator[pa.RecordBatch]:
        found = self.index.ranges[number]
        [entry] = (one for one in self.index.entries if one.entry == found.entry)
        with self.fs.open(self.data[found.entry]) as file:
            yield from parse(records(file, found, entry), found, entry, self.policy, self.max_bytes)


def _settled(*, several: bool) -> str:
    """The query of the lines that go no further.

    Args:
        several: whether the drop has several entries, so that a line alone does not say which it is.
    """
    return _SETTLED.format(
        good=_GOOD,
        rule=_DUPLICATE,
        entry=duck.ENTRY_OF.format("first"),
        line=duck.LINE_OF.format("first"),
        said="concat(first_entry, ':', first_line)" if several else "first_line::VARCHAR",
        message=RULES[_DUPLICATE].message.replace("'", "''"),
    )


def _counts(fs: FileSystem, goal: str) -> Counts:
    settled = files.count_values(fs, f"{goal}/settled", "outcome")
    return Counts(files.count_rows(fs, f"{goal}/requests"), settled["quarantined"], settled["duplicate"])
