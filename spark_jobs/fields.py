"""A record taken apart into the fields that its columns or keys name, exactly, one record at a time. No Spark here."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any, NamedTuple

from conf.rules import RULES
from spark_jobs.index import EntryIndex, Range
from spark_jobs.quoting import Quoting
from spark_jobs.rejects import ADDED, decode

SHOWN = 200
_MOST_DIGITS = 4000
_TOO_LARGE = "it holds a number that is too large"
_DEEPEST = 100
_STRINGS = re.compile(rb'"(?:[^"\\]|\\.)*+"')
_BRACKETS = re.compile(rb"[\[\]{}]")
_DROP = re.compile(r"[0-9a-f]{64}")
_LINE = re.compile(r"\d{1,9}(:\d{1,18})?|\d{1,18}")

Fields = dict[str, str | bytes]


class Fault(NamedTuple):
    """Why a line is quarantined."""

    rule: str
    value: str | None
    message: str


def fault(rule: str, value: str | None, **said: object) -> Fault:
    """A fault with its message."""
    return Fault(rule, value, RULES[rule].say(value=value, **said))


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


def broken(raw: bytes, found: Range, max_bytes: int, encoding: str = "utf-8") -> Fault | None:
    """What is wrong with the bytes of a line."""
    if found.fault == "line.too_long":
        return fault("line.too_long", None, length=found.length, limit=max_bytes)
    if b"\0" in raw:
        return fault("line.nul", None, at=raw.index(b"\0") + 1)
    try:
        raw.decode(encoding)
    except UnicodeDecodeError as error:
        return fault("line.encoding", None, at=error.start + 1, encoding=encoding.upper())
    return None


def csv_reader(entry: EntryIndex, names: list[str], *, strict: bool = False) -> Callable[[bytes], Fields | Fault]:
    """Takes a record of CSV apart.

    Args:
        entry: the file that it is of.
        names: of its columns, in order, each once.
        strict: whether text after the quote that ends a field is a fault: it may be that a quote is missing, and that
            the record has swallowed the next.
    """
    mended = is_mended(entry)
    quoting = Quoting(entry.delimiter, entry.quote)

    def read(raw: bytes) -> Fields | Fault:
        fields, closed = quoting.fields(raw)
        if not closed:
            return fault("csv.quote", None)
        if strict and quoting.quote in raw and quoting.is_stray(raw):
            return fault("csv.stray_quote", None)
        cells = [cell.decode(entry.encoding) for cell in fields]
        if len(cells) != len(names):
            return fault("csv.columns", None, found=len(cells), wanted=len(names))
        # Only a file that we wrote holds cells that we escaped.
        return dict(zip(names, map(decode, cells) if mended else cells, strict=True))

    return read


def json_object(raw: bytes) -> dict[str, Any] | Fault:
    """The object that a line of JSON is; a number with a point or an exponent is a ``Number``."""
    try:
        _check_depth(raw)
        said = json.loads(raw, object_pairs_hook=_once, parse_constant=_no_constant, parse_int=_int, parse_float=Number)
    except json.JSONDecodeError as error:
        # its own "line 1" would be taken for the file's
        return fault("json.malformed", None, reason=f"{error.msg} at character {error.pos + 1}")
    except ValueError as error:
        return fault("json.malformed", None, reason=str(error)[:SHOWN])
    if not isinstance(said, dict):
        return fault("json.malformed", None, reason=f"it is {_kind(said)}, not an object")
    return said


class Number(float):
    """A number of JSON that remembers how it was written: a price of 1.10 stays one."""

    text: str

    def __new__(cls, text: str) -> Number:
        """The number that a text says."""
        number = super().__new__(cls, text)
        number.text = text
        return number


def json_fields(said: dict[str, Any]) -> Fields | Fault:
    """An object as texts: a string as it is, any other value as JSON writes it, a null left out."""
    try:
        return {_name(name): json_text(value) for name, value in said.items()}
    except ValueError:
        return fault("json.malformed", None, reason=_TOO_LARGE)


def json_text(value: object) -> str:
    """A value as text; ValueError for a number that JSON cannot say."""
    if isinstance(value, str):
        return value
    if isinstance(value, Number) and value - value == 0:
        return value.text
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


def corrects(said: Fields) -> dict[str, str]:
    """Which line of which drop a mended line corrects."""
    drop, line = said.get("_drop"), said.get("_line")
    if isinstance(drop, str) and isinstance(line, str) and _DROP.fullmatch(drop) and _LINE.fullmatch(line):
        return {"corrects_drop": drop, "corrects_line": line}
    return {}


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


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key comes twice")
    return found


def _no_constant(name: str) -> float:
    raise ValueError(f"{name} is no JSON")
