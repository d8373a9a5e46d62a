"""Many requests at a time: bounds, laziness, closing."""

from __future__ import annotations

import asyncio
import gc
import pickle
import threading
from collections.abc import Iterator

import pytest

from conf.feeds import ImagesFeed
from conf.settings import Web
from landfall.sample_web import SampleWeb
from spark_jobs.web import attempt, client, retry
from spark_jobs.web.fetch import Request, WebPolicy, fetch_all
from spark_jobs.web.places import Buffer, Stopwatch
from tests.spark_jobs.web.servers import policy_for, requests_for


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


@pytest.mark.parametrize("chunked", ["", "&chunked"])
def test_bodies_never_hold_more_than_the_buffer(chunked: str, monkeypatch: pytest.MonkeyPatch) -> None:
    size, come, begun, done = 300_000, 0, 0, 0
    third = threading.Event()
    read, take = attempt._read, Buffer.take

    async def watched_take(buffer: Buffer, wanted: int, watch: Stopwatch) -> int:
        nonlocal come
        come += 1
        return await take(buffer, wanted, watch)

    async def watched_read(stream: object, limit: int) -> bytes:
        nonlocal begun, done
        begun += 1
        assert begun - done <= 2
        if begun == 3:
            third.set()
        while come < 8:  # nothing is read before everybody wants to
            await asyncio.sleep(0.001)
        body = await read(stream, limit)  # type: ignore[arg-type]
        done += 1
        return body

    monkeypatch.setattr(Buffer, "take", watched_take)
    monkeypatch.setattr(attempt, "_read", watched_read)
    with SampleWeb(seed=1) as web:
        urls = [f"{web.url}/60/40?fault=large&bytes={size}{chunked}&n={n}" for n in range(8)]
        policy = policy_for(web.port, max_bytes=size, buffer_bytes=2 * size)
        answers = fetch_all(requests_for(*urls), policy)
        assert next(answers).rule == "ok"
        assert third.wait(20)  # one was handed over, so a third may be read
        answers.close()
        assert begun == 3
        come = begun = done = 0
        assert [answer.rule for answer in fetch_all(requests_for(*urls), policy)] == ["ok"] * 8


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
    urls = [f"{web.url}/60/40", *(f"{web.url}/60/40?fault=slow&seconds=600&n={n}" for n in range(20))]
    answers = fetch_all(requests_for(*urls), policy_for(web.port))
    assert next(answers).rule == "ok"
    answers.close()
    gc.collect()  # what was left open would warn now
    assert "fetch" not in {thread.name for thread in threading.enumerate()}


def test_a_fault_of_the_callers_own_requests_reaches_the_caller(web: SampleWeb) -> None:
    def broken() -> Iterator[Request]:
        yield from requests_for(f"{web.url}/60/40")
        raise RuntimeError("the disk is gone")

    with pytest.raises(RuntimeError, match="disk is gone"):
        list(fetch_all(broken(), policy_for(web.port)))
    assert "fetch" not in {thread.name for thread in threading.enumerate()}


def test_a_fault_of_our_own_is_raised_and_does_not_hang(web: SampleWeb, monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(_: float) -> None:
        raise KeyError("a mistake")

    monkeypatch.setattr(retry, "pause", broken)
    with pytest.raises(KeyError, match="a mistake"):
        list(fetch_all(requests_for(f"{web.url}/60/40?fault=503"), policy_for(web.port, attempts=2)))
    monkeypatch.delattr(client, "session")
    with pytest.raises(AttributeError, match="session"):
        list(fetch_all(requests_for(f"{web.url}/60/40"), policy_for(web.port)))


def test_pictures_come_while_the_caller_is_busy(web: SampleWeb) -> None:
    urls = [f"{web.url}/60/40?behind={n}" for n in range(6)]
    answers = fetch_all(requests_for(*urls), policy_for(web.port))
    next(answers)

    async def all_asked() -> None:
        async with asyncio.timeout(20):
            while not all(web.requests[url.removeprefix(web.url)] for url in urls):
                await asyncio.sleep(0.001)

    asyncio.run(all_asked())
    assert len(list(answers)) == 5


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
