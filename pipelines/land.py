"""Land: the drop's bytes into the lake, opened if they are packed, with the index that Spark reads ranges by."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO

from conf.errors import NotFound, StorageError
from conf.feeds import ImagesFeed, RecordsFeed
from conf.settings import Settings
from pipelines.stage import Stage
from spark_jobs.index import EntryIndex, Index, Range
from spark_jobs.indexing import indexer_of
from targets.archive import entries, is_archive
from targets.dataset import Dataset, Staging
from targets.filesystem import FileSystem
from targets.register import identity

_CHUNK = 1 << 20
_INDEX = "index/index.json"
_PACKED = "bytes/original"


class Land(Stage):
    """Output: ``bytes/`` (``original`` if it was packed, and a file an entry) and ``index/index.json``."""

    stage = "land"

    def settings_read(self) -> Mapping[str, Any]:
        settings, feed = self.places.settings, self.dropped.config
        read = {"lines": settings.lines.max_bytes, "format": feed.format, "delimiter": feed.delimiter}
        if isinstance(feed, RecordsFeed):
            return {**read, **feed.model_dump(include={"quote", "encoding", "header"})}
        return read

    def work(self, place: Staging) -> tuple[Mapping[str, int], Mapping[str, str]]:
        self.step(0, 1, "copies and indexes the bytes")
        with self._bytes() as file:
            self._check(file)
            file.seek(0)
            if is_archive(file):
                _copy(file, place, _PACKED)
            file.seek(0)
            index, digests = self._open(file, place)
        place.fs.create(f"{place.path}/{_INDEX}", index.to_json())
        self.step(1, 1, "writes the manifest")
        size = sum(entry.bytes for entry in index.entries)
        counts = {"lines": index.lines, "blank": index.blanks, "entries": len(index.entries), "bytes": size}
        return counts, digests

    @contextlib.contextmanager
    def _bytes(self) -> Iterator[BinaryIO]:
        """The drop's bytes: those that were claimed or, once its uploads are answered, those that lie in the lake."""
        try:
            data = self.places.landing().data_of(self.feed, self.drop)
        except NotFound:
            landed = self._landed()
            if landed is None:
                raise
            with self.places.fs.open(landed) as file:
                yield file
        else:
            with data.open("rb") as file:
                yield file

    def _landed(self) -> str | None:
        """The drop's bytes as they came, in what an earlier Land of it left; None if there is nothing left."""
        fs, dropped = self.places.fs, self.dropped
        builds = self.places.layout.builds(self.stage, self.feed, dropped.receipt, self.drop)
        for entry in fs.list(builds):
            names = (f"{builds}/{entry.name}/{name}" for name in (_PACKED, entry_file(0)))
            found = next((name for name in names if fs.exists(name)), None)
            if found is not None:
                return found
        return None

    def _check(self, file: BinaryIO) -> None:
        digest = identity(self.client, self.feed)
        while piece := file.read(_CHUNK):
            digest.update(piece)
        if digest.hexdigest() != self.drop:
            raise StorageError(
                f"The bytes of drop {self.drop[:12]} of {self.client}/{self.feed} are not those that were claimed.",
                "See who else writes there, and to the disk; then have the client send the file again.",
            )

    def _open(self, file: BinaryIO, place: Staging) -> tuple[Index, dict[str, str]]:
        index = unpack(file, self.dropped.config, self.places.settings, place.fs, place.path)
        return index, {entry_file(one.entry): one.sha256 for one in index.entries}


def unpack(file: BinaryIO, feed: ImagesFeed | RecordsFeed, settings: Settings, fs: FileSystem, path: str) -> Index:
    """Writes the bytes of each entry of a file below a directory, opened if the file is packed; returns their index."""
    found: list[EntryIndex] = []
    ranges: list[Range] = []
    for entry, stream in entries(file, settings.landing):
        piece = stream.read(_CHUNK)
        indexer = indexer_of(feed, entry, piece, settings)
        with fs.writer(f"{path}/{entry_file(entry.ordinal)}") as goal:
            while piece:
                goal.write(piece)
                indexer.feed(piece)
                piece = stream.read(_CHUNK)
        described, its_ranges = indexer.close()
        found.append(described)
        ranges.extend(its_ranges)
    return Index(tuple(found), tuple(ranges))


def entry_file(entry: int) -> str:
    """The file of one entry, relative to Land's output: named by us, never by the archive."""
    return f"bytes/entry-{entry:05d}"


def bytes_of(index: Index, path: str) -> dict[int, str]:
    """Where ``unpack`` wrote the bytes of each entry."""
    return {one.entry: f"{path}/{entry_file(one.entry)}" for one in index.entries}


def read_index(land: Dataset) -> Index:
    """The index that Land wrote."""
    return Index.from_json(land.fs.read(f"{land.path}/{_INDEX}"))


def _copy(file: BinaryIO, place: Staging, name: str) -> None:
    file.seek(0)
    with place.fs.writer(f"{place.path}/{name}") as goal:
        while piece := file.read(_CHUNK):
            goal.write(piece)
