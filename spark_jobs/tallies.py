"""How the rows of a directory's shards fared, while they come and once they are there."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from functools import reduce

from spark_jobs import shards
from spark_jobs.progress import looking
from spark_jobs.shards import Tally
from targets.filesystem import FileSystem

# Between two looks.
_SECONDS = 1.0


@contextlib.contextmanager
def watch(fs: FileSystem, directory: str, report: Callable[[Tally], None]) -> Iterator[None]:
    """While the block runs, reports every second how the rows of the finished shards fared so far."""
    seen: dict[str, Tally] = {}

    def look() -> None:
        before = len(seen)
        count(fs, directory, seen)
        if len(seen) > before:
            report(total(seen))

    with looking(look, _SECONDS):
        yield


def count(fs: FileSystem, directory: str, seen: dict[str, Tally]) -> None:
    """Adds the finished shards that ``seen`` does not know yet."""
    for name in shards.finished(fs, directory):
        if name not in seen:
            seen[name] = shards.tally_of(fs, f"{directory}/{name}")


def total(seen: dict[str, Tally]) -> Tally:
    """How the rows of all shards fared."""
    return reduce(Tally.plus, seen.values(), Tally())
