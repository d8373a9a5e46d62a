"""What can go wrong with a directory server: each thing a sentence of its own, and every one a denial."""

from __future__ import annotations

import contextlib
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import trustme

from auth.directory.ldap import LdapDirectory
from auth.directory.ldap.answers import denial
from conf.errors import AccessDenied
from tests.servers.ldap import BASE, SERVICE, STRICT, Slapd, running


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="module", params=[True, False], ids=["tells lockout", "hides lockout"])
def slapd(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, authority: trustme.CA) -> Any:
    with running(tmp_path_factory.mktemp("slapd") / "one", authority, tells_lockout=request.param) as server:
        server.person("ada", "secret")
        yield server


@pytest.fixture
def person(slapd: Slapd) -> Iterator[Callable[..., str]]:
    """Adds people who are gone after the test."""
    made: list[str] = []

    def add(*arguments: Any, **more: Any) -> str:
        made.append(slapd.person(*arguments, **more))
        return made[-1]

    yield add
    for name in made:
        slapd.remove(name)


def said(directory: LdapDirectory, user: str = "ada", password: str = "secret") -> AccessDenied:
    with pytest.raises(AccessDenied) as denied:
        directory.authenticate(user, password)
    assert len(str(denied.value).splitlines()) == 1
    return denied.value


@pytest.mark.parametrize("password", ["", " ", "\u00a0"])
def test_a_blank_password_reaches_no_server(password: str, slapd: Slapd) -> None:
    nowhere = LdapDirectory(("ldaps://localhost:1",), slapd.settings())
    assert said(nowhere, "ada", password).what == "The password is blank."


def test_a_password_of_nothing_that_counts_is_wrong(slapd: Slapd) -> None:
    # RFC 4013 maps a soft hyphen to nothing: to the server this would be the empty password, which proves nothing.
    assert said(slapd.directory(), "ada", "\u00ad").what == "The user name or the password is wrong."


def test_two_entries_of_one_name(slapd: Slapd, person: Callable[..., str]) -> None:
    person("tom", "secret")
    person("tim", "secret", uid=["tim", "tom"])
    assert said(slapd.directory(), "tom").what.startswith("The directory holds several entries for 'tom'")
    person("thomas", "secret", uid=["thomas", "tom"])
    assert said(slapd.directory(), "tom").what.startswith("The directory holds several entries for 'tom'")


def test_a_locked_account(slapd: Slapd, person: Callable[..., str]) -> None:
    person("lola", "secret", **STRICT)
    assert said(slapd.directory(), "lola", "wrong").what == "The user name or the password is wrong."
    said(slapd.directory(), "lola", "wrong")
    assert said(slapd.directory(), "lola").what == "The account of 'lola' is locked."


def test_an_expired_password(slapd: Slapd, person: Callable[..., str]) -> None:
    name = person("old", "secret", **STRICT)
    slapd.change(name, pwdChangedTime="20200101000000Z")
    assert said(slapd.directory(), "old").what == "The password of 'old' has expired."
    assert said(slapd.directory(), "old", "wrong").what == "The user name or the password is wrong."


def test_a_password_that_must_be_changed(slapd: Slapd, person: Callable[..., str]) -> None:
    name = person("new", "secret", **STRICT)
    slapd.change(name, pwdReset="TRUE")
    assert "must be changed first" in said(slapd.directory(), "new").what


def test_an_entry_without_a_password(slapd: Slapd, person: Callable[..., str]) -> None:
    person("none", None)
    assert said(slapd.directory(), "none").what == "The user name or the password is wrong."


def test_the_service_accounts_password_is_the_operators_affair(slapd: Slapd, tmp_path: Path) -> None:
    file = tmp_path / "service"
    directory = slapd.directory(bind_password_file=str(file))
    assert "There is no" in said(directory).what
    file.touch(mode=0o600)
    assert "holds a blank password" in said(directory).what
    file.write_bytes(b"\xff")
    assert "is not UTF-8" in said(directory).what
    file.write_text("s3cret and wrong\n")
    denied = said(directory)
    assert f"does not accept the service account '{SERVICE}'" in denied.what
    assert "operator" in denied.fix
    assert "s3cret" not in repr(denied)
    file.chmod(0o644)
    assert "chmod 600" in str(said(directory))


def test_a_base_that_is_none(slapd: Slapd) -> None:
    nowhere = f"ou=nowhere,{BASE}"
    assert f"There is no '{nowhere}'" in said(slapd.directory(user_base=nowhere)).what
    assert f"There is no '{nowhere}'" in said(slapd.directory(group_base=nowhere)).what


def test_an_account_that_may_not_look(slapd: Slapd) -> None:
    assert (
        "does not let the account that asks look below" in said(slapd.directory(bind_dn="", bind_password_file="")).what
    )


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("slow", "gave up at its limit of time"),
        ("many", "gave up at its limit of size"),
        ("busy", "cannot be reached"),
        ("elsewhere", "sends us on to another server"),
    ],
)
def test_what_a_server_may_answer_to_a_search(fault: str, words: str, slapd: Slapd) -> None:
    assert words in said(slapd.directory(user_base=f"cn={fault},ou=faults,{BASE}")).what


