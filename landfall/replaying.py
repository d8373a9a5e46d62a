"""Replays: drops that were received before, to be processed anew as the client's file and the code are now."""

from __future__ import annotations

from dataclasses import dataclass

from auth.gate import authorize
from conf.client import load_client
from conf.errors import NotFound
from conf.feeds import RecordsFeed
from conf.settings import load_settings
from spark_jobs.transforms import names
from targets.lake import client_layout, open_lake
from targets.register import Drop, drops_of, registered, revise


@dataclass(frozen=True)
class Replayed:
    """What a replay asked for.

    Attributes:
        drops: the new revisions, in order of receipt.
        following: how many of them were asked for because they are compared with an earlier one of them.
    """

    drops: tuple[Drop, ...]
    following: int


def replay(client: str, feed: str, beginning: str | None = None) -> Replayed:
    """Gives drops of a feed a new revision with the feed's configuration as it is now; the next run processes them.

    What a stage would do as before is not done again, and what is published is seen until the new revision is.
    A feed whose keys come once over all its drops has every later drop replayed too.

    Args:
        beginning: how the drop's id begins; None: every drop of the feed.

    Raises:
        AccessDenied: the caller may not replay the feed; nothing was read.
        NotFound: there is no such client, feed or drop, or several drops begin so.
        ConfigError: the client's file says something that it may not.
    """
    authorize(client, "replay", feed)
    config = load_client(client, names())
    if feed not in config.feeds:
        raise NotFound(f"Client {client} has no feed {feed}.", f"Its feeds are: {', '.join(config.feeds)}.")
    settings = load_settings()
    fs, layout = open_lake(settings, client), client_layout(settings, client)
    ids = drops_of(fs, layout, feed)
    drops = sorted((registered(fs, layout, feed, id_) for id_ in ids), key=lambda drop: (drop.received, drop.id))
    chosen = _chosen(drops, beginning)
    wanted = config.feeds[feed]
    if isinstance(wanted, RecordsFeed) and wanted.unique == "always" and chosen:
        following = [drop for drop in drops[drops.index(chosen[0]) :] if drop not in chosen]
    else:
        following = []
    # The last comes first: a run that begins meanwhile must not compare a drop with one that is about to change.
    revised = [revise(fs, layout, drop, wanted) for drop in reversed([*chosen, *following])]
    return Replayed(tuple(sorted(revised, key=lambda drop: (drop.received, drop.id))), len(following))


def _chosen(drops: list[Drop], beginning: str | None) -> list[Drop]:
    if beginning is None:
        return drops
    found = [drop for drop in drops if drop.id.startswith(beginning.lower())]
    if len(found) != 1:
        which = "No drop of the feed has" if not found else "Several drops of the feed have"
        raise NotFound(f"{which} an id that begins with {beginning}.", "`landfall status` shows the ids.")
    return found
