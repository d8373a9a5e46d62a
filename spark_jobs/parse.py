"""What each record of a catalogue says: its URL, or why it is quarantined. No Spark here."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pyarrow as pa

from spark_jobs.index import EntryIndex, Range
from spark_jobs.quoting import Quoting
from spark_jobs.rejects import ADDED, decode, encode
from spark_jobs.schemas import PARSED
from spark_jobs.urls import Checked, Fault, UrlPolicy, check, fault

_BATCH_ROWS = 1000
_SHOWN = 200
_MOST_DIGITS = 4000
_TOO_LARGE = "it holds a number that is too large"
_DEEPEST = 100
_STRINGS = re.compile(rb'"(?:[^"\\]|\\.)*+"')
_BRACKETS = re.compile(rb"[\[\]{}]")
_DROP = re.compile(r"[0-9a-f]{64}")
_LINE = re.compile(r"\d{1,9}(:\d{1,18})?|\d{1,18}")

Fields = dict[str, str | bytes]
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


def is_mended(entry: EntryIndex) -> bool:
    """Whether the entry is a file of rejects, come back."""
    return set(ADDED) <= set(entry.columns)


def column_names(entry: EntryIndex) -> list[str]:
    """A CSV header's names, each once: a name that comes again, or is empty, gets its column's number."""
    names: list[str] = []
    for number, cell in enumerate(entry.columns, 1):
        name = str(decode(cell)) if is_mended(entry) else cell
        while not name or name in names:
            name = f"{name}_{number}"
        names.append(name)
    return names


def _row(
    line: int,
    raw: bytes,
    found: Range,
    entry: EntryIndex,
    read: Callable[[bytes], Fields | Fault],
    policy: UrlPolicy,
    max_bytes: int,
) -> dict[str, Any]:
    said = _broken(raw, found, max_bytes) or read(raw)
    row: dict[str, Any] = {"entry": entry.entry, "line": line}
    if isinstance(said, Fault):
        return {**row, **said._asdict(), "fields": {"url": encode(raw)}}
    row |= _corrects(said)
    row["fields"] = {name: encode(value) for name, value in said.items() if name not in ADDED}
    checked = _url(said, entry, policy)
    return {**row, **checked._asdict()}


def _broken(raw: bytes, found: Range, max_bytes: int) -> Fault | None:
    """What is wrong with the bytes of a line."""
    if found.fault == "line.too_long":
        return fault("line.too_long", None, length=found.length, limit=max_bytes)
    if b"\0" in raw:
        return fault("line.nul", None, at=raw.index(b"\0") + 1)
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError as error:
        return fault("line.encoding", None, at=error.start + 1)
    return None


def _reader(entry: EntryIndex) -> Callable[[bytes], Fields | Fault]:
    """Takes a record of this file apart into its columns."""
    if entry.format == "jsonl":
        return _json
    if entry.format == "text":
        return lambda raw: {"url": raw.decode("utf-8")}
    names = column_names(entry)
    mended = is_mended(entry)
    quoting = Quoting(entry.delimiter)

    def read(raw: bytes) -> Fields | Fault:
        fields, closed = quoting.fields(raw)
        if not closed:
            return fault("csv.quote", None)
        cells = [cell.decode("utf-8") for cell in fields]
        if len(cells) != len(names):
            return fault("csv.columns", None, found=len(cells), wanted=len(names))
        # Only a file that we wrote holds cells that we escaped.
        return dict(zip(names, map(decode, cells) if mended else cells, strict=True))

    return read


def _json(raw: bytes) -> Fields | Fault:
    try:
        _check_depth(raw)
        said = json.loads(raw, object_pairs_hook=_once, parse_constant=_no_constant, parse_int=_int)
    except json.JSONDecodeError as error:
        # its own "line 1" would be taken for the file's
        return fault("json.malformed", None, reason=f"{error.msg} at character {error.pos + 1}")
    except ValueError as error:
        return fault("json.malformed", None, reason=str(error)[:_SHOWN])
    if not isinstance(said, dict):
        return fault("json.malformed", None, reason=f"it is {_kind(said)}, not an object")
    if not isinstance(said.get(_url_column(said)), str):
        return fault("json.no_url", None)
    try:
        return {_name(name): value if isinstance(value, str) else _json_text(value) for name, value in said.items()}
    except ValueError:
        return fault("json.malformed", None, reason=_TOO_LARGE)


def _int(digits: str) -> int:
    """Python's own limit speaks of Python."""
    if len(digits) > _MOST_DIGITS:
        raise ValueError(_TOO_LARGE)
    return int(digits)


def _kind(said: object) -> str:
    """What a JSON value is, in JSON's words (RFC 8259, 3)."""
    if said is None or isinstance(said, bool):
        return json.dumps(said)
    if isinstance(said, str):
        return "a string"
    return "an array" if isinstance(said, list) else "a number"


def _check_depth(raw: bytes) -> None:
    """Refuses what is nested deeply by a limit of our own: Python's depends on who calls."""
    if raw.count(b"[") + raw.count(b"{") <= _DEEPEST:
        return
    depth = 0
    for bracket in _BRACKETS.findall(_STRINGS.sub(b"", raw)):
        depth += 1 if bracket in b"[{" else -1
        if depth > _DEEPEST:
            raise ValueError(f"it is nested more than {_DEEPEST} deep")


def _name(name: str) -> str:
    """A key without the half characters that JSON can spell and no column can carry."""
    return name.encode("utf-8", "replace").decode("utf-8")


def _json_text(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key comes twice")
    return found


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is no JSON")


def _url(said: Fields, entry: EntryIndex, policy: UrlPolicy) -> Checked | Fault:
    value = said.get(_url_column(said), "")
    if entry.format != "text" and not value.strip():
        return fault("json.no_url" if entry.format == "jsonl" else "csv.no_url", None)
    if isinstance(value, bytes):
        return fault("line.encoding", None, at=_first_bad(value))
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


def _corrects(said: Fields) -> dict[str, str]:
    """Which line of which drop a mended line corrects."""
    drop, line = said.get("_drop"), said.get("_line")
    if isinstance(drop, str) and isinstance(line, str) and _DROP.fullmatch(drop) and _LINE.fullmatch(line):
        return {"corrects_drop": drop, "corrects_line": line}
    return {}
