"""One range of a file -> batches of text columns, without Python code for each record.

Records of CSV are found by arithmetic on positions (numpy), and the sound and regular ones are read by Arrow's parser.
Regular is a record that Arrow reads as we do: every quote opens or ends a whole field or is written twice within one,
and no CR stands outside quotes but in the line's end. All others are taken apart one by one (``exact``), as are JSON
lines and files of rejects come back.
"""

from __future__ import annotations

import codecs
import itertools
from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.csv

from spark_jobs.fields import is_mended
from spark_jobs.index import Range
from spark_jobs.lines import range_bytes, records
from spark_jobs.quoting import Quoting
from spark_jobs.ranges import BLANK
from spark_jobs.records import exact
from spark_jobs.records.exact import Record, Source

_BATCH_ROWS = 10_000
_LF, _CR = ord("\n"), ord("\r")
_MAY_BE_BLANK = np.isin(np.arange(256), [*BLANK, _LF])

Places = npt.NDArray[np.intp]
Flags = npt.NDArray[np.bool_]


def batches(
    file: BinaryIO, number: int, found: Range, source: Source, max_bytes: int, schema: pa.Schema
) -> Iterator[pa.RecordBatch]:
    """The lines of one range.

    Args:
        file: the entry's bytes.
        number: of the range in the index.
        max_bytes: the limit of a line.
        schema: ``shape.text_schema``.
    """
    some: Iterator[Record]
    entry = source.entry
    if entry.format == "csv" and not (found.fault or found.alone or is_mended(entry)):
        cut = Cut.of(range_bytes(file, found), source)
        yield from _by_arrow(cut, number, found, source, schema)
        some = cut.others(found.first_line)
    else:
        some = records(file, found, entry)
    rows = exact.rows(some, number, found, source, max_bytes)
    while part := list(itertools.islice(rows, _BATCH_ROWS)):
        columns = [pa.array(column, field.type) for column, field in zip(zip(*part, strict=True), schema, strict=True)]
        yield pa.RecordBatch.from_arrays(columns, schema=schema)


class Cut(NamedTuple):
    """A stretch of CSV cut into records.

    Attributes:
        starts, ends: of each record, line end included.
        regular: whether Arrow reads it as we do.
        blank: whether it is a blank line, which is no record.
        spanning: whether any record spans lines.
    """

    data: bytes
    starts: Places
    ends: Places
    regular: Flags
    blank: Flags
    spanning: bool

    @classmethod
    def of(cls, data: bytes, source: Source) -> Cut:
        """Data that begins where a record begins and ends where one ends, all quotes closed."""
        quoting = Quoting(source.entry.delimiter, source.entry.quote)
        masked = quoting.mask(data)[0]
        signs, shown = np.frombuffer(data, np.uint8), np.frombuffer(masked, np.uint8)
        ends = np.flatnonzero(shown == _LF) + 1
        if len(data) and (not ends.size or ends[-1] < len(data)):
            ends = np.append(ends, len(data))
        starts = np.concatenate(([0], ends[:-1])).astype(np.intp) if ends.size else ends
        quotes = Quotes.of(np.flatnonzero(signs == quoting.quote[0]), ends)
        delimiter = ord(source.entry.delimiter)
        regular = _fields(signs, ends, quotes, delimiter) == len(source.names)
        regular[quotes.records[_irregular(signs, starts, quotes, delimiter)]] = False
        if b"\r" in data:
            regular[_records_of(_stray_returns(signs, shown, quotes, ends), ends)] = False
        if b"\0" in data:
            regular[_records_of(np.flatnonzero(signs == 0), ends)] = False
        regular[_undecodable(data, ends, source.entry.encoding)] = False
        blank = np.zeros(len(ends), np.bool_)
        for at in np.flatnonzero(_MAY_BE_BLANK[signs[starts]]) if ends.size else ():
            blank[at] = not data[starts[at] : ends[at]].strip(BLANK + b"\n")
        return cls(data, starts, ends, regular & ~blank, blank, masked is not data)

    def lines(self, which: Flags, first_line: int) -> npt.NDArray[np.int64]:
        """The physical lines on which some records begin."""
        if not self.spanning:
            return np.flatnonzero(which) + first_line
        breaks = np.flatnonzero(np.frombuffer(self.data, np.uint8) == _LF)
        return np.searchsorted(breaks, self.starts[which]) + first_line

    def others(self, first_line: int) -> Iterator[Record]:
        """The records that are not regular, with their lines, as ``spark_jobs.lines.records`` gives them."""
        which = ~self.regular & ~self.blank
        places = np.flatnonzero(which).tolist()
        for line, at in zip(self.lines(which, first_line).tolist(), places, strict=True):
            record = self.data[self.starts[at] : self.ends[at]]
            yield line, record[:-1].removesuffix(b"\r") if record.endswith(b"\n") else record

    def joined(self) -> bytes:
        """The regular records, one after the other."""
        if self.regular.all():
            return self.data
        edges = np.flatnonzero(np.diff(self.regular, prepend=False, append=False))
        view = memoryview(self.data)
        pairs = zip(self.starts[edges[::2]].tolist(), self.ends[edges[1::2] - 1].tolist(), strict=True)
        return b"".join(view[start:end] for start, end in pairs)


