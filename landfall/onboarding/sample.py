"""A sample of a client's file: its rows as text, in a database that spills to the disk."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self

import duckdb
import pyarrow as pa

from conf.errors import NotFound, StorageError
from conf.settings import Settings
from landfall.onboarding.dialect import Dialect, SampleRefused, dialect
from spark_jobs.fields import Fault, Fields, broken, column_names, csv_reader, json_fields, json_object
from spark_jobs.index import EntryIndex, Indexer, Range
from spark_jobs.lines import records
from targets.archive import Stream, entries

MOST_ROWS = 200_000
_MOST_BYTES = 256 << 20
_MOST_COLUMNS = 1000
_PIECE = 1 << 20
_BATCH = 10_000


@dataclass
class Sample:
    """A sample. A context manager: its database goes with it.

    Attributes:
        dialect: how it is written.
        columns: names of the attributes, in the file's order.
        rows: how many lines there are, those at fault included.
        faults: lines that cannot be taken apart, by rule.
        whole: whether these are all lines of the file.
        database: table ``sample`` with the columns c0, c1 … of text, null where there is nothing.
    """

    dialect: Dialect
    columns: list[str]
    database: duckdb.DuckDBPyConnection
    rows: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    whole: bool = True

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.database.close()


def read_sample(path: Path, settings: Settings, most_rows: int = MOST_ROWS) -> Sample:
    """Reads a sample, plain or packed, in bounded memory: its first rows, at most ``most_rows``.

    Raises:
        NotFound: there is no such file.
        UploadRefused: it would be refused as an upload.
        SampleRefused: it is no text of records.
    """
    with tempfile.TemporaryFile() as copy:
        whole = _copied(path, copy, settings)
        found = dialect(copy)
        database = _database(settings)
        try:
            sample = Sample(found, list(found.columns), database, whole=whole)
            _fill(sample, copy, settings, most_rows)
        except BaseException:
            database.close()
            raise
    return sample


def _copied(path: Path, copy: BinaryIO, settings: Settings) -> bool:
    """Copies the file's text, unpacked, as far as it is looked at; whether that is all of it."""
    try:
        file = path.open("rb")
    except FileNotFoundError as error:
        raise NotFound(f"There is no file {path}.", "Name a sample of the client's files.") from error
    except OSError as error:
        raise StorageError(f"{path} cannot be read: {error.strerror}.", "Give the right to read it.") from error
    with file:
        found = entries(file, settings.landing)
        first = next(found, None)
        if first is None:
            raise SampleRefused(f"{path} is an archive with nothing in it.", "Take a file with rows.")
        if not _copy(first[1], copy):
            return False
        return next(found, None) is None


def _copy(stream: Stream, copy: BinaryIO) -> bool:
    size = 0
    while piece := stream.read(_PIECE):
        size += len(piece)
        if size > _MOST_BYTES:
            copy.write(piece[: piece.rfind(b"\n") + 1])  # no half line
            return False
        copy.write(piece)
    return True


def _database(settings: Settings) -> duckdb.DuckDBPyConnection:
    limits: dict[str, Any] = {"memory_limit": settings.query.memory, "threads": settings.query.threads}
    return duckdb.connect(":memory:", config={**limits, "temp_directory": tempfile.gettempdir()})


def _fill(sample: Sample, copy: BinaryIO, settings: Settings, most_rows: int) -> None:
    described, ranges = _index(sample.dialect, copy, settings)
    if sample.dialect.header and sample.dialect.format == "csv":
        sample.columns = column_names(described) or sample.columns
    if len(sample.columns) > _MOST_COLUMNS:
        raise SampleRefused(f"The sample has more than {_MOST_COLUMNS} columns.", "See that its delimiter is right.")
    sample.database.execute("CREATE TABLE sample (row BIGINT)")
    known: dict[str, None] = {}
    batch: list[dict[str, str | None]] = []
    for row in _rows(copy, ranges, described, sample.columns, settings.lines.max_bytes):
        if sample.rows >= most_rows:
            sample.whole = False
            break
        sample.rows += 1
        if isinstance(row, str):
            sample.faults[row] += 1
            continue
        batch.append(row)
        if len(batch) == _BATCH:
            _insert(sample, known, batch)
            batch = []
    _insert(sample, known, batch)
    sample.columns = list(known)
    if not known:
        raise SampleRefused("No line of the sample can be taken apart into columns.", "Take a sound file.")


def _index(found: Dialect, copy: BinaryIO, settings: Settings) -> tuple[EntryIndex, list[Range]]:
    limits = settings.lines.max_bytes, settings.landing.range_bytes
    how: dict[str, Any] = {"quote": found.quote, "encoding": found.encoding, "header": found.header}
    indexer = Indexer(0, None, found.format, found.delimiter, *limits, **how)
    copy.seek(0)
    while piece := copy.read(_PIECE):
        indexer.feed(piece)
    return indexer.close()


def _rows(
    copy: BinaryIO, ranges: Sequence[Range], described: EntryIndex, names: list[str], max_bytes: int
) -> Iterator[dict[str, str | None] | str]:
    """Each line: its values by column, or the code of the rule that it breaks."""
    read = csv_reader(described, names, strict=True) if described.format == "csv" else _object
    for found in ranges:
        for _, raw in records(copy, found, described):
            said = broken(raw, found, max_bytes, described.encoding) or read(raw)
            if isinstance(said, Fault):
                yield said.rule
            else:
                yield {name: value if isinstance(value, str) else None for name, value in said.items()}


def _object(raw: bytes) -> Fields | Fault:
    said = json_object(raw)
    if isinstance(said, Fault):
        return said
    found = json_fields({name: value for name, value in said.items() if value is not None})
    if isinstance(found, Fault):
        return found
    # JSON can spell half characters, which no text has.
    return {name: str(value).encode("utf-8", "replace").decode("utf-8") for name, value in found.items()}


def _insert(sample: Sample, known: dict[str, None], batch: list[dict[str, str | None]]) -> None:
    """Adds rows; a column that was not known yet is added to the table."""
    if not batch:
        return
    for name in (name for row in batch for name in row):
        if name not in known and len(known) < _MOST_COLUMNS:
            sample.database.execute(f"ALTER TABLE sample ADD COLUMN c{len(known)} VARCHAR")
            known[name] = None
    arrays = [pa.array([row.get(name) for row in batch], pa.string()) for name in known]
    numbers = pa.array(range(sample.rows - len(batch), sample.rows), pa.int64())
    rows = pa.table([numbers, *arrays], ["row", *(f"c{at}" for at in range(len(known)))])
    sample.database.register("batch", rows)
    sample.database.execute("INSERT INTO sample SELECT * FROM batch")
    sample.database.unregister("batch")
