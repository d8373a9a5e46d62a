"""What a feed of records chooses as a whole: how its table is parted, when a file is held, what a later file means."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from landfall.onboarding.columns import FEW, Proposed

_LEAST_REJECTED = 5  # of a hundred


def event_time(columns: Sequence[Proposed]) -> str | None:
    """The column that says when a record happened; the table lies in a directory for each of its months."""
    names = {one.name for one in columns}
    able = [
        one.name
        for one in columns
        if one.fields.get("required")
        and one.family in ("date", "timestamp")
        and not names & {f"{one.name}_{period}" for period in ("day", "month", "year")}
    ]
    happened = [one.name for one in columns if one.name in able and one.fields.get("not_in_future")]
    return next(iter(happened or able), None)


def most_rejected(quarantined: int, rows: int) -> str | None:
    """Twice the sample's share of rejected rows, and five of a hundred at least."""
    return f"{min(100, max(_LEAST_REJECTED, -(-200 * quarantined // rows)))}%" if rows >= FEW else None


def redrops(feed: Mapping[str, Any]) -> Iterator[str]:
    """``on_redrop``, with what its choices mean of this feed."""
    key, period = ", ".join(feed["key"] or ()), feed["partition_by"]
    yield "# What a later file means for earlier ones: see which is meant."
    yield '#   "append": all records of all files count.'
    if key:
        yield f'#   "upsert": of one {key} the record of the file that came last counts.'
    if period:
        yield f'#   "replace_period": of one month of {period} the records of the last file that has any count.'
    yield 'on_redrop = "append"'
