"""Whom TLS trusts, and what is made of who speaks none."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from pathlib import Path

import pytest
import trustme

from conf.errors import LandfallError
from spark_jobs.web import names
from tests.spark_jobs.web.servers import RawServer, ask, ok, policy_for


def test_a_server_that_speaks_no_tls_is_not_asked_again() -> None:
    with RawServer(ok(b"picture")) as server:
        answer = ask(server.url.replace("http:", "https:"), policy_for(server.port, attempts=3))
    assert (answer.rule, answer.passing, answer.attempts) == ("fetch.connection", False, 1)
    assert "TLS" in answer.message


def test_an_untrusted_certificate_is_refused_for_good() -> None:
    """``untrusted.pem`` is a key and a certificate for 127.0.0.1 that it signed itself; nothing trusts it."""
    with RawServer(ok(b"picture"), certificate=Path(__file__).with_name("untrusted.pem")) as server:
        answer = ask(server.url.replace("http:", "https:"), policy_for(server.port, attempts=3))
    assert (answer.rule, answer.passing, answer.attempts) == ("fetch.connection", False, 1)
    assert "certificate" in answer.message.lower()
    assert not any(server.asked)


def test_a_trusted_certificate_is_taken_for_its_name_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    authority = trustme.CA()
    file, trusted = tmp_path / "server.pem", tmp_path / "trusted.pem"
    authority.issue_cert("pictures.example").private_key_and_cert_chain_pem.write_to_path(file)
    authority.cert_pem.write_to_path(trusted)
    monkeypatch.setenv("SSL_CERT_FILE", str(trusted))
    monkeypatch.setattr(names, "_find", lambda *_: ("127.0.0.1",))
    body = bytes(range(256)) * 2000
    with RawServer(ok(body), certificate=file) as server:
        policy = policy_for(server.port, sources=("*.example:*",), attempts=3)
        answer = ask(f"https://pictures.example:{server.port}/60/40", policy)
        other = ask(f"https://others.example:{server.port}/60/40", policy)
    assert (answer.rule, answer.content) == ("ok", body), answer.message
    assert (other.rule, other.passing, other.attempts) == ("fetch.connection", False, 1)
    assert len(list(filter(None, server.asked))) == 1


def test_a_server_that_hangs_up_before_it_speaks_tls_is_asked_again() -> None:
    taken = socket.create_server(("127.0.0.1", 0))
    port = taken.getsockname()[1]

    def hang_up() -> None:
        with contextlib.suppress(OSError):
            while True:
                client = taken.accept()[0]
                client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                client.close()

    thread = threading.Thread(target=hang_up)
    thread.start()
    answers = [
        ask(f"https://127.0.0.1:{port}/a", policy_for(port, attempts=2, backoff_seconds=0.01)) for _ in range(20)
    ]
    taken.shutdown(socket.SHUT_RDWR)
    thread.join()
    taken.close()
    assert {(answer.rule, answer.passing, answer.attempts) for answer in answers} == {("fetch.connection", True, 2)}


def test_certificates_of_our_own_that_cannot_be_read_are_no_fault_of_the_source(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    garbled = tmp_path / "trusted.pem"
    garbled.write_text("no certificate")
    monkeypatch.setenv("SSL_CERT_FILE", str(garbled))
    certificate = Path(__file__).with_name("untrusted.pem")
    raises = pytest.raises(LandfallError, match="certificates that this machine trusts")
    with RawServer(ok(b"picture"), certificate=certificate) as server, raises:
        ask(server.url.replace("http:", "https:"), policy_for(server.port))
