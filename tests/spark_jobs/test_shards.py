"""What a task takes of a job's items."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st
from pyspark.sql import SparkSession

from spark_jobs import shards
from spark_jobs.shards import Tally, Written


@given(items=st.lists(st.integers(), max_size=400), at_once=st.integers(1, 64))
def test_groups_have_every_item_once(items: list[int], at_once: int) -> None:
    groups = shards._groups(items, at_once)
    sizes = [len(group) for group in groups]
    assert list(itertools.chain.from_iterable(groups)) == items
    assert all(1 <= size <= 4 for size in sizes)
    assert sizes == sorted(sizes, reverse=True)
    # Whoever is last has one item, and everybody has some to do.
    assert sizes[-at_once:] == [1] * min(at_once, len(items))


def test_each_item_is_done_once(spark: SparkSession) -> None:
    items = list(range(30))
    for grouped in (False, True):
        written = shards.each(spark, items, lambda item: Written(f"{item}", "", Tally(item)), grouped=grouped)
        assert [(one.name, one.tally.ok) for one in written] == [(f"{item}", item) for item in items]
