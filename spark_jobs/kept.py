"""Shards whose rows stay in memory for what comes next, which need not read them again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, TypeAlias

import pyarrow as pa

from spark_jobs import shards
from spark_jobs.shards import Written
from targets.filesystem import FileSystem

Row: TypeAlias = dict[str, Any]

# A shard that has more is read again, a row group at a time. A worker keeps two of originals at most (one is fetched,
# of one pictures are made) and four of pictures (one is made, one reaches the disk, one waits, and one is stored, as
# base64, too).
_BYTES = 16 << 20
_ROWS = 1024


def write_and_keep(
    fs: FileSystem, path: str, schema: pa.Schema, rows: Iterator[Row]
) -> tuple[Written, Sequence[Row]] | None:
    """As ``shards.write_new_shard``; also returns the rows with content: all of them, or none if they are too many.

    None where another worker has written the shard, whose rows may be others.
    """
    kept: list[Row] = []
    written = shards.write_new_shard(fs, path, schema, _keep(rows, kept))
    return written and (written, kept if len(kept) == written.tally.ok else ())


def _keep(rows: Iterator[Row], kept: list[Row]) -> Iterator[Row]:
    """Passes rows on, and puts those with content into ``kept`` unless they are too many."""
    seen = size = 0
    for row in rows:
        if row["content"] is not None:
            seen, size = seen + 1, size + len(row["content"])
            if seen > _ROWS or size > _BYTES:
                kept.clear()
            else:
                kept.append(row)
        yield row
