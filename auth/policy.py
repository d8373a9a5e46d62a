"""What a person may do: a pure decision from who they are and what is granted. Deny is the default."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from auth.directory import Person
from conf.grants import ALL, Grant, Role
from conf.names import is_name
from conf.problems import nearest, shown

Action = Literal[
    "status",
    "query",
    "images",
    "logs",
    "digest",
    "check",
    "run",
    "drop",
    "replay",
    "rebuild",
    "onboard",
    "grant",
    "install",
]

_LOOKING = ("status", "query", "images", "logs", "digest", "check")
_ACTING = ("run", "drop", "replay", "rebuild")
_ADMITTING = ("onboard", "grant", "install")

ACTIONS: dict[Role, frozenset[str]] = {
    "viewer": frozenset(_LOOKING),
    "operator": frozenset(_LOOKING + _ACTING),
    "admin": frozenset(_LOOKING + _ACTING + _ADMITTING),
}

# They change the client as a whole, so a grant on some of its feeds is not enough.
WHOLE_CLIENT = frozenset(_ADMITTING)


@dataclass(frozen=True)
class Decision:
    """What was decided.

    Attributes:
        allowed: whether the person may.
        reason: why, as a sentence; on a denial it names nothing that the person could not know.
        feeds: on which feeds; None: on all. Empty on a denial.
        grants: the grants that allow it.
    """

    allowed: bool
    reason: str
    feeds: frozenset[str] | None = frozenset()
    grants: tuple[Grant, ...] = ()


def decide(person: Person, grants: Iterable[Grant], client: str, feed: str | None, action: str) -> Decision:
    """Whether the person may do the action on the client, or on one feed of it.

    Without a feed, a grant on any feed allows the action on that feed; ``feeds`` says on which.
    """
    if action not in ACTIONS["admin"]:
        return Decision(False, f"{shown(action)} is no action{nearest(action, sorted(ACTIONS['admin']))}")
    for what, name in (("client", client), ("feed", feed)):
        if name is not None and not is_name(name):
            return Decision(False, f"{shown(name)} cannot be the name of a {what}.")
    held = [grant for grant in grants if grant.group in person.groups and grant.client in (ALL, client)]
    if not held:
        return Decision(False, f"No group of {person.user} has a grant on client {client}.")
    able = [grant for grant in held if action in ACTIONS[grant.role]]
    if not able:
        roles = ", ".join(sorted({grant.role for grant in held}))
        needed = next(role for role, actions in ACTIONS.items() if action in actions)
        return Decision(
            False, f"{person.user} is {roles} of client {client}, which does not allow {action}: {needed} does."
        )
    fitting = [grant for grant in able if _reaches(grant, feed, action)]
    if not fitting:
        where = f"feed {feed}" if feed is not None else "all feeds, which it takes"
        return Decision(False, f"{person.user} may {action} on some feeds of client {client}, not on {where}.")
    return Decision(True, f"Allowed: {'; '.join(map(str, fitting))}.", _feeds(fitting, feed), tuple(fitting))


def _reaches(grant: Grant, feed: str | None, action: str) -> bool:
    if grant.all_feeds:
        return True
    return action not in WHOLE_CLIENT and (feed is None or feed in grant.feeds)


def _feeds(grants: Iterable[Grant], feed: str | None) -> frozenset[str] | None:
    if feed is not None:
        return frozenset({feed})
    if any(grant.all_feeds for grant in grants):
        return None
    return frozenset(name for grant in grants for name in grant.feeds)
