"""The decision: the whole table, and that deny is the default."""

from __future__ import annotations

from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auth.directory import Person
from auth.policy import ACTIONS, Action, decide
from conf.grants import Grant, Role

LOOKING = {"status", "query", "images", "logs", "digest", "check"}
MAY: dict[Role, set[str]] = {
    "viewer": LOOKING,
    "operator": LOOKING | {"run", "drop", "replay", "rebuild"},
    "admin": LOOKING | {"run", "drop", "replay", "rebuild", "onboard", "grant", "install"},
}
ADA = Person("ada", frozenset({"g"}))

names = st.sampled_from(["acme", "globex", "*"])
groups = st.sampled_from(["g", "h", "i"])
feeds = st.one_of(st.just(("*",)), st.lists(st.sampled_from(["a", "b", "c"]), min_size=1, unique=True).map(tuple))
grants = st.lists(
    st.builds(Grant, group=groups, role=st.sampled_from(["viewer", "operator", "admin"]), client=names, feeds=feeds),
    max_size=5,
)


def _grant(role: Role = "operator", client: str = "acme", feeds: tuple[str, ...] = ("*",), group: str = "g") -> Grant:
    return Grant(group=group, role=role, client=client, feeds=feeds)


@pytest.mark.parametrize("role", MAY)
@pytest.mark.parametrize("action", get_args(Action))
def test_a_role_may_what_the_table_says(role: Role, action: str) -> None:
    assert decide(ADA, [_grant(role)], "acme", None, action).allowed is (action in MAY[role])


def test_every_action_is_some_roles() -> None:
    assert ACTIONS["admin"] == set(get_args(Action))


@pytest.mark.parametrize(
    ("held", "client", "feed", "action", "allowed", "on"),
    [
        ([], "acme", None, "run", False, frozenset()),
        ([_grant(group="h")], "acme", None, "run", False, frozenset()),
        ([_grant(client="globex")], "acme", None, "run", False, frozenset()),
        ([_grant()], "acme", None, "run", True, None),
        ([_grant(client="*")], "acme", None, "run", True, None),
        ([_grant(feeds=("a", "b"))], "acme", None, "run", True, frozenset({"a", "b"})),
        ([_grant(feeds=("a",)), _grant("viewer", feeds=("b",))], "acme", None, "run", True, frozenset({"a"})),
        ([_grant(feeds=("a",)), _grant("viewer", feeds=("b",))], "acme", None, "status", True, frozenset({"a", "b"})),
        ([_grant(feeds=("a",)), _grant()], "acme", None, "run", True, None),
        ([_grant()], "acme", "a", "run", True, frozenset({"a"})),
        ([_grant(feeds=("a",))], "acme", "a", "run", True, frozenset({"a"})),
        ([_grant(feeds=("a",))], "acme", "b", "run", False, frozenset()),
        ([_grant("admin", feeds=("a",))], "acme", None, "grant", False, frozenset()),
        ([_grant("admin", feeds=("a",))], "acme", "a", "onboard", False, frozenset()),
        ([_grant("admin", client="*")], "new-client", None, "onboard", True, None),
        ([_grant("admin", client="*")], "*", None, "run", False, frozenset()),
        ([_grant("admin", client="*")], "../acme", None, "run", False, frozenset()),
        ([_grant("admin", client="*")], "acme", "../a", "run", False, frozenset()),
        ([_grant("admin", client="*")], "acme", "", "run", False, frozenset()),
        ([_grant("admin", client="*")], "acme", None, "delete", False, frozenset()),
        ([_grant("admin", client="*")], "acme", None, "", False, frozenset()),
    ],
)
def test_the_table(
    held: list[Grant], client: str, feed: str | None, action: str, allowed: bool, on: frozenset[str] | None
) -> None:
    decision = decide(ADA, held, client, feed, action)
    assert (decision.allowed, decision.feeds) == (allowed, on)


def test_a_denial_says_why() -> None:
    assert decide(ADA, [], "acme", None, "run").reason == "No group of ada has a grant on client acme."
    assert decide(ADA, [_grant("viewer")], "acme", None, "run").reason == (
        "ada is viewer of client acme, which does not allow run: operator does."
    )
    assert decide(ADA, [_grant(feeds=("a",))], "acme", "b", "run").reason == (
        "ada may run on some feeds of client acme, not on feed b."
    )
    assert decide(ADA, [], "acme", None, "rum").reason == "'rum' is no action; did you mean 'run'?"


def test_a_permit_names_the_grant_that_gave_it() -> None:
    decision = decide(ADA, [_grant("viewer"), _grant(feeds=("a",))], "acme", None, "run")
    assert decision.reason == "Allowed: group g is operator of client acme, feeds a."


@given(
    grants, st.sampled_from(["acme", "globex"]), st.sampled_from([None, "a", "d"]), st.sampled_from(get_args(Action))
)
def test_no_grant_of_the_persons_groups_means_no_access(
    held: list[Grant], client: str, feed: str | None, action: str
) -> None:
    stranger = Person("eve", frozenset({"x"}))
    assert not decide(stranger, held, client, feed, action).allowed
    other = [grant for grant in held if grant.client not in ("*", client)]
    assert not decide(Person("ada", frozenset("ghi")), other, client, feed, action).allowed


@given(grants, grants, st.sampled_from([None, "a", "d"]), st.sampled_from(get_args(Action)))
def test_a_further_grant_never_takes_away(held: list[Grant], more: list[Grant], feed: str | None, action: str) -> None:
    before = decide(ADA, held, "acme", feed, action)
    after = decide(ADA, held + more, "acme", feed, action)
    assert after.allowed >= before.allowed
    assert after.feeds is None or (before.feeds is not None and after.feeds >= before.feeds)
