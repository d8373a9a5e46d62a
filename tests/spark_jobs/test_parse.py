"""What each record says, without Spark."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spark_jobs.fields import column_names
from spark_jobs.index import EntryIndex, Range
from spark_jobs.parse import parse
from spark_jobs.rejects import ADDED, encode
from spark_jobs.urls import UrlPolicy

POLICY = UrlPolicy(("a.org",), (80, 443), None, 10_000)
DROP = "d" * 64


def entry(form: Any, *columns: str) -> EntryIndex:
    return EntryIndex(0, None, 0, "", form, columns, ",", 0)


def rows(raw: bytes, of: EntryIndex, fault: str | None = None) -> list[dict[str, Any]]:
    found = Range(0, 0, len(raw), 1, 1, 0, fault)
    return [row for batch in parse([(1, raw)], found, of, POLICY, 1000) for row in batch.to_pylist()]


@given(st.binary(max_size=60), st.sampled_from([entry("text"), entry("jsonl"), entry("csv", "url", "n")]))
def test_any_record_is_one_row(raw: bytes, of: EntryIndex) -> None:
    (row,) = rows(raw, of)
    assert row["line"] == 1
    assert (row["rule"] is None) == (row["url"] is not None)
    assert (row["rule"] is None) == (row["message"] is None)


@pytest.mark.parametrize(
    ("raw", "rule"),
    [
        (b'{"url": "http://a.org/"}', None),
        (b'{"URL": "http://a.org/", "\\ud800": 1}', None),
        (b'{"url": "\\ud800"}', "url.malformed"),
        (b'{"url": "http://a.org/", "n": 1e999}', "json.malformed"),
        (b'{"url": "http://a.org/", "n": ' + b"[" * 99 + b"]" * 99 + b"}", None),
        (b'{"url": "http://a.org/", "n": ' + b"[" * 100 + b"]" * 100 + b"}", "json.malformed"),
        (b'{"url": "http://a.org/", "n": [' + b"[]," * 300 + b'"[[[["]}', None),
        (b"[" * 60_000, "json.malformed"),
        (b"null", "json.malformed"),
    ],
)
def test_json(raw: bytes, rule: str | None) -> None:
    (row,) = rows(raw, entry("jsonl"))
    assert row["rule"] == rule


def test_what_is_wrong_with_json_is_said_without_a_line_of_its_own() -> None:
    (row,) = rows(b"{bad", entry("jsonl"))
    assert row["message"].endswith("in double quotes at character 2.")


@pytest.mark.parametrize(
    ("raw", "said"),
    [(b"null", "it is null, not"), (b"[1]", "it is an array, not"), (b"9" * 5000, "a number that is too large")],
)
def test_what_is_wrong_with_json_is_said_in_words_of_json(raw: bytes, said: str) -> None:
    (row,) = rows(raw, entry("jsonl"))
    assert said in row["message"]


def test_names_are_each_there_once() -> None:
    assert column_names(entry("csv", "a", "a_3", "a", "", "url")) == ["a", "a_3", "a_3_3", "_4", "url"]


def test_a_mended_file_reads_back_as_it_was_written() -> None:
    of = entry("csv", "url", encode("=name"), *ADDED)
    (row,) = rows(f"http://a.org/,{encode('=1')},3,r,m,f,{DROP}".encode(), of)
    assert row["fields"] == [("url", "http://a.org/"), ("=name", "'=1")]
    assert (row["corrects_drop"], row["corrects_line"]) == (DROP, "3")


def test_cells_of_a_client_are_as_they_are() -> None:
    (row,) = rows(b"http://a.org/,'=1", entry("csv", "url", "n"))
    assert row["fields"] == [("url", "http://a.org/"), ("n", "''=1")]


@pytest.mark.parametrize(
    ("raw", "rule", "message"),
    [
        (b"caf\xe9", "line.encoding", "The line is not UTF-8 (byte 4)."),
        (b"a\0b", "line.nul", "The line holds a NUL byte (byte 2)."),
    ],
)
def test_bytes_that_are_no_text(raw: bytes, rule: str, message: str) -> None:
    (row,) = rows(raw, entry("text"))
    assert (row["rule"], row["message"]) == (rule, message)
    assert dict(row["fields"])["url"].startswith("base64:")
