"""What a task takes of a job's items."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st
from pyspark.sql import SparkSession

from spark_jobs import shard_tasks, shards
from spark_jobs.shards import Tally, Written
from targets.local import LocalFileSystem

_SECONDS = 60
_SCHEMA = pa.schema([("rule", pa.string()), ("content", pa.binary())])


@given(items=st.lists(st.integers(), max_size=400), at_once=st.integers(1, 64))
def test_groups_have_every_item_once(items: list[int], at_once: int) -> None:
    groups = shard_tasks._groups(items, at_once)
    sizes = [len(group) for group in groups]
    assert list(itertools.chain.from_iterable(groups)) == items
    assert all(1 <= size <= 4 for size in sizes)
    assert sizes == sorted(sizes, reverse=True)
    # Whoever is last has one item, and everybody has some to do.
    assert sizes[-at_once:] == [1] * min(at_once, len(items))


def test_each_item_is_done_once(spark: SparkSession) -> None:
    items = list(range(30))
    for grouped in (False, True):
        written = shard_tasks.each(
            spark, items, lambda item: [Written(f"{item}", "", Tally(item), "directory")], grouped=grouped
        )
        assert [(one.name, one.tally.ok, one.directory) for one in written] == [
            (f"{item}", item, "directory") for item in items
        ]


@dataclass(frozen=True)
class Waiting(LocalFileSystem):
    """A disk that has the first file once rows of the second are made."""

    second_begins: threading.Event

    @contextmanager
    def writer(self, path: str) -> Iterator[BinaryIO]:
        with super().writer(path) as file:
            yield file
            if path.endswith("0"):
                assert self.second_begins.wait(_SECONDS)


def test_rows_are_made_while_those_before_reach_the_disk(tmp_path: Path) -> None:
    at_once, most = 0, 0
    fs = Waiting(threading.Event())

    def rows(number: int) -> Iterator[dict[str, Any]]:
        nonlocal at_once, most
        if number == 1:
            fs.second_begins.set()
        at_once += 1
        for _ in range(20):
            time.sleep(0.001)  # whoever does not wait for its turn comes in between
            most = max(most, at_once)
            yield {"rule": "ok", "content": b"x"}
        at_once -= 1

    def work(number: int) -> list[Written]:
        return [shards.write_shard(fs, f"{tmp_path}/{number}", _SCHEMA, rows(number))]

    written = shard_tasks._one_after_the_other(range(4), work)
    assert [(one.name, one.tally.ok) for one in written] == [(f"{number}", 20) for number in range(4)]
    assert most == 1


def test_rows_of_one_kind_are_made_while_another_threads_make_those_of_another(tmp_path: Path) -> None:
    """A worker asks the web for a shard while it makes the pictures of the one before."""
    kinds = (_SCHEMA, _SCHEMA.append(pa.field("more", pa.string())))
    fs = LocalFileSystem()
    both = threading.Barrier(2)

    def rows(meets: bool) -> Iterator[dict[str, Any]]:
        if meets:
            both.wait(_SECONDS)
        yield {"rule": "ok", "content": b"x"}

    def work(number: int) -> list[Written]:
        meets = (number == 1, number == 0)  # the second's answers, the first's pictures
        return [
            shards.write_shard(fs, f"{tmp_path}/{kind}/{number}", kinds[kind], rows(meets[kind])) for kind in range(2)
        ]

    for kind in range(2):
        (tmp_path / f"{kind}").mkdir()
    written = shard_tasks._one_after_the_other(range(3), work)
    assert [(one.directory, one.name) for one in written] == [(f"{kind}", f"{n}") for n in range(3) for kind in (0, 1)]
