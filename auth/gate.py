"""The gate: whatever touches a client asks here first. Deny is the default, and every decision is written down."""

from __future__ import annotations

import os
from dataclasses import dataclass

from auth import audit
from auth.directory import Person
from auth.directory.chosen import chosen
from auth.identity import Credentials, Proofs, credentials, forget_typed
from auth.policy import Decision, decide
from conf.errors import AccessDenied, ConfigError
from conf.grants import Grant, load_grants
from conf.problems import shown
from conf.settings import Settings, load_settings

_PROOFS: dict[tuple[object, ...], Proofs] = {}


@dataclass(frozen=True)
class Permit:
    """What was allowed.

    Attributes:
        user: who proved who they are.
        feeds: on which feeds; None: on all.
    """

    user: str
    client: str
    action: str
    feeds: frozenset[str] | None


@dataclass(frozen=True)
class Explanation:
    """Why a person may or may not.

    Attributes:
        groups: the person's groups.
        allowed: whether they may.
        reason: why, as a sentence.
        feeds: on which feeds; None: on all.
        grants: the grants that allow it.
    """

    user: str
    client: str
    action: str
    groups: frozenset[str]
    allowed: bool
    reason: str
    feeds: frozenset[str] | None
    grants: tuple[Grant, ...]


def authorize(client: str, action: str, feed: str | None = None) -> Permit:
    """Lets whoever asks do the action on the client (on one feed of it), or raises AccessDenied.

    Reads nothing of the client's, so it neither tells nor knows whether there is such a client. ConfigError if the
    grants cannot be read; AccessDenied too if the decision cannot be written to the audit log.
    """
    settings = _housed()
    person, grants = _asker(settings, client, feed, action)
    decision = decide(person, grants, client, feed, action)
    _record(settings, person.user, client, feed, action, decision)
    if not decision.allowed:
        raise AccessDenied(decision.reason, "Ask an admin of the client for a grant (grants.toml).")
    return Permit(person.user, client, action, decision.feeds)


def explain(user: str, client: str, action: str) -> Explanation:
    """Which grant lets a user do the action on the client, or why none does.

    AccessDenied unless users ask about themselves, or an admin of the client asks.
    """
    settings = _housed()
    asker, grants = _asker(settings, client, None, "explain-access")
    may = decide(asker, grants, client, None, "grant")
    if user == asker.user:
        may = Decision(True, "Users may ask about themselves.")
    _record(settings, asker.user, client, None, "explain-access", may)
    if not may.allowed:
        raise AccessDenied(may.reason, f"Ask about yourself ({asker.user}), or have an admin of the client ask.")
    person = asker if user == asker.user else chosen(settings).find(user)
    if person is None:
        return Explanation(
            user, client, action, frozenset(), False, f"There is no user {shown(user)}.", frozenset(), ()
        )
    found = decide(person, grants, client, None, action)
    return Explanation(user, client, action, person.groups, found.allowed, found.reason, found.feeds, found.grants)


def _asker(settings: Settings, client: str, feed: str | None, action: str) -> tuple[Person, tuple[Grant, ...]]:
    """Who asks, and all grants; a failure of either is a denial that is written down."""
    claimed = os.environ.get("LANDFALL_USER") or None
    try:
        said = credentials()
        claimed = said.user
        person = _proved(settings, said)
        grants = load_grants()
    except AccessDenied as denied:
        forget_typed()
        _record(settings, claimed, client, feed, action, Decision(False, denied.reason))
        raise
    except ConfigError:
        _record(settings, claimed, client, feed, action, Decision(False, "The grants cannot be read."))
        raise
    return person, grants


def _record(
    settings: Settings, user: str | None, client: str, feed: str | None, action: str, decision: Decision
) -> None:
    audit.record(
        settings.log_root / "audit.jsonl",
        user=user,
        client=client,
        feed=feed,
        action=action,
        allowed=decision.allowed,
        reason=decision.reason,
        feeds=decision.feeds,
    )


def _housed() -> Settings:
    """The settings; AccessDenied where there is no home, for a decision would have nowhere to be written down."""
    settings = load_settings()
    if not settings.home.is_dir():
        raise AccessDenied(
            f"There is no directory {settings.home.absolute()}, where decisions are written down, so access is denied.",
            "Run landfall init, or see that LANDFALL_HOME is right.",
        )
    return settings


def _proved(settings: Settings, said: Credentials) -> Person:
    """The person who proves themselves, or did so a moment ago to the same directory."""
    key = (settings.env, settings.home.absolute(), settings.auth, settings.ldap)
    if key not in _PROOFS:
        _PROOFS[key] = Proofs(chosen(settings), settings.auth.cache_seconds)
    return _PROOFS[key].prove(said)
