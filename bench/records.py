"""Records: 2,000,000 rows of CSV checked, deduplicated and written partitioned, beside DuckDB and stock PySpark.

Usage::

    python -m bench.records 2000000 3     rows, runs of each; each run is a process of its own
    python -m bench.records --faults 1000000    each reject's line and rules against a seeded key

Prints seconds (median), CPU seconds, and ratios.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

import pyarrow.parquet as pq

from bench.records_landfall import validate
from bench.records_rows import ALL_KINDS, COMPARED_KINDS, write
from bench.timing import Timed, drop_caches, run
from conf.settings import Settings
from spark_jobs.session import leave

_SHARE = 0.05


def compare(count: int, runs: int) -> None:
    """Runs each contender so many times on one file."""
    contenders = {
        "Landfall": ["bench.records_landfall"],
        "DuckDB": ["bench.records_rivals", "duckdb"],
        "PySpark": ["bench.records_rivals", "pyspark"],
    }
    with tempfile.TemporaryDirectory(prefix="landfall-bench-") as name:
        place = Path(name)
        file = place / "orders.csv"
        write(file, count, 1, _SHARE, COMPARED_KINDS)
        timed = {contender: Timed(contender) for contender in contenders}
        for _ in range(runs):
            for contender, command in contenders.items():
                goal = place / "goal"
                goal.mkdir()
                drop_caches()
                run(timed[contender], [sys.executable, "-m", *command, str(file), str(goal)], place / "log")
                shutil.rmtree(goal)
        size = file.stat().st_size / 1e6
    print(f"{count:,} rows, {size:.0f} MB, {runs} runs")
    for one in timed.values():
        ratio = timed["Landfall"].median / one.median
        print(f"{one.name:10} {one.median:7.1f} s  {one.median_cpu:7.1f} s of CPU   Landfall is {ratio:.2f} x")


def faults(count: int) -> bool:
    """Whether each line of a file with twenty kinds of fault is told as the key says."""
    with tempfile.TemporaryDirectory(prefix="landfall-bench-") as name:
        place = Path(name)
        wanted = write(place / "orders.csv", count, 7, _SHARE, ALL_KINDS)
        index, counts = validate(place / "orders.csv", place / "goal", Settings(home=place / "home"))
        leave()
        found = settled(place / "goal")
        kept = set(pq.read_table(place / "goal" / "records", columns=["line"])["line"].to_pylist())
    print(f"{index.lines:,} lines: {counts}; {len(wanted):,} at fault by the key, {len(found):,} settled")
    different = {line for line in wanted.keys() | found.keys() if wanted.get(line) != found.get(line)}
    for line in sorted(different)[:10]:
        print(f"line {line}: {wanted.get(line)} wanted, {found.get(line)} found")
    adds_up = index.lines == counts.ok + counts.quarantined + counts.duplicate == count
    print(f"{len(different):,} lines differ; lines = ok + quarantined + duplicate: {adds_up}")
    return adds_up and not different and not kept & wanted.keys() and len(kept) == counts.ok


def settled(goal: Path) -> dict[int, tuple[str, ...]]:
    """The rules of each settled line, in order."""
    table = pq.read_table(goal / "settled", columns=["line", "faults"])
    return {row["line"]: tuple(one["rule"] for one in row["faults"]) for row in table.to_pylist()}


if __name__ == "__main__":
    if sys.argv[1] == "--faults":
        sys.exit(not faults(int(sys.argv[2])))
    compare(int(sys.argv[1]), int(sys.argv[2]))
