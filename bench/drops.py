"""How a run, queries of one month and ``landfall status`` grow with a client's drops: ``python -m bench.drops 1 1000``.

The month is asked for in SQL alone, and with ``--month`` besides.

Drops are published in bulk for it: one is run, and its outputs are copied under other drops of other days, with their
registrations, manifests, journal and published entries as the product lays them out.
"""

from __future__ import annotations

import dataclasses
import shutil
import sys
import tempfile
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from bench.photograph_web import photograph_web
from bench.pictures import CACHE, catalogue, environment, make_photographs, prepare
from bench.timing import Timed, drop_caches, run
from spark_jobs.shards import sha256
from targets.dataset import Dataset, Manifest
from targets.journal import Journal
from targets.layout import MANIFEST, STAGES, ClientLayout
from targets.local import LocalFileSystem
from targets.published import current, publish
from targets.register import Drop, register, registered
from tests.installation import BIN, Installation

_PICTURES = 5
_DAYS_BETWEEN = 1
_FS = LocalFileSystem()
_MONTH = (
    "SELECT count(*) AS n FROM fact_image_request JOIN dim_date USING (date_key) WHERE year = {:%Y} AND month = {:%m}"
)


def main(counts: list[int]) -> None:
    """Prints a row a number of drops that are there: seconds and CPU seconds of each of the three."""
    make_photographs(100)
    print(f"{'drops':>6} {'a run':>16} {'a query':>16} {'--month':>16} {'status':>16}   (s, CPU s in brackets)")
    with (
        photograph_web(CACHE / "photographs", 100) as port,
        tempfile.TemporaryDirectory(prefix="landfall-drops-") as place,
    ):
        work = Path(place)
        installation = prepare(work / "installation", port)
        number = 0
        for count in counts:
            if number:
                _copy_until(installation, count)
            # The first run of all makes what the others are copies of; that after a copy the aggregates of these.
            for _ in range(2):
                ran = _run(installation, work, port, number)
                number += 1
            month = _MONTH.format(date.today(), date.today())
            asked = [
                _timed(installation, work, "query", month, *only) for only in ((), ("--month", f"{date.today():%Y-%m}"))
            ]
            looked = _timed(installation, work, "status")
            drop_caches()
            print(f"{count:>6} {_told(ran)} {_told(asked[0])} {_told(asked[1])} {_told(looked)}", flush=True)


def _run(installation: Installation, work: Path, port: int, number: int) -> Timed:
    timed = Timed("run")
    content = catalogue(port, _PICTURES).replace(b".jpg", f".jpg?{number}".encode())
    installation.upload(f"catalogue-{number}.txt", content)
    run(timed, installation.luigi_command(), work / "log", environment(installation))
    return timed


def _timed(installation: Installation, work: Path, command: str, *arguments: str) -> Timed:
    timed = Timed(command)
    given = [str(BIN / "landfall"), command, "--client", installation.client, *arguments]
    run(timed, given, work / "log", environment(installation))
    return timed


def _told(timed: Timed) -> str:
    return f"{timed.median:>7.2f} ({timed.median_cpu:>6.2f})"


def _copy_until(installation: Installation, count: int) -> None:
    """Has the client have so many published drops, before the one that is run."""
    layout = ClientLayout(str(installation.home / "lake/dev"), installation.client)
    seen = current(_FS, layout, ["photos"])
    first = registered(_FS, layout, "photos", seen[0].drop)
    journal = Journal(installation.home / "logs" / installation.client / "journal.jsonl")
    entries = [entry for entry in journal.entries() if entry.get("drop") == first.id]
    for number in range(len(seen), count):
        received = first.received - timedelta(days=_DAYS_BETWEEN * (1 + number))
        drop = dataclasses.replace(first, id=sha256(f"drop {number}".encode()), name=f"{number}", received=received)
        register(_FS, layout, drop)
        for stage in STAGES:
            build = seen[0].stages[stage]
            source = layout.stage(stage, "photos", seen[0].receipt, first.id, build)
            _copy(Path(source), Path(layout.stage(stage, "photos", drop.receipt, drop.id, build)), first, drop)
        publish(_FS, layout, drop, seen[0].build, seen[0].stages)
        for entry in entries:
            journal._append({**entry, "drop": drop.id})


def _copy(source: Path, goal: Path, first: Drop, drop: Drop) -> None:
    """One stage's output as that of another drop: keys and days in its tables, digests in its manifest."""
    shutil.copytree(source, goal)
    whole = Dataset(_FS, str(goal)).manifest()
    if whole.stage == "load":
        for name in whole.files:
            _rewrite(goal / name, first, drop)
    files = {name: _described(goal / name) for name in whole.files}
    told = Manifest(**{**whole.__dict__, "drop": drop.id, "files": files})
    (goal / MANIFEST).write_bytes(told.to_json())


def _rewrite(file: Path, first: Drop, drop: Drop) -> None:
    """Gives a table's rows the keys, the id and the day of another drop."""
    table = pq.read_table(file)
    for name, value in _cells(first, drop):
        if name in table.column_names:
            place = table.schema.get_field_index(name)
            cells = pa.array([value] * len(table), table.schema.field(name).type)
            table = table.set_column(place, table.schema.field(name), cells)
    pq.write_table(table, file)


def _cells(first: Drop, drop: Drop) -> Iterator[tuple[str, object]]:
    assert first.client == drop.client
    day = drop.receipt
    yield "date_key", sha256(f"10:{day.isoformat()}".encode())[:32]
    yield "drop_key", sha256(f"64:{drop.id}".encode())[:32]
    yield from {"drop": drop.id, "name": drop.name, "received": drop.received.replace(tzinfo=None)}.items()
    yield from {"date": day, "year": day.year, "month": day.month, "day": day.day}.items()


def _described(file: Path) -> dict[str, int | str]:
    content = file.read_bytes()
    return {"bytes": len(content), "sha256": sha256(content)}


if __name__ == "__main__":
    main([int(count) for count in sys.argv[1:]] or [1, 10, 100, 1000])
