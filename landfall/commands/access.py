"""``landfall explain-access``."""

from __future__ import annotations

from typing import Annotated

import typer

from landfall.arguments import ClientOption, JsonOption


def _known(action: str) -> str:
    """The action, if it is one."""
    from auth.policy import ACTIONS
    from conf.problems import nearest, shown

    allowed = sorted(ACTIONS["admin"])
    if action not in allowed:
        raise typer.BadParameter(
            f"{shown(action)} is no action; allowed are {', '.join(allowed)}{nearest(action, allowed)}"
        )
    return action


def explain_access(
    user: Annotated[str, typer.Option(help="Whom the question is about.", show_default=False)],
    client: ClientOption,
    action: Annotated[
        str,
        typer.Option(
            help="What they would do: status, query, images, logs, digest, check, run, drop, replay, onboard, grant.",
            show_default=False,
            callback=_known,
        ),
    ],
    as_json: JsonOption = False,
) -> None:
    """Say which grant lets a user do something, or why none does. The answer is no exit code: both end with 0.

    Users may ask about themselves, an admin of the client about everybody.
    """
    from auth.gate import explain
    from landfall.terminal import say, show_json

    found = explain(user, client, action)
    feeds = "all" if found.feeds is None else ", ".join(sorted(found.feeds)) or "none"
    if as_json:
        show_json(
            {
                "user": found.user,
                "client": found.client,
                "action": found.action,
                "allowed": found.allowed,
                "reason": found.reason,
                "groups": sorted(found.groups),
                "feeds": "*" if found.feeds is None else sorted(found.feeds),
                "grants": [str(grant) for grant in found.grants],
            }
        )
        return
    say(f"{'Yes' if found.allowed else 'No'}. {found.reason}", style="green" if found.allowed else "red")
    for name, value in (
        ("user", found.user),
        ("groups", ", ".join(sorted(found.groups)) or "none"),
        ("client", found.client),
        ("action", found.action),
        ("feeds", feeds),
    ):
        say(f"  {name:<7} {value}")
