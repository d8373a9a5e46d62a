"""Names of clients, feeds, transforms and columns, which become parts of paths and of SQL."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator

NAME = re.compile(r"[a-z][a-z0-9_-]{0,62}")
_NAME_RULE = "a name begins with a small letter and has up to 63 small letters, digits, - and _"
_COLUMN = re.compile(r"[a-z][a-z0-9_]{0,62}")
_COLUMN_RULE = "a column's or table's name begins with a small letter and has up to 63 small letters, digits and _"


def is_name(text: str) -> bool:
    """Whether a client, feed or transform may be called this; such a name is safe as a part of a path."""
    return NAME.fullmatch(text) is not None


def named(text: str) -> str:
    """A validator: the name as it is."""
    if not is_name(text):
        raise ValueError(_NAME_RULE)
    return text


def name_rule() -> str:
    """What a name must be, for a message."""
    return _NAME_RULE


def _column(text: str) -> str:
    if _COLUMN.fullmatch(text) is None:
        raise ValueError(_COLUMN_RULE)
    return text


Name = Annotated[str, AfterValidator(named)]
ColumnName = Annotated[str, AfterValidator(_column)]
TableName = ColumnName
