"""Shards whose rows stay in memory."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from spark_jobs import kept
from spark_jobs.kept import Row, write_and_keep
from spark_jobs.shards import Tally
from targets.local import LocalFileSystem

FS = LocalFileSystem()
_SCHEMA = pa.schema([("rule", pa.string()), ("content", pa.binary())])


@given(sizes=st.lists(st.integers(0, 9), max_size=9), most=st.integers(0, 40), count=st.integers(0, 9))
def test_what_is_kept_of_a_shard_has_bounds(sizes: list[int], most: int, count: int) -> None:
    rows: list[Row] = [{"rule": "ok" if size else "bad", "content": b"x" * size if size else None} for size in sizes]
    with pytest.MonkeyPatch.context() as patch, tempfile.TemporaryDirectory() as place:
        patch.setattr(kept, "_BYTES", most)
        patch.setattr(kept, "_ROWS", count)
        made = write_and_keep(FS, f"{place}/0.parquet", _SCHEMA, iter(rows))
        assert pq.read_table(f"{place}/0.parquet").to_pylist() == rows
    assert made
    written, held = made
    pictures = [row for row in rows if row["content"]]
    assert written.tally == Tally(len(pictures), len(rows) - len(pictures), sum(sizes))
    assert list(held) == (pictures if sum(sizes) <= most and len(pictures) <= count else [])


def test_rows_that_are_not_all_there_are_no_rows(tmp_path: Path) -> None:
    rows: list[Row] = [{"rule": "ok", "content": b"x"}, {"rule": "ok", "content": None}]
    made = write_and_keep(FS, f"{tmp_path}/0", _SCHEMA, iter(rows))
    assert made
    assert not made[1]


def test_rows_of_a_shard_that_another_worker_wrote_first_are_not_kept(tmp_path: Path) -> None:
    path = f"{tmp_path}/0"
    theirs: list[Row] = [{"rule": "ok", "content": b"theirs"}]

    def ours() -> Iterator[Row]:
        assert write_and_keep(FS, path, pa.schema([*_SCHEMA, ("more", pa.string())]), iter(theirs))
        yield {"rule": "ok", "content": b"ours"}

    for rows in (ours(), iter(())):  # while ours were made, and before
        assert write_and_keep(FS, path, _SCHEMA, rows) is None
    assert pq.read_table(path)["content"].to_pylist() == [b"theirs"]
