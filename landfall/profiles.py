"""What the values of a published drop's columns are like."""

from __future__ import annotations

import json
from typing import Any

from auth.gate import authorize
from conf.client import load_client
from conf.errors import NotFound
from conf.settings import load_settings
from spark_jobs.schemas import PROFILE
from targets.filesystem import FileSystem
from targets.lake import client_layout, open_lake
from targets.layout import ClientLayout
from targets.published import Published, current, published_feeds


def profile(client: str, feed: str, beginning: str | None = None) -> dict[str, Any]:
    """The profile that Validate kept of a published drop of records: lines by outcome, drift, and one object a column.

    Args:
        beginning: how the drop's id begins; None: the drop that was received last.

    Raises:
        AccessDenied: the caller may not query the feed; nothing was read.
        NotFound: there is no such client or feed, no such published drop, or the feed carries no records.
    """
    authorize(client, "query", feed)
    settings = load_settings()
    fs, layout = open_lake(settings, client), client_layout(settings, client)
    if feed not in published_feeds(fs, layout) and feed not in (feeds := load_client(client).feeds):
        raise NotFound(f"Client {client} has no feed {feed}.", f"Its feeds are: {', '.join(feeds)}.")
    entry = _entry(fs, layout, feed, beginning)
    path = layout.stage("validate", feed, entry.receipt, entry.drop, entry.stages["validate"])
    if not fs.exists(f"{path}/{PROFILE}"):
        raise NotFound(f"Drop {entry.drop[:12]} of {client}/{feed} has no profile.", "Only records have one.")
    said: dict[str, Any] = json.loads(fs.read(f"{path}/{PROFILE}"))
    return {"client": client, "feed": feed, "drop": entry.drop, "received": entry.received.isoformat(), **said}


def _entry(fs: FileSystem, layout: ClientLayout, feed: str, beginning: str | None) -> Published:
    entries = [one for one in current(fs, layout, [feed]) if one.drop.startswith((beginning or "").lower())]
    if not entries:
        which = f"that begins with {beginning}" if beginning else "yet"
        raise NotFound(f"No drop of the feed {which} is published.", "`landfall status` shows them.")
    if beginning and len(entries) > 1:
        raise NotFound(f"Several drops of the feed have an id that begins with {beginning}.", "Give more of it.")
    return max(entries, key=lambda one: (one.received, one.drop))
