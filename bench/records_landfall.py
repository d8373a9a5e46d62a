"""Landfall's contender: index, validate, load a CSV of orders to Parquet partitioned by month.

Usage: ``python -m bench.records_landfall FILE GOAL``.
"""

from __future__ import annotations

import sys
import time
from datetime import UTC, datetime
from pathlib import Path

from bench.records_rows import FEED
from conf.feeds import feed_config
from conf.settings import Settings
from spark_jobs.index import Index, Indexer
from spark_jobs.records import Counts, validate_records
from spark_jobs.session import begin, session
from spark_jobs.star.records import RecordInputs, write_fact
from targets.local import LocalFileSystem
from targets.register import Drop

_CHUNK = 1 << 20


def indexed(file: Path, settings: Settings) -> Index:
    """The index of a CSV file."""
    indexer = Indexer(0, None, "csv", ",", settings.lines.max_bytes, settings.landing.range_bytes)
    with file.open("rb") as source:
        while chunk := source.read(_CHUNK):
            indexer.feed(chunk)
    entry, ranges = indexer.close()
    return Index((entry,), tuple(ranges))


def validate(file: Path, goal: Path, settings: Settings) -> tuple[Index, Counts]:
    """Validates the file as a drop."""
    begin(settings, file.stat().st_size)  # as a run does
    index = indexed(file, settings)
    began = time.monotonic()

    def told(done: int, total: int, following: str) -> None:
        print(f"{time.monotonic() - began:6.1f} s  {done}/{total}, {following}", flush=True)

    spark = session(settings)
    told(0, 0, "Spark is there")
    counts = validate_records(spark, LocalFileSystem(), index, {0: str(file)}, str(goal), drop_of(file), settings, told)
    told(4, 4, "validated")
    return index, counts


def drop_of(file: Path) -> Drop:
    """The file as a drop of the feed."""
    received = datetime(2026, 11, 27, 12, tzinfo=UTC)
    return Drop("d" * 64, "acme", "orders", file.name, "u", file.stat().st_size, received, feed_config(FEED))


def main(file: Path, goal: Path) -> None:
    """Validates the file, and writes the records partitioned by month."""
    settings = Settings(home=goal / "home")
    began = time.monotonic()
    _, counts = validate(file, goal / "validated", settings)
    records, settled, warnings = (f"{goal}/validated/{name}" for name in ("records", "settled", "warnings"))
    inputs = RecordInputs(LocalFileSystem(), records, settled, warnings, drop_of(file))
    write_fact(session(settings), inputs, {}, f"{goal}/fact")
    print(f"{time.monotonic() - began:6.1f} s  {counts}")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
