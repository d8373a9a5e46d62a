"""Shares of a whole, as a number or as a percentage."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import BeforeValidator


def _share(value: Any) -> Any:
    """A share of 1, from ``0.02`` or ``"2%"``."""
    text = str(value)
    is_percentage = isinstance(value, str) and re.fullmatch(r"\d{1,3}(\.\d{1,6})?\s*%", text) is not None
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    share = float(text.rstrip("% ")) / 100 if is_percentage else float(value) if is_number else -1
    if not 0 <= share <= 1:
        raise ValueError('it must be a number from 0 to 1, or a percentage such as "2%"')
    return share


Share = Annotated[float, BeforeValidator(_share)]
