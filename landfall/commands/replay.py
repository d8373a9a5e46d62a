"""``landfall replay``."""

from __future__ import annotations

from landfall.arguments import ClientOption, DropOption, NamedFeedOption


def replay(client: ClientOption, feed: NamedFeedOption, drop: DropOption = None) -> None:
    """Have drops processed anew, with the feed's configuration as it is now. The next run of the client does it.

    What is published stays until the new revision is. A held drop is let go on so, after the feed is mended.
    """
    from landfall.replaying import replay as ask
    from landfall.terminal import count, say

    found = ask(client, feed, drop)
    said = f"{count(len(found.drops), 'drop')} of {client}/{feed} will be processed anew"
    say(f"{said}, {found.following:,} of them as later ones that are compared." if found.following else f"{said}.")
    if found.drops:
        say(f"To process them: luigi --module pipelines RunClient --client {client} --local-scheduler")
