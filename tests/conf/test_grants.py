"""Grants: what the file may say."""

from __future__ import annotations

from pathlib import Path

import pytest

from conf.errors import ConfigError
from conf.grants import Grant, load_grants


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LANDFALL_CONF", str(tmp_path))
    return tmp_path / "grants.toml"


def test_the_demo_operators_may_operate_the_demo_alone() -> None:
    assert load_grants() == (Grant(group="demo-operators", role="operator", client="demo", feeds=("*",)),)


def test_feeds_are_a_list_or_all(file: Path) -> None:
    head = "[[grants]]\ngroup='g'\nrole='viewer'\nclient='*'\n"
    file.write_text(f"{head}feeds=['a','b']\n{head}feeds='*'\n")
    some, every = load_grants()
    assert (some.feeds, some.all_feeds) == (("a", "b"), False)
    assert (every.feeds, every.all_feeds) == (("*",), True)
    assert str(some) == "group g is viewer of every client, feeds a, b"


def test_all_mistakes_are_told_at_once(file: Path) -> None:
    file.write_text(
        "[[grants]]\ngroup=' '\nrole='operater'\nclient='../x'\nfeeds='photos'\n"
        "[[grants]]\ngroup='g'\nrole='admin'\nclient='acme'\nfeeds=['*','a']\nfeed='a'\n"
        "[[grants]]\ngroup='g'\nrole='admin'\nclient='acme'\nfeeds=[]\n"
        "[[grants]]\n[grant]\n"
    )
    with pytest.raises(ConfigError) as caught:
        load_grants()
    assert [problem.removeprefix(f"{file}: ") for problem in caught.value.problems] == [
        "grants[0].group is ' '; it must be a group's name, without spaces around it.",
        "grants[0].role is 'operater'; it must be 'viewer', 'operator' or 'admin'; did you mean 'operator'?",
        "grants[0].client is '../x'; it must be a name as clients and feeds have, or \"*\" for all.",
        "grants[0].feeds is 'photos'; it must be a list of feeds, or \"*\" for all.",
        "grants[1].feeds is ['*', 'a']; it must be \"*\" alone, or a list without it.",
        "grants[1].feed is no key; allowed are client, feeds, group, role; did you mean 'feeds'?",
        "grants[2].feeds is []; it must name at least one.",
        "grants[3].group is missing; it must be given.",
        "grants[3].role is missing; it must be given.",
        "grants[3].client is missing; it must be given.",
        "grants[3].feeds is missing; it must be given.",
        "grant is no key; allowed are grants; did you mean 'grants'?",
    ]


def test_no_file_grants_nothing_and_says_so(file: Path) -> None:
    with pytest.raises(ConfigError, match="so nobody may do anything"):
        load_grants()


def test_an_empty_file_grants_nothing(file: Path) -> None:
    file.touch()
    assert load_grants() == ()
