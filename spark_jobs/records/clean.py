"""Texts of a column as they were sent -> the texts that are looked at (Arrow: whole columns at a time)."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa
import pyarrow.compute as pc

from conf.feeds.columns import Clean

# What ``strip`` takes off: the blanks of ASCII, and those that spreadsheets and web pages leave behind.
BLANKS = " \t\r\n\v\f\u00a0\u2007\u202f\u3000\ufeff"


def cleaned(texts: pa.Array, steps: Sequence[Clean], nulls: Sequence[str]) -> pa.Array:
    """Cleaned texts; null where there is no value: an empty text, or one of ``nulls``."""
    for step in steps:
        match step:
            case "strip":
                texts = pc.utf8_trim(texts, characters=BLANKS)
            case "squeeze":
                texts = pc.replace_substring_regex(texts, r"\s+", " ")
            case "lower":
                texts = pc.utf8_lower(texts)
            case "upper":
                texts = pc.utf8_upper(texts)
            case "title":
                texts = pc.utf8_title(texts)
            case "digits":
                texts = pc.replace_substring_regex(texts, "[^0-9]+", "")
    nothing = pc.is_in(texts, value_set=pa.array(["", *nulls], pa.string()))
    return pc.if_else(nothing, pa.scalar(None, pa.string()), texts)
