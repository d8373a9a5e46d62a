"""Many requests at a time: bounds, laziness, closing."""

from __future__ import annotations

import gc
import pickle
import threading
import time
from collections.abc import Iterator

import pytest

from conf.feeds import ImagesFeed
from conf.settings import Web
from landfall.sample_web import SampleWeb
from spark_jobs.web import fetch, retry
from spark_jobs.web.fetch import Request, WebPolicy, fetch_all
from spark_jobs.web.places import Buffer
from spark_jobs.web.transfer import Transfer
from tests.spark_jobs.web.servers import RawServer, connections_to, ok, policy_for, requests_for


@pytest.fixture(scope="module")
def web() -> Iterator[SampleWeb]:
    with SampleWeb(seed=1) as web:
        yield web


def test_every_request_has_one_answer_that_carries_it(web: SampleWeb) -> None:
    requests = requests_for(*(f"{web.url}/id/{n}/60/40" for n in range(300)), "nonsense", f"{web.url}/60/40?fault=404")
    answers = sorted(fetch_all(iter(requests), policy_for(web.port)), key=lambda answer: answer.request.line)
    assert [answer.request for answer in answers] == requests
    assert [answer.rule for answer in answers] == ["ok"] * 300 + ["url.scheme", "fetch.status"]
    assert {answer.content_type for answer in answers[:300]} == {"image/jpeg"}
    assert all(answer.milliseconds >= 0 for answer in answers)


def test_no_requests_no_answers() -> None:
    assert list(fetch_all([], policy_for(1))) == []


@pytest.mark.parametrize(("concurrency", "per_host", "most"), [(8, 3, 3), (4, 9, 4)])
def test_the_server_never_sees_more_at_once_than_allowed(concurrency: int, per_host: int, most: int) -> None:
    with SampleWeb(seed=1) as web:
        urls = [f"{web.url}/60/40?fault=slow&seconds=1&n={n}" for n in range(most * 2)]
        answers = list(fetch_all(requests_for(*urls), policy_for(web.port, concurrency=concurrency, per_host=per_host)))
        assert {answer.rule for answer in answers} == {"ok"}
        assert web.tally.most_under_way == most


