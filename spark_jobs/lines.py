"""The records of a range of the index, each with the line on which it begins."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import BinaryIO

import numpy as np

from conf.errors import Damaged
from spark_jobs.index import EntryIndex, Range, content_end
from spark_jobs.quoting import Quoting
from spark_jobs.ranges import BLANK, TOO_LONG

_SHOWN = 1000


def records(file: BinaryIO, range: Range, entry: EntryIndex) -> Iterator[tuple[int, bytes]]:
    """Reads one range.

    Args:
        file: the entry's bytes, seekable.
        range: of its index.
        entry: what the index says of the entry.

    Yields:
        The physical line, counted from 1, on which a record begins, and the record's bytes without its line end.
        Blank lines are left out. Of an over-long line only its first 1000 bytes are read.

    Raises:
        Damaged: the file is shorter than when it was indexed.
    """
    data = range_bytes(file, range)
    if range.fault:
        yield range.first_line, data
        return
    yield from _split(data, _masked(data, range, entry), range.first_line)


def records_at(file: BinaryIO, range: Range, entry: EntryIndex, lines: Sequence[int]) -> Iterator[bytes]:
    """Some of what ``records`` yields: the records that begin on these physical lines, in their order."""
    data = range_bytes(file, range)
    if range.fault:
        yield from [data] * len(lines)
        return
    masked = _masked(data, range, entry)
    breaks = np.flatnonzero(np.frombuffer(data, np.uint8) == ord("\n"))
    begins = np.concatenate(([0], breaks + 1))[np.asarray(lines, np.intp) - range.first_line]
    for start in begins.tolist():
        yield data[start : content_end(data, masked.find(b"\n", start) + 1 or len(data))]


def range_bytes(file: BinaryIO, range: Range) -> bytes:
    """The bytes of a range; of an over-long line its first 1000.

    Raises:
        Damaged: the file is shorter than when it was indexed.
    """
    file.seek(range.offset)
    size = min(range.length, _SHOWN) if range.fault == TOO_LONG else range.length
    data = file.read(size)
    if len(data) < size:
        raise Damaged(
            f"Entry {range.entry} ends at byte {range.offset + len(data)}; its index goes on to {range.offset + size}.",
            "Land the drop anew.",
        )
    return data


def _masked(data: bytes, range: Range, entry: EntryIndex) -> bytes:
    """The bytes of a range, with no LF but those that end records."""
    spans = entry.format == "csv" and not range.alone
    return Quoting(entry.delimiter, entry.quote).mask(data)[0] if spans else data


def _split(data: bytes, masked: bytes, line: int) -> Iterator[tuple[int, bytes]]:
    start = 0
    while start < len(data):
        end = masked.find(b"\n", start) + 1 or len(data)
        record = data[start : content_end(data, end)]
        if record.strip(BLANK):
            yield line, record
        line += 1 if masked is data else data.count(b"\n", start, end)
        start = end
