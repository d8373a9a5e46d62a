"""Where Python workers come from."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator

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
