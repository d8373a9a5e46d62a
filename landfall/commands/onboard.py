"""``landfall onboard``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from landfall.onboarding.asked import Asked

if TYPE_CHECKING:
    from conf.settings import Settings
    from landfall.onboarding.plan import Wanted

_MOST_OF_KEYS = 64 << 10


def onboard(
    client: Annotated[str, typer.Option(help="The client's id.", show_default=False)] = "",
    feed: Annotated[str, typer.Option(help="The feed's name.", show_default=False)] = "",
    sample: Annotated[
        Path | None,
        typer.Option(
            help="A file of the client's, CSV or JSON lines, plain or packed: the feed is proposed from it.",
            dir_okay=False,
            show_default=False,
        ),
    ] = None,
    kind: Annotated[str, typer.Option(help="What the feed carries: images or records.", show_default=False)] = "",
    sources: Annotated[
        str,
        typer.Option(help="Of images: hosts that catalogues may name, with spaces between.", show_default=False),
    ] = "",
    operators: Annotated[
        str, typer.Option(metavar="GROUP", help="A group that may run the client from now on.", show_default=False)
    ] = "",
    sftp_key: Annotated[
        Path | None,
        typer.Option(help="A file with the public key by which the client comes.", dir_okay=False, show_default=False),
    ] = None,
    list_file: Annotated[
        Path | None,
        typer.Option(
            "--list",
            help="A CSV of many: client, feed, kind, sources, sample, operators.",
            dir_okay=False,
            show_default=False,
        ),
    ] = None,
    add: Annotated[bool, typer.Option("--add", help="Add the feed to a client that is there.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show what would be written, and write nothing.")] = False,
) -> None:
    """Make a client: its file, its landing, its places in lake and image store, and its grant if asked.

    With a sample of its files the feed's configuration is proposed, with how many of the sample's rows each proposal
    would reject. Nothing that is there is replaced, and all mistakes are told before anything is written.
    """
    from conf.settings import load_settings
    from landfall.onboarding import lists
    from landfall.onboarding.making import make
    from landfall.onboarding.plan import missing_grants, plan
    from landfall.onboarding.telling import say_made, show_texts

    settings = load_settings()
    if list_file is not None:
        if client or feed or sample or kind or sources or sftp_key:
            raise typer.BadParameter("a list says all of its clients; only --operators, --add and --dry-run go with it")
        wanted = lists.wanted(list_file, settings, operators)
    elif not (client and feed):
        raise typer.BadParameter("say --client and --feed, or --list")
    else:
        wanted = [_wanted(client, Asked(feed, kind, tuple(sources.split()), sample), operators, sftp_key, settings)]
    plans = plan(wanted, add)
    grants = missing_grants(plans)
    if dry_run:
        show_texts(plans, grants)
        return
    say_made(settings, plans, grants, make(settings, plans, grants))


def _wanted(client: str, asked: Asked, operators: str, sftp_key: Path | None, settings: Settings) -> Wanted:
    """What the command line asks for, once the gate has let it; a proposal is shown."""
    from landfall.onboarding.feeds import tables
    from landfall.onboarding.plan import Wanted, allow
    from landfall.onboarding.telling import show_proposal

    allow([Wanted(client, asked.feed, (), operators)])
    keys = _keys(sftp_key) if sftp_key is not None else ()
    made, proposal = tables(asked, settings)
    if proposal is not None:
        show_proposal(proposal)
    return Wanted(client, asked.feed, made, operators, keys)


def _keys(file: Path) -> tuple[str, ...]:
    """The keys of a file such as id_ed25519.pub."""
    from conf.errors import ConfigError, NotFound

    try:
        with file.open(encoding="ascii") as opened:
            lines = [line.strip() for line in opened.read(_MOST_OF_KEYS).splitlines()]
    except FileNotFoundError:
        raise NotFound(f"There is no file {file}.", "Name the client's public key.") from None
    except (OSError, UnicodeDecodeError):
        raise ConfigError(f"{file} cannot be read as a public key.") from None
    return tuple(line for line in lines if line and not line.startswith("#"))
