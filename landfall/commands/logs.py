"""``landfall logs``."""

from __future__ import annotations

import re
import time
from collections import deque
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from landfall.arguments import ClientOption, JsonOption

if TYPE_CHECKING:
    from rich.text import Text

    from conf.errors import NotFound
    from landfall.history import Event

_STYLES = {"debug": "dim", "info": "green", "warning": "yellow", "error": "bold red"}
_SECONDS_BETWEEN_QUESTIONS = 60.0
_SHORT = 12
_ID = re.compile(r"[0-9a-f]{1,64}")
_LONGEST_VALUE = 400


def logs(
    client: ClientOption,
    drop: Annotated[str, typer.Option(help="Only this drop: how its id begins.")] = "",
    run: Annotated[str, typer.Option(help="Only this run: how its id begins.")] = "",
    stage: Annotated[
        Literal["", "land", "validate", "fetch", "transform", "store", "load", "publish"],
        typer.Option(help="Only this stage.", show_default=False),
    ] = "",
    level: Annotated[
        Literal["debug", "info", "warning", "error"], typer.Option(help="The least level that is shown.")
    ] = "info",
    last: Annotated[int, typer.Option(help="Only so many events that are there, the last ones; 0: all.", min=0)] = 0,
    follow: Annotated[bool, typer.Option("--follow", help="Go on showing what comes, until Ctrl-C.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Show what happened: the run log and the journal of stage attempts, merged by time (UTC)."""
    from auth.gate import authorize
    from conf.settings import load_settings
    from landfall import history
    from landfall.terminal import console

    permit = authorize(client, "logs")
    if drop and not _ID.fullmatch(drop.lower()):
        raise _no_such_drop(client, drop)
    wanted = history.Filter(permit.feeds, drop.lower(), run, stage, level)
    directory = load_settings().log_root / client
    found: Iterable[Event]
    if follow:
        found = history.follow(directory, wanted, _still_granted(client), last or None)
    else:
        found = history.events(directory, wanted)
        found = deque(found, maxlen=last) if last else found
    output, shown = console(), False
    for event in found:
        shown = True
        if as_json:
            _show_json(event)
        else:
            output.print(_line(event))
    if drop and not shown and not _registered(client, permit.feeds, drop.lower()):
        raise _no_such_drop(client, drop)


def _registered(client: str, feeds: frozenset[str] | None, drop: str) -> bool:
    """Whether a drop begins like this; one without an event of the level that was asked for is there all the same."""
    from conf.settings import load_settings
    from targets.lake import client_layout, open_lake
    from targets.register import registered_drops

    settings = load_settings()
    found = registered_drops(open_lake(settings, client), client_layout(settings, client))
    return any(one.startswith(drop) for feed, ids in found.items() if feeds is None or feed in feeds for one in ids)


def _no_such_drop(client: str, drop: str) -> NotFound:
    from conf.errors import NotFound

    return NotFound(
        f"Client {client} has no drop whose id begins with {drop}.",
        f"`landfall status --client {client} --json` shows the ids of the last ones.",
    )


def _still_granted(client: str) -> Callable[[], bool]:
    """Asks the gate once a minute: whoever loses the grant sees no more."""
    from auth.gate import authorize

    asked = time.monotonic()

    def ask() -> bool:
        nonlocal asked
        if time.monotonic() - asked > _SECONDS_BETWEEN_QUESTIONS:
            authorize(client, "logs")
            asked = time.monotonic()
        return True

    return ask


def _line(event: Event) -> Text:
    """``2026-03-01 09:31:02 INFO photos 1a2b3c4d5e6f fetch  event  name=value …``, safe for a terminal."""
    from rich.text import Text

    from landfall.terminal import safe

    context = event.context
    line = Text(f"{safe(event.time[:19].replace('T', ' '))} ", style="dim")
    line.append(f"{safe(event.level).upper():<8}", style=_STYLES.get(event.level, ""))
    where = (context.get("feed"), context.get("drop", "")[:_SHORT], context.get("stage"))
    line.append(f"{safe(' '.join(part for part in where if part))}  ", style="cyan")
    line.append(safe(event.event), style="bold" if event.level == "error" else "not dim")
    for name, value in event.fields.items():
        line.append(f"  {safe(name)}=", style="dim")
        line.append(_shortened(safe(value)), style="not dim")
    return line


def _shortened(text: str) -> str:
    """What a person reads of a value; --json has all of it."""
    return text if len(text) <= _LONGEST_VALUE else f"{text[:_LONGEST_VALUE]}…"


def _show_json(event: Event) -> None:
    from landfall.terminal import show_json

    document: dict[str, Any] = {"time": event.time, "level": event.level, "event": event.event}
    show_json({**document, **event.context, **event.fields})
