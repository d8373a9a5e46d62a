"""Landfall against what a user would pick instead, on the same pictures, alternating.

Usage: ``python -m bench.pictures 20000 3``: pictures, rounds. ``make bench`` prepares what it needs. Contenders named
after them run without the others; ``--per-second`` makes the web slower.
"""

from __future__ import annotations

import argparse
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

import psutil

from bench.photograph_web import photograph_web
from bench.timing import Timed, drop_caches, run
from tests.installation import Installation

ROOT = Path(__file__).parent.parent
RIVALS = ROOT / ".venv-bench" / "bin"
CACHE = Path.home() / ".cache" / "landfall-bench"
_IMG2DATASET = ["--processes_count", "2", "--thread_count", "32", "--resize_mode", "no", "--output_format", "parquet"]
# Its fastest flags that still do the same work: no statistics server, no hashes, one shard a process at a time.
_TUNED = ["--enable_wandb", "False", "--compute_hash", "None", "--number_sample_per_shard", "2500"]
# What stock Spark alone takes is what a hundred pictures are held against.
_SMALL = 1000


def main(count: int, rounds: int, chosen: list[str], per_second: int | None) -> None:
    """Runs the contenders, all unless some are chosen, round by round, and prints a table."""
    make_photographs(count)
    with (
        photograph_web(CACHE / "photographs", count, per_second) as port,
        tempfile.TemporaryDirectory(prefix="landfall-bench-") as place,
    ):
        work = Path(place)
        urls = work / "urls.txt"
        urls.write_bytes(catalogue(port, count))
        contenders = _contenders(work, urls, port, count)
        contenders = {name: it for name, it in contenders.items() if not chosen or name in chosen}
        timed = {name: Timed(name) for name in contenders}
        for number in range(rounds):
            for name, contender in contenders.items():
                contender(timed[name], number)
                drop_caches()
                print(f"round {number + 1}: {name}: {timed[name].seconds[-1]:.1f} s", file=sys.stderr, flush=True)
    _show(count, rounds, per_second, list(timed.values()))


def make_photographs(count: int) -> None:
    """Makes the photographs that are missing."""
    script, goal = str(ROOT / "bench/photographs.py"), str(CACHE / "photographs")
    subprocess.run([str(RIVALS / "python"), script, goal, str(count)], check=True)


def url(port: int, number: int) -> str:
    """Where a photograph is asked for."""
    return f"http://127.0.0.1:{port}/{number // 1000:02d}/{number:06d}.jpg"


def catalogue(port: int, count: int) -> bytes:
    """A line a photograph."""
    return "".join(f"{url(port, number)}\n" for number in range(count)).encode()


def landfall(place: Path, port: int, count: int, timed: Timed, _number: int) -> None:
    """A whole run over a catalogue of so many photographs, in an installation of its own."""
    installation = prepare(place, port)
    installation.upload("catalogue.txt", catalogue(port, count))
    run(timed, installation.luigi_command(), place.with_suffix(".log"), environment(installation))
    [receipt] = installation.receipts()
    if receipt["counts"]["ok"] != count:
        raise SystemExit(f"Landfall took {receipt['counts']}")
    shutil.rmtree(installation.root)


def _contenders(work: Path, urls: Path, port: int, count: int) -> dict[str, Callable[[Timed, int], None]]:
    ours = partial(landfall, work / "landfall", port, count)

    def img2dataset(*flags: str) -> Callable[[Timed, int], None]:
        def contender(timed: Timed, number: int) -> None:
            goal = work / f"img2dataset-{number}"
            command = [str(RIVALS / "img2dataset"), "--url_list", str(urls), "--output_folder", str(goal)]
            run(timed, [*command, *_IMG2DATASET, *flags], work / "log")
            shutil.rmtree(goal)

        return contender

    def hand_written(timed: Timed, number: int) -> None:
        goal = work / f"script-{number}.sqlite"
        run(timed, [str(RIVALS / "python"), str(ROOT / "bench/hand_written.py"), str(urls), str(goal)], work / "log")
        goal.unlink()

    def stock_spark(timed: Timed, number: int) -> None:
        run(timed, [sys.executable, str(ROOT / "bench/stock_spark.py"), str(work / f"stock-{number}")], work / "log")

    if count <= _SMALL:
        return {"landfall": ours, "stock Spark": stock_spark}
    return {
        "landfall": ours,
        "img2dataset": img2dataset(),
        "img2dataset, tuned": img2dataset(*_TUNED),
        "script": hand_written,
    }


def prepare(root: Path, port: int) -> Installation:
    """A client whose URLs name no size."""
    installation = Installation(root, port).prepare()
    client = installation.conf / "clients" / f"{installation.client}.toml"
    client.write_text("".join(line for line in client.open() if not line.startswith("size")))
    shutil.copy2(ROOT / "conf/dev.toml", installation.conf)
    return installation


def environment(installation: Installation) -> dict[str, str]:
    """As an operator runs it: with the settings that come with Landfall, not those of its tests."""
    kept = {name: value for name, value in installation.environment().items() if name != "LANDFALL_ENV"}
    return {**kept, "LANDFALL_WEB__ALLOW_ADDRESSES": "127.0.0.1:*"}


def _show(count: int, rounds: int, per_second: int | None, timed: list[Timed]) -> None:
    machine = (
        f"{psutil.cpu_count()} cores, {psutil.virtual_memory().total >> 30} GiB, Python {platform.python_version()}"
    )
    web = f", a web that gives {per_second:,} a second" if per_second else ""
    print(f"\n{count:,} pictures{web}, medians of {rounds}; {machine}")
    print(f"{'':<20} {'seconds':>8} {'all':>24} {'CPU s':>7} {'ms a picture':>13} {'landfall is':>12}")
    ours = timed[0].median
    for one in timed:
        runs = ", ".join(f"{seconds:.1f}" for seconds in one.seconds)
        figures = f"{one.median:>8.1f} {runs:>24} {one.median_cpu:>7.1f} {1000 * one.median / count:>13.2f}"
        print(f"{one.name:<20} {figures} {ours / one.median:>12.2f}")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m bench.pictures")
    parser.add_argument("count", type=int, help="pictures of the catalogue")
    parser.add_argument("rounds", type=int)
    parser.add_argument("contenders", nargs="*", help="all unless some are named")
    parser.add_argument("--per-second", type=int, help="pictures that the web gives in a second, at most")
    given = parser.parse_args()
    main(given.count, given.rounds, given.contenders, given.per_second)
