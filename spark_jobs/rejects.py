"""Cells of the rejects file: safe to open in a spreadsheet, and read back exactly as they were."""

from __future__ import annotations

import base64
import binascii

from spark_jobs.quoting import Quoting

# What is added to the feed's own columns; a file that has all of these is a mended rejects file.
ADDED = ("_line", "_rule", "_message", "_fix", "_drop")

_ESCAPE = "'"
_BASE64 = "base64:"
# A spreadsheet takes a cell that begins with one of these for a formula (OWASP, CSV Injection).
_RISKY = ("=", "+", "-", "@", "\t", "\r", "\n", _ESCAPE, _BASE64)

_DOUBTFUL = frozenset(begin[:1] for begin in _RISKY)


def encode(value: str | bytes) -> str:
    """A value as a cell: text as it is, with ``'`` before what a spreadsheet would run; other bytes in base64."""
    if isinstance(value, str):
        if value.isascii() and value[:1] not in _DOUBTFUL and "\0" not in value:  # as most are
            return value
        value = value.encode("utf-8", "surrogatepass")
    try:
        text = value.decode("utf-8")
    except UnicodeDecodeError:
        text = None
    if text is None or "\0" in text:
        return _BASE64 + base64.b64encode(value).decode("ascii")
    return _ESCAPE + text if text.startswith(_RISKY) else text


def decode(cell: str) -> str | bytes:
    """The value of a cell that ``encode`` made: text, or the bytes of what is no text.

    A cell that a person has mended is text like any other, whatever it begins with.
    """
    if cell.startswith(_ESCAPE) and cell[1:].startswith(_RISKY):
        return cell[1:]
    if cell.startswith(_BASE64):
        try:
            return _text_or_bytes(base64.b64decode(cell.removeprefix(_BASE64), validate=True))
        except binascii.Error:
            return cell
    return cell


def are_rejects(head: bytes, delimiter: str) -> bool:
    """Whether a file that begins so is one of rejects, come back: it is CSV whatever the feed's format is."""
    header = head.removeprefix(b"\xef\xbb\xbf").partition(b"\n")[0].rstrip(b"\r")
    return {name.encode() for name in ADDED} <= {field.strip() for field in Quoting(delimiter).fields(header)[0]}


def _text_or_bytes(value: bytes) -> str | bytes:
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return value
