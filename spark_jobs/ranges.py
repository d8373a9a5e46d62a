"""Stretches of an entry that hold whole records, put together while the entry streams by."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

BLANK = b" \t\r\v\f"
TOO_LONG = "line.too_long"


@dataclass(frozen=True)
class Range:
    """A stretch of an entry.

    Attributes:
        entry: the ordinal of the entry in the drop.
        offset: bytes from the start of the entry.
        length: bytes; of an over-long line, without its line end.
        first_line: the physical line, counted from 1, on which it begins.
        records: how many lines it holds.
        blanks: how many blank lines lie between them.
        fault: ``line.too_long`` if it is exactly one over-long line, which is never read in whole; else None.
        alone: whether each physical line is a record by itself, whatever quotes say. Only those records of CSV whose
            quoted field never ends (``csv.quote``, as ``Quoting.fields`` finds) are the reason for such a range.
    """

    entry: int
    offset: int
    length: int
    first_line: int
    records: int
    blanks: int
    fault: str | None = None
    alone: bool = False


class Ranges:
    """The ranges of one entry, grown from its start to its end without a gap.

    Args:
        entry: the ordinal of the entry in the drop.
        range_bytes: how long a range is at least, unless a fault, the header or the end cuts it.
    """

    def __init__(self, entry: int, range_bytes: int) -> None:
        self.done: list[Range] = []
        self._entry = entry
        self._range_bytes = range_bytes
        self._at, self._line = 0, 1
        self._alone = False
        self._begin()

    def add(self, data: bytes, masked: bytes, start: int, end: int) -> None:
        """Adds whole records, ``data[start:end]``, in whose ``masked`` every LF ends a record."""
        while start < end:
            until = _first_spanning(data, masked, start, end) if self._alone else end
            if until == start:
                self.cut()
            else:
                start = self._grow(data, masked, start, until)

    def add_alone(self, data: bytes, start: int, end: int) -> int:
        """Adds physical lines of which the first is at fault, up to ``end`` or until the range is full.

        What follows goes into the same range as long as it can. So one that never closes its quotes gets no range
        for each line, and what is in a range does not depend on how the entry was cut into chunks.

        Returns:
            Where the lines that were added end.
        """
        if not self._alone:
            self.cut()
            self._alone = True
        return self._grow(data, data, start, end)

    def add_too_long(self, length: int, size: int) -> None:
        """Adds one over-long line of ``length`` bytes, ``size`` with its line end."""
        self.cut()
        self.done.append(Range(self._entry, self._at, length, self._line, 1, 0, TOO_LONG))
        self.leave_out(size, 1)

    def leave_out(self, size: int, lines: int) -> None:
        """Passes over bytes that belong to no range."""
        self.cut()
        self._at += size
        self._line += lines
        self._begin()

    def cut(self) -> None:
        """Ends the range that is being grown, if it holds anything."""
        length = self._at - self._offset
        if length:
            counts = self._records, self._blanks
            self.done.append(Range(self._entry, self._offset, length, self._first_line, *counts, alone=self._alone))
        self._begin()

    def _begin(self) -> None:
        self._offset, self._first_line = self._at, self._line
        self._records, self._blanks, self._alone = 0, 0, False

    def _grow(self, data: bytes, masked: bytes, start: int, end: int) -> int:
        wanted = self._range_bytes - (self._at - self._offset)
        cut = masked.find(b"\n", start + wanted - 1, end) + 1
        stop = cut or end
        records, blanks = _count(masked[start:stop])
        self._records += records
        self._blanks += blanks
        self._at += stop - start
        self._line += data.count(b"\n", start, stop)
        if cut:
            self.cut()
        return stop


def _first_spanning(data: bytes, masked: bytes, start: int, end: int) -> int:
    """Where the first record that spans lines begins; ``end`` if there is none."""
    if masked is data:
        return end
    differ = np.frombuffer(data, np.uint8)[start:end] != np.frombuffer(masked, np.uint8)[start:end]
    first = int(differ.argmax())
    return max(start, masked.rfind(b"\n", 0, start + first) + 1) if differ[first] else end


def _count(masked: bytes) -> tuple[int, int]:
    """Records and blanks; the last line may lack its LF."""
    kept = np.frombuffer(b"\n" + masked.translate(None, BLANK), np.uint8) == ord("\n")
    records = int(np.count_nonzero(kept[:-1] > kept[1:]))
    return records, masked.count(b"\n") + (not masked.endswith(b"\n")) - records
