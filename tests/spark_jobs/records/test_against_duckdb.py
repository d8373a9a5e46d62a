"""The same damaged CSV files, as Landfall and as DuckDB's reject tables see them (docs/records.md explains each)."""

from __future__ import annotations

import io
from pathlib import Path

import duckdb
import pytest

from spark_jobs.index import Indexer
from spark_jobs.lines import records
from spark_jobs.records import exact
from spark_jobs.records.exact import Source
from tests.spark_jobs.records.test_fast import records_feed

Found = list[tuple[int, str]]


def landfall(data: bytes) -> Found:
    """Line and rule of each line that cannot be taken apart."""
    feed = records_feed(2)
    indexer = Indexer(0, None, "csv", ",", 100, 1000)
    indexer.feed(data)
    entry, ranges = indexer.close()
    source = Source.of(entry, feed)
    rows = [
        row
        for number, found in enumerate(ranges)
        for row in exact.rows(records(io.BytesIO(data), found, entry), number, found, source, 100)
    ]
    return [(row[2], row[5]) for row in rows if row[5]]


def rejected(data: bytes, file: Path) -> tuple[Found, int]:
    """Line and kind of each of DuckDB's reject errors, and how many rows it reads."""
    file.write_bytes(data)
    con = duckdb.connect()
    rows = con.execute(
        f"select * from read_csv('{file}', header = true, delim = ',', quote = '\"', escape = '\"', "
        "auto_detect = false, columns = {'c0': 'varchar', 'c1': 'varchar'}, store_rejects = true, "
        "max_line_size = 100, strict_mode = true)"
    ).fetchall()
    errors = con.execute("select distinct line, error_type from reject_errors order by all").fetchall()
    return [(line, str(kind)) for line, kind in errors], len(rows)


MISSING, MANY, QUOTE = "MISSING COLUMNS", "TOO MANY COLUMNS", "UNQUOTED VALUE"
ENCODING, LONG = "INVALID ENCODING", "LINE SIZE OVER MAXIMUM"


@pytest.mark.parametrize(
    ("rows", "ours", "theirs", "read"),
    [
        # the same under other names
        (b"1,a\n2,b,x\n3,c\n", [(3, "csv.columns")], [(3, MANY)], 2),
        (b"1,a\n2\n3,c\n", [(3, "csv.columns")], [(3, MISSING)], 2),
        (b"1,a\n2,\xff\n3,c\n", [(3, "line.encoding")], [(3, ENCODING)], 2),
        (b"1,a\n2," + b"x" * 200 + b"\n3,c\n", [(3, "line.too_long")], [(3, LONG)], 2),
        (b'1,a\n2,"b"x\n3,c\n', [(3, "csv.stray_quote")], [(3, QUOTE)], 2),
        (b'1,a\n2,"b\n3,"c"\n4,d\n', [(3, "csv.stray_quote")], [(3, QUOTE)], 2),
        (b'1,a\n2,b"x\n3,c\n', [], [], 3),
        (b"1,a\n\n3,c\n", [], [], 2),
        # DuckDB loses what follows a quote that never ends
        (b'1,a\n2,"b\n3,c\n', [(3, "csv.quote")], [(3, QUOTE)], 1),
        # DuckDB counts records where we count physical lines
        (b'1,"a\nb"\n2\n3,c\n', [(4, "csv.columns")], [(3, MISSING)], 2),
        # a line of spaces is blank to us
        (b"1,a\n  \n3,c\n", [], [(3, MISSING)], 2),
        # DuckDB takes a NUL, and a delimiter at the end
        (b"1,a\n2,x\0y\n3,c\n", [(3, "line.nul")], [], 3),
        (b"1,a,\n3,c\n", [(2, "csv.columns")], [], 2),
        # of a line with two damages we tell the one that hides the other
        (b"1,a\n2,\xff,x\n3,c\n", [(3, "line.encoding")], [(3, MANY), (3, ENCODING)], 2),
    ],
)
def test_each_damage(rows: bytes, ours: Found, theirs: Found, read: int, tmp_path: Path) -> None:
    data = b"c0,c1\n" + rows
    assert landfall(data) == ours
    found, count = rejected(data, tmp_path / "rows.csv")
    assert (sorted(found), count) == (sorted(theirs), read)


@pytest.mark.parametrize("rows", [b"1,a\n2,x\ry\n3,c\n", b"1,a\r\n2,b\r\n3,c\r\n"])
def test_other_line_ends_stop_duckdb_and_not_us(rows: bytes, tmp_path: Path) -> None:
    data = b"c0,c1\n" + rows
    assert landfall(data) == []
    with pytest.raises(duckdb.InvalidInputException):
        rejected(data, tmp_path / "rows.csv")
