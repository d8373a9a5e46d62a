"""A query and a file of next to nothing, made while the JVM waits for Python workers.

What a JVM loads for its first query takes it a second or two, in which the end of a run would wait: there an aggregate
is made of a day's drops, and nothing else is left to do.
"""

from __future__ import annotations

from collections.abc import Callable
from tempfile import TemporaryDirectory

import pyarrow as pa
import pyarrow.parquet as pq
from pyspark.sql import SparkSession
from pyspark.sql.pandas.types import from_arrow_schema

from spark_jobs.actions.results import aggregated
from spark_jobs.actions.write import write
from spark_jobs.faults import translate
from spark_jobs.session import isolated
from spark_jobs.sockets import directory
from spark_jobs.star import daily
from spark_jobs.star.tables import TABLES
from targets.local import LocalFileSystem

_READ = "fact_image_request"


def rehearse(spark: SparkSession, little: bool, tell: Callable[[str], None]) -> None:
    """Makes the daily aggregate of one row without values, and throws it away.

    Args:
        spark: a session of this machine's.
        little: as for ``session``.
        tell: told what went wrong, which is in nobody's way.
    """
    try:
        with TemporaryDirectory(prefix="rehearsal-", dir=directory(), ignore_cleanup_errors=True) as place:
            perform(isolated(spark, little), place)
    except Exception as fault:  # noqa: BLE001  # the run may end meanwhile, and Spark with it
        tell(str(translate(fault, "rehearsal")))


def perform(spark: SparkSession, place: str) -> None:
    """Makes the aggregate in a directory of this machine, of a file that it puts there."""
    schema = pa.schema([field.with_nullable(True) for field in TABLES[_READ]])
    pq.write_table(pa.Table.from_pylist([dict.fromkeys(schema.names)], schema), f"{place}/{_READ}")
    rows = spark.read.schema(from_arrow_schema(schema, prefer_timestamp_ntz=True)).parquet(f"{place}/{_READ}")
    write(LocalFileSystem(), aggregated(spark, {_READ: rows}, daily.sql()), f"{place}/{daily.NAME}", None)
