"""What the index must agree with: an entry split plainly, in memory, byte by byte."""

from __future__ import annotations

from typing import NamedTuple

BLANK = b" \t\r\v\f"


class Found(NamedTuple):
    line: int
    record: bytes
    fault: str | None


def split(data: bytes, form: str, delimiter: bytes, limit: int) -> tuple[list[Found], int, bytes | None]:
    """All lines of an entry of known format, how many blank lines it has, and its CSV header."""
    lines = physical(data.removeprefix(b"\xef\xbb\xbf"))
    found: list[Found] = []
    blanks, header = 0, None
    at = 0
    while at < len(lines):
        whole = 1
        content = without_end(lines[at])
        fault = None
        if len(content) > limit:
            fault, content = "line.too_long", content[:1000]
        elif not content.strip(BLANK):
            blanks += 1
            at += 1
            continue
        elif form == "csv" and inside_quotes(lines[at], delimiter):
            joined = lines[at]
            while inside_quotes(joined, delimiter) and at + whole < len(lines) and len(joined) <= limit + 2:
                joined += lines[at + whole]
                whole += 1
            if inside_quotes(joined, delimiter) or len(without_end(joined)) > limit:
                fault, whole = "csv.quote", 1
            else:
                content = without_end(joined)
        if form == "csv" and header is None and not found and not fault:
            header = content
        else:
            found.append(Found(at + 1, content, fault))
        at += whole
    return found, blanks, header


def physical(data: bytes) -> list[bytes]:
    lines = [line + b"\n" for line in data.split(b"\n")]
    last = lines.pop()[:-1]
    return [*lines, last] if last else lines


def without_end(line: bytes) -> bytes:
    return line[:-1].removesuffix(b"\r") if line.endswith(b"\n") else line


def inside_quotes(text: bytes, delimiter: bytes) -> bool:
    """Whether a record that begins with ``text`` is inside quotes at its end."""
    state = "start"
    for at in range(len(text)):
        byte = text[at : at + 1]
        if state == "quoted":
            state = "closing" if byte == b'"' else "quoted"
        elif state in ("closing", "start") and byte == b'"':
            state = "quoted"
        else:
            state = "start" if byte in (delimiter, b"\n") else "plain"
    return state == "quoted"
