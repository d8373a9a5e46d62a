"""What each record of a catalogue says: its URL, or why it is quarantined. No Spark here."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pyarrow as pa

from spark_jobs.fields import Fault, Fields, broken, column_names, corrects, csv_reader, fault, json_fields, json_object
from spark_jobs.index import EntryIndex, Range
from spark_jobs.rejects import ADDED, encode
from spark_jobs.schemas import PARSED
from spark_jobs.urls import Checked, UrlPolicy, check

_BATCH_ROWS = 1000
Record = tuple[int, bytes]


def parse(
    records: Iterable[Record], found: Range, entry: EntryIndex, policy: UrlPolicy, max_bytes: int
) -> Iterator[pa.RecordBatch]:
    """Records of one range -> batches of schemas.PARSED.

    Args:
        records: (line, bytes) as ``spark_jobs.lines.records`` gives them.
        found: the range that they are of.
        entry: the file that the range is of.
        max_bytes: the limit of a line, for the message of one that is too long.
    """
    read = _reader(entry)
    rows = (_row(line, raw, found, entry, read, policy, max_bytes) for line, raw in records)
    while some := list(itertools.islice(rows, _BATCH_ROWS)):
        yield pa.RecordBatch.from_pylist(some, schema=PARSED)


def _row(
    line: int,
    raw: bytes,
    found: Range,
    entry: EntryIndex,
    read: Callable[[bytes], Fields | Fault],
    policy: UrlPolicy,
    max_bytes: int,
) -> dict[str, Any]:
    said = broken(raw, found, max_bytes) or read(raw)
    row: dict[str, Any] = {"entry": entry.entry, "line": line}
    if isinstance(said, Fault):
        return {**row, **said._asdict(), "fields": {"url": encode(raw)}}
    row |= corrects(said)
    row["fields"] = {name: encode(value) for name, value in said.items() if name not in ADDED}
    checked = _url(said, entry, policy)
    return {**row, **checked._asdict()}


def _reader(entry: EntryIndex) -> Callable[[bytes], Fields | Fault]:
    """Takes a record of this file apart into its columns."""
    if entry.format == "jsonl":
        return _json
    if entry.format == "text":
        return lambda raw: {"url": raw.decode("utf-8")}
    return csv_reader(entry, column_names(entry))


def _json(raw: bytes) -> Fields | Fault:
    said = json_object(raw)
    if isinstance(said, Fault):
        return said
    return json_fields(said) if isinstance(said.get(_url_column(said)), str) else fault("json.no_url", None)


def _url(said: Fields, entry: EntryIndex, policy: UrlPolicy) -> Checked | Fault:
    value = said.get(_url_column(said), "")
    if entry.format != "text" and not value.strip():
        return fault("json.no_url" if entry.format == "jsonl" else "csv.no_url", None)
    if isinstance(value, bytes):
        return fault("line.encoding", None, at=_first_bad(value), encoding="UTF-8")
    return check(value, policy)


def _url_column(names: Iterable[str]) -> str:
    """The column that holds the URL, whatever its case."""
    return next((name for name in names if name.strip().lower() == "url"), "url")


def _first_bad(value: bytes) -> int:
    try:
        value.decode("utf-8")
    except UnicodeDecodeError as error:
        return error.start + 1
    return 1
