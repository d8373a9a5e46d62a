"""What is known of the lines once they are checked, in files: the keys of those that are good, and which are not."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial, reduce
from typing import NamedTuple

from pyspark.sql import DataFrame

from conf.feeds import RecordsFeed
from spark_jobs.at_once import do_each
from spark_jobs.progress import silent
from spark_jobs.records.checked import CheckedDrop
from spark_jobs.records.reading import SURE
from spark_jobs.records.repeats import Keys, key, key_schema
from spark_jobs.records.scratch import Kept, Scratch


class Known(NamedTuple):
    """What is known.

    Attributes:
        keys: where the keys of the good lines lie.
        bad: the lines that are sure, and bad.
    """

    keys: list[Keys]
    bad: Kept | None

    def all_bad(self, lines: CheckedDrop) -> DataFrame | None:
        """All bad lines; None if there are none."""
        texts = lines.texts and lines.texts.bad
        some = [rows for rows in (self.bad and self.bad.rows, texts) if rows is not None]
        return reduce(DataFrame.unionByName, some) if some else None


def known(lines: CheckedDrop, scratch: Scratch, feed: RecordsFeed) -> Known:
    """Has Spark look at the lines, and write what workers have to know of them."""
    works: dict[str, Callable[[], Kept | None]] = {}
    names = key_schema(feed).names
    if lines.sure is not None and lines.sure.bad is not None:
        works["bad"] = partial(scratch.write, "bad", lines.sure.bad)
    by_spark = {"keys": lines.texts}
    if not {column.name for column, _ in feed.derived}.isdisjoint(key(feed)):
        by_spark["keys_of_sure"] = lines.sure
    for name, some in by_spark.items():
        if some is not None:
            works[name] = partial(scratch.write, name, some.good.select(*names))
    found: dict[str, Kept | None] = dict(zip(works, do_each(works, silent, 0, len(works)), strict=True))
    bad = found.pop("bad", None)
    keys = [Keys(one.directory) for one in found.values() if one is not None]
    if lines.sure is not None and "keys_of_sure" not in by_spark:
        keys.append(Keys(scratch.path(SURE), bad and bad.directory))
    return Known(keys, bad)
