from __future__ import annotations

import csv
import io
from typing import Literal

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from conf.errors import Damaged
from spark_jobs.index import EntryIndex, Indexer, Range
from spark_jobs.lines import records, records_at
from spark_jobs.quoting import Quoting
from tests.spark_jobs.plain_splitter import Found, split
from tests.spark_jobs.test_index import contents

Form = Literal["auto", "text", "csv", "jsonl"]


def indexed(data: bytes, form: Form, limit: int, range_bytes: int, delimiter: str) -> tuple[EntryIndex, list[Range]]:
    indexer = Indexer(0, None, form, delimiter, limit, range_bytes)
    indexer.feed(data)
    return indexer.close()


def read(
    data: bytes, form: Form = "auto", limit: int = 40, range_bytes: int = 16, delimiter: str = ","
) -> tuple[EntryIndex, list[Found]]:
    entry, ranges = indexed(data, form, limit, range_bytes, delimiter)
    found = []
    for one in ranges:
        some = list(records(io.BytesIO(data), one, entry))
        assert len(some) == one.records
        lines = [line for line, _ in some]
        assert list(records_at(io.BytesIO(data), one, entry, lines[::-2])) == [record for _, record in some[::-2]]
        for line, record in some:
            is_open = entry.format == "csv" and not one.fault and not Quoting(delimiter).fields(record)[1]
            assert one.alone or not is_open
            found.append(Found(line, record, "csv.quote" if is_open else one.fault))
    return entry, found


@settings(max_examples=300, deadline=None)
@given(
    contents,
    st.sampled_from(["auto", "text", "csv", "csv", "jsonl"]),
    st.integers(1, 40),
    st.integers(1, 60),
    st.sampled_from(",;\t|"),
)
@example(b'h\na,"\nb","\nx"\r\n', "csv", 7, 60, ",")  # the second record has as many bytes as it may, and CRLF
def test_the_records_are_those_of_a_plain_splitter(
    data: bytes, form: Form, limit: int, range_bytes: int, delimiter: str
) -> None:
    data = data.replace(b",", delimiter.encode())
    entry, found = read(data, form, limit, range_bytes, delimiter)
    assert found == split(data, entry.format, delimiter.encode(), limit)[0]


def test_a_line_lacks_its_end_and_keeps_every_other_cr() -> None:
    assert read(b"a\rb\r\n\nc\r\r\n d \r")[1] == [
        Found(1, b"a\rb", None),
        Found(3, b"c\r", None),
        Found(4, b" d \r", None),
    ]


def test_a_csv_record_begins_on_its_first_line_and_keeps_its_lines() -> None:
    data = b'url,x\r\n1,"a\r\n\r\nb"\r\n\r\n2,"c"\r\n'
    assert read(data)[1] == [Found(2, b'1,"a\r\n\r\nb"', None), Found(6, b'2,"c"', None)]


def test_after_a_bad_quote_reading_goes_on_with_the_next_line() -> None:
    data = b'url,x\n1,"a\n2,"b\n3,c\n\n4,"' + b"d" * 38 + b'\n5,"e"\n6,"f\n'
    assert [(one.line, one.fault) for one in read(data, limit=42)[1]] == [
        (2, None),
        (4, None),
        (6, "csv.quote"),
        (7, None),
        (8, "csv.quote"),
    ]


def test_of_an_over_long_line_only_the_beginning_is_read() -> None:
    class Counting(io.BytesIO):
        taken = 0

        def read(self, size: int | None = -1, /) -> bytes:
            got = super().read(size)
            self.taken += len(got)
            return got

    file = Counting(b"short\n" + b"x" * 5000)
    entry, ranges = indexed(file.getvalue(), "text", 2000, 1, ",")
    assert list(records(file, ranges[-1], entry)) == [(2, b"x" * 1000)]
    assert file.taken == 1000


def test_a_file_shorter_than_its_index_is_damaged() -> None:
    entry, ranges = indexed(b"one\ntwo\n", "text", 40, 100, ",")
    with pytest.raises(Damaged, match=r"Entry 0 ends at byte 6; its index goes on to 8\."):
        list(records(io.BytesIO(b"one\ntw"), ranges[0], entry))


text_records = st.text(st.sampled_from('",\nab {'), max_size=30)


@settings(max_examples=200, deadline=None)
@given(text_records)
@example('"a"b"c","","x""y",z"')
def test_fields_are_those_of_python(record: str) -> None:
    """Of a record as the index gives them: no LF outside quotes, no quote that is open at the end."""
    quoting = Quoting(",")
    masked, closed = quoting.mask(record.encode())
    fields, ended = quoting.fields(record.encode())
    assert closed == ended or b"\n" in masked
    if closed and record and b"\n" not in masked:
        assert [[field.decode() for field in fields]] == list(csv.reader(io.StringIO(record, newline="")))


@settings(max_examples=150, deadline=None)
@given(contents, st.integers(1, 40), st.integers(1, 60), st.sampled_from("'|^-]\\%"), st.booleans())
def test_any_mark_may_quote_and_a_header_is_taken_off_only_where_there_is_one(
    data: bytes, limit: int, range_bytes: int, quote: str, header: bool
) -> None:
    usual = data if header else b"h\n" + data.removeprefix(b"\xef\xbb\xbf")
    wanted = [
        found._replace(line=found.line - (not header), record=found.record.replace(b'"', quote.encode()))
        for found in split(usual, "csv", b",", limit)[0]
    ]
    data = data.replace(b'"', quote.encode())
    indexer = Indexer(0, None, "csv", ",", limit, range_bytes, quote=quote, header=header)
    indexer.feed(data)
    entry, ranges = indexer.close()
    some = [(line, record) for one in ranges for line, record in records(io.BytesIO(data), one, entry)]
    assert some == [(found.line, found.record) for found in wanted]


def test_the_header_is_read_in_its_encoding() -> None:
    indexer = Indexer(0, None, "csv", ";", 40, 16, encoding="iso-8859-15")
    indexer.feed("Größe;€\n1;2\n".encode("iso-8859-15"))
    entry, _ = indexer.close()
    assert (entry.columns, entry.encoding, entry.quote) == (("Größe", "€"), "iso-8859-15", '"')