def _by_arrow(cut: Cut, number: int, found: Range, source: Source, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    count = int(np.count_nonzero(cut.regular))
    if not count:
        return
    table = _parsed(cut.joined(), source)
    assert table.num_rows == count, f"Arrow finds {table.num_rows} records where there are {count}"
    nothing = pa.nulls(count, pa.string())
    texts = [table[name].combine_chunks() if name is not None else nothing for name in source.attributes]
    columns = [
        pa.array(np.full(count, number, np.int32)),
        pa.array(np.full(count, source.entry.entry, np.int32)),
        pa.array(cut.lines(cut.regular, found.first_line)),
        *[nothing] * 5,
        *texts,
    ]
    yield pa.RecordBatch.from_arrays(columns, schema=schema)


def _parsed(data: bytes, source: Source) -> pa.Table:
    entry = source.entry
    if entry.encoding != "utf-8" and not data.isascii():
        data = data.decode(entry.encoding).encode("utf-8")
    wanted = list(dict.fromkeys(name for name in source.attributes if name is not None)) or source.names[:1]
    return pyarrow.csv.read_csv(
        pa.BufferReader(data),
        pyarrow.csv.ReadOptions(use_threads=False, block_size=len(data) + 1, column_names=source.names),
        pyarrow.csv.ParseOptions(
            delimiter=entry.delimiter,
            quote_char=entry.quote,
            double_quote=True,
            escape_char=False,
            newlines_in_values=True,
            ignore_empty_lines=False,
        ),
        pyarrow.csv.ConvertOptions(
            check_utf8=False,
            column_types=dict.fromkeys(wanted, pa.string()),
            include_columns=wanted,
            strings_can_be_null=False,
        ),
    )


class Quotes(NamedTuple):
    """The quotes of a stretch of CSV: where, in which record, and whether it is one that opens (or opens again)."""

    places: Places
    records: Places
    opens: Flags

    @classmethod
    def of(cls, places: Places, ends: Places) -> Quotes:
        """Every second quote of a record opens, from its first on."""
        records = _records_of(places, ends)
        numbers = np.arange(len(places))
        is_first = np.append(True, records[1:] != records[:-1])[: len(places)]
        first = np.maximum.accumulate(np.where(is_first, numbers, 0))
        opens: Flags = (numbers - first) % 2 == 0
        return cls(places, records, opens)


def _records_of(places: Places, ends: Places) -> Places:
    """In which records some bytes lie."""
    return np.searchsorted(ends, places, side="right")


def _fields(signs: npt.NDArray[np.uint8], ends: Places, quotes: Quotes, delimiter: int) -> Places:
    """How many fields each record has, if its quotes are regular."""
    delimiters = np.flatnonzero(signs == delimiter)
    fields: Places = np.diff(np.searchsorted(delimiters, ends), prepend=0) + 1
    if quotes.places.size:
        before = np.searchsorted(delimiters, quotes.places)
        inside = np.bincount(quotes.records, np.where(quotes.opens, -before, before), len(ends))
        fields = fields - inside.astype(np.intp)
    return fields


def _irregular(signs: npt.NDArray[np.uint8], starts: Places, quotes: Quotes, delimiter: int) -> Flags:
    """Which quotes neither open nor end a field, nor are written twice; or open the last field and stay open."""
    places, records, opens = quotes
    if not places.size:
        return np.zeros(0, np.bool_)
    quote = signs[places[0]]
    first = places == starts[records]
    before, after, next_after = signs[places - 1], _at(signs, places + 1), _at(signs, places + 2)
    at_end = (after == delimiter) | (after == _LF) | (after == quote) | ((after == _CR) & (next_after == _LF))
    last = np.append(records[1:] != records[:-1], True)
    opening = (first | (before == delimiter) | (before == quote)) & ~last
    wrong: Flags = ~np.where(opens, opening, at_end)
    return wrong


def _at(signs: npt.NDArray[np.uint8], places: Places) -> npt.NDArray[np.uint8]:
    """The bytes there; after the last one an LF."""
    found = signs[np.minimum(places, len(signs) - 1)]
    found[places >= len(signs)] = _LF
    return found


def _stray_returns(signs: npt.NDArray[np.uint8], shown: npt.NDArray[np.uint8], quotes: Quotes, ends: Places) -> Places:
    """Each CR that is neither within quotes nor before the LF that ends a record."""
    found = np.flatnonzero(signs == _CR)
    found = found[np.append(shown, 0)[found + 1] != _LF]
    at = np.searchsorted(quotes.places, found) - 1
    within = np.zeros(len(found), np.bool_)
    some = at >= 0
    within[some] = quotes.opens[at[some]] & (quotes.records[at[some]] == _records_of(found[some], ends))
    stray: Places = found[~within]
    return stray


def _undecodable(data: bytes, ends: Places, encoding: str) -> list[int]:
    """The records that hold bytes which are no text in their encoding."""
    if data.isascii() or encoding.startswith("iso-8859"):
        return []
    decode, view, at = codecs.getdecoder(encoding), memoryview(data), 0
    found: list[int] = []
    while at < len(data):
        try:
            decode(view[at:])
        except UnicodeDecodeError as error:
            found.append(int(np.searchsorted(ends, at + error.start, side="right")))
            at = int(ends[found[-1]])
        else:
            break
    return found