@pytest.mark.parametrize("told", [True, False])
def test_bodies_never_hold_more_than_the_buffer(told: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    size, handed_over, all_asked = 300_000, 0, threading.Barrier(8)
    granted: list[bool] = []
    reading: set[Transfer] = set()
    take, piece = Buffer.take, Transfer._take

    def watched_take(buffer: Buffer[Transfer], wanted: int, transfer: Transfer) -> bool:
        assert wanted == size
        granted.append(take(buffer, wanted, transfer))
        assert buffer._free >= 0
        return granted[-1]

    def watched_piece(transfer: Transfer, data: bytes) -> None:
        reading.add(transfer)
        assert len(reading) <= 2 + handed_over
        piece(transfer, data)

    def said(_: bytes) -> bytes:
        all_asked.wait(20)  # nothing is read before everybody wants to
        return ok(bytes(size)) if told else b"HTTP/1.1 200 OK\r\n\r\n" + bytes(size)

    monkeypatch.setattr(Buffer, "take", watched_take)
    monkeypatch.setattr(Transfer, "_take", watched_piece)
    with RawServer(said) as server:
        urls = [f"{server.url}?n={n}" for n in range(8)]
        answers = fetch_all(requests_for(*urls), policy_for(server.port, max_bytes=size, buffer_bytes=2 * size))
        for answer in answers:
            assert answer.rule == "ok"
            handed_over += 1
    assert len(granted) == len(reading) == handed_over == 8
    assert granted[:2] == [True, True]
    assert False in granted


def test_who_waits_for_memory_spends_no_time() -> None:
    size = 300_000
    with SampleWeb(seed=1) as web:
        urls = [f"{web.url}/60/40?fault=large&bytes={size}&n={n}" for n in range(4)]
        policy = policy_for(web.port, max_bytes=size, buffer_bytes=size, total_seconds=1)
        answers = fetch_all(requests_for(*urls), policy)
        for _ in urls:
            answer = next(answers)
            assert (answer.rule, answer.attempts) == ("ok", 1)
            assert answer.milliseconds < 1000
            time.sleep(0.6)


def test_requests_are_taken_a_few_ahead(web: SampleWeb) -> None:
    taken = 0

    def endless() -> Iterator[Request]:
        nonlocal taken
        while True:
            taken += 1
            yield Request(0, taken, f"{web.url}/60/40?random={taken}", 60, 40)

    answers = fetch_all(endless(), policy_for(web.port, concurrency=4))
    for _ in range(10):
        next(answers)
    answers.close()
    assert taken <= 10 + 4 * 4


def test_closing_early_ends_everything_quietly(web: SampleWeb) -> None:
    threads = threading.active_count()
    slow, large = (f"{web.url}/60/40?fault={fault}" for fault in ("slow&seconds=600", "large&bytes=900000&chunked"))
    urls = [f"{web.url}/60/40", *(f"{url}&n={n}" for n in range(20) for url in (slow, large))]
    answers = fetch_all(requests_for(*urls), policy_for(web.port, buffer_bytes=1 << 20, concurrency=16))
    assert next(answers).rule == "ok"
    answers.close()
    gc.collect()  # what was left open would warn now
    assert not connections_to(web.port)
    assert threading.active_count() == threads


def test_a_fault_of_the_callers_own_requests_reaches_the_caller(web: SampleWeb) -> None:
    def broken() -> Iterator[Request]:
        yield from requests_for(f"{web.url}/60/40")
        raise RuntimeError("the disk is gone")

    with pytest.raises(RuntimeError, match="disk is gone"):
        list(fetch_all(broken(), policy_for(web.port)))
    gc.collect()
    assert not connections_to(web.port)


def test_a_fault_of_our_own_is_raised_and_does_not_hang(web: SampleWeb, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_: float) -> float:
        raise KeyError("a mistake")

    monkeypatch.setattr(retry, "pause", broken)
    with pytest.raises(KeyError, match="a mistake"):
        list(fetch_all(requests_for(f"{web.url}/60/40?fault=503"), policy_for(web.port, attempts=2)))
    monkeypatch.delattr(fetch, "Client")
    with pytest.raises(NameError, match="Client"):
        list(fetch_all(requests_for(f"{web.url}/60/40"), policy_for(web.port)))


def test_requests_are_sent_before_the_caller_is_busy(web: SampleWeb) -> None:
    urls = [f"{web.url}/60/40?behind={n}" for n in range(6)]
    answers = fetch_all(requests_for(*urls), policy_for(web.port, concurrency=2))
    next(answers)
    until = time.monotonic() + 20
    while sum(web.requests[url.removeprefix(web.url)] for url in urls) < 3:
        assert time.monotonic() < until
        time.sleep(0.001)
    assert len(list(answers)) == 5


def test_a_busy_caller_costs_no_request_its_attempt() -> None:
    with SampleWeb(seed=1) as web:
        slow = [f"{web.url}/60/40?fault=slow&seconds=1&n={n}" for n in range(3)]
        policy = policy_for(web.port, total_seconds=1.5, connect_seconds=1, attempts=1)
        answers = fetch_all(requests_for(f"{web.url}/60/40", *slow), policy)
        assert next(answers).request.line == 1
        time.sleep(2)
        for answer in answers:
            assert (answer.rule, answer.attempts) == ("ok", 1), answer.message
            assert answer.milliseconds < 1500


def test_a_policy_is_a_tasks_share_of_the_settings() -> None:
    feed = ImagesFeed(kind="images", sources=("a.example",), redirects=("b.example",))
    web = Web(
        concurrency=10, per_host=4, max_bytes=100, buffer_bytes=1000, attempts=2, allow_addresses=("127.0.0.1:*",)
    )
    policy = WebPolicy.of(feed, web, 4)
    assert (policy.concurrency, policy.per_host, policy.buffer_bytes, policy.max_bytes) == (2, 1, 250, 100)
    assert (policy.sources, policy.redirects, policy.attempts) == (("a.example",), ("b.example",), 2)
    assert policy.allow_addresses == ("127.0.0.1:*",)
    crowd = WebPolicy.of(feed, web, 1000)
    assert (crowd.concurrency, crowd.per_host, crowd.buffer_bytes) == (1, 1, 100)
    assert WebPolicy.of(feed, web, 0) == WebPolicy.of(feed, web, 1)
    assert pickle.loads(pickle.dumps(policy)) == policy
