"""Which hosts a pattern names."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conf.hosts import matches, pattern

PORTS = (80, 443)


@pytest.mark.parametrize(
    ("text", "host", "port", "named"),
    [
        ("picsum.photos", "picsum.photos", 443, True),
        ("picsum.photos", "PICSUM.photos.", 80, True),
        ("picsum.photos", "picsum.photos", 8080, False),
        ("picsum.photos", "evil-picsum.photos", 443, False),
        ("picsum.photos", "a.picsum.photos", 443, False),
        ("*.example.org", "a.b.example.org", 443, True),
        ("*.example.org", "example.org", 443, False),
        ("*.example.org", ".example.org", 443, False),
        ("*.example.org", "notexample.org", 443, False),
        ("*.example.org:8080", "a.example.org", 8080, True),
        ("*.example.org:8080", "a.example.org", 443, False),
        ("127.0.0.1:8200", "127.0.0.1", 8200, True),
        ("127.0.0.1:8200", "127.0.0.1", 80, False),
        ("127.0.0.1:*", "127.0.0.1", 1, True),
        ("[::1]:8200", "::1", 8200, True),
        ("::1", "::1", 80, True),
    ],
)
def test_a_pattern_names_its_hosts_alone(text: str, host: str, port: int, named: bool) -> None:
    assert matches((text,), host, port, PORTS) is named


def test_any_of_the_patterns_will_do() -> None:
    assert matches(("a.example", "b.example"), "b.example", 80, PORTS)
    assert not matches((), "b.example", 80, PORTS)


@pytest.mark.parametrize("text", ["a.example:0", "a.example:65536", "a.example:http", "a.example:-1", "a.example:²"])
def test_a_wrong_port_is_a_mistake(text: str) -> None:
    with pytest.raises(ValueError, match="65535"):
        pattern(text)


@pytest.mark.parametrize("text", ["", " ", "*", "*.", ":80", "[]:80"])
def test_a_pattern_without_a_host_is_a_mistake(text: str) -> None:
    with pytest.raises(ValueError, match="no host"):
        pattern(text)


@pytest.mark.parametrize(
    ("text", "host"),
    [
        ("bücher.example", "xn--bcher-kva.example"),
        ("xn--bcher-kva.example", "BÜCHER.example"),
        ("0:0:0:0:0:0:0:1", "::1"),
        ("*.bücher.example", "a.xn--bcher-kva.example"),
    ],
)
def test_a_host_is_the_same_however_it_is_written(text: str, host: str) -> None:
    assert matches((text,), host, 443, PORTS)


@pytest.mark.parametrize(
    "text",
    ["127.1", "0x7f.1", "*.127.0.0.1", "2130706433", "a b", "a..b", "-a.example", "*.*.org", "a*.org", "fe80::1%eth0"],
)
def test_what_is_no_host_is_a_mistake(text: str) -> None:
    with pytest.raises(ValueError, match="no host"):
        pattern(text)


@pytest.mark.parametrize("text", ["https://picsum.photos", "picsum.photos/200", "me@picsum.photos"])
def test_more_than_a_host_is_a_mistake(text: str) -> None:
    with pytest.raises(ValueError, match="host alone"):
        pattern(text)


NAMES = st.from_regex(r"(\*\.)?[a-zü][a-z0-9-]{0,5}[a-z](\.[a-z]{2,5}){0,2}", fullmatch=True)


@given(st.one_of(NAMES, st.ip_addresses().map(str)), st.sampled_from([None, "1", "65535", "*"]))
def test_the_canonical_form_means_the_same(host: str, port: str | None) -> None:
    text = host if port is None else f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    assert pattern(str(pattern(text))) == pattern(text)


@given(st.text(max_size=30), st.integers(1, 65535))
def test_a_strange_host_is_never_an_error(host: str, port: int) -> None:
    assert not matches(("picsum.photos", "*.example.org"), host, port, PORTS)


def test_a_host_that_is_too_long_is_none() -> None:
    longest = ".".join(["a" * 61] * 4)
    assert len(f"{longest}.org") == 251
    assert matches(("*.org",), f"{longest}.org", 443, PORTS)
    assert not matches(("*.org",), f"aa.{longest}.org", 443, PORTS)
