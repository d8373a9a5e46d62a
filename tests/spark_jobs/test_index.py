from __future__ import annotations

import hashlib
import tracemalloc
from collections.abc import Iterator
from itertools import pairwise
from typing import Literal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conf.errors import Damaged
from spark_jobs.index import EntryIndex, Index, Indexer, Range
from tests.spark_jobs.plain_splitter import split

Form = Literal["auto", "text", "csv", "jsonl"]

PIECES = ['"', '"', ",", "\n", "\r", "\r\n", " ", "\t", "a", "url", "{", '""', ',"', '"\n', 'a"b,"\n', "\ufeff", "\0"]
contents = st.lists(st.sampled_from(PIECES), max_size=120).map(lambda some: "".join(some).encode())


def index(
    data: bytes,
    form: Form = "auto",
    limit: int = 40,
    range_bytes: int = 16,
    cuts: tuple[int, ...] = (),
    delimiter: str = ",",
) -> tuple[EntryIndex, list[Range]]:
    indexer = Indexer(3, "a.csv", form, delimiter, limit, range_bytes)
    for start, end in pairwise((0, *sorted(cuts), len(data))):
        indexer.feed(data[start:end])
    return indexer.close()


@settings(max_examples=150, deadline=None)
@given(contents, st.sampled_from(["auto", "text", "csv"]), st.integers(1, 40), st.integers(1, 60), st.data())
def test_chunks_do_not_matter(data: bytes, form: Form, limit: int, range_bytes: int, draw: st.DataObject) -> None:
    cuts = tuple(draw.draw(st.lists(st.integers(0, len(data)), max_size=30)))
    assert index(data, form, limit, range_bytes, cuts) == index(data, form, limit, range_bytes)


@settings(max_examples=150, deadline=None)
@given(contents, st.sampled_from(["text", "csv"]), st.integers(1, 40), st.integers(1, 60))
def test_counts_are_those_of_a_plain_splitter(data: bytes, form: Form, limit: int, range_bytes: int) -> None:
    entry, ranges = index(data, form, limit, range_bytes)
    found, blanks, header = split(data, form, b",", limit)
    whole = Index((entry,), tuple(ranges))
    assert (whole.lines, whole.blanks) == (len(found), blanks)
    assert (entry.header_lines > 0) == (header is not None)
    assert [one.first_line for one in ranges if one.fault] == [
        one.line for one in found if one.fault == "line.too_long"
    ]


@settings(max_examples=100, deadline=None)
@given(contents, st.sampled_from(["text", "csv"]), st.integers(1, 60))
def test_ranges_follow_one_another_and_are_long_enough(data: bytes, form: Form, range_bytes: int) -> None:
    entry, ranges = index(data, form, 40, range_bytes)
    assert all(one.entry == 3 for one in ranges)
    for one, after in pairwise(ranges):
        assert one.offset + one.length <= after.offset
        left = data[one.offset + one.length : after.offset]
        assert one.fault or left == b"" or entry.header_lines
        if not (one.fault or after.fault or one.alone or after.alone or left):
            assert one.length >= range_bytes


def test_the_digest_and_the_size_are_of_all_bytes() -> None:
    data = b"\xef\xbb\xbfurl\r\n\r\nhttp://a/\r\n"
    entry, _ = index(data, cuts=(1, 2, 7))
    assert (entry.bytes, entry.sha256) == (len(data), hashlib.sha256(data).hexdigest())
    assert (entry.entry, entry.name) == (3, "a.csv")


@pytest.mark.parametrize("data", [b"", b"\xef\xbb\xbf"])
def test_an_empty_entry_is_text_without_ranges(data: bytes) -> None:
    entry, ranges = index(data)
    assert (entry.format, entry.columns, ranges) == ("text", (), [])


@pytest.mark.parametrize(
    ("data", "form"),
    [
        (b"http://a/\n", "text"),
        (b'{"url": 1}\n', "jsonl"),
        (b'\n \t\n  {"url": 1}\n', "jsonl"),
        (b"\xef\xbb\xbf{}", "jsonl"),
        (b"id,url\n1,http://a/\n", "csv"),
        (b"url", "csv"),
        (b'\r\nid," URL "\n', "csv"),
        (b'"many\nlines",url\n', "csv"),
        (b"id;url\n", "text"),
        (b'"id,url"\n', "text"),
        (b"my url,x\n", "text"),
        (b'url,"never ends\nhttp://a/\n', "csv"),
        (b"{" + b"x" * 500, "jsonl"),
        (b"url," + b"x" * 500, "csv"),
        (b" \n\t", "text"),
    ],
)
def test_the_format_is_told_from_the_first_line(data: bytes, form: str) -> None:
    assert index(data)[0].format == form


def test_a_configured_format_and_delimiter_count() -> None:
    assert index(b"id,url\n", "text")[0].format == "text"
    assert index(b"http://a/\n", "csv")[0].columns == ("http://a/",)
    assert index(b"id\turl\n", delimiter="\t")[0].columns == ("id", "url")


