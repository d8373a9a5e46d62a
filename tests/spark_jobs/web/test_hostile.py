"""Answers that are no sound HTTP, or that mean harm."""

from __future__ import annotations

import gzip
import threading
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conf.rules import RULES
from spark_jobs.web import failure
from spark_jobs.web.fetch import Answer, fetch_all
from tests.spark_jobs.web.servers import RawServer, ask, ok, policy_for, requests_for

_HEAD = b"HTTP/1.1 200 OK\r\n"
_LIMIT = 1 << 20

_ANSWERS = {
    "no answer": (b"", "fetch.connection"),
    "half a head": (_HEAD + b"Content-Le", "fetch.connection"),
    "HTTP/0.9": (b"hello\r\n", "fetch.protocol"),
    "bytes": (bytes(range(256)) * 40, "fetch.protocol"),
    "another protocol": (b"SSH-2.0-OpenSSH_9.2\r\n", "fetch.protocol"),
    "a status of letters": (b"HTTP/1.1 20x OK\r\n\r\n", "fetch.protocol"),
    "a huge header": (_HEAD + b"X: " + b"x" * 100_000 + b"\r\n\r\n", "fetch.protocol"),
    "a header without end": (_HEAD + b"X: " + b"x" * 300_000, "fetch.protocol"),
    "a huge status line": (b"HTTP/1.1 200 " + b"x" * 100_000 + b"\r\n\r\n", "fetch.protocol"),
    "many headers": (_HEAD + b"".join(b"X-%d: 1\r\n" % n for n in range(5000)) + b"\r\n", "fetch.protocol"),
    "a header with NUL": (_HEAD + b"X: a\0b\r\nContent-Length: 0\r\n\r\n", "fetch.protocol"),
    "a header without colon": (_HEAD + b"nonsense\r\n\r\n", "fetch.protocol"),
    "a length of letters": (_HEAD + b"Content-Length: abc\r\n\r\n", "fetch.protocol"),
    "a length below zero": (_HEAD + b"Content-Length: -5\r\n\r\n", "fetch.protocol"),
    "two lengths": (_HEAD + b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello!", "fetch.protocol"),
    "a garbled chunk": (_HEAD + b"Transfer-Encoding: chunked\r\n\r\nzz\r\nhello\r\n", "fetch.protocol"),
    "a chunk too short": (_HEAD + b"Transfer-Encoding: chunked\r\n\r\nff\r\nhello", "fetch.connection"),
    "no last chunk": (_HEAD + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", "fetch.connection"),
    "many headers behind the body": (
        _HEAD + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n" + b"X: 1\r\n" * 1000 + b"\r\n",
        "fetch.protocol",
    ),
    "a short body": (_HEAD + b"Content-Length: 50\r\n\r\nhello", "fetch.connection"),
    "no gzip": (ok(b"not gzip at all", "Content-Encoding: gzip"), "fetch.protocol"),
    "an unknown encoding of ours": (ok(b"not brotli at all", "Content-Encoding: br"), "fetch.protocol"),
    "told too large": (_HEAD + b"Content-Length: 99999999999\r\n\r\n", "fetch.too_large"),
    "too large": (_HEAD + b"\r\n" + bytes(_LIMIT + 1), "fetch.too_large"),
    "a bomb": (ok(gzip.compress(bytes(50 << 20)), "Content-Encoding: gzip"), "fetch.too_large"),
    "a deflated bomb": (ok(zlib.compress(bytes(50 << 20)), "Content-Encoding: deflate"), "fetch.too_large"),
    "a bomb of many members": (ok(gzip.compress(bytes(1 << 18)) * 200, "Content-Encoding: gzip"), "fetch.too_large"),
    "nothing found": (b"HTTP/1.1 404 \x1b[31mNot here\r\nContent-Length: 0\r\n\r\n", "fetch.status"),
    "no content": (b"HTTP/1.1 204 None\r\n\r\n", "fetch.status"),
    "partial content": (b"HTTP/1.1 206 Part\r\nContent-Length: 1\r\n\r\nx", "fetch.status"),
    "not modified": (b"HTTP/1.1 304 Same\r\n\r\n", "fetch.status"),
    "several choices": (b"HTTP/1.1 300 Many\r\nContent-Length: 0\r\nLocation: /b\r\n\r\n", "fetch.status"),
    "an odd status": (b"HTTP/1.1 999 Odd\r\nContent-Length: 0\r\n\r\n", "fetch.status"),
    "busy": (b"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n", "fetch.unavailable"),
}


def _is_presentable(answer: Answer) -> bool:
    texts = [answer.value or "", answer.message, answer.content_type or "", answer.final_url or ""]
    return all(text.isprintable() and len(text) < 700 for text in texts)


@pytest.mark.parametrize("case", _ANSWERS)
def test_a_bad_answer_is_a_failed_url(case: str) -> None:
    said, rule = _ANSWERS[case]
    with RawServer(said) as server:
        answer = ask(server.url, policy_for(server.port, max_bytes=_LIMIT))
    assert (answer.rule, answer.content, answer.attempts) == (rule, None, 1), answer.message
    assert answer.passing is (rule in ("fetch.connection", "fetch.unavailable"))
    assert _is_presentable(answer)


@pytest.mark.parametrize("said", [_HEAD + b"\r\n" + bytes(_LIMIT), ok(bytes(_LIMIT)), ok(b"")])
def test_an_answer_of_just_the_limit_is_taken(said: bytes) -> None:
    with RawServer(said) as server:
        answer = ask(server.url, policy_for(server.port, max_bytes=_LIMIT))
    assert (answer.rule, answer.content) == ("ok", said.partition(b"\r\n\r\n")[2])


def test_what_a_source_encodes_although_not_asked_to_is_decoded() -> None:
    with RawServer(ok(gzip.compress(b"picture"), "Content-Encoding: gzip")) as server:
        assert ask(server.url, policy_for(server.port)).content == b"picture"


def test_a_content_type_is_kept_within_bounds() -> None:
    with RawServer(ok(b"", "Content-Type: image/\xff\x80" + "x" * 5000)) as server:
        answer = ask(server.url, policy_for(server.port))
    assert answer.rule == "ok"
    assert _is_presentable(answer)
    assert (answer.content_type or "").startswith("image/\ufffd\ufffdxxx")


def test_what_is_said_before_the_answer_proper_does_not_count() -> None:
    early = b"HTTP/1.1 103 Early\r\nContent-Type: text/plain\r\n\r\n" * 3
    with RawServer(early + ok(b"picture", "Content-Type: image/png")) as server:
        answer = ask(server.url, policy_for(server.port))
    assert (answer.rule, answer.status, answer.content, answer.content_type) == ("ok", 200, b"picture", "image/png")


@pytest.mark.parametrize(
    ("head", "rule"),
    [
        (b"HTTP/1.1 404 None\r\nContent-Length: 50\r\n\r\n", "fetch.status"),
        (b"HTTP/1.1 503 Busy\r\n\r\nhal", "fetch.unavailable"),
        (b"HTTP/1.1 302 Found\r\nLocation: ftp://a\r\nContent-Length: 50\r\n\r\nhal", "fetch.redirects"),
        (_HEAD + b"Content-Length: 2000000\r\n\r\n", "fetch.too_large"),
    ],
)
def test_where_the_head_says_enough_the_body_is_not_waited_for(head: bytes, rule: str) -> None:
    over = threading.Event()
    with RawServer(head, then=over) as server:
        answer = ask(server.url, policy_for(server.port, max_bytes=_LIMIT))
        over.set()
    assert answer.rule == rule
    assert answer.milliseconds < 10_000


def test_we_ask_for_plain_bytes_without_cookies_or_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.setenv("NETRC", "/dev/null")
    with RawServer(ok(b"picture", "Set-Cookie: a=b; Path=/")) as server:
        policy = policy_for(server.port, user_agent="Landfall of a test", concurrency=1)
        answers = list(fetch_all(requests_for(server.url, server.url), policy))
    assert [answer.rule for answer in answers] == ["ok", "ok"]
    for head in server.asked:
        assert b"\r\nAccept-Encoding: identity\r\n" in head
        assert b"\r\nUser-Agent: Landfall of a test\r\n" in head
        assert b"cookie" not in head.lower()
        assert b"authorization" not in head.lower()


@settings(max_examples=60, deadline=None)
@given(
    st.one_of(
        st.binary(max_size=300),
        st.binary(max_size=300).map(lambda rest: _HEAD + rest),
        st.binary(max_size=60).map(lambda place: b"HTTP/1.1 302 Found\r\nLocation: " + place + b"\r\n\r\n"),
    )
)
def test_whatever_is_answered_becomes_an_answer(said: bytes) -> None:
    with RawServer(said) as server:
        answer = ask(server.url, policy_for(server.port, max_bytes=100, max_redirects=1))
    assert answer.rule in RULES
    assert (answer.content is not None) == (answer.rule == "ok")
    assert _is_presentable(answer)


@given(st.text())
def test_cleaned_text_is_printable_and_short(text: str) -> None:
    cleaned = failure.clean(text)
    assert cleaned.isprintable()
    assert len(cleaned) <= 201
