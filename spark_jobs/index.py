"""The index of a drop: which bytes of which entry hold which lines, so that ranges are read in parallel.

What a line is:

- A line ends with LF or CRLF; the last may lack it. A CR elsewhere is part of the line. A UTF-8 BOM at the start of
  an entry is passed over.
- A line of spaces, tabs, CR, VT and FF only is blank: counted apart, and no line. A line with more bytes than are
  allowed is ``line.too_long``, blank or not, and never held in memory in whole.
- A CSV record may span lines inside quotes (``quoting``). One that spans lines and has not ended within the bytes
  allowed to a line, or at the end of the entry, is given up: its first line is ``csv.quote`` and reading starts
  anew on the next line, so that one bad quote does not swallow the entry.
- The first record of CSV is its header, and no line. Where that record itself is at fault there is no header: the
  line counts as at fault, the entry has no columns, and every other record is a line.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import re
from dataclasses import dataclass
from typing import Literal

import numpy as np

from conf.errors import Damaged
from spark_jobs.quoting import Quoting
from spark_jobs.ranges import BLANK, Range, Ranges

__all__ = ["EntryIndex", "Format", "Index", "Indexer", "Range"]

Format = Literal["text", "csv", "jsonl"]
_BOM = b"\xef\xbb\xbf"
_STEP = 1 << 19


@dataclass(frozen=True)
class EntryIndex:
    """What one entry is.

    Attributes:
        entry: its ordinal in the drop.
        name: as the archive calls it; None for a plain file.
        bytes: all of them, header and line ends too.
        sha256: of all of them, in hex.
        columns: the CSV header as sent, each name stripped; empty for other formats.
        delimiter: of CSV.
        header_lines: how many physical lines the header takes.
        quote: of CSV.
        encoding: of its text, by Python's name.
    """

    entry: int
    name: str | None
    bytes: int
    sha256: str
    format: Format
    columns: tuple[str, ...]
    delimiter: str
    header_lines: int
    quote: str = '"'
    encoding: str = "utf-8"


@dataclass(frozen=True)
class Index:
    """The index of a drop: its entries, and their ranges in the order of entries and offsets."""

    entries: tuple[EntryIndex, ...]
    ranges: tuple[Range, ...]

    @property
    def lines(self) -> int:
        """Records, and lines at fault; neither headers nor blank lines."""
        return sum(one.records for one in self.ranges)

    @property
    def blanks(self) -> int:
        """Blank lines."""
        return sum(one.blanks for one in self.ranges)

    def to_json(self) -> bytes:
        """As it is kept in the lake: the entries as objects, the ranges as rows."""
        entries = [dataclasses.asdict(one) for one in self.entries]
        ranges = [dataclasses.astuple(one) for one in self.ranges]
        return json.dumps({"entries": entries, "ranges": ranges}, separators=(",", ":")).encode("ascii")

    @classmethod
    def from_json(cls, kept: bytes) -> Index:
        """What ``to_json`` wrote.

        Raises:
            Damaged: if it is anything else.
        """
        try:
            found = json.loads(kept)
            entries = tuple(EntryIndex(**{**one, "columns": tuple(one["columns"])}) for one in found["entries"])
            return cls(entries, tuple(Range(*one) for one in found["ranges"]))
        except (ValueError, KeyError, TypeError) as error:
            raise Damaged(f"The index of a drop cannot be read: {error}.", "Land the drop anew.") from error


class Indexer:
    """Makes the index of one entry while its bytes stream by; what comes out does not depend on how they are cut.

    It holds a few hundred kilobytes and a few times ``max_line_bytes``, whatever the entry holds.

    Args:
        entry: the ordinal of the entry in the drop.
        name: as the archive calls it.
        format: ``auto`` goes by the first line that is not blank: it begins with ``{``, or it is a CSV record with
            a field ``url``, or the entry is plain text.
        delimiter: of CSV.
        max_line_bytes: how many bytes a line may have without its line end.
        range_bytes: how long a range is at least.
        quote: of CSV.
        encoding: of the text, one in which ASCII is ASCII.
        header: whether the first record of CSV names the columns.
    """

    def __init__(
        self,
        entry: int,
        name: str | None,
        format: Literal["auto", "text", "csv", "jsonl"],
        delimiter: str,
        max_line_bytes: int,
        range_bytes: int,
        *,
        quote: str = '"',
        encoding: str = "utf-8",
        header: bool = True,
    ) -> None:
        self._entry, self._name, self._delimiter = entry, name, delimiter
        self._quote, self._encoding, self._header = quote, encoding, header
        self._format: Format | None = None if format == "auto" else format
        self._max = max_line_bytes
        self._quoting = Quoting(delimiter, quote)
        self._blank_lines = re.compile(rb"(?:[ \t\r\v\f]{0,%d}+\r?+\n)*+" % max_line_bytes)
        self._ranges = Ranges(entry, range_bytes)
        self._columns: tuple[str, ...] = ()
        self._header_lines = 0
        self._begun = self._decided = False
        self._passed: int | None = None  # bytes of an over-long line that went by, while inside one
        # A fault makes the rest of a step be looked at again; so a step is a small multiple of a line.
        self._step = min(range_bytes, 8 * max_line_bytes, _STEP)
        self._waiting: list[bytes] = []
        self._size = 0
        self._rest = b""
        self._digest, self._bytes = hashlib.sha256(), 0

    def feed(self, chunk: bytes) -> None:
        """Takes the next bytes of the entry."""
        self._digest.update(chunk)
        self._bytes += len(chunk)
        for start in range(0, len(chunk), self._step):
            piece = chunk[start : start + self._step]
            self._waiting.append(piece)
            self._size += len(piece)
            # Never less than what is looked at again, so that small chunks cost no more than large ones.
            if self._size >= max(self._step, len(self._rest)):
                self._advance(final=False)

    def close(self) -> tuple[EntryIndex, list[Range]]:
        """Ends the entry."""
        self._advance(final=True)
        self._ranges.cut()
        entry = EntryIndex(
            self._entry,
            self._name,
            self._bytes,
            self._digest.hexdigest(),
            self._format or "text",
            self._columns,
            self._delimiter,
            self._header_lines,
            self._quote,
            self._encoding,
        )
        return entry, self._ranges.done

    def _advance(self, *, final: bool) -> None:
        data = b"".join((self._rest, *self._waiting))
        self._waiting, self._size = [], 0
        while data:
            used = self._use(data, final)
            if not used:
                break
            data = data[used:]
        self._rest = data

    def _use(self, data: bytes, final: bool) -> int:
        """How many bytes are done with; 0 if more are needed to say anything."""
        if not self._begun:
            if len(data) < len(_BOM) and not final:
                return 0
            self._begun = True
            if data.startswith(_BOM):
                self._ranges.leave_out(len(_BOM), 0)
                return len(_BOM)
        if self._passed is not None:
            return self._pass_over(data, final)
        if not self._decided:
            used = self._decide(data, final)
            if used or not self._decided:
                return used
        return self._records(data, final)

    def _pass_over(self, data: bytes, final: bool) -> int:
        """The rest of an over-long line; its last byte waits, for it may be the CR of its line end."""
        assert self._passed is not None
        end = data.find(b"\n")
        if end < 0 and not final:
            self._passed += len(data) - 1
            return len(data) - 1
        size = end + 1 or len(data)
        self._ranges.add_too_long(self._passed + content_end(data, size), self._passed + size)
        self._passed = None
        return size

    def _decide(self, data: bytes, final: bool) -> int:
        """Passes over blank lines, settles the format and takes the header off."""
        start = self._blank_lines.match(data).end()  # type: ignore[union-attr]  # it matches nothing too
        self._ranges.add(data, data, 0, start)
        rest = data[start : start + self._max + 2]
        if len(rest) < self._max + 2 and not (final and rest.strip(BLANK)):
            if final:
                self._decided = True
            return start
        self._decided = True
        size = self._first_record(rest, final)
        first = rest[:size] if size else rest[: self._max].partition(b"\n")[0]
        cells = self._quoting.fields(first.rstrip(b"\r\n"))[0]
        fields = [cell.decode(self._encoding, "replace").strip() for cell in cells]
        if self._format is None:
            is_csv = any(field.lower() == "url" for field in fields)
            self._format = "jsonl" if first.lstrip(BLANK).startswith(b"{") else "csv" if is_csv else "text"
        if self._format != "csv" or not size or not self._header:
            return start
        self._columns = tuple(fields)
        self._header_lines = first.count(b"\n") + (not first.endswith(b"\n"))
        self._ranges.leave_out(size, self._header_lines)
        return start + size

    def _first_record(self, head: bytes, final: bool) -> int:
        """The size of the CSV record that ``head`` begins with, line end included; 0 if it is at fault."""
        masked, closed = self._quoting.mask(head)
        size = masked.find(b"\n") + 1
        if not size and final and closed:
            size = len(head)
        return size if content_end(head, size) <= self._max else 0

    def _records(self, data: bytes, final: bool) -> int:
        """Takes all whole records up to the first that is too long, and that one."""
        masked, closed = self._quoting.mask(data) if self._format == "csv" else (data, True)
        ends = np.flatnonzero(np.frombuffer(masked, np.uint8) == ord("\n")) + 1
        sizes = np.diff(ends, prepend=0)
        for at in np.flatnonzero(sizes > self._max + 1):
            end = int(ends[at])
            start = end - int(sizes[at])
            if content_end(data, end) - start > self._max:
                self._ranges.add(data, masked, 0, start)
                return self._give_up(data, start, end, ended=True, final=final)
        start = int(ends[-1]) if ends.size else 0
        if final and closed and len(data) - start <= self._max:
            start = len(data)
        self._ranges.add(data, masked, 0, start)
        if start == len(data) or (not final and len(data) - start <= self._max + 1):
            return start
        return self._give_up(data, start, len(data), ended=final and closed, final=final)

    def _give_up(self, data: bytes, start: int, stop: int, *, ended: bool, final: bool) -> int:
        """Takes lines off a record that has more bytes than a line may have, at least its first.

        The record is inside quotes at each line end before ``stop``. So is then any other that begins on one of
        these lines and is inside quotes where that line ends: both end at the same place. Hence none that begins
        further than ``max_line_bytes`` before ``stop`` can span lines and be short enough, and each such line
        stands alone.

        Args:
            ended: whether the record ends at ``stop``; else it goes on beyond.
        """
        ends = np.flatnonzero(np.frombuffer(data, np.uint8)[start:stop] == ord("\n")) + start + 1
        end = int(ends[0]) if ends.size else stop
        length = content_end(data, end) - start
        if length > self._max:
            if not (ended or final or ends.size):
                self._passed = end - 1 - start
                return end - 1
            self._ranges.add_too_long(length, end - start)
            return end
        if ended or not final:
            ends = ends[: int(np.searchsorted(ends, stop - self._max - 2)) + 1]
        else:
            ends = np.append(ends[ends < stop], stop)
        longer = np.flatnonzero(np.diff(ends) > self._max)
        return self._ranges.add_alone(data, start, int(ends[longer[0]] if longer.size else ends[-1]))


def content_end(data: bytes, end: int) -> int:
    """Where the content of the line that ends before ``end``, line end included, ends."""
    if data.endswith(b"\r\n", 0, end):
        return end - 2
    return end - data.endswith(b"\n", 0, end)
