"""The fast way reads what the slow and exact one reads."""

from __future__ import annotations

import io
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from conf.feeds import RecordsFeed, feed_config
from spark_jobs.index import Indexer
from spark_jobs.lines import records
from spark_jobs.records import exact, fast
from spark_jobs.records.exact import Source
from spark_jobs.records.shape import text_schema

PIECES = [
    '"',
    '"',
    ",",
    ",",
    "\n",
    "\n",
    "\r",
    "\r\n",
    " ",
    "\t",
    "a",
    "é",
    '""',
    ',"',
    '"\n',
    '"x",',
    "\0",
    "€",
    "\x81",
]
BYTES = st.one_of(st.sampled_from([piece.encode() for piece in PIECES]), st.binary(min_size=1, max_size=2))
contents = st.lists(BYTES, max_size=80).map(b"".join)
rows = st.lists(
    st.lists(
        st.sampled_from(["", "a", '"b"', '"c\n"', '"d\r\ne"', '"f""g"', '"h,i"', 'j"k', "é", '"l"m']),
        min_size=1,
        max_size=4,
    ),
    max_size=25,
).map(lambda some: "\n".join(map(",".join, some)).encode())


def records_feed(columns: int, **fields: Any) -> RecordsFeed:
    names = [{"name": f"c{number}"} for number in range(columns)]
    found = feed_config({"kind": "records", "columns": names, **fields})
    assert isinstance(found, RecordsFeed)
    return found


def read(data: bytes, feed: RecordsFeed, limit: int, range_bytes: int) -> tuple[list[Any], list[Any], int]:
    """What the fast and the exact way make of all ranges, and how many ranges there are."""
    indexer = Indexer(
        3, None, "csv", feed.delimiter, limit, range_bytes, quote=feed.quote, encoding=feed.encoding, header=feed.header
    )
    indexer.feed(data)
    entry, ranges = indexer.close()
    source, schema = Source.of(entry, feed), text_schema(feed)
    quick, slow = [], []
    for number, found in enumerate(ranges):
        some = fast.batches(io.BytesIO(data), number, found, source, limit, schema)
        part = [list(row.values()) for batch in some for row in batch.to_pylist()]
        assert len(part) == found.records
        quick += sorted(part, key=lambda row: row[2])
        slow += exact.rows(records(io.BytesIO(data), found, entry), number, found, source, limit)
    return quick, slow, len(ranges)


@settings(max_examples=400)
@given(
    st.one_of(contents, rows),
    st.integers(1, 3),
    st.booleans(),
    st.integers(5, 60),
    st.integers(1, 80),
    st.sampled_from(["utf-8", "iso-8859-1", "windows-1252"]),
)
@example(b'a,"b\r\n"\r\nc,d\r\n\r\n \r\ne\r,f\n', 2, False, 60, 80, "utf-8")
@example(b'a,""\n"",""\n"""x",\n', 2, False, 60, 80, "utf-8")
@example(b"a,\xff\nb,c\n\xfe,d\ne,f", 2, False, 60, 80, "utf-8")
@example(b'"a"\r', 1, False, 60, 80, "utf-8")
def test_the_fast_way_reads_what_the_exact_one_reads(
    data: bytes, columns: int, header: bool, limit: int, range_bytes: int, encoding: str
) -> None:
    feed = records_feed(columns, header=header, encoding=encoding)
    quick, slow, _ = read(data, feed, limit, range_bytes)
    assert quick == slow


@settings(max_examples=100)
@given(rows, st.sampled_from([("'", ";"), ("|", "\t"), ("^", "\\")]))
def test_other_marks_are_read_alike(data: bytes, marks: tuple[str, str]) -> None:
    quote, delimiter = marks
    data = data.replace(b'"', quote.encode()).replace(b",", delimiter.encode())
    quick, slow, _ = read(data, records_feed(2, header=False, quote=quote, delimiter=delimiter), 60, 30)
    assert quick == slow


def test_lines_are_exact_over_many_ranges() -> None:
    data = b"c0,c1\n" + b"".join(
        b'%d,"x\ny"\n\n' % number if number % 7 == 0 else b"%d,\xc3\xa9\r\n" % number for number in range(2000)
    )
    quick, slow, ranges = read(data, records_feed(2), 60, 500)
    assert ranges >= 8
    assert quick == slow
    physical = data.split(b"\n")
    assert all(physical[row[2] - 1].startswith(row[8].encode() + b",") for row in quick)


def test_regular_records_are_read_by_arrow(monkeypatch: pytest.MonkeyPatch) -> None:
    """The fast way is taken: only the record at fault is taken apart by itself."""
    taken = []
    true = exact.rows
    monkeypatch.setattr(exact, "rows", lambda some, *rest: true(taken.extend(some := list(some)) or some, *rest))
    quick, *_ = read(b'c0,c1\na,"b ""c"""\r\n"d\r\n,",\xc3\xa9\nonly one\nx,"y"z\n', records_feed(2), 60, 100)
    assert [record for _, record in taken[:2]] == [b"only one", b'x,"y"z']
    assert [row[8:] for row in quick] == [["a", 'b "c"'], ["d\r\n,", "é"], [None, None], [None, None]]
