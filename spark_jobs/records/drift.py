"""Drift: a file whose columns are not those that the feed's configuration names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from conf.errors import DropHeld
from conf.feeds import RecordsFeed
from conf.problems import shown
from spark_jobs.fields import is_mended
from spark_jobs.records.exact import Source
from spark_jobs.rejects import ADDED

_FIX = "Have the client send the usual columns, or change the feed's configuration and replay the drop."


class Drift(NamedTuple):
    """How one file's columns differ; of JSON lines, the keys of its first objects.

    Attributes:
        new: columns of the file that no configured column reads.
        missing: attributes that the feed reads and the file lacks.
        reordered: whether the file has those that it has in another order.
    """

    entry: int
    new: list[str]
    missing: list[str]
    reordered: bool

    @classmethod
    def of(cls, source: Source, keys: Sequence[str], feed: RecordsFeed) -> Drift:
        """How a file answers to the feed; keys of JSON have no order."""
        if source.entry.format != "csv":
            wanted = [column.attribute for column in feed.read]
            missing = [name for name in wanted if name not in keys] if keys else []
            return cls(source.entry.entry, [key for key in keys if key not in wanted], missing, False)
        if not source.names:
            return cls(source.entry.entry, [], [], False)
        found = [name for name in source.attributes if name is not None]
        added = ADDED if is_mended(source.entry) else ()
        new = [name for name in source.names if name not in found and name not in added]
        pairs = zip(feed.read, source.attributes, strict=True)
        missing = [column.attribute for column, name in pairs if name is None]
        places = [source.names.index(name) for name in dict.fromkeys(found)]
        return cls(source.entry.entry, new, missing, places != sorted(places))


def check(sources: Iterable[Source], keys: Mapping[int, Sequence[str]], feed: RecordsFeed) -> list[dict[str, Any]]:
    """The drift of every file that has any, to be told; DropHeld where the feed does not tolerate it.

    Args:
        keys: of the first objects of each file of JSON lines, by entry.
    """
    drifts = [Drift.of(source, keys.get(source.entry.entry, ()), feed) for source in sources]
    for drift in drifts:
        # An object need not have every key: what is missing in some is seen line by line.
        _hold(drift if feed.format == "csv" else drift._replace(missing=[]), feed)
    return [drift._asdict() for drift in drifts if drift.new or drift.missing or drift.reordered]


def _hold(drift: Drift, feed: RecordsFeed) -> None:
    needed = {column.attribute for column in feed.read if column.required or column.name in feed.key}
    lacking = [name for name in drift.missing if name in needed]
    where = f"Entry {drift.entry}" if drift.entry else "The file"
    if lacking:
        raise DropHeld(f"{where} lacks columns that must have values: {_names(lacking)}.", _FIX)
    if drift.missing and feed.on_missing_column == "hold":
        raise DropHeld(f"{where} lacks columns: {_names(drift.missing)}.", _FIX)
    if drift.new and feed.on_new_column == "hold":
        raise DropHeld(f"{where} has columns that the feed does not know: {_names(drift.new)}.", _FIX)
    if drift.reordered and feed.on_reordered == "hold":
        raise DropHeld(f"{where} has its columns in another order than the feed's.", _FIX)


def _names(names: list[str]) -> str:
    more = f" and {len(names) - 10} more" if len(names) > 10 else ""
    return ", ".join(map(shown, names[:10])) + more
