"""Every line parsed, checked and deduplicated, in however many ranges."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from pyspark.sql import SparkSession

from landfall.sample_web import catalogue
from spark_jobs.index import Index, Indexer
from spark_jobs.rejects import encode
from spark_jobs.urls import UrlPolicy
from spark_jobs.validate import Counts, validate
from targets.local import LocalFileSystem

BASE = "http://127.0.0.1:8200"
POLICY = UrlPolicy(("127.0.0.1:8200",), (80, 443), r"/(?P<width>\d+)/(?P<height>\d+)$", 10_000)
MAX_BYTES = 64 << 10
FS = LocalFileSystem()
DROP = "a" * 64


def run(
    spark: SparkSession, place: Path, *contents: bytes, range_bytes: int = 1 << 20, max_bytes: int = MAX_BYTES
) -> tuple[Counts, list[dict[str, Any]], list[dict[str, Any]], Index]:
    """Validates a drop of these entries; returns counts, requests and settled lines in order, and the index."""
    place.mkdir(parents=True)
    entries, ranges, data = [], [], {}
    for number, content in enumerate(contents):
        indexer = Indexer(number, None, "auto", ",", max_bytes, range_bytes)
        indexer.feed(content)
        entry, found = indexer.close()
        entries.append(entry)
        ranges += found
        data[number] = str(place / f"entry-{number}")
        Path(data[number]).write_bytes(content)
    index = Index(tuple(entries), tuple(ranges))
    counts = validate(spark, FS, index, data, str(place / "goal"), POLICY, max_bytes, shard_rows=10)
    requests, settled = (rows(place / "goal" / table) for table in ("requests", "settled"))
    assert counts.requests + counts.quarantined + counts.duplicate == index.lines
    return counts, requests, settled, index


def rows(table: Path) -> list[dict[str, Any]]:
    found = [row for file in table.glob("*.parquet") for row in pq.read_table(file).to_pylist()]
    return sorted(found, key=lambda row: (row["entry"], row["line"]))


def outcomes(settled: list[dict[str, Any]]) -> list[tuple[int, str]]:
    return [(row["line"], row["rule"]) for row in settled]


def test_every_kind_of_fault_and_eight_ranges_say_the_same_as_one(spark: SparkSession, tmp_path: Path) -> None:
    lines = catalogue(BASE, 400, seed=5)
    content = b"".join(line.content + b"\r\n" for line in lines)
    _, requests, settled, one = run(spark, tmp_path / "one", content)
    _, *again, many = run(spark, tmp_path / "many", content, range_bytes=len(content) // 30)
    assert len(many.ranges) >= 8 > 4 >= len(one.ranges)
    assert again == [requests, settled]
    before_the_web = ("line.", "url.", "duplicate.")
    intended = [(number, line.rule) for number, line in enumerate(lines, 1) if line.rule.startswith(before_the_web)]
    assert outcomes(settled) == intended
    assert len(requests) < 390
    assert {row["shard"] for row in requests} == set(range(-(-len(requests) // 10)))


def test_shares_of_the_lines_make_the_same_tables_with_shards_of_their_own(
    spark: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def without_shards(ran: tuple[Counts, list[dict[str, Any]], *tuple[Any, ...]]) -> object:
        counts, requests, *more = ran
        return counts, [row | {"shard": None} for row in requests], more

    content = b"".join(line.content + b"\n" for line in catalogue(BASE, 400, seed=5))
    one = run(spark, tmp_path / "one", content)
    monkeypatch.setattr("spark_jobs.made._SHARE_ROWS", 100)
    several = run(spark, tmp_path / "several", content)
    assert without_shards(several) == without_shards(one)
    files = [pq.read_table(file) for file in (tmp_path / "several" / "goal" / "requests").glob("*.parquet")]
    shards = [file["shard"].to_pylist() for file in files]
    assert len(files) > 1
    assert all(of_file == sorted(of_file) for of_file in shards)
    assert sum(len(set(of_file)) for of_file in shards) == len({shard for of_file in shards for shard in of_file})
    assert all(-(-len(of_file) // 10) >= len(set(of_file)) > len(of_file) / 20 for of_file in shards)


def test_a_csv_with_everything(spark: SparkSession, tmp_path: Path) -> None:
    content = (
        b"\xef\xbb\xbfname,URL \r\n"
        b'"two\r\nlines",http://127.0.0.1:8200/1/2\r\n'
        b"\r\n"
        b"short\r\n"
        b",\r\n"
        b'x,"http://127.0.0.1:8200/1/2"\r\n'
        b'y,"never ends\r\n'
        b"z,http://127.0.0.1:8200/3/4"
    )
    counts, requests, settled, index = run(spark, tmp_path / "csv", content)
    assert counts == Counts(2, 3, 1)
    assert (index.lines, index.blanks) == (6, 1)
    assert [(row["line"], row["url"]) for row in requests] == [
        (2, "http://127.0.0.1:8200/1/2"),
        (9, "http://127.0.0.1:8200/3/4"),
    ]
    assert dict(requests[0]["fields"]) == {"name": "two\r\nlines", "URL": "http://127.0.0.1:8200/1/2"}
    assert outcomes(settled) == [(5, "csv.columns"), (6, "csv.no_url"), (7, "duplicate.in_drop"), (8, "csv.quote")]


def test_json_lines(spark: SparkSession, tmp_path: Path) -> None:
    bad = ["[1]", "{", '{"url": 3}', "{}", '{"url": "x", "url": "y"}', '{"url": NaN}', "[" * 50_000]
    content = "\n".join(['{"url": "http://127.0.0.1:8200/1/2", "tags": ["a"]}', *bad]).encode()
    counts, requests, settled, _ = run(spark, tmp_path / "json", content)
    assert counts == Counts(1, 7, 0)
    assert dict(requests[0]["fields"])["tags"] == '["a"]'
    rules = ["malformed", "malformed", "no_url", "no_url", "malformed", "malformed", "malformed"]
    assert outcomes(settled) == [(number, f"json.{rule}") for number, rule in enumerate(rules, 2)]


def test_duplicates_name_the_first_line_across_entries(spark: SparkSession, tmp_path: Path) -> None:
    one, two = b"http://127.0.0.1:8200/1/2\n", b"http://127.0.0.1:8200/3/4#a\nHTTP://127.0.0.1:8200/1/2\n"
    counts, requests, settled, _ = run(spark, tmp_path / "zip", one, two)
    assert counts == Counts(2, 0, 1)
    assert [(row["entry"], row["line"]) for row in requests] == [(0, 1), (1, 1)]
    (repeat,) = settled
    assert (repeat["entry"], repeat["line"], repeat["first_entry"], repeat["first_line"]) == (1, 2, 0, 1)
    assert repeat["message"] == "The same as line 0:1."


def test_a_mended_rejects_file_says_what_it_corrects(spark: SparkSession, tmp_path: Path) -> None:
    header = b"url,_line,_rule,_message,_fix,_drop\n"
    good = f"http://127.0.0.1:8200/1/2,7,url.scheme,m,f,{DROP}\n".encode()
    still_bad = f"{encode('=cmd')},9,url.scheme,m,f,not a drop\n".encode()
    _, (request,), (settled,), _ = run(spark, tmp_path / "mended", header + good + still_bad)
    assert (request["corrects_drop"], request["corrects_line"]) == (DROP, "7")
    assert request["fields"] == [("url", "http://127.0.0.1:8200/1/2")]
    assert settled["corrects_drop"] is None
    assert settled["fields"] == [("url", "'=cmd")]


@pytest.mark.parametrize("content", [b"", b"\n\n", b"no url\n"])
def test_nothing_to_ask_for(spark: SparkSession, tmp_path: Path, content: bytes) -> None:
    counts, requests, settled, _ = run(spark, tmp_path / "nothing", content)
    assert requests == []
    assert counts.requests == 0
    assert len(settled) == counts.quarantined == content.count(b"url")


def test_a_line_that_is_too_long_shows_how_it_begins(spark: SparkSession, tmp_path: Path) -> None:
    content = b"http://127.0.0.1:8200/1/2\n" + b"x" * 5000 + b"\nhttp://127.0.0.1:8200/3/4\n"
    counts, requests, settled, _ = run(spark, tmp_path / "long", content, max_bytes=2000)
    assert counts == Counts(2, 1, 0)
    assert [row["line"] for row in requests] == [1, 3]
    assert settled[0]["message"] == "The line has 5000 bytes; 2000 are allowed."
    assert settled[0]["fields"] == [("url", "x" * 1000)]
