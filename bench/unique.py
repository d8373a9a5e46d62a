"""What ``unique = "always"`` costs as a feed's history grows: ``python -m bench.unique 100000 1 10 50``.

The first number is the rows of each drop, the others say which drops are timed: a whole run of that one drop, the ones
before it published. The same drops are run without, in an installation of their own. One row of a hundred has a key of
an earlier drop.
"""

from __future__ import annotations

import random
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

from bench.installed import counts, incoming, installed
from bench.pictures import environment
from bench.records_rows import COLUMNS, FEED, sound
from bench.timing import Timed, drop_caches, run
from tests.installation import Installation

_REPEATED = 0.01


def main(rows: int, drops: list[int]) -> None:
    """Prints a row a drop: seconds and CPU seconds with and without."""
    print(
        f"{'drop':>5} {'always':>18} {'without':>18} {'more, CPU s':>12}   (of {rows:,} rows; CPU seconds in brackets)"
    )
    with ExitStack() as held:
        place = Path(held.enter_context(tempfile.TemporaryDirectory(prefix="landfall-unique-")))
        both = {unique: installed(place / unique, {**FEED, "unique": unique}) for unique in ("always", "drop")}
        number = 0
        for drop in sorted(drops):
            for waiting in range(number + 1, drop):
                _upload(both, waiting, rows)
            for unique, installation in both.items() if drop > number + 1 else ():
                run(Timed(unique), installation.luigi_command(), place / "log", environment(installation))
            _upload(both, drop, rows)
            timed = {unique: Timed(unique) for unique in both}
            for unique, installation in both.items():
                drop_caches()
                run(timed[unique], installation.luigi_command(), place / "log", environment(installation))
            number = drop
            always, without = timed["always"], timed["drop"]
            figures = f"{_told(always)} {_told(without)} {always.median_cpu - without.median_cpu:>12.1f}"
            print(f"{drop:>5} {figures}", flush=True)
        _check(both, number, rows)


def _upload(both: dict[str, Installation], drop: int, rows: int) -> None:
    for installation in both.values():
        file = incoming(installation, f".{drop:04}.csv")
        with file.open("w", encoding="utf-8") as goal:
            goal.write(f"{COLUMNS}\n")
            goal.writelines(f"{line}\n" for line in _lines(drop, rows))
        file.rename(incoming(installation, f"{drop:04}.csv"))


def _lines(drop: int, rows: int) -> Iterator[str]:
    """The rows of a drop, the first drop being 1: new keys, but for some of earlier drops, each once."""
    chance = random.Random(drop)
    repeated = int(rows * _REPEATED)
    new = rows - repeated  # keys of each drop that were in none before
    drawn = chance.sample(range((drop - 1) * new), _repeated(drop, rows))
    earlier = [number // new * rows + repeated + number % new for number in drawn]
    for number in (*earlier, *range((drop - 1) * rows + len(earlier), drop * rows)):
        yield ",".join(sound(number, chance))


def _repeated(drop: int, rows: int) -> int:
    return int(rows * _REPEATED) if drop > 1 else 0


def _check(both: dict[str, Installation], drops: int, rows: int) -> None:
    """SystemExit unless exactly the repeated keys were told, and those with ``always`` alone."""
    for unique, installation in both.items():
        wanted = [_repeated(drop, rows) if unique == "always" else 0 for drop in range(1, drops + 1)]
        found = [its["duplicate"] for its in counts(installation)]
        if found != wanted:
            raise SystemExit(f"unique = {unique}: {found} duplicates in the drops, and {wanted} were made")


def _told(timed: Timed) -> str:
    return f"{timed.median:>8.1f} ({timed.median_cpu:>7.1f})"


if __name__ == "__main__":
    main(int(sys.argv[1]), [int(drop) for drop in sys.argv[2:]] or [1, 10, 50])
