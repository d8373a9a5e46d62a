"""Keys: the first 128 bits of the sha-256 of the natural key, as 32 hex digits.

They need no coordination: a rebuild, or another drop with the same member, gives the same key.
"""

from __future__ import annotations

from pyspark.sql import Column
from pyspark.sql import functions as F  # noqa: N812

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


def date_key(receipt: Column) -> Column:
    """Key of dim_date: the date as ISO 8601 writes it."""
    return key(F.date_format(receipt, "yyyy-MM-dd"))


def drop_key(drop: Column) -> Column:
    """Key of dim_drop: the drop's id."""
    return key(drop)


def source_of(host: Column) -> Column:
    """The member of dim_source that a host is: a line without one has a member too."""
    return F.coalesce(host, F.lit(NO_HOST))


def source_key(host: Column) -> Column:
    """Key of dim_source: the host."""
    return key(source_of(host))


def outcome_key(rule: Column) -> Column:
    """Key of dim_outcome: the rule's code."""
    return key(rule)


def image_key(image_id: Column) -> Column:
    """Key of dim_image: the image's id; null where there is no image."""
    return F.when(image_id.isNotNull(), key(image_id))


def member_key(value: Column) -> Column:
    """Key of a dimension that a feed's column makes: the value as text; null where there is no value."""
    return F.when(value.isNotNull(), key(value.cast("string")))
