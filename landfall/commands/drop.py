"""``landfall drop``."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from landfall.arguments import ClientArgument, FeedArgument


def drop(
    client: ClientArgument,
    feed: FeedArgument,
    files: Annotated[
        list[Path], typer.Argument(metavar="FILE...", help="The files to drop.", dir_okay=False, show_default=False)
    ],
) -> None:
    """Put files into a feed's incoming/, as an upload by SFTP does. The next run of the client takes them."""
    from landfall.terminal import say

    put(client, feed, files)
    say(f"To process it: luigi --module pipelines RunClient --client {client} --local-scheduler")


def put(client: str, feed: str, files: list[Path]) -> None:
    """Puts files into the feed's incoming, if the gate lets whoever asks."""
    from auth.gate import authorize
    from conf.client import load_client
    from conf.settings import load_settings
    from landfall.terminal import say, size
    from targets.landing import Landing

    authorize(client, "drop", feed)
    settings = load_settings()
    landing = Landing(settings.landing_root, load_client(client), settings.landing)
    for file in files:
        landing.put(feed, file)
        say(f"Dropped {file.name} ({size(file.stat().st_size)}) into {client}/{feed}.")
