"""Where Python workers come from."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
from pyspark.sql import SparkSession


def test_workers_have_what_they_need_when_they_begin_and_do_not_look_at_it_again(spark: SparkSession) -> None:
    def work(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        frozen, loaded = gc.get_freeze_count(), {"simplejpeg", "pycurl", "pandas"} <= sys.modules.keys()
        for batch in batches:
            yield pa.RecordBatch.from_pylist([{"frozen": frozen, "loaded": loaded}] * batch.num_rows)

    rows = spark.range(0, 4, 1, 4).mapInArrow(work, "frozen long, loaded boolean").collect()
    assert len(rows) == 4
    assert all(row.loaded and row.frozen > 10_000 for row in rows)


def test_workers_look_for_no_module_where_the_run_was_started(spark: SparkSession) -> None:
    def work(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for batch in batches:
            yield pa.RecordBatch.from_pylist([{"safe": sys.flags.safe_path, "where": sys.path[0]}] * batch.num_rows)

    by_sql = spark.range(0, 2, 1, 2).mapInArrow(work, "safe boolean, where string").collect()
    by_rdd = spark.sparkContext.parallelize(range(2), 2).map(lambda _: (sys.flags.safe_path, sys.path[0])).collect()
    for safe, where in (*map(tuple, by_sql), *by_rdd):
        assert safe
        assert where not in ("", str(Path.cwd()))
