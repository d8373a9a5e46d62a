"""Ranges of a drop that workers read one after the other, and whose lines they put into one file."""

from __future__ import annotations

from collections.abc import Sequence

from spark_jobs.index import Range

_CHUNK_BYTES = 4 << 20


def chunks(ranges: Sequence[Range]) -> list[range]:
    """Ranges that follow one another and are put into one file: a line that is too long is a range of its own, and
    cuts others short.
    """
    found: list[range] = []
    start = held = 0
    for number, one in enumerate(ranges):
        held += one.length
        if held >= _CHUNK_BYTES or number == len(ranges) - 1:
            found.append(range(start, number + 1))
            start, held = number + 1, 0
    return found


def chunk_file(directory: str, number: int) -> str:
    """Where the lines of one kind of a chunk lie, if it has any."""
    return f"{directory}/chunk-{number:06}.parquet"
