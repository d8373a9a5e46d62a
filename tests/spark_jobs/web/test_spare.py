"""Connections that are kept from one shard's requests to the next's."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

import pytest

from landfall.sample_web import SampleWeb
from spark_jobs.web import fetch, names
from spark_jobs.web.fetch import fetch_all
from spark_jobs.web.spare import Spare
from tests.servers.waiting import until
from tests.spark_jobs.web.servers import connections_to, policy_for, requests_for

_SECONDS = 60


@dataclass(eq=False)
class Kept:
    """Something that knows whether it was closed."""

    closed: threading.Event = field(default_factory=threading.Event)

    def close(self) -> None:
        assert not self.closed.is_set()
        self.closed.set()


def test_what_was_left_is_taken_once() -> None:
    spare = Spare[Kept](_SECONDS)
    left = Kept()
    spare.leave("key", left)
    assert spare.take("another") is None
    assert spare.take("key") is left
    assert spare.take("key") is None
    assert not left.closed.is_set()


def test_one_thing_is_kept() -> None:
    spare = Spare[Kept](_SECONDS)
    first, second = Kept(), Kept()
    spare.leave("a", first)
    spare.leave("b", second)
    assert first.closed.wait(_SECONDS)
    assert not second.closed.is_set()
    assert spare.take("a") is None
    assert spare.take("b") is second


def test_what_nobody_takes_is_closed() -> None:
    spare = Spare[Kept](0.01)
    left = Kept()
    spare.leave("key", left)
    assert left.closed.wait(_SECONDS)
    assert spare.take("key") is None


def test_what_was_taken_in_time_is_not_closed() -> None:
    spare = Spare[Kept](0.01)
    for _ in range(50):
        left = Kept()
        spare.leave("key", left)
        if spare.take("key") is None:  # the time was over
            assert left.closed.wait(_SECONDS)
        else:
            assert not left.closed.is_set()


@pytest.fixture(scope="module")
def web() -> Iterator[SampleWeb]:
    with SampleWeb(seed=3) as web:
        yield web


@pytest.fixture(autouse=True)
def spare(monkeypatch: pytest.MonkeyPatch) -> Iterator[Spare[fetch._Crew]]:
    """Nothing is left over of another test, or of this one."""
    own = Spare[fetch._Crew](_SECONDS)
    monkeypatch.setattr(fetch, "_SPARE", own)
    yield own
    own.leave(None, fetch._Crew(policy_for()))
    last = own.take(None)
    assert last is not None
    last.close()


def test_the_next_shard_goes_over_the_same_connections(web: SampleWeb) -> None:
    policy = policy_for(web.port)
    urls = [f"{web.url}/id/{number}/60/40" for number in range(60)]
    seen = []
    for shard in (urls[:30], urls[30:]):
        assert {answer.rule for answer in fetch_all(requests_for(*shard), policy, keep=True)} == {"ok"}
        seen.append(connections_to(web.port))
    assert seen[0]
    assert len(seen[0] | seen[1]) <= policy.concurrency
    assert seen[1] & seen[0]


def test_another_policy_has_connections_of_its_own(web: SampleWeb) -> None:
    policy = policy_for(web.port)
    list(fetch_all(requests_for(f"{web.url}/60/40?n=1"), policy, keep=True))
    before = connections_to(web.port)
    (answer,) = fetch_all(requests_for(f"{web.url}/60/40?n=2"), replace(policy, allow_addresses=()), keep=True)
    assert answer.rule == "fetch.blocked_address"
    until(lambda: not connections_to(web.port) & before, "those of the other policy are closed", _SECONDS)


def test_they_go_with_whoever_gives_up(web: SampleWeb) -> None:
    urls = [f"{web.url}/id/{number}/60/40" for number in range(60)]
    answers = fetch_all(requests_for(*urls), policy_for(web.port), keep=True)
    assert len(list(itertools.islice(answers, 3))) == 3
    assert connections_to(web.port)
    answers.close()
    assert not connections_to(web.port)
    done = fetch_all(requests_for(*urls), policy_for(web.port), keep=True)
    assert sorted(answer.request.line for answer in done) == list(range(1, 61))


def test_they_are_closed_when_nobody_comes(web: SampleWeb, monkeypatch: pytest.MonkeyPatch) -> None:
    spare, policy = Spare[fetch._Crew](0.05), policy_for(web.port)
    monkeypatch.setattr(fetch, "_SPARE", spare)
    (answer,) = fetch_all(requests_for(f"{web.url}/60/40"), policy, keep=True)
    assert answer.rule == "ok"
    until(lambda: not connections_to(web.port), "its connections are closed", _SECONDS)
    assert spare.take(policy) is None


def test_they_are_closed_with_too_many_names(web: SampleWeb, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(names, "_find", lambda *_: ("127.0.0.1",))
    monkeypatch.setattr(fetch, "_SPARE_NAMES", 3)
    policy = policy_for(web.port, sources=("*.example:*",))
    kept = []
    for shard in range(2):
        urls = [f"http://{shard}-{number}.example:{web.port}/id/1/60/40" for number in range(2)]
        assert [answer.rule for answer in fetch_all(requests_for(*urls), policy, keep=True)] == ["ok", "ok"]
        kept.append(bool(connections_to(web.port)))
    assert kept == [True, False]
