"""What several commands take, each with its help and its completion on the shell."""

from __future__ import annotations

from typing import Annotated

import typer


def _clients(incomplete: str) -> list[str]:
    """The clients that have a file and begin like this."""
    from conf.client import client_ids

    return [client for client in client_ids() if client.startswith(incomplete)]


def _feeds(context: typer.Context, incomplete: str) -> list[str]:
    """The feeds of the client that the line names already."""
    from conf.client import load_client
    from conf.errors import LandfallError

    client = context.params.get("client")
    try:
        feeds = load_client(client).feeds if client else {}
    except LandfallError:
        return []  # a shell that completes has no place for a sentence
    return [feed for feed in feeds if feed.startswith(incomplete)]


ClientArgument = Annotated[
    str, typer.Argument(metavar="CLIENT", help="The client's id.", show_default=False, autocompletion=_clients)
]
FeedArgument = Annotated[
    str, typer.Argument(metavar="FEED", help="The feed's name.", show_default=False, autocompletion=_feeds)
]
ClientOption = Annotated[
    str,
    typer.Option("--client", metavar="CLIENT", help="The client's id.", show_default=False, autocompletion=_clients),
]
AnyClientOption = Annotated[
    str | None,
    typer.Option(
        "--client",
        metavar="CLIENT",
        help="The client's id; left out: every client that you may look at.",
        autocompletion=_clients,
    ),
]
FeedOption = Annotated[
    str | None,
    typer.Option("--feed", metavar="FEED", help="Only this feed.", show_default=False, autocompletion=_feeds),
]
NamedFeedOption = Annotated[
    str, typer.Option("--feed", metavar="FEED", help="The feed's name.", show_default=False, autocompletion=_feeds)
]
DropOption = Annotated[
    str | None,
    typer.Option("--drop", metavar="ID", help="This drop only: its id, or how it begins.", show_default=False),
]
JsonOption = Annotated[bool, typer.Option("--json", help="Write JSON, for a script.")]