def test_a_servers_limit_of_entries(tmp_path: Path, authority: trustme.CA) -> None:
    with running(tmp_path / "slapd", authority, limits="sizelimit size.soft=3 size.hard=3 size.prtotal=3") as slapd:
        ada = slapd.person("ada", "secret")
        for number in range(5):
            slapd.group(f"group{number}", ada)
        assert "gave up at its limit of number of entries" in said(slapd.directory()).what


def test_a_server_that_holds_still(slapd: Slapd) -> None:
    assert slapd.process is not None
    slapd.process.send_signal(signal.SIGSTOP)
    try:
        denied = said(slapd.directory(answer_seconds=1, connect_seconds=1))
    finally:
        slapd.process.send_signal(signal.SIGCONT)
    assert f"({slapd.ldaps}: it does not answer in time)" in denied.what


def test_a_host_that_is_none(slapd: Slapd) -> None:
    denied = said(LdapDirectory(("ldaps://ldap.invalid",), slapd.settings()))
    assert "(ldaps://ldap.invalid: there is no such host)" in denied.what


@contextlib.contextmanager
def stranger(answer: bytes | Callable[[bytes], bytes], drip: bytes = b"") -> Iterator[str]:
    """Something on a port that is no directory; each connection gets an answer, with ``drip`` without an end."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        ended = threading.Event()

        def serve() -> None:
            while not ended.is_set():
                try:
                    talking, _ = listening.accept()
                except OSError:
                    return
                with talking, contextlib.suppress(OSError):
                    asked = talking.recv(1 << 16)
                    talking.sendall(answer if isinstance(answer, bytes) else answer(asked))
                    while drip and not ended.wait(0.1 if len(drip) == 1 else 0):
                        talking.sendall(drip)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield f"localhost:{listening.getsockname()[1]}"
        finally:
            ended.set()
            listening.shutdown(socket.SHUT_RDWR)
            thread.join()


# An LDAP message whose length promises 4 GB, and one with an empty sequence for an answer.
@pytest.mark.parametrize(
    "answer", [b"", b"HTTP/1.1 400 Bad Request\r\n\r\n", b"0\x84\xff\xff\xff\xff", b"0\x02\x30\x00"]
)
@pytest.mark.parametrize("scheme", ["ldap", "ldaps"])
def test_a_server_that_is_none(answer: bytes, scheme: str, slapd: Slapd) -> None:
    with stranger(answer) as place:
        directory = LdapDirectory((f"{scheme}://{place}",), slapd.settings(answer_seconds=2))
        assert "cannot be reached" in said(directory).what


def test_a_server_that_never_ends(slapd: Slapd) -> None:
    with stranger(b"0\x84\xff\xff\xff\xff", drip=bytes(65536)) as place:
        settings = slapd.settings(answer_seconds=30, start_tls=False)
        denied = said(LdapDirectory((f"ldap://{place}",), settings, plain=True))
    assert "sends more than anybody asked for" in denied.what


def test_a_server_that_answers_a_byte_at_a_time_has_no_more_time_than_others(slapd: Slapd) -> None:
    with stranger(b"0\x84\xff\xff\xff\xff", drip=b"\0") as place:
        settings = slapd.settings(answer_seconds=1, start_tls=False)
        denied = said(LdapDirectory((f"ldap://{place}",), settings, plain=True))
    assert "it does not answer in time" in denied.what


def test_a_server_that_knows_no_tls_gets_no_password(slapd: Slapd) -> None:
    def refuse(asked: bytes) -> bytes:
        """An extended response (RFC 4511 4.12) to that message: protocolError."""
        number = asked[2 : 4 + asked[3]]
        operation = bytes.fromhex("78070a010204000400")
        return bytes([0x30, len(number + operation)]) + number + operation

    with stranger(refuse) as place:
        denied = said(LdapDirectory((f"ldap://{place}",), slapd.settings()))
    assert "it does not speak TLS (StartTLS)" in denied.what


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("52e", "The user name or the password is wrong."),
        ("530", "may not log in at this time"),
        ("532", "has expired"),
        ("533", "is disabled"),
        ("701", "has come to its end"),
        ("773", "must be changed first"),
        ("775", "is locked"),
    ],
)
def test_what_active_directory_says(code: str, words: str) -> None:
    message = f"80090308: LdapErr: DSID-0C090447, comment: AcceptSecurityContext error, data {code}, v4563\0"
    result = {"result": 49, "description": "invalidCredentials", "message": message}
    denied = denial("ada", result, lambda: False)
    assert denied is not None
    assert words in denied.what


@pytest.mark.parametrize("value", [None, b"", b"0", b"0\x82", b"0\x03\x81", b"0\x03\x81\x05\x01", b"\xff" * 300])
def test_a_control_that_is_none_says_nothing(value: bytes | None) -> None:
    controls = {"1.3.6.1.4.1.42.2.27.8.5.1": {"value": value}}
    assert denial("ada", {"result": 0, "description": "success", "controls": controls}, lambda: True) is None
