"""Formats of dates that leave no question what a text of them says (Arrow's regular expressions)."""

from __future__ import annotations

import functools
import re

# Formats of these letters, in Spark's words, with as many digits each, and of signs that stand for themselves.
_PARTS = {
    "yyyy": "((?:19|20)[0-9]{2})",
    "MM": "(0[1-9]|1[0-2])",
    "dd": "(0[1-9]|[12][0-9]|3[01])",
    "HH": "([01][0-9]|2[0-3])",
    "mm": "([0-5][0-9])",
    "ss": "([0-5][0-9])",
}
_SIGN = re.compile(r"'[A-Za-z ]+'|[ .,:;/_-]")
_CLOCKS = ((), ("HH", "mm"), ("HH", "mm", "ss"))


@functools.cache
def by_format(format: str) -> tuple[str, tuple[str, str]] | None:
    """How a text looks that a format describes, and its day and clock as ISO 8601 writes them; None: only Spark knows.

    Which days there are is not looked at: ``plain`` knows them.
    """
    written, places = "", dict[str, int]()
    while format:
        part = next((name for name in _PARTS if format.startswith(name)), None)
        if part is not None and part not in places:
            places[part] = len(places) + 1
            written, format = written + _PARTS[part], format.removeprefix(part)
        elif sign := _SIGN.match(format):
            written, format = written + re.escape(sign[0].strip("'")), format[sign.end() :]
        else:
            return None
    clock = tuple(name for name in ("HH", "mm", "ss") if name in places)
    if not {"yyyy", "MM", "dd"} <= places.keys() or clock not in _CLOCKS:
        return None
    day, time = (
        between.join(rf"\{places[name]}" for name in names)
        for between, names in (("-", ("yyyy", "MM", "dd")), (":", clock))
    )
    return rf"\A(?:{written})\z", (day, f" {time}" if clock else "")
