"""``landfall digest``."""

from __future__ import annotations

from typing import Annotated

import typer

from landfall.arguments import ClientOption, JsonOption


def digest(
    client: ClientOption,
    parts: Annotated[bool, typer.Option("--parts", help="Show the digest of each table and of the store too.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Show one digest of a client's star and image store: equal content, equal digest.

    Insert dates, the first source of a picture, attempts and milliseconds are left out.
    """
    from landfall.digest import digest as take
    from landfall.terminal import say, show_json, show_table

    found = take(client)
    if as_json:
        show_json({"client": client, "digest": found.whole, "parts": dict(found.parts)})
        return
    if parts:
        show_table(["part", "sha-256"], sorted(found.parts.items()))
    say(found.whole)
