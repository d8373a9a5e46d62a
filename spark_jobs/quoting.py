"""Quotes in CSV, on bytes: which line ends lie inside a quoted field, and what the fields of a record are.

The rules are those of Python's ``csv``, not strict: a quote opens only at the start of a field, ``""`` inside is a
quote, what follows a closing quote up to the delimiter is kept, and a quote anywhere else is an ordinary character.
A line end is LF; a CR is an ordinary character here.
"""

from __future__ import annotations

import re

import numpy as np
import numpy.typing as npt


class Quoting:
    """The rules for one delimiter.

    Args:
        delimiter: one ASCII character.
        quote: another.
    """

    def __init__(self, delimiter: str, quote: str = '"') -> None:
        self._mark, self._sign = ord(delimiter), delimiter.encode("ascii")
        self.quote = quote.encode("ascii")
        mark, sign = re.escape(self._sign), re.escape(self.quote)
        # Possessive throughout: no input makes these step back, so each byte is looked at once.
        inner = rb"[^%b]*+(?:%b%b[^%b]*+)*+" % (sign, sign, sign, sign)
        self._quoted = re.compile(rb"%b(?<![^\n%b]%b)%b(%b?+)[^\n%b]*+" % (sign, mark, sign, inner, sign, mark))
        self._field = re.compile(rb"(?:%b(%b)(%b?+))?+([^%b]*+)(%b|\Z)" % (sign, inner, sign, mark, mark))

    def mask(self, data: bytes) -> tuple[bytes, bool]:
        """Data that begins where a record begins -> the same with each LF inside quotes written as a quote.

        Returns:
            As many bytes as came, in which every LF ends a record; and whether the last quoted field ends.
        """
        if self.quote not in data:
            return data, True
        quotes = np.flatnonzero(np.frombuffer(data, np.uint8) == self.quote[0])
        if self._all_structural(data, quotes):
            return _mask_by_parity(data, quotes, self.quote[0]), len(quotes) % 2 == 0
        masked, closed = None, True
        for field in self._quoted.finditer(data):
            start, end = field.span()
            closed = field.end(1) > field.start(1)
            if data.find(b"\n", start, end) >= 0:
                masked = masked or bytearray(data)
                masked[start:end] = data[start:end].replace(b"\n", self.quote)
        return bytes(masked) if masked else data, closed

    def _all_structural(self, data: bytes, quotes: npt.NDArray[np.intp]) -> bool:
        """Whether no quote is an ordinary character, so that every second one, from the first, opens or reopens."""
        opening = quotes[::2]
        before = np.frombuffer(b"\n" + data, np.uint8)[opening]
        fine = (before == ord("\n")) | (before == self._mark)
        fine[1:] |= opening[1:] == quotes[1::2][: len(opening) - 1] + 1
        return bool(fine.all())

    def fields(self, record: bytes) -> tuple[list[bytes], bool]:
        """The fields of one record (without its line end).

        Returns:
            The fields, unquoted, as they were sent otherwise; and whether the last of them, if quoted, ends.
        """
        if self.quote not in record:
            return record.split(self._sign), True
        found, closed = [], True
        for field in self._field.finditer(record):
            quoted, end, plain, mark = field.groups()
            found.append((quoted or b"").replace(self.quote * 2, self.quote) + plain)
            if not mark:
                closed = quoted is None or bool(end)
                break
        return found, closed

    def is_stray(self, record: bytes) -> bool:
        """Whether text stands between the quote that ends a field and the next delimiter."""
        for field in self._field.finditer(record):
            quoted, end, plain, mark = field.groups()
            if quoted is not None and end and plain:
                return True
            if not mark:
                break
        return False


def _mask_by_parity(data: bytes, quotes: npt.NDArray[np.intp], sign: int) -> bytes:
    ends = np.flatnonzero(np.frombuffer(data, np.uint8) == ord("\n"))
    inside = ends[np.searchsorted(quotes, ends) % 2 == 1]
    if not inside.size:
        return data
    masked = np.frombuffer(data, np.uint8).copy()
    masked[inside] = sign
    return masked.tobytes()
