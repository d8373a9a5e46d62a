from __future__ import annotations

import json
from collections.abc import Callable

from tests.landfall.cli.conftest import Ended

Call = Callable[..., Ended]


def test_a_grant_that_allows_is_named(landfall: Call) -> None:
    ended = landfall("explain-access", "--user", "olga", "--client", "demo", "--action", "run")
    assert ended.code == 0
    assert ended.out.startswith("Yes.")
    assert "operators" in ended.out


def test_why_none_allows(landfall: Call) -> None:
    ended = landfall("explain-access", "--user", "vera", "--client", "demo", "--action", "run", "--json", user="vera")
    found = json.loads(ended.out)
    assert (ended.code, found["allowed"], found["groups"]) == (0, False, ["viewers"])
    assert "viewer" in found["reason"]


def test_an_action_that_is_none_is_a_wrong_call_with_what_is_allowed(landfall: Call) -> None:
    ended = landfall("explain-access", "--user", "olga", "--client", "demo", "--action", "rnu")
    assert (ended.code, ended.out) == (2, "")
    told = " ".join(ended.err.replace("│", " ").split())
    assert "'rnu' is no action; allowed are check, digest, drop" in told
    assert "did you mean 'run'?" in told


def test_others_are_asked_about_by_admins_only(landfall: Call) -> None:
    ended = landfall("explain-access", "--user", "olga", "--client", "demo", "--action", "run", user="vera")
    assert (ended.code, ended.out) == (77, "")
