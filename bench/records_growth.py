"""How a run grows with a file of records: ``python -m bench.records_growth 1000000 2000000``.

Each is a whole ``luigi --module pipelines RunClient`` over one file of orders (5 % at fault), from upload to receipt,
in a fresh installation. Prints seconds, CPU seconds, the peak of the process tree's memory (PSS: shared pages are
counted once), and seconds as a multiple of the first row's.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from bench.installed import counts, incoming, installed
from bench.memory import peak
from bench.pictures import environment
from bench.records_rows import COMPARED_KINDS, FEED, write
from bench.timing import Timed, drop_caches, run

_SHARE = 0.05
_MIB = 1 << 20


def main(lengths: list[int]) -> None:
    """Runs one fresh installation a length."""
    print(f"{'rows':>10} {'MB':>6} {'seconds':>8} {'CPU s':>8} {'peak MiB':>9} {'ratio':>6}   of which")
    first: Timed | None = None
    for rows in lengths:
        with tempfile.TemporaryDirectory(prefix="landfall-records-") as name:
            place = Path(name)
            installation = installed(place / "installation", FEED)
            file = incoming(installation, ".orders.csv")
            write(file, rows, 1, _SHARE, COMPARED_KINDS)
            size = file.stat().st_size / 1e6
            file.rename(incoming(installation, "orders.csv"))
            drop_caches()
            timed = Timed(f"{rows:,} rows")
            with peak() as parts:
                run(timed, installation.luigi_command(), place / "log", environment(installation))
            [answered] = counts(installation)
            if answered["lines"] != rows:
                raise SystemExit(f"Of {rows:,} rows Landfall told {answered}.")
        first = first or timed
        told = ", ".join(f"{program} {taken // _MIB}" for program, taken in sorted(parts.items()))
        figures = f"{timed.median:>8.1f} {timed.median_cpu:>8.1f} {sum(parts.values()) / _MIB:>9.0f}"
        print(f"{rows:>10} {size:>6.0f} {figures} {timed.median / first.median:>6.2f}   {told}", flush=True)


if __name__ == "__main__":
    main([int(rows) for rows in sys.argv[1:]] or [1_000_000, 2_000_000])
