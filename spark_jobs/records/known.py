"""What is known of the lines once they are checked, in files: the keys of those that are good, and which are not."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

from pyspark.sql import DataFrame

from conf.feeds import RecordsFeed
from spark_jobs.at_once import do_each
from spark_jobs.progress import silent
from spark_jobs.records.checked import CheckedDrop
from spark_jobs.records.reading import SURE
from spark_jobs.records.repeats import Keys, key, key_schema
from spark_jobs.records.scratch import Kept, Scratch
from spark_jobs.records.shape import CORRECTS, PLACE


class Known(NamedTuple):
    """What is known.

    Attributes:
        keys: where the keys of the good lines lie.
        bad_sure: the lines that are sure, and bad.
        bad: paths of the directories of all bad lines, with _faults.
    """

    keys: list[Keys]
    bad_sure: Kept | None
    bad: list[str]


def known(lines: CheckedDrop, scratch: Scratch, feed: RecordsFeed) -> Known:
    """Has Spark look at the lines, and write what workers have to know of them."""
    works: dict[str, Callable[[], Kept | None]] = {}

    def write(name: str, rows: DataFrame, columns: Sequence[str]) -> None:
        works[name] = partial(scratch.write, name, rows.select(*columns))

    by_spark = [("texts", lines.texts)]
    if not {column.name for column, _ in feed.derived}.isdisjoint(key(feed)):
        by_spark.append(("sure", lines.sure))
    for name, some in by_spark:
        if some is not None:
            write(f"keys_{name}", some.good, key_schema(feed).names)
    for name, some in (("texts", lines.texts), ("sure", lines.sure)):
        if some is not None and some.bad is not None:
            # Together and in order, so that readers of some ranges pass over those of the others.
            bad = some.bad.repartition("_range").sortWithinPartitions(*PLACE)
            write(f"bad_{name}", bad, (*PLACE, *CORRECTS, "_faults"))
    made = zip(works, do_each(works, silent, 0, len(works)), strict=True)
    found: dict[str, Kept] = {name: kept for name, kept in made if kept is not None}
    keys = [Keys(kept.directory) for name, kept in found.items() if name.startswith("keys_")]
    bad_sure = found.get("bad_sure")
    if lines.sure is not None and ("sure", lines.sure) not in by_spark:
        keys.append(Keys(scratch.path(SURE), bad_sure and bad_sure.directory))
    return Known(keys, bad_sure, [kept.directory for name, kept in found.items() if name.startswith("bad_")])
