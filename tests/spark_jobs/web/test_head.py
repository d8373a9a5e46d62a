"""Heads of answers."""

from __future__ import annotations

import pytest

from spark_jobs.web.failure import Failure
from spark_jobs.web.head import Head, read_head


def _read(text: str) -> Head | None:
    return read_head([line.encode("latin-1") for line in text.splitlines(keepends=True)])


def test_a_head_is_status_and_what_is_asked_about() -> None:
    said = "HTTP/1.1 200\r\nCONTENT-type:image/png \r\nX: y\r\nContent-Length:\t12\r\nContent-Encoding: GZIP\r\n\r\n"
    head = _read(said)
    assert head is not None
    assert head.headers == {"content-type": "image/png", "content-length": "12", "content-encoding": "GZIP"}
    assert (head.status, head.length, head.encoding) == (200, 12, "gzip")


def test_a_body_in_chunks_has_no_length_that_counts() -> None:
    head = _read("HTTP/1.1 200 OK\nContent-Length: 12\nTransfer-Encoding: chunked\n\n")
    assert head is not None
    assert head.length is None


def test_a_length_beyond_all_numbers_is_large() -> None:
    head = _read(f"HTTP/1.1 200 OK\nContent-Length: {'9' * 5000}\n\n")
    assert head is not None
    assert (head.length or 0) > 1 << 50


@pytest.mark.parametrize(("status", "proper"), [(100, False), (101, True), (103, False), (199, False), (200, True)])
def test_the_answer_proper_may_come_later(status: int, proper: bool) -> None:
    assert (_read(f"HTTP/1.1 {status} Said\r\n\r\n") is not None) is proper


def test_of_two_words_about_one_thing_the_first_counts_unless_they_would_mislead() -> None:
    head = _read("HTTP/1.1 200 OK\nContent-Type: a/b\nContent-Type: c/d\nContent-Length: 5\nContent-Length: 5\n\n")
    assert head == Head(200, {"content-type": "a/b", "content-length": "5"})
    for name in ("Content-Length", "Content-Encoding", "Transfer-Encoding", "Location"):
        with pytest.raises(Failure, match="protocol"):
            _read(f"HTTP/1.1 200 OK\n{name}: 5\n{name}: 6\n\n")


@pytest.mark.parametrize(
    "said",
    [
        "HTTP/1.1 20x OK\n\n",
        "HTTP/2 200 OK\n\n",
        "HTTP/1.1 099 OK\n\n",
        "HTTP/1.1 200 OK\nnonsense\n\n",
        "HTTP/1.1 200 OK\n: nameless\n\n",
        "HTTP/1.1 200 OK\nA b: c\n\n",
        "HTTP/1.1 200 OK\nA : c\n\n",
        "HTTP/1.1 200 OK\nA: b\n folded\n\n",
        "HTTP/1.1 200 OK\nA: b\0\n\n",
        "HTTP/1.1 200 OK\nContent-Length: \xb2\n\n",
        "HTTP/1.1 200 OK\nContent-Length: +5\n\n",
        "HTTP/1.1 200 OK\nContent-Length:\n\n",
        "HTTP/1.1 200 OK\nX: " + "x" * 8190 + "\n\n",
        "HTTP/1.1 200 OK\n" + "X: y\n" * 101 + "\n",
        "HTTP/1.1 200 OK\nA: b\n",
    ],
)
def test_what_is_no_sound_head(said: str) -> None:
    with pytest.raises(Failure) as caught:
        _read(said)
    assert caught.value.rule == "fetch.protocol"
    assert caught.value.message(1).isprintable()


def test_a_hundred_headers_are_taken() -> None:
    assert _read("HTTP/1.1 200 OK\n" + "X: y\n" * 100 + "\n") == Head(200, {})
