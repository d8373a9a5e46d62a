"""Names and their addresses."""

from __future__ import annotations

import socket
import threading

import pytest

from spark_jobs.web import names
from spark_jobs.web.fetch import fetch_all
from tests.spark_jobs.web.servers import RawServer, ask, ok, policy_for, requests_for


@pytest.mark.parametrize("host", ["pictures.example", "pictures.example.", "PICTURES.example", "xn--bcher-kva.example"])
def test_libcurl_looks_up_no_name_itself(host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(names, "_find", lambda *_: ("127.0.0.1",))
    with RawServer(ok(b"picture")) as server:
        policy = policy_for(server.port, sources=(f"*.example:{server.port}",))
        answer = ask(f"http://{host}:{server.port}/60/40", policy)
        assert (answer.rule, answer.content) == ("ok", b"picture"), answer.message


def test_a_name_is_looked_up_once_for_many_requests(monkeypatch: pytest.MonkeyPatch) -> None:
    with RawServer(ok(b"picture")) as server:
        asked: list[object] = []
        monkeypatch.setattr(names, "_find", lambda host, *_: asked.append(host) or ("127.0.0.1",))
        urls = [f"http://pictures.example:{server.port}/{n}" for n in range(40)]
        answers = list(fetch_all(requests_for(*urls), policy_for(server.port, sources=("pictures.example:*",))))
    assert {answer.rule for answer in answers} == {"ok"}
    assert asked == ["pictures.example"]


def test_a_name_with_new_addresses_is_found_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(names, "_KNOWN_SECONDS", 0)
    where = iter(["127.0.0.1", "127.0.0.2", "127.0.0.1", "127.0.0.1"])
    monkeypatch.setattr(names, "_find", lambda *_: (next(where),))
    with RawServer(ok(b"picture")) as server:  # on 127.0.0.1 alone
        policy = policy_for(
            server.port, sources=("pictures.example:*",), allow_addresses=("127.0.0.1:*", "127.0.0.2:*"), concurrency=1
        )
        urls = [f"http://pictures.example:{server.port}/{n}" for n in range(4)]
        answers = list(fetch_all(requests_for(*urls), policy))
    assert [answer.rule for answer in answers] == ["ok", "fetch.connection", "ok", "ok"]


def test_the_next_address_is_tried_where_one_refuses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(names, "_find", lambda *_: ("127.0.0.2", "127.0.0.1"))
    with RawServer(ok(b"picture")) as server:
        allowed = ("127.0.0.1:*", "127.0.0.2:*")
        policy = policy_for(server.port, sources=("pictures.example:*",), allow_addresses=allowed)
        assert ask(f"http://pictures.example:{server.port}/60/40", policy).rule == "ok"


def test_a_slow_resolver_keeps_nobody_else_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    go_on = threading.Event()

    def slow(*_: object) -> tuple[str, ...]:
        assert go_on.wait(20)
        raise socket.gaierror(socket.EAI_NONAME, "as told")

    monkeypatch.setattr(names, "_find", slow)
    with RawServer(ok(b"picture")) as server:
        urls = [f"http://slow-{n}.example:{server.port}/" for n in range(3)] + [server.url]
        sources = ("*.example:*", f"127.0.0.1:{server.port}")
        answers = fetch_all(requests_for(*urls), policy_for(server.port, sources=sources))
        assert next(answers).rule == "ok"
        go_on.set()
        assert [answer.rule for answer in answers] == ["fetch.dns"] * 3


def test_a_look_up_may_run_out_of_time(monkeypatch: pytest.MonkeyPatch) -> None:
    go_on = threading.Event()
    monkeypatch.setattr(names, "_find", lambda *_: go_on.wait(20) and ("127.0.0.1",))
    with RawServer(ok(b"picture")) as server:
        policy = policy_for(
            server.port, sources=("slow.example:*", f"127.0.0.1:{server.port}"), total_seconds=0.2, concurrency=1
        )
        urls = (f"http://slow.example:{server.port}/60/40", server.url)
        answers = fetch_all(requests_for(*urls), policy)
        late = next(answers)
        assert (late.rule, late.attempts, late.passing) == ("fetch.timeout", 1, True)
        go_on.set()  # what is found by now is of no use to the handle's next request
        assert next(answers).content == b"picture"
        assert next(answers, None) is None
    assert len(server.asked) == 1


def test_closing_waits_for_a_look_up_and_leaves_no_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    go_on = threading.Event()
    monkeypatch.setattr(names, "_find", lambda *_: go_on.wait(20) and ("127.0.0.1",))
    threads = threading.active_count()
    with RawServer(ok(b"picture")) as server:
        policy = policy_for(server.port, sources=("slow.example:*", f"127.0.0.1:{server.port}"))
        answers = fetch_all(requests_for(f"http://slow.example:{server.port}/60/40", server.url), policy)
        assert next(answers).content == b"picture"
        go_on.set()
        answers.close()
    assert threading.active_count() <= threads
