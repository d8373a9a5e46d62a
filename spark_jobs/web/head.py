"""The head of an answer: what libcurl has read of it, taken strictly."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from spark_jobs.web.failure import Failure

MOST_LINES = 102  # 100 headers, the status line and the empty line at the end
_LONGEST = 8190  # bytes of one header, or of the status line
_LONGEST_NUMBER = 18  # digits: more bytes than anybody has
_SWITCHING = 101
_FINAL = 200
_HEAD = re.compile(
    rb"HTTP/1\.[01] ([1-9][0-9]{2})(?: [^\r\n]*)?\r?\n"
    rb"(?:[!#$%&'*+.^_`|~0-9A-Za-z-]++:[^\0\r\n]*+\r?\n)*+"  # RFC 9112 5
    rb"\r?\n"
)
# Told twice and not alike, these would say two things; of the others, the first counts.
_ONCE = frozenset({"content-length", "content-encoding", "transfer-encoding", "location"})
_ASKED = {name.encode(): name for name in (*_ONCE, "content-type", "retry-after")}


class Head(NamedTuple):
    """Status and headers of an answer: those that anybody asks about, by name in lower case."""

    status: int
    headers: Mapping[str, str]

    @property
    def length(self) -> int | None:
        """Bytes of the body as it is sent, where the answer says so beforehand."""
        told = self.headers.get("content-length")
        return None if told is None or "transfer-encoding" in self.headers else int(told[:_LONGEST_NUMBER])

    @property
    def encoding(self) -> str:
        """How the body is encoded, empty for not at all."""
        return self.headers.get("content-encoding", "").lower()


def read_head(lines: Sequence[bytes]) -> Head | None:
    """The head of an answer; none when the answer proper is still to come (1xx).

    Args:
        lines: as libcurl gives them: the status line, headers, the empty line behind them.

    Raises:
        Failure: for what is no sound HTTP.
    """
    if len(lines) > MOST_LINES or max(map(len, lines)) > _LONGEST:
        raise _unsound(f"more than {MOST_LINES - 2} headers, or one of more than {_LONGEST:,} bytes")
    found = _HEAD.fullmatch(b"".join(lines))
    if found is None:
        raise _unsound("its status line or one of its headers is none")
    status = int(found[1])
    return Head(status, _headers(lines[1:-1])) if status >= _FINAL or status == _SWITCHING else None


def _headers(lines: Sequence[bytes]) -> dict[str, str]:
    headers: dict[str, str] = {}
    for line in lines:
        name, _, value = line.partition(b":")
        key = _ASKED.get(name.lower())
        if key is not None:
            text = value.strip().decode("utf-8", "surrogateescape")
            if headers.setdefault(key, text) != text and key in _ONCE:
                raise _unsound(f"it says {key} twice")
    told = headers.get("content-length", "0")
    if not (told.isascii() and told.isdigit()):
        raise _unsound("its length is no number")
    return headers


def _unsound(reason: str) -> Failure:
    return Failure("fetch.protocol", reason=reason)
