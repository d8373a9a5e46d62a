"""What may be connected to."""

from __future__ import annotations

import ipaddress
import socket
import threading
from typing import Any

import pytest

from spark_jobs.web import names
from spark_jobs.web.addresses import is_public
from tests.spark_jobs.web.servers import RawServer, ask, ok, policy_for

_PRIVATE = """
    0.0.0.0 0.1.2.3 10.0.0.1 100.64.0.1 127.0.0.1 127.255.255.254 169.254.169.254 172.16.0.1 172.31.255.255 192.0.0.1
    192.0.2.1 192.88.99.1 192.168.0.1 198.18.0.1 198.51.100.1 203.0.113.1 224.0.0.1 239.255.255.255 240.0.0.1
    255.255.255.255
    :: ::1 ::7f00:1 ::10.0.0.1 ::ffff:127.0.0.1 ::ffff:10.0.0.1 ::ffff:0:127.0.0.1 64:ff9b::127.0.0.1
    64:ff9b::10.0.0.1 64:ff9b:1::1 100::1 2001::1 2001:0:7f00:1:: 2001:db8::1 2002:7f00:1:: 2002:a00:1:: 3fff::1 5f00::1
    fc00::1 fd12::1 fe80::1 fe80::1%eth0 2606:4700::1111%eth0 fec0::1 ff02::1 ff0e::1
"""
_PUBLIC = """
    1.1.1.1 8.8.8.8 93.184.216.34 172.15.255.255 172.32.0.1 2606:4700::1111 2a00:1450::1 ::ffff:8.8.8.8
    64:ff9b::8.8.8.8 2002:808:808::1
"""


@pytest.mark.parametrize("address", _PRIVATE.split())
def test_no_way_of_writing_makes_a_private_address_public(address: str) -> None:
    assert not is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize("address", _PUBLIC.split())
def test_public_addresses_are(address: str) -> None:
    assert is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize(
    "host",
    [
        *("127.0.0.1", "10.0.0.1", "169.254.169.254", "0.0.0.0", "224.0.0.1"),
        *("2130706433", "0x7f000001", "0x7f.1", "127.1", "0177.0.0.1", "017700000001", "127.0.0.1.", "127.0.0.0x1"),
        *("[::1]", "[::]", "[::ffff:127.0.0.1]", "[64:ff9b::7f00:1]", "[fe80::1%25eth0]", "[2002:7f00:1::]"),
        *("\u2460\u2461\u2466.0.0.1", "\uff11\uff12\uff17.0.0.1"),
    ],
)
def test_an_address_in_a_url_is_blocked_whatever_the_sources_say(host: str) -> None:
    answer = ask(f"http://{host}/60/40", policy_for(sources=(host.strip("[]"),)))
    assert (answer.rule, answer.passing, answer.status, answer.attempts) == ("fetch.blocked_address", False, None, 0)


class Names:
    """Stands in for the system's resolver: the addresses that a name has at each look-up."""

    def __init__(self, **addresses: list[list[str]]) -> None:
        self._addresses = {name.replace("_", "."): found for name, found in addresses.items()}
        self.asked: list[str] = []

    def __call__(self, host: str, port: int, *_: Any, **__: Any) -> list[Any]:
        self.asked.append(host)
        looks = self._addresses[host]
        found = looks.pop(0) if len(looks) > 1 else looks[0]
        if found[0].startswith("EAI"):
            raise socket.gaierror(getattr(socket, found[0]), "as told")
        return [
            (socket.AF_INET6, socket.SOCK_STREAM, 6, "", (address, port, 0, 0))
            if ":" in address
            else (socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))
            for address in found
        ]


