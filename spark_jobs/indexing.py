"""How the files of a feed are indexed."""

from __future__ import annotations

from typing import Any

from conf.feeds import ImagesFeed, RecordsFeed
from conf.settings import Settings
from spark_jobs.index import Indexer
from spark_jobs.rejects import are_rejects
from targets.archive import Entry


def indexer_of(feed: ImagesFeed | RecordsFeed, entry: Entry, head: bytes, settings: Settings) -> Indexer:
    """The indexer of one entry of a drop.

    Args:
        head: how the entry begins. Rejects that come back are what we wrote, whatever the feed's own files are.
    """
    mended = are_rejects(head, feed.delimiter)
    how: dict[str, Any] = {}
    if isinstance(feed, RecordsFeed) and not mended:
        how = feed.model_dump(include={"quote", "encoding", "header"})
    form = "csv" if mended else feed.format
    lines, size = settings.lines.max_bytes, settings.landing.range_bytes
    return Indexer(entry.ordinal, entry.name, form, feed.delimiter, lines, size, **how)
