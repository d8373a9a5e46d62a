"""Keys: the first 128 bits of the sha-256 of the natural key, as 32 hex digits.

They need no coordination: a rebuild, or another drop with the same member, gives the same key.
"""

from __future__ import annotations

import hashlib
from datetime import date

from pyspark.sql import Column
from pyspark.sql import functions as F  # noqa: N812

# The member of dim_source that a line without a host has.
NO_HOST = "(none)"


def key(*natural: Column) -> Column:
    """The key of a natural key of one or more text columns.

    Each part stands after its length in bytes and a null after none, so that no two natural keys are one text,
    whatever separators their values hold.
    """
    parts = [
        F.coalesce(F.concat(F.octet_length(part).cast("string"), F.lit(":"), part), F.lit("-")) for part in natural
    ]
    return F.substring(F.sha2(F.concat(*parts), 256), 1, 32)


def of(*natural: str | None) -> str:
    """``key`` of texts."""
    parts = (b"-" if part is None else b"%d:%s" % (len(part.encode()), part.encode()) for part in natural)
    return hashlib.sha256(b"".join(parts)).hexdigest()[:32]


def sql(column: str) -> str:
    """``key`` of one column, in the words of DuckDB's SQL; null of a null."""
    return f"left(sha256(strlen({column}) || ':' || {column}), 32)"


def date_key(receipt: date) -> str:
    """Key of dim_date: the date as ISO 8601 writes it."""
    return of(receipt.isoformat())


def drop_key(drop: str) -> str:
    """Key of dim_drop: the drop's id."""
    return of(drop)


def outcome_key(rule: Column) -> Column:
    """Key of dim_outcome: the rule's code."""
    return key(rule)


def member_key(value: Column) -> Column:
    """Key of a dimension that a feed's column makes: the value as text; null where there is no value."""
    return F.when(value.isNotNull(), key(value.cast("string")))