@pytest.mark.parametrize(
    "addresses",
    [
        ["127.0.0.1"],
        ["169.254.169.254"],
        ["::1"],
        ["::ffff:10.0.0.1"],
        ["8.8.8.8", "10.0.0.1"],
        ["2606:4700::1111", "fe80::1"],
    ],
)
def test_a_name_is_blocked_by_any_of_its_addresses(addresses: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", Names(rebound_example=[addresses]))
    answer = ask("http://rebound.example/60/40", policy_for(sources=("rebound.example",), attempts=3))
    assert (answer.rule, answer.value, answer.attempts) == ("fetch.blocked_address", "rebound.example", 1)


def test_the_connection_goes_to_the_address_that_was_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    with RawServer(ok(b"picture")) as server:
        names = Names(pictures_example=[["127.0.0.1"], ["10.255.255.1"]])
        monkeypatch.setattr(socket, "getaddrinfo", names)
        policy = policy_for(server.port, sources=(f"pictures.example:{server.port}",))
        answer = ask(f"http://pictures.example:{server.port}/60/40", policy)
    assert (answer.rule, answer.content) == ("ok", b"picture")
    assert names.asked == ["pictures.example"]
    assert b"Host: pictures.example" in server.asked[0]


def test_an_allowed_address_is_allowed_on_its_port_alone() -> None:
    with RawServer(ok(b"picture")) as server:
        sources = (f"127.0.0.1:{server.port}",)
        assert ask(server.url, policy_for(server.port)).rule == "ok"
        assert ask(server.url, policy_for(sources=sources, allow_addresses=("127.0.0.1:*",))).rule == "ok"
        for allowed in ((), ("127.0.0.1:1",), ("127.0.0.1",), ("127.0.0.2:*",)):
            assert ask(server.url, policy_for(sources=sources, allow_addresses=allowed)).rule == "fetch.blocked_address"
        assert len(server.asked) == 2


@pytest.mark.parametrize(
    ("error", "rule", "passing"),
    [
        ("EAI_NONAME", "fetch.dns", False),
        ("EAI_NODATA", "fetch.dns", False),
        ("EAI_FAIL", "fetch.dns", False),
        ("EAI_AGAIN", "fetch.connection", True),
    ],
)
def test_a_name_without_addresses(error: str, rule: str, passing: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    names = Names(gone_example=[[error]])
    monkeypatch.setattr(socket, "getaddrinfo", names)
    answer = ask("http://gone.example/60/40", policy_for(sources=("gone.example",), attempts=2, backoff_seconds=0.001))
    assert (answer.rule, answer.passing, len(names.asked)) == (rule, passing, 2 if passing else 1)


def test_a_name_that_no_resolver_knows_a_form_of() -> None:
    name = "a" * 64 + ".example"
    answer = ask(f"http://{name}/60/40", policy_for(sources=("*.example",)))
    assert answer.rule in ("url.host_not_allowed", "url.malformed", "fetch.dns")
    assert not answer.passing


@pytest.mark.parametrize("found", [("127.0.0.1",), ("127.0.0.2", "127.0.0.1")])
def test_nothing_connects_where_it_may_not_even_if_the_look_up_let_it_pass(
    found: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(names, "_find", lambda *_: found)
    with RawServer(ok(b"picture")) as server:
        policy = policy_for(sources=(f"pictures.example:{server.port}",), allow_addresses=(), attempts=3)
        answer = ask(f"http://pictures.example:{server.port}/60/40", policy)
        assert (answer.rule, answer.value, answer.attempts) == ("fetch.blocked_address", "pictures.example", 1)
        assert not server.asked


def test_addresses_of_the_sixth_version_are_asked() -> None:
    try:
        taken = socket.create_server(("::1", 0), family=socket.AF_INET6)
    except OSError:
        pytest.skip("this machine has no IPv6")
    with taken:
        port = taken.getsockname()[1]
        said: list[bytes] = []

        def serve() -> None:
            with taken.accept()[0] as client:
                said.append(client.recv(65536))
                client.sendall(ok(b"picture"))

        thread = threading.Thread(target=serve)
        thread.start()
        answer = ask(
            f"http://[::1]:{port}/a", policy_for(sources=(f"[::1]:{port}",), allow_addresses=(f"[::1]:{port}",))
        )
        thread.join()
    assert (answer.rule, answer.content) == ("ok", b"picture")
    assert f"\r\nHost: [::1]:{port}\r\n".encode() in said[0]
