"""Connections: made in time, used again, and closed."""

from __future__ import annotations

import contextlib
import os
import socket
import struct
import threading
import time
from collections.abc import Iterator

import pytest

from landfall.sample_web import SampleWeb
from spark_jobs.web import names
from spark_jobs.web.fetch import fetch_all
from tests.spark_jobs.web.servers import RawServer, ask, connections_to, ok, policy_for, requests_for


def test_a_busy_caller_costs_no_request_its_connection() -> None:
    with RawServer(ok(b"picture")) as server:
        urls = [f"http://127.0.0.1:{server.port}/{n}" for n in range(8)]
        policy = policy_for(server.port, connect_seconds=0.5, total_seconds=0.5, concurrency=2)
        for answer in fetch_all(requests_for(*urls), policy):
            assert (answer.rule, answer.attempts) == ("ok", 1), answer.message
            time.sleep(0.6 if answer.request.line <= 2 else 0)  # others connect meanwhile


@contextlib.contextmanager
def _deaf() -> Iterator[int]:
    """A port that takes no connection, and does not say so: its backlog is full."""
    with socket.socket() as server, contextlib.ExitStack() as clients:
        server.bind(("127.0.0.1", 0))
        server.listen(0)
        for _ in range(4):
            client = clients.enter_context(socket.socket())
            client.setblocking(False)
            client.connect_ex(server.getsockname())
        yield server.getsockname()[1]


def test_a_connection_has_its_own_time() -> None:
    with _deaf() as port, RawServer(ok(b"picture")) as server:
        policy = policy_for(port, server.port, concurrency=1, connect_seconds=0.3, attempts=2, backoff_seconds=0.01)
        urls = (server.url, f"http://127.0.0.1:{port}/60/40")  # one handle does both
        began = time.monotonic()
        _, deaf = fetch_all(requests_for(*urls), policy)
    assert (deaf.rule, deaf.attempts, deaf.passing, deaf.status) == ("fetch.timeout", 2, True, None)
    assert 0.6 <= time.monotonic() - began < 10


def test_the_next_address_is_tried_where_one_is_silent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(names, "_find", lambda *_: ("127.0.0.1", "127.0.0.2"))

    def serve(server: socket.socket) -> None:
        with server.accept()[0] as client:
            client.recv(65536)
            client.sendall(ok(b"picture"))

    with _deaf() as port, socket.create_server(("127.0.0.2", port)) as server:
        thread = threading.Thread(target=serve, args=(server,))
        thread.start()
        allowed = ("127.0.0.1:*", "127.0.0.2:*")
        policy = policy_for(sources=("pictures.example:*",), allow_addresses=allowed, connect_seconds=10)
        answer = ask(f"http://pictures.example:{port}/60/40", policy)
        thread.join()
    assert (answer.rule, answer.attempts) == ("ok", 1)
    assert answer.milliseconds < 5000


def test_connections_come_and_go() -> None:
    with RawServer(ok(b"picture")) as one, RawServer(ok(b"another", "Connection: close")) as other:
        urls = [server.url for _ in range(150) for server in (one, other)]
        answers = list(fetch_all(requests_for(*urls), policy_for(one.port, other.port, concurrency=16)))
        assert not connections_to(one.port) | connections_to(other.port)
    assert {answer.content for answer in answers} == {b"picture", b"another"}
    assert len(answers) == 300


def test_connections_are_used_again() -> None:
    with SampleWeb(seed=1) as web:
        urls = [f"{web.url}/60/40?n={n}" for n in range(20)]
        answers = fetch_all(requests_for(*urls), policy_for(web.port, concurrency=1))
        assert next(answers).rule == "ok"
        used = connections_to(web.port)
        assert {next(answers).rule for _ in range(18)} == {"ok"}
        assert len(used) == 1
        assert connections_to(web.port) == used
        answers.close()
        assert not connections_to(web.port)


@pytest.mark.parametrize("kindly", [True, False])
def test_a_connection_that_was_closed_between_two_requests_costs_no_attempt(kindly: bool) -> None:
    took: list[bytes] = []

    def serve(server: socket.socket) -> None:
        for answers in (1, 0, 1):  # then the next request is reset, or finds the connection closed
            client, _ = server.accept()
            with client:
                for _ in range(answers):
                    took.append(client.recv(65536))
                    client.sendall(ok(b"picture"))
                if not kindly or not answers:
                    took.append(client.recv(65536))
                    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=serve, args=(server,))
        thread.start()
        port = server.getsockname()[1]
        urls = [f"http://127.0.0.1:{port}/{n}" for n in range(3)]
        answers = list(fetch_all(requests_for(*urls), policy_for(port, concurrency=1)))
        thread.join()
    # A new connection that is reset is the source's fault.
    assert [answer.rule for answer in answers] == ["ok", "fetch.connection", "ok"]
    assert [answer.attempts for answer in answers] == [1, 1, 1]


def test_one_answer_of_many_pieces_is_whole() -> None:
    body = os.urandom(5 << 20)
    with RawServer(ok(body)) as server:
        answer = ask(server.url, policy_for(server.port, max_bytes=6 << 20, buffer_bytes=6 << 20))
    assert answer.content == body
