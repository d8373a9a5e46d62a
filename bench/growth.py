"""How a run grows with its catalogue: ``python -m bench.growth 1000 5000 20000 80000``.

Prints a row a catalogue of photographs: seconds, milliseconds a picture, and the largest sum of proportional set
sizes (PSS: shared pages are counted once) of Luigi, the JVM and the Python workers.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from bench.memory import watched
from bench.photograph_web import photograph_web
from bench.pictures import CACHE, catalogue, environment, make_photographs, prepare

_MIB = 1 << 20


def main(counts: list[int]) -> None:
    """Runs one fresh installation a count."""
    make_photographs(max(counts))
    print(f"{'pictures':>8} {'seconds':>8} {'ms a picture':>13} {'peak MiB':>9}   of which")
    with photograph_web(CACHE / "photographs", max(counts)) as port:
        for count in counts:
            with tempfile.TemporaryDirectory(prefix="landfall-growth-") as place:
                installation = prepare(Path(place) / "installation", port)
                installation.upload("catalogue.txt", catalogue(port, count))
                seconds, peak, parts = watched(installation, environment(installation))
            told = ", ".join(f"{name} {size // _MIB}" for name, size in sorted(parts.items()))
            each = 1000 * seconds / count
            figures = f"{seconds:>8.1f} {each:>13.2f} {peak / _MIB:>9.0f}"
            print(f"{count:>8} {figures}   {told}", flush=True)


if __name__ == "__main__":
    main([int(count) for count in sys.argv[1:]] or [1000, 5000, 20_000, 80_000])
