"""One shard's file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa

from spark_jobs import shards
from spark_jobs.shards import Tally, Written
from targets.local import LocalFileSystem

_SCHEMA = pa.schema([("rule", pa.string()), ("content", pa.binary())])


def test_a_shard_that_is_there_is_not_made_again(tmp_path: Path) -> None:
    def none() -> Iterator[dict[str, Any]]:
        raise AssertionError
        yield

    fs, path = LocalFileSystem(), f"{tmp_path}/0"
    first = shards.write_shard(fs, path, _SCHEMA, iter([{"rule": "ok", "content": b"x"}]))
    assert (
        shards.write_shard(fs, path, _SCHEMA, none())
        == first
        == Written("0", first.sha256, Tally(1, 0, 1), tmp_path.name)
    )
