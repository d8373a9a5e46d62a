"""What would become of each line of a file: the way through Land and Validate, in this process and without a trace."""

from __future__ import annotations

import hashlib
import sqlite3
import tempfile
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, ClassVar

from conf.errors import NotFound
from conf.feeds import ImagesFeed
from conf.rules import RULES, rule
from conf.settings import Settings
from spark_jobs.index import EntryIndex, Index, Range
from spark_jobs.indexing import indexer_of
from spark_jobs.lines import records
from spark_jobs.parse import parse
from spark_jobs.urls import UrlPolicy
from targets.archive import Entry, Stream, entries
from targets.refusal import refusal

_PIECE = 1 << 20
_DUPLICATE = "duplicate.in_drop"
SAMPLES = 3


@dataclass(frozen=True)
class Line:
    """One line of the file.

    Attributes:
        entry: which file of an archive, from 0.
        line: its number, from 1.
        rule: ``ok`` if it goes on to be fetched.
        url: canonical; None if it has none.
    """

    entry: int
    line: int
    rule: str
    message: str
    url: str | None

    @property
    def outcome(self) -> str:
        return rule(self.rule).outcome


class Checking:
    """Takes a file apart. ``lines()`` goes through it once; the rest is known afterwards.

    Attributes:
        accepted: what is said of lines that are ok.
        counts: lines by rule.
        samples: the first lines of each rule.
        blank: blank lines, which are no lines.
        files: files in it: 1, or as many as the archive holds.
    """

    accepted: ClassVar[str]

    def __init__(self, settings: Settings, path: Path) -> None:
        self.counts: Counter[str] = Counter()
        self.samples: dict[str, list[Line]] = {}
        self.blank = 0
        self.files = 0
        self._settings = settings
        self._path = path

    def by_outcome(self, outcome: str) -> int:
        """How many lines have an outcome."""
        return sum(count for code, count in self.counts.items() if rule(code).outcome == outcome)

    def lines(self) -> Iterator[Line]:
        """Every line in order, in bounded memory.

        Raises:
            NotFound: there is no such file.
            UploadRefused: the whole file would be refused.
            DropHeld: the whole file would be held.
        """
        try:
            file = self._path.open("rb")
        except FileNotFoundError as error:
            raise NotFound(f"There is no file {self._path}.") from error
        with file:
            self._refuse(file)
            for line in self._lines(file):
                yield self._count(line)

    def _lines(self, file: BinaryIO) -> Iterator[Line]:
        """Every line of a file that would not be refused for its size."""
        raise NotImplementedError

    def _refuse(self, file: BinaryIO) -> None:
        size, most = file.seek(0, 2), self._settings.landing.max_upload_bytes
        if not size:
            raise refusal("upload.empty")
        if size > most:
            raise refusal("upload.too_large", limit=most)

    def _count(self, line: Line) -> Line:
        self.counts[line.rule] += 1
        samples = self.samples.setdefault(line.rule, [])
        if len(samples) < SAMPLES:
            samples.append(line)
        return line


class CheckingImages(Checking):
    """Takes a catalogue apart."""

    accepted = "to be fetched"

    def __init__(self, settings: Settings, feed: ImagesFeed, path: Path) -> None:
        super().__init__(settings, path)
        self._feed = feed

    def _lines(self, file: BinaryIO) -> Iterator[Line]:
        with _Seen() as seen:
            for entry, stream in entries(file, self._settings.landing):
                for row in self._rows(file, entry, stream):
                    yield seen.settle(row)

    def _rows(self, file: BinaryIO, entry: Entry, stream: Stream) -> Iterator[dict[str, Any]]:
        """Rows of PARSED of one file."""
        self.files += 1
        limits = self._settings.lines
        policy = UrlPolicy.of(self._feed, self._settings)
        with tempfile.TemporaryFile() as unpacked:
            # Two passes: the index first, as Land makes it. A plain file is there to be read again.
            copy = None if stream is file else unpacked
            described, ranges = self._index(entry, stream, copy)
            self.blank += Index((described,), ranges).blanks
            for found in ranges:
                raw = records(copy or file, found, described)
                for batch in parse(raw, found, described, policy, limits.max_bytes):
                    yield from batch.to_pylist()

    def _index(self, entry: Entry, stream: Stream, copy: BinaryIO | None) -> tuple[EntryIndex, tuple[Range, ...]]:
        piece = stream.read(_PIECE)
        indexer = indexer_of(self._feed, entry, piece, self._settings)
        while piece:
            indexer.feed(piece)
            if copy is not None:
                copy.write(piece)
            piece = stream.read(_PIECE)
        described, ranges = indexer.close()
        return described, tuple(ranges)


class _Seen:
    """The URLs so far, by digest, in a database that spills to the disk."""

    def __enter__(self) -> _Seen:
        self._database = sqlite3.connect("", isolation_level=None)
        self._database.execute("PRAGMA journal_mode = OFF")
        self._database.execute("CREATE TABLE seen (url BLOB PRIMARY KEY, entry INT, line INT) WITHOUT ROWID")
        self._database.execute("BEGIN")
        return self

    def __exit__(self, *_: object) -> None:
        self._database.close()

    def settle(self, row: dict[str, Any]) -> Line:
        """The line of a row of PARSED: its fault, a duplicate, or good."""
        entry, line, url = row["entry"], row["line"], row["url"]
        if row["rule"] is not None:
            return Line(entry, line, row["rule"], row["message"], url)
        key = hashlib.blake2b(url.encode(), digest_size=16).digest()
        with closing(self._database.cursor()) as cursor:
            if cursor.execute("INSERT OR IGNORE INTO seen VALUES (?, ?, ?)", (key, entry, line)).rowcount:
                return Line(entry, line, "ok", "", url)
            first = cursor.execute("SELECT entry, line FROM seen WHERE url = ?", (key,)).fetchone()
        where = str(first[1]) if not entry and not first[0] else f"{first[0]}:{first[1]}"
        return Line(entry, line, _DUPLICATE, RULES[_DUPLICATE].say(first=where), url)
