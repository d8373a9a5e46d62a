"""Where a request and its redirects may lead."""

from __future__ import annotations

import pytest
from yarl import URL

from landfall.sample_web import SampleWeb
from spark_jobs.web.failure import Failure
from spark_jobs.web.hops import onward
from tests.spark_jobs.web.servers import RawServer, ask, ok, policy_for, to


@pytest.mark.parametrize(
    ("url", "rule"),
    [
        ("http://[::1/60/40", "url.malformed"),
        ("http://a.example:99999/", "url.malformed"),
        ("http:///60/40", "url.malformed"),
        ("", "url.scheme"),
        ("60/40", "url.scheme"),
        ("ftp://a.example/60/40", "url.scheme"),
        ("file:///etc/passwd", "url.scheme"),
        ("http://user:secret@a.example/60/40", "url.credentials"),
        ("http://b.example/60/40", "url.host_not_allowed"),
        ("http://a.example.evil.example/60/40", "url.host_not_allowed"),
        ("http://a.example:8080/60/40", "url.host_not_allowed"),
        ("http://fast.example/60/40", "url.host_not_allowed"),
    ],
)
def test_what_may_not_be_asked_is_an_answer_without_an_attempt(url: str, rule: str) -> None:
    answer = ask(url, policy_for(sources=("a.example",), redirects=("fast.example",)))
    assert (answer.rule, answer.attempts, answer.passing, answer.content) == (rule, 0, False, None)
    assert "secret" not in answer.message + (answer.value or "")


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_are_followed_to_listed_hosts(status: int) -> None:
    with RawServer(ok(b"picture", "Content-Type: image/jpeg")) as goal, RawServer(to(goal.url, status)) as front:
        policy = policy_for(front.port, goal.port, sources=(f"127.0.0.1:{front.port}",))
        refused = ask(front.url, policy)
        answer = ask(front.url, policy_for(front.port, goal.port))
        listed = ask(
            front.url, policy_for(front.port, redirects=(f"127.0.0.1:{goal.port}",), allow_addresses=("127.0.0.1:*",))
        )
    assert (answer.rule, answer.content, answer.final_url) == ("ok", b"picture", goal.url)
    assert (answer.status, answer.content_type, answer.attempts) == (200, "image/jpeg", 1)
    assert listed.rule == "ok"
    assert (refused.rule, refused.status, refused.value) == ("fetch.redirects", status, goal.url)
    assert len(goal.asked) == 2


@pytest.mark.parametrize(
    ("location", "rule"),
    [
        ("http://elsewhere.example/a", "fetch.redirects"),
        ("//elsewhere.example/a", "fetch.redirects"),
        ("ftp://127.0.0.1/a", "fetch.redirects"),
        ("file:///etc/passwd", "fetch.redirects"),
        ("javascript:alert(1)", "fetch.redirects"),
        ("http://user:secret@elsewhere.example/", "fetch.redirects"),
        ("http://[::1", "fetch.redirects"),
        ("http://a.example:99999/", "fetch.redirects"),
        ("http://", "fetch.redirects"),
        ("http://169.254.169.254/latest", "fetch.blocked_address"),
        ("http://2130706433/", "fetch.blocked_address"),
        ("http://0x7f.1/", "fetch.blocked_address"),
        ("http://[::ffff:127.0.0.1]/", "fetch.blocked_address"),
        ("http://127.0.0.1:1/", "fetch.blocked_address"),
        ("http://\udcff\udcfe.example/", "fetch.redirects"),
        ("\udcff\udcfe", "fetch.redirects"),
    ],
)
def test_redirects_are_checked_anew(location: str, rule: str) -> None:
    with RawServer(lambda head: to(location) if b"GET /60/40 " in head else ok(b"")) as server:
        answer = ask(server.url, policy_for(server.port, attempts=3))
    assert (answer.rule, answer.passing, answer.status, answer.attempts) == (rule, False, 302, 1)
    assert len(server.asked) == 1
    assert answer.message.isprintable()
    assert "secret" not in answer.message + (answer.value or "")


def test_a_relative_location_and_a_fragment_are_understood() -> None:
    with RawServer(lambda head: to("../b?c=1#d") if b"/60/40" in head else ok(b"picture")) as server:
        answer = ask(server.url, policy_for(server.port))
    assert (answer.rule, answer.final_url) == ("ok", f"http://127.0.0.1:{server.port}/b?c=1")


def test_circles_long_ways_and_silence_end() -> None:
    with SampleWeb() as web:
        policy = policy_for(web.port, max_redirects=3)
        circle, far = (ask(f"{web.url}/60/40?fault={fault}", policy) for fault in ("loop", "far"))
        near, beyond = (ask(f"{web.url}/60/40?fault=far&hops={hops}", policy) for hops in (3, 4))
        private, astray = (ask(f"{web.url}/60/40?fault={fault}", policy) for fault in ("private", "redirect"))
        none = ask(f"{web.url}/60/40", policy_for(web.port, max_redirects=0))
    assert (circle.rule, near.rule, beyond.rule, far.rule) == (
        "fetch.redirects",
        "ok",
        "fetch.redirects",
        "fetch.redirects",
    )
    assert "circle" in circle.message
    assert "more than 3" in far.message
    assert (private.rule, astray.rule, none.rule) == ("fetch.blocked_address", "fetch.redirects", "fetch.redirects")
    with RawServer(b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\n\r\n") as server:
        assert "where to" in ask(server.url, policy_for(server.port)).message


def test_a_redirect_never_leaves_https() -> None:
    policy = policy_for(sources=("a.example",))
    place = URL("https://a.example/60/40")
    assert str(onward(place, "/b", {place}, policy)) == "https://a.example/b"
    with pytest.raises(Failure) as caught:
        onward(place, "http://a.example/b", {place}, policy)
    assert caught.value.message(1) == "The source sends on to http://a.example/b: that leaves https."