def test_the_header_is_taken_off() -> None:
    entry, ranges = index(b'\xef\xbb\xbf\n"an ""id"", \r\nlong", Url \r\n1,http://a/\n', range_bytes=100)
    assert (entry.columns, entry.header_lines) == (('an "id", \r\nlong', "Url"), 2)
    assert ranges == [Range(3, 3, 1, 1, 0, 1), Range(3, 31, 12, 4, 1, 0)]


@pytest.mark.parametrize(
    ("data", "header"),
    [
        (b'url,"x\n1,a\n2,b\n', Range(3, 0, 15, 1, 3, 0, None, True)),
        (b"url," + b"x" * 50, Range(3, 0, 54, 1, 1, 0, "line.too_long")),
    ],
)
def test_a_header_at_fault_is_a_line_and_there_are_no_columns(data: bytes, header: Range) -> None:
    entry, ranges = index(data, range_bytes=100)
    assert (entry.format, entry.columns, entry.header_lines, ranges) == ("csv", (), 0, [header])


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b""])
@pytest.mark.parametrize("form", ["text", "csv"])
def test_a_line_is_measured_without_its_end(end: bytes, form: Form) -> None:
    def faults(size: int) -> list[tuple[int, str | None]]:
        return [(one.length, one.fault) for one in index(b"h\n" + b"x" * size + end, form)[1]][-1:]

    assert faults(40)[0][1] is None
    assert faults(41) == [(41, "line.too_long")]
    assert faults(500) == [(500, "line.too_long")]


def test_a_lone_cr_at_the_end_is_part_of_the_line() -> None:
    assert index(b"x" * 40 + b"\r")[1] == [Range(3, 0, 41, 1, 1, 0, "line.too_long")]


def test_one_bad_quote_costs_one_line() -> None:
    data = b'h\n1,"never\n' + b"2,good\n" * 50 + b'3,"two\nlines"\n'
    _, ranges = index(data, "csv", range_bytes=1000)
    assert [(one.first_line, one.records, one.alone) for one in ranges] == [(2, 51, True), (53, 1, False)]


@pytest.mark.parametrize("line", [b'a"b,"\n', b'"\n', b',"x\n', b'a"b,"\nx\n', b'a"b,"\n"a\nb"\n'])
def test_bad_quotes_do_not_make_a_range_each(line: bytes) -> None:
    data = b"h\n" + line * 20_000
    _, ranges = index(data, "csv", limit=1000, range_bytes=20_000)
    assert len(ranges) <= 4 * len(data) / 1000


@pytest.mark.parametrize("first", [b"x", b'url\n1,"', b" "])
def test_memory_is_bounded_whatever_comes(first: bytes) -> None:
    indexer = Indexer(0, None, "auto", ",", 64 << 10, 4 << 20)
    chunk = b"x" * (1 << 20)
    tracemalloc.start()
    try:
        indexer.feed(first)
        for _ in range(64):
            indexer.feed(chunk)
        _, ranges = indexer.close()
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert ranges[-1].fault == "line.too_long"
    assert peak < 16 << 20


@pytest.mark.parametrize("unit", [b"x,y\n", b"\n", b'a"b,"\n', b'"\n', b'""', b'"a""\n'])
def test_memory_is_bounded_inside_a_quote(unit: bytes) -> None:
    def chunks() -> Iterator[bytes]:
        yield b'url,x\n1,"'
        for _ in range(64 if unit == b"x,y\n" else 2):
            yield unit * ((1 << 20) // len(unit))

    indexer = Indexer(0, None, "auto", ",", 64 << 10, 4 << 20)
    tracemalloc.start()
    try:
        for chunk in chunks():
            indexer.feed(chunk)
        indexer.close()
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 16 << 20


def test_one_chunk_of_everything_is_taken_in_steps() -> None:
    data = b"http://a/\n" * (4 << 20)
    tracemalloc.start()
    try:
        index(data, limit=64 << 10, range_bytes=4 << 20)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < len(data) + (16 << 20)


def test_the_index_is_kept_as_json() -> None:
    entry, ranges = index(b"\n" + b"id,\xff url\n" + b"1,http://a/\n" * 9 + b"x" * 99 + b'\n1,"', form="csv")
    whole = Index((entry, EntryIndex(4, None, 0, "", "text", (), ",", 0)), tuple(ranges))
    assert Index.from_json(whole.to_json()) == whole
    assert (whole.lines, whole.blanks) == (11, 1)


@pytest.mark.parametrize("kept", [b"", b"\xff", b"[]", b'{"entries": []}', b'{"entries": [{}], "ranges": []}'])
def test_a_damaged_index_is_told(kept: bytes) -> None:
    with pytest.raises(Damaged, match="index of a drop cannot be read"):
        Index.from_json(kept)
