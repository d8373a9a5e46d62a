"""How a file of records is written: format, encoding, delimiter, quote, header. Told from its beginning."""

from __future__ import annotations

import codecs
import contextlib
import csv
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import BinaryIO, Literal

from conf.errors import LandfallError

DELIMITERS = (",", ";", "\t", "|", "^", "~")
QUOTES = ('"', "'")
_HEAD = 1 << 20
_RECORDS = 2000
_NO_CP1252 = re.compile(rb"[\x81\x8d\x8f\x90\x9d]")
# A name of a column is none of these.
_VALUE = re.compile(r"[-+]?\d+([.,]\d+)*|\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}([ T].*)?|true|false", re.IGNORECASE)


class SampleRefused(LandfallError):
    """A sample of which no configuration can be made."""

    exit_code = 65


@dataclass(frozen=True)
class Dialect:
    """How records are written. ``columns`` are the names that the header gives, or one for each field."""

    format: Literal["csv", "jsonl"]
    encoding: str = "utf-8"
    delimiter: str = ","
    quote: str = '"'
    header: bool = True
    columns: tuple[str, ...] = ()


def dialect(file: BinaryIO) -> Dialect:
    """The dialect of a file, which is left at its beginning; SampleRefused if it is no text of records."""
    file.seek(0)
    head = file.read(_HEAD).removeprefix(codecs.BOM_UTF8)
    file.seek(0)
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) or b"\0" in head[:1000]:
        raise SampleRefused("The sample is UTF-16, or no text at all.", "Have it saved as UTF-8.")
    if not head.strip():
        raise SampleRefused("The sample holds nothing but blank lines.", "Take a file with rows.")
    if head.lstrip().startswith(b"{"):
        return Dialect("jsonl")
    encoding = _encoding(file)
    file.seek(0)
    return _csv(head.decode(encoding, "replace"), encoding, len(head) == _HEAD)


def _encoding(lines: Iterable[bytes]) -> str:
    """UTF-8, unless more lines that are not ASCII are no UTF-8 than are; then one that gives every byte a meaning."""
    sound = broken = 0
    undefined = False
    for line in lines:
        if line.isascii():
            continue
        try:
            line.decode("utf-8")
            sound += 1
        except UnicodeDecodeError:
            broken += 1
            undefined = undefined or _NO_CP1252.search(line) is not None
    if broken <= sound:
        return "utf-8"
    return "iso-8859-1" if undefined else "windows-1252"


def _csv(head: str, encoding: str, is_cut: bool) -> Dialect:
    best, most = Dialect("csv", encoding), (0.0, 0)
    for quote in QUOTES:
        for delimiter in DELIMITERS:
            rows = _rows(head, delimiter, quote, is_cut)
            widths = Counter(map(len, rows))
            width, count = widths.most_common(1)[0]
            # Quotes that are left in cells were none of this dialect's.
            left = sum(cell.startswith(quote) for row in rows[:200] for cell in row for quote in QUOTES)
            score = (count / len(rows) if width > 1 else 0.0, width - left)
            if score > most:
                best, most = replace(best, delimiter=delimiter, quote=quote), score
    first = _rows(head, best.delimiter, best.quote, is_cut)[0]
    names = [cell.strip() for cell in first]
    is_header = all(names) and len(set(names)) == len(names) and not any(map(_VALUE.fullmatch, names))
    columns = tuple(names) if is_header else tuple(f"column_{number}" for number in range(1, len(names) + 1))
    return replace(best, header=is_header, columns=columns)


def _rows(head: str, delimiter: str, quote: str, is_cut: bool) -> list[list[str]]:
    """The first records, taken apart as Python's ``csv`` does, whose rules are those of ``spark_jobs.quoting``."""
    lines = head.split("\n")
    if is_cut and len(lines) > 1:
        lines.pop()
    # A lone CR is an ordinary character to us.
    plain = (line.removesuffix("\r").replace("\r", " ") + "\n" for line in lines)
    rows: list[list[str]] = []
    with contextlib.suppress(csv.Error):  # a field that never ends: what came before it is enough
        for row in csv.reader(plain, delimiter=delimiter, quotechar=quote):
            if any(cell.strip() for cell in row):
                rows.append(row)
            if len(rows) == _RECORDS:
                break
    return rows or [[head[:1000]]]
