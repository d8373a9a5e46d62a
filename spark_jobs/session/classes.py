"""The archive of Spark's classes (class-data sharing, JEP 350), made once an environment: a start reads no jar then.

A JVM that is told to writes down at its end which classes it had. So this one is put through what a run asks of Spark.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
from pyspark.core.context import SparkContext
from pyspark.sql import DataFrame, SparkSession, Window
from pyspark.sql import functions as F  # noqa: N812

from conf.errors import LandfallError
from conf.sections import Spark
from conf.settings import Settings
from spark_jobs.actions import rehearsal
from spark_jobs.session import driver, java
from spark_jobs.session.sized import suit
from spark_jobs.workers import sum_in_workers

_SECONDS_TO_WRITE = 300


def make() -> Path:
    """Makes the archive of this environment, in the place of an older one; returns where it is.

    The process may have no session before, and can have none after.

    LandfallError: the JVM wrote none, or it may not be put there.
    """
    goal = java.archive()
    try:
        goal.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=goal.parent, prefix=".making-") as place:
            made = Path(place) / goal.name
            goal.unlink(missing_ok=True)  # a JVM that uses one makes none
            said = _run(Path(place) / "home", made)
            if not made.exists():
                raise LandfallError("Java wrote no archive of Spark's classes.", f"Its last words: {said or 'none'}")
            made.chmod(0o644)
            made.replace(goal)
    except OSError as error:
        raise LandfallError(
            f"{goal} cannot be written ({error.strerror}).", "Run this as whoever installed Landfall's environment."
        ) from error
    return goal


def _run(home: Path, made: Path) -> str:
    """Runs a session that leaves the archive; returns the end of what its JVM said."""
    home.mkdir(mode=0o700)
    told = {"spark.driver.extraJavaOptions": java.making(made)}
    # No file and no variable: an environment is prepared before anybody has settings.
    settings = Settings.model_construct(env="dev", home=home, spark=Spark(master="local[2]", conf=told))
    spark = driver.start(settings)
    for number, little in enumerate((False, True)):
        suit(spark, settings, little)
        _exercise(spark, home / str(number))
    gateway = SparkContext._gateway
    assert gateway is not None
    spark.stop()
    gateway.shutdown()
    gateway.proc.stdin.close()
    gateway.proc.wait(_SECONDS_TO_WRITE)
    return driver.log(settings).read_text(errors="replace")[-500:].strip()


def _exercise(spark: SparkSession, goal: Path) -> None:
    """What a run asks of Spark: Python workers, shuffles, joins, windows, hashes, Parquet written and read, SQL."""
    rows = spark.range(0, 20, 1, 2).mapInArrow(_passed_on, "id long, url string, fields map<string, string>")
    kept = rows.persist()
    place = F.struct("id", "url")
    first = kept.groupBy("url").agg(F.min(place).alias("first"), F.count("*").alias("n"))
    joined = kept.join(first, "url", how="inner").withColumn("key", F.sha2(F.concat_ws(":", "url", "id"), 256))
    latest = F.row_number().over(Window.partitionBy("url").orderBy(F.desc("id")))
    shaped = joined.withColumns({"latest": latest, "shard": F.pmod(F.xxhash64("id"), F.lit(4)), "at": F.lit(None)})
    written = str(goal / "rows")
    shaped.select("id", "url", "key", "shard", "fields", F.col("at").cast("timestamp_ntz")).coalesce(1).write.parquet(
        written
    )
    kept.unpersist()
    read = spark.read.schema("id long, url string, key string, shard long, fields map<string, string>").parquet(written)
    read.groupBy("shard").agg(F.count_if(F.col("id") > 1), F.sum("id"), F.count_distinct("url")).collect()
    read.unionByName(read).hint("rebalance").write.mode("overwrite").parquet(str(goal / "again"))
    spark.createDataFrame([("a", 1)], "url string, id long").join(F.broadcast(read.select("url")), "url").count()
    read.repartitionById(2, F.col("shard").cast("int") % 2).mapInArrow(_ids, "id long").collect()
    _taken_in_parts(read)
    sum_in_workers(spark, 4, 2, int)
    rehearsal.perform(spark, str(goal))


def _taken_in_parts(rows: DataFrame) -> None:
    names = rows.select(F.explode(F.map_keys("fields")).alias("name")).groupBy("name").count()
    names.orderBy(F.desc("count"), "name").limit(3).collect()
    list(rows.repartitionByRange(2, "id").sortWithinPartitions("id").toLocalIterator())


def _passed_on(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    for batch in batches:
        ids = batch.column(0).to_pylist()
        yield pa.RecordBatch.from_pylist([{"id": i, "url": f"u{i % 7}", "fields": [("a", "b")]} for i in ids], _SCHEMA)


def _ids(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    for batch in batches:
        yield batch.select(["id"])


_SCHEMA = pa.schema([("id", pa.int64()), ("url", pa.string()), ("fields", pa.map_(pa.string(), pa.string()))])
