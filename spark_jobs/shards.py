"""Shards: Parquet files that Spark's Python workers write, so that no image byte passes the driver or the JVM.

A shard is the unit of work and of resuming: its file appears whole, under its own name, or not at all. Its footer
says how its rows fared, so that progress can be read while a job runs, by whoever sees the directory.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import threading
from collections.abc import Iterator
from itertools import accumulate
from typing import Any, BinaryIO, NamedTuple

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from conf.errors import AlreadyExists
from targets.dataset import file_digest
from targets.filesystem import FileSystem

_ROW_GROUP_BYTES = 16 << 20
_ROW_GROUP_ROWS = 256
# Rows that go to the file together: a page of a few hundred kilobytes fits a processor's cache, 16 MiB do not.
_PAGE_ROWS = 16
_FOOTER = b"landfall"
# By schema: whose rows are made in this process.
_MAKES: dict[pa.Schema, threading.Lock] = {}


class Tally(NamedTuple):
    """How rows fared, and the bytes of their pictures."""

    ok: int = 0
    failed: int = 0
    bytes: int = 0

    def plus(self, other: Tally) -> Tally:
        return Tally(self.ok + other.ok, self.failed + other.failed, self.bytes + other.bytes)


class Written(NamedTuple):
    """One shard that a worker wrote: file name, sha-256 of the file, how its rows fared, name of its directory."""

    name: str
    sha256: str
    tally: Tally
    directory: str = ""


class ShardWriter:
    """Writes rows to one Parquet file in row groups of bounded size.

    Args:
        file: where the bytes go.
        schema: of the rows; its column ``content`` holds the picture and ``rule`` says ``ok`` or what went wrong.
    """

    def __init__(self, file: BinaryIO, schema: pa.Schema) -> None:
        self._sink = _Hashing(file)
        # Pictures are compressed already, and every one is another.
        self._writer = pq.ParquetWriter(
            pa.PythonFile(self._sink, mode="w"),
            schema,
            compression="none",
            use_dictionary=False,
            write_statistics=False,
            write_batch_size=_PAGE_ROWS,
        )
        self._schema = schema
        self._rows: list[dict[str, Any]] = []
        self._bytes = 0
        self._tally = Tally()

    def write(self, row: dict[str, Any]) -> None:
        size, ok = len(row["content"] or b""), row["rule"] == "ok"
        self._rows.append(row)
        self._bytes += size
        self._tally = self._tally.plus(Tally(int(ok), int(not ok), size))
        if self._bytes >= _ROW_GROUP_BYTES or len(self._rows) >= _ROW_GROUP_ROWS:
            self._flush()

    def close(self) -> tuple[str, Tally]:
        """Ends the file; returns its sha-256 and how its rows fared."""
        self._flush()
        self._writer.add_key_value_metadata({_FOOTER: json.dumps(self._tally).encode()})
        self._writer.close()
        return self._sink.digest.hexdigest(), self._tally

    def _flush(self) -> None:
        if self._rows:
            self._writer.write_table(_table(self._rows, self._schema))
            self._rows, self._bytes = [], 0


def _table(rows: list[dict[str, Any]], schema: pa.Schema) -> pa.Table:
    """The rows. Pictures are copied once: Arrow's way from a list moves them again whenever its buffer grows."""
    at = schema.get_field_index("content")
    contents = [row["content"] for row in rows]
    there = pa.array([content is not None for content in contents], pa.bool_())
    ends = pa.array(list(accumulate((len(content or b"") for content in contents), initial=0)), pa.int32())
    joined = pa.py_buffer(b"".join(content or b"" for content in contents))
    column = pa.Array.from_buffers(pa.binary(), len(rows), [there.buffers()[1], ends.buffers()[1], joined])
    return pa.Table.from_pylist(rows, schema=schema.remove(at)).add_column(at, schema.field(at), column)


class _Hashing:
    """A binary file for writing that takes the digest of what passes."""

    closed = False

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._written = 0
        self.digest = hashlib.sha256()

    def write(self, data: bytes) -> int:
        self._file.write(data)
        self.digest.update(data)
        self._written += len(data)
        return len(data)

    def tell(self) -> int:
        return self._written

    def flush(self) -> None:
        self._file.flush()

    def close(self) -> None:
        """The file belongs to whoever opened it."""


def write_shard(fs: FileSystem, path: str, schema: pa.Schema, rows: Iterator[dict[str, Any]]) -> Written:
    """Writes one shard. One that an earlier worker wrote is as good: it is kept, and no row is asked for."""
    return write_new_shard(fs, path, schema, rows) or written_before(fs, path)


def write_new_shard(fs: FileSystem, path: str, schema: pa.Schema, rows: Iterator[dict[str, Any]]) -> Written | None:
    """Writes one shard; None where another worker has written it.

    Of several threads one makes rows of a schema: another's begin while these reach the disk.
    """
    if not fs.exists(path):
        with contextlib.suppress(AlreadyExists), contextlib.ExitStack() as held:
            with _MAKES.setdefault(schema, threading.Lock()):  # given up before the file reaches the disk
                writer = ShardWriter(held.enter_context(fs.writer(path)), schema)
                for row in rows:
                    writer.write(row)
                digest, tally = writer.close()
            held.close()
            return _written(path, digest, tally)
    return None


def written_before(fs: FileSystem, path: str) -> Written:
    """A shard that is there, read to be known."""
    return _written(path, file_digest(fs, path), tally_of(fs, path))


def _written(path: str, digest: str, tally: Tally) -> Written:
    *_, directory, name = path.split("/")
    return Written(name, digest, tally, directory)


def tally_of(fs: FileSystem, path: str) -> Tally:
    """How a finished shard's rows fared, from its footer."""
    with fs.open(path) as file:
        shard = pq.ParquetFile(file)
        said = json.loads(shard.metadata.metadata[_FOOTER])
        # Earlier versions did not count bytes.
        size = said[2:] or [pc.sum(shard.read(["bytes"]).column("bytes")).as_py() or 0]
    return Tally(*said[:2], *size)


def finished(fs: FileSystem, directory: str) -> list[str]:
    """Names of the finished shards of a directory."""
    return [entry.name for entry in fs.list(directory) if entry.name.endswith(".parquet")]


def sha256(content: bytes) -> str:
    """sha-256 as 64 hex digits."""
    return hashlib.sha256(content).hexdigest()
