"""What is asked again, when, and what is not."""

from __future__ import annotations

import datetime
import email.utils
import time
from collections.abc import Callable, Iterator

import pytest

from conf.rules import RULES
from landfall.sample_web import SampleWeb
from spark_jobs.web import retry
from spark_jobs.web.attempt import seconds_to_wait
from spark_jobs.web.fetch import fetch_all
from tests.spark_jobs.web.servers import RawServer, ask, ok, policy_for, requests_for


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The pauses that would have been made."""
    made: list[float] = []

    def pause(seconds: float) -> float:
        made.append(seconds)
        return time.monotonic()

    monkeypatch.setattr(retry, "pause", pause)
    return made


@pytest.fixture(scope="module")
def web() -> Iterator[SampleWeb]:
    with SampleWeb(seed=1) as web:
        yield web


@pytest.mark.parametrize(
    ("fault", "rule", "attempts", "passing", "status"),
    [
        ("404", "fetch.status", 1, False, 404),
        ("410", "fetch.status", 1, False, 410),
        ("500", "fetch.unavailable", 3, True, 500),
        ("503", "fetch.unavailable", 3, True, 503),
        ("429&times=1", "ok", 2, False, 200),
        ("429&times=9", "fetch.unavailable", 3, True, 429),
        ("flaky&times=2", "ok", 3, False, 200),
        ("flaky&times=3", "fetch.unavailable", 3, True, 503),
        ("cut", "fetch.connection", 3, True, 200),
        ("reset", "fetch.connection", 3, True, None),
        ("protocol", "fetch.protocol", 1, False, None),
        ("loop", "fetch.redirects", 1, False, 302),
        ("private", "fetch.blocked_address", 1, False, 302),
        ("large", "fetch.too_large", 1, False, 200),
        ("large&chunked", "fetch.too_large", 1, False, 200),
        ("gzipbomb", "fetch.too_large", 1, False, 200),
        ("damaged", "ok", 1, False, 200),
        ("truncated", "ok", 1, False, 200),
        ("wrongsize", "ok", 1, False, 200),
        ("html", "ok", 1, False, 200),
        ("empty", "ok", 1, False, 200),
        ("slow&seconds=0", "ok", 1, False, 200),
    ],
)
def test_each_fault_has_its_code_and_its_attempts(
    web: SampleWeb, pauses: list[float], fault: str, rule: str, attempts: int, passing: bool, status: int | None
) -> None:
    answer = ask(f"{web.url}/60/40?fault={fault}", policy_for(web.port, attempts=3))
    assert (answer.rule, answer.attempts, answer.passing, answer.status) == (rule, attempts, passing, status)
    assert len(pauses) == attempts - 1
    assert (answer.content is not None) == (rule == "ok")
    assert answer.message == RULES["ok"].message or str(attempts) in answer.message or attempts == 1


def test_a_dribbling_source_runs_out_of_time(web: SampleWeb, pauses: list[float]) -> None:
    answer = ask(f"{web.url}/60/40?fault=slow&seconds=600", policy_for(web.port, attempts=2, total_seconds=0.1))
    assert (answer.rule, answer.attempts, answer.passing) == ("fetch.timeout", 2, True)


def test_a_dead_source_is_asked_again_and_found_alive(pauses: list[float], monkeypatch: pytest.MonkeyPatch) -> None:
    with SampleWeb(seed=1) as web:
        web.pause()
        url, policy = f"{web.url}/60/40", policy_for(web.port, attempts=3)
        dead = ask(url, policy)
        assert (dead.rule, dead.attempts, dead.passing) == ("fetch.connection", 3, True)
        assert "refused" in dead.message

        def revive(_: float) -> float:
            web.resume()
            return time.monotonic()

        monkeypatch.setattr(retry, "pause", revive)
        assert (ask(url, policy).rule, web.requests["/60/40"]) == ("ok", 1)


def test_pauses_grow_and_are_the_same_for_a_seed(web: SampleWeb, pauses: list[float]) -> None:
    url = f"{web.url}/60/40?fault=503"
    for seed in (1, 1, 2):
        ask(url, policy_for(web.port, attempts=6, backoff_seconds=2, max_retry_after_seconds=20, seed=seed))
    first, again, other = pauses[:5], pauses[5:10], pauses[10:]
    assert first == again != other
    for run in (first, other):
        assert all(0 <= pause <= most for pause, most in zip(run, (2, 4, 8, 16, 20), strict=True))


def test_retry_after_is_waited_for(web: SampleWeb, pauses: list[float]) -> None:
    ask(f"{web.url}/60/40?fault=429&after=7", policy_for(web.port, attempts=2, backoff_seconds=1))
    assert 7 <= pauses[0] <= 8


def test_a_retry_after_beyond_the_limit_ends_the_attempts(web: SampleWeb, pauses: list[float]) -> None:
    answer = ask(
        f"{web.url}/60/40?fault=429&after=61&n=1", policy_for(web.port, attempts=4, max_retry_after_seconds=60)
    )
    assert (answer.rule, answer.passing, answer.attempts, pauses) == ("fetch.unavailable", True, 1, [])


def _in(seconds: int, zone: str = "GMT") -> str:
    date = datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=seconds)
    return email.utils.format_datetime(date, usegmt=True).replace("GMT", zone)


@pytest.mark.parametrize(
    ("said", "low", "high"),
    [
        (lambda: "0", 0, 0),
        (lambda: "120", 120, 120),
        (lambda: "9" * 400, 1e11, 1e12),
        (lambda: _in(3600), 3500, 3600),
        (lambda: _in(3600, "-0000"), 3500, 3600),
        (lambda: _in(-3600), 0, 0),
    ],
)
def test_retry_after_is_seconds_or_a_date(said: Callable[[], str], low: float, high: float) -> None:
    assert low <= (seconds_to_wait(said()) or 0) <= high


@pytest.mark.parametrize("said", [None, "", "soon", "-1", "1.5", "²", "Mon, 99 Foo 2026 99:99:99 GMT", "\udcff"])
def test_other_words_ask_for_nothing(said: str | None) -> None:
    assert seconds_to_wait(said) is None


def test_who_pauses_leaves_the_place_to_others(web: SampleWeb, monkeypatch: pytest.MonkeyPatch) -> None:
    other = "/61/41?other"

    monkeypatch.setattr(retry, "pause", lambda _: time.monotonic() + 0.5)
    urls = (f"{web.url}/60/40?fault=flaky&n=2", web.url + other)
    answers = list(fetch_all(requests_for(*urls), policy_for(web.port, attempts=2, concurrency=1)))
    assert [(answer.request.line, answer.rule) for answer in answers] == [(2, "ok"), (1, "ok")]


def test_time_is_that_of_all_attempts_without_the_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retry, "pause", lambda _: time.monotonic() + 0.3)
    busy, said = b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n", [ok(b"picture")]
    with RawServer(lambda head: said.pop() if len(server.asked) > 1 else busy) as server:
        answer = ask(server.url, policy_for(server.port, attempts=2))
    assert (answer.rule, answer.attempts) == ("ok", 2)
    assert answer.milliseconds >= 0
