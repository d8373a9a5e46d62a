"""Feeds by kind."""

from __future__ import annotations

import difflib
from typing import Annotated, Any

from pydantic import Discriminator, Tag, TypeAdapter

from conf.feeds.base import Feed
from conf.feeds.images import ImagesFeed
from conf.feeds.records import RecordsFeed

__all__ = ["Feed", "FeedConfig", "ImagesFeed", "RecordsFeed", "feed_config"]


def _kind(value: Any) -> str:
    """Which kind a feed is taken for, so that all its mistakes are told even where the kind is one of them."""
    kind = value.get("kind") if isinstance(value, dict) else getattr(value, "kind", None)
    return (difflib.get_close_matches(str(kind), ["images", "records"], n=1) or ["images"])[0]


FeedConfig = Annotated[
    Annotated[ImagesFeed, Tag("images")] | Annotated[RecordsFeed, Tag("records")], Discriminator(_kind)
]
_FEED: TypeAdapter[ImagesFeed | RecordsFeed] = TypeAdapter(FeedConfig)


def feed_config(fields: Any) -> ImagesFeed | RecordsFeed:
    """A feed from what the register or a test says of it."""
    return _FEED.validate_python(fields)
